/* SPDX-License-Identifier: Apache-2.0 */
#include "image_list.h"

#include "ask.h"

#include <ctype.h>
#include <string.h>

int image_list_take(const struct session *session, const struct ferry_client_answer *answer,
                    struct image_list *list)
{
    list->bootloader = (struct session_bootloader){.mode = -1};
    int count = ferry_answer_image_list(answer->payload, list->states, IMAGE_LIST_MAX);
    if (count < 0) {
        return cli_fail_error(session->cli, CLI_NO_ANSWER, count,
                              "the list of images cannot be read");
    }
    list->count = (size_t)count < IMAGE_LIST_MAX ? (size_t)count : IMAGE_LIST_MAX;
    list->split = 0;
    list->has_split = ferry_answer_number(answer->payload, "splitStatus", &list->split) == FERRY_OK;
    return CLI_OK;
}

/* An application is itself an active image. */
static bool any_active(const struct image_list *list)
{
    for (size_t i = 0; i < list->count; i++) {
        if (list->states[i].active) {
            return true;
        }
    }
    return false;
}

int image_list_read(struct session *session, struct image_list *list)
{
    struct ferry_client_answer answer;
    int code = session_wait(session, ferry_command_image_list(session->client, NULL), "list images",
                            &answer);
    if (code == CLI_OK) {
        code = image_list_take(session, &answer, list);
    }
    if (code == CLI_OK && !any_active(list)) {
        session_find_bootloader(session, &list->bootloader);
    }
    return code;
}

static bool begins_with(const struct ferry_image_state *state, const char *prefix)
{
    char hex[2 * FERRY_STATE_HASH_MAX + 1];
    size_t len = strlen(prefix);
    cli_hex(state->hash, state->hash_len, hex);
    if (len > strlen(hex)) {
        return false;
    }
    for (size_t i = 0; i < len; i++) {
        if (tolower((unsigned char)prefix[i]) != hex[i]) {
            return false;
        }
    }
    return true;
}

int image_list_find(const struct session *session, const struct image_list *list,
                    const char *prefix, const struct ferry_image_state **found)
{
    *found = NULL;
    if (prefix[0] == '\0' || prefix[strspn(prefix, "0123456789abcdefABCDEF")] != '\0') {
        return cli_fail(session->cli, CLI_USAGE, "copy it from `ferry image list`",
                        "'%s' is no hash", prefix);
    }
    for (size_t i = 0; i < list->count; i++) {
        const struct ferry_image_state *state = &list->states[i];
        if (!begins_with(state, prefix)) {
            continue;
        }
        if (*found != NULL && (state->hash_len != (*found)->hash_len ||
                               memcmp(state->hash, (*found)->hash, state->hash_len) != 0)) {
            return cli_fail(session->cli, CLI_USAGE, "give more of its digits",
                            "the hash %s is not unique", prefix);
        }
        /* The same image in both slots: the one that is not running is meant. */
        *found = *found == NULL || (*found)->active ? state : *found;
    }
    if (*found == NULL) {
        return cli_fail(session->cli, CLI_USAGE, "see `ferry image list` for what it has",
                        "the device has no image with hash %s", prefix);
    }
    return CLI_OK;
}

/* Slots tell of all images; without them the list does of those that are there.
 * Returns 1 when the image is there, 0 when it is not, -1 when the device does not say. */
static int look_for_image(struct session *session, uint32_t image)
{
    struct ferry_client_answer answer;
    struct ferry_slot_info slots[IMAGE_LIST_MAX];
    struct ferry_image_state states[IMAGE_LIST_MAX];
    bool has_slots =
        session_ask(session, ferry_command_slot_info(session->client, NULL), &answer) == FERRY_OK;
    int count = has_slots ? ferry_answer_slot_info(answer.payload, slots, IMAGE_LIST_MAX) : -1;
    int said = count > 0 ? 0 : -1;

    for (int i = 0; i < count && i < IMAGE_LIST_MAX; i++) {
        said = slots[i].image == image ? 1 : said;
    }
    if (said >= 0) {
        return said;
    }
    count =
        session_ask(session, ferry_command_image_list(session->client, NULL), &answer) == FERRY_OK
            ? ferry_answer_image_list(answer.payload, states, IMAGE_LIST_MAX)
            : -1;
    said = count > 0 ? 0 : -1;
    for (int i = 0; i < count && i < IMAGE_LIST_MAX; i++) {
        said = states[i].image == image ? 1 : said;
    }
    return said;
}

