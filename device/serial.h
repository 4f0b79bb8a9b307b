/* SPDX-License-Identifier: Apache-2.0 */
/* A serial port of the chip: a pseudo terminal and a link to it, with a line each way. */
#ifndef DEVICE_SERIAL_H
#define DEVICE_SERIAL_H

#include "line.h"

#include "ferry/error.h"

struct serial {
    const char *link; /* NULL: there is no such port */
    int master;       /* -1 when there is none */
    int slave;        /* held open, so that the terminal's settings stay */
    int watch;        /* inotify: who opens and closes the terminal */
    int listeners;
    char path[64];
    struct line rx; /* towards the chip */
    struct line tx; /* away from it */
};

/* Open a terminal and make link point to it. A link left over by an earlier start is replaced.
 *
 * link    NULL: there is to be none
 * option  the option that asked for it, for messages: "--serial"
 * why     room for cap characters: what failed and what to do
 *
 * The lines are the caller's to set up. Returns FERRY_OK or FERRY_E_IO. */
FERRY_MUST_CHECK
int serial_open(struct serial *serial, const char *link, const char *option, char *why, size_t cap);

/* Remove the link and close. */
void serial_close(struct serial *serial);

/* Take bytes that people wrote into the rx line. */
void serial_read(struct serial *serial, uint64_t now);

/* Hand the tx line's arrived bytes to whoever listens; when nobody does they are gone. */
void serial_write(struct serial *serial, uint64_t now);

/* Look who opened and closed the terminal. */
void serial_look(struct serial *serial);

#endif
