/* SPDX-License-Identifier: Apache-2.0 */
/* ferry update: the whole update, with proof. */
#include "update_fail.h"
#include "update_run.h"

#include <stdlib.h>
#include <string.h>
#include <time.h>

static int read_file(void *context, uint32_t off, uint8_t *buf, size_t len)
{
    const struct image_file *file = context;
    memcpy(buf, file->bytes.data + off, len);
    return FERRY_OK;
}

/* ---- The end ---------------------------------------------------------------------------- */

/* A flow is through; what is said waits until all are. */
static int done(struct update_run *run, const struct ferry_update_event *event)
{
    struct update_item *item = run->item;
    item->proved = event->proof != NULL;
    if (event->proof != NULL) {
        item->proof = *event->proof;
    }
    item->worked = item->worked || !event->already;
    return CLI_OK;
}

static cJSON *item_as_json(const struct update_run *run, const struct update_item *item)
{
    const struct ferry_image_state *proof = &item->proof;
    char hash[2 * FERRY_STATE_HASH_MAX + 1] = "";
    cJSON *object = cJSON_CreateObject();
    if (item->proved) {
        cli_hex(proof->hash, proof->hash_len, hash);
    }
    if (run->count > 1) {
        cJSON_AddNumberToObject(object, "image", item->image);
    }
    cJSON_AddStringToObject(object, "version", item->proved ? proof->version : "");
    cJSON_AddStringToObject(object, "hash", hash);
    cJSON_AddBoolToObject(object, "already", !item->worked);
    cJSON_AddBoolToObject(object, "active", item->proved && proof->active);
    cJSON_AddBoolToObject(object, "confirmed", item->proved && proof->confirmed);
    cJSON_AddBoolToObject(object, "pending", item->proved && proof->pending);
    cJSON_AddBoolToObject(object, "recovery", run->told_recovery);
    return object;
}

static void print_json(const struct update_run *run)
{
    if (run->count == 1) {
        cli_print_json(item_as_json(run, &run->items[0]));
        return;
    }
    cJSON *object = cJSON_CreateObject();
    cJSON *images = cJSON_AddArrayToObject(object, "images");
    for (size_t i = 0; i < run->count; i++) {
        cJSON_AddItemToArray(images, item_as_json(run, &run->items[i]));
    }
    cli_print_json(object);
}

static void print_human(const struct update_run *run, const struct update_item *item)
{
    const struct ferry_image_state *proof = &item->proof;
    char name[16];
    update_name(run, item, name);
    if (!item->proved) {
        printf("%sdone\n", name);
        return;
    }
    printf("%s%s: version %s %s\n", name, item->worked ? "done" : "already done, nothing sent",
           proof->version,
           !proof->active     ? "is pending: it starts at the next reset"
           : proof->confirmed ? "runs and is confirmed"
                              : "runs UNCONFIRMED: it is taken back when its trial ends");
}

static void print_end(const struct update_run *run)
{
    if (run->cli->json) {
        print_json(run);
        return;
    }
    for (size_t i = 0; i < run->count; i++) {
        print_human(run, &run->items[i]);
    }
}

/* The bootloader may know why, and say it better than can be guessed here. */
static int failed(struct update_run *run, const struct ferry_update_event *event)
{
    struct ferry_client_answer answer;
    struct ferry_why why;
    bool knows = update_fail_asks(event) &&
                 why_ask(&run->session, run->config.image, &why, &answer) == FERRY_OK;
    const struct update_failure failure = {.session = &run->session,
                                           .event = event,
                                           .version = &run->item->file.info.header.version,
                                           .size = run->config.size,
                                           .why = knows ? &why : NULL};

    return update_fail(&failure);
}

/* ---- The way there ------------------------------------------------------------------------ */

/* A port that disappears with the reset comes back later, perhaps only after the swap. */
static void reconnect(struct update_run *run, uint32_t wait_ms)
{
    uint64_t end = ferry_connection_now() + wait_ms;
    const struct timespec pause = {.tv_nsec = 200000000};
    while (session_reopen(&run->session) != FERRY_OK) {
        if (ferry_connection_now() >= end) {
            ferry_update_stop(&run->flow, FERRY_E_IO);
            return;
        }
        nanosleep(&pause, NULL);
    }
    ferry_update_reconnected(&run->flow, ferry_connection_now());
}

static void tell_step(struct update_run *run, const struct ferry_update_event *event)
{
    if (run->progress.begun && event->step != FERRY_UPDATE_UPLOAD) {
        progress_end(&run->progress, run->acked, run->config.size);
        run->progress.begun = false;
    }
    if (!run->cli->json) {
        fprintf(stderr, "%-8s %s\n", ferry_update_step_name(event->step), event->text);
    }
}

/* Once: whose server answers. */
static void tell_recovery(struct update_run *run, const struct ferry_update_event *event)
{
    if (event->recovery && !run->told_recovery) {
        run->told_recovery = true;
        fputs("you are talking to the BOOTLOADER: Ferry's recovery\n", stderr);
    }
}

