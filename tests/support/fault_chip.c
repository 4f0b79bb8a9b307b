/* SPDX-License-Identifier: Apache-2.0 */
/* The flash of a device under fault. */
#include "fault_chip.h"

#include "fault_models.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static void *need(void *memory)
{
    if (memory == NULL) {
        fputs("faults: out of memory\n", stderr);
        abort();
    }
    return memory;
}

uint8_t fault_chip_noise(struct fault_chip *chip)
{
    uint32_t x = chip->state.noise;

    x ^= x << 13;
    x ^= x >> 17;
    x ^= x << 5;
    chip->state.noise = x;
    return (uint8_t)(x >> 11);
}

/* ---- Journal --------------------------------------------------------------------------------- */

struct entry {
    uint32_t place;
    uint32_t offset;
    uint32_t len;
};

static void note(struct fault_chip *chip, const void *bytes, size_t len)
{
    if (chip->journal_len + len > chip->journal_cap) {
        chip->journal_cap = 2 * (chip->journal_cap + len);
        chip->journal = need(realloc(chip->journal, chip->journal_cap));
    }
    memcpy(chip->journal + chip->journal_len, bytes, len);
    chip->journal_len += len;
}

/* The old bytes go first, so that undoing can read from the end. */
static void remember(struct fault_area *area, uint32_t offset, uint32_t len)
{
    const struct entry entry = {(uint32_t)area->place, offset, len};

    note(area->chip, area->memory + offset, len);
    note(area->chip, &entry, sizeof(entry));
}

size_t fault_chip_mark(const struct fault_chip *chip)
{
    return chip->journal_len;
}

void fault_chip_undo(struct fault_chip *chip, size_t mark)
{
    while (chip->journal_len > mark) {
        struct entry entry;

        chip->journal_len -= sizeof(entry);
        memcpy(&entry, chip->journal + chip->journal_len, sizeof(entry));
        chip->journal_len -= entry.len;
        memcpy(chip->areas[entry.place].memory + entry.offset, chip->journal + chip->journal_len,
               entry.len);
    }
}

/* ---- Spots in doubt -------------------------------------------------------------------------- */

static bool overlaps(const struct fault_spot *spot, const struct fault_area *area, uint32_t offset,
                     uint32_t len)
{
    return spot->place == (uint8_t)area->place && offset < spot->offset + spot->len &&
           spot->offset < offset + len;
}

/* Whether some spot of a kind lies in a range. */
static bool doubtful(const struct fault_area *area, enum fault_spot_kind kind, uint32_t offset,
                     uint32_t len)
{
    const struct fault_state *state = &area->chip->state;

    for (uint8_t i = 0; i < state->spot_count; i++) {
        if (state->spots[i].kind == (uint8_t)kind &&
            overlaps(&state->spots[i], area, offset, len)) {
            return true;
        }
    }
    return false;
}

static void add_spot(struct fault_state *state, const struct fault_spot *spot)
{
    if (state->spot_count == FAULT_SPOTS_MAX) {
        fputs("faults: more spots in doubt than FAULT_SPOTS_MAX\n", stderr);
        abort();
    }
    state->spots[state->spot_count++] = *spot;
}

/* Take [offset, end) out of a spot; what is left on its right becomes a spot of its own. */
static void trim_spot(struct fault_state *state, struct fault_spot *spot, uint32_t offset,
                      uint32_t end)
{
    uint32_t spot_end = spot->offset + spot->len;

    if (end < spot_end) {
        struct fault_spot rest = *spot;

        rest.offset = end;
        rest.len = spot_end - end;
        if (spot->masked) {
            memmove(rest.mask, spot->mask + (end - spot->offset), rest.len);
        }
        add_spot(state, &rest);
    }
    spot->len = offset > spot->offset ? offset - spot->offset : 0;
}

