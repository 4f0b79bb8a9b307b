/* SPDX-License-Identifier: Apache-2.0 */
#include "image_build.h"

#include "ferry/trailer.h"

#include <stdlib.h>
#include <string.h>

/* Room for the unprotected area: its info, the digest, SIG_PURE, a key and a signature each, and
 * the wrapped content key; and for what is missing of the last AES block. */
#define TLV_ROOM                                                                                   \
    (4 + (4 + FERRY_IMAGE_DIGEST_MAX) + (4 + 1) +                                                  \
     IMAGE_KEYS * ((4 + KEY_DER_MAX) + (4 + FERRY_IMAGE_SIGNATURE_MAX)) +                          \
     (4 + FERRY_IMAGE_WRAPPED_MAX) + FERRY_AES_BLOCK_SIZE)

/* The places for both images' ENC TLVs, as in the slots of a device; an overwrite keeps none. */
static uint32_t kept_tlv(const struct image_build *build)
{
    const struct encryption *encryption = &build->encryption;
    return encryption->key != NULL && encryption->save_enctlv && !build->overwrite_only
               ? (uint32_t)encryption_tlv_len(encryption)
               : 0;
}

static struct ferry_trailer_format trailer_format(const struct image_build *build)
{
    return (struct ferry_trailer_format){
        .max_align = build->max_align,
        .write_size = build->align,
        .max_sectors = build->max_sectors,
        .sector_states = build->overwrite_only ? 0 : 3,
        .enc_tlv = kept_tlv(build),
    };
}

/* Where a bootloader that keeps no ENC TLVs keeps the content keys themselves, each in whole units
 * of the alignment. */
static uint32_t key_room(const struct image_build *build)
{
    const struct encryption *encryption = &build->encryption;
    if (encryption->key == NULL || encryption->save_enctlv || build->overwrite_only) {
        return 0;
    }
    return 2 * ferry_align_up(encryption->key_len, build->max_align);
}

uint32_t image_build_limit(const struct image_build *build)
{
    uint32_t room = key_room(build);
    struct ferry_trailer_format format = trailer_format(build);
    struct ferry_trailer_layout layout;
    if (ferry_trailer_layout(&format, &layout) != FERRY_OK ||
        layout.size + room >= build->slot_size) {
        return 0;
    }
    return build->slot_size - layout.size - room;
}

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

/* ---- Parts ------------------------------------------------------------------------------ */

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

/* The size of the payload: whole AES blocks when it is encrypted, as imgtool makes them. */
static size_t payload_size(const struct image_build *build, const struct cli_buffer *firmware)
{
    size_t size = firmware->len - (build->pad_header ? 0 : build->header_size);
    size_t over = size % FERRY_AES_BLOCK_SIZE;
    return build->encryption.key != NULL && over != 0 ? size + FERRY_AES_BLOCK_SIZE - over : size;
}

/* Encrypt the payload, whose digest was taken, and add the ENC TLV. */
static bool encrypt(const struct image_build *build, size_t size, struct cli_buffer *out)
{
    uint8_t wrapped[FERRY_IMAGE_WRAPPED_MAX];
    if (build->encryption.key == NULL) {
        return true;
    }
    if (!encryption_apply(&build->encryption, out->data + build->header_size, size, wrapped)) {
        return false;
    }
    add_tlv(out, encryption_tlv(&build->encryption), wrapped,
            encryption_tlv_len(&build->encryption));
    return true;
}

/* The unprotected area behind what is hashed: digest, each key with its signature, and how the
 * payload of `size` bytes is encrypted. */
static bool add_unprotected(const struct image_build *build, size_t size, struct cli_buffer *out)
{
    const struct ferry_image_digest_kind *kind = image_build_digest(build);
    union ferry_image_digest_state state;
    uint8_t digest[FERRY_IMAGE_DIGEST_MAX];
    size_t info = out->len;

    kind->init(&state);
    kind->update(&state, out->data, out->len);
    kind->final(&state, digest);
    out->len += 4;
    add_tlv(out, kind->tlv, digest, kind->size);
    if (build->pure) {
        add_tlv(out, FERRY_TLV_SIG_PURE, (const uint8_t[]){1}, 1);
    }
    for (size_t i = 0; i < build->key_count; i++) {
        const struct key *key = &build->keys[i];
        uint8_t signature[FERRY_IMAGE_SIGNATURE_MAX];
        size_t len = build->pure ? key_sign(key, out->data, info, signature)
                                 : key_sign(key, digest, kind->size, signature);
        if (len == 0) {
            return false;
        }
        add_key(build, key, out);
        add_tlv(out, key->type->tlv, signature, len);
    }
    if (!encrypt(build, size, out)) {
        return false;
    }
    ferry_store_le16(out->data + info, FERRY_TLV_MAGIC);
    ferry_store_le16(out->data + info + 2, (uint16_t)(out->len - info));
    return true;
}

