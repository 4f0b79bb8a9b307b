/* SPDX-License-Identifier: Apache-2.0 */
/* A life and its invariants. */
#include "fault_job.h"

#include <stdio.h>
#include <string.h>

/* Boots in a row that may find nothing to run before that counts as the end: a word that reads
 * differently each time may need some. */
#define DARK_MAX 4

/* Erases of one sector that a fault may cost beyond what the strategy states: the step that it
 * interrupted is done again, and so may be the trailer's. */
#define WEAR_PER_FAULT 2

/* Erases of a sector that fails for ever in one boot: the step is tried twice, and so is the way
 * out. */
#define WEAR_PER_BOOT 4

/* Swaps or copies that a part which fails for ever may cost beyond those of the flow. */
#define MOVES_PER_FAULT 3

const char *const fault_invariant_names[FAULT_INVARIANT_COUNT] = {
#define FAULT_INVARIANT_NAME(id, name, text) [FAULT_##id] = name,
    FAULT_INVARIANTS(FAULT_INVARIANT_NAME)
#undef FAULT_INVARIANT_NAME
};

void fault_life_fail(struct fault_life *life, enum fault_invariant invariant, const char *why)
{
    if (!life->failed) {
        life->failed = true;
        life->invariant = invariant;
        life->why = why;
    }
    if (life->verbose) {
        printf("    broken: %s: %s\n", fault_invariant_names[invariant], why);
    }
}

static const struct ferry_strategy_traits *traits_of(const struct fault_life *life)
{
    return life->job->strategy->traits;
}

/* What the last boot did with an image; one that the device has not is left alone. */
static enum ferry_boot_action action_of(const struct fault_life *life, uint32_t image)
{
    return image < life->machine->config.image_count ? life->machine->report.images[image].action
                                                     : FERRY_BOOT_RAN;
}

bool fault_life_has_recovery(const struct fault_life *life)
{
    return (life->job->flow->needs & FAULT_IN_RECOVERY) != 0;
}

/* ---- Errors of the flash -------------------------------------------------------------------- */

/* An operation that fails is a reason to refuse an image, or to let one stay on trial. */
static bool met_an_error(const struct fault_life *life)
{
    for (uint32_t i = 0; i < life->fault_count; i++) {
        if (life->faults[i].model->kind == FAULT_ERROR) {
            return true;
        }
    }
    return false;
}

/* A swap that an error stopped goes on at the next boot: until then the images are on their way. */
static bool stopped_half_way(const struct fault_life *life)
{
    return met_an_error(life) &&
           (action_of(life, 0) == FERRY_BOOT_REFUSED || action_of(life, 1) == FERRY_BOOT_REFUSED);
}

/* ---- What runs ------------------------------------------------------------------------------- */

/* Whether an image is there as it runs. Nothing vouches for its ENC TLV: where no image is ever put
 * away again nobody looks whether that is whole; and where a swap is stopped half way because its
 * flash fails, an image runs all of which that is vouched for is there. */
static bool equals(const struct fault_life *life, const uint8_t *memory, uint32_t room,
                   const struct fault_picture *picture)
{
    bool whole = traits_of(life)->keeps_old && !stopped_half_way(life);
    uint32_t len = whole ? picture->size : picture->vouched;

    return picture->size > 0 && picture->size <= room && memcmp(memory, picture->bytes, len) == 0;
}

/* Whether an image is there as it was uploaded. */
static bool is_stored(const uint8_t *memory, uint32_t room, const struct fault_picture *picture)
{
    return picture->size > 0 && picture->size <= room &&
           memcmp(memory, picture->stored, picture->size) == 0;
}

