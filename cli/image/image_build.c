/* SPDX-License-Identifier: Apache-2.0 */
#include "image_steps.h"

#include "image_order.h"

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

/* The size of the payload. Encrypted, header and payload are whole AES blocks, as imgtool makes
 * them. */
static size_t payload_size(const struct image_build *build, const struct image_content *content)
{
    size_t over = (build->header_size + content->payload.len) % FERRY_AES_BLOCK_SIZE;
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
    image_store_header(out->data, build->claims.big_endian, &header);
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

/* A signature of a digest must not pass for one of an image: Ferry's bootloader takes no message
 * that might be a digest for an image. */
static int check_pure(const struct cli *cli, const struct image_build *build,
                      const struct cli_buffer *composed)
{
    return !build->pure || composed->len > FERRY_IMAGE_DIGEST_MAX
               ? CLI_OK
               : cli_fail(cli, CLI_VERIFY, "give a firmware, or leave out --pure",
                          "an image of %zu bytes is too short to be signed itself: its signature "
                          "might be one of a digest",
                          composed->len);
}

/* A signature of ECDSA is shorter when a number begins with zeros. Bootloaders before MCUboot 1.5
 * wanted them all of one size, with zeros behind. */
static size_t pad_signature(const struct key_type *type, uint8_t *signature, size_t len)
{
    size_t size = strcmp(type->name, "ecdsa-p256") == 0   ? 72
                  : strcmp(type->name, "ecdsa-p384") == 0 ? 103
                                                          : 0;
    if (len >= size) {
        return len;
    }
    memset(signature + len, 0, size - len);
    return size;
}

/* One key's signature of a message: the image itself, or its digest. */
static size_t sign(const struct image_build *build, const struct key *key, const uint8_t *message,
                   size_t len, uint8_t *signature)
{
    const struct cli_buffer *outside = &build->outside_signature;
    if (outside->data == NULL) {
        size_t size = key_sign(key, message, len, signature);
        return size > 0 && build->pad_signature ? pad_signature(key->type, signature, size) : size;
    }
    if (outside->len > FERRY_IMAGE_SIGNATURE_MAX ||
        !key_verify(key, message, len, outside->data, outside->len)) {
        return 0;
    }
    memcpy(signature, outside->data, outside->len);
    return outside->len;
}

static bool sign_all(const struct image_build *build, const struct cli_buffer *composed,
                     struct image_proof *proof)
{
    const uint8_t *message = build->pure ? composed->data : proof->digest;
    size_t len = build->pure ? composed->len : proof->kind->size;
    for (size_t i = 0; i < build->key_count; i++) {
        proof->signatures[i].len =
            sign(build, &build->keys[i], message, len, proof->signatures[i].bytes);
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
    if (code == CLI_OK) {
        code = check_pure(cli, build, composed);
    }
    if (code != CLI_OK) {
        return code;
    }
    proof->kind = image_build_digest(build);
    proof->kind->init(&state);
    proof->kind->update(&state, composed->data, composed->len);
    proof->kind->final(&state, proof->digest);
    if (build->vector != IMAGE_WHOLE || sign_all(build, composed, proof)) {
        return CLI_OK;
    }
    return build->outside_signature.data != NULL
               ? cli_fail_why(cli, CLI_VERIFY,
                              "it is of another key, or of an image with other options or firmware",
                              "write what is to be signed with the same options, --fix-sig-pubkey "
                              "among them, and --vector-to-sign; sign that",
                              "the signature of --fix-sig is not the key's over this image")
               : cli_fail(cli, CLI_FAILED, "take the key from a good copy",
                          "cannot sign: a key is damaged, or OpenSSL failed");
}

/* ---- The unprotected area --------------------------------------------------------------- */

static void add_tlv(const struct image_build *build, uint16_t type, const uint8_t *data, size_t len,
                    struct cli_buffer *out)
{
    uint8_t *p = out->data + out->len;
    image_store_tlv_head(p, build->claims.big_endian, type, (uint16_t)len);
    memcpy(p + IMAGE_TLV_HEAD, data, len);
    out->len += IMAGE_TLV_HEAD + len;
}

static void add_key(const struct image_build *build, const struct key *key, struct cli_buffer *out)
{
    const struct ferry_image_digest_kind *digest = image_build_digest(build);
    uint8_t hash[FERRY_IMAGE_DIGEST_MAX];

    if (build->full_keys) {
        add_tlv(build, FERRY_TLV_PUBKEY, key->der, key->der_len, out);
        return;
    }
    key_hash(key, digest, hash);
    add_tlv(build, FERRY_TLV_KEYHASH, hash, digest->size, out);
}

static void add_proof(const struct image_build *build, const struct image_proof *proof,
                      struct cli_buffer *out)
{
    add_tlv(build, proof->kind->tlv, proof->digest, proof->kind->size, out);
    if (build->pure) {
        add_tlv(build, FERRY_TLV_SIG_PURE, (const uint8_t[]){1}, 1, out);
    }
    for (size_t i = 0; i < build->key_count; i++) {
        add_key(build, &build->keys[i], out);
        add_tlv(build, build->keys[i].type->tlv, proof->signatures[i].bytes,
                proof->signatures[i].len, out);
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
    add_tlv(build, encryption_tlv(&build->encryption), wrapped,
            encryption_tlv_len(&build->encryption), out);
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
    image_store16(image->data + info, build->claims.big_endian, FERRY_TLV_MAGIC);
    image_store16(image->data + info + 2, build->claims.big_endian, (uint16_t)(image->len - info));
    return CLI_OK;
}

/* ---- The whole -------------------------------------------------------------------------- */

/* Leave of a composed image what is to be signed outside. */
static void leave_vector(const struct image_build *build, struct image_made *made)
{
    if (build->vector == IMAGE_DIGEST) {
        memcpy(made->bytes.data, made->proof.digest, made->proof.kind->size);
        made->bytes.len = made->proof.kind->size;
    }
    made->size = made->bytes.len;
}

static int finish(const struct cli *cli, const struct image_build *build,
                  const struct image_content *content, struct image_made *made)
{
    int code = image_close(cli, build, content, &made->proof, &made->bytes);
    made->size = made->bytes.len;
    return code == CLI_OK ? image_fit(cli, build, &made->bytes) : code;
}

int image_build(const struct cli *cli, const struct image_build *build,
                const struct cli_buffer *firmware, struct image_made *made)
{
    struct image_content content;
    struct image_packed packed = {{0}, {0}};
    *made = (struct image_made){0};
    int code = image_content_of(cli, build, firmware, &content);
    if (code == CLI_OK) {
        made->firmware_size = content.payload.len;
        code = image_compress(cli, build, &content, &packed);
    }
    if (code == CLI_OK) {
        made->payload_size = content.payload.len;
        made->compression = content.flags;
        code = image_compose(cli, build, &content, &made->bytes);
    }
    if (code == CLI_OK) {
        code = image_prove(cli, build, &made->bytes, &made->proof);
    }
    if (code == CLI_OK && build->vector != IMAGE_WHOLE) {
        leave_vector(build, made);
    } else if (code == CLI_OK) {
        code = finish(cli, build, &content, made);
    }
    image_packed_free(&packed);
    if (code != CLI_OK) {
        cli_buffer_free(&made->bytes);
    }
    return code;
}
