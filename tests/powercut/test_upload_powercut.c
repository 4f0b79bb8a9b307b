/* SPDX-License-Identifier: Apache-2.0 */
/* Uploads that go on after a reset, cut at every program and erase of slot and store, in every way,
 * and cut again soon after each cut.
 *
 * What a cut leaves is in doubt until it is erased: it may read as before, as after or as anything,
 * and takes no program. At the end of every life the file is in the slot byte for byte, none of it
 * in doubt, the record is gone, and the client had to send little more than the file once. */
#include "test_image_rig.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <string.h>

#define SECTORS 48U
#define SECTOR  512U
#define SLOT    (SECTORS * SECTOR)
#define STORE   (3 * SECTOR)
#define CHUNK   400U
#define PAYLOAD 9000U
#define MAX_ERRORS                                                                                 \
    4U /* group errors one life may meet: what was in doubt is found by writing it                 \
        */

enum way {
    WAY_BEFORE, /* nothing happens */
    WAY_AFTER,  /* it happens, and nothing after it */
    WAY_HALF,   /* half of it happens */
    WAY_NOISE,  /* some of the bits */
    WAY_SEEMS,  /* it reads as done, and does not last */
    WAY_UNSEEN, /* it reads as not done, and was begun */
    WAYS
};

/* ---- The chip: slot and store under one power supply ------------------------------------------
 */

struct part {
    struct ferry_flash flash;
    struct supply *supply;
    uint8_t memory[SLOT];
    bool doubt[SLOT];
    unsigned refused; /* programs that met doubt */
};

struct supply {
    uint64_t operations;
    uint64_t cut_at[2]; /* counted from 1, rising; 0 never */
    enum way way;
    uint32_t noise;
    bool off;
};

static bool is_cut(struct supply *supply)
{
    supply->operations++;
    supply->off =
        supply->operations == supply->cut_at[0] || supply->operations == supply->cut_at[1];
    return supply->off;
}

static uint8_t partly(struct supply *supply, uint8_t old, uint8_t new)
{
    supply->noise ^= supply->noise << 13;
    supply->noise ^= supply->noise >> 17;
    supply->noise ^= supply->noise << 5;

    uint8_t mask = (uint8_t)(supply->noise >> 8);

    return (uint8_t)((old & ~mask) | (new &mask));
}

/* Change a byte as the cut has it. */
static void cut_byte(struct part *part, uint32_t at, uint8_t value, bool first_half)
{
    uint8_t *byte = &part->memory[at];

    switch (part->supply->way) {
    case WAY_HALF:
        *byte = first_half ? value : *byte;
        break;
    case WAY_NOISE:
        *byte = partly(part->supply, *byte, value);
        break;
    case WAY_SEEMS:
        *byte = value;
        break;
    default:
        break;
    }
    part->doubt[at] = true;
}

/* A program (data) or an erase. */
static int change(struct part *part, uint32_t offset, const uint8_t *data, size_t len)
{
    struct supply *supply = part->supply;

    if (supply->off) {
        return FERRY_E_POWER;
    }

    bool cut = is_cut(supply);

    for (size_t i = 0; i < len; i++) {
        uint32_t at = offset + (uint32_t)i;
        uint8_t value = data != NULL ? data[i] : part->flash.erased_value;

        if (cut && supply->way != WAY_BEFORE && supply->way != WAY_AFTER) {
            cut_byte(part, at, value, i < len / 2);
        } else if (!cut || supply->way == WAY_AFTER) {
            part->memory[at] = value;
            part->doubt[at] = false;
        }
    }
    return cut ? FERRY_E_POWER : FERRY_OK;
}

static int part_read(const struct ferry_flash *flash, uint32_t offset, uint8_t *data, size_t len)
{
    const struct part *part = flash->context;

    if (part->supply->off) {
        return FERRY_E_POWER;
    }
    memcpy(data, part->memory + offset, len);
    return FERRY_OK;
}

static int part_program(const struct ferry_flash *flash, uint32_t offset, const uint8_t *data,
                        size_t len)
{
    struct part *part = flash->context;

    for (size_t i = 0; i < len && !part->supply->off; i++) {
        if (part->doubt[offset + i]) {
            part->refused++;
            return FERRY_E_NOT_ERASED;
        }
        assert_int_equal(part->memory[offset + i], flash->erased_value);
    }
    return change(part, offset, data, len);
}

static int part_erase(const struct ferry_flash *flash, uint32_t offset, size_t len)
{
    return change(flash->context, offset, NULL, len);
}

static const struct ferry_flash_ops part_ops = {
    .read = part_read, .program = part_program, .erase = part_erase};

static void part_init(struct part *part, struct supply *supply, uint32_t size, uint8_t write_size,
                      uint8_t erased_value)
{
    part->flash = (struct ferry_flash){.ops = &part_ops,
                                       .context = part,
                                       .size = size,
                                       .write_size = write_size,
                                       .erased_value = erased_value,
                                       .run_count = 1,
                                       .runs = {{size / SECTOR, SECTOR}}};
    part->supply = supply;
    memset(part->memory, erased_value, sizeof(part->memory));
    memset(part->doubt, 0, sizeof(part->doubt));
}

