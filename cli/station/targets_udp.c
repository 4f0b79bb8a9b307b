/* SPDX-License-Identifier: Apache-2.0 */
/* udp:HOST, and many of them: udp:10.0.0.10-60, udp:10.0.0.0/24, udp:HOST:20000-20999; dtls: with
 * the same. */
#include "targets.h"

#include <arpa/inet.h>
#include <stdlib.h>
#include <string.h>

/* What a word names: hosts first .. last, or one by its name; each with ports low .. high. */
struct range {
    const char *word;
    int kind;       /* characters of "udp:" or "dtls:" in front of it */
    char host[300]; /* as it is written, brackets included; "" = addresses */
    uint32_t first;
    uint32_t last;
    uint32_t low; /* 0 = none given */
    uint32_t high;
};

static int wrong(const struct cli *cli, const struct range *range, const char *what)
{
    return cli_fail(cli, CLI_USAGE,
                    "write udp:HOST[:PORT], udp:10.0.0.10-60, udp:10.0.0.0/24 or "
                    "udp:HOST:20000-20999; dtls: takes the same",
                    "cannot read '%s': %s", range->word, what);
}

static bool address(const char *text, uint32_t *value)
{
    struct in_addr in;
    bool good = inet_pton(AF_INET, text, &in) == 1;

    *value = good ? ntohl(in.s_addr) : 0;
    return good;
}

/* PORT or LOW-HIGH. */
static bool read_ports(const char *text, struct range *range)
{
    char low[16];
    const char *dash = strchr(text, '-');

    snprintf(low, sizeof low, "%.*s", (int)(dash != NULL ? dash - text : 8), text);
    return cli_number(low, 65535, &range->low) == FERRY_OK && range->low > 0 &&
           cli_number(dash != NULL ? dash + 1 : low, 65535, &range->high) == FERRY_OK &&
           range->low <= range->high;
}

/* ADDRESS-LAST, the last one whole or its last number alone. */
static bool read_to(const char *last, struct range *range)
{
    uint32_t number;

    if (address(last, &range->last)) {
        return range->first <= range->last;
    }
    if (cli_number(last, 255, &number) != FERRY_OK) {
        return false;
    }
    range->last = (range->first & 0xffffff00U) | number;
    return range->first <= range->last;
}

/* ADDRESS/BITS: without the network's own address and that of all, where it has them. */
static bool read_network(const char *text, struct range *range)
{
    uint32_t bits;

    if (cli_number(text, 32, &bits) != FERRY_OK || bits < 1) {
        return false;
    }
    uint32_t mask = 0xffffffffU << (32 - bits);
    uint32_t ends = bits < 31 ? 1 : 0;

    range->last = (range->first | ~mask) - ends;
    range->first = (range->first & mask) + ends;
    return true;
}

/* Part the host from what makes several of it. host: cut behind its end. */
static int read_host(const struct cli *cli, char *host, struct range *range)
{
    size_t len = strspn(host, "0123456789.");
    char mark = host[len];

    if (mark == '-' || mark == '/') {
        host[len] = '\0';
        if (address(host, &range->first)) {
            bool good =
                mark == '-' ? read_to(host + len + 1, range) : read_network(host + len + 1, range);
            return good ? CLI_OK : wrong(cli, range, "no range of addresses");
        }
        host[len] = mark; /* "1-wire.local" is a name */
    }
    snprintf(range->host, sizeof range->host, "%s", host);
    return host[0] != '\0' ? CLI_OK : wrong(cli, range, "no host");
}

static int read_range(const struct cli *cli, const char *word, struct range *range)
{
    char text[300];
    *range = (struct range){.word = word, .kind = (int)strcspn(word, ":") + 1};
    int len = snprintf(text, sizeof text, "%s", word + range->kind);
    char *behind = text[0] == '[' ? strchr(text, ']') : text;
    char *colon = behind != NULL ? strchr(behind, ':') : NULL;

    if (len < 0 || (size_t)len >= sizeof text) {
        return wrong(cli, range, "it is too long");
    }
    if (colon != NULL) {
        *colon = '\0';
        if (!read_ports(colon + 1, range)) {
            return wrong(cli, range, "no port, from 1 to 65535, or range of them");
        }
    }
    return read_host(cli, text, range);
}

static int add_host(const struct cli *cli, struct targets *targets, const struct range *range,
                    const char *host, const char *name)
{
    char uri[320];
    int code = CLI_OK;

    if (range->low == 0) {
        snprintf(uri, sizeof uri, "%.*s%s", range->kind, range->word, host);
        return targets_add_uri(cli, targets, uri, name);
    }
    for (uint32_t port = range->low; port <= range->high && code == CLI_OK; port++) {
        snprintf(uri, sizeof uri, "%.*s%s:%u", range->kind, range->word, host, (unsigned)port);
        code = targets_add_uri(cli, targets, uri, name);
    }
    return code;
}

int targets_add_udp(const struct cli *cli, struct targets *targets, const char *word,
                    const char *name)
{
    struct range range;
    int code = read_range(cli, word, &range);

    if (code != CLI_OK || range.host[0] != '\0') {
        return code == CLI_OK ? add_host(cli, targets, &range, range.host, name) : code;
    }
    if ((uint64_t)(range.last - range.first) + 1 > TARGETS_MAX) {
        return cli_fail(cli, CLI_USAGE, "name a smaller network, or split it",
                        "'%s' are %llu devices, and a station serves %d at most", word,
                        (unsigned long long)range.last - range.first + 1, TARGETS_MAX);
    }
    for (uint32_t host = range.first; code == CLI_OK; host++) {
        char text[INET_ADDRSTRLEN];
        struct in_addr in = {htonl(host)};
        (void)inet_ntop(AF_INET, &in, text, sizeof text);
        code = add_host(cli, targets, &range, text, name);
        if (host == range.last) {
            break;
        }
    }
    return code;
}
