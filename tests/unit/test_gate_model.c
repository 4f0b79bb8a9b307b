/* SPDX-License-Identifier: Apache-2.0 */
/* The gate beside a model of it: thousands of challenges, unlocks, replays, guesses, locks and
 * jumps of the clock in random order, and after each of them both say the same. */
#include "ferry/crypto.h"
#include "ferry/gate.h"
#include "test_image.h"
#include "test_keys.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

enum { WIRES = 2, PEERS = 3, KEPT = 32, STEPS = 4000, SEEDS = 3, CHALLENGE_MS = 5000 };

static const enum test_key_id signers[] = {TEST_KEY_ED25519, TEST_KEY_ED25519_OTHER};

/* A request that was signed once, to be sent again later. */
struct signed_request {
    uint8_t wire, level, key;
    uint32_t seconds;
    uint8_t nonce[FERRY_ACCESS_NONCE_SIZE];
    uint8_t signature[104];
};

/* What a peer should be like. Failures are its wire's. */
struct model {
    int level;
    uint64_t level_from, level_ms; /* for so long; 0: locked */
    bool waits;
    uint64_t nonce_from;
    uint8_t nonce[FERRY_ACCESS_NONCE_SIZE];
};

struct model_wire {
    struct model peers[PEERS];
    unsigned failures;
    uint64_t failed;
    uint64_t seen;
};

static struct {
    struct ferry_gate gate;
    struct ferry_gate_wire wires[WIRES];
    struct ferry_gate_key keys[2];
    struct ferry_gate_config config;
    struct model_wire model[WIRES];
    struct signed_request kept[KEPT];
    size_t kept_count;
    uint64_t now;
    uint64_t random;
    unsigned granted, refused;
} bench;

static uint32_t roll(uint32_t below)
{
    bench.random ^= bench.random << 13;
    bench.random ^= bench.random >> 7;
    bench.random ^= bench.random << 17;
    return (uint32_t)(bench.random >> 16) % below;
}

static uint64_t now_ms(void *context)
{
    (void)context;
    return bench.now;
}

static int random_bytes(void *context, uint8_t *bytes, size_t len)
{
    (void)context;
    for (size_t i = 0; i < len; i++) {
        bytes[i] = (uint8_t)roll(256);
    }
    return FERRY_OK;
}

static const uint8_t *public_key(size_t key)
{
    const struct test_key *found = &test_keys[signers[key]];

    return found->public_der + found->public_len - FERRY_ACCESS_KEY_SIZE;
}

static void start(uint64_t seed)
{
    static const uint8_t id[] = "model";

    memset(&bench, 0, sizeof(bench));
    bench.random = seed * 0x9e3779b97f4a7c15ULL + 1;
    bench.now = roll(100000);
    for (size_t i = 0; i < 2; i++) {
        memcpy(bench.keys[i].bytes, public_key(i), FERRY_ACCESS_KEY_SIZE);
    }
    bench.keys[0].level = FERRY_ACCESS_SERVICE;
    bench.keys[0].seconds = 20;
    bench.keys[1].level = FERRY_ACCESS_UPDATE;
    bench.keys[1].seconds = 4;
    bench.config = (struct ferry_gate_config){.policy = &ferry_gate_locked,
                                              .keys = bench.keys,
                                              .key_count = 2,
                                              .device_id = {id, sizeof(id)},
                                              .now_ms = now_ms,
                                              .random = random_bytes,
                                              .challenge_ms = CHALLENGE_MS};
    assert_int_equal(ferry_gate_init(&bench.gate, &bench.config, bench.wires, WIRES), FERRY_OK);
}

/* ---- The model ------------------------------------------------------------------------------- */

static const struct ferry_server_peer *who(unsigned wire, unsigned peer)
{
    static struct ferry_server_peer sender;

    sender = (struct ferry_server_peer){.id = peer * 1000, .transport = (uint8_t)wire};
    return &sender;
}

/* What the time does to a peer. */
static void pass(struct model *model, bool back)
{
    if (back) {
        model->level_ms = 0;
        model->waits = false;
    }
    if (model->level_ms > 0 && bench.now - model->level_from >= model->level_ms) {
        model->level_ms = 0;
    }
    if (model->waits && bench.now - model->nonce_from >= CHALLENGE_MS) {
        model->waits = false;
    }
    if (model->level_ms == 0) {
        model->level = FERRY_ACCESS_LOCKED;
    }
}

/* … and to all of its wire. */
static struct model *look(unsigned wire, unsigned peer)
{
    struct model_wire *model = &bench.model[wire];
    bool back = bench.now < model->seen;

    if (back) {
        model->failed = bench.now;
    }
    model->seen = bench.now;
    for (unsigned i = 0; i < PEERS; i++) {
        pass(&model->peers[i], back);
    }
    return &model->peers[peer];
}

