/* SPDX-License-Identifier: Apache-2.0 */
/* Unlocking a device over SMP: what client and server agree on. A group of the user range, an
 * extension of Ferry's; docs/SERVER.md has every byte. */
#ifndef FERRY_ACCESS_H
#define FERRY_ACCESS_H

#include "ferry/bytes.h"

#define FERRY_SMP_GROUP_ACCESS 103

enum ferry_smp_access_command {
    FERRY_SMP_ACCESS_STATUS = 0,    /* read */
    FERRY_SMP_ACCESS_CHALLENGE = 1, /* write */
    FERRY_SMP_ACCESS_UNLOCK = 2,    /* write */
    FERRY_SMP_ACCESS_LOCK = 3,      /* write */
    FERRY_SMP_ACCESS_AUDIT = 4      /* read */
};

/* What may be done: each level allows what those below it allow. */
enum ferry_access_level {
    FERRY_ACCESS_LOCKED = 0,
    FERRY_ACCESS_UPDATE = 1,
    FERRY_ACCESS_SERVICE = 2,
    FERRY_ACCESS_LEVELS = 3
};

/* Errors of the group. */
enum ferry_access_error {
    FERRY_ACCESS_ERR_UNKNOWN = 1,
    FERRY_ACCESS_ERR_NO_KEY = 2,       /* the key is none of those that count here */
    FERRY_ACCESS_ERR_LEVEL = 3,        /* none, or above what the key or the transport may have */
    FERRY_ACCESS_ERR_TIME = 4,         /* none, or longer than the key may unlock for */
    FERRY_ACCESS_ERR_NO_CHALLENGE = 5, /* none waits: it was used, or has expired */
    FERRY_ACCESS_ERR_SIGNATURE = 6,
    FERRY_ACCESS_ERR_WAIT = 7, /* too many failures, or all places taken; "wait": milliseconds */
    FERRY_ACCESS_ERR_UNAVAILABLE = 8, /* this peer cannot be unlocked */
    FERRY_ACCESS_ERR_NO_TRANSPORT = 9
};

/* Keys and signatures are Ed25519's [RFC 8032 §5.1.5]. */
#define FERRY_ACCESS_KEY_SIZE       32
#define FERRY_ACCESS_SIGNATURE_SIZE 64
#define FERRY_ACCESS_NONCE_SIZE     32
#define FERRY_ACCESS_ID_MAX         64

/* ---- The message that is signed ------------------------------------------------------ */

#define FERRY_ACCESS_CONTEXT      "ferry-unlock-v1" /* and its NUL */
#define FERRY_ACCESS_CONTEXT_SIZE 16
#define FERRY_ACCESS_MESSAGE_MAX                                                                   \
    (FERRY_ACCESS_CONTEXT_SIZE + 1 + FERRY_ACCESS_ID_MAX + 1 + 1 + 4 + FERRY_ACCESS_NONCE_SIZE)

struct ferry_access_message {
    struct ferry_bytes device_id; /* at most FERRY_ACCESS_ID_MAX bytes */
    uint8_t transport;            /* the device's number for it */
    uint8_t level;                /* enum ferry_access_level */
    uint32_t seconds;
    const uint8_t *nonce; /* FERRY_ACCESS_NONCE_SIZE bytes */
};

/* Write the message: the context, the length of the id (1) and the id, transport (1), level (1),
 * seconds (4, big endian), nonce. Returns its size; 0 when the id is too long. */
size_t ferry_access_message_write(const struct ferry_access_message *message,
                                  uint8_t out[FERRY_ACCESS_MESSAGE_MAX]);

#endif
