/* SPDX-License-Identifier: Apache-2.0 */
#include "image_file.h"

#include <string.h>

static const struct ferry_image_verifier *const verifiers[] = {
    &ferry_verify_ecdsa_p256,   &ferry_verify_ecdsa_p384,  &ferry_verify_ed25519,
    &ferry_verify_ed25519_pure, &ferry_verify_rsa2048_pss, &ferry_verify_rsa3072_pss};
static const struct ferry_image_digest_kind *const digests[] = {
    &ferry_digest_sha256, &ferry_digest_sha384, &ferry_digest_sha512};

/* How the content key is wrapped. What else the walk may find is the inspection's to say. */
static uint16_t find_enc_tlv(const struct image_file *file)
{
    struct ferry_tlv_walk walk;
    struct ferry_tlv tlv;
    if (ferry_tlv_walk_begin(&walk, &file->rom.flash, &file->info.header) != FERRY_OK) {
        return 0;
    }
    while (ferry_tlv_walk_next(&walk, &tlv) > 0) {
        if (ferry_tlv_is_wrapped_key(tlv.type)) {
            return tlv.type;
        }
    }
    return 0;
}

/* Look for an image that begins at an offset. */
static int open_at(struct image_file *file, uint32_t offset)
{
    file->offset = offset;
    file->info = (struct ferry_image_info){0};
    if (file->bytes.len < FERRY_IMAGE_HEADER_SIZE ||
        offset > file->bytes.len - FERRY_IMAGE_HEADER_SIZE) {
        return FERRY_E_MAGIC;
    }
    int error = ferry_flash_rom_init(&file->rom, file->bytes.data + offset,
                                     (uint32_t)file->bytes.len - offset);
    return error == FERRY_OK ? ferry_image_inspect(&file->rom.flash, &file->info) : error;
}

/* One sector up; what is found at the beginning counts when there is nothing either. */
static int open_one_sector_up(struct image_file *file, uint32_t sector)
{
    uint32_t most = sector != 0 ? sector : 256U * 1024;
    for (uint32_t at = sector != 0 ? sector : 256; at <= most; at *= 2) {
        int error = open_at(file, at);
        if (error != FERRY_E_MAGIC) {
            return error;
        }
    }
    return open_at(file, 0);
}

/* What is known of the payload before anybody looked into it. */
static void begin_payload(struct image_file *file)
{
    bool encrypted = ferry_image_encrypted(&file->info.header) != 0;
    file->payload = encrypted ? IMAGE_ENCRYPTED : IMAGE_PLAIN;
    file->enc_tlv = encrypted ? find_enc_tlv(file) : 0;
    ferry_flash_cipher_wipe(&file->cipher);
}

/* Of what is no image nothing is kept. */
static int finish_open(struct image_file *file, int error)
{
    if (error != FERRY_OK) {
        image_file_free(file);
        return error;
    }
    begin_payload(file);
    return FERRY_OK;
}

static bool is_big_endian(const struct cli_buffer *bytes)
{
    return bytes->len >= 4 && ferry_load_be32(bytes->data) == FERRY_IMAGE_MAGIC;
}

static int finish_read(const struct cli *cli, const char *path, struct image_file *file, int error)
{
    bool big_endian = is_big_endian(&file->bytes);
    bool empty = file->bytes.len == 0;
    error = finish_open(file, error);
    if (error != FERRY_OK && big_endian) {
        return cli_fail_why(cli, CLI_VERIFY, "its header is big-endian",
                            "sign it without --endian big, unless its bootloader wants that",
                            "%s is an image for a bootloader that is not Ferry's", path);
    }
    if (error != FERRY_OK && empty) {
        return cli_fail_why(cli, CLI_VERIFY, "the file is empty",
                            "look at what should have written it, and at the disk's space",
                            "%s is no usable image", path);
    }
    if (error == FERRY_E_IMAGE_SIZE) {
        return cli_fail_why(cli, CLI_VERIFY, "the sizes in the image header do not fit the file",
                            "was it cut short? copy or build it again; else sign the image again",
                            "%s is no usable image", path);
    }
    return error == FERRY_OK
               ? CLI_OK
               : cli_fail_error(cli, CLI_VERIFY, error, "%s is no usable image", path);
}

