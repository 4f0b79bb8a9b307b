/* SPDX-License-Identifier: Apache-2.0 */
/* The whole update with proof: ask the device, upload, test, reset, wait for its return, see that
 * the new image runs, confirm it, read that back. DONE comes only with that proof. [smp.md §5.6]
 *
 * What the device shows decides what is done:
 *
 *   it runs and is confirmed                        done, nothing is sent
 *   it runs, not confirmed                          judge, confirm
 *   it is pending already                           reset
 *   it is in the other slot                         test (no upload; refused since it stands
 *                                                   where old images are kept: upload)
 *   it is not there, the running one unconfirmed    failed: the old image must stay for the revert
 *   it is not there                                 upload
 *
 * A server without states (direct-XIP, serial recovery) refuses test and confirm with RC 8: the
 * reset alone starts the image, and the list after it is the proof.
 *
 * Nothing is changed before READY was reported, where a caller may look for itself, and give up. A
 * new image that runs is reported by JUDGE_IT before it is confirmed: who has a test of its own
 * rejects it there, and the device is reset so that it takes the old one back, which is waited for
 * and seen.
 *
 * Where the only slot is the one that runs, or where it is asked for, the way leads through the
 * bootloader's recovery: a reset with boot_mode 1, the device met anew, the upload, a reset. */
#ifndef FERRY_UPDATE_H
#define FERRY_UPDATE_H

#include "ferry/hello.h"
#include "ferry/image.h"
#include "ferry/upload.h"

/* Slots of the list that are looked at: more than any device has. */
#define FERRY_UPDATE_STATES 8

struct ferry_update_config {
    struct ferry_client *client; /* fresh or used; nothing in flight; must outlive the update */
    enum ferry_client_link link;
    int (*read)(void *context, uint32_t off, uint8_t *buf, size_t len); /* as the upload's */
    void *context;
    uint32_t size;       /* of the file, bytes, above 0 */
    const uint8_t *sha;  /* SHA-256 of the file, 32 bytes, or NULL */
    const uint8_t *hash; /* the image's own digest, from its TLV, as the device lists it */
    size_t hash_len;     /* 1 .. FERRY_STATE_HASH_MAX */
    uint32_t image;      /* number of the image on the device */
    uint32_t align;      /* as the upload's */
    uint32_t window;     /* chunks in flight at most; 0 = what the device's buffers allow */
    uint32_t return_ms;  /* how long the device may stay away; 0 = from the size of the slot */
    const struct ferry_version
        *version;       /* of the file, for no_downgrade; NULL = not compared here */
    bool no_downgrade;  /* a version that is not newer than the running one is refused: here,
                           where both are known, and by the device */
    bool permanent;     /* ask for the image for good, without a test: there is no way back */
    bool erase_pending; /* another image that waits in the slot for a reset is erased first */
    bool dry_run;       /* end after READY: DONE's step is what would come next, without proof */
    bool test_only;     /* end when the image is uploaded and pending; no reset */
    bool no_confirm;    /* end when the image runs; the next reset takes it back */
    bool force_reset;   /* reset though the device says it is busy */
    bool recovery;      /* take the way through recovery, also where it could do without */
    /* For several images that are updated together, one after the other: first each with test_only,
     * then one with no_confirm, which resets, then the others with only_prove, then each with it
     * that is to be confirmed. */
    bool only_prove; /* another one has reset the device: it runs, or the update failed */
    bool is_part;    /* say nothing of what is left to the others: no warning for no_confirm */
};

enum ferry_update_step {
    FERRY_UPDATE_HELLO, /* version and buffers */
    FERRY_UPDATE_MODE,  /* what the bootloader does */
    FERRY_UPDATE_LIST,  /* what is there */
    FERRY_UPDATE_SPACE, /* how much fits */
    FERRY_UPDATE_ENTER, /* reset into the bootloader's recovery */
    FERRY_UPDATE_ERASE, /* another image that waits for a reset */
    FERRY_UPDATE_UPLOAD,
    FERRY_UPDATE_CHECK, /* is it listed */
    FERRY_UPDATE_TEST,  /* start it at the next boot */
    FERRY_UPDATE_RESET,
    FERRY_UPDATE_AWAY,   /* the caller opens the connection anew */
    FERRY_UPDATE_RETURN, /* asking until it answers */
    FERRY_UPDATE_JUDGE,  /* the caller may reject it */
    FERRY_UPDATE_CONFIRM,
    FERRY_UPDATE_PROVE, /* read back */
    FERRY_UPDATE_END
};

/* "upload", "test" … */
const char *ferry_update_step_name(enum ferry_update_step step);

enum ferry_update_event_kind {
    FERRY_UPDATE_STEP,      /* a step begins: text */
    FERRY_UPDATE_PROGRESS,  /* of the upload: sent, acked, total */
    FERRY_UPDATE_WARNING,   /* text, remedy */
    FERRY_UPDATE_RECONNECT, /* close the connection; open it within wait_ms, then call
                               ferry_update_reconnected() */
    FERRY_UPDATE_READY,     /* step would come next, and is the first that changes something:
                               ferry_update_stop() leaves the device as it was. Nothing is in
                               flight: the client may be asked. Once; not where all is done */
    FERRY_UPDATE_JUDGE_IT, /* the new image runs: ferry_update_reject() now, or go on. Nothing is in
                              flight. proof: what the device lists of it */
    FERRY_UPDATE_DONE,     /* proof, already */
    FERRY_UPDATE_FAILED    /* error, status, text, remedy */
};

