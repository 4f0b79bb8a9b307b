/* SPDX-License-Identifier: Apache-2.0 */
#include "layout_check.h"

#include "room.h"

#include "cli/image/image_file.h"

/* Where an area begins, as images linked to an address count. */
static uint32_t address_of(const struct layout *layout, uint32_t area)
{
    return layout->areas[area].device * FERRY_VCHIP_SPAN + layout->areas[area].offset;
}

static int check_size(const struct cli *cli, const char *path, const struct image_file *file,
                      uint32_t number, const struct room *room)
{
    char text[ROOM_TEXT_MAX];
    if (file->info.size <= room->limit) {
        return CLI_OK;
    }
    room_text(room, text);
    return cli_fail_why(cli, CLI_VERIFY, text, "shrink the firmware, or enlarge the slots",
                        "%s has %u bytes, and image %u takes %u (%s)", path,
                        (unsigned)file->info.size, (unsigned)number, (unsigned)room->limit,
                        room->strategy->name);
}

/* An image linked to a slot runs there only: in either slot in place, else in the primary. */
static int check_slot_address(const struct cli *cli, const char *path,
                              const struct image_file *file, const struct layout *layout,
                              uint32_t number)
{
    const struct ferry_vchip_image *image = &layout->images[number];
    const struct ferry_strategy_traits *traits = ferry_strategy_traits_find(image->strategy);
    uint32_t wanted = file->info.header.load_address;

    if ((file->info.header.flags & FERRY_IMAGE_ROM_FIXED) == 0 ||
        wanted == address_of(layout, image->primary)) {
        return CLI_OK;
    }
    if (traits->in_place && image->secondary != FERRY_VCHIP_NO_AREA &&
        wanted == address_of(layout, image->secondary)) {
        return CLI_OK;
    }
    return cli_fail(cli, CLI_VERIFY, "sign it with --rom-fixed of the slot it is linked to",
                    "%s is linked to 0x%x, and image %u runs at 0x%x", path, (unsigned)wanted,
                    (unsigned)number, (unsigned)address_of(layout, image->primary));
}

static int check_ram(const struct cli *cli, const char *path, const struct image_file *file,
                     const struct layout *layout, const struct room *room)
{
    const struct ferry_image_header *header = &file->info.header;
    uint32_t at = header->load_address - layout->ram_address;

    if (room->strategy->mode != FERRY_MODE_RAM_LOAD) {
        return CLI_OK;
    }
    if ((header->flags & FERRY_IMAGE_RAM_LOAD) != 0 &&
        header->load_address >= layout->ram_address &&
        ferry_inside(at, file->info.size, layout->ram_size)) {
        return CLI_OK;
    }
    return cli_fail(cli, CLI_VERIFY, "sign it with --load-addr, inside the layout's \"ram\"",
                    "%s does not load into the RAM of %u bytes at 0x%x", path,
                    (unsigned)layout->ram_size, (unsigned)layout->ram_address);
}

/* The trailers keep the wrapped key of an encrypted image; the layout says how long it may be. */
static int check_encryption(const struct cli *cli, const char *path, const struct image_file *file,
                            const struct layout *layout)
{
    if (file->payload == IMAGE_PLAIN || layout->enc_tlv != 0) {
        return CLI_OK;
    }
    return cli_fail(cli, CLI_VERIFY, "give the layout its \"enc_tlv\" and an area \"secrets\"",
                    "%s is encrypted, and the layout's device decrypts nothing", path);
}

static int check_file(const struct cli *cli, const struct layout *layout, uint32_t number,
                      const char *path)
{
    struct image_file file;
    struct room room;
    int code = image_file_read(cli, path, &file);

    if (code != CLI_OK) {
        return code;
    }
    if (room_of(layout, number, &room) != FERRY_OK) {
        code = CLI_USAGE;
    }
    code = code == CLI_OK ? check_size(cli, path, &file, number, &room) : code;
    code = code == CLI_OK ? check_slot_address(cli, path, &file, layout, number) : code;
    code = code == CLI_OK ? check_ram(cli, path, &file, layout, &room) : code;
    code = code == CLI_OK ? check_encryption(cli, path, &file, layout) : code;
    if (code == CLI_OK && !cli->json) {
        printf("%s: fits image %u (%s): %u bytes of %u\n", path, (unsigned)number,
               room.strategy->name, (unsigned)file.info.size, (unsigned)room.limit);
    }
    image_file_free(&file);
    return code;
}

int layout_check(const struct cli *cli, const struct layout *layout, uint32_t image, char **paths,
                 int count)
{
    int code = CLI_OK;
    for (int i = 0; code == CLI_OK && i < count; i++) {
        code = check_file(cli, layout, image, paths[i]);
    }
    if (code == CLI_OK && cli->json) {
        cJSON *object = cJSON_CreateObject();
        cJSON_AddNumberToObject(object, "image", image);
        cJSON_AddNumberToObject(object, "fit", count);
        cli_print_json(object);
    }
    return code;
}
