/* SPDX-License-Identifier: Apache-2.0 */
/* What lies in a device's folder: its layout and its flash; and how a new one is made. */
#ifndef DEVICE_BOARD_H
#define DEVICE_BOARD_H

#include "layout/layout.h"
#include "options.h"

#include "port/posix/nor_file.h"

#define BOARD_WHY_MAX 1024

/* What is burnt into the chip when it is made: a file of these bytes, "fuses". */
struct board_fuses {
    uint8_t chip_id[8];     /* random */
    uint8_t unlock_key[32]; /* Ed25519; all 0 = none */
};

struct board {
    struct layout layout;
    struct ferry_nor_file nor[FERRY_VCHIP_DEVICES]; /* layout.device_count are open */
    int lock;                                       /* the folder is this process's */
    int files;                                      /* the file system's folder; -1: it has none */
    struct board_fuses fuses;
    bool made; /* this start made the device */
};

/* Open the device in options->dir, or make it; then do what --reflash asks for.
 *
 * board  may not be moved afterwards
 * why    on an error: what failed, why, what to do
 *
 * A device is made whole or not at all. Returns FERRY_OK or any error. */
FERRY_MUST_CHECK
int board_open(struct board *board, const struct options *options, char why[BOARD_WHY_MAX]);
void board_close(struct board *board);

/* Read a public key, or the public half of a private one, from PEM or DER.
 *
 * der  room for FERRY_VCHIP_KEY_MAX bytes, filled as in struct ferry_image_key
 *
 * Returns its length; FERRY_E_IO when the file cannot be read; FERRY_E_FORMAT when it is no key;
 * FERRY_E_UNSUPPORTED when no signature is verified with such keys. */
FERRY_MUST_CHECK
int key_read(const char *path, uint8_t *der);

/* Read what images are decrypted with: a private key from PEM or DER, or a file of the 16 or 32
 * bytes of a key encryption key.
 *
 * bytes  room for FERRY_VCHIP_SECRET_MAX: PKCS#8 DER, or the raw key. Wipe them
 *
 * Returns their length; FERRY_E_IO when the file cannot be read; FERRY_E_FORMAT when it is no
 * private key; FERRY_E_UNSUPPORTED when it is neither RSA-2048, P-256 nor X25519. */
FERRY_MUST_CHECK
int secret_read(const char *path, uint8_t *bytes);

#endif
