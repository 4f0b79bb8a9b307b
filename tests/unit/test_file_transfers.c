/* SPDX-License-Identifier: Apache-2.0 */
/* Downloads and uploads of files against a model server over a line that loses, doubles and
 * reorders. Cnn are the corner cases the protocol is known for. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <string.h>

#include "file_world.h"

#define SIZE 100000

static struct file_world g_world;
static uint8_t g_wanted[FILE_WORLD_SIZE];

static int set_up(void **state)
{
    (void)state;
    file_world_init(&g_world);
    for (uint32_t i = 0; i < FILE_WORLD_SIZE; i++) {
        g_wanted[i] = file_world_byte(i);
    }
    return 0;
}

static void warned(const char *text)
{
    if (strstr(g_world.warnings, text) == NULL) {
        fail_msg("no warning with '%s' in: %s", text, g_world.warnings);
    }
}

static void failed(int error, const char *text)
{
    assert_int_equal(g_world.last.kind, FERRY_FILE_FAILED);
    assert_int_equal(g_world.last.error, error);
    if (strstr(g_world.last.text, text) == NULL) {
        fail_msg("'%s' is not in: %s", text, g_world.last.text);
    }
    assert_true(strlen(g_world.last.remedy) > 0 || error == FERRY_E_REFUSED);
}

static void downloads(uint32_t size)
{
    file_world_download(&g_world, size);
    assert_int_equal(g_world.last.kind, FERRY_FILE_DONE);
    assert_int_equal(g_world.last.total, size);
    assert_memory_equal(g_world.got, g_wanted, size == 0 ? 1 : size);
}

static void uploads(uint32_t size, uint32_t start)
{
    file_world_upload(&g_world, size, start);
    if (g_world.last.kind != FERRY_FILE_DONE) {
        fail_msg("%s", g_world.last.text);
    }
    assert_true(g_world.exists);
    assert_int_equal(g_world.size, size);
    assert_memory_equal(g_world.file, g_wanted, size == 0 ? 1 : size);
}

/* ---- Download ------------------------------------------------------------------------------- */

static void every_size_comes(void **state)
{
    static const uint32_t sizes[] = {0, 1, 399, 400, 401, 800, 5000, 65535, 65536, 150000};

    for (size_t i = 0; i < sizeof sizes / sizeof sizes[0]; i++) {
        for (int fills = 0; fills < 2; fills++) {
            set_up(state);
            g_world.fills = fills != 0;
            downloads(sizes[i]);
            assert_string_equal(g_world.warnings, "");
        }
    }
}

/* The second chunk is larger than the first, those behind 64 KiB are smaller: no more than a few
 * bytes come twice, and no gap costs an answer. */
static void requests_are_not_wasted(void **state)
{
    (void)state;
    g_world.fills = true;
    downloads(150000);
    assert_in_range(g_world.requests, 150000 / 397, 150000 / 395 + 3);
    assert_int_equal(g_world.deepest, 3);
    set_up(state);
    downloads(150000);
    assert_in_range(g_world.requests, 150000 / 400, 150000 / 400 + 1);
}

static void an_unknown_chunk_is_asked_for_alone(void **state)
{
    (void)state;
    downloads(300);
    assert_int_equal(g_world.requests, 1);
}

static void a_short_chunk_leaves_a_gap_that_is_filled(void **state)
{
    (void)state;
    g_world.short_at = 20;
    downloads(SIZE);
    set_up(state);
    g_world.short_at = 1;
    downloads(SIZE);
}

static void what_was_lost_is_asked_for_again_at_once(void **state)
{
    (void)state;
    g_world.lose_request = SIZE / 400 - 3;
    downloads(SIZE);
    warned("packets are lost");
    assert_true(g_world.now < 900); /* three in 10 ms, and no timeout of 500 ms */
    set_up(state);
    g_world.lose_answer = SIZE / 400 - 3;
    downloads(SIZE);
    warned("packets are lost");
    assert_true(g_world.now < 900);
}

