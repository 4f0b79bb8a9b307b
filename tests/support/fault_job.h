/* SPDX-License-Identifier: Apache-2.0 */
/* One job of the fault runner: a strategy on a device with a flow, under one class of faults; and a
 * life of that device: boots and runs of the application, with what is known of it at each moment.
 */
#ifndef FAULT_JOB_H
#define FAULT_JOB_H

#include "fault_models.h"
#include "ferry/boot.h"
#include "ferry/keys.h"
#include "ferry/recovery.h"
#include "ferry/set.h"
#include "test_image.h"

/* ---- The device ------------------------------------------------------------------------------ */

/* How the images of a flow resemble each other. */
enum fault_likeness { FAULT_UNLIKE, FAULT_SAME, FAULT_ONE_SECTOR };

struct fault_layout {
    const char *name; /* in ids */
    struct fault_shape shapes[FAULT_PLACES];
    uint32_t max_sectors;
    uint32_t max_align;
    uint32_t old_size; /* of the images, bytes; 0 = the largest that fits */
    uint32_t new_size;
    enum fault_likeness likeness;
    enum test_key_id key; /* TEST_KEY_NONE: digest only */
    enum test_wrap wrap;  /* TEST_WRAP_NONE: images are not encrypted */
    bool old_plain;       /* but for the old one */
    uint32_t buf_size;
    uint8_t trials;
    bool policy; /* versions and security counters do not go down; the images have counters */
    bool set;    /* two images that change as one */
    bool keys;   /* two trusted keys; BAD is signed by the one that is to be revoked */
    const struct ferry_boot_strategy *other; /* of image 1; NULL = the same */
};

#define FAULT_IMAGES 2

struct fault_picture {
    uint8_t *bytes;   /* as it runs */
    uint8_t *stored;  /* as it is uploaded and put away: encrypted, or the same as bytes */
    uint32_t size;    /* 0 = there is none */
    uint32_t vouched; /* bytes up to the ENC TLV, which nothing vouches for; or size */
};

/* In the order of their versions, but that BAD is NEW with a bit changed. LOW, of devices with a
 * policy, is the newest of all, and its security counter is OLD's. */
enum fault_picture_id { FAULT_OLD, FAULT_NEW, FAULT_NEXT, FAULT_BAD, FAULT_LOW, FAULT_PICTURES };

/* What a boot and an application have in RAM: each life that branches off has its own. */
struct fault_machine {
    struct ferry_boot_image images[FAULT_IMAGES];
    struct ferry_boot_config config;
    struct ferry_boot_views views[FAULT_IMAGES];
    struct ferry_boot_hooks hooks;
    struct ferry_boot_ram ram;
    struct ferry_store store;
    struct ferry_image_key product_keys[2];
    struct ferry_keys_config keys_config; /* of a device with two trusted keys */
    struct ferry_keys keys;
    struct ferry_boot_report report;
    uint32_t nothing_runs;                 /* calls of the hook in the last boot */
    struct ferry_slots apps[FAULT_IMAGES]; /* the slots as the application knows them */
    struct ferry_image_group_config group_config;
    struct ferry_image_group group;
    struct ferry_server_config server_config;
    struct ferry_server_mount mount;
    struct ferry_server server;
    struct ferry_recovery_config recovery_config;
    struct ferry_recovery recovery;
    bool dark; /* the last boot found nothing to run */
    uint8_t *buf;
    uint8_t *ram_bytes;
};

/* ---- Invariants ------------------------------------------------------------------------------ */

/* X(name, what it says) */
#define FAULT_INVARIANTS(X)                                                                        \
    X(RUNS, "runs", "a complete verified image runs within a bounded number of boots")             \
    X(VERIFIED, "verified", "what runs is, byte for byte, one of the good images")                 \
    X(OLD_KEPT, "old kept", "the confirmed image is not lost before the new one is confirmed")     \
    X(ROLLBACK, "rollback", "what never confirmed itself is taken back, what did is not")          \
    X(UPDATE, "update", "a request that stands is not lost before its image has run")              \
    X(PROGRESS, "progress", "the device comes to rest, and every boot to an end")                  \
    X(WEAR, "wear", "no sector is erased more often than the strategy states")                     \
    X(RULES, "rules", "nothing is programmed twice; without a fault nothing is erased in vain")    \
    X(NAMED, "named", "where nothing can run the hook is called and the sector is named")          \
    X(DOWNGRADE, "downgrade", "nothing below what was confirmed runs, whoever asks for it")        \
    X(MIXED, "mixed", "what runs is never a mix of an old set of images and a new one")            \
    X(SECRET, "secret", "no key is ever in flash, nor plaintext outside the primary")

