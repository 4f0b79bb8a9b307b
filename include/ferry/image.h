/* SPDX-License-Identifier: Apache-2.0 */
/* The MCUboot image: header, payload, TLV areas, digest and signature. [mcuboot-format.md §2.1–2.4]
 *
 * All functions take the image as a struct ferry_flash that begins with the header: a slot, a
 * slice of one, or a file in memory (ferry_flash_rom_init). Nothing read from it is trusted. */
#ifndef FERRY_IMAGE_H
#define FERRY_IMAGE_H

#include "ferry/crypto.h"
#include "ferry/flash.h"

#define FERRY_IMAGE_MAGIC       0x96f3b83dU
#define FERRY_IMAGE_HEADER_SIZE 32
#define FERRY_IMAGE_DIGEST_MAX  64

/* Header flags. */
#define FERRY_IMAGE_ENCRYPTED_AES128 0x00000004U
#define FERRY_IMAGE_ENCRYPTED_AES256 0x00000008U
#define FERRY_IMAGE_NON_BOOTABLE     0x00000010U
#define FERRY_IMAGE_RAM_LOAD         0x00000020U
#define FERRY_IMAGE_ROM_FIXED        0x00000100U
#define FERRY_IMAGE_LZMA1            0x00000200U
#define FERRY_IMAGE_LZMA2            0x00000400U
#define FERRY_IMAGE_ARM_THUMB        0x00000800U

/* All that say how a payload is compressed. */
#define FERRY_IMAGE_COMPRESSED (FERRY_IMAGE_LZMA1 | FERRY_IMAGE_LZMA2 | FERRY_IMAGE_ARM_THUMB)

/* ---- Version ------------------------------------------------------------------ */

struct ferry_version {
    uint8_t major;
    uint8_t minor;
    uint16_t revision;
    uint32_t build;
};

/* "255.255.65535.4294967295" and its NUL. */
#define FERRY_VERSION_TEXT_MAX 25

/* Order by major, minor, revision, and build when with_build. Returns below, at or above 0. */
int ferry_version_compare(const struct ferry_version *a, const struct ferry_version *b,
                          bool with_build);

/* Read a version as SMP writes it: "1.2.3", or "1.2.3.4" with a build number.
 * Returns FERRY_OK, or FERRY_E_FORMAT (version is then untouched). */
FERRY_MUST_CHECK
int ferry_version_parse(const char *text, struct ferry_version *version);

/* As SMP writes it: "1.2.3", and ".4" behind it when build is not 0. out has
 * FERRY_VERSION_TEXT_MAX bytes and gets a NUL. Returns the length without it. */
size_t ferry_version_text(const struct ferry_version *version, char *out);

/* ---- Header --------------------------------------------------------------------- */

struct ferry_image_header {
    uint32_t load_address;
    uint16_t header_size;    /* 32 or more: bytes before the payload */
    uint16_t protected_size; /* whole protected TLV area; 0 = none */
    uint32_t payload_size;
    uint32_t flags;
    struct ferry_version version;
};

/* Read and write the 32 bytes of a header, without looking at flash.
 * parse returns FERRY_OK; FERRY_E_MAGIC; FERRY_E_IMAGE_SIZE for a header_size below 32 or sizes
 * whose sum does not fit 32 bits; FERRY_E_UNSUPPORTED for flags that exclude each other. */
FERRY_MUST_CHECK
int ferry_image_header_parse(const uint8_t raw[FERRY_IMAGE_HEADER_SIZE],
                             struct ferry_image_header *header);
void ferry_image_header_write(const struct ferry_image_header *header,
                              uint8_t raw[FERRY_IMAGE_HEADER_SIZE]);

/* Read the header of an image and check that header, payload and protected area lie inside it.
 * Returns FERRY_OK, the errors of the parse, FERRY_E_IMAGE_SIZE, or a flash error. */
FERRY_MUST_CHECK
int ferry_image_read_header(const struct ferry_flash *image, struct ferry_image_header *header);

/* ---- TLVs ----------------------------------------------------------------------------- */

#define FERRY_TLV_MAGIC           0x6907
#define FERRY_TLV_PROTECTED_MAGIC 0x6908
#define FERRY_TLV_VENDOR_FIRST    0x00a0

enum ferry_tlv_area { FERRY_TLV_PROTECTED, FERRY_TLV_UNPROTECTED };

/* X(name, type, area, shortest and longest payload). Vendor types (FERRY_TLV_VENDOR_FIRST and
 * above) are protected; any other protected type that is not listed refuses the image. */
