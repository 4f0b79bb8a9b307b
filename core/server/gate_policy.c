/* SPDX-License-Identifier: Apache-2.0 */
/* The gate's default tables. docs/SERVER.md shows them row for row, and a test holds them against
 * it. */
#include "ferry/gate.h"

#define LIST(rules)                                                                                \
    {                                                                                              \
        rules, sizeof(rules) / sizeof((rules)[0])                                                  \
    }

/* ---- Levels ------------------------------------------------------------------------ */

/* Console echo does nothing, and Mynewt's clients give up where it fails. */
static const struct ferry_gate_rule locked[] = {
    {FERRY_SMP_GROUP_OS, FERRY_SMP_OS_ECHO, FERRY_GATE_BOTH},
    {FERRY_SMP_GROUP_OS, FERRY_SMP_OS_CONSOLE_ECHO, FERRY_GATE_WRITE},
    {FERRY_SMP_GROUP_OS, FERRY_SMP_OS_PARAMS, FERRY_GATE_READ},
    {FERRY_SMP_GROUP_IMAGE, FERRY_SMP_IMAGE_STATE, FERRY_GATE_READ},
    {FERRY_SMP_GROUP_ACCESS, FERRY_SMP_ACCESS_STATUS, FERRY_GATE_READ},
    {FERRY_SMP_GROUP_ACCESS, FERRY_SMP_ACCESS_CHALLENGE, FERRY_GATE_WRITE},
    {FERRY_SMP_GROUP_ACCESS, FERRY_SMP_ACCESS_UNLOCK, FERRY_GATE_WRITE},
    {FERRY_SMP_GROUP_ACCESS, FERRY_SMP_ACCESS_LOCK, FERRY_GATE_WRITE},
};

/* What an update needs from the first question to the last proof, the reset between them too. */
static const struct ferry_gate_rule update[] = {
    {FERRY_SMP_GROUP_OS, FERRY_SMP_OS_RESET, FERRY_GATE_WRITE},
    {FERRY_SMP_GROUP_OS, FERRY_SMP_OS_INFO, FERRY_GATE_READ},
    {FERRY_SMP_GROUP_OS, FERRY_SMP_OS_BOOTLOADER_INFO, FERRY_GATE_READ},
    {FERRY_SMP_GROUP_IMAGE, FERRY_GATE_ANY, FERRY_GATE_BOTH},
    {FERRY_SMP_GROUP_ENUM, FERRY_GATE_ANY, FERRY_GATE_READ},
    {FERRY_SMP_GROUP_ACCESS, FERRY_SMP_ACCESS_AUDIT, FERRY_GATE_READ},
};

static const struct ferry_gate_rule service[] = {
    {FERRY_GATE_ANY, FERRY_GATE_ANY, FERRY_GATE_BOTH},
};

const struct ferry_gate_list ferry_gate_list_locked = LIST(locked);
const struct ferry_gate_list ferry_gate_list_update = LIST(update);
const struct ferry_gate_list ferry_gate_list_service = LIST(service);

/* ---- Policies ----------------------------------------------------------------------- */

#define LEVELS                                                                                     \
    {                                                                                              \
        &ferry_gate_list_locked, &ferry_gate_list_update, &ferry_gate_list_service                 \
    }

static const struct ferry_gate_transport all_open = {
    .number = FERRY_GATE_ANY, .lowest = FERRY_ACCESS_SERVICE, .highest = FERRY_ACCESS_SERVICE};
static const struct ferry_gate_transport all_locked = {
    .number = FERRY_GATE_ANY, .lowest = FERRY_ACCESS_LOCKED, .highest = FERRY_ACCESS_SERVICE};
static const struct ferry_gate_transport all_update = {
    .number = FERRY_GATE_ANY, .lowest = FERRY_ACCESS_UPDATE, .highest = FERRY_ACCESS_SERVICE};

const struct ferry_gate_policy ferry_gate_open = {LEVELS, &all_open, 1};
const struct ferry_gate_policy ferry_gate_locked = {LEVELS, &all_locked, 1};
const struct ferry_gate_policy ferry_gate_update = {LEVELS, &all_update, 1};
