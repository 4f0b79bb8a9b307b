/* SPDX-License-Identifier: Apache-2.0 */
/* Group os: information about the system, by letters. [smp.md §3.0] */
#include "ferry/group_os.h"

#include <string.h>

/* Longest answer, bytes; more is FERRY_RC_MESSAGE_SIZE as in Zephyr. */
#define INFO_MAX 256

/* The letters in the order of the answer; a product's own stand behind them. */
static const char letters[] = "snrvbmpio";

#define LETTERS (sizeof(letters) - 1)

/* The letter at a place of the answer; NUL behind the last. Places are asked one by one. */
static char letter_at(const struct ferry_os_group_config *config, size_t place)
{
    if (place < LETTERS) {
        return letters[place];
    }
    return config->info_letters != NULL ? config->info_letters[place - LETTERS] : '\0';
}

/* Whether a format may have this letter. */
static bool is_known(const struct ferry_os_group_config *config, char letter)
{
    char known;

    for (size_t i = 0; (known = letter_at(config, i)) != '\0'; i++) {
        if (known == letter) {
            return config->info(config->context, letter) != NULL;
        }
    }
    return letter == 'a';
}

/* Whether a format asks for this letter: itself, or by an "a". */
static bool is_wanted(struct ferry_bytes format, char letter)
{
    for (size_t i = 0; i < format.len; i++) {
        if (format.data[i] == (uint8_t)letter || format.data[i] == 'a') {
            return true;
        }
    }
    return false;
}

/* Append text, and a blank between two that are not empty. Returns the new length; above room when
 * it does not fit. */
static size_t append(uint8_t *out, size_t len, size_t room, const char *text)
{
    size_t more = ferry_text_length(text);

    if (more == 0) {
        return len;
    }
    if (len > 0 && len < room) {
        out[len++] = ' ';
    }
    if (len > room || more > room - len) {
        return room + 1;
    }
    memcpy(out + len, text, more);
    return len + more;
}

static int put_texts(struct ferry_server_call *call, const struct ferry_os_group_config *config,
                     struct ferry_bytes format)
{
    size_t room;
    size_t len = 0;
    uint8_t *out;
    char letter;

    ferry_cbor_put_text(&call->out, "output");
    out = ferry_cbor_reserve(&call->out, 1, &room);
    room = room < INFO_MAX ? room : INFO_MAX;
    for (size_t i = 0; (letter = letter_at(config, i)) != '\0' && len <= room; i++) {
        const char *text = is_wanted(format, letter) ? config->info(config->context, letter) : NULL;

        len = text != NULL ? append(out, len, room, text) : len;
    }
    if (out == NULL || len > room) {
        return FERRY_RC_MESSAGE_SIZE;
    }
    ferry_cbor_put_reserved(&call->out, FERRY_CBOR_TEXT, len);
    return FERRY_RC_OK;
}

int ferry_os_handle_info(struct ferry_server_call *call)
{
    const struct ferry_os_group_config *config =
        ((const struct ferry_os_group *)call->context)->config;
    struct ferry_cbor_field field = {.key = "format", .kind = FERRY_CBOR_TEXT};
    struct ferry_bytes format = {(const uint8_t *)letters, 1}; /* s */
    int rc;

    if (config->info == NULL) {
        return FERRY_RC_NOT_SUPPORTED;
    }
    rc = ferry_server_read(call, &field, 1);
    if (rc != FERRY_RC_OK) {
        return rc;
    }
    if (field.present) {
        format = field.item.bytes;
    }
    for (size_t i = 0; i < format.len; i++) {
        if (!is_known(config, (char)format.data[i])) {
            return ferry_server_fail(call, FERRY_OS_ERR_INVALID_FORMAT, "unknown letter");
        }
    }
    return put_texts(call, config, format);
}
