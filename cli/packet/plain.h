/* SPDX-License-Identifier: Apache-2.0 */
/* A device's text for a terminal or a file: its colours, where they are wanted, and nothing else
 * that moves the cursor or makes the terminal do things. */
#ifndef CLI_PACKET_PLAIN_H
#define CLI_PACKET_PLAIN_H

#include "ferry/bytes.h"

#include <stdio.h>

/* Do not rely on the contents; all zero but out and colour at the beginning. */
struct plain {
    FILE *out;
    bool colour;      /* ESC [ … m passes; else it is left out */
    uint8_t state;    /* inside an escape sequence, or a character */
    uint8_t need;     /* bytes of the UTF-8 character that is begun */
    uint8_t held_len; /* of it, or of an escape sequence that may be a colour */
    char held[16];
};

/* Whether out is a terminal decides about colours. */
struct plain plain_for(FILE *out);

/* Line feed, tab and all printable UTF-8 pass; CR is left out; other control characters, and bytes
 * that are no UTF-8, become '.', and other escape sequences are left out. A character may be split
 * over calls. */
void plain_write(struct plain *plain, struct ferry_bytes text);

/* The same into memory, without colours. Returns text that the caller frees; NULL without memory.
 */
char *plain_text(struct ferry_bytes text);

#endif
