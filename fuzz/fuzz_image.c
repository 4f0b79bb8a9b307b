/* SPDX-License-Identifier: Apache-2.0 */
/* Fuzz target: bytes as an image. Byte 0 of the input is the mode: bit 0, the rest are edits
 * (offset, exclusive or) of a golden image, else the rest is the image; bit 1, the digest TLV is
 * made right; bit 2, which golden image; the higher bits, the size of the workspace.
 *
 * Whatever the bytes are:
 *   1. Nothing is read outside of them (the sanitizers see to it).
 *   2. A header that is accepted lies inside the image with its payload and protected area, and is
 *      the same when it is written and parsed again.
 *   3. Every TLV that is handed out lies behind the one before, inside its area, inside the image;
 *      a listed type stands in its area with a length inside its limits, an unknown one never in
 *      the protected area; the walk ends.
 *   4. An image that can be inspected is what header and walk say of it, and its digest is the one
 *      digest TLV there is.
 *   5. A verification answers FERRY_OK exactly when both words of its verdict say so; with any
 *      other answer neither does. It tells the same as the inspection.
 *   6. With the golden keys, only the golden images' own header, payload and protected area are
 *      ever valid.
 *   7. Without keys nothing is valid. Where only the digest is asked for, what is valid has the
 *      digest that its TLV says.
 *   8. The size of the workspace changes nothing. */
