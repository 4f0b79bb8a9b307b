/* SPDX-License-Identifier: Apache-2.0 */
/* The trailer: offsets and bytes against the numbers of the format's description, reading and
 * writing at every alignment, and the whole swap-type table. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "ferry/trailer.h"

#include <stdio.h>
#include <string.h>

#define SLOT_SIZE 0x4000

/* Distances from the end of the slot, copied from the table of mcuboot-format.md §2.6. */
static const struct offsets {
    uint32_t max_align, magic, image_ok, copy_done, swap_info, tlv_sizes, swap_size,
        swap_size_offset, info, info_offset;
} offsets[] = {
    {8, 16, 24, 32, 40, 48, 48, 56, 48, 56},
    {16, 16, 32, 48, 64, 80, 80, 96, 80, 96},
    {32, 16, 64, 96, 128, 160, 160, 192, 160, 192},
};
#define ALIGNS (sizeof offsets / sizeof offsets[0])

static const uint8_t magic_8[16] = {0x77, 0xc2, 0x95, 0xf3, 0x60, 0xd2, 0xef, 0x7f,
                                    0x35, 0x52, 0x50, 0x0f, 0x2c, 0xb6, 0x79, 0x80};
static const uint8_t magic_16[16] = {0x10, 0x00, 0x2d, 0xe1, 0x5d, 0x29, 0x41, 0x0b,
                                     0x8d, 0x77, 0x67, 0x9c, 0x11, 0x0f, 0x1f, 0x8a};
static const uint8_t magic_32[16] = {0x20, 0x00, 0x2d, 0xe1, 0x5d, 0x29, 0x41, 0x0b,
                                     0x8d, 0x77, 0x67, 0x9c, 0x11, 0x0f, 0x1f, 0x8a};

static const uint8_t *magic_of(uint32_t max_align)
{
    return max_align == 8 ? magic_8 : max_align == 16 ? magic_16 : magic_32;
}

/* A slot in memory, erased, with its operations counted. */
struct slot {
    uint8_t memory[SLOT_SIZE];
    struct ferry_flash_ram ram;
    struct ferry_flash_counter counter;
    const struct ferry_flash *flash;
};

static void slot_init(struct slot *slot, uint32_t write_size, uint8_t erased)
{
    memset(slot, 0, sizeof *slot);
    memset(slot->memory, erased, sizeof slot->memory);
    slot->ram.flash.size = SLOT_SIZE;
    slot->ram.flash.write_size = (uint8_t)write_size;
    slot->ram.flash.erased_value = erased;
    slot->ram.flash.run_count = 1;
    slot->ram.flash.runs[0] = (struct ferry_flash_run){4, SLOT_SIZE / 4};
    assert_int_equal(ferry_flash_ram_init(&slot->ram, slot->memory), FERRY_OK);
    ferry_flash_counter_init(&slot->counter, &slot->ram.flash, NULL);
    slot->flash = &slot->counter.flash;
}

static struct ferry_trailer read_trailer(const struct slot *slot, uint32_t max_align)
{
    struct ferry_trailer trailer;
    memset(&trailer, 0xa5, sizeof trailer);
    assert_int_equal(ferry_trailer_read(slot->flash, max_align, &trailer), FERRY_OK);
    return trailer;
}

/* ---- Layout ----------------------------------------------------------------------------- */

static void layout_is_the_table(void **state)
{
    (void)state;
    int checked = 0;
    for (size_t a = 0; a < ALIGNS; a++) {
        const struct offsets *o = &offsets[a];
        for (uint32_t w = 1; w <= o->max_align; w *= 2) {
            for (int tlv_sizes = 0; tlv_sizes < 2; tlv_sizes++) {
                struct ferry_trailer_format format = {.max_align = o->max_align,
                                                      .write_size = w,
                                                      .max_sectors = 128,
                                                      .sector_states = 3,
                                                      .tlv_sizes = tlv_sizes != 0};
                struct ferry_trailer_layout l;
                assert_int_equal(ferry_trailer_layout(&format, &l), FERRY_OK);
                assert_int_equal(l.magic, o->magic);
                assert_int_equal(l.image_ok, o->image_ok);
                assert_int_equal(l.copy_done, o->copy_done);
                assert_int_equal(l.swap_info, o->swap_info);
                assert_int_equal(l.tlv_sizes, tlv_sizes ? o->tlv_sizes : 0);
                assert_int_equal(l.swap_size, tlv_sizes ? o->swap_size_offset : o->swap_size);
                uint32_t info = tlv_sizes ? o->info_offset : o->info;
                assert_int_equal(l.size, info + 128 * 3 * w);
                checked++;
            }
        }
    }
    printf("%d layouts\n", checked);
    assert_int_equal(checked, 2 * (4 + 5 + 6));
}

