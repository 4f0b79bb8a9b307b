/* SPDX-License-Identifier: Apache-2.0 */
/* ferry image list, upload, test, confirm, erase, slots */
#include "cli/image/compressed.h"
#include "image_list.h"
#include "cli/device/progress.h"

#include "ferry/upload.h"

#include <string.h>

/* Options of a command that has none of its own; at least and at most so many arguments. */
static int no_options(struct cli *cli, int argc, char **argv, int least, int most)
{
    static const struct option own[] = {{0}};
    optind = 0;
    if (cli_getopt(cli, argc, argv, "", own) != -1) {
        return CLI_USAGE;
    }
    int count = argc - optind;
    return count >= least && count <= most ? CLI_OK : cli_usage(cli, "wrong number of arguments");
}

static int run_list(struct cli *cli, int argc, char **argv)
{
    struct session session;
    struct image_list list;
    int code = no_options(cli, argc, argv, 0, 0);
    if (code != CLI_OK) {
        return code;
    }
    code = session_open(cli, &session);
    if (code != CLI_OK) {
        return code;
    }
    code = image_list_read(&session, &list);
    if (code == CLI_OK) {
        image_list_print(cli, &list);
    }
    session_close(&session);
    return code;
}

/* ---- test, confirm ---------------------------------------------------------------------- */

/* Test or confirm; hash NULL confirms what runs. */
static int set_state(struct session *session, const char *hash, bool confirm)
{
    const char *what = confirm ? "confirm the image" : "mark the image for a test";
    struct image_list list;
    struct ferry_client_answer answer;
    struct ferry_bytes wanted = {0};

    if (hash != NULL) {
        const struct ferry_image_state *found;
        int code = image_list_read(session, &list);
        code = code == CLI_OK ? image_list_find(session, &list, hash, &found) : code;
        if (code != CLI_OK) {
            return code;
        }
        wanted = (struct ferry_bytes){found->hash, found->hash_len};
    }
    int code = session_wait(
        session, ferry_command_image_state(session->client, wanted, confirm, NULL), what, &answer);
    code = code == CLI_OK ? image_list_take(session, &answer, &list) : code;
    if (code == CLI_OK) {
        image_list_print(session->cli, &list);
    }
    return code;
}

static int run_state(struct cli *cli, const char *hash, bool confirm)
{
    struct session session;
    int code = session_open(cli, &session);
    if (code == CLI_OK) {
        code = set_state(&session, hash, confirm);
        session_close(&session);
    }
    return code;
}

static int run_test(struct cli *cli, int argc, char **argv)
{
    int code = no_options(cli, argc, argv, 1, 1);
    return code == CLI_OK ? run_state(cli, argv[optind], false) : code;
}

static int run_confirm(struct cli *cli, int argc, char **argv)
{
    int code = no_options(cli, argc, argv, 0, 1);
    return code == CLI_OK ? run_state(cli, optind < argc ? argv[optind] : NULL, true) : code;
}

/* ---- erase, slots ------------------------------------------------------------------------ */

static int erase(struct session *session, int slot)
{
    struct ferry_client_answer answer;
    int code = session_wait(session, ferry_command_image_erase(session->client, slot, 0, NULL),
                            "erase the slot", &answer);
    if (code == CLI_OK && session->cli->json) {
        cJSON *object = cJSON_CreateObject();
        cJSON_AddBoolToObject(object, "erased", 1);
        cli_print_json(object);
    } else if (code == CLI_OK) {
        puts("erased");
    }
    return code;
}

static int run_erase(struct cli *cli, int argc, char **argv)
{
    static const struct option own[] = {{"slot", required_argument, NULL, 's'}, {0}};
    struct session session;
    uint32_t slot = 0;
    bool have_slot = false;
    int option;

    optind = 0;
    while ((option = cli_getopt(cli, argc, argv, "", own)) != -1) {
        if (option == '?') {
            return CLI_USAGE;
        }
        if (cli_number(optarg, 255, &slot) != FERRY_OK) {
            return cli_usage(cli, "--slot takes a number: 0, 1, …");
        }
        have_slot = true;
    }
    if (optind != argc) {
        return cli_usage(cli, "erase takes no argument; name the slot with --slot N");
    }
    int code = session_open(cli, &session);
    if (code == CLI_OK) {
        code = erase(&session, have_slot ? (int)slot : -1);
        session_close(&session);
    }
    return code;
}

