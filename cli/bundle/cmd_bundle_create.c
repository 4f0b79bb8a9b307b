/* SPDX-License-Identifier: Apache-2.0 */
/* ferry bundle create: signed images in, a bundle out. */
#include "bundle_print.h"
#include "create_names.h"
#include "needs.h"
#include "cli/first/b0.h"

#include <stdlib.h>
#include <string.h>

#define FIRST_SECOND 315532800           /* 1980-01-01, a zip's first date */
#define LAST_SECOND  INT64_C(4354819199) /* of 2107, a zip's last */

/* What an option says of every file, or of those of one image. */
struct told {
    const char *all;
    const char *of[MANIFEST_FILES];
    uint8_t image[MANIFEST_FILES];
    size_t count;
};

struct create {
    const struct cli *cli;
    const char *key_path;
    const char *out;
    struct told board, soc, type;
    int64_t seconds;
    struct manifest manifest;
    struct create_name names[MANIFEST_FILES]; /* with the paths that were given */
    struct image_file files[MANIFEST_FILES];
    char versions[MANIFEST_FILES][FERRY_VERSION_TEXT_MAX];
    bool has_fw_info[MANIFEST_FILES]; /* of a first stage */
    size_t count, opened;
    struct findings findings;
};

/* ---- Command line ------------------------------------------------------------------- */

/* Digits up to most; *rest is what follows. */
static bool take_digits(const char *text, unsigned most, uint8_t *value, const char **rest)
{
    size_t len = strspn(text, "0123456789");
    unsigned long number = strtoul(text, NULL, 10);
    *rest = text + len;
    *value = (uint8_t)number;
    return len > 0 && len < 4 && number <= most;
}

/* [N[:S]=]FILE. Returns false for numbers that are none of an image and a slot: a file that is
 * called so is given as ./0=FILE. */
static bool take_file(struct create *c, const char *text)
{
    struct create_name *name = &c->names[c->count++];
    const char *rest;
    size_t digits = strspn(text, "0123456789");
    *name = (struct create_name){.path = text};
    if (digits == 0 || (text[digits] != '=' && text[digits] != ':')) {
        return true;
    }
    bool good = take_digits(text, 255, &name->image, &rest);
    if (*rest == ':') {
        name->has_slot = true;
        good = take_digits(rest + 1, MANIFEST_SLOTS - 1, &name->slot, &rest) && good;
    }
    name->path = rest + 1;
    return good && *rest == '=';
}

/* TEXT, or N=TEXT for the files of one image. */
static bool take_told(struct told *told, const char *text)
{
    uint8_t image;
    const char *rest;
    if (!take_digits(text, 255, &image, &rest) || *rest != '=') {
        told->all = text;
        return true;
    }
    if (told->count == MANIFEST_FILES) {
        return false;
    }
    told->image[told->count] = image;
    told->of[told->count++] = rest + 1;
    return true;
}

static const char *told_of(const struct told *told, uint8_t image)
{
    for (size_t i = 0; i < told->count; i++) {
        if (told->image[i] == image) {
            return told->of[i];
        }
    }
    return told->all != NULL ? told->all : "";
}

/* The second that all dates are: SOURCE_DATE_EPOCH, or the first of zip archives. */
static bool take_seconds(int64_t *seconds)
{
    const char *text = getenv("SOURCE_DATE_EPOCH");
    *seconds = FIRST_SECOND;
    if (text == NULL || text[0] == '\0') {
        return true;
    }
    size_t len = strspn(text, "0123456789");
    long long value = strtoll(text, NULL, 10);
    *seconds = value < FIRST_SECOND ? FIRST_SECOND : value > LAST_SECOND ? LAST_SECOND : value;
    return text[len] == '\0' && len > 0;
}

enum { OPTION_BOARD = 0x100, OPTION_SOC, OPTION_TYPE };

