/* SPDX-License-Identifier: Apache-2.0 */
#include "firmware_file.h"

#include "elf_file.h"
#include "intel_hex.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>

const struct firmware_options firmware_image = {.forms = FIRMWARE_BIN | FIRMWARE_HEX,
                                                .erased_value = 0xff};

/* What is read at most: of an ELF file most is for the debugger, of HEX more than half is text. */
#define FILE_MEBIBYTES 256

static const char *name_of(const char *path)
{
    return cli_is_stream(path) ? "standard input" : path;
}

static bool may_be(const struct firmware_options *options, enum firmware_form form)
{
    return options->forms == 0 || (options->forms & form) != 0;
}

/* What a file is, among what it may be. */
static enum firmware_form find_form(const struct firmware_options *options,
                                    const struct cli_buffer *bytes)
{
    if (options->forms == FIRMWARE_HEX || options->forms == FIRMWARE_ELF) {
        return (enum firmware_form)options->forms;
    }
    if (may_be(options, FIRMWARE_ELF) && elf_file_begins(bytes->data, bytes->len)) {
        return FIRMWARE_ELF;
    }
    bool hex = may_be(options, FIRMWARE_HEX) && intel_hex_begins(bytes->data, bytes->len);
    return hex ? FIRMWARE_HEX : FIRMWARE_BIN;
}

/* ---- From a map to bytes -------------------------------------------------------------------- */

static int fail_memory(const struct cli *cli)
{
    return cli_fail(cli, CLI_FAILED, "free some memory", "not enough memory for the file");
}

static int cut_range(const struct cli *cli, const char *name,
                     const struct firmware_options *options, struct memory_map *map)
{
    struct memory_map outside = {0};
    char text[MEMORY_RANGES_MAX];
    char all[MEMORY_RANGES_MAX];
    memory_map_text(map, all);
    int rc = memory_map_cut(map, options->first, options->last, &outside);
    if (rc == FERRY_OK && outside.count > 0 && map->count > 0) {
        fprintf(stderr, "ferry: %s: left out %s, outside of --range\n", name,
                memory_map_text(&outside, text));
    }
    memory_map_free(&outside);
    if (rc != FERRY_OK) {
        return fail_memory(cli);
    }
    return map->count > 0 ? CLI_OK
                          : cli_fail(cli, CLI_VERIFY, "give a range in which there are data",
                                     "%s has nothing from 0x%x to 0x%x: its data are at %s", name,
                                     (unsigned)options->first, (unsigned)options->last, all);
}

/* Pieces far apart would make a large block of nothing. What is too large even without its gaps, or
 * has none, is left to those who know how large it may be. */
static int check_span(const struct cli *cli, const char *name,
                      const struct firmware_options *options, const struct memory_map *map)
{
    char text[MEMORY_RANGES_MAX];
    uint64_t span = memory_map_span(map);
    uint32_t limit = options->limit != 0 ? options->limit : CLI_FILE_MAX;
    bool large = memory_map_ranges(map) == 1 || memory_map_bytes(map) > limit;
    if (span <= limit || (span <= CLI_FILE_MAX && large)) {
        return CLI_OK;
    }
    return cli_fail_why(
        cli, CLI_VERIFY, memory_map_text(map, text),
        options->can_range ? "say which of them are meant: --range FIRST-LAST"
                           : "give a file that has the image alone",
        "the data in %s are too far apart: they span %llu bytes, and %u are possible", name,
        (unsigned long long)span, (unsigned)limit);
}

/* Replace the file's bytes by those it stands for. */
static int flatten(const struct cli *cli, const char *name, const struct firmware_options *options,
                   struct memory_map *map, struct firmware *firmware)
{
    if (map->count == 0) {
        return cli_fail(cli, CLI_VERIFY, "give the file of the build", "%s has no data", name);
    }
    int code = options->has_range ? cut_range(cli, name, options, map) : CLI_OK;
    code = code == CLI_OK ? check_span(cli, name, options, map) : code;
    if (code != CLI_OK) {
        return code;
    }
    struct cli_buffer block = {malloc((size_t)memory_map_span(map)), (size_t)memory_map_span(map)};
    if (block.data == NULL) {
        return fail_memory(cli);
    }
    memory_map_flatten(map, options->erased_value, block.data);
    cli_buffer_free(&firmware->bytes);
    firmware->bytes = block;
    firmware->has_address = true;
    firmware->address = map->pieces[0].address;
    return CLI_OK;
}

static int decode(const struct cli *cli, const char *name, const struct firmware_options *options,
                  struct firmware *firmware)
{
    struct memory_map map = {0};
    struct memory_fault fault;
    const struct cli_buffer *bytes = &firmware->bytes;
    bool hex = firmware->form == FIRMWARE_HEX;
    int rc = hex ? intel_hex_read(bytes->data, bytes->len, &map, &fault)
                 : elf_file_read(bytes->data, bytes->len, &map, &fault);
    int code = CLI_OK;
    if (rc == FERRY_OK) {
        code = flatten(cli, name, options, &map, firmware);
    } else if (rc == FERRY_E_SPACE) {
        code = fail_memory(cli);
    } else {
        code = cli_fail_why(cli, CLI_VERIFY, fault.text, "make the file again from the build",
                            "%s is no usable %s file", name, hex ? "Intel HEX" : "ELF");
    }
    memory_map_free(&map);
    return code;
}

