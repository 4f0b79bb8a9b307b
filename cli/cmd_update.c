/* SPDX-License-Identifier: Apache-2.0 */
/* ferry update: the whole update, with proof. */
#include "b0.h"
#include "progress.h"
#include "session.h"
#include "why.h"

#include "ferry/update.h"

#include <string.h>
#include <time.h>

/* One run of the command. */
struct update_run {
    struct cli *cli;
    const char *path;
    const char *other_path; /* of a bootloader built for S0 and for S1; else NULL */
    const char *key_path;
    struct image_file file;
    uint8_t sha[FERRY_SHA256_SIZE];
    struct session session;
    struct ferry_update flow;
    struct ferry_update_config config;
    struct progress progress;
    uint32_t acked;
};

static int read_file(void *context, uint32_t off, uint8_t *buf, size_t len)
{
    const struct image_file *file = context;
    memcpy(buf, file->bytes.data + off, len);
    return FERRY_OK;
}

/* ---- Before the first byte ---------------------------------------------------------- */

static int check_file(struct update_run *run)
{
    struct key key = {0};
    int code = image_file_read(run->cli, run->path, &run->file);
    if (code != CLI_OK) {
        return code;
    }
    code = run->key_path != NULL ? key_load(run->cli, run->key_path, &key) : CLI_OK;
    if (code == CLI_OK) {
        int error = image_file_verify(&run->file, run->key_path != NULL ? &key : NULL);
        /* An encrypted image only the device can look into. */
        if (error != FERRY_OK && error != FERRY_E_SECRET) {
            code = cli_fail_error(run->cli, CLI_VERIFY, error, "%s does not verify", run->path);
        }
    }
    key_free(&key);
    if (code != CLI_OK) {
        image_file_free(&run->file);
    }
    return code;
}

/* ---- A bootloader for two slots -------------------------------------------------------- */

/* For which address a file is built. */
static int check_build(struct update_run *run, uint32_t *address)
{
    struct ferry_first_info info;
    int code = check_file(run);
    if (code != CLI_OK) {
        return code;
    }
    int error = b0_info_of(&run->file, &info);
    *address = info.address;
    image_file_free(&run->file);
    return error == FERRY_OK ? CLI_OK
                             : cli_fail(run->cli, CLI_VERIFY,
                                        "give one FILE, or sign both: ferry "
                                        "b0 sign",
                                        "%s is no bootloader for a first stage", run->path);
}

/* Two files: the one for S0, the lower address, becomes path, that for S1 other_path. */
static int check_pair(struct update_run *run)
{
    const char *given[2] = {run->path, run->other_path};
    uint32_t address[2] = {0, 0};
    for (int i = 0; i < 2; i++) {
        run->path = given[i];
        int code = check_build(run, &address[i]);
        if (code != CLI_OK) {
            return code;
        }
    }
    if (address[0] == address[1]) {
        return cli_fail(run->cli, CLI_VERIFY, "give the build for S0 and the one for S1",
                        "both files are built for address 0x%x", (unsigned)address[0]);
    }
    run->path = given[address[0] < address[1] ? 0 : 1];
    run->other_path = given[address[0] < address[1] ? 1 : 0];
    return CLI_OK;
}

/* The file for the slot that does not run. */
static int choose_file(struct update_run *run)
{
    uint32_t slot;
    int error = b0_ask_slot(&run->session, &slot);
    if (error == FERRY_E_TIMEOUT || error == FERRY_E_IO) {
        return session_silent(&run->session);
    }
    if (error != FERRY_OK) {
        return cli_fail(run->cli, CLI_REFUSED, "give the one FILE for the slot that does not run",
                        "the device does not say from which slot its bootloader runs");
    }
    run->path = slot == 0 ? run->other_path : run->path;
    if (!run->cli->json) {
        fprintf(stderr, "the bootloader runs from S%u: sending %s, built for S%u\n", (unsigned)slot,
                run->path, 1 - (unsigned)slot);
    }
    return check_file(run);
}

static void tell_file(const struct update_run *run)
{
    char version[FERRY_VERSION_TEXT_MAX];
    char hash[2 * FERRY_IMAGE_DIGEST_MAX + 1];
    if (run->cli->json) {
        return;
    }
    bool encrypted = run->file.payload == IMAGE_ENCRYPTED;
    const char *signature =
        run->key_path != NULL ? "good" : "left to the bootloader (-k KEY checks it here)";
    ferry_version_text(&run->file.info.header.version, version);
    cli_hex(run->file.info.digest, run->file.info.digest_len, hash);
    printf("%s: version %s, %zu bytes, digest %s, signature %s\nhash: %s\n", run->path, version,
           run->file.bytes.len, encrypted ? "of the plaintext, which is encrypted" : "good",
           encrypted ? "left to the bootloader" : signature, hash);
    fflush(stdout);
}

/* ---- The end ---------------------------------------------------------------------------- */