/* Where the bytes are that the report says may run. */
static const uint8_t *find_running(const struct fault_life *life, uint32_t image, uint32_t *room)
{
    const struct ferry_boot_image_report *report = &life->machine->report.images[image];
    uint32_t first = image == 0 ? FAULT_PRIMARY : FAULT_PRIMARY_2;
    const struct fault_area *area = &life->chip->areas[first + report->slot];

    if ((report->info.header.flags & FERRY_IMAGE_RAM_LOAD) != 0) {
        uint32_t at = report->info.header.load_address - FAULT_RAM_ADDRESS;

        *room = at < life->machine->ram.size ? life->machine->ram.size - at : 0;
        return life->machine->ram_bytes + at;
    }
    *room = area->flash.size;
    return area->memory;
}

/* Which good pictures what runs is equal to. */
static uint32_t identify(const struct fault_life *life, uint32_t image)
{
    const struct ferry_boot_image_report *report = &life->machine->report.images[image];
    const struct fault_picture *pictures = image == 0 ? life->job->pictures : life->job->others;
    uint32_t room = 0;
    const uint8_t *memory = find_running(life, image, &room);
    uint32_t found = 0;

    for (int i = 0; i < FAULT_BAD; i++) {
        const struct fault_picture *picture = &pictures[i];

        if (report->info.size == picture->size && equals(life, memory, room, picture)) {
            found |= 1U << i;
        }
    }
    return found;
}

bool fault_life_runs(const struct fault_life *life, int picture)
{
    return picture >= 0 && (life->running & 1U << picture) != 0;
}

/* ---- Flash that has died --------------------------------------------------------------------- */

static const struct fault_armed *failing_for_ever(const struct fault_life *life)
{
    for (uint8_t i = 0; i < life->chip->state.armed_count; i++) {
        const struct fault_armed *armed = &life->chip->state.armed[i];

        if (armed->fired && armed->model->for_ever) {
            return armed;
        }
    }
    return NULL;
}

/* Whether the report of an image names a sector that fails for ever. The store's are not in it. */
static bool names_failing_of(const struct fault_life *life, uint32_t image)
{
    static const enum ferry_boot_area areas[FAULT_IMAGES][FAULT_PLACES] = {
        {[FAULT_PRIMARY] = FERRY_AREA_PRIMARY,
         [FAULT_SECONDARY] = FERRY_AREA_SECONDARY,
         [FAULT_SCRATCH] = FERRY_AREA_SCRATCH},
        {[FAULT_PRIMARY_2] = FERRY_AREA_PRIMARY,
         [FAULT_SECONDARY_2] = FERRY_AREA_SECONDARY,
         [FAULT_SCRATCH] = FERRY_AREA_SCRATCH}};
    const struct ferry_boot_failure *failure = &life->machine->report.images[image].failure;
    bool found = false;

    for (uint8_t i = 0; i < life->chip->state.armed_count; i++) {
        const struct fault_armed *armed = &life->chip->state.armed[i];
        struct ferry_flash_sector sector;
        bool named =
            armed->place == FAULT_STORE ||
            (failure->area != FERRY_AREA_NONE && failure->area == areas[image][armed->place] &&
             ferry_flash_sector_at(&life->chip->areas[armed->place].flash, armed->offset,
                                   &sector) == FERRY_OK &&
             failure->sector == sector.index);

        found = found || (armed->fired && armed->model->for_ever && named);
    }
    return found;
}

static bool names_failing(const struct fault_life *life)
{
    return names_failing_of(life, 0) || names_failing_of(life, 1);
}

void fault_life_look_for_names(struct fault_life *life)
{
    life->named = life->named || names_failing(life);
}

/* ---- Invariants of a moment ------------------------------------------------------------------ */

/* Whether the confirmed image stands in an area from an offset on. */
static bool is_kept(const struct fault_life *life, uint32_t image, uint32_t place, uint32_t at)
{
    const struct fault_picture *pictures = image == 0 ? life->job->pictures : life->job->others;
    const struct fault_area *area = &life->chip->areas[place];

    return is_stored(area->memory + at, area->flash.size - at, &pictures[life->confirmed]);
}

/* While an image is on trial the confirmed one must be whole in its place, unless its flash has
 * died and the report says where. */
