/* SPDX-License-Identifier: Apache-2.0 */
/* The flash work of every strategy, operation by operation, beside MCUboot's and the least there
 * can be. Counts do not depend on the machine: a target that is missed is a failure. */
#include "bench/swap_device.h"
#include "bench/swap_figures.h"

#include <stdio.h>

/* A phase of the nRF52840: milliseconds an erase of a sector takes, microseconds a word. */
#define ERASE_MS 85
#define WORD_US  41

#define NO_LIMIT UINT32_MAX

struct contender {
    const struct ferry_boot_strategy *strategy;
    uint32_t scratch;     /* sectors of the scratch area */
    uint32_t max_erases;  /* of an update of SWAP_EQUAL and of its revert; 0: MCUboot's */
    uint32_t max_written; /* bytes; the same */
};

static const struct contender contenders[] = {
    {&ferry_boot_swap_scratch, 1, 0, 0},
    {&ferry_boot_swap_scratch, 4, 0, 0},
    {&ferry_boot_swap_move, 0, 0, 0},
    {&ferry_boot_swap_offset, 0, 103, 410600},
    {&ferry_boot_swap_shift, 0, 103, 410600},
    {&ferry_boot_overwrite, 0, NO_LIMIT, NO_LIMIT},
    {&ferry_boot_direct_xip, 0, NO_LIMIT, NO_LIMIT},
    {&ferry_boot_direct_xip_revert, 0, NO_LIMIT, NO_LIMIT},
    {&ferry_boot_ram_load, 0, NO_LIMIT, NO_LIMIT},
    {&ferry_boot_ram_load_revert, 0, NO_LIMIT, NO_LIMIT},
    {&ferry_boot_single_slot, 0, NO_LIMIT, NO_LIMIT},
};

#define CONTENDERS (sizeof(contenders) / sizeof(contenders[0]))

struct limits {
    uint32_t erases, primary, written, read; /* NO_LIMIT: none */
    uint32_t hottest;                        /* of all sectors */
    uint32_t slots;                          /* of those of the slots */
};

static const struct limits no_limits = {NO_LIMIT, NO_LIMIT, NO_LIMIT, NO_LIMIT, NO_LIMIT, NO_LIMIT};

static unsigned met;
static unsigned missed;

/* ---- Printing ------------------------------------------------------------------------------ */

static void print_header(const char *title)
{
    printf("\n%s\n\n", title);
    printf("%-18s %-9s %6s %12s %9s %6s %9s %10s %6s   %-13s %s\n", "strategy", "phase", "erases",
           "pri/sec/scr", "written", "calls", "read", "hottest", "s", "store e/w/r", "target");
}

static double seconds(uint64_t erases, uint64_t written)
{
    return (double)erases * ERASE_MS / 1e3 + (double)written / 4 * WORD_US / 1e6;
}

/* One limit: its words, and whether it is kept. */
static void print_limit(const char *what, uint64_t value, uint32_t limit)
{
    if (limit == NO_LIMIT) {
        return;
    }
    printf(" %s <= %u%s", what, (unsigned)limit, value <= limit ? "" : " MISSED");
    if (value <= limit) {
        met++;
    } else {
        missed++;
    }
}

static uint32_t erases_of(const struct swap_counts *counts)
{
    return counts->primary + counts->secondary + counts->scratch;
}

static void print_counts(const struct contender *contender, const char *phase,
                         const struct swap_counts *counts, const struct limits *limits)
{
    char name[32];
    char areas[32];
    char hottest[32];
    char store[32];
    const char *base = contender->strategy->traits->name;

    if (contender->scratch != 0) {
        snprintf(name, sizeof(name), "%s, %u", base, (unsigned)contender->scratch);
    } else {
        snprintf(name, sizeof(name), "%s", base);
    }
    snprintf(areas, sizeof(areas), "%u/%u/%u", (unsigned)counts->primary,
             (unsigned)counts->secondary, (unsigned)counts->scratch);
    snprintf(hottest, sizeof(hottest), "%.3s x%u", counts->hottest_area, (unsigned)counts->hottest);
    if (counts->hottest == 0) {
        snprintf(hottest, sizeof(hottest), "-");
    }
    snprintf(store, sizeof(store), "%u/%u/%u", (unsigned)counts->store_erases,
             (unsigned)counts->store_written, (unsigned)counts->store_read);
    printf("%-18s %-9s %6u %12s %9u %6u %9u %10s %6.1f   %-13s", name, phase,
           (unsigned)erases_of(counts), areas, (unsigned)counts->written, (unsigned)counts->calls,
           (unsigned)counts->read, hottest, seconds(erases_of(counts), counts->written), store);
    print_limit("erases", erases_of(counts), limits->erases);
    print_limit("primary", counts->primary, limits->primary);
    print_limit("written", counts->written, limits->written);
    print_limit("read", counts->read, limits->read);
    print_limit("hottest", counts->hottest, limits->hottest);
    print_limit("hottest of the slots", counts->hottest_slots, limits->slots);
    putchar('\n');
}

