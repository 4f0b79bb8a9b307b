/* SPDX-License-Identifier: Apache-2.0 */
#include "intel_hex.h"

#include "ferry/bytes.h"

#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum record_type {
    RECORD_DATA,
    RECORD_END,
    RECORD_SEGMENT,
    RECORD_START_SEGMENT,
    RECORD_LINEAR,
    RECORD_START_LINEAR
};

/* Length, address and type in front of a record's data, and the checksum behind. */
#define RECORD_AROUND 5
#define BANK          0x10000u
#define LINE_BYTES    16u

/* ---- Reading -------------------------------------------------------------------------------- */

struct reader {
    const uint8_t *at;
    const uint8_t *end;
    size_t line;   /* the one that was read last, from 1 */
    uint32_t base; /* of addresses */
    bool linear;   /* said by a record 04 */
    bool ended;    /* by a record 01 */
    size_t decoded;
    struct memory_map *map;
    struct memory_fault *fault;
};

/* One record, checked. */
struct record {
    uint8_t len;
    uint16_t address;
    uint8_t type;
    const uint8_t *data; /* in the map's decoded bytes */
};

static bool is_blank(uint8_t c)
{
    return c == ' ' || c == '\t';
}

static bool is_text(uint8_t c)
{
    return isprint(c) || isspace(c);
}

bool intel_hex_begins(const uint8_t *data, size_t len)
{
    size_t at = len >= 3 && memcmp(data, "\xef\xbb\xbf", 3) == 0 ? 3 : 0;
    while (at < len && isspace(data[at])) {
        at++;
    }
    if (at == len || data[at] != ':') {
        return false;
    }
    size_t digits = 0;
    while (digits < 8 && at + 1 + digits < len && isxdigit(data[at + 1 + digits])) {
        digits++;
    }
    while (digits < 8 && at < len && is_text(data[at])) {
        at++;
    }
    return digits == 8 || at == len;
}

/* The next line without its blanks at both ends. Returns false at the end. */
static bool next_line(struct reader *r, struct ferry_bytes *line)
{
    if (r->at == r->end) {
        return false;
    }
    const uint8_t *begin = r->at;
    while (r->at < r->end && *r->at != '\r' && *r->at != '\n') {
        r->at++;
    }
    const uint8_t *end = r->at;
    if (r->at < r->end) {
        r->at += r->at[0] == '\r' && r->end - r->at > 1 && r->at[1] == '\n' ? 2 : 1;
    }
    while (begin < end && is_blank(*begin)) {
        begin++;
    }
    while (begin < end && is_blank(end[-1])) {
        end--;
    }
    r->line++;
    *line = (struct ferry_bytes){begin, (size_t)(end - begin)};
    return true;
}

/* The value of a digit, above 15 for anything else. A table, since <ctype.h> was half of the time
 * that it takes to read a file. */
static uint8_t digit(uint8_t c)
{
    static const uint8_t one_more[256] = {
        ['0'] = 1,  ['1'] = 2,  ['2'] = 3,  ['3'] = 4,  ['4'] = 5,  ['5'] = 6,
        ['6'] = 7,  ['7'] = 8,  ['8'] = 9,  ['9'] = 10, ['a'] = 11, ['b'] = 12,
        ['c'] = 13, ['d'] = 14, ['e'] = 15, ['f'] = 16, ['A'] = 11, ['B'] = 12,
        ['C'] = 13, ['D'] = 14, ['E'] = 15, ['F'] = 16,
    };
    return (uint8_t)(one_more[c] - 1u);
}

static uint8_t byte_at(const uint8_t *digits, size_t i)
{
    return (uint8_t)(digit(digits[2 * i]) << 4 | digit(digits[2 * i + 1]));
}

static int check_digits(const struct reader *r, struct ferry_bytes line)
{
    for (size_t i = 1; i < line.len; i++) {
        if (digit(line.data[i]) > 15) {
            return isprint(line.data[i])
                       ? memory_fault(r->fault, "line %zu: '%c' is no hexadecimal digit", r->line,
                                      line.data[i])
                       : memory_fault(r->fault, "line %zu: byte 0x%02x is no hexadecimal digit",
                                      r->line, line.data[i]);
        }
    }
    return FERRY_OK;
}

