/* SPDX-License-Identifier: Apache-2.0 */
#include "server_groups.h"

#include "check.h"

#include <stddef.h>
#include <string.h>

/* ---- Files in memory --------------------------------------------------------------------------
 */

static struct server_file *find(struct server_groups *groups, const char *name)
{
    CHECK(name[0] != '\0' && strlen(name) <= SERVER_NAME_MAX);
    for (size_t i = 0; i < SERVER_FILES; i++) {
        if (strcmp(groups->files[i].name, name) == 0) {
            return &groups->files[i];
        }
    }
    return NULL;
}

static int file_size(void *context, const char *name, uint32_t *size)
{
    struct server_file *file = find(context, name);

    if (file == NULL) {
        return strcmp(name, "folder") == 0 ? FERRY_FS_ERR_IS_DIRECTORY : FERRY_FS_ERR_NOT_FOUND;
    }
    *size = file->size;
    return FERRY_FS_OK;
}

static struct server_file *make(struct server_groups *groups, const char *name)
{
    for (size_t i = 0; i < SERVER_FILES; i++) {
        if (groups->files[i].name[0] == '\0') {
            strcpy(groups->files[i].name, name);
            groups->files[i].size = 0;
            return &groups->files[i];
        }
    }
    return NULL;
}

static int file_open(void *context, const char *name, bool writing, uint32_t *size)
{
    struct server_groups *groups = context;
    struct server_file *file = find(groups, name);

    CHECK(groups->open == NULL);
    if (file == NULL && writing) {
        file = make(groups, name);
    }
    if (file == NULL) {
        return writing ? FERRY_FS_ERR_OPEN_FAILED : FERRY_FS_ERR_NOT_FOUND;
    }
    groups->open = file;
    groups->writing = writing;
    *size = file->size;
    return FERRY_FS_OK;
}

static int file_read(void *context, uint32_t offset, uint8_t *data, size_t len)
{
    struct server_groups *groups = context;

    CHECK(groups->open != NULL && !groups->writing && len > 0);
    CHECK(offset <= groups->open->size && len <= groups->open->size - offset);
    memcpy(data, groups->open->bytes + offset, len);
    return FERRY_FS_OK;
}

static int file_write(void *context, uint32_t offset, const uint8_t *data, size_t len)
{
    struct server_groups *groups = context;

    CHECK(groups->open != NULL && groups->writing && len > 0 && offset == groups->open->size);
    if (len > SERVER_FILE_MAX - offset) {
        return FERRY_FS_ERR_WRITE_FAILED;
    }
    memcpy(groups->open->bytes + offset, data, len);
    groups->open->size += (uint32_t)len;
    return FERRY_FS_OK;
}

static int file_truncate(void *context)
{
    struct server_groups *groups = context;

    CHECK(groups->open != NULL && groups->writing);
    groups->open->size = 0;
    return FERRY_FS_OK;
}

static int file_close(void *context)
{
    struct server_groups *groups = context;

    CHECK(groups->open != NULL);
    groups->open = NULL;
    return FERRY_FS_OK;
}

static const struct ferry_fs_provider provider = {.size = file_size,
                                                  .open = file_open,
                                                  .read = file_read,
                                                  .write = file_write,
                                                  .truncate = file_truncate,
                                                  .close = file_close};

static void reset_files(struct server_groups *groups)
{
    static const struct ferry_fs_hash *const hashes[] = {&ferry_fs_hash_crc32,
                                                         &ferry_fs_hash_sha256};

    groups->open = NULL;
    groups->fs_config = (struct ferry_fs_group_config){.provider = &provider,
                                                       .provider_context = groups,
                                                       .hashes = hashes,
                                                       .hash_count = 2,
                                                       .names = groups->names,
                                                       .name_max = SERVER_NAME_MAX,
                                                       .idle_ms = 3000};
    CHECK(ferry_fs_group_init(&groups->fs, &groups->fs_config) == FERRY_OK);
}

/* ---- The others -------------------------------------------------------------------------------
 */

static bool takes_level(const struct ferry_setting *setting, const uint8_t *data, size_t len)
{
    CHECK(len >= setting->min && len <= setting->max);
    return data[0] <= 4;
}