int image_list_has(struct session *session, uint32_t image)
{
    if (image == 0 || look_for_image(session, image) != 0) {
        return CLI_OK;
    }
    return cli_fail(session->cli, CLI_REFUSED, "see `ferry image list` for what it has",
                    "the device has no image %u", (unsigned)image);
}

static void print_flags(const struct ferry_image_state *s)
{
    char flags[48];
    snprintf(flags, sizeof flags, "%s%s%s%s", s->active ? " active" : "",
             s->confirmed ? " confirmed" : "", s->pending ? " pending" : "",
             s->permanent ? " permanent" : "");
    printf("    flags: %s\n", flags[0] != '\0' ? flags + 1 : flags);
}

static const char *split_name(uint64_t split)
{
    return split == 0 ? "N/A" : split == 1 ? "non-matching" : split == 2 ? "matching" : "unknown";
}

static void print_human(const struct image_list *list)
{
    session_tell_bootloader(&list->bootloader);
    puts("Images:");
    for (size_t i = 0; i < list->count; i++) {
        const struct ferry_image_state *s = &list->states[i];
        char hash[2 * FERRY_STATE_HASH_MAX + 1];
        cli_hex(s->hash, s->hash_len, hash);
        printf(" image=%u slot=%u\n    version: %s\n    bootable: %s\n", (unsigned)s->image,
               (unsigned)s->slot, s->version, s->bootable ? "true" : "false");
        print_flags(s);
        printf("    hash: %s\n", s->hash_len > 0 ? hash : "Unavailable");
        if (list->bootloader.is_ferry && !s->bootable) {
            puts("    NOT BOOTABLE: it does not verify, or its flags say so");
        }
        if (s->active && !s->confirmed) {
            puts("    RUNNING BUT UNCONFIRMED: taken back when its trial ends, "
                 "unless you `ferry image confirm`");
        }
    }
    printf("Split status: %s (%u)\n", split_name(list->split), (unsigned)list->split);
}

void image_list_print(const struct cli *cli, const struct image_list *list)
{
    if (!cli->json) {
        print_human(list);
        return;
    }
    cJSON *object = cJSON_CreateObject();
    session_add_bootloader(object, &list->bootloader);
    cJSON *images = cJSON_AddArrayToObject(object, "images");
    for (size_t i = 0; i < list->count; i++) {
        const struct ferry_image_state *s = &list->states[i];
        char hash[2 * FERRY_STATE_HASH_MAX + 1];
        cJSON *row = cJSON_CreateObject();
        cli_hex(s->hash, s->hash_len, hash);
        cJSON_AddNumberToObject(row, "image", s->image);
        cJSON_AddNumberToObject(row, "slot", s->slot);
        cJSON_AddStringToObject(row, "version", s->version);
        cJSON_AddStringToObject(row, "hash", hash);
        cJSON_AddBoolToObject(row, "bootable", s->bootable);
        cJSON_AddBoolToObject(row, "pending", s->pending);
        cJSON_AddBoolToObject(row, "confirmed", s->confirmed);
        cJSON_AddBoolToObject(row, "active", s->active);
        cJSON_AddBoolToObject(row, "permanent", s->permanent);
        cJSON_AddItemToArray(images, row);
    }
    if (list->has_split) {
        ask_add_number(object, "splitStatus", list->split);
    }
    cli_print_json(object);
}
