/* SPDX-License-Identifier: Apache-2.0 */
/* Upload against model servers (Zephyr's rules and MCUboot recovery's) over a simulated line that
 * loses, doubles and reorders, in virtual time. Cnn are the corner cases the protocol is known
 * for; each has its test. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdio.h>
#include <string.h>

#include "upload_world.h"

/* ---- A clean line ------------------------------------------------------------------------- */

static void test_clean_uploads_of_all_sizes(void **state)
{
    static const size_t buffers[] = {128, 252, 256, 384, 508, 512, 1024, 1472, 2048};
    static const uint32_t sizes[] = {32,  33,  63,  64,   65,   127,  128,  255,   256,
                                     257, 511, 512, 1024, 4095, 4096, 4097, 65535, 65537};
    uint32_t runs = 0;

    (void)state;
    for (size_t b = 0; b < sizeof buffers / sizeof buffers[0]; b++) {
        for (size_t s = 0; s < sizeof sizes / sizeof sizes[0]; s++) {
            for (uint32_t variant = 0; variant < 4; variant++) {
                struct world *world = world_set_up(variant % 2 ? MCUBOOT : ZEPHYR, sizes[s],
                                                   buffers[b], variant < 2 ? 3 : 1);

                world_start(world);
                world_expect_done(world);
                assert_int_equal(world->client.stats.retransmitted, 0);
                assert_int_equal(world->client.stats.stale, 0);
                assert_int_equal(world->server.overflows, 0);
                assert_int_equal(world->server.misaligned, 0);
                assert_int_equal(world->server.erases, 1);
                assert_int_equal(world->warning_count, 0);
                runs++;
            }
        }
    }
    print_message("%u clean uploads\n", (unsigned)runs);
    assert_int_equal(runs, 9 * 18 * 4);
}

/* Every size around the boundary of one and of two packets, and the packet is filled. */
static void test_sizes_around_the_packet(void **state)
{
    uint32_t runs = 0;

    (void)state;
    for (size_t packet = 128; packet <= 300; packet += 43) {
        for (uint32_t size = 32; size < 2 * packet; size++) {
            struct world *world = world_set_up(ZEPHYR, size, packet, 2);

            world_start(world);
            world_expect_done(world);
            assert_int_equal(world->client.stats.retransmitted, 0);
            runs++;
        }
    }
    print_message("%u sizes\n", (unsigned)runs);
    assert_true(runs > 1500);
}

static void test_the_window_is_used(void **state)
{
    (void)state;
    for (uint32_t window = 1; window <= FERRY_UPLOAD_WINDOW_MAX; window++) {
        struct world *world = world_set_up(ZEPHYR, 20000, 512, window);

        world_start(world);
        world_expect_done(world);
        assert_int_equal(world->deepest, window);
        assert_int_equal(world->server.overflows, 0);
    }
}

/* C9 and the fields of the first chunk. */
static void test_fields_of_the_first_chunk(void **state)
{
    struct world *world = world_set_up(ZEPHYR, 3000, 512, 3);

    (void)state;
    world->config.image = 2;
    world->config.upgrade = true;
    world_start(world);
    world_expect_done(world);
    assert_int_equal(world->server.image, 2);
    assert_true(world->server.upgrade);
    assert_int_equal(world->server.first_with_sha, 1);
    world = world_set_up(ZEPHYR, 3000, 512, 3);
    world->config.sha = NULL;
    world_start(world);
    world_expect_done(world);
    assert_int_equal(world->server.image, 0);
    assert_false(world->server.upgrade);
    assert_int_equal(world->server.first_with_sha, 0);
}

/* 115200 baud, 86.8 us a byte, 5 ms turnaround, four buffers of 512: the line is the limit. */
static void test_the_line_is_the_limit(void **state)
{
    struct world *world = world_set_up(ZEPHYR, 262144, 508, 3);
    double ideal = 0;
    double seconds;

    (void)state;
    world->ns_per_byte = 86806;
    world->server.erase_ms = 0;
    world->server.chunk_us = 0;
    world_set_client(world, 508, 0);
    world_start(world);
    world_expect_done(world);
    assert_int_equal(world->client.stats.retransmitted, 0);
    assert_int_equal(world->deepest, 3);
    /* N requests of n = 482 bytes of data, n + 26 bytes of message, and the last one's answer. */
    ideal = (double)(544 * world_wire_size(508)) * 86806e-9 + 0.005 + 35 * 86806e-9;
    seconds = (double)world->now * 1e-9;
    print_message("256 KiB: %.2f s, the line's own %.2f s\n", seconds, ideal);
    assert_true(seconds < ideal * 1.03);
    assert_true(seconds > ideal * 0.97);
}

