/* SPDX-License-Identifier: Apache-2.0 */
/* The immutable first stage, compatible with Nordic's NSIB ("b0"): it chooses one of two slots, S0
 * and S1, verifies the bootloader in it and says which may start; and the installation of another
 * bootloader into the slot that does not run. [nsib-format.md; docs/FIRST.md]
 *
 * Nothing that is read from flash is trusted. Numbers are little endian. */
#ifndef FERRY_FIRST_H
#define FERRY_FIRST_H

#include "ferry/image.h"

#define FERRY_FIRST_INFO_SIZE       60
#define FERRY_FIRST_VALIDATION_SIZE 176
#define FERRY_FIRST_KEYS            16 /* provisioned at most */
#define FERRY_FIRST_KEY_HASH        16
#define FERRY_FIRST_VERSION_MAX     0x7fffU /* the counter keeps 15 bits */

/* The word `valid` of fw_info: as it is signed, and once the first stage has given it up. */
#define FERRY_FIRST_VALID   0x9102ffffU
#define FERRY_FIRST_INVALID 0x91020000U

/* Tokens of provisioned keys: number n has n in bits 24 to 27. Half of the word is what tells. */
#define FERRY_FIRST_TOKEN         0x50faffffU
#define FERRY_FIRST_TOKEN_REVOKED 0x50fa0000U

/* Where fw_info may be, from the first byte of the firmware. */
#define FERRY_FIRST_OFFSETS 5
extern const uint32_t ferry_first_offsets[FERRY_FIRST_OFFSETS];

/* One kind of hardware: a const table. The words are the third of each magic: version, hardware id
 * << 8, crypto id << 16, compatibility << 24. */
struct ferry_first_kind {
    const char *name;
    uint32_t info;       /* of fw_info … */
    uint32_t info_mask;  /* … in these bits: the crypto id is not looked at */
    uint32_t validation; /* of the validation info */
    uint8_t word; /* bytes of a life cycle state and of a counter's slot: 2 (OTP, UICR) or 4 */
    bool vectors; /* at boot_address is a vector table; its reset vector is checked */
};

extern const struct ferry_first_kind ferry_first_nrf52;
extern const struct ferry_first_kind ferry_first_nrf53;
extern const struct ferry_first_kind
    ferry_first_vchip; /* nRF52's ids, programs instead of vectors */

/* ---- Structures ---------------------------------------------------------------------------- */

struct ferry_first_info {
    uint32_t offset;       /* of the struct, from the firmware's first byte */
    uint32_t total_size;   /* of the struct with its lists, bytes */
    uint32_t size;         /* of the firmware: what is signed */
    uint32_t version;      /* at most FERRY_FIRST_VERSION_MAX */
    uint32_t address;      /* where the firmware's first byte must be */
    uint32_t boot_address; /* vector table */
    uint32_t valid;        /* FERRY_FIRST_VALID */
    uint32_t ext_api_num, ext_api_request_num;
};

struct ferry_first_validation {
    uint32_t offset;  /* of the struct, from the firmware's first byte */
    uint32_t address; /* as in fw_info */
    uint8_t hash[FERRY_SHA256_SIZE];
    uint8_t key[64];       /* X | Y */
    uint8_t signature[64]; /* r | s, over the hash as a message */
};

/* Read and write the bytes of fw_info; offset is left alone.
 * parse returns FERRY_OK; FERRY_E_MAGIC; FERRY_E_FORMAT when total_size is below the struct's. */
FERRY_MUST_CHECK
int ferry_first_info_parse(const uint8_t raw[FERRY_FIRST_INFO_SIZE],
                           const struct ferry_first_kind *kind, struct ferry_first_info *info);
void ferry_first_info_write(const struct ferry_first_info *info,
                            const struct ferry_first_kind *kind,
                            uint8_t raw[FERRY_FIRST_INFO_SIZE]);

/* The same for the validation info. parse returns FERRY_OK or FERRY_E_MAGIC. */
FERRY_MUST_CHECK
int ferry_first_validation_parse(const uint8_t raw[FERRY_FIRST_VALIDATION_SIZE],
                                 const struct ferry_first_kind *kind,
                                 struct ferry_first_validation *validation);
void ferry_first_validation_write(const struct ferry_first_validation *validation,
                                  const struct ferry_first_kind *kind,
                                  uint8_t raw[FERRY_FIRST_VALIDATION_SIZE]);