static void add_slot(cJSON *list, const struct ferry_slot_info *slot)
{
    cJSON *row = cJSON_CreateObject();
    cJSON_AddNumberToObject(row, "image", slot->image);
    cJSON_AddNumberToObject(row, "slot", slot->slot);
    cJSON_AddNumberToObject(row, "size", slot->size);
    if (slot->error != 0) {
        cJSON_AddNumberToObject(row, "rc", slot->error);
    }
    if (slot->has_upload_id) {
        cJSON_AddNumberToObject(row, "upload_image_id", slot->upload_id);
    }
    if (slot->max_image_size != 0) {
        cJSON_AddNumberToObject(row, "max_image_size", slot->max_image_size);
    }
    cJSON_AddItemToArray(list, row);
}

static void print_slot(const struct ferry_slot_info *slot)
{
    if (slot->error != 0) {
        printf("image=%u slot=%u: cannot be read (%d)\n", (unsigned)slot->image,
               (unsigned)slot->slot, (int)slot->error);
        return;
    }
    printf("image=%u slot=%u: %u bytes", (unsigned)slot->image, (unsigned)slot->slot,
           (unsigned)slot->size);
    if (slot->max_image_size != 0) {
        printf(", largest image %u", (unsigned)slot->max_image_size);
    }
    if (slot->has_upload_id) {
        printf(", upload -n %u ends here", (unsigned)slot->upload_id);
    }
    puts("");
}

static int print_slots(const struct cli *cli, const struct ferry_client_answer *answer)
{
    struct ferry_slot_info slots[IMAGE_LIST_MAX];
    int count = ferry_answer_slot_info(answer->payload, slots, IMAGE_LIST_MAX);
    if (count < 0) {
        return cli_fail_error(cli, CLI_NO_ANSWER, count, "the answer cannot be read");
    }
    cJSON *object = cJSON_CreateObject();
    cJSON *list = cJSON_AddArrayToObject(object, "slots");
    for (int i = 0; i < count && i < IMAGE_LIST_MAX; i++) {
        add_slot(list, &slots[i]);
        if (!cli->json) {
            print_slot(&slots[i]);
        }
    }
    if (cli->json) {
        cli_print_json(object);
    } else {
        cJSON_Delete(object);
    }
    return CLI_OK;
}

static int run_slots(struct cli *cli, int argc, char **argv)
{
    struct session session;
    struct ferry_client_answer answer;
    int code = no_options(cli, argc, argv, 0, 0);
    if (code != CLI_OK) {
        return code;
    }
    code = session_open(cli, &session);
    if (code != CLI_OK) {
        return code;
    }
    code = session_wait(&session, ferry_command_slot_info(session.client, NULL), "read the slots",
                        &answer);
    code = code == CLI_OK ? print_slots(cli, &answer) : code;
    session_close(&session);
    return code;
}

/* ---- upload ------------------------------------------------------------------------------- */

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
    int code = event->error == FERRY_E_MISMATCH ? CLI_VERIFY : CLI_NO_ANSWER;
    return cli_fail_error(session->cli, code, event->error, "the upload stopped at %u of %u bytes",
                          (unsigned)event->acked, (unsigned)event->total);
}

/* resumed_at: the offset at which it went on, 0 = from the beginning. */
static void upload_done(const struct session *session, const struct image_file *file,
                        const struct ferry_upload_event *event, uint32_t resumed_at)
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
        cli_print_json(object);
        return;
    }
    if (resumed_at > 0) {
        printf("resumed: at %u of %u bytes\n", (unsigned)resumed_at, (unsigned)event->total);
    }
    printf("uploaded: version %s\nhash: %s\nnext: ferry image test %.12s, then ferry reset\n",
           version, hash, hash);
}

