/* SPDX-License-Identifier: Apache-2.0 */
/* One chip carries an image to another: the carrier's engine on one end of a wire, bootloader,
 * recovery and server on the other, in virtual time. The wire may be cut, and bytes on it flip. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <string.h>

#include "ferry/boot.h"
#include "ferry/group_image.h"
#include "ferry/group_os.h"
#include "ferry/recovery.h"
#include "firmware/chips/common/carry.h"
#include "test_image.h"

#define SECTOR   1024
#define SECTORS  24
#define SLOT     (SECTORS * SECTOR)
#define QUEUE    65536
#define RESET_MS 50
#define LIMIT_MS 600000

/* ---- The wire ------------------------------------------------------------------------------- */

struct queue {
    uint8_t bytes[QUEUE];
    size_t len, taken;
    uint32_t carried; /* since the beginning */
};

static struct {
    struct queue to_peer, to_carrier;
    uint32_t flips; /* one byte in so many is damaged; 0 = none */
    bool cut;
} wire;

static void put(struct queue *queue, const uint8_t *data, size_t len)
{
    for (size_t i = 0; i < len && !wire.cut; i++) {
        assert_true(queue->len < QUEUE);
        queue->carried++;
        queue->bytes[queue->len++] =
            wire.flips > 0 && queue->carried % wire.flips == 0 ? data[i] ^ 0x10 : data[i];
    }
}

static size_t take(struct queue *queue, uint8_t *data, size_t cap)
{
    size_t len = queue->len - queue->taken < cap ? queue->len - queue->taken : cap;

    memcpy(data, queue->bytes + queue->taken, len);
    queue->taken += len;
    if (queue->taken == queue->len) {
        queue->taken = queue->len = 0;
    }
    return len;
}

/* ---- The other chip ------------------------------------------------------------------------- */

static struct {
    uint8_t memory[2][SLOT];
    struct ferry_flash_ram flash[2];
    struct ferry_boot_image image;
    uint8_t workspace[SECTOR];
    struct ferry_boot_config boot;
    struct ferry_boot_report report;
    struct ferry_recovery_config recovery_config;
    struct ferry_recovery recovery;
    struct ferry_image_group_config image_config;
    struct ferry_image_group images;
    struct ferry_os_group_config os_config;
    struct ferry_os_group os;
    struct ferry_server_mount groups[2];
    struct ferry_server_config config;
    struct ferry_server server;
    struct ferry_console_decoder decoder;
    uint8_t request[1024];
    uint64_t reset_at; /* 0 = not due */
    unsigned boots;
    bool recovering;
} peer;

static uint64_t now;

static void put_line(void *context, const uint8_t *line, size_t len)
{
    (void)context;
    put(&wire.to_carrier, line, len);
}

static void say(const char *words)
{
    put_line(NULL, (const uint8_t *)words, strlen(words));
}

static void start_peer(void)
{
    peer.boots++;
    peer.reset_at = 0;
    ferry_console_decoder_init(&peer.decoder, peer.request, sizeof peer.request);
    say("boot: Ferry\r\n");
    peer.recovering =
        ferry_boot_run(&peer.boot, &peer.report) != FERRY_OK || !ferry_boot_may_start(&peer.report);
    if (peer.recovering) {
        say("boot: recovery\r\n");
        assert_int_equal(ferry_recovery_init(&peer.recovery, &peer.recovery_config,
                                             FERRY_RECOVERY_NO_IMAGE, &peer.report, now),
                         FERRY_OK);
        return;
    }
    say("app: it runs");
    ferry_os_group_init(&peer.os, &peer.os_config);
    assert_int_equal(ferry_image_group_init(&peer.images, &peer.image_config), FERRY_OK);
    assert_int_equal(ferry_server_init(&peer.server, &peer.config), FERRY_OK);
}