static void print_number(uint32_t value, int width)
{
    if (value == 0) {
        printf(" %*s", width, "-");
    } else {
        printf(" %*u", width, (unsigned)value);
    }
}

static void print_mcuboot(const struct swap_figure *figure)
{
    char areas[32] = "-";
    char hottest[32] = "-";

    if (figure->erases == 0) {
        return;
    }
    if (figure->primary != 0) {
        snprintf(areas, sizeof(areas), "%u/%u/%u", (unsigned)figure->primary,
                 (unsigned)figure->secondary, (unsigned)figure->scratch);
    }
    if (figure->hottest != 0) {
        snprintf(hottest, sizeof(hottest), "x%u", (unsigned)figure->hottest);
    }
    printf("%-18s %-9s %6u %12s", "", "MCUboot", (unsigned)figure->erases, areas);
    print_number(figure->written, 9);
    print_number(figure->calls, 6);
    print_number(figure->read, 9);
    printf(" %10s", hottest);
    if (figure->written != 0) {
        printf(" %6.1f", seconds(figure->erases, figure->written));
    }
    putchar('\n');
}

/* What must be erased, and how many sectors must be written. */
static void print_minimum(uint32_t primary, uint32_t secondary, uint32_t sectors)
{
    char areas[32];
    uint32_t erases = primary + secondary;
    uint32_t written = sectors * SWAP_SECTOR;

    snprintf(areas, sizeof(areas), "%u/%u/0", (unsigned)primary, (unsigned)secondary);
    printf("%-18s %-9s %6u %12s %9u %6s %9s %10s %6.1f\n", "", "minimum", (unsigned)erases, areas,
           (unsigned)written, "", "", "x1", seconds(erases, written));
}

/* ---- Updates ------------------------------------------------------------------------------- */

/* Where a strategy's old image ends up decides what must be written at least. */
static bool keeps_in_place(const struct ferry_strategy_traits *traits)
{
    return traits->keeps_old && traits->upload_sector == traits->old_sector;
}

static uint32_t sectors_of(const struct model_image *image)
{
    return (image->size + SWAP_SECTOR - 1) / SWAP_SECTOR;
}

/* A device after an earlier update, with `old` confirmed: trailers and slots are as in the field,
 * not fresh from the factory. */
static void start(struct swap_device *device, const struct contender *contender,
                  const struct model_image *old)
{
    struct model_image older = swap_image_make(old->size, 1, 3);

    swap_device_init(device, contender->strategy, contender->scratch);
    swap_device_load(device, &older);
    swap_device_upload(device, old);
    swap_device_boot(device, true);
    swap_device_confirm(device);
    swap_device_boot(device, false);
    model_image_free(&older);
}

struct update {
    struct swap_counts upgrade, revert;
};

static struct update measure(const struct contender *contender, const struct model_image *old,
                             const struct model_image *new)
{
    struct swap_device device;
    struct update update = {.upgrade = {.hottest_area = ""}};

    start(&device, contender, old);
    swap_device_upload(&device, new);
    swap_device_reset(&device);
    swap_device_boot(&device, true);
    update.upgrade = swap_device_counts(&device);
    if (contender->strategy->traits->reverts) {
        /* The firmware runs, but never confirms itself. */
        swap_device_trial(&device);
        swap_device_reset(&device);
        swap_device_boot(&device, true);
        update.revert = swap_device_counts(&device);
    }
    swap_device_free(&device);
    return update;
}

static uint32_t limit_of(uint32_t own, uint32_t mcuboot)
{
    if (own != 0) {
        return own;
    }
    return mcuboot != 0 ? mcuboot : NO_LIMIT;
}

