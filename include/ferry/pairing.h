/* SPDX-License-Identifier: Apache-2.0 */
/* The questions that come up when a device of Bluetooth LE and a computer pair. */
#ifndef FERRY_PAIRING_H
#define FERRY_PAIRING_H

#include <stdbool.h>
#include <stdint.h>

enum ferry_pairing {
    FERRY_PAIRING_ENTER,   /* passkey: to be filled with what the device shows, 0 to 999999 */
    FERRY_PAIRING_COMPARE, /* passkey: does the device show the same? */
    FERRY_PAIRING_SHOW     /* passkey: to be typed in at the device */
};

/* Answer a question. Called while a wire is opened, or, when the device asks late, in
 * ferry_connection_step() and _work(); it may take its time, but BlueZ gives up after a minute.
 * Returns true with the answer, or for yes; false for no, or when there is nobody to ask. */
typedef bool ferry_pairing_answer(void *context, enum ferry_pairing question, uint32_t *passkey);

#endif
