/* SPDX-License-Identifier: Apache-2.0 */
#include "log_print.h"

#include "ask.h"
#include "cli/packet/cbor_json.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

static const char *level_name(uint64_t level)
{
    static const char *const names[] = {"debug", "info", "warning", "error", "critical"};
    return level < sizeof names / sizeof names[0] ? names[level] : NULL;
}

static const char *type_name(uint64_t type)
{
    static const char *const names[] = {"stream", "memory", "storage"};
    return type < sizeof names / sizeof names[0] ? names[type] : "unknown";
}

/* A message as JSON: a text, what its CBOR says, or "h'0a0b'". */
static cJSON *message(const char *type, const char *bytes, size_t len)
{
    struct ferry_bytes span = {(const uint8_t *)bytes, len};
    if (strcmp(type, "cbor") == 0) {
        cJSON *item = cbor_json_read(span);
        if (item != NULL) {
            return item;
        }
    } else if (strcmp(type, "bin") != 0 && ask_is_text(span)) {
        return cJSON_CreateString(bytes);
    }
    char *hex = cbor_json_bytes(span.data, len);
    cJSON *item = hex != NULL ? cJSON_CreateString(hex) : NULL;
    free(hex);
    return item;
}

/* ---- For people: mcumgr's columns --------------------------------------------------------- */

static void print_heading(struct log_print *print, const struct ferry_log_entry *entry)
{
    char name[FERRY_ANSWER_NAME_MAX];
    memcpy(name, entry->log, sizeof name);
    cli_printable(name);
    printf("Name: %s\nType: %s\n%10s %22s | %11s %11s %6s %s\n", name, type_name(entry->log_type),
           "[index]", "[timestamp]", "[module]", "[level]", "[type]", "[message]");
    memcpy(print->log, entry->log, sizeof print->log);
}

/* A text in one line, without the line end that many devices put behind it. */
static void print_line(const char *text)
{
    size_t len = strlen(text);
    while (len > 0 && (text[len - 1] == '\n' || text[len - 1] == '\r')) {
        len--;
    }
    for (size_t i = 0; i < len; i++) {
        char c[2] = {text[i], '\0'};
        cli_printable(c);
        putchar(c[0] == '\n' ? ' ' : c[0]);
    }
    puts("");
}

static void print_human(struct log_print *print, const struct ferry_log_entry *entry,
                        const cJSON *msg)
{
    char number[24];
    char type[sizeof entry->type];
    const char *level = level_name(entry->level);

    if (!print->any || strcmp(print->log, entry->log) != 0) {
        print_heading(print, entry);
    }
    snprintf(number, sizeof number, "%" PRIu64, entry->level);
    memcpy(type, entry->type, sizeof type);
    cli_printable(type);
    printf("%10" PRIu64 " %20" PRId64 "us | %11" PRIu64 " %11s %6s ", entry->index, entry->ts,
           entry->module, level != NULL ? level : number, type);
    if (cJSON_IsString(msg)) {
        print_line(msg->valuestring);
        return;
    }
    char *json = cbor_json_print(msg, false);
    puts(json != NULL ? json : "");
    cJSON_free(json);
}

/* ---- JSON ----------------------------------------------------------------------------------- */

/* The entries of a log, which is added when it is new. */
static cJSON *entries_of(cJSON *logs, const struct ferry_log_entry *entry)
{
    cJSON *log;
    cJSON_ArrayForEach(log, logs)
    {
        const char *name = cJSON_GetStringValue(cJSON_GetObjectItemCaseSensitive(log, "name"));
        if (name != NULL && strcmp(name, entry->log) == 0) {
            return cJSON_GetObjectItemCaseSensitive(log, "entries");
        }
    }
    log = cJSON_CreateObject();
    cJSON_AddStringToObject(log, "name", entry->log);
    ask_add_number(log, "type", entry->log_type);
    cJSON *entries = cJSON_AddArrayToObject(log, "entries");
    cJSON_AddItemToArray(logs, log);
    return entries;
}

static void add_json(struct log_print *print, const struct ferry_log_entry *entry, cJSON *msg)
{
    cJSON *row = cJSON_CreateObject();
    cJSON_AddStringToObject(row, "type", entry->type);
    ask_add_signed(row, "ts", entry->ts);
    ask_add_number(row, "level", entry->level);
    ask_add_number(row, "index", entry->index);
    ask_add_number(row, "module", entry->module);
    if (entry->image_hash.len > 0 && entry->image_hash.len <= 64) {
        char hex[129];
        cli_hex(entry->image_hash.data, entry->image_hash.len, hex);
        cJSON_AddStringToObject(row, "imghash", hex);
    }
    cJSON_AddItemToObject(row, "msg", msg);
    cJSON_AddItemToArray(entries_of(print->logs, entry), row);
}

int log_print_entry(struct log_print *print, const struct ferry_log_entry *entry)
{
    size_t len;
    char *bytes = ask_copy(&entry->msg, &len);
    cJSON *msg = bytes != NULL ? message(entry->type, bytes, len) : NULL;
    free(bytes);
    if (msg == NULL) {
        return CLI_NO_ANSWER;
    }
    if (print->json) {
        add_json(print, entry, msg);
    } else {
        print_human(print, entry, msg);
        cJSON_Delete(msg);
    }
    print->any = true;
    return CLI_OK;
}
