/* SPDX-License-Identifier: Apache-2.0 */
/* The bootloader and what it does not take: images that are refused, policies, damaged trailers.
 * Afterwards the working image runs, and nothing blocks the next update. */
#include "boot_bench.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static const struct ferry_boot_strategy *const strategies[] = {&ferry_boot_swap_move,
                                                               &ferry_boot_overwrite};
#define STRATEGIES (sizeof(strategies) / sizeof(strategies[0]))

static bool runs(const struct bench *bench, const struct fault_image *image)
{
    return fault_device_holds(&bench->device.primary, image);
}

static bool keeps(const struct bench *bench, const struct fault_image *image)
{
    return fault_device_holds(&bench->device.secondary, image);
}

/* The secondary asks for nothing and has no header. */
static void expect_cleared(const struct bench *bench)
{
    struct ferry_trailer trailer = bench_secondary_trailer(bench);
    const struct ferry_flash *secondary = &bench->device.secondary.ram.flash;

    assert_int_equal(trailer.magic, FERRY_UNSET);
    assert_int_equal(trailer.image_ok, FERRY_UNSET);
    assert_int_equal(trailer.copy_done, FERRY_UNSET);
    assert_int_equal(ferry_flash_is_erased(secondary, 0, bench_geometry.sector_size), 1);
}

/* ---- Images that are not taken -------------------------------------------------------------- */

static const uint8_t dependency[12] = {0};
static const struct test_tlv unknown_tlv = {0x0099, 4, "ABCD"};
static const struct test_tlv misplaced_tlv = {FERRY_TLV_DEPENDENCY, 12, dependency};

struct refusal {
    const char *name;
    int reason;
    struct test_image_spec spec;
    uint32_t flip;     /* a bit of this byte is changed afterwards; 0 = none */
    bool header_known; /* its version can be told */
};

#define VERSION .version = {2, 3, 4, 5}

static const struct refusal refusals[] = {
    {"bad digest", FERRY_E_DIGEST, {VERSION, .header_size = 32, .payload_size = 800}, 400, true},
    {"bad header", FERRY_E_DIGEST, {VERSION, .header_size = 32, .payload_size = 800}, 8 + 17, true},
    {"bad signature",
     FERRY_E_SIGNATURE,
     {VERSION, .header_size = 32, .payload_size = 800, .key = TEST_KEY_P256},
     32 + 800 + 4 + 36 + 36 + 4 + 20,
     true},
    {"unsigned",
     FERRY_E_NO_SIGNATURE,
     {VERSION, .header_size = 32, .payload_size = 800, .key = TEST_KEY_NONE},
     0,
     true},
    {"a stranger's key",
     FERRY_E_NO_KEY,
     {VERSION, .header_size = 32, .payload_size = 800, .key = TEST_KEY_P256_OTHER},
     0,
     true},
    {"unknown protected TLV",
     FERRY_E_TLV_UNKNOWN,
     {VERSION, .header_size = 32, .payload_size = 800, .protected_tlvs = &unknown_tlv,
      .protected_count = 1},
     0,
     true},
    {"TLV in the wrong area",
     FERRY_E_TLV_AREA,
     {VERSION, .header_size = 32, .payload_size = 800, .unprotected_tlvs = &misplaced_tlv,
      .unprotected_count = 1},
     0,
     true},
    {"encrypted",
     FERRY_E_UNSUPPORTED,
     {VERSION, .header_size = 32, .payload_size = 800, .wrap = TEST_WRAP_X25519},
     0,
     true},
    {"compressed",
     FERRY_E_COMPRESSED,
     {VERSION, .header_size = 32, .payload_size = 800, .flags = FERRY_IMAGE_LZMA2},
     0,
     true},
    {"compressed, with a filter",
     FERRY_E_COMPRESSED,
     {VERSION, .header_size = 32, .payload_size = 800,
      .flags = FERRY_IMAGE_LZMA2 | FERRY_IMAGE_ARM_THUMB},
     0,
     true},
    {"no digest",
     FERRY_E_DIGEST,
     {VERSION, .header_size = 32, .payload_size = 800, .no_digest = true},
     0,
     true},
    {"too large for the slot",
     FERRY_E_TOO_LARGE,
     {VERSION, .header_size = 32, .payload_size = 3990},
     0,
     true},
    {"another magic", FERRY_E_MAGIC, {VERSION, .header_size = 32, .payload_size = 800}, 1, false},
};