/* A chip with nothing in it, whose packets have so many bytes. */
static void set_up_peer(uint16_t buf_size)
{
    memset(&peer, 0, sizeof peer);
    memset(&wire, 0, sizeof wire);
    memset(peer.memory, 0xff, sizeof peer.memory);
    for (int i = 0; i < 2; i++) {
        peer.flash[i].flash = (struct ferry_flash){.size = SLOT,
                                                   .write_size = 4,
                                                   .erased_value = 0xff,
                                                   .run_count = 1,
                                                   .runs = {{SECTORS, SECTOR}}};
        assert_int_equal(ferry_flash_ram_init(&peer.flash[i], peer.memory[i]), FERRY_OK);
    }
    peer.image = (struct ferry_boot_image){.slots = {.primary = &peer.flash[0].flash,
                                                     .secondary = &peer.flash[1].flash,
                                                     .strategy = &ferry_traits_swap_shift,
                                                     .state = &ferry_slots_by_swap_no_store,
                                                     .max_align = 8,
                                                     .max_sectors = 128},
                                           .strategy = &ferry_boot_swap_shift};
    peer.boot = (struct ferry_boot_config){.images = &peer.image,
                                           .image_count = 1,
                                           .trust = *test_trust(TEST_KEY_P256),
                                           .buf = peer.workspace,
                                           .buf_size = sizeof peer.workspace};
    peer.recovery_config =
        (struct ferry_recovery_config){.boot = &peer.boot, .buf_size = buf_size, .buf_count = 1};
    peer.image_config =
        (struct ferry_image_group_config){.images = &peer.image.slots, .image_count = 1};
    peer.groups[0] = (struct ferry_server_mount){&ferry_os_minimal_table, &peer.os};
    peer.groups[1] = (struct ferry_server_mount){&ferry_image_minimal_table, &peer.images};
    peer.config = (struct ferry_server_config){
        .groups = peer.groups, .group_count = 2, .buf_size = buf_size, .buf_count = 1};
}

static void answer(struct ferry_bytes pending)
{
    uint8_t out[1024];

    while (pending.len > 0) {
        size_t len =
            peer.recovering
                ? ferry_recovery_handle(&peer.recovery, &pending, 0, out, peer.config.buf_size)
                : ferry_server_handle(&peer.server, &pending, 0, out, peer.config.buf_size);

        ferry_console_send((struct ferry_bytes){out, len}, FERRY_CONSOLE_CUT_124, put_line, NULL);
    }
}

static bool resets(void)
{
    uint64_t deadline;

    return peer.recovering
               ? ferry_recovery_next(&peer.recovery, now, &deadline) == FERRY_RECOVERY_RESET
               : ferry_os_group_reset_due(&peer.os, NULL);
}

static void turn_peer(void)
{
    struct ferry_console_event event;
    uint8_t byte;

    while (!wire.cut && take(&wire.to_peer, &byte, 1) == 1) {
        (void)ferry_console_feed(&peer.decoder, &byte, 1, &event);
        if (event.kind == FERRY_CONSOLE_PACKET) {
            assert_true(event.bytes.len <= (size_t)(peer.config.buf_size - FERRY_CONSOLE_OVERHEAD));
            answer(event.bytes);
        }
    }
    if (peer.reset_at == 0 && resets()) {
        peer.reset_at = now + RESET_MS;
    }
    if (peer.reset_at != 0 && now >= peer.reset_at) {
        start_peer();
    }
}

/* The power fails, and is back. Bytes on their way are lost. */
static void cut_power(void)
{
    wire.cut = true;
    wire.to_peer.len = wire.to_peer.taken = 0;
    wire.to_carrier.len = wire.to_carrier.taken = 0;
}

static void restore_power(void)
{
    wire.cut = false;
    start_peer();
}

/* ---- The carrier ---------------------------------------------------------------------------- */

static struct carry carry;
static uint8_t old_image[8192], new_image[8192];
static size_t old_size, new_size;
static struct ferry_flash_ram store;
static unsigned fed;

static size_t read_link(void *context, uint8_t *data, size_t cap)
{
    (void)context;
    return take(&wire.to_carrier, data, cap);
}

static void write_link(void *context, const uint8_t *data, size_t len)
{
    (void)context;
    put(&wire.to_peer, data, len);
}

static void feed(void *context)
{
    (void)context;
    fed++;
}

static const struct carry_link to_peer = {read_link, write_link, feed, NULL, 11520};

/* The new image is stored here, and the old one, if any, runs there. */
static void set_up(bool has_old, uint16_t buf_size)
{
    struct test_image_spec spec = {.version = {1, 0, 0, 0}, .header_size = 32};

    set_up_peer(buf_size);
    old_size = test_image_build(&spec, old_image, sizeof old_image);
    spec.version.major = 2;
    new_size = test_image_build(&spec, new_image, sizeof new_image);
    assert_int_equal(ferry_flash_rom_init(&store, new_image, sizeof new_image), FERRY_OK);
    if (has_old) {
        memcpy(peer.memory[0], old_image, old_size);
    }
    carry_init(&carry, &to_peer);
    now = 1000;
    fed = 0;
    start_peer();
}

static void begin(void)
{
    carry_start(&carry, &store.flash, now);
}

static void turn(void)
{
    now++;
    for (int i = 0; i < 100 && carry_due(&carry) <= now; i++) {
        carry_turn(&carry, now);
    }
    carry_turn(&carry, now);
    turn_peer();
}

static void run_until(uint32_t acked)
{
    uint64_t end = now + LIMIT_MS;

    while (carry.report.state == CARRY_BUSY && carry.report.acked < acked && now < end) {
        turn();
    }
}