enum fault_invariant {
#define FAULT_INVARIANT_ENUM(id, name, text) FAULT_##id,
    FAULT_INVARIANTS(FAULT_INVARIANT_ENUM)
#undef FAULT_INVARIANT_ENUM
        FAULT_INVARIANT_COUNT
};

extern const char *const fault_invariant_names[FAULT_INVARIANT_COUNT];

/* ---- Faults ---------------------------------------------------------------------------------- */

#define FAULTS_MAX 2

/* Where and how one fault happens. */
struct fault_point {
    const struct fault_model *model;
    uint64_t at;   /* cut, error: the operation since the fault before; else boots so far */
    uint8_t place; /* flip: where */
    uint32_t offset;
    uint8_t bit;
};

/* ---- A life ---------------------------------------------------------------------------------- */

struct fault_job;

/* Branches by copying; machine is then replaced. */
struct fault_life {
    const struct fault_job *job;
    struct fault_chip *chip;
    struct fault_machine *machine;
    struct fault_point faults[FAULTS_MAX];
    uint32_t fault_count;
    uint32_t hash;         /* of the job and the faults: all chance comes from it */
    uint64_t counted_from; /* operations at the last fault */
    bool verbose;
    enum ferry_reset_cause cause; /* of the next boot */
    uint32_t boots;
    uint32_t dark;     /* boots in a row that found nothing to run */
    uint32_t updates;  /* swaps, copies and refusals that were reported */
    uint32_t moves;    /* boots that erased as much as a swap or copy does */
    uint32_t requests; /* of the application, which try the flash anew */
    /* What the client outside knows and wants. */
    uint32_t step;      /* of the flow */
    int confirmed;      /* enum fault_picture_id that may come back at any time, or -1 */
    int candidate;      /* that was asked for, or -1 */
    bool erase_first;   /* the request was refused: the slot is erased before the next try */
    bool named;         /* the report named the sector that fails for ever */
    bool asked;         /* the request stands */
    bool ran_candidate; /* its application has run */
    bool accepted;      /* and was confirmed with success */
    bool in_recovery;   /* the client's requests go to recovery */
    /* What the last boot found. */
    uint32_t running; /* bit set of the pictures that it equals; all images of a set do */
    bool on_trial;
    /* What went wrong first. */
    bool failed;
    enum fault_invariant invariant;
    const char *why;
    bool limit; /* a flip that the format cannot tell from a confirm */
};

enum fault_app { FAULT_RESTS, FAULT_RESETS, FAULT_HANGS };

/* How a flow may end. */
enum fault_goal {
    FAULT_GOAL_OLD,      /* the confirmed image runs, for good */
    FAULT_GOAL_NEW,      /* the candidate runs, for good */
    FAULT_GOAL_TRIAL,    /* the candidate runs on trial */
    FAULT_GOAL_CONFIRMED /* the candidate runs for good, having confirmed itself */
};

/* What a flow asks of the strategy. */
enum {
    FAULT_NEEDS_REVERT = 1,
    FAULT_NEEDS_REQUEST = 2,
    FAULT_NEEDS_SINGLE = 4,
    FAULT_NEEDS_SET = 8,         /* several images that change as one */
    FAULT_NEEDS_DEPENDENCY = 16, /* each picture needs the other image's */
    FAULT_NEEDS_POLICY = 32,     /* a device with one */
    FAULT_IN_RECOVERY = 64,      /* the client talks to recovery, in the dark, too */
    FAULT_NEEDS_KEYS = 128       /* a device with two trusted keys */
};

