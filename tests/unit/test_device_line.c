/* SPDX-License-Identifier: Apache-2.0 */
/* The paced wires: when bytes arrive, and what becomes of frames on a bad line. */
#include "device/line.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define SECOND UINT64_C(1000000000)
#define BAUD   115200U

/* ---- Pace -------------------------------------------------------------------------------- */

static void bytes_take_ten_bits_each(void **state)
{
    struct ferry_pace pace;

    (void)state;
    ferry_pace_init(&pace, BAUD, 0);
    assert_int_equal(ferry_pace_send(&pace, SECOND, BAUD / 10), 2 * SECOND);
    /* Behind the first: the wire is taken until then. */
    assert_int_equal(ferry_pace_send(&pace, SECOND, BAUD / 10), 3 * SECOND);
    /* After a pause the wire is free. */
    assert_int_equal(ferry_pace_send(&pace, 10 * SECOND, BAUD / 10), 11 * SECOND);
}

static void single_bytes_do_not_drift(void **state)
{
    static const uint32_t bauds[] = {300, 9600, BAUD, 921600, 3000000, 7};
    size_t checked = 0;

    (void)state;
    for (size_t i = 0; i < sizeof(bauds) / sizeof(bauds[0]); i++) {
        struct ferry_pace pace;
        uint64_t last = 0;
        ferry_pace_init(&pace, bauds[i], 0);
        for (uint32_t n = 0; n < bauds[i]; n++) {
            last = ferry_pace_send(&pace, 0, 1);
            checked++;
        }
        /* As many bytes as bits a second take ten seconds, to the nanosecond. */
        assert_int_equal(last, 10 * SECOND);
    }
    print_message("%zu bytes paced\n", checked);
    assert_true(checked > 4000000);
}

static void latency_moves_but_does_not_slow(void **state)
{
    struct ferry_pace pace;

    (void)state;
    ferry_pace_init(&pace, BAUD, 5000000);
    assert_int_equal(ferry_pace_send(&pace, 0, BAUD / 10), SECOND + 5000000);
    assert_int_equal(ferry_pace_send(&pace, 0, BAUD / 10), 2 * SECOND + 5000000);
    ferry_pace_init(&pace, 0, 7);
    assert_int_equal(ferry_pace_send(&pace, 100, 4000), 107);
    assert_int_equal(ferry_pace_send(&pace, 100, 4000), 107);
}

/* ---- Noise -------------------------------------------------------------------------------- */

static void shares_are_kept_and_repeat_with_the_seed(void **state)
{
    enum { FRAMES = 100000 };
    struct ferry_noise noise;
    struct ferry_noise again;
    uint32_t counts[3] = {0};

    (void)state;
    ferry_noise_init(&noise, 42, FERRY_NOISE_ALL / 10, FERRY_NOISE_ALL / 20);
    ferry_noise_init(&again, 42, FERRY_NOISE_ALL / 10, FERRY_NOISE_ALL / 20);
    for (size_t i = 0; i < FRAMES; i++) {
        enum ferry_noise_verdict verdict = ferry_noise_judge(&noise);
        assert_int_equal(verdict, ferry_noise_judge(&again));
        counts[verdict]++;
    }
    print_message("%d frames: %u lost, %u changed\n", FRAMES, counts[FERRY_NOISE_LOST],
                  counts[FERRY_NOISE_CHANGED]);
    /* 10 % and 5 % of the other 90 %, within five standard deviations. */
    assert_in_range(counts[FERRY_NOISE_LOST], 9500, 10500);
    assert_in_range(counts[FERRY_NOISE_CHANGED], 4150, 4850);
}

static void none_and_all_are_exact(void **state)
{
    struct ferry_noise noise;

    (void)state;
    for (size_t i = 0; i < 10000; i++) {
        ferry_noise_init(&noise, i, 0, 0);
        assert_int_equal(ferry_noise_judge(&noise), FERRY_NOISE_KEPT);
        ferry_noise_init(&noise, i, FERRY_NOISE_ALL, 0);
        assert_int_equal(ferry_noise_judge(&noise), FERRY_NOISE_LOST);
        ferry_noise_init(&noise, i, 0, FERRY_NOISE_ALL);
        assert_int_equal(ferry_noise_judge(&noise), FERRY_NOISE_CHANGED);
    }
}

static size_t differences(const uint8_t *a, const uint8_t *b, size_t len)
{
    size_t count = 0;

    for (size_t i = 0; i < len; i++) {
        count += a[i] != b[i];
    }
    return count;
}

