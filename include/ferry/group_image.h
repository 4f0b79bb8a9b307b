/* SPDX-License-Identifier: Apache-2.0 */
/* SMP group 1, image: state, upload, erase, slots. [smp.md §3.1]
 *
 * Image n has slot 0 (primary) and slot 1 (secondary); erase numbers the slots through: 2n and
 * 2n + 1. slots.active says which one runs; uploads go to the other one, to where the strategy
 * wants them in it. */
#ifndef FERRY_GROUP_IMAGE_H
#define FERRY_GROUP_IMAGE_H

#include "ferry/server.h"
#include "ferry/set.h"

/* Errors of the group on the wire. */
enum ferry_image_error {
    FERRY_IMAGE_ERR_UNKNOWN = 1,
    FERRY_IMAGE_ERR_FLASH_CONFIG = 2,
    FERRY_IMAGE_ERR_NO_IMAGE = 3,
    FERRY_IMAGE_ERR_NO_TLVS = 4,
    FERRY_IMAGE_ERR_INVALID_TLV = 5,
    FERRY_IMAGE_ERR_MULTIPLE_HASHES = 6,
    FERRY_IMAGE_ERR_INVALID_TLV_SIZE = 7,
    FERRY_IMAGE_ERR_HASH_NOT_FOUND = 8,
    FERRY_IMAGE_ERR_NO_FREE_SLOT = 9,
    FERRY_IMAGE_ERR_FLASH_OPEN = 10,
    FERRY_IMAGE_ERR_FLASH_READ = 11,
    FERRY_IMAGE_ERR_FLASH_WRITE = 12,
    FERRY_IMAGE_ERR_FLASH_ERASE = 13,
    FERRY_IMAGE_ERR_INVALID_SLOT = 14,
    FERRY_IMAGE_ERR_NO_FREE_MEMORY = 15,
    FERRY_IMAGE_ERR_CONTEXT_ALREADY_SET = 16,
    FERRY_IMAGE_ERR_CONTEXT_NOT_SET = 17,
    FERRY_IMAGE_ERR_DEVICE_NULL = 18,
    FERRY_IMAGE_ERR_INVALID_PAGE_OFFSET = 19,
    FERRY_IMAGE_ERR_INVALID_OFFSET = 20,
    FERRY_IMAGE_ERR_INVALID_LENGTH = 21,
    FERRY_IMAGE_ERR_INVALID_HEADER = 22,
    FERRY_IMAGE_ERR_INVALID_MAGIC = 23,
    FERRY_IMAGE_ERR_INVALID_HASH = 24,
    FERRY_IMAGE_ERR_INVALID_ADDRESS = 25,
    FERRY_IMAGE_ERR_VERSION_GET = 26,
    FERRY_IMAGE_ERR_CURRENT_IS_NEWER = 27,
    FERRY_IMAGE_ERR_ALREADY_PENDING = 28,
    FERRY_IMAGE_ERR_INVALID_VECTOR = 29,
    FERRY_IMAGE_ERR_TOO_LARGE = 30,
    FERRY_IMAGE_ERR_DATA_OVERRUN = 31,
    FERRY_IMAGE_ERR_CONFIRM_DENIED = 32,
    FERRY_IMAGE_ERR_TEST_OF_ACTIVE_DENIED = 33,
    FERRY_IMAGE_ERR_ACTIVE_SLOT_UNKNOWN = 34
};

/* Zephyr's build options as data; docs/SERVER.md has the table with Zephyr's names. */
struct ferry_image_options {
    bool erase_pending;     /* a slot asked for at the next boot may be uploaded to and erased */
    bool confirm_any;       /* images that are not the running one: confirm any slot … */
    bool confirm_secondary; /* … or at least their slot that is not active */
    bool confirm_non_active_slot; /* confirm the secondary = install it for good at the next boot;
                                     counts only where the strategy reverts */
    bool frugal;                  /* leave false flags and splitStatus out of the list */
    bool build_number;            /* "upgrade" compares the build number too */
    bool upload_running;   /* take uploads into the slot that runs, where it is the only one or was
                              named (direct): this program runs from RAM, or from elsewhere. Zephyr
                              has no such option */
    bool slot_info_always; /* slot info also with one image; several images always have it */
};

/* Bytes of the longest answer with the list of n images, SHA-256 each (SHA-384: 32 more an image,
 * SHA-512: 64): an SMP packet of so many always takes it, if need be in the frugal form, to which a
 * server turns by itself. Console framing takes 4 more. With less, a list of long versions may be
 * rc 7. */
