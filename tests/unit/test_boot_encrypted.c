/* SPDX-License-Identifier: Apache-2.0 */
/* Encrypted images in the bootloader: how they come and go, what the trailers keep, and what is
 * refused. Faults at every moment are the fault runner's. */
#include "boot_bench.h"
#include "core/boot/swap.h"
#include "ferry/crc.h"

#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static const struct ferry_boot_strategy *const moving[] = {
    &ferry_boot_swap_move, &ferry_boot_swap_offset, &ferry_boot_swap_shift};
#define MOVING (sizeof(moving) / sizeof(moving[0]))

static const struct fault_geometry geometry = {.sector_size = 1024,
                                               .primary_sectors = 8,
                                               .secondary_sectors = 8,
                                               .max_sectors = 12,
                                               .max_align = 8,
                                               .write_size = 8,
                                               .erased_value = 0xff};

/* An image as it runs and as it is uploaded. */
struct pair {
    struct fault_image plain;
    struct fault_image stored;
    uint8_t key[32];
};

static struct pair make(struct bench *bench, uint8_t major, enum test_wrap wrap, uint8_t key_len)
{
    struct test_image_spec spec = {.version = {.major = major},
                                   .key = TEST_KEY_NONE,
                                   .header_size = 32,
                                   .payload_size = 1000U + 500U * major,
                                   .wrap = wrap,
                                   .key_len = key_len};
    struct pair pair = {.stored = bench_build(bench, &spec)};
    uint8_t *plain = malloc(pair.stored.size);

    assert_non_null(plain);
    bench->images[bench->image_count++] = plain;
    memcpy(plain, pair.stored.bytes, pair.stored.size);
    pair.plain = (struct fault_image){plain, pair.stored.size};
    test_content_key(&spec, pair.key);
    if (wrap != TEST_WRAP_NONE) {
        test_encrypt_payload(pair.key, key_len, plain + 32, (spec.payload_size + 15) / 16 * 16);
        assert_memory_not_equal(plain, pair.stored.bytes, pair.stored.size);
    }
    return pair;
}

static struct ferry_boot_views views;

static void start(struct bench *bench, const struct ferry_boot_strategy *strategy, uint16_t enc_tlv)
{
    bench_init(bench, &geometry, strategy);
    bench->device.image.slots.enc_tlv = enc_tlv;
    bench->device.config.encryption = &ferry_boot_encrypted;
    bench->device.config.secrets = test_secrets(false);
    bench->device.config.views = &views;
}

/* Put images into place: one that runs, one that was uploaded. */
static void load(struct bench *bench, const struct pair *old, const struct pair *new)
{
    struct fault_device *device = &bench->device;
    uint32_t at = ferry_slots_upload_offset(&device->image.slots);

    fault_device_load(&device->primary, &old->plain);
    fault_device_load(&device->secondary, &new->stored);
    memmove(device->secondary.memory + at, device->secondary.memory, new->stored.size);
    if (at > 0) {
        memset(device->secondary.memory, device->geometry.erased_value, at);
    }
}

static bool holds(const struct fault_slot *slot, uint32_t at, const struct fault_image *image)
{
    return memcmp(slot->memory + at, image->bytes, image->size) == 0;
}

static void expect_running(const struct bench *bench, const struct pair *pair)
{
    assert_true(holds(&bench->device.primary, 0, &pair->plain));
}

static void expect_kept(const struct bench *bench, uint32_t at, const struct pair *pair)
{
    assert_true(holds(&bench->device.secondary, at, &pair->stored));
}

/* ---- There and back ---------------------------------------------------------------------- */

static void walk(const struct ferry_boot_strategy *strategy, enum test_wrap old_wrap,
                 enum test_wrap new_wrap, uint8_t key_len)
{
    struct bench bench;
    const struct ferry_slots *slots = &bench.device.image.slots;

    start(&bench, strategy, 256);

