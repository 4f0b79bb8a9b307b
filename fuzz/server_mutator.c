/* SPDX-License-Identifier: Apache-2.0 */
/* Mutations of fuzz_server's inputs that keep their form: steps are added, doubled, left out and
 * exchanged, a packet's length is made right, and new requests are made from a table of every
 * command and its fields. */
#include "golden_images.h"
#include "server_input.h"

#include "ferry/cbor.h"
#include "ferry/smp.h"

#include <string.h>

size_t LLVMFuzzerMutate(uint8_t *data, size_t size, size_t max_size);
size_t LLVMFuzzerCustomMutator(uint8_t *data, size_t size, size_t max_size, unsigned int seed);

/* ---- What can be asked -------------------------------------------------------------------- */

enum kind { NUMBER = 1, TEXT, BYTES, FLAG, WORDS, HASH, KEY, OWNER, SIGNATURE };

struct field {
    const char *name;
    enum kind kind;
};

struct command {
    uint16_t group;
    uint8_t id;
    uint8_t ops; /* bit 0 read, bit 1 write */
    struct field fields[6];
};

static const struct command commands[] = {
    {0, 0, 3, {{"d", TEXT}}},
    {0, 1, 2, {{"echo", NUMBER}}},
    {0, 2, 1, {{NULL, 0}}},
    {0, 3, 1, {{NULL, 0}}},
    {0, 4, 3, {{"datetime", TEXT}}},
    {0, 5, 2, {{"force", FLAG}, {"boot_mode", NUMBER}}},
    {0, 6, 1, {{NULL, 0}}},
    {0, 7, 1, {{"format", TEXT}}},
    {0, 8, 1, {{"query", TEXT}, {"image", NUMBER}}},
    {1, 0, 3, {{"hash", HASH}, {"confirm", FLAG}}},
    {1,
     1,
     2,
     {{"off", NUMBER},
      {"data", BYTES},
      {"len", NUMBER},
      {"image", NUMBER},
      {"sha", HASH},
      {"upgrade", FLAG}}},
    {1, 5, 2, {{"slot", NUMBER}}},
    {1, 6, 1, {{NULL, 0}}},
    {2, 0, 1, {{"name", TEXT}}},
    {2, 1, 1, {{NULL, 0}}},
    {3, 0, 3, {{"name", TEXT}, {"val", BYTES}, {"max_size", NUMBER}}},
    {3, 1, 2, {{"name", TEXT}}},
    {3, 2, 2, {{NULL, 0}}},
    {3, 3, 3, {{"name", TEXT}}},
    {4, 0, 1, {{"log_name", TEXT}, {"ts", NUMBER}, {"index", NUMBER}}},
    {4, 1, 2, {{"log_name", TEXT}}},
    {4, 3, 1, {{NULL, 0}}},
    {4, 4, 1, {{NULL, 0}}},
    {4, 5, 1, {{NULL, 0}}},
    {8, 0, 3, {{"off", NUMBER}, {"name", TEXT}, {"data", BYTES}, {"len", NUMBER}}},
    {8, 1, 1, {{"name", TEXT}}},
    {8, 2, 1, {{"name", TEXT}, {"type", TEXT}, {"off", NUMBER}, {"len", NUMBER}}},
    {8, 3, 1, {{NULL, 0}}},
    {8, 4, 2, {{NULL, 0}}},
    {9, 0, 2, {{"argv", WORDS}}},
    {10, 0, 1, {{NULL, 0}}},
    {10, 1, 1, {{NULL, 0}}},
    {10, 2, 1, {{"index", NUMBER}}},
    {10, 3, 1, {{"groups", WORDS}}},
    {63, 0, 2, {{NULL, 0}}},
    {102, 0, 1, {{"n", NUMBER}}},
    {102, 1, 2, {{"hash", HASH}}},
    {102, 2, 2, {{"key", KEY}}},
    {103, 0, 1, {{"key", OWNER}}},
    {103, 1, 2, {{"key", OWNER}}},
    {103, 2, 2, {{"key", OWNER}, {"sig", SIGNATURE}, {"level", NUMBER}, {"seconds", NUMBER}}},
    {103, 3, 2, {{NULL, 0}}},
    {103, 4, 1, {{"transport", NUMBER}}},
};

