/* SPDX-License-Identifier: Apache-2.0 */
#include "trace.h"
#include "cli/cli.h"

#include <stdlib.h>
#include <string.h>

static struct ferry_bytes next_line(struct trace_reader *reader)
{
    struct ferry_bytes rest = reader->rest;
    const uint8_t *end = rest.len > 0 ? memchr(rest.data, '\n', rest.len) : NULL;
    size_t len = end != NULL ? (size_t)(end - rest.data) : rest.len;
    size_t taken = len + (end != NULL);

    reader->line++;
    reader->rest = (struct ferry_bytes){rest.data + taken, rest.len - taken};
    return (struct ferry_bytes){rest.data, len};
}

static bool is_blank(struct ferry_bytes line)
{
    for (size_t i = 0; i < line.len; i++) {
        if (line.data[i] != ' ' && line.data[i] != '\r' && line.data[i] != '\t') {
            return false;
        }
    }
    return true;
}

bool trace_begins(struct ferry_bytes bytes)
{
    struct trace_reader reader = {bytes, 0};
    struct ferry_bytes line = next_line(&reader);
    cJSON *json = line.len > 0 && line.data[0] == '{'
                      ? cJSON_ParseWithLength((const char *)line.data, line.len)
                      : NULL;
    bool begins = cJSON_IsNumber(cJSON_GetObjectItemCaseSensitive(json, "ferry_trace"));

    cJSON_Delete(json);
    return begins;
}

static const char *text_of(const cJSON *json, const char *key)
{
    const cJSON *item = cJSON_GetObjectItemCaseSensitive(json, key);

    return cJSON_IsString(item) ? item->valuestring : "";
}

/* The packet of tx and rx. */
static void read_packet(struct trace_event *event)
{
    const char *hex = text_of(event->json, "hex");
    size_t cap = strlen(hex) / 2 + 1;
    int len = -1;

    event->memory = malloc(cap);
    if (event->memory != NULL) {
        len = cli_unhex(hex, event->memory, cap);
    }
    if (len < 0) {
        event->problem = "\"hex\" has no pairs of hexadecimal digits";
        return;
    }
    event->bytes = (struct ferry_bytes){event->memory, (size_t)len};
}

static void read_event(struct trace_event *event)
{
    const cJSON *t = cJSON_GetObjectItemCaseSensitive(event->json, "t");
    const cJSON *number = cJSON_GetObjectItemCaseSensitive(event->json, "n");

    if (!cJSON_IsObject(event->json)) {
        event->problem = "this line is no JSON object; the trace may have been cut off here";
        return;
    }
    event->t = cJSON_IsNumber(t) ? t->valuedouble : 0;
    event->number =
        cJSON_IsNumber(number) && number->valuedouble >= 1 ? (unsigned)number->valueint : 1;
    event->dir = text_of(event->json, "dir");
    event->text = text_of(event->json, "text");
    if (strcmp(event->dir, "tx") == 0 || strcmp(event->dir, "rx") == 0) {
        read_packet(event);
    }
}

bool trace_next(struct trace_reader *reader, struct trace_event *event)
{
    struct ferry_bytes line = {NULL, 0};

    while (reader->rest.len > 0 && is_blank(line)) {
        line = next_line(reader);
    }
    if (is_blank(line)) {
        return false;
    }
    *event = (struct trace_event){.line = reader->line, .dir = "", .text = "", .number = 1};
    event->json = cJSON_ParseWithLength((const char *)line.data, line.len);
    read_event(event);
    return true;
}

void trace_event_free(struct trace_event *event)
{
    cJSON_Delete(event->json);
    free(event->memory);
}
