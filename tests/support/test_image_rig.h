/* SPDX-License-Identifier: Apache-2.0 */
/* A server with os and image group over slots in memory, for the image group's tests. */
#ifndef TEST_IMAGE_RIG_H
#define TEST_IMAGE_RIG_H

#include "ferry/group_image.h"
#include "ferry/group_os.h"
#include "test_image.h"
#include "test_rig.h"

#define RIG_IMAGES  2
#define RIG_SECTOR  4096U
#define RIG_SECTORS 16U
#define RIG_SLOT    (RIG_SECTOR * RIG_SECTORS)
#define RIG_EVENTS  16

struct image_rig {
    uint8_t memory[2 * RIG_IMAGES][RIG_SLOT];
    struct ferry_flash_ram ram[2 * RIG_IMAGES];
    struct ferry_power power; /* one for all slots: set cut_at to make the flash fail */
    struct ferry_flash_cutter flash[2 * RIG_IMAGES];
    struct ferry_slots slots[RIG_IMAGES];
    struct ferry_image_options options;
    struct ferry_image_group_config group_config;
    struct ferry_image_group group;
    struct ferry_os_group_config os_config;
    struct ferry_os_group os;
    struct ferry_server_mount mounts[2];
    struct ferry_server_config config;
    struct ferry_server server;
    struct ferry_server_event events[RIG_EVENTS];
    int event_count;
    int hook_rc;                    /* what the upload hook answers */
    uint16_t hook_error;            /* … as error of group 64 when not 0 */
    struct ferry_image_chunk chunk; /* what it was asked last */
    unsigned fed;
};

/* Erased slots of one write size; count images; swap-move; Zephyr's defaults. */
void image_rig_set_up(struct image_rig *rig, uint8_t write_size, uint8_t images);

/* Make group and server anew, after slots or configuration were changed. */
void image_rig_restart(struct image_rig *rig);

/* Build an image (digest only, 1000 bytes of payload) with version major.0.0+build into out.
 * Returns its size. */
size_t image_rig_build(uint8_t major, uint32_t build, uint8_t *out, size_t cap);

/* Put such an image into a slot (2n, 2n + 1), as a debugger would. */
void image_rig_install(struct image_rig *rig, uint32_t slot, uint8_t major, uint32_t build);

/* Its digest TLV in hex, 64 digits and NUL. */
void image_rig_hash(struct image_rig *rig, uint32_t slot, char hex[65]);

/* What the next boot would do with an image. */
enum ferry_swap_type image_rig_next(const struct image_rig *rig, uint32_t image);

/* Make the trailers of an image say "running unconfirmed, reverts at the next boot". */
void image_rig_make_revert(struct image_rig *rig, uint32_t image);

/* The events so far as text: "started 0 1234, finished 0 1234". Forgets them. */
const char *image_rig_events(struct image_rig *rig);

/* Ask the image group in version 2 or 1; compare the answer. */
void image_rig_expect(struct image_rig *rig, uint8_t op, uint8_t id, const char *request,
                      const char *json);
void image_rig_expect_v1(struct image_rig *rig, uint8_t op, uint8_t id, const char *request,
                         const char *json);

/* One image of this strategy, write size 8: v1 in slot 0 and v2 in slot 1. */
void image_rig_set_up_pair(struct image_rig *rig, const struct ferry_strategy_traits *strategy);

/* The flags the list shows, as "0:ac 1:pP": active, confirmed, pending, Permanent. */
const char *image_rig_flags(struct image_rig *rig);

/* An upload request: keys that are negative or NULL are left out. */
struct rig_upload {
    int64_t image;
    int64_t len;
    int64_t off;
    const uint8_t *data;
    size_t data_len;
    const uint8_t *sha;
    size_t sha_len;
    int upgrade;
};

#define RIG_UPLOAD                                                                                 \
    {                                                                                              \
        .image = -1, .len = -1, .off = -1, .upgrade = -1                                           \
    }

/* Send one; the answer as JSON, valid until the next call. */
const char *image_rig_upload(struct image_rig *rig, uint8_t version,
                             const struct rig_upload *upload);

/* Upload a whole file: a first chunk of `first` bytes, then of `chunk`. Checks every answer. */
void image_rig_upload_all(struct image_rig *rig, uint32_t image, const uint8_t *file, size_t len,
                          size_t first, size_t chunk);

#endif