static void check_old_kept(struct fault_life *life)
{
    bool in_place = traits_of(life)->in_place;

    if (!life->on_trial || !traits_of(life)->keeps_old || life->confirmed < 0 ||
        names_failing(life) || stopped_half_way(life)) {
        return;
    }
    for (uint32_t i = 0; i < life->machine->config.image_count; i++) {
        const struct ferry_slots *slots = &life->machine->images[i].slots;
        uint32_t first = i == 0 ? FAULT_PRIMARY : FAULT_PRIMARY_2;
        uint32_t other = in_place ? 1U - life->machine->report.images[i].slot : 1U;

        /* An old image that was asked for has left the other one where uploads go. */
        bool kept = in_place ? is_kept(life, i, first + other, 0)
                             : is_kept(life, i, first + other, ferry_slots_upload_offset(slots)) ||
                                   is_kept(life, i, first + other, ferry_slots_old_offset(slots));

        if (!kept) {
            fault_life_fail(life, FAULT_OLD_KEPT, "on trial, and the confirmed image is not kept");
        }
    }
}

static void check_rollback(struct fault_life *life)
{
    bool candidate = fault_life_runs(life, life->candidate);
    bool confirmed = fault_life_runs(life, life->confirmed);

    if (!candidate && !confirmed) {
        fault_life_fail(life, FAULT_ROLLBACK,
                        life->accepted ? "a confirmed image was taken back"
                                       : "neither the confirmed image nor the one asked for runs");
    }
}

/* A request that stood, and the old image runs for good, without the new one ever having run. */
static void check_update(struct fault_life *life)
{
    if (!life->asked || life->ran_candidate || fault_life_runs(life, life->candidate) ||
        life->on_trial) {
        return;
    }
    /* Without a store one boot is all there is: MCUboot's rule. */
    if (life->fault_count > 0 &&
        (life->machine->images[0].slots.store == NULL || met_an_error(life))) {
        return;
    }
    fault_life_fail(life, FAULT_UPDATE, "what was asked for is gone and has not run");
}

/* The images of a set are all of one set, and on trial together. */
static void check_set(struct fault_life *life)
{
    uint32_t second = identify(life, 1);
    bool on_trial = life->machine->report.images[1].next == FERRY_SWAP_REVERT;

    if (life->running != 0 && second != 0 && (life->running & second) == 0) {
        fault_life_fail(life, FAULT_MIXED, "one image is of the old set, the other of the new one");
    }
    if (on_trial != life->on_trial && !stopped_half_way(life)) {
        fault_life_fail(life, FAULT_ROLLBACK, "one image of the set is on trial, the other is not");
    }
    life->running &= second;
}

static void check_running(struct fault_life *life)
{
    const struct ferry_boot_image_report *report = &life->machine->report.images[0];

    life->dark = 0;
    life->running = identify(life, 0);
    life->on_trial = report->next == FERRY_SWAP_REVERT;
    if (life->machine->config.image_count > 1) {
        check_set(life);
    }
    fault_policy_check(life);
    if (life->running == 0) {
        fault_life_fail(life, FAULT_VERIFIED, "what is said to run is no good image of the flow");
        return;
    }
    if (report->action == FERRY_BOOT_STOPPED) {
        fault_life_fail(life, FAULT_VERIFIED, "an image runs and the report says stopped");
    }
    if (life->machine->nothing_runs != 0) {
        fault_life_fail(life, FAULT_NAMED, "an image runs and the hook says that nothing does");
    }
    check_rollback(life);
    check_old_kept(life);
}

/* ---- When nothing runs ----------------------------------------------------------------------- */

static void check_dark(struct fault_life *life, int rc)
{
    const struct fault_armed *armed = failing_for_ever(life);

    life->dark++;
    life->running = 0;
    if (rc == FERRY_E_POWER) {
        fault_life_fail(life, FAULT_RUNS, "a boot says that the power is off, which is on");
        return;
    }
    if (life->machine->nothing_runs != 1) {
        fault_life_fail(life, FAULT_NAMED, "nothing runs, and the hook was not called once");
    }
    if (life->dark < DARK_MAX) {
        return;
    }
    /* What recovery writes it is told itself. */
    if (armed != NULL && !life->named && !fault_life_has_recovery(life)) {
        fault_life_fail(life, FAULT_NAMED, "nothing runs, and the failing sector is not named");
    } else if (armed == NULL && !fault_life_has_recovery(life)) {
        fault_life_fail(life, FAULT_RUNS, ferry_error_text(life->machine->report.images[0].reason));
    }
}

