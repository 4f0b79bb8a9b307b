/* SPDX-License-Identifier: Apache-2.0 */
/* The common commands, typed: each ferry_command_…() submits a request, each ferry_answer_…()
 * reads the answer to it. Unknown keys are skipped, absent booleans are false. [smp.md §3.0–3.1]
 *
 * Every ferry_command_…() returns the ticket of ferry_client_submit(), or FERRY_E_BUSY or
 * FERRY_E_SPACE; user comes back with the answer. Timeouts and retries are the client's ordinary
 * ones unless said.
 *
 * Every ferry_answer_…() takes the payload of an answer whose error is FERRY_OK, and returns
 * FERRY_OK (or a count), or an error of ferry_cbor_read_map(); FERRY_E_NOT_FOUND when a key that
 * must be there is missing. Its results are copies. */
#ifndef FERRY_COMMANDS_H
#define FERRY_COMMANDS_H

#include "ferry/client.h"
#include "ferry/why.h"

/* ---- os ------------------------------------------------------------------------- */

/* Answer: ferry_answer_text(payload, "r", …). */
FERRY_MUST_CHECK
int32_t ferry_command_echo(struct ferry_client *client, const char *text, size_t len, void *user);

/* boot_mode below 0: not sent. Sent once: a missing answer is the normal case, since the device
 * may be gone before it got out. RC_BUSY asks for force. Answer: nothing. */
FERRY_MUST_CHECK
int32_t ferry_command_reset(struct ferry_client *client, bool force, int boot_mode, void *user);

FERRY_MUST_CHECK
int32_t ferry_command_params(struct ferry_client *client, void *user);

struct ferry_params {
    uint32_t buf_size;  /* largest packet the server's buffers take; 0 = not said */
    uint32_t buf_count; /* 0 = not said */
    uint32_t pad;       /* for ferry_client_set_pad(); 0 = not said: none */
};

FERRY_MUST_CHECK
int ferry_answer_params(struct ferry_bytes payload, struct ferry_params *params);

/* format as in `uname`: "sv", "a" …; NULL: not sent. Answer: ferry_answer_text(…, "output", …). */
FERRY_MUST_CHECK
int32_t ferry_command_info(struct ferry_client *client, const char *format, void *user);

/* query NULL: the name, read by ferry_answer_text(…, "bootloader", …); "mode": the next one. */
FERRY_MUST_CHECK
int32_t ferry_command_bootloader(struct ferry_client *client, const char *query, void *user);

/* mode: enum ferry_boot_mode of ferry/slots.h, -1 unknown. */
FERRY_MUST_CHECK
int ferry_answer_mode(struct ferry_bytes payload, int32_t *mode, bool *no_downgrade);

/* The query "active_b0_slot": the slot of an immutable first stage from which the bootloader runs,
 * 0 or 1. Returns also FERRY_E_NOT_FOUND and FERRY_E_RANGE for an answer that says no such thing.
 */
FERRY_MUST_CHECK
int ferry_answer_b0_slot(struct ferry_bytes payload, uint32_t *slot);

/* What the bootloader last did with an image: Ferry's own query "why" (docs/SERVER.md). Other
 * servers refuse it, or answer without "action". */
FERRY_MUST_CHECK
int32_t ferry_command_why(struct ferry_client *client, uint32_t image, void *user);

/* action FERRY_BOOT_RAN: nothing has happened yet. Versions that were not sent are all zero.
 * Returns also FERRY_E_NOT_FOUND when the answer is not one to this query, and FERRY_E_FORMAT
 * when it names an action or a version this library does not know. */
FERRY_MUST_CHECK
int ferry_answer_why(struct ferry_bytes payload, struct ferry_why *why);

/* What the bootloader told of itself and measured of an image: Ferry's own query "measured"
 * (docs/SERVER.md). Numbers are -1 and texts empty where it said nothing. */
struct ferry_measured {
    int64_t mode;                         /* enum ferry_boot_mode */
    int64_t signature;                    /* enum ferry_blinfo_signature of ferry/shared_data.h */
    int64_t recovery;                     /* enum ferry_blinfo_recovery */
    int64_t slot;                         /* that image 0 runs from */
    int64_t max_image;                    /* bytes, of this image */
    int64_t counter;                      /* security counter of this image */
    int64_t demanded;                     /* the lowest that may run */
    char version[FERRY_VERSION_TEXT_MAX]; /* of the bootloader */
    char least[FERRY_VERSION_TEXT_MAX];   /* the lowest version that may run */
    struct ferry_bytes record;            /* boot record, CBOR; in the payload */
};