/* The table "N=128, trailer bytes" of the format's description, number for number. */
static void sizes_are_the_table(void **state)
{
    (void)state;
    static const struct {
        uint32_t max_align, write_size, move, offset;
    } rows[] = {
        {8, 1, 432, 312},   {8, 2, 816, 568},     {8, 4, 1584, 1080},
        {8, 8, 3120, 2104}, {16, 16, 6224, 4192}, {32, 32, 12448, 8384},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct ferry_trailer_format format = {.max_align = rows[i].max_align,
                                              .write_size = rows[i].write_size,
                                              .max_sectors = 128,
                                              .sector_states = 3};
        struct ferry_trailer_layout layout;
        assert_int_equal(ferry_trailer_layout(&format, &layout), FERRY_OK);
        assert_int_equal(layout.size, rows[i].move);
        format.sector_states = 2;
        format.tlv_sizes = true;
        assert_int_equal(ferry_trailer_layout(&format, &layout), FERRY_OK);
        assert_int_equal(layout.size, rows[i].offset);
    }
}

/* Key k at swap_size - (k + 1) * ALIGN_UP(TLV len, MA); Ferry's 20 bytes for each before them, and
 * then the status area. */
static void kept_enc_tlvs(void **state)
{
    (void)state;
    static const struct {
        uint32_t max_align, write_size, enc_tlv, place, kept, keys, status;
    } rows[] = {
        {8, 8, 24, 24, 24, 48 + 48 + 48, 3072},
        {8, 8, 113, 120, 24, 48 + 240 + 48, 3072},
        {8, 1, 129, 136, 24, 48 + 272 + 48, 384},
        {16, 16, 80, 80, 32, 80 + 160 + 64, 6144},
        {32, 32, 113, 128, 32, 160 + 256 + 64, 12288},
        {32, 32, 256, 256, 32, 160 + 512 + 64, 12288},
        {8, 4, 0, 0, 0, 48, 1536},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        const struct ferry_trailer_format format = {.max_align = rows[i].max_align,
                                                    .write_size = rows[i].write_size,
                                                    .max_sectors = 128,
                                                    .sector_states = 3,
                                                    .enc_tlv = rows[i].enc_tlv};
        struct ferry_trailer_layout layout;
        assert_int_equal(ferry_trailer_layout(&format, &layout), FERRY_OK);
        assert_int_equal(layout.enc_tlv, rows[i].place);
        assert_int_equal(layout.kept, rows[i].kept);
        assert_int_equal(layout.keys, rows[i].keys);
        assert_int_equal(layout.size, rows[i].keys + rows[i].status);
    }
}

static void impossible_formats_are_refused(void **state)
{
    (void)state;
    static const struct ferry_trailer_format bad[] = {
        {0, 1, 128, 3, false, 0},          {1, 1, 128, 3, false, 0},
        {4, 4, 128, 3, false, 0},          {12, 4, 128, 3, false, 0},
        {64, 8, 128, 3, false, 0},         {8, 0, 128, 3, false, 0},
        {8, 3, 128, 3, false, 0},          {8, 16, 128, 3, false, 0},
        {16, 32, 128, 3, false, 0},        {8, 8, 0x10000, 3, false, 0},
        {8, 8, UINT32_MAX, 3, false, 0},   {8, 8, 128, 4, false, 0},
        {8, 8, 128, UINT32_MAX, false, 0}, {8, 8, 128, 3, false, 257},
    };
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        struct ferry_trailer_layout layout;
        assert_int_equal(ferry_trailer_layout(&bad[i], &layout), FERRY_E_CONFIG);
    }
    const struct ferry_trailer_format largest = {32, 32, 0xffff, 3, true, 0};
    struct ferry_trailer_layout layout;
    assert_int_equal(ferry_trailer_layout(&largest, &layout), FERRY_OK);
    assert_int_equal(layout.size, 192 + 0xffff * 96);
}

