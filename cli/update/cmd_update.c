/* SPDX-License-Identifier: Apache-2.0 */
/* ferry update: the whole update, with proof. */
#include "update_run.h"

#include <signal.h>
#include <stdlib.h>
#include <string.h>

enum {
    OPTION_NO_DOWNGRADE = 0x100,
    OPTION_TEST_ONLY,
    OPTION_NO_CONFIRM,
    OPTION_FORCE,
    OPTION_RECOVERY,
    OPTION_CONFIRM,
    OPTION_CHECK,
    OPTION_CHECK_TIMEOUT,
    OPTION_DRY_RUN,
    OPTION_ERASE_PENDING,
    OPTION_NO_CHECKS
};

static const struct option update_options[] = {
    {"key", required_argument, NULL, 'k'},
    {"image", required_argument, NULL, 'n'},
    {"no-downgrade", no_argument, NULL, OPTION_NO_DOWNGRADE},
    {"test-only", no_argument, NULL, OPTION_TEST_ONLY},
    {"no-confirm", no_argument, NULL, OPTION_NO_CONFIRM},
    {"force", no_argument, NULL, OPTION_FORCE},
    {"recovery", no_argument, NULL, OPTION_RECOVERY},
    {"confirm", required_argument, NULL, OPTION_CONFIRM},
    {"check", required_argument, NULL, OPTION_CHECK},
    {"check-timeout", required_argument, NULL, OPTION_CHECK_TIMEOUT},
    {"dry-run", no_argument, NULL, OPTION_DRY_RUN},
    {"plan", no_argument, NULL, OPTION_DRY_RUN},
    {"erase-pending", no_argument, NULL, OPTION_ERASE_PENDING},
    {"no-checks", no_argument, NULL, OPTION_NO_CHECKS},
    {"upgrade", no_argument, NULL, 'u'},
    {"window", required_argument, NULL, 'w'},
    {0},
};

/* Where a FILE begins that has its image's number before it: N=FILE. NULL without one. */
static const char *numbered(const char *text)
{
    size_t digits = strspn(text, "0123456789");
    return digits > 0 && digits < 4 && text[digits] == '=' ? text + digits + 1 : NULL;
}

/* Take one FILE, or one N=FILE of several. Returns whether it has a number, if it needs one. */
static bool take_file(struct update_run *run, const char *text, bool needs_number)
{
    struct update_item *item = &run->items[run->count++];
    const char *path = numbered(text);
    *item = (struct update_item){.path = text, .image = run->image};
    if (path != NULL) {
        item->path = path;
        item->image = (uint32_t)strtoul(text, NULL, 10);
    }
    return path != NULL || !needs_number;
}

static bool is_twice(const struct update_run *run)
{
    for (size_t i = 0; i < run->count; i++) {
        for (size_t other = 0; other < i; other++) {
            if (run->items[i].image == run->items[other].image) {
                return true;
            }
        }
    }
    return false;
}

static int by_number(const void *a, const void *b)
{
    const struct update_item *first = a;
    const struct update_item *second = b;
    return first->image < second->image ? -1 : first->image > second->image;
}

/* A bundle among several files. */
static const char *find_bundle(int argc, char **argv)
{
    for (int i = optind; i < argc; i++) {
        const char *path = numbered(argv[i]);
        if (update_is_bundle(path != NULL ? path : argv[i])) {
            return argv[i];
        }
    }
    return NULL;
}

int update_take_files(struct update_run *run, int argc, char **argv)
{
    int count = argc - optind;
    bool good = count >= 1 && count <= ITEMS_MAX;
    run->of_bundle = count == 1 && update_is_bundle(argv[optind]);
    if (run->of_bundle) {
        return update_take_bundle(run, argv[optind]);
    }
    if (find_bundle(argc, argv) != NULL) {
        return cli_fail(run->cli, CLI_USAGE, "give it alone: it has all images of an update",
                        "%s is a bundle", find_bundle(argc, argv));
    }
    if (count == 2 && numbered(argv[optind]) == NULL && numbered(argv[optind + 1]) == NULL) {
        (void)take_file(run, argv[optind], false);
        run->items[0].other_path = argv[optind + 1];
        return CLI_OK;
    }
    for (int i = optind; i < argc && good; i++) {
        good = take_file(run, argv[i], count > 1);
    }
    if (!good || is_twice(run)) {
        return cli_usage(run->cli, "give one FILE, a bootloader's two, or up to 4 images, "
                                   "each once, as N=FILE");
    }
    qsort(run->items, run->count, sizeof run->items[0], by_number);
    return CLI_OK;
}

static int take_confirm(struct update_run *run, const char *when)
{
    run->config.permanent = strcmp(when, "always") == 0;
    run->no_confirm = strcmp(when, "never") == 0;
    if (!run->config.permanent && !run->no_confirm && strcmp(when, "ok") != 0) {
        return cli_usage(run->cli, "--confirm takes always, ok or never");
    }
    return CLI_OK;
}

/* The options that have a value. Returns an exit code. */
static int take_value(struct update_run *run, int option)
{
    switch (option) {
    case 'k':
        run->key_path = optarg;
        break;
    case 'n':
        if (cli_number(optarg, 255, &run->image) != FERRY_OK) {
            return cli_usage(run->cli, "--image takes a number: 0, 1, …");
        }
        break;
    case 'w':
        if (cli_number(optarg, 255, &run->config.window) != FERRY_OK || run->config.window == 0) {
            return cli_usage(run->cli, "--window takes a number of chunks: 1, 2, …");
        }
        break;
    case OPTION_CHECK_TIMEOUT:
        if (cli_number(optarg, 86400, &run->check_timeout) != FERRY_OK || run->check_timeout == 0) {
            return cli_usage(run->cli, "--check-timeout takes seconds, 1 to 86400");
        }
        break;
    case OPTION_CONFIRM:
        return take_confirm(run, optarg);
    case OPTION_CHECK:
        run->check = optarg;
        break;
    default:
        return CLI_USAGE;
    }
    return CLI_OK;
}

