/* SPDX-License-Identifier: Apache-2.0 */
/* The jobs: every strategy on devices of many shapes. */
#include "fault_campaign.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

const struct ferry_boot_strategy *const fault_strategies[] = {
    &ferry_boot_swap_scratch,      &ferry_boot_swap_move, &ferry_boot_swap_offset,
    &ferry_boot_swap_shift,        &ferry_boot_overwrite, &ferry_boot_direct_xip,
    &ferry_boot_direct_xip_revert, &ferry_boot_ram_load,  &ferry_boot_ram_load_revert,
    &ferry_boot_single_slot,
};

const size_t fault_strategy_count = sizeof(fault_strategies) / sizeof(fault_strategies[0]);

/* Strategies that a row is for. */
enum {
    ALL = 0,
    UNEQUAL = 1,   /* those that take slots with other sectors */
    SCRATCH = 2,   /* those with a scratch area */
    MOVING = 3,    /* those that do not choose by the version */
    DECRYPTING = 4 /* those that have somewhere to decrypt to */
};

/* A device to be, before it is fitted to a strategy. */
struct spec {
    const char *name;
    uint32_t scope; /* enum fault_scope: from this one on */
    uint32_t depth;
    uint32_t sector;
    uint32_t old_size; /* 0 = the largest */
    uint32_t new_size;
    uint8_t write_size;
    uint8_t erased;
    uint8_t other_erased;     /* of the secondary */
    uint8_t secondary_factor; /* its sectors are so many times larger; 0 = 1 */
    uint8_t scratch_sectors;  /* 0 = 1 */
    uint8_t trials;           /* 0: and no store */
    uint8_t likeness;
    uint8_t key;
    uint8_t wrap;
    uint8_t suits;
    uint32_t sectors;     /* of a slot; 0 = as many as it takes */
    uint32_t max_sectors; /* 0 = as many */
    uint32_t buf_size;
    uint32_t sample;
    bool sample_first;
    bool policy;    /* versions and counters do not go down; bits of the store flip, too */
    bool every_bit; /* of a byte flips, and not one by chance */
    bool old_plain; /* the old image is not encrypted though the others are */
    bool set;       /* two images that change as one */
    bool keys;      /* two trusted keys */
    const struct ferry_boot_strategy *other; /* of image 1 */
    const char *flows;                       /* names with blanks around; NULL = all */
};

#define PARTS(size, first, second)                                                                 \
    .write_size = (size), .erased = (first), .other_erased = (second), .key = TEST_KEY_NONE,       \
    .buf_size = 256
#define PLAIN(size, value) PARTS(size, value, value)
#define SIZES(old, new)    .depth = 1, .sector = 256, .old_size = (old), .new_size = (new)
#define SIGNED(size, value)                                                                        \
    .write_size = (size), .erased = (value), .other_erased = (value), .key = TEST_KEY_ED25519,     \
    .buf_size = 256
#define ONCE SIZES(700, 1100), .trials = 1
#define LARGE                                                                                      \
    .sector = 4096, .old_size = 204759, .new_size = 204759, .trials = 1, .sectors = 64,            \
    .max_sectors = 64, .write_size = 8, .erased = 0xff, .other_erased = 0xff,                      \
    .key = TEST_KEY_NONE, .buf_size = 1024