static void magic_bytes(void **state)
{
    (void)state;
    for (size_t a = 0; a < ALIGNS; a++) {
        uint8_t magic[16];
        ferry_trailer_magic(offsets[a].max_align, magic);
        assert_memory_equal(magic, magic_of(offsets[a].max_align), 16);
    }
}

/* ---- Writing and reading ---------------------------------------------------------------- */

/* Write every field into slot; each must be one program operation. */
static void write_all(struct slot *slot, uint32_t max_align)
{
    const struct ferry_flash_counts *counts = &slot->counter.counts;
    assert_int_equal(ferry_trailer_write_swap_info(slot->flash, max_align, 3, FERRY_SWAP_PERM),
                     FERRY_OK);
    assert_int_equal(counts->programs, 1);
    assert_int_equal(ferry_trailer_write_copy_done(slot->flash, max_align), FERRY_OK);
    assert_int_equal(counts->programs, 2);
    assert_int_equal(ferry_trailer_write_image_ok(slot->flash, max_align), FERRY_OK);
    assert_int_equal(counts->programs, 3);
    assert_int_equal(ferry_trailer_write_magic(slot->flash, max_align), FERRY_OK);
    assert_int_equal(counts->programs, 4);
    assert_int_equal(counts->erases, 0);
}

/* Every byte of the slot is what the description says and no other. */
static void every_byte_at_rest(void **state)
{
    (void)state;
    int checked = 0;
    static struct slot slot;
    static uint8_t expected[SLOT_SIZE];
    for (size_t a = 0; a < ALIGNS; a++) {
        const struct offsets *o = &offsets[a];
        for (uint32_t w = 1; w <= o->max_align; w *= 2) {
            for (int erased = 0; erased < 256; erased += 255) {
                slot_init(&slot, w, (uint8_t)erased);
                write_all(&slot, o->max_align);
                memset(expected, erased, sizeof expected);
                memcpy(expected + SLOT_SIZE - 16, magic_of(o->max_align), 16);
                expected[SLOT_SIZE - o->image_ok] = 0x01;
                expected[SLOT_SIZE - o->copy_done] = 0x01;
                expected[SLOT_SIZE - o->swap_info] = 0x33;
                assert_memory_equal(slot.memory, expected, SLOT_SIZE);

                struct ferry_trailer t = read_trailer(&slot, o->max_align);
                assert_int_equal(t.magic, FERRY_SET);
                assert_int_equal(t.image_ok, FERRY_SET);
                assert_int_equal(t.copy_done, FERRY_SET);
                assert_int_equal(t.swap_type, FERRY_SWAP_PERM);
                assert_int_equal(t.swap_image, 3);
                checked++;
            }
        }
    }
    printf("%d combinations of alignment, write size and erased value\n", checked);
    assert_int_equal(checked, 2 * (4 + 5 + 6));
}

/* Each field alone: the others stay unset. */
static void fields_are_independent(void **state)
{
    (void)state;
    static struct slot slot;
    for (size_t a = 0; a < ALIGNS; a++) {
        uint32_t align = offsets[a].max_align;
        for (int field = 0; field < 4; field++) {
            slot_init(&slot, align, 0xff);
            int rc = field == 0   ? ferry_trailer_write_magic(slot.flash, align)
                     : field == 1 ? ferry_trailer_write_image_ok(slot.flash, align)
                     : field == 2
                         ? ferry_trailer_write_copy_done(slot.flash, align)
                         : ferry_trailer_write_swap_info(slot.flash, align, 1, FERRY_SWAP_TEST);
            assert_int_equal(rc, FERRY_OK);
            struct ferry_trailer t = read_trailer(&slot, align);
            assert_int_equal(t.magic, field == 0 ? FERRY_SET : FERRY_UNSET);
            assert_int_equal(t.image_ok, field == 1 ? FERRY_SET : FERRY_UNSET);
            assert_int_equal(t.copy_done, field == 2 ? FERRY_SET : FERRY_UNSET);
            assert_int_equal(t.swap_type, field == 3 ? FERRY_SWAP_TEST : FERRY_SWAP_NONE);
            assert_int_equal(t.swap_image, field == 3 ? 1 : 0);
        }
    }
}

