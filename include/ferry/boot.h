/* SPDX-License-Identifier: Apache-2.0 */
/* The bootloader's engine: finishes what a power cut interrupted, decides, verifies, swaps,
 * reverts, and says which image may run. It jumps nowhere: that is the port's. */
#ifndef FERRY_BOOT_H
#define FERRY_BOOT_H

#include "ferry/slots.h"

/* Images (pairs of slots) one bootloader serves at most. */
#define FERRY_BOOT_IMAGES 4

struct ferry_boot_swap; /* core/boot/swap.h */

/* How images are moved: one const table a file (core/boot/strategy_*.c). A product lists the
 * ones it wants and the linker drops the rest. */
struct ferry_boot_strategy {
    const struct ferry_strategy_traits *traits;
    /* Whether a swap was interrupted and must be finished before anything else.
     * Returns 1, 0 or a flash error. Fills swap for run(). */
    int (*resume)(struct ferry_boot_swap *swap);
    /* Begin a swap of swap->type: make it durable. Nothing is lost when cut before the end. */
    int (*begin)(struct ferry_boot_swap *swap);
    /* Do the steps that are left, each durable before the next, and finish at rest. */
    int (*run)(struct ferry_boot_swap *swap);
};

extern const struct ferry_boot_strategy ferry_boot_swap_move;
extern const struct ferry_boot_strategy ferry_boot_overwrite;

struct ferry_boot_image {
    struct ferry_slots slots; /* slots.strategy == strategy->traits */
    const struct ferry_boot_strategy *strategy;
};

/* What was done with an image in this boot. */
enum ferry_boot_action {
    FERRY_BOOT_RAN,      /* nothing was asked for: it runs as it was */
    FERRY_BOOT_UPGRADED, /* a new image was installed, for good */
    FERRY_BOOT_TESTING,  /* a new image was installed for a test */
    FERRY_BOOT_REVERTED, /* it was not confirmed: the old one is back */
    FERRY_BOOT_REFUSED,  /* the image asked for was refused; the old one runs */
    FERRY_BOOT_STOPPED   /* nothing of it may run */
};

struct ferry_boot_image_report {
    enum ferry_boot_action action;
    bool resumed;                 /* an interrupted swap was finished first */
    int reason;                   /* FERRY_OK, or why refused or stopped (enum ferry_error) */
    struct ferry_version refused; /* the image refused, when its header could be read */
    struct ferry_image_info info; /* the image that runs; unless STOPPED */
    enum ferry_swap_type next;    /* what the next boot would do: REVERT = unconfirmed */
};

struct ferry_boot_report {
    struct ferry_boot_image_report images[FERRY_BOOT_IMAGES];
    uint32_t image_count;
};

/* What a product does while the engine works. Every pointer may be NULL. */
struct ferry_boot_hooks {
    void *context;
    /* Called in every long loop, at least once a sector and once a buffer hashed. */
    void (*feed)(void *context);
    /* A swap goes on: steps done of total. */
    void (*progress)(void *context, uint32_t image, uint32_t done, uint32_t total);
    /* Nothing can run: the way to recovery. Called once, before ferry_boot_run() returns. */
    void (*nothing_runs)(void *context, const struct ferry_boot_report *report);
};

struct ferry_boot_config {
    const struct ferry_boot_image *images;
    uint32_t image_count;           /* 1 .. FERRY_BOOT_IMAGES */
    struct ferry_image_trust trust; /* for all images */
    /* Refuse a test or upgrade to a version that is not newer, build number included. The very
     * image that runs is not refused; a primary that does not verify has no version. */
    bool no_downgrade;
    const struct ferry_boot_hooks *hooks; /* may be NULL */
    uint8_t *buf;                         /* workspace for copies and digests */
    size_t buf_size; /* bytes: at least 256 and a multiple of every write size */
};

/* Run the boot: finish, decide, verify, swap; every primary is verified before it may run.
 *
 * report  always filled
 *
 * Flash errors of a secondary are a refusal, never an end. An image that does not verify is never
 * run, and never destroys the one that works; a refused one loses its header and its request. A
 * primary that does not verify is replaced by a secondary that does, for good.
 *
 * Returns FERRY_OK: every image of the report may run (image 0 is the one to start);
 * FERRY_E_CONFIG or FERRY_E_LAYOUT before any flash write; FERRY_E_NO_IMAGE when one of them may
 * not run; FERRY_E_POWER from a decorator; FERRY_E_FLASH when the flash failed for good. */
FERRY_MUST_CHECK
int ferry_boot_run(const struct ferry_boot_config *config, struct ferry_boot_report *report);

/* Words for the log: "reverted", "testing", … */
const char *ferry_boot_action_name(enum ferry_boot_action action);

#endif