static void the_first_or_last_answer_is_lost(void **state)
{
    static const uint32_t which[] = {1, 2, SIZE / 400};

    for (size_t i = 0; i < 3; i++) {
        set_up(state);
        g_world.lose_answer = which[i];
        downloads(SIZE);
    }
}

static void the_servers_offset_counts(void **state)
{
    (void)state;
    g_world.shifted_at = 20;
    downloads(SIZE);
}

static void a_bad_line_and_any_window(void **state)
{
    for (uint32_t window = 0; window <= 8; window++) {
        for (uint32_t seed = 1; seed <= 5; seed++) {
            set_up(state);
            g_world.window = window;
            g_world.random = seed * 77 + window;
            g_world.loss_permille = 50;
            g_world.double_permille = 30;
            g_world.jitter_ms = seed % 2 == 0 ? 15 : 0;
            g_world.fills = seed % 3 == 0;
            downloads(SIZE);
        }
    }
}

static void strings_of_indefinite_length(void **state)
{
    (void)state;
    g_world.chunked = true;
    downloads(SIZE);
}

static void a_file_that_shrinks(void **state)
{
    (void)state;
    g_world.empty_from = 50000;
    file_world_download(&g_world, SIZE);
    failed(FERRY_E_SHORT, "ends before the length");
    assert_int_equal(g_world.last.done, 50000);
}

/* Data behind the length that was told first are left out. */
static void a_file_that_grows(void **state)
{
    (void)state;
    g_world.said_len = 50001;
    file_world_download(&g_world, SIZE);
    assert_int_equal(g_world.last.kind, FERRY_FILE_DONE);
    assert_int_equal(g_world.last.total, 50001);
    assert_memory_equal(g_world.got, g_wanted, 50001);
    assert_int_equal(g_world.got[50001], 0);
}

static void answers_that_make_no_sense(void **state)
{
    (void)state;
    g_world.no_len = true;
    file_world_download(&g_world, SIZE);
    failed(FERRY_E_FORMAT, "how long the file is");
    set_up(state);
    g_world.said_len = 1ULL << 32;
    file_world_download(&g_world, SIZE);
    failed(FERRY_E_RANGE, "4 GiB");
}

static void a_download_is_refused(void **state)
{
    (void)state;
    g_world.refuse_at = 10;
    file_world_download(&g_world, SIZE);
    failed(FERRY_E_REFUSED, "written");
    assert_int_equal(g_world.last.status.rc, 10);
}

static void the_callers_own_error_ends_it(void **state)
{
    (void)state;
    g_world.write_fails_at = 30000;
    file_world_download(&g_world, SIZE);
    failed(FERRY_E_FULL, "");
}

static void a_dead_line_ends_it(void **state)
{
    (void)state;
    g_world.lose_answer = 10;
    g_world.lose_answers = 1000;
    file_world_download(&g_world, SIZE);
    failed(FERRY_E_TIMEOUT, "answers no more");
    set_up(state);
    g_world.lose_answer = 10;
    g_world.lose_answers = 1000;
    file_world_upload(&g_world, SIZE, 0);
    failed(FERRY_E_TIMEOUT, "answers no more");
}

/* C35: no buffer, or another file under way. */
static void busy_devices_are_waited_for(void **state)
{
    static const uint32_t codes[] = {FERRY_RC_NO_MEMORY, FERRY_RC_BUSY, FERRY_RC_CORRUPT};

    for (size_t i = 0; i < 3; i++) {
        for (int up = 0; up < 2; up++) {
            set_up(state);
            g_world.passing_rc = codes[i];
            g_world.passing = 5;
            if (up != 0) {
                uploads(SIZE, 0);
            } else {
                downloads(SIZE);
            }
            assert_string_not_equal(g_world.warnings, "");
        }
    }
    set_up(state);
    g_world.passing_rc = FERRY_RC_BUSY;
    g_world.passing = 1000;
    file_world_upload(&g_world, SIZE, 0);
    failed(FERRY_E_REFUSED, "");
}

