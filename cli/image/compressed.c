/* SPDX-License-Identifier: Apache-2.0 */
#include "compressed.h"

#include <stdlib.h>
#include <string.h>

/* What the TLVs of compression say; data is in the file. */
struct claims {
    const uint8_t *size; /* DECOMP_SIZE */
    struct ferry_bytes digest;
    struct ferry_bytes signature;
    const uint8_t *packed; /* COMP_DEC_SIZE: the stream without what fills AES blocks */
    size_t signatures;     /* of the compressed image: there may be one */
    bool twice;            /* one of the four stands there twice */
};

bool compressed_is(const struct image_file *file)
{
    return (file->info.header.flags & FERRY_IMAGE_COMPRESSED) != 0;
}

static int fail(struct compressed *found, int error, const char *wrong)
{
    snprintf(found->wrong, sizeof found->wrong, "%s", wrong);
    found->error = error;
    return error;
}

/* ---- What it says of itself ------------------------------------------------------------- */

static bool is_compression(uint16_t type)
{
    return type == FERRY_TLV_DECOMP_SIZE || type == FERRY_TLV_DECOMP_SHA ||
           type == FERRY_TLV_DECOMP_SIGNATURE || type == FERRY_TLV_COMP_DEC_SIZE;
}

static bool is_signature(uint16_t type)
{
    return type >= FERRY_TLV_RSA2048_PSS && type <= FERRY_TLV_ED25519;
}

static void take(struct claims *claims, const struct ferry_tlv *tlv, const uint8_t *data)
{
    const struct ferry_bytes bytes = {data, tlv->len};
    switch (tlv->type) {
    case FERRY_TLV_DECOMP_SIZE:
        claims->twice = claims->twice || claims->size != NULL;
        claims->size = data;
        break;
    case FERRY_TLV_DECOMP_SHA:
        claims->twice = claims->twice || claims->digest.data != NULL;
        claims->digest = bytes;
        break;
    case FERRY_TLV_DECOMP_SIGNATURE:
        claims->twice = claims->twice || claims->signature.data != NULL;
        claims->signature = bytes;
        break;
    case FERRY_TLV_COMP_DEC_SIZE:
        claims->twice = claims->twice || claims->packed != NULL;
        claims->packed = data;
        break;
    default:
        claims->signatures += is_signature(tlv->type) ? 1 : 0;
        break;
    }
}

/* Read the four TLVs. The lengths of numbers are the walk's to check. */
static int read_claims(const struct image_file *file, struct claims *claims)
{
    struct ferry_tlv_walk walk;
    struct ferry_tlv tlv;
    int more = ferry_tlv_walk_begin(&walk, &file->rom.flash, &file->info.header);
    *claims = (struct claims){0};
    while (more >= 0 && (more = ferry_tlv_walk_next(&walk, &tlv)) > 0) {
        take(claims, &tlv, file->bytes.data + file->offset + tlv.offset);
    }
    return more;
}

/* Whether they say enough, and nothing that cannot be. Sets the sizes. */
static int check_claims(const struct image_file *file, const struct claims *claims,
                        struct compressed *found)
{
    uint32_t payload = file->info.header.payload_size;
    bool filled = file->payload != IMAGE_PLAIN;
    if (claims->twice) {
        return fail(found, FERRY_E_TLV, "a TLV of the compression stands there twice");
    }
    if (claims->size == NULL || claims->digest.data == NULL || (filled && claims->packed == NULL)) {
        return fail(found, FERRY_E_TLV,
                    claims->size == NULL          ? "the TLV DECOMP_SIZE is missing"
                    : claims->digest.data == NULL ? "the TLV DECOMP_SHA is missing"
                                                  : "the TLV COMP_DEC_SIZE is missing");
    }
    if (claims->signatures > 1) {
        return fail(found, FERRY_E_UNSUPPORTED,
                    "it has several signatures, of which DECOMP_SIGNATURE can be only one");
    }
    found->size = ferry_load_le32(claims->size);
    found->packed = claims->packed != NULL ? ferry_load_le32(claims->packed) : payload;
    if (found->size > COMPRESS_MAX) {
        return fail(found, FERRY_E_RANGE, "DECOMP_SIZE is above 64 MiB");
    }
    if (found->packed > payload || payload - found->packed >= (filled ? FERRY_AES_BLOCK_SIZE : 1)) {
        return fail(found, FERRY_E_RANGE, "COMP_DEC_SIZE is not the size of the stream");
    }
    return FERRY_OK;
}

