/* SPDX-License-Identifier: Apache-2.0 */
/* The next boot of a dump: what trailers and store ask for, and what the bootloader makes of it.
 * Nothing of that is decided here: the engine itself runs, on the copy in memory. */
#ifndef CLI_DUMP_DUMP_BOOT_H
#define CLI_DUMP_DUMP_BOOT_H

#include "dump.h"

struct dump_next {
    int asked_error;                /* of the question what is asked for */
    struct ferry_slots_next asked;  /* ferry_slots_next_boot() */
    struct ferry_version before[2]; /* in the slots, before the boot; zero where there is none */
    struct ferry_boot_image_report report;
    uint8_t into;         /* with report.restart: the slot of the other bootloader */
    uint32_t step, steps; /* of an unfinished swap: steps done of all; 0 of 0 = none went on */
};

struct dump_boot {
    struct dump_next images[FERRY_VCHIP_IMAGES];
    int result;    /* FERRY_OK; FERRY_E_NO_IMAGE: nothing starts; else why that cannot be told */
    int selection; /* with a first stage: FERRY_OK, or why no bootloader starts */
    bool restarts; /* another bootloader is installed first */
};

/* The first stage's turn, if there is one: the slots of the bootloader's own image are then those
 * of the slot that runs. It comes before dump_boot(), and changes the provision data in memory. */
void dump_boot_select(struct dump *dump, struct dump_boot *boot);

/* Boot once with the power just switched on. The dump is changed as flash would be: what is to be
 * said of it is said before. */
void dump_boot(struct dump *dump, struct dump_boot *boot);

#define DUMP_WORDS_MAX 320

/* "installs slot 1 for a test (1.0.0 → 2.0.0)": what becomes of an image. */
void dump_boot_words(const struct dump *dump, uint32_t image, const struct dump_boot *boot,
                     char words[DUMP_WORDS_MAX]);

#endif
