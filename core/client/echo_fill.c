/* SPDX-License-Identifier: Apache-2.0 */
#include "echo_fill.h"
#include "draft.h"

#include <string.h>

/* {"d": "ok"} without its map. */
#define ECHO_SIZE 5

int32_t ferry_echo_fill(struct ferry_client *client, uint32_t timeout_ms, uint8_t retries)
{
    struct ferry_draft draft;
    size_t len;

    if (!ferry_draft_begin(client, &draft, FERRY_SMP_WRITE, FERRY_SMP_GROUP_OS, FERRY_SMP_OS_ECHO,
                           NULL)) {
        return FERRY_E_BUSY;
    }
    ferry_cbor_put_map(&draft.writer, 2);
    ferry_cbor_put_text(&draft.writer, "fill");
    uint8_t *text = ferry_cbor_reserve(&draft.writer, ECHO_SIZE, &len);
    if (text == NULL) {
        return FERRY_E_SPACE;
    }
    memset(text, '.', len);
    ferry_cbor_put_reserved(&draft.writer, FERRY_CBOR_TEXT, len);
    ferry_cbor_pair_text(&draft.writer, "d", "ok");
    draft.command.timeout_ms = timeout_ms;
    draft.command.retries = retries;
    return ferry_draft_submit(client, &draft);
}
