/* SPDX-License-Identifier: Apache-2.0 */
/* Key files in: whatever OpenSSL, imgtool and Ferry write, told apart by content. */
#ifndef CLI_KEY_KEY_READ_H
#define CLI_KEY_KEY_READ_H

#include "cli/cli.h"

#include <openssl/evp.h>

/* What was in a key file. */
struct key_file {
    EVP_PKEY *pkey;  /* NULL: the file has no key */
    bool is_private; /* both halves */
    bool encrypted;  /* it has a password */
    bool is_pem;     /* text with a PEM block, or DER */
};

/* Find the key in a file's bytes, a private one first: PKCS#8 (encrypted or not), SEC1 and PKCS#1
 * private keys, SubjectPublicKeyInfo, PKCS#1 public keys; each as PEM, old encrypted PEM among it,
 * or as DER. A password is asked for by password_get() when one is needed. An EC key comes in
 * normal form, so that its DER is the same however the file had it: named curve, point
 * uncompressed, public half included.
 *
 * path  for messages. The bytes stay the caller's.
 *
 * The caller frees key->pkey. Returns CLI_OK, also for a file without a key: only the caller knows
 * what else it may be. After a message CLI_FAILED for a wrong password, or for an
 * EC key whose halves do not belong together; or what password_get() says. key->pkey is NULL then.
 */
FERRY_MUST_CHECK
int key_decode(const struct cli *cli, const char *path, const struct cli_buffer *file,
               struct key_file *key);

/* cli_read_file() and key_decode(); the file's bytes are wiped. A file without a key is an error
 * here: CLI_FAILED after a message. */
FERRY_MUST_CHECK
int key_read(const struct cli *cli, const char *path, struct key_file *key);

/* Say that there is no key in a file. what: "key", "encryption key". Returns CLI_FAILED. */
int key_missing(const struct cli *cli, const char *path, const struct key_file *key,
                const char *what, const char *next);

#endif
