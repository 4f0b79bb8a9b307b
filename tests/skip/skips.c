/* SPDX-License-Identifier: Apache-2.0 */
/* Skips each instruction of a bootloader once, and looks whether an image runs that must not.
 *
 * The bootloader (target.c with the real core/, compiled for a Cortex-M0) is interpreted. At each
 * instruction that it executes a life branches off that goes on behind it, to the end. Nothing is
 * tried where flash and cryptography are the host's. */
#include "skip.h"
#include "test_image.h"
#include "thumb.h"

#include "ferry/trailer.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define SLOT_SIZE (SKIP_SECTOR * SKIP_SECTORS)

/* A life may take so many times the instructions of the one that skips nothing: a loop that does
 * not end is the watchdog's. */
#define LONGER 3

/* Findings that are told one by one. */
#define TOLD 5

/* ---- The machine ---------------------------------------------------------------------------- */

/* All that changes: copied as a whole where lives branch. */
struct machine {
    struct thumb thumb;
    uint8_t slots[2][SLOT_SIZE];
    uint8_t message[4 * SLOT_SIZE]; /* what is being hashed */
    uint32_t message_len;
    int started; /* the slot whose image was started; -1 = none */
};

struct scene {
    const char *name;
    enum test_key_id key;
    bool altered;   /* a bit of the payload */
    bool forged;    /* a bit of the signature */
    bool revoked;   /* the key counts no more */
    bool requested; /* it is in the secondary, asked for; a good one is in the primary */
};

struct run {
    const struct scene *scene;
    uint8_t key_hash[32];
    uint8_t signed_digest[32]; /* what the trusted key signed */
    uint8_t good_digest[32];   /* of the other image */
    uint8_t bad[SLOT_SIZE];
    uint32_t bad_size;
};

static struct machine *machine_of(struct thumb *thumb)
{
    return (struct machine *)(void *)((uint8_t *)thumb - offsetof(struct machine, thumb));
}

static const struct run *run_of(const struct thumb *thumb)
{
    return thumb->context;
}

/* ---- Services: flash ------------------------------------------------------------------------ */

static uint8_t *flash_at(struct machine *machine, uint32_t slot, uint32_t offset, uint32_t len)
{
    return slot < 2 && offset <= SLOT_SIZE && len <= SLOT_SIZE - offset
               ? machine->slots[slot] + offset
               : NULL;
}

static void access_flash(struct machine *machine, bool program)
{
    struct thumb *t = &machine->thumb;
    uint8_t *flash = flash_at(machine, t->r[0], t->r[1], t->r[3]);
    uint8_t *ram = thumb_memory(t, t->r[2], t->r[3]);
    const uint8_t *from = thumb_bytes(t, t->r[2], t->r[3]);

    if (flash == NULL || from == NULL || (!program && ram == NULL)) {
        t->r[0] = (uint32_t)FERRY_E_FLASH;
        return;
    }
    for (uint32_t i = 0; i < t->r[3]; i++) {
        if (program) {
            flash[i] &= from[i];
        } else {
            ram[i] = flash[i];
        }
    }
    t->r[0] = FERRY_OK;
}

static void erase_flash(struct machine *machine)
{
    struct thumb *t = &machine->thumb;
    uint8_t *flash = flash_at(machine, t->r[0], t->r[1], t->r[2]);

    if (flash != NULL) {
        memset(flash, 0xff, t->r[2]);
    }
    t->r[0] = flash != NULL ? FERRY_OK : (uint32_t)FERRY_E_FLASH;
}

/* ---- Services: cryptography ----------------------------------------------------------------- */

static void hash_more(struct machine *machine)
{
    struct thumb *t = &machine->thumb;
    const uint8_t *data = thumb_bytes(t, t->r[1], t->r[2]);

    if (data == NULL || t->r[2] > sizeof(machine->message) - machine->message_len) {
        t->state = THUMB_CRASHED;
        return;
    }
    memcpy(machine->message + machine->message_len, data, t->r[2]);
    machine->message_len += t->r[2];
}

static void hash_final(struct machine *machine)
{
    struct thumb *t = &machine->thumb;
    uint8_t *digest = thumb_memory(t, t->r[1], 32);

    if (digest == NULL) {
        t->state = THUMB_CRASHED;
        return;
    }
    test_sha256(machine->message, machine->message_len, digest);
}

/* A signature is good when the digest is one that the trusted key signed, and nobody forged it. */
static void verify(struct machine *machine)
{
    struct thumb *t = &machine->thumb;
    const struct run *run = run_of(t);
    const uint8_t *digest = thumb_bytes(t, t->r[1], 32);
    bool good =
        digest != NULL && run->scene->requested && memcmp(digest, run->good_digest, 32) == 0;

    good = good ||
           (digest != NULL && !run->scene->forged && memcmp(digest, run->signed_digest, 32) == 0);
    t->r[0] = good ? FERRY_OK : (uint32_t)FERRY_E_SIGNATURE;
}

