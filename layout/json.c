/* SPDX-License-Identifier: Apache-2.0 */
/* Reading JSON fields so that every error names its field. */
#include "json.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

void json_reader_init(struct json_reader *reader, char *why, size_t cap)
{
    *reader = (struct json_reader){.why = why, .why_cap = cap};
    why[0] = '\0';
}

bool json_fail(struct json_reader *reader, const char *field, const char *format, ...)
{
    va_list arguments;

    if (reader->failed) {
        return false;
    }
    reader->failed = true;
    const char *name = field != NULL ? field : "";
    const char *dot = field != NULL && reader->where[0] != '\0' ? "." : "";
    const char *colon = field != NULL || reader->where[0] != '\0' ? ": " : "";
    int len = snprintf(reader->why, reader->why_cap, "%s%s%s%s", reader->where, dot, name, colon);
    if (len < 0 || (size_t)len >= reader->why_cap) {
        return false;
    }
    va_start(arguments, format);
    (void)vsnprintf(reader->why + len, reader->why_cap - (size_t)len, format, arguments);
    va_end(arguments);
    return false;
}

void json_at(struct json_reader *reader, const char *array, uint32_t index)
{
    (void)snprintf(reader->where, sizeof(reader->where), "%s[%u]", array, (unsigned)index);
}

static bool is_listed(const char *list, const char *name)
{
    size_t len = strlen(name);

    for (const char *at = list; (at = strstr(at, name)) != NULL; at++) {
        bool begins = at == list || at[-1] == ' ';
        if (begins && len > 0 && (at[len] == ' ' || at[len] == '\0')) {
            return true;
        }
    }
    return false;
}

bool json_only(struct json_reader *reader, const cJSON *object, const char *list)
{
    if (reader->failed) {
        return false;
    }
    if (!cJSON_IsObject(object)) {
        return json_fail(reader, NULL, "an object is needed here; write { … } with %s", list);
    }
    for (const cJSON *item = object->child; item != NULL; item = item->next) {
        if (!is_listed(list, item->string)) {
            return json_fail(reader, NULL, "there is no field \"%.32s\"; the fields are: %s",
                             item->string, list);
        }
        if (cJSON_GetObjectItemCaseSensitive(object, item->string) != item) {
            return json_fail(reader, item->string, "stands here twice; keep one of them");
        }
    }
    return true;
}

bool json_has(const cJSON *object, const char *field)
{
    return cJSON_GetObjectItemCaseSensitive(object, field) != NULL;
}

/* "0x30000", "256K", "1M", "4096". */
static bool parse_size(const char *text, double *value)
{
    char *end = NULL;

    if (text[0] < '0' || text[0] > '9') {
        return false;
    }
    *value = (double)strtoull(text, &end, 0);
    if (strcmp(end, "K") == 0) {
        *value *= 1024;
        return true;
    }
    if (strcmp(end, "M") == 0) {
        *value *= 1024 * 1024;
        return true;
    }
    return *end == '\0';
}

bool json_number(struct json_reader *reader, const cJSON *object, const char *field, uint32_t least,
                 uint32_t most, uint32_t *value)
{
    const cJSON *item = cJSON_GetObjectItemCaseSensitive(object, field);
    double number = 0;

    if (reader->failed) {
        return false;
    }
    if (item == NULL) {
        return json_fail(reader, field, "is missing; give a number from %u to %u", least, most);
    }
    if (cJSON_IsNumber(item)) {
        number = item->valuedouble;
    } else if (!cJSON_IsString(item) || !parse_size(item->valuestring, &number)) {
        return json_fail(reader, field, "is no number; write 4096, \"0x1000\", \"4K\" or \"1M\"");
    }
    if (!(number >= least && number <= most)) {
        return json_fail(reader, field, "is %.0f; give a number from %u to %u", number, least,
                         most);
    }
    *value = (uint32_t)number;
    if ((double)*value != number) {
        return json_fail(reader, field, "is %g; give a whole number", number);
    }
    return true;
}

bool json_text(struct json_reader *reader, const cJSON *object, const char *field, char *out,
               size_t cap)
{
    const cJSON *item = field != NULL ? cJSON_GetObjectItemCaseSensitive(object, field) : object;

    if (reader->failed) {
        return false;
    }
    if (!cJSON_IsString(item) || item->valuestring[0] == '\0') {
        return json_fail(reader, field, "give a text of 1 to %u characters", (unsigned)cap - 1);
    }
    if (strlen(item->valuestring) >= cap) {
        return json_fail(reader, field, "\"%.40s…\" is too long; give at most %u characters",
                         item->valuestring, (unsigned)cap - 1);
    }
    for (const char *c = item->valuestring; *c != '\0'; c++) {
        if ((unsigned char)*c < ' ') {
            return json_fail(reader, field, "has a control character; leave it out");
        }
    }
    memcpy(out, item->valuestring, strlen(item->valuestring) + 1);
    return true;
}

bool json_flag(struct json_reader *reader, const cJSON *object, const char *field, bool *value)
{
    const cJSON *item = cJSON_GetObjectItemCaseSensitive(object, field);

    *value = cJSON_IsTrue(item);
    if (!reader->failed && item != NULL && !cJSON_IsBool(item)) {
        return json_fail(reader, field, "give true or false");
    }
    return !reader->failed;
}

bool json_array(struct json_reader *reader, const cJSON *object, const char *field, uint32_t least,
                uint32_t most, const cJSON **array, uint32_t *count)
{
    const cJSON *item = cJSON_GetObjectItemCaseSensitive(object, field);

    *array = NULL;
    *count = 0;
    if (reader->failed) {
        return false;
    }
    if (item == NULL && least == 0) {
        return true;
    }
    if (!cJSON_IsArray(item)) {
        return json_fail(reader, field, "give a list [ … ] of %u to %u elements", least, most);
    }
    *array = item;
    *count = (uint32_t)cJSON_GetArraySize(item);
    if (*count < least || *count > most) {
        return json_fail(reader, field, "has %u elements; give %u to %u", *count, least, most);
    }
    return true;
}