static void a_change_is_one_byte_anywhere(void **state)
{
    struct ferry_noise noise;
    uint8_t frame[32];
    uint8_t before[32];
    bool hit[32] = {false};

    (void)state;
    ferry_noise_init(&noise, 1, 0, 0);
    memset(before, 0x41, sizeof(before));
    for (size_t i = 0; i < 2000; i++) {
        memcpy(frame, before, sizeof(frame));
        ferry_noise_change(&noise, frame, sizeof(frame));
        assert_int_equal(differences(frame, before, sizeof(frame)), 1);
        for (size_t at = 0; at < sizeof(frame); at++) {
            hit[at] = hit[at] || frame[at] != before[at];
        }
    }
    for (size_t at = 0; at < sizeof(hit); at++) {
        assert_true(hit[at]);
    }
}

/* ---- The line ------------------------------------------------------------------------------ */

static struct line *new_framed(enum line_framing framing, uint32_t baud, uint32_t loss,
                               uint32_t corrupt)
{
    struct line *line = malloc(sizeof(*line));
    struct ferry_pace pace;
    struct ferry_noise noise;

    assert_non_null(line);
    ferry_pace_init(&pace, baud, 0);
    ferry_noise_init(&noise, 3, loss, corrupt);
    line_init(line, framing, &pace, &noise);
    return line;
}

static struct line *new_line(uint32_t baud, uint32_t loss, uint32_t corrupt)
{
    return new_framed(LINE_CONSOLE, baud, loss, corrupt);
}

static void put(struct line *line, const char *text)
{
    line_put(line, 0, (const uint8_t *)text, strlen(text));
}

/* All that ever arrives, as text. */
static size_t drain(struct line *line, char *out, size_t cap)
{
    size_t len = line_take(line, LINE_NEVER, (uint8_t *)out, cap - 1);

    out[len] = '\0';
    return len;
}

static void bytes_arrive_in_order_and_in_time(void **state)
{
    struct line *line = new_line(1000, 0, 0); /* a byte every 10 ms */
    uint8_t out[16];

    (void)state;
    put(line, "abc");
    assert_int_equal(line_take(line, 9999999, out, sizeof(out)), 0);
    assert_int_equal(line_take(line, 10000000, out, sizeof(out)), 1);
    assert_int_equal(out[0], 'a');
    assert_int_equal(line_take(line, 30000000, out, 1), 1);
    assert_int_equal(line_take(line, 30000000, out + 1, 15), 1);
    assert_memory_equal(out, "bc", 2);
    assert_int_equal(line_next(line), LINE_NEVER);
    free(line);
}

static void waking_is_at_line_feeds_or_every_millisecond(void **state)
{
    struct line *line = new_line(BAUD, 0, 0);
    uint64_t byte = 10 * SECOND / BAUD;

    (void)state;
    assert_int_equal(line_next(line), LINE_NEVER);
    put(line, "ab\ncdefghijklmnopqrstuvwxyz");
    assert_in_range(line_next(line), 3 * byte, 3 * byte + 3);
    char out[64];
    assert_int_equal(line_take(line, 3 * byte + 3, (uint8_t *)out, 64), 3);
    /* No line feed: a millisecond after the first byte. */
    assert_in_range(line_next(line), 4 * byte + 1000000, 4 * byte + 1000004);
    free(line);
}

static void the_ring_goes_round(void **state)
{
    struct line *line = new_line(0, 0, 0);
    uint8_t in[1000];
    uint8_t out[1000];
    size_t total = 0;

    (void)state;
    for (size_t round = 0; round < 300; round++) {
        for (size_t i = 0; i < sizeof(in); i++) {
            in[i] = (uint8_t)(round + i);
        }
        line_put(line, round, in, sizeof(in));
        assert_int_equal(line_take(line, round, out, sizeof(out)), sizeof(out));
        assert_memory_equal(in, out, sizeof(in));
        total += sizeof(in);
    }
    assert_true(total > LINE_CAP * 4);
    size_t room = line_room(line);
    assert_int_equal(room, LINE_CAP - LINE_FRAME_MAX);
    while (line_room(line) > 0) {
        line_put(line, 0, in, line_room(line) < sizeof(in) ? line_room(line) : sizeof(in));
    }
    assert_int_equal(line->count, room);
    free(line);
}

#define FRAME                                                                                      \
    "\x06\x09"                                                                                     \
    "AAAA\n"
#define CONTINUED                                                                                  \
    "\x04\x14"                                                                                     \
    "BBBB\n"

