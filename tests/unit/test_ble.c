/* SPDX-License-Identifier: Apache-2.0 */
/* Packets over Bluetooth LE: cut into fragments, put together again, and what is dropped. */
#include "ferry/ble.h"
#include "ferry/smp.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define CAP  2048
#define MOST (FERRY_SMP_HEADER_SIZE + (size_t)UINT16_MAX)

struct rig {
    struct ferry_ble_assembler assembler;
    uint8_t buf[CAP];
    struct ferry_bytes packet; /* the last one */
};

static void begin(struct rig *rig, size_t cap)
{
    memset(rig, 0, sizeof(*rig));
    ferry_ble_assembler_init(&rig->assembler, rig->buf, cap);
}

/* A packet of len bytes, all of them different from those of another seq. */
static void make(uint8_t *out, size_t len, uint8_t seq)
{
    const struct ferry_smp_header header = {.op = FERRY_SMP_WRITE,
                                            .version = 1,
                                            .length = (uint16_t)(len - FERRY_SMP_HEADER_SIZE),
                                            .seq = seq};

    ferry_smp_header_write(&header, out);
    for (size_t i = FERRY_SMP_HEADER_SIZE; i < len; i++) {
        out[i] = (uint8_t)(i * 7 + seq);
    }
}

/* In memory of exactly its size, so that a sanitizer sees what is read beyond it. */
static int give(struct rig *rig, const uint8_t *data, size_t len)
{
    uint8_t *copy = malloc(len > 0 ? len : 1);

    assert_non_null(copy);
    if (len > 0) {
        memcpy(copy, data, len);
    }
    int rc = ferry_ble_assemble(&rig->assembler, (struct ferry_bytes){copy, len}, &rig->packet);

    free(copy);
    return rc;
}

/* Give a packet in fragments. Returns what the last one brought; the others brought nothing. */
static int send(struct rig *rig, const uint8_t *packet, size_t len, size_t fragment)
{
    struct ferry_bytes rest = {packet, len};
    int rc = 0;

    while (rest.len > 0) {
        struct ferry_bytes next = ferry_ble_cut(&rest, fragment);

        assert_true(next.len > 0 && next.len <= fragment);
        assert_int_equal(rc, 0);
        rc = give(rig, next.data, next.len);
    }
    assert_int_equal(ferry_ble_cut(&rest, fragment).len, 0);
    return rc;
}

static void expect_packet(const struct rig *rig, const uint8_t *packet, size_t len)
{
    assert_ptr_equal(rig->packet.data, rig->buf);
    assert_int_equal(rig->packet.len, len);
    assert_memory_equal(rig->packet.data, packet, len);
}

/* The next packet comes through: nothing of what was before is left. */
static void expect_next(struct rig *rig, size_t fragment)
{
    uint8_t packet[50];

    make(packet, sizeof(packet), 0xee);
    assert_int_equal(send(rig, packet, sizeof(packet), fragment), 1);
    expect_packet(rig, packet, sizeof(packet));
}

/* ---- Fragments ------------------------------------------------------------------------------ */

static void the_fragment_is_what_the_mtu_leaves(void **state)
{
    static const struct {
        uint32_t mtu;
        size_t fragment;
    } rows[] = {{23, 20},   {24, 21},   {65, 62},     {185, 182},       {247, 244}, {498, 495},
                {514, 511}, {515, 512}, {516, 512},   {517, 512},       {0, 20},    {2, 20},
                {3, 20},    {22, 20},   {65535, 512}, {UINT32_MAX, 512}};

    (void)state;
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        assert_int_equal(ferry_ble_fragment_max(rows[i].mtu), rows[i].fragment);
    }
    assert_int_equal(ferry_ble_fragment_max(FERRY_BLE_MTU_LEAST), FERRY_BLE_FRAGMENT_LEAST);
}

static void cutting_nothing_gives_nothing(void **state)
{
    struct ferry_bytes rest = {NULL, 0};

    (void)state;
    assert_int_equal(ferry_ble_cut(&rest, 20).len, 0);
    assert_int_equal(rest.len, 0);
}

static void the_uuids_are_the_same_in_both_forms(void **state)
{
    static const uint8_t bytes[2][16] = {FERRY_BLE_SERVICE_BYTES, FERRY_BLE_CHARACTERISTIC_BYTES};
    static const char *const texts[2] = {FERRY_BLE_SERVICE, FERRY_BLE_CHARACTERISTIC};

    (void)state;
    for (size_t i = 0; i < 2; i++) {
        const char *at = texts[i];

        for (size_t k = 16; k-- > 0;) {
            char pair[3];

            at += *at == '-';
            (void)snprintf(pair, sizeof(pair), "%02x", (unsigned int)bytes[i][k]);
            assert_memory_equal(at, pair, 2);
            at += 2;
        }
        assert_int_equal(*at, '\0');
    }
}

