/* SPDX-License-Identifier: Apache-2.0 */
/* URIs of devices. */
#include "transport.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define DEFAULT_BAUD 115200

static int bad(char *why, size_t cap, const char *text)
{
    snprintf(why, cap, "%s", text);
    return FERRY_E_FORMAT;
}

static int copy(char *to, size_t cap, const char *from, size_t len)
{
    if (len == 0 || len >= cap) {
        return FERRY_E_FORMAT;
    }
    memcpy(to, from, len);
    to[len] = '\0';
    return FERRY_OK;
}

static bool number(const char *text, unsigned long max, unsigned long *value)
{
    char *end;
    *value = strtoul(text, &end, 10);
    return text[0] >= '0' && text[0] <= '9' && *end == '\0' && *value > 0 && *value <= max;
}

static int parse_serial(const char *rest, enum ferry_transport_kind kind,
                        struct ferry_transport_address *address, char *why, size_t cap)
{
    size_t len = strcspn(rest, "?");
    const char *query = rest + len;
    unsigned long baud = DEFAULT_BAUD;

    address->kind = kind;
    if (copy(address->path, sizeof address->path, rest, len) != FERRY_OK) {
        return bad(why, cap,
                   "the URI names no serial port; write serial:/dev/ttyACM0 or raw:/dev/ttyACM0");
    }
    if (*query == '?' &&
        (strncmp(query, "?baud=", 6) != 0 || !number(query + 6, 12000000, &baud))) {
        return bad(why, cap, "behind '?' only baud=NUMBER is known, such as ?baud=115200");
    }
    address->baud = (uint32_t)baud;
    return FERRY_OK;
}

/* HOST, HOST:PORT, [V6], [V6]:PORT */
static int parse_udp(const char *rest, struct ferry_transport_address *address, char *why,
                     size_t cap)
{
    unsigned long port = 1337;
    const char *host = rest;
    size_t len = strcspn(rest, ":");

    address->kind = FERRY_TRANSPORT_UDP;
    rest += len;
    if (*host == '[') {
        host++;
        len = strcspn(host, "]");
        rest = host + len + (host[len] == ']');
    }
    if (copy(address->path, sizeof address->path, host, len) != FERRY_OK) {
        return bad(why, cap, "the URI names no host; write udp:HOST or udp:HOST:1337");
    }
    if (*rest != '\0' && (*rest != ':' || !number(rest + 1, 65535, &port))) {
        return bad(why, cap, "the UDP port must be a number from 1 to 65535");
    }
    snprintf(address->port, sizeof address->port, "%lu", port);
    return FERRY_OK;
}

int ferry_transport_parse(const char *uri, struct ferry_transport_address *address, char *why,
                          size_t cap)
{
    *address = (struct ferry_transport_address){0};
    if (strncmp(uri, "serial:", 7) == 0) {
        return parse_serial(uri + 7, FERRY_TRANSPORT_SERIAL, address, why, cap);
    }
    if (strncmp(uri, "raw:", 4) == 0) {
        return parse_serial(uri + 4, FERRY_TRANSPORT_RAW, address, why, cap);
    }
    if (strncmp(uri, "udp:", 4) == 0) {
        return parse_udp(uri + 4, address, why, cap);
    }
    if (strchr(uri, '/') == NULL && strchr(uri, ':') != NULL) {
        return bad(why, cap,
                   "unknown kind of URI; there are serial:PATH, raw:PATH and udp:HOST[:PORT]");
    }
    return parse_serial(uri, FERRY_TRANSPORT_SERIAL, address, why, cap);
}