/* Whether the options go together. */
static int check_options(const struct update_run *run)
{
    bool leaves = run->test_only || run->no_confirm || run->config.permanent;

    if (run->check != NULL && leaves) {
        return cli_usage(run->cli, "--check stands between test and confirm: it goes with neither "
                                   "--confirm always or never, --no-confirm nor --test-only");
    }
    if (run->config.permanent && run->no_confirm) {
        return cli_usage(run->cli, "--confirm always and --no-confirm exclude each other");
    }
    return CLI_OK;
}

static int take_options(struct update_run *run, int argc, char **argv)
{
    int option;
    int code;
    optind = 0;
    while ((option = cli_getopt(run->cli, argc, argv, "k:n:uw:", update_options)) != -1) {
        switch (option) {
        case 'u':
        case OPTION_NO_DOWNGRADE:
            run->config.no_downgrade = true;
            break;
        case OPTION_TEST_ONLY:
            run->test_only = true;
            break;
        case OPTION_NO_CONFIRM:
            run->no_confirm = true;
            break;
        case OPTION_RECOVERY:
            run->config.recovery = true;
            break;
        case OPTION_FORCE:
            run->config.force_reset = true;
            break;
        case OPTION_DRY_RUN:
            run->dry_run = true;
            break;
        case OPTION_ERASE_PENDING:
            run->config.erase_pending = true;
            break;
        case OPTION_NO_CHECKS:
            run->no_checks = true;
            break;
        default:
            code = take_value(run, option);
            if (code != CLI_OK) {
                return code;
            }
        }
    }
    code = check_options(run);
    return code == CLI_OK ? update_take_files(run, argc, argv) : code;
}

/* What could not be said before the device was asked; then all of it. */
static int run_connected(struct update_run *run)
{
    int code = update_unlock(run, FERRY_UPDATE_MODE);
    for (size_t i = 0; i < run->count && code == CLI_OK; i++) {
        code = update_choose(run, &run->items[i]);
    }
    for (size_t i = 0; i < run->count && code == CLI_OK; i++) {
        update_tell(run, &run->items[i]);
    }
    return code == CLI_OK ? update_run_all(run) : code;
}

/* A shell's loop ends only if a program that was interrupted says so. */
static int die_of(int code)
{
    if (code == 128 + update_signal()) {
        fflush(NULL);
        signal(update_signal(), SIG_DFL);
        raise(update_signal());
    }
    return code;
}

static int run_update(struct cli *cli, int argc, char **argv)
{
    static struct update_run run;
    run = (struct update_run){.cli = cli, .check_timeout = 60, .check_status = CHECK_NOT_RUN};
    int code = take_options(&run, argc, argv);
    run.unlock.key_path = cli->unlock_path;
    bool unlocks = code == CLI_OK && run.unlock.key_path != NULL;
    if (unlocks) {
        code = unlock_load(cli, &run.unlock);
        unlocks = code == CLI_OK;
    }
    for (size_t i = 0; i < run.count && code == CLI_OK; i++) {
        code = update_check(&run, &run.items[i]);
    }
    if (code == CLI_OK) {
        progress_init(&run.progress, "upload", cli->json);
        update_catch_signals();
        code = session_connect(cli, &run.session);
        if (code == CLI_OK) {
            code = run_connected(&run);
            session_close(&run.session);
        }
    }
    for (size_t i = 0; i < run.count; i++) {
        image_file_free(&run.items[i].file);
        image_file_free(&run.items[i].build[0]);
        image_file_free(&run.items[i].build[1]);
    }
    if (unlocks) {
        key_free(&run.unlock.key);
    }
    return code == CLI_OK ? code : die_of(code);
}

const struct cli_command cli_update_commands[] = {
    {"update", "FILE ...", "check, upload, test, reset, wait, compare, confirm, read back",
     "  FILE is a signed image (binary or Intel HEX) or a bundle (dfu_application.zip)\n"
     "  of a bootloader for an immutable first stage give both builds: the right one is sent\n"
     "  several images, as N=FILE ..., are asked for together, and started by one reset\n"
     "  -k, --key KEY        check the signature before anything is sent\n"
     "  -n, --image N        number of the image (default 0)\n"
     "  -u, --no-downgrade   refuse a version that is not newer; also --upgrade\n"
     "      --confirm WHEN   ok: after a test that it passed (default); always: for good at once,\n"
     "                       without a test; never: leave it on trial\n"
     "      --check COMMAND  run it by the shell between test and confirm: unless it exits with 0\n"
     "                       the device goes back; it has FERRY_DEVICE, _HASH and _VERSION\n"
     "      --check-timeout S  end the command after S seconds (default 60)\n"
     "      --dry-run        say what would be done, and change nothing; also --plan\n"
     "      --erase-pending  erase another image that waits in the slot for a reset\n"
     "      --test-only      upload and mark for a test; do not reset\n"
     "      --no-confirm     as --confirm never: the next reset takes it back\n"
     "      --no-checks      leave key, counter and needs of the image to the bootloader\n"
     "      --force          reset though the application says it is busy\n"
     "      --recovery       take the way through the bootloader's recovery\n"
     "  -w, --window N       at most N chunks in flight; else what the device's buffers take\n",
     run_update},
    {0},
};