static int take_options(struct create *c, struct cli *cli, int argc, char **argv)
{
    static const struct option own[] = {{"key", required_argument, NULL, 'k'},
                                        {"name", required_argument, NULL, 'n'},
                                        {"board", required_argument, NULL, OPTION_BOARD},
                                        {"soc", required_argument, NULL, OPTION_SOC},
                                        {"type", required_argument, NULL, OPTION_TYPE},
                                        {0}};
    int option;
    bool good = true;
    optind = 0;
    while ((option = cli_getopt(cli, argc, argv, "k:n:", own)) != -1) {
        switch (option) {
        case 'k':
            c->key_path = optarg;
            break;
        case 'n':
            c->manifest.name = optarg;
            break;
        case OPTION_BOARD:
            good = take_told(&c->board, optarg) && good;
            break;
        case OPTION_SOC:
            good = take_told(&c->soc, optarg) && good;
            break;
        case OPTION_TYPE:
            good = take_told(&c->type, optarg) && good;
            break;
        default:
            return CLI_USAGE;
        }
    }
    if (!good || argc - optind < 2 || argc - optind > MANIFEST_FILES + 1) {
        return cli_usage(cli, "bundle create needs OUT and 1 to 16 signed images");
    }
    if (!take_seconds(&c->seconds)) {
        return cli_usage(cli, "SOURCE_DATE_EPOCH is no number of seconds");
    }
    c->out = argv[optind];
    cli->piped = cli_is_stream(c->out);
    for (int i = optind + 1; i < argc; i++) {
        if (!take_file(c, argv[i])) {
            return cli_usage(cli, "FILE takes the number of its image, 0 to 255, and for "
                                  "direct-xip a slot, 0 or 1: N=FILE, N:0=FILE");
        }
    }
    return CLI_OK;
}

/* ---- The images --------------------------------------------------------------------- */

/* Structure, digest, and with -k the signature. */
static int check_image(struct create *c, size_t i, const struct key *key)
{
    const char *path = c->names[i].path;
    char why[BUNDLE_TEXT_MAX];
    int error = bundle_verify_image(&c->files[i], key, why);
    if (error == FERRY_E_SECRET) {
        findings_note(&c->findings, "%s is encrypted: its digest is left to the device", path);
        return CLI_OK;
    }
    return error == FERRY_OK ? CLI_OK
                             : cli_fail_why(c->cli, CLI_VERIFY, why, ferry_error_remedy(error),
                                            "%s does not verify", path);
}

static void describe(struct create *c, size_t i)
{
    const struct create_name *name = &c->names[i];
    const struct ferry_image_header *header = &c->files[i].info.header;
    const struct ferry_version *v = &header->version;
    struct ferry_first_info first;
    struct manifest_file *file = &c->manifest.files[i];
    snprintf(c->versions[i], sizeof c->versions[i], "%u.%u.%u+%u", v->major, v->minor, v->revision,
             (unsigned)v->build);
    *file = (struct manifest_file){.type = told_of(&c->type, name->image),
                                   .board = told_of(&c->board, name->image),
                                   .soc = told_of(&c->soc, name->image),
                                   .version_mcuboot = c->versions[i],
                                   .has_size = true,
                                   .size = c->files[i].bytes.len,
                                   .image = name->image,
                                   .has_slot = name->has_slot,
                                   .slot = name->slot};
    c->has_fw_info[i] = b0_info_of(&c->files[i], &first) == FERRY_OK;
    if ((header->flags & (FERRY_IMAGE_RAM_LOAD | FERRY_IMAGE_ROM_FIXED)) != 0) {
        file->has_address = true;
        file->load_address = header->load_address;
    } else if (c->has_fw_info[i]) {
        file->has_address = true;
        file->load_address = first.address;
    }
}

static int open_image(struct create *c, size_t i, const struct key *key)
{
    int code = image_file_read(c->cli, c->names[i].path, &c->files[i]);
    if (code != CLI_OK) {
        return code;
    }
    c->opened++;
    code = check_image(c, i, key);
    describe(c, i);
    return code;
}

static int open_images(struct create *c)
{
    struct key key = {0};
    int code = c->key_path != NULL ? key_load(c->cli, c->key_path, &key) : CLI_OK;
    for (size_t i = 0; i < c->count && code == CLI_OK; i++) {
        code = open_image(c, i, c->key_path != NULL ? &key : NULL);
    }
    c->manifest.count = c->count;
    key_free(&key);
    return code;
}

/* ---- All together ------------------------------------------------------------------- */

/* Whether two files of one image go together: one for each slot, or a bootloader's two builds. */
static bool go_together(const struct create *c, size_t i, size_t j)
{
    return manifest_is_pair(&c->manifest.files[i], &c->manifest.files[j]) &&
           (c->names[i].has_slot || (c->has_fw_info[i] && c->has_fw_info[j]));
}

static int check_numbers(const struct create *c)
{
    for (size_t i = 0; i < c->count; i++) {
        size_t same = 0;
        for (size_t j = 0; j < i; j++) {
            same += c->names[i].image == c->names[j].image;
            if (c->names[i].image == c->names[j].image && (same == 2 || !go_together(c, i, j))) {
                return cli_fail(c->cli, CLI_USAGE,
                                "number them: 0=APP 1=NET, or by slot for direct-xip: 0:0=FILE "
                                "0:1=FILE",
                                "%s and %s are both for image %u", c->names[j].path,
                                c->names[i].path, c->names[i].image);
            }
        }
    }
    return CLI_OK;
}

