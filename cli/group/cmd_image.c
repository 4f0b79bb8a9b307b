/* SPDX-License-Identifier: Apache-2.0 */
/* ferry image list, test, confirm, erase, slots */
#include "image_list.h"

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

const struct cli_command cli_image_commands[] = {
    {"image list", "", "the images on the device and their state", "", run_list},
    {"image test", "HASH", "start the image at the next reset; it reverts unless confirmed", "",
     run_test},
    {"image confirm", "[HASH]", "keep the running image (or install HASH for good)", "",
     run_confirm},
    {"image erase", "[--slot N]", "erase the slot that is not running",
     "      --slot N         slot 2 * image + (0 primary, 1 secondary)\n", run_erase},
    {"image slots", "", "size of each slot, and the largest image", "", run_slots},
    {0},
};