/* ---- Packets -------------------------------------------------------------------------------- */

static void every_size_at_every_mtu(void **state)
{
    static const uint32_t mtus[] = {0, 23, 65, 247, 498, 515, 65535};
    struct rig rig;
    uint8_t packet[CAP];

    (void)state;
    for (size_t i = 0; i < sizeof(mtus) / sizeof(mtus[0]); i++) {
        size_t fragment = ferry_ble_fragment_max(mtus[i]);

        begin(&rig, CAP);
        for (size_t len = FERRY_SMP_HEADER_SIZE; len <= CAP; len += len < 1100 ? 1 : 13) {
            make(packet, len, (uint8_t)len);
            assert_int_equal(send(&rig, packet, len, fragment), 1);
            expect_packet(&rig, packet, len);
        }
        make(packet, CAP, 1);
        assert_int_equal(send(&rig, packet, CAP, fragment), 1);
        expect_packet(&rig, packet, CAP);
        assert_int_equal(rig.assembler.dropped, 0);
    }
}

static void the_largest_packet_there_can_be(void **state)
{
    static uint8_t packet[MOST];
    static uint8_t buf[MOST];
    struct ferry_ble_assembler assembler;
    struct ferry_bytes rest = {packet, MOST};
    struct ferry_bytes whole = {NULL, 0};

    (void)state;
    make(packet, MOST, 3);
    ferry_ble_assembler_init(&assembler, buf, MOST);
    while (rest.len > 0) {
        struct ferry_bytes next = ferry_ble_cut(&rest, 512);

        assert_int_equal(ferry_ble_assemble(&assembler, next, &whole), rest.len == 0 ? 1 : 0);
    }
    assert_int_equal(whole.len, MOST);
    assert_memory_equal(whole.data, packet, MOST);
}

/* Any cuts: what arrives is what was sent, one by one. */
static void cuts_at_random(void **state)
{
    struct rig rig;
    uint8_t packet[CAP];
    uint32_t seed = 1;

    (void)state;
    begin(&rig, CAP);
    for (int round = 0; round < 2000; round++) {
        seed = seed * 1664525 + 1013904223;
        size_t len = FERRY_SMP_HEADER_SIZE + (seed >> 16) % (CAP - FERRY_SMP_HEADER_SIZE + 1);
        struct ferry_bytes rest = {packet, len};
        int rc = 0;

        make(packet, len, (uint8_t)round);
        while (rest.len > 0) {
            seed = seed * 1664525 + 1013904223;
            size_t fragment = 1 + (seed >> 16) % 512;

            if (rest.len == len && fragment < FERRY_SMP_HEADER_SIZE) {
                fragment = FERRY_SMP_HEADER_SIZE;
            }
            struct ferry_bytes next = ferry_ble_cut(&rest, fragment);

            assert_int_equal(rc, 0);
            rc = give(&rig, next.data, next.len);
            assert_int_equal(give(&rig, NULL, 0), 0); /* an empty one means nothing */
        }
        assert_int_equal(rc, 1);
        expect_packet(&rig, packet, len);
    }
    assert_int_equal(rig.assembler.dropped, 0);
}

/* ---- What is dropped ------------------------------------------------------------------------ */

static void a_first_fragment_without_a_whole_header(void **state)
{
    struct rig rig;
    uint8_t packet[FERRY_SMP_HEADER_SIZE];

    (void)state;
    make(packet, sizeof(packet), 1);
    for (size_t len = 1; len < FERRY_SMP_HEADER_SIZE; len++) {
        begin(&rig, CAP);
        assert_int_equal(give(&rig, packet, len), FERRY_E_FORMAT);
        assert_int_equal(rig.assembler.dropped, 1);
        expect_next(&rig, 20);
    }
}

static void more_bytes_than_the_header_says(void **state)
{
    struct rig rig;
    uint8_t packet[101];

    (void)state;
    make(packet, 100, 1);
    packet[100] = 0xff;
    for (size_t first = FERRY_SMP_HEADER_SIZE; first < 100; first++) {
        begin(&rig, CAP);
        assert_int_equal(give(&rig, packet, first), 0);
        assert_int_equal(give(&rig, packet + first, 101 - first), FERRY_E_FORMAT);
        assert_int_equal(rig.assembler.dropped, 1);
        expect_next(&rig, 20);
    }
    begin(&rig, CAP);
    assert_int_equal(give(&rig, packet, 101), FERRY_E_FORMAT);
    expect_next(&rig, 20);
}