static void refuse_one(const struct refusal *refusal, const struct ferry_boot_strategy *strategy,
                       bool permanent)
{
    struct bench bench;
    struct fault_geometry geometry = bench_geometry;
    struct fault_device *device = &bench.device;
    const struct test_image_spec good = {
        .version = {3, 0, 0, 0}, .header_size = 32, .payload_size = 900};
    const struct test_image_spec first = {
        .version = {1, 0, 0, 0}, .header_size = 32, .payload_size = 700};

    /* A secondary that can hold what the primary cannot. */
    geometry.secondary_sectors += strategy->traits->keeps_old ? 0 : 2;
    bench_init(&bench, &geometry, strategy);
    device->config.trust = *test_trust(TEST_KEY_P256);
    device->old = bench_build(&bench, &first);
    fault_device_load(&device->primary, &device->old);

    struct fault_image refused = bench_build(&bench, &refusal->spec);

    if (refused.size > ferry_slots_max_image(&device->image.slots) && strategy->traits->keeps_old) {
        refused.size = 0; /* reaches into the trailer here; see the test below */
    }
    fault_device_load(&device->secondary, &refused);
    if (refused.size > 0) {
        device->secondary.memory[refusal->flip] ^= refusal->flip != 0 ? 1 : 0;
        bench_request(&bench, permanent);
        bench_expect(&bench, FERRY_OK, FERRY_BOOT_REFUSED, refusal->reason);
        assert_int_equal(bench.report.images[0].refused.major, refusal->header_known ? 2 : 0);
        assert_true(runs(&bench, &device->old));
        assert_int_equal(bench.report.images[0].next, FERRY_SWAP_NONE);
        assert_int_equal(bench.report.images[0].info.header.version.major, 1);
        assert_int_equal(device->primary.counter.counts.erases, 0);
        assert_int_equal(device->primary.counter.counts.programs, 0);
        expect_cleared(&bench);
        bench_expect_idle(&bench);
    }

    /* And the way is free for a good one. */
    device->new = bench_build(&bench, &good);
    fault_device_load(&device->secondary, &device->new);
    bench_request(&bench, true);
    bench_expect(&bench, FERRY_OK, FERRY_BOOT_UPGRADED, FERRY_OK);
    assert_true(runs(&bench, &device->new));
    bench_free(&bench);
}

static void test_refused_images(void **state)
{
    uint32_t count = 0;

    (void)state;
    for (size_t s = 0; s < STRATEGIES; s++) {
        for (size_t i = 0; i < sizeof(refusals) / sizeof(refusals[0]); i++) {
            refuse_one(&refusals[i], strategies[s], i % 2 == 0);
            count++;
        }
    }
    print_message("%u refusals\n", count);
    assert_int_equal(count, 26);
}

static void test_swap_move_refuses_what_it_cannot_move(void **state)
{
    struct bench bench;
    struct fault_device *device = &bench.device;

    (void)state;
    bench_init(&bench, &bench_geometry, &ferry_boot_swap_move);
    uint32_t max = ferry_slots_max_image(&device->image.slots);
    bench_upload(&bench);
    struct fault_image large = bench_image(&bench, 2, max + 1);
    fault_device_load(&device->secondary, &large);
    bench_request(&bench, false);
    bench_expect(&bench, FERRY_OK, FERRY_BOOT_REFUSED, FERRY_E_TOO_LARGE);
    assert_true(runs(&bench, &device->old));
    expect_cleared(&bench);

    /* Nor does it move a primary that is too large, if it works. */
    fault_device_load(&device->primary, &large);
    fault_device_load(&device->secondary, &device->new);
    bench_request(&bench, false);
    bench_expect(&bench, FERRY_OK, FERRY_BOOT_REFUSED, FERRY_E_TOO_LARGE);
    assert_true(runs(&bench, &large));
    expect_cleared(&bench);

    /* One that does not work is no obstacle. */
    fault_device_load(&device->primary, &large);
    device->primary.memory[600] ^= 1;
    fault_device_load(&device->secondary, &device->new);
    bench_request(&bench, true);
    bench_expect(&bench, FERRY_OK, FERRY_BOOT_UPGRADED, FERRY_OK);
    assert_true(runs(&bench, &device->new));
    bench_free(&bench);
}

