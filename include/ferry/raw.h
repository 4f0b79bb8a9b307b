/* SPDX-License-Identifier: Apache-2.0 */
/* Bare SMP packets on a serial line: no marker, no checksum, the length from the header.
 * Sending is nothing but the packet's bytes.  [smp.md §2.2]
 *
 * What is changed on the way is not noticed unless it makes the header impossible, and a packet of
 * which a byte was lost takes the missing ones from the next. Silence is the only way to find the
 * beginning of a packet again, so whoever sends again waits for it: longer than the receiver's
 * timeout. On a line that is not sure, use ferry/console.h. */
#ifndef FERRY_RAW_H
#define FERRY_RAW_H

#include "ferry/bytes.h"
#include "ferry/error.h"

/* Silence after which a packet that was begun is given up, Zephyr's default. */
#define FERRY_RAW_TIMEOUT_MS 3000

/* Silence after which a packet may begin again behind noise, or behind one that was too large; the
 * timeout where that is shorter. */
#define FERRY_RAW_QUIET_MS 200

/* No deadline: nothing is given up by time alone. */
#define FERRY_RAW_NEVER UINT64_MAX

enum ferry_raw_event_kind {
    FERRY_RAW_NOTHING, /* all bytes were taken, nothing is complete */
    FERRY_RAW_PACKET,  /* bytes = as many as a header announced, the header included */
    FERRY_RAW_DROPPED  /* a packet was lost; error says why; told once until the line was silent */
};

struct ferry_raw_event {
    enum ferry_raw_event_kind kind;
    struct ferry_bytes bytes; /* valid until the next call with this decoder */
    int error;                /* FERRY_E_FORMAT (an operation above 3: no header), _SPACE (packet
                                 larger than the buffer), _TIMEOUT (the rest of it did not come);
                                 FERRY_OK in events of another kind */
};

/* Finds packets in a byte stream. Do not rely on the contents. */
struct ferry_raw_decoder {
    uint8_t *buf;
    size_t cap;
    size_t len;        /* bytes of the packet that are there */
    uint64_t heard_ms; /* when the last byte came */
    uint32_t timeout_ms;
    bool lost; /* what comes is passed over until the line was silent */
};

/* buf holds a packet of up to cap bytes (below 8: none is ever found) and is the caller's; it must
 * outlive the decoder.
 *
 * timeout_ms  silence that ends an unfinished packet; 0: none does, and after an impossible header
 *             the next byte is taken for a beginning (a USB port or a pipe, which lose nothing) */
void ferry_raw_decoder_init(struct ferry_raw_decoder *decoder, uint8_t *buf, size_t cap,
                            uint32_t timeout_ms);

/* Take bytes until something is complete.
 *
 * now_ms  when data came: milliseconds of a clock that only goes forward
 * data    not kept
 * event   always filled
 *
 * Packets may stand back to back. A header with an operation above 3, or that announces more than
 * the buffer holds, loses what follows, until the line was silent for FERRY_RAW_QUIET_MS.
 * Returns the number of bytes taken (1 .. len; 0 only for len 0): call again with the rest. */
size_t ferry_raw_feed(struct ferry_raw_decoder *decoder, uint64_t now_ms, const uint8_t *data,
                      size_t len, struct ferry_raw_event *event);

/* Give up an unfinished packet whose time is over. ferry_raw_feed() does it as well: call this
 * where the loss is to be told before the next byte comes.
 * Returns whether one was; event is then of kind FERRY_RAW_DROPPED. */
bool ferry_raw_expire(struct ferry_raw_decoder *decoder, uint64_t now_ms,
                      struct ferry_raw_event *event);

/* When ferry_raw_expire() will have something to tell, ms; FERRY_RAW_NEVER when nothing is begun.
 */
uint64_t ferry_raw_deadline(const struct ferry_raw_decoder *decoder);

#endif