/* Two packets in one fragment: the same, whatever the second one is. */
static void a_second_packet_in_the_same_fragment(void **state)
{
    struct rig rig;
    uint8_t packets[60];

    (void)state;
    make(packets, 30, 1);
    make(packets + 30, 30, 2);
    begin(&rig, CAP);
    assert_int_equal(give(&rig, packets, sizeof(packets)), FERRY_E_FORMAT);
    expect_next(&rig, 20);
}

/* Its rest looks like packets, and is none. */
static void a_packet_that_is_too_large_is_passed_over_whole(void **state)
{
    struct rig rig;
    uint8_t packet[400];

    (void)state;
    for (size_t fragment = FERRY_SMP_HEADER_SIZE; fragment <= 80; fragment++) {
        size_t fragments = (sizeof(packet) + fragment - 1) / fragment;
        struct ferry_bytes rest = {packet, sizeof(packet)};

        begin(&rig, 80);
        make(packet, sizeof(packet), 1);
        for (size_t at = fragment; at + fragment <= sizeof(packet); at += fragment) {
            make(packet + at, fragment, 9);
        }
        for (size_t i = 0; i < fragments; i++) {
            struct ferry_bytes next = ferry_ble_cut(&rest, fragment);

            assert_int_equal(give(&rig, next.data, next.len), i == 0 ? FERRY_E_SPACE : 0);
        }
        assert_int_equal(rig.assembler.dropped, fragments);
        expect_next(&rig, fragment);
    }
}

static void one_byte_too_large_in_one_fragment(void **state)
{
    struct rig rig;
    uint8_t packet[65];

    (void)state;
    begin(&rig, 64);
    make(packet, 64, 1);
    assert_int_equal(give(&rig, packet, 64), 1);
    make(packet, 65, 2);
    assert_int_equal(give(&rig, packet, 65), FERRY_E_SPACE);
    assert_int_equal(rig.assembler.dropped, 1);
    expect_next(&rig, 64);
}

/* The end of what is passed over is not known any more: the next fragment begins a packet. */
static void more_bytes_than_one_that_is_passed_over_has(void **state)
{
    struct rig rig;
    uint8_t packet[100] = {0};

    (void)state;
    begin(&rig, 64);
    make(packet, 100, 1);
    assert_int_equal(give(&rig, packet, 60), FERRY_E_SPACE);
    assert_int_equal(give(&rig, packet, 41), FERRY_E_FORMAT);
    assert_int_equal(rig.assembler.dropped, 2);
    expect_next(&rig, 20);
}

static void a_reset_forgets_a_partial_packet(void **state)
{
    struct rig rig;
    uint8_t packet[100];

    (void)state;
    make(packet, 100, 1);
    begin(&rig, CAP);
    for (size_t first = FERRY_SMP_HEADER_SIZE; first < 100; first++) {
        assert_int_equal(give(&rig, packet, first), 0);
        ferry_ble_assembler_reset(&rig.assembler);
        expect_next(&rig, 20);
    }
}

static void a_reset_forgets_what_was_to_be_passed_over(void **state)
{
    struct rig rig;
    uint8_t packet[100];

    (void)state;
    make(packet, 100, 1);
    begin(&rig, 64);
    assert_int_equal(give(&rig, packet, 20), FERRY_E_SPACE);
    ferry_ble_assembler_reset(&rig.assembler);
    expect_next(&rig, 20);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_fragment_is_what_the_mtu_leaves),
        cmocka_unit_test(cutting_nothing_gives_nothing),
        cmocka_unit_test(the_uuids_are_the_same_in_both_forms),
        cmocka_unit_test(every_size_at_every_mtu),
        cmocka_unit_test(the_largest_packet_there_can_be),
        cmocka_unit_test(cuts_at_random),
        cmocka_unit_test(a_first_fragment_without_a_whole_header),
        cmocka_unit_test(more_bytes_than_the_header_says),
        cmocka_unit_test(a_second_packet_in_the_same_fragment),
        cmocka_unit_test(a_packet_that_is_too_large_is_passed_over_whole),
        cmocka_unit_test(one_byte_too_large_in_one_fragment),
        cmocka_unit_test(more_bytes_than_one_that_is_passed_over_has),
        cmocka_unit_test(a_reset_forgets_a_partial_packet),
        cmocka_unit_test(a_reset_forgets_what_was_to_be_passed_over),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