static int done(const struct update_run *run, const struct ferry_update_event *event)
{
    const struct ferry_image_state *proof = event->proof;
    char hash[2 * FERRY_STATE_HASH_MAX + 1] = "";
    if (proof != NULL) {
        cli_hex(proof->hash, proof->hash_len, hash);
    }
    if (run->cli->json) {
        cJSON *object = cJSON_CreateObject();
        cJSON_AddStringToObject(object, "version", proof != NULL ? proof->version : "");
        cJSON_AddStringToObject(object, "hash", hash);
        cJSON_AddBoolToObject(object, "already", event->already);
        cJSON_AddBoolToObject(object, "active", proof != NULL && proof->active);
        cJSON_AddBoolToObject(object, "confirmed", proof != NULL && proof->confirmed);
        cJSON_AddBoolToObject(object, "pending", proof != NULL && proof->pending);
        cli_print_json(object);
        return CLI_OK;
    }
    if (proof == NULL) {
        puts("done");
        return CLI_OK;
    }
    printf("%s: version %s %s\n", event->already ? "already done, nothing sent" : "done",
           proof->version,
           !proof->active     ? "is pending: it starts at the next reset"
           : proof->confirmed ? "runs and is confirmed"
                              : "runs UNCONFIRMED: it is taken back when its trial ends");
    return CLI_OK;
}

/* Whether a report is about this update. The image gone back to has another version. */
static bool is_about(const struct ferry_why *why, const struct update_run *run)
{
    return why->action == FERRY_BOOT_REVERTED ||
           (why->action == FERRY_BOOT_REFUSED &&
            (!why_has_version(&why->version) ||
             ferry_version_compare(&why->version, &run->file.info.header.version, true) == 0));
}

/* The old image runs: the bootloader may know why, and say it better than can be guessed here. */
static int taken_back(struct update_run *run, int code, const char *text, const char *remedy)
{
    struct ferry_client_answer answer;
    struct ferry_why report;
    struct why_words words;

    if (why_ask(&run->session, run->config.image, &report, &answer) != FERRY_OK ||
        !is_about(&report, run)) {
        return cli_fail(run->cli, code, remedy, "%s%s", code == CLI_REVERTED ? "REVERTED: " : "",
                        text);
    }
    /* In place the bootloader removes what it takes back: an empty slot is no refusal. */
    code = report.action == FERRY_BOOT_REVERTED ? CLI_REVERTED : CLI_VERIFY;
    why_in_words(&report, &words);
    return cli_fail_why(run->cli, code, words.why, words.next, "%s: %s",
                        code == CLI_REVERTED ? "REVERTED" : "the device runs the old image",
                        words.what);
}

static int failed(struct update_run *run, const struct ferry_update_event *event)
{
    const char *step = ferry_update_step_name(event->step);
    switch (event->error) {
    case FERRY_E_REFUSED: {
        struct ferry_client_answer answer = {.error = event->error, .status = event->status};
        return session_fail(&run->session, step, &answer);
    }
    case FERRY_E_TIMEOUT:
        if (event->step == FERRY_UPDATE_HELLO) {
            return session_silent(&run->session);
        }
        break;
    case FERRY_E_IO:
        return session_gone(&run->session, step);
    case FERRY_E_REVERTED:
        return taken_back(run, CLI_REVERTED, event->text, event->remedy);
    case FERRY_E_NO_IMAGE:
        return taken_back(run, CLI_VERIFY, event->text, event->remedy);
    case FERRY_E_DOWNGRADE:
    case FERRY_E_MISMATCH:
        return cli_fail(run->cli, CLI_VERIFY, event->remedy, "%s: %s", step, event->text);
    case FERRY_E_TOO_LARGE:
        return cli_fail(run->cli, CLI_VERIFY, event->remedy,
                        "the image is too large: %u bytes, the slot takes %u",
                        (unsigned)run->config.size, (unsigned)event->limit);
    case FERRY_E_STATE:
    case FERRY_E_UNSUPPORTED:
    case FERRY_E_VERSION:
        return cli_fail(run->cli, CLI_REFUSED, event->remedy, "%s: %s", step, event->text);
    default:
        break;
    }
    return cli_fail(run->cli, CLI_NO_ANSWER, event->remedy, "%s: %s", step,
                    event->text != NULL && event->text[0] != '\0' ? event->text
                                                                  : ferry_error_text(event->error));
}

/* ---- The way there ------------------------------------------------------------------------ */