static void run(void)
{
    run_until(UINT32_MAX);
    assert_true(carry.report.state == CARRY_DONE || carry.report.state == CARRY_FAILED);
    assert_true(carry_due(&carry) == FERRY_CLIENT_NEVER);
}

static void expect_done(void)
{
    struct ferry_slots_next next;

    run();
    assert_int_equal(carry.report.state, CARRY_DONE);
    assert_int_equal(carry.report.acked, carry.report.total);
    assert_int_equal(carry.report.total, new_size);
    assert_true(carry.report.proof.active && carry.report.proof.confirmed);
    assert_int_equal(carry.report.proof.hash_len, FERRY_SHA256_SIZE);
    assert_memory_equal(carry.report.proof.hash, carry.info.digest, FERRY_SHA256_SIZE);
    assert_memory_equal(peer.memory[0], new_image, new_size);
    start_peer(); /* once more: it is not taken back */
    assert_memory_equal(peer.memory[0], new_image, new_size);
    assert_int_equal(ferry_slots_next_boot(&peer.image.slots, &next), FERRY_OK);
    assert_int_equal(next.type, FERRY_SWAP_NONE);
}

static void expect_failed(enum ferry_update_step step, int error)
{
    run();
    assert_int_equal(carry.report.state, CARRY_FAILED);
    assert_int_equal(carry.report.step, step);
    assert_int_equal(carry.report.error, error);
    assert_true(carry.report.text[0] != '\0' && carry.report.remedy[0] != '\0');
}

/* ---- Cases ---------------------------------------------------------------------------------- */

static void test_an_update_ends_with_its_proof(void **state)
{
    static const uint16_t sizes[] = {1024, 512, 256};
    (void)state;

    for (size_t i = 0; i < sizeof sizes / sizeof sizes[0]; i++) {
        set_up(true, sizes[i]);
        begin();
        assert_int_equal(carry.report.state, CARRY_BUSY);
        assert_true(fed > 0);
        assert_int_equal(carry.report.version.major, 2);
        expect_done();
        assert_false(carry.report.already);
    }
}

static void test_an_empty_chip_is_installed(void **state)
{
    (void)state;
    set_up(false, 1024);
    assert_true(peer.recovering);
    begin();
    expect_done();
}

static void test_what_runs_already_is_left_alone(void **state)
{
    (void)state;
    set_up(true, 1024);
    memcpy(peer.memory[0], new_image, new_size);
    start_peer();
    begin();
    run();
    assert_int_equal(carry.report.state, CARRY_DONE);
    assert_true(carry.report.already);
    assert_int_equal(peer.boots, 2);
}

static void test_noise_on_the_wire_costs_time_only(void **state)
{
    (void)state;
    for (uint32_t flips = 1500; flips < 6000; flips += 1499) {
        set_up(true, 512);
        wire.flips = flips;
        begin();
        expect_done();
        assert_true(carry.client.stats.retransmitted + carry.client.stats.expired > 0);
    }
}

static void test_silence_has_a_cause_and_may_be_tried_again(void **state)
{
    (void)state;
    set_up(true, 1024);
    cut_power();
    begin();
    expect_failed(FERRY_UPDATE_HELLO, FERRY_E_TIMEOUT);
    assert_non_null(strstr(carry.report.text, "does not answer"));
    restore_power();
    turn(); /* what it says as it starts is nobody's answer */
    assert_int_equal(wire.to_carrier.len, 0);
    begin();
    assert_int_equal(carry.report.state, CARRY_BUSY);
    assert_int_equal(carry.report.error, FERRY_OK);
    expect_done();
}

static void test_a_power_cut_there_is_waited_out(void **state)
{
    (void)state;
    for (uint32_t acked = 100; acked < 4000; acked += 700) {
        set_up(true, 512);
        begin();
        run_until(acked);
        cut_power();
        for (int i = 0; i < 5000; i++) {
            turn();
        }
        assert_int_equal(carry.report.state, CARRY_BUSY);
        restore_power();
        expect_done();
    }
}

static void test_a_chip_that_stays_away_fails_and_goes_on_later(void **state)
{
    (void)state;
    set_up(true, 512);
    begin();
    run_until(2000);
    cut_power();
    expect_failed(FERRY_UPDATE_RETURN, FERRY_E_TIMEOUT);
    restore_power();
    begin();
    expect_done();
}

/* The carrier itself is reset in the middle: the other chip still knows the upload. */
static void test_begun_anew_in_the_middle_it_goes_on(void **state)
{
    uint32_t before;
    (void)state;

    set_up(true, 512);
    begin();
    run_until(3000);
    before = wire.to_peer.carried;
    carry_init(&carry, &to_peer);
    now += 3000;
    begin();
    expect_done();
    assert_true(wire.to_peer.carried - before < 3 * new_size / 4);
}

