/* SPDX-License-Identifier: Apache-2.0 */
/* The commands of Ferry's own group for keys, as ferry/commands.h has those of the others. Servers
 * without it refuse them. [docs/SERVER.md] */
#ifndef FERRY_COMMANDS_TRUST_H
#define FERRY_COMMANDS_TRUST_H

#include "ferry/client.h"

#define FERRY_KEY_HASH_SIZE 32

/* One key, by its number in the list; behind the last the server answers group error 7. */
FERRY_MUST_CHECK
int32_t ferry_command_key(struct ferry_client *client, uint32_t number, void *user);

struct ferry_key_state {
    uint8_t hash[FERRY_KEY_HASH_SIZE];
    char source[16]; /* "product", "provisioned", "unknown"; longer ones are cut */
    bool revoked;
    bool development; /* everybody has it, and here it does not count */
    bool named;       /* by the running image, or one the device would go back to */
};

/* Returns FERRY_OK, FERRY_E_NOT_FOUND, FERRY_E_FORMAT or an error of ferry_cbor_read_map(). */
FERRY_MUST_CHECK
int ferry_answer_key(struct ferry_bytes payload, struct ferry_key_state *key);

/* Answer of both: nothing. Repeating them is harmless. */
FERRY_MUST_CHECK
int32_t ferry_command_key_revoke(struct ferry_client *client,
                                 const uint8_t hash[FERRY_KEY_HASH_SIZE], void *user);
FERRY_MUST_CHECK
int32_t ferry_command_key_add(struct ferry_client *client, struct ferry_bytes der, void *user);

#endif