/* A range is whole again. kept: the kind that only an erase heals, or -1. */
static void settle(struct fault_area *area, uint32_t offset, uint32_t len, int kept)
{
    struct fault_state *state = &area->chip->state;

    for (uint8_t i = 0; i < state->spot_count;) {
        struct fault_spot *spot = &state->spots[i];

        if ((int)spot->kind != kept && overlaps(spot, area, offset, len)) {
            trim_spot(state, spot, offset, offset + len);
        }
        if (spot->len == 0) {
            state->spots[i] = state->spots[--state->spot_count];
        } else {
            i++;
        }
    }
}

void fault_chip_doubt(struct fault_area *area, enum fault_spot_kind kind, uint32_t offset,
                      uint32_t len, const uint8_t *mask)
{
    struct fault_spot spot = {.place = (uint8_t)area->place,
                              .kind = (uint8_t)kind,
                              .masked = mask != NULL,
                              .offset = offset,
                              .len = len};

    if (mask != NULL) {
        memcpy(spot.mask, mask, len);
    }
    settle(area, offset, len, -1);
    add_spot(&area->chip->state, &spot);
}

/* What a read sees of an unstable spot. */
static void shake(struct fault_chip *chip, const struct fault_spot *spot, uint32_t offset,
                  uint8_t *data, uint32_t len)
{
    uint32_t from = ferry_max32(offset, spot->offset);
    uint32_t end = ferry_min32(offset + len, spot->offset + spot->len);

    for (uint32_t at = from; at < end; at++) {
        uint8_t mask = spot->masked ? spot->mask[at - spot->offset] : 0xff;

        data[at - offset] ^= (uint8_t)(fault_chip_noise(chip) & mask);
    }
}

/* ---- Raw changes ----------------------------------------------------------------------------- */

void fault_chip_poke(struct fault_area *area, uint32_t offset, const uint8_t *bytes, uint32_t len)
{
    remember(area, offset, len);
    memcpy(area->memory + offset, bytes, len);
}

/* Bits of memory move to those of data, one way only: eight bytes at a time, this is where most of
 * the time of large devices goes. */
static void move_bits(uint8_t *memory, const uint8_t *data, uint32_t len, bool up)
{
    uint64_t old;
    uint64_t new;

    for (; len >= sizeof(old); len -= (uint32_t)sizeof(old)) {
        memcpy(&old, memory, sizeof(old));
        memcpy(&new, data, sizeof(new));
        new = up ? old | new : old &new;
        memcpy(memory, &new, sizeof(new));
        memory += sizeof(old);
        data += sizeof(old);
    }
    for (uint32_t i = 0; i < len; i++) {
        memory[i] = (uint8_t)(up ? memory[i] | data[i] : memory[i] & data[i]);
    }
}

void fault_chip_program(struct fault_area *area, uint32_t offset, const uint8_t *data, uint32_t len)
{
    remember(area, offset, len);
    settle(area, offset, len, FAULT_SPOT_UNREADABLE);
    move_bits(area->memory + offset, data, len, area->flash.erased_value == 0x00);
}

void fault_chip_erase(struct fault_area *area, uint32_t offset, uint32_t len)
{
    remember(area, offset, len);
    settle(area, offset, len, -1);
    memset(area->memory + offset, area->flash.erased_value, len);
}

void fault_chip_wear(struct fault_area *area, uint32_t offset, uint32_t len)
{
    struct fault_state *state = &area->chip->state;
    uint32_t size = area->flash.runs[0].size;

    if (!state->booting || area->place >= FAULT_STORE) {
        return;
    }
    for (uint32_t sector = offset / size; sector * size < offset + len; sector++) {
        state->wear[area->place][sector]++;
    }
}

/* ---- The three verbs ------------------------------------------------------------------------- */

static bool alive(struct fault_chip *chip)
{
    if (++chip->state.steps > FAULT_STEPS_MAX) {
        chip->state.runaway = true;
    }
    return !chip->state.runaway;
}

