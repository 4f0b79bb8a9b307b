/* SPDX-License-Identifier: Apache-2.0 */
/* The form of fuzz_server's inputs: four bytes of choices (struct server_choice), then steps.
 *
 * A step begins with its tag. Below 0xc0 it is a packet: transport (bits 0, 1), room for the answer
 * (bits 2, 3: as the buffers, 64, 14, 7), peer (bits 4, 5), bytes (u16, little endian) and the
 * bytes; else it is something that happens beside, enum server_beside in bits 0 to 2, and one byte
 * with how. */
#ifndef FUZZ_SERVER_INPUT_H
#define FUZZ_SERVER_INPUT_H

#include "ferry/bytes.h"

#define SERVER_CHOICES 4
#define SERVER_STEPS   32 /* of one input, at most */

enum server_beside {
    BESIDE_TIME,   /* passes: 1 << (how % 20) ms */
    BESIDE_FAULT,  /* the flash fails at operation how + 1 from here on */
    BESIDE_CUT,    /* the power fails */
    BESIDE_RESET,  /* a reset; power is back */
    BESIDE_BUTTON, /* held down, or let go */
    BESIDE_IDLE,   /* the main loop has nothing to do */
    BESIDE_UNLOCK, /* somebody who may unlocks peer how / 64 of transport how % 4 */
    BESIDE_LOCK    /* … locks it */
};

struct server_step {
    bool packet;
    uint8_t tag;
    uint8_t how;              /* of what happens beside */
    struct ferry_bytes bytes; /* of a packet */
};

/* Take the next step off the front. Returns false at the end. */
static inline bool server_step_read(struct ferry_bytes *rest, struct server_step *step)
{
    size_t head = 2;

    if (rest->len < 2) {
        return false;
    }
    step->tag = rest->data[0];
    step->packet = step->tag < 0xc0;
    step->how = rest->data[1];
    step->bytes = (struct ferry_bytes){rest->data + 2, 0};
    if (step->packet) {
        if (rest->len < 3) {
            return false;
        }
        head = 3;
        step->bytes.data = rest->data + 3;
        step->bytes.len = ferry_load_le16(rest->data + 1);
        if (step->bytes.len > rest->len - 3) {
            step->bytes.len = rest->len - 3;
        }
    }
    rest->data += head + step->bytes.len;
    rest->len -= head + step->bytes.len;
    return true;
}

#endif