/* ---- Checks ----------------------------------------------------------------------------- */

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

static int check_size(const struct cli *cli, const struct image_build *build, size_t size)
{
    uint32_t limit = image_build_limit(build);
    if (size <= limit) {
        return CLI_OK;
    }
    return cli_fail(cli, CLI_VERIFY,
                    "shrink the firmware, or enlarge the slot (and --slot-size with it)",
                    "the image is too large: %zu bytes; a slot of %u takes %u beside its trailer",
                    size, (unsigned)build->slot_size, (unsigned)limit);
}

/* Fill the slot with the erased value and write the trailer as the bootloader would. */
static bool pad_to_slot(const struct image_build *build, struct cli_buffer *out)
{
    uint8_t *slot = realloc(out->data, build->slot_size);
    if (slot == NULL) {
        return false;
    }
    out->data = slot;
    memset(slot + out->len, build->erased_value, build->slot_size - out->len);
    out->len = build->slot_size;
    struct ferry_flash_ram ram = {.flash = {.size = build->slot_size,
                                            .write_size = (uint8_t)build->align,
                                            .erased_value = build->erased_value,
                                            .run_count = 1,
                                            .runs = {{1, build->slot_size}}}};
    return ferry_flash_ram_init(&ram, slot) == FERRY_OK &&
           (!build->confirm ||
            ferry_trailer_write_image_ok(&ram.flash, build->max_align) == FERRY_OK) &&
           ferry_trailer_write_magic(&ram.flash, build->max_align) == FERRY_OK;
}

/* ---- The whole -------------------------------------------------------------------------- */

/* Header and payload. out has room for what follows. */
static void add_payload(const struct image_build *build, const struct cli_buffer *firmware,
                        size_t protected_size, struct cli_buffer *out)
{
    size_t skip = build->pad_header ? 0 : build->header_size;
    size_t payload = payload_size(build, firmware);
    struct ferry_image_header header = {
        .load_address = build->address,
        .flags = build->address_flag | (build->non_bootable ? FERRY_IMAGE_NON_BOOTABLE : 0) |
                 encryption_flag(&build->encryption),
        .header_size = (uint16_t)build->header_size,
        .protected_size = (uint16_t)protected_size,
        .payload_size = (uint32_t)payload,
        .version = build->version};

    memset(out->data, build->pad_header ? build->erased_value : 0, build->header_size);
    ferry_image_header_write(&header, out->data);
    memset(out->data + build->header_size, 0, payload);
    memcpy(out->data + build->header_size, firmware->data + skip, firmware->len - skip);
    out->len = build->header_size + payload;
}

/* Step by step: header and payload, protected area, digest and signatures over both. */
static bool assemble(const struct image_build *build, const struct cli_buffer *firmware,
                     const struct cli_buffer *area, struct cli_buffer *out)
{
    out->data = malloc(build->header_size + firmware->len + area->len + TLV_ROOM);
    if (out->data == NULL) {
        return false;
    }
    add_payload(build, firmware, area->len, out);
    if (area->len > 0) {
        memcpy(out->data + out->len, area->data, area->len);
        out->len += area->len;
    }
    return add_unprotected(build, payload_size(build, firmware), out);
}

static int make(const struct cli *cli, const struct image_build *build,
                const struct cli_buffer *firmware, struct cli_buffer *out)
{
    struct cli_buffer area;
    const struct key *key = build->key_count > 0 ? &build->keys[0] : NULL;
    int rc =
        image_claims_write(&build->claims, &build->version, image_build_digest(build), key, &area);
    if (rc == FERRY_E_TOO_LARGE) {
        return cli_fail(cli, CLI_USAGE, "give shorter --custom-tlv values",
                        "the protected TLVs do not fit an area of 65535 bytes");
    }
    bool made = rc == FERRY_OK && assemble(build, firmware, &area, out);
    cli_buffer_free(&area);
    return made ? CLI_OK
                : cli_fail(cli, CLI_FAILED, "check the key with `ferry pubkey`",
                           "cannot sign: memory or OpenSSL failed");
}

int image_build(const struct cli *cli, const struct image_build *build,
                const struct cli_buffer *firmware, struct cli_buffer *out)
{
    *out = (struct cli_buffer){0};
    int code = check_input(cli, build, firmware);
    if (code == CLI_OK) {
        code = check_keys(cli, build);
    }
    if (code == CLI_OK) {
        code = make(cli, build, firmware, out);
    }
    if (code == CLI_OK) {
        code = check_size(cli, build, out->len);
    }
    if (code == CLI_OK && build->pad && !pad_to_slot(build, out)) {
        code = cli_fail(cli, CLI_FAILED, "check --slot-size and --align",
                        "cannot pad the image to its slot");
    }
    if (code != CLI_OK) {
        cli_buffer_free(out);
    }
    return code;
}