/* ---- Damage ----------------------------------------------------------------------------- */

static int ones(unsigned value)
{
    int count = 0;
    for (; value != 0; value >>= 1) {
        count += (int)(value & 1U);
    }
    return count;
}

/* 0x01 and 0xff differ in seven bits, of which four decide; 0x01 and 0x00 in the lowest alone. */
static enum ferry_trailer_field flag_of(uint8_t byte, uint8_t erased)
{
    bool set = erased == 0xff ? ones(byte >> 1) <= 3 : (byte & 1) != 0;
    return set ? FERRY_SET : FERRY_UNSET;
}

/* Every value a flag's byte and swap_info's byte can have, with both erased values. */
static void every_value_of_a_byte(void **state)
{
    (void)state;
    static struct slot slot;
    int checked = 0;
    for (int erased = 0; erased < 256; erased += 255) {
        for (size_t a = 0; a < ALIGNS; a++) {
            const struct offsets *o = &offsets[a];
            slot_init(&slot, 1, (uint8_t)erased);
            for (int value = 0; value < 256; value++) {
                uint8_t byte = (uint8_t)value;
                slot.memory[SLOT_SIZE - o->image_ok] = byte;
                slot.memory[SLOT_SIZE - o->copy_done] = (uint8_t)~byte;
                slot.memory[SLOT_SIZE - o->swap_info] = byte;
                struct ferry_trailer t = read_trailer(&slot, o->max_align);
                assert_int_equal(t.image_ok, flag_of(byte, (uint8_t)erased));
                assert_int_equal(t.copy_done, flag_of((uint8_t)~byte, (uint8_t)erased));
                bool known = byte != erased && byte % 16 >= 1 && byte % 16 <= 4;
                assert_int_equal(t.swap_type, known ? byte % 16 : 1);
                assert_int_equal(t.swap_image, known ? byte / 16 : 0);
                assert_int_equal(t.magic, FERRY_UNSET);
                checked++;
            }
        }
    }
    printf("%d bytes\n", checked);
    assert_int_equal(checked, 2 * 3 * 256);
}

/* Flags stand three flipped bits, whichever they are, where flash is erased to ones; with zeroes
 * the one bit that is the flag cannot be told from a write. */
static void flipped_bits_of_a_flag(void **state)
{
    (void)state;
    int stood = 0;
    for (int flips = 0; flips < 256; flips++) {
        enum ferry_trailer_field set = flag_of((uint8_t)(0x01 ^ flips), 0xff);
        enum ferry_trailer_field unset = flag_of((uint8_t)(0xff ^ flips), 0xff);
        if (ones((unsigned)flips) <= 3) {
            assert_int_equal(set, FERRY_SET);
            assert_int_equal(unset, FERRY_UNSET);
            stood++;
        }
    }
    assert_int_equal(stood, 1 + 8 + 28 + 56);
}

static void flip(uint8_t magic[16], unsigned bit)
{
    magic[bit / 8] ^= (uint8_t)(1U << bit % 8);
}

/* The magic of a slot that holds these 16 bytes. */
static enum ferry_trailer_field magic_read(struct slot *slot, uint32_t align,
                                           const uint8_t bytes[16])
{
    memcpy(slot->memory + SLOT_SIZE - 16, bytes, 16);
    return read_trailer(slot, align).magic;
}

/* Up to four flipped bits change nothing, five are no state any more: every bit and every pair of
 * bits, and 2000 triples, fours and fives each, from both states. */
