/* SPDX-License-Identifier: Apache-2.0 */
/* Why: what the bootloader last did with an image, kept in the store for the firmware and for SMP.
 * Boots at which nothing happened leave it alone; a refusal that repeats is recorded once. */
#ifndef FERRY_WHY_H
#define FERRY_WHY_H

#include "ferry/policy.h"
#include "ferry/store.h"

/* What was done with an image in a boot. The numbers are kept in flash and sent over SMP. */
enum ferry_boot_action {
    FERRY_BOOT_RAN = 0,      /* nothing was asked for: it runs as it was */
    FERRY_BOOT_UPGRADED = 1, /* a new image was installed, for good */
    FERRY_BOOT_TESTING = 2,  /* a new image was installed for a test */
    FERRY_BOOT_REVERTED = 3, /* it was not confirmed: the old one is back */
    FERRY_BOOT_REFUSED = 4,  /* the image asked for was refused; the old one runs */
    FERRY_BOOT_STOPPED = 5   /* nothing of it may run */
};

/* Words for the log: "reverted", "testing", …; "?" for any other value. */
const char *ferry_boot_action_name(enum ferry_boot_action action);

/* Where flash failed. */
enum ferry_boot_area {
    FERRY_AREA_NONE,
    FERRY_AREA_PRIMARY,
    FERRY_AREA_SECONDARY,
    FERRY_AREA_SCRATCH
};

/* "primary", "secondary", "scratch"; "none" for any other value. */
const char *ferry_boot_area_name(enum ferry_boot_area area);

struct ferry_boot_failure {
    enum ferry_boot_area area; /* NONE: no erase or program failed */
    uint32_t sector;           /* its index in the area */
};

/* What an image refused by FERRY_E_DEPENDENCY needs. */
struct ferry_boot_need {
    uint8_t image;                /* number of the other image */
    struct ferry_version version; /* of it, at least; the build number does not count */
    bool known;
};

struct ferry_why {
    enum ferry_boot_action action; /* never RAN */
    int reason;                    /* FERRY_OK, or why refused, stopped or fallen back */
    bool resumed;                  /* an interrupted swap was finished */
    struct ferry_version version;  /* the image it is about: installed, gone back to, refused */
    struct ferry_version running;  /* the image that ran afterwards; zero when STOPPED */
    struct ferry_boot_failure failure;
    struct ferry_policy_counters counters; /* of a security counter that was too low */
    struct ferry_boot_need need;           /* of a dependency that was not met */
    /* Since the store was made. */
    uint32_t upgrades; /* installed, for a test or for good */
    uint32_t reverts;
    uint32_t refusals;
    uint32_t resumes; /* swaps that a cut had interrupted */
    uint32_t stops;
};

/* Read the last report of an image. Returns FERRY_OK; FERRY_E_NOT_FOUND when nothing has happened
 * yet; FERRY_E_FORMAT for a record of another format; or a flash error (why is then untouched). */
FERRY_MUST_CHECK
int ferry_why_read(const struct ferry_store *store, uint32_t image, struct ferry_why *why);

/* For the bootloader: record what happened. why's counters are ignored: they continue those in the
 * store. Writes nothing for a refusal or stop that is the last report already: the same action,
 * reason and version. A record of another format is replaced.
 * Returns FERRY_OK; FERRY_E_RANGE for action RAN or an image above 14; or an error of the store. */
FERRY_MUST_CHECK
int ferry_why_write(struct ferry_store *store, uint32_t image, const struct ferry_why *why);

#endif
