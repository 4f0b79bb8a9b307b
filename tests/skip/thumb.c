/* SPDX-License-Identifier: Apache-2.0 */
/* ARMv6-M, one function a format of instructions. [ARM DDI 0419, A5 and A6] */
#include "thumb.h"

#include <string.h>

#define SP 13
#define LR 14
#define PC 15

/* ---- Memory --------------------------------------------------------------------------------- */

uint8_t *thumb_memory(struct thumb *t, uint32_t address, uint32_t len)
{
    uint32_t at = address - THUMB_RAM;

    return address >= THUMB_RAM && at <= THUMB_RAM_SIZE && len <= THUMB_RAM_SIZE - at ? t->ram + at
                                                                                      : NULL;
}

const uint8_t *thumb_bytes(const struct thumb *t, uint32_t address, uint32_t len)
{
    uint32_t at = address - THUMB_RAM;

    if (address < t->rom_size && len <= t->rom_size - address) {
        return t->rom + address;
    }
    return address >= THUMB_RAM && at <= THUMB_RAM_SIZE && len <= THUMB_RAM_SIZE - at ? t->ram + at
                                                                                      : NULL;
}

static void crash(struct thumb *t)
{
    t->state = THUMB_CRASHED;
}

static uint32_t load(struct thumb *t, uint32_t address, uint32_t len)
{
    const uint8_t *p = thumb_bytes(t, address, len);
    uint32_t value = 0;

    if (p == NULL || address % len != 0) {
        crash(t);
        return 0;
    }
    for (uint32_t i = 0; i < len; i++) {
        value |= (uint32_t)p[i] << 8 * i;
    }
    return value;
}

static void store(struct thumb *t, uint32_t address, uint32_t value, uint32_t len)
{
    uint8_t *p = thumb_memory(t, address, len);

    if (p == NULL || address % len != 0) {
        crash(t);
        return;
    }
    for (uint32_t i = 0; i < len; i++) {
        p[i] = (uint8_t)(value >> 8 * i);
    }
}

/* ---- Arithmetic ----------------------------------------------------------------------------- */

static uint32_t bits(uint32_t op, uint32_t low, uint32_t count)
{
    return op >> low & ((1U << count) - 1U);
}

static uint32_t sign_extend(uint32_t value, uint32_t width)
{
    uint32_t sign = 1U << (width - 1);

    return (value ^ sign) - sign;
}

static uint32_t set_nz(struct thumb *t, uint32_t value)
{
    t->n = value >> 31 != 0;
    t->z = value == 0;
    return value;
}

/* a + b + carry, with all flags: a - b is a + ~b + 1. */
static uint32_t add(struct thumb *t, uint32_t a, uint32_t b, uint32_t carry)
{
    uint64_t wide = (uint64_t)a + b + carry;
    uint32_t value = (uint32_t)wide;

    t->c = wide >> 32 != 0;
    t->v = ((a ^ value) & (b ^ value)) >> 31 != 0;
    return set_nz(t, value);
}

enum shift { SHIFT_LSL, SHIFT_LSR, SHIFT_ASR, SHIFT_ROR };

/* By count, 0 .. 255; the carry is the last bit that went. */
static uint32_t shift(struct thumb *t, enum shift kind, uint32_t value, uint32_t count)
{
    for (; count > 0; count = count > 33 && kind != SHIFT_ROR ? 33 : count - 1) {
        uint32_t top = value & 0x80000000U;

        t->c = kind == SHIFT_LSL ? top != 0 : (value & 1U) != 0;
        if (kind == SHIFT_LSL) {
            value <<= 1;
        } else if (kind == SHIFT_ROR) {
            value = value >> 1 | value << 31;
        } else {
            value = value >> 1 | (kind == SHIFT_ASR ? top : 0);
        }
    }
    return set_nz(t, value);
}

/* ---- 00: immediates ------------------------------------------------------------------------- */

static void shift_immediate(struct thumb *t, uint32_t op)
{
    enum shift kind = (enum shift)bits(op, 11, 2);
    uint32_t count = bits(op, 6, 5);

    if (count == 0 && kind != SHIFT_LSL) {
        count = 32;
    }
    t->r[bits(op, 0, 3)] = shift(t, kind, t->r[bits(op, 3, 3)], count);
}

static void add_subtract(struct thumb *t, uint32_t op)
{
    uint32_t other = bits(op, 6, 3);
    bool subtract = bits(op, 9, 1) != 0;

    if (bits(op, 10, 1) == 0) {
        other = t->r[other];
    }
    t->r[bits(op, 0, 3)] = add(t, t->r[bits(op, 3, 3)], subtract ? ~other : other, subtract);
}

