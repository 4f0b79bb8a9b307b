/* SPDX-License-Identifier: Apache-2.0 */
/* The content of a compressed image. The image that a device unpacks is made and signed first: the
 * compressed one says in TLVs what has to come out. [mcuboot-format.md §2.2, §2.5] */
#include "image_order.h"
#include "image_steps.h"

#include <stdlib.h>
#include <string.h>

/* DECOMP_SIZE, DECOMP_SHA, DECOMP_SIGNATURE and COMP_DEC_SIZE. */
#define TLVS_MAX (4 * 4 + 4 + FERRY_IMAGE_DIGEST_MAX + FERRY_IMAGE_SIGNATURE_MAX + 4)

static int no_memory(const struct cli *cli)
{
    return cli_fail(cli, CLI_FAILED, "free some memory", "not enough memory for the image");
}

/* ---- The uncompressed image ------------------------------------------------------------- */

/* It must fit the slot that it is unpacked to. What is encrypted is only the compressed one. */
static int check_fits(const struct cli *cli, const struct image_build *build,
                      const struct image_content *content, const struct image_proof *proof,
                      struct cli_buffer *image)
{
    struct image_build plain = *build;
    uint32_t limit = image_build_limit(build);
    plain.encryption.key = NULL;
    int code = image_close(cli, &plain, content, proof, image);
    if (code == CLI_OK && build->slot_size != 0 && image->len > limit) {
        return cli_fail(cli, CLI_VERIFY,
                        "give the size of the slot it is unpacked to as --slot-size; or shrink the "
                        "firmware",
                        "the uncompressed image is too large: %zu bytes; a slot of %u takes %u "
                        "beside its trailer",
                        image->len, (unsigned)build->slot_size, (unsigned)limit);
    }
    return code;
}

static int prove_inner(const struct cli *cli, const struct image_build *build,
                       const struct image_content *content, struct image_proof *proof)
{
    struct image_content inner = *content;
    struct cli_buffer image;
    inner.inner = true;
    int code = image_compose(cli, build, &inner, &image);
    if (code == CLI_OK) {
        code = image_prove(cli, build, &image, proof);
    }
    if (code == CLI_OK) {
        code = check_fits(cli, build, &inner, proof, &image);
    }
    cli_buffer_free(&image);
    return code;
}

/* ---- The compressed content ------------------------------------------------------------- */

static void put_tlv(bool big_endian, uint16_t type, const uint8_t *data, size_t len,
                    struct cli_buffer *out)
{
    uint8_t *at = out->data + out->len;
    image_store_tlv_head(at, big_endian, type, (uint16_t)len);
    memcpy(at + IMAGE_TLV_HEAD, data, len);
    out->len += IMAGE_TLV_HEAD + len;
}

static void put_number(bool big_endian, uint16_t type, size_t number, struct cli_buffer *out)
{
    uint8_t value[4];
    image_store32(value, big_endian, (uint32_t)number);
    put_tlv(big_endian, type, value, sizeof value, out);
}

static void put_tlvs(const struct image_build *build, const struct image_content *content,
                     const struct image_proof *proof, struct image_packed *packed)
{
    bool big = build->claims.big_endian;
    put_number(big, FERRY_TLV_DECOMP_SIZE, content->payload.len, &packed->tlvs);
    put_tlv(big, FERRY_TLV_DECOMP_SHA, proof->digest, proof->kind->size, &packed->tlvs);
    if (build->key_count > 0) {
        put_tlv(big, FERRY_TLV_DECOMP_SIGNATURE, proof->signatures[0].bytes,
                proof->signatures[0].len, &packed->tlvs);
    }
    if (build->encryption.key != NULL) {
        put_number(big, FERRY_TLV_COMP_DEC_SIZE, packed->payload.len, &packed->tlvs);
    }
}

/* imgtool's rule, so that both make the same image of the same firmware. */
static bool is_smaller(const struct image_build *build, const struct image_content *content,
                       const struct image_proof *proof, const struct image_packed *packed)
{
    size_t signature = build->key_count > 0 ? proof->signatures[0].len : 0;
    size_t stream = packed->payload.len - COMPRESS_PROPERTIES;
    return stream + 4 + proof->kind->size + signature < content->payload.len;
}

int image_compress(const struct cli *cli, const struct image_build *build,
                   struct image_content *content, struct image_packed *packed)
{
    struct image_proof proof;
    *packed = (struct image_packed){{0}, {0}};
    if (build->compression == COMPRESSION_NONE) {
        return CLI_OK;
    }
    int code = prove_inner(cli, build, content, &proof);
    if (code != CLI_OK) {
        return code;
    }
    packed->tlvs.data = malloc(TLVS_MAX);
    if (packed->tlvs.data == NULL ||
        compress_pack(build->compression, &content->payload, &packed->payload) != FERRY_OK) {
        return no_memory(cli);
    }
    if (!is_smaller(build, content, &proof, packed)) {
        fprintf(stderr,
                "ferry: warning: the firmware does not get smaller (%zu → %zu bytes): the image is "
                "not compressed\n",
                content->payload.len, packed->payload.len);
        return CLI_OK;
    }
    put_tlvs(build, content, &proof, packed);
    content->payload = packed->payload;
    content->tlvs = packed->tlvs;
    content->flags |= compression_flags(build->compression);
    return CLI_OK;
}

void image_packed_free(struct image_packed *packed)
{
    cli_buffer_free(&packed->payload);
    cli_buffer_free(&packed->tlvs);
}