/* ---- Upload --------------------------------------------------------------------------------- */

static void every_size_goes(void **state)
{
    static const uint32_t sizes[] = {0, 1, 400, 470, 5000, 65535, 65536, 150000};

    for (size_t i = 0; i < sizeof sizes / sizeof sizes[0]; i++) {
        for (int ferry = 0; ferry < 2; ferry++) {
            set_up(state);
            g_world.ferry = ferry != 0;
            uploads(sizes[i], 0);
            assert_string_equal(g_world.warnings, "");
            assert_int_equal(g_world.closes, sizes[i] == 0);
            assert_false(g_world.open);
        }
    }
}

static void chunks_fill_the_packet(void **state)
{
    (void)state;
    uploads(60000, 0);
    /* Header, map, off, name, data's key and head. */
    assert_int_equal(g_world.requests, (60000 + 499 - 38) / (500 - 38) + 0);
    assert_int_equal(g_world.deepest, 3);
}

/* C23: the file is closed, and `len` says where it ends. */
static void c23_a_lost_chunk_closes_the_file(void **state)
{
    for (uint32_t lost = 2; lost < 12; lost++) {
        set_up(state);
        g_world.lose_request = lost;
        uploads(SIZE, 0);
        warned("packets are lost");
        assert_int_equal(g_world.firsts, 1);
        assert_int_equal(g_world.closes, 1); /* Zephyr has forgotten where it ends */
    }
}

static void a_lost_answer_changes_nothing(void **state)
{
    for (uint32_t lost = 1; lost < 12; lost++) {
        for (int ferry = 0; ferry < 2; ferry++) {
            set_up(state);
            g_world.ferry = ferry != 0;
            g_world.lose_answer = lost;
            uploads(SIZE, 0);
        }
    }
}

/* All answers of a window: each chunk comes again, and Zephyr refuses what it has. */
static void a_window_of_lost_answers(void **state)
{
    (void)state;
    g_world.lose_answer = 50;
    g_world.lose_answers = 2;
    uploads(SIZE, 0);
}

static void the_last_answer_is_lost(void **state)
{
    (void)state;
    g_world.lose_answer = (SIZE + 461) / 462;
    uploads(SIZE, 0);
    assert_int_equal(g_world.firsts, 1);
}

/* Zephyr cuts the file and goes on counting. */
static void an_upload_that_was_still_open(void **state)
{
    (void)state;
    g_world.exists = true;
    g_world.open = true;
    g_world.count = 5000;
    g_world.size = 5000;
    uploads(SIZE, 0);
    warned("still open");
    assert_int_equal(g_world.firsts, 2);
    assert_true(g_world.closes >= 1);
}

static int write_nothing(void *context, uint32_t off, const uint8_t *data, size_t len,
                         uint32_t total)
{
    (void)context;
    (void)off;
    (void)data;
    (void)len;
    (void)total;
    return FERRY_OK;
}

static void a_reset_in_the_middle(void **state)
{
    static const uint32_t left[] = {0, 100, 40000};

    for (size_t i = 0; i < 3; i++) {
        set_up(state);
        g_world.forget_at = 100;
        g_world.forget_size = left[i];
        uploads(SIZE, 0);
        warned("less of the file");
    }
}

static void version_1_says_no_length(void **state)
{
    (void)state;
    g_world.version_1 = true;
    g_world.lose_request = 20;
    uploads(SIZE, 0);
    assert_in_range(g_world.statuses, 1, 3);
    set_up(state);
    g_world.version_1 = true;
    g_world.no_status = true;
    g_world.lose_request = 20;
    uploads(SIZE, 0);
    assert_int_equal(g_world.firsts, 2);
}