static void flipped_bits_of_a_magic(void **state)
{
    (void)state;
    static struct slot slot;
    uint32_t random = 1;
    int checked = 0;
    for (size_t a = 0; a < 2 * ALIGNS; a++) {
        uint32_t align = offsets[a / 2].max_align;
        uint8_t erased[16];
        memset(erased, 0xff, sizeof erased);
        const uint8_t *right = a % 2 == 0 ? magic_of(align) : erased;
        enum ferry_trailer_field wanted = a % 2 == 0 ? FERRY_SET : FERRY_UNSET;
        slot_init(&slot, 8, 0xff);
        for (unsigned i = 0; i < 128; i++) {
            for (unsigned j = i; j < 128; j++) {
                uint8_t bytes[16];
                memcpy(bytes, right, sizeof bytes);
                flip(bytes, i);
                if (j != i) {
                    flip(bytes, j);
                }
                assert_int_equal(magic_read(&slot, align, bytes), wanted);
                checked++;
            }
        }
        for (int n = 0; n < 3 * 2000; n++) {
            uint8_t bytes[16];
            memcpy(bytes, right, sizeof bytes);
            unsigned first = (random = random * 1664525U + 1013904223U) >> 16;
            unsigned count = 3 + (unsigned)n % 3;
            for (unsigned k = 0; k < count; k++) {
                flip(bytes, (first + k * (1 + first % 25)) % 128);
            }
            assert_int_equal(magic_read(&slot, align, bytes), count < 5 ? wanted : FERRY_BAD);
            checked++;
        }
    }
    printf("%d damaged magics\n", checked);
    assert_int_equal(checked, 2 * 3 * (128 * 129 / 2 + 6000));
}

/* A magic that a cut has left half written is neither there nor not there, but for its very first
 * bits; nor is the magic of another alignment. */
static void cut_magic(void **state)
{
    (void)state;
    static struct slot slot;
    int bad = 0;
    for (size_t a = 0; a < ALIGNS; a++) {
        uint32_t align = offsets[a].max_align;
        slot_init(&slot, 8, 0xff);
        for (size_t len = 1; len < 16; len++) {
            uint8_t bytes[16];
            int written = 0;
            memset(bytes, 0xff, sizeof bytes);
            memcpy(bytes, magic_of(align), len);
            for (size_t i = 0; i < len; i++) {
                written += ones((uint8_t)~bytes[i]);
            }
            enum ferry_trailer_field wanted = written <= 4 ? FERRY_UNSET : FERRY_BAD;
            assert_int_equal(magic_read(&slot, align, bytes), wanted);
            bad += wanted == FERRY_BAD ? 1 : 0;
        }
        assert_int_equal(magic_read(&slot, align, magic_of(align == 8 ? 16 : 8)), FERRY_BAD);
    }
    /* 0x77 has only two bits to write; 0x10 and 0x20 have seven. */
    assert_int_equal(bad, 14 + 15 + 15);
}

/* ---- Flash that does not answer, or not twice the same ------------------------------------ */

/* Some bytes of a flash answer an error, or a different value each time. */
struct moody {
    struct ferry_flash flash;
    const struct ferry_flash *inner;
    uint32_t bad_from, bad_to;
    int rc;      /* of a read of them; FERRY_OK: they change with every read */
    int reads;   /* so far */
    int fail_at; /* the read, counted from 1, that fails whatever it reads; 0 = none */
    int fail_rc;
};

static int moody_read(const struct ferry_flash *flash, uint32_t offset, uint8_t *data, size_t len)
{
    struct moody *moody = flash->context;
    int rc = ferry_flash_read(moody->inner, offset, data, len);
    moody->reads++;
    if (moody->reads == moody->fail_at) {
        return moody->fail_rc;
    }
    for (size_t i = 0; rc == FERRY_OK && i < len; i++) {
        if (offset + i >= moody->bad_from && offset + i < moody->bad_to) {
            data[i] ^= (uint8_t)moody->reads;
            rc = moody->rc;
        }
    }
    return rc;
}

static void moody_init(struct moody *moody, const struct slot *slot, int rc)
{
    static const struct ferry_flash_ops ops = {.read = moody_read};
    *moody = (struct moody){.flash = *slot->flash, .inner = slot->flash, .rc = rc};
    moody->flash.ops = &ops;
    moody->flash.context = moody;
}

/* A field that cannot be read is bad, and so is a flag that reads not twice the same; the others
 * are what they are. A magic of which few bits waver still says the same at every look. */
