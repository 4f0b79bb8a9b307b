/* SPDX-License-Identifier: Apache-2.0 */
/* Inside the command update: one run, its images, and what is done with their files before the
 * first byte is sent. */
#ifndef CLI_UPDATE_RUN_H
#define CLI_UPDATE_RUN_H

#include "cli/bundle/archive.h"
#include "cli/image/image_file.h"
#include "cli/device/progress.h"
#include "cli/device/unlock.h"

#include "ferry/update.h"

/* Images one run takes. */
#define ITEMS_MAX 4

/* How the file for an image is found. */
enum update_choice {
    UPDATE_GIVEN,   /* there is one */
    UPDATE_BY_SLOT, /* one for each slot of the image, for direct-xip */
    UPDATE_BY_B0    /* a bootloader's builds for S0 and S1 */
};

/* One image of the update. It may not be moved once its file is open. */
struct update_item {
    const char *path;
    const char *other_path; /* of a bootloader built for S0 and for S1; else NULL */
    uint32_t image;
    struct image_file file;
    uint8_t sha[FERRY_SHA256_SIZE];
    struct ferry_image_state proof; /* what the device listed last; valid if proved */
    bool proved;
    bool worked;
    bool looked;                            /* update_look() was content */
    char previous[FERRY_STATE_VERSION_MAX]; /* what ran before; "" = not known */
    enum ferry_update_step planned;         /* of a dry run: the first change; END = all is done */
    uint32_t limit;                         /* of a dry run: bytes the slot takes; 0 = not known */
    uint32_t uploaded;                      /* bytes of the file that were sent, and … */
    uint32_t resumed_at;                    /* … from where on */
    enum update_choice choice;              /* of what is out of a bundle */
    struct image_file build[2];
    char names[2][ARCHIVE_NAME_MAX]; /* in the bundle; "" = it has none for that slot */
};

/* One run of the command. */
struct update_run {
    struct cli *cli;
    const char *key_path;
    struct update_item items[ITEMS_MAX];
    size_t count;
    bool of_bundle;
    struct update_item *item; /* the present one */
    uint32_t image;           /* -n */
    bool test_only, no_confirm, dry_run, no_checks;
    bool looking;           /* of several: what would be done; nothing is said of steps */
    const char *check;      /* --check; NULL = none */
    uint32_t check_timeout; /* seconds */
    int check_status;       /* what it exited with; CHECK_NOT_RUN … */
    uint64_t begin_ms;
    struct unlock unlock; /* --unlock; without a key_path nothing is unlocked */
    struct session session;
    struct ferry_update flow;
    struct ferry_update_config config;
    struct progress progress;
    uint32_t acked;
    uint64_t reopened_at; /* when the wire was opened anew; 0 = never */
    bool told_recovery;   /* that a bootloader's recovery answers */
};

/* Read the file of an image and check it; of a bootloader with two builds both, and nothing is kept
 * yet. Returns an exit code; the file is open after CLI_OK. */
int update_check(struct update_run *run, struct update_item *item);

/* Of a bootloader with two builds: ask the device which slot is free, and open the file for it.
 * Returns an exit code. */
int update_choose(struct update_run *run, struct update_item *item);

/* Take the FILE or FILEs that getopt has left: what is a bundle is read and checked, the others are
 * for update_check(). Returns an exit code. */
int update_take_files(struct update_run *run, int argc, char **argv);

/* Whether a file is a bundle, by its first bytes. */
bool update_is_bundle(const char *path);

/* Read a bundle, check all of it as `bundle verify` does, and take its images, in the order of
 * their numbers. Returns an exit code; what was taken is open. */
int update_take_bundle(struct update_run *run, const char *path);

/* Of a bundle's files for an image: ask the device which slot is free, and open the one for it.
 * Returns an exit code. */
int update_choose_build(struct update_run *run, struct update_item *item);

/* Ask from which slot the bootloader runs. Returns an exit code. */
int update_ask_b0(struct update_run *run, uint32_t *slot);

/* Run the flows of all images, and say how it ended. Returns an exit code. */
int update_run_all(struct update_run *run);

/* What a step needs unlocked, where --unlock says with what; a reset locks again. Returns an exit
 * code. */
int update_unlock(struct update_run *run, enum ferry_update_step step);

/* From now on Ctrl-C and SIGTERM end an update with a message. */
void update_catch_signals(void);

/* The signal that came, or 0. */
int update_signal(void);

/* What the device tells of itself, and what the image at hand needs of it: said, and compared
 * before anything is changed. Returns an exit code: CLI_OK to go on. */
int update_look(struct update_run *run, const struct ferry_update_event *event);

/* Run the command of --check, once an update, with the wire closed so that it can use it. Returns
 * whether the new images pass; without --check they do. */
bool update_passes(struct update_run *run);

/* The words for a check that failed: "exit code 3". */
void update_check_words(const struct update_run *run, char *out, size_t cap);

/* check_status of a check that did not end by itself. */
enum { CHECK_NOT_RUN = -1, CHECK_TIMED_OUT = -2, CHECK_NOT_STARTED = -3 };

/* A flow is through; what is said waits until all are. */
void update_done(struct update_run *run, const struct ferry_update_event *event);

/* Say how all of it ended. */
void update_print_end(const struct update_run *run);

/* Say why it failed. Returns an exit code. */
int update_failed(struct update_run *run, const struct ferry_update_event *event);

/* Say that the user stopped it, and where it is. Returns an exit code, 128 and the signal. */
int update_stopped(const struct update_run *run);

/* Say what is about to be sent. */
void update_tell(const struct update_run *run, const struct update_item *item);

/* "image 1: " where there are several; else nothing. */
void update_name(const struct update_run *run, const struct update_item *item, char out[16]);

#endif
