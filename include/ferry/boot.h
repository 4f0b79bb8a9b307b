/* SPDX-License-Identifier: Apache-2.0 */
/* The bootloader's engine: finishes what a power cut interrupted, decides, verifies, swaps,
 * reverts, and says which image may run. It jumps nowhere: that is the port's. */
#ifndef FERRY_BOOT_H
#define FERRY_BOOT_H

#include "ferry/encrypted.h"
#include "ferry/first.h"
#include "ferry/trial.h"
#include "ferry/why.h"

/* Images (pairs of slots) one bootloader serves at most. A product may say fewer, for its whole
 * build: on a small chip reports and tables of images are a fair part of RAM. */
#ifndef FERRY_BOOT_IMAGES
#define FERRY_BOOT_IMAGES 4
#endif

struct ferry_boot_swap; /* core/boot/swap.h */
struct ferry_boot_plan; /* core/boot/plan.h */
struct ferry_boot_image_report;

/* How images get to run: one const table a file (core/boot/strategy_*.c). A product lists the
 * ones it wants and the linker drops the rest. */
struct ferry_boot_strategy {
    const struct ferry_strategy_traits *traits;
    /* The whole boot of one image: finish, decide, verify, install. Fills report and verdict.
     * Returns FERRY_OK with a valid verdict, FERRY_E_NO_IMAGE, FERRY_E_FLASH or FERRY_E_POWER. */
    int (*boot)(struct ferry_boot_swap *swap, struct ferry_boot_image_report *report,
                struct ferry_verdict *verdict);
    const struct ferry_boot_plan *plan; /* the steps of one that moves images; else NULL */
};

extern const struct ferry_boot_strategy ferry_boot_swap_scratch;
extern const struct ferry_boot_strategy ferry_boot_swap_move;
extern const struct ferry_boot_strategy ferry_boot_swap_offset;
extern const struct ferry_boot_strategy ferry_boot_swap_shift;
extern const struct ferry_boot_strategy ferry_boot_overwrite;
extern const struct ferry_boot_strategy ferry_boot_direct_xip;
extern const struct ferry_boot_strategy ferry_boot_direct_xip_revert;
extern const struct ferry_boot_strategy ferry_boot_ram_load;
extern const struct ferry_boot_strategy ferry_boot_ram_load_revert;
extern const struct ferry_boot_strategy ferry_boot_single_slot;
extern const struct ferry_boot_strategy ferry_boot_first_stage;

/* RAM that images of ram-load run from. */
struct ferry_boot_ram {
    uint8_t *memory;
    uint32_t address; /* of memory, as the images' load_address counts */
    uint32_t size;    /* bytes */
};

struct ferry_boot_image {
    struct ferry_slots slots; /* slots.strategy == strategy->traits; slots.policy is asked before an
                                 image is installed, and before one runs */
    const struct ferry_boot_strategy *strategy;
    const struct ferry_boot_ram *ram; /* for ram-load; else NULL */
    /* Where the slots are, for images linked to one (flag ROM_FIXED). Always looked at where images
     * run in their slots; elsewhere with ferry_policy_address in the policy of the slots. */
    uint32_t addresses[2];
    /* For first-stage, whose primary is the slot that runs; else NULL. Such images stand last. */
    const struct ferry_first *first;
};

struct ferry_boot_image_report {
    enum ferry_boot_action action;
    bool resumed;                 /* an interrupted swap was finished first */
    bool restart;                 /* first-stage: another bootloader is installed; reset, the first
                                     stage's turn */
    uint8_t slot;                 /* the slot it is in: 0 but for direct-xip and ram-load, whose
                                     image runs from ram at info.header.load_address */
    enum ferry_swap_type next;    /* what the next boot would do: REVERT = on trial */
    int reason;                   /* FERRY_OK, or why refused or stopped (enum ferry_error) */
    struct ferry_version refused; /* the image refused, when its header could be read */
    struct ferry_image_info info; /* the image that runs; unless STOPPED */
    struct ferry_boot_failure failure;     /* the last erase or program that failed */
    struct ferry_policy_counters counters; /* of a refusal with FERRY_E_COUNTER */
    /* What the image that runs demands of those after it, by its policy's rules. */
    struct ferry_policy_least least;
    struct ferry_boot_need need; /* of a refusal with FERRY_E_DEPENDENCY */
};

