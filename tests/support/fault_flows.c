/* SPDX-License-Identifier: Apache-2.0 */
/* The flows under fault: what is in the slots at first, and what application and client do. */
#include "fault_job.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* How often an application tries what answered an error. */
#define TRIES 2

static void must(bool done, const char *what)
{
    if (!done) {
        fprintf(stderr, "faults: setting up: %s does not work\n", what);
        abort();
    }
}

static bool in_place(const struct fault_life *life)
{
    return life->job->strategy->traits->in_place;
}

/* ---- Putting into place ---------------------------------------------------------------------- */

void fault_load(struct fault_life *life, uint32_t slot, enum fault_picture_id id)
{
    struct fault_area *area = &life->chip->areas[slot == 0 ? FAULT_PRIMARY : FAULT_SECONDARY];
    const struct fault_picture *picture = &life->job->pictures[id];
    uint32_t at = slot == 0 || in_place(life)
                      ? 0
                      : ferry_slots_upload_offset(&life->machine->images[0].slots);

    fault_chip_erase(area, 0, area->flash.size);
    fault_chip_poke(area, at, slot == 0 && !in_place(life) ? picture->bytes : picture->stored,
                    picture->size);
}

/* What an application is told when it starts: before the first boot the slots as they are. */
static const struct ferry_slots *slots_of(const struct fault_life *life)
{
    return &life->machine->apps[0];
}

static void setup_old(struct fault_life *life)
{
    life->machine->apps[0] = life->machine->images[0].slots;
    fault_load(life, 0, FAULT_OLD);
    life->confirmed = FAULT_OLD;
}

static void setup_upload(struct fault_life *life)
{
    setup_old(life);
    fault_load(life, 1, FAULT_NEW);
    life->candidate = FAULT_NEW;
}

/* Where the strategy takes no requests, the image being there is one. */
static void request(struct fault_life *life, bool permanent)
{
    int rc = ferry_slots_set_pending(slots_of(life), permanent);

    must(rc == FERRY_OK || rc == FERRY_E_UNSUPPORTED, "the request");
    life->asked = true;
}

static void setup_test(struct fault_life *life)
{
    setup_upload(life);
    request(life, false);
}

static void setup_permanent(struct fault_life *life)
{
    setup_upload(life);
    request(life, true);
}

static void setup_trial(struct fault_life *life)
{
    setup_test(life);
    must(fault_life_boot(life) && life->on_trial, "the first boot of a trial");
    life->ran_candidate = true;
}

static void setup_refused(struct fault_life *life)
{
    setup_upload(life);
    fault_load(life, 1, FAULT_BAD);
    life->candidate = -1;
    request(life, false);
}

/* Where an image runs from its own slot, none runs that nobody asked for. */
static void request_in_place(struct fault_life *life)
{
    if (in_place(life)) {
        request(life, true);
    }
}

static void setup_empty(struct fault_life *life)
{
    struct fault_area *primary = &life->chip->areas[FAULT_PRIMARY];

    setup_upload(life);
    request_in_place(life);
    life->confirmed = -1;
    fault_chip_erase(primary, 0, primary->flash.size);
}

static void damage(struct fault_life *life)
{
    struct fault_area *primary = &life->chip->areas[FAULT_PRIMARY];
    uint8_t byte = (uint8_t)(primary->memory[40] ^ 0x80);

    life->confirmed = -1;
    fault_chip_poke(primary, 40, &byte, 1);
}

static void setup_damaged(struct fault_life *life)
{
    setup_upload(life);
    request_in_place(life);
    damage(life);
}

static void setup_single_damaged(struct fault_life *life)
{
    setup_old(life);
    damage(life);
}

/* ---- Applications ---------------------------------------------------------------------------- */

static int try_confirm(struct fault_life *life)
{
    int rc = FERRY_E_FLASH;

    for (int i = 0; i < TRIES && rc != FERRY_OK; i++) {
        rc = ferry_slots_confirm(slots_of(life));
    }
    return rc;
}

