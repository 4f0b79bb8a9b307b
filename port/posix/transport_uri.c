/* SPDX-License-Identifier: Apache-2.0 */
/* URIs of devices. */
#include "transport.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define DEFAULT_BAUD     115200
#define DEFAULT_UDP_PORT "1337"
#define BAUD_MAX         12000000

/* Of struct sockaddr_un, with the NUL. */
#define UNIX_PATH_MAX 108

#define QUERY_HELP "behind '?' baud=NUMBER and framing=raw are known, as ?baud=115200&framing=raw"

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

/* What stands behind '?': baud=N and framing=console|raw, joined by '&'. */
static int parse_query(const char *query, struct ferry_transport_address *address, char *why,
                       size_t cap)
{
    while (*query == '?' || *query == '&') {
        char value[16];
        unsigned long baud;
        const char *pair = query + 1;
        size_t len = strcspn(pair, "&");
        size_t name = strcspn(pair, "=&");

        query = pair + len;
        if (name >= len || copy(value, sizeof value, pair + name + 1, len - name - 1) != FERRY_OK) {
            return bad(why, cap, QUERY_HELP);
        }
        if (strncmp(pair, "baud=", 5) == 0 && number(value, BAUD_MAX, &baud)) {
            address->baud = (uint32_t)baud;
        } else if (strncmp(pair, "framing=", 8) == 0 && strcmp(value, "raw") == 0) {
            address->framing = FERRY_FRAMING_RAW;
        } else if (strncmp(pair, "framing=", 8) != 0 || strcmp(value, "console") != 0) {
            return bad(why, cap, QUERY_HELP);
        }
    }
    return FERRY_OK;
}

static int parse_serial(const char *rest, enum ferry_transport_framing framing,
                        struct ferry_transport_address *address, char *why, size_t cap)
{
    size_t len = strcspn(rest, "?");

    address->medium = FERRY_TRANSPORT_SERIAL;
    address->framing = framing;
    address->baud = DEFAULT_BAUD;
    if (copy(address->path, sizeof address->path, rest, len) != FERRY_OK) {
        return bad(why, cap,
                   "the URI names no serial port; write serial:/dev/ttyACM0 or raw:/dev/ttyACM0");
    }
    return parse_query(rest + len, address, why, cap);
}

static int parse_unix(const char *rest, struct ferry_transport_address *address, char *why,
                      size_t cap)
{
    size_t len = strcspn(rest, "?");

    address->medium = FERRY_TRANSPORT_UNIX;
    if (copy(address->path, UNIX_PATH_MAX, rest, len) != FERRY_OK) {
        return bad(why, cap, "write unix:PATH, the path of a socket, at most 107 characters");
    }
    return parse_query(rest + len, address, why, cap);
}

/* HOST, HOST:PORT, [V6], [V6]:PORT at the beginning of rest. port is 0 when there is none.
 * Returns what follows, or NULL. */
static const char *parse_host(const char *rest, struct ferry_transport_address *address,
                              unsigned long *port)
{
    const char *host = rest;
    size_t len = strcspn(rest, ":?");

    rest += len;
    *port = 0;
    if (*host == '[') {
        host++;
        len = strcspn(host, "]");
        if (host[len] == '\0') {
            return NULL;
        }
        rest = host + len + 1;
    }
    if (copy(address->path, sizeof address->path, host, len) != FERRY_OK) {
        return NULL;
    }
    if (*rest == ':') {
        len = strcspn(rest + 1, "?");
        if (copy(address->port, sizeof address->port, rest + 1, len) != FERRY_OK ||
            !number(address->port, 65535, port)) {
            return NULL;
        }
        rest += 1 + len;
    }
    return rest;
}

/* UDP, in the open or in DTLS. */
static bool parse_datagrams(const char *rest, struct ferry_transport_address *address)
{
    unsigned long port;

    address->framing = FERRY_FRAMING_DATAGRAM;
    rest = parse_host(rest, address, &port);
    if (rest == NULL || *rest != '\0') {
        return false;
    }
    if (port == 0) {
        memcpy(address->port, DEFAULT_UDP_PORT, sizeof DEFAULT_UDP_PORT);
    }
    return true;
}

static int parse_udp(const char *rest, struct ferry_transport_address *address, char *why,
                     size_t cap)
{
    address->medium = FERRY_TRANSPORT_UDP;
    return parse_datagrams(rest, address)
               ? FERRY_OK
               : bad(why, cap, "write udp:HOST or udp:HOST:1337, with a port from 1 to 65535");
}