static void test_garbage_in_the_secondary(void **state)
{
    (void)state;
    for (size_t s = 0; s < STRATEGIES; s++) {
        struct bench bench;
        struct fault_device *device = &bench.device;
        const struct fault_image nothing = {NULL, 0};

        bench_init(&bench, &bench_geometry, strategies[s]);
        bench_upload(&bench);
        /* A trailer alone. */
        fault_device_load(&device->secondary, &nothing);
        bench_request(&bench, true);
        bench_expect(&bench, FERRY_OK, FERRY_BOOT_REFUSED, FERRY_E_MAGIC);
        expect_cleared(&bench);
        assert_int_equal(device->secondary.counter.counts.erases, 1);
        bench_expect_idle(&bench);

        /* Garbage from end to end asks for nothing, and does not block a request either. */
        for (uint32_t i = 0; i < device->secondary.ram.flash.size; i++) {
            device->secondary.memory[i] = (uint8_t)(i * 7 + 3);
        }
        bench_expect(&bench, FERRY_OK, FERRY_BOOT_RAN, FERRY_OK);
        assert_int_equal(bench_secondary_trailer(&bench).magic, FERRY_UNSET);
        bench_expect_idle(&bench);

        /* A good magic behind garbage. */
        bench_request(&bench, false);
        bench_expect(&bench, FERRY_OK, FERRY_BOOT_REFUSED, FERRY_E_MAGIC);
        assert_true(runs(&bench, &device->old));
        expect_cleared(&bench);
        bench_free(&bench);
    }
}

/* ---- Refused on trial -------------------------------------------------------------------------
 */

static void on_trial(struct bench *bench)
{
    bench_init(bench, &bench_geometry, &ferry_boot_swap_move);
    bench_upload(bench);
    bench_request(bench, false);
    bench_expect(bench, FERRY_OK, FERRY_BOOT_TESTING, FERRY_OK);
}

static void test_no_revert_to_a_damaged_image(void **state)
{
    struct bench bench;

    (void)state;
    on_trial(&bench);
    bench.device.secondary.memory[70] ^= 1;
    bench_expect(&bench, FERRY_OK, FERRY_BOOT_REFUSED, FERRY_E_DIGEST);
    assert_int_equal(bench.report.images[0].refused.major, 1);
    assert_true(runs(&bench, &bench.device.new));
    assert_int_equal(bench_primary_trailer(&bench).image_ok, FERRY_SET);
    expect_cleared(&bench);
    bench_expect_idle(&bench);
    bench_free(&bench);
}

/* An old image that cannot be read now may be readable later: nothing is decided for good. */
static void test_no_revert_from_flash_that_fails(void **state)
{
    struct bench bench;

    (void)state;
    on_trial(&bench);
    bench.device.secondary.dead = true;
    bench_expect(&bench, FERRY_OK, FERRY_BOOT_REFUSED, FERRY_E_FLASH);
    assert_true(runs(&bench, &bench.device.new));
    assert_int_equal(bench.report.images[0].next, FERRY_SWAP_REVERT);
    assert_int_equal(bench.device.power.operations, 0);
    bench.device.secondary.dead = false;
    bench_expect(&bench, FERRY_OK, FERRY_BOOT_REVERTED, FERRY_OK);
    assert_true(runs(&bench, &bench.device.old));
    bench_free(&bench);
}

/* On trial with the next request: the old image is gone already, so the trial is over. */
static void test_a_refusal_on_trial_keeps_the_running_image(void **state)
{
    struct bench bench;

    (void)state;
    on_trial(&bench);
    fault_device_load(&bench.device.secondary, &bench.device.old);
    bench.device.secondary.memory[70] ^= 1;
    bench_request(&bench, false);
    bench_expect(&bench, FERRY_OK, FERRY_BOOT_REFUSED, FERRY_E_DIGEST);
    assert_true(runs(&bench, &bench.device.new));
    assert_int_equal(bench.report.images[0].next, FERRY_SWAP_NONE);
    assert_int_equal(bench_primary_trailer(&bench).image_ok, FERRY_SET);
    bench_expect_idle(&bench);
    bench_free(&bench);
}

/* A swap that was begun, but has moved nothing yet, is judged again before it goes on. Operations:
 * swap_info, swap_size, magic, then the erase of the request. */
