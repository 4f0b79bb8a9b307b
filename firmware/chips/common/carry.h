/* SPDX-License-Identifier: Apache-2.0 */
/* Carrying an image to another chip: the client's whole update with proof, of an image that lies in
 * flash here, over a wire whose other end serves SMP on its console. Bytes in, bytes out, by the
 * caller's clock: the caller's main loop serves whatever else it has between two turns.
 *
 *   carry_init(&carry, &link);
 *   carry_start(&carry, &chip_secondary, chip_now_ms());
 *   for (;;) {
 *       chip_wait(carry_due(&carry));
 *       carry_turn(&carry, chip_now_ms());
 *       look at carry.report
 *   } */
#ifndef FIRMWARE_CHIPS_COMMON_CARRY_H
#define FIRMWARE_CHIPS_COMMON_CARRY_H

#include "ferry/console.h"
#include "ferry/update.h"

/* The largest packet sent and received, bytes. The other chip's buffers may be smaller: it says. */
#define CARRY_PACKET 1024

/* One request, and one more: what an upload asks while its first chunk is not answered. */
#define CARRY_REQUESTS 2

/* The wire to the other chip. What else comes on it than frames is passed over: its text. */
struct carry_link {
    /* Take at most cap bytes that have come in. Returns how many; does not wait. */
    size_t (*read)(void *context, uint8_t *data, size_t cap);
    void (*write)(void *context, const uint8_t *data, size_t len);
    /* While the image here is read: feed the watchdog. May be NULL. */
    void (*feed)(void *context);
    void *context;             /* for all of them */
    uint32_t bytes_per_second; /* of the wire (115200 8N1: 11520) */
};

enum carry_state { CARRY_IDLE, CARRY_BUSY, CARRY_DONE, CARRY_FAILED };

/* What a carry has come to. Texts are constant, and may be "". */
struct carry_report {
    enum carry_state state;
    enum ferry_update_step step;  /* the present one; the last of DONE; of FAILED where it failed */
    uint32_t acked;               /* bytes that the other chip has of the image */
    uint32_t total;               /* bytes of the image */
    struct ferry_version version; /* of the image */
    bool started; /* the image was good: FAILED is the other chip's, or the wire's */
    bool already; /* DONE, and nothing had to be done */
    int error;    /* of FAILED, as in struct ferry_update_event */
    struct ferry_smp_status status;
    const char *text;   /* of BUSY the step, or what was warned of; of FAILED what, and why */
    const char *remedy; /* what to do next */
    struct ferry_image_state proof; /* of DONE: what the other chip listed last of the image */
};

/* Do not rely on the contents, but for report, which is to be read. */
struct carry {
    struct carry_report report;
    struct carry_link link;
    const struct ferry_flash *image;
    struct ferry_image_info info;
    uint8_t sha[FERRY_SHA256_SIZE]; /* of the whole file */
    struct ferry_client client;
    struct ferry_client_request requests[CARRY_REQUESTS];
    uint8_t packets[CARRY_REQUESTS * CARRY_PACKET];
    struct ferry_console_encoder encoder;
    bool sending; /* the encoder has lines left; its packet is the client's, who is left alone */
    struct ferry_console_decoder decoder;
    uint8_t received[CARRY_PACKET];
    struct ferry_update update;
    uint64_t due;
};

/* IDLE, on a wire. link is copied. */
void carry_init(struct carry *carry, const struct carry_link *link);

/* Begin: look at the image, whose header is at the beginning of the area, and whose digest must be
 * right; then the update. It may be begun again after an end, or in the middle: what the other chip
 * has of this image already is not sent again. image must not change until the end.
 * The report is BUSY then; or FAILED with FERRY_E_DIGEST, another error of ferry_image_inspect() or
 * of the flash, or FERRY_E_UNSUPPORTED for a digest that is no SHA-256. */
void carry_start(struct carry *carry, const struct ferry_flash *image, uint64_t now);

/* Give up, if it is BUSY: FAILED with FERRY_E_CANCELLED. */
void carry_stop(struct carry *carry, uint64_t now);

/* Do what is due: send a line of a packet, or take what has come in and act on it. Does not wait,
 * but for the wire to take a line. When it is not BUSY what has come in is thrown away. */
void carry_turn(struct carry *carry, uint64_t now);

/* Until when nothing is to be done unless something comes in; FERRY_CLIENT_NEVER when not BUSY. */
uint64_t carry_due(const struct carry *carry);

/* "idle", "busy", "done", "failed". */
const char *carry_state_name(enum carry_state state);

#endif
