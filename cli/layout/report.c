/* SPDX-License-Identifier: Apache-2.0 */
#include "report.h"

#include <stdio.h>

const char *const report_phases[ESTIMATE_PHASES] = {"upload", "install", "revert"};

const char *const report_without_store[] = {
    "the boot report: `ferry why` has nothing to tell",
    "trials: an image that is not confirmed has one boot, also when the power fails in it",
    "a second place for the confirm, should its unit of flash be bad",
    "security counters and lowest versions that outlive the image they came with",
    "keys that are revoked or added later",
    "image sets",
    NULL,
};

uint32_t report_payload(const struct report *report, const struct room *room)
{
    uint32_t around = report->header_size + REPORT_TLVS;
    return room->limit > around ? room->limit - around : 0;
}

double report_seconds(const struct estimate *estimate)
{
    return estimate->phases[ESTIMATE_UPLOAD].seconds + estimate->phases[ESTIMATE_INSTALL].seconds;
}

/* ---- Slots ------------------------------------------------------------------------------- */

static void print_area(const struct report *report, const char *role, uint32_t number)
{
    struct ferry_flash_slice slice;
    if (number == FERRY_VCHIP_NO_AREA ||
        layout_area_open(report->layout, number, NULL, &slice) != FERRY_OK) {
        return;
    }
    const struct ferry_vchip_area *area = &report->layout->areas[number];
    printf("  %-9s %s, at 0x%x of %s: %u bytes,", role, area->name, (unsigned)area->offset,
           report->layout->devices[area->device].name, (unsigned)area->size);
    for (uint8_t i = 0; i < slice.flash.run_count; i++) {
        printf("%s %u sectors of %u", i > 0 ? " and" : "", (unsigned)slice.flash.runs[i].count,
               (unsigned)slice.flash.runs[i].size);
    }
    putchar('\n');
}

static void print_room(const struct report *report, const struct room *room)
{
    char text[ROOM_TEXT_MAX];
    room_text(room, text);
    printf(
        "  largest   an image of %u bytes: with a header of %u and one ecdsa-p256 signature %u of "
        "firmware\n            (%s)\n",
        (unsigned)room->limit, (unsigned)report->header_size,
        (unsigned)report_payload(report, room), text);
    printf("  trailer   %u bytes, from 0x%x on in a slot of %u\n", (unsigned)room->trailer,
           (unsigned)(room->slot - room->trailer), (unsigned)room->slot);
}

/* ---- Updates ----------------------------------------------------------------------------- */

static void print_phases(const struct estimate *estimate)
{
    for (int phase = 0; phase < ESTIMATE_PHASES; phase++) {
        const struct estimate_cost *cost = &estimate->phases[phase];
        if (phase == ESTIMATE_REVERT && !estimate->reverts) {
            continue;
        }
        printf("  %-9s %6u erases %10llu bytes written %11llu read %8.1f s\n", report_phases[phase],
               (unsigned)cost->erases, (unsigned long long)cost->written,
               (unsigned long long)cost->read, cost->seconds);
    }
}

static void print_wear(const struct report *report, const struct estimate *estimate)
{
    for (uint32_t i = 0; i < report->layout->area_count; i++) {
        const struct estimate_area *area = &estimate->areas[i];
        const struct ferry_vchip_area *named = &report->layout->areas[i];
        if (!area->used || area->updates == UINT32_MAX) {
            continue;
        }
        printf(
            "  %-9s %s: %.4g erases of its hottest sector an update, %u updates until %u%s\n",
            "wear", named->name, area->wear, (unsigned)area->updates,
            (unsigned)estimate_endurance(&report->layout->devices[named->device], &report->options),
            i == estimate->hottest && report->layout->area_count > 1 ? " (the first to go)" : "");
    }
}

/* ---- What it was computed with ------------------------------------------------------------- */

static void print_times(const struct report *report)
{
    for (uint32_t i = 0; i < report->layout->device_count; i++) {
        const struct layout_device *device = &report->layout->devices[i];
        printf("%s: %g ms an erase of %u bytes, %g us a write unit of %u\n", device->name,
               estimate_erase_ms(device, &report->options, device->geometry.runs[0].size),
               (unsigned)device->geometry.runs[0].size,
               estimate_program_us(device, &report->options),
               (unsigned)device->geometry.write_size);
    }
    if (report->options.read_kib_s != 0) {
        printf("reads: %u KiB a second\n", (unsigned)report->options.read_kib_s);
    }
    printf(
        "Seconds are those of erases and writes%s; the line and the processor come on top. Where "
        "neither\nthe command line nor the layout says times they are an nRF52840's: %u ms a "
        "page of %u bytes, %u us\na word of 4.\n",
        report->options.read_kib_s != 0 ? " and reads" : "", ESTIMATE_ERASE_MS, ESTIMATE_ERASE_SIZE,
        ESTIMATE_WORD_US);
}

static void print_lacks(const struct report *report)
{
    if (layout_area(report->layout, "store") != NULL) {
        return;
    }
    puts("\nWithout an area \"store\" the device has not:");
    for (const char *const *line = report_without_store; *line != NULL; line++) {
        printf("  - %s\n", *line);
    }
}

void report_print(const struct report *report)
{
    for (uint32_t i = 0; i < report->count; i++) {
        const struct report_image *image = &report->images[i];
        const struct ferry_vchip_image *areas = &report->layout->images[image->number];
        printf("image %u: %s; the slots suit it\n", (unsigned)image->number, areas->strategy);
        print_area(report, "primary", areas->primary);
        print_area(report, "secondary", areas->secondary);
        print_area(report, "scratch", areas->scratch);
        print_room(report, &image->room);
        printf("  update    by an image of %u bytes: %.1f s\n", (unsigned)image->size,
               report_seconds(&image->estimate));
        print_phases(&image->estimate);
        print_wear(report, &image->estimate);
        putchar('\n');
    }
    if (report->has_set) {
        printf("all images in one update, as a set: %.1f s\n", report_seconds(&report->set));
        print_phases(&report->set);
        print_wear(report, &report->set);
        putchar('\n');
    }
    print_times(report);
    print_lacks(report);
}
