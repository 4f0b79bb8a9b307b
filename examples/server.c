/* SPDX-License-Identifier: Apache-2.0 */
/* An SMP server without an operating system: packets in, packets out. Here one echo request. */
#include "ferry/group_os.h"

#include <stdio.h>

int main(void)
{
    static const struct ferry_os_group_config os_config = {.bootloader_mode = 3};
    struct ferry_os_group os;
    const struct ferry_server_mount mounts[] = {{&ferry_os_group_table, &os}};
    const struct ferry_server_config config = {
        .groups = mounts, .group_count = 1, .buf_size = 256, .buf_count = 2};
    struct ferry_server server;
    static const uint8_t request[] = "\x0a\x00\x00\x09\x00\x00\x00\x00\xa1\x61\x64\x65hello";
    struct ferry_bytes pending = {request, sizeof request - 1};
    uint8_t answer[256];

    ferry_os_group_init(&os, &os_config);
    if (ferry_server_init(&server, &config) != FERRY_OK) {
        return 1;
    }
    while (pending.len > 0) {
        size_t len = ferry_server_handle(&server, &pending, 0, answer, sizeof answer);
        printf("answer of %zu bytes: %.*s\n", len, 5, (const char *)answer + len - 6);
    }
    return 0;
}
