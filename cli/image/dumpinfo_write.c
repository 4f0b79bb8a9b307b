/* SPDX-License-Identifier: Apache-2.0 */
/* JSON and YAML as Python's json and PyYAML write them, and text. */
#include "dumpinfo.h"
#include "flag_names.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "ferry/base64.h"

static void indent(FILE *out, int depth)
{
    fprintf(out, "%*s", 2 * depth, "");
}

static bool is_container(const cJSON *item)
{
    return cJSON_IsObject(item) || cJSON_IsArray(item);
}

/* ---- JSON ------------------------------------------------------------------------------------ */

static void write_json(const cJSON *item, int depth, FILE *out);

static void write_json_members(const cJSON *item, int depth, FILE *out)
{
    bool object = cJSON_IsObject(item);
    const cJSON *member;
    fputs(object ? "{" : "[", out);
    cJSON_ArrayForEach(member, item)
    {
        fputs(member == item->child ? "\n" : ",\n", out);
        indent(out, depth + 1);
        if (object) {
            fprintf(out, "\"%s\": ", member->string);
        }
        write_json(member, depth + 1, out);
    }
    if (item->child != NULL) {
        fputc('\n', out);
        indent(out, depth);
    }
    fputs(object ? "}" : "]", out);
}

static void write_json(const cJSON *item, int depth, FILE *out)
{
    if (is_container(item)) {
        write_json_members(item, depth, out);
    } else if (cJSON_IsRaw(item)) {
        fprintf(out, "\"%s\"", item->valuestring);
    } else {
        char *text = cJSON_PrintUnformatted(item);
        fputs(text != NULL ? text : "null", out);
        cJSON_free(text);
    }
}

/* ---- YAML ------------------------------------------------------------------------------------ */

/* Whether a text needs no quotes: a letter, then letters, digits and what means nothing in YAML;
 * and none of the words that do. */
static bool is_plain(const char *text)
{
    static const char *const words[] = {"true", "false", "yes", "no", "on",
                                        "off",  "null",  "y",   "n"};
    for (size_t i = 0; i < sizeof words / sizeof words[0]; i++) {
        if (strcasecmp(text, words[i]) == 0) {
            return false;
        }
    }
    if (!isalpha((unsigned char)text[0])) {
        return false;
    }
    for (const char *c = text; *c != '\0'; c++) {
        if (!isalnum((unsigned char)*c) && strchr("._-+/", *c) == NULL) {
            return false;
        }
    }
    return true;
}

static void write_yaml_text(const cJSON *item, FILE *out)
{
    /* A version begins with a digit, and is no number with its dots and its plus. */
    if (is_plain(item->valuestring) || strcmp(item->string, "version") == 0) {
        fprintf(out, " %s\n", item->valuestring);
        return;
    }
    char *text = cJSON_PrintUnformatted(item);
    fprintf(out, " %s\n", text != NULL ? text : "\"\"");
    cJSON_free(text);
}

/* Lines of 76 characters, which are 57 bytes. */
static void write_yaml_bytes(const cJSON *item, int depth, FILE *out)
{
    size_t len = strlen(item->valuestring) / 2;
    uint8_t *data = malloc(len + 1);
    if (data == NULL || len == 0 || cli_unhex(item->valuestring, data, len) < 0) {
        fputs(" !!binary \"\"\n", out);
        free(data);
        return;
    }
    fputs(" !!binary |\n", out);
    for (size_t at = 0; at < len; at += 57) {
        char line[80];
        size_t part = len - at < 57 ? len - at : 57;
        line[ferry_base64_encode(data + at, part, line)] = '\0';
        indent(out, depth);
        fprintf(out, "%s\n", line);
    }
    free(data);
}

static void write_yaml(const cJSON *object, int depth, FILE *out);

