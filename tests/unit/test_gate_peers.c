/* SPDX-License-Identifier: Apache-2.0 */
/* The gate and who asks: rows for safer links and for names, and unlocks that are their peer's
 * alone. */
#include "ferry/crypto.h"
#include "ferry/gate.h"
#include "test_image.h"
#include "test_keys.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

enum { WIRES = 2, SERIAL = 0, RADIO = 1 };

static struct {
    struct ferry_gate gate;
    struct ferry_gate_wire wires[WIRES];
    struct ferry_gate_key key;
    struct ferry_gate_config config;
    uint64_t now;
    uint8_t randoms;
} bench;

static uint64_t now_ms(void *context)
{
    (void)context;
    return bench.now;
}

static int random_bytes(void *context, uint8_t *bytes, size_t len)
{
    (void)context;
    bench.randoms++;
    for (size_t i = 0; i < len; i++) {
        bytes[i] = (uint8_t)(bench.randoms + i);
    }
    return FERRY_OK;
}

static void start(const struct ferry_gate_policy *policy)
{
    const struct test_key *key = &test_keys[TEST_KEY_ED25519];

    memset(&bench, 0, sizeof(bench));
    memcpy(bench.key.bytes, key->public_der + key->public_len - FERRY_ACCESS_KEY_SIZE,
           FERRY_ACCESS_KEY_SIZE);
    bench.key.level = FERRY_ACCESS_SERVICE;
    bench.key.seconds = 600;
    bench.now = 5000;
    bench.config = (struct ferry_gate_config){.policy = policy,
                                              .keys = &bench.key,
                                              .key_count = 1,
                                              .now_ms = now_ms,
                                              .random = random_bytes};
    assert_int_equal(ferry_gate_init(&bench.gate, &bench.config, bench.wires, WIRES), FERRY_OK);
}

static const struct ferry_server_peer *peer(uint32_t id)
{
    static struct ferry_server_peer who;

    who = (struct ferry_server_peer){.id = id, .transport = RADIO};
    return &who;
}

static int challenge(uint32_t id, uint8_t nonce[FERRY_ACCESS_NONCE_SIZE])
{
    struct ferry_gate_challenge made;
    int result = ferry_gate_challenge(&bench.gate, peer(id), bench.key.bytes, &made);

    memcpy(nonce, made.nonce, result == FERRY_OK ? FERRY_ACCESS_NONCE_SIZE : 0);
    return result;
}

/* Answer a nonce as a peer; nobody but the key's owner can sign. */
static int answer(uint32_t id, const uint8_t nonce[FERRY_ACCESS_NONCE_SIZE], uint32_t seconds)
{
    uint8_t bytes[FERRY_ACCESS_MESSAGE_MAX];
    uint8_t signature[104];
    const struct ferry_access_message message = {
        .transport = RADIO, .level = FERRY_ACCESS_SERVICE, .seconds = seconds, .nonce = nonce};
    const struct ferry_gate_request request = {.key = bench.key.bytes,
                                               .level = FERRY_ACCESS_SERVICE,
                                               .seconds = seconds,
                                               .signature = signature};

    (void)test_sign(TEST_KEY_ED25519, bytes, ferry_access_message_write(&message, bytes),
                    signature);
    return ferry_gate_unlock(&bench.gate, peer(id), &request);
}

static void unlock(uint32_t id, uint32_t seconds)
{
    uint8_t nonce[FERRY_ACCESS_NONCE_SIZE];

    assert_int_equal(challenge(id, nonce), FERRY_OK);
    assert_int_equal(answer(id, nonce, seconds), FERRY_OK);
}

static struct ferry_gate_standing standing_of(const struct ferry_server_peer *who)
{
    struct ferry_gate_standing standing;

    ferry_gate_look(&bench.gate, who, &standing);
    return standing;
}

static enum ferry_access_level level_of(uint32_t id)
{
    return standing_of(peer(id)).level;
}

/* ---- Rows --------------------------------------------------------------------------------------
 */

static const struct ferry_gate_rule echo_rule[] = {{0, 0, FERRY_GATE_BOTH}};
static const struct ferry_gate_list echo_only = {echo_rule, 1};

/* The factory does all, whoever is proven updates, who is encrypted may unlock, others echo. */
static const struct ferry_gate_transport rows[] = {
    {.number = RADIO,
     .security = FERRY_PEER_AUTHENTICATED,
     .identity = "factory",
     .lowest = FERRY_ACCESS_SERVICE,
     .highest = FERRY_ACCESS_SERVICE},
    {.number = RADIO,
     .security = FERRY_PEER_AUTHENTICATED,
     .lowest = FERRY_ACCESS_UPDATE,
     .highest = FERRY_ACCESS_SERVICE},
    {.number = RADIO, .security = FERRY_PEER_ENCRYPTED, .highest = FERRY_ACCESS_SERVICE},
    {.number = RADIO, .only = &echo_only},
    {.number = SERIAL, .security = FERRY_PEER_ENCRYPTED, .highest = FERRY_ACCESS_SERVICE},
};