FERRY_MUST_CHECK
int32_t ferry_command_measured(struct ferry_client *client, uint32_t image, void *user);

/* Returns also FERRY_E_NOT_FOUND when the answer is not one to this query. */
FERRY_MUST_CHECK
int ferry_answer_measured(struct ferry_bytes payload, struct ferry_measured *measured);

/* The text under key. out gets at most cap - 1 bytes and a NUL (cap above 0).
 * Returns its whole length, also when it was cut. */
FERRY_MUST_CHECK
int ferry_answer_text(struct ferry_bytes payload, const char *key, char *out, size_t cap);

/* ---- image ----------------------------------------------------------------------- */

/* Largest digest of an image (SHA-512) and version text with its NUL. */
#define FERRY_STATE_HASH_MAX    64
#define FERRY_STATE_VERSION_MAX 33

/* One line of the list of images. */
struct ferry_image_state {
    uint32_t image;
    uint32_t slot;
    char version[FERRY_STATE_VERSION_MAX]; /* NUL at the end; longer ones are cut; "" = absent */
    uint8_t hash_len;                      /* 0 = the server sends none */
    uint8_t hash[FERRY_STATE_HASH_MAX];
    bool bootable;
    bool pending;
    bool confirmed;
    bool active;
    bool permanent;
};

FERRY_MUST_CHECK
int32_t ferry_command_image_list(struct ferry_client *client, void *user);

/* Read a list: the answer of the list command and of the state command.
 * Returns the number of elements, which may be above cap: only cap are filled. */
FERRY_MUST_CHECK
int ferry_answer_image_list(struct ferry_bytes payload, struct ferry_image_state *states,
                            size_t cap);

/* Look in a list for an image by its digest, without room for the whole list.
 * Returns 1 when it is listed (state is filled), 0 when not (state is undefined). */
FERRY_MUST_CHECK
int ferry_answer_image_find(struct ferry_bytes payload, uint32_t image, struct ferry_bytes hash,
                            struct ferry_image_state *state);

/* Test (confirm false) or confirm an image. hash.len 0 with confirm: the running one.
 * Repeating it is harmless. Answer: ferry_answer_image_list(). */
FERRY_MUST_CHECK
int32_t ferry_command_image_state(struct ferry_client *client, struct ferry_bytes hash,
                                  bool confirm, void *user);

/* slot: the server's number (2 * image + slot); below 0: the one not running. Waits
 * ferry_client_erase_ms(slot_size) and is sent once. Answer: nothing. */
FERRY_MUST_CHECK
int32_t ferry_command_image_erase(struct ferry_client *client, int slot, uint32_t slot_size,
                                  void *user);

struct ferry_slot_info {
    uint32_t image;
    uint32_t slot;
    uint32_t size; /* bytes; 0 = not known, see error */
    int32_t error; /* the server's errno for this slot; 0 = none */
    bool has_upload_id;
    uint32_t upload_id;      /* what an upload's `image` must be to end here */
    uint32_t max_image_size; /* of the image, largest file that can be installed; 0 = not said */
};

FERRY_MUST_CHECK
int32_t ferry_command_slot_info(struct ferry_client *client, void *user);

/* Returns the number of slots, which may be above cap: only cap are filled. */
FERRY_MUST_CHECK
int ferry_answer_slot_info(struct ferry_bytes payload, struct ferry_slot_info *slots, size_t cap);

/* The slot an upload of an image goes to: the one that says so, else the image's last readable one.
 * Returns 1 (target is filled), 0 when none is known, or an error. */
FERRY_MUST_CHECK
int ferry_answer_slot_target(struct ferry_bytes payload, uint32_t image,
                             struct ferry_slot_info *target);

/* Where an upload stands: the next offset, and what the server says of the whole. */
struct ferry_upload_answer {
    uint32_t off;
    bool has_match;
    bool match;
};

/* Returns also FERRY_E_RANGE for an offset beyond 32 bits. */
FERRY_MUST_CHECK
int ferry_answer_upload(struct ferry_bytes payload, struct ferry_upload_answer *upload);

#endif