static const struct spec specs[] = {
    /* One fault, every one, on small slots of every shape. */
    {.name = "w8", .scope = FAULT_SHORT, ONCE, .every_bit = true, PLAIN(8, 0xff)},
    {.name = "w1", .scope = FAULT_WHOLE, ONCE, .every_bit = true, PLAIN(1, 0xff)},
    {.name = "w2", .scope = FAULT_WHOLE, ONCE, PLAIN(2, 0xff)},
    {.name = "w4", .scope = FAULT_WHOLE, ONCE, PLAIN(4, 0xff)},
    {.name = "w16", .scope = FAULT_WHOLE, ONCE, PLAIN(16, 0xff)},
    {.name = "w32", .scope = FAULT_WHOLE, ONCE, PLAIN(32, 0xff)},
    {.name = "z1", .scope = FAULT_WHOLE, ONCE, .every_bit = true, PLAIN(1, 0x00)},
    {.name = "z4", .scope = FAULT_SHORT, ONCE, PLAIN(4, 0x00)},
    {.name = "z8", .scope = FAULT_WHOLE, ONCE, .every_bit = true, PLAIN(8, 0x00)},
    {.name = "z32", .scope = FAULT_WHOLE, ONCE, PLAIN(32, 0x00)},
    /* No store: MCUboot's rule of one boot. */
    {.name = "w8-nostore",
     .scope = FAULT_SHORT,
     SIZES(700, 1100),
     .every_bit = true,
     PLAIN(8, 0xff)},
    {.name = "z8-nostore",
     .scope = FAULT_WHOLE,
     SIZES(700, 1100),
     .every_bit = true,
     PLAIN(8, 0x00)},
    /* Three trials. */
    {.name = "w4-trials", .scope = FAULT_WHOLE, SIZES(700, 600), .trials = 3, PLAIN(4, 0xff)},
    /* Images: both of one size, the new one smaller, the same, alike, as large as can be. */
    {.name = "w8-even", .scope = FAULT_WHOLE, SIZES(768, 768), .trials = 1, PLAIN(8, 0xff)},
    {.name = "w8-smaller", .scope = FAULT_WHOLE, SIZES(1200, 300), .trials = 1, PLAIN(8, 0xff)},
    {.name = "w8-same",
     .scope = FAULT_WHOLE,
     SIZES(700, 700),
     .trials = 1,
     .likeness = FAULT_SAME,
     .suits = MOVING,
     PLAIN(8, 0xff)},
    {.name = "w8-alike",
     .scope = FAULT_WHOLE,
     SIZES(1000, 1000),
     .trials = 1,
     .likeness = FAULT_ONE_SECTOR,
     PLAIN(8, 0xff)},
    {.name = "w8-full",
     .scope = FAULT_SHORT,
     SIZES(0, 0),
     .trials = 1,
     .sectors = 7,
     PLAIN(8, 0xff)},
    {.name = "z1-full",
     .scope = FAULT_WHOLE,
     SIZES(0, 0),
     .trials = 1,
     .sectors = 12,
     PLAIN(1, 0x00)},
    {.name = "w32-full",
     .scope = FAULT_WHOLE,
     .depth = 1,
     .sector = 512,
     .trials = 1,
     .sectors = 8,
     PLAIN(32, 0xff)},
    /* The secondary is another part: other erased value, larger sectors. */
    {.name = "w8-inverse",
     .scope = FAULT_WHOLE,
     SIZES(700, 1100),
     .trials = 1,
     PARTS(8, 0xff, 0x00)},
    {.name = "z4-inverse",
     .scope = FAULT_WHOLE,
     SIZES(700, 1100),
     .trials = 1,
     PARTS(4, 0x00, 0xff)},
    {.name = "w8-unequal",
     .scope = FAULT_WHOLE,
     SIZES(700, 1100),
     .trials = 1,
     .suits = UNEQUAL,
     .secondary_factor = 2,
     .scratch_sectors = 2,
     PARTS(8, 0xff, 0xff)},
    {.name = "w4-scratch3",
     .scope = FAULT_WHOLE,
     SIZES(700, 1100),
     .trials = 1,
     .suits = SCRATCH,
     .scratch_sectors = 3,
     PARTS(4, 0xff, 0xff)},
    /* Signed images. */
    {.name = "w8-signed",
     .scope = FAULT_WHOLE,
     SIZES(700, 700),
     .trials = 1,
     .sample = 40,
     .sample_first = true,
     .key = TEST_KEY_ED25519,
     .write_size = 8,
     .erased = 0xff,
     .other_erased = 0xff,
     .buf_size = 256},
    /* A policy: what was confirmed is in the store. */
    {.name = "w8-policy",
     .scope = FAULT_WHOLE,
     ONCE,
     .policy = true,
     PLAIN(8, 0xff),
     .flows = " attack hang permanent raise single planted recovery-attack "},
    {.name = "z4-policy",
     .scope = FAULT_WHOLE,
     ONCE,
     .policy = true,
     PLAIN(4, 0x00),
     .flows = " attack hang recovery-attack "},
    {.name = "pair-policy",
     .scope = FAULT_SHORT,
     .depth = 2,
     .sector = 128,
     .old_size = 300,
     .new_size = 360,
     .trials = 1,
     .policy = true,
     .sample = 40,
     .sample_first = true,
     PLAIN(4, 0xff),
     .flows = " attack hang "},
    /* Encrypted images; the first of them after a plain one; as large as can be; with the longer
     * ENC TLVs; the secondary an external part. */
    {.name = "w8-kw",
     .scope = FAULT_SHORT,
     SIZES(700, 1100),
     .trials = 1,
     .sample = 2,
     .sample_first = true,
     .suits = DECRYPTING,
     .wrap = TEST_WRAP_KW,
     PLAIN(8, 0xff)},
    {.name = "z1-kw",
     .scope = FAULT_WHOLE,
     SIZES(1200, 700),
     .trials = 1,
     .sample = 4,
     .sample_first = true,
     .suits = DECRYPTING,
     .wrap = TEST_WRAP_KW,
     PLAIN(1, 0x00)},
    {.name = "w32-kw",
     .scope = FAULT_WHOLE,
     SIZES(700, 1100),
     .trials = 1,
     .sample = 16,
     .sample_first = true,
     .suits = DECRYPTING,
     .wrap = TEST_WRAP_KW,
     PLAIN(32, 0xff)},
    {.name = "w8-mixed",
     .scope = FAULT_SHORT,
     SIZES(1200, 600),
     .trials = 1,
     .sample = 4,
     .sample_first = true,
     .suits = DECRYPTING,
     .wrap = TEST_WRAP_KW,
     .old_plain = true,
     PLAIN(8, 0xff)},
    {.name = "w8-kw-full",
     .scope = FAULT_SHORT,
     SIZES(0, 0),
     .trials = 1,
     .sectors = 8,
     .sample = 5,
     .sample_first = true,
     .suits = DECRYPTING,
     .wrap = TEST_WRAP_KW,
     PLAIN(8, 0xff)},
    {.name = "w4-kw-nostore",
     .scope = FAULT_WHOLE,
     SIZES(700, 1100),
     .sample = 4,
     .sample_first = true,
     .suits = DECRYPTING,
     .wrap = TEST_WRAP_KW,
     PLAIN(4, 0xff)},
    {.name = "w8-ec256",
     .scope = FAULT_WHOLE,
     SIZES(1100, 1000),
     .trials = 1,
     .sample = 40,
     .sample_first = true,
     .suits = DECRYPTING,
     .wrap = TEST_WRAP_EC256,
     PLAIN(8, 0xff)},
    {.name = "w8-kw-inverse",
     .scope = FAULT_WHOLE,
     SIZES(700, 1100),
     .trials = 1,
     .sample = 4,
     .sample_first = true,
     .suits = DECRYPTING,
     .wrap = TEST_WRAP_KW,
     PARTS(8, 0xff, 0x00)},
    {.name = "pairs-kw",
     .scope = FAULT_WHOLE,
     .depth = 2,
     .sector = 128,
     .old_size = 340,
     .new_size = 420,
     .trials = 1,
     .suits = DECRYPTING,
     .wrap = TEST_WRAP_KW,
     PLAIN(4, 0xff),
     .sample = 97,
     .flows = " test permanent revert damaged life "},
    {.name = "pairs-kw-full",
     .scope = FAULT_WHOLE,
     .depth = 2,
     .sector = 256,
     .sectors = 7,
     .trials = 1,
     .suits = DECRYPTING,
     .wrap = TEST_WRAP_KW,
     PLAIN(8, 0xff),
     .sample = 151,
     .flows = " test revert "},
    /* The layout of the measurements: 64 sectors of 4 KiB, images of 204 759 bytes. */
    {.name = "large", .scope = FAULT_WHOLE, .depth = 1, LARGE, .flows = " test revert "},
    /* Two faults: every pair. */
    {.name = "pair64w1",
     .scope = FAULT_WHOLE,
     .depth = 2,
     .sector = 64,
     .old_size = 180,
     .new_size = 150,
     .trials = 1,
     PLAIN(1, 0xff),
     .flows = " pending raise upload erase "},
    {.name = "pair64w8",
     .scope = FAULT_WHOLE,
     .depth = 2,
     .sector = 64,
     .old_size = 150,
     .new_size = 190,
     .trials = 1,
     PLAIN(8, 0xff),
     .flows = " test permanent revert hang confirm cancel "},
    {.name = "pair256w4",
     .scope = FAULT_WHOLE,
     .depth = 2,
     .sector = 256,
     .old_size = 700,
     .new_size = 600,
     .trials = 1,
     PLAIN(4, 0xff),
     .flows = " test revert refused empty damaged single single-damaged "},
    {.name = "pair128z4",
     .scope = FAULT_WHOLE,
     .depth = 2,
     .sector = 128,
     .old_size = 300,
     .new_size = 360,
     .trials = 1,
     PLAIN(4, 0x00),
     .flows = " confirm life "},
    /* Pairs by chance, the same ones each time. */
    {.name = "pairs",
     .scope = FAULT_SHORT,
     .depth = 2,
     .sector = 128,
     .old_size = 360,
     .new_size = 300,
     .trials = 1,
     PLAIN(4, 0xff),
     .sample = 13,
     .sample_first = true},
    /* Two images that change as one. */
    {.name = "set",
     .scope = FAULT_SHORT,
     .depth = 1,
     .sector = 128,
     .old_size = 200,
     .new_size = 300,
     .trials = 1,
     .set = true,
     PLAIN(8, 0xff)},
    {.name = "setz4",
     .scope = FAULT_WHOLE,
     .depth = 1,
     .sector = 256,
     .old_size = 500,
     .new_size = 200,
     .trials = 2,
     .set = true,
     PLAIN(4, 0x00)},
    /* Image 1 has a strategy of its own. */
    {.name = "set-move",
     .scope = FAULT_WHOLE,
     .depth = 1,
     .sector = 128,
     .old_size = 200,
     .new_size = 300,
     .trials = 1,
     .set = true,
     .sectors = 12,
     .other = &ferry_boot_swap_move,
     PLAIN(8, 0xff)},
    /* What was confirmed of a set is in the store. */
    {.name = "set-policy",
     .scope = FAULT_WHOLE,
     .depth = 1,
     .sector = 256,
     .old_size = 200,
     .new_size = 300,
     .trials = 1,
     .policy = true,
     .set = true,
     PLAIN(8, 0xff),
     .flows = " set-confirm set-permanent set-pending set-bad set-revert set-hang "},
    {.name = "set-kw",
     .scope = FAULT_WHOLE,
     .depth = 1,
     .sector = 256,
     .old_size = 400,
     .new_size = 500,
     .trials = 1,
     .set = true,
     .sample = 4,
     .sample_first = true,
     .wrap = TEST_WRAP_KW,
     PLAIN(8, 0xff)},
    {.name = "setpairs",
     .scope = FAULT_WHOLE,
     .depth = 2,
     .sector = 64,
     .old_size = 150,
     .new_size = 190,
     .trials = 1,
     .set = true,
     .sample = 200,
     PLAIN(8, 0xff)},
    /* Two trusted keys, one of which is revoked. */
    {.name = "keys", .scope = FAULT_SHORT, ONCE, .keys = true, SIGNED(8, 0xff)},
    {.name = "keysw1", .scope = FAULT_WHOLE, ONCE, .keys = true, SIGNED(1, 0xff)},
    {.name = "keysz32", .scope = FAULT_WHOLE, ONCE, .keys = true, SIGNED(32, 0x00)},
    {.name = "keypairs",
     .scope = FAULT_WHOLE,
     .depth = 2,
     .sector = 256,
     .old_size = 300,
     .new_size = 400,
     .trials = 1,
     .keys = true,
     .sample = 50,
     SIGNED(4, 0xff)},
    {.name = "pairlarge",
     .scope = FAULT_WHOLE,
     .depth = 2,
     LARGE,
     .sample = 300,
     .sample_first = true,
     .flows = " test revert "},
};

