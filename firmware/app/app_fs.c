/* SPDX-License-Identifier: Apache-2.0 */
/* Group fs of the example: the folder that the chip hands over, and only if the layout lists it. */
#include "app.h"

#include "ferry/group_fs.h"

#include "port/posix/fs_posix.h"

#define NAME_BYTES 64
#define IDLE_MS    3000

static struct ferry_fs_group group;

int app_fs_open(struct app *app, struct ferry_server_mount *mount)
{
    static const struct ferry_fs_hash *const hashes[] = {&ferry_fs_hash_crc32,
                                                         &ferry_fs_hash_sha256};
    static struct ferry_fs_posix files;
    static char names[2 * (NAME_BYTES + 1)];
    static struct ferry_fs_group_config config = {
        .provider = &ferry_fs_posix_provider,
        .provider_context = &files,
        .hashes = hashes,
        .hash_count = sizeof(hashes) / sizeof(hashes[0]),
        .names = names,
        .name_max = NAME_BYTES,
        .idle_ms = IDLE_MS,
        .feed = app_feed,
    };

    if (!app_has(app, FERRY_VCHIP_FILES)) {
        return FERRY_E_NOT_FOUND;
    }
    ferry_fs_posix_init(&files, FERRY_VCHIP_FD_FILES, FERRY_VCHIP_FILE_MAX);
    config.context = app;
    *mount = (struct ferry_server_mount){&ferry_fs_group_table, &group};
    return ferry_fs_group_init(&group, &config);
}

void app_fs_poll(uint64_t now)
{
    if (group.config != NULL) {
        (void)ferry_fs_group_poll(&group, now);
    }
}

void app_fs_close(void)
{
    if (group.config != NULL) {
        (void)ferry_fs_group_close(&group); /* the reset was answered: nobody is there to be told */
    }
}