/* Run the flow to its end. */
static int upload(struct session *session, struct image_file *file,
                  const struct ferry_upload_config *config)
{
    struct ferry_upload flow;
    struct ferry_upload_event event = {.kind = FERRY_UPLOAD_PROGRESS};
    struct progress progress;
    uint32_t resumed_at = 0;

    progress_init(&progress, "upload", session->cli->json);
    int error = ferry_upload_start(&flow, config);
    if (error != FERRY_OK) {
        return cli_fail_error(session->cli, CLI_USAGE, error, "cannot upload");
    }
    for (;;) {
        struct ferry_client_answer answer;
        while (ferry_upload_next(&flow, ferry_connection_now(), &event)) {
            if (event.kind == FERRY_UPLOAD_WARNING) {
                fprintf(stderr, "ferry: %s\n  next: %s\n", event.text, event.remedy);
                continue;
            }
            if (event.kind == FERRY_UPLOAD_PROGRESS) {
                resumed_at = resumed_at == 0 && event.resumed ? event.acked : resumed_at;
                progress_show(&progress, event.acked, event.total);
                continue;
            }
            progress_end(&progress, event.acked, event.total);
            if (event.kind == FERRY_UPLOAD_FAILED) {
                return upload_failed(session, &event);
            }
            upload_done(session, file, &event, resumed_at);
            return CLI_OK;
        }
        int got = session_step(session, ferry_upload_deadline(&flow), &answer);
        if (got < 0) {
            return session_gone(session, "upload");
        }
        if (got == 1) {
            (void)ferry_upload_answer(&flow, &answer, ferry_connection_now());
        }
    }
}

static int run_upload(struct cli *cli, int argc, char **argv)
{
    static const struct option own[] = {{"image", required_argument, NULL, 'n'},
                                        {"upgrade", no_argument, NULL, 'u'},
                                        {"no-downgrade", no_argument, NULL, 'u'},
                                        {0}};
    struct ferry_upload_config config = {.read = read_file};
    uint8_t sha[FERRY_SHA256_SIZE];
    struct image_file file;
    struct session session;
    int option;

    optind = 0;
    while ((option = cli_getopt(cli, argc, argv, "n:u", own)) != -1) {
        if (option == '?') {
            return CLI_USAGE;
        }
        if (option == 'n' && cli_number(optarg, 255, &config.image) != FERRY_OK) {
            return cli_usage(cli, "--image takes a number: 0, 1, …");
        }
        config.upgrade = config.upgrade || option == 'u';
    }
    if (argc - optind != 1) {
        return cli_usage(cli, "upload needs one FILE");
    }
    int code = image_file_read(cli, argv[optind], &file);
    if (code != CLI_OK) {
        return code;
    }
    compressed_warn(argv[optind], &file);
    code = session_open(cli, &session);
    if (code == CLI_OK) {
        image_file_sha256(&file, sha);
        config.client = session.client;
        config.context = &file;
        config.size = (uint32_t)file.bytes.len;
        config.sha = sha;
        config.hash = file.info.digest;
        config.hash_len = file.info.digest_len;
        config.window = session.window;
        code = upload(&session, &file, &config);
        session_close(&session);
    }
    image_file_free(&file);
    return code;
}

const struct cli_command cli_image_commands[] = {
    {"image list", "", "the images on the device and their state", "", run_list},
    {"image upload", "FILE", "send an image to the slot that is not running",
     "  -n, --image N        number of the image (default 0)\n"
     "  -u, --no-downgrade   the device is to refuse a version that is not newer\n",
     run_upload},
    {"image test", "HASH", "start the image at the next reset; it reverts unless confirmed", "",
     run_test},
    {"image confirm", "[HASH]", "keep the running image (or install HASH for good)", "",
     run_confirm},
    {"image erase", "[--slot N]", "erase the slot that is not running",
     "      --slot N         slot 2 * image + (0 primary, 1 secondary)\n", run_erase},
    {"image slots", "", "size of each slot, and the largest image", "", run_slots},
    {0},
};