/* ---- Bad lines ------------------------------------------------------------------------------ */

static void run_lossy(enum world_kind kind, uint32_t seed, bool datagrams)
{
    uint32_t random = seed * 2654435761U + 1;
    uint32_t size = 64 + world_random(&random) % 12000;
    size_t packet = 128 + world_random(&random) % 900;
    struct world *world = world_set_up(kind, size, packet, 1 + world_random(&random) % 5);

    world->random = world_random(&random) | 1;
    world->loss_permille = world_random(&random) % 150;
    world->double_permille = world_random(&random) % 100;
    world->jitter_ns = datagrams ? 4 * WORLD_NS_PER_MS : 0;
    world->ns_per_byte = datagrams ? 0 : 8680;
    world->server.write_size = 1U << world_random(&random) % 6;
    world->server.image_check = world_random(&random) % 2;
    world->config.hash = world_random(&random) % 2 ? world_hash : NULL;
    world_set_client(world, packet, (uint8_t)world_random(&random));
    world_start(world);
    if (world->last.kind != FERRY_UPLOAD_DONE) {
        print_message("seed %u kind %d\n", (unsigned)seed, (int)kind);
    }
    world_expect_done(world);
}

static void test_lossy_lines(void **state)
{
    uint32_t runs = 0;

    (void)state;
    for (uint32_t seed = 1; seed <= 400; seed++) {
        run_lossy(ZEPHYR, seed, false);
        run_lossy(MCUBOOT, seed, false);
        run_lossy(ZEPHYR, seed, true);
        runs += 3;
    }
    print_message("%u uploads over bad lines\n", (unsigned)runs);
    assert_int_equal(runs, 1200);
}

/* Each request lost once, and each answer, at every place of a short upload. */
static void test_each_packet_lost_once(void **state)
{
    uint32_t runs = 0;

    (void)state;
    for (uint32_t kind = ZEPHYR; kind <= MCUBOOT; kind++) {
        for (uint32_t window = 1; window <= 3; window++) {
            for (uint32_t n = 1; n <= 12; n++) {
                for (uint32_t answer = 0; answer < 2; answer++) {
                    struct world *world = world_set_up((enum world_kind)kind, 2000, 256, window);

                    world->server.lose_request = answer ? 0 : n;
                    world->server.lose_answer = answer ? n : 0;
                    world_start(world);
                    world_expect_done(world);
                    assert_int_equal(world->server.erases, 1);
                    runs++;
                }
            }
        }
    }
    print_message("%u uploads with one packet lost\n", (unsigned)runs);
    assert_int_equal(runs, 2 * 3 * 12 * 2);
}

/* A chunk lost in a full window is sent again at once: the server's answers tell. */
static void test_a_lost_chunk_costs_no_timeout(void **state)
{
    struct world *world = world_set_up(ZEPHYR, 20000, 256, 3);
    uint64_t clean;

    (void)state;
    world_start(world);
    clean = world->now;
    world = world_set_up(ZEPHYR, 20000, 256, 3);
    world->server.lose_request = 20;
    world_start(world);
    world_expect_done(world);
    assert_true(world_warned(world, "lost"));
    assert_true(world->now < clean + 200 * WORLD_NS_PER_MS);
    assert_int_equal(world->client.stats.retransmitted, 0);
}

static void test_the_window_shrinks_and_grows(void **state)
{
    struct world *world = world_set_up(ZEPHYR, 40000, 256, 4);

    (void)state;
    world->server.lose_request = 10;
    world->stop_at = 2600;
    world_start(world);
    assert_in_range(world->upload.window.size, 2, 3);
    world->stop_at = 0;
    world_run(world);
    world_expect_done(world);
    assert_int_equal(world->upload.window.size, 4);
}

static void test_a_dead_device_is_a_timeout(void **state)
{
    struct world *world = world_set_up(ZEPHYR, 20000, 256, 3);

    (void)state;
    world->stop_at = 3000;
    world_start(world);
    world->stop_at = 0;
    world->loss_permille = 1000;
    world_run(world);
    world_expect_failed(world, FERRY_E_TIMEOUT);
    assert_true(world->client.stats.retransmitted > 0);

    world = world_set_up(ZEPHYR, 20000, 256, 3);
    world->loss_permille = 1000;
    world_start(world);
    world_expect_failed(world, FERRY_E_TIMEOUT);
}

