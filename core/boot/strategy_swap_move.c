/* SPDX-License-Identifier: Apache-2.0 */
/* Swap with one spare sector: the primary image moves up by a sector, from its end, then sector
 * after sector changes places with the secondary. [mcuboot-format.md §2.6 "move"]
 *
 * With L sectors to swap there are 3 L steps:
 *   move k = 1 .. L    pri[L-k] -> pri[L-k+1]
 *   swap i = 0 .. L-1  sec[i] -> pri[i], then pri[i+1] -> sec[i]
 * The source of each step is not touched before the record of that step stands. */
#include "core/boot/swap.h"

struct step {
    const struct ferry_flash *from;
    uint32_t from_sector;
    const struct ferry_flash *to;
    uint32_t to_sector;
    uint32_t unit; /* where its record goes */
    uint8_t state; /* what the record says */
};

static uint32_t sector_size(const struct ferry_boot_swap *swap)
{
    return swap->slots->primary->runs[0].size;
}

/* Sectors to swap; the size was checked against the largest image. */
static uint32_t used_sectors(const struct ferry_boot_swap *swap)
{
    return ferry_align_up(swap->size, sector_size(swap)) / sector_size(swap);
}

/* Status unit of step number n, 0 .. 3 * sectors - 1. */
static uint32_t step_unit(const struct ferry_boot_swap *swap, uint32_t sectors, uint32_t n)
{
    return n < sectors ? n : swap->slots->max_sectors + (n - sectors);
}

static struct step plan_step(const struct ferry_boot_swap *swap, uint32_t sectors, uint32_t n)
{
    const struct ferry_flash *primary = swap->slots->primary;
    const struct ferry_flash *secondary = swap->slots->secondary;
    uint32_t unit = step_unit(swap, sectors, n);

    if (n < sectors) {
        uint32_t source = sectors - 1 - n;

        return (struct step){primary, source, primary, source + 1, unit, 1};
    }

    uint32_t i = (n - sectors) / 2;

    if ((n - sectors) % 2 == 0) {
        return (struct step){secondary, i, primary, i, unit, 1};
    }
    return (struct step){primary, i + 1, secondary, i, unit, 2};
}

static int do_step(const struct ferry_boot_swap *swap, const struct step *step)
{
    uint32_t size = sector_size(swap);
    int rc = ferry_boot_move(swap, step->from, step->from_sector * size, step->to,
                             step->to_sector * size, size);

    return rc != FERRY_OK ? rc : ferry_boot_status_write(swap, step->unit, step->state);
}

/* Set swap->done to one past the last step that has a record. */
static int count_done(struct ferry_boot_swap *swap)
{
    uint32_t sectors = used_sectors(swap);

    for (swap->done = 3 * sectors; swap->done > 0; swap->done--) {
        int rc = ferry_boot_status_is_written(swap, step_unit(swap, sectors, swap->done - 1));

        if (rc < 0) {
            return rc;
        }
        if (rc == 1) {
            return FERRY_OK;
        }
    }
    return FERRY_OK;
}

/* What is being done. Records without a readable type are finished all the same: half a swap is
 * no image at all. */
static enum ferry_swap_type type_under_way(const struct ferry_trailer *primary)
{
    if (primary->swap_type != FERRY_SWAP_NONE) {
        return (enum ferry_swap_type)primary->swap_type;
    }
    return primary->image_ok == FERRY_UNSET ? FERRY_SWAP_TEST : FERRY_SWAP_PERM;
}

static int resume(struct ferry_boot_swap *swap)
{
    struct ferry_boot_trailers trailers;
    int rc = ferry_boot_read_trailers(swap, &trailers);

    if (rc != FERRY_OK) {
        return rc;
    }
    if (trailers.primary.magic != FERRY_SET || trailers.primary.copy_done != FERRY_UNSET ||
        trailers.secondary.magic == FERRY_SET) {
        return 0;
    }
    rc = ferry_boot_read_size(swap, &swap->size);
    if (rc != FERRY_OK) {
        return rc;
    }
    if (swap->size == 0 || swap->size > ferry_slots_max_image(swap->slots)) {
        return 0;
    }
    rc = count_done(swap);
    if (rc != FERRY_OK) {
        return rc;
    }
    /* A magic alone is no swap: so does an image look that was padded for the primary slot. */
    if (swap->done == 0 && trailers.primary.swap_type == FERRY_SWAP_NONE) {
        return 0;
    }
    swap->type = type_under_way(&trailers.primary);
    return 1;
}

static int begin(struct ferry_boot_swap *swap)
{
    int rc = swap->asked ? FERRY_OK : ferry_boot_ask(swap);

    swap->done = 0;
    return rc != FERRY_OK ? rc : ferry_boot_status_begin(swap);
}

static int run(struct ferry_boot_swap *swap)
{
    uint32_t sectors = used_sectors(swap);
    uint32_t total = 3 * sectors;

    if (swap->done == 0) {
        /* From here on the primary's trailer rules: see resume(). */
        int rc = ferry_boot_erase_trailer(swap, swap->slots->secondary);

        if (rc != FERRY_OK) {
            return rc;
        }
    }
    while (swap->done < total) {
        struct step step = plan_step(swap, sectors, swap->done);
        int rc = do_step(swap, &step);

        if (rc != FERRY_OK) {
            return rc;
        }
        swap->done++;
        ferry_boot_progress(swap, swap->done, total);
    }
    return ferry_boot_status_end(swap);
}

static const struct ferry_boot_plan plan = {.resume = resume, .begin = begin, .run = run};

const struct ferry_boot_strategy ferry_boot_swap_move = {
    .traits = &ferry_traits_swap_move, .boot = ferry_boot_by_swap, .plan = &plan};
