/* SPDX-License-Identifier: Apache-2.0 */
/* ferry layout: what a layout has room for, and what updates cost its device. */
#include "layout_check.h"
#include "layout_file.h"
#include "report.h"

#include "cli/image/image_file.h"

#include <stdlib.h>
#include <string.h>

enum {
    OPTION_CHECK = 1,
    OPTION_IMAGE,
    OPTION_SIZE,
    OPTION_ENDURANCE,
    OPTION_ERASE_MS,
    OPTION_PROGRAM_US,
    OPTION_READ_KIB_S
};

static const struct option options[] = {{"check", no_argument, NULL, OPTION_CHECK},
                                        {"image", required_argument, NULL, OPTION_IMAGE},
                                        {"size", required_argument, NULL, OPTION_SIZE},
                                        {"header-size", required_argument, NULL, 'H'},
                                        {"endurance", required_argument, NULL, OPTION_ENDURANCE},
                                        {"erase-ms", required_argument, NULL, OPTION_ERASE_MS},
                                        {"program-us", required_argument, NULL, OPTION_PROGRAM_US},
                                        {"read-kib-s", required_argument, NULL, OPTION_READ_KIB_S},
                                        {0}};

struct arguments {
    bool check;
    bool one; /* --image was given */
    uint32_t image;
    const char *size; /* NULL: the largest there can be */
    struct report report;
};

/* ---- Arguments ---------------------------------------------------------------------------- */

static int take(const struct cli *cli, const char *name, uint32_t least, uint32_t most,
                uint32_t *value)
{
    if (cli_number(optarg, most, value) == FERRY_OK && *value >= least) {
        return CLI_OK;
    }
    return cli_fail(cli, CLI_USAGE, "run `ferry layout --help`",
                    "--%s %s: give a whole number from %u to %u", name, optarg, (unsigned)least,
                    (unsigned)most);
}

static int take_option(const struct cli *cli, int option, struct arguments *a)
{
    struct estimate_options *o = &a->report.options;
    switch (option) {
    case OPTION_CHECK:
        a->check = true;
        return CLI_OK;
    case OPTION_IMAGE:
        a->one = true;
        return take(cli, "image", 0, FERRY_VCHIP_IMAGES - 1, &a->image);
    case OPTION_SIZE:
        a->size = optarg;
        return CLI_OK;
    case 'H':
        return take(cli, "header-size", FERRY_IMAGE_HEADER_SIZE, 0xffff, &a->report.header_size);
    case OPTION_ENDURANCE:
        return take(cli, "endurance", 1, 100000000, &o->endurance);
    case OPTION_ERASE_MS:
        return take(cli, "erase-ms", 1, 10000, &o->erase_ms);
    case OPTION_PROGRAM_US:
        return take(cli, "program-us", 1, 1000000, &o->program_us);
    case OPTION_READ_KIB_S:
        return take(cli, "read-kib-s", 1, 100000000, &o->read_kib_s);
    default:
        return CLI_USAGE;
    }
}

static int check_image_number(const struct cli *cli, const struct arguments *a,
                              const struct layout *layout)
{
    if (a->image < layout->image_count) {
        return CLI_OK;
    }
    return cli_fail(cli, CLI_USAGE, "name one of the layout's images",
                    "--image %u: the layout has %u", (unsigned)a->image,
                    (unsigned)layout->image_count);
}

/* The size to compute with: a number, or that of the image in a file; 0 = the largest. */
static int find_size(const struct cli *cli, const struct arguments *a, uint32_t *size)
{
    struct image_file file;

    *size = 0;
    if (a->size == NULL) {
        return CLI_OK;
    }
    if (cli_number(a->size, UINT32_MAX, size) == FERRY_OK) {
        return *size >= MODEL_IMAGE_MIN
                   ? CLI_OK
                   : cli_fail(cli, CLI_USAGE, "give the size of a whole image file",
                              "--size %s: give at least %u", a->size, MODEL_IMAGE_MIN);
    }
    int code = image_file_read(cli, a->size, &file);
    if (code == CLI_OK) {
        *size = file.info.size;
        image_file_free(&file);
    }
    return code;
}

/* ---- Running ------------------------------------------------------------------------------ */

static int say_failed(const struct cli *cli, const struct report *report, int rc,
                      const struct estimate *estimate)
{
    if (rc == FERRY_E_SPACE) {
        return cli_fail(cli, CLI_FAILED, "free some memory",
                        "cannot compute the updates: no memory");
    }
    if (rc == FERRY_E_IMAGE_SIZE) {
        return cli_fail(cli, CLI_USAGE, "give a larger --size",
                        "no image of that size can be made for this layout");
    }
    return cli_fail_error(cli, CLI_FAILED, rc, "%s cannot be updated; it fails at %s", report->path,
                          estimate->what);
}

static int check_fits(const struct cli *cli, const struct report_image *image, uint32_t size)
{
    char text[ROOM_TEXT_MAX];
    if (size <= image->room.limit) {
        return CLI_OK;
    }
    room_text(&image->room, text);
    return cli_fail_why(cli, CLI_VERIFY, text, "give a smaller --size, or enlarge the slots",
                        "an image of %u bytes does not fit image %u (%s), which takes %u",
                        (unsigned)size, (unsigned)image->number, image->room.strategy->name,
                        (unsigned)image->room.limit);
}

