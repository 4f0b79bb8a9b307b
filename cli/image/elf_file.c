/* SPDX-License-Identifier: Apache-2.0 */
#include "elf_file.h"

#include <string.h>

enum {
    IDENT_CLASS = 4,
    IDENT_DATA = 5,
    IDENT_SIZE = 16,
    CLASS_32 = 1,
    CLASS_64 = 2,
    DATA_LITTLE = 1,
    DATA_BIG = 2,
    SEGMENT_LOAD = 1,
    SECTION_NO_BITS = 8,
    SECTION_ALLOCATED = 2
};

/* Where a field is. */
struct field {
    uint8_t offset;
    uint8_t width;
};

/* The headers of one class. */
struct elf_class {
    uint8_t header_size;
    uint8_t segment_size;
    uint8_t section_size;
    struct field segments, segment_entry, segment_count; /* of the file's header */
    struct field sections, section_entry, section_count;
    struct field load_offset, load_address, load_size; /* of a program header */
    struct field flags, offset, size;                  /* of a section header */
};

static const struct elf_class classes[] = {
    [CLASS_32] = {52,
                  32,
                  40,
                  {28, 4},
                  {42, 2},
                  {44, 2},
                  {32, 4},
                  {46, 2},
                  {48, 2},
                  {4, 4},
                  {12, 4},
                  {16, 4},
                  {8, 4},
                  {16, 4},
                  {20, 4}},
    [CLASS_64] = {64,
                  56,
                  64,
                  {32, 8},
                  {54, 2},
                  {56, 2},
                  {40, 8},
                  {58, 2},
                  {60, 2},
                  {8, 8},
                  {24, 8},
                  {32, 8},
                  {8, 8},
                  {24, 8},
                  {32, 8}},
};

static const struct field type_of_segment = {0, 4};
static const struct field type_of_section = {4, 4};

struct elf {
    const uint8_t *data;
    size_t len;
    const struct elf_class *class;
    bool big;
    uint64_t headers_end; /* of the file's header, and of the program headers if they follow it */
};

/* A table of headers that lies in the file. */
struct table {
    const uint8_t *at;
    size_t entry;
    size_t count;
};

/* A segment's bytes in the file. */
struct segment {
    uint64_t offset;
    uint64_t address;
    uint64_t size;
};

bool elf_file_begins(const uint8_t *data, size_t len)
{
    return len >= 4 && memcmp(data, "\177ELF", 4) == 0;
}

static uint64_t get(const struct elf *elf, const uint8_t *header, struct field field)
{
    uint64_t value = 0;
    for (unsigned i = 0; i < field.width; i++) {
        unsigned at = elf->big ? i : field.width - 1u - i;
        value = value << 8 | header[field.offset + at];
    }
    return value;
}

/* Whether size bytes at offset lie in the file. */
static bool inside(const struct elf *elf, uint64_t offset, uint64_t size)
{
    return offset <= elf->len && size <= elf->len - offset;
}

static int open_elf(const uint8_t *data, size_t len, struct elf *elf, struct memory_fault *fault)
{
    *elf = (struct elf){.data = data, .len = len, .class = &classes[CLASS_32]};
    if (!elf_file_begins(data, len)) {
        return memory_fault(fault, "it does not begin with the magic of ELF");
    }
    if (len < IDENT_SIZE) {
        return memory_fault(fault, "it ends in its first 16 bytes");
    }
    if (data[IDENT_CLASS] != CLASS_32 && data[IDENT_CLASS] != CLASS_64) {
        return memory_fault(fault, "class %u is neither 32 nor 64 bits", data[IDENT_CLASS]);
    }
    if (data[IDENT_DATA] != DATA_LITTLE && data[IDENT_DATA] != DATA_BIG) {
        return memory_fault(fault, "byte order %u is not known", data[IDENT_DATA]);
    }
    elf->class = &classes[data[IDENT_CLASS]];
    elf->big = data[IDENT_DATA] == DATA_BIG;
    if (len < elf->class->header_size) {
        return memory_fault(fault, "it ends in its header, after %zu bytes", len);
    }
    return FERRY_OK;
}

