/* SPDX-License-Identifier: Apache-2.0 */
/* The exploration of a job. A flow is lived once without a fault; at every moment at which a fault
 * may happen a life branches off in which it does, is lived to its end and undone. So a life costs
 * what comes after its fault, and pairs are branches of branches.
 *
 * Only an operation that answers an error cannot branch off, because the code goes on in the middle
 * of itself: such lives are lived from the last power-on before. */
#include "fault_job.h"

#include "core/image/journal.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Boots beyond those of the flow without a fault that a life may take; each fault adds more. */
#define BOOTS_MORE      4
#define BOOTS_PER_FAULT 4

struct explorer {
    struct fault_job *job;
    struct fault_chip chip;
    struct fault_machine machines[FAULTS_MAX + 1];
    const struct fault_results *results;
    struct fault_point wanted[FAULTS_MAX];
    uint32_t wanted_count;
    bool only_wanted;
    bool found;   /* what was wanted has been lived */
    bool probing; /* lived once to know what it takes without a fault */
};

/* Whose life the chip's watch and the moments between boots belong to. */
struct branch {
    struct explorer *explorer;
    struct fault_life *life;
};

/* ---- What is wanted ------------------------------------------------------------------------- */

static bool same_point(const struct fault_point *a, const struct fault_point *b)
{
    return a->model == b->model && a->at == b->at && a->place == b->place &&
           a->offset == b->offset && a->bit == b->bit;
}

/* ---- Chance that is the same in every run ---------------------------------------------------- */

static uint32_t mix(uint32_t hash, uint32_t value)
{
    hash = (hash ^ value) * 2654435761U;
    return hash ^ hash >> 15;
}

static uint32_t hash_point(uint32_t hash, const struct fault_point *point)
{
    hash = mix(hash, (uint8_t)point->model->letter);
    hash = mix(hash, (uint32_t)point->at);
    hash = mix(hash, point->offset);
    return mix(hash, (uint32_t)point->place << 8 | point->bit);
}

static uint32_t hash_name(const char *name)
{
    uint32_t hash = 2166136261U;

    for (; *name != '\0'; name++) {
        hash = (hash ^ (uint8_t)*name) * 16777619U;
    }
    return hash;
}

/* Of a life and a point to come. Never 0. */
static uint32_t chance(const struct fault_life *life, const struct fault_point *point)
{
    uint32_t hash = hash_point(life->hash, point);

    hash ^= hash >> 15;
    hash *= 2246822519U;
    hash ^= hash >> 13;
    return hash != 0 ? hash : 1;
}

/* A fault is added to a life. */
static void add_fault(struct fault_life *life, const struct fault_point *point)
{
    life->faults[life->fault_count++] = *point;
    life->hash = hash_point(life->hash, point);
}

/* Whether a fault is to be tried next in this life. */
static bool chosen(const struct explorer *explorer, const struct fault_life *life,
                   const struct fault_point *point)
{
    const struct fault_job *job = explorer->job;

    if (explorer->only_wanted) {
        return !explorer->found && life->fault_count < explorer->wanted_count &&
               same_point(&explorer->wanted[life->fault_count], point);
    }
    if (life->fault_count >= job->depth) {
        return false;
    }
    if (job->sample <= 1 || (life->fault_count == 0 && !job->sample_first)) {
        return true;
    }
    return chance(life, point) % job->sample == 0;
}

/* ---- Branching ------------------------------------------------------------------------------- */

static void explore(struct explorer *explorer, struct fault_life *life);

struct moment {
    size_t mark;
    struct fault_state state;
    void (*watch)(void *watcher, const struct fault_op *op);
    void *watcher;
};

static void hold(struct fault_chip *chip, struct moment *moment)
{
    moment->mark = fault_chip_mark(chip);
    moment->state = chip->state;
    moment->watch = chip->watch;
    moment->watcher = chip->watcher;
}

static void come_back(struct fault_chip *chip, const struct moment *moment)
{
    fault_chip_undo(chip, moment->mark);
    chip->state = moment->state;
    chip->watch = moment->watch;
    chip->watcher = moment->watcher;
}

