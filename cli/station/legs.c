/* SPDX-License-Identifier: Apache-2.0 */
/* One image is one flow. Several are several, one after the other, as `ferry update` has them: all
 * are asked for before the one reset, and run before the first is confirmed. */
#include "station.h"

#include <string.h>

static int read_image(void *context, uint32_t off, uint8_t *buf, size_t len)
{
    const struct image_file *file = context;

    memcpy(buf, file->bytes.data + off, len);
    return FERRY_OK;
}

struct update_item *unit_item(const struct unit *unit)
{
    return &unit->station->file.items[unit->item];
}

uint32_t unit_size(const struct unit *unit)
{
    return (uint32_t)unit_item(unit)->file.bytes.len;
}

/* A flow with an image; its switches are set by the caller. */
static void describe(const struct unit *unit, struct ferry_update_config *config)
{
    struct update_item *item = unit_item(unit);

    config->read = read_image;
    config->context = &item->file;
    config->size = unit_size(unit);
    config->sha = item->sha;
    config->hash = item->file.info.digest;
    config->hash_len = item->file.info.digest_len;
    config->version = &item->file.info.header.version;
    config->image = item->image;
    /* What is left unconfirmed is said once, not by each device. */
    config->is_part = unit->station->file.count > 1 || config->no_confirm;
}

/* The first image that waits for a reset; count when none does. */
static uint32_t find_waiting(const struct unit *unit, uint32_t count)
{
    uint32_t i = 0;

    while (i < count && !(unit->proved[i] && !unit->proofs[i].active)) {
        i++;
    }
    return i;
}

/* Of several images: leg by leg.
 *
 *   0 .. n - 1        ask for each, the highest number first: an nRF5340 whose application is asked
 *                     for before its network core skips that [bundle-format.md §4]
 *   n                 one that waits: reset, and see it run
 *   n + 1 .. 2n       see the others run
 *   2n + 1 .. 3n      confirm, the lowest number first: where they are a set, it confirms all
 *
 * Returns false for a leg that is not needed. */
static bool plan_leg(struct unit *unit, uint32_t count, struct ferry_update_config *config)
{
    uint32_t leg = unit->leg;
    bool leaves = config->no_confirm;

    config->no_confirm = leg <= 2 * count;
    config->only_prove = leg > count;
    config->test_only = leg < count;
    if (leg < count) {
        unit->item = count - 1 - leg;
        return true;
    }
    if (leg == count) {
        unit->waiting = find_waiting(unit, count);
        unit->item = unit->waiting < count ? unit->waiting : 0;
        return unit->waiting < count;
    }
    unit->item = (leg - 1) % count;
    return leg <= 2 * count ? unit->item != unit->waiting : !leaves;
}

bool unit_next_flow(struct unit *unit, struct ferry_update_config *config)
{
    uint32_t count = (uint32_t)unit->station->file.count;
    uint32_t legs = count == 1 ? 1 : 3 * count + 1;

    for (; unit->leg < legs; unit->leg++) {
        *config = unit->station->config;
        unit->item = 0;
        if (count == 1 || plan_leg(unit, count, config)) {
            describe(unit, config);
            unit->leg++;
            return true;
        }
    }
    return false;
}