#define FERRY_TLVS(X)                                                                              \
    X(KEYHASH, 0x01, UNPROTECTED, 32, 64)                                                          \
    X(PUBKEY, 0x02, UNPROTECTED, 32, 600)                                                          \
    X(SHA256, 0x10, UNPROTECTED, 32, 32)                                                           \
    X(SHA384, 0x11, UNPROTECTED, 48, 48)                                                           \
    X(SHA512, 0x12, UNPROTECTED, 64, 64)                                                           \
    X(RSA2048_PSS, 0x20, UNPROTECTED, 256, 256)                                                    \
    X(ECDSA224, 0x21, UNPROTECTED, 0, 64)                                                          \
    X(ECDSA_SIG, 0x22, UNPROTECTED, 8, 104)                                                        \
    X(RSA3072_PSS, 0x23, UNPROTECTED, 384, 384)                                                    \
    X(ED25519, 0x24, UNPROTECTED, 64, 64)                                                          \
    X(SIG_PURE, 0x25, UNPROTECTED, 1, 1)                                                           \
    X(ENC_RSA2048, 0x30, UNPROTECTED, 256, 256)                                                    \
    X(ENC_KW, 0x31, UNPROTECTED, 24, 40)                                                           \
    X(ENC_EC256, 0x32, UNPROTECTED, 113, 129)                                                      \
    X(ENC_X25519, 0x33, UNPROTECTED, 80, 96)                                                       \
    X(ENC_X25519_SHA512, 0x34, UNPROTECTED, 112, 128)                                              \
    X(DEPENDENCY, 0x40, PROTECTED, 12, 12)                                                         \
    X(SEC_CNT, 0x50, PROTECTED, 4, 4)                                                              \
    X(BOOT_RECORD, 0x60, PROTECTED, 1, 0xffff)                                                     \
    X(DECOMP_SIZE, 0x70, PROTECTED, 4, 4)                                                          \
    X(DECOMP_SHA, 0x71, PROTECTED, 32, 64)                                                         \
    X(DECOMP_SIGNATURE, 0x72, PROTECTED, 1, 0xffff)                                                \
    X(COMP_DEC_SIZE, 0x73, PROTECTED, 4, 4)                                                        \
    X(UUID_VID, 0x74, PROTECTED, 16, 16)                                                           \
    X(UUID_CID, 0x75, PROTECTED, 16, 16)

enum ferry_tlv_type {
#define FERRY_TLV_ENUM(name, type, area, shortest, longest) FERRY_TLV_##name = type,
    FERRY_TLVS(FERRY_TLV_ENUM)
#undef FERRY_TLV_ENUM
};

/* Name of a TLV type ("SHA256"), "VENDOR" for vendor types, "UNKNOWN" for the rest. */
const char *ferry_tlv_name(uint16_t type);

struct ferry_tlv {
    enum ferry_tlv_area area;
    uint16_t type;
    uint16_t len;
    uint32_t offset; /* of the payload, in the image */
};

/* A walk over both areas, protected first. Do not rely on the contents. */
struct ferry_tlv_walk {
    const struct ferry_flash *image;
    enum ferry_tlv_area area;
    uint32_t next;     /* offset of the next entry */
    uint32_t area_end; /* end of the present area */
    uint32_t end;      /* end of the image; valid once begun */
    uint32_t unprotected;
};

/* Begin a walk; checks both areas' magic and sizes. walk->end is then the size of the image.
 * header comes from ferry_image_read_header() of the same image.
 * Returns FERRY_OK, FERRY_E_TLV, or a flash error. */
FERRY_MUST_CHECK
int ferry_tlv_walk_begin(struct ferry_tlv_walk *walk, const struct ferry_flash *image,
                         const struct ferry_image_header *header);

/* The next entry. Lengths are checked against its area and the list above.
 * Returns 1; 0 after the last; FERRY_E_TLV; FERRY_E_TLV_AREA for a type in the wrong area;
 * FERRY_E_TLV_UNKNOWN for an unknown protected type; or a flash error. Unknown unprotected
 * types are handed out and may be ignored. */
FERRY_MUST_CHECK
int ferry_tlv_walk_next(struct ferry_tlv_walk *walk, struct ferry_tlv *tlv);

/* Read the payload of the first TLV of a type, which must have exactly len bytes. header comes from
 * ferry_image_read_header() of the same image.
 * Returns FERRY_OK; FERRY_E_NOT_FOUND when there is none; FERRY_E_TLV for another length; or the
 * errors of the walk. */
FERRY_MUST_CHECK
int ferry_image_tlv(const struct ferry_flash *image, const struct ferry_image_header *header,
                    uint16_t type, uint8_t *data, size_t len);

