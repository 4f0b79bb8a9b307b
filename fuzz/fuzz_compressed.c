/* SPDX-License-Identifier: Apache-2.0 */
/* Fuzz target: bytes as a compressed image. Byte 0 of the input is the mode. Bit 0 clear: the rest
 * is such an image. Bit 0 set: the next two bytes are a size, the rest is a packed payload; bit 1,
 * with the ARM Thumb filter. Bits 2 and 3, of an image: plain, in the clear, decrypted, encrypted.
 *
 * Whatever the bytes are:
 *   1. Nothing is read outside of them, and nothing written outside of the room for what comes out
 *      (the sanitizers see to it).
 *   2. A payload that is accepted unpacks to so many bytes as was said; what comes out, packed and
 *      unpacked again, is the same.
 *   3. What is refused is refused with a text, and no image is verified then.
 *   4. The image that is verified in its place has no flag and no TLV of the compression, and no
 *      flag more than the compressed one. Header and payload are as large as DECOMP_SIZE says,
 *      both TLV areas can be walked or are refused, its digest is DECOMP_SHA.
 *   5. What is not compressed is left alone; what is encrypted, too. */
#include "cli/image/compressed.h"

#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* Like assert(), in every build type. */
#define CHECK(condition)                                                                           \
    do {                                                                                           \
        if (!(condition)) {                                                                        \
            fprintf(stderr, "%s:%d: %s\n", __FILE__, __LINE__, #condition);                        \
            abort();                                                                               \
        }                                                                                          \
    } while (0)

/* What may come out here: more takes the fuzzer too long. */
#define SIZE_LIMIT (1U << 20)

/* ---- In place of the rest of the image tool ---------------------------------------------- */

static const struct image_file *outer;
static unsigned verified;

void cli_buffer_free(struct cli_buffer *buffer)
{
    free(buffer->data);
    *buffer = (struct cli_buffer){0};
}

int cli_fail_why(const struct cli *cli, int exit_code, const char *why, const char *next,
                 const char *format, ...)
{
    (void)cli, (void)exit_code, (void)why, (void)next, (void)format;
    abort();
}

static void check_tlvs(const struct ferry_flash *image, const struct ferry_image_info *info)
{
    uint8_t outer_digest[FERRY_IMAGE_DIGEST_MAX];
    struct ferry_tlv_walk walk;
    struct ferry_tlv tlv;
    int more = ferry_tlv_walk_begin(&walk, image, &info->header);
    while (more >= 0 && (more = ferry_tlv_walk_next(&walk, &tlv)) > 0) {
        CHECK(tlv.type < FERRY_TLV_DECOMP_SIZE || tlv.type > FERRY_TLV_COMP_DEC_SIZE);
    }
    CHECK(more == 0);
    if (info->digest_len > 0) {
        CHECK(ferry_image_tlv(&outer->rom.flash, &outer->info.header, FERRY_TLV_DECOMP_SHA,
                              outer_digest, info->digest_len) == FERRY_OK);
        CHECK(memcmp(outer_digest, info->digest, info->digest_len) == 0);
    }
}

int image_file_verify_flash(const struct ferry_flash *image, const struct key *key)
{
    const struct ferry_image_header *header = &outer->info.header;
    struct ferry_image_info info;
    uint8_t size[4];
    (void)key;
    verified++;
    int error = ferry_image_inspect(image, &info);
    CHECK(error != FERRY_E_MAGIC && error != FERRY_E_IMAGE_SIZE);
    CHECK(ferry_image_tlv(&outer->rom.flash, header, FERRY_TLV_DECOMP_SIZE, size, sizeof size) ==
          FERRY_OK);
    CHECK(info.header.payload_size == ferry_load_le32(size));
    CHECK(info.header.flags == (header->flags & ~FERRY_IMAGE_COMPRESSED));
    CHECK(info.header.header_size == header->header_size);
    if (error == FERRY_OK) {
        CHECK(info.size == image->size);
        check_tlvs(image, &info);
    }
    return error;
}

/* ---- Images -------------------------------------------------------------------------------- */

static void fuzz_image(uint8_t *data, size_t size, enum image_payload payload)
{
    uint8_t claimed[4];
    struct compressed found;
    struct image_file file = {.bytes = {data, size}, .payload = payload};
    if (ferry_flash_rom_init(&file.rom, data, (uint32_t)size) != FERRY_OK ||
        ferry_image_inspect(&file.rom.flash, &file.info) != FERRY_OK ||
        (ferry_image_tlv(&file.rom.flash, &file.info.header, FERRY_TLV_DECOMP_SIZE, claimed, 4) ==
             FERRY_OK &&
         ferry_load_le32(claimed) > SIZE_LIMIT && ferry_load_le32(claimed) <= COMPRESS_MAX)) {
        return;
    }
    if (payload == IMAGE_DECRYPTED) { /* by a key that changes nothing */
        const struct ferry_content_key none = {.len = 0};
        ferry_flash_cipher_init(&file.cipher, &file.rom.flash, 0, 0, &none);
    }
    outer = &file;
    verified = 0;
    int error = compressed_verify(&file, NULL, &found);
    CHECK(error == found.error && (error == FERRY_OK) == (found.wrong[0] == '\0'));
    CHECK((found.scheme != NULL) == compressed_is(&file));
    CHECK(verified <= (compressed_is(&file) && payload != IMAGE_ENCRYPTED ? 1U : 0U));
    CHECK(error != FERRY_OK || !compressed_is(&file) || verified == 1);
    compressed_free(&found);
}

/* ---- Payloads ------------------------------------------------------------------------------ */

static void fuzz_payload(uint8_t *data, size_t size, bool arm_thumb)
{
    static uint8_t out[0x10000 + 1];
    static uint8_t again[0x10000 + 1];
    enum compression compression = arm_thumb ? COMPRESSION_LZMA2_ARM_THUMB : COMPRESSION_LZMA2;
    struct cli_buffer packed = {data + 2, size - 2};
    struct cli_buffer repacked;
    size_t len = ferry_load_le16(data);
    struct cli_buffer unpacked = {out, len};
    if (compress_unpack(compression_flags(compression), &packed, len, out) != FERRY_OK) {
        return;
    }
    CHECK(compress_pack(compression, &unpacked, &repacked) == FERRY_OK);
    CHECK(compress_unpack(compression_flags(compression), &repacked, len, again) == FERRY_OK);
    CHECK(memcmp(out, again, len) == 0);
    cli_buffer_free(&repacked);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (size < 3) {
        return 0;
    }
    /* In memory of its own: what lies behind is then seen to be read. */
    uint8_t *copy = malloc(size - 1);
    if (copy == NULL) {
        return 0;
    }
    memcpy(copy, data + 1, size - 1);
    if ((data[0] & 1) != 0) {
        fuzz_payload(copy, size - 1, (data[0] & 2) != 0);
    } else {
        fuzz_image(copy, size - 1, (enum image_payload)(data[0] >> 2 & 3));
    }
    free(copy);
    return 0;
}
