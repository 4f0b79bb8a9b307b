/* SPDX-License-Identifier: Apache-2.0 */
#include "image_steps.h"

#include <stdlib.h>
#include <string.h>

/* Room for the unprotected area: its info, the digest, SIG_PURE, a key and a signature each, and
 * the wrapped content key; and for what is missing of the last AES block. */
#define TLV_ROOM                                                                                   \
    (4 + (4 + FERRY_IMAGE_DIGEST_MAX) + (4 + 1) +                                                  \
     IMAGE_KEYS * ((4 + KEY_DER_MAX) + (4 + FERRY_IMAGE_SIGNATURE_MAX)) +                          \
     (4 + FERRY_IMAGE_WRAPPED_MAX) + FERRY_AES_BLOCK_SIZE)

const struct ferry_image_digest_kind *image_build_digest(const struct image_build *build)
{
    if (build->pure) {
        return &ferry_digest_sha512;
    }
    if (build->digest != NULL) {
        return build->digest;
    }
    return build->key_count > 0 ? build->keys[0].type->digests[0] : &ferry_digest_sha256;
}

/* The input's first header_size bytes must be free for the header. */
static int check_input(const struct cli *cli, const struct image_build *build,
                       const struct cli_buffer *firmware)
{
    if (firmware->len >= 4 && ferry_load_le32(firmware->data) == FERRY_IMAGE_MAGIC) {
        return cli_fail(cli, CLI_VERIFY, "give the unsigned binary of the build",
                        "the input is an MCUboot image already");
    }
    if (build->pad_header) {
        return firmware->len > 0 ? CLI_OK
                                 : cli_fail(cli, CLI_VERIFY, "give the binary of the build",
                                            "the input is empty");
    }
    if (firmware->len <= build->header_size ||
        !ferry_all_equal(firmware->data, build->header_size, 0)) {
        return cli_fail(cli, CLI_VERIFY, "add --pad-header, or link the firmware behind a gap",
                        "the input has no %u zero bytes in front for the header",
                        (unsigned)build->header_size);
    }
    return CLI_OK;
}

int image_content_of(const struct cli *cli, const struct image_build *build,
                     const struct cli_buffer *firmware, struct image_content *content)
{
    size_t gap = build->pad_header ? 0 : build->header_size;
    int code = check_input(cli, build, firmware);
    if (code == CLI_OK) {
        *content = (struct image_content){.payload = {firmware->data + gap, firmware->len - gap}};
    }
    return code;
}

/* ---- Header, payload, protected area ---------------------------------------------------- */

/* The size of the payload: whole AES blocks when it is encrypted, as imgtool makes them. */
static size_t payload_size(const struct image_build *build, const struct image_content *content)
{
    size_t over = content->payload.len % FERRY_AES_BLOCK_SIZE;
    return build->encryption.key != NULL && !content->inner && over != 0
               ? content->payload.len + FERRY_AES_BLOCK_SIZE - over
               : content->payload.len;
}

/* Header and payload. out has room for what follows. */
static void add_payload(const struct image_build *build, const struct image_content *content,
                        size_t protected_size, struct cli_buffer *out)
{
    size_t payload = payload_size(build, content);
    struct ferry_image_header header = {
        .load_address = build->address,
        .flags = build->address_flag | (build->non_bootable ? FERRY_IMAGE_NON_BOOTABLE : 0) |
                 encryption_flag(&build->encryption) | content->flags,
        .header_size = (uint16_t)build->header_size,
        .protected_size = (uint16_t)protected_size,
        .payload_size = (uint32_t)payload,
        .version = build->version};

    memset(out->data, build->pad_header ? build->erased_value : 0, build->header_size);
    ferry_image_header_write(&header, out->data);
    memset(out->data + build->header_size, 0, payload);
    memcpy(out->data + build->header_size, content->payload.data, content->payload.len);
    out->len = build->header_size + payload;
}

static bool assemble(const struct image_build *build, const struct image_content *content,
                     const struct cli_buffer *area, struct cli_buffer *out)
{
    out->data = malloc(build->header_size + content->payload.len + area->len + TLV_ROOM);
    if (out->data == NULL) {
        return false;
    }
    add_payload(build, content, area->len, out);
    if (area->len > 0) {
        memcpy(out->data + out->len, area->data, area->len);
        out->len += area->len;
    }
    return true;
}

int image_compose(const struct cli *cli, const struct image_build *build,
                  const struct image_content *content, struct cli_buffer *out)
{
    struct cli_buffer area;
    const struct key *key = build->key_count > 0 ? &build->keys[0] : NULL;
    *out = (struct cli_buffer){0};
    int rc = image_claims_write(&build->claims, &build->version, image_build_digest(build), key,
                                &content->tlvs, &area);
    if (rc == FERRY_E_TOO_LARGE) {
        return cli_fail(cli, CLI_USAGE, "give shorter --custom-tlv values",
                        "the protected TLVs do not fit an area of 65535 bytes");
    }
    bool made = rc == FERRY_OK && assemble(build, content, &area, out);
    cli_buffer_free(&area);
    return made ? CLI_OK
                : cli_fail(cli, CLI_FAILED, "free some memory", "not enough memory for the image");
}

/* ---- Digest and signatures -------------------------------------------------------------- */