/* ---- The corner cases --------------------------------------------------------------------- */

/* C1: another offset, with success: the server's is the truth. */
static void test_C1_offset_is_truth(void **state)
{
    struct world *world = world_set_up(ZEPHYR, 4000, 256, 1);
    uint32_t clean;

    (void)state;
    world_start(world);
    clean = world->server.requests;
    world = world_set_up(ZEPHYR, 4000, 256, 1);
    world->server.lie = 64; /* the 3rd answer says 64, though it has two chunks */
    world_start(world);
    world_expect_done(world);
    assert_int_equal(world->server.erases, 1);
    assert_int_equal(world->server.requests, clean + 2);
}

/* C2: back at 0 in the middle: len and sha are sent again. */
static void test_C2_restart_sends_first_fields_again(void **state)
{
    (void)state;
    for (uint32_t kind = ZEPHYR; kind <= MCUBOOT; kind++) {
        struct world *world = world_set_up((enum world_kind)kind, 8000, 256, 3);

        world->server.reset_at = 15;
        world->server.resets = 1;
        world->server.erase_ms = 30000; /* the new first chunk goes alone, and is waited for */
        world_start(world);
        world_expect_done(world);
        assert_int_equal(world->server.firsts, 2);
        assert_int_equal(world->server.erases, 2);
        assert_int_equal(world->server.first_with_len, 2);
        assert_int_equal(world->server.first_with_sha, 2);
        assert_true(world_warned(world, "forgotten"));
    }
}

/* C3: an error ends it, though it has no offset and the chunks behind it are answered with 0. */
static void test_C3_error_without_offset_ends(void **state)
{
    struct world *world = world_set_up(ZEPHYR, 8000, 256, 3);

    (void)state;
    world->server.refuse_at = 10;
    world_start(world);
    world_expect_failed(world, FERRY_E_REFUSED);
    assert_true(world->last.status.grouped);
    assert_int_equal(world->last.status.group, 1);
    assert_int_equal(world->last.status.rc, 12);
    assert_int_equal(world->server.firsts, 1);
}

/* C3: nor is success without an offset taken for offset 0. */
static void test_C3_success_without_offset_ends(void **state)
{
    struct world *world = world_set_up(ZEPHYR, 8000, 256, 3);

    (void)state;
    world->server.no_off = true;
    world_start(world);
    world_expect_failed(world, FERRY_E_FORMAT);
}

/* C4: beyond the file is an error; back and forth for ever is one, too. */
static void test_C4_offset_beyond_the_file(void **state)
{
    struct world *world = world_set_up(ZEPHYR, 8000, 256, 3);

    (void)state;
    world->server.lie = 8001;
    world_start(world);
    world_expect_failed(world, FERRY_E_RANGE);
}

/* An offset that nobody sent data up to, in the middle of the upload: others write there. */
static void test_more_than_was_sent_is_not_taken_in_the_middle(void **state)
{
    struct world *world = world_set_up(ZEPHYR, 8000, 256, 2);

    (void)state;
    world->server.lie = 6000;
    world_start(world);
    world_expect_failed(world, FERRY_E_RANGE);
    assert_non_null(strstr(world->last.remedy, "another client"));

    /* Nor as the answer to a first chunk without SHA; with one it is a resume, real or not. */
    for (int with = 0; with < 2; with++) {
        world = world_set_up(ZEPHYR, 8000, 256, 2);
        world->server.busy = 2;
        world->server.lie = 6000;
        world->config.sha = with ? world_sha : NULL;
        world_start(world);
        if (with) {
            world_expect_done(world);
        } else {
            world_expect_failed(world, FERRY_E_RANGE);
        }
    }
}

/* The first chunk is lost, and the question finds what an earlier upload left open. */
static void test_a_question_does_not_resume_what_is_anothers(void **state)
{
    (void)state;
    for (uint32_t kind = ZEPHYR; kind <= MCUBOOT; kind++) {
        struct world *world = world_set_up((enum world_kind)kind, 8000, 256, 1);

        world->server.open = true;
        world->server.len = 9000;
        world->server.off = 6000;
        world->server.lose_request = 1;
        world_start(world);
        world_expect_done(world);
        assert_int_equal(world->server.erases, 1);
        assert_false(world->last.resumed);
    }
}