/* ---- The device --------------------------------------------------------------------------- */

struct plan {
    const struct ferry_strategy_traits *strategy;
    uint8_t write_size;
    uint8_t erased_value;
    bool ahead;
};

struct device {
    const struct plan *plan;
    struct supply supply;
    struct part primary, slot, store_part;
    struct ferry_store store;
    struct ferry_slots slots;
    struct ferry_image_group_config config;
};

static struct device device;
static struct image_rig rig; /* its server and its way of asking; the slots are the device's */
static uint8_t file[SLOT];
static uint32_t file_len;
static uint8_t sha[32];
static uint8_t old_bytes[SLOT];

/* The file is full of what is easily taken for erased: whole sectors of it. */
static void build_file(const struct plan *plan)
{
    const struct test_image_spec spec = {
        .version = {.major = 2}, .key = TEST_KEY_NONE, .payload_size = PAYLOAD, .header_size = 32};

    file_len = (uint32_t)test_image_build(&spec, file, sizeof(file));
    assert_true(file_len > PAYLOAD);
    memset(file + 3 * SECTOR, plan->erased_value, 3 * SECTOR + 100);
    memset(file + 10 * SECTOR + 17, plan->erased_value, 40);
    test_sha256(file, file_len, sha);
    for (size_t i = 0; i < SLOT; i++) {
        old_bytes[i] = (uint8_t)(i * 31 + 5);
    }
}

/* The power comes on: the application starts. */
static void start(void)
{
    device.supply.off = false;
    assert_int_equal(ferry_store_open(&device.store, &device.store_part.flash), FERRY_OK);
    image_rig_restart(&rig);
}

static void make_device(const struct plan *plan)
{
    memset(&device, 0, sizeof(device));
    device.plan = plan;
    device.supply.noise = 0x12345678;
    part_init(&device.primary, &device.supply, SLOT, plan->write_size, plan->erased_value);
    part_init(&device.slot, &device.supply, SLOT, plan->write_size, plan->erased_value);
    part_init(&device.store_part, &device.supply, STORE, plan->write_size, plan->erased_value);
    memcpy(device.primary.memory, file, file_len);
    device.primary.memory[20] = 1; /* another version */
    memcpy(device.slot.memory, old_bytes, SLOT);
    image_rig_set_up(&rig, plan->write_size, 1);
    rig.slots[0] = (struct ferry_slots){.primary = &device.primary.flash,
                                        .secondary = &device.slot.flash,
                                        .strategy = plan->strategy,
                                        .state = ferry_slots_state_of(plan->strategy),
                                        .max_align = plan->write_size > 8 ? plan->write_size : 8,
                                        .max_sectors = SECTORS,
                                        .store = &device.store};
    rig.group_config.resume = &ferry_image_resume_in_store;
    rig.group_config.ahead = plan->ahead ? &ferry_image_erase_ahead : NULL;
    rig.group_config.check = &ferry_image_check_sha256;
    rig.config.observe = NULL;
    start();
}

static uint32_t upload_offset(void)
{
    return ferry_slots_upload_offset(&rig.slots[0]);
}

/* ---- The client ----------------------------------------------------------------------------- */

struct story {
    uint32_t sent;     /* bytes that the device took */
    unsigned errors;   /* group errors */
    unsigned resumed;  /* starts that went on behind the beginning */
    unsigned restarts; /* starts that did not, though the first sectors were there */
    unsigned refused;  /* programs that met doubt after such a start */
};

/* The offset of an answer, -1 for an error, -2 without power. */
static int64_t send(uint32_t off, uint32_t len)
{
    struct rig_upload upload = RIG_UPLOAD;
    static const char head[] = "{\"off\":";

    upload.off = off;
    upload.data = file + off;
    upload.data_len = len;
    if (off == 0) {
        upload.len = file_len;
        upload.sha = sha;
        upload.sha_len = sizeof(sha);
    }

    const char *answer = image_rig_upload(&rig, 1, &upload);
    int64_t value = 0;

    if (device.supply.off) {
        return -2;
    }
    if (strncmp(answer, head, sizeof(head) - 1) != 0) {
        return -1;
    }
    for (const char *at = answer + sizeof(head) - 1; *at >= '0' && *at <= '9'; at++) {
        value = value * 10 + (*at - '0');
    }
    if (value == file_len) {
        assert_non_null(strstr(answer, "\"match\":true"));
    }
    return value;
}