/* Whether a flip is one that the format cannot tell from a confirm: with erased value 0x00 the
 * lowest bit of a flag is all that makes it set. */
static bool is_limit(const struct fault_life *life, const struct fault_point *point)
{
    const struct fault_area *area = &life->chip->areas[point->place];
    uint32_t distance = area->flash.size - point->offset;

    return point->place != FAULT_STORE && area->flash.erased_value == 0x00 && point->bit == 0 &&
           (distance == life->job->trailer.image_ok || distance == life->job->trailer.copy_done);
}

/* A life in which the fault happens. op: of a cut. */
static void branch_off(struct explorer *explorer, struct fault_life *life,
                       const struct fault_point *point, const struct fault_op *op)
{
    struct fault_chip *chip = &explorer->chip;
    struct fault_life other = *life;
    struct moment moment;

    hold(chip, &moment);
    fault_life_look_for_names(&other);
    chip->state.noise = chance(life, point);
    add_fault(&other, point);
    other.machine = &explorer->machines[other.fault_count];
    other.verbose = life->verbose || explorer->only_wanted;
    other.counted_from = chip->state.operations;
    other.cause = FERRY_CAUSE_POWER;
    if (point->model->kind == FAULT_FLIP) {
        struct fault_area *area = &chip->areas[point->place];
        uint8_t byte = (uint8_t)(area->memory[point->offset] ^ 1U << point->bit);

        other.cause = life->cause;
        other.limit = other.limit || is_limit(life, point);
        fault_chip_poke(area, point->offset, &byte, 1);
    } else if (point->model->kind == FAULT_CUT) {
        point->model->happen(op);
    }
    if (other.verbose) {
        printf("    -- %s%s%s\n", point->model->name,
               op == NULL         ? ""
               : op->data == NULL ? " at an erase in the "
                                  : " at a program in the ",
               op == NULL ? "" : fault_place_names[op->area->place]);
        if (op != NULL) {
            printf("       (offset %u, %u bytes)\n", op->offset, op->len);
        }
    }
    explore(explorer, &other);
    come_back(chip, &moment);
    /* What is left of the lives on the way is of no interest. */
    life->verbose = life->verbose && !explorer->found;
}

/* Armed errors must have happened before anything else does. */
static bool all_fired(const struct fault_chip *chip)
{
    for (uint8_t i = 0; i < chip->state.armed_count; i++) {
        if (!chip->state.armed[i].fired) {
            return false;
        }
    }
    return true;
}

static void on_operation(void *watcher, const struct fault_op *op)
{
    const struct branch *branch = watcher;
    struct explorer *explorer = branch->explorer;

    if (!all_fired(&explorer->chip)) {
        return;
    }
    for (size_t i = 0; i < fault_model_count; i++) {
        const struct fault_point point = {.model = &fault_models[i],
                                          .at = explorer->chip.state.operations -
                                                branch->life->counted_from};

        if (fault_models[i].kind == FAULT_CUT && chosen(explorer, branch->life, &point)) {
            branch_off(explorer, branch->life, &point, op);
        }
    }
}

/* ---- Flips ----------------------------------------------------------------------------------- */

/* Bytes at the end of an area that are its trailer. */
static uint32_t trailer_size(const struct fault_job *job, const struct ferry_slots *slots,
                             const struct fault_chip *chip, int place)
{
    const struct ferry_flash *flash = &chip->areas[place].flash;
    uint32_t size = job->trailer.size;

    if (place == FAULT_SCRATCH) {
        size = ferry_scratch_trailer(slots, &job->trailer);
    }
    return ferry_min32(size, flash->size);
}

/* Of pairs, bytes of the trailer of which one flips by chance; the fields are never left out. */
#define FLIP_SAMPLE 8

/* Whether a byte is one that says something by itself. */
static bool is_field(const struct fault_job *job, uint32_t from_end)
{
    return from_end <= FERRY_TRAILER_MAGIC_SIZE || from_end == job->trailer.image_ok ||
           from_end == job->trailer.copy_done || from_end == job->trailer.swap_info;
}

