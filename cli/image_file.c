/* SPDX-License-Identifier: Apache-2.0 */
#include "image_file.h"

static const struct ferry_image_verifier *const verifiers[] = {
    &ferry_verify_ecdsa_p256,   &ferry_verify_ecdsa_p384,  &ferry_verify_ed25519,
    &ferry_verify_ed25519_pure, &ferry_verify_rsa2048_pss, &ferry_verify_rsa3072_pss};
static const struct ferry_image_digest_kind *const digests[] = {
    &ferry_digest_sha256, &ferry_digest_sha384, &ferry_digest_sha512};

#define ENCRYPTED (FERRY_IMAGE_ENCRYPTED_AES128 | FERRY_IMAGE_ENCRYPTED_AES256)

/* Look for an image that begins at an offset. */
static int open_at(struct image_file *file, uint32_t offset)
{
    if (file->bytes.len < FERRY_IMAGE_HEADER_SIZE ||
        offset > file->bytes.len - FERRY_IMAGE_HEADER_SIZE) {
        return FERRY_E_MAGIC;
    }
    file->offset = offset;
    int error = ferry_flash_rom_init(&file->rom, file->bytes.data + offset,
                                     (uint32_t)file->bytes.len - offset);
    return error == FERRY_OK ? ferry_image_inspect(&file->rom.flash, &file->info) : error;
}

/* One sector up; what is found at the beginning counts when there is nothing either. */
static int open_one_sector_up(struct image_file *file, uint32_t sector)
{
    uint32_t most = sector != 0 ? sector : 256U * 1024;
    for (uint32_t at = sector != 0 ? sector : 256; at <= most; at *= 2) {
        if (open_at(file, at) == FERRY_OK) {
            return FERRY_OK;
        }
    }
    return open_at(file, 0);
}

static int finish_read(const struct cli *cli, const char *path, struct image_file *file, int error)
{
    if (error == FERRY_OK) {
        return CLI_OK;
    }
    image_file_free(file);
    return cli_fail_error(cli, CLI_VERIFY, error, "%s is no usable image", path);
}

int image_file_read(const struct cli *cli, const char *path, struct image_file *file)
{
    int code = cli_read_file(cli, path, &file->bytes);
    return code == CLI_OK ? finish_read(cli, path, file, open_at(file, 0)) : code;
}

int image_file_read_slot(const struct cli *cli, const char *path, uint32_t sector,
                         struct image_file *file)
{
    int code = cli_read_file(cli, path, &file->bytes);
    if (code != CLI_OK) {
        return code;
    }
    int error = open_at(file, 0);
    if (error == FERRY_E_MAGIC) {
        error = open_one_sector_up(file, sector);
    }
    return finish_read(cli, path, file, error);
}

int image_file_verify(struct image_file *file, const struct key *key)
{
    uint8_t buf[4096];
    struct ferry_image_info info;
    struct ferry_verdict verdict;
    struct ferry_image_key trusted;
    struct ferry_image_trust trust = {.verifiers = verifiers,
                                      .verifier_count = sizeof verifiers / sizeof verifiers[0],
                                      .digests = digests,
                                      .digest_count = sizeof digests / sizeof digests[0],
                                      .digest_only = key == NULL};
    if (key != NULL) {
        trusted = (struct ferry_image_key){key->der, key->der_len};
        trust.keys = &trusted;
        trust.key_count = 1;
    }
    int error =
        ferry_image_verify(&file->rom.flash, &trust, buf, sizeof buf, NULL, NULL, &info, &verdict);
    if (error == FERRY_E_DIGEST && (info.header.flags & ENCRYPTED) != 0) {
        return FERRY_E_SECRET; /* the digest is of the plaintext */
    }
    return error == FERRY_OK && !ferry_verdict_is_valid(&verdict) ? FERRY_E_SIGNATURE : error;
}

void image_file_sha256(const struct image_file *file, uint8_t digest[FERRY_SHA256_SIZE])
{
    struct ferry_sha256 sha;
    ferry_crypto_sha256_init(&sha);
    ferry_crypto_sha256_update(&sha, file->bytes.data, file->bytes.len);
    ferry_crypto_sha256_final(&sha, digest);
}

void image_file_free(struct image_file *file)
{
    cli_buffer_free(&file->bytes);
}