/* Reads are shown but not limited: to leave out what is right already, sectors are compared. */
static struct limits limits_of(const struct contender *contender, enum swap_scene scene,
                               const struct swap_figure *figure)
{
    struct limits limits = no_limits;
    bool like_mcuboot = contender->max_erases == 0;

    limits.slots = contender->strategy->traits->erases;
    if (scene == SWAP_EQUAL || like_mcuboot) {
        limits.erases = limit_of(contender->max_erases, figure->erases);
        limits.written = limit_of(contender->max_written, figure->written);
        limits.hottest = like_mcuboot ? limit_of(0, figure->hottest) : NO_LIMIT;
    }
    return limits;
}

/* One contender in one scene: upgrade and revert, each with what it is held against. */
static void compare(const struct contender *contender, enum swap_scene scene,
                    const struct model_image *old, const struct model_image *new)
{
    static const struct swap_figures nothing;
    const struct ferry_strategy_traits *traits = contender->strategy->traits;
    const struct swap_figures *figures = swap_figures_find(traits->name, contender->scratch, scene);
    struct update update = measure(contender, old, new);

    if (figures == NULL) {
        figures = &nothing;
    }

    struct limits limits = limits_of(contender, scene, &figures->upgrade);

    print_counts(contender, "upgrade", &update.upgrade, &limits);
    print_mcuboot(&figures->upgrade);
    if (!traits->in_place) {
        /* What lies beyond the image that was there is erased already. */
        uint32_t dirty = ferry_min32(sectors_of(old), sectors_of(new));

        print_minimum(dirty, traits->keeps_old ? dirty : 0,
                      sectors_of(new) + (traits->keeps_old ? sectors_of(old) : 0));
    }
    if (traits->reverts) {
        limits = limits_of(contender, scene, &figures->revert);
        print_counts(contender, "revert", &update.revert, &limits);
        print_mcuboot(&figures->revert);
    }
}

static void show_scene(enum swap_scene scene, const char *title, uint32_t old_size,
                       uint32_t new_size)
{
    struct model_image old = swap_image_make(old_size, 2, 1);
    struct model_image new = swap_image_make(new_size, 3, 2);

    print_header(title);
    for (size_t i = 0; i < CONTENDERS; i++) {
        if (contenders[i].strategy->traits->slot_count == 2) {
            compare(&contenders[i], scene, &old, &new);
        }
    }
    model_image_free(&old);
    model_image_free(&new);
}

/* As large as MCUboot's largest image in this layout; where none is known, as Ferry's own. */
static uint32_t full_size(const struct contender *contender)
{
    const struct swap_figures *figures =
        swap_figures_find(contender->strategy->traits->name, contender->scratch, SWAP_FULL);

    if (figures != NULL) {
        return figures->size;
    }

    struct swap_device device;

    swap_device_init(&device, contender->strategy, contender->scratch);

    uint32_t size = ferry_slots_max_image(swap_device_slots(&device));

    swap_device_free(&device);
    return size;
}

static void show_full(void)
{
    print_header("Full slots: the largest image MCUboot's strategy takes in this layout");
    for (size_t i = 0; i < CONTENDERS; i++) {
        if (contenders[i].strategy->traits->slot_count != 2) {
            continue;
        }

        uint32_t size = full_size(&contenders[i]);
        struct model_image old = swap_image_make(size, 2, 1);
        struct model_image new = swap_image_make(size, 3, 2);

        printf("(%u bytes)\n", (unsigned)size);
        compare(&contenders[i], SWAP_FULL, &old, &new);
        model_image_free(&old);
        model_image_free(&new);
    }
}

/* ---- Images that hardly differ ----------------------------------------------------------------
 */

/* A strategy that keeps the old image where the new one was moves what differs, three erases at
 * most for each such sector, and its trailers. One that keeps it a sector higher must write all of
 * the secondary, but in the primary only what differs. */
static struct limits difference_limits(const struct contender *contender, uint32_t sectors)
{
    const struct ferry_strategy_traits *traits = contender->strategy->traits;
    struct limits limits = no_limits;

    limits.slots = traits->erases;
    if (keeps_in_place(traits)) {
        limits.erases = 3 * sectors + (contender->scratch != 0 ? 3 : 2);
    } else if (traits->keeps_old) {
        limits.primary = sectors + 1;
    }
    return limits;
}

