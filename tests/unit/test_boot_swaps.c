/* SPDX-License-Identifier: Apache-2.0 */
/* Whole swaps: where each strategy leaves the images, a swap that went wrong, and the scratch area
 * with unequal sectors and with images that share a trailer's sector. */
#include "place_rig.h"

#include "core/boot/swap.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

static struct place_rig rig;
static struct place_image v1;
static struct place_image v2;

static const struct ferry_boot_strategy *const swaps[] = {
    &ferry_boot_swap_move, &ferry_boot_swap_scratch, &ferry_boot_swap_offset,
    &ferry_boot_swap_shift};

/* The geometry of all areas. */
struct layout {
    const char *name;
    struct ferry_flash_run primary[2];
    struct ferry_flash_run secondary[2];
    struct ferry_flash_run scratch;
    uint8_t write_size; /* of the secondary; 8 in the primary */
    uint8_t erased;     /* of the secondary and the scratch area */
};

static uint8_t runs_of(const struct ferry_flash_run runs[2])
{
    return runs[1].count == 0 ? 1 : 2;
}

static const struct layout equal = {"equal", {{8, 256}}, {{8, 256}}, {2, 256}, 8, 0xff};

/* Slots of 2048 bytes each but in the name. */
static const struct layout layouts[] = {
    {"equal", {{8, 256}}, {{8, 256}}, {1, 256}, 8, 0xff},
    {"roomy scratch", {{8, 256}}, {{8, 256}}, {3, 256}, 8, 0xff},
    {"finer secondary", {{8, 256}}, {{16, 128}}, {2, 256}, 4, 0x00},
    {"finer primary", {{16, 128}}, {{4, 512}}, {4, 128}, 8, 0xff},
    {"small and large", {{4, 128}, {3, 512}}, {{8, 256}}, {1, 512}, 8, 0xff},
    {"two kinds", {{1, 512}, {6, 256}}, {{12, 128}, {2, 256}}, {4, 256}, 1, 0x00},
};

/* Version major.0.0, so many bytes in all. */
static void build(struct place_image *image, uint8_t major, uint32_t size)
{
    place_build(image, major, size - 72, 0, 0);
    assert_int_equal(image->size, size);
}

static void begin(const struct ferry_boot_strategy *strategy, const struct layout *layout)
{
    place_init(&rig, strategy->traits, false);
    place_geometry(&rig.slot[0], layout->primary, runs_of(layout->primary), 8, 0xff);
    place_geometry(&rig.slot[1], layout->secondary, runs_of(layout->secondary), layout->write_size,
                   layout->erased);
    place_geometry(&rig.slot[PLACE_SCRATCH], &layout->scratch, 1, layout->write_size,
                   layout->erased);
    rig.image.strategy = strategy;
    rig.image.slots.max_sectors = 8;
    assert_int_equal(ferry_slots_check(&rig.image.slots), FERRY_OK);
}

static const struct ferry_slots *slots(void)
{
    return &rig.image.slots;
}

static bool runs(const struct place_image *image)
{
    return place_holds(&rig, 0, image);
}

static bool keeps(const struct place_image *image, uint32_t offset)
{
    return memcmp(rig.slot[1].memory + offset, image->bytes, image->size) == 0;
}

/* v1 runs, v2 is where uploads go and is asked for. */
static void ask(bool permanent)
{
    place_load(&rig, 0, &v1);
    place_load(&rig, 1, NULL);
    memcpy(rig.slot[1].memory + ferry_slots_upload_offset(slots()), v2.bytes, v2.size);
    place_power_up(&rig);
    assert_int_equal(ferry_slots_set_pending(slots(), permanent), FERRY_OK);
}

static void expect(enum ferry_boot_action action, int reason)
{
    const struct ferry_boot_image_report *report = &rig.report.images[0];

    place_power_up(&rig);
    assert_int_equal(ferry_boot_run(&rig.config, &rig.report), FERRY_OK);
    assert_string_equal(ferry_boot_action_name(report->action), ferry_boot_action_name(action));
    assert_string_equal(ferry_error_name(report->reason), ferry_error_name(reason));
    assert_int_equal(rig.violations - rig.needless, 0);
}

static void expect_idle(void)
{
    expect(FERRY_BOOT_RAN, FERRY_OK);
    assert_int_equal(rig.operations, 0);
    assert_string_equal(ferry_swap_type_name(rig.report.images[0].next), "none");
}