struct fault_flow {
    const char *name;
    uint32_t needs;
    enum fault_goal goal; /* where the strategy does not revert, a trial is for good */
    /* Put images and requests into place, on erased slots; no faults yet. */
    void (*setup)(struct fault_life *life);
    /* The application and the client it serves, after each boot that found an image to run; and,
     * in recovery, after one that did not, too. */
    enum fault_app (*app)(struct fault_life *life);
};

/* Count of lives by what they showed. */
struct fault_count {
    uint64_t tried;
    uint64_t limit; /* the format's limit: neither passed nor failed */
    uint64_t failed[FAULT_INVARIANT_COUNT];
    uint32_t boots; /* the most of a life */
};

struct fault_job {
    char name[96]; /* in ids */
    const struct ferry_boot_strategy *strategy;
    const struct ferry_slots_state *state; /* NULL = the strategy's */
    const struct ferry_boot_set *set;      /* of a set: NULL = ferry_boot_as_one */
    struct fault_layout layout;
    const struct fault_flow *flow;
    bool write_once;
    uint32_t sample;   /* of so many second faults one is tried; of first ones too, if singles */
    uint32_t depth;    /* faults at once: 1 or 2 */
    bool every_bit;    /* flips: all bits of a byte, or one by chance */
    bool sample_first; /* sample counts for first faults */
    struct fault_picture pictures[FAULT_PICTURES];
    struct fault_picture others[FAULT_PICTURES]; /* of image 1 */
    struct fault_secrets secrets;
    struct ferry_trailer_layout trailer;
    uint32_t moves_base;      /* moves of images in the flow without a fault, */
    uint32_t boots_base;      /* and boots */
    uint32_t wear_of_scratch; /* most erases of its sector in one update */
};

/* ---- fault_machine.c ------------------------------------------------------------------------- */

/* RAM for one life; hooks and all. Give it to fault_machine_free(). */
void fault_machine_init(struct fault_machine *machine, const struct fault_job *job,
                        struct fault_chip *chip);
void fault_machine_free(struct fault_machine *machine);

/* Power on: the bootloader. Returns as ferry_boot_run(). */
int fault_machine_boot(struct fault_machine *machine, const struct fault_job *job,
                       struct fault_chip *chip, enum ferry_reset_cause cause);

/* RAM that ram-load images are linked to. */
#define FAULT_RAM_ADDRESS 0x20000000U

/* ---- fault_pictures.c -------------------------------------------------------------------------
 */

/* A job that cannot be: say why and abort. */
void fault_job_fail(const struct fault_job *job, const char *why);

/* Build the images of a job, of max bytes at most; free() them. Aborts when they cannot be. */
void fault_pictures_make(struct fault_job *job, uint32_t max);
void fault_pictures_free(struct fault_job *job);

/* Bytes of the ENC TLV of a layout's images; 0 = they have none. */
uint32_t fault_enc_tlv(const struct fault_layout *layout);

/* ---- fault_client.c -------------------------------------------------------------------------- */

/* The client at the other end of the wire: what it asks of the device's server. Each returns true
 * when the server did it. */
bool fault_client_upload(struct fault_life *life, enum fault_picture_id picture);
bool fault_client_test(struct fault_life *life, enum fault_picture_id picture);
bool fault_client_confirm(struct fault_life *life);
bool fault_client_erase(struct fault_life *life);
/* The same of image 0 or 1. */
bool fault_client_upload_of(struct fault_life *life, uint32_t image, enum fault_picture_id picture);
bool fault_client_test_of(struct fault_life *life, uint32_t image, enum fault_picture_id picture);
bool fault_client_erase_of(struct fault_life *life, uint32_t image);

/* The client of a device in recovery. number: of the upload, 0 = not sent. request: ask for the
 * image, too. */
bool fault_client_recover(struct fault_life *life, enum fault_picture_id picture, uint32_t number,
                          bool request);

/* ---- fault_life.c ---------------------------------------------------------------------------- */

/* Something is wrong; only the first is kept. */
void fault_life_fail(struct fault_life *life, enum fault_invariant invariant, const char *why);

