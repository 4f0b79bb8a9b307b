/* SPDX-License-Identifier: Apache-2.0 */
/* The steps of swap-offset and swap-shift, one by one: what each touches, that it may be done
 * again, and that nothing is lost between two of them. */
#include "place_rig.h"

#include "core/boot/plan_offset.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#define SECTOR  256
#define SECTORS 8
#define SIZE    (SECTOR * SECTORS)

static struct place_rig rig;
static struct ferry_boot_swap swap;
static struct ferry_boot_image_report report;

/* The bytes of an image of so many: never an erased one. */
static uint8_t byte_of(uint8_t image, uint32_t at)
{
    return (uint8_t)((image * 37 + at * 3 + at / SECTOR * 11) & 0x7f);
}

static void fill(uint32_t slot, uint32_t offset, uint8_t image, uint32_t size)
{
    for (uint32_t i = 0; i < size; i++) {
        rig.slot[slot].memory[offset + i] = byte_of(image, i);
    }
}

static bool holds(uint32_t slot, uint32_t offset, uint8_t image, uint32_t from, uint32_t to)
{
    for (uint32_t i = from; i < to; i++) {
        if (rig.slot[slot].memory[offset + i] != byte_of(image, i)) {
            return false;
        }
    }
    return true;
}

/* Image 1 of `primary` bytes, image 2 of `secondary` bytes at an offset of the other slot. */
static void begin(const struct ferry_boot_strategy *strategy, uint32_t primary, uint32_t secondary,
                  uint32_t offset)
{
    const struct ferry_flash_run run = {SECTORS, SECTOR};

    place_init(&rig, strategy->traits, false);
    place_geometry(&rig.slot[0], &run, 1, 8, 0xff);
    place_geometry(&rig.slot[1], &run, 1, 8, 0xff);
    fill(0, 0, 1, primary);
    fill(1, offset, 2, secondary);
    rig.image.strategy = strategy;
    swap = (struct ferry_boot_swap){.config = &rig.config,
                                    .image = &rig.image,
                                    .strategy = strategy,
                                    .slots = &rig.image.slots,
                                    .primary = rig.image.slots.primary,
                                    .secondary = rig.image.slots.secondary,
                                    .incoming = rig.image.slots.secondary,
                                    .outgoing = rig.image.slots.secondary,
                                    .unpacked = rig.image.slots.primary,
                                    .report = &report,
                                    .type = FERRY_SWAP_TEST,
                                    .looks = 1,
                                    .primary_size = primary,
                                    .secondary_size = secondary,
                                    .size = primary > secondary ? primary : secondary};
    assert_int_equal(ferry_slots_trailer(swap.slots, &swap.layout), FERRY_OK);
}

typedef uint32_t count_fn(const struct ferry_boot_swap *swap);
typedef int step_fn(const struct ferry_boot_swap *swap, uint32_t n);

/* Every step once, then each once more as a boot does that resumes: nothing changes by it. */
static void run(count_fn *count, step_fn *step)
{
    static uint8_t before[2][SIZE];

    for (uint32_t n = 0; n < count(&swap); n++) {
        swap.unsure = false;
        assert_int_equal(step(&swap, n), FERRY_OK);
        for (uint32_t i = 0; i < 2; i++) {
            memcpy(before[i], rig.slot[i].memory, SIZE);
        }
        uint32_t log = (uint32_t)strlen(rig.log);
        swap.unsure = true;
        assert_int_equal(step(&swap, n), FERRY_OK);
        rig.log[log] = '\0';
        for (uint32_t i = 0; i < 2; i++) {
            assert_memory_equal(before[i], rig.slot[i].memory, SIZE);
        }
    }
    assert_int_equal(rig.violations - rig.needless, 0);
}

/* ---- The order ---------------------------------------------------------------------------- */

struct order {
    const char *name;
    bool up;
    uint32_t primary, secondary; /* bytes */
    const char *log;
};

static const struct order orders[] = {
    {"one block up", true, 200, 256, " S1 eP0 P0 eS0"},
    {"one block down", false, 200, 256, " S0 eP0 P0"},
    {"as long, up", true, 512, 512, " S2 eP1 P1 eS1 S1 eP0 P0 eS0"},
    {"as long, down", false, 512, 512, " S0 eP0 P0 eS1 S1 eP1 P1"},
    /* The last sector has nothing to put away, or nothing to fetch. */
    {"longer, up", true, 300, 600, " P2 eS2 S2 eP1 P1 eS1 S1 eP0 P0 eS0"},
    {"longer, down", false, 300, 600, " S0 eP0 P0 eS1 S1 eP1 P1 P2"},
    {"shorter, up", true, 600, 300, " S3 S2 eP1 P1 eS1 S1 eP0 P0 eS0"},
    {"shorter, down", false, 600, 300, " S0 eP0 P0 eS1 S1 eP1 P1 eS2 S2"},
};

