/* SPDX-License-Identifier: Apache-2.0 */
/* SMP on all wires of the chip but the radio, which is the application's: packets that come in wait
 * in one queue, answers go out on the wire they are for. */
#ifndef FIRMWARE_COMMON_WIRES_H
#define FIRMWARE_COMMON_WIRES_H

#include "peers.h"
#include "queue.h"

#include "ferry/console.h"
#include "ferry/raw.h"
#include "ferry/server.h"
#include "port/vchip/vchip.h"

/* What became of packets on one wire, since the start. */
struct wires_counters {
    uint32_t bytes_in;
    uint32_t bytes_out; /* of answers */
    uint32_t received;  /* whole ones */
    uint32_t dropped;   /* of them: there was no buffer for it, or none so large; or the guard */
    uint32_t damaged;   /* frames and bare packets that the decoders gave up; values refused */
    uint32_t answered;  /* answers sent */
};

/* A frame on the console that is not finished is given up after so long a silence, where the
 * console is a shell too: MCUMGR_TRANSPORT_SHELL_INPUT_TIMEOUT_TIME of Zephyr. */
#define WIRES_SHELL_TIMEOUT_MS 3000

/* A console that is a shell too. */
struct wires_shell {
    /* Take what was typed. Runs as an interrupt does. */
    void (*typed)(void *context, struct ferry_bytes text);
    /* An answer is about to go out on the console. */
    void (*before_answer)(void *context);
    void *context;
};

/* Who looks at a datagram of UDP before it takes a buffer. */
struct wires_guard {
    /* Whether it is to be kept. Runs as an interrupt does. */
    bool (*admits)(void *context, uint32_t peer);
    void *context;
};

/* queue and peers may be used, counters read, shell and guard set; do not rely on the rest. */
struct wires {
    struct vchip *chip;
    struct wires_shell shell; /* typed NULL: text on the console is nobody's */
    struct wires_guard guard; /* admits NULL: all datagrams are kept */
    uint64_t console_ms;      /* when the console was last heard; with a shell only */
    struct queue queue;
    struct peers peers;
    char asker[FERRY_VCHIP_IDENTITY]; /* who sent the request that is worked on */
    struct wires_counters counters[FERRY_VCHIP_WIRES];
    struct ferry_console_decoder console;
    struct ferry_raw_decoder raw;
    uint8_t frame[FERRY_VCHIP_SEND_MAX];
    uint8_t bare[FERRY_VCHIP_SEND_MAX];
};

/* Make room for as many packets as the chip's parameters say. Once the chip is open; nothing is
 * received before the first vchip_wait() or flash operation. */
void wires_init(struct wires *wires, struct vchip *chip);

/* The receiver for vchip_open(), with the struct wires * as context. Runs as an interrupt does: it
 * only puts bytes together and stores packets. */
void wires_receive(void *context, uint32_t wire, uint32_t peer, const uint8_t *data, size_t len);

/* Put a packet that came over a wire into the queue, and count it. No peer of DTLS, the radio or,
 * with a guard, UDP gets the last buffer, unless there is but one. */
void wires_take(struct wires *wires, uint32_t wire, uint32_t peer, struct ferry_bytes packet);

/* What wires_init() has the chip tell of peers, with the struct wires * as context. */
extern const struct vchip_watcher wires_watcher;

/* Who sent a request, for ferry_server_handle_from(): as much as is known now; valid until the next
 * call. Of UDP it is the host, whatever port it asks from. Returns false when whoever it was has
 * gone: then nothing is to be done for it. */
bool wires_asker(struct wires *wires, const struct queue_packet *request,
                 struct ferry_server_peer *asker);

/* Send an answer of len bytes to where a request came from. */
void wires_answer(struct wires *wires, const struct queue_packet *request, const uint8_t *answer,
                  size_t len);

#endif