/* The firmware has started and says so. What goes wrong here costs a trial at most. */
static void mark(struct fault_life *life)
{
    life->ran_candidate = true;
    if (ferry_trial_started(slots_of(life)) != FERRY_OK && life->verbose) {
        printf("    the mark did not take\n");
    }
}

static enum fault_app app_rests(struct fault_life *life)
{
    if (life->on_trial) {
        mark(life);
    }
    return FAULT_RESTS;
}

/* It never confirms: the watchdog bites. Without a mark it hangs before it can say anything. */
static enum fault_app app_hangs(struct fault_life *life)
{
    if (!life->on_trial) {
        return FAULT_RESTS;
    }
    life->ran_candidate = true;
    return FAULT_HANGS;
}

static enum fault_app app_hangs_marked(struct fault_life *life)
{
    if (!life->on_trial) {
        return FAULT_RESTS;
    }
    mark(life);
    return FAULT_HANGS;
}

/* What was the candidate is the confirmed image from now on. */
static void settle(struct fault_life *life)
{
    life->accepted = true;
    life->confirmed = life->candidate;
    life->asked = false;
}

/* On trial: mark and confirm, then see that it stays. Where a revert stopped half way the old image
 * may run meanwhile; it has nothing to confirm. */
static enum fault_app confirm_trial(struct fault_life *life, bool by_wire)
{
    if (!fault_life_runs(life, life->candidate)) {
        return FAULT_RESETS;
    }
    mark(life);

    bool done = by_wire ? fault_client_confirm(life) : try_confirm(life) == FERRY_OK;

    if (done) {
        settle(life);
    }
    return FAULT_RESETS;
}

static enum fault_app app_confirms(struct fault_life *life)
{
    return life->on_trial ? confirm_trial(life, false) : FAULT_RESTS;
}

/* A trailer that cannot be repaired: the slot is erased and the image uploaded again. */
static void start_over(struct fault_life *life)
{
    if (fault_client_erase(life)) {
        (void)fault_client_upload(life, FAULT_NEW);
    }
}

/* Whether the image to be asked for is there still: a boot may have thrown it away together with a
 * request that was damaged. */
static bool is_there(const struct fault_life *life)
{
    const struct ferry_slots *slots = slots_of(life);
    struct ferry_flash_slice view;
    struct ferry_image_info info;

    return ferry_slots_view(slots, slots->active == 0 ? 1 : 0, &view, NULL) == FERRY_OK &&
           ferry_image_inspect(&view.flash, &info) == FERRY_OK;
}

/* Ask for a test, and raise it to permanent or withdraw it in the same run. Returns whether all
 * of it is done. */
static bool ask(struct fault_life *life, bool raise, bool cancel)
{
    const struct ferry_slots *slots = slots_of(life);
    int rc = is_there(life) ? ferry_slots_set_pending(slots, false) : FERRY_E_STATE;

    life->requests += rc == FERRY_OK ? 1 : 0;
    if (rc == FERRY_OK && raise) {
        rc = ferry_slots_set_pending(slots, true);
    }
    if (rc == FERRY_OK && cancel) {
        rc = ferry_slots_cancel(slots);
    }
    if (rc == FERRY_E_STATE) {
        start_over(life);
    }
    return rc == FERRY_OK;
}

/* Step 0: the request is to be made. */
static enum fault_app app_asks(struct fault_life *life)
{
    if (life->step > 0 || life->on_trial || !fault_life_runs(life, FAULT_OLD)) {
        return app_rests(life);
    }
    if (ask(life, false, false)) {
        life->step = 1;
        life->asked = true;
    }
    return FAULT_RESETS;
}

/* A test is asked for, and raised to permanent before any boot. A trial that a cut let begin in
 * between is confirmed. */
static enum fault_app app_raises(struct fault_life *life)
{
    if (life->on_trial) {
        return confirm_trial(life, false);
    }
    if (!fault_life_runs(life, FAULT_OLD) || life->step > 0) {
        return FAULT_RESTS;
    }
    if (ask(life, true, false)) {
        life->step = 1;
        life->asked = true;
    }
    return FAULT_RESETS;
}

