/* SPDX-License-Identifier: Apache-2.0 */
/* How large a packet a device takes that does not tell its buffers (no os/6): echoes of growing
 * size, until one is not answered. For uploads only, where it pays. [smp.md §5.1]
 *
 * What is too large is dropped in silence by every server, so silence is the only sign; any answer,
 * a refusal too, says that the packet arrived. What the device is trusted with anyhow is not
 * questioned: the result is never smaller. ferry/upload.h runs this by itself where it is told to;
 * for file transfers call it beforehand. */
#ifndef FERRY_PROBE_H
#define FERRY_PROBE_H

#include "ferry/client.h"

/* Read packet_max once run() said FERRY_OK; the rest is private. */
struct ferry_probe {
    struct ferry_client *client;
    enum ferry_client_link link;
    int32_t ticket;  /* 0: nothing in flight */
    uint32_t buffer; /* what is tried: bytes of the device's buffer */
    uint32_t known;  /* the largest that was answered; 0 = none */
    uint8_t stage;
    size_t packet_max; /* the largest packet to send */
};

/* Begin. The client must outlive it; nothing else should be in flight. */
void ferry_probe_start(struct ferry_probe *probe, struct ferry_client *client,
                       enum ferry_client_link link);

/* Submit what is due. Call it first, and after each answer.
 * Returns FERRY_OK when done: the client's largest packet is set; FERRY_E_BUSY until then. */
FERRY_MUST_CHECK
int ferry_probe_run(struct ferry_probe *probe);

/* Take an answer. Returns whether it was this flow's. */
bool ferry_probe_answer(struct ferry_probe *probe, const struct ferry_client_answer *answer);

/* Stop before the end: nothing stays in flight, and the client's largest packet is what it was. */
void ferry_probe_cancel(struct ferry_probe *probe);

#endif
