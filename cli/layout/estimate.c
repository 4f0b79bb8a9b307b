/* SPDX-License-Identifier: Apache-2.0 */
#include "estimate.h"

#include <stdlib.h>
#include <string.h>

/* An odd and an even update: in place they go to one slot each. */
#define UPDATES 2

/* The store is written little: small updates follow until it went round so often, or so many. */
#define STORE_ROUNDS  4
#define STORE_UPDATES 500

struct work {
    struct model model;
    const struct estimate_options *options;
    struct estimate *estimate;
    struct estimate updates[UPDATES];
    struct estimate rest;                         /* of no update */
    struct estimate_cost seen[FERRY_VCHIP_AREAS]; /* counted already */
};

/* ---- Times -------------------------------------------------------------------------------- */

double estimate_erase_ms(const struct layout_device *device, const struct estimate_options *options,
                         uint32_t sector_size)
{
    uint32_t said = options->erase_ms != 0 ? options->erase_ms : device->erase_ms;
    uint32_t pages = ferry_align_up(sector_size, ESTIMATE_ERASE_SIZE) / ESTIMATE_ERASE_SIZE;
    return said != 0 ? said : (double)pages * ESTIMATE_ERASE_MS;
}

double estimate_program_us(const struct layout_device *device,
                           const struct estimate_options *options)
{
    uint32_t said = options->program_us != 0 ? options->program_us : device->program_us;
    return said != 0 ? said : (double)device->geometry.write_size * ESTIMATE_WORD_US / 4;
}

uint32_t estimate_endurance(const struct layout_device *device,
                            const struct estimate_options *options)
{
    uint32_t said = options->endurance != 0 ? options->endurance : device->endurance;
    return said != 0 ? said : ESTIMATE_ENDURANCE;
}

/* ---- Counting ----------------------------------------------------------------------------- */

static const struct layout_device *device_of(const struct work *work, uint32_t area)
{
    const struct layout *layout = work->model.layout;
    return &layout->devices[layout->areas[area].device];
}

/* What an area's flash did since the counts began. */
static struct estimate_cost counted(const struct work *work, uint32_t area)
{
    const struct model_area *flash = &work->model.areas[area];
    const struct ferry_flash_counts *counts = &flash->counter.counts;
    const struct layout_device *device = device_of(work, area);
    struct estimate_cost cost = {.erases = counts->sectors_erased,
                                 .written = counts->bytes_programmed,
                                 .read = counts->bytes_read};
    struct ferry_flash_sector sector;

    for (uint32_t i = 0; ferry_flash_sector(&flash->counter.flash, i, &sector) == FERRY_OK; i++) {
        cost.seconds +=
            flash->wear[i] * estimate_erase_ms(device, work->options, sector.size) / 1e3;
    }
    cost.seconds += (double)cost.written / device->geometry.write_size *
                    estimate_program_us(device, work->options) / 1e6;
    if (work->options->read_kib_s != 0) {
        cost.seconds += (double)cost.read / 1024 / work->options->read_kib_s;
    }
    return cost;
}

static void add(struct estimate_cost *sum, const struct estimate_cost *cost, int sign)
{
    sum->erases += (uint32_t)sign * cost->erases;
    sum->written += (uint64_t)sign * cost->written;
    sum->read += (uint64_t)sign * cost->read;
    sum->seconds += sign * cost->seconds;
}

static void begin_counts(struct work *work)
{
    model_reset_counts(&work->model);
    memset(work->seen, 0, sizeof work->seen);
}

/* A phase of an update is over: keep what it cost since the last one. */
static void end_phase(struct work *work, struct estimate *update, enum estimate_phase phase)
{
    for (uint32_t i = 0; i < work->model.layout->area_count; i++) {
        if (work->model.areas[i].memory == NULL) {
            continue;
        }
        struct estimate_cost cost = counted(work, i);
        const struct estimate_cost now = cost;
        add(&cost, &work->seen[i], -1);
        work->seen[i] = now;
        update->areas[i].used = true;
        add(&update->areas[i].phases[phase], &cost, 1);
        add(&update->phases[phase], &cost, 1);
    }
}

static uint32_t most_worn(const struct model_area *area)
{
    uint32_t most = 0;
    for (uint32_t i = 0; i < ferry_flash_sector_count(&area->counter.flash); i++) {
        most = ferry_max32(most, area->wear[i]);
    }
    return most;
}

static uint32_t least_worn(const struct model_area *area)
{
    uint32_t least = UINT32_MAX;
    for (uint32_t i = 0; i < ferry_flash_sector_count(&area->counter.flash); i++) {
        least = ferry_min32(least, area->wear[i]);
    }
    return least;
}

/* ---- Updates ------------------------------------------------------------------------------ */

/* A whole update, and the next start of the device; update may be NULL. */
static int live_update(struct work *work, struct estimate *update)
{
    struct model *model = &work->model;
    int rc = model_upload(model);

    if (rc == FERRY_OK && update != NULL) {
        end_phase(work, update, ESTIMATE_UPLOAD);
    }
    rc = rc == FERRY_OK ? model_boot(model, true) : rc;
    rc = rc == FERRY_OK ? model_trial(model) : rc;
    rc = rc == FERRY_OK ? model_confirm(model) : rc;
    if (rc == FERRY_OK && update != NULL) {
        end_phase(work, update, ESTIMATE_INSTALL);
    }
    return rc == FERRY_OK ? model_boot(model, false) : rc;
}

