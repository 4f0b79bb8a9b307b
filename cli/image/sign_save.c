/* SPDX-License-Identifier: Apache-2.0 */
#include "sign_save.h"

#include "ferry/trailer.h"

/* Where the image is to be. Returns false where there is no room for the header below the input. */
static bool place(const struct sign_arguments *a, const struct firmware *in,
                  struct firmware_out *out)
{
    uint32_t header = a->build.pad_header && in->address != 0 ? a->build.header_size : 0;
    out->has_address = a->has_hex_addr || in->has_address;
    if (a->has_hex_addr) {
        out->address = a->hex_addr;
        return true;
    }
    out->address = in->address - header;
    return !in->has_address || in->address >= header;
}

/* The image, and of its trailer image_ok where it was asked for, and the magic. Returns how many
 * pieces. */
static size_t choose(const struct image_build *build, uint32_t image_size,
                     struct firmware_piece pieces[3])
{
    size_t count = 0;
    uint32_t magic = ferry_align_up(FERRY_TRAILER_MAGIC_SIZE, build->max_align);
    pieces[count++] = (struct firmware_piece){0, image_size};
    if (build->pad && (build->confirm || build->test) && !build->overwrite_only) {
        pieces[count++] =
            (struct firmware_piece){build->slot_size - magic - build->max_align, build->max_align};
    }
    if (build->pad) {
        pieces[count++] = (struct firmware_piece){build->slot_size - FERRY_TRAILER_MAGIC_SIZE,
                                                  FERRY_TRAILER_MAGIC_SIZE};
    }
    return count;
}

int sign_save(const struct cli *cli, const struct sign_arguments *a, const struct firmware *in,
              const struct cli_buffer *image, uint32_t image_size, const char *out_path)
{
    struct firmware_piece pieces[3];
    struct firmware_out out = {.bytes = *image, .form = a->output_form, .pieces = pieces};
    out.piece_count = choose(&a->build, image_size, pieces);
    if (!place(a, in, &out) && firmware_is_hex(out_path, out.form)) {
        return cli_fail(cli, CLI_USAGE, "say where the image is to be: --hex-addr ADDRESS",
                        "there is no room for a header of %u bytes below 0x%x",
                        (unsigned)a->build.header_size, (unsigned)in->address);
    }
    return firmware_write(cli, out_path, &out);
}
