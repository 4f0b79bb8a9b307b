/* SPDX-License-Identifier: Apache-2.0 */
/* Fuzz target: bytes as a bootloader for a first stage, and as provision data. Byte 0 of the input
 * is the mode: bit 0, the rest are edits (offset u16, exclusive or) of golden ones, which `ferry
 * b0` made; else a length (u16), so many bytes of provision data, and the bootloader.
 *
 * Whatever the bytes are:
 *   1. Nothing is read outside of them (the sanitizers see to it).
 *   2. fw_info that is accepted lies inside the firmware at one of its offsets, and is the same
 * when it is written and parsed again.
 *   3. Validation info that is accepted lies within 4 bytes behind the firmware, and inside the
 * slot.
 *   4. Of provision data that are accepted, tokens and slots lie inside, and a counter has a slot.
 *   5. A verification answers FERRY_OK exactly when both words of its verdict say so, and only for
 * the golden firmware, by a provisioned key that is not revoked, with a version the counter allows.
 *   6. The first stage starts what verifies and nothing else; it writes provision data and the word
 *      `valid` only, bits move one way, no key comes back and no counter falls. */
#include "ferry/first.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* Like assert(), in every build type. */
#define CHECK(condition)                                                                           \
    do {                                                                                           \
        if (!(condition)) {                                                                        \
            fprintf(stderr, "%s:%d: %s\n", __FILE__, __LINE__, #condition);                        \
            abort();                                                                               \
        }                                                                                          \
    } while (0)

#define S0            0x20200U
#define S1            0x50200U
#define FIRMWARE_SIZE 128U
#define BYTES_MAX     8192U

/* fw_info at 0, version 3, for S0; signed by the second key of the page. */
static const uint8_t golden_stage[] = {
    0xde, 0xe6, 0x1e, 0x28, 0x4c, 0xbb, 0xce, 0x8f, 0x02, 0x34, 0x00, 0x00, 0x3c, 0x00, 0x00, 0x00,
    0x80, 0x00, 0x00, 0x00, 0x03, 0x00, 0x00, 0x00, 0x00, 0x02, 0x02, 0x00, 0x00, 0x02, 0x02, 0x00,
    0xff, 0xff, 0x02, 0x91, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00,
    0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0xb7, 0xdc, 0x01, 0x26,
    0x4b, 0x70, 0x95, 0xba, 0xdf, 0x04, 0x29, 0x4e, 0x73, 0x98, 0xbd, 0xe2, 0x07, 0x2c, 0x51, 0x76,
    0x9b, 0xc0, 0xe5, 0x0a, 0x2f, 0x54, 0x79, 0x9e, 0xc3, 0xe8, 0x0d, 0x32, 0x57, 0x7c, 0xa1, 0xc6,
    0xeb, 0x10, 0x35, 0x5a, 0x7f, 0xa4, 0xc9, 0xee, 0x13, 0x38, 0x5d, 0x82, 0xa7, 0xcc, 0xf1, 0x16,
    0x3b, 0x60, 0x85, 0xaa, 0xcf, 0xf4, 0x19, 0x3e, 0x63, 0x88, 0xad, 0xd2, 0xf7, 0x1c, 0x41, 0x66,
    0xde, 0xe6, 0x1e, 0x28, 0x83, 0x84, 0x51, 0x86, 0x02, 0x34, 0x01, 0x00, 0x00, 0x02, 0x02, 0x00,
    0x4a, 0x76, 0xc0, 0xc9, 0x9c, 0x43, 0x87, 0xc7, 0x28, 0x78, 0x54, 0xbf, 0x39, 0xf4, 0xe8, 0xbe,
    0x88, 0x49, 0x82, 0x92, 0x5f, 0xe4, 0xfe, 0xcc, 0xe8, 0x21, 0x3d, 0x47, 0x96, 0xfa, 0xbb, 0x10,
    0x20, 0xfa, 0x88, 0xaf, 0x5f, 0x5f, 0x56, 0xbb, 0xed, 0xf8, 0x78, 0x7a, 0x82, 0x14, 0x1d, 0xe1,
    0x52, 0x01, 0xfe, 0x62, 0xb1, 0x62, 0x68, 0x46, 0xc1, 0x79, 0x65, 0x5b, 0xdc, 0x19, 0x48, 0xb0,
    0xf5, 0xba, 0xbe, 0x6e, 0xb6, 0x41, 0x2a, 0x6f, 0x9d, 0x49, 0xaa, 0x04, 0x27, 0xfa, 0xc0, 0x1d,
    0xdd, 0x54, 0x3b, 0xda, 0x38, 0x2f, 0x9e, 0xbf, 0xdf, 0x16, 0xc6, 0x1c, 0x7d, 0x29, 0x18, 0xd9,
    0x80, 0x91, 0xc0, 0x25, 0x92, 0x8a, 0x1b, 0x84, 0x8b, 0xbc, 0xd3, 0xee, 0x72, 0xec, 0x59, 0xb8,
    0x72, 0xec, 0xea, 0xe8, 0x67, 0xb1, 0xf5, 0x2d, 0x4f, 0x2e, 0xa9, 0xb0, 0x42, 0xbd, 0xbb, 0x65,
    0xac, 0x7e, 0xcc, 0x5b, 0xff, 0xf7, 0x29, 0xb1, 0xe4, 0x84, 0xdc, 0xaa, 0xbd, 0x48, 0xc7, 0xbf,
    0x11, 0xc5, 0xae, 0x1b, 0x4e, 0x33, 0x6b, 0x35, 0xf6, 0xad, 0x34, 0x70, 0x40, 0x77, 0x4c, 0x9b,
};

static const uint8_t golden_page[] = {
    0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff,
    0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff,
    0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x00, 0x02, 0x02, 0x00, 0x00,
    0x02, 0x05, 0x00, 0x02, 0x00, 0x00, 0x00, 0xff, 0xff, 0xfa, 0x50, 0xbe, 0xe2, 0x9b, 0x5d,
    0x99, 0x68, 0xea, 0xe3, 0xf6, 0x90, 0x8d, 0x8f, 0x1b, 0x6d, 0x78, 0x41, 0xff, 0xff, 0xfa,
    0x51, 0x63, 0xdc, 0xa8, 0xee, 0x89, 0x59, 0xb2, 0x56, 0x79, 0xe1, 0xea, 0x8c, 0x41, 0x9e,
    0x79, 0x12, 0x01, 0x00, 0x01, 0x00, 0x01, 0x00, 0x08, 0x00, 0xff, 0xff, 0xff, 0xff, 0xff,
    0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff,
};

/* Bytes of exactly their size on the heap, as flash that takes programs. */
struct memory {
    struct ferry_flash_ram ram;
    uint8_t *bytes;
};

static void make(struct memory *memory, const uint8_t *bytes, size_t len, uint8_t write_size)
{
    size_t size = (len + 7) / 8 * 8;

    size = size < 8 ? 8 : size;
    memory->bytes = malloc(size);
    CHECK(memory->bytes != NULL);
    memset(memory->bytes, 0xff, size);
    if (len > 0) {
        memcpy(memory->bytes, bytes, len);
    }
    memory->ram = (struct ferry_flash_ram){.flash = {.size = (uint32_t)size,
                                                     .write_size = write_size,
                                                     .erased_value = 0xff,
                                                     .run_count = 1,
                                                     .runs = {{1, (uint32_t)size}}}};
    CHECK(ferry_flash_ram_init(&memory->ram, memory->bytes) == FERRY_OK);
}

/* ---- Structures ------------------------------------------------------------------------------ */

static bool is_offset(uint32_t at)
{
    bool found = false;
    for (size_t i = 0; i < FERRY_FIRST_OFFSETS; i++) {
        found = found || ferry_first_offsets[i] == at;
    }
    return found;
}

static void check_structures(const struct ferry_first_place *place)
{
    struct ferry_first_info info;
    struct ferry_first_info again = {0};
    struct ferry_first_validation validation;
    uint8_t raw[FERRY_FIRST_INFO_SIZE];

    if (ferry_first_info_find(place, &ferry_first_vchip, &info) != FERRY_OK) {
        return;
    }
    CHECK(is_offset(info.offset) && info.offset + FERRY_FIRST_INFO_SIZE <= place->size);
    CHECK(info.total_size >= FERRY_FIRST_INFO_SIZE);
    ferry_first_info_write(&info, &ferry_first_vchip, raw);
    again.offset = info.offset;
    CHECK(ferry_first_info_parse(raw, &ferry_first_vchip, &again) == FERRY_OK);
    CHECK(memcmp(&info, &again, sizeof info) == 0);
    if (ferry_first_validation_find(place, &ferry_first_vchip, &info, &validation) == FERRY_OK) {
        CHECK(validation.offset >= info.size && validation.offset - info.size <= 4);
        CHECK(validation.offset + FERRY_FIRST_VALIDATION_SIZE <= place->size);
    }
}

static bool check_provision(const struct ferry_flash *page, struct ferry_first_provision *provision)
{
    if (ferry_first_provision_read(page, &ferry_first_vchip, provision) != FERRY_OK) {
        return false;
    }
    CHECK(provision->key_count >= 1 && provision->key_count <= FERRY_FIRST_KEYS);
    for (uint32_t i = 0; i < provision->key_count; i++) {
        CHECK(provision->keys[i].offset == 52 + 20 * i);
        CHECK(provision->keys[i].offset + 4 <= page->size);
    }
    CHECK(provision->used <= provision->slot_count);
    CHECK(provision->slots == 0 || provision->slots + 2 * provision->slot_count <= page->size);
    CHECK(provision->value == 0 || (provision->copies >= 1 && provision->used >= 1));
    CHECK(provision->value <= 0xffff);
    return true;
}

/* ---- Verification ------------------------------------------------------------------------------
 */

static bool is_golden(const struct ferry_first_place *place)
{
    return place->size >= FIRMWARE_SIZE &&
           memcmp(((const struct ferry_flash_ram *)place->flash->context)->bytes, golden_stage,
                  FIRMWARE_SIZE) == 0;
}

static int check_verify(const struct ferry_first *first,
                        const struct ferry_first_provision *provision,
                        const struct ferry_first_place *place)
{
    struct ferry_first_stage stage;
    struct ferry_verdict verdict;
    int rc = ferry_first_verify(first, provision, place, &stage, &verdict);

    CHECK((rc == FERRY_OK) == ferry_verdict_is_valid(&verdict));
    if (rc == FERRY_OK) {
        CHECK(is_golden(place));
        CHECK(stage.info.version == 3 && stage.info.version >= ferry_first_lowest(provision));
        CHECK(stage.key < provision->key_count && !provision->keys[stage.key].revoked);
        CHECK(memcmp(provision->keys[stage.key].hash, golden_page + 76, 16) == 0);
    }
    return rc;
}

/* ---- The first stage
 * ------------------------------------------------------------------------------ */

static void check_writes(const struct memory *memory, const uint8_t *before)
{
    for (uint32_t i = 0; i < memory->ram.flash.size; i++) {
        CHECK((memory->bytes[i] & ~before[i]) == 0);
    }
}

static void check_select(const struct ferry_first *first, struct memory *page, int verified)
{
    struct ferry_first_provision before;
    struct ferry_first_provision after;
    struct ferry_first_report report;
    uint8_t *old = malloc(page->ram.flash.size);

    CHECK(old != NULL);
    memcpy(old, page->bytes, page->ram.flash.size);
    bool sound = ferry_first_provision_read(&page->ram.flash, first->kind, &before) == FERRY_OK;
    int rc = ferry_first_select(first, &report);
    check_writes(page, old);
    free(old);
    if (rc != FERRY_OK) {
        return;
    }
    CHECK(sound && report.slot == 0);
    /* A single counter above all is doubted; then the verification alone says no. */
    CHECK(verified == FERRY_OK || (verified == FERRY_E_OLD_STAGE && before.copies == 1));
    CHECK(ferry_first_provision_read(&page->ram.flash, first->kind, &after) == FERRY_OK);
    for (uint32_t i = 0; i < before.key_count; i++) {
        CHECK(after.keys[i].revoked || !before.keys[i].revoked);
    }
    CHECK(before.copies < 2 || after.value >= before.value);
}

/* ---- The input
 * ------------------------------------------------------------------------------------ */

static void edit(uint8_t *bytes, size_t len, const uint8_t *edits, size_t size)
{
    for (; size >= 3; edits += 3, size -= 3) {
        bytes[ferry_load_le16(edits) % len] ^= edits[2];
    }
}

static void run(const uint8_t *page_bytes, size_t page_len, const uint8_t *stage_bytes,
                size_t stage_len)
{
    uint8_t buf[256];
    uint8_t empty[8] = {0};
    struct memory page;
    struct memory stage;
    struct memory other;
    struct ferry_first_provision provision;

    make(&page, page_bytes, page_len, 4);
    make(&stage, stage_bytes, stage_len, 4);
    make(&other, empty, sizeof empty, 4);
    const struct ferry_first first = {
        .kind = &ferry_first_vchip,
        .provision = &page.ram.flash,
        .slots = {{&stage.ram.flash, 0, stage.ram.flash.size, S0}, {&other.ram.flash, 0, 8, S1}},
        .buf = buf,
        .buf_size = sizeof buf};
    check_structures(&first.slots[0]);
    bool sound = check_provision(&page.ram.flash, &provision);
    int verified = sound ? check_verify(&first, &provision, &first.slots[0]) : FERRY_E_FORMAT;
    check_select(&first, &page, verified);
    free(page.bytes);
    free(stage.bytes);
    free(other.bytes);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    uint8_t both[sizeof golden_page + sizeof golden_stage];

    if (size < 3 || size > BYTES_MAX) {
        return 0;
    }
    if ((data[0] & 1) != 0) {
        memcpy(both, golden_page, sizeof golden_page);
        memcpy(both + sizeof golden_page, golden_stage, sizeof golden_stage);
        edit(both, sizeof both, data + 1, size - 1);
        run(both, sizeof golden_page, both + sizeof golden_page, sizeof golden_stage);
        return 0;
    }
    size_t page_len = ferry_load_le16(data + 1);
    page_len = page_len < size - 3 ? page_len : size - 3;
    run(data + 3, page_len, data + 3 + page_len, size - 3 - page_len);
    return 0;
}