static void the_order_of_steps(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof(orders) / sizeof(orders[0]); i++) {
        const struct order *order = &orders[i];
        const struct ferry_boot_strategy *strategy =
            order->up ? &ferry_boot_swap_shift : &ferry_boot_swap_offset;
        uint32_t blocks =
            ((order->primary > order->secondary ? order->primary : order->secondary) + SECTOR - 1) /
            SECTOR;

        begin(strategy, order->primary, order->secondary, order->up ? 0 : SECTOR);
        assert_int_equal(ferry_boot_up_count(&swap), 2 * blocks + 1);
        assert_int_equal(ferry_boot_down_count(&swap), 2 * blocks);
        /* An upgrade of each is the one its name says, and what runs backwards the other. */
        assert_int_equal(strategy->plan->count(&swap), 2 * blocks + (order->up ? 1 : 0));
        for (uint32_t n = 0; n < strategy->plan->count(&swap); n++) {
            assert_int_equal(strategy->plan->step(&swap, n), FERRY_OK);
        }
        swap.backwards = true;
        assert_int_equal(strategy->plan->count(&swap), 2 * blocks + (order->up ? 0 : 1));
        if (strcmp(rig.log, order->log) != 0) {
            fail_msg("%s:%s, not%s", order->name, rig.log, order->log);
        }
        assert_int_equal(rig.violations, 0);
    }
}

/* ---- Both ways, any length ------------------------------------------------------------------ */

static void up_and_down(uint32_t primary, uint32_t secondary)
{
    begin(&ferry_boot_swap_shift, primary, secondary, 0);
    run(ferry_boot_up_count, ferry_boot_up_step);
    assert_true(holds(0, 0, 2, 0, secondary));
    assert_true(holds(1, SECTOR, 1, 0, primary));
    assert_int_equal(ferry_flash_is_erased(&rig.slot[1].flash, 0, SECTOR), 1);

    swap.primary_size = secondary;
    swap.secondary_size = primary;
    run(ferry_boot_down_count, ferry_boot_down_step);
    assert_true(holds(0, 0, 1, 0, primary));
    assert_true(holds(1, 0, 2, 0, secondary));
}

static void both_ways_with_images_of_any_length(void **state)
{
    static const uint32_t sizes[] = {1, 8, 255, 256, 257, 511, 512, 700, 768, 1023, 1024, 1500};
    const size_t count = sizeof(sizes) / sizeof(sizes[0]);

    (void)state;
    for (size_t i = 0; i < count * count; i++) {
        up_and_down(sizes[i / count], sizes[i % count]);
    }
}

/* ---- Between two steps ------------------------------------------------------------------------
 */

/* Every sector of both images is somewhere, whole, before step n is marked and while it is done:
 * so the source of a step and what it leaves are not its target. */
static void expect_both(uint32_t primary, uint32_t secondary)
{
    for (uint8_t image = 1; image <= 2; image++) {
        uint32_t size = image == 1 ? primary : secondary;

        for (uint32_t from = 0; from < size; from += SECTOR) {
            uint32_t to = from + SECTOR < size ? from + SECTOR : size;
            bool found = holds(0, 0, image, from, to) || holds(1, 0, image, from, to) ||
                         holds(1, SECTOR, image, from, to);

            if (!found) {
                fail_msg("image %u lost its bytes from %u", image, from);
            }
        }
    }
}

/* Cut at every operation of every step, with the target left in whatever state. */
static void cut_everywhere(bool up, uint32_t primary, uint32_t secondary, enum place_way way,
                           uint32_t *cuts)
{
    count_fn *count = up ? ferry_boot_up_count : ferry_boot_down_count;
    step_fn *step = up ? ferry_boot_up_step : ferry_boot_down_step;
    bool struck = true;

    for (uint32_t at = 1; struck; at++) {
        uint32_t n = 0;
        int rc = FERRY_OK;

        begin(&ferry_boot_swap_shift, primary, secondary, up ? 0 : SECTOR);
        place_power_on(&rig, at, way);
        for (n = 0; n < count(&swap) && rc == FERRY_OK; n++) {
            rc = step(&swap, n);
        }
        struck = rc == FERRY_E_POWER;
        expect_both(primary, secondary);
        if (struck) {
            place_power_up(&rig);
            swap.unsure = true;
            for (n = n - 1; n < count(&swap); n++) {
                assert_int_equal(step(&swap, n), FERRY_OK);
                swap.unsure = false;
                expect_both(primary, secondary);
            }
            (*cuts)++;
        }
        assert_true(holds(0, 0, 2, 0, secondary));
        assert_true(holds(1, up ? SECTOR : 0, 1, 0, primary));
        assert_int_equal(rig.violations - rig.needless, 0);
    }
}

static void nothing_is_lost_by_a_cut(void **state)
{
    static const uint32_t sizes[] = {200, 256, 300, 600, 1000};
    uint32_t cuts = 0;

    (void)state;
    for (uint32_t n = 0; n < 2 * 5 * 5 * 6; n++) {
        cut_everywhere(n % 2 == 0, sizes[n / 2 % 5], sizes[n / 10 % 5], (enum place_way)(n / 50),
                       &cuts);
    }
    printf("%u cuts\n", cuts);
    /* Six ways, and as many operations as every pair of lengths takes in both directions. */
    assert_int_equal(cuts % 6, 0);
    assert_true(cuts > 6 * 2 * 5 * 5 * 5);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_order_of_steps),
        cmocka_unit_test(both_ways_with_images_of_any_length),
        cmocka_unit_test(nothing_is_lost_by_a_cut),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
