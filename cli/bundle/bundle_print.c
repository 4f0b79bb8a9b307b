/* SPDX-License-Identifier: Apache-2.0 */
#include "bundle_print.h"

#include <string.h>
#include <time.h>

/* What one row says; texts are those of the bundle, or in here. */
struct row {
    char slot[4];
    char version[FERRY_VERSION_TEXT_MAX];
    char hash[2 * FERRY_IMAGE_DIGEST_MAX + 1];
    const char *state;
};

static const char *state_of(const struct bundle_item *item, bool is_image)
{
    char text[BUNDLE_TEXT_MAX];
    if (item->stored == NULL) {
        return "missing";
    }
    return bundle_item_fault(item, text) != NULL ? "damaged" : is_image ? "image" : "no image";
}

static void fill(struct row *row, const struct bundle_item *item, const struct image_file *image)
{
    *row = (struct row){.slot = "-", .state = state_of(item, image != NULL)};
    if (item->what->has_slot) {
        snprintf(row->slot, sizeof row->slot, "%u", item->what->slot);
    }
    if (image != NULL) {
        ferry_version_text(&image->info.header.version, row->version);
        cli_hex(image->info.digest, image->info.digest_len, row->hash);
    }
}

static const char *or_dash(const char *text)
{
    return text[0] != '\0' ? text : "-";
}

/* The longest of a column, and at least its title. */
static int widest(const struct bundle *bundle, size_t offset, const char *title)
{
    size_t most = strlen(title);
    for (size_t i = 0; i < bundle->count; i++) {
        const char *text;
        memcpy(&text, (const char *)bundle->items[i].what + offset, sizeof text);
        most = strlen(text) > most ? strlen(text) : most;
    }
    return (int)(most < 40 ? most : 40);
}

static void print_title(FILE *out, const char *path, const struct bundle *bundle)
{
    const struct manifest *manifest = &bundle->manifest;
    char date[32] = "";
    time_t when = (time_t)manifest->time;
    struct tm tm;
    if (manifest->has_time && manifest->time < 253402300800U && gmtime_r(&when, &tm) != NULL) {
        (void)strftime(date, sizeof date, ", made %Y-%m-%d %H:%M UTC", &tm);
    }
    fprintf(out, "%s: %zu file%s in install order%s%.80s%s\n", path, bundle->count,
            bundle->count == 1 ? "" : "s", manifest->name[0] != '\0' ? ", " : "", manifest->name,
            date);
}

void bundle_print(FILE *out, const char *path, const struct bundle *bundle,
                  const struct bundle_images *images)
{
    int type = widest(bundle, offsetof(struct manifest_file, type), "type");
    int board = widest(bundle, offsetof(struct manifest_file, board), "board");
    print_title(out, path, bundle);
    fprintf(out, "%3s %5s %4s %-14s %9s %-*s %-*s %s\n", "#", "image", "slot", "version", "bytes",
            type, "type", board, "board", "file");
    for (size_t i = 0; i < bundle->count; i++) {
        const struct bundle_item *item = &bundle->items[i];
        const struct manifest_file *what = item->what;
        struct row row;
        fill(&row, item, images->is_image[i] ? &images->files[i] : NULL);
        bool good = strcmp(row.state, "image") == 0;
        fprintf(out, "%3zu %5u %4s %-14s %9zu %-*.40s %-*.40s %s%s%s\n", i + 1, what->image,
                row.slot, or_dash(row.version), item->stored != NULL ? item->stored->len : 0, type,
                or_dash(what->type), board, or_dash(what->board), what->file, good ? "" : "  ",
                good ? "" : row.state);
        if (row.hash[0] != '\0') {
            fprintf(out, "    hash: %s\n", row.hash);
        }
    }
}

static cJSON *item_json(const struct bundle_item *item, const struct image_file *image,
                        size_t order)
{
    const struct manifest_file *what = item->what;
    struct row row;
    cJSON *object = cJSON_CreateObject();
    fill(&row, item, image);
    cJSON_AddNumberToObject(object, "order", (double)order);
    cJSON_AddNumberToObject(object, "image", what->image);
    if (what->has_slot) {
        cJSON_AddNumberToObject(object, "slot", what->slot);
    }
    cJSON_AddStringToObject(object, "file", what->file);
    cJSON_AddStringToObject(object, "state", row.state);
    if (item->stored != NULL) {
        cJSON_AddNumberToObject(object, "size", (double)item->stored->len);
    }
    if (image != NULL) {
        cJSON_AddStringToObject(object, "version", row.version);
        cJSON_AddStringToObject(object, "hash", row.hash);
    }
    cJSON_AddStringToObject(object, "type", what->type);
    cJSON_AddStringToObject(object, "board", what->board);
    cJSON_AddStringToObject(object, "soc", what->soc);
    if (what->has_address) {
        cJSON_AddNumberToObject(object, "load_address", what->load_address);
    }
    return object;
}

cJSON *bundle_json(const char *path, const struct bundle *bundle,
                   const struct bundle_images *images)
{
    cJSON *object = cJSON_CreateObject();
    cJSON_AddStringToObject(object, "bundle", path);
    cJSON_AddStringToObject(object, "name", bundle->manifest.name);
    if (bundle->manifest.has_format) {
        cJSON_AddNumberToObject(object, "format_version", (double)bundle->manifest.format);
    }
    if (bundle->manifest.has_time) {
        cJSON_AddNumberToObject(object, "time", (double)bundle->manifest.time);
    }
    cJSON *files = cJSON_AddArrayToObject(object, "files");
    for (size_t i = 0; i < bundle->count; i++) {
        const struct image_file *image = images->is_image[i] ? &images->files[i] : NULL;
        cJSON_AddItemToArray(files, item_json(&bundle->items[i], image, i + 1));
    }
    return object;
}