static void test_C4_going_in_circles_ends(void **state)
{
    struct world *world = world_set_up(MCUBOOT, 8000, 256, 1);

    (void)state;
    world->server.reset_at = 10;
    world->server.resets = 1000;
    world_start(world);
    world_expect_failed(world, FERRY_E_STUCK);
    assert_int_equal(world->server.firsts, FERRY_UPLOAD_RESTARTS_MAX + 1);
}

static void test_same_offset_again_and_again_is_stuck(void **state)
{
    (void)state;
    for (uint32_t window = 1; window <= 3; window++) {
        struct world *world = world_set_up(ZEPHYR, 8000, 256, window);

        world->server.stuck_at = 3000;
        world_start(world);
        world_expect_failed(world, FERRY_E_STUCK);
        assert_in_range(world->last.acked, 2700, 3000);
        assert_int_equal(world->last.acked, world->server.off);
    }
}

/* C5: the first answer may say all is there. */
static void test_C5_everything_is_there_already(void **state)
{
    struct world *world = world_set_up(ZEPHYR, 8000, 256, 3);

    (void)state;
    world->server.image_check = true;
    world_start(world);
    world_expect_done(world);
    assert_true(world->last.matched);
    assert_false(world->last.resumed);

    uint32_t before = world->server.requests;

    world_start(world);
    world_expect_done(world);
    assert_int_equal(world->server.requests, before + 1);
    assert_true(world->last.matched);
    assert_true(world->last.resumed);
    assert_int_equal(world->server.erases, 1);
}

/* C6: the tail of a chunk is not stored; the chunks learn the write size. */
static void test_C6_chunks_are_cut_to_the_write_size(void **state)
{
    (void)state;
    for (uint32_t write_size = 16; write_size <= 32; write_size *= 2) {
        for (uint32_t window = 1; window <= 3; window += 2) {
            struct world *world = world_set_up(MCUBOOT, 20000, 242, window);

            world->server.write_size = write_size;
            world_start(world);
            world_expect_done(world);
            assert_true(world->server.misaligned <= 8);
            assert_true(world->server.misaligned > 0);
            assert_true(world_warned(world, "write size"));
            assert_int_equal(world->server.erases, 1);
        }
    }
    /* Told beforehand, nothing is cut. */
    struct world *world = world_set_up(MCUBOOT, 20000, 242, 1);

    world->server.write_size = 32;
    world->config.align = 32;
    world_start(world);
    world_expect_done(world);
    assert_int_equal(world->server.misaligned, 0);
}

/* C7: the first chunk holds the whole header; the sha gives way. */
static void test_C7_small_packets_leave_the_sha_out(void **state)
{
    struct world *world = world_set_up(ZEPHYR, 1000, 90, 1);

    (void)state;
    world_start(world);
    world_expect_done(world);
    assert_int_equal(world->server.first_with_sha, 0);
    assert_true(world->server.first_len >= 32);
    assert_true(world_warned(world, "SHA-256"));

    /* Not even that fits. */
    world = world_set_up(ZEPHYR, 70000, 64, 1);
    world->config.image = 1;
    world->config.upgrade = true;
    world_start(world);
    world_expect_failed(world, FERRY_E_SPACE);
}

/* C8: the first chunk is never sent again while an erasing bootloader may still be at it. */
static void test_C8_first_chunk_is_not_repeated(void **state)
{
    static const uint32_t erases_ms[] = {2000, 5000, 20000, 39000};
    uint32_t runs = 0;

    (void)state;
    for (uint32_t kind = ZEPHYR; kind <= MCUBOOT; kind++) {
        for (uint32_t i = 0; i < 4; i++) {
            struct world *world =
                world_set_up((enum world_kind)kind, 4000, 256, kind == ZEPHYR ? 3 : 1);

            world->server.erase_ms = erases_ms[i];
            world_start(world);
            world_expect_done(world);
            assert_int_equal(world->server.erases, 1);
            assert_int_equal(world->server.firsts, 1);
            runs++;
        }
    }
    assert_int_equal(runs, 8);
}

/* C14: what is erased may be as large as the slot, and is at least as large as the file. */
static void test_C14_the_erase_budget_grows_with_the_size(void **state)
{
    struct world *world = world_set_up(MCUBOOT, 4000, 256, 1);
    const uint32_t mib8 = 8 * 1024 * 1024;

    (void)state;
    world->config.slot_size = mib8;
    world->server.erase_ms = 120000;
    world_start(world);
    world_expect_done(world);
    assert_int_equal(world->server.firsts, 1);

    world = world_set_up(MCUBOOT, mib8, 256, 1);
    for (uint32_t slot = 0; slot <= 2 * mib8; slot += mib8) {
        world->config.slot_size = slot;
        assert_int_equal(ferry_upload_start(&world->upload, &world->config), FERRY_OK);
        assert_int_equal(world->upload.config.first_timeout_ms,
                         ferry_client_erase_ms(slot > mib8 ? slot : mib8));
        assert_true(world->upload.config.first_timeout_ms > 120000);
    }
}

