/* SPDX-License-Identifier: Apache-2.0 */
/* The dispatcher: small and large buffers, several requests in a packet, bad payloads. */
#include "test_server_rig.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* ---- Size -------------------------------------------------------------------- */

static void test_answers_that_do_not_fit_are_rc_7(void **context)
{
    static uint8_t out[80000];
    uint8_t request[32];
    struct server_rig rig;
    /* 8 header, 1 open, 2 key, 1 or 3 or 5 head, n bytes, 1 close */
    static const struct {
        int bytes;
        size_t cap;
        size_t size;
    } rows[] = {
        {20, 33, 33},       {20, 32, 14},       {20, 14, 14},          {300, 315, 315},
        {300, 314, 14},     {0, 14, 13},        {65527, 80000, 65542}, {65528, 80000, 65543},
        {65529, 80000, 14}, {70000, 80000, 14},
    };
    (void)context;

    server_rig_set_up(&rig);
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        size_t len = rig_request(FERRY_SMP_READ, 1, GROUP, C_BIG, NULL, request, sizeof(request));
        struct ferry_bytes pending = {request, len};

        rig.state.rc = rows[i].bytes;
        assert_int_equal(ferry_server_handle(&rig.server, &pending, 0, out, rows[i].cap),
                         rows[i].size);
        assert_int_equal(pending.len, 0);
        if (rows[i].size == 14) {
            assert_memory_equal(out + 8, "\xbf\x62rc\x07\xff", 6);
        }
    }
}

/* Every command and damage, for every cap: nothing is written beyond, every answer is whole. */
static void test_no_answer_is_ever_written_beyond_cap(void **context)
{
    static const uint8_t ids[] = {C_COUNT, C_RC, C_ERROR, C_NOTHING, C_BIG, C_FOREIGN, C_PAYLOAD};
    struct server_rig rig;
    unsigned checked = 0;
    (void)context;

    server_rig_set_up(&rig);
    rig.config.verbose = true;
    rig.state.rc = 300; /* an rc that needs 16 bytes */
    for (size_t cap = 0; cap <= 64; cap++) {
        for (size_t i = 0; i < 2 * sizeof(ids); i++) {
            uint8_t request[32];
            uint8_t *out = malloc(cap + 1); /* the sanitizer guards its end */
            uint8_t version = (uint8_t)(i % 2);
            size_t len = rig_request(FERRY_SMP_READ, version, GROUP, ids[i / 2], "{}", request,
                                     sizeof(request));
            struct ferry_bytes pending = {request, len};
            struct ferry_smp_header header;
            struct ferry_bytes answer = {out, 0};
            struct ferry_bytes map;

            assert_non_null(out);
            out[cap] = 0xa5;
            answer.len = ferry_server_handle(&rig.server, &pending, 0, out, cap);
            assert_int_equal(out[cap], 0xa5);
            assert_int_equal(answer.len > 0, cap >= FERRY_SERVER_ANSWER_MIN);
            assert_true(answer.len <= cap);
            if (answer.len > 0) {
                assert_int_equal(ferry_smp_packet_read(answer, &header, &map, NULL), FERRY_OK);
                assert_int_equal(map.len, answer.len - 8);
            }
            assert_int_equal(pending.len, 0);
            free(out);
            checked++;
        }
    }
    print_message("%u answers under 65 caps\n", checked);
    assert_int_equal(checked, 65 * 14);
}

static void test_a_reason_that_does_not_fit_is_left_out(void **context)
{
    uint8_t request[32];
    uint8_t out[64];
    struct server_rig rig;
    (void)context;

    server_rig_set_up(&rig);
    rig.config.verbose = true;
    rig.state.rc = 3;
    for (size_t cap = 14; cap < 40; cap++) {
        size_t len = rig_request(FERRY_SMP_READ, 1, GROUP, C_RC, NULL, request, sizeof(request));
        struct ferry_bytes pending = {request, len};
        size_t size = ferry_server_handle(&rig.server, &pending, 0, out, cap);

        assert_int_equal(size, cap < 26 ? 14 : 26); /* "rsn" and "because" take 12 */
        assert_int_equal(out[12], 3);
    }
}

/* ---- Several requests in a packet -------------------------------------------- */

struct packet {
    uint8_t bytes[256];
    size_t len;
};

static void add(struct packet *packet, uint8_t version, uint8_t id)
{
    packet->len += rig_request(FERRY_SMP_READ, version, GROUP, id, "{}",
                               packet->bytes + packet->len, sizeof(packet->bytes) - packet->len);
}

/* Send a packet whole; expect this many answers, the last of them json. */
static void expect_answers(struct server_rig *rig, const struct packet *packet, int answers,
                           const char *json)
{
    struct ferry_bytes pending = {packet->bytes, packet->len};
    struct rig_answer answer;
    int got = 0;
    char last[64] = "";

    while (pending.len > 0) {
        pending = rig_send(&rig->server, pending, &answer);
        if (answer.size > 0) {
            got++;
            (void)snprintf(last, sizeof(last), "%.63s", answer.json);
        }
    }
    assert_int_equal(got, answers);
    assert_string_equal(last, json);
}