/* Note whether the report, also of a boot under way, names a sector that fails for ever. */
void fault_life_look_for_names(struct fault_life *life);

/* Whether the client of this flow finds a recovery where nothing runs. */
bool fault_life_has_recovery(const struct fault_life *life);

/* Whether the image that runs equals a picture. */
bool fault_life_runs(const struct fault_life *life, int picture);

/* One boot with all the invariants of a moment. Returns whether an image runs. */
bool fault_life_boot(struct fault_life *life);

/* The invariants of an end. */
void fault_life_end(struct fault_life *life);

/* ---- fault_flows.c --------------------------------------------------------------------------- */

extern const struct fault_flow fault_flows[];
extern const size_t fault_flow_count;

/* The flow of a name, or NULL. */
const struct fault_flow *fault_flow_find(const char *name);

/* Whether a flow makes sense for a strategy. */
bool fault_flow_suits(const struct fault_flow *flow, const struct ferry_strategy_traits *traits);

/* Write an image behind the back of everything: slot 0 or 1, at an offset, the rest erased. */
void fault_load(struct fault_life *life, uint32_t slot, enum fault_picture_id picture);

/* ---- fault_policy.c ----------------------------------------------------------------------------
 */

/* Whether the last boot did its work. */
bool fault_policy_is_at_rest(const struct fault_life *life);

/* An old image runs and is recorded; the new one is uploaded, and a test is asked for. */
void fault_policy_setup(struct fault_life *life);

/* Images below the confirmed one are put into the other slot and asked for: one with a lower
 * counter, one with a lower version. By a flow's application, once the new image is confirmed. */
enum fault_app fault_policy_attack(struct fault_life *life);

/* Whether a part of the store fails for ever. */
bool fault_policy_store_is_dead(const struct fault_life *life);

/* Whether what runs is below what was confirmed. */
void fault_policy_check(struct fault_life *life);
/* ---- fault_flows_set.c -------------------------------------------------------------------------
 */

/* Images that change as one. Each as setup and app of a flow. */
void fault_set_setup_old(struct fault_life *life);
void fault_set_setup_upload(struct fault_life *life);
void fault_set_setup_test(struct fault_life *life);
void fault_set_setup_permanent(struct fault_life *life);
void fault_set_setup_one_by_one(struct fault_life *life);
void fault_set_setup_trial(struct fault_life *life);
void fault_set_setup_bad(struct fault_life *life);
void fault_set_setup_unmet(struct fault_life *life);
enum fault_app fault_set_app_rests(struct fault_life *life);
enum fault_app fault_set_app_asks(struct fault_life *life);
enum fault_app fault_set_app_hangs(struct fault_life *life);
enum fault_app fault_set_app_confirms(struct fault_life *life);
enum fault_app fault_set_app_foreign(struct fault_life *life);
enum fault_app fault_set_app_uploads(struct fault_life *life);

/* ---- fault_flows_keys.c ------------------------------------------------------------------------
 */

/* A key is revoked; then an image that it signed is asked for. Or keys are rotated: the next
 * image's key is provisioned, the image installed and confirmed, the first key revoked. */
void fault_keys_setup(struct fault_life *life);
enum fault_app fault_keys_app_revokes(struct fault_life *life);

/* ---- fault_explore.c ------------------------------------------------------------------------- */

/* Where a job's results go. */
struct fault_results {
    void *context;
    /* A life has ended. */
    void (*take)(void *context, const struct fault_life *life);
    /* Only this: NULL = everything. */
    const char *id;
};

/* Run a job: make its images, set up, explore. Aborts when the job itself cannot be. */
void fault_job_run(struct fault_job *job, const struct fault_results *results);

/* ---- fault_id.c -------------------------------------------------------------------------------
 */

/* The id of a life: the job and its faults, for FERRY_FAULT. */
void fault_id(const struct fault_life *life, char *text, size_t cap);

/* The faults that an id asks of the job with a name. Returns false when it is another job's. */
bool fault_id_read(const char *id, const char *name, struct fault_point points[FAULTS_MAX],
                   uint32_t *count);

#endif
