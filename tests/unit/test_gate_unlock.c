/* SPDX-License-Identifier: Apache-2.0 */
/* Unlocking by a signature, over SMP: what is good once and never again, and all that is not. */
#include "ferry/crypto.h"
#include "ferry/group_access.h"
#include "test_image.h"
#include "test_keys.h"
#include "test_rig.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

enum { READ = FERRY_SMP_READ, WRITE = FERRY_SMP_WRITE };
enum {
    STATUS = FERRY_SMP_ACCESS_STATUS,
    CHALLENGE = FERRY_SMP_ACCESS_CHALLENGE,
    UNLOCK = FERRY_SMP_ACCESS_UNLOCK,
    LOCK = FERRY_SMP_ACCESS_LOCK,
    AUDIT = FERRY_SMP_ACCESS_AUDIT
};
enum { WIRES = 2, ID_SIZE = 7 };

#define ERR(n) "{\"err\":{\"group\":103,\"rc\":" #n "}}"

static const uint8_t device_id[ID_SIZE] = "chip 01";

static struct {
    struct ferry_gate gate;
    struct ferry_gate_wire wires[WIRES];
    struct ferry_gate_key keys[3];
    struct ferry_gate_config config;
    struct ferry_server_mount mount;
    struct ferry_server_config server_config;
    struct ferry_server server;
    uint64_t now;
    int random_result;
    bool random_stands;
    unsigned randoms;
    int event;
    uint32_t value;
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
        bytes[i] = bench.random_stands ? 0x55 : (uint8_t)(bench.randoms * 31 + i * 7);
    }
    return bench.random_result;
}

static void observe(void *context, const struct ferry_server_call *call,
                    const struct ferry_server_event *event)
{
    (void)context;
    (void)call;
    bench.event = event->kind;
    bench.value = event->value;
}

/* The only peer of a transport. */
static const struct ferry_server_peer *on(uint8_t transport)
{
    static struct ferry_server_peer peer;

    peer = (struct ferry_server_peer){.transport = transport};
    return &peer;
}

static const uint8_t *public_key(enum test_key_id id)
{
    return test_keys[id].public_der + test_keys[id].public_len - FERRY_ACCESS_KEY_SIZE;
}

/* Two keys count: one for everything up to an hour, one for updates up to a minute. */
static void start(const struct ferry_gate_policy *policy)
{
    memset(&bench, 0, sizeof(bench));
    memcpy(bench.keys[0].bytes, public_key(TEST_KEY_ED25519_OTHER), FERRY_ACCESS_KEY_SIZE);
    bench.keys[0].level = FERRY_ACCESS_UPDATE;
    bench.keys[0].seconds = 60;
    memcpy(bench.keys[1].bytes, public_key(TEST_KEY_ED25519), FERRY_ACCESS_KEY_SIZE);
    bench.keys[1].level = FERRY_ACCESS_SERVICE;
    bench.keys[1].seconds = 3600;
    bench.keys[2] =
        (struct ferry_gate_key){.level = FERRY_ACCESS_SERVICE, .seconds = 1}; /* blank */
    bench.now = 1000000;
    bench.config = (struct ferry_gate_config){.policy = policy,
                                              .keys = bench.keys,
                                              .key_count = 3,
                                              .device_id = {device_id, ID_SIZE},
                                              .now_ms = now_ms,
                                              .random = random_bytes};
    assert_int_equal(ferry_gate_init(&bench.gate, &bench.config, bench.wires, WIRES), FERRY_OK);
    bench.mount = (struct ferry_server_mount){&ferry_access_group_table, &bench.gate};
    bench.server_config = (struct ferry_server_config){.groups = &bench.mount,
                                                       .group_count = 1,
                                                       .buf_size = 256,
                                                       .buf_count = 1,
                                                       .gate = ferry_gate_ask,
                                                       .gate_context = &bench.gate,
                                                       .observe = observe};
    assert_int_equal(ferry_server_init(&bench.server, &bench.server_config), FERRY_OK);
}

/* ---- Asking ---------------------------------------------------------------------------------- */