/* Boots after which an application does not try again. */
#define GIVES_UP 4

/* A request is made and withdrawn. A trial that a cut let begin in between runs out. */
static enum fault_app app_cancels(struct fault_life *life)
{
    if (life->on_trial) {
        return app_hangs_marked(life);
    }
    if (life->step > 0 || life->ran_candidate) {
        return FAULT_RESTS;
    }
    /* Where the flash does not take it, it is given up after a while. */
    if (ask(life, false, true) || life->boots > GIVES_UP) {
        life->step = 1;
    }
    return FAULT_RESETS;
}

/* The other slot is erased over the wire. */
static enum fault_app app_erases(struct fault_life *life)
{
    if (life->step > 0) {
        return FAULT_RESTS;
    }
    if (fault_client_erase(life)) {
        life->step = 1;
    }
    return FAULT_RESETS;
}

/* The new image confirms itself; then somebody tries to have older ones run. */
static enum fault_app app_is_attacked(struct fault_life *life)
{
    if (life->on_trial) {
        return confirm_trial(life, false);
    }
    if (!life->accepted && fault_life_runs(life, life->candidate)) {
        mark(life);
        settle(life);
    }
    return life->accepted ? fault_policy_attack(life) : FAULT_RESTS;
}

/* Where the image being there is all the request there is. */
static bool takes_no_request(const struct fault_life *life)
{
    const struct ferry_strategy_traits *traits = life->job->strategy->traits;

    return traits->slot_count == 1 || (traits->in_place && !traits->reverts);
}

/* Upload a picture, ask for it, see it run, confirm it. Returns whether it is there for good. */
static bool update(struct fault_life *life, enum fault_picture_id id, enum fault_app *app)
{
    *app = FAULT_RESETS;
    if (fault_life_runs(life, (int)id)) {
        if (life->on_trial) {
            *app = confirm_trial(life, true);
            return false;
        }
        life->candidate = (int)id;
        settle(life);
        return true;
    }
    life->candidate = (int)id;
    life->accepted = false;
    life->ran_candidate = false;
    if (life->erase_first && fault_client_erase(life)) {
        life->erase_first = false;
    }
    if (fault_client_upload(life, id)) {
        life->asked = takes_no_request(life) || fault_client_test(life, id);
        life->erase_first = !life->asked;
        life->requests += life->asked ? 1 : 0;
    }
    return false;
}

static enum fault_app app_uploads(struct fault_life *life)
{
    enum fault_app app;

    return update(life, FAULT_NEW, &app) ? FAULT_RESTS : app;
}

/* A whole life: an update, and the next one after it. */
static enum fault_app app_lives(struct fault_life *life)
{
    enum fault_app app;

    if (life->step == 0 && update(life, FAULT_NEW, &app)) {
        life->step = 1;
    }
    if (life->step == 0) {
        return app;
    }
    return update(life, FAULT_NEXT, &app) ? FAULT_RESTS : app;
}

/* ---- Recovery -------------------------------------------------------------------------------- */

/* In recovery, whether an image runs or not: a picture to where an upload's number leads, until it
 * runs for good. */
static enum fault_app recover(struct fault_life *life, uint32_t number, bool request)
{
    life->candidate = FAULT_NEW;
    if (fault_life_runs(life, FAULT_NEW) && !life->on_trial) {
        settle(life);
        return FAULT_RESTS;
    }
    life->asked = fault_client_recover(life, FAULT_NEW, number, request);
    life->requests += life->asked ? 1 : 0;
    return FAULT_RESETS;
}

static enum fault_app app_recovers(struct fault_life *life)
{
    return recover(life, 0, false);
}

/* By recovery, and then somebody plants an older image: it does not run, and the next upload
 * brings the device back. A store that takes nothing for ever knows of nothing: docs/BOOT.md. */
static enum fault_app app_is_planted(struct fault_life *life)
{
    enum fault_app app = recover(life, 0, false);