/* Colon, digits, length. */
static int check_shape(const struct reader *r, struct ferry_bytes line)
{
    if (line.data[0] != ':') {
        return memory_fault(r->fault, "line %zu does not begin with a colon", r->line);
    }
    int rc = check_digits(r, line);
    if (rc != FERRY_OK) {
        return rc;
    }
    size_t digits = line.len - 1;
    if (digits % 2 != 0) {
        return memory_fault(r->fault, "line %zu has an odd number of digits, %zu", r->line, digits);
    }
    if (digits < 2 * RECORD_AROUND) {
        return memory_fault(r->fault, "line %zu is too short: %zu digits, and the shortest has 10",
                            r->line, digits);
    }
    unsigned says = byte_at(line.data + 1, 0);
    if (digits / 2 != says + RECORD_AROUND) {
        return memory_fault(r->fault, "line %zu says that it has %u bytes of data, and has %zu",
                            r->line, says, digits / 2 - RECORD_AROUND);
    }
    return FERRY_OK;
}

/* Decode a line that has the right shape; its data are appended to what is decoded. */
static int decode(struct reader *r, struct ferry_bytes line, struct record *record)
{
    const uint8_t *digits = line.data + 1;
    size_t len = (line.len - 1) / 2 - 1;
    uint8_t *data = r->map->decoded + r->decoded;
    uint8_t sum = 0;
    for (size_t i = 0; i < len; i++) {
        uint8_t byte = byte_at(digits, i);
        sum = (uint8_t)(sum + byte);
        if (i >= RECORD_AROUND - 1) {
            data[i - (RECORD_AROUND - 1)] = byte;
        }
    }
    uint8_t expected = (uint8_t)(0x100u - sum);
    uint8_t found = byte_at(digits, len);
    if (found != expected) {
        return memory_fault(r->fault, "line %zu: the checksum is 0x%02X, and 0x%02X is expected",
                            r->line, found, expected);
    }
    *record = (struct record){byte_at(digits, 0),
                              (uint16_t)(byte_at(digits, 1) << 8 | byte_at(digits, 2)),
                              byte_at(digits, 3), data};
    return FERRY_OK;
}

/* Data wrap at the end of their bank, or of the address space: two pieces then. */
static int add_data(struct reader *r, const struct record *record)
{
    uint32_t low = r->linear ? r->base + record->address : record->address;
    uint64_t room = r->linear ? (1ull << 32) - low : BANK - low;
    uint32_t len = room < record->len ? (uint32_t)room : record->len;
    uint32_t base = r->linear ? 0 : r->base;
    r->decoded += record->len;
    int rc = memory_map_add(r->map, base + low, record->data, len, r->line);
    return rc == FERRY_OK
               ? memory_map_add(r->map, base, record->data + len, record->len - len, r->line)
               : rc;
}

/* Which length a record has that is no data. */
static int check_length(const struct reader *r, const struct record *record)
{
    static const uint8_t lengths[] = {[RECORD_END] = 0,
                                      [RECORD_SEGMENT] = 2,
                                      [RECORD_START_SEGMENT] = 4,
                                      [RECORD_LINEAR] = 2,
                                      [RECORD_START_LINEAR] = 4};
    if (record->type > RECORD_START_LINEAR) {
        return memory_fault(r->fault, "line %zu: a record of type 0x%02x is not known", r->line,
                            record->type);
    }
    if (record->type != RECORD_DATA && record->len != lengths[record->type]) {
        return memory_fault(r->fault, "line %zu: a record of type %02x has %u bytes, and not %u",
                            r->line, record->type, lengths[record->type], record->len);
    }
    return FERRY_OK;
}

static int take_record(struct reader *r, const struct record *record)
{
    int rc = check_length(r, record);
    if (rc != FERRY_OK) {
        return rc;
    }
    switch (record->type) {
    case RECORD_DATA:
        return add_data(r, record);
    case RECORD_END:
        r->ended = true;
        return FERRY_OK;
    case RECORD_SEGMENT:
        r->base = (uint32_t)ferry_load_be16(record->data) << 4;
        r->linear = false;
        return FERRY_OK;
    case RECORD_LINEAR:
        r->base = (uint32_t)ferry_load_be16(record->data) << 16;
        r->linear = true;
        return FERRY_OK;
    default: /* a start address */
        return FERRY_OK;
    }
}

static int read_records(struct reader *r)
{
    struct ferry_bytes line;
    struct record record = {0};
    while (next_line(r, &line)) {
        if (line.len == 0) {
            continue;
        }
        if (r->ended) {
            return memory_fault(r->fault, "line %zu stands behind the end record", r->line);
        }
        int rc = check_shape(r, line);
        rc = rc == FERRY_OK ? decode(r, line, &record) : rc;
        rc = rc == FERRY_OK ? take_record(r, &record) : rc;
        if (rc != FERRY_OK) {
            return rc;
        }
    }
    return r->ended ? FERRY_OK
                    : memory_fault(r->fault,
                                   "it ends behind line %zu without an end record: it was cut off",
                                   r->line);
}

