/* SPDX-License-Identifier: Apache-2.0 */
/* Flash, rule by rule. What a rule leaves is erased by the next one. */
#include "conformance_run.h"

#include <string.h>

/* Bytes written and read at a time. */
#define PIECE 128

/* Write units that are looked at in the first sector, which has as many. */
#define UNITS 8

/* Looks at the same bytes. */
#define LOOKS 64

/* A byte that is not erased, and another at each offset nearby. */
static uint8_t pattern(const struct ferry_flash *area, uint32_t at)
{
    uint8_t byte = (uint8_t)(at * 37 + (at >> 8) * 11 + 5);

    return byte == area->erased_value ? (uint8_t)~byte : byte;
}

static void fill(const struct ferry_flash *area, uint32_t at, uint8_t *piece, size_t len)
{
    for (size_t i = 0; i < len; i++) {
        piece[i] = pattern(area, at + (uint32_t)i);
    }
}

/* Program the pattern, in pieces. */
static bool program(const struct ferry_flash *area, uint32_t at, size_t len)
{
    uint8_t piece[PIECE];

    while (len > 0) {
        size_t part = len < sizeof piece ? len : sizeof piece;

        fill(area, at, piece, part);
        if (ferry_flash_program(area, at, piece, part) != FERRY_OK) {
            return false;
        }
        at += (uint32_t)part;
        len -= part;
    }
    return true;
}

/* Whether bytes read as the pattern, or as erased. */
static bool reads_as(const struct ferry_flash *area, uint32_t at, size_t len, bool erased)
{
    uint8_t piece[PIECE];

    while (len > 0) {
        size_t part = len < sizeof piece ? len : sizeof piece;

        if (ferry_flash_read(area, at, piece, part) != FERRY_OK) {
            return false;
        }
        for (size_t i = 0; i < part; i++) {
            uint8_t wanted = erased ? area->erased_value : pattern(area, at + (uint32_t)i);

            if (piece[i] != wanted) {
                return false;
            }
        }
        at += (uint32_t)part;
        len -= part;
    }
    return true;
}

static bool erase(const struct ferry_flash *area, uint32_t at, size_t len)
{
    return ferry_flash_erase(area, at, len) == FERRY_OK;
}

/* ---- Erasing ---------------------------------------------------------------------------- */

static const char *erases_whole(const struct ferry_flash *area)
{
    if (!erase(area, 0, area->size)) {
        return "erase of all sectors in one call answers an error";
    }
    if (!program(area, 0, area->size)) {
        return "program of an erased area answers an error";
    }
    if (!erase(area, 0, area->size) || !reads_as(area, 0, area->size, true)) {
        return "a byte is not erased_value afterwards: is it 0x00 for this part, and are all "
               "sectors of the call erased?";
    }
    return NULL;
}

static const char *erases_again(const struct ferry_flash *area)
{
    return erase(area, 0, area->runs[0].size) && reads_as(area, 0, area->runs[0].size, true)
               ? NULL
               : "it answers an error, or leaves other bytes";
}

/* The first sector, one in the middle and the last. */
static uint32_t some_sector(const struct ferry_flash *area, uint32_t n)
{
    uint32_t count = ferry_flash_sector_count(area);

    return n == 0 ? 0 : n == 1 ? count / 2 : count - 1;
}

static const char *leaves_neighbours(const struct ferry_flash *area)
{
    for (uint32_t n = 0; n < 3; n++) {
        struct ferry_flash_sector sector;

        if (!erase(area, 0, area->size) || !program(area, 0, area->size) ||
            ferry_flash_sector(area, some_sector(area, n), &sector) != FERRY_OK ||
            !erase(area, sector.offset, sector.size)) {
            return "erase or program answers an error";
        }
        if (!reads_as(area, sector.offset, sector.size, true)) {
            return "a part of it is not erased: are the sectors smaller than the runs say?";
        }

        uint32_t end = sector.offset + sector.size;

        if (!reads_as(area, 0, sector.offset, false) ||
            !reads_as(area, end, area->size - end, false)) {
            return "bytes of another sector are gone: are the sectors larger than the runs say?";
        }
    }
    return NULL;
}

