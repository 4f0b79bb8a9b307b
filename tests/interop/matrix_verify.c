/* SPDX-License-Identifier: Apache-2.0 */
/* matrix_verify KEY.der SECRET.der|- EVERY IMAGE...: whether images verify by a key, and whether
 * every single bit of them counts. Built with each crypto port; tests/interop/test_matrix.py makes
 * the images.
 *
 * Each image must verify as it is, an encrypted one through the flash that decrypts it. Then each
 * EVERYth bit of it is flipped alone, from the header to the end of the last TLV: header, payload,
 * protected TLVs, digest, the name of the key, the signature, the wrapped key, and the types and
 * lengths between them. All of these must be refused; no change is harmless, since the images have
 * no TLV of a type that is not known. Prints a line for each image; the exit status is 0 when all
 * is well. */
#include "ferry/encrypted.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const struct ferry_image_verifier *const verifiers[] = {
    &ferry_verify_ecdsa_p256,   &ferry_verify_ecdsa_p384,  &ferry_verify_ed25519,
    &ferry_verify_ed25519_pure, &ferry_verify_rsa2048_pss, &ferry_verify_rsa3072_pss};
static const struct ferry_image_digest_kind *const digests[] = {
    &ferry_digest_sha256, &ferry_digest_sha384, &ferry_digest_sha512};

static const struct ferry_image_unwrapper *const unwrappers[] = {
    &ferry_unwrap_ec256, &ferry_unwrap_x25519, &ferry_unwrap_x25519_sha512, &ferry_unwrap_rsa2048};

static uint8_t key_bytes[1024];
static uint8_t secret_bytes[4096];
static struct ferry_image_secret secret = {secret_bytes, 0};
static const struct ferry_image_secrets secrets = {&secret, 1, unwrappers,
                                                   sizeof unwrappers / sizeof unwrappers[0]};
static uint8_t image[1 << 16];

static size_t read_file(const char *path, uint8_t *out, size_t cap)
{
    FILE *file = fopen(path, "rb");
    size_t len = file != NULL ? fread(out, 1, cap, file) : 0;
    if (file == NULL || len == 0 || len == cap) {
        fprintf(stderr, "matrix_verify: cannot read %s, or it is empty or too large\n", path);
        exit(2);
    }
    (void)fclose(file);
    return len;
}

static int verify(const struct ferry_image_trust *trust, size_t len, struct ferry_image_info *info)
{
    struct ferry_flash_ram rom;
    struct ferry_image_header header;
    struct ferry_content_key content;
    struct ferry_flash_cipher plain;
    struct ferry_verdict verdict;
    uint8_t buf[1024];
    int rc = ferry_flash_rom_init(&rom, image, (uint32_t)len);
    rc = rc == FERRY_OK ? ferry_image_read_header(&rom.flash, &header) : rc;
    rc = rc == FERRY_OK ? ferry_image_content_key(&rom.flash, &header, &secrets, &content) : rc;
    if (rc == FERRY_OK) {
        ferry_flash_cipher_init(&plain, &rom.flash, header.header_size,
                                header.header_size + header.payload_size, &content);
        rc = ferry_image_verify(&plain.flash, trust, buf, sizeof buf, NULL, NULL, info, &verdict);
    }
    return rc == FERRY_OK && !ferry_verdict_is_valid(&verdict) ? FERRY_E_SIGNATURE : rc;
}

/* Returns whether the image is good and everything else is refused. */
static bool check(const struct ferry_image_trust *trust, size_t every, const char *path)
{
    struct ferry_image_info info;
    struct ferry_image_info ignored;
    size_t len = read_file(path, image, sizeof image);
    int rc = verify(trust, len, &info);
    if (rc != FERRY_OK) {
        printf("%s: %s\n", path, ferry_error_text(rc));
        return false;
    }
    size_t refused = 0;
    for (size_t bit = 0; bit < 8 * info.size; bit += every) {
        image[bit / 8] ^= (uint8_t)(1U << bit % 8);
        if (verify(trust, len, &ignored) == FERRY_OK) {
            printf("%s: bit %zu of byte %zu does not count\n", path, bit % 8, bit / 8);
            return false;
        }
        image[bit / 8] ^= (uint8_t)(1U << bit % 8);
        refused++;
    }
    printf("%s: good, %zu of %zu bits refused\n", path, refused, 8 * (size_t)info.size);
    return true;
}

int main(int argc, char **argv)
{
    size_t every = argc > 4 ? strtoul(argv[3], NULL, 10) : 0;
    if (every == 0) {
        fputs("usage: matrix_verify KEY.der SECRET.der|- EVERY IMAGE...\n", stderr);
        return 2;
    }
    if (strcmp(argv[2], "-") != 0) {
        secret.len = read_file(argv[2], secret_bytes, sizeof secret_bytes);
    }
    const struct ferry_image_key key = {key_bytes, read_file(argv[1], key_bytes, sizeof key_bytes)};
    const struct ferry_image_trust trust = {.keys = &key,
                                            .key_count = 1,
                                            .verifiers = verifiers,
                                            .verifier_count =
                                                sizeof verifiers / sizeof verifiers[0],
                                            .digests = digests,
                                            .digest_count = sizeof digests / sizeof digests[0]};
    bool good = true;
    for (int i = 4; i < argc; i++) {
        good = check(&trust, every, argv[i]) && good;
    }
    return good ? 0 : 1;
}
