/* SPDX-License-Identifier: Apache-2.0 */
#include "manifest.h"

#include <stdio.h>

static void add_text(cJSON *object, const char *key, const char *text)
{
    cJSON_AddStringToObject(object, key, text != NULL ? text : "");
}

/* Numbers that Nordic's build writes as texts, and some apps read only as such. */
static void add_number_text(cJSON *object, const char *key, unsigned value)
{
    char text[16];
    snprintf(text, sizeof text, "%u", value);
    cJSON_AddStringToObject(object, key, text);
}

static void add_file(cJSON *files, const struct manifest *manifest,
                     const struct manifest_file *file)
{
    cJSON *object = cJSON_CreateObject();
    cJSON_AddItemToArray(files, object);
    add_text(object, "type", file->type);
    add_text(object, "board", file->board);
    add_text(object, "soc", file->soc);
    if (file->has_address) {
        cJSON_AddNumberToObject(object, "load_address", file->load_address);
    }
    add_number_text(object, "image_index", file->image);
    if (file->has_slot) {
        add_number_text(object, "slot", file->slot);
        add_text(object, "version_MCUBOOT+XIP", file->version_mcuboot);
    } else {
        add_number_text(object, "slot_index_primary", MANIFEST_SLOTS * file->image + 1U);
        add_number_text(object, "slot_index_secondary", MANIFEST_SLOTS * file->image + 2U);
        add_text(object, "version_MCUBOOT", file->version_mcuboot);
    }
    cJSON_AddNumberToObject(object, "size", (double)file->size);
    add_text(object, "file", file->file);
    cJSON_AddNumberToObject(object, "modtime", (double)manifest->time);
}

char *manifest_write(const struct manifest *manifest)
{
    cJSON *root = cJSON_CreateObject();
    cJSON_AddNumberToObject(root, "format-version", (double)manifest->format);
    cJSON_AddNumberToObject(root, "time", (double)manifest->time);
    cJSON *files = cJSON_AddArrayToObject(root, "files");
    for (size_t i = 0; i < manifest->count; i++) {
        add_file(files, manifest, &manifest->files[i]);
    }
    if (manifest->name != NULL && manifest->name[0] != '\0') {
        add_text(root, "name", manifest->name);
    }
    char *text = cJSON_Print(root);
    cJSON_Delete(root);
    return text;
}