static const char *const texts[] = {
    "",
    "a",
    "mode",
    "why",
    "measured",
    "active_b0_slot",
    "x",
    "sv",
    "crc32",
    "sha256",
    "a/b",
    "a/c",
    "/f",
    "/g",
    "../f",
    "/sub/f",
    "server",
    "smp",
    "boot",
    "app",
    "log",
    "device/name",
    "device",
    "2024-02-29T23:59:59",
    "2023-02-29T23:59:59.123",
    "0123456789012345678901234567890123456789012345678901234567890123456789",
};

/* ---- Making requests ---------------------------------------------------------------------- */

struct dice {
    uint32_t state;
};

static uint32_t roll(struct dice *dice, uint32_t sides)
{
    dice->state = dice->state * 1664525U + 1013904223U;
    return (dice->state >> 8) % sides;
}

#define OF(dice, list) (list)[roll((dice), sizeof(list) / sizeof((list)[0]))]

static void put_number(struct ferry_cbor_writer *w, struct dice *dice)
{
    static const uint64_t numbers[] = {0,     1,          2,          3,           7,         8,
                                       23,    24,         32,         64,          100,       128,
                                       255,   256,        2048,       2304,        2560,      65535,
                                       65536, 0x7fffffff, 0xffffffff, 0x100000000, UINT64_MAX};

    switch (roll(dice, 8)) {
    case 0:
        ferry_cbor_put_int(w, -1 - (int64_t)roll(dice, 300));
        break;
    case 1:
    case 2:
        ferry_cbor_put_uint(w, roll(dice, 300));
        break;
    default:
        ferry_cbor_put_uint(w, OF(dice, numbers));
    }
}

static void put_bytes(struct ferry_cbor_writer *w, struct dice *dice)
{
    const struct golden *golden = &OF(dice, goldens);
    size_t offset = roll(dice, 2) == 0 ? 0 : roll(dice, (uint32_t)golden->size);
    size_t len = roll(dice, (uint32_t)(golden->size - offset) + 1);

    ferry_cbor_put_bytes(w, golden->bytes + offset, len);
}

/* 32 bytes: a digest TLV of an image, where each has it behind 77 bytes and two heads. */
static void put_hash(struct ferry_cbor_writer *w, struct dice *dice)
{
    const struct golden *golden = &OF(dice, goldens);

    ferry_cbor_put_bytes(w, golden->bytes + SIGNED_SIZE + 8, roll(dice, 8) == 0 ? 31 : 32);
}

/* The key that unlocks the device of server_device.c, or one that does not. */
static void put_owner(struct ferry_cbor_writer *w, struct dice *dice)
{
    uint8_t key[32] = {1, 2, 3};

    key[0] = (uint8_t)(1 + (roll(dice, 4) == 0));
    ferry_cbor_put_bytes(w, key, sizeof(key));
}

static void put_words(struct ferry_cbor_writer *w, struct dice *dice)
{
    ferry_cbor_open_list(w);
    for (uint32_t n = roll(dice, 4); n > 0; n--) {
        if (roll(dice, 3) == 0) {
            ferry_cbor_put_uint(w, roll(dice, 12));
        } else {
            ferry_cbor_put_text(w, OF(dice, texts));
        }
    }
    ferry_cbor_close(w);
}

