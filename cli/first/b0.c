/* SPDX-License-Identifier: Apache-2.0 */
#include "b0.h"

#include <openssl/ecdsa.h>
#include <stdlib.h>
#include <string.h>

/* Where fw_info goes that is put in front, and the firmware behind it. */
#define PAD_INFO     0x200U
#define PAD_FIRMWARE 0x400U

#define SPKI_P256_SIZE 91

/* How long a device may take to say where its bootloader runs. */
#define ASK_MS 10000

/* ---- Kinds -------------------------------------------------------------------------------- */

static const struct ferry_first_kind *const kinds[] = {&ferry_first_nrf52, &ferry_first_nrf53,
                                                       &ferry_first_vchip};

const char b0_kind_names[] = "nrf52, nrf53, vchip";

const struct ferry_first_kind *b0_kind_find(const char *name)
{
    for (size_t i = 0; i < sizeof kinds / sizeof kinds[0]; i++) {
        if (strcmp(kinds[i]->name, name) == 0) {
            return kinds[i];
        }
    }
    return NULL;
}

/* ---- Keys and signatures ------------------------------------------------------------------- */

static void sha256(const uint8_t *data, size_t len, uint8_t digest[FERRY_SHA256_SIZE])
{
    struct ferry_sha256 sha;
    ferry_crypto_sha256_init(&sha);
    ferry_crypto_sha256_update(&sha, data, len);
    ferry_crypto_sha256_final(&sha, digest);
}

bool b0_public_key(const struct key *key, uint8_t point[64], uint8_t hash[FERRY_FIRST_KEY_HASH])
{
    uint8_t digest[FERRY_SHA256_SIZE];
    if (key->der_len != SPKI_P256_SIZE) {
        return false;
    }
    memcpy(point, key->der + SPKI_P256_SIZE - 64, 64);
    sha256(point, 64, digest);
    memcpy(hash, digest, FERRY_FIRST_KEY_HASH);
    return true;
}

/* A DER signature as r | s. */
static bool to_raw(const uint8_t *der, size_t len, uint8_t raw[64])
{
    ECDSA_SIG *pair = d2i_ECDSA_SIG(NULL, &der, (long)len);
    bool good = pair != NULL && BN_bn2binpad(ECDSA_SIG_get0_r(pair), raw, 32) == 32 &&
                BN_bn2binpad(ECDSA_SIG_get0_s(pair), raw + 32, 32) == 32;
    ECDSA_SIG_free(pair);
    return good;
}

/* Sign the digest of the firmware as a message. */
static bool sign(const struct key *key, struct ferry_first_validation *validation)
{
    uint8_t digest[FERRY_SHA256_SIZE];
    uint8_t der[FERRY_IMAGE_SIGNATURE_MAX];
    uint8_t hash[FERRY_FIRST_KEY_HASH];
    sha256(validation->hash, sizeof validation->hash, digest);
    size_t len = key_sign(key, digest, sizeof digest, der);
    return len > 0 && to_raw(der, len, validation->signature) &&
           b0_public_key(key, validation->key, hash);
}

/* ---- fw_info ----------------------------------------------------------------------------------
 */

/* Find fw_info in a firmware that has one. */
static int find_info(const struct cli *cli, const struct b0_build *build, const char *path,
                     const struct cli_buffer *out, struct ferry_first_info *info)
{
    for (size_t i = 0; i < FERRY_FIRST_OFFSETS; i++) {
        uint32_t at = ferry_first_offsets[i];
        if (at + FERRY_FIRST_INFO_SIZE < out->len &&
            ferry_first_info_parse(out->data + at, build->kind, info) == FERRY_OK) {
            info->offset = at;
            return CLI_OK;
        }
    }
    return cli_fail(
        cli, CLI_VERIFY,
        "--pad puts one in front of the firmware (link it 0x400 behind the address), or "
        "give the firmware that has one",
        "%s has no fw_info of %s at 0, 0x200, 0x400, 0x800 or 0x1000", path, build->kind->name);
}

/* The firmware's size, to whole words. One that says its own must be as long as it says. */
static int set_size(const struct cli *cli, const char *path, struct ferry_first_info *info,
                    size_t len)
{
    if (info->size == 0) {
        info->size = (uint32_t)len;
    }
    if (info->size <= len && ferry_align_up(info->size, 4) == len) {
        return CLI_OK;
    }
    return cli_fail(cli, CLI_VERIFY,
                    info->size < len ? "give the firmware as it was linked, without a signature"
                                     : "give the whole firmware",
                    "%s has %zu bytes, and its fw_info says %u", path, len, (unsigned)info->size);
}