static void unreadable_fields(void **state)
{
    (void)state;
    static struct slot slot;
    for (size_t i = 0; i < 2 * ALIGNS; i++) {
        const struct offsets *o = &offsets[i / 2];
        const uint32_t distances[] = {16, o->image_ok, o->copy_done, o->swap_info};
        slot_init(&slot, 8, 0xff);
        assert_int_equal(
            ferry_trailer_write_swap_info(slot.flash, o->max_align, 5, FERRY_SWAP_PERM), FERRY_OK);
        assert_int_equal(ferry_trailer_write_image_ok(slot.flash, o->max_align), FERRY_OK);
        assert_int_equal(ferry_trailer_write_copy_done(slot.flash, o->max_align), FERRY_OK);
        assert_int_equal(ferry_trailer_write_magic(slot.flash, o->max_align), FERRY_OK);
        for (uint32_t bad = 0; bad < 4; bad++) {
            struct moody moody;
            struct ferry_trailer t;
            moody_init(&moody, &slot, i % 2 == 0 ? FERRY_OK : FERRY_E_FLASH);
            moody.bad_from = SLOT_SIZE - distances[bad];
            moody.bad_to = moody.bad_from + 1;
            assert_int_equal(ferry_trailer_read(&moody.flash, o->max_align, &t), FERRY_OK);
            bool lost = bad == 0 && moody.rc != FERRY_OK;
            assert_int_equal(t.magic, lost ? FERRY_BAD : FERRY_SET);
            assert_int_equal(t.image_ok, bad == 1 ? FERRY_BAD : FERRY_SET);
            assert_int_equal(t.copy_done, bad == 2 ? FERRY_BAD : FERRY_SET);
            assert_int_equal(t.swap_type, bad == 3 ? FERRY_SWAP_NONE : FERRY_SWAP_PERM);
            assert_int_equal(t.swap_image, bad == 3 ? 0 : 5);
        }
    }
}

/* One field that can be read is a trailer; none is an error, and nothing is touched. */
static void no_field_can_be_read(void **state)
{
    (void)state;
    static struct slot slot;
    for (size_t i = 0; i < 2 * ALIGNS; i++) {
        const struct offsets *o = &offsets[i / 2];
        struct moody moody;
        struct ferry_trailer t;
        struct ferry_trailer untouched;
        memset(&t, 0x5a, sizeof t);
        memset(&untouched, 0x5a, sizeof untouched);
        slot_init(&slot, 8, 0xff);
        moody_init(&moody, &slot, i % 2 == 0 ? FERRY_OK : FERRY_E_FLASH);
        moody.bad_to = SLOT_SIZE;
        int rc = ferry_trailer_read(&moody.flash, o->max_align, &t);
        if (moody.rc == FERRY_OK) { /* all of it wavers */
            assert_int_equal(rc, FERRY_OK);
            assert_int_equal(t.magic, FERRY_BAD);
            assert_int_equal(t.image_ok, FERRY_BAD);
            assert_int_equal(t.copy_done, FERRY_BAD);
        } else {
            assert_int_equal(rc, FERRY_E_FLASH);
            assert_memory_equal(&t, &untouched, sizeof t);
        }
        moody.bad_to = SLOT_SIZE - 16;
        assert_int_equal(ferry_trailer_read(&moody.flash, o->max_align, &t), FERRY_OK);
        assert_int_equal(t.magic, FERRY_UNSET);
        assert_int_equal(t.image_ok, FERRY_BAD);
        assert_int_equal(t.copy_done, FERRY_BAD);
        assert_int_equal(t.swap_type, FERRY_SWAP_NONE);
    }
}

/* Whichever read fails: an error of the flash makes that field bad, the power ends it. Each field
 * is looked at three times at least. */