static void reset_settings(struct server_groups *groups, struct ferry_store *store)
{
    groups->declared[0] = (struct ferry_setting){.name = "id/name",
                                                 .number = 0,
                                                 .value = groups->name,
                                                 .max = sizeof(groups->name),
                                                 .len = &groups->name_len,
                                                 .initial = "ferry",
                                                 .initial_len = 5};
    groups->declared[1] = (struct ferry_setting){.name = "log/level",
                                                 .number = 1,
                                                 .value = &groups->level,
                                                 .min = 1,
                                                 .max = 1,
                                                 .takes = takes_level};
    groups->settings = (struct ferry_settings_store){.settings = groups->declared,
                                                     .count = 2,
                                                     .store = store,
                                                     .first_key = SERVER_FIRST_KEY,
                                                     .key_count = 4};
    groups->settings_config = (struct ferry_settings_group_config){
        .provider = &ferry_settings_in_store, .context = &groups->settings};
    CHECK(ferry_settings_store_init(&groups->settings) == FERRY_OK);
    (void)ferry_settings_store_load(&groups->settings);
    groups->basic_config = (struct ferry_basic_group_config){.erase = ferry_settings_store_erase,
                                                             .context = &groups->settings};
}

static void reset_log(struct server_groups *groups)
{
    static const struct ferry_log_module modules[] = {{"app", 64}, {"smp", 65}};
    static const char *const messages[] = {"started", "", "a line that is longer than the others"};

    ferry_log_ring_init(&groups->ring, groups->log_memory, sizeof(groups->log_memory));
    for (uint8_t i = 0; i < 12; i++) {
        const struct ferry_log_entry entry = {.ts_us = 1 + 1000 * i,
                                              .level = i % 5,
                                              .module = 64 + i % 3,
                                              .kind =
                                                  i % 3 == 2 ? FERRY_LOG_BINARY : FERRY_LOG_TEXT};

        ferry_log_ring_add(&groups->ring, &entry, messages[i % 3], strlen(messages[i % 3]));
    }
    groups->log = (struct ferry_log){.name = "app",
                                     .type = FERRY_LOG_MEMORY,
                                     .ops = &ferry_log_in_ring,
                                     .context = &groups->ring};
    groups->log_config = (struct ferry_log_group_config){
        .logs = &groups->log, .log_count = 1, .modules = modules, .module_count = 2};
}

static void reset_counters(struct server_groups *groups)
{
    static const struct ferry_stat_counter counters[] = {FERRY_STAT(struct server_counters, small),
                                                         FERRY_STAT(struct server_counters, plain),
                                                         FERRY_STAT(struct server_counters, large)};

    groups->counters = (struct server_counters){200, 70000, UINT64_C(1) << 40};
    groups->stat_set = (struct ferry_stat_set){
        .name = "smp", .counters = counters, .count = 3, .values = &groups->counters};
    groups->stat_config =
        (struct ferry_stat_group_config){.sets = &groups->stat_set, .set_count = 1};
}

void server_groups_reset(struct server_groups *groups, struct ferry_store *store)
{
    reset_files(groups);
    reset_settings(groups, store);
    reset_log(groups);
    reset_counters(groups);
}

void server_groups_make(struct server_groups *groups)
{
    for (size_t i = 0; i < SERVER_FILES; i++) {
        groups->files[i].name[0] = '\0';
        groups->files[i].size = 0;
    }
    strcpy(groups->files[0].name, "a/b");
    memset(groups->files[0].bytes, 0x5a, 500);
    groups->files[0].size = 500;
}

uint32_t server_groups_sum(const struct server_groups *groups)
{
    uint32_t sum = groups->ring.next_index + (uint32_t)groups->ring.used + groups->level;

    for (size_t i = 0; i < SERVER_FILES; i++) {
        sum = sum * 31 + groups->files[i].size + (uint8_t)groups->files[i].name[0];
    }
    for (size_t i = 0; i < groups->name_len; i++) {
        sum = sum * 31 + groups->name[i];
    }
    return sum;
}

void server_groups_check(const struct server_groups *groups)
{
    CHECK(groups->fs.open == (groups->open != NULL));
    CHECK(!groups->fs.open || groups->fs.writing == groups->writing);
    CHECK(!groups->fs.open || groups->fs.active);
    CHECK(groups->name_len <= sizeof(groups->name) && groups->level <= 4);
    CHECK(groups->ring.used <= groups->ring.size);
}
