/* SPDX-License-Identifier: Apache-2.0 */
/* Bare packets on a serial line: found by their headers, and again after silence. */
#include "ferry/raw.h"
#include "ferry/smp.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#define CAP     64
#define TIMEOUT 3000

struct rig {
    struct ferry_raw_decoder decoder;
    uint8_t buf[CAP];
    uint64_t now;
    char events[256]; /* "P:LEN" a packet, "D:ERROR" a loss */
};

static void begin(struct rig *rig, uint32_t timeout_ms)
{
    memset(rig, 0, sizeof(*rig));
    rig->now = 1000000;
    ferry_raw_decoder_init(&rig->decoder, rig->buf, sizeof(rig->buf), timeout_ms);
}

static void note(struct rig *rig, const struct ferry_raw_event *event)
{
    size_t len = strlen(rig->events);

    assert_true((event->kind == FERRY_RAW_DROPPED) == (event->error != FERRY_OK));
    if (event->kind == FERRY_RAW_PACKET) {
        assert_ptr_equal(event->bytes.data, rig->buf);
        (void)snprintf(rig->events + len, sizeof(rig->events) - len, "P:%zu ", event->bytes.len);
    } else if (event->kind == FERRY_RAW_DROPPED) {
        (void)snprintf(rig->events + len, sizeof(rig->events) - len, "D:%s ",
                       ferry_error_name(event->error) + strlen("FERRY_E_"));
    }
}

/* Feed bytes in parts of at most step. */
static void feed(struct rig *rig, const uint8_t *data, size_t len, size_t step)
{
    struct ferry_raw_event event;

    for (size_t at = 0; at < len;) {
        size_t part = step < len - at ? step : len - at;
        size_t taken = ferry_raw_feed(&rig->decoder, rig->now, data + at, part, &event);

        assert_true(taken > 0 && taken <= part);
        assert_true(taken == part || event.kind != FERRY_RAW_NOTHING);
        note(rig, &event);
        at += taken;
    }
}

static size_t make(uint8_t *out, uint8_t op, uint16_t payload)
{
    const struct ferry_smp_header header = {.op = op, .version = 1, .length = payload, .seq = 7};

    ferry_smp_header_write(&header, out);
    memset(out + FERRY_SMP_HEADER_SIZE, 0xa0, payload);
    return FERRY_SMP_HEADER_SIZE + (size_t)payload;
}

static void packet(struct rig *rig, uint16_t payload)
{
    uint8_t bytes[CAP];

    feed(rig, bytes, make(bytes, FERRY_SMP_WRITE, payload), sizeof(bytes));
}

static void expect(struct rig *rig, const char *events)
{
    assert_string_equal(rig->events, events);
    rig->events[0] = '\0';
}

/* ---- Packets -------------------------------------------------------------------------------- */

static void every_size_in_every_step(void **state)
{
    struct rig rig;

    (void)state;
    for (uint16_t payload = 0; payload <= CAP - FERRY_SMP_HEADER_SIZE; payload++) {
        for (size_t step = 1; step <= CAP; step++) {
            uint8_t bytes[CAP];
            char expected[32];
            size_t len = make(bytes, FERRY_SMP_READ_RSP, payload);

            begin(&rig, TIMEOUT);
            feed(&rig, bytes, len, step);
            (void)snprintf(expected, sizeof(expected), "P:%zu ", len);
            expect(&rig, expected);
            assert_memory_equal(rig.buf, bytes, len);
            assert_true(ferry_raw_deadline(&rig.decoder) == FERRY_RAW_NEVER);
        }
    }
}

/* MCUboot takes them, Zephyr does not: whoever sends them loses nothing here. */
static void packets_back_to_back(void **state)
{
    struct rig rig;
    uint8_t bytes[3 * CAP];
    size_t len = 0;

    (void)state;
    begin(&rig, TIMEOUT);
    len += make(bytes + len, FERRY_SMP_READ, 0);
    len += make(bytes + len, FERRY_SMP_WRITE, 56);
    len += make(bytes + len, FERRY_SMP_READ, 1);
    for (size_t step = 1; step <= sizeof(bytes); step++) {
        feed(&rig, bytes, len, step);
        expect(&rig, "P:8 P:64 P:9 ");
    }
}

static void reserved_bits_version_and_flags_do_not_count(void **state)
{
    struct rig rig;
    uint8_t bytes[CAP];
    size_t len = make(bytes, FERRY_SMP_WRITE, 4);

    (void)state;
    begin(&rig, TIMEOUT);
    bytes[0] = 0xfa;
    bytes[1] = 0xff;
    feed(&rig, bytes, len, len);
    expect(&rig, "P:12 ");
}

