/* SPDX-License-Identifier: Apache-2.0 */
/* Asking a server in tests. */
#include "test_rig.h"
#include "test_image.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cjson/cJSON.h>
#include <cmocka.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* ---- JSON to CBOR ------------------------------------------------------------ */

static size_t unhex(const char *hex, size_t digits, uint8_t *out, size_t cap)
{
    assert_true(digits % 2 == 0 && digits / 2 <= cap);
    for (size_t i = 0; i < digits / 2; i++) {
        const char pair[3] = {hex[2 * i], hex[2 * i + 1], '\0'};

        out[i] = (uint8_t)strtoul(pair, NULL, 16);
    }
    return digits / 2;
}

static void put_string(struct ferry_cbor_writer *w, const char *text)
{
    size_t len = strlen(text);

    if (strncmp(text, "h'", 2) == 0) {
        uint8_t bytes[RIG_MAX];

        ferry_cbor_put_bytes(w, bytes, unhex(text + 2, len - 3, bytes, sizeof(bytes)));
    } else {
        ferry_cbor_put_text_n(w, text, len);
    }
}

static void put_value(struct ferry_cbor_writer *w, const cJSON *value)
{
    const cJSON *child;

    if (cJSON_IsString(value)) {
        put_string(w, value->valuestring);
    } else if (cJSON_IsNumber(value)) {
        ferry_cbor_put_int(w, (int64_t)value->valuedouble);
    } else if (cJSON_IsBool(value)) {
        ferry_cbor_put_bool(w, cJSON_IsTrue(value));
    } else if (cJSON_IsNull(value)) {
        ferry_cbor_put_null(w);
    } else if (cJSON_IsArray(value)) {
        ferry_cbor_put_list(w, (size_t)cJSON_GetArraySize(value));
        cJSON_ArrayForEach(child, value)
        {
            put_value(w, child);
        }
    } else {
        ferry_cbor_put_map(w, (size_t)cJSON_GetArraySize(value));
        cJSON_ArrayForEach(child, value)
        {
            put_string(w, child->string);
            put_value(w, child);
        }
    }
}

size_t rig_request(uint8_t op, uint8_t version, uint16_t group, uint8_t id, const char *json,
                   uint8_t *out, size_t cap)
{
    struct ferry_smp_header header = {
        .op = op, .version = version, .group = group, .seq = 0x5a, .id = id};
    struct ferry_cbor_writer w;

    assert_true(cap >= FERRY_SMP_HEADER_SIZE);
    ferry_cbor_writer_init(&w, out + FERRY_SMP_HEADER_SIZE, cap - FERRY_SMP_HEADER_SIZE);
    if (json != NULL) {
        cJSON *value = cJSON_Parse(json);

        if (value == NULL) {
            fail_msg("not JSON: %s", json);
        }
        put_value(&w, value);
        cJSON_Delete(value);
    }

    int size = ferry_cbor_writer_result(&w);

    assert_true(size >= 0);
    header.length = (uint16_t)size;
    ferry_smp_header_write(&header, out);
    return FERRY_SMP_HEADER_SIZE + (size_t)size;
}

size_t rig_chunk(int number, struct ferry_bytes file, size_t from, size_t to, uint8_t *out,
                 size_t cap)
{
    struct ferry_smp_header header = {.op = FERRY_SMP_WRITE,
                                      .version = FERRY_SMP_VERSION_2,
                                      .group = FERRY_SMP_GROUP_IMAGE,
                                      .id = FERRY_SMP_IMAGE_UPLOAD};
    struct ferry_cbor_writer w;

    ferry_cbor_writer_init(&w, out + FERRY_SMP_HEADER_SIZE, cap - FERRY_SMP_HEADER_SIZE);
    ferry_cbor_open_map(&w);
    if (number >= 0) {
        ferry_cbor_pair_int(&w, "image", number);
    }
    if (from == 0) {
        ferry_cbor_pair_uint(&w, "len", file.len);
    }
    ferry_cbor_pair_uint(&w, "off", from);
    ferry_cbor_pair_bytes(&w, "data", file.data + from, to - from);
    ferry_cbor_close(&w);
    assert_true(ferry_cbor_writer_result(&w) > 0);
    header.length = (uint16_t)ferry_cbor_writer_result(&w);
    ferry_smp_header_write(&header, out);
    return FERRY_SMP_HEADER_SIZE + (size_t)header.length;
}