/* Where the image in the secondary is found. */
static void expect_view(uint32_t offset)
{
    struct ferry_flash_slice view;
    uint32_t found = 9999;

    assert_int_equal(ferry_slots_view(slots(), 1, &view, &found), FERRY_OK);
    assert_int_equal(found, offset);
}

/* ---- Places ------------------------------------------------------------------------------ */

/* Test, revert, and the same once more; then for good. */
static void images_stand_where_the_strategy_says(void **state)
{
    static const uint32_t sizes[] = {200, 472, 900};

    (void)state;
    for (size_t n = 0; n < COUNT(swaps) * 9; n++) {
        begin(swaps[n / 9], &equal);
        uint32_t upload = ferry_slots_upload_offset(slots());
        uint32_t old = ferry_slots_old_offset(slots());

        build(&v1, 1, sizes[n % 3]);
        build(&v2, 2, sizes[n / 3 % 3]);
        ask(false);
        for (int again = 0; again < 2; again++) {
            expect(FERRY_BOOT_TESTING, FERRY_OK);
            assert_true(runs(&v2) && keeps(&v1, old));
            assert_string_equal(ferry_swap_type_name(rig.report.images[0].next), "revert");
            expect_view(old);
            expect(FERRY_BOOT_REVERTED, FERRY_OK);
            assert_true(runs(&v1) && keeps(&v2, upload));
            expect_view(upload);
            expect_idle();
            assert_int_equal(ferry_slots_set_pending(slots(), again == 1), FERRY_OK);
        }
        expect(FERRY_BOOT_UPGRADED, FERRY_OK);
        assert_true(runs(&v2) && keeps(&v1, old));
        expect_view(old);
        expect_idle();
        assert_int_equal(rig.violations, 0);
    }
}

/* The old image asked for: where uploads stand as well it is tested and taken back; where old
 * images have a place of their own, a request for one is a revert, for good. */
static void the_old_image_is_asked_for(void **state)
{
    (void)state;
    build(&v1, 1, 472);
    build(&v2, 2, 900);
    for (size_t s = 0; s < COUNT(swaps); s++) {
        begin(swaps[s], &equal);
        uint32_t upload = ferry_slots_upload_offset(slots());
        uint32_t old = ferry_slots_old_offset(slots());

        ask(true);
        expect(FERRY_BOOT_UPGRADED, FERRY_OK);
        assert_int_equal(ferry_slots_set_pending(slots(), false), FERRY_OK);
        expect(FERRY_BOOT_TESTING, FERRY_OK);
        assert_true(runs(&v1) && keeps(&v2, upload));
        expect_view(upload);
        expect(FERRY_BOOT_REVERTED, FERRY_OK);
        assert_true(runs(&v2) && keeps(&v1, old));
        expect_idle();
        assert_int_equal(rig.violations, 0);
    }
}

/* Blocks that are alike are not touched: of images that differ in one sector only that moves. */
static void only_what_differs_moves(void **state)
{
    (void)state;
    build(&v1, 1, 900);
    for (size_t s = 0; s < 2; s++) {
        begin(swaps[s], &equal);
        v2 = v1;
        ask(false);
        /* The very same image: nothing but the trailers. */
        expect(FERRY_BOOT_TESTING, FERRY_OK);
        assert_null(strstr(rig.log, "X"));
        for (const char *at = rig.log; *at != '\0'; at++) {
            assert_true(strchr("eSP7 ", *at) != NULL);
        }
        expect(FERRY_BOOT_REVERTED, FERRY_OK);
        assert_null(strstr(rig.log, "X"));
        expect_idle();
    }
    /* Two that differ in the first and the last of four sectors: in the version and the digest. */
    uint8_t payload[900 - 72];
    memset(payload, 0x33, sizeof(payload));
    for (uint8_t major = 1; major <= 2; major++) {
        struct place_image *image = major == 1 ? &v1 : &v2;
        const struct test_image_spec spec = {.version = {.major = major},
                                             .key = TEST_KEY_NONE,
                                             .payload_size = sizeof(payload),
                                             .payload = payload,
                                             .header_size = 32};
        image->size = (uint32_t)test_image_build(&spec, image->bytes, sizeof(image->bytes));
        assert_int_equal(image->size, 900);
    }
    for (size_t s = 0; s < 2; s++) {
        begin(swaps[s], &equal);
        ask(false);
        expect(FERRY_BOOT_TESTING, FERRY_OK);
        assert_true(runs(&v2) && keeps(&v1, 0));
        assert_null(strstr(rig.log, "P1"));
        assert_null(strstr(rig.log, "P2"));
        assert_null(strstr(rig.log, "S1"));
        assert_null(strstr(rig.log, "S2"));
        expect(FERRY_BOOT_REVERTED, FERRY_OK);
        assert_true(runs(&v1) && keeps(&v2, 0));
        assert_null(strstr(rig.log, "P1"));
        assert_null(strstr(rig.log, "S2"));
        expect_idle();
    }
}