static void an_upload_goes_on(void **state)
{
    (void)state;
    uploads(SIZE, 61000);
    assert_int_equal(g_world.firsts, 0);
    assert_in_range(g_world.requests, 39000 / 462, 39000 / 450 + 2);
    assert_false(g_world.open);
    set_up(state);
    uploads(SIZE, SIZE); /* all of it is there */
    assert_int_equal(g_world.requests, 1);
}

/* What another wrote behind the start is not ours, whatever its length. */
static void a_file_longer_than_the_start_is_begun_again(void **state)
{
    static const uint32_t longer[] = {1, 200, 461, 463, 700, 1200, 30000, 50000};

    for (size_t i = 0; i < 8 * 4 * 2; i++) {
        set_up(state);
        g_world.longer = longer[i / 8];
        g_world.window = 1 + i / 2 % 4;
        g_world.version_1 = i % 2 != 0;
        uploads(SIZE, 61000);
        warned("not sent from here");
        assert_int_equal(g_world.firsts, 1);
    }

    /* Nor when the first refusal is lost. */
    set_up(state);
    g_world.longer = 200;
    g_world.lose_answer = 1;
    uploads(SIZE, 61000);
    assert_int_equal(g_world.firsts, 1);
}

/* Its length is a number of 32 bits: what is asked for may not end beyond. */
static void a_file_of_nearly_4_gib_is_asked_for_to_its_end(void **state)
{
    static uint8_t buffers[4 * 256];
    static struct ferry_client_request requests[4];
    struct ferry_client_config config = {
        .requests = requests, .request_count = 4, .buffers = buffers, .buffer_size = 256};
    struct ferry_client client;
    struct ferry_file_download_config wanted = {
        .client = &client, .name = "a", .write = write_nothing, .window = 3};
    struct ferry_file_download download;
    struct ferry_file_event event;

    (void)state;
    assert_int_equal(ferry_client_init(&client, &config), FERRY_OK);
    assert_int_equal(ferry_file_download_start(&download, &wanted), FERRY_OK);
    download.sized = true;
    download.total = UINT32_MAX;
    download.done = UINT32_MAX - 100;
    download.chunk = 400;
    (void)ferry_file_download_next(&download, 0, &event);
    assert_int_equal(download.flow.flight_count, 1);
    assert_int_equal(download.flow.flights[0].end, UINT32_MAX);
    ferry_file_download_cancel(&download);
}

static void a_part_of_a_chunk_is_taken(void **state)
{
    (void)state;
    g_world.write_max = 400;
    uploads(20000, 0);
}

static void a_device_that_never_takes_a_chunk(void **state)
{
    for (int old = 0; old < 2; old++) {
        set_up(state);
        g_world.version_1 = old != 0;
        g_world.stuck_at = 30000;
        file_world_upload(&g_world, SIZE, 0);
        assert_int_equal(g_world.last.kind, FERRY_FILE_FAILED);
        assert_in_range(g_world.last.done, 29000, 30000);
        assert_true(g_world.requests < 150);
    }
    assert_int_equal(g_world.last.error, FERRY_E_REFUSED);
}

static void an_upload_is_refused(void **state)
{
    (void)state;
    g_world.refuse_at = 10;
    file_world_upload(&g_world, SIZE, 0);
    failed(FERRY_E_REFUSED, "could not be written");
    set_up(state);
    g_world.fails_close = true;
    file_world_upload(&g_world, SIZE, 61000);
    failed(FERRY_E_REFUSED, "");
    assert_int_equal(g_world.last.status.rc, 17);
}

static void uploads_over_a_bad_line(void **state)
{
    for (uint32_t window = 1; window <= 8; window++) {
        for (uint32_t seed = 1; seed <= 6; seed++) {
            set_up(state);
            g_world.window = window;
            g_world.random = seed * 77 + window;
            g_world.ferry = seed % 2 == 0;
            g_world.version_1 = seed == 5;
            g_world.loss_permille = 50;
            uploads(50000, 0);
        }
    }
}

/* Datagrams overtake each other. A copy of the first chunk may come after others then: what is in
 * the file in the end is the hash's affair. */
