/* SPDX-License-Identifier: Apache-2.0 */
/* SMP over UDP in captures of the network: pcap and pcapng, of any byte order.
 *
 *   https://ietf-opsawg-wg.github.io/draft-ietf-opsawg-pcap/ */
#include "scan.h"

#include <arpa/inet.h>
#include <stdio.h>
#include <string.h>

/* ---- Bytes ----------------------------------------------------------------------------------- */

static uint32_t load32(const uint8_t *p, bool big)
{
    return big ? ferry_load_be32(p) : ferry_load_le32(p);
}

static uint16_t load16(const uint8_t *p, bool big)
{
    return big ? ferry_load_be16(p) : ferry_load_le16(p);
}

static struct ferry_bytes tail(struct ferry_bytes bytes, size_t skip)
{
    size_t n = skip < bytes.len ? skip : bytes.len;

    return (struct ferry_bytes){bytes.data + n, bytes.len - n};
}

static struct ferry_bytes head(struct ferry_bytes bytes, size_t len)
{
    return (struct ferry_bytes){bytes.data, len < bytes.len ? len : bytes.len};
}

/* ---- Datagrams ------------------------------------------------------------------------------- */

struct datagram {
    char from[64];
    char to[64];
    bool cut; /* a fragment, or the capture has only its beginning */
};

static void address(char *out, size_t cap, int family, const uint8_t *bytes, uint16_t port)
{
    char text[INET6_ADDRSTRLEN] = "?";

    inet_ntop(family, bytes, text, sizeof text);
    snprintf(out, cap, family == AF_INET6 ? "[%s]:%u" : "%s:%u", text, (unsigned)port);
}

/* udp: the header and what is behind it. addresses: of family, the source's and the target's. */
static void take_udp(struct scan *scan, struct datagram *datagram, int family,
                     const uint8_t *addresses, struct ferry_bytes udp)
{
    size_t size = family == AF_INET6 ? 16 : 4;

    if (udp.len < 8) {
        return;
    }
    uint16_t source = ferry_load_be16(udp.data);
    uint16_t target = ferry_load_be16(udp.data + 2);
    uint16_t length = ferry_load_be16(udp.data + 4);
    if ((source != scan->port && target != scan->port) || length < 8) {
        return;
    }
    address(datagram->from, sizeof datagram->from, family, addresses, source);
    address(datagram->to, sizeof datagram->to, family, addresses + size, target);
    scan->about.from = datagram->from;
    scan->about.to = datagram->to;
    scan->about.way = target == scan->port ? "tx" : "rx";
    struct ferry_bytes payload = tail(head(udp, length), 8);
    if (udp.len < length || datagram->cut) {
        scan_tell_damage(scan, 0, payload,
                         "only a part of this datagram was captured, or it is a fragment");
    } else if (payload.len > 0) {
        scan_bare(scan, payload);
    }
}

static void take_ip(struct scan *scan, struct ferry_bytes ip)
{
    struct datagram datagram = {.cut = false};

    if (ip.len >= 20 && ip.data[0] >> 4 == 4) {
        uint16_t fragment = ferry_load_be16(ip.data + 6);

        if (ip.data[9] == IPPROTO_UDP && (fragment & 0x1fff) == 0) {
            datagram.cut = (fragment & 0x2000) != 0;
            take_udp(scan, &datagram, AF_INET, ip.data + 12,
                     tail(head(ip, ferry_load_be16(ip.data + 2)), (ip.data[0] & 0xfu) * 4));
        }
    } else if (ip.len >= 40 && ip.data[0] >> 4 == 6 && ip.data[6] == IPPROTO_UDP) {
        take_udp(scan, &datagram, AF_INET6, ip.data + 8,
                 tail(head(ip, 40u + ferry_load_be16(ip.data + 4)), 40));
    }
}

/* Behind the header of the link layer, the ones that gateways and computers have. */
static void take_frame(struct scan *scan, uint32_t link, struct ferry_bytes frame)
{
    enum { LOOP = 0, ETHERNET = 1, RAW_OLD = 12, RAW = 101, LOOP_BE = 108, SLL = 113, SLL2 = 276 };

    switch (link) {
    case ETHERNET:
        frame = tail(frame, 12);
        while (frame.len >= 4 && ferry_load_be16(frame.data) == 0x8100) {
            frame = tail(frame, 4); /* VLAN */
        }
        take_ip(scan, tail(frame, 2));
        break;
    case LOOP:
    case LOOP_BE:
        take_ip(scan, tail(frame, 4));
        break;
    case SLL:
        take_ip(scan, tail(frame, 16));
        break;
    case SLL2:
        take_ip(scan, tail(frame, 20));
        break;
    case RAW_OLD:
    case RAW:
        take_ip(scan, frame);
        break;
    default:
        break;
    }
}

/* A record of a capture: its number and its time, and what it holds. */
static void take_record(struct scan *scan, size_t number, double time, uint32_t link,
                        struct ferry_bytes frame)
{
    struct scan_found about = scan->about;

    scan->fixed = true;
    scan->about.place = "record";
    scan->about.at = number;
    scan->about.time = time;
    take_frame(scan, link, frame);
    scan->about = about;
    scan->fixed = false;
}

static void tell_end(struct scan *scan, struct ferry_bytes all, struct ferry_bytes rest)
{
    if (rest.len > 0) {
        scan_tell_damage(scan, all.len - rest.len, rest, "the capture ends inside a record");
    }
}

