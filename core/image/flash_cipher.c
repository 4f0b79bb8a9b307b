/* SPDX-License-Identifier: Apache-2.0 */
/* Flash whose payload is stored encrypted. [mcuboot-format.md §2.5] */
#include "ferry/encrypted.h"

#include <string.h>

/* A chunk is whole write units, whatever their size. */
_Static_assert(FERRY_CIPHER_CHUNK % FERRY_FLASH_WRITE_MAX == 0, "pieces of programs stay aligned");

/* Encrypt or decrypt len bytes that stand at `at` in the payload: any place, any length. */
static void crypt_payload(const struct ferry_aes_ctr *aes, uint32_t at, uint8_t *data, size_t len)
{
    size_t skip = at % FERRY_AES_BLOCK_SIZE;
    uint32_t block = at / FERRY_AES_BLOCK_SIZE;

    if (skip != 0) {
        uint8_t whole[FERRY_AES_BLOCK_SIZE] = {0};
        size_t part = ferry_min32((uint32_t)len, (uint32_t)(sizeof whole - skip));

        memcpy(whole + skip, data, part);
        ferry_crypto_aes_ctr(aes, block, whole, sizeof whole);
        memcpy(data, whole + skip, part);
        ferry_wipe(whole, sizeof whole); /* what is left of it is key stream */
        data += part;
        len -= part;
        block++;
    }
    if (len > 0) {
        ferry_crypto_aes_ctr(aes, block, data, len);
    }
}

/* Encrypt or decrypt the part of [offset, offset + len) that lies in [begin, end). */
static void crypt_range(const struct ferry_flash_cipher *cipher, uint32_t offset, uint8_t *data,
                        size_t len)
{
    uint32_t from = ferry_max32(offset, cipher->begin);
    uint32_t to = ferry_min32(offset + (uint32_t)len, cipher->end);

    if (from < to) {
        crypt_payload(&cipher->aes, from - cipher->begin, data + (from - offset), to - from);
    }
}

static int cipher_read(const struct ferry_flash *flash, uint32_t offset, uint8_t *data, size_t len)
{
    const struct ferry_flash_cipher *cipher = flash->context;
    int rc = cipher->inner->ops->read(cipher->inner, offset, data, len);

    if (rc == FERRY_OK) {
        crypt_range(cipher, offset, data, len);
    }
    return rc;
}

static int cipher_program(const struct ferry_flash *flash, uint32_t offset, const uint8_t *data,
                          size_t len)
{
    const struct ferry_flash_cipher *cipher = flash->context;
    uint8_t chunk[FERRY_CIPHER_CHUNK];

    for (size_t done = 0; done < len;) {
        size_t part = len - done < sizeof chunk ? len - done : sizeof chunk;
        uint32_t at = offset + (uint32_t)done;

        memcpy(chunk, data + done, part);
        crypt_range(cipher, at, chunk, part);

        int rc = cipher->inner->ops->program(cipher->inner, at, chunk, part);

        if (rc != FERRY_OK) {
            return rc;
        }
        done += part;
    }
    return FERRY_OK;
}

static int cipher_erase(const struct ferry_flash *flash, uint32_t offset, size_t len)
{
    const struct ferry_flash_cipher *cipher = flash->context;

    return cipher->inner->ops->erase(cipher->inner, offset, len);
}

static const struct ferry_flash_ops cipher_ops = {
    .read = cipher_read, .program = cipher_program, .erase = cipher_erase};

void ferry_flash_cipher_init(struct ferry_flash_cipher *cipher, const struct ferry_flash *inner,
                             uint32_t begin, uint32_t end, const struct ferry_content_key *key)
{
    bool encrypted = key->len != 0 && begin < end;

    memset(cipher, 0, sizeof *cipher);
    cipher->flash = *inner;
    cipher->flash.ops = &cipher_ops;
    cipher->flash.context = cipher;
    cipher->flash.ciphered = encrypted || inner->ciphered;
    cipher->inner = inner;
    if (encrypted) {
        cipher->begin = begin;
        cipher->end = end;
        ferry_crypto_aes_ctr_init(&cipher->aes, key->bytes, key->len);
    }
}

void ferry_flash_cipher_wipe(struct ferry_flash_cipher *cipher)
{
    /* With no bytes in it no access reaches the ops, nor the flash inside. */
    ferry_wipe(cipher, sizeof *cipher);
}