static const char *ask_on(uint8_t transport, uint8_t version, uint8_t op, uint8_t id,
                          const char *json)
{
    static struct rig_answer answer;
    uint8_t packet[512];
    struct ferry_bytes pending = {
        packet, rig_request(op, version, FERRY_SMP_GROUP_ACCESS, id, json, packet, sizeof(packet))};

    answer.size =
        ferry_server_handle(&bench.server, &pending, transport, answer.bytes, sizeof(answer.bytes));
    assert_true(answer.size > FERRY_SMP_HEADER_SIZE && answer.size <= 192);
    rig_json((struct ferry_bytes){answer.bytes + FERRY_SMP_HEADER_SIZE,
                                  answer.size - FERRY_SMP_HEADER_SIZE},
             answer.json, sizeof(answer.json));
    return answer.json;
}

static const char *ask(uint8_t op, uint8_t id, const char *json)
{
    return ask_on(0, FERRY_SMP_VERSION_2, op, id, json);
}

static void hex_of(const uint8_t *bytes, size_t len, char *out)
{
    for (size_t i = 0; i < len; i++) {
        snprintf(out + 2 * i, 3, "%02x", bytes[i]);
    }
}

static const char *name_key(enum test_key_id id)
{
    static char json[128];
    char hex[2 * FERRY_ACCESS_KEY_SIZE + 1];

    hex_of(public_key(id), FERRY_ACCESS_KEY_SIZE, hex);
    snprintf(json, sizeof(json), "{\"key\":\"h'%s'\"}", hex);
    return json;
}

/* Ask for a challenge of the service key. */
static void get_nonce_on(uint8_t transport, uint8_t nonce[FERRY_ACCESS_NONCE_SIZE])
{
    const char *json =
        ask_on(transport, FERRY_SMP_VERSION_2, WRITE, CHALLENGE, name_key(TEST_KEY_ED25519));
    const char *hex = strstr(json, "\"nonce\":\"h'");

    assert_non_null(hex);

    char digits[2 * FERRY_ACCESS_NONCE_SIZE + 1] = "";

    memcpy(digits, hex + strlen("\"nonce\":\"h'"), sizeof(digits) - 1);
    assert_int_equal(test_from_hex(digits, nonce), FERRY_ACCESS_NONCE_SIZE);
}

/* An unlock, and what of it is changed between the signature and the wire. */
struct attempt {
    enum test_key_id signer, named;
    struct ferry_access_message message; /* as signed */
    uint8_t nonce[FERRY_ACCESS_NONCE_SIZE];
    uint64_t level, seconds; /* as sent */
    uint8_t signature[104];
    size_t signature_len;
};

static void sign(struct attempt *attempt)
{
    uint8_t message[FERRY_ACCESS_MESSAGE_MAX];

    attempt->message.nonce = attempt->nonce;

    size_t len = ferry_access_message_write(&attempt->message, message);

    attempt->signature_len = (size_t)test_sign(attempt->signer, message, len, attempt->signature);
    assert_int_equal(attempt->signature_len, FERRY_ACCESS_SIGNATURE_SIZE);
}

static void prepare(struct attempt *attempt, uint8_t level, uint32_t seconds)
{
    *attempt = (struct attempt){.signer = TEST_KEY_ED25519,
                                .named = TEST_KEY_ED25519,
                                .message = {{device_id, ID_SIZE}, 0, level, seconds, NULL},
                                .level = level,
                                .seconds = seconds};
    get_nonce_on(0, attempt->nonce);
    sign(attempt);
}

static const char *send_on(uint8_t transport, const struct attempt *attempt)
{
    char json[512];
    char key[2 * FERRY_ACCESS_KEY_SIZE + 1];
    char signature[2 * sizeof(attempt->signature) + 1] = "";

    hex_of(public_key(attempt->named), FERRY_ACCESS_KEY_SIZE, key);
    hex_of(attempt->signature, attempt->signature_len, signature);
    snprintf(json, sizeof(json),
             "{\"key\":\"h'%s'\",\"level\":%llu,\"seconds\":%llu,\"sig\":\"h'%s'\"}", key,
             (unsigned long long)attempt->level, (unsigned long long)attempt->seconds, signature);
    return ask_on(transport, FERRY_SMP_VERSION_2, WRITE, UNLOCK, json);
}

static enum ferry_access_level level_on(uint8_t transport)
{
    struct ferry_gate_standing standing;

    ferry_gate_look(&bench.gate, on(transport), &standing);
    return standing.level;
}

