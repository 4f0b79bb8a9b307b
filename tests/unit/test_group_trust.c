/* SPDX-License-Identifier: Apache-2.0 */
/* The group of keys, from the server's packet to the client's struct. */
#include "ferry/commands_trust.h"
#include "ferry/group_trust.h"
#include "place_rig.h"
#include "test_rig.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

_Static_assert(FERRY_KEY_HASH_SIZE == FERRY_SHA256_SIZE, "client and server mean the same hash");

enum { READ = FERRY_SMP_READ, WRITE = FERRY_SMP_WRITE };
enum { KEY = FERRY_SMP_TRUST_KEY, REVOKE = FERRY_SMP_TRUST_REVOKE, ADD = FERRY_SMP_TRUST_ADD };

#define ERR(n) "{\"err\":{\"group\":102,\"rc\":" #n "}}"

struct bench {
    struct place_rig rig;
    struct ferry_keys keys;
    struct ferry_keys_config keys_config;
    struct ferry_image_key product[1];
    struct ferry_trust_group_config config;
    struct ferry_server_mount mount;
    struct ferry_server_config server_config;
    struct ferry_server server;
    uint8_t buf[64];
    bool permitted;
    int asked;
};

static struct bench bench;

static int permit(void *context, struct ferry_server_call *call)
{
    (void)context;
    (void)call;
    bench.asked++;
    return bench.permitted ? FERRY_RC_OK : FERRY_RC_ACCESS_DENIED;
}

/* The product trusts P256, whose image runs. */
static void set_up(void)
{
    const struct test_image_spec spec = {
        .key = TEST_KEY_P256, .payload_size = 100, .header_size = 32};
    const struct ferry_flash_run runs[] = {{2, 2048}};
    struct place_image image;

    memset(&bench, 0, sizeof(bench));
    place_init(&bench.rig, &ferry_traits_swap_move, true);
    place_geometry(&bench.rig.slot[PLACE_STORE_AREA], runs, 1, 8, 0xff);
    assert_int_equal(ferry_store_open(&bench.rig.store, &bench.rig.slot[PLACE_STORE_AREA].flash),
                     FERRY_OK);
    image.size = (uint32_t)test_image_build(&spec, image.bytes, sizeof(image.bytes));
    place_load(&bench.rig, 0, &image);
    bench.product[0] = (struct ferry_image_key){test_keys[TEST_KEY_P256].public_der,
                                                test_keys[TEST_KEY_P256].public_len};
    bench.keys_config = (struct ferry_keys_config){.store = &bench.rig.store,
                                                   .trust = *test_trust(TEST_KEY_P256),
                                                   .keys = &bench.keys,
                                                   .slots = &bench.rig.image.slots,
                                                   .slot_count = 1,
                                                   .buf = bench.buf,
                                                   .buf_size = sizeof(bench.buf)};
    bench.keys_config.trust.keys = bench.product;
    bench.keys_config.trust.key_count = 1;
    bench.permitted = true;
    bench.config = (struct ferry_trust_group_config){.keys = &bench.keys_config, .permit = permit};
    bench.mount = (struct ferry_server_mount){&ferry_trust_group_table, &bench.config};
    bench.server_config = (struct ferry_server_config){
        .groups = &bench.mount, .group_count = 1, .buf_size = 384, .buf_count = 1};
    assert_int_equal(ferry_server_init(&bench.server, &bench.server_config), FERRY_OK);
}

static void expect(uint8_t op, uint8_t id, const char *request, const char *json)
{
    struct rig_answer answer;

    rig_ask(&bench.server, op, FERRY_SMP_GROUP_TRUST, id, request, &answer);
    assert_string_equal(answer.json, json);
    assert_true(answer.size <= 128);
}

static void hex_of(const uint8_t *bytes, size_t len, char *out)
{
    for (size_t i = 0; i < len; i++) {
        snprintf(out + 2 * i, 3, "%02x", bytes[i]);
    }
}

/* {"KEY":"h'…'"} of a test key's hash or of the key. */
static const char *about(const char *name, enum test_key_id id, bool whole)
{
    static char json[1200];
    char hex[1100];
    uint8_t hash[32];

    ferry_key_hash(test_keys[id].public_der, test_keys[id].public_len, hash);
    if (whole) {
        hex_of(test_keys[id].public_der, test_keys[id].public_len, hex);
    } else {
        hex_of(hash, sizeof(hash), hex);
    }
    snprintf(json, sizeof(json), "{\"%s\":\"h'%s'\"}", name, hex);
    return json;
}

/* The list's line of a key, by the client's reader. */
static struct ferry_key_state get(unsigned number)
{
    struct ferry_key_state state;
    struct rig_answer answer;
    struct ferry_bytes payload;
    struct ferry_bytes rest;
    struct ferry_smp_header header;
    char json[32];

    snprintf(json, sizeof(json), "{\"n\":%u}", number);
    rig_ask(&bench.server, READ, FERRY_SMP_GROUP_TRUST, KEY, json, &answer);
    assert_int_equal(ferry_smp_packet_read((struct ferry_bytes){answer.bytes, answer.size}, &header,
                                           &payload, &rest),
                     FERRY_OK);
    assert_int_equal(ferry_answer_key(payload, &state), FERRY_OK);
    return state;
}