/* ---- Headers that cannot be -------------------------------------------------------------- */

static void an_impossible_header_loses_all_until_silence(void **state)
{
    struct rig rig;

    (void)state;
    for (uint8_t op = 4; op < 8; op++) {
        const uint8_t noise[] = {op, 0, 0, 1};

        begin(&rig, TIMEOUT);
        feed(&rig, noise, sizeof(noise), 1);
        packet(&rig, 4);
        rig.now += FERRY_RAW_QUIET_MS - 1;
        packet(&rig, 4); /* it was not silent for long enough, and begins anew from here */
        rig.now += FERRY_RAW_QUIET_MS - 1;
        packet(&rig, 4);
        expect(&rig, "D:FORMAT ");
        rig.now += FERRY_RAW_QUIET_MS;
        packet(&rig, 4);
        expect(&rig, "P:12 ");
    }
}

static void a_packet_larger_than_the_buffer(void **state)
{
    struct rig rig;
    const uint8_t head[] = {2, 0, 0, CAP - FERRY_SMP_HEADER_SIZE + 1};
    const uint8_t largest[] = {2, 0, 0xff, 0xff};

    (void)state;
    begin(&rig, TIMEOUT);
    feed(&rig, head, sizeof(head), sizeof(head));
    expect(&rig, "D:SPACE ");
    packet(&rig, 0);
    rig.now += TIMEOUT;
    feed(&rig, largest, sizeof(largest), 1);
    expect(&rig, "D:SPACE ");
    rig.now += TIMEOUT;
    packet(&rig, CAP - FERRY_SMP_HEADER_SIZE);
    expect(&rig, "P:64 ");
}

/* A request that comes again after 2.5 s, as smpclient's, is heard behind what was too large. */
static void a_client_that_sends_again_soon_is_heard(void **state)
{
    struct rig rig;
    const uint8_t largest[] = {2, 0, 0xff, 0xff};

    (void)state;
    begin(&rig, TIMEOUT);
    feed(&rig, largest, sizeof(largest), sizeof(largest));
    for (int i = 0; i < 40; i++) { /* the rest of it, at the line's pace */
        const uint8_t rest[8] = {0};

        rig.now += 10;
        feed(&rig, rest, sizeof(rest), sizeof(rest));
    }
    expect(&rig, "D:SPACE ");
    rig.now += 2500;
    packet(&rig, 4);
    expect(&rig, "P:12 ");
}

/* Where the timeout is shorter than the pause behind noise, it is the pause as well. */
static void a_short_timeout_is_the_pause_behind_noise(void **state)
{
    struct rig rig;
    const uint8_t noise[] = {7};

    (void)state;
    begin(&rig, 50);
    feed(&rig, noise, 1, 1);
    rig.now += 50;
    packet(&rig, 4);
    expect(&rig, "D:FORMAT P:12 ");
}

static void a_buffer_too_small_for_any_header(void **state)
{
    struct ferry_raw_decoder decoder;
    struct ferry_raw_event event;
    uint8_t buf[1] = {0x55};
    const uint8_t bytes[8] = {0};

    (void)state;
    ferry_raw_decoder_init(&decoder, buf, 0, TIMEOUT);
    assert_int_equal(ferry_raw_feed(&decoder, 0, bytes, sizeof(bytes), &event), sizeof(bytes));
    assert_int_equal(event.kind, FERRY_RAW_NOTHING);
    assert_int_equal(ferry_raw_feed(&decoder, 0, bytes, 0, &event), 0);
    assert_int_equal(buf[0], 0x55);
}

/* ---- Silence ------------------------------------------------------------------------------- */

static void half_a_packet_is_given_up_after_the_timeout(void **state)
{
    struct rig rig;
    struct ferry_raw_event event;
    uint8_t bytes[CAP];
    size_t len = make(bytes, FERRY_SMP_WRITE, 20);

    (void)state;
    for (size_t have = 1; have < len; have++) {
        /* Told with the next byte … */
        begin(&rig, TIMEOUT);
        feed(&rig, bytes, have, have);
        assert_int_equal(ferry_raw_deadline(&rig.decoder), rig.now + TIMEOUT);
        rig.now += TIMEOUT;
        packet(&rig, 3);
        expect(&rig, "D:TIMEOUT P:11 ");

        /* … or when asked. */
        begin(&rig, TIMEOUT);
        feed(&rig, bytes, have, have);
        assert_false(ferry_raw_expire(&rig.decoder, rig.now + TIMEOUT - 1, &event));
        assert_true(ferry_raw_expire(&rig.decoder, rig.now + TIMEOUT, &event));
        note(&rig, &event);
        assert_false(ferry_raw_expire(&rig.decoder, rig.now + TIMEOUT, &event));
        packet(&rig, 3);
        expect(&rig, "D:TIMEOUT P:11 ");
    }
}

