/* SPDX-License-Identifier: Apache-2.0 */
/* A packet becomes lines of a serial console.  [smp.md §2.1] */
#include "ferry/base64.h"
#include "ferry/console.h"
#include "ferry/crc.h"

#define WORD_SIZE   2 /* the length word */
#define CRC_SIZE    2
#define MARKER_SIZE 2

/* Body bytes of a full line: 124 characters between marker and line feed. */
#define LINE_BYTES 93

/* The length word counts packet and CRC in 16 bits. */
#define PACKET_MAX (UINT16_MAX - CRC_SIZE)

_Static_assert(MARKER_SIZE + FERRY_BASE64_LEN(LINE_BYTES) + 1 == FERRY_CONSOLE_LINE_MAX,
               "a full line is as long as the protocol allows");
_Static_assert(WORD_SIZE + CRC_SIZE == FERRY_CONSOLE_OVERHEAD, "what the framing adds to a packet");

size_t ferry_console_wire_size(size_t len)
{
    size_t body = len + FERRY_CONSOLE_OVERHEAD;
    size_t last = body % LINE_BYTES;
    size_t size = body / LINE_BYTES * FERRY_CONSOLE_LINE_MAX;

    return last == 0 ? size : size + MARKER_SIZE + FERRY_BASE64_LEN(last) + 1;
}

int ferry_console_encode(struct ferry_console_encoder *encoder, struct ferry_bytes packet,
                         enum ferry_console_cut cut)
{
    if (packet.len == 0 || packet.len > PACKET_MAX) {
        return FERRY_E_RANGE;
    }
    encoder->packet = packet;
    encoder->cut = cut;
    encoder->pos = 0;
    ferry_store_be16(encoder->word, (uint16_t)(packet.len + CRC_SIZE));
    ferry_store_be16(encoder->crc, ferry_crc16(0, packet.data, packet.len));
    return FERRY_OK;
}

/* The next byte of  length word | packet | CRC  without ever having it in one piece. */
static uint8_t next_byte(struct ferry_console_encoder *encoder)
{
    size_t pos = encoder->pos++;

    if (pos < WORD_SIZE) {
        return encoder->word[pos];
    }
    pos -= WORD_SIZE;
    if (pos < encoder->packet.len) {
        return encoder->packet.data[pos];
    }
    return encoder->crc[pos - encoder->packet.len];
}

/* How many of the left body bytes the next line takes. Where a full line would leave the CRC
 * alone or split, Zephyr's sender ends it a triple earlier, so that data goes with the CRC. */
static size_t line_share(enum ferry_console_cut cut, size_t left)
{
    if (left <= LINE_BYTES) {
        return left;
    }
    if (cut == FERRY_CONSOLE_CUT_ZEPHYR && left <= LINE_BYTES + CRC_SIZE) {
        return LINE_BYTES - 3;
    }
    return LINE_BYTES;
}

size_t ferry_console_next_line(struct ferry_console_encoder *encoder, uint8_t *line)
{
    uint8_t bytes[LINE_BYTES];
    size_t left = encoder->packet.len + FERRY_CONSOLE_OVERHEAD - encoder->pos;
    size_t share = line_share(encoder->cut, left);

    if (share == 0) {
        return 0;
    }
    line[0] = encoder->pos == 0 ? 0x06 : 0x04;
    line[1] = encoder->pos == 0 ? 0x09 : 0x14;
    for (size_t i = 0; i < share; i++) {
        bytes[i] = next_byte(encoder);
    }

    size_t chars = ferry_base64_encode(bytes, share, (char *)(line + MARKER_SIZE));

    line[MARKER_SIZE + chars] = '\n';
    return MARKER_SIZE + chars + 1;
}

bool ferry_console_send(struct ferry_bytes packet, enum ferry_console_cut cut,
                        ferry_console_put *put, void *context)
{
    struct ferry_console_encoder encoder;
    uint8_t line[FERRY_CONSOLE_LINE_MAX];
    size_t len;

    if (ferry_console_encode(&encoder, packet, cut) != FERRY_OK) {
        return false;
    }
    while ((len = ferry_console_next_line(&encoder, line)) > 0) {
        put(context, line, len);
    }
    return true;
}