static void test_a_begun_swap_is_judged_again(void **state)
{
    struct bench bench;
    uint32_t begun = 0;

    (void)state;
    bench_init(&bench, &bench_geometry, &ferry_boot_swap_move);
    bench_upload(&bench);
    bench_request(&bench, false);
    uint8_t *start = fault_device_save(&bench.device);
    for (uint64_t at = 1; at <= 4; at++) {
        fault_device_restore(&bench.device, start);
        fault_device_power_on(&bench.device, at, FAULT_AFTER);
        assert_int_equal(fault_device_boot(&bench.device, &bench.report), FERRY_E_POWER);
        fault_device_power_on(&bench.device, 0, FAULT_BEFORE);
        begun += bench_primary_trailer(&bench).magic == FERRY_SET ? 1 : 0;
        bench.device.secondary.memory[700] ^= 1;
        uint32_t needless =
            bench_expect_after_cut(&bench, FERRY_OK, FERRY_BOOT_REFUSED, FERRY_E_DIGEST);
        /* The erase of the request that was cut is done again. */
        assert_int_equal(needless, at == 4 ? 1 : 0);
        assert_true(runs(&bench, &bench.device.old));
        expect_cleared(&bench);
        assert_int_equal(bench_primary_trailer(&bench).copy_done, FERRY_UNSET);
        bench_expect_idle(&bench);
    }
    free(start);
    assert_int_equal(begun, 2);
    bench_free(&bench);
}

/* ---- Downgrades --------------------------------------------------------------------------------
 */

struct versions {
    struct ferry_version running;
    struct ferry_version asked;
    int reason; /* FERRY_OK: taken */
};

static const struct versions versions[] = {
    {{1, 2, 3, 4}, {1, 2, 4, 0}, FERRY_OK},
    {{1, 2, 3, 4}, {2, 0, 0, 0}, FERRY_OK},
    {{1, 2, 3, 4}, {1, 2, 3, 5}, FERRY_OK},
    {{1, 2, 3, 4}, {1, 2, 3, 4}, FERRY_E_DOWNGRADE},
    {{1, 2, 3, 4}, {1, 2, 3, 3}, FERRY_E_DOWNGRADE},
    {{1, 2, 3, 4}, {1, 2, 2, 9}, FERRY_E_DOWNGRADE},
    {{1, 2, 3, 4}, {1, 1, 9, 9}, FERRY_E_DOWNGRADE},
    {{1, 2, 3, 4}, {0, 9, 9, 9}, FERRY_E_DOWNGRADE},
};

static void ask_version(const struct ferry_boot_strategy *strategy, const struct versions *row,
                        bool no_downgrade)
{
    struct bench bench;
    struct fault_device *device = &bench.device;
    struct test_image_spec old = {
        .version = row->running, .key = TEST_KEY_NONE, .header_size = 32, .payload_size = 700};
    struct test_image_spec new = {
        .version = row->asked, .key = TEST_KEY_NONE, .header_size = 32, .payload_size = 710};
    bool taken = !no_downgrade || row->reason == FERRY_OK;

    bench_init(&bench, &bench_geometry, strategy);
    device->image.slots.policy = no_downgrade ? &test_policy_newer : NULL;
    device->old = bench_build(&bench, &old);
    device->new = bench_build(&bench, &new);
    fault_device_load(&device->primary, &device->old);
    fault_device_load(&device->secondary, &device->new);
    bench_request(&bench, true);
    bench_expect(&bench, FERRY_OK, taken ? FERRY_BOOT_UPGRADED : FERRY_BOOT_REFUSED,
                 taken ? FERRY_OK : row->reason);
    assert_true(runs(&bench, taken ? &device->new : &device->old));
    bench_free(&bench);
}

static void test_downgrades(void **state)
{
    (void)state;
    for (size_t s = 0; s < STRATEGIES; s++) {
        for (size_t i = 0; i < sizeof(versions) / sizeof(versions[0]); i++) {
            ask_version(strategies[s], &versions[i], true);
            ask_version(strategies[s], &versions[i], false);
        }
    }
}

