/* SPDX-License-Identifier: Apache-2.0 */
#include "manifest.h"

#include <ctype.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define IMAGE_MAX  255U
#define NUMBER_MAX 999999999999999U /* 15 digits, which cJSON keeps and writes */

__attribute__((format(printf, 3, 4))) static int refuse(char why[MANIFEST_WHY_MAX], int error,
                                                        const char *format, ...)
{
    va_list args;
    va_start(args, format);
    vsnprintf(why, MANIFEST_WHY_MAX, format, args);
    va_end(args);
    return error;
}

/* ---- The text ----------------------------------------------------------------------- */

/* How many bytes the UTF-8 character at the beginning has; 0 = it is none. */
static size_t utf8_len(const uint8_t *at, size_t left)
{
    uint8_t first = at[0];
    size_t len = first < 0x80 ? 1 : first < 0xc2 ? 0 : first < 0xe0 ? 2 : first < 0xf0 ? 3 : 4;
    if (first > 0xf4 || len == 0 || len > left) {
        return 0;
    }
    for (size_t i = 1; i < len; i++) {
        if ((at[i] & 0xc0) != 0x80) {
            return 0;
        }
    }
    bool overlong = (first == 0xe0 && at[1] < 0xa0) || (first == 0xf0 && at[1] < 0x90);
    bool beyond = (first == 0xed && at[1] > 0x9f) || (first == 0xf4 && at[1] > 0x8f);
    return overlong || beyond ? 0 : len;
}

static bool is_utf8(const uint8_t *text, size_t len)
{
    for (size_t at = 0, n; at < len; at += n) {
        n = utf8_len(text + at, len - at);
        if (n == 0) {
            return false;
        }
    }
    return true;
}

/* A bare 0x1234, which is no JSON and which Nordic's own apps had to learn: in its place the same
 * number in decimal, never longer, and blanks. Returns what follows. */
static char *to_decimal(char *hex)
{
    char decimal[16];
    char *end;
    unsigned long long value = strtoull(hex, &end, 16);
    size_t len = (size_t)(end - hex);
    int n = snprintf(decimal, sizeof decimal, "%llu", value);
    if (len > 10 || n < 0 || (size_t)n > len) {
        return end;
    }
    memset(hex, ' ', len);
    memcpy(hex, decimal, (size_t)n);
    return end;
}

static bool is_hex(const char *at)
{
    return at[0] == '0' && (at[1] | 32) == 'x' && isxdigit((unsigned char)at[2]);
}

static void rewrite_hex(char *text)
{
    bool quoted = false;
    for (char *at = text; *at != '\0';) {
        if (quoted && at[0] == '\\' && at[1] != '\0') {
            at += 2;
        } else if (!quoted && is_hex(at) && (at == text || !isalnum((unsigned char)at[-1]))) {
            at = to_decimal(at);
        } else {
            quoted = *at == '"' ? !quoted : quoted;
            at++;
        }
    }
}

static int parse_json(const uint8_t *data, size_t len, cJSON **root, char why[MANIFEST_WHY_MAX])
{
    static const uint8_t mark[3] = {0xef, 0xbb, 0xbf};
    size_t skip = len >= sizeof mark && memcmp(data, mark, sizeof mark) == 0 ? sizeof mark : 0;
    data += skip;
    len -= skip;
    if (!is_utf8(data, len) || memchr(data, '\0', len) != NULL) {
        return refuse(why, FERRY_E_FORMAT, "it is no UTF-8 text");
    }
    char *text = malloc(len + 1);
    if (text == NULL) {
        return refuse(why, FERRY_E_SPACE, "there is no memory for it");
    }
    memcpy(text, data, len);
    text[len] = '\0';
    rewrite_hex(text);
    const char *end = NULL;
    *root = cJSON_ParseWithOpts(text, &end, true);
    size_t at = end != NULL ? (size_t)(end - text) : 0;
    free(text);
    return *root != NULL ? FERRY_OK
                         : refuse(why, FERRY_E_FORMAT, "it is no JSON from byte %zu on", at + skip);
}

/* ---- Values ------------------------------------------------------------------------- */

static void make_printable(char *text)
{
    for (; *text != '\0'; text++) {
        if (iscntrl((unsigned char)*text)) {
            *text = '.';
        }
    }
}

/* A text, or the text of a number; "" for anything else. It stays in the object. */
static const char *take_text(cJSON *object, const char *key)
{
    cJSON *item = cJSON_GetObjectItemCaseSensitive(object, key);
    char number[32];
    if (cJSON_IsNumber(item)) {
        snprintf(number, sizeof number, "%.15g", item->valuedouble);
        cJSON *text = cJSON_CreateString(number);
        if (text == NULL || !cJSON_ReplaceItemInObjectCaseSensitive(object, key, text)) {
            return "";
        }
        item = text;
    }
    if (!cJSON_IsString(item) || item->valuestring == NULL) {
        return "";
    }
    make_printable(item->valuestring);
    return item->valuestring;
}

/* A number or the text of one, decimal or with 0x. Returns 1; 0 when there is none (also null and
 * ""); FERRY_E_RANGE for anything else, or above max. */
