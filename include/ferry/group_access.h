/* SPDX-License-Identifier: Apache-2.0 */
/* The gate over SMP, group 103 (ferry/access.h): where it stands, unlocking it, locking it, what it
 * refused. What of it may be asked on a locked device is the policy's matter, as for any group. */
#ifndef FERRY_GROUP_ACCESS_H
#define FERRY_GROUP_ACCESS_H

#include "ferry/gate.h"

/* The context of its mount is the struct ferry_gate that is the server's gate, too. */
extern const struct ferry_group ferry_access_group_table;

#endif