/* ---- Fitting --------------------------------------------------------------------------------- */

static uint32_t factor_of(const struct spec *spec)
{
    return ferry_max32(spec->secondary_factor, 1);
}

static bool takes_one_more(const struct ferry_strategy_traits *traits)
{
    return traits->upload_sector != 0 || traits->old_sector != 0;
}

/* Slots of so many sectors; the secondary as large, but for what the strategy needs more. */
static void shape(struct fault_layout *layout, const struct spec *spec,
                  const struct ferry_strategy_traits *traits, uint32_t sectors)
{
    bool one_more = takes_one_more(traits);
    struct fault_shape primary = {sectors, spec->sector, spec->write_size, spec->erased};
    struct fault_shape *shapes = layout->shapes;

    memset(shapes, 0, sizeof(layout->shapes));
    shapes[FAULT_PRIMARY] = primary;
    if (traits->slot_count > 1) {
        shapes[FAULT_SECONDARY] = primary;
        shapes[FAULT_SECONDARY].erased_value = spec->other_erased;
        shapes[FAULT_SECONDARY].sector_size *= factor_of(spec);
        shapes[FAULT_SECONDARY].sectors /= factor_of(spec);
        shapes[FAULT_SECONDARY].sectors += one_more ? 1 : 0;
    }
    if (traits->scratch) {
        shapes[FAULT_SCRATCH] = primary;
        shapes[FAULT_SCRATCH].sectors = ferry_max32(spec->scratch_sectors, 1);
    }
    if (spec->trials > 0) {
        shapes[FAULT_STORE] = primary;
        shapes[FAULT_STORE].sectors = 2;
        shapes[FAULT_STORE].sector_size =
            ferry_max32(spec->sector, spec->set || spec->keys ? 512 : 256);
    }
    if (spec->set) {
        shapes[FAULT_PRIMARY_2] = shapes[FAULT_PRIMARY];
        shapes[FAULT_SECONDARY_2] = shapes[FAULT_SECONDARY];
    }
    if (spec->other != NULL) {
        shapes[FAULT_SECONDARY_2].sectors =
            sectors + (takes_one_more(spec->other->traits) ? 1U : 0U);
    }
    layout->max_sectors = (spec->max_sectors != 0 ? spec->max_sectors : sectors);
    layout->max_sectors += one_more ? 1 : 0;
    if (traits->sector_states > 0) {
        /* The journal's 6 records of 8 bytes. */
        uint32_t state = (uint32_t)traits->sector_states * spec->write_size;

        layout->max_sectors = ferry_max32(layout->max_sectors, (48 + state - 1) / state);
    }
    layout->max_align = ferry_max32(spec->write_size, 8);
}

