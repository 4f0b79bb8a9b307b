/* SPDX-License-Identifier: Apache-2.0 */
#include "draft.h"

#include <string.h>

bool ferry_draft_begin(struct ferry_client *client, struct ferry_draft *draft, uint8_t op,
                       uint16_t group, uint8_t id, void *user)
{
    size_t cap;
    uint8_t *room = ferry_client_room(client, &cap);

    memset(draft, 0, sizeof *draft);
    draft->command.op = op;
    draft->command.group = group;
    draft->command.id = id;
    draft->command.user = user;
    ferry_cbor_writer_init(&draft->writer, room, room != NULL ? cap : 0);
    return room != NULL;
}

int32_t ferry_draft_submit(struct ferry_client *client, struct ferry_draft *draft)
{
    int len = ferry_cbor_writer_result(&draft->writer);

    if (len < 0) {
        return len;
    }
    draft->command.payload.data = draft->writer.buf;
    draft->command.payload.len = (size_t)len;
    return ferry_client_submit(client, &draft->command);
}

int32_t ferry_draft_plain(struct ferry_client *client, uint8_t op, uint16_t group, uint8_t id,
                          void *user)
{
    return ferry_draft_text(client, op, group, id, NULL, NULL, user);
}

int32_t ferry_draft_text(struct ferry_client *client, uint8_t op, uint16_t group, uint8_t id,
                         const char *key, const char *text, void *user)
{
    struct ferry_draft draft;

    if (!ferry_draft_begin(client, &draft, op, group, id, user)) {
        return FERRY_E_BUSY;
    }
    ferry_cbor_put_map(&draft.writer, text != NULL);
    if (text != NULL) {
        ferry_cbor_pair_text(&draft.writer, key, text);
    }
    return ferry_draft_submit(client, &draft);
}