/* C8: its answer is lost: the second chunk asks, and neither an erase nor 40 s are spent. */
static void test_C8_lost_first_answer_is_asked_for(void **state)
{
    (void)state;
    for (uint32_t kind = ZEPHYR; kind <= MCUBOOT; kind++) {
        struct world *world = world_set_up((enum world_kind)kind, 4000, 256, 1);

        world->server.lose_answer = 1;
        world_start(world);
        world_expect_done(world);
        assert_int_equal(world->server.erases, 1);
        assert_int_equal(world->server.firsts, 1);
        assert_true(world->now < 6000 * WORLD_NS_PER_MS);

        /* Lost on the way up: the answer to the question says 0, and it is sent. */
        world = world_set_up((enum world_kind)kind, 4000, 256, 1);
        world->server.lose_request = 1;
        world_start(world);
        world_expect_done(world);
        assert_int_equal(world->server.erases, 1);
        assert_int_equal(world->server.firsts, 1);
        assert_true(world->now < 6000 * WORLD_NS_PER_MS);
    }
}

/* A file of one chunk has no second one to ask with: the budget passes, then it is repeated. */
static void test_C8_single_chunk_waits_for_the_budget(void **state)
{
    struct world *world = world_set_up(MCUBOOT, 100, 256, 1);

    (void)state;
    world->config.first_timeout_ms = 10000;
    world->server.lose_request = 1;
    world_start(world);
    world_expect_done(world);
    assert_int_equal(world->client.stats.retransmitted, 1);
    assert_in_range(world->now / WORLD_NS_PER_MS, 10000, 11000);
}

/* C10: match is on the last answer only; false is a failure, absent is not. */
static void test_C10_match(void **state)
{
    struct world *world = world_set_up(ZEPHYR, 4000, 256, 3);

    (void)state;
    world->server.image_check = true;
    world->server.says_no_match = true;
    world_start(world);
    world_expect_failed(world, FERRY_E_MISMATCH);

    world = world_set_up(ZEPHYR, 4000, 256, 3);
    world_start(world);
    world_expect_done(world);
    assert_false(world->last.matched);

    /* Without a sha of ours the server says false: it has nothing to compare with. */
    world = world_set_up(ZEPHYR, 4000, 256, 3);
    world->server.image_check = true;
    world->config.sha = NULL;
    world_start(world);
    world_expect_done(world);
    assert_false(world->last.matched);
}

/* C11: the last answer is lost. Zephyr has forgotten the upload by then and says 0. */
static void test_C11_last_answer_lost(void **state)
{
    (void)state;
    for (uint32_t kind = ZEPHYR; kind <= MCUBOOT; kind++) {
        struct world *world = world_set_up((enum world_kind)kind, 2000, 256, 1);
        uint32_t last;

        world_start(world);
        last = world->server.requests;
        world = world_set_up((enum world_kind)kind, 2000, 256, 1);
        world->server.lose_answer = last;
        world_start(world);
        world_expect_done(world);
        assert_int_equal(world->server.erases, 1);
        assert_int_equal(world->server.lists_asked, kind == ZEPHYR ? 1 : 0);
        assert_int_equal(world_warned(world, "lists the image"), kind == ZEPHYR);

        /* A server without a list, or a client without the hash, does it all again. */
        for (int i = 0; i < 2; i++) {
            world = world_set_up((enum world_kind)kind, 2000, 256, 1);
            world->server.lose_answer = last;
            world->server.lists = i == 0 ? false : true;
            world->config.hash = i == 0 ? world_hash : NULL;
            world_start(world);
            world_expect_done(world);
            assert_int_equal(world->server.erases, kind == ZEPHYR ? 2 : 1);
        }
    }
}

/* The device forgets all in front of the last chunk; what its list shows is an older copy's rest.
 */
