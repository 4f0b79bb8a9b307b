/* SPDX-License-Identifier: Apache-2.0 */
#include "hearing.h"

#include "ferry/console.h"
#include "ferry/smp.h"

#include <string.h>

/* So many bytes are a line of text, and no chance. */
#define SURE_BYTES 16

static bool has_frame(struct ferry_bytes heard)
{
    static uint8_t packet[16384];
    struct ferry_console_decoder decoder;
    struct ferry_console_event event;
    size_t at = 0;

    ferry_console_decoder_init(&decoder, packet, sizeof packet);
    while (at < heard.len) {
        at += ferry_console_feed(&decoder, heard.data + at, heard.len - at, &event);
        if (event.kind == FERRY_CONSOLE_PACKET) {
            return true;
        }
    }
    return false;
}

/* Whether an answer stands at the beginning, whole. */
static bool has_packet(struct ferry_bytes heard)
{
    struct ferry_smp_header header;
    struct ferry_bytes payload;

    return ferry_smp_packet_read(heard, &header, &payload, NULL) == FERRY_OK &&
           (header.op == FERRY_SMP_READ_RSP || header.op == FERRY_SMP_WRITE_RSP) &&
           header.version <= FERRY_SMP_VERSION_2 && heard.data[1] <= 1 && payload.len > 0;
}

/* What consoles print: with tabs, line ends and the escape that colours begin with. */
static bool is_text(uint8_t byte)
{
    return (byte >= ' ' && byte <= '~') || byte == '\n' || byte == '\r' || byte == '\t' ||
           byte == 0x1b;
}

static size_t text_bytes(struct ferry_bytes heard)
{
    size_t count = 0;
    for (size_t i = 0; i < heard.len; i++) {
        count += is_text(heard.data[i]);
    }
    return count;
}

enum hearing hearing_of(struct ferry_bytes heard)
{
    if (heard.len == 0) {
        return HEARING_NOTHING;
    }
    if (has_frame(heard)) {
        return HEARING_FRAMES;
    }
    if (has_packet(heard)) {
        return HEARING_PACKETS;
    }
    return text_bytes(heard) * 10 >= heard.len * 9 ? HEARING_TEXT : HEARING_NOISE;
}

unsigned hearing_score(struct ferry_bytes heard)
{
    enum hearing what = hearing_of(heard);

    if (what == HEARING_NOTHING) {
        return 0;
    }
    if (what == HEARING_FRAMES || what == HEARING_PACKETS) {
        return 100;
    }
    size_t sure = heard.len < SURE_BYTES ? heard.len : SURE_BYTES;
    return (unsigned)(text_bytes(heard) * 99 / heard.len * sure / SURE_BYTES);
}

void hearing_last_line(struct ferry_bytes heard, char *out, size_t cap)
{
    size_t end = heard.len;
    while (end > 0 && (heard.data[end - 1] == '\n' || heard.data[end - 1] == '\r')) {
        end--;
    }
    size_t begin = end;
    while (begin > 0 && heard.data[begin - 1] != '\n' && heard.data[begin - 1] != '\r' &&
           end - begin < cap - 1) {
        begin--;
    }
    for (size_t i = begin; i < end; i++) {
        uint8_t byte = heard.data[i];
        *out++ = byte >= ' ' && byte <= '~' ? (char)byte : '.';
    }
    *out = '\0';
}
