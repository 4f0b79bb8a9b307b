/* SPDX-License-Identifier: Apache-2.0 */
/* What stands behind the groups of the fuzzed server beside flash: files in memory, settings in the
 * store, a log, counters. */
#ifndef FUZZ_SERVER_GROUPS_H
#define FUZZ_SERVER_GROUPS_H

#include "ferry/group_basic.h"
#include "ferry/group_enum.h"
#include "ferry/group_fs.h"
#include "ferry/group_log.h"
#include "ferry/group_settings.h"
#include "ferry/group_stat.h"
#include "ferry/log_ring.h"
#include "ferry/settings_store.h"

#define SERVER_FILES     3
#define SERVER_FILE_MAX  600U
#define SERVER_NAME_MAX  24
#define SERVER_FIRST_KEY 0x0100

struct server_file {
    char name[SERVER_NAME_MAX + 1]; /* "" = there is none */
    uint8_t bytes[SERVER_FILE_MAX];
    uint32_t size;
};

struct server_counters {
    uint8_t small;
    uint32_t plain;
    uint64_t large;
};

struct server_groups {
    struct server_file files[SERVER_FILES];
    struct server_file *open; /* NULL: none */
    bool writing;
    char names[2 * (SERVER_NAME_MAX + 1)];
    struct ferry_fs_group_config fs_config;
    struct ferry_fs_group fs;

    uint8_t name[12];
    uint16_t name_len;
    uint8_t level;
    struct ferry_setting declared[2];
    struct ferry_settings_store settings;
    struct ferry_settings_group_config settings_config;

    uint8_t log_memory[300];
    struct ferry_log_ring ring;
    struct ferry_log log;
    struct ferry_log_group_config log_config;

    struct server_counters counters;
    struct ferry_stat_set stat_set;
    struct ferry_stat_group_config stat_config;
    struct ferry_basic_group_config basic_config;
};

/* A device as it is delivered: one file, nothing in the log. */
void server_groups_make(struct server_groups *groups);

/* After a reset: files stay, nothing is open; settings are those of the store (or NULL: there is
 * none). */
void server_groups_reset(struct server_groups *groups, struct ferry_store *store);

/* What they are now, in one number: to see whether a command changed anything. */
uint32_t server_groups_sum(const struct server_groups *groups);

/* Their state is one that it can be. */
void server_groups_check(const struct server_groups *groups);

#endif
