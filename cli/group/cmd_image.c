/* SPDX-License-Identifier: Apache-2.0 */
/* ferry image list, erase, slots */
#include "ask.h"
#include "image_list.h"

#include "ferry/group_image.h"

static int run_list(struct cli *cli, int argc, char **argv)
{
    struct session session;
    struct image_list list;
    int code = ask_words(cli, argc, argv, 0, 0);
    code = code == CLI_OK ? session_open(cli, &session) : code;
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

/* ---- erase, slots ------------------------------------------------------------------------ */

/* The words for the upload that this error is for as a rule would mislead here. */
static int kept(const struct cli *cli, int slot)
{
    char which[32] = "the slot";
    if (slot >= 0) {
        snprintf(which, sizeof which, "slot %d", slot);
    }
    return cli_fail_why(cli, CLI_REFUSED,
                        "what runs, waits for the next reset or is kept to go back to is not "
                        "erased (image NO_FREE_SLOT)",
                        "look which slot is free: ferry image list; what runs is replaced by ferry "
                        "update",
                        "the device does not erase %s", which);
}

/* slot: -1 = the one that is not running. */
static int erase(struct session *session, int slot)
{
    struct ferry_client_answer answer;
    int32_t ticket = ferry_command_image_erase(session->client, slot, 0, NULL);
    int error = session_ask(session, ticket, &answer);
    if (ticket < 0) {
        return cli_fail_error(session->cli, CLI_USAGE, ticket, "cannot erase the slot");
    }
    if (error == FERRY_E_REFUSED && answer.status.grouped &&
        answer.status.group == FERRY_SMP_GROUP_IMAGE &&
        answer.status.rc == FERRY_IMAGE_ERR_NO_FREE_SLOT) {
        return kept(session->cli, slot);
    }
    if (error == FERRY_E_IO) {
        return session_gone(session, "erase the slot");
    }
    return error == FERRY_OK ? ask_done(session->cli, "erased")
                             : session_fail(session, "erase the slot", &answer);
}

static int run_erase(struct cli *cli, int argc, char **argv)
{
    static const struct option own[] = {{"slot", required_argument, NULL, 's'}, {0}};
    struct session session;
    const char *word = NULL;
    uint32_t slot = 0;
    int option;

    optind = 0;
    while ((option = cli_getopt(cli, argc, argv, "s:", own)) != -1) {
        if (option == '?') {
            return CLI_USAGE;
        }
        word = optarg;
    }
    if (argc - optind > (word == NULL)) {
        return cli_usage(cli, "erase takes one SLOT at most");
    }
    word = optind < argc ? argv[optind] : word;
    if (word != NULL && cli_number(word, 255, &slot) != FERRY_OK) {
        return cli_usage(cli, "a slot is a number: 0, 1, …");
    }
    int code = session_open(cli, &session);
    if (code == CLI_OK) {
        code = erase(&session, word != NULL ? (int)slot : -1);
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

static int print_slots(const struct cli *cli, struct ferry_bytes payload, const void *context)
{
    (void)context;
    struct ferry_slot_info slots[IMAGE_LIST_MAX];
    int count = ferry_answer_slot_info(payload, slots, IMAGE_LIST_MAX);
    if (count < 0) {
        return ask_unreadable(cli, count);
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
    static const struct ask ask = {.what = "read the slots",
                                   .plain = ferry_command_slot_info,
                                   .print = print_slots,
                                   .json = print_slots};
    int code = ask_words(cli, argc, argv, 0, 0);
    return code == CLI_OK ? ask_device(cli, &ask, NULL) : code;
}

const struct cli_command cli_image_commands[] = {
    {"image list", "", "the images on the device and their state", "", run_list},
    {"image erase", "[SLOT]", "erase the slot that is not running, or SLOT",
     "  -s, --slot N         the same as SLOT: 2 * image + (0 primary, 1 secondary)\n", run_erase},
    {"image slots", "", "size of each slot, and the largest image", "", run_slots},
    {0},
};
