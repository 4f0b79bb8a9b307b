/* SPDX-License-Identifier: Apache-2.0 */
/* Unlocking a device for a command. */
#ifndef CLI_DEVICE_UNLOCK_H
#define CLI_DEVICE_UNLOCK_H

#include "access.h"
#include "cli/key/key.h"

#include "ferry/commands_access.h"

/* What is wanted, and what was found. Begin with zeroes. */
struct unlock {
    const char *key_path;
    uint32_t level;                          /* 0: the highest that the key may */
    uint32_t seconds;                        /* 0: the default, or the longest that the key may */
    const char *id;                          /* the device that is meant; NULL: whichever answers */
    struct key key;                          /* loaded: the caller's to free */
    struct ferry_access_challenge challenge; /* the device's last */
};

/* Load key_path: an Ed25519 key; unlock_load_either() takes a public one, too. After a message
 * return an enum cli_exit; the key is loaded after CLI_OK only. */
FERRY_MUST_CHECK
int unlock_load(const struct cli *cli, struct unlock *unlock);
FERRY_MUST_CHECK
int unlock_load_either(const struct cli *cli, struct unlock *unlock);

/* The 32 bytes by which a device knows the key. */
const uint8_t *unlock_raw_key(const struct unlock *unlock);

/* Unlock the device. status: where it stands then. After a message returns an enum cli_exit. */
FERRY_MUST_CHECK
int unlock_device(struct session *session, struct unlock *unlock,
                  struct ferry_access_status *status);

/* The same where the device has a gate and stands below unlock->level; else nothing. */
FERRY_MUST_CHECK
int unlock_renew(struct session *session, struct unlock *unlock);

/* Unlock what the key may, for a command of whatever level, where the device has a gate and the
 * key goes further than it stands; else nothing. After a message returns an enum cli_exit. */
FERRY_MUST_CHECK
int unlock_first(struct session *session, struct unlock *unlock);

/* Whether the device knows the key for unlock->level, also where it is unlocked. Nothing is
 * changed, and where it has no gate, or one that does not tell, nothing found. After a message
 * returns an enum cli_exit. */
FERRY_MUST_CHECK
int unlock_try(struct session *session, const struct unlock *unlock);

/* The id of the device that challenged. */
void unlock_id_in_hex(const struct ferry_access_challenge *challenge,
                      char hex[2 * FERRY_ACCESS_ID_MAX + 1]);

#endif