static void give_key(struct machine *machine)
{
    struct thumb *t = &machine->thumb;
    const struct run *run = run_of(t);
    uint8_t *der = thumb_memory(t, t->r[0], SKIP_KEY_SIZE);
    uint8_t *hash = thumb_memory(t, t->r[1], 32);

    if (der != NULL && hash != NULL) {
        memcpy(der, test_keys[TEST_KEY_P256].public_der, SKIP_KEY_SIZE);
        memset(hash, 0, 32);
        if (run->scene->revoked) {
            memcpy(hash, run->key_hash, 32);
        }
    }
}

static void serve(struct thumb *thumb, uint8_t number)
{
    struct machine *machine = machine_of(thumb);

    switch (number) {
    case SKIP_JUMP:
        machine->started = thumb->r[0] < 2 ? (int)thumb->r[0] : -1;
        thumb->state = THUMB_ENDED;
        break;
    case SKIP_READ:
    case SKIP_PROGRAM:
        access_flash(machine, number == SKIP_PROGRAM);
        break;
    case SKIP_ERASE:
        erase_flash(machine);
        break;
    case SKIP_HASH:
        machine->message_len = 0;
        break;
    case SKIP_MORE:
        hash_more(machine);
        break;
    case SKIP_DIGEST:
        hash_final(machine);
        break;
    case SKIP_VERIFY:
        verify(machine);
        break;
    case SKIP_KEY:
        give_key(machine);
        break;
    default:
        thumb->state = THUMB_ENDED;
        break;
    }
}

/* ---- Scenes --------------------------------------------------------------------------------- */

static const struct scene scenes[] = {
    {.name = "wrong signature", .key = TEST_KEY_P256, .forged = true},
    {.name = "altered payload", .key = TEST_KEY_P256, .altered = true},
    {.name = "unsigned", .key = TEST_KEY_NONE},
    {.name = "a stranger's", .key = TEST_KEY_P256_OTHER},
    {.name = "a revoked key's", .key = TEST_KEY_P256, .revoked = true},
    {.name = "an update, wrong signature", .key = TEST_KEY_P256, .forged = true, .requested = true},
};

#define SCENES (sizeof(scenes) / sizeof(scenes[0]))

static uint32_t build(enum test_key_id key, uint8_t major, uint8_t *out)
{
    const struct test_image_spec spec = {
        .key = key, .version = {major, 0, 0, 0}, .payload_size = 150, .header_size = 32};
    size_t size = test_image_build(&spec, out, SLOT_SIZE);

    if (size == 0) {
        fputs("skips: an image cannot be built\n", stderr);
        exit(2);
    }
    return (uint32_t)size;
}

/* The trailer of a test that was asked for. */
static void ask(uint8_t *slot)
{
    ferry_trailer_magic(8, slot + SLOT_SIZE - FERRY_TRAILER_MAGIC_SIZE);
}

/* What is in flash when the power comes. */
static void set_scene(struct machine *machine, struct run *run)
{
    const struct scene *scene = run->scene;
    uint8_t *slot = machine->slots[scene->requested ? 1 : 0];

    memset(machine->slots, 0xff, sizeof(machine->slots));
    test_sha256(test_keys[TEST_KEY_P256].public_der, SKIP_KEY_SIZE, run->key_hash);
    if (scene->requested) {
        (void)build(TEST_KEY_P256, 1, machine->slots[0]);
        test_sha256(machine->slots[0], 32 + 150, run->good_digest);
        ask(machine->slots[1]);
    }
    run->bad_size = build(scene->key, 2, run->bad);
    if (scene->key == TEST_KEY_P256) {
        test_sha256(run->bad, 32 + 150, run->signed_digest);
    }
    if (scene->altered) {
        run->bad[40] ^= 1;
    }
    memcpy(slot, run->bad, run->bad_size);
}

/* ---- Lives ---------------------------------------------------------------------------------- */

/* Whether the image that must not run was started. */
static bool ran(const struct machine *machine, const struct run *run)
{
    return machine->started >= 0 &&
           memcmp(machine->slots[machine->started], run->bad, run->bad_size) == 0;
}

static void live(struct machine *machine, uint64_t most)
{
    for (; machine->thumb.state == THUMB_RUNS && most > 0; most--) {
        thumb_step(&machine->thumb);
    }
}

