/* SPDX-License-Identifier: Apache-2.0 */
/* What an upload does by itself on lines and devices of all kinds, in virtual time: how full it
 * keeps the line, what it sends twice, how long it waits for what was lost. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "upload_world.h"

#define BAUD_115200 86806 /* ns a byte */
#define SIZE        65536

/* Seconds of an upload, once the first words were answered: fast, because they are small. */
static double seconds_of(struct world *world, size_t packet_max)
{
    world_set_client(world, packet_max, 0);
    world->client.trip = (struct ferry_round_trip){
        .samples = 2, .smoothed8 = 8 * 20, .deviation4 = 4 * 10, .peak8 = 8 * 20, .least = 20};
    world_start(world);
    world_expect_done(world);
    return (double)world->now * 1e-9;
}

static struct world *serial_line(uint32_t window, uint64_t ns_per_byte)
{
    struct world *world = world_set_up(ZEPHYR, SIZE, 508, window);

    world->ns_per_byte = ns_per_byte;
    world->server.erase_ms = 0;
    world->server.chunk_us = 0;
    return world;
}

/* The line needs n times what the client was told (a bridge, a radio behind it). Timeouts are too
 * short at first; what is sent again must not pile up in front of the answers. */
static void test_a_line_slower_than_told_is_used_fully(void **state)
{
    static const uint32_t times[] = {2, 4, 8, 16};

    (void)state;
    for (uint32_t window = 1; window <= 7; window += 2) {
        for (size_t i = 0; i < sizeof times / sizeof times[0]; i++) {
            struct world *world = serial_line(window, BAUD_115200 * times[i]);
            double honest = seconds_of(world, 508);

            world = serial_line(window, BAUD_115200 * times[i]);
            world->told_ns_per_byte = BAUD_115200;
            double seconds = seconds_of(world, 508);

            print_message("%u x slower, window %u: %.3f of the speed, %u sent again\n",
                          (unsigned)times[i], (unsigned)window, honest / seconds,
                          (unsigned)world->client.stats.retransmitted);
            assert_true(honest / seconds > (times[i] <= 8 ? 0.98 : 0.93));
        }
    }
}

/* While it writes its flash this device keeps six bytes: whatever comes then is lost. It must not
 * be slower than one that is served one at a time. */
static void test_a_device_that_is_deaf_while_it_writes(void **state)
{
    (void)state;
    for (uint32_t window = 2; window <= 8; window++) {
        struct world *world = serial_line(1, BAUD_115200);

        world->config.size = 262144;
        world->server.write_us = 2500;
        world->fifo_bytes = 6;
        double single = seconds_of(world, 508);

        assert_int_equal(world->damaged, 0);
        world = serial_line(window, BAUD_115200);
        world->config.size = 262144;
        world->server.write_us = 2500;
        world->fifo_bytes = 6;
        double seconds = seconds_of(world, 508);

        print_message("window %u: %.4f of the time of one at a time, %u packets lost\n",
                      (unsigned)window, seconds / single, (unsigned)world->damaged);
        assert_true(seconds / single < 1.02);
        assert_in_range(world->damaged, 1, 12);
        assert_int_equal(world->server.firsts, 1);
    }
}

/* Every n-th chunk waits for a sector to be erased: late is not lost. */
static void test_a_device_that_stalls_regularly_is_waited_for(void **state)
{
    (void)state;
    for (uint32_t window = 1; window <= 3; window += 2) {
        for (uint32_t stall_ms = 50; stall_ms <= 800; stall_ms *= 2) {
            struct world *world = world_set_up(ZEPHYR, 262144, 508, window);

            world->server.stall_every = 8;
            world->server.stall_ms = stall_ms;
            world_start(world);
            world_expect_done(world);
            print_message("stalls of %u ms, window %u: %u sent again, %u of them late\n",
                          (unsigned)stall_ms, (unsigned)window,
                          (unsigned)world->client.stats.retransmitted,
                          (unsigned)world->client.stats.late);
            assert_true(world->client.stats.retransmitted <= 12);
        }
    }
}

static double over_datagrams(uint32_t window, uint32_t loss_permille, uint32_t seed)
{
    struct world *world = world_set_up(ZEPHYR, 262144, 1472, window);

    world->config.link = FERRY_LINK_UDP4;
    world->latency_ns = 10 * WORLD_NS_PER_MS;
    world->server.erase_ms = 0;
    world->loss_permille = loss_permille;
    world->random = seed * 2654435761U + 1;
    return seconds_of(world, 1472);
}

/* A network with 10 ms round trip and one packet in a hundred lost each way: with two and more in
 * flight the next answer tells of a loss, and no timeout passes. */
static void test_loss_on_a_fast_line_is_found_fast(void **state)
{
    (void)state;
    for (uint32_t window = 1; window <= 7; window += 2) {
        double clean = over_datagrams(window, 0, 1);
        double lossy = 0;
        double most = 0;

        for (uint32_t seed = 1; seed <= 50; seed++) {
            double seconds = over_datagrams(window, 10, seed);

            lossy += seconds / 50;
            most = seconds > most ? seconds : most;
        }
        print_message("window %u: %.2f s, with loss %.2f s, at most %.2f s\n", (unsigned)window,
                      clean, lossy, most);
        assert_true(lossy < clean * 1.25 + 0.1);
        assert_true(most < clean * 1.6 + 2.5);
    }
}

/* C41: the device does not tell its buffers: echoes find out, and 1000 bytes instead of 252 are
 * worth the silence of those that were too large. Without an echo nothing is lost but two short
 * waits. */