    struct pair old = make(&bench, 1, old_wrap, key_len);
    struct pair new = make(&bench, 2, new_wrap, key_len);

    load(&bench, &old, &new);
    bench_request(&bench, false);
    bench_expect(&bench, FERRY_OK, FERRY_BOOT_TESTING, FERRY_OK);
    expect_running(&bench, &new);
    expect_kept(&bench, ferry_slots_old_offset(slots), &old);
    bench_expect(&bench, FERRY_OK, FERRY_BOOT_REVERTED, FERRY_OK);
    expect_running(&bench, &old);
    expect_kept(&bench, ferry_slots_upload_offset(slots), &new);
    bench_request(&bench, true);
    bench_expect(&bench, FERRY_OK, FERRY_BOOT_UPGRADED, FERRY_OK);
    expect_running(&bench, &new);
    expect_kept(&bench, ferry_slots_old_offset(slots), &old);
    bench_expect_idle(&bench);
    bench_free(&bench);
}

static void test_there_and_back(void **state)
{
    (void)state;
    for (size_t i = 0; i < MOVING; i++) {
        walk(moving[i], TEST_WRAP_NONE, TEST_WRAP_KW, 16);
        walk(moving[i], TEST_WRAP_KW, TEST_WRAP_NONE, 16);
        for (int wrap = TEST_WRAP_NONE + 1; wrap < TEST_WRAP_COUNT; wrap++) {
            walk(moving[i], (enum test_wrap)wrap, (enum test_wrap)wrap, 16);
            walk(moving[i], TEST_WRAP_KW, (enum test_wrap)wrap, 32);
        }
    }
}

static void test_overwrite(void **state)
{
    struct bench bench;

    (void)state;
    /* It keeps no ENC TLV: none has to fit. */
    start(&bench, &ferry_boot_overwrite, 0);

    struct pair old = make(&bench, 1, TEST_WRAP_EC256, 16);
    struct pair new = make(&bench, 2, TEST_WRAP_RSA2048, 32);

    load(&bench, &old, &new);
    bench_request(&bench, false);
    bench_expect(&bench, FERRY_OK, FERRY_BOOT_UPGRADED, FERRY_OK);
    expect_running(&bench, &new);
    bench_expect_idle(&bench);
    bench_free(&bench);
}

/* RAM holds what runs; the slots hold it as it was uploaded. */
static void test_ram_load(void **state)
{
    static uint8_t memory[8192];
    const struct ferry_boot_ram ram = {memory, 0x20000000, sizeof(memory)};
    struct bench bench;

    (void)state;
    start(&bench, &ferry_boot_ram_load, 0);
    bench.device.image.ram = &ram;

    struct test_image_spec spec = {.version = {.major = 3},
                                   .key = TEST_KEY_NONE,
                                   .header_size = 64,
                                   .payload_size = 1600,
                                   .flags = FERRY_IMAGE_RAM_LOAD,
                                   .load_address = 0x20000040,
                                   .wrap = TEST_WRAP_X25519};
    struct fault_image stored = bench_build(&bench, &spec);

    fault_device_load(&bench.device.primary, &stored);
    spec.version.major = 2;
    struct fault_image other = bench_build(&bench, &spec);
    fault_device_load(&bench.device.secondary, &other);
    bench_expect_idle(&bench);
    assert_int_equal(bench.report.images[0].info.header.version.major, 3);

    uint8_t key[32];
    uint8_t plain[1600];

    spec.version.major = 3;
    test_content_key(&spec, key);
    memcpy(plain, stored.bytes + 64, sizeof(plain));
    test_encrypt_payload(key, 16, plain, sizeof(plain));
    assert_memory_equal(memory + 0x40, stored.bytes, 64);
    assert_memory_equal(memory + 0x40 + 64, plain, sizeof(plain));
    assert_memory_equal(memory + 0x40 + 64 + 1600, stored.bytes + 64 + 1600, stored.size - 1664);
    /* For a stranger there is nothing to run. */
    bench.device.config.secrets = test_secrets(true);
    assert_int_equal(fault_device_boot(&bench.device, &bench.report), FERRY_E_NO_IMAGE);
    assert_int_equal(bench.report.images[0].reason, FERRY_E_SECRET);
    bench_free(&bench);
}

