/* SPDX-License-Identifier: Apache-2.0 */
/* The flows of two images that change as one. */
#include "fault_job.h"

#include <stdio.h>
#include <stdlib.h>

/* How often an application tries what answered an error. */
#define TRIES 2

#define BOTH 3U

static void must(bool done, const char *what)
{
    if (!done) {
        fprintf(stderr, "faults: setting up: %s does not work\n", what);
        abort();
    }
}

/* ---- Putting into place ---------------------------------------------------------------------- */

static void load(struct fault_life *life, uint32_t image, uint32_t slot, enum fault_picture_id id)
{
    uint32_t first = image == 0 ? FAULT_PRIMARY : FAULT_PRIMARY_2;
    struct fault_area *area = &life->chip->areas[first + slot];
    const struct fault_picture *picture =
        image == 0 ? &life->job->pictures[id] : &life->job->others[id];
    uint32_t at = slot == 0 ? 0 : ferry_slots_upload_offset(&life->machine->images[image].slots);

    fault_chip_erase(area, 0, area->flash.size);
    fault_chip_poke(area, at, slot == 0 ? picture->bytes : picture->stored, picture->size);
}

/* Before the first boot an application finds the slots as they are, and opens the store itself. */
static void start_app(struct fault_life *life)
{
    struct fault_machine *machine = life->machine;

    must(ferry_store_open(&machine->store, &life->chip->areas[FAULT_STORE].flash) == FERRY_OK,
         "the store");
    for (uint32_t i = 0; i < FAULT_IMAGES; i++) {
        machine->apps[i] = machine->images[i].slots;
        machine->apps[i].store = &machine->store;
    }
}

void fault_set_setup_old(struct fault_life *life)
{
    for (uint32_t i = 0; i < FAULT_IMAGES; i++) {
        load(life, i, 0, FAULT_OLD);
    }
    start_app(life);
    life->confirmed = FAULT_OLD;
}

void fault_set_setup_upload(struct fault_life *life)
{
    fault_set_setup_old(life);
    for (uint32_t i = 0; i < FAULT_IMAGES; i++) {
        load(life, i, 1, FAULT_NEW);
    }
    life->candidate = FAULT_NEW;
}

static void request(struct fault_life *life, bool permanent)
{
    must(ferry_set_request(life->machine->apps, FAULT_IMAGES, BOTH, permanent) == FERRY_OK,
         "the request");
    life->asked = true;
}

void fault_set_setup_test(struct fault_life *life)
{
    fault_set_setup_upload(life);
    request(life, false);
}

void fault_set_setup_permanent(struct fault_life *life)
{
    fault_set_setup_upload(life);
    request(life, true);
}

/* By an application that does not know of sets. */
void fault_set_setup_one_by_one(struct fault_life *life)
{
    fault_set_setup_upload(life);
    for (uint32_t i = 0; i < FAULT_IMAGES; i++) {
        must(ferry_slots_set_pending(&life->machine->apps[i], false) == FERRY_OK, "the request");
    }
    life->asked = true;
}

void fault_set_setup_trial(struct fault_life *life)
{
    fault_set_setup_test(life);
    must(fault_life_boot(life) && life->on_trial, "the first boot of a trial");
    life->ran_candidate = true;
}

void fault_set_setup_bad(struct fault_life *life)
{
    fault_set_setup_upload(life);
    load(life, 1, 1, FAULT_BAD);
    life->candidate = -1;
    request(life, false);
}

/* Image 0 alone: it needs the other one as new. */
void fault_set_setup_unmet(struct fault_life *life)
{
    fault_set_setup_upload(life);
    life->candidate = -1;
    must(ferry_slots_set_pending(&life->machine->apps[0], false) == FERRY_OK, "the request");
}

/* ---- Applications ---------------------------------------------------------------------------- */

/* What goes wrong here costs a trial at most. */
static void mark(struct fault_life *life)
{
    life->ran_candidate = true;
    if (ferry_set_started(life->machine->apps, FAULT_IMAGES) != FERRY_OK && life->verbose) {
        printf("    the mark did not take\n");
    }
}

enum fault_app fault_set_app_rests(struct fault_life *life)
{
    if (life->on_trial) {
        mark(life);
    }
    return FAULT_RESTS;
}