int image_file_take(struct cli_buffer *bytes, struct image_file *file)
{
    *file = (struct image_file){.bytes = *bytes};
    *bytes = (struct cli_buffer){0};
    return finish_open(file, open_at(file, 0));
}

/* The file's bytes; those it stands for when it is Intel HEX. */
static int read_bytes(const struct cli *cli, const char *path, const struct firmware_options *part,
                      struct image_file *file)
{
    struct firmware firmware;
    cli_keep_file(path);
    int code = firmware_read(cli, path, part, &firmware);
    file->bytes = firmware.bytes;
    return code;
}

int image_file_read_part(const struct cli *cli, const char *path,
                         const struct firmware_options *part, struct image_file *file)
{
    int code = read_bytes(cli, path, part, file);
    return code == CLI_OK ? finish_read(cli, path, file, open_at(file, 0)) : code;
}

int image_file_read(const struct cli *cli, const char *path, struct image_file *file)
{
    return image_file_read_part(cli, path, &firmware_image, file);
}

int image_file_look(const struct cli *cli, const char *path, const struct firmware_options *part,
                    uint32_t sector, struct image_file *file, int *error)
{
    int code = read_bytes(cli, path, part, file);
    if (code != CLI_OK) {
        return code;
    }
    *error = open_at(file, 0);
    if (*error == FERRY_E_MAGIC) {
        *error = open_one_sector_up(file, sector);
    }
    begin_payload(file);
    return CLI_OK;
}

int image_file_verify_flash(const struct ferry_flash *image, const struct key *key)
{
    uint8_t buf[4096];
    struct ferry_image_info info;
    struct ferry_verdict verdict;
    struct ferry_image_key trusted;
    struct ferry_image_trust trust = {.verifiers = verifiers,
                                      .verifier_count = sizeof verifiers / sizeof verifiers[0],
                                      .digests = digests,
                                      .digest_count = sizeof digests / sizeof digests[0],
                                      .digest_only = key == NULL,
                                      .compressed = true};
    if (key != NULL) {
        trusted = (struct ferry_image_key){key->der, key->der_len};
        trust.keys = &trusted;
        trust.key_count = 1;
    }
    int error = ferry_image_verify(image, &trust, buf, sizeof buf, NULL, NULL, &info, &verdict);
    return error == FERRY_OK && !ferry_verdict_is_valid(&verdict) ? FERRY_E_SIGNATURE : error;
}

int image_file_verify(struct image_file *file, const struct key *key)
{
    int error = image_file_verify_flash(&file->rom.flash, key);
    if (file->payload == IMAGE_PLAIN) {
        return error;
    }
    /* Whether it is in the clear the digest tells, and nothing else. */
    file->payload = error == FERRY_E_DIGEST ? IMAGE_ENCRYPTED : IMAGE_CLEAR;
    if (file->payload == IMAGE_CLEAR) {
        return error;
    }
    if (file->cipher.inner == NULL) {
        return FERRY_E_SECRET;
    }
    error = image_file_verify_flash(&file->cipher.flash, key);
    file->payload = error == FERRY_E_DIGEST ? IMAGE_ENCRYPTED : IMAGE_DECRYPTED;
    return error;
}

static const struct ferry_image_digest_kind *stated_kind(const struct image_file *file)
{
    for (size_t i = 0; i < sizeof digests / sizeof digests[0]; i++) {
        if (digests[i]->size == file->info.digest_len) {
            return digests[i];
        }
    }
    return NULL;
}

/* The scheme in which a key signs such digests in a TLV of this type, or NULL. */
static const struct ferry_image_verifier *find_verifier(const struct ferry_image_digest_kind *kind,
                                                        const struct ferry_image_key *key,
                                                        uint16_t tlv)
{
    for (size_t i = 0; i < sizeof verifiers / sizeof verifiers[0]; i++) {
        const struct ferry_image_verifier *v = verifiers[i];
        if (v->tlv == tlv && !v->pure && v->fits(key) &&
            (v->digests[0] == kind->tlv || v->digests[1] == kind->tlv)) {
            return v;
        }
    }
    return NULL;
}