static void flip_byte(struct explorer *explorer, struct fault_life *life, int place,
                      uint32_t offset)
{
    struct fault_point point = {.model = fault_model_find('F'),
                                .at = life->boots,
                                .place = (uint8_t)place,
                                .offset = offset};
    const struct fault_job *job = explorer->job;
    uint32_t random = chance(life, &point);
    bool field = is_field(job, explorer->chip.areas[place].flash.size - offset);

    if (job->depth > 1 && !field && !explorer->only_wanted && random / 8 % FLIP_SAMPLE != 0) {
        return;
    }
    for (point.bit = 0; point.bit < 8; point.bit++) {
        if ((job->every_bit || explorer->only_wanted || point.bit == random % 8) &&
            chosen(explorer, life, &point)) {
            branch_off(explorer, life, &point, NULL);
        }
    }
}

/* Where the images end at most: what they reach into is no trailer there. */
static uint32_t images_end(const struct explorer *explorer, int place)
{
    const struct ferry_slots *slots = &explorer->machines[0].images[0].slots;
    bool secondary = place == FAULT_SECONDARY || place == FAULT_SECONDARY_2;
    uint32_t at =
        !secondary ? 0
                   : ferry_max32(ferry_slots_upload_offset(slots), ferry_slots_old_offset(slots));
    uint32_t size = 0;

    for (int i = 0; i < FAULT_PICTURES && place != FAULT_SCRATCH; i++) {
        size = ferry_max32(size, explorer->job->pictures[i].size);
        size = ferry_max32(size, explorer->job->others[i].size);
    }
    return at + size;
}

/* Whether an area has a trailer now: the scratch area only while a swap is kept in it. */
static bool has_trailer(const struct explorer *explorer, int place)
{
    const struct fault_area *area = &explorer->chip.areas[place];
    uint8_t magic[FERRY_TRAILER_MAGIC_SIZE];

    if (place != FAULT_SCRATCH) {
        return area->memory != NULL;
    }
    ferry_trailer_magic(explorer->job->layout.max_align, magic);
    return area->memory != NULL &&
           memcmp(area->memory + area->flash.size - sizeof(magic), magic, sizeof(magic)) == 0;
}

/* Every byte of the store that is written. */
static void flip_store(struct explorer *explorer, struct fault_life *life)
{
    const struct fault_area *area = &explorer->chip.areas[FAULT_STORE];

    for (uint32_t at = 0; at < area->flash.size; at++) {
        if (area->memory[at] != area->flash.erased_value) {
            flip_byte(explorer, life, FAULT_STORE, at);
        }
    }
}

/* Whether a bit of the store has flipped before: what counts in it is kept twice, and two flips may
 * hit both. */
static bool has_store_flip(const struct fault_life *life)
{
    bool found = false;

    for (uint32_t i = 0; i < life->fault_count; i++) {
        found = found ||
                (life->faults[i].model->kind == FAULT_FLIP && life->faults[i].place == FAULT_STORE);
    }
    return found;
}

/* Every byte of every trailer, and of the store where a policy rests on it, between two boots. */
static void flip_all(struct explorer *explorer, struct fault_life *life)
{
    if (!all_fired(&explorer->chip)) {
        return;
    }
    /* What counts there is kept twice: two flips may hit both. */
    if (explorer->job->layout.policy || (explorer->job->layout.keys && !has_store_flip(life)) ||
        (explorer->job->layout.set && explorer->job->depth == 1)) {
        flip_store(explorer, life);
    }
    for (int place = 0; place < FAULT_STORE; place++) {
        if (has_trailer(explorer, place)) {
            uint32_t size = explorer->chip.areas[place].flash.size;
            uint32_t trailer = trailer_size(explorer->job, &explorer->machines[0].images[0].slots,
                                            &explorer->chip, place);

            uint32_t begin = ferry_max32(size - trailer, images_end(explorer, place));

            for (uint32_t offset = begin; offset < size; offset++) {
                flip_byte(explorer, life, place, offset);
            }
        }
    }
}

static void reset_before_app(struct explorer *explorer, struct fault_life *life)
{
    const struct fault_point point = {.model = fault_model_find('R'), .at = life->boots};

    if (all_fired(&explorer->chip) && chosen(explorer, life, &point)) {
        branch_off(explorer, life, &point, NULL);
    }
}

/* ---- Living ---------------------------------------------------------------------------------- */