/* Returns false when the table does not lie in the file, or its entries are too small. */
static bool find_table(const struct elf *elf, struct field where, struct field entry,
                       struct field count, size_t least, struct table *table)
{
    uint64_t offset = get(elf, elf->data, where);
    table->entry = (size_t)get(elf, elf->data, entry);
    table->count = (size_t)get(elf, elf->data, count);
    if (table->entry < least || !inside(elf, offset, (uint64_t)table->entry * table->count)) {
        return false;
    }
    table->at = elf->data + offset;
    return true;
}

/* The offset of the program in a segment that begins with the file's own headers: its first section
 * behind those. The segment's end when there are sections and none is in it; its begin when there
 * is no section table to ask. */
static uint64_t program_offset(const struct elf *elf, const struct segment *segment)
{
    const struct elf_class *c = elf->class;
    uint64_t begin = segment->offset + segment->size;
    struct table table;
    if (segment->offset >= elf->headers_end ||
        !find_table(elf, c->sections, c->section_entry, c->section_count, c->section_size,
                    &table) ||
        table.count == 0) {
        return segment->offset;
    }
    for (size_t i = 0; i < table.count; i++) {
        const uint8_t *section = table.at + i * table.entry;
        uint64_t offset = get(elf, section, c->offset);
        if (get(elf, section, type_of_section) != SECTION_NO_BITS &&
            (get(elf, section, c->flags) & SECTION_ALLOCATED) != 0 &&
            get(elf, section, c->size) > 0 && offset >= elf->headers_end && offset < begin) {
            begin = offset;
        }
    }
    return begin;
}

static int add_segment(const struct elf *elf, size_t number, struct segment segment,
                       struct memory_map *map, struct memory_fault *fault)
{
    if (!inside(elf, segment.offset, segment.size)) {
        return memory_fault(fault, "segment %zu reaches out of the file: it was cut off", number);
    }
    uint64_t skip = program_offset(elf, &segment) - segment.offset;
    segment.size -= skip;
    if (segment.size == 0) {
        return FERRY_OK;
    }
    if (segment.address > UINT32_MAX || skip > UINT32_MAX - segment.address ||
        segment.size > (1ull << 32) - (segment.address + skip)) {
        return memory_fault(fault, "segment %zu lies above 32 bits, at 0x%llx", number,
                            (unsigned long long)segment.address);
    }
    return memory_map_add(map, (uint32_t)(segment.address + skip),
                          elf->data + segment.offset + skip, (uint32_t)segment.size, number);
}

int elf_file_read(const uint8_t *data, size_t len, struct memory_map *map,
                  struct memory_fault *fault)
{
    struct elf elf;
    struct table table;
    int rc = open_elf(data, len, &elf, fault);
    if (rc != FERRY_OK) {
        return rc;
    }
    const struct elf_class *c = elf.class;
    if (get(&elf, data, c->segment_count) == 0) {
        return memory_fault(fault, "it has no segments: link it to a program first");
    }
    if (!find_table(&elf, c->segments, c->segment_entry, c->segment_count, c->segment_size,
                    &table)) {
        return memory_fault(fault, "its program headers do not lie in the file: it was cut off");
    }
    bool follows = table.at == data + c->header_size;
    elf.headers_end = c->header_size + (follows ? (uint64_t)table.entry * table.count : 0);
    for (size_t i = 0; i < table.count; i++) {
        const uint8_t *header = table.at + i * table.entry;
        struct segment segment = {get(&elf, header, c->load_offset),
                                  get(&elf, header, c->load_address),
                                  get(&elf, header, c->load_size)};
        bool loads = get(&elf, header, type_of_segment) == SEGMENT_LOAD && segment.size > 0;
        rc = loads ? add_segment(&elf, i, segment, map, fault) : FERRY_OK;
        if (rc != FERRY_OK) {
            return rc;
        }
    }
    if (map->count == 0) {
        return memory_fault(fault, "it has no loadable segment with bytes in the file");
    }
    return memory_map_sort(map, "segment", fault);
}