    if (app != FAULT_RESTS || life->step >= 2 || fault_policy_store_is_dead(life)) {
        return app;
    }
    fault_load(life, 0, life->step == 0 ? FAULT_LOW : FAULT_OLD);
    life->step++;
    return FAULT_RESETS;
}

static enum fault_app app_recovers_primary(struct fault_life *life)
{
    return recover(life, 1, false);
}

static enum fault_app app_recovers_secondary(struct fault_life *life)
{
    return recover(life, 2, true);
}

/* What does not verify is refused, and nothing is lost by it. */
static enum fault_app app_is_refused(struct fault_life *life)
{
    if (life->step > 0) {
        return FAULT_RESTS;
    }
    if (fault_client_recover(life, FAULT_BAD, 0, false)) {
        fault_life_fail(life, FAULT_VERIFIED, "recovery took an image that does not verify");
    }
    life->step = 1;
    return FAULT_RESETS;
}

/* Older images and one with a lower counter, sent to recovery once the new one is confirmed: to
 * wherever it puts them, and over the only good one. Then the new one again, for a way out. */
static enum fault_app app_attacks_recovery(struct fault_life *life)
{
    static const struct {
        enum fault_picture_id picture;
        uint32_t number;
    } attacks[] = {{FAULT_OLD, 0}, {FAULT_LOW, 0}, {FAULT_OLD, 1}, {FAULT_LOW, 1}};

    if (life->on_trial) {
        return confirm_trial(life, false);
    }
    if (!life->accepted && fault_life_runs(life, life->candidate)) {
        mark(life);
        settle(life);
        return FAULT_RESETS; /* the boot that finds it confirmed keeps what it demands */
    }
    if (!life->accepted || (life->running != 0 && !fault_policy_is_at_rest(life))) {
        return FAULT_RESTS;
    }
    if (life->step < sizeof(attacks) / sizeof(attacks[0])) {
        if (fault_client_recover(life, attacks[life->step].picture, attacks[life->step].number,
                                 false)) {
            fault_life_fail(life, FAULT_DOWNGRADE, "recovery took an older image");
        }
        life->step++;
        return FAULT_RESETS;
    }
    return fault_life_runs(life, FAULT_NEW) ? FAULT_RESTS : recover(life, 0, false);
}

/* Nothing in any slot: what a device without an image, or after a bad one, begins with. */
static void setup_nothing(struct fault_life *life)
{
    life->machine->apps[0] = life->machine->images[0].slots;
    life->confirmed = -1;
    life->candidate = FAULT_NEW;
}

/* ---- Rows ------------------------------------------------------------------------------------ */

#define REVERT  FAULT_NEEDS_REVERT
#define REQUEST FAULT_NEEDS_REQUEST
#define SINGLE  FAULT_NEEDS_SINGLE
#define SET     FAULT_NEEDS_SET
#define NEEDS   FAULT_NEEDS_DEPENDENCY
#define INSIDE  FAULT_IN_RECOVERY

