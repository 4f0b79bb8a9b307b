/* SPDX-License-Identifier: Apache-2.0 */
/* Group access, the client's side: requests as bytes, and answers that are whole or not.
 * test_gate_unlock.c has what the server says to them. */
#include "ferry/commands_access.h"
#include "test_rig.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#define NONCE "h'000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f'"
#define KEY   "h'4040404040404040404040404040404040404040404040404040404040404040'"

/* ---- Requests -------------------------------------------------------------------------------- */

static struct ferry_client client;
static struct ferry_client_request requests[2];
static uint8_t buffers[2][256];

static void set_up(void)
{
    const struct ferry_client_config config = {.requests = requests,
                                               .request_count = 2,
                                               .buffers = buffers[0],
                                               .buffer_size = sizeof(buffers[0])};

    assert_int_equal(ferry_client_init(&client, &config), FERRY_OK);
}

/* The request that was submitted: its header, its payload as JSON. */
static void expect_sent(int32_t ticket, uint8_t op, uint8_t id, const char *expected)
{
    struct ferry_smp_header header;
    struct ferry_bytes packet;
    struct ferry_bytes payload;
    uint64_t deadline;
    char json[1024];

    assert_true(ticket > 0);
    assert_true(ferry_client_poll(&client, 1, &packet, &deadline));
    assert_int_equal(ferry_smp_packet_read(packet, &header, &payload, NULL), FERRY_OK);
    rig_json(payload, json, sizeof(json));
    assert_string_equal(json, expected);
    assert_true(header.op == op && header.group == FERRY_SMP_GROUP_ACCESS && header.id == id);
    ferry_client_cancel_all(&client);
}

static void requests_as_bytes(void **state)
{
    (void)state;
    uint8_t key[FERRY_ACCESS_KEY_SIZE];
    uint8_t signature[FERRY_ACCESS_SIGNATURE_SIZE];
    const struct ferry_access_unlock unlock = {
        .key = key, .level = FERRY_ACCESS_UPDATE, .seconds = 90, .signature = signature};

    memset(key, 0x40, sizeof(key));
    memset(signature, 0x11, sizeof(signature));
    set_up();
    expect_sent(ferry_command_access_status(&client, NULL, NULL), FERRY_SMP_READ, 0, "{}");
    expect_sent(ferry_command_access_status(&client, key, NULL), FERRY_SMP_READ, 0,
                "{\"key\":\"" KEY "\"}");
    expect_sent(ferry_command_access_challenge(&client, key, NULL), FERRY_SMP_WRITE, 1,
                "{\"key\":\"" KEY "\"}");
    expect_sent(ferry_command_access_unlock(&client, &unlock, NULL), FERRY_SMP_WRITE, 2,
                "{\"key\":\"" KEY "\",\"level\":1,\"seconds\":90,\"sig\":\"h'"
                "1111111111111111111111111111111111111111111111111111111111111111"
                "1111111111111111111111111111111111111111111111111111111111111111'\"}");
    expect_sent(ferry_command_access_lock(&client, NULL), FERRY_SMP_WRITE, 3, "{}");
    expect_sent(ferry_command_access_audit(&client, -1, NULL), FERRY_SMP_READ, 4, "{}");
    expect_sent(ferry_command_access_audit(&client, 7, NULL), FERRY_SMP_READ, 4,
                "{\"transport\":7}");
    assert_true(ferry_command_access_lock(&client, NULL) > 0);
    assert_true(ferry_command_access_lock(&client, NULL) > 0);
    assert_int_equal(ferry_command_access_lock(&client, NULL), FERRY_E_BUSY);
    assert_int_equal(ferry_command_access_status(&client, key, NULL), FERRY_E_BUSY);
    assert_int_equal(ferry_command_access_challenge(&client, key, NULL), FERRY_E_BUSY);
    assert_int_equal(ferry_command_access_unlock(&client, &unlock, NULL), FERRY_E_BUSY);
    assert_int_equal(ferry_command_access_audit(&client, 1, NULL), FERRY_E_BUSY);
}

/* ---- Answers --------------------------------------------------------------------------------- */

/* The payload of an answer, by JSON. */
static struct ferry_bytes payload_of(const char *json)
{
    static uint8_t packet[512];
    size_t size = rig_request(FERRY_SMP_READ_RSP, FERRY_SMP_VERSION_2, FERRY_SMP_GROUP_ACCESS, 0,
                              json, packet, sizeof(packet));

    return (struct ferry_bytes){packet + FERRY_SMP_HEADER_SIZE, size - FERRY_SMP_HEADER_SIZE};
}