static void immediate(struct thumb *t, uint32_t op)
{
    uint32_t *r = &t->r[bits(op, 8, 3)];
    uint32_t value = bits(op, 0, 8);

    switch (bits(op, 11, 2)) {
    case 0:
        *r = set_nz(t, value);
        break;
    case 1:
        (void)add(t, *r, ~value, 1);
        break;
    case 2:
        *r = add(t, *r, value, 0);
        break;
    default:
        *r = add(t, *r, ~value, 1);
        break;
    }
}

/* ---- 0100: registers ------------------------------------------------------------------------ */

static void logic(struct thumb *t, uint32_t kind, uint32_t *d, uint32_t m)
{
    static const uint8_t writes[16] = {1, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1, 1, 1, 1};
    uint32_t value = kind == 0    ? *d & m
                     : kind == 1  ? *d ^ m
                     : kind == 8  ? *d & m /* TST */
                     : kind == 12 ? *d | m
                     : kind == 13 ? *d * m
                     : kind == 14 ? *d & ~m
                                  : ~m;

    set_nz(t, value);
    if (writes[kind] != 0) {
        *d = value;
    }
}

static void data_processing(struct thumb *t, uint32_t op)
{
    uint32_t kind = bits(op, 6, 4);
    uint32_t *d = &t->r[bits(op, 0, 3)];
    uint32_t m = t->r[bits(op, 3, 3)];

    switch (kind) {
    case 2:
    case 3:
    case 4:
        *d = shift(t, (enum shift)(kind - 2), *d, m & 0xff);
        break;
    case 7:
        *d = shift(t, SHIFT_ROR, *d, m & 0xff);
        break;
    case 5:
        *d = add(t, *d, m, t->c);
        break;
    case 6:
        *d = add(t, *d, ~m, t->c);
        break;
    case 9:
        *d = add(t, 0, ~m, 1);
        break;
    case 10:
        (void)add(t, *d, ~m, 1);
        break;
    case 11:
        (void)add(t, *d, m, 0);
        break;
    default:
        logic(t, kind, d, m);
        break;
    }
}

/* A register as it reads in an instruction: the PC is 4 ahead of it, 2 of which are done. */
static uint32_t read_register(const struct thumb *t, uint32_t number)
{
    return number == PC ? t->r[PC] + 2 : t->r[number];
}

static void branch_to(struct thumb *t, uint32_t address)
{
    if ((address & 1U) == 0) {
        crash(t); /* no Thumb state */
    }
    t->r[PC] = address & ~1U;
}

static void high_registers(struct thumb *t, uint32_t op)
{
    uint32_t d = bits(op, 7, 1) << 3 | bits(op, 0, 3);
    uint32_t m = read_register(t, bits(op, 3, 4));
    uint32_t value = bits(op, 8, 2) == 0 ? read_register(t, d) + m : m;

    if (bits(op, 8, 2) == 1) {
        (void)add(t, t->r[d], ~m, 1);
    } else if (d == PC) {
        t->r[PC] = value & ~1U;
    } else {
        t->r[d] = value;
    }
}

static void branch_exchange(struct thumb *t, uint32_t op)
{
    uint32_t target = read_register(t, bits(op, 3, 4));

    if (bits(op, 7, 1) != 0) {
        t->r[LR] = t->r[PC] | 1U;
    }
    branch_to(t, target);
}

static void load_literal(struct thumb *t, uint32_t op)
{
    uint32_t base = (t->r[PC] + 2) & ~3U;

    t->r[bits(op, 8, 3)] = load(t, base + 4 * bits(op, 0, 8), 4);
}

/* ---- 0101 .. 1001: loads and stores --------------------------------------------------------- */

static void access_register(struct thumb *t, uint32_t op)
{
    static const uint8_t sizes[8] = {4, 2, 1, 1, 4, 2, 1, 2};
    uint32_t kind = bits(op, 9, 3);
    uint32_t address = t->r[bits(op, 3, 3)] + t->r[bits(op, 6, 3)];
    uint32_t *d = &t->r[bits(op, 0, 3)];

    if (kind < 3) {
        store(t, address, *d, sizes[kind]);
        return;
    }
    *d = load(t, address, sizes[kind]);
    if (kind == 3 || kind == 7) {
        *d = sign_extend(*d, 8U * sizes[kind]);
    }
}