const struct fault_flow fault_flows[] = {
    {"test", 0, FAULT_GOAL_TRIAL, setup_test, app_rests},
    {"permanent", REQUEST, FAULT_GOAL_NEW, setup_permanent, app_rests},
    {"revert", REVERT, FAULT_GOAL_OLD, setup_trial, app_hangs},
    {"hang", REVERT, FAULT_GOAL_OLD, setup_test, app_hangs_marked},
    {"confirm", REVERT, FAULT_GOAL_CONFIRMED, setup_test, app_confirms},
    {"pending", REQUEST, FAULT_GOAL_TRIAL, setup_upload, app_asks},
    {"raise", REVERT | REQUEST, FAULT_GOAL_NEW, setup_upload, app_raises},
    {"cancel", REVERT | REQUEST, FAULT_GOAL_OLD, setup_upload, app_cancels},
    {"erase", REQUEST, FAULT_GOAL_OLD, setup_upload, app_erases},
    {"upload", 0, FAULT_GOAL_CONFIRMED, setup_old, app_uploads},
    {"life", 0, FAULT_GOAL_CONFIRMED, setup_old, app_lives},
    {"refused", 0, FAULT_GOAL_OLD, setup_refused, app_rests},
    {"empty", 0, FAULT_GOAL_NEW, setup_empty, app_rests},
    {"damaged", 0, FAULT_GOAL_NEW, setup_damaged, app_rests},
    {"attack", FAULT_NEEDS_POLICY, FAULT_GOAL_CONFIRMED, fault_policy_setup, app_is_attacked},
    {"planted", SINGLE | FAULT_NEEDS_POLICY | INSIDE, FAULT_GOAL_NEW, setup_old, app_is_planted},
    {"revoke", FAULT_NEEDS_KEYS, FAULT_GOAL_OLD, fault_keys_setup, fault_keys_app_revokes},
    {"set-confirm", SET, FAULT_GOAL_CONFIRMED, fault_set_setup_test, fault_set_app_confirms},
    {"set-permanent", SET, FAULT_GOAL_NEW, fault_set_setup_permanent, fault_set_app_rests},
    {"set-revert", SET | REVERT, FAULT_GOAL_OLD, fault_set_setup_trial, fault_set_app_hangs},
    {"set-hang", SET | REVERT, FAULT_GOAL_OLD, fault_set_setup_test, fault_set_app_hangs},
    {"set-pending", SET, FAULT_GOAL_TRIAL, fault_set_setup_upload, fault_set_app_asks},
    {"set-foreign", SET | NEEDS, FAULT_GOAL_CONFIRMED, fault_set_setup_one_by_one,
     fault_set_app_foreign},
    {"set-bad", SET, FAULT_GOAL_OLD, fault_set_setup_bad, fault_set_app_rests},
    {"set-upload", SET | NEEDS, FAULT_GOAL_CONFIRMED, fault_set_setup_old, fault_set_app_uploads},
    {"set-unmet", SET | NEEDS, FAULT_GOAL_OLD, fault_set_setup_unmet, fault_set_app_rests},
    {"single", SINGLE | INSIDE, FAULT_GOAL_NEW, setup_old, app_recovers},
    {"single-damaged", SINGLE | INSIDE, FAULT_GOAL_NEW, setup_single_damaged, app_recovers},
    {"recovery", INSIDE, FAULT_GOAL_NEW, setup_old, app_recovers},
    {"recovery-primary", INSIDE, FAULT_GOAL_NEW, setup_old, app_recovers_primary},
    {"recovery-secondary", REQUEST | INSIDE, FAULT_GOAL_NEW, setup_old, app_recovers_secondary},
    {"recovery-empty", INSIDE, FAULT_GOAL_NEW, setup_nothing, app_recovers},
    {"recovery-trial", REVERT | INSIDE, FAULT_GOAL_NEW, setup_trial, app_recovers},
    {"recovery-refused", INSIDE, FAULT_GOAL_OLD, setup_old, app_is_refused},
    {"recovery-attack", FAULT_NEEDS_POLICY | INSIDE, FAULT_GOAL_CONFIRMED, fault_policy_setup,
     app_attacks_recovery},
};

const size_t fault_flow_count = sizeof(fault_flows) / sizeof(fault_flows[0]);

const struct fault_flow *fault_flow_find(const char *name)
{
    for (size_t i = 0; i < fault_flow_count; i++) {
        if (strcmp(fault_flows[i].name, name) == 0) {
            return &fault_flows[i];
        }
    }
    return NULL;
}

bool fault_flow_suits(const struct fault_flow *flow, const struct ferry_strategy_traits *traits)
{
    if ((flow->needs & FAULT_NEEDS_SET) != 0 && (traits->in_place || traits->slot_count == 1)) {
        return false;
    }
    if ((flow->needs & FAULT_NEEDS_SINGLE) != 0 || traits->slot_count == 1) {
        return (flow->needs & FAULT_NEEDS_SINGLE) != 0 && traits->slot_count == 1;
    }
    if ((flow->needs & FAULT_NEEDS_REQUEST) != 0 && traits->in_place && !traits->reverts) {
        return false;
    }
    return (flow->needs & FAULT_NEEDS_REVERT) == 0 || traits->reverts;
}