/* ---- The image inside ------------------------------------------------------------------- */

static int unpack_failed(struct compressed *found, int error)
{
    switch (error) {
    case FERRY_E_UNSUPPORTED:
        return fail(found, error, "of the schemes only LZMA2 is known here");
    case FERRY_E_RANGE:
        return fail(found, error, "its first two bytes are no properties of LZMA2");
    case FERRY_E_TOO_LARGE:
        return fail(found, error, "it unpacks to more than DECOMP_SIZE says");
    case FERRY_E_SHORT:
        return fail(found, error, "it unpacks to less than DECOMP_SIZE says");
    case FERRY_E_BOUNDS:
        return fail(found, error, "behind the end of the LZMA2 stream are more bytes");
    case FERRY_E_SPACE:
        return fail(found, error, "there is not enough memory");
    default:
        return fail(found, error, "the LZMA2 stream is damaged, or ends early");
    }
}

/* The payload, unpacked to where it stands in the image. */
static int unpack(const struct image_file *file, struct compressed *found, uint8_t *out)
{
    const struct ferry_flash *image =
        file->payload == IMAGE_DECRYPTED ? &file->cipher.flash : &file->rom.flash;
    const struct ferry_image_header *header = &file->info.header;
    struct cli_buffer packed = {malloc(found->packed + 1), found->packed};
    int error = packed.data == NULL
                    ? FERRY_E_SPACE
                    : ferry_flash_read(image, header->header_size, packed.data, found->packed);
    if (error == FERRY_OK) {
        error = compress_unpack(header->flags, &packed, found->size, out);
    }
    cli_buffer_free(&packed);
    return error == FERRY_OK ? FERRY_OK : unpack_failed(found, error);
}

/* A TLV as the image inside has it: none of the compression's, and its own digest and signature. */
static void put_tlv(const struct claims *claims, const struct ferry_tlv *tlv, const uint8_t *data,
                    struct cli_buffer *out)
{
    struct ferry_bytes value = {data, tlv->len};
    if (is_compression(tlv->type) || (is_signature(tlv->type) && claims->signature.data == NULL)) {
        return;
    }
    if (is_signature(tlv->type)) {
        value = claims->signature;
    } else if (tlv->type == FERRY_TLV_SHA256 || tlv->type == FERRY_TLV_SHA384 ||
               tlv->type == FERRY_TLV_SHA512) {
        value = claims->digest;
    }
    ferry_store_le16(out->data + out->len, tlv->type);
    ferry_store_le16(out->data + out->len + 2, (uint16_t)value.len);
    memcpy(out->data + out->len + 4, value.data, value.len);
    out->len += 4 + value.len;
}

/* An area as the image inside has it. Returns its size; 0 when nothing is left of a protected one.
 */
static size_t put_tlvs(const struct image_file *file, const struct claims *claims,
                       enum ferry_tlv_area area, struct cli_buffer *out)
{
    struct ferry_tlv_walk walk;
    struct ferry_tlv tlv;
    size_t begin = out->len;
    int more = ferry_tlv_walk_begin(&walk, &file->rom.flash, &file->info.header);
    out->len += 4;
    while (more >= 0 && (more = ferry_tlv_walk_next(&walk, &tlv)) > 0) {
        if (tlv.area == area) {
            put_tlv(claims, &tlv, file->bytes.data + file->offset + tlv.offset, out);
        }
    }
    if (area == FERRY_TLV_PROTECTED && out->len == begin + 4) {
        out->len = begin;
        return 0;
    }
    ferry_store_le16(out->data + begin,
                     area == FERRY_TLV_PROTECTED ? FERRY_TLV_PROTECTED_MAGIC : FERRY_TLV_MAGIC);
    ferry_store_le16(out->data + begin + 2, (uint16_t)(out->len - begin));
    return out->len - begin;
}

