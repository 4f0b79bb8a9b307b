/* SPDX-License-Identifier: Apache-2.0 */
/* Group os: reset. All state of the group is the reset that is due. */
#include "core/server/os_reset.h"

#include "ferry/group_os.h"

#include <string.h>

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

/* Zephyr resets whatever the payload is: what cannot be understood keeps its default, so that a
 * device stays reachable by the simplest client. */
uint64_t ferry_os_read_reset(struct ferry_bytes payload, bool *force)
{
    struct ferry_cbor_field fields[] = {{.key = "force", .kind = FERRY_CBOR_ANY},
                                        {.key = "boot_mode", .kind = FERRY_CBOR_ANY}};

    *force = false;
    if (ferry_cbor_read_map(payload, fields, 2) != FERRY_OK) {
        return 0;
    }
    if (fields[0].present && fields[0].item.kind == FERRY_CBOR_BOOL) {
        *force = fields[0].item.value != 0;
    }
    return fields[1].present && fields[1].item.kind == FERRY_CBOR_UINT ? fields[1].item.value : 0;
}

int ferry_os_handle_reset(struct ferry_server_call *call)
{
    struct ferry_os_group *group = call->context;
    struct ferry_os_reset wish = {0};
    uint64_t boot_mode = ferry_os_read_reset(call->payload, &wish.force);
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