/* It fails so, nothing opens, and the right one still goes through afterwards. */
static void expect_refused(const struct attempt *bad, const char *answer)
{
    uint32_t failed = ferry_gate_audit(&bench.gate, 0)->failed;

    assert_string_equal(send_on(0, bad), answer);
    assert_int_equal(level_on(0), FERRY_ACCESS_LOCKED);
    assert_int_equal(bench.event, FERRY_EVENT_UNLOCK_FAILED);
    assert_int_equal(ferry_gate_audit(&bench.gate, 0)->failed, failed + 1);
}

/* ---- What is good ------------------------------------------------------------------------------
 */

static void unlocks_and_expires(void **state)
{
    (void)state;
    struct attempt attempt;

    start(&ferry_gate_locked);
    assert_string_equal(ask(READ, STATUS, "{}"),
                        "{\"level\":0,\"lowest\":0,\"highest\":2,\"left\":0}");
    prepare(&attempt, FERRY_ACCESS_SERVICE, 600);
    assert_string_equal(send_on(0, &attempt), "{\"level\":2,\"left\":600}");
    assert_int_equal(bench.event, FERRY_EVENT_UNLOCKED);
    assert_int_equal(bench.value, FERRY_ACCESS_SERVICE);
    bench.now += 599001;
    assert_string_equal(ask(READ, STATUS, name_key(TEST_KEY_ED25519)),
                        "{\"level\":2,\"lowest\":0,\"highest\":2,\"left\":1,\"max_level\":2,"
                        "\"max_seconds\":3600}");
    assert_int_equal(level_on(1), FERRY_ACCESS_LOCKED);
    bench.now += 999;
    assert_string_equal(ask(READ, STATUS, name_key(TEST_KEY_ED25519_OTHER)),
                        "{\"level\":0,\"lowest\":0,\"highest\":2,\"left\":0,\"max_level\":1,"
                        "\"max_seconds\":60}");
}

static void locks(void **state)
{
    (void)state;
    struct attempt attempt;

    start(&ferry_gate_locked);
    prepare(&attempt, FERRY_ACCESS_UPDATE, 1);
    assert_string_equal(send_on(0, &attempt), "{\"level\":1,\"left\":1}");
    assert_string_equal(ask(WRITE, LOCK, "{}"), "{\"level\":0,\"left\":0}");
    assert_int_equal(bench.event, FERRY_EVENT_LOCKED);
    assert_string_equal(ask(WRITE, LOCK, NULL), "{\"level\":0,\"left\":0}");
}

/* The bytes of a challenge and of the message, as the document has them. */
static void bytes_of_the_message(void **state)
{
    (void)state;
    static const char expected[] = "66657272792d756e6c6f636b2d763100" /* ferry-unlock-v1 */
                                   "07"
                                   "63686970203031"
                                   "01"
                                   "02"
                                   "00000e10"
                                   "000102030405060708090a0b0c0d0e0f"
                                   "101112131415161718191a1b1c1d1e1f";
    uint8_t nonce[FERRY_ACCESS_NONCE_SIZE];
    uint8_t out[FERRY_ACCESS_MESSAGE_MAX];
    char hex[2 * FERRY_ACCESS_MESSAGE_MAX + 1];
    struct ferry_access_message message = {{device_id, ID_SIZE}, 1, 2, 3600, nonce};

    for (size_t i = 0; i < sizeof(nonce); i++) {
        nonce[i] = (uint8_t)i;
    }

    size_t len = ferry_access_message_write(&message, out);

    assert_int_equal(len, 55 + ID_SIZE);
    hex_of(out, len, hex);
    assert_string_equal(hex, expected);
    message.device_id = (struct ferry_bytes){NULL, 0};
    assert_int_equal(ferry_access_message_write(&message, out), 55);
    message.device_id = (struct ferry_bytes){out, FERRY_ACCESS_ID_MAX + 1};
    assert_int_equal(ferry_access_message_write(&message, out), 0);

    start(&ferry_gate_locked);
    assert_string_equal(
        ask_on(1, FERRY_SMP_VERSION_2, WRITE, CHALLENGE, name_key(TEST_KEY_ED25519_OTHER)),
        "{\"nonce\":\"h'1f262d343b424950575e656c737a81888f969da4abb2b9c0c7ced5dce3eaf1f8'\","
        "\"id\":\"h'63686970203031'\",\"transport\":1,\"max_level\":1,\"max_seconds\":60,"
        "\"left\":30}");
}