static void a_status(void **state)
{
    (void)state;
    struct ferry_access_status status;

    assert_int_equal(
        ferry_answer_access_status(
            payload_of("{\"level\":1,\"lowest\":0,\"highest\":2,\"left\":59,\"new\":[{}],"
                       "\"max_level\":2,\"max_seconds\":3600}"),
            &status),
        FERRY_OK);
    assert_true(status.level == 1 && status.lowest == 0 && status.highest == 2 &&
                status.left_s == 59);
    assert_true(status.has_key && status.max_level == 2 && status.max_seconds == 3600);
    assert_int_equal(ferry_answer_access_status(payload_of("{\"level\":2,\"left\":9}"), &status),
                     FERRY_OK);
    assert_true(status.level == 2 && status.left_s == 9 && !status.has_key);
    assert_int_equal(ferry_answer_access_status(payload_of("{}"), &status), FERRY_E_NOT_FOUND);
    assert_int_equal(ferry_answer_access_status(payload_of("{\"level\":4294967296}"), &status),
                     FERRY_E_RANGE);
    assert_int_equal(ferry_answer_access_status(payload_of("{\"level\":\"locked\"}"), &status),
                     FERRY_E_TYPE);
}

static void a_challenge(void **state)
{
    (void)state;
    struct ferry_access_challenge challenge;
    char json[512];
    static const struct {
        const char *json;
        int error;
    } cases[] = {
        {"{\"nonce\":\"" NONCE "\",\"id\":\"h''\",\"transport\":255,\"max_level\":9,"
         "\"max_seconds\":1}",
         FERRY_OK},
        {"{\"nonce\":\"" NONCE "\",\"id\":\"h''\",\"transport\":256,\"max_level\":2,"
         "\"max_seconds\":1}",
         FERRY_E_RANGE},
        {"{\"nonce\":\"" NONCE "\",\"id\":\"h''\",\"transport\":1,\"max_level\":2,"
         "\"max_seconds\":4294967296}",
         FERRY_E_RANGE},
        {"{\"nonce\":\"" NONCE "\",\"id\":\"h''\",\"transport\":1,\"max_level\":2}",
         FERRY_E_NOT_FOUND},
        {"{\"id\":\"h''\",\"transport\":1,\"max_level\":2,\"max_seconds\":1}", FERRY_E_NOT_FOUND},
        {"{\"nonce\":\"h'00'\",\"id\":\"h''\",\"transport\":1,\"max_level\":2,\"max_seconds\":1}",
         FERRY_E_FORMAT},
        {"{\"nonce\":\"" NONCE "\",\"id\":\"text\",\"transport\":1,\"max_level\":2,"
         "\"max_seconds\":1}",
         FERRY_E_TYPE}};

    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        assert_int_equal(ferry_answer_access_challenge(payload_of(cases[i].json), &challenge),
                         cases[i].error);
    }
    for (int over = 0; over <= 1; over++) { /* the longest id, and one byte more */
        char id[2 * (FERRY_ACCESS_ID_MAX + 1) + 1] = "";

        memset(id, '7', 2 * (size_t)(FERRY_ACCESS_ID_MAX + over));
        snprintf(json, sizeof(json),
                 "{\"id\":\"h'%s'\",\"nonce\":\"" NONCE "\",\"transport\":1,\"max_level\":2,"
                 "\"max_seconds\":1}",
                 id);
        assert_int_equal(ferry_answer_access_challenge(payload_of(json), &challenge),
                         over ? FERRY_E_FORMAT : FERRY_OK);
        assert_int_equal(challenge.id_len, over ? 0 : FERRY_ACCESS_ID_MAX);
    }
}

static void an_audit_and_a_wait(void **state)
{
    (void)state;
    struct ferry_access_audit audit;

    assert_int_equal(
        ferry_answer_access_audit(payload_of("{\"transport\":1,\"refused\":3,\"unlocks\":1,"
                                             "\"failed\":2,\"last_group\":103,\"last_command\":4,"
                                             "\"last_op\":2}"),
                                  &audit),
        FERRY_OK);
    assert_true(audit.transport == 1 && audit.refused == 3 && audit.unlocks == 1 &&
                audit.failed == 2);
    assert_true(audit.last_group == 103 && audit.last_command == 4 && audit.last_op == 2);
    assert_int_equal(ferry_answer_access_audit(payload_of("{\"refused\":1}"), &audit),
                     FERRY_E_NOT_FOUND);
    assert_int_equal(ferry_answer_access_audit(
                         payload_of("{\"refused\":4294967296,\"unlocks\":1,\"failed\":2}"), &audit),
                     FERRY_E_RANGE);
    assert_int_equal(ferry_answer_access_wait_ms(payload_of("{\"wait\":7}")), 7);
    assert_int_equal(ferry_answer_access_wait_ms(payload_of("{\"wait\":9999999}")), 60000);
    assert_int_equal(ferry_answer_access_wait_ms(payload_of("{}")), 1000);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(requests_as_bytes),
        cmocka_unit_test(a_status),
        cmocka_unit_test(a_challenge),
        cmocka_unit_test(an_audit_and_a_wait),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
