/* SPDX-License-Identifier: Apache-2.0 */
/* What updates cost a device of a layout: flash operations, time, wear. Nothing here is a formula
 * for a strategy: a model of the device lives through updates, and what it did is counted. */
#ifndef CLI_LAYOUT_ESTIMATE_H
#define CLI_LAYOUT_ESTIMATE_H

#include "model.h"

/* Times where neither the command line nor the layout says any: an nRF52840's at most. */
#define ESTIMATE_ERASE_MS   85U /* of each 4096 bytes begun of a sector */
#define ESTIMATE_ERASE_SIZE 4096U
#define ESTIMATE_WORD_US    41U /* of 4 bytes */
#define ESTIMATE_ENDURANCE  10000U

/* What the command line says of every flash device; 0 = as the layout has it. */
struct estimate_options {
    uint32_t erase_ms;   /* for a sector */
    uint32_t program_us; /* for a write unit */
    uint32_t read_kib_s; /* 0: reading takes no time */
    uint32_t endurance;  /* erases a sector stands */
};

enum estimate_phase {
    ESTIMATE_UPLOAD,  /* the server erases and writes, and the test is asked for */
    ESTIMATE_INSTALL, /* the boot into the new image, its trial, the confirm */
    ESTIMATE_REVERT,  /* not confirmed: the boots until the old image runs again */
    ESTIMATE_PHASES
};

struct estimate_cost {
    uint32_t erases; /* sectors */
    uint64_t written, read;
    double seconds;
};

struct estimate_area {
    bool used;
    struct estimate_cost phases[ESTIMATE_PHASES];
    double wear;      /* erases of its hottest sector in an update, on average */
    uint32_t updates; /* until the first sector has its endurance; UINT32_MAX: never */
};

struct estimate {
    struct estimate_area areas[FERRY_VCHIP_AREAS]; /* as the layout numbers them */
    struct estimate_cost phases[ESTIMATE_PHASES];  /* of all areas */
    bool reverts;
    uint32_t hottest;       /* the area that is worn out first; FERRY_VCHIP_NO_AREA: none ever */
    uint32_t store_updates; /* so many were looked at for the wear of the store; 0: there is none */
    const char *what;       /* at what it failed */
};

/* Estimate updates of some of a layout's images, all of them at once.
 *
 * mask   of images, as for model_open()
 * sizes  of the image files, for each of the layout's images; 0 = the largest there can be
 *
 * After an error estimate->what says at what. Returns FERRY_OK; FERRY_E_IMAGE_SIZE for a size that
 * is too small to make an image of; FERRY_E_TOO_LARGE for one that does not fit; FERRY_E_SPACE; or
 * what the model met. */
FERRY_MUST_CHECK
int estimate_updates(const struct layout *layout, uint32_t mask,
                     const uint32_t sizes[FERRY_VCHIP_IMAGES],
                     const struct estimate_options *options, struct estimate *estimate);

/* What a flash device of the layout takes for an erase of a sector of this size and for a write
 * unit, and how many erases it stands. */
double estimate_erase_ms(const struct layout_device *device, const struct estimate_options *options,
                         uint32_t sector_size);
double estimate_program_us(const struct layout_device *device,
                           const struct estimate_options *options);
uint32_t estimate_endurance(const struct layout_device *device,
                            const struct estimate_options *options);

#endif