static int parse_dtls(const char *rest, struct ferry_transport_address *address, char *why,
                      size_t cap)
{
    address->medium = FERRY_TRANSPORT_DTLS;
    return parse_datagrams(rest, address)
               ? FERRY_OK
               : bad(why, cap, "write dtls:HOST or dtls:HOST:1337, with a port from 1 to 65535");
}

/* One of the things that may stand behind '?'. */
static bool take_ble(const char *pair, size_t len, struct ferry_transport_address *address)
{
    static const char adapter[] = "adapter=";
    static const char security[] = "security=";
    static const char *const levels[] = {"any", "encrypted", "authenticated"};
    char value[16];

    if (len > sizeof adapter - 1 && strncmp(pair, adapter, sizeof adapter - 1) == 0) {
        return copy(address->adapter, sizeof address->adapter, pair + sizeof adapter - 1,
                    len - (sizeof adapter - 1)) == FERRY_OK;
    }
    if (len < sizeof security - 1 || strncmp(pair, security, sizeof security - 1) != 0 ||
        copy(value, sizeof value, pair + sizeof security - 1, len - (sizeof security - 1)) !=
            FERRY_OK) {
        return false;
    }
    for (size_t i = 0; i < sizeof levels / sizeof levels[0]; i++) {
        if (strcmp(value, levels[i]) == 0) {
            address->security = (enum ferry_transport_security)i;
            return true;
        }
    }
    return false;
}

static int parse_ble(const char *rest, struct ferry_transport_address *address, char *why,
                     size_t cap)
{
    size_t len = strcspn(rest, "?");

    address->medium = FERRY_TRANSPORT_BLE;
    address->framing = FERRY_FRAMING_DATAGRAM;
    if (copy(address->path, sizeof address->path, rest, len) != FERRY_OK) {
        return bad(why, cap, "write ble:NAME or ble:AA:BB:CC:DD:EE:FF; ferry scan lists both");
    }
    for (rest += len; *rest != '\0'; rest += len) {
        rest++;
        len = strcspn(rest, "&");
        if (!take_ble(rest, len, address)) {
            return bad(why, cap,
                       "behind '?' adapter=NAME and security=any, encrypted or authenticated are "
                       "known, as ?adapter=hci1&security=encrypted; give the address of a device "
                       "whose name has a '?'");
        }
    }
    return FERRY_OK;
}

static int parse_tcp(const char *rest, struct ferry_transport_address *address, char *why,
                     size_t cap)
{
    unsigned long port;

    address->medium = FERRY_TRANSPORT_TCP;
    rest = parse_host(rest, address, &port);
    if (rest == NULL || port == 0 || (*rest != '\0' && *rest != '?')) {
        return bad(why, cap, "write tcp:HOST:PORT, with a port from 1 to 65535");
    }
    return parse_query(rest, address, why, cap);
}

static int parse_console(const char *rest, struct ferry_transport_address *address, char *why,
                         size_t cap)
{
    return parse_serial(rest, FERRY_FRAMING_CONSOLE, address, why, cap);
}

static int parse_raw(const char *rest, struct ferry_transport_address *address, char *why,
                     size_t cap)
{
    return parse_serial(rest, FERRY_FRAMING_RAW, address, why, cap);
}

static const struct {
    const char *prefix;
    int (*parse)(const char *rest, struct ferry_transport_address *address, char *why, size_t cap);
} kinds[] = {
    {"serial:", parse_console}, {"raw:", parse_raw},   {"udp:", parse_udp}, {"tcp:", parse_tcp},
    {"unix:", parse_unix},      {"dtls:", parse_dtls}, {"ble:", parse_ble},
};

int ferry_transport_parse(const char *uri, struct ferry_transport_address *address, char *why,
                          size_t cap)
{
    *address = (struct ferry_transport_address){0};
    for (size_t i = 0; i < sizeof kinds / sizeof kinds[0]; i++) {
        size_t len = strlen(kinds[i].prefix);
        if (strncmp(uri, kinds[i].prefix, len) == 0) {
            return kinds[i].parse(uri + len, address, why, cap);
        }
    }
    if (strchr(uri, '/') == NULL && strchr(uri, ':') != NULL) {
        return bad(why, cap,
                   "unknown kind of URI; there are serial:PATH, raw:PATH, udp:HOST[:PORT], "
                   "dtls:HOST[:PORT], tcp:HOST:PORT, unix:PATH and ble:NAME");
    }
    return parse_console(uri, address, why, cap);
}
