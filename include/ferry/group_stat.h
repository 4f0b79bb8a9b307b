/* SPDX-License-Identifier: Apache-2.0 */
/* SMP group 2, statistics: sets of named counters. [smp.md §3.2]
 *
 * A set is a struct of counters of the product's, and a table of their names and places:
 *
 *     struct radio { uint32_t sent; uint32_t lost; uint64_t bytes; };
 *     static struct radio radio;
 *     static const struct ferry_stat_counter counters[] = {
 *         FERRY_STAT(struct radio, sent), FERRY_STAT(struct radio, lost),
 *         FERRY_STAT(struct radio, bytes)};
 *     static const struct ferry_stat_set sets[] = {
 *         {.name = "radio", .counters = counters, .count = 3, .values = &radio}};
 *     static const struct ferry_stat_group_config config = {.sets = sets, .set_count = 1}; */
#ifndef FERRY_GROUP_STAT_H
#define FERRY_GROUP_STAT_H

#include "ferry/server.h"

/* Characters of a set's name at most, unless the configuration says more or less. */
#define FERRY_STAT_NAME_MAX 31

/* Errors of the group on the wire. */
enum ferry_stat_error {
    FERRY_STAT_ERR_UNKNOWN = 1,
    FERRY_STAT_ERR_INVALID_GROUP = 2,
    FERRY_STAT_ERR_INVALID_STAT_NAME = 3,
    FERRY_STAT_ERR_INVALID_STAT_SIZE = 4,
    FERRY_STAT_ERR_WALK_ABORTED = 5
};

/* One counter. */
struct ferry_stat_counter {
    const char *name;
    uint16_t offset; /* in the values, where it is aligned as its type wants */
    uint8_t size;    /* 1, 2, 4 or 8 bytes, unsigned; 32 bits of them are told */
};

/* A counter that is a field of a struct, by the name of the field. */
#define FERRY_STAT(type, field)                                                                    \
    {                                                                                              \
#field, offsetof(type, field), sizeof(((type *)0)->field)                                  \
    }

struct ferry_stat_set {
    const char *name; /* 1 .. 31 characters, no other set's */
    const struct ferry_stat_counter *counters;
    size_t count;
    const void *values; /* the struct they are in; it may change at any time */
    /* Asked before the values are told: bring those up to date that are not counted but computed.
     * Returns FERRY_OK, or an error when they cannot be told now (error 5). May be NULL. */
    int (*update)(void *context);
    void *context;
};

/* Must outlive the server. */
struct ferry_stat_group_config {
    const struct ferry_stat_set *sets;
    size_t set_count;
    size_t name_max; /* a longer name in a request is FERRY_RC_INVALID; 0 = FERRY_STAT_NAME_MAX */
};

/* The context of its mount is a const struct ferry_stat_group_config. */
extern const struct ferry_group ferry_stat_group_table;

#endif