static void test_C41_the_size_of_packets_is_found_out(void **state)
{
    struct world *world = serial_line(1, BAUD_115200);

    (void)state;
    world->server.packet_max = 1020;
    double careful = seconds_of(world, 252);

    world = serial_line(1, BAUD_115200);
    world->server.packet_max = 1020;
    world->server.echoes = true;
    world->config.probe = true;
    double probed = seconds_of(world, 252);

    assert_int_equal(world->client.packet_max, 1020);
    assert_int_equal(world->server.firsts, 1);
    assert_int_equal(world->server.too_large, 2);
    assert_true(probed < careful);

    world = serial_line(1, BAUD_115200);
    world->server.packet_max = 252;
    world->config.probe = true;
    double silent = seconds_of(world, 252);

    assert_int_equal(world->server.echoes_asked, 2);
    assert_int_equal(world->server.too_large, 0);
    assert_true(silent < careful + 2);
    print_message("%.2f s, with echoes %.2f s, with echoes that are not answered %.2f s\n", careful,
                  probed, silent);

    /* A small file is sent before the echoes would be answered. */
    world = serial_line(1, BAUD_115200);
    world->config.size = 10000;
    world->config.probe = true;
    (void)seconds_of(world, 252);
    assert_int_equal(world->server.echoes_asked, 0);
}

static struct ferry_upload_figures figures_of(struct world *world, size_t packet_max)
{
    struct ferry_upload_figures figures;

    (void)seconds_of(world, packet_max);
    ferry_upload_figures(&world->upload, &figures);
    assert_int_equal(figures.bytes, world->config.size);
    assert_int_equal(figures.ms, world->now / WORLD_NS_PER_MS);
    return figures;
}

/* What limited it is told from what was measured, on lines and devices where the truth is known. */
static void test_the_limit_is_named(void **state)
{
    (void)state;
    /* Three buffers and 5 ms: the line. */
    struct ferry_upload_figures figures = figures_of(serial_line(3, BAUD_115200), 508);

    assert_int_equal(figures.limit, FERRY_LIMIT_LINE);
    assert_in_range(figures.line_use, 990, 1000);
    assert_in_range(figures.line_share, 930, 950);
    assert_int_equal(figures.packet, 504);
    assert_int_equal(figures.resent, 0);

    /* One, and 20 ms: it is waited for, and two would give what three gave. */
    uint32_t full = figures.bytes_per_second;
    struct world *world = serial_line(1, BAUD_115200);

    world->latency_ns = 20 * WORLD_NS_PER_MS;
    figures = figures_of(world, 508);
    assert_int_equal(figures.limit, FERRY_LIMIT_BUFFERS);
    assert_in_range(figures.wait_ms, 19, 21);
    assert_in_range(figures.two_bytes_per_second, full / 100 * 98, full / 100 * 103);

    /* Writing takes ten times what the line does: no number of buffers helps. */
    for (uint32_t window = 1; window <= 3; window++) {
        world = serial_line(window, BAUD_115200);
        world->server.write_us = 600000;
        figures = figures_of(world, 508);
        assert_int_equal(figures.limit, window == 1 ? FERRY_LIMIT_BUFFERS : FERRY_LIMIT_FLASH);
        assert_true(window > 1 || figures.two_bytes_per_second < figures.bytes_per_second / 4 * 5);
    }

    /* Deaf while it writes. */
    world = serial_line(3, BAUD_115200);
    world->server.write_us = 2500;
    world->fifo_bytes = 6;
    figures = figures_of(world, 508);
    assert_int_equal(figures.limit, FERRY_LIMIT_DEAF);
    assert_int_equal(figures.window, 1);
    assert_int_equal(figures.window_max, 3);

    /* Five in a hundred packets lost. */
    world = serial_line(3, BAUD_115200);
    world->loss_permille = 50;
    figures = figures_of(world, 508);
    assert_int_equal(figures.limit, FERRY_LIMIT_LOSS);
    assert_true(figures.losses > 3 && figures.resent >= figures.losses);

    /* A line without a rate, 20 ms away. */
    world = world_set_up(ZEPHYR, SIZE, 508, 3);
    world->latency_ns = 20 * WORLD_NS_PER_MS;
    world->config.link = FERRY_LINK_UDP4;
    figures = figures_of(world, 508);
    assert_int_equal(figures.limit, FERRY_LIMIT_TURNAROUND);
    assert_int_equal(figures.line_bytes_per_second, 0);

    /* The erase is no part of the speed. */
    world = serial_line(3, BAUD_115200);
    world->server.erase_ms = 700;
    figures = figures_of(world, 508);
    assert_in_range(figures.erase_ms, 760, 790);
    assert_int_equal(figures.limit, FERRY_LIMIT_LINE);

    /* Faster than told: no share of anything is claimed. */
    world = serial_line(3, 1000);
    world->told_ns_per_byte = BAUD_115200;
    figures = figures_of(world, 508);
    assert_int_equal(figures.line_bytes_per_second, 0);
    assert_int_equal(figures.line_share, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_a_line_slower_than_told_is_used_fully),
        cmocka_unit_test(test_a_device_that_is_deaf_while_it_writes),
        cmocka_unit_test(test_a_device_that_stalls_regularly_is_waited_for),
        cmocka_unit_test(test_loss_on_a_fast_line_is_found_fast),
        cmocka_unit_test(test_the_limit_is_named),
        cmocka_unit_test(test_C41_the_size_of_packets_is_found_out),
    };

    world_fill_file();
    return cmocka_run_group_tests(tests, NULL, NULL);
}