/* The largest image that a layout takes; 0 when it does not suit the strategy. */
static uint32_t room(const struct fault_layout *layout, const struct ferry_boot_strategy *strategy)
{
    static struct fault_chip chip;
    struct ferry_slots slots = {.strategy = strategy->traits,
                                .max_align = layout->max_align,
                                .max_sectors = layout->max_sectors,
                                .enc_tlv = (uint16_t)fault_enc_tlv(layout)};

    fault_chip_init(&chip, layout->shapes);
    slots.primary = &chip.areas[FAULT_PRIMARY].flash;
    if (fault_chip_has(&chip, FAULT_SECONDARY)) {
        slots.secondary = &chip.areas[FAULT_SECONDARY].flash;
    }
    if (fault_chip_has(&chip, FAULT_SCRATCH)) {
        slots.scratch = &chip.areas[FAULT_SCRATCH].flash;
    }

    uint32_t max = ferry_slots_check(&slots) == FERRY_OK ? ferry_slots_max_image(&slots) : 0;

    fault_chip_free(&chip);
    return max;
}

/* The smallest slots that take the images. Returns false when the strategy takes no such device. */
static bool fit(struct fault_layout *layout, const struct spec *spec,
                const struct ferry_boot_strategy *strategy)
{
    uint32_t need = ferry_max32(ferry_max32(spec->old_size, spec->new_size), 120);

    if (spec->sectors != 0) {
        shape(layout, spec, strategy->traits, spec->sectors);
        return room(layout, strategy) >= need;
    }
    for (uint32_t sectors = 4; sectors <= 72; sectors += factor_of(spec)) {
        shape(layout, spec, strategy->traits, sectors);
        if (room(layout, strategy) >= need) {
            return true;
        }
    }
    return false;
}