void rig_state_json(struct ferry_bytes file, bool confirm, char out[RIG_STATE_MAX])
{
    TEST_ROM(rom, file.data, (uint32_t)file.len);
    struct ferry_image_info info;
    size_t len = (size_t)snprintf(out, RIG_STATE_MAX, "{\"hash\":\"h'");

    assert_int_equal(ferry_image_inspect(&rom.flash, &info), FERRY_OK);
    for (size_t i = 0; i < info.digest_len; i++) {
        len += (size_t)snprintf(out + len, RIG_STATE_MAX - len, "%02x", info.digest[i]);
    }
    (void)snprintf(out + len, RIG_STATE_MAX - len, "'\",\"confirm\":%s}",
                   confirm ? "true" : "false");
}

/* ---- CBOR to JSON ------------------------------------------------------------ */

struct text {
    char *out;
    size_t len;
    size_t cap;
};

__attribute__((format(printf, 2, 3))) static void say(struct text *text, const char *format, ...)
{
    va_list args;

    va_start(args, format);
    int len = vsnprintf(text->out + text->len, text->cap - text->len, format, args);
    va_end(args);
    assert_true(len >= 0 && (size_t)len < text->cap - text->len);
    text->len += (size_t)len;
}

static void say_item(struct text *text, struct ferry_cbor_reader *in);

static void say_container(struct text *text, const struct ferry_cbor_item *item)
{
    bool map = item->kind == FERRY_CBOR_MAP;
    struct ferry_cbor_reader in = ferry_cbor_enter(item);

    say(text, map ? "{" : "[");
    for (bool first = true; !ferry_cbor_at_end(&in); first = false) {
        say(text, first ? "" : ",");
        say_item(text, &in);
        if (map) {
            say(text, ":");
            say_item(text, &in);
        }
    }
    say(text, map ? "}" : "]");
}

static void say_item(struct text *text, struct ferry_cbor_reader *in)
{
    struct ferry_cbor_item item;

    assert_int_equal(ferry_cbor_read(in, &item), FERRY_OK);
    if (item.kind == FERRY_CBOR_MAP || item.kind == FERRY_CBOR_LIST) {
        say_container(text, &item);
    } else if (item.kind == FERRY_CBOR_TEXT) {
        say(text, "\"%.*s\"", (int)item.bytes.len, (const char *)item.bytes.data);
    } else if (item.kind == FERRY_CBOR_BYTES) {
        say(text, "\"h'");
        for (size_t i = 0; i < item.bytes.len; i++) {
            say(text, "%02x", item.bytes.data[i]);
        }
        say(text, "'\"");
    } else if (item.kind == FERRY_CBOR_BOOL) {
        say(text, item.value != 0 ? "true" : "false");
    } else {
        int64_t number;

        assert_int_equal(ferry_cbor_to_int(&item, &number), FERRY_OK);
        say(text, "%lld", (long long)number);
    }
}

void rig_json(struct ferry_bytes item, char *out, size_t cap)
{
    struct text text = {.out = out, .cap = cap};
    struct ferry_cbor_reader in;

    ferry_cbor_reader_init(&in, item);
    say_item(&text, &in);
    assert_true(ferry_cbor_at_end(&in));
}

/* ---- Asking ------------------------------------------------------------------ */

struct ferry_bytes rig_send(const struct ferry_server *server, struct ferry_bytes packet,
                            struct rig_answer *answer)
{
    struct ferry_bytes payload;
    struct ferry_bytes rest;
    struct ferry_bytes whole = {answer->bytes, 0};

    memset(answer, 0, sizeof(*answer));
    answer->size = ferry_server_handle(server, &packet, 3, answer->bytes, sizeof(answer->bytes));
    if (answer->size == 0) {
        return packet;
    }
    whole.len = answer->size;
    assert_int_equal(ferry_smp_packet_read(whole, &answer->header, &payload, &rest), FERRY_OK);
    assert_int_equal(rest.len, 0);
    assert_int_equal(answer->header.flags, 0);
    assert_int_equal(payload.data[0], 0xbf);
    assert_int_equal(payload.data[payload.len - 1], 0xff);
    rig_json(payload, answer->json, sizeof(answer->json));
    return packet;
}