/* ---- A swap that went wrong --------------------------------------------------------------------
 */

static const struct ferry_boot_plan *real_plan;
static bool damages;

/* The last step damages the new image unnoticed. */
static int step_and_damage(const struct ferry_boot_swap *swap, uint32_t n)
{
    int rc = real_plan->step(swap, n);

    if (damages && n + 1 == real_plan->count(swap)) {
        rig.slot[0].memory[40] ^= 4;
        damages = false;
    }
    return rc;
}

static void a_swap_that_went_wrong_is_undone_in_the_same_boot(void **state)
{
    (void)state;
    build(&v1, 1, 472);
    build(&v2, 2, 900);
    for (size_t s = 0; s < COUNT(swaps); s++) {
        struct ferry_boot_strategy careless = *swaps[s];
        struct ferry_boot_plan plan = *swaps[s]->plan;

        real_plan = swaps[s]->plan;
        plan.step = step_and_damage;
        careless.plan = &plan;
        begin(&careless, &equal);
        ask(false);
        damages = true;
        expect(FERRY_BOOT_REVERTED, FERRY_E_DIGEST);
        assert_false(damages);
        assert_true(runs(&v1));
        expect_idle();
    }
}

/* ---- Scratch -----------------------------------------------------------------------------------
 */

/* Largest image of a layout; below it the largest that leaves the trailers' sectors alone. */
static void sizes_of(const struct layout *layout, uint32_t *largest, uint32_t *apart)
{
    uint32_t primary = 0;
    uint32_t secondary = 0;

    begin(&ferry_boot_swap_scratch, layout);
    *largest = ferry_slots_max_image(slots());
    assert_int_equal(ferry_slots_trailer_start(slots(), &rig.slot[0].flash, &primary), FERRY_OK);
    assert_int_equal(ferry_slots_trailer_start(slots(), &rig.slot[1].flash, &secondary), FERRY_OK);
    *apart = primary < secondary ? primary : secondary;
}

/* Images of these sizes: tested, taken back, installed for good. */
static void scratch_life(const struct layout *layout, uint32_t size1, uint32_t size2)
{
    build(&v1, 1, size1);
    build(&v2, 2, size2);
    begin(&ferry_boot_swap_scratch, layout);
    ask(false);
    expect(FERRY_BOOT_TESTING, FERRY_OK);
    assert_true(runs(&v2) && keeps(&v1, 0));
    assert_string_equal(ferry_swap_type_name(rig.report.images[0].next), "revert");
    expect(FERRY_BOOT_REVERTED, FERRY_OK);
    assert_true(runs(&v1) && keeps(&v2, 0));
    expect_idle();
    assert_int_equal(ferry_slots_set_pending(slots(), true), FERRY_OK);
    expect(FERRY_BOOT_UPGRADED, FERRY_OK);
    assert_true(runs(&v2) && keeps(&v1, 0));
    expect_idle();
    assert_int_equal(rig.violations, 0);
    /* No trailer is left in the scratch area. */
    const struct place_flash *scratch = &rig.slot[PLACE_SCRATCH];
    uint8_t magic[FERRY_TRAILER_MAGIC_SIZE];
    ferry_trailer_magic(8, magic);
    assert_memory_not_equal(scratch->memory + scratch->flash.size - 16, magic, sizeof(magic));
}

