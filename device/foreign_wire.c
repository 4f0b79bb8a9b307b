/* SPDX-License-Identifier: Apache-2.0 */
/* The wires of a foreign server: packets out of what comes, and onto what goes. Console text passes
 * as it is. */
#include "foreign_parts.h"

#include "ferry/base64.h"
#include "ferry/crc.h"

#include <string.h>

/* Of base64, and what it says. */
#define LINE_BYTES 93
#define LINE_CHARS 124

/* A bare packet of which no byte came for so long is over. */
#define RAW_SILENCE (200 * FOREIGN_MS)

void foreign_streams_reset(struct foreign *foreign)
{
    for (size_t i = 0; i < FOREIGN_WIRES; i++) {
        struct foreign_stream *const both[] = {&foreign->hears[i], &foreign->says[i]};
        for (size_t k = 0; k < 2; k++) {
            ferry_console_decoder_init(&both[k]->console, both[k]->body, sizeof(both[k]->body));
            both[k]->raw_len = 0;
            both[k]->line_len = 0;
        }
    }
}

/* ---- Sending --------------------------------------------------------------------------------- */

static void put(struct foreign *foreign, uint32_t wire, uint32_t peer, bool to_chip,
                struct ferry_bytes bytes)
{
    (to_chip ? foreign->ends.to_chip : foreign->ends.to_wire)(foreign->ends.context, wire, peer,
                                                              bytes);
}

static size_t add(uint8_t *line, size_t len, const char *text)
{
    while (*text != '\0') {
        line[len++] = (uint8_t)*text++;
    }
    return len;
}

/* One line of a frame; the chip's own way has no quirks. */
static void put_line(struct foreign *foreign, bool to_chip, bool first, struct ferry_bytes part)
{
    uint8_t line[2 * LINE_CHARS + 64];
    uint32_t form = to_chip ? 0 : foreign->form;
    char text[LINE_CHARS + 1];
    size_t chars = ferry_base64_encode(part.data, part.len, text);
    size_t half = chars / 2;
    size_t len = 0;

    foreign->lines += !to_chip;
    if ((form & FOREIGN_TEXT_BETWEEN) != 0) {
        len = add(line, len, "[00:00:01.234] <inf> app: between\r\n");
    }
    if ((form & FOREIGN_TEXT_BEFORE) != 0) {
        len = add(line, len, "uart:~$ ");
    }
    if ((form & FOREIGN_CRLF) != 0) {
        len = add(line, len, "\r");
    }
    line[len++] = first ? 0x06 : 0x04;
    line[len++] = first ? 0x09 : 0x14;
    memcpy(line + len, text, half);
    len += half;
    if ((form & FOREIGN_TEXT_INSIDE) != 0 && foreign->lines % foreign->inside == 0) {
        len = add(line, len, "<wrn> app: inside\n");
    }
    memcpy(line + len, text + half, chars - half);
    len = add(line, len + chars - half, (form & FOREIGN_CRLF) != 0 ? "\r\n" : "\n");
    put(foreign, FERRY_VCHIP_SERIAL, 0, to_chip, (struct ferry_bytes){line, len});
}

static void put_frame(struct foreign *foreign, const struct foreign_packet *packet, bool to_chip)
{
    static uint8_t body[FOREIGN_PACKET_MAX + FERRY_CONSOLE_OVERHEAD];
    bool brief = !to_chip && (foreign->form & FOREIGN_SHORT_LENGTH) != 0;
    size_t word = packet->len + (brief ? 0 : 2);
    uint16_t crc = ferry_crc16(0, packet->bytes, packet->len);
    size_t len = packet->len + FERRY_CONSOLE_OVERHEAD;

    body[0] = (uint8_t)(word >> 8);
    body[1] = (uint8_t)word;
    memcpy(body + 2, packet->bytes, packet->len);
    body[len - 2] = (uint8_t)(crc >> 8);
    body[len - 1] = (uint8_t)crc;
    for (size_t at = 0; at < len; at += LINE_BYTES) {
        size_t part = len - at < LINE_BYTES ? len - at : LINE_BYTES;
        put_line(foreign, to_chip, at == 0, (struct ferry_bytes){body + at, part});
    }
}

static void send_packet(struct foreign *foreign, const struct foreign_packet *packet, bool to_chip)
{
    if (packet->wire == FERRY_VCHIP_SERIAL) {
        put_frame(foreign, packet, to_chip);
    } else {
        put(foreign, packet->wire, packet->peer, to_chip,
            (struct ferry_bytes){packet->bytes, packet->len});
    }
}

void foreign_to_wire(struct foreign *foreign, const struct foreign_packet *packet)
{
    send_packet(foreign, packet, false);
}

void foreign_to_chip(struct foreign *foreign, const struct foreign_packet *packet)
{
    send_packet(foreign, packet, true);
}

/* ---- Receiving ------------------------------------------------------------------------------- */

static void take_packet(struct foreign *foreign, uint32_t wire, uint32_t peer, bool heard,
                        struct ferry_bytes bytes)
{
    struct foreign_packet *packet = &foreign->packet;