/* A byte that was lost: the next packet's first ones fill the gap, what is left of it is noise. */
static void a_lost_byte_costs_two_packets_and_a_pause(void **state)
{
    struct rig rig;
    uint8_t bytes[CAP];
    size_t len = make(bytes, FERRY_SMP_WRITE, 20);

    (void)state;
    begin(&rig, TIMEOUT);
    feed(&rig, bytes, len - 1, len);
    memset(bytes + 8, 0xff, 20); /* an operation that cannot be, wherever it is cut */
    bytes[1] = 0xff;
    feed(&rig, bytes, len, len);
    expect(&rig, "P:28 D:FORMAT ");
    rig.now += TIMEOUT;
    packet(&rig, 20);
    expect(&rig, "P:28 ");
}

static void bytes_that_trickle_in_are_no_silence(void **state)
{
    struct rig rig;
    uint8_t bytes[CAP];
    size_t len = make(bytes, FERRY_SMP_WRITE, 20);

    (void)state;
    begin(&rig, TIMEOUT);
    for (size_t i = 0; i < len; i++) {
        rig.now += TIMEOUT - 1;
        feed(&rig, bytes + i, 1, 1);
    }
    expect(&rig, "P:28 ");
}

/* Where noise comes instead of a header after the pause, one loss is told for both. */
static void a_timeout_and_noise_are_one_loss(void **state)
{
    struct rig rig;
    const uint8_t half[] = {2, 0};
    const uint8_t noise[] = {7, 7};

    (void)state;
    begin(&rig, TIMEOUT);
    feed(&rig, half, sizeof(half), 2);
    rig.now += TIMEOUT;
    feed(&rig, noise, sizeof(noise), 2);
    packet(&rig, 0);
    expect(&rig, "D:TIMEOUT ");
    rig.now += TIMEOUT;
    packet(&rig, 0);
    expect(&rig, "P:8 ");
}

static void without_a_timeout_nothing_expires(void **state)
{
    struct rig rig;
    struct ferry_raw_event event;
    uint8_t bytes[CAP];
    const uint8_t noise[] = {7};
    size_t len = make(bytes, FERRY_SMP_WRITE, 20);

    (void)state;
    begin(&rig, 0);
    feed(&rig, bytes, 10, 10);
    assert_true(ferry_raw_deadline(&rig.decoder) == FERRY_RAW_NEVER);
    rig.now += 1000000;
    assert_false(ferry_raw_expire(&rig.decoder, rig.now, &event));
    feed(&rig, bytes + 10, len - 10, len);
    feed(&rig, noise, 1, 1);
    packet(&rig, 0);
    expect(&rig, "P:28 D:FORMAT P:8 ");
}

/* A clock that was set back says nothing about silence. */
static void a_clock_that_goes_back_gives_up_nothing(void **state)
{
    struct rig rig;
    uint8_t bytes[CAP];
    size_t len = make(bytes, FERRY_SMP_WRITE, 20);

    (void)state;
    begin(&rig, TIMEOUT);
    feed(&rig, bytes, 10, 10);
    rig.now = 0;
    feed(&rig, bytes + 10, len - 10, len);
    expect(&rig, "P:28 ");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_size_in_every_step),
        cmocka_unit_test(packets_back_to_back),
        cmocka_unit_test(reserved_bits_version_and_flags_do_not_count),
        cmocka_unit_test(an_impossible_header_loses_all_until_silence),
        cmocka_unit_test(a_client_that_sends_again_soon_is_heard),
        cmocka_unit_test(a_short_timeout_is_the_pause_behind_noise),
        cmocka_unit_test(a_packet_larger_than_the_buffer),
        cmocka_unit_test(a_buffer_too_small_for_any_header),
        cmocka_unit_test(half_a_packet_is_given_up_after_the_timeout),
        cmocka_unit_test(a_lost_byte_costs_two_packets_and_a_pause),
        cmocka_unit_test(bytes_that_trickle_in_are_no_silence),
        cmocka_unit_test(a_timeout_and_noise_are_one_loss),
        cmocka_unit_test(without_a_timeout_nothing_expires),
        cmocka_unit_test(a_clock_that_goes_back_gives_up_nothing),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