static void show_difference(const char *title, const struct model_image *old,
                            const struct model_image *new, uint32_t sectors)
{
    print_header(title);
    for (size_t i = 0; i < CONTENDERS; i++) {
        const struct ferry_strategy_traits *traits = contenders[i].strategy->traits;

        if (traits->in_place || traits->slot_count != 2) {
            continue;
        }

        struct limits limits = difference_limits(&contenders[i], sectors);
        struct update update = measure(&contenders[i], old, new);

        print_counts(&contenders[i], "upgrade", &update.upgrade, &limits);

        uint32_t secondary = keeps_in_place(traits) ? sectors : sectors_of(old);

        secondary = traits->keeps_old ? secondary : 0;
        print_minimum(sectors, secondary, sectors + secondary);
        if (traits->reverts) {
            print_counts(&contenders[i], "revert", &update.revert, &limits);
        }
    }
}

static void show_differences(void)
{
    struct model_image old = swap_image_make(SWAP_IMAGE_SIZE, 2, 1);
    /* Its digest stands in the last sector: what differs there differs nowhere else. */
    struct model_image last = swap_image_change(&old, SWAP_IMAGE_SIZE - 2000);
    struct model_image first = swap_image_change(&old, 1000);
    struct model_image three = swap_image_change(&first, 100000);

    show_difference("Images that differ in one sector, the last", &old, &last, 1);
    show_difference("Images that differ in three sectors: first, one in the middle, last", &old,
                    &three, 3);
    model_image_free(&old);
    model_image_free(&last);
    model_image_free(&first);
    model_image_free(&three);
}

/* ---- Idle ------------------------------------------------------------------------------------ */

static void show_idle(void)
{
    struct model_image image = swap_image_make(SWAP_IMAGE_SIZE, 2, 1);
    struct limits limits = no_limits;

    limits.erases = 0;
    limits.written = 0;
    limits.read = SWAP_IMAGE_SIZE + SWAP_IMAGE_SIZE / 100;
    print_header("A boot without an update; image of 204 759 bytes");
    printf("%-18s %-9s %6u %12s %9u %6u %u to %u\n", "", "MCUboot", 0, "-", 0, 0, SWAP_IDLE_LEAST,
           SWAP_IDLE_MOST);
    for (size_t i = 0; i < CONTENDERS; i++) {
        struct swap_device device;

        if (contenders[i].strategy->traits->slot_count == 2) {
            start(&device, &contenders[i], &image);
        } else {
            swap_device_init(&device, contenders[i].strategy, 0);
            swap_device_load(&device, &image);
        }
        swap_device_reset(&device);
        swap_device_boot(&device, false);

        struct swap_counts counts = swap_device_counts(&device);

        print_counts(&contenders[i], "idle", &counts, &limits);
        printf("%-18s %-9s the image and %.2f %% of it;", "", "reads",
               ((double)counts.read / SWAP_IMAGE_SIZE - 1) * 100);
        print_limit("store: erases and writes", counts.store_calls + counts.store_erases, 0);
        putchar('\n');
        swap_device_free(&device);
    }
    model_image_free(&image);
}

int main(void)
{
    printf(
        "Flash operations of one update: slots of %u sectors of %u bytes, N = %u, write size "
        "%u, buffer %u bytes,\nafter an earlier confirmed update, with a store and one trial. The "
        "application's own erase and upload are not counted.\n"
        "erases: sectors, by area; written and read: bytes; hottest: most erases of one sector; "
        "store: sectors\nerased, bytes written, bytes read, apart. s: computed, %d ms an erase "
        "and %d us a word of 4 bytes; not measured.\nMCUboot: figures of bootutil 2d4bacc3, see "
        "bench/swap_figures.h. minimum: what is in use and must\nchange erased once, what must be "
        "there written once, no trailers.\n",
        SWAP_SECTORS, SWAP_SECTOR, SWAP_SECTORS, SWAP_WRITE_SIZE, MODEL_BUF, ERASE_MS, WORD_US);
    show_scene(SWAP_EQUAL, "Images of 204 759 bytes (50 sectors), different throughout",
               SWAP_IMAGE_SIZE, SWAP_IMAGE_SIZE);
    show_full();
    show_scene(SWAP_GROW, "From 102 359 bytes (25 sectors) to 204 759 (50 sectors)",
               SWAP_SMALL_SIZE, SWAP_IMAGE_SIZE);
    show_scene(SWAP_SHRINK, "From 204 759 bytes (50 sectors) to 102 359 (25 sectors)",
               SWAP_IMAGE_SIZE, SWAP_SMALL_SIZE);
    show_differences();
    show_idle();
    /* Counted by .ci/run. */
    printf("\nTargets:\n%u passed, %u failed\n", met, missed);
    return missed != 0 ? 1 : 0;
}