static const struct ferry_gate_policy policy = {
    {&ferry_gate_list_locked, &ferry_gate_list_update, &ferry_gate_list_service}, rows, 5};

static void the_first_row_that_fits_counts(void **state)
{
    (void)state;
    static const struct {
        enum ferry_peer_security security;
        const char *identity;
        enum ferry_access_level lowest, highest;
    } cases[] = {
        {FERRY_PEER_AUTHENTICATED, "factory", FERRY_ACCESS_SERVICE, FERRY_ACCESS_SERVICE},
        {FERRY_PEER_AUTHENTICATED, "factor", FERRY_ACCESS_UPDATE, FERRY_ACCESS_SERVICE},
        {FERRY_PEER_AUTHENTICATED, "factory2", FERRY_ACCESS_UPDATE, FERRY_ACCESS_SERVICE},
        {FERRY_PEER_AUTHENTICATED, "", FERRY_ACCESS_UPDATE, FERRY_ACCESS_SERVICE},
        {FERRY_PEER_AUTHENTICATED, NULL, FERRY_ACCESS_UPDATE, FERRY_ACCESS_SERVICE},
        {FERRY_PEER_ENCRYPTED, "factory", FERRY_ACCESS_LOCKED, FERRY_ACCESS_SERVICE},
        {FERRY_PEER_ENCRYPTED, NULL, FERRY_ACCESS_LOCKED, FERRY_ACCESS_SERVICE},
        {FERRY_PEER_OPEN, "factory", FERRY_ACCESS_LOCKED, FERRY_ACCESS_LOCKED},
    };

    start(&policy);
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        const struct ferry_server_peer who = {.id = 7,
                                              .transport = RADIO,
                                              .security = (uint8_t)cases[i].security,
                                              .identity = cases[i].identity};
        struct ferry_gate_standing standing = standing_of(&who);

        assert_int_equal(standing.level, cases[i].lowest);
        assert_int_equal(standing.lowest, cases[i].lowest);
        assert_int_equal(standing.highest, cases[i].highest);
    }
}

/* A row that forgot to ask for security does not take a claim for a proof. */
static void a_name_that_nothing_proves(void **state)
{
    (void)state;
    static const struct ferry_gate_transport named[] = {
        {.number = RADIO, .identity = "factory", .highest = FERRY_ACCESS_SERVICE}};
    static const struct ferry_gate_policy careless = {
        {&ferry_gate_list_locked, &ferry_gate_list_update, &ferry_gate_list_service}, named, 1};
    struct ferry_server_peer who = {.transport = RADIO, .identity = "factory"};

    start(&careless);
    assert_int_equal(standing_of(&who).highest, FERRY_ACCESS_LOCKED);
    who.security = FERRY_PEER_ENCRYPTED;
    assert_int_equal(standing_of(&who).highest, FERRY_ACCESS_LOCKED);
    who.security = FERRY_PEER_AUTHENTICATED;
    assert_int_equal(standing_of(&who).highest, FERRY_ACCESS_SERVICE);
}

/* What was granted to a safe link is not there when the link is safe no more, and no second peer
 * has it. */
static void a_link_that_is_safe_no_more(void **state)
{
    (void)state;
    struct ferry_server_peer who = {
        .id = 3, .transport = RADIO, .security = FERRY_PEER_AUTHENTICATED};

    start(&policy);
    assert_int_equal(ferry_gate_grant(&bench.gate, &who, FERRY_ACCESS_SERVICE, 60), FERRY_OK);
    assert_int_equal(standing_of(&who).level, FERRY_ACCESS_SERVICE);
    assert_int_equal(standing_of(&who).left_s, 60);
    who.security = FERRY_PEER_OPEN;
    assert_int_equal(standing_of(&who).level, FERRY_ACCESS_LOCKED);
    assert_int_equal(standing_of(&who).left_s, 0);
    assert_int_equal(ferry_gate_grant(&bench.gate, &who, FERRY_ACCESS_UPDATE, 60),
                     FERRY_E_UNSUPPORTED);
}

/* Nor does an unlock hold down who may do more by now. */
static void a_link_that_is_safer_by_now(void **state)
{
    (void)state;
    struct ferry_server_peer who = {.id = 3, .transport = RADIO, .security = FERRY_PEER_ENCRYPTED};

    start(&policy);
    assert_int_equal(ferry_gate_grant(&bench.gate, &who, FERRY_ACCESS_UPDATE, 60), FERRY_OK);
    who.security = FERRY_PEER_AUTHENTICATED;
    who.identity = "factory";
    assert_int_equal(standing_of(&who).level, FERRY_ACCESS_SERVICE);
    assert_int_equal(standing_of(&who).left_s, 0);
}

