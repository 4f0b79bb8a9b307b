/* SPDX-License-Identifier: Apache-2.0 */
/* Group os: information about the bootloader. */
#include "ferry/group_os.h"

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

int ferry_os_handle_bootloader_info(struct ferry_server_call *call)
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