static uint32_t boots_max(const struct fault_life *life)
{
    return life->job->boots_base + BOOTS_MORE + BOOTS_PER_FAULT * life->fault_count;
}

static bool branches(const struct explorer *explorer, const struct fault_life *life)
{
    uint32_t depth = explorer->only_wanted ? explorer->wanted_count : explorer->job->depth;

    return life->fault_count < depth && !explorer->found && !explorer->probing;
}

/* A failing part may keep a device from ever coming to rest. */
static bool may_not_rest(const struct fault_chip *chip)
{
    for (uint8_t i = 0; i < chip->state.armed_count; i++) {
        if (chip->state.armed[i].fired && chip->state.armed[i].model->for_ever) {
            return true;
        }
    }
    return false;
}

/* Run the application. Returns false when the life is over. */
static bool run_app(struct explorer *explorer, struct fault_life *life)
{
    enum fault_app app = life->job->flow->app(life);

    if (explorer->chip.state.runaway) {
        fault_life_fail(life, FAULT_PROGRESS, "the application does not come to an end");
        return false;
    }
    /* What is asked for is still to be done. */
    if (app != FAULT_RESTS) {
        return true;
    }
    for (uint32_t i = 0; i < life->machine->report.image_count; i++) {
        enum ferry_swap_type next = life->machine->report.images[i].next;

        if (next == FERRY_SWAP_TEST || next == FERRY_SWAP_PERM) {
            return true;
        }
    }
    return false;
}

/* From power-on to rest. */
static void live(struct explorer *explorer, struct fault_life *life)
{
    struct branch branch = {explorer, life};
    bool more = branches(explorer, life);

    explorer->chip.watch = more ? on_operation : NULL;
    explorer->chip.watcher = &branch;
    while (!life->failed && !explorer->found) {
        if (life->boots >= boots_max(life)) {
            if (!may_not_rest(&explorer->chip) && life->dark == 0) {
                fault_life_fail(life, FAULT_PROGRESS, "no rest within the bound of boots");
            }
            break;
        }
        if (more) {
            flip_all(explorer, life);
        }
        bool runs = fault_life_boot(life);

        if (more && runs && !life->failed) {
            reset_before_app(explorer, life);
        }
        life->cause = FERRY_CAUSE_OTHER;
        if (!life->failed && (runs || fault_life_has_recovery(life)) && !run_app(explorer, life)) {
            break;
        }
    }
    explorer->chip.watch = NULL;
    if (!explorer->found) {
        fault_life_end(life);
    }
}

static void take(struct explorer *explorer, const struct fault_life *life)
{
    if (explorer->only_wanted) {
        if (life->fault_count != explorer->wanted_count) {
            return;
        }
        explorer->found = true;
    }
    explorer->results->take(explorer->results->context, life);
}

/* Lives in which operation number at answers an error. */
static void arm(struct explorer *explorer, const struct fault_life *start, uint64_t at,
                const struct fault_model *model)
{
    const struct fault_point point = {.model = model, .at = at - start->counted_from};
    struct fault_state *state = &explorer->chip.state;
    struct fault_life other = *start;

    if (!chosen(explorer, start, &point)) {
        return;
    }
    state->noise = chance(start, &point);
    add_fault(&other, &point);
    other.machine = &explorer->machines[other.fault_count];
    other.verbose = start->verbose || explorer->only_wanted;
    other.counted_from = at;
    state->armed[state->armed_count++] = (struct fault_armed){.at = at, .model = model};
    if (other.verbose) {
        printf("    -- from the start: %s at operation %llu\n", model->name,
               (unsigned long long)at);
    }
    explore(explorer, &other);
}

static void explore_errors(struct explorer *explorer, const struct fault_life *start,
                           const struct moment *moment, uint64_t from, uint64_t to)
{
    for (uint64_t at = from + 1; at <= to; at++) {
        for (size_t i = 0; i < fault_model_count; i++) {
            if (fault_models[i].kind == FAULT_ERROR) {
                come_back(&explorer->chip, moment);
                arm(explorer, start, at, &fault_models[i]);
            }
        }
    }
}