/* The policy looks neither at a revert nor at the very image that runs. */
static void test_what_is_no_downgrade(void **state)
{
    struct bench bench;

    (void)state;
    bench_init(&bench, &bench_geometry, &ferry_boot_swap_move);
    bench.device.image.slots.policy = &test_policy_newer;
    bench_upload(&bench);
    bench_request(&bench, false);
    bench_expect(&bench, FERRY_OK, FERRY_BOOT_TESTING, FERRY_OK);
    bench_expect(&bench, FERRY_OK, FERRY_BOOT_REVERTED, FERRY_OK);
    assert_true(runs(&bench, &bench.device.old));
    fault_device_load(&bench.device.secondary, &bench.device.old);
    bench_request(&bench, true);
    bench_expect(&bench, FERRY_OK, FERRY_BOOT_UPGRADED, FERRY_OK);
    assert_true(runs(&bench, &bench.device.old));
    bench_free(&bench);
}

/* ---- Damaged trailers -------------------------------------------------------------------------
 */

static const uint8_t half = 0x3f; /* 0x01 on its way, and nearer to nothing */

/* Distances for max_align 8. */
enum { MAGIC = 16, IMAGE_OK = 24, COPY_DONE = 32, SWAP_INFO = 40, SWAP_SIZE = 48 };

/* Half a magic is neither there nor not there. */
static void poke_half_magic(struct fault_slot *slot)
{
    struct ferry_trailer trailer;
    uint8_t magic[FERRY_TRAILER_MAGIC_SIZE];

    ferry_trailer_magic(8, magic);
    bench_poke(slot, MAGIC, magic, 8);
    assert_int_equal(ferry_trailer_read(&slot->ram.flash, 8, &trailer), FERRY_OK);
    assert_int_equal(trailer.magic, FERRY_BAD);
}

static void test_a_half_written_request_is_cleared(void **state)
{
    struct bench bench;

    (void)state;
    bench_init(&bench, &bench_geometry, &ferry_boot_swap_move);
    bench_upload(&bench);
    poke_half_magic(&bench.device.secondary);
    bench_expect(&bench, FERRY_OK, FERRY_BOOT_RAN, FERRY_OK);
    assert_true(runs(&bench, &bench.device.old));
    assert_int_equal(bench_secondary_trailer(&bench).magic, FERRY_UNSET);
    /* The image that was uploaded is still there to be asked for. */
    bench_request(&bench, false);
    bench_expect(&bench, FERRY_OK, FERRY_BOOT_TESTING, FERRY_OK);
    assert_true(runs(&bench, &bench.device.new));
    bench_free(&bench);
}

/* Else the next request for a test would be one for good. */
static void test_a_flag_without_a_request_is_cleared(void **state)
{
    struct bench bench;
    const uint8_t set = 1;

    (void)state;
    bench_init(&bench, &bench_geometry, &ferry_boot_swap_move);
    bench_upload(&bench);
    bench_poke(&bench.device.secondary, IMAGE_OK, &set, 1);
    bench_expect(&bench, FERRY_OK, FERRY_BOOT_RAN, FERRY_OK);
    bench_request(&bench, false);
    bench_expect(&bench, FERRY_OK, FERRY_BOOT_TESTING, FERRY_OK);
    bench_free(&bench);
}

static void test_half_a_permanent_request_is_a_test(void **state)
{
    struct bench bench;

    (void)state;
    bench_init(&bench, &bench_geometry, &ferry_boot_swap_move);
    bench_upload(&bench);
    bench_request(&bench, false);
    bench_poke(&bench.device.secondary, IMAGE_OK, &half, 1);
    bench_expect(&bench, FERRY_OK, FERRY_BOOT_TESTING, FERRY_OK);
    assert_true(runs(&bench, &bench.device.new));
    bench_free(&bench);

    bench_init(&bench, &bench_geometry, &ferry_boot_swap_move);
    bench_upload(&bench);
    bench_request(&bench, true);
    bench.device.secondary.unreadable =
        (struct fault_range){bench.device.secondary.ram.flash.size - IMAGE_OK, 8};
    bench_expect(&bench, FERRY_OK, FERRY_BOOT_TESTING, FERRY_OK);
    assert_true(runs(&bench, &bench.device.new));
    bench_free(&bench);
}

/* Make a field of the primary's trailer unreadable, as an ECC does after a write that was cut. */
static void lose(struct bench *bench, uint32_t distance)
{
    struct fault_slot *primary = &bench->device.primary;

    primary->unreadable = (struct fault_range){primary->ram.flash.size - distance, 8};
}