static void put_value(struct ferry_cbor_writer *w, struct dice *dice, enum kind kind)
{
    static const enum kind kinds[] = {NUMBER, TEXT, BYTES, FLAG, WORDS, HASH};

    switch (roll(dice, 30) == 0 ? OF(dice, kinds) : kind) {
    case NUMBER:
        put_number(w, dice);
        break;
    case TEXT:
        ferry_cbor_put_text(w, OF(dice, texts));
        break;
    case BYTES:
        put_bytes(w, dice);
        break;
    case FLAG:
        ferry_cbor_put_bool(w, roll(dice, 2) == 1);
        break;
    case WORDS:
        put_words(w, dice);
        break;
    case HASH:
        put_hash(w, dice);
        break;
    case OWNER:
        put_owner(w, dice);
        break;
    case SIGNATURE:
        ferry_cbor_put_bytes(w, key_rsa2048, 63 + roll(dice, 2));
        break;
    case KEY:
        ferry_cbor_put_bytes(w, key_p256, sizeof(key_p256));
        break;
    }
}

/* A packet's step with one request in it. Returns its bytes, 0 when there is no room. */
static size_t write_step(const struct ferry_smp_header *header, const struct ferry_cbor_writer *w,
                         uint8_t tag, uint8_t *out)
{
    struct ferry_smp_header full = *header;

    full.length = (uint16_t)w->len;
    out[0] = tag;
    ferry_store_le16(out + 1, (uint16_t)(FERRY_SMP_HEADER_SIZE + w->len));
    ferry_smp_header_write(&full, out + 3);
    return 3 + FERRY_SMP_HEADER_SIZE + w->len;
}

#define STEP_MAX 700U

/* Any command of the table. */
static size_t make_request(struct dice *dice, uint8_t *out)
{
    const struct command *command = &OF(dice, commands);
    struct ferry_smp_header header = {
        .group = command->group,
        .id = command->id,
        .seq = (uint8_t)roll(dice, 256),
        .version = (uint8_t)(roll(dice, 16) == 0 ? roll(dice, 4) : roll(dice, 2))};
    struct ferry_cbor_writer w;

    header.op = command->ops == 3 ? 2 * (uint8_t)roll(dice, 2) : 2 * (command->ops >> 1);
    ferry_cbor_writer_init(&w, out + 3 + FERRY_SMP_HEADER_SIZE,
                           STEP_MAX - 3 - FERRY_SMP_HEADER_SIZE);
    ferry_cbor_open_map(&w);
    for (size_t i = 0; i < 6 && command->fields[i].name != NULL; i++) {
        if (roll(dice, 6) > 0) {
            ferry_cbor_put_text(&w, command->fields[i].name);
            put_value(&w, dice, command->fields[i].kind);
        }
    }
    ferry_cbor_close(&w);
    if (ferry_cbor_writer_result(&w) < 0) {
        return 0;
    }
    return write_step(&header, &w, (uint8_t)(roll(dice, 4) | (roll(dice, 10) == 0 ? 4 : 0)), out);
}

/* One chunk of a whole upload. */
static size_t make_chunk(struct dice *dice, const struct golden *file, size_t offset, size_t len,
                         uint8_t *out)
{
    struct ferry_smp_header header = {.op = FERRY_SMP_WRITE, .version = 1, .group = 1, .id = 1};
    struct ferry_cbor_writer w;

    ferry_cbor_writer_init(&w, out + 3 + FERRY_SMP_HEADER_SIZE,
                           STEP_MAX - 3 - FERRY_SMP_HEADER_SIZE);
    ferry_cbor_open_map(&w);
    ferry_cbor_pair_uint(&w, "off", offset);
    ferry_cbor_pair_bytes(&w, "data", file->bytes + offset, len);
    if (offset == 0) {
        ferry_cbor_pair_uint(&w, "len", file->size);
        if (roll(dice, 2) == 0) {
            ferry_cbor_put_text(&w, "sha");
            put_hash(&w, dice);
        }
    }
    ferry_cbor_close(&w);
    return ferry_cbor_writer_result(&w) < 0 ? 0 : write_step(&header, &w, 0, out);
}