static void test_a_last_chunk_that_was_not_stored_is_not_done(void **state)
{
    (void)state;
    for (uint32_t window = 1; window <= 3; window++) {
        for (uint32_t from_last = 0; from_last < window; from_last++) {
            struct world *world = world_set_up(ZEPHYR, 8000, 256, window);
            uint32_t last;

            world_start(world);
            last = world->server.requests;
            world = world_set_up(ZEPHYR, 8000, 256, window);
            world->server.lists_old = true;
            world->server.reset_at = last - from_last;
            world->server.resets = 1;
            world_start(world);
            world_expect_done(world);
            assert_int_equal(world->server.lists_asked, 0);
            assert_int_equal(world->server.erases, 2);
        }
    }
}

/* C12: busy while it erases: wait, the same offset again. */
static void test_C12_busy_is_waited_for(void **state)
{
    struct world *world = world_set_up(ZEPHYR, 4000, 256, 3);
    uint32_t clean;

    (void)state;
    world_start(world);
    clean = world->server.requests;
    world = world_set_up(ZEPHYR, 4000, 256, 3);
    world->server.busy = 12;
    world_start(world);
    world_expect_done(world);
    assert_int_equal(world->server.requests, 12 + clean);
    assert_true(world_warned(world, "busy"));
    assert_true(world->now > 5000 * WORLD_NS_PER_MS);

    world = world_set_up(ZEPHYR, 4000, 256, 3);
    world->server.busy = 100000;
    world_start(world);
    world_expect_failed(world, FERRY_E_REFUSED);
    assert_int_equal(world->last.status.rc, FERRY_RC_BUSY);
    assert_in_range(world->now / WORLD_NS_PER_MS, 40000, 42000);
}

/* C15: the last chunk is answered once the image is decrypted. */
static void test_C15_the_last_chunk_takes_long(void **state)
{
    struct world *world = world_set_up(MCUBOOT, 4000, 256, 1);

    (void)state;
    world->server.last_ms = 30000;
    world_start(world);
    world_expect_done(world);
    assert_int_equal(world->server.erases, 1);
}

/* C15: on a line where nothing was lost it is not sent again for a while, and no loss is told. */
static void test_C15_a_slow_end_is_no_loss(void **state)
{
    struct world *world = world_set_up(MCUBOOT, 4000, 256, 1);
    struct ferry_upload_figures figures;

    (void)state;
    world->server.last_ms = 9000;
    world_start(world);
    world_expect_done(world);
    ferry_upload_figures(&world->upload, &figures);
    assert_int_equal(figures.losses, 0);
    assert_int_equal(figures.resent, 0);
}

/* Offsets take more bytes as they grow, and data fewer: the packets that makes are no second ones.
 */
static void smaller_chunks_are_not_packets_sent_again(void **state)
{
    struct world *world = world_set_up(ZEPHYR, 100000, 488, 4);
    struct ferry_upload_figures figures;

    (void)state;
    world_start(world);
    world_expect_done(world);
    ferry_upload_figures(&world->upload, &figures);
    assert_int_equal(figures.losses, 0);
    assert_int_equal(figures.resent, 0);
}

/* Over Bluetooth LE it is the interval that takes the time, as a rule, and not the flash. */
static void over_bluetooth_the_flash_is_not_blamed(void **state)
{
    static const uint32_t buffers[] = {4, 1};

    (void)state;
    for (size_t i = 0; i < 2; i++) {
        struct world *world = world_set_up(ZEPHYR, 100000, 488, buffers[i]);
        struct ferry_upload_figures figures;

        world->config.link = FERRY_LINK_BLE;
        world_start(world);
        world_expect_done(world);
        ferry_upload_figures(&world->upload, &figures);
        assert_int_equal(figures.limit, i == 0 ? FERRY_LIMIT_RADIO : FERRY_LIMIT_BUFFERS);
        assert_int_equal(figures.two_bytes_per_second, 0);
    }
}

/* C15: nor do short timeouts give it up, and the list tells the end. */
static void test_C15_the_last_chunk_is_waited_for_with_short_timeouts(void **state)
{
    (void)state;
    for (uint32_t kind = ZEPHYR; kind <= MCUBOOT; kind++) {
        struct world *world = world_set_up((enum world_kind)kind, 4000, 256, 1);

        world->client.config.timeout_ms = 300;
        world->server.last_ms = 38000;
        world_start(world);
        world_expect_done(world);
        assert_int_equal(world->server.erases, 1);

        world = world_set_up((enum world_kind)kind, 4000, 256, 1);
        world->config.first_timeout_ms = 150000;
        world->server.last_ms = 130000;
        world_start(world);
        world_expect_done(world);
        assert_int_equal(world->server.erases, 1);

        /* Never for ever. */
        world = world_set_up((enum world_kind)kind, 4000, 256, 1);
        world->server.last_ms = 1000000;
        world_start(world);
        world_expect_failed(world, FERRY_E_TIMEOUT);
        assert_in_range(world->now / WORLD_NS_PER_MS, 40000, 80000);
    }
}