static void write_yaml_value(const cJSON *item, int depth, FILE *out)
{
    const cJSON *row;
    if (is_container(item) && item->child == NULL) {
        fputs(cJSON_IsObject(item) ? " {}\n" : " []\n", out);
    } else if (cJSON_IsObject(item)) {
        fputc('\n', out);
        write_yaml(item, depth + 1, out);
    } else if (cJSON_IsArray(item)) {
        fputc('\n', out);
        cJSON_ArrayForEach(row, item)
        {
            /* The first key stands behind the dash. */
            indent(out, depth);
            fputs("- ", out);
            write_yaml(row, depth + 1, out);
        }
    } else if (cJSON_IsRaw(item)) {
        write_yaml_bytes(item, depth + 1, out);
    } else if (cJSON_IsString(item)) {
        write_yaml_text(item, out);
    } else {
        fprintf(out, " %.0f\n", item->valuedouble);
    }
}

/* The members of an object; what stands in a list begins on the line of its dash. */
static void write_yaml(const cJSON *object, int depth, FILE *out)
{
    const cJSON *item;
    cJSON_ArrayForEach(item, object)
    {
        if (item != object->child || object->string != NULL) {
            indent(out, depth);
        }
        fprintf(out, "%s:", item->string);
        write_yaml_value(item, depth, out);
    }
}

/* ---- Text ------------------------------------------------------------------------------------ */

static void write_flags(uint32_t flags, FILE *out)
{
    fprintf(out, "0x%x", (unsigned)flags);
    for (const struct flag_name *row = flag_names; row->name != NULL; row++) {
        if ((flags & row->flag) != 0) {
            fprintf(out, " %s", row->name);
        }
    }
    fputc('\n', out);
}

static void write_field(const cJSON *item, FILE *out)
{
    fprintf(out, "  %-19s ", item->string);
    if (cJSON_IsString(item) || cJSON_IsRaw(item)) {
        fprintf(out, "%s\n", item->valuestring);
    } else if (strcmp(item->string, "flags") == 0) {
        write_flags((uint32_t)item->valuedouble, out);
    } else if (strcmp(item->string, "image_ok") == 0 || strcmp(item->string, "copy_done") == 0) {
        static const char *const names[] = {"", " SET", " BAD", " UNSET", " ANY"};
        unsigned value = (unsigned)item->valuedouble;
        fprintf(out, "0x%x%s\n", value, value < 5 ? names[value] : value == 0xff ? " erased" : "");
    } else {
        fprintf(out, "0x%x\n", (unsigned)item->valuedouble);
    }
}

static void write_fields(const char *title, const cJSON *object, FILE *out)
{
    const cJSON *item;
    if (object == NULL || object->child == NULL) {
        return;
    }
    fprintf(out, "%s\n", title);
    cJSON_ArrayForEach(item, object)
    {
        write_field(item, out);
    }
}

static void write_tlvs(const char *title, const cJSON *area, const cJSON *list, FILE *out)
{
    const cJSON *row;
    write_fields(title, area, out);
    cJSON_ArrayForEach(row, list)
    {
        fprintf(out, "  %-19s type 0x%x, len 0x%x: %s\n",
                cJSON_GetObjectItem(row, "type_name")->valuestring,
                (unsigned)cJSON_GetObjectItem(row, "type")->valuedouble,
                (unsigned)cJSON_GetObjectItem(row, "len")->valuedouble,
                cJSON_GetObjectItem(row, "data")->valuestring);
    }
}

static void write_text(const cJSON *info, FILE *out)
{
    const cJSON *areas = cJSON_GetObjectItem(info, "tlv_area");
    fprintf(out, "%s\n", cJSON_GetObjectItem(info, "filename")->valuestring);
    write_fields("header", cJSON_GetObjectItem(info, "header"), out);
    write_tlvs("protected TLV area", cJSON_GetObjectItem(areas, "tlv_hdr_prot"),
               cJSON_GetObjectItem(areas, "tlvs_prot"), out);
    write_tlvs("TLV area", cJSON_GetObjectItem(areas, "tlv_hdr"),
               cJSON_GetObjectItem(areas, "tlvs"), out);
    write_fields("trailer", cJSON_GetObjectItem(info, "trailer"), out);
}

void dumpinfo_write(const cJSON *info, enum dumpinfo_format format, FILE *out)
{
    switch (format) {
    case DUMPINFO_HUMAN:
        write_text(info, out);
        break;
    case DUMPINFO_YAML:
        write_yaml(info, 0, out);
        break;
    case DUMPINFO_JSON:
        write_json(info, 0, out);
        break;
    }
}
