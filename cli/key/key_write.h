/* SPDX-License-Identifier: Apache-2.0 */
/* Keys out: files of both halves, and the forms that bootloaders take. */
#ifndef CLI_KEY_KEY_WRITE_H
#define CLI_KEY_KEY_WRITE_H

#include "key.h"
#include "password.h"

/* All of these fill buffer, to be freed by the caller, who wipes it before when it has a private
 * half. They return CLI_OK, or CLI_FAILED after a message. */

/* The private key as PKCS#8, PEM or DER. password: encrypt it with AES-256 under a key that PBKDF2
 * makes of that; NULL: in the clear. */
FERRY_MUST_CHECK
int key_write_private(const struct cli *cli, const struct key *key, const struct password *password,
                      bool pem, struct cli_buffer *buffer);

/* The public half as SubjectPublicKeyInfo, PEM or DER. */
FERRY_MUST_CHECK
int key_write_public(const struct cli *cli, const struct key *key, bool pem,
                     struct cli_buffer *buffer);

/* The DER form of a private key that a bootloader has in it to decrypt images with. */
enum key_bare {
    KEY_BARE_DEFAULT, /* as imgtool: RSA in OpenSSL's form, all others in PKCS#8 */
    KEY_BARE_OPENSSL, /* RSAPrivateKey of PKCS #1, ECPrivateKey of SEC 1; others have none */
    KEY_BARE_PKCS8
};

/* That form. minimal: without what can be computed, the public half of an EC key and the CRT
 * numbers of an RSA key. A form that a type does not have is CLI_USAGE after a message. */
FERRY_MUST_CHECK
int key_write_bare(const struct cli *cli, const struct key *key, enum key_bare form, bool minimal,
                   struct cli_buffer *buffer);

#endif
