/* SPDX-License-Identifier: Apache-2.0 */
/* Fuzz target: wrapped keys of any shape. Byte 0 of the input is the mode. Bit 0 set: the rest is
 * an image, and the higher bits say in which pieces its payload is read. Bit 0 clear: the higher
 * bits name an unwrapper; two bytes, big endian, are the length of a secret, which follows; the
 * rest is a wrapped key.
 *
 * Whatever the bytes are:
 *   1. Nothing is read outside of them (the sanitizers see to it).
 *   2. A content key has the length that the header's flag says, 0 without a flag; where none is
 *      found, nothing but zeroes is left of it.
 *   3. What one device can open, another cannot; nobody opens anything without a secret.
 *   4. Read through a cipher in any pieces, an image is the same; outside of its payload it is what
 *      is stored, and without a key everywhere.
 *   5. What is programmed through a cipher is read back through it, and is stored as it was in the
 *      image that it came from.
 *   6. A cipher that was wiped holds zeroes and gives nothing.
 *   7. An unwrapper that says a secret fits returns a key of 16 or 32 bytes or FERRY_E_SECRET, and
 *      the same each time; one that says it does not never opens anything with it. */
#include "tests/support/test_encrypt.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* Like assert(), in every build type. */
#define CHECK(condition)                                                                           \
    do {                                                                                           \
        if (!(condition)) {                                                                        \
            fprintf(stderr, "%s:%d: %s\n", __FILE__, __LINE__, #condition);                        \
            abort();                                                                               \
        }                                                                                          \
    } while (0)

static bool is_wiped(const struct ferry_content_key *key)
{
    return ferry_all_equal((const uint8_t *)key, sizeof *key, 0);
}

static void check_key(const struct ferry_content_key *key, int rc)
{
    CHECK(rc == FERRY_OK || is_wiped(key));
    CHECK(ferry_all_equal(key->bytes + key->len, sizeof key->bytes - key->len, 0));
}

/* ---- A wrapped key and a secret ------------------------------------------------------------- */

static void check_unwrapper(const struct ferry_image_unwrapper *unwrapper, const uint8_t *data,
                            size_t size)
{
    if (size < 2) {
        return;
    }
    size_t secret_len = ferry_load_be16(data);
    data += 2;
    size -= 2;
    secret_len = secret_len < size ? secret_len : size;
    const struct ferry_image_secret secret = {data, secret_len};
    struct ferry_content_key key;
    struct ferry_content_key again;
    memset(&key, 0xa5, sizeof key);
    memset(&again, 0x5a, sizeof again);
    const uint8_t *wrapped = data + secret_len;
    int rc = unwrapper->unwrap(&secret, wrapped, size - secret_len, &key);
    check_key(&key, rc);
    CHECK(rc == FERRY_E_SECRET || (rc == FERRY_OK && unwrapper->fits(&secret)));
    CHECK(rc != FERRY_OK || key.len == 16 || key.len == 32);
    CHECK(unwrapper->unwrap(&secret, wrapped, size - secret_len, &again) == rc);
    CHECK(memcmp(&key, &again, sizeof key) == 0);
}

/* ---- An image ------------------------------------------------------------------------------- */

/* Read all of flash in pieces of `piece` bytes. */
static void read_all(const struct ferry_flash *flash, uint8_t *out, size_t piece)
{
    for (uint32_t at = 0; at < flash->size; at += (uint32_t)piece) {
        CHECK(ferry_flash_read(flash, at, out + at,
                               ferry_min32((uint32_t)piece, flash->size - at)) == FERRY_OK);
    }
}

static void check_wiped(struct ferry_flash_cipher *cipher)
{
    uint8_t byte;
    ferry_flash_cipher_wipe(cipher);
    CHECK(ferry_all_equal((const uint8_t *)cipher, sizeof *cipher, 0));
    CHECK(ferry_flash_read(&cipher->flash, 0, &byte, 1) == FERRY_E_BOUNDS);
}

/* Program plain through a cipher into memory, and find there what the image is. */
static void check_program(const struct ferry_flash *image, const uint8_t *bytes,
                          const uint8_t *plain, uint32_t begin, uint32_t end,
                          const struct ferry_content_key *key, size_t piece)
{
    struct ferry_flash_ram ram = {.flash = {.size = image->size,
                                            .write_size = 1,
                                            .erased_value = 0xff,
                                            .run_count = 1,
                                            .runs = {{1, image->size}}}};
    struct ferry_flash_cipher cipher;
    uint8_t *memory = malloc(image->size);
    CHECK(memory != NULL);
    memset(memory, 0xff, image->size);
    CHECK(ferry_flash_ram_init(&ram, memory) == FERRY_OK);
    ferry_flash_cipher_init(&cipher, &ram.flash, begin, end, key);
    for (uint32_t at = 0; at < image->size; at += (uint32_t)piece) {
        size_t len = ferry_min32((uint32_t)piece, image->size - at);
        CHECK(ferry_flash_program(&cipher.flash, at, plain + at, len) == FERRY_OK);
    }
    CHECK(memcmp(memory, bytes, image->size) == 0);
    check_wiped(&cipher);
    free(memory);
}

static void check_cipher(const struct ferry_flash *image, const uint8_t *bytes,
                         const struct ferry_image_header *header,
                         const struct ferry_content_key *key, size_t piece)
{
    uint32_t begin = header->header_size;
    uint32_t end = begin + header->payload_size;
    struct ferry_flash_cipher cipher;
    uint8_t *plain = malloc(image->size);
    uint8_t *other = malloc(image->size);
    CHECK(plain != NULL && other != NULL);
    ferry_flash_cipher_init(&cipher, image, begin, end, key);
    read_all(&cipher.flash, plain, image->size);
    read_all(&cipher.flash, other, piece);
    CHECK(memcmp(plain, other, image->size) == 0);
    CHECK(memcmp(plain, bytes, begin) == 0);
    CHECK(memcmp(plain + end, bytes + end, image->size - end) == 0);
    CHECK(key->len != 0 || memcmp(plain, bytes, image->size) == 0);
    check_wiped(&cipher);
    check_program(image, bytes, plain, begin, end, key, piece);
    free(other);
    free(plain);
}

static void check_image(const uint8_t *bytes, size_t size, size_t piece)
{
    static const struct ferry_image_secrets nothing = {.secret_count = 0};
    struct ferry_flash_ram rom;
    struct ferry_image_header header;
    struct ferry_content_key key;
    struct ferry_content_key none;
    CHECK(ferry_flash_rom_init(&rom, bytes, (uint32_t)size) == FERRY_OK);
    if (ferry_image_read_header(&rom.flash, &header) != FERRY_OK) {
        return;
    }
    memset(&key, 0xa5, sizeof key);
    int rc = ferry_image_content_key(&rom.flash, &header, test_secrets(false), &key);
    check_key(&key, rc);
    CHECK(rc != FERRY_OK || key.len == ferry_image_encrypted(&header));
    bool open = ferry_image_encrypted(&header) == 0;
    CHECK(!open || rc == FERRY_OK);
    CHECK(open == (ferry_image_content_key(&rom.flash, &header, &nothing, &none) == FERRY_OK));
    CHECK(is_wiped(&none));
    CHECK(open || rc != FERRY_OK ||
          ferry_image_content_key(&rom.flash, &header, test_secrets(true), &none) != FERRY_OK);
    CHECK(is_wiped(&none));
    check_cipher(&rom.flash, bytes, &header, &key, piece);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (size < 2 || size > 0x4000) {
        return 0;
    }
    /* Of exactly the size, so that the sanitizer sees the first byte behind it. */
    uint8_t *bytes = malloc(size - 1);
    CHECK(bytes != NULL);
    memcpy(bytes, data + 1, size - 1);
    if ((data[0] & 1) != 0) {
        check_image(bytes, size - 1, data[0] / 2U + 1U);
    } else {
        const struct ferry_image_secrets *all = test_secrets(false);
        check_unwrapper(all->unwrappers[data[0] / 2U % all->unwrapper_count], bytes, size - 1);
    }
    free(bytes);
    return 0;
}
