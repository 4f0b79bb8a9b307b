/* SPDX-License-Identifier: Apache-2.0 */
/* The configuration of Mbed TLS 2.28 in the chips' crypto port: only what BearSSL has not. No
 * heap: what the library allocates is in the arena of arena.h. No assembler, so that every channel
 * it comes from compiles to the same. */
#ifndef FERRY_MBEDTLS_CONFIG_H
#define FERRY_MBEDTLS_CONFIG_H

#include <stddef.h>

/* RSA with the paddings of PKCS #1 v2.1. */
#define MBEDTLS_RSA_C
#define MBEDTLS_PKCS1_V21
#define MBEDTLS_BIGNUM_C
#define MBEDTLS_OID_C
#define MBEDTLS_ASN1_PARSE_C
#define MBEDTLS_MD_C
#define MBEDTLS_SHA256_C
#define MBEDTLS_SHA256_SMALLER

/* AES key wrap. */
#define MBEDTLS_NIST_KW_C
#define MBEDTLS_CIPHER_C
#define MBEDTLS_AES_C
#define MBEDTLS_AES_ROM_TABLES
#define MBEDTLS_AES_FEWER_TABLES

#define MBEDTLS_MPI_WINDOW_SIZE 1   /* the least memory; a short exponent gains nothing by more */
#define MBEDTLS_MPI_MAX_SIZE    384 /* bytes of the largest number: RSA-3072 */

#define MBEDTLS_PLATFORM_C
#define MBEDTLS_PLATFORM_MEMORY
#define MBEDTLS_PLATFORM_NO_STD_FUNCTIONS
#define MBEDTLS_PLATFORM_CALLOC_MACRO ferry_arena_calloc
#define MBEDTLS_PLATFORM_FREE_MACRO   ferry_arena_free

void *ferry_arena_calloc(size_t count, size_t size);
void ferry_arena_free(void *memory);

#endif