/* ---- What is refused, by its name --------------------------------------------------------- */

/* An image of major 2, wrapped in a way, is refused because of why; the old one runs on, and
 * nothing is asked for any more. */
static void expect_refused(struct bench *bench, enum test_wrap old_wrap, enum test_wrap wrap,
                           int why)
{
    struct pair old = make(bench, 1, old_wrap, 16);
    struct pair new = make(bench, 2, wrap, 16);

    load(bench, &old, &new);
    bench_request(bench, false);
    bench_expect(bench, FERRY_OK, FERRY_BOOT_REFUSED, why);
    assert_int_equal(bench->report.images[0].refused.major, 2);
    expect_running(bench, &old);
    bench_expect_idle(bench);
}

static void test_no_secret_fits(void **state)
{
    (void)state;
    for (size_t i = 0; i < MOVING; i++) {
        struct bench bench;

        start(&bench, moving[i], 256);
        bench.device.config.secrets = test_secrets(true);
        expect_refused(&bench, TEST_WRAP_NONE, TEST_WRAP_EC256, FERRY_E_SECRET);
        bench_free(&bench);
    }
}

static void test_without_encryption(void **state)
{
    static const struct ferry_boot_strategy *const all[] = {
        &ferry_boot_swap_move, &ferry_boot_swap_shift, &ferry_boot_overwrite};

    (void)state;
    for (size_t i = 0; i < sizeof(all) / sizeof(all[0]); i++) {
        struct bench bench;

        start(&bench, all[i], 0);
        bench.device.config.secrets = NULL;
        bench.device.config.encryption = NULL;
        expect_refused(&bench, TEST_WRAP_NONE, TEST_WRAP_KW, FERRY_E_UNSUPPORTED);
        bench_free(&bench);
    }
}

static void test_too_long_for_the_trailer(void **state)
{
    struct bench bench;

    (void)state;
    start(&bench, &ferry_boot_swap_move, 112);
    expect_refused(&bench, TEST_WRAP_NONE, TEST_WRAP_EC256, FERRY_E_UNSUPPORTED);
    bench_free(&bench);
    start(&bench, &ferry_boot_swap_move, 113);

    struct pair old = make(&bench, 1, TEST_WRAP_NONE, 16);
    struct pair new = make(&bench, 2, TEST_WRAP_EC256, 16);

    load(&bench, &old, &new);
    bench_request(&bench, false);
    bench_expect(&bench, FERRY_OK, FERRY_BOOT_TESTING, FERRY_OK);
    bench_free(&bench);
}

/* Where an image runs from its slot there is nowhere to decrypt to. */
static void test_in_place(void **state)
{
    static const struct ferry_boot_strategy *const all[] = {&ferry_boot_direct_xip,
                                                            &ferry_boot_direct_xip_revert};

    (void)state;
    for (size_t i = 0; i < sizeof(all) / sizeof(all[0]); i++) {
        struct bench bench;

        start(&bench, all[i], 0);

        struct pair old = make(&bench, 1, TEST_WRAP_NONE, 16);
        struct pair new = make(&bench, 2, TEST_WRAP_KW, 16);

        load(&bench, &old, &new);
        if (all[i]->traits->reverts) {
            bench_request(&bench, false);
        }
        assert_int_equal(fault_device_boot(&bench.device, &bench.report), FERRY_OK);
        assert_int_equal(bench.report.images[0].action, FERRY_BOOT_REFUSED);
        assert_int_equal(bench.report.images[0].reason, FERRY_E_UNSUPPORTED);
        assert_int_equal(bench.report.images[0].info.header.version.major, 1);
        bench_free(&bench);
    }
}