/* What a step needs unlocked, where --unlock says with what; a reset locks again. Returns an exit
 * code. */
static int unlock_for(struct update_run *run, enum ferry_update_step step)
{
    bool needed = step == FERRY_UPDATE_MODE || step == FERRY_UPDATE_ENTER ||
                  step == FERRY_UPDATE_UPLOAD || step == FERRY_UPDATE_TEST ||
                  step == FERRY_UPDATE_RESET || step == FERRY_UPDATE_CONFIRM;
    struct unlock *unlock = &run->unlock;

    if (unlock->key_path == NULL || !needed) {
        return CLI_OK;
    }
    /* The way into recovery, which has no gate, is asked for the most. */
    unlock->level = step == FERRY_UPDATE_ENTER ? FERRY_ACCESS_SERVICE : FERRY_ACCESS_UPDATE;
    return unlock_renew(&run->session, unlock);
}

/* Handle all events that are due. Returns an exit code at the end, or below 0 to go on. */
static int handle_events(struct update_run *run)
{
    struct ferry_update_event event;
    int code;
    while (ferry_update_next(&run->flow, ferry_connection_now(), &event)) {
        tell_recovery(run, &event);
        switch (event.kind) {
        case FERRY_UPDATE_STEP:
            tell_step(run, &event);
            code = unlock_for(run, event.step);
            if (code != CLI_OK) {
                return code;
            }
            break;
        case FERRY_UPDATE_PROGRESS:
            run->acked = event.acked;
            progress_show(&run->progress, event.acked, event.total);
            break;
        case FERRY_UPDATE_WARNING:
            fprintf(stderr, "ferry: %s\n  next: %s\n", event.text, event.remedy);
            break;
        case FERRY_UPDATE_RECONNECT:
            reconnect(run, event.wait_ms);
            break;
        case FERRY_UPDATE_DONE:
            return done(run, &event);
        case FERRY_UPDATE_FAILED:
            progress_end(&run->progress, run->acked, run->config.size);
            return failed(run, &event);
        }
    }
    return -1;
}

/* Between reset and return a broken wire is nothing unusual: open it again. */
static bool may_break(const struct update_run *run)
{
    return (run->flow.step >= FERRY_UPDATE_RESET && run->flow.step <= FERRY_UPDATE_RETURN) ||
           run->flow.step == FERRY_UPDATE_ENTER;
}

static int run_flow(struct update_run *run)
{
    int error = ferry_update_start(&run->flow, &run->config);
    if (error != FERRY_OK) {
        return cli_fail_error(run->cli, CLI_USAGE, error, "cannot update with %s", run->item->path);
    }
    for (;;) {
        struct ferry_client_answer answer;
        int code = handle_events(run);
        if (code >= 0) {
            return code;
        }
        int got = session_step(&run->session, ferry_update_deadline(&run->flow), &answer);
        if (got == 1) {
            (void)ferry_update_answer(&run->flow, &answer, ferry_connection_now());
        } else if (got < 0 && may_break(run)) {
            reconnect(run, 30000);
        } else if (got < 0 && !session_hold_on(&run->session)) {
            ferry_update_stop(&run->flow, FERRY_E_IO);
        }
    }
}

/* ---- One image after the other ------------------------------------------------------------ */

/* A flow with one image; its switches are set by the caller. */
static int run_item(struct update_run *run, struct update_item *item)
{
    struct ferry_update_config *config = &run->config;
    run->item = item;
    run->acked = 0;
    run->progress.begun = false;
    config->client = run->session.client;
    config->link = session_link(&run->session);
    config->read = read_file;
    config->context = &item->file;
    config->size = (uint32_t)item->file.bytes.len;
    config->sha = item->sha;
    config->hash = item->file.info.digest;
    config->version = &item->file.info.header.version;
    config->hash_len = item->file.info.digest_len;
    config->image = item->image;
    config->is_part = run->count > 1;
    if (run->count > 1 && !run->cli->json) {
        fprintf(stderr, "image %u\n", (unsigned)item->image);
    }
    return run_flow(run);
}

/* The first image that waits for a reset, or NULL. */
static struct update_item *find_pending(struct update_run *run)
{
    for (size_t i = 0; i < run->count; i++) {
        if (run->items[i].proved && !run->items[i].proof.active) {
            return &run->items[i];
        }
    }
    return NULL;
}

/* A flow with each image but one. */
static int run_others(struct update_run *run, const struct update_item *one)
{
    int code = CLI_OK;
    for (size_t i = 0; i < run->count && code == CLI_OK; i++) {
        if (&run->items[i] != one) {
            code = run_item(run, &run->items[i]);
        }
    }
    return code;
}

/* Ask for each, the highest number first: an nRF5340 whose application is asked for before its
 * network core skips that. [bundle-format.md §4] */
static int request_all(struct update_run *run)
{
    int code = CLI_OK;
    run->config.test_only = true;
    for (size_t i = run->count; i > 0 && code == CLI_OK; i--) {
        code = run_item(run, &run->items[i - 1]);
    }
    return code;
}