/* Go on behind the next instruction, or behind the next 4 bytes. */
static void skip(struct thumb *thumb, bool word)
{
    uint32_t length = thumb_length(thumb);

    thumb->r[15] += word ? 4 : length;
}

static uint32_t vector(const struct thumb *thumb, uint32_t number)
{
    uint32_t value;

    memcpy(&value, thumb->rom + 4 * number, 4);
    return value;
}

static bool may_skip(const struct thumb *thumb)
{
    return thumb->r[15] < vector(thumb, 2) || thumb->r[15] >= vector(thumb, 3);
}

struct count {
    uint64_t tried;
    uint64_t ran;
};

/* One life at every instruction. Returns how many a life without a skip takes. */
static uint64_t skip_all(const struct machine *first, const struct run *run, bool word,
                         uint64_t most, struct count *count)
{
    static struct machine main_line, other;
    uint64_t steps = 0;

    main_line = *first;
    for (; main_line.thumb.state == THUMB_RUNS; steps++) {
        if (most > 0 && may_skip(&main_line.thumb)) {
            other = main_line;
            skip(&other.thumb, word);
            live(&other, most);
            count->tried++;
            if (ran(&other, run) && count->ran++ < TOLD) {
                printf("    0x%04x skipped, %u bytes (instruction %llu): it ran\n",
                       main_line.thumb.r[15], word ? 4 : thumb_length(&main_line.thumb),
                       (unsigned long long)steps);
            }
        }
        thumb_step(&main_line.thumb);
    }
    if (ran(&main_line, run) || main_line.thumb.state == THUMB_CRASHED) {
        puts("    without any skip: it runs, or crashes");
        count->ran++;
    }
    return steps;
}

static void run_scene(const struct scene *scene, const uint8_t *rom, uint32_t rom_size,
                      struct count counts[2])
{
    static struct machine first;
    static struct run run;
    static thumb_format *formats[THUMB_FORMATS];
    struct count none = {0, 0};
    struct count here[2] = {{0, 0}, {0, 0}};

    memset(&first, 0, sizeof(first));
    memset(&run, 0, sizeof(run));
    run.scene = scene;
    first.started = -1;
    set_scene(&first, &run);
    thumb_decoder(formats);
    first.thumb.formats = formats;
    first.thumb.rom = rom;
    first.thumb.rom_size = rom_size;
    first.thumb.service = serve;
    first.thumb.context = &run;
    thumb_reset(&first.thumb);

    uint64_t steps = skip_all(&first, &run, false, 0, &none);

    here[0].ran = none.ran;
    for (int word = 0; word < 2; word++) {
        (void)skip_all(&first, &run, word == 1, LONGER * steps, &here[word]);
        counts[word].tried += here[word].tried;
        counts[word].ran += here[word].ran;
    }
    printf("  %-28s %8llu %4llu %10llu %4llu\n", scene->name, (unsigned long long)here[0].tried,
           (unsigned long long)here[0].ran, (unsigned long long)here[1].tried,
           (unsigned long long)here[1].ran);
}

/* ---- The program ---------------------------------------------------------------------------- */

static uint8_t *read_rom(const char *path, uint32_t *size)
{
    static uint8_t rom[131072];
    FILE *file = fopen(path, "rb");
    size_t len = file != NULL ? fread(rom, 1, sizeof(rom), file) : 0;

    if (len < 16) {
        fprintf(stderr, "skips: %s is no bootloader; run make skips, which makes it\n", path);
        exit(2);
    }
    (void)fclose(file);
    *size = (uint32_t)len;
    return rom;
}

int main(int argc, char **argv)
{
    struct count all[2] = {{0, 0}, {0, 0}};
    bool weak = argc > 2 && strcmp(argv[2], "--weak") == 0;

    if (argc < 2) {
        fputs("usage: skips BOOTLOADER.bin [--weak]\n", stderr);
        return 2;
    }
    uint32_t size = 0;
    const uint8_t *rom = read_rom(argv[1], &size);

    printf("%s: %u bytes\n  %-28s %8s %4s %10s %4s\n", argv[1], size, "image", "skipped", "ran",
           "4 bytes", "ran");
    for (size_t i = 0; i < SCENES; i++) {
        run_scene(&scenes[i], rom, size, all);
    }
    printf("  %llu instructions skipped once, an image ran that must not: %llu; "
           "%llu times 4 bytes: %llu\n",
           (unsigned long long)all[0].tried, (unsigned long long)all[0].ran,
           (unsigned long long)all[1].tried, (unsigned long long)all[1].ran);
    if (all[0].tried == 0) {
        fputs("skips: nothing was tried\n", stderr);
        return 1;
    }
    return weak ? all[0].ran == 0 : all[0].ran > 0;
}
