/* SPDX-License-Identifier: Apache-2.0 */
#include "packet_view.h"
#include "cbor_json.h"
#include "cli/cli.h"
#include "packet_names.h"

#include <stdlib.h>
#include <string.h>

/* ---- Looking --------------------------------------------------------------------------------- */

static bool is_answer(const struct packet_view *view)
{
    return view->has_header && view->header.op % 2 == 1;
}

/* The application's groups may hold what they like. */
static bool may_be_anything(const struct packet_view *view)
{
    return view->header.group >= FERRY_SMP_GROUP_USER;
}

static void look_at_payload(struct packet_view *view)
{
    struct ferry_cbor_reader reader;
    int error;

    if (view->payload.len == 0) {
        return;
    }
    ferry_cbor_reader_init(&reader, view->payload);
    view->map = cbor_json_next(&reader, &error);
    view->behind = view->map != NULL ? (size_t)(reader.end - reader.next) : 0;
    if (may_be_anything(view)) {
        if (view->behind > 0) {
            cJSON_Delete(view->map);
            view->map = NULL;
            view->behind = 0;
        }
    } else if (view->problem[0] != '\0') {
        return;
    } else if (error != FERRY_OK) {
        snprintf(view->problem, sizeof view->problem, "the payload is no CBOR: %s",
                 ferry_error_text(error));
    } else if (!cJSON_IsObject(view->map)) {
        snprintf(view->problem, sizeof view->problem, "the payload is no map");
    }
}

static void look_at_header(struct packet_view *view)
{
    const struct ferry_smp_header *header = &view->header;
    size_t have = view->bytes.len - FERRY_SMP_HEADER_SIZE;

    if (header->op > FERRY_SMP_WRITE_RSP) {
        snprintf(view->problem, sizeof view->problem, "operation %u is none (0 to 3)",
                 (unsigned)header->op);
    } else if (have < header->length) {
        snprintf(view->problem, sizeof view->problem,
                 "the header announces %u bytes of payload, %zu are there",
                 (unsigned)header->length, have);
    } else if (header->version > FERRY_SMP_VERSION_2) {
        snprintf(view->problem, sizeof view->problem, "SMP version %u is none (1 or 2)",
                 header->version + 1u);
    }
}

void packet_look(struct ferry_bytes bytes, struct packet_view *view, struct ferry_bytes *rest)
{
    struct ferry_bytes behind = {NULL, 0};

    *view = (struct packet_view){.bytes = bytes};
    view->has_header = bytes.len >= FERRY_SMP_HEADER_SIZE;
    if (ferry_smp_packet_read(bytes, &view->header, &view->payload, &behind) == FERRY_OK) {
        view->bytes.len = bytes.len - behind.len;
    } else if (view->has_header) {
        view->payload = (struct ferry_bytes){bytes.data + FERRY_SMP_HEADER_SIZE,
                                             bytes.len - FERRY_SMP_HEADER_SIZE};
    } else {
        snprintf(view->problem, sizeof view->problem, "%zu bytes are no header, which has 8",
                 bytes.len);
    }
    if (view->has_header) {
        look_at_header(view);
    }
    if (view->has_header && view->payload.len == view->header.length) {
        look_at_payload(view);
    }
    if (rest != NULL) {
        *rest = behind;
    }
}

void packet_view_free(struct packet_view *view)
{
    cJSON_Delete(view->map);
    view->map = NULL;
}

bool packet_refuses(const struct packet_view *view, struct ferry_smp_status *status,
                    struct ferry_smp_words *words)
{
    if (!is_answer(view) || !cJSON_IsObject(view->map) ||
        ferry_smp_status_read(view->payload, status) != FERRY_OK || status->rc == FERRY_RC_OK) {
        return false;
    }
    *words = status->grouped ? ferry_smp_group_words(status->group, status->rc)
                             : ferry_smp_rc_words(status->rc);
    return true;
}

/* ---- JSON ------------------------------------------------------------------------------------ */

static void add_hex(cJSON *object, const char *key, struct ferry_bytes bytes)
{
    char *hex = malloc(2 * bytes.len + 1);

    if (hex != NULL) {
        cli_hex(bytes.data, bytes.len, hex);
        cJSON_AddStringToObject(object, key, hex);
    }
    free(hex);
}

static void add_name(cJSON *object, const char *key, const char *name)
{
    if (name != NULL) {
        cJSON_AddStringToObject(object, key, name);
    }
}

static void add_header(cJSON *object, const struct ferry_smp_header *header)
{
    cJSON_AddStringToObject(object, "op", packet_op_name(header->op));
    cJSON_AddNumberToObject(object, "version", header->version + 1);
    if (header->flags != 0) {
        cJSON_AddNumberToObject(object, "flags", header->flags);
    }
    cJSON_AddNumberToObject(object, "group", header->group);
    add_name(object, "group_name", packet_group_name(header->group));
    cJSON_AddNumberToObject(object, "id", header->id);
    add_name(object, "command", packet_command_name(header->group, header->id));
    cJSON_AddNumberToObject(object, "seq", header->seq);
    cJSON_AddNumberToObject(object, "length", header->length);
}

