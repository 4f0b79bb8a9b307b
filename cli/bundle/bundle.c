/* SPDX-License-Identifier: Apache-2.0 */
#include "bundle.h"

#include <string.h>

static const char next_make[] =
    "give a bundle: a dfu_application.zip of a build, or one of ferry bundle create";

bool bundle_looks_like(const uint8_t *data, size_t len)
{
    return len >= 4 && memcmp(data, "PK\3\4", 4) == 0;
}

static void fill_items(struct bundle *bundle)
{
    bundle->count = bundle->manifest.count;
    for (size_t i = 0; i < bundle->count; i++) {
        const struct manifest_file *what = &bundle->manifest.files[i];
        bundle->items[i] = (struct bundle_item){what, archive_find(&bundle->archive, what->file)};
    }
}

static int open_manifest(const struct cli *cli, const char *path, struct bundle *bundle)
{
    char why[MANIFEST_WHY_MAX];
    const struct archive_file *file = archive_find(&bundle->archive, MANIFEST_NAME);
    if (file == NULL) {
        return cli_fail_why(cli, CLI_VERIFY, "it has no " MANIFEST_NAME, next_make,
                            "%s is no bundle", path);
    }
    if (file->damaged) {
        return cli_fail_why(cli, CLI_VERIFY, "its checksum is wrong", "get the bundle again",
                            "the manifest of %s is damaged", path);
    }
    return manifest_read(file->data, file->len, &bundle->manifest, why) == FERRY_OK
               ? CLI_OK
               : cli_fail_why(cli, CLI_VERIFY, why, next_make, "the manifest of %s is not usable",
                              path);
}

int bundle_open_bytes(const struct cli *cli, const char *path, const struct cli_buffer *bytes,
                      struct bundle *bundle)
{
    char why[ARCHIVE_WHY_MAX];
    *bundle = (struct bundle){0};
    if (archive_read(bytes->data, bytes->len, &bundle->archive, why) != FERRY_OK) {
        return cli_fail_why(cli, CLI_VERIFY, why, next_make, "%s is no usable bundle", path);
    }
    int code = open_manifest(cli, path, bundle);
    if (code != CLI_OK) {
        bundle_free(bundle);
        return code;
    }
    fill_items(bundle);
    return CLI_OK;
}

int bundle_open(const struct cli *cli, const char *path, struct bundle *bundle)
{
    struct cli_buffer bytes;
    *bundle = (struct bundle){0};
    cli_keep_file(path);
    int code = cli_read_file(cli, path, &bytes);
    if (code == CLI_OK) {
        code = bundle_open_bytes(cli, path, &bytes, bundle);
        cli_buffer_free(&bytes);
    }
    return code;
}

const char *bundle_item_fault(const struct bundle_item *item, char text[BUNDLE_TEXT_MAX])
{
    const struct manifest_file *what = item->what;
    if (item->stored == NULL) {
        snprintf(text, BUNDLE_TEXT_MAX, "%s is named by the manifest and not there", what->file);
        return text;
    }
    if (item->stored->damaged) {
        snprintf(text, BUNDLE_TEXT_MAX, "%s is damaged: its checksum is wrong", what->file);
        return text;
    }
    if (what->has_size && what->size != item->stored->len) {
        snprintf(text, BUNDLE_TEXT_MAX, "%s has %zu bytes, and the manifest says %llu", what->file,
                 item->stored->len, (unsigned long long)what->size);
        return text;
    }
    return NULL;
}

int bundle_read(const struct cli *cli, const char *path, struct bundle *bundle)
{
    char text[BUNDLE_TEXT_MAX];
    int code = bundle_open(cli, path, bundle);
    for (size_t i = 0; i < bundle->count && code == CLI_OK; i++) {
        const char *fault = bundle_item_fault(&bundle->items[i], text);
        if (fault != NULL) {
            code = cli_fail_why(cli, CLI_VERIFY, fault, "get the bundle again, or make it anew",
                                "%s is not whole", path);
            bundle_free(bundle);
        }
    }
    return code;
}

void bundle_free(struct bundle *bundle)
{
    archive_free(&bundle->archive);
    manifest_free(&bundle->manifest);
    bundle->count = 0;
}