static void test_single_slot(void **state)
{
    struct bench bench;

    (void)state;
    start(&bench, &ferry_boot_single_slot, 0);
    bench.device.image.slots.secondary = NULL;

    struct pair old = make(&bench, 1, TEST_WRAP_KW, 16);

    fault_device_load(&bench.device.primary, &old.plain);
    assert_int_equal(fault_device_boot(&bench.device, &bench.report), FERRY_E_NO_IMAGE);
    assert_int_equal(bench.report.images[0].reason, FERRY_E_UNSUPPORTED);
    bench_free(&bench);
}

static void test_configuration(void **state)
{
    struct bench bench;
    const struct ferry_image_secrets nothing = {NULL, 1, NULL, 0};

    (void)state;
    start(&bench, &ferry_boot_swap_move, 24);
    bench.device.config.secrets = NULL;
    assert_int_equal(fault_device_boot(&bench.device, &bench.report), FERRY_E_CONFIG);
    bench.device.config.secrets = &nothing;
    assert_int_equal(fault_device_boot(&bench.device, &bench.report), FERRY_E_CONFIG);
    bench.device.config.secrets = test_secrets(false);
    bench.device.config.views = NULL;
    assert_int_equal(fault_device_boot(&bench.device, &bench.report), FERRY_E_CONFIG);
    bench.device.config.views = &views;
    bench.device.config.encryption = NULL;
    assert_int_equal(fault_device_boot(&bench.device, &bench.report), FERRY_E_CONFIG);
    bench_free(&bench);
}

/* An old image that cannot be encrypted again, because nothing vouches for its ENC TLV, is no way
 * back: a test is refused. But it is not in the way of what is asked for for good. */
static void test_no_way_out(void **state)
{
    struct bench bench;

    (void)state;
    start(&bench, &ferry_boot_swap_move, 256);

    struct pair old = make(&bench, 1, TEST_WRAP_KW, 16);
    struct pair new = make(&bench, 2, TEST_WRAP_KW, 16);

    load(&bench, &old, &new);
    bench.device.primary.memory[old.plain.size - 1] ^= 0x01;
    bench_request(&bench, false);
    bench_expect(&bench, FERRY_OK, FERRY_BOOT_REFUSED, FERRY_E_SECRET);
    assert_int_equal(bench.report.images[0].info.header.version.major, 1);

    uint8_t *memory = bench.device.primary.memory;

    fault_device_load(&bench.device.secondary, &new.stored);
    bench_request(&bench, true);
    bench_expect(&bench, FERRY_OK, FERRY_BOOT_UPGRADED, FERRY_OK);
    assert_memory_equal(memory, new.plain.bytes, new.plain.size);
    bench_expect_idle(&bench);
    bench_free(&bench);
}

/* ---- What the trailers keep ---------------------------------------------------------------- */

#define TLV    113U
#define PLACE  120U /* in whole units of max_align */
#define FIELDS 48U  /* swap_size is there */
#define RECORD 24U  /* 20 bytes in whole units */

/* Boot until the power fails at an operation. */
static void boot_until(struct bench *bench, uint64_t operation)
{
    fault_device_power_on(&bench->device, operation, FAULT_BEFORE);
    assert_int_equal(fault_device_boot(&bench->device, &bench->report), FERRY_E_POWER);
}

/* Operations of a whole swap. */
static uint64_t begin_swap(struct bench *bench, struct pair *old, struct pair *new)
{
    start(bench, &ferry_boot_swap_move, TLV);
    *old = make(bench, 1, TEST_WRAP_EC256, 16);
    *new = make(bench, 2, TEST_WRAP_EC256, 16);
    load(bench, old, new);
    bench_request(bench, false);

    uint8_t *before = fault_device_save(&bench->device);

    fault_device_power_on(&bench->device, 0, FAULT_BEFORE);
    assert_int_equal(fault_device_boot(&bench->device, &bench->report), FERRY_OK);

    uint64_t operations = bench->device.power.operations;

    fault_device_restore(&bench->device, before);
    free(before);
    return operations;
}

