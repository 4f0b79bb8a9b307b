/* SPDX-License-Identifier: Apache-2.0 */
/* A small device: two slots, a scratch area and a store in memory, one power supply, and flash that
 * may fail at any one operation. */
#ifndef PLACE_RIG_H
#define PLACE_RIG_H

#include "ferry/boot.h"
#include "test_image.h"
#include "test_policies.h"

#define PLACE_SLOT_MAX 4096
#define PLACE_STORE    1024
#define PLACE_RAM      0x20000000U /* where the RAM of ram-load is */
#define PLACE_RAM_SIZE 2048

/* What happens to the operation that was chosen. */
enum place_way {
    PLACE_BEFORE,   /* the power fails before it */
    PLACE_AFTER,    /* the power fails after it */
    PLACE_HALF,     /* the power fails after its first half */
    PLACE_TORN,     /* the power fails; of what it changes every second bit happens */
    PLACE_ECC,      /* torn, and unreadable until it is erased */
    PLACE_UNSTABLE, /* torn, and reads differently each time until it is erased */
    PLACE_FAILS,    /* it does nothing and says so, once */
    PLACE_DIES,     /* so does every operation on that sector from now on */
    PLACE_WAYS
};

/* A fault to come, at operation `at` after the one before; 0 = none, nor any after it. */
struct place_fault {
    uint32_t at;
    enum place_way way;
};

#define PLACE_FAULTS 2

struct place_rig;

struct place_flash {
    struct ferry_flash flash;
    struct place_rig *rig;
    uint8_t memory[PLACE_SLOT_MAX];
    uint8_t state[PLACE_SLOT_MAX]; /* 0 sound, 1 unreadable, 2 unstable */
    bool dead[128];                /* sectors that take nothing any more */
    uint32_t bytes_read;
};

struct place_image {
    uint8_t bytes[PLACE_SLOT_MAX];
    uint32_t size;
};

/* Numbers of the areas behind the slots. */
enum { PLACE_SCRATCH = 2, PLACE_STORE_AREA = 3, PLACE_AREAS };

/* What a byte's state may be beside 0, sound. */
enum { PLACE_UNREADABLE = 1, PLACE_UNSTEADY = 2 };

struct place_rig {
    struct place_flash slot[PLACE_AREAS];
    struct ferry_store store;
    struct ferry_boot_ram ram;
    uint8_t memory[PLACE_RAM_SIZE];
    struct ferry_boot_image image;
    struct ferry_boot_config config;
    struct ferry_boot_hooks hooks;
    uint8_t buf[256];
    struct ferry_boot_report report;
    bool with_store;
    bool off;            /* the power failed */
    uint32_t operations; /* programs and erases since the power came */
    struct place_fault faults[PLACE_FAULTS];
    uint32_t since;  /* operations since the last fault */
    uint32_t struck; /* faults that struck; number of the next one */
    uint32_t noise;
    uint32_t violations; /* programs of what was not erased, erases of what was */
    uint32_t needless;   /* the latter alone: a step that is resumed may do so */
    uint8_t damage;      /* what place_trailer() makes of a damaged flag */
    char log[4096];      /* since place_power_on(): " eP3" sector 3 of the primary erased, " P3"
                            programmed; S secondary, X scratch, T store */
    uint32_t feeds;
};

/* Erased slots of sectors of 256 bytes (the secondary: sectors of 128, other erased value when
 * odd), write size 8, a scratch area of two sectors of 256 for those who need one, and an empty
 * store, which is used only when with_store. */
void place_init(struct place_rig *rig, const struct ferry_strategy_traits *traits, bool with_store);

/* Give an area other sectors, write size and erased value, and erase it. */
void place_geometry(struct place_flash *place, const struct ferry_flash_run *runs, uint8_t count,
                    uint8_t write_size, uint8_t erased);

/* The power comes (back); faults that have not struck are still to come. Opens the store again; one
 * that cannot be opened is none. */
void place_power_up(struct place_rig *rig);

/* As that, with one fault to come, at operation fault_at (0 = none). */
void place_power_on(struct place_rig *rig, uint32_t fault_at, enum place_way way);

/* Two faults to come, from now on. */
void place_arm(struct place_rig *rig, const struct place_fault faults[PLACE_FAULTS]);

/* An image of version major.0.0 with size bytes of payload; load_address for ram-load. */
void place_build(struct place_image *image, uint8_t major, size_t payload, uint32_t flags,
                 uint32_t load_address);

/* Erase a slot and put an image there, behind every rule. NULL: leave it erased. */
void place_load(struct place_rig *rig, uint32_t slot, const struct place_image *image);

/* Whether a slot begins with exactly this image. */
bool place_holds(const struct place_rig *rig, uint32_t slot, const struct place_image *image);

/* Set the fields of a slot's trailer directly: any of 'm' magic, 'd' copy_done, 'k' image_ok;
 * capitals damage them instead:
 * the magic by other bytes, a flag by rig->damage. */
void place_trailer(struct place_rig *rig, uint32_t slot, const char *fields);

/* The trailer as letters: "mdk", "md", "m", ""; capitals are damaged. In the order m, d, k. */
const char *place_fields(const struct place_rig *rig, uint32_t slot);

#endif