/* Make the image that the compressed one was made of. */
static int make_inner(const struct image_file *file, const struct claims *claims,
                      struct compressed *found)
{
    struct ferry_image_header header = file->info.header;
    struct cli_buffer *out = &found->image;
    /* Two areas, and a digest and a signature put in: each below 64 KiB. */
    out->data = malloc(header.header_size + (size_t)found->size + 4 * 65536U);
    if (out->data == NULL) {
        return unpack_failed(found, FERRY_E_SPACE);
    }
    memcpy(out->data, file->bytes.data + file->offset, header.header_size);
    int error = unpack(file, found, out->data + header.header_size);
    if (error != FERRY_OK) {
        return error;
    }
    out->len = header.header_size + found->size;
    header.flags &= ~FERRY_IMAGE_COMPRESSED;
    header.payload_size = found->size;
    header.protected_size = (uint16_t)put_tlvs(file, claims, FERRY_TLV_PROTECTED, out);
    (void)put_tlvs(file, claims, FERRY_TLV_UNPROTECTED, out);
    ferry_image_header_write(&header, out->data);
    return FERRY_OK;
}

static int verify_inner(const struct key *key, struct compressed *found)
{
    struct ferry_flash_ram rom;
    int error = ferry_flash_rom_init(&rom, found->image.data, (uint32_t)found->image.len);
    if (error == FERRY_OK) {
        error = image_file_verify_flash(&rom.flash, key);
    }
    switch (error) {
    case FERRY_OK:
        return error;
    case FERRY_E_DIGEST:
        return fail(found, error, "the digest of the uncompressed image is not DECOMP_SHA");
    case FERRY_E_SIGNATURE:
        return fail(found, error, "DECOMP_SIGNATURE is no signature of it by this key");
    case FERRY_E_NO_SIGNATURE:
        return fail(found, error, "the TLV DECOMP_SIGNATURE is missing");
    default:
        return fail(found, error, ferry_error_text(error));
    }
}

int compressed_verify(const struct image_file *file, const struct key *key,
                      struct compressed *found)
{
    struct claims claims;
    *found = (struct compressed){0};
    if (!compressed_is(file)) {
        return FERRY_OK;
    }
    found->scheme = compression_words(file->info.header.flags);
    if (file->payload == IMAGE_ENCRYPTED) {
        return fail(found, FERRY_E_SECRET, "it is encrypted: -E KEY decrypts it");
    }
    int error = read_claims(file, &claims);
    if (error == FERRY_OK) {
        error = check_claims(file, &claims, found);
    }
    if (error == FERRY_OK) {
        error = make_inner(file, &claims, found);
    }
    return error == FERRY_OK ? verify_inner(key, found) : error;
}

int compressed_fail(const struct cli *cli, const char *path, const struct compressed *found)
{
    bool memory = found->error == FERRY_E_SPACE;
    return cli_fail_why(cli, memory ? CLI_FAILED : CLI_VERIFY, found->wrong,
                        memory ? "free some memory" : "sign the firmware again",
                        "%s does not verify: the image that is compressed in it is not good", path);
}

int compressed_check(const struct cli *cli, const char *path, const struct image_file *file,
                     const struct key *key, struct compressed *found)
{
    return compressed_verify(file, key, found) == FERRY_OK ? CLI_OK
                                                           : compressed_fail(cli, path, found);
}

void compressed_print(FILE *text, const struct compressed *found)
{
    if (found->scheme != NULL) {
        fprintf(text, "compressed with %s: %u → %u bytes; the uncompressed image is good\n",
                found->scheme, (unsigned)found->size, (unsigned)found->packed);
    }
}

void compressed_add(cJSON *object, const struct compressed *found)
{
    if (found->scheme != NULL) {
        cJSON_AddStringToObject(object, "compression", found->scheme);
        cJSON_AddNumberToObject(object, "compressed_size", found->packed);
        cJSON_AddNumberToObject(object, "uncompressed_size", found->size);
    }
}

void compressed_warn(const char *path, const struct image_file *file)
{
    if (compressed_is(file)) {
        fprintf(stderr,
                "ferry: warning: %s is compressed (%s): a bootloader without a decompressor, as "
                "Ferry's is, refuses it\n",
                path, compression_words(file->info.header.flags));
    }
}

void compressed_free(struct compressed *found)
{
    cli_buffer_free(&found->image);
}