/* C35: an answer takes a buffer, too; a server that runs out gets fewer chunks at once. */
static void test_C35_no_buffers_shrink_the_window(void **state)
{
    struct world *world = world_set_up(ZEPHYR, 20000, 256, 4);

    (void)state;
    world->server.no_memory = 3;
    world->stop_at = 1500;
    world_start(world);
    assert_true(world->upload.window.size < 4);
    assert_true(world_warned(world, "buffers"));
    world->stop_at = 0;
    world_run(world);
    world_expect_done(world);
    assert_int_equal(world->server.erases, 1);

    world = world_set_up(ZEPHYR, 20000, 256, 4);
    world->server.no_memory = 100000;
    world_start(world);
    world_expect_failed(world, FERRY_E_REFUSED);
    assert_int_equal(world->last.status.rc, FERRY_RC_NO_MEMORY);

    /* One that drops in silence (too few buffers for the window) is served all the same. */
    world = world_set_up(ZEPHYR, 20000, 256, 4);
    world->server.buf_count = 2;
    world_start(world);
    world_expect_done(world);
    assert_true(world->server.overflows > 0);
}

/* C39: answers that come after their timeout do no harm: every one comes late here. */
static void test_C39_late_answers(void **state)
{
    struct world *world = world_set_up(ZEPHYR, 3000, 256, 2);

    (void)state;
    world->latency_ns = 6000 * WORLD_NS_PER_MS; /* above the ordinary timeout */
    world_start(world);
    world_expect_done(world);
    assert_true(world->client.stats.retransmitted > 0);
    assert_true(world->client.stats.stale > 0);
    assert_int_equal(world->server.erases, 1);
}

/* C39: a client that starts anew does not take the old one's answers. */
static void test_C39_resume_by_a_new_client(void **state)
{
    struct world *world = world_set_up(ZEPHYR, 20000, 256, 3);
    uint32_t before;

    (void)state;
    world->stop_at = 10000;
    world_start(world);
    before = world->server.requests;
    world->stop_at = 0;
    world_set_client(world, 256, 0x33);
    world_start(world);
    world_expect_done(world);
    assert_true(world->last.resumed);
    assert_int_equal(world->server.erases, 1);
    assert_true(world->server.requests - before < 55);

    /* MCUboot does not resume: it begins anew, and that works, too. */
    world = world_set_up(MCUBOOT, 20000, 256, 1);
    world->stop_at = 10000;
    world_start(world);
    world->stop_at = 0;
    world_set_client(world, 256, 0x33);
    world_start(world);
    world_expect_done(world);
    assert_false(world->last.resumed);
    assert_int_equal(world->server.erases, 2);
}

/* ---- The rest ------------------------------------------------------------------------------- */

static int read_nothing(void *context, uint32_t off, uint8_t *buf, size_t len)
{
    (void)context;
    (void)buf;
    (void)len;
    return off == 0 ? FERRY_OK : FERRY_E_IO;
}

static void test_a_file_that_cannot_be_read(void **state)
{
    struct world *world = world_set_up(MCUBOOT, 8000, 256, 3);

    (void)state;
    world->config.read = read_nothing;
    world_start(world);
    world_expect_failed(world, FERRY_E_IO);
}

static void test_cancel(void **state)
{
    struct world *world = world_set_up(ZEPHYR, 8000, 256, 3);

    (void)state;
    world->stop_at = 2000;
    world_start(world);
    ferry_upload_cancel(&world->upload);
    world->stop_at = 0;
    world_run(world);
    world_expect_failed(world, FERRY_E_CANCELLED);
    ferry_upload_cancel(&world->upload);
    assert_true(ferry_upload_deadline(&world->upload) == FERRY_CLIENT_NEVER);
}

/* Echoes of other sizes are under way when it is stopped. */
static void test_cancel_during_the_probe_restores_the_packet_size(void **state)
{
    struct world *world = world_set_up(ZEPHYR, 40000, 252, 3);
    struct ferry_upload_event event;

    (void)state;
    world->config.probe = true;
    assert_int_equal(ferry_upload_start(&world->upload, &world->config), FERRY_OK);
    assert_false(ferry_upload_next(&world->upload, 0, &event));
    assert_int_equal(world->client.packet_max, 64);
    ferry_upload_cancel(&world->upload);
    assert_true(ferry_upload_next(&world->upload, 0, &event));
    assert_int_equal(event.error, FERRY_E_CANCELLED);
    assert_int_equal(world->client.packet_max, 252);
}

