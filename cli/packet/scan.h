/* SPDX-License-Identifier: Apache-2.0 */
/* Packets found in what people have: captures of a console, hex, pcap files, traces, bare bytes. */
#ifndef CLI_PACKET_SCAN_H
#define CLI_PACKET_SCAN_H

#include "packet_view.h"

enum scan_form {
    SCAN_NOTHING, /* no packet is in it, as far as can be told */
    SCAN_CONSOLE, /* frames between text, as on a serial console */
    SCAN_BARE,    /* packets back to back, as on a raw line or in a datagram */
    SCAN_HEX,     /* either of these in hexadecimal digits */
    SCAN_PCAP,    /* pcap or pcapng with UDP in it */
    SCAN_TRACE    /* what --trace wrote */
};

enum scan_kind {
    SCAN_PACKET, /* view */
    SCAN_TEXT,   /* bytes: what the device printed, or lines that are no hex */
    SCAN_DAMAGE  /* bytes, why */
};

/* All of it is valid during the call only. */
struct scan_found {
    enum scan_kind kind;
    const char *place; /* what at counts: "byte" from 0; "line", "record" from 1 */
    size_t at;
    const struct packet_view *view; /* which may have a problem */
    struct ferry_bytes bytes;
    const char *why;
    const char *way;  /* "tx", "rx"; "" where that is not known */
    const char *from; /* addresses in a capture; "" elsewhere */
    const char *to;
    double time; /* of a capture, seconds since 1970; of a trace, ms since it began; else < 0 */
};

/* Which line of a text the decoded bytes are from. */
struct scan_line {
    size_t start; /* the first byte of it */
    size_t number;
};

struct scan {
    void (*tell)(void *context, const struct scan_found *found);
    void *context;
    uint16_t port; /* of UDP: FERRY_SMP_UDP_PORT */

    /* Set by the scanners themselves. */
    struct scan_found about;       /* what all that is found has in common */
    bool fixed;                    /* about.at is the place of all */
    const struct scan_line *lines; /* the place is a line */
    size_t line_count;
};

void scan_init(struct scan *scan, void (*tell)(void *, const struct scan_found *), void *context);

/* What the bytes are, told by their content. */
enum scan_form scan_guess(struct ferry_bytes bytes);

/* "console", "bare", "hex", "pcap", "trace", "nothing". */
const char *scan_form_name(enum scan_form form);

/* Tell all that is in bytes, in their order. */
void scan_run(struct scan *scan, enum scan_form form, struct ferry_bytes bytes);

/* ---- Each of them ---------------------------------------------------------------------------- */

void scan_console(struct scan *scan, struct ferry_bytes bytes);
void scan_bare(struct scan *scan, struct ferry_bytes bytes);
void scan_hex(struct scan *scan, struct ferry_bytes bytes);
void scan_pcap(struct scan *scan, struct ferry_bytes bytes);
void scan_trace(struct scan *scan, struct ferry_bytes bytes);

/* Whether they begin with what each of them begins with. */
bool scan_has_frame(struct ferry_bytes bytes);
bool scan_is_bare(struct ferry_bytes bytes);
bool scan_is_hex(struct ferry_bytes bytes);
bool scan_is_pcap(struct ferry_bytes bytes);
bool scan_is_trace(struct ferry_bytes bytes);

/* ---- For the scanners ------------------------------------------------------------------------ */

/* Tell something at a byte; the packets that stand in bytes, one after the other. */
void scan_tell_text(const struct scan *scan, size_t at, struct ferry_bytes text);
void scan_tell_damage(const struct scan *scan, size_t at, struct ferry_bytes bytes,
                      const char *why);
void scan_tell_packets(const struct scan *scan, size_t at, struct ferry_bytes bytes);

#endif
