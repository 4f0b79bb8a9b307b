/* SPDX-License-Identifier: Apache-2.0 */
#include "image_build.h"

#include "ferry/trailer.h"

#include <stdlib.h>
#include <string.h>

/* Room behind the payload for every TLV that is written here. */
#define TLV_ROOM (4 + 4 * 4 + 3 * 64 + FERRY_IMAGE_SIGNATURE_MAX)

static struct ferry_trailer_format trailer_format(const struct image_build *build)
{
    return (struct ferry_trailer_format){
        .max_align = build->max_align,
        .write_size = build->align,
        .max_sectors = build->max_sectors,
        .sector_states = build->overwrite_only ? 0 : 3,
    };
}

uint32_t image_build_limit(const struct image_build *build)
{
    struct ferry_trailer_format format = trailer_format(build);
    struct ferry_trailer_layout layout;
    if (ferry_trailer_layout(&format, &layout) != FERRY_OK || layout.size >= build->slot_size) {
        return 0;
    }
    return build->slot_size - layout.size;
}

static void add_tlv(struct cli_buffer *out, uint16_t type, const uint8_t *data, size_t len)
{
    uint8_t *p = out->data + out->len;
    ferry_store_le16(p, type);
    ferry_store_le16(p + 2, (uint16_t)len);
    memcpy(p + 4, data, len);
    out->len += 4 + len;
}

static void sha256(const uint8_t *data, size_t len, uint8_t digest[FERRY_SHA256_SIZE])
{
    struct ferry_sha256 sha;
    ferry_crypto_sha256_init(&sha);
    ferry_crypto_sha256_update(&sha, data, len);
    ferry_crypto_sha256_final(&sha, digest);
}

/* Digest, and with a key its hash and the signature, behind header and payload. */
static bool add_tlvs(const struct image_build *build, struct cli_buffer *out)
{
    uint8_t digest[FERRY_SHA256_SIZE];
    size_t info = out->len;

    sha256(out->data, out->len, digest);
    out->len += 4;
    add_tlv(out, FERRY_TLV_SHA256, digest, sizeof digest);
    if (build->key != NULL) {
        uint8_t keyhash[FERRY_SHA256_SIZE];
        uint8_t signature[FERRY_IMAGE_SIGNATURE_MAX];
        size_t len = key_sign_digest(build->key, digest, signature);
        if (len == 0) {
            return false;
        }
        sha256(build->key->der, build->key->der_len, keyhash);
        add_tlv(out, FERRY_TLV_KEYHASH, keyhash, sizeof keyhash);
        add_tlv(out, build->key->type->tlv, signature, len);
    }
    ferry_store_le16(out->data + info, FERRY_TLV_MAGIC);
    ferry_store_le16(out->data + info + 2, (uint16_t)(out->len - info));
    return true;
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

static bool assemble(const struct image_build *build, const struct cli_buffer *firmware,
                     struct cli_buffer *out)
{
    size_t skip = build->pad_header ? 0 : build->header_size;
    size_t payload = firmware->len - skip;
    struct ferry_image_header header = {.load_address = build->address,
                                        .flags = build->address_flag,
                                        .header_size = (uint16_t)build->header_size,
                                        .payload_size = (uint32_t)payload,
                                        .version = build->version};

    out->data = malloc(build->header_size + payload + TLV_ROOM);
    if (out->data == NULL) {
        return false;
    }
    memset(out->data, build->pad_header ? build->erased_value : 0, build->header_size);
    ferry_image_header_write(&header, out->data);
    memcpy(out->data + build->header_size, firmware->data + skip, payload);
    out->len = build->header_size + payload;
    return add_tlvs(build, out);
}

int image_build(const struct cli *cli, const struct image_build *build,
                const struct cli_buffer *firmware, struct cli_buffer *out)
{
    *out = (struct cli_buffer){0};
    int code = check_input(cli, build, firmware);
    if (code != CLI_OK) {
        return code;
    }
    if (!assemble(build, firmware, out)) {
        cli_buffer_free(out);
        return cli_fail(cli, CLI_FAILED, "check the key with `ferry pubkey`",
                        "cannot sign: memory or OpenSSL failed");
    }
    code = check_size(cli, build, out->len);
    if (code == CLI_OK && build->pad && !pad_to_slot(build, out)) {
        code = cli_fail(cli, CLI_FAILED, "check --slot-size and --align",
                        "cannot pad the image to its slot");
    }
    if (code != CLI_OK) {
        cli_buffer_free(out);
    }
    return code;
}