/* Where a firmware lies: from offset in flash on, size bytes at most; and where it is to run. */
struct ferry_first_place {
    const struct ferry_flash *flash;
    uint32_t offset;
    uint32_t size;
    uint32_t address;
};

/* Find fw_info at one of the offsets; it is read several times, and one that does not read the same
 * each time is none: a write that was cut may have left it so.
 * Returns FERRY_OK; FERRY_E_MAGIC when there is none; FERRY_E_FORMAT; FERRY_E_FLASH, FERRY_E_POWER.
 */
FERRY_MUST_CHECK
int ferry_first_info_find(const struct ferry_first_place *place,
                          const struct ferry_first_kind *kind, struct ferry_first_info *info);

/* Find the validation info within 4 bytes behind the firmware.
 * Returns FERRY_OK; FERRY_E_IMAGE_SIZE when there is no room for one; FERRY_E_NO_SIGNATURE; or a
 * flash error. */
FERRY_MUST_CHECK
int ferry_first_validation_find(const struct ferry_first_place *place,
                                const struct ferry_first_kind *kind,
                                const struct ferry_first_info *info,
                                struct ferry_first_validation *validation);

/* ---- Provision ----------------------------------------------------------------------------- */

enum ferry_first_life_cycle {
    FERRY_FIRST_UNKNOWN, /* the words contradict each other */
    FERRY_FIRST_ASSEMBLY,
    FERRY_FIRST_PROVISIONING,
    FERRY_FIRST_SECURE,
    FERRY_FIRST_DECOMMISSIONED
};

struct ferry_first_key {
    uint32_t offset; /* of its token */
    uint8_t hash[FERRY_FIRST_KEY_HASH];
    bool revoked; /* also when its token is half written: then it was about to be */
    bool done;    /* its token says so for good */
};

/* What is provisioned, read. */
struct ferry_first_provision {
    const struct ferry_flash *flash;
    const struct ferry_first_kind *kind;
    enum ferry_first_life_cycle life_cycle;
    uint8_t implementation_id[32];
    uint32_t addresses[2];
    uint32_t key_count;
    struct ferry_first_key keys[FERRY_FIRST_KEYS];
    uint32_t slots;      /* offset of the counter's first slot; 0 = there is no counter */
    uint32_t slot_count; /* of them */
    uint32_t used;       /* slots before the first free one */
    uint32_t copies;     /* slots that hold value */
    uint32_t value;      /* version << 1 | !slot; 0 = never raised */
};

/* Read it. The format has no checksum; one flipped bit at rest in a token, in the number of keys,
 * in the frame or a value of the counter is seen through (docs/FIRST.md says how).
 *
 * flash  begins with the life cycle states; must outlive provision
 *
 * Returns FERRY_OK; FERRY_E_FORMAT when it is none; FERRY_E_FLASH, FERRY_E_POWER. */
FERRY_MUST_CHECK
int ferry_first_provision_read(const struct ferry_flash *flash, const struct ferry_first_kind *kind,
                               struct ferry_first_provision *provision);

/* The version below which nothing runs. */
static inline uint32_t ferry_first_lowest(const struct ferry_first_provision *provision)
{
    return provision->value >> 1;
}

/* Revoke the keys below an index, for good; nothing is erased, bits only move one way.
 * Returns how many tokens were written, or a flash error. */
FERRY_MUST_CHECK
int ferry_first_revoke_below(struct ferry_first_provision *provision, uint32_t index);

/* Raise the counter to version << 1 | !slot if that is a higher version, in three copies.
 * Returns 1 when it was raised, 0 when there was nothing to do (or there is no counter);
 * FERRY_E_USED_UP; or a flash error. */
FERRY_MUST_CHECK
int ferry_first_raise(struct ferry_first_provision *provision, uint32_t version, uint32_t slot);

/* Whether an update to version can be counted: FERRY_OK or FERRY_E_USED_UP. */
FERRY_MUST_CHECK
int ferry_first_has_room(const struct ferry_first_provision *provision, uint32_t version);

/* Make a page of bytes: what ferry_first_provision_read() reads.
 *
 * hashes  count of FERRY_FIRST_KEY_HASH bytes each, none with a half word of 0xffff
 * slots   of the counter, even; 0 = no counter
 * page    cap bytes; those behind the data are left alone
 *
 * Returns the bytes written; FERRY_E_SPACE; FERRY_E_RANGE. */