/* The example of the document, as another client would make it. */
static void example_of_the_document(void **state)
{
    (void)state;
    static const char key_hex[] =
        "d75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a";
    uint8_t nonce[FERRY_ACCESS_NONCE_SIZE];
    const struct ferry_access_message message = {{device_id, ID_SIZE}, 1, 2, 3600, nonce};
    uint8_t bytes[FERRY_ACCESS_MESSAGE_MAX];
    uint8_t key[FERRY_ACCESS_KEY_SIZE];
    uint8_t signature[FERRY_ACCESS_SIGNATURE_SIZE] = {0};
    char hex[2 * FERRY_ACCESS_MESSAGE_MAX + 1];
    char line[512];
    bool message_found = false;
    FILE *file = fopen(FERRY_ROOT "/docs/SERVER.md", "r");

    assert_non_null(file);
    for (size_t i = 0; i < sizeof(nonce); i++) {
        nonce[i] = (uint8_t)i;
    }

    size_t len = ferry_access_message_write(&message, bytes);

    hex_of(bytes, len, hex);
    while (fgets(line, sizeof(line), file) != NULL) {
        line[strcspn(line, "\n")] = '\0';
        message_found = message_found ||
                        (strncmp(line, "    message   ", 14) == 0 && strcmp(line + 14, hex) == 0);
        if (strncmp(line, "    signature ", 14) == 0) {
            assert_int_equal(test_from_hex(line + 14, signature), sizeof(signature));
        }
    }
    fclose(file);
    assert_true(message_found);
    assert_int_equal(test_from_hex(key_hex, key), sizeof(key));
    assert_int_equal(ferry_crypto_ed25519_verify(key, bytes, len, signature), FERRY_OK);
}

/* Who asks again, or guesses, does not take the nonce from who asked first. */
static void a_nonce_waits_for_its_owner(void **state)
{
    (void)state;
    struct attempt attempt;
    struct attempt bad;
    uint8_t again[FERRY_ACCESS_NONCE_SIZE];

    start(&ferry_gate_locked);
    prepare(&attempt, FERRY_ACCESS_SERVICE, 60);
    bench.now += 29999;
    get_nonce_on(0, again);
    assert_memory_equal(again, attempt.nonce, sizeof(again));
    bad = attempt;
    bad.signature[0] ^= 1;
    expect_refused(&bad, ERR(6));
    assert_string_equal(send_on(0, &attempt), "{\"level\":2,\"left\":60}");
    get_nonce_on(0, again);
    assert_memory_not_equal(again, attempt.nonce, sizeof(again));
}

/* ---- What is not ----------------------------------------------------------------------------- */

static void replays_fail(void **state)
{
    (void)state;
    struct attempt attempt;
    uint8_t other[FERRY_ACCESS_NONCE_SIZE];

    start(&ferry_gate_locked);
    prepare(&attempt, FERRY_ACCESS_SERVICE, 10);
    assert_string_equal(send_on(0, &attempt), "{\"level\":2,\"left\":10}");
    assert_string_equal(send_on(0, &attempt), ERR(5));
    bench.now += 9000;
    assert_string_equal(send_on(0, &attempt), ERR(5)); /* nor is it longer */
    bench.now += 1000;
    assert_int_equal(level_on(0), FERRY_ACCESS_LOCKED);
    expect_refused(&attempt, ERR(5));
    get_nonce_on(0, other); /* while another waits */
    expect_refused(&attempt, ERR(6));
    get_nonce_on(1, other); /* on another transport */
    assert_string_equal(send_on(1, &attempt), ERR(6));
    assert_int_equal(level_on(1), FERRY_ACCESS_LOCKED);
    /* After a reset: the same configuration, empty states. */
    assert_int_equal(ferry_gate_init(&bench.gate, &bench.config, bench.wires, WIRES), FERRY_OK);
    expect_refused(&attempt, ERR(5));
    get_nonce_on(0, other);
    expect_refused(&attempt, ERR(6));
}