static uint8_t *kept(struct fault_slot *slot, uint32_t image)
{
    return slot->memory + slot->ram.flash.size - FIELDS - (image + 1) * PLACE;
}

/* Each ENC TLV stands where MCUboot has it with MCUBOOT_SWAP_SAVE_ENCTLV, and in both slots. */
static void test_what_is_kept(void **state)
{
    struct bench bench;
    struct pair old;
    struct pair new;

    (void)state;
    boot_until(&bench, begin_swap(&bench, &old, &new) / 2);
    for (int slot = 0; slot < 2; slot++) {
        struct fault_slot *area = slot == 0 ? &bench.device.primary : &bench.device.secondary;

        assert_memory_equal(kept(area, 0), old.plain.bytes + old.plain.size - TLV, TLV);
        assert_memory_equal(kept(area, 1), new.plain.bytes + new.plain.size - TLV, TLV);
        assert_memory_equal(kept(area, 0) + TLV, "\xff\xff\xff\xff\xff\xff\xff", PLACE - TLV);
    }
    bench_expect_after_cut(&bench, FERRY_OK, FERRY_BOOT_TESTING, FERRY_OK);
    expect_running(&bench, &new);
    expect_kept(&bench, 0, &old);
    bench_free(&bench);
}

/* A copy with a flipped bit is put right; one that is gone is in the other trailer. */
static void test_damaged_copies(void **state)
{
    struct bench bench;
    struct pair old;
    struct pair new;

    (void)state;
    boot_until(&bench, begin_swap(&bench, &old, &new) / 2);

    uint8_t *half_way = fault_device_save(&bench.device);

    for (uint32_t bit = 0; bit < 8 * TLV; bit += 37) {
        memset(kept(&bench.device.secondary, 1), 0, 2 * PLACE);
        kept(&bench.device.primary, 0)[bit / 8] ^= (uint8_t)(1U << bit % 8);
        kept(&bench.device.primary, 1)[bit / 8] ^= (uint8_t)(1U << bit % 8);
        bench_expect_after_cut(&bench, FERRY_OK, FERRY_BOOT_TESTING, FERRY_OK);
        expect_running(&bench, &new);
        expect_kept(&bench, 0, &old);
        fault_device_restore(&bench.device, half_way);
    }
    memset(kept(&bench.device.primary, 1), 0, 2 * PLACE);
    bench_expect_after_cut(&bench, FERRY_OK, FERRY_BOOT_TESTING, FERRY_OK);
    expect_running(&bench, &new);
    free(half_way);
    bench_free(&bench);
}

/* What the secondary says of the old image counts only where the primary says nothing: nobody has
 * it put away in the clear. */
static void test_the_primary_rules(void **state)
{
    struct bench bench;
    struct pair old;
    struct pair new;

    (void)state;
    boot_until(&bench, begin_swap(&bench, &old, &new) / 2);

    uint8_t *record = kept(&bench.device.secondary, 1) - RECORD;

    assert_int_equal(record[0], 0x4b);
    assert_int_equal(record[1], 0);
    assert_int_equal(ferry_load_le16(record + 4), TLV);
    ferry_store_le16(record + 4, 0);
    ferry_store_le32(record + 8, 0);
    ferry_store_le16(record + 18, ferry_crc16(0, record, 18));
    bench_expect_after_cut(&bench, FERRY_OK, FERRY_BOOT_TESTING, FERRY_OK);
    expect_running(&bench, &new);
    expect_kept(&bench, 0, &old);
    bench_free(&bench);
}