/* What is signed must suit every key. */
static int check_keys(const struct cli *cli, const struct image_build *build)
{
    const struct ferry_image_digest_kind *digest = image_build_digest(build);
    for (size_t i = 0; i < build->key_count; i++) {
        const struct key_type *type = build->keys[i].type;
        if (build->pure && type->tlv != FERRY_TLV_ED25519) {
            return cli_fail(cli, CLI_USAGE, "leave out --pure, or use a key of type ed25519",
                            "a key of type %s cannot sign an image itself", type->name);
        }
        if (!key_type_takes(type, digest)) {
            return cli_fail(
                cli, CLI_USAGE, "give --sha auto, and sign with keys that take the same digest",
                "a key of type %s does not sign images with %s", type->name, digest->name);
        }
    }
    return CLI_OK;
}

static bool sign(const struct image_build *build, const struct cli_buffer *composed,
                 struct image_proof *proof)
{
    for (size_t i = 0; i < build->key_count; i++) {
        const struct key *key = &build->keys[i];
        uint8_t *signature = proof->signatures[i].bytes;
        proof->signatures[i].len = build->pure
                                       ? key_sign(key, composed->data, composed->len, signature)
                                       : key_sign(key, proof->digest, proof->kind->size, signature);
        if (proof->signatures[i].len == 0) {
            return false;
        }
    }
    return true;
}

int image_prove(const struct cli *cli, const struct image_build *build,
                const struct cli_buffer *composed, struct image_proof *proof)
{
    union ferry_image_digest_state state;
    int code = check_keys(cli, build);
    if (code != CLI_OK) {
        return code;
    }
    proof->kind = image_build_digest(build);
    proof->kind->init(&state);
    proof->kind->update(&state, composed->data, composed->len);
    proof->kind->final(&state, proof->digest);
    return sign(build, composed, proof)
               ? CLI_OK
               : cli_fail(cli, CLI_FAILED, "check the key with `ferry pubkey`",
                          "cannot sign: memory or OpenSSL failed");
}

/* ---- The unprotected area --------------------------------------------------------------- */

static void add_tlv(struct cli_buffer *out, uint16_t type, const uint8_t *data, size_t len)
{
    uint8_t *p = out->data + out->len;
    ferry_store_le16(p, type);
    ferry_store_le16(p + 2, (uint16_t)len);
    memcpy(p + 4, data, len);
    out->len += 4 + len;
}

static void add_key(const struct image_build *build, const struct key *key, struct cli_buffer *out)
{
    const struct ferry_image_digest_kind *digest = image_build_digest(build);
    uint8_t hash[FERRY_IMAGE_DIGEST_MAX];

    if (build->full_keys) {
        add_tlv(out, FERRY_TLV_PUBKEY, key->der, key->der_len);
        return;
    }
    key_hash(key, digest, hash);
    add_tlv(out, FERRY_TLV_KEYHASH, hash, digest->size);
}

static void add_proof(const struct image_build *build, const struct image_proof *proof,
                      struct cli_buffer *out)
{
    add_tlv(out, proof->kind->tlv, proof->digest, proof->kind->size);
    if (build->pure) {
        add_tlv(out, FERRY_TLV_SIG_PURE, (const uint8_t[]){1}, 1);
    }
    for (size_t i = 0; i < build->key_count; i++) {
        add_key(build, &build->keys[i], out);
        add_tlv(out, build->keys[i].type->tlv, proof->signatures[i].bytes,
                proof->signatures[i].len);
    }
}

/* Encrypt the payload, whose digest was taken, and add the ENC TLV. */
static bool encrypt(const struct image_build *build, const struct image_content *content,
                    struct cli_buffer *out)
{
    uint8_t wrapped[FERRY_IMAGE_WRAPPED_MAX];
    if (build->encryption.key == NULL) {
        return true;
    }
    if (!encryption_apply(&build->encryption, out->data + build->header_size,
                          payload_size(build, content), wrapped)) {
        return false;
    }
    add_tlv(out, encryption_tlv(&build->encryption), wrapped,
            encryption_tlv_len(&build->encryption));
    return true;
}

int image_close(const struct cli *cli, const struct image_build *build,
                const struct image_content *content, const struct image_proof *proof,
                struct cli_buffer *image)
{
    size_t info = image->len;
    image->len += 4;
    add_proof(build, proof, image);
    if (!encrypt(build, content, image)) {
        return cli_fail(cli, CLI_FAILED, "check the key with `ferry pubkey`",
                        "cannot encrypt: OpenSSL failed");
    }
    ferry_store_le16(image->data + info, FERRY_TLV_MAGIC);
    ferry_store_le16(image->data + info + 2, (uint16_t)(image->len - info));
    return CLI_OK;
}

/* ---- The whole -------------------------------------------------------------------------- */

int image_build(const struct cli *cli, const struct image_build *build,
                const struct cli_buffer *firmware, struct cli_buffer *out)
{
    struct image_content content;
    struct image_packed packed = {{0}, {0}};
    struct image_proof proof;
    *out = (struct cli_buffer){0};
    int code = image_content_of(cli, build, firmware, &content);
    if (code == CLI_OK) {
        code = image_compress(cli, build, &content, &packed);
    }
    if (code == CLI_OK) {
        code = image_compose(cli, build, &content, out);
    }
    if (code == CLI_OK) {
        code = image_prove(cli, build, out, &proof);
    }
    if (code == CLI_OK) {
        code = image_close(cli, build, &content, &proof, out);
    }
    if (code == CLI_OK) {
        code = image_fit(cli, build, out);
    }
    image_packed_free(&packed);
    if (code != CLI_OK) {
        cli_buffer_free(out);
    }
    return code;
}