/* ---- pcap ------------------------------------------------------------------------------------ */

#define MICROSECONDS 0xa1b2c3d4u
#define NANOSECONDS  0xa1b23c4du

static bool is_pcap(struct ferry_bytes bytes, bool *big, bool *nanoseconds)
{
    for (int order = 0; order < 2 && bytes.len >= 24; order++) {
        uint32_t magic = load32(bytes.data, order == 1);

        *big = order == 1;
        *nanoseconds = magic == NANOSECONDS;
        if (magic == MICROSECONDS || magic == NANOSECONDS) {
            return true;
        }
    }
    return false;
}

static void scan_old(struct scan *scan, struct ferry_bytes bytes, bool big, bool nanoseconds)
{
    uint32_t link = load32(bytes.data + 20, big) & 0xffff;
    struct ferry_bytes rest = tail(bytes, 24);
    size_t number = 0;

    while (rest.len >= 16 && load32(rest.data + 8, big) <= rest.len - 16) {
        uint32_t len = load32(rest.data + 8, big);
        double fraction = load32(rest.data + 4, big) * (nanoseconds ? 1e-9 : 1e-6);

        take_record(scan, ++number, load32(rest.data, big) + fraction, link,
                    head(tail(rest, 16), len));
        rest = tail(rest, 16 + (size_t)len);
    }
    tell_end(scan, bytes, rest);
}

/* ---- pcapng ---------------------------------------------------------------------------------- */

#define SECTION          0x0a0d0d0au
#define BYTE_ORDER_MAGIC 0x1a2b3c4du

enum { INTERFACE = 1, SIMPLE_PACKET = 3, ENHANCED_PACKET = 6 };

#define INTERFACES_MAX 32

struct section {
    bool big;
    size_t interfaces;
    size_t records;
    uint16_t link[INTERFACES_MAX];
    double unit[INTERFACES_MAX]; /* of a time stamp, in seconds */
};

/* The option if_tsresol, 9: a power of ten, or of two. */
static double time_unit(struct ferry_bytes options, bool big)
{
    while (options.len >= 4 && load16(options.data, big) != 0) {
        uint16_t len = load16(options.data + 2, big);

        if (load16(options.data, big) == 9 && len == 1 && options.len >= 5) {
            double unit = 1;

            for (unsigned i = options.data[4] & 0x7fu; i > 0; i--) {
                unit /= (options.data[4] & 0x80) != 0 ? 2 : 10;
            }
            return unit;
        }
        options = tail(options, 4 + (len + 3u) / 4 * 4);
    }
    return 1e-6;
}

static void add_interface(struct section *section, struct ferry_bytes body)
{
    if (body.len >= 8 && section->interfaces < INTERFACES_MAX) {
        section->link[section->interfaces] = load16(body.data, section->big);
        section->unit[section->interfaces] = time_unit(tail(body, 8), section->big);
        section->interfaces++;
    }
}

static void take_block(struct scan *scan, struct section *section, uint32_t type,
                       struct ferry_bytes body)
{
    bool big = section->big;

    if (type == INTERFACE) {
        add_interface(section, body);
    } else if (type == ENHANCED_PACKET && body.len >= 20) {
        uint32_t interface = load32(body.data, big);
        double stamp = load32(body.data + 4, big) * 4294967296.0 + load32(body.data + 8, big);

        section->records++;
        if (interface < section->interfaces) {
            take_record(scan, section->records, stamp * section->unit[interface],
                        section->link[interface],
                        head(tail(body, 20), load32(body.data + 12, big)));
        }
    } else if (type == SIMPLE_PACKET && body.len >= 4) {
        section->records++;
        if (section->interfaces > 0) {
            take_record(scan, section->records, -1, section->link[0],
                        head(tail(body, 4), load32(body.data, big)));
        }
    }
}

static void scan_new(struct scan *scan, struct ferry_bytes bytes)
{
    struct section section = {.big = false};
    struct ferry_bytes rest = bytes;

    while (rest.len >= 12) {
        if (ferry_load_be32(rest.data) == SECTION) {
            section = (struct section){.big = ferry_load_be32(rest.data + 8) == BYTE_ORDER_MAGIC,
                                       .records = section.records};
        }
        uint32_t len = load32(rest.data + 4, section.big);
        if (len < 12 || len % 4 != 0 || len > rest.len) {
            break;
        }
        take_block(scan, &section, load32(rest.data, section.big), head(tail(rest, 8), len - 12));
        rest = tail(rest, len);
    }
    tell_end(scan, bytes, rest);
}

/* ---- Both ------------------------------------------------------------------------------------ */

static bool is_pcapng(struct ferry_bytes bytes)
{
    return bytes.len >= 12 && ferry_load_be32(bytes.data) == SECTION;
}

bool scan_is_pcap(struct ferry_bytes bytes)
{
    bool big;
    bool nanoseconds;

    return is_pcap(bytes, &big, &nanoseconds) || is_pcapng(bytes);
}

void scan_pcap(struct scan *scan, struct ferry_bytes bytes)
{
    bool big;
    bool nanoseconds;

    if (is_pcap(bytes, &big, &nanoseconds)) {
        scan_old(scan, bytes, big, nanoseconds);
    } else if (is_pcapng(bytes)) {
        scan_new(scan, bytes);
    } else {
        scan_tell_damage(scan, 0, bytes, "this is neither pcap nor pcapng");
    }
}