static void test_it_can_be_given_up(void **state)
{
    (void)state;
    set_up(true, 512);
    carry_stop(&carry, now);
    assert_int_equal(carry.report.state, CARRY_IDLE);
    begin();
    run_until(3000);
    carry_stop(&carry, now);
    assert_int_equal(carry.report.state, CARRY_FAILED);
    assert_int_equal(carry.report.error, FERRY_E_CANCELLED);
    turn();
    begin();
    expect_done();
}

static void test_an_image_of_a_stranger_is_refused_there(void **state)
{
    struct test_image_spec spec = {
        .version = {3, 0, 0, 0}, .header_size = 32, .key = TEST_KEY_P256_OTHER};
    (void)state;

    set_up(true, 1024);
    new_size = test_image_build(&spec, new_image, sizeof new_image);
    begin();
    expect_failed(FERRY_UPDATE_RETURN, FERRY_E_NO_IMAGE);
    assert_memory_equal(peer.memory[0], old_image, old_size);
}

static void expect_not_begun(int error)
{
    begin();
    assert_int_equal(carry.report.state, CARRY_FAILED);
    assert_false(carry.report.started);
    assert_int_equal(carry.report.error, error);
    assert_true(carry.report.text[0] != '\0' && carry.report.remedy[0] != '\0');
    turn();
    assert_int_equal(wire.to_peer.carried, 0);
}

static void test_only_a_whole_image_is_carried(void **state)
{
    (void)state;
    set_up(true, 1024);
    new_image[1000] ^= 1;
    expect_not_begun(FERRY_E_DIGEST);
    new_image[1000] ^= 1;
    memset(new_image + 2000, 0xff, sizeof new_image - 2000); /* an upload that was not ended */
    expect_not_begun(FERRY_E_TLV);
    memset(new_image, 0xff, sizeof new_image);
    expect_not_begun(FERRY_E_MAGIC);
}

static void test_what_digest_there_must_be(void **state)
{
    struct test_image_spec spec = {.version = {2, 0, 0, 0}, .header_size = 32, .no_digest = true};
    (void)state;

    set_up(true, 1024);
    new_size = test_image_build(&spec, new_image, sizeof new_image);
    expect_not_begun(FERRY_E_DIGEST);
    spec.no_digest = false;
    spec.sha = TEST_SHA_512;
    spec.key = TEST_KEY_NONE;
    new_size = test_image_build(&spec, new_image, sizeof new_image);
    expect_not_begun(FERRY_E_UNSUPPORTED);
}

/* Only the other chip can read it: this one here refuses what it has no key for. */
static void test_an_encrypted_image_is_carried_as_it_is(void **state)
{
    struct test_image_spec spec = {
        .version = {2, 0, 0, 0}, .header_size = 32, .wrap = TEST_WRAP_EC256};
    (void)state;

    set_up(true, 1024);
    new_size = test_image_build(&spec, new_image, sizeof new_image);
    begin();
    assert_int_equal(carry.report.state, CARRY_BUSY);
    expect_failed(FERRY_UPDATE_RETURN, FERRY_E_NO_IMAGE);
    assert_int_equal(carry.report.acked, new_size);
}

static void test_states_have_names(void **state)
{
    (void)state;
    assert_string_equal(carry_state_name(CARRY_IDLE), "idle");
    assert_string_equal(carry_state_name(CARRY_BUSY), "busy");
    assert_string_equal(carry_state_name(CARRY_DONE), "done");
    assert_string_equal(carry_state_name(CARRY_FAILED), "failed");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_an_update_ends_with_its_proof),
        cmocka_unit_test(test_an_empty_chip_is_installed),
        cmocka_unit_test(test_what_runs_already_is_left_alone),
        cmocka_unit_test(test_noise_on_the_wire_costs_time_only),
        cmocka_unit_test(test_silence_has_a_cause_and_may_be_tried_again),
        cmocka_unit_test(test_a_power_cut_there_is_waited_out),
        cmocka_unit_test(test_a_chip_that_stays_away_fails_and_goes_on_later),
        cmocka_unit_test(test_begun_anew_in_the_middle_it_goes_on),
        cmocka_unit_test(test_it_can_be_given_up),
        cmocka_unit_test(test_an_image_of_a_stranger_is_refused_there),
        cmocka_unit_test(test_only_a_whole_image_is_carried),
        cmocka_unit_test(test_what_digest_there_must_be),
        cmocka_unit_test(test_an_encrypted_image_is_carried_as_it_is),
        cmocka_unit_test(test_states_have_names),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