static int check_binary(const struct cli *cli, const char *name,
                        const struct firmware_options *options, const struct cli_buffer *bytes)
{
    if (options->has_range) {
        return cli_fail(cli, CLI_USAGE, "leave out --range",
                        "%s is raw binary and has no addresses for --range", name);
    }
    return bytes->len <= CLI_FILE_MAX ? CLI_OK
                                      : cli_fail(cli, CLI_FAILED, "give a binary of at most 64 MiB",
                                                 "cannot read %s: too large", name);
}

int firmware_read(const struct cli *cli, const char *path, const struct firmware_options *options,
                  struct firmware *firmware)
{
    const char *name = name_of(path);
    *firmware = (struct firmware){0};
    int code = cli_read_up_to(cli, path, FILE_MEBIBYTES, &firmware->bytes);
    if (code != CLI_OK) {
        return code;
    }
    firmware->form = find_form(options, &firmware->bytes);
    if (firmware->form != FIRMWARE_BIN) {
        code = decode(cli, name, options, firmware);
    } else {
        code = check_binary(cli, name, options, &firmware->bytes);
    }
    if (code != CLI_OK) {
        cli_buffer_free(&firmware->bytes);
    }
    firmware->size = firmware->bytes.len;
    return code;
}

/* ---- Options -------------------------------------------------------------------------------- */

int firmware_take_range(const struct cli *cli, const char *text, struct firmware_options *options)
{
    char first[16];
    const char *dash = strchr(text, '-');
    size_t len = dash != NULL ? (size_t)(dash - text) : 0;
    if (len > 0 && len < sizeof first) {
        memcpy(first, text, len);
        first[len] = '\0';
        options->has_range = cli_number(first, UINT32_MAX, &options->first) == FERRY_OK &&
                             cli_number(dash + 1, UINT32_MAX, &options->last) == FERRY_OK &&
                             options->first <= options->last;
    }
    return options->has_range
               ? CLI_OK
               : cli_fail(cli, CLI_USAGE, "give the first and the last address: 0x8000-0xffff",
                          "--range %s is not possible", text);
}

int firmware_take_form(const struct cli *cli, const char *option, const char *text, bool input,
                       unsigned *form)
{
    static const struct {
        const char *name;
        unsigned form;
        bool input_only;
    } forms[] = {{"bin", FIRMWARE_BIN, false},
                 {"hex", FIRMWARE_HEX, false},
                 {"elf", FIRMWARE_ELF, true},
                 {"auto", 0, true}};
    for (size_t i = 0; i < sizeof forms / sizeof forms[0]; i++) {
        if (strcmp(text, forms[i].name) == 0 && (input || !forms[i].input_only)) {
            *form = forms[i].form;
            return CLI_OK;
        }
    }
    return cli_fail(cli, CLI_USAGE, input ? "give auto, bin, hex or elf" : "give bin or hex",
                    "%s %s is not possible", option, text);
}

/* ---- Writing -------------------------------------------------------------------------------- */

bool firmware_is_hex(const char *path, unsigned form)
{
    size_t len = strlen(path);
    return form == FIRMWARE_HEX ||
           (form == 0 && len > 4 && strcasecmp(path + len - 4, ".hex") == 0);
}

static int write_hex(const struct cli *cli, const char *path, const struct firmware_out *out)
{
    struct memory_map map = {0};
    char *text = NULL;
    size_t len = 0;
    int rc = FERRY_OK;
    for (size_t i = 0; rc == FERRY_OK && i < out->piece_count; i++) {
        const struct firmware_piece *piece = &out->pieces[i];
        rc = memory_map_add(&map, out->address + piece->offset, out->bytes.data + piece->offset,
                            piece->len, i);
    }
    if (rc == FERRY_OK) {
        text = intel_hex_write(&map, &len);
    }
    memory_map_free(&map);
    if (text == NULL) {
        return fail_memory(cli);
    }
    int code = cli_write_file(cli, path, (const uint8_t *)text, len, 0644);
    free(text);
    return code;
}

int firmware_write(const struct cli *cli, const char *path, const struct firmware_out *out)
{
    if (!firmware_is_hex(path, out->form)) {
        return cli_write_file(cli, path, out->bytes.data, out->bytes.len, 0644);
    }
    if (!out->has_address) {
        return cli_fail(cli, CLI_USAGE, "say where the image is to be: --hex-addr ADDRESS",
                        "a HEX file has addresses, and a raw binary gives none");
    }
    if (out->bytes.len > (1ull << 32) - out->address) {
        return cli_fail(cli, CLI_USAGE, "give a lower address: --hex-addr ADDRESS",
                        "%zu bytes at 0x%x reach beyond 32 bits", out->bytes.len,
                        (unsigned)out->address);
    }
    return write_hex(cli, path, out);
}