static const char *reason_of(const struct ferry_server_peer *who, uint16_t group, uint8_t op)
{
    const uint8_t nothing[] = {0xa0};
    struct ferry_server_call call = {
        .transport = who->transport,
        .peer = who,
        .header = {.op = op, .group = group},
        .payload = {nothing, sizeof(nothing)},
    };

    return ferry_gate_ask(&bench.gate, &call) == FERRY_RC_OK ? "ran" : call.reason;
}

static void refusals_say_what_is_in_the_way(void **state)
{
    (void)state;
    struct ferry_server_peer who = {.transport = RADIO};

    start(&policy);
    assert_string_equal(reason_of(&who, FERRY_SMP_GROUP_OS, FERRY_SMP_WRITE), "ran");
    assert_string_equal(reason_of(&who, FERRY_SMP_GROUP_IMAGE, FERRY_SMP_WRITE),
                        "never for this peer: use a safer link or another identity");
    who.security = FERRY_PEER_ENCRYPTED;
    assert_string_equal(reason_of(&who, FERRY_SMP_GROUP_IMAGE, FERRY_SMP_WRITE),
                        "locked: unlock it first");
    who.security = FERRY_PEER_AUTHENTICATED;
    assert_string_equal(reason_of(&who, FERRY_SMP_GROUP_IMAGE, FERRY_SMP_WRITE), "ran");
    assert_int_equal(ferry_gate_audit(&bench.gate, RADIO)->refused, 2);

    who = (struct ferry_server_peer){.transport = SERIAL}; /* its only row is not for this one */
    assert_string_equal(reason_of(&who, FERRY_SMP_GROUP_OS, FERRY_SMP_WRITE), "ran");
    assert_string_equal(reason_of(&who, FERRY_SMP_GROUP_SHELL, FERRY_SMP_WRITE),
                        "never for this peer: use a safer link or another identity");
    assert_int_equal(ferry_gate_audit(&bench.gate, SERIAL)->refused, 1);
}

static void a_row_that_cannot_be(void **state)
{
    (void)state;
    static const struct ferry_gate_transport wrong[] = {
        {.number = FERRY_GATE_ANY, .security = FERRY_PEER_AUTHENTICATED + 1},
        {.number = FERRY_GATE_ANY, .identity = ""}};

    for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++) {
        const struct ferry_gate_policy bad = {
            {&ferry_gate_list_locked, &ferry_gate_list_update, &ferry_gate_list_service},
            &wrong[i],
            1};

        start(&policy);
        bench.config.policy = &bad;
        assert_int_equal(ferry_gate_init(&bench.gate, &bench.config, bench.wires, WIRES),
                         FERRY_E_CONFIG);
    }
}

/* ---- Unlocks -----------------------------------------------------------------------------------
 */

static void an_unlock_is_its_peers_alone(void **state)
{
    (void)state;

    start(&ferry_gate_locked);
    unlock(1, 60);
    assert_int_equal(level_of(1), FERRY_ACCESS_SERVICE);
    assert_int_equal(level_of(0), FERRY_ACCESS_LOCKED);
    assert_int_equal(level_of(2), FERRY_ACCESS_LOCKED);
    ferry_gate_lock(&bench.gate, peer(2));
    assert_int_equal(level_of(1), FERRY_ACCESS_SERVICE);
    unlock(2, 10);
    bench.now += 10000;
    assert_int_equal(level_of(2), FERRY_ACCESS_LOCKED);
    assert_int_equal(level_of(1), FERRY_ACCESS_SERVICE);
    ferry_gate_lock(&bench.gate, peer(1)); /* it left, and its number is another's now */
    assert_int_equal(level_of(1), FERRY_ACCESS_LOCKED);
}

/* Who sees an unlock on the wire and sends it first is not let in, nor is its owner kept out. */
static void a_copied_unlock_opens_nothing(void **state)
{
    (void)state;
    uint8_t own[FERRY_ACCESS_NONCE_SIZE];
    uint8_t others[FERRY_ACCESS_NONCE_SIZE];

    start(&ferry_gate_locked);
    assert_int_equal(challenge(1, own), FERRY_OK);
    assert_int_equal(answer(2, own, 60), FERRY_E_STATE);
    assert_int_equal(challenge(2, others), FERRY_OK);
    assert_memory_not_equal(own, others, sizeof(own));
    assert_int_equal(answer(2, own, 60), FERRY_E_SIGNATURE);
    assert_int_equal(answer(1, own, 60), FERRY_OK);
    assert_int_equal(level_of(2), FERRY_ACCESS_LOCKED);
    assert_int_equal(answer(2, own, 60), FERRY_E_SIGNATURE);
}