static int take_number(const cJSON *object, const char *key, uint64_t max, uint64_t *value)
{
    const cJSON *item = cJSON_GetObjectItemCaseSensitive(object, key);
    if (item == NULL || cJSON_IsNull(item) ||
        (cJSON_IsString(item) && item->valuestring[0] == '\0')) {
        return 0;
    }
    if (cJSON_IsNumber(item)) {
        double d = item->valuedouble;
        if (!(d >= 0 && d <= (double)NUMBER_MAX) || (double)(uint64_t)d != d || (uint64_t)d > max) {
            return FERRY_E_RANGE;
        }
        *value = (uint64_t)d;
        return 1;
    }
    if (!cJSON_IsString(item) || !isdigit((unsigned char)item->valuestring[0])) {
        return FERRY_E_RANGE;
    }
    const char *text = item->valuestring;
    bool hex = text[0] == '0' && (text[1] | 32) == 'x';
    char *end;
    *value = strtoull(text, &end, hex ? 16 : 10);
    return *end == '\0' && *value <= max ? 1 : FERRY_E_RANGE;
}

/* ---- One file ----------------------------------------------------------------------- */

/* The keys an image's number was written by, the first that is there counts. */
static int take_image(const cJSON *object, struct manifest_file *file)
{
    static const char *const keys[] = {"image_index", "image", "partition"};
    for (size_t i = 0; i < sizeof keys / sizeof keys[0]; i++) {
        uint64_t value;
        int got = take_number(object, keys[i], IMAGE_MAX, &value);
        if (got != 0) {
            file->image = got == 1 ? (uint8_t)value : 0;
            return got;
        }
    }
    return 0;
}

/* Slots are numbered by image, or through all of them: 2 and 3 are those of image 1. */
static int take_slot(const cJSON *object, struct manifest_file *file)
{
    uint64_t value;
    int got = take_number(object, "slot", IMAGE_MAX * MANIFEST_SLOTS, &value);
    file->has_slot = got == 1;
    file->slot = got == 1 ? (uint8_t)(value % MANIFEST_SLOTS) : 0;
    return got;
}

static int take_file(cJSON *object, struct manifest_file *file, size_t number,
                     char why[MANIFEST_WHY_MAX])
{
    uint64_t address = 0;
    *file = (struct manifest_file){0};
    if (!cJSON_IsObject(object)) {
        return refuse(why, FERRY_E_FORMAT, "entry %zu of its files is no object", number);
    }
    file->file = take_text(object, "file");
    file->type = take_text(object, "type");
    file->board = take_text(object, "board");
    file->soc = take_text(object, "soc");
    file->version = take_text(object, "version");
    file->version_mcuboot = take_text(object, "version_MCUBOOT+XIP");
    if (file->version_mcuboot[0] == '\0') {
        file->version_mcuboot = take_text(object, "version_MCUBOOT");
    }
    if (file->file[0] == '\0') {
        return refuse(why, FERRY_E_FORMAT, "entry %zu of its files has no \"file\"", number);
    }
    if (strlen(file->file) > MANIFEST_NAME_LEN) {
        return refuse(why, FERRY_E_TOO_LARGE, "the name of entry %zu is longer than %u bytes",
                      number, MANIFEST_NAME_LEN);
    }
    int size = take_number(object, "size", NUMBER_MAX, &file->size);
    int where = take_number(object, "load_address", UINT32_MAX, &address);
    if (size < 0 || where < 0 || take_image(object, file) < 0 || take_slot(object, file) < 0) {
        return refuse(why, FERRY_E_FORMAT,
                      "size, load_address, image_index or slot of entry %zu is no number", number);
    }
    file->has_size = size == 1;
    file->has_address = where == 1;
    file->load_address = (uint32_t)address;
    return FERRY_OK;
}

static int take_files(const cJSON *root, struct manifest *manifest, char why[MANIFEST_WHY_MAX])
{
    const cJSON *files = cJSON_GetObjectItemCaseSensitive(root, "files");
    if (!cJSON_IsArray(files) || files->child == NULL) {
        return refuse(why, FERRY_E_FORMAT, "it has no list of \"files\"");
    }
    for (cJSON *item = files->child; item != NULL; item = item->next) {
        if (manifest->count == MANIFEST_FILES) {
            return refuse(why, FERRY_E_TOO_LARGE, "it lists more than %u files", MANIFEST_FILES);
        }
        int error = take_file(item, &manifest->files[manifest->count], manifest->count + 1, why);
        if (error != FERRY_OK) {
            return error;
        }
        manifest->count++;
    }
    return FERRY_OK;
}

int manifest_read(const uint8_t *data, size_t len, struct manifest *manifest,
                  char why[MANIFEST_WHY_MAX])
{
    *manifest = (struct manifest){0};
    if (len > MANIFEST_MAX) {
        return refuse(why, FERRY_E_TOO_LARGE, "it has more than 256 KiB");
    }
    int error = parse_json(data, len, &manifest->root, why);
    if (error == FERRY_OK && !cJSON_IsObject(manifest->root)) {
        error = refuse(why, FERRY_E_FORMAT, "it is no JSON object");
    }
    if (error == FERRY_OK) {
        cJSON *root = manifest->root;
        manifest->name = take_text(root, "name");
        manifest->has_format = take_number(root, "format-version", 999, &manifest->format) == 1;
        manifest->has_time = take_number(root, "time", NUMBER_MAX, &manifest->time) == 1;
        error = take_files(root, manifest, why);
    }
    if (error != FERRY_OK) {
        manifest_free(manifest);
    }
    return error;
}

void manifest_free(struct manifest *manifest)
{
    cJSON_Delete(manifest->root);
    *manifest = (struct manifest){0};
}

bool manifest_is_pair(const struct manifest_file *a, const struct manifest_file *b)
{
    if (a->has_slot && b->has_slot) {
        return a->slot != b->slot;
    }
    return !a->has_slot && !b->has_slot && a->has_address && b->has_address &&
           a->load_address != b->load_address;
}
