/* SPDX-License-Identifier: Apache-2.0 */
/* The trailer of one slot, and what it asks of the next boot by itself. */
#include "inspect.h"

const char *inspect_field_name(enum ferry_trailer_field field)
{
    return field == FERRY_SET ? "set" : field == FERRY_UNSET ? "unset" : "damaged";
}

/* What a slot asks of the next boot, by the table everyone uses, the other slot asking for
 * nothing. */
static const char *next_boot(const struct ferry_trailer *primary,
                             const struct ferry_trailer *secondary, bool offset_rows)
{
    switch (ferry_swap_type_of(primary, secondary, offset_rows)) {
    case FERRY_SWAP_TEST:
        return "the next boot installs it for a test";
    case FERRY_SWAP_PERM:
        return "the next boot installs it for good";
    case FERRY_SWAP_REVERT:
        return "the next boot takes the old image back";
    case FERRY_SWAP_NONE:
        break;
    }
    return "the next boot changes nothing";
}

/* Images that run where they are have their own trailer: it speaks for them alone. */
static const char *standing(const struct ferry_trailer *t)
{
    if (t->magic != FERRY_SET) {
        return "nobody asked for it";
    }
    if (t->image_ok == FERRY_SET) {
        return "confirmed, or asked for for good";
    }
    return t->copy_done == FERRY_SET ? "started, not confirmed: the next boot takes the old one"
                                     : "asked for as a test, not started yet";
}

static void add_meaning(cJSON *trailer, const struct ferry_trailer *t,
                        const struct ferry_strategy_traits *strategy, bool kept)
{
    static const struct ferry_trailer unset = {FERRY_UNSET, FERRY_UNSET, FERRY_UNSET,
                                               FERRY_SWAP_NONE, 0};
    bool offset_rows = strategy != NULL && strategy->tlv_sizes;
    bool reverts = strategy == NULL || strategy->reverts;

    if (strategy != NULL && strategy->in_place) {
        cJSON_AddStringToObject(trailer, "next_boot",
                                reverts ? standing(t) : "the trailer does not count");
        return;
    }
    cJSON_AddStringToObject(trailer, "as_secondary",
                            kept && t->magic == FERRY_SET
                                ? "a revert was begun: the next boot takes it back"
                                : next_boot(&unset, t, offset_rows));
    cJSON_AddStringToObject(trailer, "as_primary",
                            reverts ? next_boot(t, &unset, offset_rows)
                                    : "the next boot changes nothing");
}

/* Find the alignment by the magic. Returns false when there is none. */
static bool find_trailer(const struct image_file *file, uint32_t *align, struct ferry_trailer *t)
{
    for (*align = 8; *align <= 32; *align *= 2) {
        if (file->bytes.len >= 512 && ferry_trailer_read(&file->rom.flash, *align, t) == FERRY_OK &&
            t->magic == FERRY_SET) {
            return true;
        }
    }
    return false;
}

void inspect_trailer(cJSON *object, const struct image_file *file,
                     const struct ferry_strategy_traits *strategy)
{
    struct ferry_trailer t;
    uint32_t align;
    bool kept = strategy != NULL && strategy->upload_sector != strategy->old_sector &&
                (file->offset > 0) == (strategy->old_sector > 0);

    if (!find_trailer(file, &align, &t)) {
        return;
    }
    cJSON *trailer = cJSON_AddObjectToObject(object, "trailer");
    cJSON_AddNumberToObject(trailer, "max_align", align);
    cJSON_AddStringToObject(trailer, "magic", "good");
    cJSON_AddStringToObject(trailer, "image_ok", inspect_field_name(t.image_ok));
    cJSON_AddStringToObject(trailer, "copy_done", inspect_field_name(t.copy_done));
    cJSON_AddStringToObject(trailer, "swap_info", ferry_swap_type_name(t.swap_type));
    add_meaning(trailer, &t, strategy, kept);
}
