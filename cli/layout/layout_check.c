/* SPDX-License-Identifier: Apache-2.0 */
#include "layout_check.h"

#include "room.h"

#include "cli/image/image_file.h"

#define ENCRYPTED (FERRY_IMAGE_ENCRYPTED_AES128 | FERRY_IMAGE_ENCRYPTED_AES256)

/* One check of one image. */
struct check {
    const struct cli *cli;
    const struct layout *layout;
    uint32_t number;
    const struct ferry_vchip_image *areas;
    struct room room;
};

static int check_size(const struct check *check, const struct layout_claim *claim)
{
    char text[ROOM_TEXT_MAX];
    if (claim->size <= check->room.limit) {
        return CLI_OK;
    }
    room_text(&check->room, text);
    return cli_fail_why(check->cli, CLI_VERIFY, text, "shrink the firmware, or enlarge the slots",
                        "%s has %u bytes, and image %u takes %u (%s)", claim->path,
                        (unsigned)claim->size, (unsigned)check->number, (unsigned)check->room.limit,
                        check->room.strategy->name);
}

/* An image linked to a slot runs there only: in either slot in place, else in the primary. */
static int check_slot_address(const struct check *check, const struct layout_claim *claim)
{
    const uint32_t slots[2] = {check->areas->primary, check->areas->secondary};
    bool either = check->room.strategy->in_place && slots[1] != FERRY_VCHIP_NO_AREA;

    if ((claim->flags & FERRY_IMAGE_ROM_FIXED) == 0 ||
        claim->load_address == layout_address(check->layout, slots[0]) ||
        (either && claim->load_address == layout_address(check->layout, slots[1]))) {
        return CLI_OK;
    }
    return cli_fail(check->cli, CLI_VERIFY, "sign it with --rom-fixed of the slot it is linked to",
                    "%s is linked to 0x%x, and image %u runs at 0x%x", claim->path,
                    (unsigned)claim->load_address, (unsigned)check->number,
                    (unsigned)layout_address(check->layout, slots[0]));
}

static int check_ram(const struct check *check, const struct layout_claim *claim)
{
    const struct layout *layout = check->layout;

    if (check->room.strategy->mode != FERRY_MODE_RAM_LOAD ||
        ((claim->flags & FERRY_IMAGE_RAM_LOAD) != 0 && claim->load_address >= layout->ram_address &&
         ferry_inside(claim->load_address - layout->ram_address, claim->size, layout->ram_size))) {
        return CLI_OK;
    }
    return cli_fail(check->cli, CLI_VERIFY, "sign it with --load-addr, inside the layout's \"ram\"",
                    "%s does not load into the RAM of %u bytes at 0x%x", claim->path,
                    (unsigned)layout->ram_size, (unsigned)layout->ram_address);
}

/* Strategies that run images where they are flashed have none that are encrypted. */
static bool decrypts(const struct check *check)
{
    const struct ferry_strategy_traits *traits = check->room.strategy;
    return check->layout->enc_tlv != 0 && !traits->own_primary &&
           (!traits->in_place || traits->mode == FERRY_MODE_RAM_LOAD);
}

/* The trailers of those that exchange images keep the wrapped key. */
static bool keeps_key(const struct check *check)
{
    const struct ferry_strategy_traits *traits = check->room.strategy;
    return traits->keeps_old && !traits->in_place;
}

static int check_encryption(const struct check *check, const struct layout_claim *claim)
{
    if ((claim->flags & ENCRYPTED) == 0) {
        return CLI_OK;
    }
    if (!decrypts(check)) {
        return cli_fail(check->cli, CLI_VERIFY,
                        "sign it without -E; or give the layout an \"enc_tlv\", an area "
                        "\"secrets\" and a strategy that copies images",
                        "%s is encrypted, and the device does not decrypt image %u", claim->path,
                        (unsigned)check->number);
    }
    if (keeps_key(check) && claim->enc_tlv > check->layout->enc_tlv) {
        return cli_fail(check->cli, CLI_VERIFY, "raise \"enc_tlv\", or take another kind of key",
                        "%s has an ENC TLV of %u bytes, and the trailers keep %u", claim->path,
                        (unsigned)claim->enc_tlv, (unsigned)check->layout->enc_tlv);
    }
    return CLI_OK;
}

static int check_compression(const struct check *check, const struct layout_claim *claim)
{
    if ((claim->flags & FERRY_IMAGE_COMPRESSED) == 0) {
        return CLI_OK;
    }
    return cli_fail(check->cli, CLI_VERIFY, "sign it without --compression",
                    "%s is compressed, and Ferry's bootloader unpacks nothing", claim->path);
}

int layout_check(const struct cli *cli, const struct layout *layout, uint32_t number,
                 const struct layout_claim *claim)
{
    struct check check = {cli, layout, number, &layout->images[number], {0}};
    int rc = room_of(layout, number, &check.room);
    if (rc != FERRY_OK) {
        return cli_fail_error(cli, CLI_USAGE, rc, "image %u of the layout cannot be",
                              (unsigned)number);
    }
    int code = check_size(&check, claim);
    code = code == CLI_OK ? check_slot_address(&check, claim) : code;
    code = code == CLI_OK ? check_ram(&check, claim) : code;
    code = code == CLI_OK ? check_encryption(&check, claim) : code;
    return code == CLI_OK ? check_compression(&check, claim) : code;
}

/* ---- Files ------------------------------------------------------------------------------- */

static int check_file(const struct cli *cli, const struct layout *layout, uint32_t number,
                      const char *path)
{
    struct image_file file;
    uint8_t wrapped[FERRY_IMAGE_WRAPPED_MAX];
    int code = image_file_read(cli, path, &file);

    if (code != CLI_OK) {
        return code;
    }
    const struct ferry_image_header *header = &file.info.header;
    struct layout_claim claim = {.path = path,
                                 .size = file.info.size,
                                 .flags = header->flags,
                                 .load_address = header->load_address};
    if (file.enc_tlv != 0) {
        int len = ferry_image_tlv(&file.rom.flash, header, file.enc_tlv, wrapped, sizeof wrapped);
        claim.enc_tlv = len > 0 ? (uint32_t)len : 0;
    }
    code = layout_check(cli, layout, number, &claim);
    if (code == CLI_OK && !cli->json) {
        printf("%s: fits image %u (%s)\n", path, (unsigned)number, layout->images[number].strategy);
    }
    image_file_free(&file);
    return code;
}

int layout_check_files(const struct cli *cli, const struct layout *layout, uint32_t number,
                       char **paths, int count)
{
    int code = CLI_OK;
    for (int i = 0; code == CLI_OK && i < count; i++) {
        code = check_file(cli, layout, number, paths[i]);
    }
    if (code == CLI_OK && cli->json) {
        cJSON *object = cJSON_CreateObject();
        cJSON_AddNumberToObject(object, "image", number);
        cJSON_AddNumberToObject(object, "fit", count);
        cli_print_json(object);
    }
    return code;
}
