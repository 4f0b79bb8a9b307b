/* SPDX-License-Identifier: Apache-2.0 */
/* The report as JSON. */
#include "report.h"

#include "cli/cli.h"

static cJSON *add_object(cJSON *parent, const char *key)
{
    return cJSON_AddObjectToObject(parent, key);
}

static void add_number(cJSON *object, const char *key, double value)
{
    (void)cJSON_AddNumberToObject(object, key, value);
}

/* ---- Slots ------------------------------------------------------------------------------- */

static cJSON *area_of(const struct report *report, uint32_t number)
{
    const struct ferry_vchip_area *area = &report->layout->areas[number];
    cJSON *object = cJSON_CreateObject();
    struct ferry_flash_slice slice;

    cJSON_AddStringToObject(object, "area", area->name);
    cJSON_AddStringToObject(object, "device", report->layout->devices[area->device].name);
    add_number(object, "offset", area->offset);
    add_number(object, "size", area->size);
    cJSON *sectors = cJSON_AddArrayToObject(object, "sectors");
    if (layout_area_open(report->layout, number, NULL, &slice) == FERRY_OK) {
        for (uint8_t i = 0; i < slice.flash.run_count; i++) {
            cJSON *run = cJSON_CreateObject();
            add_number(run, "count", slice.flash.runs[i].count);
            add_number(run, "size", slice.flash.runs[i].size);
            cJSON_AddItemToArray(sectors, run);
        }
    }
    return object;
}

static void add_slots(const struct report *report, const struct report_image *image, cJSON *object)
{
    const struct ferry_vchip_image *areas = &report->layout->images[image->number];
    const uint32_t numbers[2] = {areas->primary, areas->secondary};
    cJSON *slots = cJSON_AddArrayToObject(object, "slots");

    for (uint32_t i = 0; i < 2 && numbers[i] != FERRY_VCHIP_NO_AREA; i++) {
        cJSON *slot = area_of(report, numbers[i]);
        add_number(slot, "slot", i);
        add_number(slot, "trailer", report->layout->areas[numbers[i]].size - image->room.trailer);
        cJSON_AddItemToArray(slots, slot);
    }
    if (areas->scratch != FERRY_VCHIP_NO_AREA) {
        cJSON_AddItemToObject(object, "scratch", area_of(report, areas->scratch));
    }
}

/* ---- Updates ----------------------------------------------------------------------------- */

static void add_cost(cJSON *object, const struct estimate_cost *cost)
{
    add_number(object, "erases", cost->erases);
    add_number(object, "written", (double)cost->written);
    add_number(object, "read", (double)cost->read);
    add_number(object, "seconds", cost->seconds);
}

static void add_phase(const struct report *report, const struct estimate *estimate, int phase,
                      cJSON *update)
{
    cJSON *object = add_object(update, report_phases[phase]);
    add_cost(object, &estimate->phases[phase]);
    cJSON *areas = add_object(object, "areas");
    for (uint32_t i = 0; i < report->layout->area_count; i++) {
        if (estimate->areas[i].used) {
            add_cost(add_object(areas, report->layout->areas[i].name),
                     &estimate->areas[i].phases[phase]);
        }
    }
}

static void add_wear(const struct report *report, const struct estimate *estimate, cJSON *object)
{
    cJSON *wear = add_object(object, "wear");
    if (estimate->hottest != FERRY_VCHIP_NO_AREA) {
        const struct estimate_area *hottest = &estimate->areas[estimate->hottest];
        cJSON_AddStringToObject(wear, "hottest", report->layout->areas[estimate->hottest].name);
        add_number(wear, "erases_per_update", hottest->wear);
        add_number(wear, "updates", hottest->updates);
    }
    cJSON *areas = add_object(wear, "areas");
    for (uint32_t i = 0; i < report->layout->area_count; i++) {
        const struct estimate_area *area = &estimate->areas[i];
        const struct ferry_vchip_area *named = &report->layout->areas[i];
        if (!area->used) {
            continue;
        }
        cJSON *one = add_object(areas, named->name);
        add_number(one, "erases_per_update", area->wear);
        add_number(one, "endurance",
                   estimate_endurance(&report->layout->devices[named->device], &report->options));
        if (area->updates != UINT32_MAX) {
            add_number(one, "updates", area->updates);
        }
    }
}

static void add_estimate(const struct report *report, const struct estimate *estimate,
                         cJSON *object)
{
    cJSON *update = add_object(object, "update");
    add_number(update, "seconds", report_seconds(estimate));
    for (int phase = 0; phase < ESTIMATE_PHASES; phase++) {
        if (phase != ESTIMATE_REVERT || estimate->reverts) {
            add_phase(report, estimate, phase, update);
        }
    }
    add_wear(report, estimate, object);
}

static cJSON *image_of(const struct report *report, const struct report_image *image)
{
    const struct room *room = &image->room;
    cJSON *object = cJSON_CreateObject();

    add_number(object, "image", image->number);
    cJSON_AddStringToObject(object, "strategy", room->strategy->name);
    add_number(object, "max_image_size", room->max_image);
    add_number(object, "limit", room->limit);
    if (room->limited_by != NULL) {
        cJSON_AddStringToObject(object, "limited_by", room->limited_by);
    }
    add_number(object, "header_size", report->header_size);
    add_number(object, "max_firmware", report_payload(report, room));
    add_number(object, "trailer_size", room->trailer);
    add_number(object, "trailer_sectors", room->sectors);
    add_number(object, "spare", room->spare);
    add_slots(report, image, object);
    add_number(object, "size", image->size);
    add_estimate(report, &image->estimate, object);
    return object;
}

/* ---- The whole --------------------------------------------------------------------------- */

static void add_times(const struct report *report, cJSON *object)
{
    cJSON *list = cJSON_AddArrayToObject(object, "flash");
    for (uint32_t i = 0; i < report->layout->device_count; i++) {
        const struct layout_device *device = &report->layout->devices[i];
        cJSON *one = cJSON_CreateObject();
        cJSON_AddStringToObject(one, "name", device->name);
        add_number(one, "erase_ms",
                   estimate_erase_ms(device, &report->options, device->geometry.runs[0].size));
        add_number(one, "program_us", estimate_program_us(device, &report->options));
        add_number(one, "endurance", estimate_endurance(device, &report->options));
        cJSON_AddItemToArray(list, one);
    }
    if (report->options.read_kib_s != 0) {
        add_number(object, "read_kib_s", report->options.read_kib_s);
    }
}

void report_print_json(const struct report *report)
{
    cJSON *object = cJSON_CreateObject();
    cJSON_AddStringToObject(object, "layout", report->path);
    cJSON *images = cJSON_AddArrayToObject(object, "images");
    for (uint32_t i = 0; i < report->count; i++) {
        cJSON_AddItemToArray(images, image_of(report, &report->images[i]));
    }
    if (report->has_set) {
        add_estimate(report, &report->set, add_object(object, "set"));
    }
    add_times(report, object);
    bool store = layout_area(report->layout, "store") != NULL;
    cJSON_AddBoolToObject(object, "store", store);
    if (!store) {
        cJSON *lacks = cJSON_AddArrayToObject(object, "lacks");
        for (const char *const *line = report_without_store; *line != NULL; line++) {
            cJSON_AddItemToArray(lacks, cJSON_CreateString(*line));
        }
    }
    cli_print_json(object);
}
