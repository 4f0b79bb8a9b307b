/* SPDX-License-Identifier: Apache-2.0 */
/* The parts of a foreign server: what its files share. */
#ifndef DEVICE_FOREIGN_PARTS_H
#define DEVICE_FOREIGN_PARTS_H

#include "foreign.h"

#include "ferry/cbor.h"
#include "ferry/console.h"
#include "ferry/smp.h"
#include "ferry/vchip.h"

#define FOREIGN_PACKET_MAX FERRY_VCHIP_SEND_MAX
#define FOREIGN_USES       48
#define FOREIGN_HELD       16
#define FOREIGN_KEPT       4
#define FOREIGN_WIRES      3 /* serial, UDP, raw */

#define FOREIGN_MS UINT64_C(1000000)
#define FOREIGN_S  UINT64_C(1000000000)

/* A whole SMP packet on its way. */
struct foreign_packet {
    uint32_t wire, peer;
    size_t len;
    uint8_t bytes[FOREIGN_PACKET_MAX];
};

struct foreign_quirk;

/* A quirk in use. */
struct foreign_use {
    const struct foreign_quirk *quirk;
    uint32_t value;
    uint32_t count; /* of what it counts */
    bool told;      /* that it did something */
    uint64_t since; /* when it began */
};

/* How answers are written, and lines: the quirks that are nothing more. */
enum foreign_form {
    FOREIGN_ALWAYS_RC = 1 << 0,
    FOREIGN_NEVER_RC = 1 << 1,
    FOREIGN_DEFINITE = 1 << 2,
    FOREIGN_UNKNOWN_KEYS = 1 << 3,
    FOREIGN_NO_HASH = 1 << 4,
    FOREIGN_NO_FALSE = 1 << 5,
    FOREIGN_NO_MATCH = 1 << 6,
    FOREIGN_MATCH_FALSE = 1 << 7,
    FOREIGN_ONE_BUFFER = 1 << 8,
    FOREIGN_RET_IS_RC = 1 << 9,
    FOREIGN_NO_FLAGS = 1 << 10,
    FOREIGN_IN_RECOVERY = 1 << 15, /* of no map: while the bootloader runs */
    FOREIGN_CRLF = 1 << 16,        /* from here on of the console's lines */
    FOREIGN_SHORT_LENGTH = 1 << 17,
    FOREIGN_TEXT_BEFORE = 1 << 18,
    FOREIGN_TEXT_BETWEEN = 1 << 19,
    FOREIGN_TEXT_INSIDE = 1 << 20,
    FOREIGN_ECHO = 1 << 21,
    FOREIGN_TWO_LINES = 1 << 22,
    FOREIGN_SHELL = 1 << 23
};
#define FOREIGN_OF_MAPS 0x7fff

/* One quirk. Its functions return whether the packet goes on. */
struct foreign_quirk {
    const char *name;
    const char *help;
    uint32_t value; /* of N unless given; 0: it takes none */
    uint32_t form;  /* enum foreign_form */
    bool (*request)(struct foreign *foreign, struct foreign_use *use,
                    struct foreign_packet *packet);
    bool (*answer)(struct foreign *foreign, struct foreign_use *use, struct foreign_packet *packet);
    const char *also; /* quirks that it is made of */
};

/* Those of requests, of answers, and of forms; each ends with a row without a name. */
extern const struct foreign_quirk foreign_request_quirks[];
extern const struct foreign_quirk foreign_upload_quirks[];
extern const struct foreign_quirk foreign_answer_quirks[];

/* One direction of a stream. */
struct foreign_stream {
    struct ferry_console_decoder console;
    size_t raw_len;
    uint64_t heard;
    size_t line_len; /* of FOREIGN_TWO_LINES */
    uint8_t line[512];
    bool in_frame;     /* of FOREIGN_SHELL */
    uint64_t lines[2]; /* when the two line buffers were filled */
    uint8_t body[FOREIGN_PACKET_MAX + FERRY_CONSOLE_OVERHEAD];
    uint8_t raw[FOREIGN_PACKET_MAX];
};

struct foreign_held {
    uint64_t due;
    struct foreign_packet *packet; /* NULL: free */
};

struct foreign {
    struct foreign_ends ends;
    uint64_t now;
    uint32_t form;
    uint32_t inside; /* every so many console lines have text inside */
    uint32_t lines;
    uint32_t line_ms; /* of FOREIGN_TWO_LINES: a line buffer is taken for so long */
    struct foreign_use uses[FOREIGN_USES];
    size_t use_count;
    uint32_t busy;         /* requests that the firmware has, and has not answered */
    uint64_t busy_since;   /* the last one */
    uint8_t versions[256]; /* of requests, by seq */
    uint32_t total;        /* of the upload: its "len" */
    struct foreign_held held[FOREIGN_HELD];
    struct foreign_packet *kept[FOREIGN_KEPT]; /* the last answers, the newest first */
    struct foreign_stream hears[FOREIGN_WIRES];
    struct foreign_stream says[FOREIGN_WIRES];
    struct foreign_packet packet;
};

/* What a request to upload an image or a file has. */
struct foreign_chunk {
    uint32_t off, len;
    bool has_len;
    struct ferry_bytes data;
};

/* Whether the packet has this op (or its answer's, one more), group and id. */
bool foreign_is(const struct foreign_packet *packet, uint8_t op, uint16_t group, uint8_t id);

/* Read a request as a chunk of an image (or of a file). Returns whether it is one. */
bool foreign_chunk_read(const struct foreign_packet *packet, uint16_t group,
                        struct foreign_chunk *chunk);

/* Read "off" of an answer. Returns whether it has one. */
bool foreign_off_of(const struct foreign_packet *answer, uint32_t *off);

/* Answer a request in the firmware's place. */
void foreign_reply(struct foreign *foreign, const struct foreign_packet *request,
                   struct ferry_bytes map);
void foreign_reply_rc(struct foreign *foreign, const struct foreign_packet *request, uint32_t rc);
void foreign_reply_off(struct foreign *foreign, const struct foreign_packet *request, uint32_t off);

/* Say once that a quirk did something. */
void foreign_note(struct foreign *foreign, struct foreign_use *use);

/* Put another map into a packet. */
void foreign_put_map(struct foreign_packet *packet, struct ferry_bytes map);

/* Send an answer later. Without room it is lost. */
void foreign_hold(struct foreign *foreign, const struct foreign_packet *answer, uint64_t due);

/* Whether an answer is held. */
bool foreign_holds(const struct foreign *foreign);

/* A packet that came whole, and one that the firmware sent. */
void foreign_request(struct foreign *foreign, struct foreign_packet *packet);
void foreign_answer(struct foreign *foreign, struct foreign_packet *packet);

/* Put a packet on its wire, and hand one to the firmware. */
void foreign_to_wire(struct foreign *foreign, const struct foreign_packet *packet);
void foreign_to_chip(struct foreign *foreign, const struct foreign_packet *packet);

/* Write an answer's map anew in the forms. What cannot be read stays as it is. */
void foreign_form_map(const struct foreign *foreign, struct foreign_packet *packet);

/* Leave a pair out of a map. */
void foreign_drop_key(struct foreign_packet *packet, const char *key);

/* Forget what is half received. */
void foreign_streams_reset(struct foreign *foreign);

#endif
