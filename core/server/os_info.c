/* SPDX-License-Identifier: Apache-2.0 */
/* Group os: information about the system. */
#include "ferry/group_os.h"

/* Longest answer of os/7, bytes; more is FERRY_RC_MESSAGE_SIZE as in Zephyr. */
#define INFO_MAX 256

/* The letters of os/7 in the order of the answer. */
static const char info_letters[] = "snrvbmpio";

#define INFO_LETTERS (sizeof(info_letters) - 1)

/* Index of letter in the list, INFO_LETTERS when it is none. */
static size_t letter_index(char letter)
{
    size_t i = 0;

    while (i < INFO_LETTERS && info_letters[i] != letter) {
        i++;
    }
    return i;
}

/* The set of letters a format asks for, as bits; 0 for a letter that is unknown here. */
static uint32_t format_letter(const struct ferry_os_group_config *config, char letter)
{
    size_t index = letter_index(letter);

    if (letter == 'a') {
        return (1U << INFO_LETTERS) - 1;
    }
    if (index == INFO_LETTERS || config->info(config->context, letter) == NULL) {
        return 0;
    }
    return 1U << index;
}

/* Append text, and a blank between two that are not empty. Returns the new length, above
 * INFO_MAX when it does not fit. */
static size_t append(char *out, size_t len, const char *text)
{
    if (len > 0 && len < INFO_MAX && *text != '\0') {
        out[len++] = ' ';
    }
    for (; *text != '\0'; text++) {
        if (len >= INFO_MAX) {
            return INFO_MAX + 1;
        }
        out[len++] = *text;
    }
    return len;
}

static int info_answer(struct ferry_server_call *call, const struct ferry_os_group_config *config,
                       uint32_t wanted)
{
    char output[INFO_MAX];
    size_t len = 0;

    for (size_t i = 0; i < INFO_LETTERS && len <= INFO_MAX; i++) {
        const char *text = config->info(config->context, info_letters[i]);

        if ((wanted >> i & 1U) != 0 && text != NULL) {
            len = append(output, len, text);
        }
    }
    if (len > INFO_MAX) {
        return FERRY_RC_MESSAGE_SIZE;
    }
    ferry_cbor_put_text(&call->out, "output");
    ferry_cbor_put_text_n(&call->out, output, len);
    return FERRY_RC_OK;
}

int ferry_os_handle_info(struct ferry_server_call *call)
{
    const struct ferry_os_group *group = call->context;
    struct ferry_cbor_field format = {.key = "format", .kind = FERRY_CBOR_TEXT};
    uint32_t wanted = 1; /* s */
    int rc;

    if (group->config->info == NULL) {
        return FERRY_RC_NOT_SUPPORTED;
    }
    rc = ferry_server_read(call, &format, 1);
    if (rc != FERRY_RC_OK) {
        return rc;
    }
    if (format.present) {
        wanted = 0;
        for (size_t i = 0; i < format.item.bytes.len; i++) {
            uint32_t letter = format_letter(group->config, (char)format.item.bytes.data[i]);

            if (letter == 0) {
                return ferry_server_fail(call, FERRY_OS_ERR_INVALID_FORMAT, "unknown letter");
            }
            wanted |= letter;
        }
    }
    return info_answer(call, group->config, wanted);
}