/* ---- Programming ------------------------------------------------------------------------ */

/* One, two, three and four units in a call, at every unit of the first bytes of the area. */
static const char *programs_units(const struct ferry_flash *area)
{
    uint32_t unit = area->write_size;

    for (uint32_t units = 1; units <= 4; units++) {
        for (uint32_t first = 0; first < 4; first++) {
            uint32_t at = first * unit;
            uint32_t len = units * unit;
            uint32_t end = UNITS * unit;

            if (!erase(area, 0, area->runs[0].size) || !program(area, at, len)) {
                return "erase or program answers an error: can the part write write_size bytes?";
            }
            if (!reads_as(area, at, len, false)) {
                return "the bytes are not what was written";
            }
            if (!reads_as(area, 0, at, true) || !reads_as(area, at + len, end - at - len, true)) {
                return "a unit beside them is written, too: is the write size larger?";
            }
        }
    }
    return NULL;
}

/* A unit at each edge of a sector, and one call over it. */
static const char *programs_edges(const struct ferry_flash *area)
{
    uint32_t unit = area->write_size;
    uint32_t edge = area->runs[0].size;
    uint8_t piece[2 * FERRY_FLASH_WRITE_MAX];

    if (!erase(area, 0, area->size)) {
        return "erase answers an error";
    }
    fill(area, edge - unit, piece, 2 * unit);
    if (ferry_flash_program(area, edge - unit, piece, 2 * unit) != FERRY_OK ||
        !reads_as(area, edge - unit, 2 * unit, false)) {
        return "one call over the edge of a sector does not work: split it in program()";
    }
    if (!program(area, 0, unit) || !program(area, area->size - unit, unit) ||
        !reads_as(area, 0, unit, false) || !reads_as(area, area->size - unit, unit, false)) {
        return "the first or the last unit of the area is not what was written";
    }
    return reads_as(area, unit, edge - 2 * unit, true) ? NULL
                                                       : "something else was written with it";
}

/* What two programs of a unit leave: bits go one way, or the second one is refused. */
static bool is_one_way(const struct ferry_flash *area, const uint8_t *now, uint8_t first,
                       uint8_t second)
{
    bool all_first = true;
    bool all_both = true;
    uint8_t both = area->erased_value == 0 ? first | second : first & second;

    for (uint32_t i = 0; i < area->write_size; i++) {
        all_first = all_first && now[i] == first;
        all_both = all_both && now[i] == both;
    }
    return all_first || all_both;
}

static const char *programs_one_way(const struct ferry_flash *area)
{
    uint8_t first[FERRY_FLASH_WRITE_MAX];
    uint8_t second[FERRY_FLASH_WRITE_MAX];
    uint8_t now[FERRY_FLASH_WRITE_MAX];
    size_t unit = area->write_size;

    memset(first, 0x5a, sizeof first);
    memset(second, 0x33, sizeof second);
    if (!erase(area, 0, area->runs[0].size) ||
        ferry_flash_program(area, 0, first, unit) != FERRY_OK) {
        return "erase or program answers an error";
    }

    int rc = ferry_flash_program(area, 0, second, unit);

    if (ferry_flash_read(area, 0, now, unit) != FERRY_OK) {
        return NULL; /* the unit's ECC: it reads again when it is erased */
    }
    if (is_one_way(area, now, 0x5a, 0x33)) {
        return NULL;
    }
    return rc == FERRY_OK
               ? "the second program sets bits back: that takes an erase. Does program() "
                 "erase by itself?"
               : "the second program is refused, and changed the unit all the same";
}

/* ---- Reading and addresses -------------------------------------------------------------- */

