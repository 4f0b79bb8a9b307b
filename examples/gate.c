/* SPDX-License-Identifier: Apache-2.0 */
/* A server that is locked: it echoes for everybody, and resets for who unlocked it. */
#include "ferry/group_access.h"
#include "ferry/group_os.h"

#include <stdio.h>

enum { SERIAL, UDP, WIRES }; /* the numbers given to ferry_server_handle() */

static uint64_t clock_ms(void *context)
{
    (void)context;
    return 0; /* the chip's; it never goes back */
}

static int random_bytes(void *context, uint8_t *bytes, size_t len)
{
    (void)context, (void)bytes, (void)len;
    return FERRY_E_UNSUPPORTED; /* the chip's; without them nothing is unlocked */
}

/* The end of the owner's public key in DER: ferry pubkey -k KEY -e der | tail -c 32 */
static const struct ferry_gate_key owner = {
    .bytes = {0xd7, 0x5a, 0x98, 0x01, 0x82, 0xb1, 0x0a, 0xb7, 0xd5, 0x4b, 0xfe,
              0xd3, 0xc9, 0x64, 0x07, 0x3a, 0x0e, 0xe1, 0x72, 0xf3, 0xda, 0xa6,
              0x23, 0x25, 0xaf, 0x02, 0x1a, 0x68, 0xf7, 0x07, 0x51, 0x1a},
    .level = FERRY_ACCESS_SERVICE,
    .seconds = 3600};

static const struct ferry_gate_config gate_config = {
    .policy = &ferry_gate_locked,
    .keys = &owner,
    .key_count = 1,
    .device_id = {(const uint8_t *)"serial 0001", 11},
    .now_ms = clock_ms,
    .random = random_bytes};

int main(void)
{
    static const struct ferry_os_group_config os_config = {.bootloader_mode = 3};
    static struct ferry_os_group os;
    static struct ferry_gate gate;
    static struct ferry_gate_wire wires[WIRES];
    static const struct ferry_server_mount groups[] = {{&ferry_os_group_table, &os},
                                                       {&ferry_access_group_table, &gate}};
    static const struct ferry_server_config config = {.groups = groups,
                                                      .group_count = 2,
                                                      .buf_size = 256,
                                                      .buf_count = 2,
                                                      .gate = ferry_gate_ask,
                                                      .gate_context = &gate};
    static const uint8_t reset[] = "\x0a\x00\x00\x01\x00\x00\x00\x05\xa0";
    struct ferry_bytes pending = {reset, sizeof reset - 1};
    struct ferry_server server;
    uint8_t answer[256];

    ferry_os_group_init(&os, &os_config);
    if (ferry_gate_init(&gate, &gate_config, wires, WIRES) != FERRY_OK ||
        ferry_server_init(&server, &config) != FERRY_OK) {
        return 1;
    }
    size_t len = ferry_server_handle(&server, &pending, UDP, answer, sizeof answer);
    printf("a reset over UDP: rc %d\n", answer[len - 2]);
    return ferry_os_group_reset_due(&os, NULL) ? 1 : 0;
}