/* ---- What an image says of itself ------------------------------------------------------ */

struct ferry_image_info {
    struct ferry_image_header header;
    uint32_t size;                          /* header to the end of the last TLV, bytes */
    uint8_t digest_len;                     /* 32, 48 or 64; 0 = the image has no digest TLV */
    uint8_t digest[FERRY_IMAGE_DIGEST_MAX]; /* the digest TLV: what SMP calls `hash` */
    bool pure;                              /* signed is the image itself, not its digest */
};

/* Read header, size, digest TLV and SIG_PURE; verifies nothing. info is filled as far as it was
 * read, also when an error is returned; the rest of it is 0.
 * Returns FERRY_OK, the first error of header, walk or flash, or FERRY_E_TLV for two digests, two
 * SIG_PURE, or one that is not 1. */
FERRY_MUST_CHECK
int ferry_image_inspect(const struct ferry_flash *image, struct ferry_image_info *info);

/* The size alone, which takes less stack: header to the end of the last TLV, bytes.
 * Returns FERRY_OK, or the first error of header, walk or flash. */
FERRY_MUST_CHECK
int ferry_image_size(const struct ferry_flash *image, uint32_t *size);

/* ---- Digests ---------------------------------------------------------------------------- */

/* A running digest of any kind. Do not rely on the contents. */
union ferry_image_digest_state {
    struct ferry_sha256 sha256;
    struct ferry_sha512 sha512;
};

/* One digest: a const table in a file of its own. Every init is matched by one final. */
struct ferry_image_digest_kind {
    const char *name;
    uint16_t tlv; /* the digest's TLV type */
    uint8_t size; /* bytes, at most FERRY_IMAGE_DIGEST_MAX; no two kinds have the same */
    void (*init)(union ferry_image_digest_state *state);
    void (*update)(union ferry_image_digest_state *state, const void *data, size_t len);
    void (*final)(union ferry_image_digest_state *state, uint8_t *digest); /* size bytes */
};

extern const struct ferry_image_digest_kind ferry_digest_sha256;
extern const struct ferry_image_digest_kind ferry_digest_sha384;
extern const struct ferry_image_digest_kind ferry_digest_sha512;

/* Compute the digest over header, payload and protected area.
 *
 * buf     cap bytes, above 0; not kept
 * feed    called between chunks with its context, may be NULL
 * digest  gets kind->size bytes
 *
 * Returns FERRY_OK or a flash error. */
FERRY_MUST_CHECK
int ferry_image_digest(const struct ferry_flash *image, const struct ferry_image_header *header,
                       const struct ferry_image_digest_kind *kind, uint8_t *buf, size_t cap,
                       void (*feed)(void *), void *feed_context, uint8_t *digest);

/* ---- Signatures ------------------------------------------------------------------------- */

/* A public key as DER: SubjectPublicKeyInfo (91 bytes P-256, 120 P-384, 44 Ed25519), of RSA the
 * PKCS #1 RSAPublicKey (270 bytes RSA-2048, 398 RSA-3072). [mcuboot-format.md §2.4] */
struct ferry_image_key {
    const uint8_t *der;
    size_t len;
};

/* What a signature speaks for: the digest; or the image, for a scheme that reads it itself. */
struct ferry_image_signed {
    /* The digest of the image, kind->size bytes, and right. Who reads the image itself puts here
     * the digest of what it read: that is compared once more. */
    uint8_t *digest;
    const struct ferry_image_digest_kind *kind;
    const struct ferry_flash *image;
    const struct ferry_image_header *header; /* header, payload and protected area are signed */
    uint8_t *buf;                            /* cap bytes of workspace, above 0 */
    size_t cap;
    void (*feed)(void *); /* called between reads, may be NULL */
    void *feed_context;
    int error; /* set to the flash error that ended the reading; FERRY_OK = none */
};

#define FERRY_IMAGE_VERIFIER_DIGESTS 2

/* One signature scheme: a const table in a file of its own. */
struct ferry_image_verifier {
    const char *name;
    uint16_t tlv;           /* the signature's TLV type */
    uint16_t signature_max; /* bytes, at most FERRY_IMAGE_SIGNATURE_MAX */
    bool pure; /* for images with SIG_PURE, whose message is signed; and for no other */
    /* TLV types of the digests an image of this scheme may have, 0 behind the last. */
    uint16_t digests[FERRY_IMAGE_VERIFIER_DIGESTS];
    /* Whether key is of this scheme. */
    bool (*fits)(const struct ferry_image_key *key);
    /* Returns FERRY_OK or FERRY_E_SIGNATURE; key fits, and the digest is one of digests. */
    int (*verify)(const struct ferry_image_key *key, struct ferry_image_signed *what,
                  const uint8_t *signature, size_t len);
};