/* Fill in one of the images. */
static int add_image(const struct cli *cli, struct report *report, uint32_t number, uint32_t size,
                     uint32_t sizes[FERRY_VCHIP_IMAGES])
{
    struct report_image *image = &report->images[report->count++];

    image->number = number;
    int rc = room_of(report->layout, number, &image->room);
    if (rc != FERRY_OK) {
        return cli_fail_error(cli, CLI_USAGE, rc, "%s: image %u cannot be", report->path,
                              (unsigned)number);
    }
    int code = check_fits(cli, image, size);
    if (code != CLI_OK) {
        return code;
    }
    image->size = size != 0 ? size : image->room.limit;
    sizes[number] = image->size;
    rc = estimate_updates(report->layout, 1U << number, sizes, &report->options, &image->estimate);
    return rc == FERRY_OK ? CLI_OK : say_failed(cli, report, rc, &image->estimate);
}

/* The images of a set once more, all of them in one update: a bootloader of its own is of none. */
static int add_set(const struct cli *cli, struct report *report,
                   const uint32_t sizes[FERRY_VCHIP_IMAGES])
{
    uint32_t mask = 0;
    for (uint32_t i = 0; i < report->count; i++) {
        if (report->images[i].room.strategy != &ferry_traits_first_stage) {
            mask |= 1U << report->images[i].number;
        }
    }
    int rc = estimate_updates(report->layout, mask, sizes, &report->options, &report->set);
    report->has_set = true;
    return rc == FERRY_OK ? CLI_OK : say_failed(cli, report, rc, &report->set);
}

static int tell(const struct cli *cli, struct arguments *a)
{
    struct report *report = &a->report;
    const struct layout *layout = report->layout;
    uint32_t sizes[FERRY_VCHIP_IMAGES] = {0};
    uint32_t size;
    int code = find_size(cli, a, &size);

    for (uint32_t i = 0; code == CLI_OK && i < layout->image_count; i++) {
        if (!a->one || i == a->image) {
            code = add_image(cli, report, i, size, sizes);
        }
    }
    if (code == CLI_OK && !a->one && (layout->flags & FERRY_VCHIP_SET) != 0) {
        code = add_set(cli, report, sizes);
    }
    if (code == CLI_OK && cli->json) {
        report_print_json(report);
    } else if (code == CLI_OK) {
        report_print(report);
    }
    return code;
}

static int run(const struct cli *cli, struct arguments *a, char **paths, int count)
{
    struct layout *layout = calloc(1, sizeof *layout);
    if (layout == NULL) {
        return cli_fail(cli, CLI_FAILED, "free some memory", "cannot read %s: no memory", paths[0]);
    }
    a->report.path = paths[0];
    a->report.layout = layout;
    int code = layout_file_read(cli, paths[0], layout);
    code = code == CLI_OK ? check_image_number(cli, a, layout) : code;
    if (code == CLI_OK) {
        code = a->check ? layout_check_files(cli, layout, a->image, paths + 1, count - 1)
                        : tell(cli, a);
    }
    free(layout);
    return code;
}

static int run_layout(struct cli *cli, int argc, char **argv)
{
    struct arguments *a = calloc(1, sizeof *a);
    int code = CLI_OK;
    int option;

    if (a == NULL) {
        return cli_fail(cli, CLI_FAILED, "free some memory", "no memory");
    }
    a->report.header_size = FERRY_IMAGE_HEADER_SIZE;
    optind = 0;
    while (code == CLI_OK && (option = cli_getopt(cli, argc, argv, "H:", options)) != -1) {
        code = option == '?' ? CLI_USAGE : take_option(cli, option, a);
    }
    int count = argc - optind;
    if (code == CLI_OK && (a->check ? count < 2 : count != 1)) {
        code = cli_usage(cli, a->check ? "--check needs a LAYOUT and image files"
                                       : "layout needs one LAYOUT, as device/layout.json");
    }
    if (code == CLI_OK) {
        code = run(cli, a, argv + optind, count);
    }
    free(a);
    return code;
}

const struct cli_command cli_layout_commands[] = {
    {"layout", "LAYOUT [--check IMAGE ...]", "what fits a device's slots, and what updates cost it",
     "      --image N        this image of the layout only (--check: 0 unless told)\n"
     "      --size SIZE      compute with images of so many bytes, or with the image in this file "
     "(default: the\n"
     "                       largest there can be)\n"
     "  -H, --header-size N  of the image, for the largest firmware (default 32)\n"
     "      --endurance N    erases a sector stands (default: the layout's, or 10000)\n"
     "      --erase-ms N     for a sector (default: the layout's, or 85 for each 4096 bytes)\n"
     "      --program-us N   for a write unit (default: the layout's, or 41 for 4 bytes)\n"
     "      --read-kib-s N   speed of reading (default: reading takes no time)\n"
     "      --check          only check that these signed images fit: exit code 6 if one does "
     "not\n",
     run_layout},
    {0}};
