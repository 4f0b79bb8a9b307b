/* SPDX-License-Identifier: Apache-2.0 */
/* A file of pre-shared keys: lines IDENTITY:HEX. Empty lines and those with # in front say nothing.
 */
#ifndef DEVICE_PSK_FILE_H
#define DEVICE_PSK_FILE_H

#include "port/dtls-openssl/dtls.h"

#define PSK_FILE_KEYS 16
#define PSK_FILE_MAX  8192 /* bytes of the file */

/* list points into text; wipe it as soon as it was used. */
struct psk_file {
    struct ferry_dtls_psk list[PSK_FILE_KEYS];
    size_t count;
    char text[PSK_FILE_MAX + 1];
    uint8_t keys[PSK_FILE_KEYS][FERRY_DTLS_PSK_MOST];
};

/* Read a file. why: room for cap characters; names the line, never what is in it.
 * Returns FERRY_OK; FERRY_E_NOT_FOUND for a file that cannot be read, or that others may read;
 * FERRY_E_FORMAT. */
FERRY_MUST_CHECK
int psk_file_read(struct psk_file *file, const char *path, char *why, size_t cap);

void psk_file_wipe(struct psk_file *file);

#endif
