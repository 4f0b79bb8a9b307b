/* SPDX-License-Identifier: Apache-2.0 */
/* The device of the tests of what runs in place. */
#include "place_rig.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#define SOUND      0
#define UNREADABLE PLACE_UNREADABLE
#define UNSTABLE   PLACE_UNSTEADY

/* ---- Flash ---------------------------------------------------------------------------------- */

static uint8_t noise(struct place_rig *rig)
{
    rig->noise = rig->noise * 1664525U + 1013904223U;
    return (uint8_t)(rig->noise >> 24);
}

static int place_read(const struct ferry_flash *flash, uint32_t offset, uint8_t *data, size_t len)
{
    struct place_flash *place = flash->context;

    if (place->rig->off) {
        return FERRY_E_POWER;
    }
    for (size_t i = 0; i < len; i++) {
        if (place->state[offset + i] == UNREADABLE) {
            return FERRY_E_FLASH;
        }
        data[i] = place->memory[offset + i];
        if (place->state[offset + i] == UNSTABLE) {
            data[i] ^= noise(place->rig);
        }
    }
    place->bytes_read += (uint32_t)len;
    return FERRY_OK;
}

/* Change a range to what the operation wants, as far as the way lets it. */
static void change(struct place_flash *place, uint32_t offset, const uint8_t *wanted, size_t len,
                   enum place_way way)
{
    bool torn = way == PLACE_TORN || way == PLACE_ECC || way == PLACE_UNSTABLE;
    size_t whole = way == PLACE_HALF ? len / 2 : len;

    for (size_t i = 0; i < whole; i++) {
        uint8_t old = place->memory[offset + i];
        uint8_t keep = torn ? noise(place->rig) : 0;

        place->memory[offset + i] = (uint8_t)((old & keep) | (wanted[i] & ~keep));
        if (old != wanted[i] && (way == PLACE_ECC || way == PLACE_UNSTABLE)) {
            place->state[offset + i] = way == PLACE_ECC ? UNREADABLE : UNSTABLE;
        }
    }
}

static uint32_t sector_of(const struct place_flash *place, uint32_t offset)
{
    struct ferry_flash_sector sector;

    assert_int_equal(ferry_flash_sector_at(&place->flash, offset, &sector), FERRY_OK);
    return sector.index;
}

/* Note an operation as " P3", an erase as " eP3"; programs of one sector in a row are one word. */
static void note(struct place_flash *place, const char *kind, uint32_t offset)
{
    struct place_rig *rig = place->rig;
    static const char names[] = "PSXT";
    char word[16];
    size_t used = strlen(rig->log);
    size_t len = (size_t)snprintf(word, sizeof(word), " %s%c%u", kind, names[place - rig->slot],
                                  sector_of(place, offset));

    if (kind[0] == '\0' && used >= len && strcmp(rig->log + used - len, word) == 0) {
        return;
    }
    assert_true(used + len < sizeof(rig->log));
    memcpy(rig->log + used, word, len + 1);
}

/* The fault that strikes now, or NULL. */
static const struct place_fault *strike(struct place_rig *rig)
{
    rig->operations++;
    rig->since++;
    if (rig->struck == PLACE_FAULTS || rig->faults[rig->struck].at != rig->since) {
        return NULL;
    }
    rig->since = 0;
    return &rig->faults[rig->struck++];
}

/* One program or erase of a range that is to hold wanted. */
static int operate(struct place_flash *place, uint32_t offset, const uint8_t *wanted, size_t len)
{
    struct place_rig *rig = place->rig;

    if (rig->off) {
        return FERRY_E_POWER;
    }

    const struct place_fault *fault = strike(rig);
    bool *dead = &place->dead[sector_of(place, offset)];

    if (*dead) {
        return FERRY_E_FLASH;
    }
    if (fault == NULL) {
        change(place, offset, wanted, len, PLACE_AFTER);
        return FERRY_OK;
    }
    if (fault->way == PLACE_FAILS || fault->way == PLACE_DIES) {
        *dead = fault->way == PLACE_DIES;
        return FERRY_E_FLASH;
    }
    rig->off = true;
    if (fault->way != PLACE_BEFORE) {
        change(place, offset, wanted, len, fault->way);
    }
    return FERRY_E_POWER;
}

static int place_program(const struct ferry_flash *flash, uint32_t offset, const uint8_t *data,
                         size_t len)
{
    struct place_flash *place = flash->context;

    /* Write-once: a unit is programmed once between two erases. */
    if (!ferry_all_equal(place->memory + offset, len, flash->erased_value) ||
        !ferry_all_equal(place->state + offset, len, SOUND)) {
        place->rig->violations += place->rig->off ? 0 : 1;
        return FERRY_E_NOT_ERASED;
    }
    if (!place->rig->off) {
        note(place, "", offset);
    }
    return operate(place, offset, data, len);
}