static void text_between_frames_is_never_lost(void **state)
{
    struct line *line = new_line(0, FERRY_NOISE_ALL, 0);
    char out[256];

    (void)state;
    put(line, "boot\n" FRAME "log\n" CONTINUED "\x06x\x04y\x06\x06z" FRAME "end");
    (void)drain(line, out, sizeof(out));
    assert_string_equal(out, "boot\nlog\n\x06x\x04y\x06\x06zend");
    free(line);
}

static void a_frame_may_come_in_pieces(void **state)
{
    static const char text[] = "a" FRAME "b" CONTINUED "c\n";
    struct line *line = new_line(0, FERRY_NOISE_ALL, 0);
    char out[64];

    (void)state;
    for (size_t i = 0; i < sizeof(text) - 1; i++) {
        line_put(line, 0, (const uint8_t *)text + i, 1);
    }
    (void)drain(line, out, sizeof(out));
    assert_string_equal(out, "abc\n");
    free(line);
}

static void a_changed_frame_differs_in_one_byte(void **state)
{
    struct line *line = new_line(0, 0, FERRY_NOISE_ALL);
    char out[64];
    size_t checked = 0;

    (void)state;
    for (size_t i = 0; i < 1000; i++) {
        put(line, FRAME);
        assert_int_equal(drain(line, out, sizeof(out)), strlen(FRAME));
        assert_int_equal(differences((const uint8_t *)out, (const uint8_t *)FRAME, strlen(FRAME)),
                         1);
        checked++;
    }
    assert_int_equal(checked, 1000);
    free(line);
}

/* A packet of many lines is lost as often as one of a single line. */
static void all_lines_of_a_packet_share_its_fate(void **state)
{
    struct line *line = new_line(0, FERRY_NOISE_ALL / 3, 0);
    char out[64];
    size_t whole = 0, lost = 0;

    (void)state;
    for (size_t i = 0; i < 1000; i++) {
        put(line, FRAME CONTINUED CONTINUED);
        size_t len = drain(line, out, sizeof(out));
        whole += len == 3 * strlen(FRAME);
        lost += len == 0;
    }
    assert_int_equal(whole + lost, 1000);
    assert_in_range(lost, 250, 420);
    free(line);
}

static void a_changed_packet_differs_in_one_byte(void **state)
{
    static const char text[] = FRAME CONTINUED CONTINUED;
    struct line *line = new_line(0, 0, FERRY_NOISE_ALL);
    char out[64];

    (void)state;
    for (size_t i = 0; i < 100; i++) {
        put(line, text);
        assert_int_equal(drain(line, out, sizeof(out)), strlen(text));
        assert_int_equal(differences((const uint8_t *)out, (const uint8_t *)text, strlen(text)), 1);
    }
    free(line);
}

static void a_lost_frame_takes_its_time(void **state)
{
    struct line *line = new_line(1000, FERRY_NOISE_ALL, 0);
    uint8_t out[8];

    (void)state;
    put(line, FRAME "x");
    /* Seven bytes of frame, then the x: 80 ms. */
    assert_int_equal(line_take(line, 79999999, out, sizeof(out)), 0);
    assert_int_equal(line_take(line, 80000000, out, sizeof(out)), 1);
    assert_int_equal(out[0], 'x');
    free(line);
}

static void an_endless_frame_is_cut(void **state)
{
    struct line *line = new_line(0, 0, 1);
    uint8_t byte = 'A';
    uint8_t out[4096];

    (void)state;
    put(line, "\x06\x09");
    for (size_t i = 0; i < 2000; i++) {
        line_put(line, 0, &byte, 1);
    }
    /* The first part as a frame; the rest is text. */
    assert_int_equal(line_take(line, 1, out, sizeof(out)), 2002);
    free(line);
}

/* ---- Bare packets -------------------------------------------------------------------------- */

/* One of payload bytes, all of them mark. Returns its length. */
static size_t bare(uint8_t *out, uint8_t mark, uint16_t payload)
{
    memset(out, mark, 8 + (size_t)payload);
    out[0] = 2;
    out[2] = (uint8_t)(payload >> 8);
    out[3] = (uint8_t)payload;
    return 8 + (size_t)payload;
}

/* Whole packets are lost, however they come: what arrives is packets, and about the share that is
 * to be lost is missing. */