static const char *reads_anywhere(const struct ferry_flash *area)
{
    if (!erase(area, 0, area->runs[0].size) || !program(area, 0, area->runs[0].size)) {
        return "erase or program answers an error";
    }
    for (uint32_t at = 0; at < PIECE / 2; at++) {
        for (uint32_t len = 1; len < PIECE / 2; len++) {
            if (!reads_as(area, at, len, false)) {
                return "a read that is not aligned, or short, gives other bytes";
            }
        }
    }
    return NULL;
}

static const char *reads_steadily(const struct ferry_flash *area)
{
    uint8_t once[PIECE];
    uint8_t again[PIECE];

    if (ferry_flash_read(area, 0, once, sizeof once) != FERRY_OK) {
        return "read answers an error";
    }
    for (int look = 0; look < LOOKS; look++) {
        if (ferry_flash_read(area, 0, again, sizeof again) != FERRY_OK ||
            memcmp(once, again, sizeof once) != 0) {
            return "the same bytes read differently: wait states, clock or supply";
        }
    }
    return NULL;
}

/* Each sector's first unit tells its number. */
static bool stamp(const struct ferry_flash *area, uint32_t index, bool write)
{
    struct ferry_flash_sector sector;
    uint8_t wanted[FERRY_FLASH_WRITE_MAX];
    uint8_t found[FERRY_FLASH_WRITE_MAX];
    size_t len = ferry_max32(area->write_size, 4);

    memset(wanted, 0x5a, sizeof wanted);
    ferry_store_le32(wanted, index * 0x9e3779b1U + 1);
    if (ferry_flash_sector(area, index, &sector) != FERRY_OK || len > sector.size) {
        return false;
    }
    if (write) {
        return ferry_flash_program(area, sector.offset, wanted, len) == FERRY_OK;
    }
    return ferry_flash_read(area, sector.offset, found, len) == FERRY_OK &&
           memcmp(found, wanted, len) == 0;
}

static const char *has_no_mirror(const struct ferry_flash *area)
{
    uint32_t count = ferry_flash_sector_count(area);
    bool good = erase(area, 0, area->size);

    for (uint32_t i = 0; i < count && good; i++) {
        good = stamp(area, i, true);
    }
    for (uint32_t i = 0; i < count && good; i++) {
        good = stamp(area, i, false);
    }
    return good ? NULL
                : "a sector has what another one was given: is the part smaller, or an address "
                  "line open?";
}

/* ---- All of them ------------------------------------------------------------------------ */

void ferry_conformance_flash(struct ferry_conformance *run, const struct ferry_flash *area)
{
    static const struct {
        const char *rule;
        const char *(*holds)(const struct ferry_flash *area);
    } rules[] = {
        {"flash: erase makes every byte erased_value", erases_whole},
        {"flash: what is erased can be erased again", erases_again},
        {"flash: erase leaves the neighbours alone", leaves_neighbours},
        {"flash: program writes whole units and nothing beside them", programs_units},
        {"flash: program reaches both ends, and over the edge of a sector", programs_edges},
        {"flash: program does not set bits back", programs_one_way},
        {"flash: read takes any offset and length", reads_anywhere},
        {"flash: the same bytes read the same", reads_steadily},
        {"flash: no sector is another one's mirror", has_no_mirror},
    };
    bool large = ferry_flash_check(area) == FERRY_OK &&
                 ferry_flash_sector_count(area) >= FERRY_CONFORMANCE_SECTORS &&
                 area->runs[0].size >= PIECE && area->runs[0].size / UNITS >= area->write_size;

    conformance_say(run, "flash: the geometry can be",
                    large ? NULL
                          : "ferry_flash_check() refuses it, or it has fewer than 3 sectors, or "
                            "sectors below 128 bytes or 8 write units");
    for (size_t i = 0; i < sizeof rules / sizeof rules[0] && large; i++) {
        conformance_say(run, rules[i].rule, rules[i].holds(area));
    }
    if (large) {
        conformance_say(run, "flash: it is left erased",
                        erase(area, 0, area->size) && reads_as(area, 0, area->size, true)
                            ? NULL
                            : "the last erase failed");
    }
}