static int chip_read(const struct ferry_flash *flash, uint32_t offset, uint8_t *data, size_t len)
{
    struct fault_area *area = flash->context;
    struct fault_chip *chip = area->chip;

    if (!alive(chip)) {
        return FERRY_E_POWER;
    }
    memcpy(data, area->memory + offset, len);
    for (uint8_t i = 0; i < chip->state.spot_count; i++) {
        const struct fault_spot *spot = &chip->state.spots[i];

        if (!overlaps(spot, area, offset, (uint32_t)len)) {
            continue;
        }
        if (spot->kind == FAULT_SPOT_UNREADABLE) {
            return FERRY_E_FLASH;
        }
        if (spot->kind == FAULT_SPOT_UNSTABLE) {
            shake(chip, spot, offset, data, (uint32_t)len);
        }
    }
    return FERRY_OK;
}

static bool is_erased(const struct fault_area *area, uint32_t offset, uint32_t len)
{
    const uint8_t *memory = area->memory + offset;

    /* Each byte is the one before it, and the first is erased. */
    return memory[0] == area->flash.erased_value && memcmp(memory, memory + 1, len - 1) == 0;
}

const char *const fault_place_names[FAULT_PLACES] = {
    "primary", "secondary", "scratch", "primary of image 1", "secondary of image 1", "store"};

static void tell(const struct fault_op *op, const char *what)
{
    if (op->area->chip->verbose) {
        printf("    %s: %s, offset %u, %u bytes\n", what, fault_place_names[op->area->place],
               op->offset, op->len);
    }
}

/* What the part refuses by itself. Counts what the code could have seen. */
static int check_program(const struct fault_op *op)
{
    struct fault_area *area = op->area;
    bool erased = is_erased(area, op->offset, op->len);
    bool unreadable = doubtful(area, FAULT_SPOT_UNREADABLE, op->offset, op->len);
    bool unstable = doubtful(area, FAULT_SPOT_UNSTABLE, op->offset, op->len);

    if (unreadable || (!erased && !unstable)) {
        area->chip->state.reprogrammed++;
        tell(op, "programmed though not erased");
    }
    if (unreadable) {
        return FERRY_E_FLASH;
    }
    if (area->chip->write_once &&
        (!erased || unstable || doubtful(area, FAULT_SPOT_TORN, op->offset, op->len))) {
        return FERRY_E_NOT_ERASED;
    }
    return FERRY_OK;
}

static void check_erase(const struct fault_op *op)
{
    struct fault_area *area = op->area;
    struct fault_state *state = &area->chip->state;
    bool spotted = false;

    for (uint8_t i = 0; i < state->spot_count; i++) {
        spotted = spotted || overlaps(&state->spots[i], area, op->offset, op->len);
    }
    if (!spotted && area->place != FAULT_STORE && is_erased(area, op->offset, op->len)) {
        state->needless++;
    }
}

static bool fails_for_ever(const struct fault_armed *armed, const struct fault_op *op)
{
    return armed->model->for_ever && armed->place == (uint8_t)op->area->place &&
           armed->is_erase == (op->data == NULL) && armed->offset >= op->offset &&
           armed->offset < op->offset + op->len;
}

/* Whether an armed operation fails now; then its share is done. */
static bool fails(struct fault_chip *chip, const struct fault_op *op)
{
    for (uint8_t i = 0; i < chip->state.armed_count; i++) {
        struct fault_armed *armed = &chip->state.armed[i];

        if (!armed->fired && armed->at == chip->state.operations) {
            armed->fired = true;
            armed->place = (uint8_t)op->area->place;
            armed->is_erase = op->data == NULL;
            armed->offset = op->offset;
            armed->model->happen(op);
            return true;
        }
        if (armed->fired && fails_for_ever(armed, op)) {
            armed->model->happen(op);
            return true;
        }
    }
    return false;
}

/* Look whether an operation has left what may not be there, also together with what stands around
 * it. The primary is where plaintext is. */
