/* SPDX-License-Identifier: Apache-2.0 */
/* SMP group 10, enumeration: which groups the server has. [smp.md §3.8] */
#ifndef FERRY_GROUP_ENUM_H
#define FERRY_GROUP_ENUM_H

#include "ferry/server.h"

/* Errors of the group on the wire. Of these only the last occurs: nothing is copied here, so that
 * nothing can be too much. */
enum ferry_enum_error {
    FERRY_ENUM_ERR_UNKNOWN = 1,
    FERRY_ENUM_ERR_TOO_MANY_GROUP_ENTRIES = 2,
    FERRY_ENUM_ERR_INSUFFICIENT_HEAP = 3,
    FERRY_ENUM_ERR_INDEX_TOO_LARGE = 4
};

/* It tells what stands in the configuration of its server, in that order. The context of its mount
 * is not used. */
extern const struct ferry_group ferry_enum_group_table;

#endif
