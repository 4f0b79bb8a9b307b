/* SPDX-License-Identifier: Apache-2.0 */
/* The first words with a device: which SMP version it speaks, how large its buffers are and how
 * many it has. Asks os/6 with version 2, then with version 1 (servers older than version 2 drop
 * what they do not know in silence), then a small echo with both (some do not answer os/6).
 * [smp.md §1.2, §5.1, §5.4]
 * Over Bluetooth LE (ferry_client_set_fragment()) a device that says how large its buffers are is
 * sent one echo of two fragments: one that answers it puts packets together. All others get
 * packets of one fragment. [smp.md §2.4] */
#ifndef FERRY_HELLO_H
#define FERRY_HELLO_H

#include "ferry/commands.h"

/* Read packet_max, window and version once run() said FERRY_OK; the rest is private. */
struct ferry_hello {
    struct ferry_client *client;
    enum ferry_client_link link;
    int32_t ticket;             /* 0: nothing in flight */
    int error;                  /* FERRY_E_BUSY until the end */
    bool has_params;            /* false: the device answered, but not to os/6 */
    struct ferry_params params; /* zeros when it did not say */
    size_t packet_max;          /* largest packet that the device takes */
    bool reassembles;           /* it put two fragments together */
    uint32_t window;            /* requests it may have in flight: buffers - 1, at least 1;
                                   1 on FERRY_LINK_RAW */
    uint8_t version;
    uint8_t step; /* which question it is at */
};

/* Begin. The client must outlive it. */
void ferry_hello_start(struct ferry_hello *hello, struct ferry_client *client,
                       enum ferry_client_link link);

/* Submit what is due. Call it first, and after each answer.
 * Returns FERRY_OK when done: the client's version and largest packet are set;
 * FERRY_E_BUSY while it waits for an answer; FERRY_E_TIMEOUT when nothing was answered;
 * FERRY_E_VERSION when the device refuses both; FERRY_E_FRAGMENT when it answers, but takes packets
 * below FERRY_CLIENT_PACKET_LEAST only: what is larger than one fragment does not reach it. */
FERRY_MUST_CHECK
int ferry_hello_run(struct ferry_hello *hello);

/* Take an answer. Returns whether it was this flow's. */
bool ferry_hello_answer(struct ferry_hello *hello, const struct ferry_client_answer *answer);

#endif