/* Only a confirm writes there: no revert, and the next boot can be confirmed again. */
static void test_half_a_confirm_is_a_confirm(void **state)
{
    struct bench bench;

    (void)state;
    on_trial(&bench);
    lose(&bench, IMAGE_OK);
    bench_expect(&bench, FERRY_OK, FERRY_BOOT_RAN, FERRY_OK);
    assert_true(runs(&bench, &bench.device.new));
    assert_int_equal(bench.report.images[0].next, FERRY_SWAP_NONE);
    assert_int_equal(ferry_slots_confirm(&bench.device.image.slots), FERRY_OK);
    bench_expect_idle(&bench);
    assert_true(runs(&bench, &bench.device.new));
    bench_free(&bench);
}

/* Of a flag that is read the nearest state counts: four bits of seven are a confirm, three not. */
static void test_a_confirm_is_four_bits(void **state)
{
    uint32_t confirmed = 0;

    (void)state;
    for (uint32_t value = 0; value < 256; value++) {
        struct bench bench;
        const uint8_t byte = (uint8_t)value;
        uint32_t written = 0;

        for (uint32_t bit = 1; bit < 8; bit++) {
            written += (value >> bit & 1) == 0 ? 1 : 0;
        }
        on_trial(&bench);
        bench_poke(&bench.device.primary, IMAGE_OK, &byte, 1);
        if (written >= 4) {
            bench_expect(&bench, FERRY_OK, FERRY_BOOT_RAN, FERRY_OK);
            assert_true(runs(&bench, &bench.device.new));
            confirmed++;
        } else {
            bench_expect(&bench, FERRY_OK, FERRY_BOOT_REVERTED, FERRY_OK);
            assert_true(runs(&bench, &bench.device.old));
        }
        bench_expect_idle(&bench);
        bench_free(&bench);
    }
    assert_int_equal(confirmed, 128);
}

/* It is written last: the copy is done, and nobody has confirmed. */
static void test_half_a_copy_done_reverts(void **state)
{
    struct bench bench;

    (void)state;
    on_trial(&bench);
    lose(&bench, COPY_DONE);
    bench_expect(&bench, FERRY_OK, FERRY_BOOT_REVERTED, FERRY_OK);
    assert_true(runs(&bench, &bench.device.old));
    bench_expect_idle(&bench);
    bench_free(&bench);
}

/* One of which too little was written is not there yet: the end of the swap is done again, in the
 * journal where the unit takes nothing more, and the image is on trial as before. */
static void test_too_little_of_copy_done_is_ended_again(void **state)
{
    struct bench bench;

    (void)state;
    for (uint32_t bit = 1; bit < 8; bit++) {
        const uint8_t byte = (uint8_t)(0xff ^ 1U << bit);

        on_trial(&bench);
        bench_poke(&bench.device.primary, COPY_DONE, &byte, 1);
        uint32_t needless = bench_expect_after_cut(&bench, FERRY_OK, FERRY_BOOT_TESTING, FERRY_OK);
        assert_int_equal(needless, 0);
        assert_true(bench.report.images[0].resumed);
        assert_true(runs(&bench, &bench.device.new) && keeps(&bench, &bench.device.old));
        assert_int_equal(bench.report.images[0].next, FERRY_SWAP_REVERT);
        bench_expect(&bench, FERRY_OK, FERRY_BOOT_REVERTED, FERRY_OK);
        assert_true(runs(&bench, &bench.device.old));
        bench_expect_idle(&bench);
        bench_free(&bench);
    }
}

static void test_a_damaged_primary_magic_does_not_block_the_confirm(void **state)
{
    (void)state;
    for (size_t s = 0; s < STRATEGIES; s++) {
        struct bench bench;

        bench_init(&bench, &bench_geometry, strategies[s]);
        bench_upload(&bench);
        poke_half_magic(&bench.device.primary);
        bench_expect(&bench, FERRY_OK, FERRY_BOOT_RAN, FERRY_OK);
        assert_int_equal(ferry_slots_confirm(&bench.device.image.slots), FERRY_OK);
        bench_expect_idle(&bench);
        assert_true(runs(&bench, &bench.device.old));
        bench_free(&bench);
    }
}

/* ... but an image that reaches into the trailer's sector is worth more than the trailer. */
static void test_no_repair_over_the_running_image(void **state)
{
    struct bench bench;

    (void)state;
    bench_init(&bench, &bench_geometry, &ferry_boot_overwrite);
    bench.device.old =
        bench_image(&bench, 1, ferry_slots_max_image(&bench.device.image.slots) - 16);
    fault_device_load(&bench.device.primary, &bench.device.old);
    poke_half_magic(&bench.device.primary);
    bench_expect_idle(&bench);
    assert_true(runs(&bench, &bench.device.old));
    bench_free(&bench);
}

