/* SPDX-License-Identifier: Apache-2.0 */
/* What a device's gate lets a client do, in words. */
#ifndef CLI_DEVICE_ACCESS_H
#define CLI_DEVICE_ACCESS_H

#include "session.h"

/* "locked", "update", "service"; "unknown" for a level this program does not know. */
const char *access_level_name(uint32_t level);

/* The level that an unlock may ask for by this name. Returns false when there is none. */
bool access_level_find(const char *name, uint32_t *level);

/* Whether what is unlocked stays so when this session ends: not where it is the link's. */
bool access_outlives(const struct session *session);

/* A command was refused with FERRY_RC_ACCESS_DENIED: where the device can be unlocked further, tell
 * that, and what to do. What is in flight is given up.
 *
 * what    the command in words, for messages
 * reason  the device's own words for it, printable; "" when it gave none
 *
 * Returns whether it was told. */
bool access_tell(struct session *session, const char *what, const char *reason);

/* Tell why an exchange with group access failed. Returns an enum cli_exit. */
int access_fail(struct session *session, int error, const char *what,
                const struct ferry_client_answer *answer);

#endif
