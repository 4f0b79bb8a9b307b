/* SPDX-License-Identifier: Apache-2.0 */
/* ferry image upload */
#include "cli/device/image_there.h"
#include "cli/device/progress.h"
#include "cli/device/speed.h"
#include "cli/image/compressed.h"

#include "ferry/upload.h"

#include <string.h>

static int read_file(void *context, uint32_t off, uint8_t *buf, size_t len)
{
    const struct image_file *file = context;
    memcpy(buf, file->bytes.data + off, len);
    return FERRY_OK;
}

static int upload_failed(struct session *session, const struct ferry_upload_event *event)
{
    struct ferry_client_answer answer = {.error = event->error, .status = event->status};
    if (event->error == FERRY_E_REFUSED) {
        return session_fail(session, "upload", &answer);
    }
    int code = event->error == FERRY_E_MISMATCH ? CLI_VERIFY
               : event->error == FERRY_E_RANGE  ? CLI_REFUSED
                                                : CLI_NO_ANSWER;
    return cli_fail_why(session->cli, code, event->text, event->remedy,
                        "the upload stopped at %u of %u bytes", (unsigned)event->acked,
                        (unsigned)event->total);
}

/* resumed_at: the offset at which it went on, 0 = from the beginning. */
static void upload_done(const struct session *session, const struct image_file *file,
                        const struct ferry_upload *flow, const struct ferry_upload_event *event,
                        uint32_t resumed_at)
{
    char hash[2 * FERRY_IMAGE_DIGEST_MAX + 1];
    char version[FERRY_VERSION_TEXT_MAX];
    cli_hex(file->info.digest, file->info.digest_len, hash);
    ferry_version_text(&file->info.header.version, version);
    if (session->cli->json) {
        cJSON *object = cJSON_CreateObject();
        cJSON_AddNumberToObject(object, "len", event->total);
        cJSON_AddStringToObject(object, "version", version);
        cJSON_AddStringToObject(object, "hash", hash);
        cJSON_AddBoolToObject(object, "resumed", event->resumed);
        speed_add(object, flow);
        cli_print_json(object);
        return;
    }
    if (resumed_at > 0) {
        printf("resumed: at %u of %u bytes\n", (unsigned)resumed_at, (unsigned)event->total);
    }
    if (file->info.digest_len == 0) { /* --force: what it is the device may know */
        printf("uploaded: %u bytes\n", (unsigned)event->total);
        return;
    }
    printf("uploaded: version %s\nhash: %s\n"
           "next: ferry image test %.12s, then ferry reset; in a bootloader's recovery ferry reset "
           "alone\n",
           version, hash, hash);
}

/* Bytes of the slot it goes to, all of which may be erased; 0 where the device does not say. */
static uint32_t slot_size(struct session *session, uint32_t image)
{
    struct ferry_client_answer answer;
    struct ferry_slot_info slot;
    int32_t ticket = ferry_command_slot_info(session->client, NULL);
    bool known = session_ask(session, ticket, &answer) == FERRY_OK &&
                 ferry_answer_slot_target(answer.payload, image, &slot) == 1;

    return known ? slot.size : 0;
}

/* What is known of the device. */
static void configure(struct session *session, struct ferry_upload_config *config)
{
    struct ferry_connection_facts facts;

    ferry_connection_facts(session->connection, &facts);
    config->client = session->client;
    config->window = facts.window;
    config->probe = !facts.has_params;
    config->link = facts.link;
    config->slot_size = slot_size(session, config->image);
}

/* An upload on its way. */
struct upload_run {
    struct session *session;
    struct image_file *file;
    struct ferry_upload flow;
    struct progress progress;
    uint32_t resumed_at; /* the offset at which it went on, 0 = from the beginning */
};

static void show_progress(struct upload_run *run, const struct ferry_upload_event *event)
{
    if (run->resumed_at == 0 && event->resumed && event->acked > 0) {
        run->resumed_at = event->acked;
        progress_resume(&run->progress, event->acked, event->total);
    }
    progress_show(&run->progress, event->acked, event->total);
}

/* Tell the end. Returns an exit code. */
static int end(struct upload_run *run, const struct ferry_upload_event *event)
{
    progress_close(&run->progress, event->acked, event->total);
    if (event->kind == FERRY_UPLOAD_FAILED) {
        return upload_failed(run->session, event);
    }
    speed_tell(run->session, &run->flow);
    upload_done(run->session, run->file, &run->flow, event, run->resumed_at);
    return CLI_OK;
}

/* Handle all events that are due. Returns an exit code at the end, or below 0 to go on. */
static int handle_events(struct upload_run *run)
{
    struct ferry_upload_event event;

    while (ferry_upload_next(&run->flow, ferry_connection_now(), &event)) {
        switch (event.kind) {
        case FERRY_UPLOAD_WARNING:
            fprintf(stderr, "ferry: %s\n  next: %s\n", event.text, event.remedy);
            break;
        case FERRY_UPLOAD_PROGRESS:
            show_progress(run, &event);
            break;
        case FERRY_UPLOAD_DONE:
        case FERRY_UPLOAD_FAILED:
            return end(run, &event);
        }
    }
    return -1;
}

