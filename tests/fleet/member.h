/* SPDX-License-Identifier: Apache-2.0 */
/* One device of a fleet: two slots in RAM, Ferry's bootloader and server over them. */
#ifndef FLEET_MEMBER_H
#define FLEET_MEMBER_H

#include "ferry/boot.h"
#include "ferry/group_image.h"
#include "ferry/group_os.h"

#define MEMBER_SECTOR  2048
#define MEMBER_SECTORS 16
#define MEMBER_SLOT    (MEMBER_SECTOR * MEMBER_SECTORS)

/* The buffers it tells clients of. */
#define MEMBER_BUF_SIZE  1024
#define MEMBER_BUF_COUNT 4

/* What all have in common. */
struct fleet {
    struct ferry_image_trust trust;
    struct ferry_image_key key;
    struct ferry_os_group_config os;
    struct ferry_image_options options;
    uint8_t *work; /* of the bootloader; one boots at a time */
    size_t work_size;
};

/* May not be moved once it is made. */
struct member {
    int fd;       /* its UDP port */
    bool off;     /* it is resetting: it hears nothing */
    bool is_dead; /* its bootloader started nothing */
    uint32_t boots;
    uint32_t swaps;
    uint8_t memory[2][MEMBER_SLOT];
    struct ferry_flash_ram flash[2];
    struct ferry_boot_image image;
    struct ferry_os_group os_group;
    struct ferry_image_group_config image_config;
    struct ferry_image_group image_group;
    struct ferry_server_mount mounts[2];
    struct ferry_server_config server_config;
    struct ferry_server server;
    struct ferry_boot_report report; /* of the last boot */
};

/* Program an image of size bytes into an erased device. Returns FERRY_OK or an error. */
FERRY_MUST_CHECK
int member_init(struct member *member, const struct fleet *fleet, const uint8_t *image,
                size_t size);

/* A reset: the bootloader does its work, and the server begins anew. Returns FERRY_OK, or why
 * nothing may run. */
FERRY_MUST_CHECK
int member_boot(struct member *member, const struct fleet *fleet);

/* Answer one datagram. Returns the bytes of the answer in out; 0 = none. */
size_t member_answer(struct member *member, struct ferry_bytes packet, uint8_t *out, size_t cap);

/* Whether a reset was asked for. */
bool member_wants_reset(const struct member *member);

#endif
