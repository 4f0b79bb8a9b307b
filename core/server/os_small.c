/* SPDX-License-Identifier: Apache-2.0 */
/* SMP group 0, os, for chips with little flash. */
#include "core/server/os_small.h"

#include <string.h>

/* Read the one field of a request; what is absent is 0, and no bytes. Returns an rc. */
static int read_field(const struct ferry_server_call *call, struct ferry_cbor_field *field,
                      const char *key, enum ferry_cbor_kind kind)
{
    memset(field, 0, sizeof(*field));
    field->key = key;
    field->kind = kind;
    return ferry_server_read(call, field, 1);
}

int ferry_os_small_echo(struct ferry_server_call *call)
{
    struct ferry_cbor_field text;
    int rc = read_field(call, &text, "d", FERRY_CBOR_TEXT);

    if (rc == FERRY_RC_OK) {
        ferry_cbor_put_text(&call->out, "r");
        ferry_cbor_put_text_n(&call->out, (const char *)text.item.bytes.data, text.item.bytes.len);
    }
    return rc;
}

/* Whatever the payload is, the device is reset: the simplest client must reach it. */
int ferry_os_small_reset(struct ferry_server_call *call)
{
    struct ferry_os_small *os = call->context;
    struct ferry_cbor_field mode;

    if (read_field(call, &mode, "boot_mode", FERRY_CBOR_UINT) == FERRY_RC_OK) {
        if (mode.item.value > UINT8_MAX) {
            return FERRY_RC_INVALID;
        }
        os->boot_mode = (uint8_t)mode.item.value;
    }
    os->reset_due = true;
    return FERRY_RC_OK;
}

/* Its name and its mode, which clients ask for before an update. */
static int bootloader_info(struct ferry_server_call *call)
{
    const struct ferry_os_small *os = call->context;
    struct ferry_cbor_field query;
    int rc = read_field(call, &query, "query", FERRY_CBOR_TEXT);

    if (rc != FERRY_RC_OK) {
        return rc;
    }
    if (!query.present) {
        ferry_cbor_pair_text(&call->out, "bootloader", "MCUboot");
    } else if (os->strategy != NULL && ferry_cbor_is_text(&query.item, "mode")) {
        ferry_cbor_pair_uint(&call->out, "mode", os->strategy->mode);
    } else {
        rc = ferry_server_fail(call, FERRY_OS_ERR_QUERY_YIELDS_NO_ANSWER, NULL);
    }
    return rc;
}

static const struct ferry_command commands[] = {
    [FERRY_SMP_OS_ECHO] = {.read = ferry_os_small_echo, .write = ferry_os_small_echo},
    [FERRY_SMP_OS_RESET] = {.write = ferry_os_small_reset},
    [FERRY_SMP_OS_PARAMS] = {.read = ferry_os_handle_params},
    [FERRY_SMP_OS_BOOTLOADER_INFO] = {.read = bootloader_info},
};

const struct ferry_group ferry_os_small_table = {
    .id = FERRY_SMP_GROUP_OS,
    .name = "os mgmt",
    .commands = commands,
    .command_count = sizeof(commands) / sizeof(commands[0]),
    .v1_rc = ferry_os_v1_rc,
    .v1_rc_count = FERRY_OS_ERRORS,
};
