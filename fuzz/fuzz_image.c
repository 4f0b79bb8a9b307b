/* SPDX-License-Identifier: Apache-2.0 */
/* Fuzz target: bytes as an image. Byte 0 of the input is the mode: bit 0, the rest are edits
 * (offset in two bytes, exclusive or) of a golden image, else the rest is the image; bit 1, the
 * digest TLV is made right; bits 2 to 4, which golden image; the higher bits, the size of the
 * workspace.
 *
 * Whatever the bytes are:
 *   1. Nothing is read outside of them (the sanitizers see to it).
 *   2. A header that is accepted lies inside the image with its payload and protected area, and is
 *      the same when it is written and parsed again.
 *   3. Every TLV that is handed out lies behind the one before, inside its area, inside the image;
 *      a listed type stands in its area with a length inside its limits, an unknown one never in
 *      the protected area; the walk ends.
 *   4. An image that can be inspected is what header and walk say of it, its digest is the one
 *      digest TLV there is, and it is pure when the one SIG_PURE there is says 1.
 *   5. A verification answers FERRY_OK exactly when both words of its verdict say so; with any
 *      other answer neither does. It tells the same as the inspection.
 *   6. With the golden keys, only the golden images' own header, payload and protected area are
 *      ever valid.
 *   7. Without keys nothing is valid. Where only the digest is asked for, what is valid has the
 *      digest that its TLV says.
 *   8. The size of the workspace changes nothing. */
#include "golden_images.h"

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

/* ---- Trust ------------------------------------------------------------------------------ */

static const struct ferry_image_key keys[] = {{key_ed25519, sizeof key_ed25519},
                                              {key_p256, sizeof key_p256},
                                              {key_p384, sizeof key_p384},
                                              {key_rsa2048, sizeof key_rsa2048},
                                              {key_rsa3072, sizeof key_rsa3072}};
static const struct ferry_image_verifier *const verifiers[] = {
    &ferry_verify_ed25519,      &ferry_verify_ecdsa_p256,  &ferry_verify_ecdsa_p384,
    &ferry_verify_ed25519_pure, &ferry_verify_rsa2048_pss, &ferry_verify_rsa3072_pss};
static const struct ferry_image_digest_kind *const digests[] = {
    &ferry_digest_sha256, &ferry_digest_sha384, &ferry_digest_sha512};

#define LISTS                                                                                      \
    .verifiers = verifiers, .verifier_count = sizeof verifiers / sizeof verifiers[0],              \
    .digests = digests, .digest_count = sizeof digests / sizeof digests[0]

static const struct ferry_image_trust by_keys = {
    .keys = keys, .key_count = sizeof keys / sizeof keys[0], LISTS};
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
    uint32_t pures; /* SIG_PURE, the last of them */
    struct ferry_tlv pure;
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
        if (tlv.type == FERRY_TLV_SIG_PURE) {
            found.pures++;
            found.pure = tlv;
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
        CHECK(found.result == inspected || found.digests > 1 || found.pures > 1 ||
              (found.pures == 1 && bytes[found.pure.offset] != 1));
        return inspected;
    }
    CHECK(found.result == 0 && found.digests <= 1 && found.pures <= 1);
    CHECK(info->pure == (found.pures == 1));
    CHECK(!info->pure || bytes[found.pure.offset] == 1);
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
    return size >= SIGNED_SIZE && memcmp(bytes, golden_ed25519, SIGNED_SIZE) == 0;
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

/* A golden image with bytes changed: offset in two bytes, and mask. */
static void edit_golden(uint8_t *bytes, const struct golden *golden, const uint8_t *edits,
                        size_t count)
{
    memcpy(bytes, golden->bytes, golden->size);
    for (size_t i = 0; i + 2 < count; i += 3) {
        bytes[ferry_load_le16(edits + i) % golden->size] ^= edits[i + 2];
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

/* The golden images are valid, and all of one content: otherwise invariant 6 would say nothing. */
int LLVMFuzzerInitialize(int *argc, char ***argv)
{
    (void)argc;
    (void)argv;
    for (size_t i = 0; i < GOLDENS; i++) {
        struct ferry_flash_ram rom;
        CHECK(is_golden(goldens[i].bytes, goldens[i].size));
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
    const struct golden *golden = &goldens[(mode >> 2 & 7) % GOLDENS];
    size_t cap = 1U << (mode >> 5);
    /* Of exactly the image's size, so that the sanitizer sees the first byte behind it. */
    size_t image_size = (mode & 1) != 0 ? golden->size : size - 1;
    uint8_t *bytes = (uint8_t *)malloc(image_size);
    CHECK(bytes != NULL);
    if ((mode & 1) != 0) {
        edit_golden(bytes, golden, data + 1, size - 1);
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
