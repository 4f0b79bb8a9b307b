/* SPDX-License-Identifier: Apache-2.0 */
/* SMP on a serial console: lines of base64 between markers, log text around them.
 *
 *   body    u16be(len + 2) | SMP packet | u16be CRC-16 of the packet
 *   line 1  06 09 base64 0a      line n  04 14 base64 0a      [smp.md §2.1] */
#ifndef FERRY_CONSOLE_H
#define FERRY_CONSOLE_H

#include "ferry/bytes.h"
#include "ferry/error.h"

/* A line on the wire, marker and line feed included. */
#define FERRY_CONSOLE_LINE_MAX 127

/* Bytes of a server's buffer that the framing itself takes: length word and CRC. */
#define FERRY_CONSOLE_OVERHEAD 4

/* Bytes a packet of len bytes takes on the wire, cut at 124 characters. */
size_t ferry_console_wire_size(size_t len);

enum ferry_console_cut {
    FERRY_CONSOLE_CUT_124,   /* text cut every 124 characters: MCUboot, newtmgr, smpclient */
    FERRY_CONSOLE_CUT_ZEPHYR /* whole triples a line and the CRC never split */
};

/* Turns one packet into lines. Do not rely on the contents. */
struct ferry_console_encoder {
    struct ferry_bytes packet;
    enum ferry_console_cut cut;
    size_t pos;      /* bytes of the body already sent */
    uint8_t word[2]; /* the body's first bytes, and its last */
    uint8_t crc[2];
};

/* Begin a packet of 1 .. 65533 bytes. The packet is not copied and must stay until the last line.
 * Returns FERRY_OK or FERRY_E_RANGE. */
FERRY_MUST_CHECK
int ferry_console_encode(struct ferry_console_encoder *encoder, struct ferry_bytes packet,
                         enum ferry_console_cut cut);

/* The next line. line has room for FERRY_CONSOLE_LINE_MAX bytes; no NUL is written.
 * Returns its length, 0 after the last. */
size_t ferry_console_next_line(struct ferry_console_encoder *encoder, uint8_t *line);

/* Takes len bytes of a line for the wire. Not kept after it returns. */
typedef void ferry_console_put(void *context, const uint8_t *line, size_t len);

/* Send a whole packet: put is called once a line, whose buffer is on the stack.
 * Returns whether it was sent: false for a packet of no bytes, or of more than 65533. */
bool ferry_console_send(struct ferry_bytes packet, enum ferry_console_cut cut,
                        ferry_console_put *put, void *context);

enum ferry_console_event_kind {
    FERRY_CONSOLE_NOTHING, /* all bytes were taken, nothing is complete */
    FERRY_CONSOLE_TEXT,   /* bytes = text that is no frame, line feed included when there was one */
    FERRY_CONSOLE_PACKET, /* bytes = an SMP packet with a good CRC */
    FERRY_CONSOLE_DROPPED /* a packet was lost; error says why; told once a packet */
};

struct ferry_console_event {
    enum ferry_console_event_kind kind;
    struct ferry_bytes bytes; /* valid until the next call with this decoder */
    int error;                /* FERRY_E_CRC, _FORMAT (base64, length word, overlong line), _SPACE
                                 (packet larger than the buffer), _STATE (continuation without a
                                 beginning, or a beginning before the end of the packet before:
                                 the old one is lost), _TIMEOUT (ferry_console_give_up());
                                 FERRY_OK in events of another kind */
};

/* Finds packets and text in a byte stream. Do not rely on the contents. */
struct ferry_console_decoder {
    uint8_t *buf; /* the packet as it grows: length word, packet, CRC */
    size_t cap;
    size_t len;
    size_t expected; /* the length word; 0: no packet begun */
    bool lost;       /* the loss is told: its further lines are passed over */
    bool overlong;   /* the frame's line is too long: drop it at its end */
    size_t done;     /* bytes of the line that were handed out or decoded */
    size_t line_len;
    uint8_t line[FERRY_CONSOLE_LINE_MAX + 1];
};

/* buf holds a packet of up to cap - FERRY_CONSOLE_OVERHEAD bytes (two less from servers that
 * leave the CRC out of the length word) and is the caller's; it must outlive the decoder. */
void ferry_console_decoder_init(struct ferry_console_decoder *decoder, uint8_t *buf, size_t cap);

/* Take bytes until something is complete.
 *
 * data   not kept
 * event  always filled
 *
 * A marker is found anywhere in a line: text in front of it is handed out first, a lone CR there
 * is dropped; in a frame it ends that frame as a line feed does. CR before LF is dropped from
 * frames. Text is handed out at its line feed, or when a line is full. Text between the lines of a
 * packet does it no harm, text inside one of them loses it. The length word may count the CRC or,
 * as in Zephyr before 2.7.2, leave it out.
 * Returns the number of bytes taken (1 .. len; 0 only for len 0): call again with the rest. */
size_t ferry_console_feed(struct ferry_console_decoder *decoder, const uint8_t *data, size_t len,
                          struct ferry_console_event *event);

/* Give up the frame whose line is not finished: on a line that is a shell too, nothing else ends it
 * for who has typed a marker. When, is the caller's: after so long a silence.
 * Returns whether a packet was lost; event is then of kind FERRY_CONSOLE_DROPPED, FERRY_E_TIMEOUT.
 */
bool ferry_console_give_up(struct ferry_console_decoder *decoder,
                           struct ferry_console_event *event);

/* Hand out the text of an unfinished line (a prompt, say). A half marker at its end stays.
 * Returns whether there was any; event is then of kind FERRY_CONSOLE_TEXT. */
bool ferry_console_flush(struct ferry_console_decoder *decoder, struct ferry_console_event *event);

#endif
