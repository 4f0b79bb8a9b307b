/* SPDX-License-Identifier: Apache-2.0 */
/* The dump of a device's whole flash, opened by its layout: in memory, so that the bootloader's own
 * engine may run on it; the files are never written. */
#ifndef CLI_DUMP_DUMP_H
#define CLI_DUMP_DUMP_H

#include "cli/key/key.h"
#include "layout/layout_slots.h"

#include "ferry/boot.h"
#include "ferry/keys.h"

/* Bytes of workspace to verify and to boot with. */
#define DUMP_WORK 16384

/* What is in a slot, as the bootloader would see it. */
struct dump_image {
    struct ferry_flash_slice view; /* from where the image begins or should */
    uint32_t offset;               /* of that in the slot */
    struct ferry_image_info info;
    int error;     /* of header, sizes and TLVs; the rest counts when it is FERRY_OK */
    int digest;    /* FERRY_OK or why not; FERRY_E_SECRET when no key of the device decrypts it */
    int signature; /* the same with the keys that count */
    bool decrypted;
};

/* A dump. It points into itself: it may not be moved. */
struct dump {
    struct layout layout;
    struct cli_buffer files[FERRY_VCHIP_DEVICES];
    const char *paths[FERRY_VCHIP_DEVICES];
    struct ferry_flash_ram flash[FERRY_VCHIP_DEVICES];
    const struct ferry_flash *devices[FERRY_VCHIP_DEVICES];

    struct layout_slots slots[FERRY_VCHIP_IMAGES];
    struct ferry_flash_slice store_area;
    struct ferry_store store;
    int store_error; /* FERRY_E_NOT_FOUND: the layout has none */

    bool has_key_area;
    struct ferry_image_key product[FERRY_KEYS_PRODUCT];
    uint8_t ders[FERRY_KEYS_PRODUCT][FERRY_VCHIP_KEY_MAX];
    struct ferry_image_trust product_trust;
    struct ferry_keys keys;
    int keys_error; /* the store does not say which keys were revoked */

    bool has_secrets;
    struct ferry_image_secret secret_list[LAYOUT_SECRETS];
    uint8_t secret_bytes[LAYOUT_SECRETS][FERRY_VCHIP_SECRET_MAX];
    struct ferry_image_secrets secrets;

    const struct ferry_policy_rule *rules[5];
    struct ferry_image_policy policy;

    bool has_first;
    struct ferry_flash_slice first_slots[2];
    struct ferry_flash_slice provision;
    struct ferry_first first;

    uint8_t work[DUMP_WORK];
};

/* Open a dump: read the layout and a file of each of its flash devices.
 *
 * files   count of them, each "PATH" in the order of the layout, or "NAME=PATH"; kept
 * key     verifies in place of the keys in the dump; NULL = those count. Must outlive the dump
 *
 * Returns CLI_OK and *dump, for dump_close(); or an enum cli_exit after a message: CLI_VERIFY for a
 * file that has not the size of its device. */
FERRY_MUST_CHECK
int dump_open(const struct cli *cli, const char *layout, char *const files[], int count,
              const struct key *key, struct dump **dump);

/* Forget all of it, secrets too. dump may be NULL. */
void dump_close(struct dump *dump);

/* Read keys, secrets, policy and first stage, as the bootloader does. Part of dump_open(). */
void dump_read_trust(struct dump *dump, const struct key *key);

/* Make the slots of every image, those of the bootloader's own for the slot that runs (S0, S1).
 * Returns FERRY_OK or the error of a slot that cannot be. */
FERRY_MUST_CHECK
int dump_read_slots(struct dump *dump);

/* Look at the image in a slot and verify it with the keys that count. */
void dump_look(struct dump *dump, uint32_t image, uint32_t slot, struct dump_image *found);

#endif
