/* SPDX-License-Identifier: Apache-2.0 */
/* Peers of a server on datagrams: who is proven, how much is done for each, what may be answered.
 */
#include "ferry/peers.h"

#include <string.h>

/* ---- Rates ---------------------------------------------------------------------------- */

static bool rate_is_good(const struct ferry_peers_rate *rate)
{
    return rate->rate == 0 || rate->burst > 0;
}

static void fill(struct ferry_peers_bucket *bucket, const struct ferry_peers_rate *rate,
                 uint64_t now_ms)
{
    bucket->filled_ms = now_ms;
    bucket->thousandths = 1000U * rate->burst;
}

/* What has come in since: a request a second are a thousandth of one a millisecond. */
static void refill(struct ferry_peers_bucket *bucket, const struct ferry_peers_rate *rate,
                   uint64_t now_ms)
{
    uint32_t most = 1000U * rate->burst;
    uint64_t since = now_ms > bucket->filled_ms ? now_ms - bucket->filled_ms : 0;

    if (since >= most || since * rate->rate >= most - bucket->thousandths) {
        bucket->thousandths = most;
    } else {
        bucket->thousandths += (uint32_t)(since * rate->rate);
    }
    bucket->filled_ms = now_ms;
}

static bool has_one(struct ferry_peers_bucket *bucket, const struct ferry_peers_rate *rate,
                    uint64_t now_ms)
{
    if (rate->rate == 0) {
        return true;
    }
    refill(bucket, rate, now_ms);
    return bucket->thousandths >= 1000;
}

static void take_one(struct ferry_peers_bucket *bucket, const struct ferry_peers_rate *rate)
{
    bucket->thousandths -= rate->rate == 0 ? 0 : 1000;
}

/* ---- Peers ---------------------------------------------------------------------------- */

int ferry_peers_init(struct ferry_peers *peers, const struct ferry_peers_limits *limits,
                     struct ferry_peers_entry *entries, size_t count)
{
    if (entries == NULL || count == 0 || !rate_is_good(&limits->each) ||
        !rate_is_good(&limits->unproven)) {
        return FERRY_E_CONFIG;
    }
    memset(peers, 0, sizeof(*peers));
    memset(entries, 0, count * sizeof(*entries));
    peers->limits = limits;
    peers->entries = entries;
    peers->count = count;
    fill(&peers->unproven, &limits->unproven, 0);
    return FERRY_OK;
}

static struct ferry_bytes cut(struct ferry_bytes address)
{
    address.len = ferry_min32((uint32_t)address.len, FERRY_PEERS_ADDRESS);
    return address;
}

static struct ferry_peers_entry *find(const struct ferry_peers *peers, struct ferry_bytes address)
{
    for (size_t i = 0; i < peers->count; i++) {
        struct ferry_peers_entry *entry = &peers->entries[i];

        if (entry->len != 0 && entry->len == address.len &&
            memcmp(entry->address, address.data, address.len) == 0) {
            return entry;
        }
    }
    return NULL;
}

static bool is_proven(const struct ferry_peers *peers, const struct ferry_peers_entry *entry,
                      uint64_t now_ms)
{
    uint32_t lasts =
        peers->limits->proven_ms != 0 ? peers->limits->proven_ms : FERRY_PEERS_PROVEN_MS;

    return entry->proven && now_ms >= entry->proven_ms && now_ms - entry->proven_ms < lasts;
}

/* A free place; else that of the peer heard last the longest ago that is not proven; else, for a
 * peer that is, that of a proven one. NULL: there is none. */
static struct ferry_peers_entry *place_for(const struct ferry_peers *peers, bool proven,
                                           uint64_t now_ms)
{
    struct ferry_peers_entry *oldest[2] = {NULL, NULL}; /* of those not proven, and proven */

    for (size_t i = 0; i < peers->count; i++) {
        struct ferry_peers_entry *entry = &peers->entries[i];
        struct ferry_peers_entry **place = &oldest[is_proven(peers, entry, now_ms) ? 1 : 0];

        if (entry->len == 0) {
            return entry;
        }
        if (*place == NULL || entry->seen_ms < (*place)->seen_ms) {
            *place = entry;
        }
    }
    return oldest[0] != NULL || !proven ? oldest[0] : oldest[1];
}

