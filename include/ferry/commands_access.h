/* SPDX-License-Identifier: Apache-2.0 */
/* The commands of Ferry's own group for access, as ferry/commands.h has those of the others: where
 * a device's gate stands, unlocking and locking it. Servers without it refuse them with rc 8.
 * [docs/SERVER.md, "Unlocking"] */
#ifndef FERRY_COMMANDS_ACCESS_H
#define FERRY_COMMANDS_ACCESS_H

#include "ferry/access.h"
#include "ferry/client.h"

/* key: FERRY_ACCESS_KEY_SIZE bytes of a public key, to be told what it may; NULL: not asked. */
FERRY_MUST_CHECK
int32_t ferry_command_access_status(struct ferry_client *client, const uint8_t *key, void *user);

struct ferry_access_status {
    uint32_t level;   /* now: enum ferry_access_level, or one this library does not know */
    uint32_t lowest;  /* afterwards */
    uint32_t highest; /* that an unlock may lead to; as lowest: it cannot be unlocked */
    uint32_t left_s;  /* seconds of the unlock; 0 = none */
    bool has_key;     /* max_level and max_seconds are known */
    uint32_t max_level;
    uint32_t max_seconds;
};

/* Reads the answers of unlock and lock as well, which have level and left_s only.
 * Returns FERRY_OK; FERRY_E_NOT_FOUND without a level; FERRY_E_RANGE for a number beyond 32 bits.
 */
FERRY_MUST_CHECK
int ferry_answer_access_status(struct ferry_bytes payload, struct ferry_access_status *status);

FERRY_MUST_CHECK
int32_t ferry_command_access_challenge(struct ferry_client *client,
                                       const uint8_t key[FERRY_ACCESS_KEY_SIZE], void *user);

struct ferry_access_challenge {
    uint8_t nonce[FERRY_ACCESS_NONCE_SIZE];
    uint8_t id[FERRY_ACCESS_ID_MAX];
    uint8_t id_len;
    uint8_t transport;
    uint32_t max_level;   /* that the key may have on this transport */
    uint32_t max_seconds; /* and for how long */
};

/* Returns FERRY_OK; FERRY_E_NOT_FOUND when something is missing; FERRY_E_FORMAT for a nonce of
 * another length or an id that is too long; FERRY_E_RANGE. */
FERRY_MUST_CHECK
int ferry_answer_access_challenge(struct ferry_bytes payload,
                                  struct ferry_access_challenge *challenge);

struct ferry_access_unlock {
    const uint8_t *key; /* FERRY_ACCESS_KEY_SIZE bytes */
    uint32_t level;
    uint32_t seconds;
    const uint8_t
        *signature; /* FERRY_ACCESS_SIGNATURE_SIZE bytes, of ferry_access_message_write() */
};

/* Repeated, it is refused with FERRY_ACCESS_ERR_NO_CHALLENGE: when its answer was lost, the status
 * tells whether it worked. Answer: ferry_answer_access_status(). */
FERRY_MUST_CHECK
int32_t ferry_command_access_unlock(struct ferry_client *client,
                                    const struct ferry_access_unlock *unlock, void *user);

/* How long FERRY_ACCESS_ERR_WAIT says to wait: milliseconds, at most 60000; 1000 where it does not
 * say. payload: of the refusal. */
uint32_t ferry_answer_access_wait_ms(struct ferry_bytes payload);

/* Repeating it is harmless. Answer: ferry_answer_access_status(). */
FERRY_MUST_CHECK
int32_t ferry_command_access_lock(struct ferry_client *client, void *user);

/* Counters of a transport, by the device's number for it; below 0: this one. */
FERRY_MUST_CHECK
int32_t ferry_command_access_audit(struct ferry_client *client, int transport, void *user);

struct ferry_access_audit {
    uint32_t transport;
    uint32_t refused; /* commands */
    uint32_t unlocks;
    uint32_t failed;     /* unlocks that were not granted */
    uint32_t last_group; /* the last refused command; with refused above 0 */
    uint32_t last_command;
    uint32_t last_op; /* enum ferry_smp_op */
};

/* What is missing is 0. Returns FERRY_OK, FERRY_E_NOT_FOUND without the three counters, or
 * FERRY_E_RANGE. */
FERRY_MUST_CHECK
int ferry_answer_access_audit(struct ferry_bytes payload, struct ferry_access_audit *audit);

#endif