static void uploads_over_datagrams(void **state)
{
    for (uint32_t seed = 1; seed <= 6; seed++) {
        set_up(state);
        g_world.random = seed * 91;
        g_world.jitter_ms = 8;
        g_world.ferry = seed % 2 == 0;
        uploads(50000, 0);
    }
}

static void the_smallest_packets(void **state)
{
    (void)state;
    g_world.packet_max = 64;
    uploads(300, 0);
    downloads(300);
}

static int read_nothing(void *context, uint32_t off, uint8_t *buf, size_t len)
{
    (void)context;
    (void)off;
    memset(buf, 0, len);
    return FERRY_OK;
}

static void cancelled(void **state)
{
    static uint8_t buffers[2 * 256];
    static struct ferry_client_request requests[2];
    struct ferry_client_config config = {
        .requests = requests, .request_count = 2, .buffers = buffers, .buffer_size = 256};
    struct ferry_file_upload_config wanted = {.name = "a", .size = 10};
    struct ferry_file_upload upload;
    struct ferry_file_event event;
    struct ferry_client client;

    (void)state;
    assert_int_equal(ferry_client_init(&client, &config), FERRY_OK);
    assert_int_equal(ferry_file_upload_start(&upload, &wanted), FERRY_E_CONFIG);
    struct ferry_file_download_config other = {.client = &client, .name = "a"};
    struct ferry_file_download download;

    assert_int_equal(ferry_file_download_start(&download, &other), FERRY_E_CONFIG);
    wanted.client = &client;
    wanted.start = 11;
    assert_int_equal(ferry_file_upload_start(&upload, &wanted), FERRY_E_CONFIG);
    wanted.start = 10;
    wanted.read = read_nothing;
    assert_int_equal(ferry_file_upload_start(&upload, &wanted), FERRY_OK);
    assert_false(ferry_file_upload_next(&upload, 0, &event));
    ferry_file_upload_cancel(&upload);
    assert_true(ferry_file_upload_next(&upload, 0, &event));
    assert_int_equal(event.error, FERRY_E_CANCELLED);
    assert_false(ferry_file_upload_next(&upload, 0, &event));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
#define TEST(name) cmocka_unit_test_setup(name, set_up)
        TEST(every_size_comes),
        TEST(requests_are_not_wasted),
        TEST(an_unknown_chunk_is_asked_for_alone),
        TEST(a_short_chunk_leaves_a_gap_that_is_filled),
        TEST(what_was_lost_is_asked_for_again_at_once),
        TEST(the_first_or_last_answer_is_lost),
        TEST(the_servers_offset_counts),
        TEST(a_bad_line_and_any_window),
        TEST(strings_of_indefinite_length),
        TEST(a_file_that_shrinks),
        TEST(a_file_that_grows),
        TEST(answers_that_make_no_sense),
        TEST(a_download_is_refused),
        TEST(the_callers_own_error_ends_it),
        TEST(a_dead_line_ends_it),
        TEST(busy_devices_are_waited_for),
        TEST(every_size_goes),
        TEST(chunks_fill_the_packet),
        TEST(c23_a_lost_chunk_closes_the_file),
        TEST(a_lost_answer_changes_nothing),
        TEST(a_window_of_lost_answers),
        TEST(the_last_answer_is_lost),
        TEST(an_upload_that_was_still_open),
        TEST(a_reset_in_the_middle),
        TEST(version_1_says_no_length),
        TEST(an_upload_goes_on),
        TEST(a_file_longer_than_the_start_is_begun_again),
        TEST(a_file_of_nearly_4_gib_is_asked_for_to_its_end),
        TEST(a_part_of_a_chunk_is_taken),
        TEST(a_device_that_never_takes_a_chunk),
        TEST(an_upload_is_refused),
        TEST(uploads_over_a_bad_line),
        TEST(uploads_over_datagrams),
        TEST(the_smallest_packets),
        TEST(cancelled),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
