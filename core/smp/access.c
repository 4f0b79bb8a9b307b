/* SPDX-License-Identifier: Apache-2.0 */
/* The message whose signature unlocks a device. [docs/SERVER.md, "The message"] */
#include "ferry/access.h"

#include <string.h>

static const uint8_t context[FERRY_ACCESS_CONTEXT_SIZE] = FERRY_ACCESS_CONTEXT;

size_t ferry_access_message_write(const struct ferry_access_message *message,
                                  uint8_t out[FERRY_ACCESS_MESSAGE_MAX])
{
    const struct ferry_bytes id = message->device_id;
    uint8_t *at = out;

    if (id.len > FERRY_ACCESS_ID_MAX) {
        return 0;
    }
    memcpy(at, context, sizeof(context));
    at += sizeof(context);
    *at++ = (uint8_t)id.len;
    if (id.len > 0) {
        memcpy(at, id.data, id.len);
        at += id.len;
    }
    *at++ = message->transport;
    *at++ = message->level;
    ferry_store_be32(at, message->seconds);
    at += 4;
    memcpy(at, message->nonce, FERRY_ACCESS_NONCE_SIZE);
    at += FERRY_ACCESS_NONCE_SIZE;
    return (size_t)(at - out);
}
