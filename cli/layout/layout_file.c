/* SPDX-License-Identifier: Apache-2.0 */
#include "layout_file.h"

#include <stdlib.h>
#include <string.h>

int layout_file_read(const struct cli *cli, const char *path, struct layout *layout)
{
    struct cli_buffer file;
    char why[LAYOUT_WHY_MAX];
    cli_keep_file(path);
    int code = cli_read_file(cli, path, &file);
    if (code != CLI_OK) {
        return code;
    }
    char *text = malloc(file.len + 1);
    if (text == NULL) {
        cli_buffer_free(&file);
        return cli_fail(cli, CLI_FAILED, "free some memory", "cannot read %s: no memory", path);
    }
    memcpy(text, file.data, file.len);
    text[file.len] = '\0';
    cli_buffer_free(&file);
    int error = layout_parse(text, layout, why);
    free(text);
    return error == FERRY_OK
               ? CLI_OK
               : cli_fail_why(cli, CLI_USAGE, why, "docs/DEVICE.md has every field of a layout",
                              "%s is no usable layout", path);
}
