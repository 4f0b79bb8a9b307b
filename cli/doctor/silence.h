/* SPDX-License-Identifier: Apache-2.0 */
/* Why nobody answers: what was seen on a wire, and what that means. Every message of a missing
 * answer takes its words from here, those of `ferry doctor` too. */
#ifndef CLI_DOCTOR_SILENCE_H
#define CLI_DOCTOR_SILENCE_H

#include "ferry/connection.h"

struct silence {
    char broken[120];   /* why nothing could be sent; "" = it could */
    const char *remedy; /* and what to do about it */
    struct ferry_connection_facts facts;
    const char *last_text; /* the last line of console text; "" = none */
    size_t odd_bytes;      /* of the text: what no console prints */
    const char *holders;   /* other programs that have the port open; "" = none, or not known */
    bool answered_before;  /* it did answer, earlier in this conversation */
};

struct silence_words {
    char seen[400];
    const char *why;
    const char *next;
};

/* Take what the connection knows. */
void silence_keep(struct silence *silence, const struct ferry_connection *connection);

/* Put what was seen into words: the surest cause that fits. They may point into silence. */
void silence_explain(const struct silence *silence, struct silence_words *words);

#endif