/* It never confirms, but for one image that confirms itself: that does not count. */
enum fault_app fault_set_app_hangs(struct fault_life *life)
{
    if (!life->on_trial) {
        return FAULT_RESTS;
    }
    mark(life);
    if (life->machine->report.images[1].action != FERRY_BOOT_REFUSED &&
        ferry_slots_confirm(&life->machine->apps[1]) != FERRY_OK && life->verbose) {
        printf("    image 1 was not confirmed\n");
    }
    return FAULT_HANGS;
}

static void settle(struct fault_life *life)
{
    life->accepted = true;
    life->confirmed = life->candidate;
    life->asked = false;
}

enum fault_app fault_set_app_confirms(struct fault_life *life)
{
    int rc = FERRY_E_FLASH;

    if (!life->on_trial) {
        return FAULT_RESTS;
    }
    if (!fault_life_runs(life, life->candidate)) {
        return FAULT_RESETS;
    }
    mark(life);
    for (int i = 0; i < TRIES && rc != FERRY_OK; i++) {
        rc = ferry_set_confirm(life->machine->apps, FAULT_IMAGES);
    }
    if (rc == FERRY_OK) {
        settle(life);
    }
    return FAULT_RESETS;
}

/* It confirms image 0 alone, in its trailer, and marks no trial. */
enum fault_app fault_set_app_foreign(struct fault_life *life)
{
    if (!life->on_trial) {
        return FAULT_RESTS;
    }
    if (!fault_life_runs(life, life->candidate)) {
        return FAULT_RESETS;
    }
    life->ran_candidate = true;
    if (ferry_slots_confirm(&life->machine->apps[0]) == FERRY_OK) {
        settle(life);
    }
    return FAULT_RESETS;
}

/* Whether both images to be asked for are there still. */
static bool are_there(const struct fault_life *life)
{
    bool there = true;

    for (uint32_t i = 0; i < FAULT_IMAGES; i++) {
        struct ferry_flash_slice view;
        struct ferry_image_info info;

        there = there && ferry_slots_view(&life->machine->apps[i], 1, &view, NULL) == FERRY_OK &&
                ferry_image_inspect(&view.flash, &info) == FERRY_OK;
    }
    return there;
}

/* Boots after which an application does not try again. */
#define GIVES_UP 4

/* Step 0: the request is to be made. Where the flash does not take it, it is given up. */
enum fault_app fault_set_app_asks(struct fault_life *life)
{
    if (life->step > 0 || life->on_trial || !fault_life_runs(life, FAULT_OLD)) {
        return fault_set_app_rests(life);
    }
    if (!are_there(life) || life->boots > GIVES_UP) {
        life->step = 1;
        return FAULT_RESTS;
    }
    if (ferry_set_request(life->machine->apps, FAULT_IMAGES, BOTH, false) == FERRY_OK) {
        life->step = 1;
        life->asked = true;
        life->requests++;
    }
    return FAULT_RESETS;
}

/* ---- Over the wire ----------------------------------------------------------------------------
 */

/* Upload both and mark both, image by image, as a client that does not know of sets. Where only one
 * of them was marked, its dependency is not met. */
static void send_both(struct fault_life *life)
{
    bool sent = true;

    for (uint32_t i = 0; i < FAULT_IMAGES && life->erase_first; i++) {
        sent = fault_client_erase_of(life, i) && sent;
    }
    life->erase_first = life->erase_first && !sent;
    sent = true;
    for (uint32_t i = 0; i < FAULT_IMAGES && sent; i++) {
        sent = fault_client_upload_of(life, i, FAULT_NEW);
    }
    if (!sent) {
        return;
    }
    for (uint32_t i = 0; i < FAULT_IMAGES && sent; i++) {
        sent = fault_client_test_of(life, i, FAULT_NEW);
    }
    life->asked = sent;
    life->erase_first = !sent;
    life->requests += sent ? 1 : 0;
}

enum fault_app fault_set_app_uploads(struct fault_life *life)
{
    life->candidate = FAULT_NEW;
    if (!fault_life_runs(life, FAULT_NEW)) {
        life->ran_candidate = false;
        send_both(life);
        return FAULT_RESETS;
    }
    if (!life->on_trial) {
        settle(life);
        return FAULT_RESTS;
    }
    mark(life);
    if (fault_client_confirm(life)) {
        settle(life);
    }
    return FAULT_RESETS;
}