static void access_immediate(struct thumb *t, uint32_t op)
{
    uint32_t size = bits(op, 12, 4) == 8 ? 2 : bits(op, 12, 1) == 0 ? 4 : 1;
    uint32_t address = t->r[bits(op, 3, 3)] + size * bits(op, 6, 5);

    if (bits(op, 11, 1) == 0) {
        store(t, address, t->r[bits(op, 0, 3)], size);
    } else {
        t->r[bits(op, 0, 3)] = load(t, address, size);
    }
}

static void access_stack(struct thumb *t, uint32_t op)
{
    uint32_t address = t->r[SP] + 4 * bits(op, 0, 8);

    if (bits(op, 11, 1) == 0) {
        store(t, address, t->r[bits(op, 8, 3)], 4);
    } else {
        t->r[bits(op, 8, 3)] = load(t, address, 4);
    }
}

static void address_of(struct thumb *t, uint32_t op)
{
    uint32_t base = bits(op, 11, 1) == 0 ? (t->r[PC] + 2) & ~3U : t->r[SP];

    t->r[bits(op, 8, 3)] = base + 4 * bits(op, 0, 8);
}

static void load_many(struct thumb *t, uint32_t op)
{
    uint32_t base = bits(op, 8, 3);
    uint32_t address = t->r[base];

    for (uint32_t i = 0; i < 8; i++) {
        if ((op >> i & 1U) != 0) {
            t->r[i] = load(t, address, 4);
            address += 4;
        }
    }
    if ((op >> base & 1U) == 0) {
        t->r[base] = address;
    }
}

static void store_many(struct thumb *t, uint32_t op)
{
    uint32_t base = bits(op, 8, 3);
    uint32_t address = t->r[base];

    for (uint32_t i = 0; i < 8; i++) {
        if ((op >> i & 1U) != 0) {
            store(t, address, t->r[i], 4);
            address += 4;
        }
    }
    t->r[base] = address;
}

/* ---- 1011: miscellaneous -------------------------------------------------------------------- */

static void adjust_stack(struct thumb *t, uint32_t op)
{
    uint32_t by = 4 * bits(op, 0, 7);

    t->r[SP] += bits(op, 7, 1) != 0 ? 0U - by : by;
}

static void extend(struct thumb *t, uint32_t op)
{
    uint32_t m = t->r[bits(op, 3, 3)];
    uint32_t width = bits(op, 6, 1) == 0 ? 16 : 8;
    uint32_t value = m & ((1U << width) - 1U);

    t->r[bits(op, 0, 3)] = bits(op, 7, 1) == 0 ? sign_extend(value, width) : value;
}

static void push(struct thumb *t, uint32_t op)
{
    uint32_t address = t->r[SP];

    if (bits(op, 8, 1) != 0) {
        address -= 4;
        store(t, address, t->r[LR], 4);
    }
    for (uint32_t i = 8; i > 0; i--) {
        if ((op >> (i - 1) & 1U) != 0) {
            address -= 4;
            store(t, address, t->r[i - 1], 4);
        }
    }
    t->r[SP] = address;
}

static void pop(struct thumb *t, uint32_t op)
{
    uint32_t address = t->r[SP];

    for (uint32_t i = 0; i < 8; i++) {
        if ((op >> i & 1U) != 0) {
            t->r[i] = load(t, address, 4);
            address += 4;
        }
    }
    if (bits(op, 8, 1) != 0) {
        branch_to(t, load(t, address, 4));
        address += 4;
    }
    t->r[SP] = address;
}

static void reverse(struct thumb *t, uint32_t op)
{
    uint32_t m = t->r[bits(op, 3, 3)];
    uint32_t halves = (m & 0x00ff00ffU) << 8 | (m >> 8 & 0x00ff00ffU);
    uint32_t kind = bits(op, 6, 2);

    t->r[bits(op, 0, 3)] = kind == 0   ? halves << 16 | halves >> 16
                           : kind == 1 ? halves
                                       : sign_extend(halves & 0xffffU, 16);
}

static void hint(struct thumb *t, uint32_t op)
{
    (void)t;
    (void)op; /* NOP and its like */
}

/* ---- 11: branches --------------------------------------------------------------------------- */

static bool holds(const struct thumb *t, uint32_t condition)
{
    static const uint8_t even = 14;
    bool result = true;

    switch (condition & even) {
    case 0:
        result = t->z;
        break;
    case 2:
        result = t->c;
        break;
    case 4:
        result = t->n;
        break;
    case 6:
        result = t->v;
        break;
    case 8:
        result = t->c && !t->z;
        break;
    case 10:
        result = t->n == t->v;
        break;
    default:
        result = t->n == t->v && !t->z;
        break;
    }
    return result != ((condition & 1U) != 0);
}

