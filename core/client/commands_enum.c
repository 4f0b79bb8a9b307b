/* SPDX-License-Identifier: Apache-2.0 */
#include "ferry/commands_enum.h"

#include "draft.h"

#include <string.h>

int32_t ferry_command_enum_count(struct ferry_client *client, void *user)
{
    return ferry_draft_plain(client, FERRY_SMP_READ, FERRY_SMP_GROUP_ENUM, FERRY_SMP_ENUM_COUNT,
                             user);
}

int32_t ferry_command_enum_list(struct ferry_client *client, void *user)
{
    return ferry_draft_plain(client, FERRY_SMP_READ, FERRY_SMP_GROUP_ENUM, FERRY_SMP_ENUM_LIST,
                             user);
}

int32_t ferry_command_enum_single(struct ferry_client *client, uint32_t index, void *user)
{
    struct ferry_draft draft;

    if (!ferry_draft_begin(client, &draft, FERRY_SMP_READ, FERRY_SMP_GROUP_ENUM,
                           FERRY_SMP_ENUM_SINGLE, user)) {
        return FERRY_E_BUSY;
    }
    ferry_cbor_put_map(&draft.writer, 1);
    ferry_cbor_pair_uint(&draft.writer, "index", index);
    return ferry_draft_submit(client, &draft);
}

bool ferry_answer_enum_end(struct ferry_bytes payload)
{
    struct ferry_cbor_field end = {.key = "end", .kind = FERRY_CBOR_BOOL};

    return ferry_cbor_read_map(payload, &end, 1) == FERRY_OK && end.present && end.item.value != 0;
}

int32_t ferry_command_enum_details(struct ferry_client *client, const uint16_t *groups,
                                   size_t count, void *user)
{
    struct ferry_draft draft;

    if (!ferry_draft_begin(client, &draft, FERRY_SMP_READ, FERRY_SMP_GROUP_ENUM,
                           FERRY_SMP_ENUM_DETAILS, user)) {
        return FERRY_E_BUSY;
    }
    ferry_cbor_put_map(&draft.writer, count > 0);
    if (count > 0) {
        ferry_cbor_put_text(&draft.writer, "groups");
        ferry_cbor_put_list(&draft.writer, count);
    }
    for (size_t i = 0; i < count; i++) {
        ferry_cbor_put_uint(&draft.writer, groups[i]);
    }
    return ferry_draft_submit(client, &draft);
}

int ferry_answer_next_group(struct ferry_answer_items *items, struct ferry_group_details *group)
{
    struct ferry_cbor_field fields[] = {{.key = "group", .kind = FERRY_CBOR_UINT},
                                        {.key = "name", .kind = FERRY_CBOR_TEXT},
                                        {.key = "handlers", .kind = FERRY_CBOR_UINT}};
    struct ferry_answer_element element;
    int rc = ferry_answer_next(items, &element);

    if (rc != 1) {
        return rc;
    }
    rc = ferry_cbor_read_map(element.whole, fields, 3);
    if (rc != FERRY_OK) {
        return rc;
    }
    if (!fields[0].present) {
        return FERRY_E_NOT_FOUND;
    }
    memset(group, 0, sizeof *group);
    group->group = fields[0].item.value;
    group->has_handlers = fields[2].present;
    group->handlers = fields[2].present ? fields[2].item.value : 0;
    if (fields[1].present) {
        ferry_answer_copy_text(&fields[1].item, group->name, sizeof group->name);
    }
    return 1;
}