static bool suits(const struct spec *spec, const struct ferry_strategy_traits *traits)
{
    if (spec->suits == SCRATCH) {
        return traits->scratch;
    }
    if (spec->suits == MOVING) {
        return !traits->in_place;
    }
    if (spec->suits == DECRYPTING) {
        return traits->slot_count > 1 && (!traits->in_place || traits->mode == FERRY_MODE_RAM_LOAD);
    }
    /* The others exchange sector by sector. */
    if (spec->set && (traits->in_place || traits->slot_count == 1)) {
        return false;
    }
    if (spec->other != NULL && !traits->reverts) {
        return false;
    }
    return spec->suits != UNEQUAL || traits->scratch || traits->in_place ||
           traits->sector_states == 0;
}

/* ---- The list -------------------------------------------------------------------------------- */

struct list {
    struct fault_job *jobs;
    size_t count;
    size_t cap;
};

static struct fault_job *add(struct list *list)
{
    if (list->count == list->cap) {
        list->cap = list->cap * 2 + 64;
        list->jobs = realloc(list->jobs, list->cap * sizeof(*list->jobs));
        if (list->jobs == NULL) {
            abort();
        }
    }
    return memset(&list->jobs[list->count++], 0, sizeof(*list->jobs));
}

static bool wants_flow(const struct spec *spec, const struct fault_flow *flow)
{
    char name[32];

    snprintf(name, sizeof(name), " %s ", flow->name);
    if (((flow->needs & FAULT_NEEDS_SET) != 0) != spec->set ||
        ((flow->needs & FAULT_NEEDS_KEYS) != 0) != spec->keys) {
        return false;
    }
    if (spec->flows == NULL) {
        return (flow->needs & FAULT_NEEDS_POLICY) == 0;
    }
    return strstr(spec->flows, name) != NULL;
}