#define FERRY_IMAGE_LIST_MAX(n) (19U + ((n) > 1 ? 235U : 221U) * (n))

/* Zephyr 4.4.0's defaults. */
extern const struct ferry_image_options ferry_image_options_default;

struct ferry_image_group;

/* Comparing what was uploaded with the client's digest: NULL in the configuration leaves it out,
 * and the digest code with it (Zephyr's default). */
struct ferry_image_check {
    /* Whether the SHA-256 of the first len bytes of slot is sha. The watchdog is fed.
     * Returns 1, 0 or a flash error. */
    int (*matches)(const struct ferry_image_group *group, const struct ferry_flash *slot,
                   uint32_t len, const uint8_t sha[FERRY_SHA256_SIZE]);
};

/* By the link-time crypto of ferry/crypto.h. */
extern const struct ferry_image_check ferry_image_check_sha256;

/* A chunk that passed every check and is about to be written. */
struct ferry_image_chunk {
    uint32_t image;
    uint32_t offset; /* 0 = an upload begins, or begins again */
    uint32_t size;   /* of the whole file */
    struct ferry_bytes data;
};

/* A slot of an image. */
struct ferry_image_place {
    uint8_t image;
    uint8_t slot; /* 0 primary, 1 secondary */
};

/* "image" of an upload may name a slot: 0 = the slot of image 0 that does not run, n = slot n - 1,
 * counted as erase does. NULL in the configuration: it is the number of an image. */
struct ferry_image_direct {
    /* The slot behind a number, be it there or not. Returns false: it names none, but an image. */
    bool (*place)(uint64_t number, struct ferry_image_place *place);
    /* The number of a slot. */
    uint32_t (*number)(const struct ferry_image_place *place);
};

extern const struct ferry_image_direct ferry_image_direct_upload;

/* Erasing sector by sector as an upload reaches them, so that the first chunk is answered soon.
 * NULL in the configuration: the first chunk erases all that the file takes. */
struct ferry_image_ahead {
    /* Make a slot ready for the file whose first chunk is given. */
    int (*begin)(struct ferry_image_group *group, const struct ferry_image_place *place,
                 const struct ferry_flash *view, const uint8_t header[FERRY_IMAGE_HEADER_SIZE]);
    /* Erase what is not erased before end. view: the slot from where the upload begins. */
    int (*reach)(struct ferry_image_group *group, const struct ferry_flash *view, uint32_t end);
};

extern const struct ferry_image_ahead ferry_image_erase_ahead;

/* What a reset leaves of an upload, so that it goes on where it was when the client sends its first
 * chunk again, with the same whole SHA-256. NULL in the configuration: a reset ends an upload. */
struct ferry_image_resume {
    /* The first upload request since the start: open what was under way, unless its slot was
     * touched since. Changes nothing in flash but what is to be forgotten. */
    void (*restore)(struct ferry_image_group *group);
    /* The upload is about to write up to end. Returns FERRY_OK or a flash error. */
    int (*reach)(struct ferry_image_group *group, const struct ferry_flash *view, uint32_t end);
    /* No upload is under way. */
    void (*forget)(struct ferry_image_group *group);
};

/* By a record in the store of image 0's slots, which must be there: at most 65 an upload, of 56
 * bytes. */
extern const struct ferry_image_resume ferry_image_resume_in_store;

/* What differs in a bootloader, where no image runs and any slot may be written. The table is
 * core/recovery's; context is the configuration's. */
struct ferry_image_bootloader {
    /* A slot is about to be looked at for a change: finish what a boot would finish first. */
    void (*settle)(void *context);
    /* Where an upload with this number goes. header: of the file. Returns false: nowhere. */
    bool (*place)(void *context, uint64_t number, const struct ferry_image_header *header,
                  struct ferry_image_place *place);
    /* The number of an upload that is to end in a slot. */
    uint32_t (*number)(void *context, const struct ferry_image_place *place);
    /* Whether the next boot would let the image of a slot run, if it is its turn. */
    bool (*may_run)(void *context, const struct ferry_image_place *place);
    /* A slot is about to be erased: make sure that no record elsewhere vouches for it.
     * Returns FERRY_OK or a flash error. */
    int (*release)(void *context, const struct ferry_image_place *place);
    /* All of an upload of size bytes is in its slot: judge it, and arrange for its start where it
     * is to start by itself. A handler: it may fail the call. */
    int (*accept)(void *context, struct ferry_server_call *call,
                  const struct ferry_image_place *place);
    /* A state write. A handler. */
    int (*set_state)(void *context, struct ferry_server_call *call,
                     const struct ferry_image_place *place, bool confirm);
};