#define FERRY_IMAGE_SIGNATURE_MAX 384

/* Signatures by trusted keys that are checked in one image; more are not looked at, so that an
 * image cannot keep the processor busy for minutes. */
#define FERRY_IMAGE_SIGNATURES_MAX 8

extern const struct ferry_image_verifier ferry_verify_ecdsa_p256;   /* SHA-256 */
extern const struct ferry_image_verifier ferry_verify_ecdsa_p384;   /* SHA-384 */
extern const struct ferry_image_verifier ferry_verify_ed25519;      /* SHA-256 or SHA-512 */
extern const struct ferry_image_verifier ferry_verify_ed25519_pure; /* SHA-512 */
extern const struct ferry_image_verifier ferry_verify_rsa2048_pss;  /* SHA-256 */
extern const struct ferry_image_verifier ferry_verify_rsa3072_pss;  /* SHA-256 */

/* ---- Verification ------------------------------------------------------------------------- */

/* Keys by the SHA-256 of their DER form, whatever hash an image names them by. */
struct ferry_key_list {
    const uint8_t (*hashes)[FERRY_SHA256_SIZE];
    size_t count;
    /* &ferry_key_list_has: so that who has no list links none of it. NULL: every key is in it. */
    bool (*has)(const struct ferry_key_list *list, const struct ferry_image_key *key);
};

bool ferry_key_list_has(const struct ferry_key_list *list, const struct ferry_image_key *key);

/* Whom an image must come from. */
struct ferry_image_trust {
    const struct ferry_image_key *keys;
    size_t key_count;
    const struct ferry_image_verifier *const *verifiers;
    size_t verifier_count;
    const struct ferry_image_digest_kind *const *digests; /* without one nothing is accepted */
    size_t digest_count;
    bool digest_only; /* accept images with a good digest that are unsigned or signed by a key
                         not listed: for tests and open devices; a wrong signature by a listed
                         key is still refused. Without it and without keys nothing is accepted */
    bool compressed;  /* accept a compressed image as the bytes it is stored in: for tools. What
                         cannot run must not verify where it is to run */
    /* Keys that verify nothing, though they may be among the keys above. NULL = none. */
    const struct ferry_key_list *revoked; /* by this device: ferry_keys.revoked (ferry/keys.h) */
    const struct ferry_key_list *refused; /* in production: &ferry_development_keys */
};

/* What verification found: valid only if both words say so, which no single fault makes true. */
struct ferry_verdict {
    uint32_t valid; /* FERRY_VALID or something else */
    uint32_t check; /* ~FERRY_VALID or something else */
};
#define FERRY_VALID 0x5ac3a53cU

/* Whether a verdict says valid: both words are looked at. */
bool ferry_verdict_is_valid(const struct ferry_verdict *verdict);

/* Verify a whole image: header, sizes, every TLV, digest, signature by one of the trusted keys.
 *
 * buf      cap bytes of workspace, above 0; the larger the fewer reads
 * feed     as in ferry_image_digest()
 * info     filled as far as it was read, also when the image is refused
 * verdict  always set; act on it with ferry_verdict_is_valid(), not on the result alone
 *
 * A key is named by a KEYHASH (a hash of the image's digest kind) or PUBKEY TLV and speaks for the
 * one signature behind it; there may be several such pairs, and one good signature by a trusted key
 * is enough. With SIG_PURE all signatures are of the image itself, without it all are of its
 * digest; the digest TLV must be right in both cases. For a pure signature the image is read once
 * more, and what was read must have that digest again.
 *
 * An encrypted image verifies as plaintext: image must be a flash that decrypts.
 *
 * Returns FERRY_OK and a valid verdict; FERRY_E_MAGIC, _IMAGE_SIZE, _TLV, _TLV_AREA,
 * _TLV_UNKNOWN, _DIGEST (also when there is none), _NO_SIGNATURE, _NO_KEY, _REVOKED,
 * _DEVELOPMENT_KEY, _SIGNATURE (wrong, or of a scheme that does not go with the key or the digest),
 * _COMPRESSED, _UNSUPPORTED (a digest or a scheme that is not listed); or a flash error.
 * [mcuboot-format.md §2.3] */
FERRY_MUST_CHECK
int ferry_image_verify(const struct ferry_flash *image, const struct ferry_image_trust *trust,
                       uint8_t *buf, size_t cap, void (*feed)(void *), void *feed_context,
                       struct ferry_image_info *info, struct ferry_verdict *verdict);

#endif