static void challenges_expire(void **state)
{
    (void)state;
    struct attempt attempt;

    start(&ferry_gate_locked);
    prepare(&attempt, FERRY_ACCESS_SERVICE, 10);
    bench.now += FERRY_GATE_CHALLENGE_MS;
    expect_refused(&attempt, ERR(5));
    bench.config.challenge_ms = 5;
    prepare(&attempt, FERRY_ACCESS_SERVICE, 10);
    bench.now += 4;
    assert_string_equal(send_on(0, &attempt), "{\"level\":2,\"left\":10}");
    assert_string_equal(ask(WRITE, LOCK, "{}"), "{\"level\":0,\"left\":0}");
    prepare(&attempt, FERRY_ACCESS_SERVICE, 10);
    bench.now += 5;
    expect_refused(&attempt, ERR(5));
    bench.config.challenge_ms = 0;
    prepare(&attempt, FERRY_ACCESS_SERVICE, 10);
    bench.now += 100;
    assert_int_equal(level_on(0), FERRY_ACCESS_LOCKED);
    bench.now -= 50; /* the clock goes backwards */
    expect_refused(&attempt, ERR(5));
    prepare(&attempt, FERRY_ACCESS_SERVICE, 10);
    assert_string_equal(ask(WRITE, LOCK, "{}"), "{\"level\":0,\"left\":0}");
    expect_refused(&attempt, ERR(5));
}

/* Each field that is signed, changed on either side. */
static void everything_is_signed(void **state)
{
    (void)state;
    struct attempt good;
    struct attempt bad;
    uint8_t id[ID_SIZE];

    for (int field = 0; field < 9; field++) {
        start(&ferry_gate_locked);
        prepare(&good, FERRY_ACCESS_UPDATE, 10);
        bad = good;
        memcpy(id, device_id, sizeof(id));
        switch (field) {
        case 0: /* another device */
            id[0] ^= 1;
            bad.message.device_id.data = id;
            break;
        case 1: /* a part of it */
            bad.message.device_id.len--;
            break;
        case 2: /* another transport */
            bad.message.transport = 1;
            break;
        case 3: /* another level */
            bad.message.level = FERRY_ACCESS_SERVICE;
            break;
        case 4: /* another time */
            bad.message.seconds = 11;
            break;
        case 5: /* another nonce */
            bad.nonce[31] ^= 0x80;
            break;
        case 6: /* another key */
            bad.signer = TEST_KEY_ED25519_OTHER;
            break;
        case 7:
            bad.level = FERRY_ACCESS_SERVICE; /* more than was signed for */
            break;
        default:
            bad.seconds = 11;
            break;
        }
        sign(&bad);
        expect_refused(&bad, ERR(6));
        assert_string_equal(send_on(0, &good), "{\"level\":1,\"left\":10}");
    }
}

/* Every bit of a signature, and S + L, which some libraries take for the same one. */
static void signatures_have_one_form(void **state)
{
    (void)state;
    static const uint8_t order[32] = {0xed, 0xd3, 0xf5, 0x5c, 0x1a, 0x63, 0x12, 0x58,       0xd6,
                                      0x9c, 0xf7, 0xa2, 0xde, 0xf9, 0xde, 0x14, [31] = 0x10};
    struct attempt good;
    struct attempt bad;
    unsigned carry = 0;

    start(&ferry_gate_locked);
    prepare(&good, FERRY_ACCESS_UPDATE, 10);
    for (size_t bit = 0; bit < 8 * FERRY_ACCESS_SIGNATURE_SIZE; bit++) {
        bad = good;
        bad.signature[bit / 8] ^= (uint8_t)(1U << bit % 8);
        bench.wires[0].failures = 0;
        expect_refused(&bad, ERR(6));
    }
    bad = good;
    for (size_t i = 0; i < 32; i++) {
        carry += bad.signature[32 + i] + (unsigned)order[i];
        bad.signature[32 + i] = (uint8_t)carry;
        carry >>= 8;
    }
    bench.wires[0].failures = 0;
    expect_refused(&bad, ERR(6));
    memset(bad.signature, 0, sizeof(bad.signature));
    expect_refused(&bad, ERR(6));
    assert_string_equal(send_on(0, &good), "{\"level\":1,\"left\":10}");
}

