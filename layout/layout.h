/* SPDX-License-Identifier: Apache-2.0 */
/* The layout file: one JSON text that describes a device's flash, areas, images and keys.
 * docs/DEVICE.md has every field. */
#ifndef LAYOUT_H
#define LAYOUT_H

#include "ferry/vchip.h"

#define LAYOUT_KEYS     8
#define LAYOUT_SECRETS  4
#define LAYOUT_WHY_MAX  480
#define LAYOUT_PATH_MAX 256

/* Largest flash device served, bytes. */
#define LAYOUT_FLASH_MAX FERRY_VCHIP_SPAN

struct layout_device {
    char name[FERRY_VCHIP_NAME];
    bool no_second_write;
    uint32_t erase_ms, program_us, endurance; /* a sector, a write unit, erases; 0: not said */
    struct ferry_flash geometry;              /* no operations: for sizes and sectors only */
};

struct layout {
    struct layout_device devices[FERRY_VCHIP_DEVICES];
    struct ferry_vchip_area areas[FERRY_VCHIP_AREAS];
    struct ferry_vchip_image images[FERRY_VCHIP_IMAGES];
    uint32_t device_count, area_count, image_count;
    uint32_t max_align, max_sectors;
    uint32_t trials;
    uint32_t ram_address, ram_size; /* size 0: no RAM to share */
    uint32_t flags;                 /* FERRY_VCHIP_NO_DOWNGRADE and the others */
    uint8_t vendor_id[16];          /* for their flags */
    uint8_t class_id[16];
    char keys[LAYOUT_KEYS][LAYOUT_PATH_MAX]; /* as written: relative to the layout file */
    uint32_t key_count;
    bool has_first; /* the chip starts the area first_program instead of "bootloader" */
    uint32_t first_program, first_provision, first_slots[2];
    struct {
        bool off, button;
        uint32_t wait_ms, idle_ms;
    } recovery;
    struct {
        uint32_t lock;                    /* enum ferry_vchip_lock */
        char unlock_key[LAYOUT_PATH_MAX]; /* as keys; "" = none */
        struct ferry_vchip_grant grants[FERRY_VCHIP_GRANTS];
    } server;         /* its flags are in flags */
    uint32_t enc_tlv; /* bytes of an ENC TLV that trailers keep; 0: images are not encrypted */
    char secrets[LAYOUT_SECRETS][LAYOUT_PATH_MAX]; /* as keys */
    uint32_t secret_count;
};

/* The layout a device has when none is given; device/layout.json says the same. */
extern const char layout_default_text[];

/* Read and check a layout.
 *
 * text  JSON with a NUL at its end
 * why   on an error: the field, what is wrong with it and what to do
 *
 * Returns FERRY_OK; FERRY_E_FORMAT when it is no JSON; FERRY_E_CONFIG when a field is wrong;
 * FERRY_E_LAYOUT when the slots do not suit their strategy. layout is filled on FERRY_OK only. */
FERRY_MUST_CHECK
int layout_parse(const char *text, struct layout *layout, char why[LAYOUT_WHY_MAX]);

/* The area with a name, or NULL. */
const struct ferry_vchip_area *layout_area(const struct layout *layout, const char *name);

/* The area that the chip starts: the first stage's program, or the bootloader's. */
const struct ferry_vchip_area *layout_start_area(const struct layout *layout);

/* The board's part of what a program is told at its start, but for the key that unlocks its server,
 * which is a file. The rest of start is left alone. */
void layout_describe(const struct layout *layout, struct ferry_vchip_start *start);

#endif