struct ferry_update_event {
    enum ferry_update_event_kind kind;
    enum ferry_update_step step; /* the present one; of a failure the one that failed */
    const char *text;            /* what, and why */
    const char *remedy;          /* what to do next; may be "" */
    uint32_t sent;
    uint32_t acked;
    uint32_t total;
    uint32_t limit;      /* with FERRY_E_TOO_LARGE: bytes the slot takes */
    uint32_t wait_ms;    /* with RECONNECT */
    bool resumed;        /* the upload: the device had a part, or all, already */
    uint32_t resumed_at; /* … up to here */
    bool rejected;       /* FAILED since ferry_update_reject() was called. FERRY_E_REVERTED: the old
                            image runs again; FERRY_E_STATE: there was no way back */
    const struct ferry_image_state *running; /* what ran when the list was last read; NULL: nothing,
                                                or not known. Valid until the next answer */
    bool already;                            /* DONE without an upload, test, reset or confirm */
    bool recovery; /* the device is, or was, in its bootloader's recovery */
    int error;     /* FERRY_E_REVERTED: the old image runs again and the new one is still in its
                      slot; FERRY_E_NO_IMAGE: the bootloader refused it, it is gone;
                      FERRY_E_REFUSED: status; FERRY_E_DOWNGRADE; FERRY_E_TIMEOUT,
                      _TOO_LARGE, _STATE, _MISMATCH, _UNSUPPORTED (no hashes in the list:
                      nothing can be proved), _VERSION, and the upload's */
    struct ferry_smp_status status;        /* its reason is empty */
    const struct ferry_image_state *proof; /* with DONE and JUDGE_IT: what the device listed last of
                                              the image; else NULL. Valid as long as the update. */
};

/* Do not rely on the contents. */
struct ferry_update {
    struct ferry_update_config config;
    struct ferry_hello hello;
    struct ferry_upload upload;
    struct ferry_image_state states[FERRY_UPDATE_STATES];
    uint32_t state_count;
    struct ferry_image_state proof;
    enum ferry_update_step step;
    enum ferry_update_step failed_step;
    int32_t ticket;
    int32_t mode;
    uint32_t slot_size;
    uint32_t limit;
    uint32_t silent; /* polls without an answer */
    uint32_t crashes;
    uint64_t wait_until;
    uint64_t reset_at;
    uint64_t return_by;
    bool announced;       /* the step's event was given */
    bool asked;           /* RECONNECT was given */
    bool expects_pending; /* the list said pending before the reset */
    bool recovery;        /* a bootloader's server says that it is one */
    bool entering;        /* after ENTER: the bootloader is expected */
    uint32_t nudges;      /* resets asked for again, of whoever answers in place of the image */
    uint64_t bootloader_since; /* it answers since then; 0 = it does not */
    bool stateless;            /* test or confirm is not built into the server */
    bool worked;               /* something was changed on the device */
    bool ready;                /* READY was given */
    bool was_reset;            /* by this update, into the new image */
    bool reverting;            /* rejected: the old image is expected */
    bool uploaded;             /* an upload was begun */
    bool again;                /* … since what was there already was refused */
    bool resuming;             /* the device fell silent in the middle of the upload */
    bool resumed;
    uint32_t resumed_at;
    uint32_t breaks;    /* interruptions since the upload got further */
    uint32_t broke_at;  /* what the device had at one of them, at most */
    int32_t erase_slot; /* the server's number of the slot that another image waits in */
    bool done;
    const char *warning;
    const char *warning_remedy;
    const char *text;
    const char *remedy;
    int error;
    struct ferry_smp_status status;
};

/* Begin. config is copied; sha, hash and what context points to must outlive the update.
 * Returns FERRY_OK or FERRY_E_CONFIG. */
FERRY_MUST_CHECK
int ferry_update_start(struct ferry_update *update, const struct ferry_update_config *config);

/* Submit what is due and report. Call it until it returns false, first and after each answer.
 *
 * event  filled when true. DONE or FAILED comes once and is the last
 *
 * Returns whether something is to be reported. */
bool ferry_update_next(struct ferry_update *update, uint64_t now, struct ferry_update_event *event);

/* Take an answer of the client's. Returns whether it was this update's. */
bool ferry_update_answer(struct ferry_update *update, const struct ferry_client_answer *answer,
                         uint64_t now);

/* Between JUDGE_IT and the next ferry_update_next(): the image has not passed. The device is reset,
 * so that it goes back, and the end is FAILED with rejected. Elsewhere it does nothing. */
void ferry_update_reject(struct ferry_update *update);

/* The connection is open again, after RECONNECT or after it broke by itself: the update goes on, an
 * upload where the device says. Text the bootloader writes before SMP packets is the transport's
 * matter. Requests of the old connection are forgotten.
 *
 * A connection may open and break at once, again and again (ser2net whose device is away): call
 * this no more than about once a second then. It has an end: that of the device's time to come
 * back, or FAILED with FERRY_E_IO after 16 breaks elsewhere, between which no upload got further.
 */
void ferry_update_reconnected(struct ferry_update *update, uint64_t now);

/* When ferry_update_next() is to be called again though nothing was received, or
 * FERRY_CLIENT_NEVER. The client has a deadline of its own. */
uint64_t ferry_update_deadline(const struct ferry_update *update);

/* The connection failed for good, or the user gave up: forget what is in flight. The next event is
 * FAILED with this error (FERRY_E_IO, FERRY_E_CANCELLED). */
void ferry_update_stop(struct ferry_update *update, int error);

#endif