static size_t make_upload(struct dice *dice, uint8_t *out, size_t cap)
{
    const struct golden *file = &OF(dice, goldens);
    size_t chunk = 32 + roll(dice, 400);
    size_t used = 0;

    for (size_t offset = 0; offset < file->size && cap - used >= STEP_MAX; offset += chunk) {
        size_t len = chunk < file->size - offset ? chunk : file->size - offset;

        used += make_chunk(dice, file, offset, len, out + used);
    }
    return used;
}

/* ---- Mutations ---------------------------------------------------------------------------- */

struct layout {
    size_t at[SERVER_STEPS + 1]; /* where each step begins; the last is the end */
    size_t count;
};

static void find_steps(const uint8_t *data, size_t size, struct layout *layout)
{
    struct ferry_bytes rest = {data + SERVER_CHOICES, size - SERVER_CHOICES};
    struct server_step step;

    layout->count = 0;
    layout->at[0] = SERVER_CHOICES;
    while (layout->count < SERVER_STEPS && server_step_read(&rest, &step)) {
        layout->at[++layout->count] = (size_t)(rest.data - data);
    }
}

/* Put len bytes in place of [from, to). Returns the new size, the old one when there is no room. */
static size_t splice(uint8_t *data, size_t size, size_t max_size, size_t from, size_t to,
                     const uint8_t *bytes, size_t len)
{
    if (size - (to - from) + len > max_size) {
        return size;
    }
    memmove(data + from + len, data + to, size - to);
    if (len > 0) {
        memcpy(data + from, bytes, len);
    }
    return size - (to - from) + len;
}

/* Change the bytes of one packet, and say how long it is. */
static size_t change_packet(uint8_t *data, size_t size, size_t max_size, size_t from, size_t to)
{
    uint8_t buf[STEP_MAX];
    size_t len = to - from;

    if (data[from] >= 0xc0 || len < 3 || len > sizeof(buf)) {
        return size;
    }
    memcpy(buf, data + from, len);

    size_t body = LLVMFuzzerMutate(buf + 3, len - 3, sizeof(buf) - 3);

    ferry_store_le16(buf + 1, (uint16_t)body);
    if (body >= FERRY_SMP_HEADER_SIZE && buf[3 + 7] % 16 != 15) {
        ferry_store_be16(buf + 3 + 2, (uint16_t)(body - FERRY_SMP_HEADER_SIZE));
    }
    return splice(data, size, max_size, from, to, buf, 3 + body);
}

size_t LLVMFuzzerCustomMutator(uint8_t *data, size_t size, size_t max_size, unsigned int seed)
{
    static uint8_t made[8 * STEP_MAX];
    struct dice dice = {seed};
    struct layout steps;

    if (size < SERVER_CHOICES) {
        memset(data, 0, SERVER_CHOICES);
        size = SERVER_CHOICES;
    }
    find_steps(data, size, &steps);

    size_t place = roll(&dice, (uint32_t)steps.count + 1);
    size_t at = steps.at[place];
    size_t end = place < steps.count ? steps.at[place + 1] : at;

    switch (roll(&dice, 12)) {
    case 0:
        return LLVMFuzzerMutate(data, size, max_size);
    case 1:
        (void)LLVMFuzzerMutate(data, SERVER_CHOICES, SERVER_CHOICES);
        return size;
    case 2:
        return splice(data, size, max_size, at, end, NULL, 0);
    case 3:
        if (end - at > sizeof(made)) {
            return size;
        }
        memcpy(made, data + at, end - at);
        return splice(data, size, max_size, at, at, made, end - at);
    case 4:
        made[0] = (uint8_t)(0xc0 + roll(&dice, 8));
        made[1] = (uint8_t)roll(&dice, roll(&dice, 2) == 0 ? 8 : 256);
        return splice(data, size, max_size, at, at, made, 2);
    case 5:
        return splice(data, size, max_size, at, at, made, make_upload(&dice, made, sizeof(made)));
    case 6:
    case 7:
    case 8:
        return splice(data, size, max_size, at, at, made, make_request(&dice, made));
    default:
        return end > at ? change_packet(data, size, max_size, at, end) : size;
    }
}