/* A port that disappears with the reset comes back later, perhaps only after the swap. */
static void reconnect(struct update_run *run, uint32_t wait_ms)
{
    uint64_t end = ferry_posix_now_ms() + wait_ms;
    const struct timespec pause = {.tv_nsec = 200000000};
    while (session_reopen(&run->session) != FERRY_OK) {
        if (ferry_posix_now_ms() >= end) {
            ferry_update_stop(&run->flow, FERRY_E_IO);
            return;
        }
        nanosleep(&pause, NULL);
    }
    ferry_update_reconnected(&run->flow, ferry_posix_now_ms());
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

/* Handle all events that are due. Returns an exit code at the end, or below 0 to go on. */
static int handle_events(struct update_run *run)
{
    struct ferry_update_event event;
    while (ferry_update_next(&run->flow, ferry_posix_now_ms(), &event)) {
        switch (event.kind) {
        case FERRY_UPDATE_STEP:
            tell_step(run, &event);
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
    return run->flow.step >= FERRY_UPDATE_RESET && run->flow.step <= FERRY_UPDATE_RETURN;
}

static int run_flow(struct update_run *run)
{
    int error = ferry_update_start(&run->flow, &run->config);
    if (error != FERRY_OK) {
        return cli_fail_error(run->cli, CLI_USAGE, error, "cannot update with %s", run->path);
    }
    for (;;) {
        struct ferry_client_answer answer;
        int code = handle_events(run);
        if (code >= 0) {
            return code;
        }
        int got = session_step(&run->session, ferry_update_deadline(&run->flow), &answer);
        if (got == 1) {
            (void)ferry_update_answer(&run->flow, &answer, ferry_posix_now_ms());
        } else if (got < 0 && may_break(run)) {
            reconnect(run, 30000);
        } else if (got < 0) {
            ferry_update_stop(&run->flow, FERRY_E_IO);
        }
    }
}

enum { OPTION_NO_DOWNGRADE = 0x100, OPTION_TEST_ONLY, OPTION_NO_CONFIRM, OPTION_FORCE };

static const struct option update_options[] = {
    {"key", required_argument, NULL, 'k'},
    {"image", required_argument, NULL, 'n'},
    {"no-downgrade", no_argument, NULL, OPTION_NO_DOWNGRADE},
    {"test-only", no_argument, NULL, OPTION_TEST_ONLY},
    {"no-confirm", no_argument, NULL, OPTION_NO_CONFIRM},
    {"force", no_argument, NULL, OPTION_FORCE},
    {0},
};

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
            if (cli_number(optarg, 255, &run->config.image) != FERRY_OK) {
                return cli_usage(run->cli, "--image takes a number: 0, 1, …");
            }
            break;
        case OPTION_NO_DOWNGRADE:
            run->config.no_downgrade = true;
            break;
        case OPTION_TEST_ONLY:
            run->config.test_only = true;
            break;
        case OPTION_NO_CONFIRM:
            run->config.no_confirm = true;
            break;
        case OPTION_FORCE:
            run->config.force_reset = true;
            break;
        default:
            return CLI_USAGE;
        }
    }
    if (argc - optind != 1 && argc - optind != 2) {
        return cli_usage(run->cli, "update needs one FILE, or a bootloader's two");
    }
    run->path = argv[optind];
    run->other_path = argc - optind == 2 ? argv[optind + 1] : NULL;
    return CLI_OK;
}

static int send_file(struct update_run *run)
{
    tell_file(run);
    image_file_sha256(&run->file, run->sha);
    progress_init(&run->progress, "upload", run->cli->json);
    run->config.client = &run->session.client;
    run->config.link = session_link(&run->session);
    run->config.read = read_file;
    run->config.context = &run->file;
    run->config.size = (uint32_t)run->file.bytes.len;
    run->config.sha = run->sha;
    run->config.hash = run->file.info.digest;
    run->config.version = &run->file.info.header.version;
    run->config.hash_len = run->file.info.digest_len;
    return run_flow(run);
}

static int run_update(struct cli *cli, int argc, char **argv)
{
    static struct update_run run;
    run = (struct update_run){.cli = cli};
    int code = take_options(&run, argc, argv);
    if (code == CLI_OK) {
        code = run.other_path != NULL ? check_pair(&run) : check_file(&run);
    }
    if (code != CLI_OK) {
        return code;
    }
    code = session_connect(cli, &run.session);
    if (code == CLI_OK) {
        code = run.other_path != NULL ? choose_file(&run) : CLI_OK;
        if (code == CLI_OK) {
            code = send_file(&run);
        }
        session_close(&run.session);
    }
    image_file_free(&run.file);
    return code;
}

const struct cli_command cli_update_commands[] = {
    {"update", "FILE [FILE]", "check, upload, test, reset, wait, compare, confirm, read back",
     "  of a bootloader for an immutable first stage give both builds: the right one is sent\n"
     "  -k, --key KEY        check the signature before anything is sent\n"
     "  -n, --image N        number of the image (default 0)\n"
     "      --no-downgrade   refuse a version that is not newer\n"
     "      --test-only      upload and mark for a test; do not reset\n"
     "      --no-confirm     leave it unconfirmed: the next reset takes it back\n"
     "      --force          reset though the application says it is busy\n",
     run_update},
    {0},
};