int image_file_stated(const struct image_file *file, const struct key *key)
{
    const struct ferry_image_key der = {key->der, key->der_len};
    uint8_t digest[FERRY_IMAGE_DIGEST_MAX];
    struct ferry_image_signed what = {.digest = digest, .kind = stated_kind(file)};
    struct ferry_tlv_walk walk;
    struct ferry_tlv tlv;
    bool found = false;
    if (what.kind == NULL ||
        ferry_tlv_walk_begin(&walk, &file->rom.flash, &file->info.header) != FERRY_OK) {
        return FERRY_E_SIGNATURE;
    }
    memcpy(digest, file->info.digest, sizeof digest);
    while (ferry_tlv_walk_next(&walk, &tlv) > 0) {
        const struct ferry_image_verifier *v = find_verifier(what.kind, &der, tlv.type);
        const uint8_t *signature = file->bytes.data + file->offset + tlv.offset;
        if (tlv.type == FERRY_TLV_SIG_PURE) {
            return FERRY_E_UNSUPPORTED;
        }
        found = found || (v != NULL && v->verify(&der, &what, signature, tlv.len) == FERRY_OK);
    }
    return found ? FERRY_OK : FERRY_E_SIGNATURE;
}

static int explain_no_key(const struct cli *cli, const char *key_path,
                          const struct image_file *file, int error)
{
    char scheme[IMAGE_FILE_SCHEME_MAX];
    if (error != FERRY_E_SECRET) {
        return cli_fail_error(cli, CLI_VERIFY, error, "the image has no usable content key");
    }
    image_file_scheme(file, scheme);
    return cli_fail_why(cli, CLI_VERIFY, "it was encrypted for another key, or is damaged",
                        "give the private key of the device it was encrypted for",
                        "the key in %s does not decrypt the image (%s)", key_path, scheme);
}

int image_file_decrypt(const struct cli *cli, const char *key_path, struct image_file *file)
{
    struct encrypt_key key;
    struct ferry_content_key content_key;
    const struct ferry_image_header *header = &file->info.header;
    if (file->payload == IMAGE_PLAIN) {
        return CLI_OK;
    }
    int code = encrypt_key_load(cli, key_path, &key);
    if (code != CLI_OK) {
        return code;
    }
    if (!key.is_private) {
        encrypt_key_free(&key);
        return cli_fail(cli, CLI_FAILED, "give the private key", "%s is a public key", key_path);
    }
    int error = encrypt_key_open(&key, &file->rom.flash, header, &content_key);
    encrypt_key_free(&key);
    if (error != FERRY_OK) {
        return explain_no_key(cli, key_path, file, error);
    }
    ferry_flash_cipher_init(&file->cipher, &file->rom.flash, header->header_size,
                            header->header_size + header->payload_size, &content_key);
    ferry_wipe(&content_key, sizeof content_key);
    return CLI_OK;
}

void image_file_scheme(const struct image_file *file, char text[IMAGE_FILE_SCHEME_MAX])
{
    snprintf(text, IMAGE_FILE_SCHEME_MAX, "AES-%u, %s",
             (unsigned)(8 * ferry_image_encrypted(&file->info.header)),
             file->enc_tlv != 0 ? encryption_scheme(file->enc_tlv) : "no wrapped key");
}

const char *image_file_payload_name(const struct image_file *file)
{
    const char *const names[] = {[IMAGE_PLAIN] = "plain",
                                 [IMAGE_CLEAR] = "clear",
                                 [IMAGE_DECRYPTED] = "decrypted",
                                 [IMAGE_ENCRYPTED] = "encrypted"};
    return names[file->payload];
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
    ferry_flash_cipher_wipe(&file->cipher);
    cli_buffer_free(&file->bytes);
}