/* Set up once; must outlive the group. */
struct ferry_image_group_config {
    const struct ferry_slots *images;          /* image_count pairs of slots */
    uint8_t image_count;                       /* 1 .. 16 */
    uint8_t running_image;                     /* the one this program is part of; usually 0 */
    const struct ferry_image_options *options; /* NULL = ferry_image_options_default */
    /* Where the slots are for the processor, 2 for each image: an upload linked to another address
     * (flag ROM_FIXED) is refused where images run in place. NULL = left to the bootloader. */
    const uint32_t *addresses;
    const struct ferry_image_check *check;   /* NULL = no check: no "match" in the answers */
    const struct ferry_image_direct *direct; /* &ferry_image_direct_upload or NULL, see there */
    const struct ferry_image_ahead *ahead;   /* &ferry_image_erase_ahead or NULL, see there */
    const struct ferry_image_resume *resume; /* &ferry_image_resume_in_store or NULL, see there */
    /* &ferry_set_in_store where the images change as one: then whichever running image is
     * confirmed, all are. NULL = each for itself. */
    const struct ferry_set *set;
    /* May refuse a chunk, as a handler does: an rc ends the upload, a group error keeps it.
     * NULL accepts all. */
    int (*upload)(void *context, struct ferry_server_call *call,
                  const struct ferry_image_chunk *chunk);
    /* Called at least once a sector in long erases, and each 4 KiB that are read at one go: feed
     * the watchdog. May be NULL. */
    void (*feed)(void *context);
    void *context; /* for all of them */
    /* In a bootloader: no image is active, and these rules take the place of the application's.
     * NULL in an application. */
    const struct ferry_image_bootloader *bootloader;
};

/* For upload, where the bootloader is Ferry's: refuses a compressed image at its first chunk,
 * FERRY_IMAGE_ERR_INVALID_HEADER, which the bootloader would refuse once all of it was sent. A hook
 * of the product's own may call it; context is not used. Returns an rc. */
int ferry_image_refuse_compressed(void *context, struct ferry_server_call *call,
                                  const struct ferry_image_chunk *chunk);

/* The state of one image group, in RAM; do not rely on the contents. One upload at a time. */
struct ferry_image_group {
    const struct ferry_image_group_config *config;
    const struct ferry_image_options *options;
    bool open; /* an upload is open; the fields below count only then */
    uint8_t image;
    uint8_t slot;    /* it goes to */
    uint8_t sha_len; /* 0 = the client gave none: no resume */
    uint8_t held_len;
    bool looked;     /* with resume: it was asked for since the start */
    bool doubtful;   /* with resume: what stands in the slot up to kept_to is in doubt */
    uint32_t number; /* the request's "image" */
    uint32_t size;
    uint32_t offset; /* bytes taken, those held included */
    uint32_t erased; /* the slot is ready so far, with erase ahead */
    /* With resume: all before kept_from is written, with this CRC. */
    uint32_t kept_from;
    uint32_t kept_to;
    uint32_t kept_crc;
    uint8_t sha[FERRY_SHA256_SIZE];
    uint8_t held[FERRY_FLASH_WRITE_MAX]; /* taken, too few for a write unit yet */
};

/* Mount it with a struct ferry_image_group * as context. */
extern const struct ferry_group ferry_image_group_table;

/* The same without slot info, for small servers: where there is one image the group answers it with
 * "not supported" as well, unless the options say otherwise. */
extern const struct ferry_group ferry_image_minimal_table;

/* Check the configuration and begin with no upload open.
 * Returns FERRY_OK; FERRY_E_CONFIG for image_count or running_image, a slots.active that cannot
 * run, or resume without a store; or as ferry_slots_check(). */
FERRY_MUST_CHECK
int ferry_image_group_init(struct ferry_image_group *group,
                           const struct ferry_image_group_config *config);

/* With ferry_image_erase_ahead: erase the sector behind the one that an open upload stands in,
 * unless it is erased. For a main loop that has nothing else to do, once answers have left: the
 * chunk that needs the sector then finds it ready. Takes as long as one sector takes; the wires
 * must keep what comes meanwhile, which is the next chunk. Returns whether something was erased. */
bool ferry_image_group_erase_next(struct ferry_image_group *group);

/* Forget an open upload, as when its slot was erased by other means. The client learns it from
 * the offset of the next answer. */
void ferry_image_group_drop_upload(struct ferry_image_group *group);

#endif