FERRY_MUST_CHECK
int ferry_first_provision_write(const struct ferry_first_kind *kind, const uint32_t addresses[2],
                                const uint8_t *hashes, uint32_t count, uint16_t slots,
                                uint8_t *page, size_t cap);

/* ---- The device ---------------------------------------------------------------------------- */

/* Set up once. The slots are those of the board; the provision must say the same addresses. */
struct ferry_first {
    const struct ferry_first_kind *kind;
    const struct ferry_flash *provision;
    struct ferry_first_place slots[2]; /* offset: of the firmware behind its MCUboot header */
    uint8_t active;                    /* the slot that runs, for the second stage */
    uint8_t *buf;                      /* workspace: a multiple of every write size, 256 or more */
    size_t buf_size;
    void (*feed)(void *context); /* the watchdog; may be NULL */
    void *context;
};

/* A bootloader that was looked at. */
struct ferry_first_stage {
    struct ferry_first_info info;
    struct ferry_first_validation validation;
    uint32_t key; /* index of the provisioned key that verified it */
};

/* Verify a bootloader as the first stage does.
 *
 * stage    filled as far as it was read
 * verdict  always set; act on it with ferry_verdict_is_valid(), not on the result alone
 *
 * Returns FERRY_OK and a valid verdict; FERRY_E_MAGIC (no fw_info), FERRY_E_ADDRESS (built for
 * another place), FERRY_E_INVALIDATED, FERRY_E_OLD_STAGE, FERRY_E_IMAGE_SIZE, FERRY_E_RANGE (of the
 * version), FERRY_E_UNSUPPORTED (it requires an API of the first stage, which offers none),
 * FERRY_E_FORMAT, FERRY_E_NO_SIGNATURE, FERRY_E_NO_KEY, FERRY_E_REVOKED, FERRY_E_DIGEST,
 * FERRY_E_SIGNATURE; or a flash error. */
FERRY_MUST_CHECK
int ferry_first_verify(const struct ferry_first *first,
                       const struct ferry_first_provision *provision,
                       const struct ferry_first_place *place, struct ferry_first_stage *stage,
                       struct ferry_verdict *verdict);

struct ferry_first_report {
    uint8_t slot; /* which may start; on FERRY_OK */
    struct ferry_first_stage stage;
    int reasons[2];      /* why a slot may not run; FERRY_OK: it may, or was not looked at */
    bool invalidated[2]; /* it was given up for good in this boot */
    int revoked;         /* keys revoked in this boot, or why that failed */
    int raised;          /* 1: the counter was raised; 0; or why that failed */
};

/* The first stage: choose, verify, revoke older keys, raise the counter.
 *
 * The higher version comes first, of equal ones S0. A slot that does not verify is given up for
 * good only when the other one verified and it failed alike three times, without a read error.
 *
 * report  always filled
 *
 * Returns FERRY_OK: report->slot may start; FERRY_E_NO_IMAGE; FERRY_E_FORMAT or FERRY_E_CONFIG when
 * there is no provision for these slots; FERRY_E_FLASH; FERRY_E_POWER. */
FERRY_MUST_CHECK
int ferry_first_select(const struct ferry_first *first, struct ferry_first_report *report);

/* ---- The second stage's part --------------------------------------------------------------- */

/* Whether the first stage would start this bootloader from the slot that does not run.
 *
 * place  where it is staged; its address is not looked at
 *
 * Returns FERRY_OK and a valid verdict; the errors of ferry_first_verify(); FERRY_E_OLD_STAGE also
 * when the one that runs would be preferred; FERRY_E_USED_UP when the counter cannot be raised any
 * more. */
FERRY_MUST_CHECK
int ferry_first_judge(const struct ferry_first *first, const struct ferry_first_place *place,
                      struct ferry_first_stage *stage, struct ferry_verdict *verdict);

/* Install an image of size bytes, MCUboot's header first, into the slot that does not run. The unit
 * that makes it count is written last; then all of it is compared and verified. May be repeated
 * after a cut. Returns FERRY_OK, or why it could not be; then the slot holds nothing that counts.
 */
FERRY_MUST_CHECK
int ferry_first_install(const struct ferry_first *first, const struct ferry_flash *image,
                        uint32_t size);

/* Empty the slot that does not run, so that the first stage finds nothing there.
 * Returns FERRY_OK or a flash error. */
FERRY_MUST_CHECK
int ferry_first_discard(const struct ferry_first *first);

#endif