static void scratch_with_unequal_sectors(void **state)
{
    uint32_t lives = 0;
    uint32_t shared = 0;

    (void)state;
    for (size_t l = 0; l < COUNT(layouts); l++) {
        uint32_t sizes[4] = {100, 700, 0, 0};

        sizes_of(&layouts[l], &sizes[2], &sizes[3]);
        for (uint32_t n = 0; n < 16; n++) {
            scratch_life(&layouts[l], sizes[n / 4], sizes[n % 4]);
            lives++;
        }
        shared += sizes[2] > sizes[3] ? 1 : 0;
    }
    printf("%u lives, %u layouts with a shared sector\n", lives, shared);
    assert_int_equal(lives, 16 * COUNT(layouts));
    assert_true(shared >= 3);
}

/* What a cut leads to. */
enum outcome {
    NOT_CUT,
    FINISHED, /* the next boot did what the cut one was about */
    WAS_OVER  /* the cut came behind the last operation: that boot counts */
};

/* Cut a swap of two images at an operation, and boot again. */
static enum outcome cut(const struct ferry_boot_strategy *strategy, const struct layout *layout,
                        bool reverting, uint32_t at, enum place_way way)
{
    const struct ferry_boot_image_report *report = &rig.report.images[0];
    enum ferry_boot_action action = reverting ? FERRY_BOOT_REVERTED : FERRY_BOOT_TESTING;

    begin(strategy, layout);
    uint32_t upload = ferry_slots_upload_offset(slots());
    uint32_t old = ferry_slots_old_offset(slots());
    ask(false);
    if (reverting) {
        expect(FERRY_BOOT_TESTING, FERRY_OK);
    }
    place_power_on(&rig, at, way);
    if (ferry_boot_run(&rig.config, &rig.report) == FERRY_OK) {
        assert_int_equal(rig.struck, 0);
        return NOT_CUT;
    }
    place_power_up(&rig);
    int rc = ferry_boot_run(&rig.config, &rig.report);
    assert_int_equal(rig.violations - rig.needless, 0);
    bool finished = rc == FERRY_OK && report->action == action;
    bool kept = reverting ? runs(&v1) && keeps(&v2, upload) : runs(&v2) && keeps(&v1, old);
    /* Or one boot on: the trial is over, or nothing is left to do. */
    bool over =
        rc == FERRY_OK && report->action == (reverting ? FERRY_BOOT_RAN : FERRY_BOOT_REVERTED);

    if ((!finished && !over) || !(over ? runs(&v1) && keeps(&v2, upload) : kept)) {
        fail_msg("%s, %s, %u to %u bytes, revert %d, operation %u, way %d: %s, next %s, runs %d %d",
                 strategy->traits->name, layout->name, v1.size, v2.size, reverting, at, way,
                 ferry_boot_action_name(report->action), ferry_swap_type_name(report->next),
                 runs(&v1), runs(&v2));
    }
    return finished ? FINISHED : WAS_OVER;
}

/* Cut a swap at each of its operations. Returns how many there were. */
static uint32_t cut_each(const struct ferry_boot_strategy *strategy, const struct layout *layout,
                         bool reverting, enum place_way way)
{
    for (uint32_t at = 1;; at++) {
        enum outcome outcome = cut(strategy, layout, reverting, at, way);

        if (outcome == NOT_CUT) {
            return at - 1;
        }
        if (outcome == WAS_OVER) {
            assert_int_equal(cut(strategy, layout, reverting, at + 1, way), NOT_CUT);
        }
    }
}

/* The largest image and a short one, either way round, and both of the largest: a short one does
 * not reach the block that goes first. */
static void scratch_cut_anywhere(void **state)
{
    uint32_t cuts = 0;

    (void)state;
    for (size_t l = 0; l < COUNT(layouts); l++) {
        uint32_t largest = 0;
        uint32_t apart = 0;

        sizes_of(&layouts[l], &largest, &apart);
        for (uint32_t n = 0; n < 3 * 2 * PLACE_FAILS; n++) {
            build(&v1, 1, n % 3 == 1 ? 300 : largest);
            build(&v2, 2, n % 3 == 2 ? 300 : largest);
            cuts += cut_each(&ferry_boot_swap_scratch, &layouts[l], n / 3 % 2 == 1,
                             (enum place_way)(n / 6));
        }
    }
    printf("%u cuts\n", cuts);
    assert_true(cuts > 10000);
}

/* Two cuts: the second one in the boot that goes on. Neither image is ever lost, and neither is
 * what was being done; a trial may be over meanwhile. Returns how many cuts struck. */
