/* SPDX-License-Identifier: Apache-2.0 */
/* The policy of a layout: what images must satisfy beyond their signature. */
#include "layout_read.h"
#include "uuid.h"

#include <stdio.h>
#include <string.h>

/* Room for a name or an id as text. */
#define TEXT_MAX 128

/* Read an id, or a name in a space. Returns whether it is there and good. */
static bool read_id(struct json_reader *reader, const cJSON *policy, const char *field,
                    const uint8_t space[UUID_SIZE], uint8_t id[UUID_SIZE])
{
    char text[TEXT_MAX];

    if (!json_has(policy, field) || !json_text(reader, policy, field, text, sizeof(text))) {
        return false;
    }
    if (uuid_read(text, id)) {
        return true;
    }
    if (space == NULL) {
        return json_fail(reader, field,
                         "\"%s\" is a name, and a class has one inside a vendor only; give "
                         "vendor_id too, or a UUID",
                         text);
    }
    return uuid_of_name(space, text, id) ||
           json_fail(reader, field, "no UUID can be made of \"%s\"; give a UUID", text);
}

static uint32_t flag(struct json_reader *reader, const cJSON *policy, const char *field,
                     uint32_t bit)
{
    bool set = false;

    (void)json_flag(reader, policy, field, &set);
    return set ? bit : 0;
}

void layout_read_policy(struct json_reader *reader, const cJSON *root, struct layout *layout)
{
    const cJSON *policy = cJSON_GetObjectItemCaseSensitive(root, "policy");
    bool vendor;

    layout->flags |= flag(reader, root, "no_downgrade", FERRY_VCHIP_NO_DOWNGRADE);
    if (policy == NULL) {
        return;
    }
    (void)snprintf(reader->where, sizeof(reader->where), "policy");
    (void)json_only(reader, policy,
                    "no_downgrade compare_build security_counter vendor_id class_id production");
    layout->flags |= flag(reader, policy, "no_downgrade", FERRY_VCHIP_NO_DOWNGRADE) |
                     flag(reader, policy, "compare_build", FERRY_VCHIP_COMPARE_BUILD) |
                     flag(reader, policy, "security_counter", FERRY_VCHIP_SECURITY_COUNTER) |
                     flag(reader, policy, "production", FERRY_VCHIP_PRODUCTION);
    vendor = read_id(reader, policy, "vendor_id", uuid_dns, layout->vendor_id);
    layout->flags |= vendor ? FERRY_VCHIP_VENDOR : 0;
    if (read_id(reader, policy, "class_id", vendor ? layout->vendor_id : NULL, layout->class_id)) {
        layout->flags |= FERRY_VCHIP_CLASS;
    }
    reader->where[0] = '\0';
}