/* As imgtool --pad leaves it in the primary: a magic, and nothing was ever swapped. */
static void test_a_padded_primary_is_no_swap(void **state)
{
    struct bench bench;
    uint8_t magic[FERRY_TRAILER_MAGIC_SIZE];

    (void)state;
    for (size_t s = 0; s < STRATEGIES; s++) {
        bench_init(&bench, &bench_geometry, strategies[s]);
        bench_upload(&bench);
        ferry_trailer_magic(8, magic);
        bench_poke(&bench.device.primary, MAGIC, magic, sizeof(magic));
        bench_expect_idle(&bench);
        /* Not even with a bit flipped where the size of a swap stands. */
        for (uint32_t bit = 0; bit < 32; bit++) {
            uint8_t size[4] = {0xff, 0xff, 0xff, 0xff};

            size[bit / 8] ^= (uint8_t)(1U << bit % 8);
            bench_poke(&bench.device.primary, SWAP_SIZE, size, sizeof(size));
            bench_expect_idle(&bench);
        }
        bench_poke(&bench.device.primary, SWAP_SIZE, "\xff\xff\xff\xff", 4);
        bench_request(&bench, true);
        bench_expect(&bench, FERRY_OK, FERRY_BOOT_UPGRADED, FERRY_OK);
        assert_true(runs(&bench, &bench.device.new));
        bench_free(&bench);
    }
}

/* A swap that was begun has a size, and is begun again also where a flipped bit has spoilt the
 * type. */
static void test_a_begun_swap_stands_any_flipped_bit_of_its_type(void **state)
{
    (void)state;
    for (uint32_t bit = 0; bit < 8; bit++) {
        struct bench bench;

        bench_init(&bench, &bench_geometry, &ferry_boot_swap_move);
        bench_upload(&bench);
        bench_request(&bench, false);
        /* swap_info, swap_size, magic, and the erase of the request. */
        fault_device_power_on(&bench.device, 4, FAULT_AFTER);
        assert_int_equal(fault_device_boot(&bench.device, &bench.report), FERRY_E_POWER);
        assert_int_equal(bench_secondary_trailer(&bench).magic, FERRY_UNSET);
        bench.device.primary.memory[bench.device.primary.ram.flash.size - SWAP_INFO] ^=
            (uint8_t)(1U << bit);
        (void)bench_expect_after_cut(&bench, FERRY_OK, FERRY_BOOT_TESTING, FERRY_OK);
        assert_true(bench.report.images[0].resumed);
        assert_true(runs(&bench, &bench.device.new) && keeps(&bench, &bench.device.old));
        bench_expect(&bench, FERRY_OK, FERRY_BOOT_REVERTED, FERRY_OK);
        bench_free(&bench);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_refused_images),
        cmocka_unit_test(test_swap_move_refuses_what_it_cannot_move),
        cmocka_unit_test(test_garbage_in_the_secondary),
        cmocka_unit_test(test_no_revert_to_a_damaged_image),
        cmocka_unit_test(test_no_revert_from_flash_that_fails),
        cmocka_unit_test(test_a_refusal_on_trial_keeps_the_running_image),
        cmocka_unit_test(test_a_begun_swap_is_judged_again),
        cmocka_unit_test(test_downgrades),
        cmocka_unit_test(test_what_is_no_downgrade),
        cmocka_unit_test(test_a_half_written_request_is_cleared),
        cmocka_unit_test(test_a_flag_without_a_request_is_cleared),
        cmocka_unit_test(test_half_a_permanent_request_is_a_test),
        cmocka_unit_test(test_half_a_confirm_is_a_confirm),
        cmocka_unit_test(test_a_confirm_is_four_bits),
        cmocka_unit_test(test_half_a_copy_done_reverts),
        cmocka_unit_test(test_too_little_of_copy_done_is_ended_again),
        cmocka_unit_test(test_a_damaged_primary_magic_does_not_block_the_confirm),
        cmocka_unit_test(test_no_repair_over_the_running_image),
        cmocka_unit_test(test_a_padded_primary_is_no_swap),
        cmocka_unit_test(test_a_begun_swap_stands_any_flipped_bit_of_its_type),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