static void add_refusal(cJSON *object, const struct packet_view *view)
{
    struct ferry_smp_status status;
    struct ferry_smp_words words;

    if (packet_refuses(view, &status, &words)) {
        cJSON *refused = cJSON_AddObjectToObject(object, "refused");

        cJSON_AddStringToObject(refused, "name", words.name);
        cJSON_AddStringToObject(refused, "cause", words.cause);
    }
}

void packet_add_json(cJSON *object, const struct packet_view *view)
{
    if (view->has_header) {
        add_header(object, &view->header);
    }
    if (view->map != NULL) {
        cJSON_AddItemToObject(object, "payload", cJSON_Duplicate(view->map, 1));
    } else if (view->payload.len > 0) {
        add_hex(object, "payload_hex", view->payload);
    }
    if (view->behind > 0) {
        cJSON_AddNumberToObject(object, "behind", (double)view->behind);
    }
    add_refusal(object, view);
    if (view->problem[0] != '\0') {
        cJSON_AddStringToObject(object, "problem", view->problem);
        add_hex(object, "hex", view->bytes);
    }
}

/* ---- A line ---------------------------------------------------------------------------------- */

/* Cut text to len bytes and put a note behind it. */
static void cut(cJSON *json, size_t len, size_t of)
{
    size_t room = len + 48;
    char *shorter = cJSON_malloc(room);

    while (len > 0 && ((uint8_t)json->valuestring[len] & 0xc0) == 0x80) {
        len--; /* not inside a character */
    }
    if (shorter != NULL) {
        snprintf(shorter, room, "%.*s\xe2\x80\xa6 (%zu bytes)", (int)len, json->valuestring, of);
        cJSON_free(json->valuestring);
        json->valuestring = shorter;
    }
}

void packet_shorten(cJSON *json, size_t limit)
{
    for (cJSON *node = json; node != NULL; node = node->next) {
        size_t len = cJSON_IsString(node) ? strlen(node->valuestring) : 0;
        bool bytes = len >= 3 && strncmp(node->valuestring, "h'", 2) == 0 &&
                     node->valuestring[len - 1] == '\'';

        if (bytes && (len - 3) / 2 > limit) {
            cut(node, 2 + 2 * limit, (len - 3) / 2);
        } else if (!bytes && len > 4 * limit) {
            cut(node, 4 * limit, len);
        }
        packet_shorten(node->child, limit);
    }
}

/* "image/upload", with numbers where there are no names. */
static void command_words(const struct ferry_smp_header *header, char *out, size_t cap)
{
    const char *group = packet_group_name(header->group);
    const char *command = packet_command_name(header->group, header->id);
    size_t len;

    if (group != NULL) {
        snprintf(out, cap, "%s/", group);
    } else {
        snprintf(out, cap, "%u/", (unsigned)header->group);
    }
    len = strlen(out);
    if (command != NULL) {
        snprintf(out + len, cap - len, "%s", command);
    } else {
        snprintf(out + len, cap - len, "%u", (unsigned)header->id);
    }
}

/* The payload as text; free it with cJSON_free(). NULL for none. */
static char *payload_text(const struct packet_view *view, size_t limit)
{
    cJSON *copy;

    if (view->map != NULL) {
        copy = cJSON_Duplicate(view->map, 1);
    } else if (view->payload.len > 0) {
        cJSON *holder = cJSON_CreateObject();

        add_hex(holder, "bytes", view->payload);
        copy = cJSON_DetachItemFromObject(holder, "bytes");
        cJSON_Delete(holder);
    } else {
        return NULL;
    }
    if (copy != NULL && limit > 0) {
        packet_shorten(copy, limit);
    }
    char *text = copy != NULL ? cbor_json_print(copy, false) : NULL;
    cJSON_Delete(copy);
    return text;
}

char *packet_line(const struct packet_view *view, size_t limit)
{
    char words[64] = "";
    char head[128] = "no packet";
    struct ferry_smp_status status;
    struct ferry_smp_words refusal = {"", "", ""};
    char *payload = payload_text(view, limit);

    if (view->has_header) {
        command_words(&view->header, words, sizeof words);
        snprintf(head, sizeof head, "%s %s #%u%s", packet_op_name(view->header.op), words,
                 (unsigned)view->header.seq,
                 view->header.version == FERRY_SMP_VERSION_1 ? " v1" : "");
    }
    bool refused = packet_refuses(view, &status, &refusal);
    size_t cap = sizeof head + 300 + (payload != NULL ? strlen(payload) : 0);
    char *line = cJSON_malloc(cap);

    if (line != NULL) {
        snprintf(line, cap, "%s%s%s%s%s%s%s%s%s", head, payload != NULL ? " " : "",
                 payload != NULL ? payload : "", refused ? " = " : "", refusal.name,
                 refused ? ": " : "", refusal.cause, view->problem[0] != '\0' ? "  DAMAGED: " : "",
                 view->problem);
    }
    cJSON_free(payload);
    return line;
}