/* ---- A boot ---------------------------------------------------------------------------------- */

static void tell_image(const struct fault_life *life, uint32_t number)
{
    const struct ferry_boot_image_report *image = &life->machine->report.images[number];
    static const char *const names[FAULT_BAD] = {"old", "new", "next"};
    uint32_t running =
        life->machine->config.image_count > 1 ? identify(life, number) : life->running;

    printf("%s%s, reason %s, next %s, slot %u, runs", ferry_boot_action_name(image->action),
           image->resumed ? " (resumed)" : "", ferry_error_name(image->reason),
           ferry_swap_type_name(image->next), image->slot);
    for (int i = 0; i < FAULT_BAD; i++) {
        if ((running & 1U << i) != 0) {
            printf(" %s", names[i]);
        }
    }
    if (image->failure.area != FERRY_AREA_NONE) {
        printf(", failed in area %d sector %u", (int)image->failure.area, image->failure.sector);
    }
}

static void tell_boot(const struct fault_life *life, int rc)
{
    printf("    boot %u: %s, ", life->boots, ferry_error_name(rc));
    tell_image(life, 0);
    if (life->machine->config.image_count > 1) {
        printf("\n      image 1: ");
        tell_image(life, 1);
    }
    printf("; %lld operations so far\n",
           (long long)(life->chip->state.operations - life->counted_from));
}

static bool moved(enum ferry_boot_action action)
{
    return action == FERRY_BOOT_UPGRADED || action == FERRY_BOOT_TESTING ||
           action == FERRY_BOOT_REVERTED;
}

static uint32_t all_erases(const struct fault_life *life)
{
    uint32_t sum = 0;

    for (int place = 0; place < FAULT_STORE; place++) {
        for (int i = 0; i < FAULT_SECTORS_MAX; i++) {
            sum += life->chip->state.wear[place][i];
        }
    }
    return sum;
}

bool fault_life_boot(struct fault_life *life)
{
    uint32_t erases = all_erases(life);
    int rc;

    life->boots++;
    rc = fault_machine_boot(life->machine, life->job, life->chip, life->cause);
    if (life->chip->state.runaway) {
        fault_life_fail(life, FAULT_PROGRESS, "a boot does not come to an end");
        return false;
    }
    if (action_of(life, 0) != FERRY_BOOT_RAN || action_of(life, 1) != FERRY_BOOT_RAN) {
        life->updates++;
    }
    /* More erases than to try what fails, and to clean up. */
    if ((moved(action_of(life, 0)) || moved(action_of(life, 1))) &&
        all_erases(life) > erases + WEAR_PER_BOOT + 2) {
        life->moves++;
    }
    fault_life_look_for_names(life);
    if (rc == FERRY_OK) {
        check_running(life);
    } else {
        check_dark(life, rc);
    }
    if (life->verbose) {
        tell_boot(life, rc);
    }
    return rc == FERRY_OK;
}

/* ---- Invariants of an end -------------------------------------------------------------------- */

static uint32_t most_erases(const struct fault_life *life, enum fault_place place)
{
    uint32_t most = 0;

    for (uint32_t i = 0; i < FAULT_SECTORS_MAX; i++) {
        most = ferry_max32(most, life->chip->state.wear[place][i]);
    }
    return most;
}