static void branch_if(struct thumb *t, uint32_t op)
{
    if (holds(t, bits(op, 8, 4))) {
        t->r[PC] += 2 + 2 * sign_extend(bits(op, 0, 8), 8);
    }
}

static void branch(struct thumb *t, uint32_t op)
{
    t->r[PC] += 2 + 2 * sign_extend(bits(op, 0, 11), 11);
}

static void call_service(struct thumb *t, uint32_t op)
{
    t->service(t, (uint8_t)bits(op, 0, 8));
}

/* BL: the only one of 32 bits. r[15] stands behind its first half. */
static void branch_link(struct thumb *t, uint32_t op)
{
    uint32_t low = load(t, t->r[PC], 2);
    uint32_t s = bits(op, 10, 1);
    uint32_t i1 = 1U ^ bits(low, 13, 1) ^ s;
    uint32_t i2 = 1U ^ bits(low, 11, 1) ^ s;
    uint32_t offset = s << 24 | i1 << 23 | i2 << 22 | bits(op, 0, 10) << 12 | bits(low, 0, 11) << 1;

    if ((low & 0xd000U) != 0xd000U) {
        crash(t);
        return;
    }
    t->r[LR] = (t->r[PC] + 2) | 1U;
    t->r[PC] += 2 + sign_extend(offset, 25);
}

/* ---- Decoding ------------------------------------------------------------------------------- */

static void undefined(struct thumb *t, uint32_t op)
{
    (void)op;
    crash(t);
}

static const struct {
    uint16_t mask;
    uint16_t match;
    thumb_format *run;
} formats[] = {
    {0xf800, 0x1800, add_subtract},
    {0xe000, 0x0000, shift_immediate},
    {0xe000, 0x2000, immediate},
    {0xfc00, 0x4000, data_processing},
    {0xff00, 0x4700, branch_exchange},
    {0xfc00, 0x4400, high_registers},
    {0xf800, 0x4800, load_literal},
    {0xf000, 0x5000, access_register},
    {0xe000, 0x6000, access_immediate},
    {0xf000, 0x8000, access_immediate},
    {0xf000, 0x9000, access_stack},
    {0xf000, 0xa000, address_of},
    {0xff00, 0xb000, adjust_stack},
    {0xff00, 0xb200, extend},
    {0xfe00, 0xb400, push},
    {0xfe00, 0xbc00, pop},
    {0xffc0, 0xba00, reverse},
    {0xffc0, 0xba40, reverse},
    {0xffc0, 0xbac0, reverse},
    {0xff00, 0xbf00, hint},
    {0xf800, 0xc000, store_many},
    {0xf800, 0xc800, load_many},
    {0xff00, 0xdf00, call_service},
    {0xff00, 0xde00, undefined},
    {0xf000, 0xd000, branch_if},
    {0xf800, 0xe000, branch},
    {0xf800, 0xf000, branch_link},
};

/* The first that matches; masks leave the lowest 6 bits alone. */
static thumb_format *find_format(uint32_t op)
{
    for (size_t i = 0; i < sizeof(formats) / sizeof(formats[0]); i++) {
        if ((op & formats[i].mask) == formats[i].match) {
            return formats[i].run;
        }
    }
    return undefined;
}

void thumb_decoder(thumb_format *table[THUMB_FORMATS])
{
    for (uint32_t i = 0; i < THUMB_FORMATS; i++) {
        table[i] = find_format(i << 6);
    }
}

void thumb_reset(struct thumb *t)
{
    memset(t->r, 0, sizeof(t->r));
    memset(t->ram, 0, sizeof(t->ram));
    t->n = t->z = t->c = t->v = false;
    t->state = THUMB_RUNS;
    t->r[SP] = load(t, 0, 4);
    branch_to(t, load(t, 4, 4));
}

static const uint8_t *fetch(const struct thumb *t)
{
    return t->r[PC] < THUMB_RAM ? thumb_bytes(t, t->r[PC], 2) : NULL; /* RAM holds no code */
}

uint32_t thumb_length(const struct thumb *t)
{
    const uint8_t *p = fetch(t);

    return p == NULL ? 0 : (p[1] & 0xf8U) >= 0xe8U ? 4 : 2;
}

void thumb_step(struct thumb *t)
{
    const uint8_t *p = fetch(t);

    if (p == NULL) {
        crash(t);
        return;
    }
    uint32_t op = (uint32_t)p[0] | (uint32_t)p[1] << 8;

    t->r[PC] += 2;
    t->formats[op >> 6](t, op);
}