static void count_one(uint32_t *counter)
{
    *counter += *counter < UINT32_MAX ? 1 : 0;
}

/* The entry of a peer, a new one if need be. NULL: there is no place. */
static struct ferry_peers_entry *remember(struct ferry_peers *peers, struct ferry_bytes address,
                                          bool proven, uint64_t now_ms)
{
    struct ferry_peers_entry *entry = find(peers, address);

    if (entry == NULL) {
        entry = place_for(peers, proven, now_ms);
        if (entry == NULL) {
            return NULL;
        }
        if (entry->len != 0) {
            count_one(&peers->counters.evicted);
        }
        memset(entry, 0, sizeof(*entry));
        memcpy(entry->address, address.data, address.len);
        entry->len = (uint8_t)address.len;
        fill(&entry->bucket, &peers->limits->each, now_ms);
    }
    entry->seen_ms = now_ms;
    return entry;
}

bool ferry_peers_admit(struct ferry_peers *peers, struct ferry_bytes address, uint64_t now_ms)
{
    const struct ferry_peers_limits *limits = peers->limits;
    struct ferry_peers_entry *entry;
    bool proven;

    address = cut(address);
    entry = address.len > 0 ? remember(peers, address, false, now_ms) : NULL;
    proven = entry != NULL && is_proven(peers, entry, now_ms);
    if (address.len == 0 || (entry != NULL && !has_one(&entry->bucket, &limits->each, now_ms)) ||
        (!proven && !has_one(&peers->unproven, &limits->unproven, now_ms))) {
        count_one(&peers->counters.refused);
        return false;
    }
    if (entry != NULL) {
        take_one(&entry->bucket, &limits->each);
    }
    if (!proven) {
        take_one(&peers->unproven, &limits->unproven);
    }
    return true;
}

void ferry_peers_prove(struct ferry_peers *peers, struct ferry_bytes address, uint64_t now_ms)
{
    struct ferry_peers_entry *entry;

    address = cut(address);
    entry = address.len > 0 ? remember(peers, address, true, now_ms) : NULL;
    if (entry != NULL) {
        entry->proven = true;
        entry->proven_ms = now_ms;
    }
}

bool ferry_peers_proven(const struct ferry_peers *peers, struct ferry_bytes address,
                        uint64_t now_ms)
{
    const struct ferry_peers_entry *entry = find(peers, cut(address));

    return entry != NULL && is_proven(peers, entry, now_ms);
}

/* ---- Answers --------------------------------------------------------------------------- */

struct ferry_peers_grant ferry_peers_begin(const struct ferry_peers *peers,
                                           struct ferry_bytes address, uint64_t now_ms,
                                           size_t request)
{
    uint32_t counted = ferry_min32((uint32_t)request, UINT16_MAX) + FERRY_PEERS_HEADERS;
    struct ferry_peers_grant grant = {FERRY_PEERS_FACTOR * counted};

    if (ferry_peers_proven(peers, address, now_ms)) {
        grant.left = UINT32_MAX;
    }
    return grant;
}

size_t ferry_peers_room(const struct ferry_peers_grant *grant, size_t cap)
{
    size_t room = grant->left > FERRY_PEERS_HEADERS ? grant->left - FERRY_PEERS_HEADERS : 0;

    if (grant->left == UINT32_MAX) {
        return cap;
    }
    room = room < FERRY_PEERS_ANSWER_MAX ? room : FERRY_PEERS_ANSWER_MAX;
    return room < cap ? room : cap;
}

void ferry_peers_spend(struct ferry_peers_grant *grant, size_t len)
{
    uint32_t spent = (uint32_t)len + FERRY_PEERS_HEADERS;

    if (grant->left != UINT32_MAX) {
        grant->left -= spent < grant->left ? spent : grant->left;
    }
}

uint16_t ferry_peers_pad(size_t cap)
{
    size_t largest = cap < FERRY_PEERS_ANSWER_MAX ? cap : FERRY_PEERS_ANSWER_MAX;
    size_t counted = (largest + FERRY_PEERS_HEADERS + FERRY_PEERS_FACTOR - 1) / FERRY_PEERS_FACTOR;

    return (uint16_t)(counted > FERRY_PEERS_HEADERS ? counted - FERRY_PEERS_HEADERS : 0);
}