static int set_fields(const struct cli *cli, const struct b0_build *build, const char *path,
                      struct ferry_first_info *info)
{
    uint32_t address = build->has_address ? build->address : info->address;
    uint32_t skip = info->boot_address - info->address;
    info->version = build->has_version ? build->version : info->version;
    if (info->version == 0 || info->version > FERRY_FIRST_VERSION_MAX) {
        return cli_fail(cli, CLI_USAGE,
                        "--version N, from 1 to 32767; the first stage prefers the "
                        "higher one",
                        "%s has no version that a first stage can count", path);
    }
    if (address == 0) {
        return cli_fail(cli, CLI_USAGE, "--address A: where its first byte will be in the slot",
                        "%s does not say for which address it is", path);
    }
    if (skip >= info->size || address > UINT32_MAX - info->size) {
        return cli_fail(cli, CLI_VERIFY, "link it again", "%s: its boot_address is outside of it",
                        path);
    }
    info->address = address;
    info->boot_address = address + skip;
    info->valid = FERRY_FIRST_VALID;
    return CLI_OK;
}

static int prepare_info(const struct cli *cli, const struct b0_build *build, const char *path,
                        const struct cli_buffer *out, struct ferry_first_info *info)
{
    int code = CLI_OK;
    if (build->pad) {
        *info = (struct ferry_first_info){
            .offset = PAD_INFO, .total_size = FERRY_FIRST_INFO_SIZE, .boot_address = PAD_FIRMWARE};
    } else {
        code = find_info(cli, build, path, out, info);
    }
    if (code == CLI_OK) {
        code = set_size(cli, path, info, out->len);
    }
    return code == CLI_OK ? set_fields(cli, build, path, info) : code;
}

/* ---- Building -----------------------------------------------------------------------------------
 */

/* The firmware in whole words, fw_info's room in front, and room for the validation info. */
static bool copy_firmware(const struct b0_build *build, const struct cli_buffer *firmware,
                          struct cli_buffer *out)
{
    size_t front = build->pad ? PAD_FIRMWARE : 0;
    size_t len = front + (firmware->len + 3) / 4 * 4;
    out->data = malloc(len + FERRY_FIRST_VALIDATION_SIZE);
    if (out->data == NULL) {
        return false;
    }
    memset(out->data, 0xff, len);
    memset(out->data, 0x00, front);
    memcpy(out->data + front, firmware->data, firmware->len);
    out->len = len;
    return true;
}

static bool append_validation(const struct b0_build *build, const struct ferry_first_info *info,
                              struct cli_buffer *out)
{
    struct ferry_first_validation validation = {.address = info->address};
    sha256(out->data, info->size, validation.hash);
    if (!sign(build->key, &validation)) {
        return false;
    }
    ferry_first_validation_write(&validation, build->kind, out->data + out->len);
    out->len += FERRY_FIRST_VALIDATION_SIZE;
    return true;
}

/* Only the fields that change: lists of external APIs behind the struct stay. */
static void write_info(const struct ferry_first_info *info, uint8_t *raw,
                       const struct b0_build *build)
{
    if (build->pad) {
        ferry_first_info_write(info, build->kind, raw);
        return;
    }
    ferry_store_le32(raw + 16, info->size);
    ferry_store_le32(raw + 20, info->version);
    ferry_store_le32(raw + 24, info->address);
    ferry_store_le32(raw + 28, info->boot_address);
    ferry_store_le32(raw + 32, info->valid);
}

int b0_build(const struct cli *cli, const struct b0_build *build, const char *path,
             const struct cli_buffer *firmware, struct cli_buffer *out,
             struct ferry_first_info *info)
{
    *out = (struct cli_buffer){0};
    if (!copy_firmware(build, firmware, out)) {
        return cli_fail(cli, CLI_FAILED, "free memory", "out of memory");
    }
    int code = prepare_info(cli, build, path, out, info);
    if (code == CLI_OK) {
        write_info(info, out->data + info->offset, build);
        if (!append_validation(build, info, out)) {
            code =
                cli_fail(cli, CLI_FAILED, "check the OpenSSL installation", "cannot sign %s", path);
        }
    }
    if (code != CLI_OK) {
        cli_buffer_free(out);
    }
    return code;
}

/* ---- Two builds ---------------------------------------------------------------------------------
 */

int b0_info_of(const struct image_file *file, struct ferry_first_info *info)
{
    const struct ferry_image_header *header = &file->info.header;
    const struct ferry_first_place place = {
        .flash = &file->rom.flash, .offset = header->header_size, .size = header->payload_size};
    int error = ferry_first_info_find(&place, &ferry_first_nrf52, info);
    return error == FERRY_OK ? error : ferry_first_info_find(&place, &ferry_first_nrf53, info);
}

int b0_ask_slot(struct session *session, uint32_t *slot)
{
    uint64_t end = ferry_connection_now() + ASK_MS;
    struct ferry_client_answer answer;
    int32_t ticket = ferry_command_bootloader(session->client, "active_b0_slot", NULL);
    int got;

    if (ticket < 0) {
        return ticket;
    }
    do {
        got = session_step(session, end, &answer);
    } while (got == 1 && answer.ticket != ticket);
    if (got < 1) {
        return got < 0 ? got : FERRY_E_TIMEOUT;
    }
    return answer.error == FERRY_OK ? ferry_answer_b0_slot(answer.payload, slot)
                                    : FERRY_E_NOT_FOUND;
}