/* All are asked for before the one reset, and run before the first is confirmed. The one with the
 * lowest number is confirmed first: where they are a set, it confirms all. */
static int run_several(struct update_run *run)
{
    struct update_item *waiting;
    int code = request_all(run);
    if (code != CLI_OK || run->test_only) {
        return code;
    }
    run->config.test_only = false;
    run->config.no_confirm = true;
    waiting = find_pending(run);
    code = waiting != NULL ? run_item(run, waiting) : CLI_OK;
    run->config.only_prove = true;
    if (code == CLI_OK) {
        code = run_others(run, waiting);
    }
    run->config.no_confirm = false;
    return code != CLI_OK || run->no_confirm ? code : run_others(run, NULL);
}

static int run_all(struct update_run *run)
{
    run->config.test_only = run->test_only;
    run->config.no_confirm = run->no_confirm;
    int code = run->count == 1 ? run_item(run, &run->items[0]) : run_several(run);
    if (code == CLI_OK) {
        print_end(run);
    }
    return code;
}

/* ---- Command line -------------------------------------------------------------------------- */

enum {
    OPTION_NO_DOWNGRADE = 0x100,
    OPTION_TEST_ONLY,
    OPTION_NO_CONFIRM,
    OPTION_FORCE,
    OPTION_RECOVERY,
    OPTION_UNLOCK
};

static const struct option update_options[] = {
    {"key", required_argument, NULL, 'k'},
    {"image", required_argument, NULL, 'n'},
    {"no-downgrade", no_argument, NULL, OPTION_NO_DOWNGRADE},
    {"test-only", no_argument, NULL, OPTION_TEST_ONLY},
    {"no-confirm", no_argument, NULL, OPTION_NO_CONFIRM},
    {"force", no_argument, NULL, OPTION_FORCE},
    {"recovery", no_argument, NULL, OPTION_RECOVERY},
    {"unlock", required_argument, NULL, OPTION_UNLOCK},
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

static int take_files(struct update_run *run, int argc, char **argv)
{
    int count = argc - optind;
    bool good = count >= 1 && count <= ITEMS_MAX;
    run->of_bundle = count == 1 && update_is_bundle(argv[optind]);
    if (run->of_bundle) {
        return update_take_bundle(run, argv[optind]);
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
        return cli_usage(run->cli, "update needs one FILE, a bootloader's two, or up to 4 images, "
                                   "each once, as N=FILE");
    }
    qsort(run->items, run->count, sizeof run->items[0], by_number);
    return CLI_OK;
}

static int take_options(struct update_run *run, int argc, char **argv)
{
    int option;
    optind = 0;
    while ((option = cli_getopt(run->cli, argc, argv, "k:n:", update_options)) != -1) {
        switch (option) {
        case 'k':
            run->key_path = optarg;
            break;
        case 'n':
            if (cli_number(optarg, 255, &run->image) != FERRY_OK) {
                return cli_usage(run->cli, "--image takes a number: 0, 1, …");
            }
            break;
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
        case OPTION_UNLOCK:
            run->unlock.key_path = optarg;
            run->unlock.level = FERRY_ACCESS_UPDATE;
            break;
        case OPTION_FORCE:
            run->config.force_reset = true;
            break;
        default:
            return CLI_USAGE;
        }
    }
    return take_files(run, argc, argv);
}

/* What could not be said before the device was asked; then all of it. */
static int run_connected(struct update_run *run)
{
    int code = unlock_for(run, FERRY_UPDATE_MODE);
    for (size_t i = 0; i < run->count && code == CLI_OK; i++) {
        code = update_choose(run, &run->items[i]);
    }
    for (size_t i = 0; i < run->count && code == CLI_OK; i++) {
        update_tell(run, &run->items[i]);
    }
    return code == CLI_OK ? run_all(run) : code;
}

static int run_update(struct cli *cli, int argc, char **argv)
{
    static struct update_run run;
    run = (struct update_run){.cli = cli};
    int code = take_options(&run, argc, argv);
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
    return code;
}

const struct cli_command cli_update_commands[] = {
    {"update", "FILE ...", "check, upload, test, reset, wait, compare, confirm, read back",
     "  of a bootloader for an immutable first stage give both builds: the right one is sent\n"
     "  several images, as N=FILE ..., are asked for together, and started by one reset\n"
     "  a bundle (dfu_application.zip) is all of that in one FILE\n"
     "  -k, --key KEY        check the signature before anything is sent\n"
     "  -n, --image N        number of the image (default 0)\n"
     "      --no-downgrade   refuse a version that is not newer\n"
     "      --test-only      upload and mark for a test; do not reset\n"
     "      --no-confirm     leave it unconfirmed: the next reset takes it back\n"
     "      --force          reset though the application says it is busy\n"
     "      --recovery       take the way through the bootloader's recovery\n"
     "      --unlock KEY     unlock a locked device by this key, and again after its reset\n",
     run_update},
    {0},
};