/* However many ask for challenges, no unlock gives way; of the challenges the oldest does. */
static void challenges_beyond_the_places(void **state)
{
    (void)state;
    uint8_t nonce[FERRY_GATE_PEERS + 1][FERRY_ACCESS_NONCE_SIZE];

    start(&ferry_gate_locked);
    for (uint32_t id = 1; id <= FERRY_GATE_PEERS; id++) {
        assert_int_equal(challenge(id, nonce[id - 1]), FERRY_OK);
        bench.now++;
    }
    assert_int_equal(answer(1, nonce[0], 100), FERRY_OK);
    assert_int_equal(challenge(100, nonce[FERRY_GATE_PEERS]), FERRY_OK);
    assert_int_equal(answer(2, nonce[1], 60), FERRY_E_STATE); /* the oldest gave way */
    assert_int_equal(answer(3, nonce[2], 60), FERRY_OK);
    for (uint32_t id = 200; id < 1200; id++) {
        uint8_t ignored[FERRY_ACCESS_NONCE_SIZE];

        assert_int_equal(challenge(id, ignored), FERRY_OK);
    }
    assert_int_equal(level_of(1), FERRY_ACCESS_SERVICE);
    assert_int_equal(level_of(3), FERRY_ACCESS_SERVICE);
    assert_int_equal(answer(4, nonce[3], 60), FERRY_E_STATE);
    unlock(4, 60);
}

/* As many are unlocked as there are places: the next one is told how long it waits. */
static void unlocks_beyond_the_places(void **state)
{
    (void)state;
    uint8_t nonce[FERRY_ACCESS_NONCE_SIZE];

    start(&ferry_gate_locked);
    for (uint32_t id = 1; id <= FERRY_GATE_PEERS; id++) {
        unlock(id, 10 * id);
    }
    bench.now += 2000;
    assert_int_equal(challenge(99, nonce), FERRY_E_BUSY);
    assert_int_equal(ferry_gate_wait_ms(&bench.gate, peer(99)), 8000);
    assert_int_equal(ferry_gate_wait_ms(&bench.gate, peer(1)), 0);
    assert_int_equal(ferry_gate_grant(&bench.gate, peer(99), FERRY_ACCESS_UPDATE, 1), FERRY_E_BUSY);
    assert_int_equal(challenge(1, nonce), FERRY_OK); /* who has a place may go on */
    assert_int_equal(answer(1, nonce, 20), FERRY_OK);
    bench.now += 18000;
    assert_int_equal(ferry_gate_wait_ms(&bench.gate, peer(99)), 0);
    unlock(99, 1);
}

static bool is_even(void *context, uint32_t id)
{
    ++*(uint32_t *)context;
    return id % 2 == 0;
}

/* Even those that nobody named: their places are free, and a challenge of theirs is none. */
static void who_has_left_keeps_no_place(void **state)
{
    uint32_t asked = 0;

    (void)state;
    start(&ferry_gate_locked);
    for (uint32_t id = 1; id <= FERRY_GATE_PEERS; id++) {
        unlock(id, 60);
    }
    ferry_gate_lock_gone(&bench.gate, SERIAL, is_even, &asked); /* another transport's */
    assert_int_equal(level_of(1), FERRY_ACCESS_SERVICE);
    ferry_gate_lock_gone(&bench.gate, RADIO, is_even, &asked);
    assert_true(asked >= FERRY_GATE_PEERS);
    for (uint32_t id = 1; id <= FERRY_GATE_PEERS; id++) {
        assert_int_equal(level_of(id), id % 2 == 0 ? FERRY_ACCESS_SERVICE : FERRY_ACCESS_LOCKED);
    }
    unlock(11, 60);
    ferry_gate_lock_gone(&bench.gate, WIRES, is_even, &asked); /* there is none */
    assert_int_equal(level_of(11), FERRY_ACCESS_SERVICE);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_first_row_that_fits_counts),
        cmocka_unit_test(a_link_that_is_safe_no_more),
        cmocka_unit_test(a_link_that_is_safer_by_now),
        cmocka_unit_test(refusals_say_what_is_in_the_way),
        cmocka_unit_test(a_name_that_nothing_proves),
        cmocka_unit_test(a_row_that_cannot_be),
        cmocka_unit_test(an_unlock_is_its_peers_alone),
        cmocka_unit_test(a_copied_unlock_opens_nothing),
        cmocka_unit_test(challenges_beyond_the_places),
        cmocka_unit_test(unlocks_beyond_the_places),
        cmocka_unit_test(who_has_left_keeps_no_place),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
