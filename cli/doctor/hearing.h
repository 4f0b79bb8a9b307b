/* SPDX-License-Identifier: Apache-2.0 */
/* What bytes off a serial line are, without knowing its framing or rate. */
#ifndef CLI_DOCTOR_HEARING_H
#define CLI_DOCTOR_HEARING_H

#include "ferry/bytes.h"

enum hearing {
    HEARING_NOTHING,
    HEARING_FRAMES,  /* a frame of the console's with a good CRC is among them */
    HEARING_PACKETS, /* they begin with a bare packet, whole */
    HEARING_TEXT,
    HEARING_NOISE /* anything else: another rate, or another protocol */
};

enum hearing hearing_of(struct ferry_bytes heard);

/* How well they fit what a device sends, 0 to 100: so that rates can be compared. Few bytes that
 * are text by chance do not count much. */
unsigned hearing_score(struct ferry_bytes heard);

/* The last line of text among them, made printable; "" without one. */
void hearing_last_line(struct ferry_bytes heard, char *out, size_t cap);

#endif
