/* SPDX-License-Identifier: Apache-2.0 */
/* Whether an image fits its slot, and the slot filled with it. [mcuboot-format.md §2.6, §3] */
#include "image_steps.h"

#include "ferry/trailer.h"

#include <stdlib.h>
#include <string.h>

/* The places for both images' ENC TLVs, as in the slots of a device; an overwrite keeps none. */
static uint32_t kept_tlv(const struct image_build *build)
{
    const struct encryption *encryption = &build->encryption;
    return encryption->key != NULL && encryption->save_enctlv && !build->overwrite_only
               ? (uint32_t)encryption_tlv_len(encryption)
               : 0;
}

static struct ferry_trailer_format trailer_format(const struct image_build *build)
{
    return (struct ferry_trailer_format){
        .max_align = build->max_align,
        .write_size = build->align,
        .max_sectors = build->max_sectors,
        .sector_states = build->overwrite_only ? 0 : 3,
        .enc_tlv = kept_tlv(build),
    };
}

/* Where a bootloader that keeps no ENC TLVs keeps the content keys themselves, each in whole units
 * of the alignment. */
static uint32_t key_room(const struct image_build *build)
{
    const struct encryption *encryption = &build->encryption;
    if (encryption->key == NULL || encryption->save_enctlv || build->overwrite_only) {
        return 0;
    }
    return 2 * ferry_align_up(encryption->key_len, build->max_align);
}

uint32_t image_build_limit(const struct image_build *build)
{
    if (build->room != NULL) {
        return build->room->limit;
    }
    uint32_t room = key_room(build);
    struct ferry_trailer_format format = trailer_format(build);
    struct ferry_trailer_layout layout;
    if (ferry_trailer_layout(&format, &layout) != FERRY_OK ||
        layout.size + room >= build->slot_size) {
        return 0;
    }
    return build->slot_size - layout.size - room;
}

static int check_size(const struct cli *cli, const struct image_build *build, size_t size)
{
    uint32_t limit = image_build_limit(build);
    char text[ROOM_TEXT_MAX];
    if (size <= limit || build->slot_size == 0) {
        return CLI_OK;
    }
    if (build->room != NULL) {
        room_text(build->room, text);
        return cli_fail_why(cli, CLI_VERIFY, text, "shrink the firmware, or enlarge the slots",
                            "the image is too large: %zu bytes; %s takes %u in this layout", size,
                            build->room->strategy->name, (unsigned)limit);
    }
    return cli_fail(cli, CLI_VERIFY,
                    "shrink the firmware, or enlarge the slot (and --slot-size with it)",
                    "the image is too large: %zu bytes; a slot of %u takes %u beside its trailer",
                    size, (unsigned)build->slot_size, (unsigned)limit);
}

/* Fill the slot with the erased value and write what a bootloader reads as a request: magic, and
 * image_ok where the image is to stay. */
static bool pad_to_slot(const struct image_build *build, struct cli_buffer *out)
{
    struct ferry_trailer_format format = trailer_format(build);
    struct ferry_trailer_layout layout;
    uint8_t *slot = realloc(out->data, build->slot_size);
    if (slot == NULL || ferry_trailer_layout(&format, &layout) != FERRY_OK) {
        out->data = slot != NULL ? slot : out->data;
        return false;
    }
    out->data = slot;
    memset(slot + out->len, build->erased_value, build->slot_size - out->len);
    out->len = build->slot_size;
    uint8_t *magic = slot + build->slot_size - FERRY_TRAILER_MAGIC_SIZE;
    ferry_trailer_magic(build->max_align, magic);
    if (build->claims.big_endian && build->max_align > 8) {
        ferry_store_be16(magic, (uint16_t)build->max_align);
    }
    if (build->confirm && !build->overwrite_only) {
        slot[build->slot_size - layout.image_ok] = 1;
    }
    return true;
}

int image_fit(const struct cli *cli, const struct image_build *build, struct cli_buffer *image)
{
    int code = check_size(cli, build, image->len);
    if (code == CLI_OK && build->pad && !pad_to_slot(build, image)) {
        code = cli_fail(cli, CLI_FAILED, "check --slot-size and --align",
                        "cannot pad the image to its slot");
    }
    return code;
}