static uint32_t cut_twice(const struct layout *layout, bool reverting,
                          const struct place_fault faults[PLACE_FAULTS])
{
    int rc = FERRY_E_POWER;

    begin(&ferry_boot_swap_scratch, layout);
    ask(false);
    if (reverting) {
        expect(FERRY_BOOT_TESTING, FERRY_OK);
    }
    place_arm(&rig, faults);
    for (uint32_t boots = 0; rc == FERRY_E_POWER && boots <= PLACE_FAULTS; boots++) {
        place_power_up(&rig);
        rc = ferry_boot_run(&rig.config, &rig.report);
    }
    bool back = runs(&v1) && keeps(&v2, 0);
    bool there = runs(&v2) && keeps(&v1, 0);
    enum ferry_boot_action action = rig.report.images[0].action;

    bool right = action == FERRY_BOOT_TESTING ? there && !reverting : back;

    if (rc != FERRY_OK || !right || action == FERRY_BOOT_REFUSED ||
        (action == FERRY_BOOT_RAN && !reverting)) {
        fail_msg("%s, %u to %u bytes, revert %d, way %d at %u, way %d at %u: %s", layout->name,
                 v1.size, v2.size, reverting, faults[0].way, faults[0].at, faults[1].way,
                 faults[1].at, ferry_boot_action_name(action));
    }
    assert_int_equal(rig.violations - rig.needless, 0);
    return rig.struck;
}

/* The opening of a swap whose images share a trailer's sector, in flash that erases to different
 * values, with a short image and the largest. */
static void scratch_cut_twice(void **state)
{
    static const enum place_way seconds[] = {PLACE_BEFORE, PLACE_TORN, PLACE_ECC};
    uint32_t pairs = 0;

    (void)state;
    for (uint32_t n = 0; n < 2 * 2 * 2 * COUNT(seconds); n++) {
        const struct layout *layout = n % 2 == 0 ? &layouts[2] : &layouts[5];
        bool reverting = n / 2 % 2 == 1;
        uint32_t largest = 0;
        uint32_t apart = 0;
        uint32_t struck = 1;

        sizes_of(layout, &largest, &apart);
        build(&v1, 1, n / 4 % 2 == 0 ? largest : 200);
        build(&v2, 2, n / 4 % 2 == 0 ? 200 : largest);
        for (uint32_t first = 1; struck > 0; first++) {
            struck = PLACE_FAULTS;
            for (uint32_t second = 1; struck == PLACE_FAULTS; second++) {
                const struct place_fault faults[PLACE_FAULTS] = {{first, PLACE_BEFORE},
                                                                 {second, seconds[n / 8]}};

                struck = cut_twice(layout, reverting, faults);
                pairs += struck == PLACE_FAULTS ? 1 : 0;
            }
        }
    }
    printf("%u pairs of cuts\n", pairs);
    assert_true(pairs > 10000);
}

/* Images of any two lengths. */
static void every_swap_cut_anywhere(void **state)
{
    uint32_t cuts = 0;

    (void)state;
    for (uint32_t n = 0; n < COUNT(swaps) * 9 * 2 * PLACE_FAILS; n++) {
        const struct ferry_boot_strategy *strategy = swaps[n % COUNT(swaps)];
        uint32_t pair = n / COUNT(swaps) % 9;

        begin(strategy, &equal);
        const uint32_t sizes[3] = {200, 700, ferry_slots_max_image(slots())};
        build(&v1, 1, sizes[pair % 3]);
        build(&v2, 2, sizes[pair / 3]);
        cuts += cut_each(strategy, &equal, n / COUNT(swaps) / 9 % 2 == 1,
                         (enum place_way)(n / COUNT(swaps) / 18));
    }
    printf("%u cuts\n", cuts);
    assert_true(cuts > 10000);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(images_stand_where_the_strategy_says),
        cmocka_unit_test(the_old_image_is_asked_for),
        cmocka_unit_test(only_what_differs_moves),
        cmocka_unit_test(a_swap_that_went_wrong_is_undone_in_the_same_boot),
        cmocka_unit_test(scratch_with_unequal_sectors),
        cmocka_unit_test(scratch_cut_anywhere),
        cmocka_unit_test(scratch_cut_twice),
        cmocka_unit_test(every_swap_cut_anywhere),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