static void check_wear(struct fault_life *life)
{
    /* Of an update that a fault interrupts no report need tell. */
    uint32_t updates = ferry_max32(life->updates + life->fault_count, 1);
    uint32_t extra = WEAR_PER_FAULT * life->fault_count;

    /* A sector that fails for ever is tried at each boot. */
    if (failing_for_ever(life) != NULL) {
        extra += WEAR_PER_BOOT * life->boots;
    }

    /* Nor may it make a device move its images at every boot, unless it is asked to: there and
     * back. */
    if (failing_for_ever(life) != NULL &&
        life->moves > life->job->moves_base + MOVES_PER_FAULT + 2 * life->requests) {
        fault_life_fail(life, FAULT_WEAR, "images are moved at every boot");
    }

    uint32_t bound = traits_of(life)->erases * updates + extra;

    uint32_t most = ferry_max32(
        ferry_max32(most_erases(life, FAULT_PRIMARY), most_erases(life, FAULT_SECONDARY)),
        ferry_max32(most_erases(life, FAULT_PRIMARY_2), most_erases(life, FAULT_SECONDARY_2)));

    if (most > bound ||
        most_erases(life, FAULT_SCRATCH) > life->job->wear_of_scratch * updates + extra) {
        fault_life_fail(life, FAULT_WEAR, "a sector was erased too often");
    }
}

static void check_secret(struct fault_life *life)
{
    if (life->chip->state.leaked != FAULT_NO_SECRET) {
        fault_life_fail(life, FAULT_SECRET,
                        life->chip->state.leaked == FAULT_KEY
                            ? "a key was written into flash"
                            : "plaintext was written where images are encrypted");
    }
}

static void check_rules(struct fault_life *life)
{
    const struct fault_state *state = &life->chip->state;

    if (state->reprogrammed > 0) {
        fault_life_fail(life, FAULT_RULES, "something was programmed that was not erased");
    }
    if (life->fault_count == 0 && state->needless > 0) {
        fault_life_fail(life, FAULT_RULES, "something was erased in vain");
    }
}

/* Whether the confirmed image may be back, though another one was asked for. */
static bool may_be_back(const struct fault_life *life)
{
    return life->fault_count > 0 && !life->accepted;
}

/* The goal, as far as the strategy knows trials. */
static enum fault_goal goal_of(const struct fault_life *life)
{
    enum fault_goal goal = life->job->flow->goal;
    bool trial = goal == FAULT_GOAL_TRIAL || goal == FAULT_GOAL_CONFIRMED;

    return trial && !traits_of(life)->reverts ? FAULT_GOAL_NEW : goal;
}

static void check_goal(struct fault_life *life)
{
    bool back = fault_life_runs(life, life->confirmed) && may_be_back(life);
    bool new = fault_life_runs(life, life->candidate);
    enum fault_goal goal = goal_of(life);

    /* What fails for ever may make a way back impossible; then the report says so. */
    if (life->named) {
        return;
    }
    if (life->on_trial && goal != FAULT_GOAL_TRIAL && failing_for_ever(life) == NULL) {
        fault_life_fail(life, FAULT_ROLLBACK, "on trial at the end");
    }
    if (goal == FAULT_GOAL_OLD && !fault_life_runs(life, life->confirmed) && !life->on_trial) {
        fault_life_fail(life, FAULT_ROLLBACK, "the image that never confirmed itself stays");
    }
    if (goal == FAULT_GOAL_NEW && !new && !(back && met_an_error(life))) {
        fault_life_fail(life, FAULT_UPDATE, "the image that was asked for does not run");
    }
    if (goal == FAULT_GOAL_TRIAL && !life->on_trial && !back) {
        fault_life_fail(life, FAULT_ROLLBACK, "the image that never confirmed itself stays");
    }
    if (goal == FAULT_GOAL_CONFIRMED && !new && !back) {
        fault_life_fail(life, FAULT_ROLLBACK, "neither confirmed nor taken back");
    }
    if (goal != FAULT_GOAL_OLD) {
        check_update(life);
    }
}

void fault_life_end(struct fault_life *life)
{
    if (!life->failed && life->dark == 0) {
        check_goal(life);
    }
    check_secret(life);
    check_wear(life);
    check_rules(life);
}