static void every_read_may_fail(void **state)
{
    (void)state;
    static struct slot slot;
    struct moody moody;
    struct ferry_trailer t;
    int bad[4] = {0};
    slot_init(&slot, 8, 0xff);
    assert_int_equal(ferry_trailer_write_swap_info(slot.flash, 8, 0, FERRY_SWAP_PERM), FERRY_OK);
    moody_init(&moody, &slot, FERRY_OK);
    assert_int_equal(ferry_trailer_read(&moody.flash, 8, &t), FERRY_OK);
    int reads = moody.reads;
    for (int at = 1; at <= reads; at++) {
        moody_init(&moody, &slot, FERRY_OK);
        moody.fail_at = at;
        moody.fail_rc = FERRY_E_FLASH;
        assert_int_equal(ferry_trailer_read(&moody.flash, 8, &t), FERRY_OK);
        const bool found[4] = {t.magic == FERRY_BAD, t.image_ok == FERRY_BAD,
                               t.copy_done == FERRY_BAD, t.swap_type == FERRY_SWAP_NONE};
        assert_int_equal(found[0] + found[1] + found[2] + found[3], 1);
        for (int i = 0; i < 4; i++) {
            bad[i] += found[i];
        }
        moody_init(&moody, &slot, FERRY_OK);
        moody.fail_at = at;
        moody.fail_rc = FERRY_E_POWER;
        memset(&t, 0x5a, sizeof t);
        assert_int_equal(ferry_trailer_read(&moody.flash, 8, &t), FERRY_E_POWER);
        assert_int_equal(moody.reads, at);
        assert_int_equal(t.swap_image, 0x5a);
    }
    assert_true(bad[0] >= 3 && bad[1] >= 3 && bad[2] >= 3 && bad[3] >= 3);
    assert_int_equal(bad[0] + bad[1] + bad[2] + bad[3], reads);
}

/* ---- Errors ----------------------------------------------------------------------------- */

/* A slot smaller than its trailer, and a flash that fails: an error, and nothing is touched. */
static void errors_leave_the_trailer(void **state)
{
    (void)state;
    uint8_t bytes[100];
    memset(bytes, 0xff, sizeof bytes);
    struct ferry_flash_ram rom;
    assert_int_equal(ferry_flash_rom_init(&rom, bytes, sizeof bytes), FERRY_OK);
    struct ferry_trailer trailer;
    struct ferry_trailer untouched;
    memset(&trailer, 0x5a, sizeof trailer);
    memset(&untouched, 0x5a, sizeof untouched);
    assert_int_equal(ferry_trailer_read(&rom.flash, 32, &trailer), FERRY_E_BOUNDS);
    assert_memory_equal(&trailer, &untouched, sizeof trailer);
    assert_int_equal(ferry_trailer_write_copy_done(&rom.flash, 64), FERRY_E_BOUNDS);
    assert_int_equal(ferry_trailer_write_swap_info(&rom.flash, 32, 0, FERRY_SWAP_TEST),
                     FERRY_E_BOUNDS);
    assert_int_equal(ferry_trailer_write_magic(&rom.flash, 8), FERRY_E_UNSUPPORTED);

    /* A slot that is nothing but these fields has room for them. */
    uint8_t least[128];
    memset(least, 0xff, sizeof least);
    struct ferry_flash_ram ram = {.flash = {.size = sizeof least,
                                            .write_size = 32,
                                            .erased_value = 0xff,
                                            .run_count = 1,
                                            .runs = {{1, sizeof least}}}};
    assert_int_equal(ferry_flash_ram_init(&ram, least), FERRY_OK);
    assert_int_equal(ferry_trailer_write_swap_info(&ram.flash, 32, 0, FERRY_SWAP_TEST), FERRY_OK);
    assert_int_equal(ferry_trailer_read(&ram.flash, 32, &trailer), FERRY_OK);
    assert_int_equal(trailer.swap_type, FERRY_SWAP_TEST);
    assert_int_equal(least[0], 0x02);
    memset(&trailer, 0x5a, sizeof trailer);

    static struct slot slot;
    slot_init(&slot, 8, 0xff);
    struct ferry_power power = {.off = true};
    struct ferry_flash_cutter cutter;
    ferry_flash_cutter_init(&cutter, slot.flash, &power);
    assert_int_equal(ferry_trailer_read(&cutter.flash, 8, &trailer), FERRY_E_POWER);
    assert_memory_equal(&trailer, &untouched, sizeof trailer);
    assert_int_equal(ferry_trailer_write_image_ok(&cutter.flash, 8), FERRY_E_POWER);
}

/* ---- Swap type -------------------------------------------------------------------------- */