static int expected(unsigned wire, unsigned peer, const struct signed_request *request,
                    bool damaged)
{
    const struct model *model = look(wire, peer);
    const struct model_wire *all = &bench.model[wire];

    if (all->failures >= FERRY_GATE_FAILURES && bench.now - all->failed < FERRY_GATE_WAIT_MS) {
        return FERRY_E_BUSY;
    }
    if (request->level == 0 || request->level > bench.keys[request->key].level) {
        return FERRY_E_RANGE;
    }
    if (request->seconds == 0 || request->seconds > bench.keys[request->key].seconds) {
        return FERRY_E_UNLOCK_TIME;
    }
    if (!model->waits) {
        return FERRY_E_STATE;
    }
    return !damaged && request->wire == wire &&
                   memcmp(request->nonce, model->nonce, sizeof(model->nonce)) == 0
               ? FERRY_OK
               : FERRY_E_SIGNATURE;
}

/* ---- Steps -------------------------------------------------------------------------------------
 */

static void send(unsigned wire, unsigned peer, const struct signed_request *request, bool damaged)
{
    struct model *model = look(wire, peer);
    int should = expected(wire, peer, request, damaged);
    uint8_t signature[FERRY_ACCESS_SIGNATURE_SIZE];
    const struct ferry_gate_request sent = {.key = public_key(request->key),
                                            .level = request->level,
                                            .seconds = request->seconds,
                                            .signature = signature};

    memcpy(signature, request->signature, sizeof(signature));
    if (damaged) {
        signature[roll(sizeof(signature))] ^= (uint8_t)(1U << roll(8));
    }
    assert_int_equal(ferry_gate_unlock(&bench.gate, who(wire, peer), &sent), should);
    if (should == FERRY_OK) {
        model->level = request->level;
        model->level_from = bench.now;
        model->level_ms = (uint64_t)request->seconds * 1000;
        model->waits = false;
        bench.model[wire].failures = 0;
        bench.granted++;
    } else {
        bench.refused++;
    }
    if (should == FERRY_E_SIGNATURE) {
        bench.model[wire].failures++;
        bench.model[wire].failed = bench.now;
    }
}

static void challenge(unsigned wire, unsigned peer)
{
    struct ferry_gate_challenge made;
    struct model *model = look(wire, peer);

    assert_int_equal(ferry_gate_challenge(&bench.gate, who(wire, peer), public_key(roll(2)), &made),
                     FERRY_OK);
    if (model->waits) {
        assert_memory_equal(made.nonce, model->nonce, sizeof(made.nonce));
        return;
    }
    memcpy(model->nonce, made.nonce, sizeof(made.nonce));
    model->waits = true;
    model->nonce_from = bench.now;
}

/* Sign what is asked for, with the peer's nonce, and keep it. */
static const struct signed_request *sign(unsigned wire, unsigned peer)
{
    struct signed_request *request = &bench.kept[bench.kept_count++ % KEPT];
    uint8_t bytes[FERRY_ACCESS_MESSAGE_MAX];

    *request = (struct signed_request){.wire = (uint8_t)wire,
                                       .level = (uint8_t)(roll(6) == 0 ? roll(4) : 1 + roll(2)),
                                       .key = (uint8_t)roll(2),
                                       .seconds = roll(3) == 0 ? roll(24) : 1 + roll(4)};
    memcpy(request->nonce, bench.model[wire].peers[peer].nonce, sizeof(request->nonce));

    const struct ferry_access_message message = {bench.config.device_id, request->wire,
                                                 request->level, request->seconds, request->nonce};

    (void)test_sign(signers[request->key], bytes, ferry_access_message_write(&message, bytes),
                    request->signature);
    return request;
}

static void pass_time(void)
{
    uint32_t kind = roll(20);

    bench.now += kind < 12 ? roll(800) : kind < 19 ? roll(6000) : 0;
    if (kind == 19) {
        bench.now -= bench.now > 3000 ? roll(3000) : 0;
    }
}

static void step(void)
{
    unsigned wire = roll(WIRES);
    unsigned peer = roll(PEERS);
    uint32_t kind = roll(16);

    pass_time();
    if (kind < 4) {
        challenge(wire, peer);
    } else if (kind < 10) {
        if (roll(4) > 0) {
            challenge(wire, peer);
        }
        send(wire, peer, sign(wire, peer), roll(4) == 0);
    } else if (kind < 15 && bench.kept_count > 0) {
        send(wire, peer, &bench.kept[roll(KEPT) % bench.kept_count], roll(8) == 0);
    } else {
        ferry_gate_lock(&bench.gate, who(wire, peer));
        bench.model[wire].peers[peer].level_ms = 0;
        bench.model[wire].peers[peer].waits = false;
    }
}

static void gate_and_model_agree(void **state)
{
    (void)state;

    for (uint64_t seed = 1; seed <= SEEDS; seed++) {
        start(seed);
        for (unsigned i = 0; i < STEPS; i++) {
            step();
            for (unsigned each = 0; each < WIRES * PEERS; each++) {
                struct ferry_gate_standing standing;

                ferry_gate_look(&bench.gate, who(each / PEERS, each % PEERS), &standing);
                assert_int_equal(standing.level, look(each / PEERS, each % PEERS)->level);
            }
        }
        printf("seed %u: %u unlocked, %u refused\n", (unsigned)seed, bench.granted, bench.refused);
        assert_true(bench.granted > 200 && bench.refused > 1000);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(gate_and_model_agree),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