/* Without any of them the swap waits, and loses nothing: with the secret it goes on. */
static void test_a_swap_that_cannot_be_resumed(void **state)
{
    struct bench bench;
    struct pair old;
    struct pair new;

    (void)state;
    boot_until(&bench, begin_swap(&bench, &old, &new) * 4 / 5);
    bench.device.config.secrets = test_secrets(true);
    for (int i = 0; i < 2; i++) {
        bench_expect_after_cut(&bench, FERRY_E_NO_IMAGE, FERRY_BOOT_STOPPED, FERRY_E_SECRET);
        assert_int_equal(bench.device.power.operations, 0);
    }
    bench.device.config.secrets = NULL;
    bench.device.config.encryption = NULL;
    assert_int_equal(fault_device_boot(&bench.device, &bench.report), FERRY_E_CONFIG);
    bench.device.config.secrets = test_secrets(false);
    bench.device.config.encryption = &ferry_boot_encrypted;
    bench_expect_after_cut(&bench, FERRY_OK, FERRY_BOOT_TESTING, FERRY_OK);
    expect_running(&bench, &new);
    expect_kept(&bench, 0, &old);
    bench_free(&bench);
}

/* ---- What stays in RAM --------------------------------------------------------------------- */

#define STACK (256 * 1024)

static void *boot_in_thread(void *context)
{
    struct bench *bench = context;

    return fault_device_boot(&bench->device, &bench->report) == FERRY_OK ? context : NULL;
}

static bool is_in(const uint8_t *memory, size_t size, const uint8_t *bytes, size_t len)
{
    for (size_t i = 0; i + len <= size; i++) {
        if (memcmp(memory + i, bytes, len) == 0) {
            return true;
        }
    }
    return false;
}

/* After a boot that swapped, its stack and its workspace hold no content key. */
static void test_keys_are_wiped(void **state)
{
    struct bench bench;
    uint8_t *stack = aligned_alloc(4096, STACK);
    pthread_attr_t attributes;
    pthread_t thread;
    void *done = NULL;

    (void)state;
    assert_non_null(stack);
    memset(stack, 0, STACK);
    start(&bench, &ferry_boot_swap_move, 24);

    struct pair old = make(&bench, 1, TEST_WRAP_KW, 16);
    struct pair new = make(&bench, 2, TEST_WRAP_KW, 16);

    load(&bench, &old, &new);
    bench_request(&bench, false);
    fault_device_power_on(&bench.device, 0, FAULT_BEFORE);
    assert_int_equal(pthread_attr_init(&attributes), 0);
    assert_int_equal(pthread_attr_setstack(&attributes, stack, STACK), 0);
    assert_int_equal(pthread_create(&thread, &attributes, boot_in_thread, &bench), 0);
    assert_int_equal(pthread_join(thread, &done), 0);
    assert_ptr_equal(done, &bench);
    expect_running(&bench, &new);
    assert_false(is_in(stack, STACK, old.key, 16));
    assert_false(is_in(stack, STACK, new.key, 16));
    assert_false(is_in(bench.device.buf, sizeof(bench.device.buf), new.key, 16));
    assert_true(ferry_all_equal((const uint8_t *)&views, sizeof(views), 0));
    assert_int_equal(pthread_attr_destroy(&attributes), 0);
    free(stack);
    bench_free(&bench);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_there_and_back),
        cmocka_unit_test(test_overwrite),
        cmocka_unit_test(test_ram_load),
        cmocka_unit_test(test_no_secret_fits),
        cmocka_unit_test(test_without_encryption),
        cmocka_unit_test(test_too_long_for_the_trailer),
        cmocka_unit_test(test_in_place),
        cmocka_unit_test(test_single_slot),
        cmocka_unit_test(test_configuration),
        cmocka_unit_test(test_no_way_out),
        cmocka_unit_test(test_what_is_kept),
        cmocka_unit_test(test_damaged_copies),
        cmocka_unit_test(test_the_primary_rules),
        cmocka_unit_test(test_a_swap_that_cannot_be_resumed),
        cmocka_unit_test(test_keys_are_wiped),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