/* An image that starts as often as it may and is never confirmed. */
static int live_revert(struct work *work, struct estimate *update)
{
    struct model *model = &work->model;
    uint32_t trials = model->store.flash != NULL ? model->layout->trials : 0;
    int rc = model_upload(model);

    rc = rc == FERRY_OK ? model_boot(model, true) : rc;
    rc = rc == FERRY_OK ? model_trial(model) : rc;
    begin_counts(work);
    for (uint32_t i = 1; rc == FERRY_OK && i < trials; i++) {
        rc = model_boot(model, false);
        rc = rc == FERRY_OK ? model_trial(model) : rc;
    }
    rc = rc == FERRY_OK ? model_boot(model, true) : rc;
    if (rc == FERRY_OK) {
        end_phase(work, update, ESTIMATE_REVERT);
    }
    return rc;
}

static double seconds_of(const struct estimate *update)
{
    return update->phases[ESTIMATE_UPLOAD].seconds + update->phases[ESTIMATE_INSTALL].seconds;
}

/* The device is one in the field, with an update behind it. Both slots have their turn; the update
 * that takes longer is told. */
static int live(struct work *work)
{
    struct model *model = &work->model;
    int rc = model_factory(model);

    rc = rc == FERRY_OK ? live_update(work, NULL) : rc;
    begin_counts(work);
    for (size_t i = 0; rc == FERRY_OK && i < UPDATES; i++) {
        rc = live_update(work, &work->updates[i]);
        /* The next start is of no phase. */
        end_phase(work, &work->rest, ESTIMATE_INSTALL);
    }
    *work->estimate = work->updates[seconds_of(&work->updates[1]) > seconds_of(&work->updates[0])];
    for (uint32_t i = 0; i < model->layout->area_count; i++) {
        if (model->areas[i].memory != NULL) {
            work->estimate->areas[i].wear = (double)most_worn(&model->areas[i]) / UPDATES;
        }
    }
    return rc;
}

static bool all_revert(const struct model *model)
{
    for (uint32_t i = 0; i < model->count; i++) {
        if (!model->images[i].slots.strategy->reverts) {
            return false;
        }
    }
    return true;
}

/* The store turns over its sectors once in many updates. Its records do not depend on the size of
 * images: small ones do. */
static int wear_store(struct work *work)
{
    struct model *model = &work->model;
    const struct ferry_vchip_area *area = layout_area(model->layout, "store");
    uint32_t updates = 0;
    int rc = FERRY_OK;

    if (area == NULL) {
        return FERRY_OK;
    }
    uint32_t number = (uint32_t)(area - model->layout->areas);
    for (uint32_t i = 0; i < model->count; i++) {
        model->slots[i].size = model->images[i].first != NULL
                                   ? FERRY_VCHIP_FIRST_HEADER + MODEL_FIRST_MIN + MODEL_IMAGE_MIN
                                   : MODEL_IMAGE_MIN;
    }
    begin_counts(work);
    while (rc == FERRY_OK && updates < STORE_UPDATES &&
           least_worn(&model->areas[number]) < STORE_ROUNDS) {
        rc = live_update(work, NULL);
        updates++;
    }
    work->estimate->store_updates = updates;
    work->estimate->areas[number].wear =
        (double)most_worn(&model->areas[number]) / (updates > 0 ? updates : 1);
    return rc;
}

/* ---- The whole ---------------------------------------------------------------------------- */

/* How long each area lasts, and which is the first to go. */
static void judge_wear(struct work *work)
{
    struct estimate *estimate = work->estimate;

    estimate->hottest = FERRY_VCHIP_NO_AREA;
    for (uint32_t i = 0; i < work->model.layout->area_count; i++) {
        struct estimate_area *area = &estimate->areas[i];
        double updates = 0;

        area->updates = UINT32_MAX;
        if (area->wear > 0) {
            updates = estimate_endurance(device_of(work, i), work->options) / area->wear;
            area->updates = updates < UINT32_MAX ? (uint32_t)updates : UINT32_MAX;
        }
        if (area->updates != UINT32_MAX &&
            (estimate->hottest == FERRY_VCHIP_NO_AREA ||
             area->updates < estimate->areas[estimate->hottest].updates)) {
            estimate->hottest = i;
        }
    }
}

static int set_sizes(struct work *work, const uint32_t sizes[FERRY_VCHIP_IMAGES])
{
    struct model *model = &work->model;

    for (uint32_t i = 0; i < model->count; i++) {
        struct model_slots *slots = &model->slots[i];
        if (sizes[slots->number] > slots->size) {
            return FERRY_E_TOO_LARGE;
        }
        slots->size = sizes[slots->number] != 0 ? sizes[slots->number] : slots->size;
    }
    return FERRY_OK;
}

int estimate_updates(const struct layout *layout, uint32_t mask,
                     const uint32_t sizes[FERRY_VCHIP_IMAGES],
                     const struct estimate_options *options, struct estimate *estimate)
{
    struct work *work = calloc(1, sizeof *work);
    *estimate = (struct estimate){.what = "making the device"};
    if (work == NULL) {
        return FERRY_E_SPACE;
    }
    work->options = options;
    work->estimate = estimate;
    int rc = model_open(&work->model, layout, mask);
    rc = rc == FERRY_OK ? set_sizes(work, sizes) : rc;
    rc = rc == FERRY_OK ? live(work) : rc;
    estimate->reverts = all_revert(&work->model);
    if (rc == FERRY_OK && estimate->reverts) {
        rc = live_revert(work, estimate);
    }
    rc = rc == FERRY_OK ? wear_store(work) : rc;
    judge_wear(work);
    estimate->what = work->model.what;
    model_close(&work->model);
    free(work);
    return rc;
}
