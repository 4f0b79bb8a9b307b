/* SPDX-License-Identifier: Apache-2.0 */
/* A request that is being written into the client's own memory. */
#ifndef CORE_CLIENT_DRAFT_H
#define CORE_CLIENT_DRAFT_H

#include "ferry/cbor.h"
#include "ferry/client.h"

struct ferry_draft {
    struct ferry_client_command command; /* timeout_ms and retries may be set after the beginning */
    struct ferry_cbor_writer writer;
};

/* Begin a request. Returns false when the window is full: FERRY_E_BUSY. */
bool ferry_draft_begin(struct ferry_client *client, struct ferry_draft *draft, uint8_t op,
                       uint16_t group, uint8_t id, void *user);

/* Submit what was written. Returns as ferry_client_submit(). */
FERRY_MUST_CHECK
int32_t ferry_draft_submit(struct ferry_client *client, struct ferry_draft *draft);

/* A request without arguments; an empty map, since some servers refuse an empty payload. */
FERRY_MUST_CHECK
int32_t ferry_draft_plain(struct ferry_client *client, uint8_t op, uint16_t group, uint8_t id,
                          void *user);

/* A request whose only argument is a text, which may be left out (NULL). */
FERRY_MUST_CHECK
int32_t ferry_draft_text(struct ferry_client *client, uint8_t op, uint16_t group, uint8_t id,
                         const char *key, const char *text, void *user);

#endif
