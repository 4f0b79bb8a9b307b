/* SPDX-License-Identifier: Apache-2.0 */
/* Where a primitive that cannot fail fails. */
#ifndef FERRY_OPENSSL_DIE_H
#define FERRY_OPENSSL_DIE_H

/* AES, HMAC and HKDF have no way to say that they failed, and OpenSSL's fail only without memory
 * or without its own library: to go on would mean to take garbage for a key. Says what does not
 * work, and aborts. */
void ferry_openssl_die(const char *what);

#endif