static int place_erase(const struct ferry_flash *flash, uint32_t offset, size_t len)
{
    struct place_flash *place = flash->context;
    uint8_t erased[PLACE_SLOT_MAX];
    bool was_erased = ferry_all_equal(place->memory + offset, len, flash->erased_value) &&
                      ferry_all_equal(place->state + offset, len, SOUND);

    /* The store erases what it moves to without a look. */
    if (was_erased && place != &place->rig->slot[PLACE_STORE_AREA] && !place->rig->off) {
        place->rig->violations++;
        place->rig->needless++;
    }
    memset(erased, flash->erased_value, sizeof(erased));
    uint32_t before = place->rig->operations;
    int rc = operate(place, offset, erased, len);

    if (rc != FERRY_E_POWER || place->rig->operations != before) {
        note(place, "e", offset);
    }
    if (rc == FERRY_OK && place->rig->operations != before) {
        memset(place->state + offset, SOUND, len);
    }
    return rc;
}

static const struct ferry_flash_ops place_ops = {
    .read = place_read, .program = place_program, .erase = place_erase};

static void flash_init(struct place_rig *rig, struct place_flash *place, uint32_t size,
                       uint32_t sector, uint8_t erased)
{
    place->rig = rig;
    place->flash = (struct ferry_flash){.ops = &place_ops,
                                        .context = place,
                                        .size = size,
                                        .write_size = 8,
                                        .erased_value = erased,
                                        .run_count = 1,
                                        .runs = {{size / sector, sector}}};
    memset(place->memory, erased, sizeof(place->memory));
}

void place_geometry(struct place_flash *place, const struct ferry_flash_run *runs, uint8_t count,
                    uint8_t write_size, uint8_t erased)
{
    uint32_t size = 0;

    for (uint8_t i = 0; i < count; i++) {
        place->flash.runs[i] = runs[i];
        size += runs[i].count * runs[i].size;
    }
    assert_true(size <= PLACE_SLOT_MAX);
    place->flash.size = size;
    place->flash.run_count = count;
    place->flash.write_size = write_size;
    place->flash.erased_value = erased;
    memset(place->memory, erased, sizeof(place->memory));
    memset(place->state, SOUND, sizeof(place->state));
    assert_int_equal(ferry_flash_check(&place->flash), FERRY_OK);
}

/* ---- The device ----------------------------------------------------------------------------- */

static void feed(void *context)
{
    struct place_rig *rig = context;

    rig->feeds++;
}

void place_init(struct place_rig *rig, const struct ferry_strategy_traits *traits, bool with_store)
{
    bool single = traits->slot_count == 1;

    memset(rig, 0, sizeof(*rig));
    rig->noise = 1;
    rig->damage = PLACE_UNREADABLE;
    flash_init(rig, &rig->slot[0], 2048, 256, 0xff);
    flash_init(rig, &rig->slot[1], 1536, 128, 0x00);
    flash_init(rig, &rig->slot[PLACE_STORE_AREA], PLACE_STORE, PLACE_STORE / 4, 0xff);
    flash_init(rig, &rig->slot[PLACE_SCRATCH], 512, 256, 0xff);
    rig->ram = (struct ferry_boot_ram){rig->memory, PLACE_RAM, sizeof(rig->memory)};
    rig->image.slots =
        (struct ferry_slots){.primary = &rig->slot[0].flash,
                             .secondary = single ? NULL : &rig->slot[1].flash,
                             .strategy = traits,
                             .state = ferry_slots_state_of(traits),
                             .max_align = 8,
                             .max_sectors = 16,
                             .scratch = traits->scratch ? &rig->slot[PLACE_SCRATCH].flash : NULL};
    rig->with_store = with_store;
    rig->image.ram = &rig->ram;
    rig->image.addresses[0] = 0x1000;
    rig->image.addresses[1] = 0x9000;
    rig->hooks = (struct ferry_boot_hooks){.context = rig, .feed = feed};
    rig->config = (struct ferry_boot_config){.images = &rig->image,
                                             .memory = &ferry_boot_in_store,
                                             .admission = &ferry_boot_by_policy,
                                             .image_count = 1,
                                             .trust = test_trust_digest_only,
                                             .hooks = &rig->hooks,
                                             .buf = rig->buf,
                                             .buf_size = sizeof(rig->buf)};
    place_power_on(rig, 0, PLACE_BEFORE);
}