static void bare_packets_are_lost_whole(void **state)
{
    enum { PACKETS = 400, PAYLOAD = 300 };
    uint8_t packet[8 + PAYLOAD];
    uint8_t out[LINE_CAP / 8];

    (void)state;
    for (size_t step = 1; step <= sizeof(packet); step += 37) {
        struct line *line = new_framed(LINE_RAW, 0, FERRY_NOISE_ALL / 4, 0);
        size_t arrived = 0;

        for (size_t n = 0; n < PACKETS; n++) {
            size_t len = bare(packet, (uint8_t)n, PAYLOAD);
            for (size_t at = 0; at < len; at += step) {
                line_put(line, 0, packet + at, len - at < step ? len - at : step);
            }
            size_t got = line_take(line, LINE_NEVER, out, sizeof(out));
            assert_true(got == 0 || (got == len && memcmp(out, packet, len) == 0));
            arrived += got > 0;
        }
        assert_in_range(arrived, PACKETS * 65 / 100, PACKETS * 85 / 100);
        free(line);
    }
}

static void a_changed_bare_packet_differs_in_one_byte(void **state)
{
    uint8_t packet[208];
    uint8_t out[sizeof(packet)];
    size_t len = bare(packet, 0x33, 200);
    struct line *line = new_framed(LINE_RAW, 0, 0, FERRY_NOISE_ALL);
    bool header = false;
    bool payload = false;

    (void)state;
    for (size_t n = 0; n < 400; n++) {
        size_t changed = 0;

        line_put(line, 0, packet, len);
        assert_int_equal(line_take(line, LINE_NEVER, out, sizeof(out)), len);
        for (size_t i = 0; i < len; i++) {
            changed += out[i] != packet[i];
            header = header || (i < 8 && out[i] != packet[i]);
            payload = payload || (i >= 8 && out[i] != packet[i]);
        }
        assert_int_equal(changed, 1);
    }
    assert_true(header && payload);
    free(line);
}

/* What is no packet passes as it is, and half a packet is over when nothing follows it. */
static void what_is_no_bare_packet_passes(void **state)
{
    struct line *line = new_framed(LINE_RAW, 0, 0, FERRY_NOISE_ALL);
    uint8_t packet[16];
    uint8_t out[64];
    size_t len = bare(packet, 0, 8);

    (void)state;
    line_put(line, 0, (const uint8_t *)"\x04\x07\xff", 3);
    assert_int_equal(line_take(line, LINE_NEVER, out, sizeof(out)), 3);
    assert_memory_equal(out, "\x04\x07\xff", 3);
    line_put(line, 0, packet, 3); /* too little to be judged: kept, and then let go */
    assert_int_equal(line_take(line, LINE_NEVER, out, sizeof(out)), 0);
    line_put(line, LINE_SILENCE, packet, len);
    assert_int_equal(line_take(line, LINE_NEVER, out, sizeof(out)), 3 + len);
    assert_memory_equal(out, packet, 3);
    assert_memory_not_equal(out + 3, packet, len);
    free(line);
}

static void a_lost_bare_packet_takes_its_time(void **state)
{
    struct line *line = new_framed(LINE_RAW, BAUD, FERRY_NOISE_ALL, 0);
    uint8_t packet[8 + BAUD / 10 - 8];

    (void)state;
    line_put(line, 0, packet, bare(packet, 0, sizeof(packet) - 8));
    assert_int_equal(line_next(line), LINE_NEVER);
    assert_int_equal(line->pace.free_at, SECOND);
    free(line);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(bytes_take_ten_bits_each),
        cmocka_unit_test(single_bytes_do_not_drift),
        cmocka_unit_test(latency_moves_but_does_not_slow),
        cmocka_unit_test(shares_are_kept_and_repeat_with_the_seed),
        cmocka_unit_test(none_and_all_are_exact),
        cmocka_unit_test(a_change_is_one_byte_anywhere),
        cmocka_unit_test(bytes_arrive_in_order_and_in_time),
        cmocka_unit_test(waking_is_at_line_feeds_or_every_millisecond),
        cmocka_unit_test(the_ring_goes_round),
        cmocka_unit_test(text_between_frames_is_never_lost),
        cmocka_unit_test(a_frame_may_come_in_pieces),
        cmocka_unit_test(a_changed_frame_differs_in_one_byte),
        cmocka_unit_test(all_lines_of_a_packet_share_its_fate),
        cmocka_unit_test(a_changed_packet_differs_in_one_byte),
        cmocka_unit_test(a_lost_frame_takes_its_time),
        cmocka_unit_test(an_endless_frame_is_cut),
        cmocka_unit_test(bare_packets_are_lost_whole),
        cmocka_unit_test(a_changed_bare_packet_differs_in_one_byte),
        cmocka_unit_test(what_is_no_bare_packet_passes),
        cmocka_unit_test(a_lost_bare_packet_takes_its_time),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
