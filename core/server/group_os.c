/* SPDX-License-Identifier: Apache-2.0 */
/* SMP group 0, os. [smp.md §3.0] */
#include "ferry/group_os.h"

#include <string.h>

/* Longest answer of os/7, bytes; more is FERRY_RC_MESSAGE_SIZE as in Zephyr. */
#define INFO_MAX 256

/* The letters of os/7 in the order of the answer. */
static const char info_letters[] = "snrvbmpio";

#define INFO_LETTERS (sizeof(info_letters) - 1)

void ferry_os_group_init(struct ferry_os_group *group, const struct ferry_os_group_config *config)
{
    memset(group, 0, sizeof(*group));
    group->config = config;
}

bool ferry_os_group_reset_due(const struct ferry_os_group *group, struct ferry_os_reset *reset)
{
    if (group->reset_due && reset != NULL) {
        *reset = group->reset;
    }
    return group->reset_due;
}

/* ---- Echo -------------------------------------------------------------------- */

static int echo(struct ferry_server_call *call)
{
    struct ferry_cbor_field text = {.key = "d", .kind = FERRY_CBOR_TEXT};
    int rc = ferry_server_read(call, &text, 1);

    if (rc != FERRY_RC_OK) {
        return rc;
    }
    ferry_cbor_put_text(&call->out, "r");
    if (text.present) {
        ferry_cbor_put_text_n(&call->out, (const char *)text.item.bytes.data, text.item.bytes.len);
    } else {
        ferry_cbor_put_text(&call->out, "");
    }
    return FERRY_RC_OK;
}

/* Clients of Mynewt's age switch the console's echo off first. Ferry's consoles never echo, so
 * the wish is granted; an error would make them stop. */
static int console_echo(struct ferry_server_call *call)
{
    ferry_cbor_pair_uint(&call->out, "rc", FERRY_RC_OK);
    return FERRY_RC_OK;
}

/* ---- Reset ------------------------------------------------------------------- */

/* Zephyr resets whatever the payload is: what cannot be understood keeps its default, so that a
 * device stays reachable by the simplest client. */
static struct ferry_os_reset read_reset(const struct ferry_server_call *call, uint64_t *boot_mode)
{
    struct ferry_os_reset reset = {0};
    struct ferry_cbor_field fields[] = {{.key = "force", .kind = FERRY_CBOR_ANY},
                                        {.key = "boot_mode", .kind = FERRY_CBOR_ANY}};

    *boot_mode = 0;
    if (ferry_cbor_read_map(call->payload, fields, 2) != FERRY_OK) {
        return reset;
    }
    if (fields[0].present && fields[0].item.kind == FERRY_CBOR_BOOL) {
        reset.force = fields[0].item.value != 0;
    }
    if (fields[1].present && fields[1].item.kind == FERRY_CBOR_UINT) {
        *boot_mode = fields[1].item.value;
    }
    return reset;
}

static int reset(struct ferry_server_call *call)
{
    struct ferry_os_group *group = call->context;
    uint64_t boot_mode;
    struct ferry_os_reset wish = read_reset(call, &boot_mode);
    int rc = FERRY_RC_OK;

    if (group->config->boot_modes) {
        if (boot_mode > UINT8_MAX) {
            return FERRY_RC_INVALID;
        }
        wish.boot_mode = (uint8_t)boot_mode;
    }
    if (group->config->reset != NULL) {
        rc = group->config->reset(group->config->context, call, &wish);
    }
    if (rc != FERRY_RC_OK || call->failed) {
        return rc;
    }
    group->reset = wish;
    group->reset_due = true;
    ferry_server_notify(call, FERRY_EVENT_RESET_ASKED, 0, wish.boot_mode);
    return FERRY_RC_OK;
}

/* ---- Parameters -------------------------------------------------------------- */

static int params(struct ferry_server_call *call)
{
    ferry_cbor_pair_uint(&call->out, "buf_size", call->server->config->buf_size);
    ferry_cbor_pair_uint(&call->out, "buf_count", call->server->config->buf_count);
    return FERRY_RC_OK;
}