void place_power_up(struct place_rig *rig)
{
    rig->off = false;
    rig->operations = 0;
    rig->log[0] = '\0';
    rig->slot[0].bytes_read = 0;
    rig->slot[1].bytes_read = 0;
    rig->image.slots.store = NULL;
    if (rig->with_store &&
        ferry_store_open(&rig->store, &rig->slot[PLACE_STORE_AREA].flash) == FERRY_OK) {
        rig->image.slots.store = &rig->store;
    }
}

void place_arm(struct place_rig *rig, const struct place_fault faults[PLACE_FAULTS])
{
    memcpy(rig->faults, faults, sizeof(rig->faults));
    rig->since = 0;
    rig->struck = 0;
}

void place_power_on(struct place_rig *rig, uint32_t fault_at, enum place_way way)
{
    const struct place_fault faults[PLACE_FAULTS] = {{fault_at, way}, {0, PLACE_BEFORE}};

    place_power_up(rig);
    place_arm(rig, faults);
}

void place_build(struct place_image *image, uint8_t major, size_t payload, uint32_t flags,
                 uint32_t load_address)
{
    struct test_image_spec spec = {.version = {.major = major},
                                   .key = TEST_KEY_NONE,
                                   .payload_size = payload,
                                   .header_size = 32,
                                   .flags = flags,
                                   .load_address = load_address};

    image->size = (uint32_t)test_image_build(&spec, image->bytes, sizeof(image->bytes));
    assert_true(image->size > 0);
}

void place_load(struct place_rig *rig, uint32_t slot, const struct place_image *image)
{
    struct place_flash *place = &rig->slot[slot];

    memset(place->memory, place->flash.erased_value, sizeof(place->memory));
    memset(place->state, SOUND, sizeof(place->state));
    if (image != NULL) {
        assert_true(image->size <= place->flash.size);
        memcpy(place->memory, image->bytes, image->size);
    }
}

bool place_holds(const struct place_rig *rig, uint32_t slot, const struct place_image *image)
{
    return memcmp(rig->slot[slot].memory, image->bytes, image->size) == 0;
}

/* ---- Trailers, written out for max_align 8 [mcuboot-format.md §2.6] ------------------------- */

#define AT_MAGIC     16
#define AT_IMAGE_OK  24
#define AT_COPY_DONE 32

static const uint8_t magic[16] = {0x77, 0xc2, 0x95, 0xf3, 0x60, 0xd2, 0xef, 0x7f,
                                  0x35, 0x52, 0x50, 0x0f, 0x2c, 0xb6, 0x79, 0x80};

void place_trailer(struct place_rig *rig, uint32_t slot, const char *fields)
{
    struct place_flash *place = &rig->slot[slot];
    uint8_t *end = place->memory + place->flash.size;

    memset(end - AT_COPY_DONE, place->flash.erased_value, AT_COPY_DONE);
    memset(place->state, SOUND, sizeof(place->state));
    for (; *fields != '\0'; fields++) {
        /* A damaged magic is far from every right value; a flag has no such value, but may not
         * read the same twice. */
        switch (*fields) {
        case 'm':
            memcpy(end - AT_MAGIC, magic, sizeof(magic));
            break;
        case 'M':
            memset(end - AT_MAGIC, 0x5a, sizeof(magic));
            break;
        case 'd':
            end[-AT_COPY_DONE] = 1;
            break;
        case 'D':
            memset(place->state + (end - place->memory) - AT_COPY_DONE, rig->damage, 8);
            break;
        case 'k':
            end[-AT_IMAGE_OK] = 1;
            break;
        case 'K':
            memset(place->state + (end - place->memory) - AT_IMAGE_OK, rig->damage, 8);
            break;
        default:
            fail_msg("no such field: %c", *fields);
        }
    }
}

static char letter(enum ferry_trailer_field field, char set, char bad)
{
    return field == FERRY_SET ? set : bad;
}

const char *place_fields(const struct place_rig *rig, uint32_t slot)
{
    static char text[4];
    struct ferry_trailer trailer;
    size_t len = 0;

    assert_int_equal(ferry_trailer_read(&rig->slot[slot].flash, 8, &trailer), FERRY_OK);
    if (trailer.magic != FERRY_UNSET) {
        text[len++] = letter(trailer.magic, 'm', 'M');
    }
    if (trailer.copy_done != FERRY_UNSET) {
        text[len++] = letter(trailer.copy_done, 'd', 'D');
    }
    if (trailer.image_ok != FERRY_UNSET) {
        text[len++] = letter(trailer.image_ok, 'k', 'K');
    }
    text[len] = '\0';
    return text;
}