static void keys_have_limits(void **state)
{
    (void)state;
    static const struct {
        uint64_t level, seconds;
        const char *answer;
    } cases[] = {{FERRY_ACCESS_SERVICE, 10, ERR(3)},
                 {FERRY_ACCESS_LOCKED, 10, ERR(3)},
                 {FERRY_ACCESS_LEVELS, 10, ERR(3)},
                 {256 + FERRY_ACCESS_UPDATE, 10, ERR(3)},
                 {FERRY_ACCESS_UPDATE, 0, ERR(4)},
                 {FERRY_ACCESS_UPDATE, 61, ERR(4)},
                 {FERRY_ACCESS_UPDATE, 0x100000001ULL, ERR(4)},
                 {FERRY_ACCESS_UPDATE, 60, "{\"level\":1,\"left\":60}"}};

    start(&ferry_gate_locked);
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct attempt attempt;

        prepare(&attempt, (uint8_t)cases[i].level, (uint32_t)cases[i].seconds);
        attempt.signer = attempt.named = TEST_KEY_ED25519_OTHER;
        attempt.level = cases[i].level;
        attempt.seconds = cases[i].seconds;
        sign(&attempt);
        assert_string_equal(send_on(0, &attempt), cases[i].answer);
    }
}

/* A stranger's key, and memory that was never programmed. */
static void unknown_keys(void **state)
{
    (void)state;
    static const char blank[] =
        "{\"key\":\"h'0000000000000000000000000000000000000000000000000000000000000000'\"}";
    struct attempt attempt;

    start(&ferry_gate_locked);
    prepare(&attempt, FERRY_ACCESS_SERVICE, 1);
    bench.config.key_count = 1; /* the signer is no longer among them */
    expect_refused(&attempt, ERR(2));
    assert_string_equal(ask(WRITE, CHALLENGE, name_key(TEST_KEY_ED25519)), ERR(2));
    assert_string_equal(ask(READ, STATUS, name_key(TEST_KEY_ED25519)), ERR(2));
    bench.config.key_count = 3;
    assert_string_equal(ask(WRITE, CHALLENGE, blank), ERR(2));
    assert_string_equal(ask(READ, STATUS, blank), ERR(2));
}

static void guessing_is_slowed(void **state)
{
    (void)state;
    struct attempt good;
    struct attempt bad;

    start(&ferry_gate_locked);
    prepare(&good, FERRY_ACCESS_SERVICE, 60);
    bad = good;
    bad.signature[5] ^= 1;
    for (int i = 0; i < FERRY_GATE_FAILURES; i++) {
        expect_refused(&bad, ERR(6));
    }
    assert_string_equal(send_on(0, &good), "{\"err\":{\"group\":103,\"rc\":7},\"wait\":1000}");
    bench.now += FERRY_GATE_WAIT_MS - 1;
    assert_string_equal(send_on(0, &good), "{\"err\":{\"group\":103,\"rc\":7},\"wait\":1}");
    bench.now++;
    expect_refused(&bad, ERR(6)); /* one each second, for as long as it goes on */
    assert_string_equal(send_on(0, &good), "{\"err\":{\"group\":103,\"rc\":7},\"wait\":1000}");
    for (int i = 0; i < 300; i++) {
        bench.now += FERRY_GATE_WAIT_MS;
        bad.nonce[0] = (uint8_t)i;
        assert_int_not_equal(strcmp(send_on(0, &bad), "{\"level\":2,\"left\":60}"), 0);
    }
    bench.now += FERRY_GATE_WAIT_MS; /* the owner waits no longer than after the first few */
    prepare(&good, FERRY_ACCESS_SERVICE, 60);
    assert_string_equal(send_on(0, &good), "{\"level\":2,\"left\":60}");
    assert_string_equal(ask(WRITE, LOCK, "{}"), "{\"level\":0,\"left\":0}");
    prepare(&bad, FERRY_ACCESS_SERVICE, 60);
    bad.signature[5] ^= 1;
    expect_refused(&bad, ERR(6)); /* a success forgives */
    expect_refused(&bad, ERR(6));
}

/* Other transports do not wait. */
static void a_flood_stays_on_its_wire(void **state)
{
    (void)state;
    struct attempt good;
    struct attempt bad;

    start(&ferry_gate_locked);
    prepare(&bad, FERRY_ACCESS_SERVICE, 60);
    bad.signature[5] ^= 1;
    for (int i = 0; i < 2 * FERRY_GATE_FAILURES; i++) {
        (void)send_on(0, &bad);
    }
    prepare(&good, FERRY_ACCESS_SERVICE, 60);
    get_nonce_on(1, good.nonce);
    good.message.transport = 1;
    sign(&good);
    assert_string_equal(send_on(1, &good), "{\"level\":2,\"left\":60}");
    assert_int_equal(level_on(0), FERRY_ACCESS_LOCKED);
}