static void ask(const struct ferry_server *server, uint8_t version, uint8_t op, uint16_t group,
                uint8_t id, const char *json, struct rig_answer *answer)
{
    uint8_t request[RIG_MAX];
    struct ferry_bytes packet = {request, 0};

    packet.len = rig_request(op, version, group, id, json, request, sizeof(request));
    assert_int_equal(rig_send(server, packet, answer).len, 0);
    assert_true(answer->size > 0);
    assert_int_equal(answer->header.op, op + 1);
    assert_int_equal(answer->header.version, version);
    assert_int_equal(answer->header.group, group);
    assert_int_equal(answer->header.id, id);
    assert_int_equal(answer->header.seq, 0x5a);
}

void rig_ask(const struct ferry_server *server, uint8_t op, uint16_t group, uint8_t id,
             const char *json, struct rig_answer *answer)
{
    ask(server, FERRY_SMP_VERSION_2, op, group, id, json, answer);
}

void rig_ask_v1(const struct ferry_server *server, uint8_t op, uint16_t group, uint8_t id,
                const char *json, struct rig_answer *answer)
{
    ask(server, FERRY_SMP_VERSION_1, op, group, id, json, answer);
}

/* ---- Vectors ----------------------------------------------------------------- */

static cJSON *load_vectors(const char *data)
{
    static char text[1 << 20];
    char path[512];

    (void)snprintf(path, sizeof(path), "%s/smp-vectors.json", data);

    FILE *file = fopen(path, "rb");

    assert_non_null(file);
    text[fread(text, 1, sizeof(text) - 1, file)] = '\0';
    assert_int_equal(fclose(file), 0);

    cJSON *vectors = cJSON_Parse(text);

    assert_true(cJSON_IsArray(vectors));
    return vectors;
}

static size_t vector_bytes(const cJSON *vector, uint8_t *out, size_t cap)
{
    const char *header = cJSON_GetObjectItem(vector, "header_hex")->valuestring;
    const char *payload = cJSON_GetObjectItem(vector, "payload_hex")->valuestring;
    size_t len = unhex(header, strlen(header), out, cap);

    return len + unhex(payload, strlen(payload), out + len, cap - len);
}

size_t rig_vector(const char *data, const char *name, uint8_t *out, size_t cap)
{
    cJSON *vectors = load_vectors(data);
    const cJSON *vector;
    size_t size = 0;

    cJSON_ArrayForEach(vector, vectors)
    {
        if (strcmp(cJSON_GetObjectItem(vector, "name")->valuestring, name) == 0) {
            size = vector_bytes(vector, out, cap);
        }
    }
    cJSON_Delete(vectors);
    if (size == 0) {
        fail_msg("no vector %s", name);
    }
    return size;
}

bool rig_vector_at(const char *data, size_t index, uint8_t *out, size_t cap, size_t *size)
{
    cJSON *vectors = load_vectors(data);
    bool there = index < (size_t)cJSON_GetArraySize(vectors);

    if (there) {
        *size = vector_bytes(cJSON_GetArrayItem(vectors, (int)index), out, cap);
    }
    cJSON_Delete(vectors);
    return there;
}

void rig_expect_vector(const struct ferry_server *server, const char *data, const char *request,
                       const char *answer)
{
    uint8_t bytes[RIG_MAX];
    uint8_t expected[RIG_MAX];
    struct rig_answer got;
    struct ferry_bytes packet = {bytes, rig_vector(data, request, bytes, sizeof(bytes))};
    size_t expected_size = rig_vector(data, answer, expected, sizeof(expected));

    (void)rig_send(server, packet, &got);
    assert_int_equal(got.size, expected_size);
    assert_int_equal(got.header.seq, bytes[6]);
    expected[6] = bytes[6]; /* some vectors of a pair were recorded apart */
    assert_memory_equal(got.bytes, expected, expected_size);
}