static void check(unsigned number, enum test_key_id id, const char *source, bool revoked,
                  bool named)
{
    struct ferry_key_state state = get(number);
    uint8_t hash[32];

    ferry_key_hash(test_keys[id].public_der, test_keys[id].public_len, hash);
    assert_memory_equal(state.hash, hash, sizeof(hash));
    assert_string_equal(state.source, source);
    assert_int_equal(state.revoked, revoked);
    assert_int_equal(state.named, named);
}

static void keys_are_listed_one_by_one(void **state)
{
    (void)state;
    set_up();
    check(0, TEST_KEY_P256, "product", false, true);
    expect(READ, KEY, "{\"n\":1}", ERR(7));
    expect(READ, KEY, "{\"n\":70000}", ERR(7));
    expect(READ, KEY, "{\"n\":\"0\"}", "{\"rc\":3}");
    expect(WRITE, ADD, about("key", TEST_KEY_ED25519, true), "{}");
    expect(WRITE, REVOKE, about("hash", TEST_KEY_ED25519_OTHER, false), "{}");
    check(0, TEST_KEY_P256, "product", false, true);
    check(1, TEST_KEY_ED25519, "provisioned", false, false);
    check(2, TEST_KEY_ED25519_OTHER, "unknown", true, false);
    expect(READ, KEY, "{\"n\":3}", ERR(7));
    bench.keys_config.trust.refused = &ferry_development_keys;
    assert_true(get(0).development);
}

static void refusals_say_why(void **state)
{
    (void)state;
    set_up();
    expect(WRITE, REVOKE, about("hash", TEST_KEY_P256, false), ERR(49));
    expect(WRITE, REVOKE, "{\"hash\":\"h'00'\"}", "{\"rc\":3}");
    expect(WRITE, REVOKE, "{}", "{\"rc\":3}");
    expect(WRITE, ADD, "{}", "{\"rc\":3}");
    expect(WRITE, ADD, "{\"key\":\"h'3000'\"}", ERR(23));
    assert_int_equal(bench.asked, 2); /* what is not understood is not asked for */
    expect(WRITE, REVOKE, about("hash", TEST_KEY_ED25519, false), "{}");
    expect(WRITE, ADD, about("key", TEST_KEY_ED25519, true), ERR(45));
    bench.keys_config.trust.refused = &ferry_development_keys;
    expect(WRITE, ADD, about("key", TEST_KEY_ED25519_OTHER, true), ERR(46));
    expect(READ, REVOKE, "{}", "{\"rc\":8}");
    expect(WRITE, KEY, "{}", "{\"rc\":8}");
}

static void nobody_changes_keys_unasked(void **state)
{
    (void)state;
    set_up();
    bench.permitted = false;
    expect(WRITE, REVOKE, about("hash", TEST_KEY_ED25519, false), "{\"rc\":11}");
    expect(WRITE, ADD, about("key", TEST_KEY_ED25519, true), "{\"rc\":11}");
    assert_int_equal(bench.asked, 2);
    bench.config.permit = NULL;
    expect(WRITE, REVOKE, about("hash", TEST_KEY_ED25519, false), "{\"rc\":11}");
    expect(WRITE, ADD, about("key", TEST_KEY_ED25519, true), "{\"rc\":11}");
    expect(READ, KEY, "{\"n\":1}", ERR(7));
    check(0, TEST_KEY_P256, "product", false, true);
}

/* The client's requests are what the server reads. */
static void requests_and_handlers_agree(void **state)
{
    (void)state;
    for (int what = 0; what < 3; what++) {
        struct ferry_client client;
        struct ferry_client_request requests[1];
        uint8_t buffers[1024];
        uint8_t hash[32];
        const struct ferry_client_config config = {.requests = requests,
                                                   .request_count = 1,
                                                   .buffers = buffers,
                                                   .buffer_size = sizeof(buffers)};
        struct ferry_bytes der = {test_keys[TEST_KEY_ED25519].public_der, 44};
        struct rig_answer answer;

        set_up();
        assert_int_equal(ferry_client_init(&client, &config), FERRY_OK);
        ferry_key_hash(der.data, der.len, hash);
        int32_t ticket = what == 0   ? ferry_command_key(&client, 0, NULL)
                         : what == 1 ? ferry_command_key_revoke(&client, hash, NULL)
                                     : ferry_command_key_add(&client, der, NULL);
        assert_true(ticket >= 0);
        assert_int_equal(ferry_command_key(&client, 0, NULL), FERRY_E_BUSY);
        struct ferry_bytes packet = {NULL, 0};
        uint64_t deadline = 0;
        assert_true(ferry_client_poll(&client, 0, &packet, &deadline));
        (void)rig_send(&bench.server, packet, &answer);
        assert_null(strstr(answer.json, "\"rc\""));
        if (what > 0) {
            check(1, TEST_KEY_ED25519, what == 1 ? "unknown" : "provisioned", what == 1, false);
        }
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(keys_are_listed_one_by_one),
        cmocka_unit_test(refusals_say_why),
        cmocka_unit_test(nobody_changes_keys_unasked),
        cmocka_unit_test(requests_and_handlers_agree),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