static void test_configuration_is_checked(void **state)
{
    struct world *world = world_set_up(ZEPHYR, 8000, 256, 3);

    (void)state;
    for (int i = 0; i < 5; i++) {
        struct ferry_upload_config bad = world->config;

        bad.client = i == 0 ? NULL : bad.client;
        bad.read = i == 1 ? NULL : bad.read;
        bad.size = i == 2 ? 0 : bad.size;
        bad.align = i == 3 ? 24 : i == 4 ? 1024 : 0;
        assert_int_equal(ferry_upload_start(&world->upload, &bad), FERRY_E_CONFIG);
    }
}

static void test_foreign_answers_are_left_alone(void **state)
{
    struct world *world = world_set_up(ZEPHYR, 8000, 256, 3);
    struct ferry_client_answer answer = {.ticket = 4711};

    (void)state;
    assert_int_equal(ferry_upload_start(&world->upload, &world->config), FERRY_OK);
    assert_false(ferry_upload_answer(&world->upload, &answer, 0));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_clean_uploads_of_all_sizes),
        cmocka_unit_test(test_sizes_around_the_packet),
        cmocka_unit_test(test_the_window_is_used),
        cmocka_unit_test(test_fields_of_the_first_chunk),
        cmocka_unit_test(test_the_line_is_the_limit),
        cmocka_unit_test(test_lossy_lines),
        cmocka_unit_test(test_each_packet_lost_once),
        cmocka_unit_test(test_a_lost_chunk_costs_no_timeout),
        cmocka_unit_test(test_the_window_shrinks_and_grows),
        cmocka_unit_test(test_a_dead_device_is_a_timeout),
        cmocka_unit_test(test_C1_offset_is_truth),
        cmocka_unit_test(test_C2_restart_sends_first_fields_again),
        cmocka_unit_test(test_C3_error_without_offset_ends),
        cmocka_unit_test(test_C3_success_without_offset_ends),
        cmocka_unit_test(test_C4_offset_beyond_the_file),
        cmocka_unit_test(test_more_than_was_sent_is_not_taken_in_the_middle),
        cmocka_unit_test(test_a_question_does_not_resume_what_is_anothers),
        cmocka_unit_test(test_C4_going_in_circles_ends),
        cmocka_unit_test(test_same_offset_again_and_again_is_stuck),
        cmocka_unit_test(test_C5_everything_is_there_already),
        cmocka_unit_test(test_C6_chunks_are_cut_to_the_write_size),
        cmocka_unit_test(test_C7_small_packets_leave_the_sha_out),
        cmocka_unit_test(test_C8_first_chunk_is_not_repeated),
        cmocka_unit_test(test_C14_the_erase_budget_grows_with_the_size),
        cmocka_unit_test(test_C8_lost_first_answer_is_asked_for),
        cmocka_unit_test(test_C8_single_chunk_waits_for_the_budget),
        cmocka_unit_test(test_C10_match),
        cmocka_unit_test(test_C11_last_answer_lost),
        cmocka_unit_test(test_a_last_chunk_that_was_not_stored_is_not_done),
        cmocka_unit_test(test_C12_busy_is_waited_for),
        cmocka_unit_test(test_C15_the_last_chunk_takes_long),
        cmocka_unit_test(smaller_chunks_are_not_packets_sent_again),
        cmocka_unit_test(over_bluetooth_the_flash_is_not_blamed),
        cmocka_unit_test(test_C15_a_slow_end_is_no_loss),
        cmocka_unit_test(test_C15_the_last_chunk_is_waited_for_with_short_timeouts),
        cmocka_unit_test(test_C35_no_buffers_shrink_the_window),
        cmocka_unit_test(test_C39_late_answers),
        cmocka_unit_test(test_C39_resume_by_a_new_client),
        cmocka_unit_test(test_a_file_that_cannot_be_read),
        cmocka_unit_test(test_cancel),
        cmocka_unit_test(test_cancel_during_the_probe_restores_the_packet_size),
        cmocka_unit_test(test_configuration_is_checked),
        cmocka_unit_test(test_foreign_answers_are_left_alone),
    };

    world_fill_file();
    return cmocka_run_group_tests(tests, NULL, NULL);
}