static void test_requests_in_one_packet_are_answered_in_order(void **context)
{
    struct server_rig rig;
    struct packet packet = {.len = 0};
    (void)context;

    server_rig_set_up(&rig);
    add(&packet, 1, C_COUNT);
    expect_answers(&rig, &packet, 1, "{\"n\":1}");
    add(&packet, 0, C_COUNT);
    add(&packet, 1, C_COUNT);
    expect_answers(&rig, &packet, 3, "{\"n\":4}");
    packet.bytes[packet.len++] = 0x08; /* a tail too short for a header */
    expect_answers(&rig, &packet, 3, "{\"n\":7}");
}

static void test_an_rc_error_ends_the_packet(void **context)
{
    struct server_rig rig;
    struct packet packet = {.len = 0};
    (void)context;

    server_rig_set_up(&rig);
    rig.state.rc = 2;
    add(&packet, 1, C_COUNT);
    add(&packet, 1, C_RC);
    add(&packet, 1, C_COUNT);
    expect_answers(&rig, &packet, 2, "{\"rc\":2}");
    assert_int_equal(rig.state.calls, 1);
    packet.len = 0;
    add(&packet, 1, C_NOTHING);
    add(&packet, 1, C_COUNT);
    expect_answers(&rig, &packet, 1, "{\"rc\":8}");
    assert_int_equal(rig.state.calls, 1);
}

static void test_a_group_error_ends_the_packet_in_version_1_only(void **context)
{
    struct server_rig rig;
    struct packet packet = {.len = 0};
    (void)context;

    server_rig_set_up(&rig);
    rig.state.rc = 2;
    add(&packet, 1, C_ERROR);
    add(&packet, 1, C_COUNT);
    expect_answers(&rig, &packet, 2, "{\"n\":1}");
    packet.len = 0;
    add(&packet, 0, C_ERROR);
    add(&packet, 1, C_COUNT);
    expect_answers(&rig, &packet, 1, "{\"rc\":3}");
    assert_int_equal(rig.state.calls, 1);
}

/* A map cut short by its header's length must not go on in the next request. */
static void test_a_payload_ends_where_its_header_says(void **context)
{
    struct server_rig rig;
    struct packet packet = {.len = 0};
    (void)context;

    server_rig_set_up(&rig);
    packet.len = rig_request(FERRY_SMP_READ, 1, GROUP, C_PAYLOAD, "{\"n\":7,\"t\":\"abcdefgh\"}",
                             packet.bytes, sizeof(packet.bytes));
    expect_answers(&rig, &packet, 1, "{\"n\":7}");
    packet.bytes[3] = (uint8_t)(packet.bytes[3] - 8); /* the text is outside now */
    expect_answers(&rig, &packet, 1, "{\"rc\":3}");
}

static void test_payloads_that_cannot_be_read_are_rc_3(void **context)
{
    static const struct {
        size_t len;
        uint8_t bytes[12];
    } rows[] = {
        {0, {0}},                                      /* nothing */
        {1, {0x80}},                                   /* a list */
        {3, {0xa1, 0x61, 'n'}},                        /* a key without a value */
        {4, {0xa1, 0x61, 'n', 0x20}},                  /* -1 */
        {7, {0xa2, 0x61, 'n', 0x01, 0x61, 'n', 0x02}}, /* a key twice */
        {3, {0xa1, 0x01, 0x01}},                       /* a key that is no text */
        {3, {0xbf, 0x61, 'n'}},                        /* no end */
        {7, {0xa1, 0x61, 't', 0x7f, 0x61, 'a', 0xff}}, /* a text in chunks */
    };
    struct server_rig rig;
    struct rig_answer answer;
    (void)context;

    server_rig_set_up(&rig);
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        uint8_t bytes[32];
        struct ferry_bytes packet = {bytes, 8 + rows[i].len};

        (void)rig_request(FERRY_SMP_WRITE, 1, GROUP, C_PAYLOAD, NULL, bytes, sizeof(bytes));
        bytes[3] = (uint8_t)rows[i].len;
        memcpy(bytes + 8, rows[i].bytes, rows[i].len);
        assert_int_equal(rig_send(&rig.server, packet, &answer).len, 0);
        assert_string_equal(answer.json, "{\"rc\":3}");
    }
    rig_ask(&rig.server, FERRY_SMP_READ, GROUP, C_PAYLOAD, "{\"x\":{\"n\":[1,{\"n\":2}]},\"n\":3}",
            &answer);
    assert_string_equal(answer.json, "{\"n\":3}");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_answers_that_do_not_fit_are_rc_7),
        cmocka_unit_test(test_no_answer_is_ever_written_beyond_cap),
        cmocka_unit_test(test_a_reason_that_does_not_fit_is_left_out),
        cmocka_unit_test(test_requests_in_one_packet_are_answered_in_order),
        cmocka_unit_test(test_an_rc_error_ends_the_packet),
        cmocka_unit_test(test_a_group_error_ends_the_packet_in_version_1_only),
        cmocka_unit_test(test_a_payload_ends_where_its_header_says),
        cmocka_unit_test(test_payloads_that_cannot_be_read_are_rc_3),
    };

    return cmocka_run_group_tests_name("server packets", tests, NULL, NULL);
}
