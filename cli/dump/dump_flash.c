/* SPDX-License-Identifier: Apache-2.0 */
/* The files of a dump, each as the flash device that it was read from. */
#include "dump.h"

#include "cli/image/firmware_file.h"
#include "cli/layout/layout_file.h"

#include <stdlib.h>
#include <string.h>

/* The device that "NAME=PATH" names; *path is then behind it. Else the first without a file. */
static uint32_t find_device(const struct dump *dump, const char **path)
{
    const char *sign = strchr(*path, '=');
    uint32_t i;
    for (i = 0; sign != NULL && i < dump->layout.device_count; i++) {
        const char *name = dump->layout.devices[i].name;
        if (strlen(name) == (size_t)(sign - *path) &&
            strncmp(name, *path, (size_t)(sign - *path)) == 0) {
            *path = sign + 1;
            return i;
        }
    }
    for (i = 0; i < dump->layout.device_count && dump->paths[i] != NULL; i++) {
    }
    return i;
}

/* "internal=FILE external=FILE": what is to be given. */
static void list_devices(const struct dump *dump, char *text, size_t cap)
{
    size_t len = 0;
    text[0] = '\0';
    for (uint32_t i = 0; i < dump->layout.device_count && len < cap; i++) {
        len += (size_t)snprintf(text + len, cap - len, "%s%s=FILE", i > 0 ? " " : "",
                                dump->layout.devices[i].name);
    }
}

static int take_files(const struct cli *cli, struct dump *dump, char *const files[], int count)
{
    char names[128];
    list_devices(dump, names, sizeof names);
    for (int i = 0; i < count; i++) {
        const char *path = files[i];
        uint32_t device = find_device(dump, &path);
        if (device == dump->layout.device_count || dump->paths[device] != NULL) {
            return cli_fail_why(cli, CLI_USAGE, "each flash device of the layout has one file",
                                names, "%s is one file too many", files[i]);
        }
        dump->paths[device] = path;
    }
    for (uint32_t i = 0; i < dump->layout.device_count; i++) {
        if (dump->paths[i] == NULL) {
            return cli_fail_why(cli, CLI_USAGE, "the layout has more than these flash devices",
                                names, "there is no file of the flash device \"%s\"",
                                dump->layout.devices[i].name);
        }
    }
    return CLI_OK;
}

/* Put what a HEX file has to its place in the flash; what it leaves out is erased. Without memory
 * the file stays as it is. */
static void spread(struct firmware *firmware, const struct ferry_flash *geometry)
{
    size_t len = firmware->bytes.len;
    uint8_t *all = calloc(1, geometry->size);
    if (all != NULL) {
        memset(all, geometry->erased_value, geometry->size);
        memcpy(all + firmware->address, firmware->bytes.data, len);
        ferry_wipe(firmware->bytes.data, len);
        cli_buffer_free(&firmware->bytes);
        firmware->bytes = (struct cli_buffer){all, geometry->size};
    }
}

/* Read a binary dump, or one as Intel HEX, whose addresses count from the beginning of the flash.
 */
static int read_file(const struct cli *cli, const char *path, const struct ferry_flash *geometry,
                     struct cli_buffer *bytes)
{
    const struct firmware_options options = {.forms = FIRMWARE_BIN | FIRMWARE_HEX,
                                             .erased_value = geometry->erased_value};
    struct firmware firmware;
    int code = firmware_read(cli, path, &options, &firmware);
    if (code != CLI_OK) {
        return code;
    }
    if (firmware.has_address && firmware.address < geometry->size &&
        firmware.bytes.len <= geometry->size - firmware.address) {
        spread(&firmware, geometry);
    }
    *bytes = firmware.bytes;
    return CLI_OK;
}

static int read_device(const struct cli *cli, struct dump *dump, uint32_t i)
{
    const struct ferry_flash *geometry = &dump->layout.devices[i].geometry;
    int code = read_file(cli, dump->paths[i], geometry, &dump->files[i]);
    if (code != CLI_OK) {
        return code;
    }
    if (dump->files[i].len != geometry->size) {
        return cli_fail(cli, CLI_VERIFY, "give a dump of all of it, and the layout it belongs to",
                        "%s has %zu bytes, the flash device \"%s\" has %u", dump->paths[i],
                        dump->files[i].len, dump->layout.devices[i].name, (unsigned)geometry->size);
    }
    dump->flash[i].flash = *geometry;
    dump->devices[i] = &dump->flash[i].flash;
    int error = ferry_flash_ram_init(&dump->flash[i], dump->files[i].data);
    return error == FERRY_OK
               ? CLI_OK
               : cli_fail_error(cli, CLI_USAGE, error, "the flash device \"%s\" cannot be",
                                dump->layout.devices[i].name);
}

static int fill(const struct cli *cli, struct dump *dump, const char *layout, char *const files[],
                int count, const struct key *key)
{
    int code = layout_file_read(cli, layout, &dump->layout);
    if (code == CLI_OK) {
        code = take_files(cli, dump, files, count);
    }
    for (uint32_t i = 0; code == CLI_OK && i < dump->layout.device_count; i++) {
        code = read_device(cli, dump, i);
    }
    if (code != CLI_OK) {
        return code;
    }
    dump_read_trust(dump, key);
    int error = dump_read_slots(dump);
    return error == FERRY_OK ? CLI_OK
                             : cli_fail_error(cli, CLI_USAGE, error,
                                              "the slots of the layout are no part of its flash");
}

int dump_open(const struct cli *cli, const char *layout, char *const files[], int count,
              const struct key *key, struct dump **dump)
{
    *dump = calloc(1, sizeof **dump);
    if (*dump == NULL) {
        return cli_fail(cli, CLI_FAILED, "free some memory", "cannot read the dump: no memory");
    }
    int code = fill(cli, *dump, layout, files, count, key);
    if (code != CLI_OK) {
        dump_close(*dump);
        *dump = NULL;
    }
    return code;
}

void dump_close(struct dump *dump)
{
    if (dump == NULL) {
        return;
    }
    for (uint32_t i = 0; i < FERRY_VCHIP_DEVICES; i++) {
        if (dump->files[i].data != NULL) {
            ferry_wipe(dump->files[i].data, dump->files[i].len);
            cli_buffer_free(&dump->files[i]);
        }
    }
    ferry_wipe(dump, sizeof *dump);
    free(dump);
}