/* Upload until the file is there or the power fails. Returns whether it is there. */
static bool upload(struct story *story, bool after_cut, uint32_t had)
{
    uint32_t off = 0;
    bool went_on = false;

    while (off < file_len) {
        uint32_t len = ferry_min32(off == 0 ? 128 : CHUNK, file_len - off);
        unsigned refused = device.slot.refused;
        int64_t now = send(off, len);

        if (now == -2) {
            return false;
        }
        if (off == 0 && after_cut) {
            went_on = now > 128;
            story->resumed += went_on;
            story->restarts += !went_on && had >= 4 * SECTOR;
            after_cut = false;
        }
        if (went_on) {
            story->refused += device.slot.refused - refused;
        }
        if (now == -1) {
            story->errors++;
            assert_true(story->errors <= MAX_ERRORS);
            went_on = false;
            now = 0;
        } else {
            story->sent += len;
        }
        off = (uint32_t)now;
        (void)ferry_image_group_erase_next(&rig.group);
        if (device.supply.off) {
            return false;
        }
    }
    return true;
}

static void check_end(void)
{
    uint8_t record[FERRY_STORE_MAX];
    uint32_t at = upload_offset();

    assert_memory_equal(device.slot.memory + at, file, file_len);
    for (uint32_t i = 0; i < file_len; i++) {
        assert_false(device.slot.doubt[at + i]);
    }
    assert_int_equal(ferry_store_get(&device.store, FERRY_STORE_KEY_UPLOAD, record, sizeof(record)),
                     FERRY_E_NOT_FOUND);
    if (!device.plan->strategy->in_place) { /* in place being there is the request */
        assert_int_equal(image_rig_next(&rig, 0), FERRY_SWAP_NONE);
    }
}

static const struct plan plans[] = {
    {&ferry_traits_swap_move, 8, 0xff, false},   {&ferry_traits_swap_move, 8, 0xff, true},
    {&ferry_traits_swap_offset, 4, 0xff, false}, {&ferry_traits_swap_offset, 4, 0xff, true},
    {&ferry_traits_swap_move, 32, 0xff, false},  {&ferry_traits_swap_move, 32, 0xff, true},
    {&ferry_traits_overwrite, 16, 0x00, false},  {&ferry_traits_overwrite, 16, 0x00, true},
    {&ferry_traits_direct_xip, 1, 0x00, false},  {&ferry_traits_direct_xip, 1, 0x00, true},
    {&ferry_traits_swap_shift, 2, 0xff, true},
};

/* One device's life, cut at one or two operations. Returns how often the power failed. */
static unsigned live(const struct plan *plan, enum way way, uint64_t first, uint64_t second,
                     struct story *story)
{
    unsigned cuts = 0;

    *story = (struct story){0};
    make_device(plan);
    device.supply.way = way;
    device.supply.cut_at[0] = first;
    device.supply.cut_at[1] = second;
    while (!upload(story, cuts > 0, rig.group.offset)) {
        cuts++;
        assert_true(cuts <= 2);

        uint32_t had = rig.group.open ? rig.group.offset : 0;

        start();
        rig.group.offset = had; /* for the next round's judgement; no upload is open */
    }
    check_end();
    return cuts;
}

/* ---- The tests ------------------------------------------------------------------------------ */

/* How much more than the file a client sends for one cut: back to the sector's beginning, the chunk
 * that was under way, and the one that asks. */
#define COST (SECTOR + CHUNK + 128)

static void test_cut_at_every_operation(void **context)
{
    unsigned lives = 0;
    unsigned resumed = 0;
    unsigned longest = 0;
    (void)context;

    for (size_t i = 0; i < sizeof(plans) / sizeof(plans[0]); i++) {
        build_file(&plans[i]);
        for (int way = 0; way < WAYS; way++) {
            struct story story;
            unsigned gone_on = 0;

            for (uint64_t cut = 1; live(&plans[i], (enum way)way, cut, 0, &story) > 0; cut++) {
                lives++;
                gone_on += story.resumed;
                assert_int_equal(story.restarts, 0);
                assert_int_equal(story.refused, 0); /* nothing in doubt was gone on with */
                if (story.errors == 0) {
                    assert_true(story.sent <= file_len + COST);
                    longest = longest > story.sent ? longest : story.sent;
                }
            }
            assert_true(gone_on > 20);
            resumed += gone_on;
        }
    }
    print_message("%u lives with one cut, %u of them went on; at most %u bytes for %u of file\n",
                  lives, resumed, longest, file_len);
    assert_true(lives > 1000);
}

static void test_cut_again_soon_after_every_cut(void **context)
{
    unsigned lives = 0;
    (void)context;

    for (size_t i = 0; i < sizeof(plans) / sizeof(plans[0]); i++) {
        build_file(&plans[i]);
        for (int way = WAY_AFTER; way < WAYS; way++) {
            struct story story;

            for (uint64_t cut = 1; live(&plans[i], (enum way)way, cut, 0, &story) > 0; cut += 3) {
                for (uint64_t next = cut + 1; next < cut + 12; next++) {
                    if (live(&plans[i], (enum way)way, cut, next, &story) == 2) {
                        lives++;
                    }
                }
            }
        }
    }
    print_message("%u lives with two cuts\n", lives);
    assert_true(lives > 1000);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_cut_at_every_operation),
        cmocka_unit_test(test_cut_again_soon_after_every_cut),
    };

    return cmocka_run_group_tests_name("uploads that go on after a cut", tests, NULL, NULL);
}