/* ---- Information ------------------------------------------------------------- */

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

static int info(struct ferry_server_call *call)
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

/* ---- Bootloader -------------------------------------------------------------- */

static void mode_answer(struct ferry_server_call *call, const struct ferry_os_group_config *config)
{
    ferry_cbor_pair_int(&call->out, "mode", config->bootloader_mode);
    if (config->no_downgrade) {
        ferry_cbor_pair_bool(&call->out, "no-downgrade", true);
    }
    if (config->recovery != NULL) {
        ferry_cbor_pair_text(&call->out, "recovery", config->recovery);
    }
}

static int bootloader_info(struct ferry_server_call *call)
{
    const struct ferry_os_group_config *config =
        ((const struct ferry_os_group *)call->context)->config;
    struct ferry_cbor_field fields[] = {{.key = "query", .kind = FERRY_CBOR_TEXT},
                                        {.key = "image", .kind = FERRY_CBOR_ANY}};
    int rc = ferry_server_read(call, fields, 2);

    if (rc != FERRY_RC_OK) {
        return rc;
    }
    if (!fields[0].present) {
        ferry_cbor_pair_text(&call->out, "bootloader",
                             config->bootloader != NULL ? config->bootloader : "MCUboot");
        return FERRY_RC_OK;
    }
    if (ferry_cbor_is_text(&fields[0].item, "mode")) {
        mode_answer(call, config);
        return FERRY_RC_OK;
    }
    if (config->has_b0 && ferry_cbor_is_text(&fields[0].item, "active_b0_slot")) {
        ferry_cbor_pair_uint(&call->out, "active", config->b0_slot);
        return FERRY_RC_OK;
    }
    if (config->why != NULL && config->store != NULL &&
        ferry_cbor_is_text(&fields[0].item, "why")) {
        return config->why->answer(call, config->store, &fields[1]);
    }
    if (config->measured != NULL && ferry_cbor_is_text(&fields[0].item, "measured")) {
        return config->measured->answer(call, config, &fields[1]);
    }
    return ferry_server_fail(call, FERRY_OS_ERR_QUERY_YIELDS_NO_ANSWER, "unknown query");
}

/* ---- The group --------------------------------------------------------------- */

static const struct ferry_command commands[] = {
    [FERRY_SMP_OS_ECHO] = {.read = echo, .write = echo},
    [FERRY_SMP_OS_CONSOLE_ECHO] = {.write = console_echo},
    [FERRY_SMP_OS_RESET] = {.write = reset},
    [FERRY_SMP_OS_PARAMS] = {.read = params},
    [FERRY_SMP_OS_INFO] = {.read = info},
    [FERRY_SMP_OS_BOOTLOADER_INFO] = {.read = bootloader_info},
};

/* [smp.md §1.7] */
static const uint8_t v1_rc[] = {
    [FERRY_OS_ERR_UNKNOWN] = FERRY_RC_UNKNOWN,
    [FERRY_OS_ERR_INVALID_FORMAT] = FERRY_RC_INVALID,
    [FERRY_OS_ERR_QUERY_YIELDS_NO_ANSWER] = FERRY_RC_NO_ENTRY,
    [FERRY_OS_ERR_RTC_NOT_SET] = FERRY_RC_NO_ENTRY,
    [FERRY_OS_ERR_RTC_COMMAND_FAILED] = FERRY_RC_UNKNOWN,
    [FERRY_OS_ERR_QUERY_RESPONSE_INVALID] = FERRY_RC_NO_ENTRY,
    [FERRY_OS_ERR_HEAP_STATS_FAILED] = FERRY_RC_NO_ENTRY,
};

const struct ferry_group ferry_os_group_table = {
    .id = FERRY_SMP_GROUP_OS,
    .name = "os mgmt",
    .commands = commands,
    .command_count = sizeof(commands) / sizeof(commands[0]),
    .v1_rc = v1_rc,
    .v1_rc_count = sizeof(v1_rc),
};