static void explore(struct explorer *explorer, struct fault_life *life)
{
    struct fault_life start = *life;
    struct moment moment;

    hold(&explorer->chip, &moment);
    live(explorer, life);
    take(explorer, life);
    if (branches(explorer, &start)) {
        explore_errors(explorer, &start, &moment, start.counted_from,
                       explorer->chip.state.operations);
    }
}

/* ---- A job ----------------------------------------------------------------------------------- */

/* The regions of a swap over a scratch area: each erases it once, and so do its trailer's moves. */
static uint32_t wear_of_scratch(const struct fault_chip *chip)
{
    uint32_t slot = chip->areas[FAULT_PRIMARY].flash.size;
    uint32_t scratch = chip->areas[FAULT_SCRATCH].flash.size;

    /* Each image by itself. */
    uint32_t images = fault_chip_has(chip, FAULT_PRIMARY_2) ? FAULT_IMAGES : 1;

    return scratch == 0 ? 0 : images * (slot / scratch + 3);
}

static void set_up(struct explorer *explorer)
{
    struct fault_job *job = explorer->job;
    const struct ferry_slots *slots = &explorer->machines[0].images[0].slots;

    fault_chip_init(&explorer->chip, job->layout.shapes);
    for (int i = 0; i <= FAULTS_MAX; i++) {
        fault_machine_init(&explorer->machines[i], job, &explorer->chip);
    }
    explorer->chip.write_once = job->write_once;
    explorer->chip.verbose = explorer->only_wanted;
    if (ferry_slots_check(slots) != FERRY_OK || ferry_slots_trailer(slots, &job->trailer) != 0) {
        fault_job_fail(job, "the slots do not suit the strategy");
    }
    job->wear_of_scratch = wear_of_scratch(&explorer->chip);
    job->boots_base = 8;
    fault_pictures_make(job, ferry_slots_max_image(slots));
    explorer->chip.secrets = job->secrets.words != NULL ? &job->secrets : NULL;
}

static void clean_up(struct explorer *explorer)
{
    fault_pictures_free(explorer->job);
    for (int i = 0; i <= FAULTS_MAX; i++) {
        fault_machine_free(&explorer->machines[i]);
    }
    fault_chip_free(&explorer->chip);
    free(explorer);
}

/* The flow's beginning is no part of what is tried or counted. */
static void begin(struct explorer *explorer, struct fault_life *life)
{
    *life = (struct fault_life){.job = explorer->job,
                                .chip = &explorer->chip,
                                .machine = &explorer->machines[0],
                                .cause = FERRY_CAUSE_OTHER,
                                .hash = hash_name(explorer->job->name),
                                .confirmed = -1,
                                .candidate = -1,
                                .verbose = explorer->only_wanted};
    life->job->flow->setup(life);
    if (life->failed) {
        fault_job_fail(explorer->job, life->why);
    }
    memset(&explorer->chip.state, 0, sizeof(explorer->chip.state));
    explorer->chip.state.noise = 1;
    explorer->chip.journal_len = 0;
    life->boots = 0;
    life->updates = 0;
    life->moves = 0;
    life->requests = 0;
}

/* How many boots the flow takes without a fault. */
static void probe(struct explorer *explorer, struct fault_life life)
{
    struct moment moment;

    hold(&explorer->chip, &moment);
    explorer->probing = true;
    life.verbose = false;
    live(explorer, &life);
    explorer->probing = false;
    explorer->job->boots_base = life.boots;
    explorer->job->moves_base = life.moves;
    come_back(&explorer->chip, &moment);
}

void fault_job_run(struct fault_job *job, const struct fault_results *results)
{
    struct explorer *explorer = calloc(1, sizeof(*explorer));
    struct fault_life life;

    if (explorer == NULL) {
        fault_job_fail(job, "out of memory");
    }
    explorer->job = job;
    explorer->results = results;
    explorer->only_wanted = results->id != NULL;
    if (explorer->only_wanted &&
        !fault_id_read(results->id, job->name, explorer->wanted, &explorer->wanted_count)) {
        free(explorer);
        return;
    }
    set_up(explorer);
    begin(explorer, &life);
    probe(explorer, life);
    explore(explorer, &life);
    clean_up(explorer);
}
