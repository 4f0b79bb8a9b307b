/* SPDX-License-Identifier: Apache-2.0 */
/* An image file in memory, as the offline commands and the pre-flight of an update see it. */
#ifndef CLI_IMAGE_IMAGE_FILE_H
#define CLI_IMAGE_IMAGE_FILE_H

#include "encrypt.h"
#include "firmware_file.h"
#include "cli/key/key.h"

/* How the payload is stored, as far as it is known. */
enum image_payload {
    IMAGE_PLAIN, /* the header has no ENC flag */
    IMAGE_CLEAR, /* flagged, with a wrapped key, but in the clear: the digest is good as it is */
    IMAGE_DECRYPTED, /* encrypted, and the digest is good with the key that was given */
    IMAGE_ENCRYPTED  /* flagged, and not looked into (yet) */
};

struct image_file {
    struct cli_buffer bytes;
    struct ferry_flash_ram rom; /* the bytes from the image on, as a flash area */
    struct ferry_image_info info;
    uint32_t offset; /* of the image in the file: 0 but in the dump of a slot */
    enum image_payload payload;
    uint16_t enc_tlv;                 /* the first ENC TLV; 0 = none */
    struct ferry_flash_cipher cipher; /* rom, decrypted; once a key was given */
};

/* Read a file and its image header, size and digest TLV. A damaged one is refused with its cause.
 * file may not be moved afterwards. After a message returns an enum cli_exit. */
FERRY_MUST_CHECK
int image_file_read(const struct cli *cli, const char *path, struct image_file *file);

/* The same, with what is taken of the file: firmware_image, with a range perhaps. */
FERRY_MUST_CHECK
int image_file_read_part(const struct cli *cli, const char *path,
                         const struct firmware_options *part, struct image_file *file);

/* The same of bytes that are in memory: file owns them then, also when they are refused. Says
 * nothing. Returns FERRY_OK or an error of ferry_image_inspect(). */
FERRY_MUST_CHECK
int image_file_take(struct cli_buffer *bytes, struct image_file *file);

/* Read a file or the dump of a slot, whose image may begin one sector up, whatever is in it: only a
 * file that cannot be read is refused.
 *
 * part    what is taken of the file, as above
 * sector  bytes a sector has; 0 = not known: the powers of two from 256 bytes to 256 KiB are tried
 * error   what is wrong with header, sizes and TLVs, or FERRY_OK; file->info is then filled as far
 * as it was read; for FERRY_E_MAGIC there is no header
 *
 * file may not be moved afterwards. After a message returns an enum cli_exit. */
FERRY_MUST_CHECK
int image_file_look(const struct cli *cli, const char *path, const struct firmware_options *part,
                    uint32_t sector, struct image_file *file, int *error);

/* Let a key open an encrypted image, for verifications from now on. Does nothing for another.
 * After a message returns an enum cli_exit. */
FERRY_MUST_CHECK
int image_file_decrypt(const struct cli *cli, const char *key_path, struct image_file *file);

/* Verify digest and, with a key, signature: of what the file holds and, where that is encrypted
 * and was given a key, of the plaintext. Sets file->payload.
 * Returns FERRY_OK; FERRY_E_SECRET for ciphertext without a key; or why not (ferry_image_verify()).
 */
FERRY_MUST_CHECK
int image_file_verify(struct image_file *file, const struct key *key);

/* Verify an image that is plaintext: digest and, with a key, signature. A compressed one is
 * verified as it is stored. Returns FERRY_OK, or why not (ferry_image_verify()). */
FERRY_MUST_CHECK
int image_file_verify_flash(const struct ferry_flash *image, const struct key *key);

/* Whether a key signed the digest that the image states: what can be said of one that is encrypted.
 * Returns FERRY_OK; FERRY_E_SIGNATURE when no signature is of this key and that digest; or
 * FERRY_E_UNSUPPORTED for a signature of the image itself, of which the plaintext is needed. */
FERRY_MUST_CHECK
int image_file_stated(const struct image_file *file, const struct key *key);

/* "AES-128, ecies-x25519". */
#define IMAGE_FILE_SCHEME_MAX 64
void image_file_scheme(const struct image_file *file, char text[IMAGE_FILE_SCHEME_MAX]);

/* "plain", "clear", "decrypted" or "encrypted": of file->payload. */
const char *image_file_payload_name(const struct image_file *file);

/* SHA-256 of the whole file: what an upload is known by. */
void image_file_sha256(const struct image_file *file, uint8_t digest[FERRY_SHA256_SIZE]);

void image_file_free(struct image_file *file);

#endif