/* A clock that goes backwards while it waits makes it wait once more, not for ever. */
static void waiting_ends_on_any_clock(void **state)
{
    (void)state;
    struct attempt bad;

    start(&ferry_gate_locked);
    prepare(&bad, FERRY_ACCESS_SERVICE, 60);
    bad.signature[5] ^= 1;
    for (int i = 0; i < FERRY_GATE_FAILURES; i++) {
        expect_refused(&bad, ERR(6));
    }
    bench.now = 0;
    assert_int_equal(ferry_gate_wait_ms(&bench.gate, on(0)), FERRY_GATE_WAIT_MS);
    bench.now = FERRY_GATE_WAIT_MS;
    assert_int_equal(ferry_gate_wait_ms(&bench.gate, on(0)), 0);
    prepare(&bad, FERRY_ACCESS_SERVICE, 60);
    assert_string_equal(send_on(0, &bad), "{\"level\":2,\"left\":60}");
}

static void cannot_be_unlocked(void **state)
{
    (void)state;
    struct attempt attempt;

    for (int what = 0; what < 5; what++) {
        start(&ferry_gate_locked);
        prepare(&attempt, FERRY_ACCESS_SERVICE, 1);
        bench.config.policy = what == 4 ? &ferry_gate_open : &ferry_gate_locked;
        assert_int_equal(ferry_gate_init(&bench.gate, &bench.config, bench.wires, WIRES), FERRY_OK);
        bench.config.now_ms = what == 0 ? NULL : now_ms;
        bench.config.random = what == 1 ? NULL : random_bytes;
        bench.random_result = what == 2 ? FERRY_E_IO : FERRY_OK;
        bench.random_stands = what == 3;
        assert_string_equal(ask(WRITE, CHALLENGE, name_key(TEST_KEY_ED25519)), ERR(8));
        assert_string_equal(send_on(0, &attempt), what == 2 || what == 3 ? ERR(5) : ERR(8));
    }
    assert_string_equal(
        ask_on(9, FERRY_SMP_VERSION_2, WRITE, CHALLENGE, name_key(TEST_KEY_ED25519)),
        ERR(8)); /* a transport nobody knows */
}

static void order_of_checks(void **state)
{
    (void)state;
    struct attempt attempt;
    const uint8_t unknown = TEST_KEY_P256; /* its last 32 bytes are no key here */

    start(&ferry_gate_locked);
    prepare(&attempt, FERRY_ACCESS_SERVICE, 1);
    attempt.signature[0] ^= 1; /* all of it is wrong, and is mended one by one */
    assert_string_equal(ask(WRITE, LOCK, "{}"), "{\"level\":0,\"left\":0}");
    attempt.level = 9;
    attempt.seconds = 0;
    attempt.named = (enum test_key_id)unknown;
    bench.wires[0].failures = FERRY_GATE_FAILURES;
    bench.wires[0].failed_ms = bench.now;
    bench.config.random = NULL;
    assert_string_equal(send_on(0, &attempt), ERR(8));
    bench.config.random = random_bytes;
    assert_string_equal(send_on(0, &attempt), ERR(2));
    attempt.named = TEST_KEY_ED25519;
    assert_string_equal(send_on(0, &attempt), "{\"err\":{\"group\":103,\"rc\":7},\"wait\":1000}");
    bench.now += FERRY_GATE_WAIT_MS;
    assert_string_equal(send_on(0, &attempt), ERR(3));
    attempt.level = FERRY_ACCESS_SERVICE;
    assert_string_equal(send_on(0, &attempt), ERR(4));
    attempt.seconds = 1;
    assert_string_equal(send_on(0, &attempt), ERR(5));
    get_nonce_on(0, attempt.nonce);
    assert_string_equal(send_on(0, &attempt), ERR(6));
}