/* Run the flow to its end. */
static int upload(struct session *session, struct image_file *file,
                  const struct ferry_upload_config *config)
{
    struct upload_run run = {.session = session, .file = file};

    progress_init(&run.progress, "upload", session->cli->json);
    int error = ferry_upload_start(&run.flow, config);
    if (error != FERRY_OK) {
        return cli_fail_error(session->cli, CLI_USAGE, error, "cannot upload");
    }
    run.progress.erase_ms = run.flow.config.first_timeout_ms;
    for (;;) {
        struct ferry_client_answer answer;
        int code = handle_events(&run);
        if (code >= 0) {
            return code;
        }
        uint64_t due = ferry_upload_deadline(&run.flow);
        uint64_t soon = ferry_connection_now() + PROGRESS_LOOK_MS;
        int got = session_step(session, due < soon ? due : soon, &answer);
        progress_silence(&run.progress, session->heard_ms);
        if (got < 0 && !session_hold_on(session)) {
            return session_gone(session, "upload");
        }
        if (got == 1) {
            (void)ferry_upload_answer(&run.flow, &answer, ferry_connection_now());
        }
    }
}

/* An image that the bootloader would refuse is not sent. An encrypted one only the device can look
 * into. Returns an exit code. */
static int check_file(const struct cli *cli, const char *path, struct image_file *file)
{
    struct compressed inner = {0};
    int error = image_file_verify(file, NULL);
    if (error == FERRY_E_SECRET) {
        return CLI_OK;
    }
    if (error != FERRY_OK) {
        return cli_fail_why(cli, CLI_VERIFY, ferry_error_text(error),
                            "take a good copy of the file; or send it all the same: --force",
                            "%s does not verify; nothing was sent", path);
    }
    int code = compressed_check(cli, path, file, NULL, &inner);
    compressed_free(&inner);
    return code;
}

/* Read the file; with force whatever it is. Returns an exit code. */
static int take_file(const struct cli *cli, const char *path, bool force, struct image_file *file)
{
    int error;
    if (force) {
        return image_file_look(cli, path, &firmware_image, 0, file, &error);
    }
    int code = image_file_read(cli, path, file);
    if (code == CLI_OK) {
        code = check_file(cli, path, file);
        if (code != CLI_OK) {
            image_file_free(file);
        }
    }
    return code;
}

/* What the command line asks for. */
struct upload_options {
    uint32_t image;
    uint32_t window; /* chunks in flight at most */
    bool upgrade;
    bool force;
};

/* Returns an exit code; optind is the file then. */
static int take_options(struct cli *cli, int argc, char **argv, struct upload_options *options)
{
    static const struct option own[] = {{"image", required_argument, NULL, 'n'},
                                        {"upgrade", no_argument, NULL, 'u'},
                                        {"no-downgrade", no_argument, NULL, 'u'},
                                        {"upgrade-only", no_argument, NULL, 'u'},
                                        {"window", required_argument, NULL, 'w'},
                                        {"maxwinsize", required_argument, NULL, 'w'},
                                        {"noerase", no_argument, NULL, 'e'},
                                        {"force", no_argument, NULL, 'f'},
                                        {0}};
    int option;

    optind = 0;
    while ((option = cli_getopt(cli, argc, argv, "n:uew:", own)) != -1) {
        if (option == '?') {
            return CLI_USAGE;
        }
        if (option == 'n' && cli_number(optarg, 255, &options->image) != FERRY_OK) {
            return cli_usage(cli, "--image takes a number: 0, 1, …");
        }
        if (option == 'w' &&
            (cli_number(optarg, FERRY_UPLOAD_WINDOW_MAX, &options->window) != FERRY_OK ||
             options->window == 0)) {
            return cli_usage(cli, "--window takes a number from 1 to 8");
        }
        options->upgrade = options->upgrade || option == 'u';
        options->force = options->force || option == 'f';
    }
    return argc - optind == 1 ? CLI_OK : cli_usage(cli, "upload needs one FILE");
}

/* Send a file to the open device. Returns an exit code. */
static int send_file(struct session *session, struct image_file *file,
                     const struct upload_options *options)
{
    uint8_t sha[FERRY_SHA256_SIZE];
    struct ferry_upload_config config = {
        .read = read_file,
        .context = file,
        .size = (uint32_t)file->bytes.len,
        .sha = sha,
        .hash = file->info.digest_len > 0 ? file->info.digest : NULL,
        .hash_len = file->info.digest_len,
        .image = options->image,
        .upgrade = options->upgrade,
    };

    image_file_sha256(file, sha);
    configure(session, &config);
    config.window = ferry_min32(config.window, options->window);
    int code = image_there(session, config.image);
    return code == CLI_OK ? upload(session, file, &config) : code;
}

static int run_upload(struct cli *cli, int argc, char **argv)
{
    struct upload_options options = {.window = FERRY_UPLOAD_WINDOW_MAX};
    struct image_file file;
    struct session session;
    int code = take_options(cli, argc, argv, &options);

    if (code != CLI_OK) {
        return code;
    }
    const char *path = argv[optind];
    code = take_file(cli, path, options.force, &file);
    if (code != CLI_OK) {
        return code;
    }
    compressed_warn(path, &file);
    code = session_open(cli, &session);
    if (code == CLI_OK) {
        code = send_file(&session, &file, &options);
        session_close(&session);
    }
    image_file_free(&file);
    return code;
}

const struct cli_command cli_upload_commands[] = {
    {"image upload", "FILE", "send an image to the slot that is not running",
     "  -n, --image N        number of the image (default 0)\n"
     "  -u, --no-downgrade   the device is to refuse a version that is not newer\n"
     "  -e, --noerase        mcumgr's option, which changes nothing: no command erases first\n"
     "  -w, --window N       packets on the way at most, 1 to 8 (default: what the device takes)\n"
     "      --force          send the file whatever it is, and though its digest is wrong\n",
     run_upload},
    {0},
};