    if (bytes.len > sizeof(packet->bytes)) {
        return;
    }
    packet->wire = wire;
    packet->peer = peer;
    packet->len = bytes.len;
    memcpy(packet->bytes, bytes.data, bytes.len);
    if (!heard) {
        foreign_answer(foreign, packet);
        return;
    }
    if ((foreign->form & FOREIGN_ECHO) != 0) {
        foreign_to_wire(foreign, packet);
    }
    foreign_request(foreign, packet);
}

static void take_console(struct foreign *foreign, struct foreign_stream *stream, bool heard,
                         struct ferry_bytes bytes)
{
    struct ferry_console_event event;

    while (bytes.len > 0) {
        size_t taken = ferry_console_feed(&stream->console, bytes.data, bytes.len, &event);
        bytes.data += taken;
        bytes.len -= taken;
        if (event.kind == FERRY_CONSOLE_TEXT) {
            put(foreign, FERRY_VCHIP_SERIAL, 0, heard, event.bytes);
        } else if (event.kind == FERRY_CONSOLE_PACKET) {
            take_packet(foreign, FERRY_VCHIP_SERIAL, 0, heard, event.bytes);
        }
    }
    if (ferry_console_flush(&stream->console, &event)) {
        put(foreign, FERRY_VCHIP_SERIAL, 0, heard, event.bytes);
    }
}

/* Lines into two buffers, as a small UART driver has them, each free again after a while. */
static void take_lines(struct foreign *foreign, struct foreign_stream *stream,
                       struct ferry_bytes bytes)
{
    for (size_t i = 0; i < bytes.len; i++) {
        if (stream->line_len < sizeof(stream->line)) {
            stream->line[stream->line_len++] = bytes.data[i];
        }
        if (bytes.data[i] != '\n') {
            continue;
        }
        for (size_t k = 0; k < 2; k++) {
            if (foreign->now >= stream->lines[k] + foreign->line_ms * FOREIGN_MS ||
                stream->lines[k] == 0) {
                stream->lines[k] = foreign->now;
                take_console(foreign, stream, true,
                             (struct ferry_bytes){stream->line, stream->line_len});
                break;
            }
        }
        stream->line_len = 0;
    }
}

/* Zephyr's shell looks for a marker at the beginning of what came at once, and nowhere else. */
static void take_shell(struct foreign *foreign, struct foreign_stream *stream,
                       struct ferry_bytes bytes)
{
    if (!stream->in_frame && bytes.data[0] != 0x06 && bytes.data[0] != 0x04) {
        put(foreign, FERRY_VCHIP_SERIAL, 0, true, (struct ferry_bytes){(const uint8_t *)"\n", 1});
        return;
    }
    stream->in_frame = bytes.data[bytes.len - 1] != '\n';
    take_console(foreign, stream, true, bytes);
}

static void take_raw(struct foreign *foreign, struct foreign_stream *stream, bool heard,
                     struct ferry_bytes bytes)
{
    if (foreign->now - stream->heard > RAW_SILENCE) {
        stream->raw_len = 0;
    }
    stream->heard = foreign->now;
    for (size_t i = 0; i < bytes.len; i++) {
        stream->raw[stream->raw_len++] = bytes.data[i];
        size_t wanted =
            stream->raw_len < FERRY_SMP_HEADER_SIZE
                ? FERRY_SMP_HEADER_SIZE
                : FERRY_SMP_HEADER_SIZE + ((size_t)stream->raw[2] << 8 | (size_t)stream->raw[3]);
        if (stream->raw_len == sizeof(stream->raw)) {
            stream->raw_len = 0;
        } else if (stream->raw_len == wanted && wanted >= FERRY_SMP_HEADER_SIZE) {
            stream->raw_len = 0;
            take_packet(foreign, FERRY_VCHIP_RAW, 0, heard,
                        (struct ferry_bytes){stream->raw, wanted});
        }
    }
}

static void take(struct foreign *foreign, uint64_t now, uint32_t wire, uint32_t peer, bool heard,
                 struct ferry_bytes bytes)
{
    struct foreign_stream *stream = &(heard ? foreign->hears : foreign->says)[wire % FOREIGN_WIRES];

    foreign->now = now;
    if (wire == FERRY_VCHIP_UDP || wire == FERRY_VCHIP_DTLS) {
        take_packet(foreign, wire, peer, heard, bytes);
    } else if (wire == FERRY_VCHIP_RAW) {
        take_raw(foreign, stream, heard, bytes);
    } else if (heard && (foreign->form & FOREIGN_TWO_LINES) != 0) {
        take_lines(foreign, stream, bytes);
    } else if (heard && (foreign->form & FOREIGN_SHELL) != 0 && bytes.len > 0) {
        take_shell(foreign, stream, bytes);
    } else {
        take_console(foreign, stream, heard, bytes);
    }
}

void foreign_hear(struct foreign *foreign, uint64_t now, uint32_t wire, uint32_t peer,
                  struct ferry_bytes bytes)
{
    take(foreign, now, wire, peer, true, bytes);
}

void foreign_say(struct foreign *foreign, uint64_t now, uint32_t wire, uint32_t peer,
                 struct ferry_bytes bytes)
{
    take(foreign, now, wire, peer, false, bytes);
}
