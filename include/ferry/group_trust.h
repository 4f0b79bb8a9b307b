/* SPDX-License-Identifier: Apache-2.0 */
/* Keys over SMP: an extension of Ferry's, a group of the user range. docs/SERVER.md has every byte.
 * Who lists it lets clients see which keys count; whether they may change that is asked each time.
 */
#ifndef FERRY_GROUP_TRUST_H
#define FERRY_GROUP_TRUST_H

#include "ferry/keys.h"
#include "ferry/server.h"

enum ferry_smp_trust_command {
    FERRY_SMP_TRUST_KEY = 0,    /* read: one of the keys */
    FERRY_SMP_TRUST_REVOKE = 1, /* write */
    FERRY_SMP_TRUST_ADD = 2     /* write */
};

/* Errors of the group are those of ferry/error.h, without their sign: 49 is FERRY_E_IN_USE. */

struct ferry_trust_group_config {
    const struct ferry_keys_config *keys;
    /* Whether the client may revoke or add a key now: a person at the device, a session that was
     * authenticated. Answers as a handler does: FERRY_RC_OK lets it pass. NULL: never. */
    int (*permit)(void *context, struct ferry_server_call *call);
    void *context;
};

/* The context of its mount is a struct ferry_trust_group_config. */
extern const struct ferry_group ferry_trust_group_table;

#endif