static void look_for_secrets(const struct fault_op *op)
{
    const struct fault_area *area = op->area;
    struct fault_chip *chip = area->chip;
    uint32_t around = (uint32_t)sizeof(uint64_t) - 1;
    uint32_t begin = op->offset - ferry_min32(op->offset, around);
    uint32_t end = op->offset + op->len;

    if (chip->secrets == NULL || op->data == NULL) {
        return;
    }
    end += ferry_min32(around, area->flash.size - end);

    enum fault_secret_kind found =
        fault_secrets_find(chip->secrets, area->memory + begin, end - begin,
                           area->place != FAULT_PRIMARY && area->place != FAULT_PRIMARY_2);

    if (found > (enum fault_secret_kind)chip->state.leaked) {
        chip->state.leaked = (uint8_t)found;
        tell(op, "a secret is written");
    }
}

static int operate(const struct fault_op *op)
{
    struct fault_chip *chip = op->area->chip;

    chip->state.operations++;
    if (chip->watch != NULL) {
        chip->watch(chip->watcher, op);
    }
    if (fails(chip, op)) {
        tell(op, op->data != NULL ? "a program fails" : "an erase fails");
        look_for_secrets(op);
        return FERRY_E_FLASH;
    }
    fault_model_complete(op);
    look_for_secrets(op);
    return FERRY_OK;
}

static int chip_program(const struct ferry_flash *flash, uint32_t offset, const uint8_t *data,
                        size_t len)
{
    struct fault_area *area = flash->context;
    const struct fault_op op = {area, offset, (uint32_t)len, data};

    if (!alive(area->chip)) {
        return FERRY_E_POWER;
    }

    int rc = check_program(&op);

    return rc != FERRY_OK ? rc : operate(&op);
}

static int chip_erase(const struct ferry_flash *flash, uint32_t offset, size_t len)
{
    struct fault_area *area = flash->context;
    const struct fault_op op = {area, offset, (uint32_t)len, NULL};

    if (!alive(area->chip)) {
        return FERRY_E_POWER;
    }
    check_erase(&op);
    return operate(&op);
}

static const struct ferry_flash_ops chip_ops = {
    .read = chip_read, .program = chip_program, .erase = chip_erase};

/* ---- Set-up ---------------------------------------------------------------------------------- */

static void init_area(struct fault_chip *chip, enum fault_place place,
                      const struct fault_shape *shape)
{
    struct fault_area *area = &chip->areas[place];
    uint32_t size = shape->sectors * shape->sector_size;

    area->chip = chip;
    area->place = place;
    if (shape->sectors == 0) {
        return;
    }
    area->memory = need(malloc(size));
    memset(area->memory, shape->erased_value, size);
    area->flash = (struct ferry_flash){.ops = &chip_ops,
                                       .context = area,
                                       .size = size,
                                       .write_size = shape->write_size,
                                       .erased_value = shape->erased_value,
                                       .run_count = 1,
                                       .runs = {{shape->sectors, shape->sector_size}}};
    if (ferry_flash_check(&area->flash) != FERRY_OK || shape->sectors > FAULT_SECTORS_MAX) {
        fputs("faults: a shape that is no flash\n", stderr);
        abort();
    }
}

void fault_chip_init(struct fault_chip *chip, const struct fault_shape shapes[FAULT_PLACES])
{
    memset(chip, 0, sizeof(*chip));
    chip->state.noise = 1;
    chip->journal_cap = 1 << 16;
    chip->journal = need(malloc(chip->journal_cap));
    for (int place = 0; place < FAULT_PLACES; place++) {
        init_area(chip, (enum fault_place)place, &shapes[place]);
    }
}

void fault_chip_free(struct fault_chip *chip)
{
    for (int place = 0; place < FAULT_PLACES; place++) {
        free(chip->areas[place].memory);
    }
    free(chip->journal);
}

bool fault_chip_has(const struct fault_chip *chip, enum fault_place place)
{
    return chip->areas[place].memory != NULL;
}