/* Two builds of a bootloader are of Nordic's type mcuboot, all else is an application. */
static void default_types(struct create *c)
{
    for (size_t i = 0; i < c->count; i++) {
        bool pair = false;
        for (size_t j = 0; j < c->count && !c->names[i].has_slot; j++) {
            pair = pair || (i != j && c->names[i].image == c->names[j].image);
        }
        if (c->manifest.files[i].type[0] == '\0') {
            c->manifest.files[i].type = pair ? "mcuboot" : "application";
        }
    }
}

static int check_needs(struct create *c)
{
    struct needs_image list[MANIFEST_FILES];
    for (size_t i = 0; i < c->count; i++) {
        list[i] = (struct needs_image){c->names[i].path, c->names[i].image, &c->files[i]};
    }
    needs_check(list, c->count, &c->findings);
    findings_tell_notes(&c->findings);
    return c->findings.problems == 0
               ? CLI_OK
               : cli_fail_why(c->cli, CLI_VERIFY, findings_first(&c->findings),
                              "give images that belong together",
                              "the images need others than these");
}

static int check_together(struct create *c)
{
    int code = check_numbers(c);
    code = code == CLI_OK ? check_needs(c) : code;
    default_types(c);
    if (code == CLI_OK && !create_names(c->names, c->count)) {
        code = cli_fail(c->cli, CLI_USAGE, "rename the files",
                        "the name of one file contains that of another");
    }
    return code;
}

/* ---- The bundle --------------------------------------------------------------------- */

static int make_archive(struct create *c, struct cli_buffer *out)
{
    struct archive_entry entries[MANIFEST_FILES + 1];
    c->manifest.format = 1;
    c->manifest.time = (uint64_t)c->seconds;
    for (size_t i = 0; i < c->count; i++) {
        const struct cli_buffer *bytes = &c->files[i].bytes;
        c->manifest.files[i].file = c->names[i].name;
        entries[i + 1] = (struct archive_entry){c->names[i].name, bytes->data, bytes->len};
    }
    char *text = manifest_write(&c->manifest);
    if (text == NULL) {
        return FERRY_E_SPACE;
    }
    entries[0] = (struct archive_entry){MANIFEST_NAME, (const uint8_t *)text, strlen(text)};
    int error = archive_write(entries, c->count + 1, c->seconds, &out->data, &out->len);
    cJSON_free(text);
    return error;
}

/* Read what is about to be written, as others will; say what is in it. */
static int write_and_tell(const struct create *c, const struct cli_buffer *bytes)
{
    static struct bundle bundle;
    static struct bundle_images images;
    int code = bundle_open_bytes(c->cli, c->out, bytes, &bundle);
    if (code != CLI_OK) {
        return code;
    }
    code = cli_write_file(c->cli, c->out, bytes->data, bytes->len, 0644);
    bundle_images_open(&bundle, &images);
    FILE *words = cli_text(c->cli, c->out);
    if (code == CLI_OK && c->cli->json) {
        cli_print_json_to(words, bundle_json(c->out, &bundle, &images));
    } else if (code == CLI_OK) {
        bundle_print(words, c->out, &bundle, &images);
    }
    bundle_images_free(&images);
    bundle_free(&bundle);
    return code;
}

static int run_create(struct cli *cli, int argc, char **argv)
{
    static struct create c;
    struct cli_buffer bytes = {0};
    c = (struct create){.cli = cli};
    int code = take_options(&c, cli, argc, argv);
    code = code == CLI_OK ? open_images(&c) : code;
    code = code == CLI_OK ? check_together(&c) : code;
    if (code == CLI_OK) {
        int error = make_archive(&c, &bytes);
        code = error == FERRY_OK ? write_and_tell(&c, &bytes)
                                 : cli_fail_error(cli, CLI_FAILED, error, "cannot make %s", c.out);
    }
    cli_buffer_free(&bytes);
    for (size_t i = 0; i < c.opened; i++) {
        image_file_free(&c.files[i]);
    }
    return code;
}

const struct cli_command cli_bundle_create_commands[] = {
    {"bundle create", "OUT [N=]FILE ...", "make a bundle (dfu_application.zip) of signed images",
     "  [N=]FILE           a signed image and its number (default 0), in install order; for\n"
     "                     direct-xip N:0=FILE N:1=FILE, one for each slot\n"
     "  -k, --key KEY      check the signatures first\n"
     "  -n, --name TEXT    what apps call the update\n"
     "      --board TEXT   for all files; N=TEXT for those of image N. The same:\n"
     "      --soc TEXT, --type TEXT (default: application)\n"
     "  all dates are SOURCE_DATE_EPOCH, or 1980-01-01: the same input gives the same bytes\n",
     run_create},
    {0},
};