/* A device of a spec that takes the strategy. Aborts when there is none. */
static struct fault_layout make_layout(const struct spec *spec,
                                       const struct ferry_boot_strategy *strategy)
{
    struct fault_layout layout = {.name = spec->name,
                                  .old_size = spec->old_size,
                                  .new_size = spec->new_size,
                                  .likeness = (enum fault_likeness)spec->likeness,
                                  .key = (enum test_key_id)spec->key,
                                  .wrap = (enum test_wrap)spec->wrap,
                                  .old_plain = spec->old_plain,
                                  .buf_size = spec->buf_size,
                                  .trials = spec->trials,
                                  .policy = spec->policy,

                                  .set = spec->set,
                                  .keys = spec->keys,
                                  .other = spec->other};

    if (!fit(&layout, spec, strategy)) {
        fprintf(stderr, "faults: no device %s for %s\n", spec->name, strategy->traits->name);
        abort();
    }
    return layout;
}

static void fill(struct fault_job *job, const struct spec *spec,
                 const struct ferry_boot_strategy *strategy, const struct fault_flow *flow,
                 bool write_once)
{
    job->strategy = strategy;
    job->state = NULL;
    job->set = NULL;
    job->flow = flow;
    job->write_once = write_once;
    job->depth = spec->depth;
    job->sample = spec->sample;
    job->sample_first = spec->sample_first;
    job->every_bit = spec->every_bit;
    snprintf(job->name, sizeof(job->name), "%s/%s%s/%s", strategy->traits->name, spec->name,
             write_once ? "-once" : "", flow->name);
}

/* Recovery writes as an application's server does, in more flows: in the short form on the first
 * device only. */
static bool is_in_scope(enum fault_scope scope, const struct spec *spec,
                        const struct fault_flow *flow)
{
    return scope != FAULT_SHORT || spec == specs || (flow->needs & FAULT_IN_RECOVERY) == 0;
}

static void add_jobs(struct list *list, enum fault_scope scope, const struct spec *spec,
                     const struct ferry_boot_strategy *strategy)
{
    const struct fault_layout layout = make_layout(spec, strategy);

    for (size_t i = 0; i < 2 * fault_flow_count; i++) {
        const struct fault_flow *flow = &fault_flows[i / 2];

        if (is_in_scope(scope, spec, flow) && wants_flow(spec, flow) &&
            fault_flow_suits(flow, strategy->traits)) {
            struct fault_job *job = add(list);

            fill(job, spec, strategy, flow, i % 2 != 0);
            job->layout = layout;
        }
    }
}

void fault_job_make(struct fault_job *job, const char *device,
                    const struct ferry_boot_strategy *strategy, const char *flow)
{
    memset(job, 0, sizeof(*job));
    for (size_t i = 0; i < sizeof(specs) / sizeof(specs[0]); i++) {
        if (strcmp(specs[i].name, device) == 0) {
            fill(job, &specs[i], strategy, fault_flow_find(flow), false);
            job->layout = make_layout(&specs[i], strategy);
            return;
        }
    }
    fprintf(stderr, "faults: no device has the name %s\n", device);
    abort();
}

struct fault_job *fault_jobs(enum fault_scope scope, size_t *count)
{
    struct list list = {NULL, 0, 0};

    for (size_t i = 0; i < sizeof(specs) / sizeof(specs[0]); i++) {
        for (size_t s = 0; s < fault_strategy_count; s++) {
            if (specs[i].scope <= (uint32_t)scope &&
                suits(&specs[i], fault_strategies[s]->traits)) {
                add_jobs(&list, scope, &specs[i], fault_strategies[s]);
            }
        }
    }
    *count = list.count;
    return list.jobs;
}
