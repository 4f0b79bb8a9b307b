/* SPDX-License-Identifier: Apache-2.0 */
#include "dtls_pair.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <sys/time.h>

#include <cmocka.h>

#define ALERT 21 /* the type of a record */

/* ---- Time ---------------------------------------------------------------------------- */

static uint64_t world_ms;

/* OpenSSL has no other clock for its timers, and no way to be given one. */
int gettimeofday(struct timeval *restrict now, void *restrict zone)
{
    (void)zone;
    now->tv_sec = (time_t)(1000000 + world_ms / 1000);
    now->tv_usec = (suseconds_t)(world_ms % 1000 * 1000);
    return 0;
}

/* ---- The path ------------------------------------------------------------------------ */

static bool is_unlucky(struct pair *pair, unsigned percent)
{
    pair->random = pair->random * 1103515245U + 12345U;
    return (pair->random >> 16) % 100 < percent;
}

static void push(struct pair_queue *queue, const void *data, size_t len)
{
    struct pair_datagram *item = &queue->items[queue->count++];

    assert_true(queue->count < PAIR_QUEUE);
    item->data = malloc(len + 1);
    memcpy(item->data, data, len);
    item->len = len;
}

static struct pair_datagram pull(struct pair_queue *queue, size_t at)
{
    struct pair_datagram item = queue->items[at];

    queue->count--;
    memmove(&queue->items[at], &queue->items[at + 1], (queue->count - at) * sizeof queue->items[0]);
    return item;
}

static void empty(struct pair_queue *queue)
{
    while (queue->count > 0) {
        free(queue->items[--queue->count].data);
    }
}

static void carry(struct pair *pair, enum pair_end to, struct ferry_bytes datagram)
{
    push(&pair->all[to], datagram.data, datagram.len);
    if (is_unlucky(pair, pair->loss) || (pair->no_alerts && datagram.data[0] == ALERT)) {
        return;
    }
    push(&pair->to[to], datagram.data, datagram.len);
    if (is_unlucky(pair, pair->damage)) {
        struct pair_datagram *last = &pair->to[to].items[pair->to[to].count - 1];
        last->data[(pair->random >> 3) % last->len] ^= (uint8_t)(1u << (pair->random & 7));
    }
    if (is_unlucky(pair, pair->doubling)) {
        push(&pair->to[to], datagram.data, datagram.len);
    }
}

static void from_client(void *context, struct ferry_bytes datagram)
{
    carry(context, PAIR_SERVER, datagram);
}

static void from_server(void *context, struct ferry_bytes datagram)
{
    carry(context, PAIR_CLIENT, datagram);
}

/* ---- The ends ------------------------------------------------------------------------ */

void pair_begin(struct pair *pair, const struct ferry_dtls_config *client,
                const struct ferry_dtls_config *server)
{
    char why[256] = "";

    memset(pair, 0, sizeof *pair);
    pair->now = world_ms;
    if (ferry_dtls_context_new(&pair->contexts[PAIR_CLIENT], client, why, sizeof why) != 0 ||
        ferry_dtls_context_new(&pair->contexts[PAIR_SERVER], server, why, sizeof why) != 0) {
        fail_msg("%s", why);
    }
}

void pair_end(struct pair *pair)
{
    for (int end = 0; end < 2; end++) {
        ferry_dtls_free(pair->ends[end]);
        ferry_dtls_context_free(pair->contexts[end]);
        empty(&pair->to[end]);
        empty(&pair->all[end]);
        empty(&pair->got[end]);
    }
}

void pair_connect(struct pair *pair)
{
    const struct ferry_dtls_out out = {from_client, pair};

    pair->ends[PAIR_CLIENT] = ferry_dtls_connect(pair->contexts[PAIR_CLIENT], out, pair->now);
    assert_non_null(pair->ends[PAIR_CLIENT]);
}

void pair_deliver(struct pair *pair, enum pair_end end, const void *data, size_t len)
{
    const struct ferry_dtls_out out = {from_server, pair};
    const struct ferry_bytes peer = {(const uint8_t *)PAIR_PEER, strlen(PAIR_PEER)};
    const struct ferry_bytes datagram = {data, len};
    struct ferry_bytes packet;

    if (end == PAIR_SERVER && pair->ends[end] == NULL) {
        pair->ends[end] = ferry_dtls_listen(pair->contexts[end], peer, datagram, out, pair->now);
        return;
    }
    ferry_dtls_receive(pair->ends[end], datagram, pair->now);
    while (ferry_dtls_read(pair->ends[end], &packet) == 1) {
        push(&pair->got[end], packet.data, packet.len);
    }
}

/* Everything that is on its way arrives. */
static void arrive(struct pair *pair)
{
    while (pair->to[0].count + pair->to[1].count > 0) {
        enum pair_end end = pair->to[PAIR_SERVER].count > 0 ? PAIR_SERVER : PAIR_CLIENT;
        bool swap = pair->to[end].count > 1 && is_unlucky(pair, pair->swapping);
        struct pair_datagram item = pull(&pair->to[end], swap ? 1 : 0);
        pair_deliver(pair, end, item.data, item.len);
        free(item.data);
    }
}

void pair_run(struct pair *pair, uint64_t to_ms)
{
    for (;;) {
        uint64_t next = FERRY_DTLS_NEVER;
        arrive(pair);
        for (int end = 0; end < 2; end++) {
            if (pair->ends[end] != NULL) {
                uint64_t at = ferry_dtls_deadline(pair->ends[end], pair->now);
                next = at < next ? at : next;
            }
        }
        if (next > to_ms) {
            return;
        }
        pair->now = world_ms = next > pair->now ? next : pair->now;
        for (int end = 0; end < 2; end++) {
            if (pair->ends[end] != NULL) {
                ferry_dtls_tick(pair->ends[end], pair->now);
            }
        }
    }
}

void pair_open(struct pair *pair)
{
    pair_connect(pair);
    pair_run(pair, pair->now + FERRY_DTLS_HANDSHAKE_MS);
    assert_true(pair_is_open(pair));
}

bool pair_is_open(const struct pair *pair)
{
    return pair->ends[0] != NULL && ferry_dtls_state(pair->ends[0]) == FERRY_DTLS_OPEN &&
           pair->ends[1] != NULL && ferry_dtls_state(pair->ends[1]) == FERRY_DTLS_OPEN;
}

bool pair_send(struct pair *pair, enum pair_end from, const char *text)
{
    const struct ferry_bytes packet = {(const uint8_t *)text, strlen(text)};

    return ferry_dtls_send(pair->ends[from], packet) == FERRY_OK;
}

bool pair_got(const struct pair *pair, enum pair_end end, size_t at, const char *text)
{
    return at < pair->got[end].count && pair->got[end].items[at].len == strlen(text) &&
           memcmp(pair->got[end].items[at].data, text, strlen(text)) == 0;
}