#include "ferry/image.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerInitialize(int *argc, char ***argv);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* Like assert(), in every build type. */
#define CHECK(condition)                                                                           \
    do {                                                                                           \
        if (!(condition)) {                                                                        \
            fprintf(stderr, "%s:%d: %s\n", __FILE__, __LINE__, #condition);                        \
            abort();                                                                               \
        }                                                                                          \
    } while (0)

/* ---- The golden images: header 32, payload 24, SEC_CNT and a vendor TLV, signed --------- */

#define SIGNED_SIZE (32 + 24 + 21)

static const uint8_t golden_ed25519[] = {
    0x3d, 0xb8, 0xf3, 0x96, 0x00, 0x00, 0x00, 0x00, 0x20, 0x00, 0x15, 0x00, 0x18, 0x00, 0x00, 0x00,
    0x00, 0x00, 0x00, 0x00, 0x01, 0x02, 0x03, 0x00, 0x04, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00,
    0x04, 0x02, 0x31, 0x15, 0xe3, 0xa6, 0x76, 0x23, 0xea, 0x0e, 0xdd, 0x57, 0x55, 0xc1, 0x27, 0x4f,
    0x9b, 0x50, 0xa1, 0x04, 0xa8, 0x9e, 0x49, 0x78, 0x08, 0x69, 0x15, 0x00, 0x50, 0x00, 0x04, 0x00,
    0x07, 0x00, 0x00, 0x00, 0xa0, 0x00, 0x05, 0x00, 0x68, 0x65, 0x6c, 0x6c, 0x6f, 0x07, 0x69, 0x97,
    0x00, 0x10, 0x00, 0x20, 0x00, 0x26, 0x3e, 0x1a, 0xcf, 0x3a, 0x6b, 0xd5, 0x31, 0xc2, 0xf3, 0x6b,
    0x3b, 0x0d, 0x42, 0xff, 0xed, 0x63, 0x57, 0xd6, 0xd1, 0x5d, 0xbe, 0xe5, 0x59, 0x56, 0x2d, 0xe6,
    0xb8, 0x33, 0x30, 0x91, 0xf8, 0x01, 0x00, 0x20, 0x00, 0x00, 0xc2, 0x78, 0x7e, 0x85, 0x6d, 0xef,
    0xf8, 0x86, 0xb8, 0xba, 0x63, 0x06, 0xca, 0xf2, 0xbb, 0xb1, 0x49, 0x70, 0x9e, 0xd5, 0x34, 0x78,
    0x5b, 0xc1, 0x37, 0xa7, 0x47, 0x4a, 0xbd, 0x23, 0x10, 0x24, 0x00, 0x40, 0x00, 0x6f, 0xc6, 0x4a,
    0x6a, 0x83, 0x08, 0x47, 0x8c, 0x28, 0x74, 0xda, 0x36, 0xd8, 0xce, 0x80, 0x4d, 0xa6, 0x41, 0x04,
    0x6f, 0x43, 0x87, 0x48, 0x8c, 0xff, 0x79, 0x14, 0xdf, 0x1c, 0x65, 0x39, 0x92, 0x2d, 0x5f, 0x56,
    0x7a, 0xda, 0xf4, 0x64, 0x31, 0xa1, 0x95, 0xc4, 0x2f, 0xcb, 0x7b, 0x46, 0x0c, 0x58, 0x53, 0x14,
    0x3a, 0xc8, 0xb0, 0xd4, 0x05, 0x14, 0xcc, 0xf2, 0x4a, 0x16, 0x9a, 0xa1, 0x01, 0x99, 0x00, 0x03,
    0x00, 0x61, 0x62, 0x63,
};

static const uint8_t golden_p256[] = {
    0x3d, 0xb8, 0xf3, 0x96, 0x00, 0x00, 0x00, 0x00, 0x20, 0x00, 0x15, 0x00, 0x18, 0x00, 0x00, 0x00,
    0x00, 0x00, 0x00, 0x00, 0x01, 0x02, 0x03, 0x00, 0x04, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00,
    0x04, 0x02, 0x31, 0x15, 0xe3, 0xa6, 0x76, 0x23, 0xea, 0x0e, 0xdd, 0x57, 0x55, 0xc1, 0x27, 0x4f,
    0x9b, 0x50, 0xa1, 0x04, 0xa8, 0x9e, 0x49, 0x78, 0x08, 0x69, 0x15, 0x00, 0x50, 0x00, 0x04, 0x00,
    0x07, 0x00, 0x00, 0x00, 0xa0, 0x00, 0x05, 0x00, 0x68, 0x65, 0x6c, 0x6c, 0x6f, 0x07, 0x69, 0x9f,
    0x00, 0x10, 0x00, 0x20, 0x00, 0x26, 0x3e, 0x1a, 0xcf, 0x3a, 0x6b, 0xd5, 0x31, 0xc2, 0xf3, 0x6b,
    0x3b, 0x0d, 0x42, 0xff, 0xed, 0x63, 0x57, 0xd6, 0xd1, 0x5d, 0xbe, 0xe5, 0x59, 0x56, 0x2d, 0xe6,
    0xb8, 0x33, 0x30, 0x91, 0xf8, 0x01, 0x00, 0x20, 0x00, 0xbc, 0xfe, 0x97, 0xbe, 0xd2, 0xb1, 0xf9,
    0xd7, 0x7d, 0xb1, 0xf6, 0x68, 0xb0, 0x49, 0xe2, 0x11, 0xd8, 0x6f, 0x44, 0x31, 0xaa, 0xbd, 0xe5,
    0xaa, 0xc0, 0x35, 0x0c, 0x7c, 0x58, 0x92, 0x7f, 0x68, 0x22, 0x00, 0x48, 0x00, 0x30, 0x46, 0x02,
    0x21, 0x00, 0xa7, 0xb5, 0xdd, 0x5f, 0xa2, 0x6f, 0xf3, 0x4c, 0x77, 0xb0, 0x61, 0xcf, 0xb2, 0x26,
    0xed, 0x5d, 0xe4, 0x1c, 0x76, 0x59, 0x30, 0x0d, 0x07, 0x95, 0x70, 0xcf, 0x56, 0xab, 0x17, 0x11,
    0xfd, 0xdd, 0x02, 0x21, 0x00, 0xc8, 0x6e, 0x64, 0x1c, 0xa3, 0xb4, 0xe8, 0xe7, 0xea, 0x40, 0xdf,
    0xfa, 0x0e, 0x47, 0xab, 0x36, 0x42, 0x4b, 0xf5, 0xe4, 0x85, 0xe8, 0xb5, 0x1b, 0xa7, 0xef, 0x36,
    0x8d, 0x13, 0x7a, 0x64, 0xc9, 0x99, 0x00, 0x03, 0x00, 0x61, 0x62, 0x63,
};

static const uint8_t key_ed25519[] = {
    0x30, 0x2a, 0x30, 0x05, 0x06, 0x03, 0x2b, 0x65, 0x70, 0x03, 0x21, 0x00, 0xf0, 0xf1, 0x37,
    0xea, 0xe8, 0x6a, 0x79, 0x62, 0x20, 0x5e, 0xc4, 0xa1, 0x0d, 0xfe, 0xa1, 0x94, 0xc3, 0x69,
    0xb8, 0xc0, 0x22, 0x95, 0xa9, 0xa5, 0x07, 0x0f, 0x71, 0xa2, 0xb1, 0x5e, 0xfc, 0x67};

static const uint8_t key_p256[] = {
    0x30, 0x59, 0x30, 0x13, 0x06, 0x07, 0x2a, 0x86, 0x48, 0xce, 0x3d, 0x02, 0x01, 0x06, 0x08, 0x2a,
    0x86, 0x48, 0xce, 0x3d, 0x03, 0x01, 0x07, 0x03, 0x42, 0x00, 0x04, 0xf3, 0xcd, 0x19, 0xe7, 0x35,
    0x98, 0x54, 0x35, 0x69, 0x43, 0x89, 0x77, 0x69, 0x97, 0xc6, 0x6e, 0xff, 0xcb, 0xd1, 0xaf, 0x14,
    0x99, 0xd3, 0x13, 0xf2, 0x97, 0xbf, 0xeb, 0xca, 0x1e, 0x1d, 0x36, 0xf0, 0x90, 0x30, 0xc7, 0x26,
    0xc4, 0x3b, 0xb7, 0xe0, 0x69, 0x68, 0xae, 0xd1, 0x0d, 0xfa, 0xde, 0x06, 0x0a, 0x8d, 0x49, 0x37,
    0xcf, 0x73, 0x1a, 0x72, 0xb6, 0x3c, 0x21, 0x78, 0x35, 0xd6, 0x7c};

static const struct {
    const uint8_t *bytes;
    size_t size;
} goldens[] = {{golden_ed25519, sizeof golden_ed25519}, {golden_p256, sizeof golden_p256}};

static const struct ferry_image_key keys[] = {{key_ed25519, sizeof key_ed25519},
                                              {key_p256, sizeof key_p256}};
static const struct ferry_image_verifier *const verifiers[] = {
    &ferry_verify_ed25519,      &ferry_verify_ecdsa_p256,  &ferry_verify_ecdsa_p384,
    &ferry_verify_ed25519_pure, &ferry_verify_rsa2048_pss, &ferry_verify_rsa3072_pss};
static const struct ferry_image_digest_kind *const digests[] = {
    &ferry_digest_sha256, &ferry_digest_sha384, &ferry_digest_sha512};

#define LISTS                                                                                      \
    .verifiers = verifiers, .verifier_count = sizeof verifiers / sizeof verifiers[0],              \
    .digests = digests, .digest_count = sizeof digests / sizeof digests[0]

static const struct ferry_image_trust by_keys = {.keys = keys, .key_count = 2, LISTS};
static const struct ferry_image_trust by_nobody = {LISTS};
static const struct ferry_image_trust by_digest = {LISTS, .digest_only = true};

/* The kind of a digest by its length. */
static const struct ferry_image_digest_kind *kind_of(size_t len)
{
    return digests[(len - FERRY_SHA256_SIZE) / 16];
}

/* ---- Header and TLVs -------------------------------------------------------------------- */

static void check_header(const struct ferry_flash *image, const struct ferry_image_header *header)
{
    uint64_t end = (uint64_t)header->header_size + header->payload_size + header->protected_size;
    CHECK(header->header_size >= FERRY_IMAGE_HEADER_SIZE && end <= image->size);
    uint8_t raw[FERRY_IMAGE_HEADER_SIZE];
    uint8_t again[FERRY_IMAGE_HEADER_SIZE];
    struct ferry_image_header parsed;
    ferry_image_header_write(header, raw);
    CHECK(ferry_image_header_parse(raw, &parsed) == FERRY_OK);
    ferry_image_header_write(&parsed, again);
    CHECK(memcmp(raw, again, sizeof raw) == 0);
}

static void check_tlv_rule(const struct ferry_tlv *tlv)
{
    switch (tlv->type) {
#define FERRY_TLV_CASE(name, number, place, shortest, longest)                                     \
    case number:                                                                                   \
        CHECK(tlv->area == FERRY_TLV_##place);                                                     \
        CHECK(tlv->len + 1 > shortest && tlv->len <= longest);                                     \
        break;
        FERRY_TLVS(FERRY_TLV_CASE)
#undef FERRY_TLV_CASE
    default:
        if (tlv->type >= FERRY_TLV_VENDOR_FIRST && tlv->type != 0xffff) {
            CHECK(tlv->area == FERRY_TLV_PROTECTED);
        } else {
            CHECK(tlv->area == FERRY_TLV_UNPROTECTED);
        }
    }
    CHECK(ferry_tlv_name(tlv->type)[0] != '\0');
}

/* What a walk found. */
struct found {
    int result;
    uint32_t end;
    uint32_t digests;
    struct ferry_tlv digest;
};

static struct found walk_all(const struct ferry_flash *image,
                             const struct ferry_image_header *header)
{
    struct found found = {0};
    struct ferry_tlv_walk walk;
    found.result = ferry_tlv_walk_begin(&walk, image, header);
    if (found.result != FERRY_OK) {
        return found;
    }
    found.end = walk.end;
    uint32_t start = header->header_size + header->payload_size;
    uint32_t boundary = start + header->protected_size;
    uint32_t last = start;
    CHECK(walk.end <= image->size && walk.end >= boundary + 4);
    struct ferry_tlv tlv;
    while ((found.result = ferry_tlv_walk_next(&walk, &tlv)) == 1) {
        bool is_protected = tlv.area == FERRY_TLV_PROTECTED;
        CHECK(tlv.offset >= last + 4 && tlv.offset >= (is_protected ? start : boundary) + 8);
        last = tlv.offset + tlv.len;
        CHECK(last >= tlv.offset && last <= (is_protected ? boundary : walk.end));
        check_tlv_rule(&tlv);
        if (tlv.type >= FERRY_TLV_SHA256 && tlv.type <= FERRY_TLV_SHA512) {
            found.digests++;
            found.digest = tlv;
        }
    }
    CHECK(found.result < 0 || last == walk.end || last <= boundary);
    return found;
}

static int check_inspection(const struct ferry_flash *image, const uint8_t *bytes,
                            struct ferry_image_info *info)
{
    struct ferry_image_header header;
    int rc = ferry_image_read_header(image, &header);
    int inspected = ferry_image_inspect(image, info);
    if (rc != FERRY_OK) {
        CHECK(inspected == rc && info->size == 0);
        return inspected;
    }
    check_header(image, &header);
    struct found found = walk_all(image, &header);
    CHECK(info->size == found.end);
    if (inspected != FERRY_OK) {
        CHECK(found.result == inspected || found.digests > 1);
        return inspected;
    }
    CHECK(found.result == 0 && found.digests <= 1);
    CHECK(info->digest_len == (found.digests == 1 ? found.digest.len : 0));
    CHECK(info->digest_len == 0 ||
          memcmp(info->digest, bytes + found.digest.offset, info->digest_len) == 0);
    return FERRY_OK;
}

/* ---- Verification ----------------------------------------------------------------------- */

static int verify(const struct ferry_flash *image, const struct ferry_image_trust *trust,
                  size_t cap)
{
    static uint8_t buf[256];
    struct ferry_image_info info;
    struct ferry_image_info inspected;
    struct ferry_verdict verdict = {FERRY_VALID, ~FERRY_VALID};
    int rc = ferry_image_verify(image, trust, buf, cap, NULL, NULL, &info, &verdict);
    CHECK(rc <= 0 && ferry_verdict_is_valid(&verdict) == (rc == FERRY_OK));
    CHECK((verdict.valid == FERRY_VALID) == (rc == FERRY_OK));
    CHECK((verdict.check == ~FERRY_VALID) == (rc == FERRY_OK));
    int inspection = ferry_image_inspect(image, &inspected);
    CHECK(inspection == FERRY_OK || rc == inspection);
    CHECK(info.size == inspected.size && info.digest_len == inspected.digest_len);
    CHECK(memcmp(info.digest, inspected.digest, sizeof info.digest) == 0);
    return rc;
}

static bool is_golden(const uint8_t *bytes, size_t size)
{
    for (size_t i = 0; i < 2; i++) {
        if (size >= SIGNED_SIZE && memcmp(bytes, goldens[i].bytes, SIGNED_SIZE) == 0) {
            return true;
        }
    }
    return false;
}

static void check_verification(const struct ferry_flash *image, const uint8_t *bytes, size_t size,
                               size_t cap)
{
    int rc = verify(image, &by_keys, cap);
    CHECK(rc != FERRY_OK || is_golden(bytes, size));
    CHECK(verify(image, &by_keys, 256) == rc);
    CHECK(verify(image, &by_nobody, cap) != FERRY_OK);

    rc = verify(image, &by_digest, cap);
    if (rc == FERRY_OK) {
        uint8_t buf[64];
        uint8_t digest[FERRY_IMAGE_DIGEST_MAX];
        struct ferry_image_info info;
        CHECK(ferry_image_inspect(image, &info) == FERRY_OK && info.digest_len != 0);
        CHECK(ferry_image_digest(image, &info.header, kind_of(info.digest_len), buf, sizeof buf,
                                 NULL, NULL, digest) == FERRY_OK);
        CHECK(memcmp(digest, info.digest, info.digest_len) == 0);
    }
}

/* ---- Input
 * --------------------------------------------------------------------------------------- */

/* A golden image with bytes changed: pairs of offset and mask. */
static void edit_golden(uint8_t *bytes, size_t which, const uint8_t *edits, size_t count)
{
    size_t size = goldens[which].size;
    memcpy(bytes, goldens[which].bytes, size);
    for (size_t i = 0; i + 1 < count; i += 2) {
        bytes[edits[i] % size] ^= edits[i + 1];
    }
}

/* Put the right digest into the digest TLV. */
static void repair_digest(const struct ferry_flash *image, uint8_t *bytes)
{
    struct ferry_image_header header;
    if (ferry_image_read_header(image, &header) != FERRY_OK) {
        return;
    }
    struct found found = walk_all(image, &header);
    if (found.digests == 0) {
        return;
    }
    uint8_t buf[64];
    uint8_t digest[FERRY_IMAGE_DIGEST_MAX];
    CHECK(ferry_image_digest(image, &header, kind_of(found.digest.len), buf, sizeof buf, NULL, NULL,
                             digest) == FERRY_OK);
    memcpy(bytes + found.digest.offset, digest, found.digest.len);
}

/* The golden images are valid: otherwise invariant 6 would say nothing. */
int LLVMFuzzerInitialize(int *argc, char ***argv)
{
    (void)argc;
    (void)argv;
    for (size_t i = 0; i < 2; i++) {
        struct ferry_flash_ram rom;
        CHECK(ferry_flash_rom_init(&rom, goldens[i].bytes, (uint32_t)goldens[i].size) == FERRY_OK);
        CHECK(verify(&rom.flash, &by_keys, 256) == FERRY_OK);
    }
    return 0;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (size < 2 || size > 0x20000) {
        return 0;
    }
    uint8_t mode = data[0];
    size_t cap = (mode >> 3) + 1U;
    /* Of exactly the image's size, so that the sanitizer sees the first byte behind it. */
    size_t golden_size = goldens[mode >> 2 & 1].size;
    size_t image_size = (mode & 1) != 0 ? golden_size : size - 1;
    uint8_t *bytes = (uint8_t *)malloc(image_size);
    CHECK(bytes != NULL);
    if ((mode & 1) != 0) {
        edit_golden(bytes, mode >> 2 & 1, data + 1, size - 1);
    } else {
        memcpy(bytes, data + 1, image_size);
    }
    struct ferry_flash_ram rom;
    CHECK(ferry_flash_rom_init(&rom, bytes, (uint32_t)image_size) == FERRY_OK);
    if ((mode & 2) != 0) {
        repair_digest(&rom.flash, bytes);
    }
    struct ferry_image_info info;
    if (check_inspection(&rom.flash, bytes, &info) != FERRY_OK) {
        CHECK(verify(&rom.flash, &by_digest, cap) != FERRY_OK);
    }
    check_verification(&rom.flash, bytes, image_size, cap);
    free(bytes);
    return 0;
}