/* The rules once more, in words instead of rows: a request in the secondary goes first, and is
 * permanent or a test by its image_ok; without one, a tested primary that is not confirmed is
 * taken back; a damaged flag is neither set nor unset. */
static enum ferry_swap_type by_rules(const struct ferry_trailer *p, const struct ferry_trailer *s,
                                     bool offset)
{
    if (s->magic == FERRY_SET && s->image_ok != FERRY_BAD) {
        if (s->image_ok == FERRY_SET) {
            return FERRY_SWAP_PERM;
        }
        bool revert_began = offset && s->copy_done == FERRY_SET;
        return revert_began ? FERRY_SWAP_REVERT : FERRY_SWAP_TEST;
    }
    bool swapped = p->magic == FERRY_SET && p->copy_done == FERRY_SET;
    return swapped && p->image_ok == FERRY_UNSET ? FERRY_SWAP_REVERT : FERRY_SWAP_NONE;
}

static void swap_type_of_every_state(void **state)
{
    (void)state;
    int counts[5] = {0};
    int checked = 0;
    for (int n = 0; n < 729 * 2; n++) {
        int fields[6];
        for (int i = 0, rest = n % 729; i < 6; i++, rest /= 3) {
            fields[i] = rest % 3;
        }
        bool offset = n >= 729;
        struct ferry_trailer p = {.magic = (enum ferry_trailer_field)fields[0],
                                  .image_ok = (enum ferry_trailer_field)fields[1],
                                  .copy_done = (enum ferry_trailer_field)fields[2]};
        struct ferry_trailer s = {.magic = (enum ferry_trailer_field)fields[3],
                                  .image_ok = (enum ferry_trailer_field)fields[4],
                                  .copy_done = (enum ferry_trailer_field)fields[5]};
        enum ferry_swap_type type = ferry_swap_type_of(&p, &s, offset);
        assert_int_equal(type, by_rules(&p, &s, offset));
        counts[type]++;
        checked++;
    }
    printf("%d states: none %d, test %d, perm %d, revert %d\n", checked, counts[1], counts[2],
           counts[3], counts[4]);
    assert_int_equal(checked, 1458);
    /* Counted by hand: 27 primaries; a good magic in the secondary with a flag that is set leaves
     * 3 values of copy_done; REVERT needs 1 of 27 primaries and a secondary without a request. */
    assert_int_equal(counts[FERRY_SWAP_PERM], 2 * 27 * 3);
    assert_int_equal(counts[FERRY_SWAP_TEST], 27 * 3 + 27 * 2);
    assert_int_equal(counts[FERRY_SWAP_REVERT], 2 * (27 - 6) + 27);
}

static void swap_type_names(void **state)
{
    (void)state;
    assert_string_equal(ferry_swap_type_name(FERRY_SWAP_NONE), "none");
    assert_string_equal(ferry_swap_type_name(FERRY_SWAP_TEST), "test");
    assert_string_equal(ferry_swap_type_name(FERRY_SWAP_PERM), "perm");
    assert_string_equal(ferry_swap_type_name(FERRY_SWAP_REVERT), "revert");
    assert_string_equal(ferry_swap_type_name((enum ferry_swap_type)0), "unknown");
    assert_string_equal(ferry_swap_type_name((enum ferry_swap_type)5), "unknown");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(layout_is_the_table),
        cmocka_unit_test(sizes_are_the_table),
        cmocka_unit_test(kept_enc_tlvs),
        cmocka_unit_test(impossible_formats_are_refused),
        cmocka_unit_test(magic_bytes),
        cmocka_unit_test(every_byte_at_rest),
        cmocka_unit_test(fields_are_independent),
        cmocka_unit_test(every_value_of_a_byte),
        cmocka_unit_test(flipped_bits_of_a_flag),
        cmocka_unit_test(flipped_bits_of_a_magic),
        cmocka_unit_test(cut_magic),
        cmocka_unit_test(unreadable_fields),
        cmocka_unit_test(no_field_can_be_read),
        cmocka_unit_test(every_read_may_fail),
        cmocka_unit_test(errors_leave_the_trailer),
        cmocka_unit_test(swap_type_of_every_state),
        cmocka_unit_test(swap_type_names),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
