/* SPDX-License-Identifier: Apache-2.0 */
/* Bytes off a serial port, without a protocol. */
#ifndef CLI_DOCTOR_LISTEN_H
#define CLI_DOCTOR_LISTEN_H

#include "doctor.h"

#define LISTEN_BYTES 4096

struct listened {
    uint8_t bytes[LISTEN_BYTES];
    size_t len;
    bool gone; /* the port broke */
};

/* Collect what comes for so long, behind what is there already. */
void listen_to(struct ferry_transport *transport, uint32_t ms, struct listened *heard);

#endif