static void payloads_that_lack_something(void **state)
{
    (void)state;
    static const char *const unlocks[] = {
        "{}", "{\"key\":1}", "{\"key\":\"h'00'\",\"level\":1,\"seconds\":1,\"sig\":\"h'00'\"}",
        "{\"level\":1,\"seconds\":1}"};
    struct attempt attempt;

    start(&ferry_gate_locked);
    for (size_t i = 0; i < sizeof(unlocks) / sizeof(unlocks[0]); i++) {
        assert_string_equal(ask(WRITE, UNLOCK, unlocks[i]), "{\"rc\":3}");
    }
    assert_string_equal(ask(WRITE, UNLOCK, NULL), "{\"rc\":3}");
    assert_string_equal(ask(WRITE, CHALLENGE, "{}"), "{\"rc\":3}");
    assert_string_equal(ask(WRITE, CHALLENGE, "{\"key\":\"h'0011'\"}"), "{\"rc\":3}");
    assert_string_equal(ask(READ, STATUS, "{\"key\":\"h'0011'\"}"), "{\"rc\":3}");
    assert_string_equal(ask(READ, STATUS, NULL), "{\"rc\":3}");
    prepare(&attempt, FERRY_ACCESS_SERVICE, 1);
    attempt.signature_len = FERRY_ACCESS_SIGNATURE_SIZE - 1;
    assert_string_equal(send_on(0, &attempt), "{\"rc\":3}");
    attempt.signature_len = FERRY_ACCESS_SIGNATURE_SIZE + 1;
    assert_string_equal(send_on(0, &attempt), "{\"rc\":3}");
    assert_int_equal(ferry_gate_audit(&bench.gate, 0)->failed, 0);
}

/* ---- Counters, version 1 ------------------------------------------------------------------------
 */

static void audit_is_for_some(void **state)
{
    (void)state;
    struct attempt attempt;

    start(&ferry_gate_locked);
    assert_string_equal(ask(READ, AUDIT, "{}"), "{\"rc\":11}");
    prepare(&attempt, FERRY_ACCESS_UPDATE, 1);
    attempt.signature[0] ^= 1;
    expect_refused(&attempt, ERR(6));
    attempt.signature[0] ^= 1;
    assert_string_equal(send_on(0, &attempt), "{\"level\":1,\"left\":1}");
    assert_string_equal(
        ask(READ, AUDIT, "{}"),
        "{\"transport\":0,\"refused\":1,\"unlocks\":1,\"failed\":1,\"last_group\":103,"
        "\"last_command\":4,\"last_op\":0}");
    assert_string_equal(ask(READ, AUDIT, "{\"transport\":1}"),
                        "{\"transport\":1,\"refused\":0,\"unlocks\":0,\"failed\":0}");
    assert_string_equal(ask(READ, AUDIT, "{\"transport\":2}"), ERR(9));
    assert_string_equal(ask(READ, AUDIT, "{\"transport\":257}"), ERR(9));
    assert_string_equal(ask(READ, AUDIT, "{\"transport\":\"x\"}"), "{\"rc\":3}");
}

static void version_1(void **state)
{
    (void)state;
    static const uint8_t rc[] = {0, 1, 5, 11, 3, 6, 11, 10, 8, 5};
    const struct ferry_group *group = &ferry_access_group_table;

    assert_int_equal(group->v1_rc_count, sizeof(rc));
    for (size_t i = 1; i < sizeof(rc); i++) {
        assert_int_equal(group->v1_rc[i], rc[i]);
    }
    start(&ferry_gate_locked);
    assert_string_equal(ask_on(0, FERRY_SMP_VERSION_1, WRITE, CHALLENGE, name_key(TEST_KEY_P256)),
                        "{\"rc\":5}");
    assert_string_equal(ask_on(0, FERRY_SMP_VERSION_1, READ, AUDIT, "{}"), "{\"rc\":11}");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(unlocks_and_expires),
        cmocka_unit_test(locks),
        cmocka_unit_test(bytes_of_the_message),
        cmocka_unit_test(example_of_the_document),
        cmocka_unit_test(a_nonce_waits_for_its_owner),
        cmocka_unit_test(replays_fail),
        cmocka_unit_test(challenges_expire),
        cmocka_unit_test(everything_is_signed),
        cmocka_unit_test(signatures_have_one_form),
        cmocka_unit_test(keys_have_limits),
        cmocka_unit_test(unknown_keys),
        cmocka_unit_test(guessing_is_slowed),
        cmocka_unit_test(a_flood_stays_on_its_wire),
        cmocka_unit_test(waiting_ends_on_any_clock),
        cmocka_unit_test(cannot_be_unlocked),
        cmocka_unit_test(order_of_checks),
        cmocka_unit_test(payloads_that_lack_something),
        cmocka_unit_test(audit_is_for_some),
        cmocka_unit_test(version_1),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