struct ferry_boot_report {
    struct ferry_boot_image_report images[FERRY_BOOT_IMAGES];
    uint32_t image_count;
    struct ferry_verdict verdict; /* of all images: ask ferry_boot_may_start() */
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

/* What the bootloader keeps beyond a boot: a const table, so that one without a store carries none
 * of it. */
struct ferry_boot_memory {
    /* Those of ferry/trial.h and ferry/why.h. */
    int (*trial_next)(const struct ferry_slots *slots, const uint8_t *digest,
                      enum ferry_reset_cause cause, uint8_t trials);
    int (*trial_forget)(const struct ferry_slots *slots);
    /* Whether the store says that the image in a slot is confirmed: 1, 0 or an error. */
    int (*is_confirmed)(const struct ferry_slots *slots, uint32_t slot);
    int (*why)(struct ferry_store *store, uint32_t image, const struct ferry_why *why);
    /* What a boot does with them. An image that is installed anew has its trials before it,
     * whatever it did last time: FERRY_OK or FERRY_E_POWER. An image on trial is about to be taken
     * back: whether it may start again instead, which counts: 1, 0 or FERRY_E_POWER. Keep what
     * happened where the firmware finds it; a store that fails costs the report only: FERRY_OK or
     * FERRY_E_POWER. */
    int (*forget)(const struct ferry_boot_swap *swap);
    int (*has_trials_left)(const struct ferry_boot_swap *swap);
    int (*record)(const struct ferry_boot_swap *swap, const struct ferry_boot_image_report *report);
};

extern const struct ferry_boot_memory ferry_boot_in_store;

/* Asking the policies of slots (core/boot/admit.c): a const table as well, so that a bootloader
 * without any carries nothing of it. */
struct ferry_boot_admission {
    /* For whoever judges beside the boot, recovery: whether the policy lets a verified image run at
     * an address. report: of the image that it is to replace, as the boot left it; NULL = nobody
     * asks for it. Returns FERRY_OK, the refusal, or a flash error. */
    int (*judge)(const struct ferry_slots *slots, const struct ferry_boot_image_report *report,
                 const struct ferry_flash *image, const struct ferry_image_info *info,
                 uint32_t address);
    /* Whether the policy lets a verified image run in a slot; sets report->least. Nothing that was
     * below what the store demands runs, whoever put it there. asked: somebody asks for it, and it
     * has not run yet. Returns FERRY_OK, the refusal, or a flash error. */
    int (*run)(const struct ferry_boot_swap *swap, const struct ferry_flash *image,
               const struct ferry_image_info *info, uint32_t slot, bool asked);
    /* Whether the policy lets a verified image, which info describes, run in its slot beside the
     * other slot's image, which is not verified here: where that one is confirmed, it is the
     * measure. Returns FERRY_OK, also when the other one cannot be read; the refusal; or
     * FERRY_E_POWER. */
    int (*beside)(const struct ferry_boot_swap *swap, uint32_t slot,
                  const struct ferry_image_info *info);
    /* Whether the policy lets the verified image in the secondary, which next describes, replace
     * the primary's as swap->type asks. What a confirmed primary demands is recorded first. Returns
     * FERRY_OK, the refusal, or a flash error. */
    int (*next)(const struct ferry_boot_swap *swap, const struct ferry_image_info *next);
    /* The image that was last admitted, which info describes, runs: from now on the store demands
     * what it has, if it is confirmed; else that is noted for the confirm. A store that fails is
     * tried again at the next boot. Returns FERRY_OK or FERRY_E_POWER. */
    int (*keep)(const struct ferry_boot_swap *swap, const struct ferry_image_info *info,
                bool confirmed);
};

extern const struct ferry_boot_admission ferry_boot_by_policy;

struct ferry_boot_config;

/* How several images boot that have to do with each other: a const table, so that a product with
 * one image carries none of it. Their strategies move images (swap_*, overwrite). */
struct ferry_boot_set {
    /* Whether the first count images suit it: FERRY_OK or FERRY_E_CONFIG. */
    int (*check)(const struct ferry_boot_config *config, uint32_t count);
    /* The boot of all of them, as ferry_boot_run(). verdicts: one an image, all invalid. */
    int (*run)(const struct ferry_boot_config *config, uint32_t count,
               struct ferry_boot_report *report, struct ferry_verdict *verdicts);
};

/* Each for itself, but none without the images in the versions that it names, as with MCUboot:
 * when one is missing every request is withdrawn. [mcuboot-format.md §2.2 DEPENDENCY, §2.6] */
extern const struct ferry_boot_set ferry_boot_dependent;
/* That, and all that change are tested, confirmed and taken back as one (ferry/set.h). All
 * strategies revert, or none does; memory is set, and the slots share one store. Without a store
 * that opens it is ferry_boot_dependent. */
extern const struct ferry_boot_set ferry_boot_as_one;

/* Encrypted images (core/boot/encrypted.c): a const table as well, so that a bootloader that takes
 * none carries nothing of it. */
struct ferry_boot_encryption; /* core/boot/swap.h */
extern const struct ferry_boot_encryption ferry_boot_encrypted;

/* Workspace for them, one an image: do not rely on the contents. */
struct ferry_boot_views {
    /* What there is to know of the image that leaves, and of the one that comes; nothing in it is
     * secret. */
    struct ferry_boot_kept {
        struct ferry_wrapped_key wrapped; /* len 0: it is not encrypted */
        uint32_t header_size;             /* where its payload begins */
        uint32_t payload_size;
        uint32_t size; /* of the whole image; 0 = there is none */
    } kept[2];
    struct ferry_flash_cipher incoming;
    struct ferry_flash_cipher outgoing;
    struct ferry_flash_cipher unpacked;
};

struct ferry_boot_config {
    const struct ferry_boot_image *images;
    uint32_t image_count;           /* 1 .. FERRY_BOOT_IMAGES */
    struct ferry_image_trust trust; /* for all images */
    /* &ferry_boot_in_store where the slots have a store; NULL where they have none: then it all is
     * as with MCUboot. */
    const struct ferry_boot_memory *memory;
    /* Trials an unconfirmed image has, where slots.store is set; 0 = MCUboot's rule, one boot. */
    uint8_t trials;
    enum ferry_reset_cause cause; /* of this start */
    /* &ferry_boot_encrypted, what content keys are found with and room for them, where images may
     * be encrypted in the slots (swap_*, overwrite, ram_load*); slots.enc_tlv says how long their
     * ENC TLVs are. All NULL: an encrypted image is refused, FERRY_E_UNSUPPORTED, and enc_tlv must
     * be 0. One that no secret opens is FERRY_E_SECRET. Content keys are in views during the boot
     * only. */
    const struct ferry_boot_encryption *encryption;
    const struct ferry_image_secrets *secrets;
    struct ferry_boot_views *views;       /* image_count of them; wiped before anything else runs */
    const struct ferry_boot_hooks *hooks; /* may be NULL */
    uint8_t *buf;                         /* workspace for copies and digests */
    size_t buf_size; /* bytes: at least 256 and a multiple of every write size */
    /* &ferry_boot_by_policy where the slots of an image have a policy; NULL where none has. */
    const struct ferry_boot_admission *admission;
    /* For several images that depend on each other; NULL: each boots for itself, and dependencies
     * are not looked at. */
    const struct ferry_boot_set *set;
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
 * not run; FERRY_E_BUSY when one has restart set: reset, and look at nothing else of the report;
 * FERRY_E_POWER from a decorator; FERRY_E_FLASH when the flash failed for good. */
FERRY_MUST_CHECK
int ferry_boot_run(const struct ferry_boot_config *config, struct ferry_boot_report *report);

/* Whether a report says that all its images were verified. Ask it where the image is started, after
 * and apart from the look at the result: then no single instruction that a glitch skips starts an
 * image that did not verify (`make skips`). Never alone: the result has what else may not run. */
bool ferry_boot_may_start(const struct ferry_boot_report *report);

#endif