int intel_hex_read(const uint8_t *data, size_t len, struct memory_map *map,
                   struct memory_fault *fault)
{
    struct reader r = {.at = data, .end = data + len, .map = map, .fault = fault};
    map->decoded = malloc(len / 2 + 1);
    if (map->decoded == NULL) {
        return FERRY_E_SPACE;
    }
    int rc = read_records(&r);
    return rc == FERRY_OK ? memory_map_sort(map, "line", fault) : rc;
}

/* ---- Writing -------------------------------------------------------------------------------- */

struct writer {
    char *text; /* has room for what is to come */
    size_t len;
};

/* Characters of a record of n bytes, the line's end included. */
static size_t record_size(size_t n)
{
    return 1 + 2 * (n + RECORD_AROUND) + 1;
}

static void put_record(struct writer *w, enum record_type type, uint16_t address,
                       const uint8_t *data, uint8_t len)
{
    static const char digits[] = "0123456789ABCDEF";
    uint8_t bytes[LINE_BYTES + RECORD_AROUND] = {len, (uint8_t)(address >> 8), (uint8_t)address,
                                                 (uint8_t)type};
    uint8_t sum = 0;
    if (len > 0) {
        memcpy(bytes + 4, data, len);
    }
    for (size_t i = 0; i < 4u + len; i++) {
        sum = (uint8_t)(sum + bytes[i]);
    }
    bytes[4 + len] = (uint8_t)(0x100u - sum);
    char *p = w->text + w->len;
    *p++ = ':';
    for (size_t i = 0; i < (size_t)len + RECORD_AROUND; i++) {
        *p++ = digits[bytes[i] >> 4];
        *p++ = digits[bytes[i] & 15];
    }
    *p = '\n';
    w->len += record_size(len);
}

/* A place in a map: behind the last byte, piece is its count. */
struct cursor {
    size_t piece;
    uint32_t offset;
};

static uint32_t address_of(const struct memory_map *map, const struct cursor *at)
{
    return map->pieces[at->piece].address + at->offset;
}

/* Take up to most bytes that follow each other in memory. Returns how many. */
static uint8_t take(const struct memory_map *map, struct cursor *at, uint8_t *bytes, uint32_t most)
{
    uint32_t next = address_of(map, at);
    uint8_t n = 0;
    while (n < most && at->piece < map->count && address_of(map, at) == next) {
        const struct memory_piece *piece = &map->pieces[at->piece];
        bytes[n++] = piece->data[at->offset++];
        next++;
        if (at->offset == piece->len) {
            *at = (struct cursor){at->piece + 1, 0};
        }
    }
    return n;
}

/* No less than what is written: a piece of n bytes takes n / 16 records, and one more for each end
 * and each 64 KiB. */
static size_t room_for(const struct memory_map *map)
{
    size_t size = record_size(0);
    for (size_t i = 0; i < map->count; i++) {
        size_t banks = map->pieces[i].len / BANK + 2;
        size += (map->pieces[i].len / LINE_BYTES + 2 + banks) * record_size(LINE_BYTES) +
                banks * record_size(2);
    }
    return size;
}

static void put_map(struct writer *w, const struct memory_map *map)
{
    struct cursor at = {0, 0};
    uint8_t bytes[LINE_BYTES];
    uint8_t bank[2] = {0, 0};
    bool banks =
        map->count > 0 &&
        (uint64_t)map->pieces[map->count - 1].address + map->pieces[map->count - 1].len > BANK;
    while (at.piece < map->count) {
        uint32_t address = address_of(map, &at);
        if (banks && (w->len == 0 || address >> 16 != ferry_load_be16(bank))) {
            ferry_store_be16(bank, (uint16_t)(address >> 16));
            put_record(w, RECORD_LINEAR, 0, bank, 2);
        }
        uint32_t room = BANK - (address & (BANK - 1));
        uint8_t n = take(map, &at, bytes, ferry_min32(room, LINE_BYTES));
        put_record(w, RECORD_DATA, (uint16_t)address, bytes, n);
    }
    put_record(w, RECORD_END, 0, NULL, 0);
}

char *intel_hex_write(const struct memory_map *map, size_t *len)
{
    struct writer w = {malloc(room_for(map)), 0};
    if (w.text != NULL) {
        put_map(&w, map);
    }
    *len = w.len;
    return w.text;
}
