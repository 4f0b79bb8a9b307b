/* SPDX-License-Identifier: Apache-2.0 */
#include "sign_layout.h"

#include "layout_check.h"
#include "layout_file.h"

#include <stdlib.h>

static int contradicts(const struct cli *cli, const struct sign_arguments *a, const char *option,
                       uint32_t value, uint32_t wanted)
{
    return cli_fail(cli, CLI_USAGE, "leave the option out, or correct one of them",
                    "%s %u contradicts the layout: image %u of %s has %u", option, (unsigned)value,
                    (unsigned)a->layout_image, a->layout_path, (unsigned)wanted);
}

/* Take a value of the layout, or make sure that what was given is that. */
static int settle(const struct cli *cli, const struct sign_arguments *a, const char *option,
                  bool given, uint32_t wanted, uint32_t *value)
{
    if (given && *value != wanted) {
        return contradicts(cli, a, option, *value, wanted);
    }
    *value = wanted;
    return CLI_OK;
}

/* ---- Slots ------------------------------------------------------------------------------- */

/* The size of a slot that is given, or of both. A slot that is filled must be known. */
static int settle_size(const struct cli *cli, struct sign_arguments *a,
                       const struct ferry_slots *slots)
{
    struct image_build *b = &a->build;
    uint32_t primary = slots->primary->size;
    uint32_t secondary = slots->secondary != NULL ? slots->secondary->size : primary;

    if (a->have_slot_size) {
        return b->slot_size == primary || b->slot_size == secondary
                   ? CLI_OK
                   : contradicts(cli, a, "--slot-size", b->slot_size,
                                 ferry_max32(primary, secondary));
    }
    if (b->pad && primary != secondary) {
        return cli_fail(cli, CLI_USAGE, "say which slot is filled: -S SIZE",
                        "the slots of image %u have %u and %u bytes", (unsigned)a->layout_image,
                        (unsigned)primary, (unsigned)secondary);
    }
    b->slot_size = ferry_min32(primary, secondary);
    return CLI_OK;
}

static int settle_erased(const struct cli *cli, struct sign_arguments *a,
                         const struct ferry_slots *slots)
{
    struct image_build *b = &a->build;
    uint8_t primary = slots->primary->erased_value;
    uint8_t secondary = slots->secondary != NULL ? slots->secondary->erased_value : primary;

    if (a->have_erased) {
        return b->erased_value == primary || b->erased_value == secondary
                   ? CLI_OK
                   : contradicts(cli, a, "--erased-val", b->erased_value, primary);
    }
    if (b->pad && primary != secondary) {
        return cli_fail(cli, CLI_USAGE, "say what the slot that is filled erases to: -R 0xff or 0",
                        "the slots of image %u erase to different values",
                        (unsigned)a->layout_image);
    }
    b->erased_value = primary;
    return CLI_OK;
}

static uint32_t write_size(const struct ferry_slots *slots)
{
    uint32_t size = slots->primary->write_size;
    return slots->secondary == NULL ? size : ferry_max32(size, slots->secondary->write_size);
}

/* The trailer is where the device looks for it. */
static int settle_trailer(const struct cli *cli, struct sign_arguments *a,
                          const struct ferry_slots *slots)
{
    struct image_build *b = &a->build;
    int code = settle(cli, a, "--align", a->have_align, write_size(slots), &b->align);
    if (code == CLI_OK) {
        code = settle(cli, a, "--max-align", b->max_align != 0, slots->max_align, &b->max_align);
    }
    if (code == CLI_OK) {
        code = settle(cli, a, "--max-sectors", a->have_max_sectors, slots->max_sectors,
                      &b->max_sectors);
    }
    if (code == CLI_OK && b->overwrite_only && slots->strategy->sector_states != 0) {
        code = cli_fail(cli, CLI_USAGE, "leave the option out, or correct the layout",
                        "--overwrite-only contradicts the layout: image %u is %s",
                        (unsigned)a->layout_image, slots->strategy->name);
    }
    b->overwrite_only = slots->strategy->sector_states == 0;
    return code;
}

/* ---- The image --------------------------------------------------------------------------- */

static int settle_image(const struct cli *cli, struct sign_arguments *a,
                        const struct ferry_slots *slots)
{
    struct image_build *b = &a->build;
    if (b->claims.big_endian) {
        return cli_fail(cli, CLI_USAGE, "leave --endian out",
                        "the devices of layouts read little-endian images");
    }
    if (slots->strategy->mode == FERRY_MODE_RAM_LOAD && b->address_flag == 0) {
        b->address_flag = FERRY_IMAGE_RAM_LOAD;
        b->address = a->layout->ram_address;
    }
    b->encryption.save_enctlv = a->encrypt_path != NULL && slots->enc_tlv != 0;
    return CLI_OK;
}

int sign_layout_apply(const struct cli *cli, struct sign_arguments *a)
{
    struct layout_slots slots;

    if (a->layout_path == NULL) {
        return a->layout_image == 0
                   ? CLI_OK
                   : cli_fail(cli, CLI_USAGE, "give the layout: --layout FILE",
                              "--image names an image of a layout, and there is none");
    }
    a->layout = calloc(1, sizeof *a->layout);
    if (a->layout == NULL) {
        return cli_fail(cli, CLI_FAILED, "free some memory", "cannot read %s: no memory",
                        a->layout_path);
    }
    int code = layout_file_read(cli, a->layout_path, a->layout);
    if (code != CLI_OK) {
        return code;
    }
    if (a->layout_image >= a->layout->image_count) {
        return cli_fail(cli, CLI_USAGE, "name one of the layout's images", "--image %u: %s has %u",
                        (unsigned)a->layout_image, a->layout_path,
                        (unsigned)a->layout->image_count);
    }
    if (layout_slots_open(a->layout, a->layout_image, NULL, &slots) != FERRY_OK ||
        room_of(a->layout, a->layout_image, &a->room) != FERRY_OK) {
        return cli_fail(cli, CLI_USAGE, "run `ferry layout` on it", "%s cannot be", a->layout_path);
    }
    a->build.room = &a->room;
    code = settle_size(cli, a, &slots.slots);
    code = code == CLI_OK ? settle_erased(cli, a, &slots.slots) : code;
    code = code == CLI_OK ? settle_trailer(cli, a, &slots.slots) : code;
    return code == CLI_OK ? settle_image(cli, a, &slots.slots) : code;
}

int sign_layout_check(const struct cli *cli, const struct sign_arguments *a,
                      const struct image_made *made, const char *out_path)
{
    const struct image_build *b = &a->build;
    if (a->layout == NULL || b->vector != IMAGE_WHOLE) {
        return CLI_OK;
    }
    const struct layout_claim claim = {
        .path = out_path,
        .size = (uint32_t)made->size,
        .flags = b->address_flag | encryption_flag(&b->encryption) | made->compression,
        .load_address = b->address,
        .enc_tlv = b->encryption.key != NULL ? (uint32_t)encryption_tlv_len(&b->encryption) : 0};
    return layout_check(cli, a->layout, a->layout_image, &claim);
}
