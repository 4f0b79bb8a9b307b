/* SPDX-License-Identifier: Apache-2.0 */
#include "scan.h"

#include <stdio.h>

void scan_init(struct scan *scan, void (*tell)(void *, const struct scan_found *), void *context)
{
    *scan = (struct scan){.tell = tell, .context = context, .port = FERRY_SMP_UDP_PORT};
    scan->about = (struct scan_found){
        .place = "byte", .why = "", .way = "", .from = "", .to = "", .time = -1};
}

/* ---- What it is ------------------------------------------------------------------------------ */

enum scan_form scan_guess(struct ferry_bytes bytes)
{
    if (scan_is_pcap(bytes)) {
        return SCAN_PCAP;
    }
    if (scan_is_trace(bytes)) {
        return SCAN_TRACE;
    }
    if (scan_has_frame(bytes)) {
        return SCAN_CONSOLE;
    }
    if (scan_is_hex(bytes)) {
        return SCAN_HEX;
    }
    return scan_is_bare(bytes) ? SCAN_BARE : SCAN_NOTHING;
}

const char *scan_form_name(enum scan_form form)
{
    static const char *const names[] = {"nothing", "console", "bare", "hex", "pcap", "trace"};

    return names[form];
}

void scan_run(struct scan *scan, enum scan_form form, struct ferry_bytes bytes)
{
    static void (*const scanners[])(struct scan *, struct ferry_bytes) = {
        [SCAN_CONSOLE] = scan_console, [SCAN_BARE] = scan_bare,   [SCAN_HEX] = scan_hex,
        [SCAN_PCAP] = scan_pcap,       [SCAN_TRACE] = scan_trace,
    };

    if (form != SCAN_NOTHING) {
        scanners[form](scan, bytes);
    }
}

/* ---- Telling --------------------------------------------------------------------------------- */

static size_t line_at(const struct scan *scan, size_t at)
{
    size_t number = 0;

    for (size_t i = 0; i < scan->line_count && scan->lines[i].start <= at; i++) {
        number = scan->lines[i].number;
    }
    return number;
}

static struct scan_found found_at(const struct scan *scan, enum scan_kind kind, size_t at)
{
    struct scan_found found = scan->about;

    found.kind = kind;
    if (scan->lines != NULL) {
        found.place = "line";
        found.at = line_at(scan, at);
    } else if (!scan->fixed) {
        found.at = at;
    }
    return found;
}

void scan_tell_text(const struct scan *scan, size_t at, struct ferry_bytes text)
{
    struct scan_found found = found_at(scan, SCAN_TEXT, at);

    found.bytes = text;
    scan->tell(scan->context, &found);
}

void scan_tell_damage(const struct scan *scan, size_t at, struct ferry_bytes bytes, const char *why)
{
    struct scan_found found = found_at(scan, SCAN_DAMAGE, at);

    found.bytes = bytes;
    found.why = why;
    scan->tell(scan->context, &found);
}

void scan_tell_packets(const struct scan *scan, size_t at, struct ferry_bytes bytes)
{
    struct scan_found found = found_at(scan, SCAN_PACKET, at);
    struct packet_view view;

    while (bytes.len > 0) {
        packet_look(bytes, &view, &bytes);
        found.view = &view;
        found.bytes = view.bytes;
        scan->tell(scan->context, &found);
        packet_view_free(&view);
    }
}

/* ---- Bare packets ---------------------------------------------------------------------------- */

/* Whether all of a header that is fixed is as it must be; that little finds a beginning again. Old
 * answers of Mynewt have flags 1. */
static bool may_begin(struct ferry_bytes bytes)
{
    return bytes.len >= FERRY_SMP_HEADER_SIZE && (bytes.data[0] & 0xe4) == 0 &&
           bytes.data[0] >> 3 <= FERRY_SMP_VERSION_2 && bytes.data[1] <= 1 &&
           (size_t)ferry_load_be16(bytes.data + 2) + FERRY_SMP_HEADER_SIZE <= bytes.len;
}

static bool is_good(struct ferry_bytes bytes)
{
    struct packet_view view;

    /* Most of what is none is seen by its first byte of payload, which begins no map. */
    if (!may_begin(bytes) || bytes.len == FERRY_SMP_HEADER_SIZE ||
        bytes.data[FERRY_SMP_HEADER_SIZE] >> 5 != 5) {
        return false;
    }
    packet_look(bytes, &view, NULL);
    bool good = view.problem[0] == '\0' && cJSON_IsObject(view.map);
    packet_view_free(&view);
    return good;
}

static struct ferry_bytes behind(struct ferry_bytes bytes, size_t skip)
{
    return (struct ferry_bytes){bytes.data + skip, bytes.len - skip};
}

/* How many bytes are in front of the next good packet, 1 at least. */
static size_t to_next(struct ferry_bytes bytes)
{
    size_t skip = 1;

    while (skip < bytes.len && !is_good(behind(bytes, skip))) {
        skip++;
    }
    return skip;
}

/* A packet, or what cannot be one; a header that makes sense is shown all the same. */
static void tell_bytes(const struct scan *scan, size_t at, struct ferry_bytes bytes)
{
    char why[80];

    if (bytes.len >= FERRY_SMP_HEADER_SIZE && (bytes.data[0] & 0xe4) == 0 && bytes.data[1] <= 1) {
        scan_tell_packets(scan, at, bytes);
        return;
    }
    snprintf(why, sizeof why, "%zu bytes that are no packet", bytes.len);
    scan_tell_damage(scan, at, bytes, why);
}

bool scan_is_bare(struct ferry_bytes bytes)
{
    return is_good(bytes);
}

/* How many bytes belong to the first packet, damaged or not. A header is believed when its packet
 * can be read, or when another one, or the end, is where it says. */
static size_t first_packet(struct ferry_bytes bytes)
{
    if (may_begin(bytes)) {
        size_t len = FERRY_SMP_HEADER_SIZE + (size_t)ferry_load_be16(bytes.data + 2);

        if (len == bytes.len || is_good(bytes) || is_good(behind(bytes, len))) {
            return len;
        }
    }
    return to_next(bytes);
}

void scan_bare(struct scan *scan, struct ferry_bytes bytes)
{
    size_t at = 0;

    while (bytes.len > 0) {
        size_t len = first_packet(bytes);

        tell_bytes(scan, at, (struct ferry_bytes){bytes.data, len});
        at += len;
        bytes = behind(bytes, len);
    }
}
