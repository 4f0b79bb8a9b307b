/* SPDX-License-Identifier: Apache-2.0 */
/* SMP header, packets and status, against tests/data/smp-vectors.json: packets of
 * several kinds of server with their bytes and their serial lines. */
#include "ferry/cbor.h"
#include "ferry/console.h"
#include "ferry/crc.h"
#include "ferry/smp.h"

#include <cjson/cJSON.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define PACKET_MAX 1024
#define LINES_MAX  4096

/* ---- The vectors ------------------------------------------------------------------ */

static cJSON *vectors;

static int load_vectors(void **state)
{
    static char text[1 << 20];
    FILE *file = fopen(FERRY_TEST_DATA "/smp-vectors.json", "rb");

    (void)state;
    if (file == NULL) {
        return -1;
    }

    size_t len = fread(text, 1, sizeof text - 1, file);

    fclose(file);
    text[len] = '\0';
    vectors = cJSON_Parse(text);
    return vectors == NULL ? -1 : 0;
}

static int free_vectors(void **state)
{
    (void)state;
    cJSON_Delete(vectors);
    return 0;
}

static const char *text_of(const cJSON *vector, const char *key)
{
    const char *text = cJSON_GetStringValue(cJSON_GetObjectItem(vector, key));

    assert_non_null(text);
    return text;
}

static unsigned number_of(const cJSON *vector, const char *key)
{
    const cJSON *item = cJSON_GetObjectItem(vector, key);

    assert_true(cJSON_IsNumber(item));
    return (unsigned)item->valueint;
}

static const cJSON *find_vector(const char *name)
{
    const cJSON *vector;

    cJSON_ArrayForEach(vector, vectors)
    {
        if (strcmp(text_of(vector, "name"), name) == 0) {
            return vector;
        }
    }
    fail_msg("no vector %s", name);
    return NULL;
}

static uint8_t nibble(char c)
{
    const char *digits = "0123456789abcdef";
    const char *at = strchr(digits, c);

    assert_non_null(at);
    return (uint8_t)(at - digits);
}

/* Append hex digits as bytes to out, which holds len of cap bytes. Returns the new length. */
static size_t append_hex(const char *hex, uint8_t *out, size_t len, size_t cap)
{
    for (; hex[0] != '\0'; hex += 2) {
        assert_true(len < cap);
        out[len] = (uint8_t)(nibble(hex[0]) << 4 | nibble(hex[1]));
        len++;
    }
    return len;
}

static size_t packet_of(const cJSON *vector, uint8_t packet[PACKET_MAX])
{
    size_t len = append_hex(text_of(vector, "header_hex"), packet, 0, PACKET_MAX);

    return append_hex(text_of(vector, "payload_hex"), packet, len, PACKET_MAX);
}

static struct ferry_bytes payload_of(const cJSON *vector, uint8_t packet[PACKET_MAX])
{
    size_t len = packet_of(vector, packet);

    return (struct ferry_bytes){packet + FERRY_SMP_HEADER_SIZE, len - FERRY_SMP_HEADER_SIZE};
}

/* The lines of a vector, one behind the other. */
static size_t lines_hex_of(const cJSON *vector, uint8_t lines[LINES_MAX])
{
    const cJSON *line;
    size_t len = 0;

    cJSON_ArrayForEach(line, cJSON_GetObjectItem(vector, "serial_lines_hex"))
    {
        len = append_hex(cJSON_GetStringValue(line), lines, len, LINES_MAX);
    }
    assert_true(len > 0);
    return len;
}

static size_t lines_text_of(const cJSON *list, uint8_t lines[LINES_MAX])
{
    const cJSON *line;
    size_t len = 0;

    cJSON_ArrayForEach(line, list)
    {
        const char *text = cJSON_GetStringValue(line);

        assert_true(strlen(text) <= LINES_MAX - len);
        memcpy(lines + len, text, strlen(text));
        len += strlen(text);
    }
    return len;
}

/* The lines of the 124 cut: a vector names them where they differ from Zephyr's. */
static size_t lines_124_of(const cJSON *vector, uint8_t lines[LINES_MAX])
{
    const cJSON *list = cJSON_GetObjectItem(vector, "serial_lines_cut124");

    return list != NULL ? lines_text_of(list, lines) : lines_hex_of(vector, lines);
}

static void test_file_holds_what_it_should(void **state)
{
    const cJSON *vector;
    int count = 0;

    (void)state;
    cJSON_ArrayForEach(vector, vectors)
    {
        count++;
    }
    assert_int_equal(count, cJSON_GetArraySize(vectors));
    assert_int_equal(count, 108);
}

/* The two forms in which a vector gives its lines agree. */
static void test_lines_of_the_file_agree(void **state)
{
    const cJSON *vector;

    (void)state;
    cJSON_ArrayForEach(vector, vectors)
    {
        uint8_t hex[LINES_MAX];
        uint8_t text[LINES_MAX];
        size_t len = lines_hex_of(vector, hex);

        assert_int_equal(lines_text_of(cJSON_GetObjectItem(vector, "serial_lines"), text), len);
        assert_memory_equal(text, hex, len);
    }
}

/* ---- Header and packets ------------------------------------------------------------- */

static struct ferry_smp_header header_of(const cJSON *vector)
{
    size_t digits = strlen(text_of(vector, "payload_hex"));

    return (struct ferry_smp_header){
        .op = (uint8_t)number_of(vector, "op"),
        .version = (uint8_t)number_of(vector, "version"),
        .flags = (uint8_t)number_of(vector, "flags"),
        .length = (uint16_t)(digits / 2),
        .group = (uint16_t)number_of(vector, "group"),
        .seq = (uint8_t)number_of(vector, "seq"),
        .id = (uint8_t)number_of(vector, "id"),
    };
}

static void assert_header_equal(const struct ferry_smp_header *a, const struct ferry_smp_header *b)
{
    assert_int_equal(a->op, b->op);
    assert_int_equal(a->version, b->version);
    assert_int_equal(a->flags, b->flags);
    assert_int_equal(a->length, b->length);
    assert_int_equal(a->group, b->group);
    assert_int_equal(a->seq, b->seq);
    assert_int_equal(a->id, b->id);
}

static void test_headers_of_the_vectors(void **state)
{
    const cJSON *vector;

    (void)state;
    cJSON_ArrayForEach(vector, vectors)
    {
        struct ferry_smp_header expected = header_of(vector);
        struct ferry_smp_header header;
        uint8_t packet[PACKET_MAX];
        uint8_t written[FERRY_SMP_HEADER_SIZE];
        struct ferry_bytes payload;
        struct ferry_bytes rest;
        size_t len = packet_of(vector, packet);

        assert_int_equal(len, number_of(vector, "length"));
        ferry_smp_header_write(&expected, written);
        assert_memory_equal(written, packet, FERRY_SMP_HEADER_SIZE);
        assert_int_equal(
            ferry_smp_packet_read((struct ferry_bytes){packet, len}, &header, &payload, &rest),
            FERRY_OK);
        assert_header_equal(&header, &expected);
        assert_ptr_equal(payload.data, packet + FERRY_SMP_HEADER_SIZE);
        assert_int_equal(payload.len, len - FERRY_SMP_HEADER_SIZE);
        assert_int_equal(rest.len, 0);
    }
}

static void test_header_needs_eight_bytes(void **state)
{
    uint8_t bytes[FERRY_SMP_HEADER_SIZE] = {0x0a, 0, 0xff, 0xff};
    struct ferry_smp_header header;

    (void)state;
    for (size_t len = 0; len < sizeof bytes; len++) {
        assert_int_equal(ferry_smp_header_read((struct ferry_bytes){bytes, len}, &header),
                         FERRY_E_SHORT);
    }
    assert_int_equal(ferry_smp_header_read((struct ferry_bytes){NULL, 0}, &header), FERRY_E_SHORT);
    /* The length is not compared with anything. */
    assert_int_equal(ferry_smp_header_read((struct ferry_bytes){bytes, 8}, &header), FERRY_OK);
    assert_int_equal(header.length, 0xffff);
}

/* Every value of byte 0: the reserved bits are ignored when read and 0 when written. */
static void test_header_first_byte(void **state)
{
    (void)state;
    for (unsigned first = 0; first < 256; first++) {
        uint8_t bytes[FERRY_SMP_HEADER_SIZE] = {(uint8_t)first};
        uint8_t written[FERRY_SMP_HEADER_SIZE];
        struct ferry_smp_header header;

        assert_int_equal(ferry_smp_header_read((struct ferry_bytes){bytes, 8}, &header), FERRY_OK);
        assert_int_equal(header.op, first & 7);
        assert_int_equal(header.version, first >> 3 & 3);
        ferry_smp_header_write(&header, written);
        assert_int_equal(written[0], first & 0x1f);
    }
}

static void test_header_fields_are_cut(void **state)
{
    struct ferry_smp_header header = {.op = 0xff, .version = 0xff};
    uint8_t written[FERRY_SMP_HEADER_SIZE];

    (void)state;
    ferry_smp_header_write(&header, written);
    assert_int_equal(written[0], 0x1f);
}

static void test_packets_back_to_back(void **state)
{
    /* Payloads of 2, 0 and, cut off, 1 byte. */
    const uint8_t bytes[] = {0x0a, 0, 0, 2, 0, 0, 7, 0, 0xbf, 0xff, 0x08, 0, 0,
                             0,    0, 1, 8, 6, 8, 0, 0, 1,    0,    0,    9, 6};
    struct ferry_bytes rest = {bytes, sizeof bytes};
    struct ferry_bytes payload;
    struct ferry_smp_header header;

    (void)state;
    assert_int_equal(ferry_smp_packet_read(rest, &header, &payload, &rest), FERRY_OK);
    assert_int_equal(header.seq, 7);
    assert_int_equal(payload.len, 2);
    assert_int_equal(payload.data[0], 0xbf);
    assert_int_equal(ferry_smp_packet_read(rest, &header, &payload, &rest), FERRY_OK);
    assert_int_equal(header.seq, 8);
    assert_int_equal(payload.len, 0);
    assert_int_equal(rest.len, 8);
    assert_int_equal(ferry_smp_packet_read(rest, &header, &payload, NULL), FERRY_E_SHORT);
    assert_int_equal(header.seq, 9); /* filled, so that a refusal can be sent */
    rest.len = 7;
    assert_int_equal(ferry_smp_packet_read(rest, &header, &payload, NULL), FERRY_E_SHORT);
}

/* A length just beyond the end, at every length. */
static void test_packet_never_reaches_beyond_the_end(void **state)
{
    uint8_t bytes[64] = {0x0a};
    struct ferry_smp_header header;
    struct ferry_bytes payload;

    (void)state;
    for (size_t len = FERRY_SMP_HEADER_SIZE; len <= sizeof bytes; len++) {
        struct ferry_bytes whole = {bytes, len};

        ferry_store_be16(bytes + 2, (uint16_t)(len - FERRY_SMP_HEADER_SIZE));
        assert_int_equal(ferry_smp_packet_read(whole, &header, &payload, NULL), FERRY_OK);
        ferry_store_be16(bytes + 2, (uint16_t)(len - FERRY_SMP_HEADER_SIZE + 1));
        assert_int_equal(ferry_smp_packet_read(whole, &header, &payload, NULL), FERRY_E_SHORT);
        ferry_store_be16(bytes + 2, UINT16_MAX);
        assert_int_equal(ferry_smp_packet_read(whole, &header, &payload, NULL), FERRY_E_SHORT);
    }
}

static void test_answers(void **state)
{
    const struct ferry_smp_header req = {.op = FERRY_SMP_WRITE, .group = 1, .seq = 5, .id = 1};
    struct ferry_smp_header rsp = req;

    (void)state;
    assert_false(ferry_smp_answers(&rsp, &req)); /* an echo of the request */
    rsp.op = FERRY_SMP_WRITE_RSP;
    assert_true(ferry_smp_answers(&rsp, &req));
    rsp.version = 1;
    rsp.flags = 1;
    rsp.length = 100;
    assert_true(ferry_smp_answers(&rsp, &req)); /* these are not compared */
    rsp.seq = 6;
    assert_false(ferry_smp_answers(&rsp, &req));
    rsp.seq = 5;
    rsp.id = 0;
    assert_false(ferry_smp_answers(&rsp, &req));
    rsp.id = 1;
    rsp.group = 0x101;
    assert_false(ferry_smp_answers(&rsp, &req));
    rsp.group = 1;
    rsp.op = FERRY_SMP_READ_RSP;
    assert_false(ferry_smp_answers(&rsp, &req));
}

/* ---- Payloads ----------------------------------------------------------------------- */

static void test_payloads_are_cbor_maps(void **state)
{
    const cJSON *vector;

    (void)state;
    cJSON_ArrayForEach(vector, vectors)
    {
        uint8_t packet[PACKET_MAX];
        struct ferry_bytes payload = payload_of(vector, packet);
        struct ferry_cbor_reader reader;
        struct ferry_cbor_item item;

        if (payload.len == 0) {
            assert_string_equal(text_of(vector, "cbor_diag"), "");
            continue;
        }
        assert_int_equal(ferry_cbor_read_map(payload, NULL, 0), FERRY_OK);
        ferry_cbor_reader_init(&reader, payload);
        assert_int_equal(ferry_cbor_read(&reader, &item), FERRY_OK);
        assert_int_equal(item.kind, FERRY_CBOR_MAP);
        assert_true(ferry_cbor_at_end(&reader));
        /* One byte less is never a whole map. */
        payload.len--;
        assert_int_equal(ferry_cbor_read_map(payload, NULL, 0), FERRY_E_SHORT);
    }
}

static void test_checksums(void **state)
{
    const cJSON *vector;

    (void)state;
    cJSON_ArrayForEach(vector, vectors)
    {
        uint8_t packet[PACKET_MAX];
        uint8_t crc[2];
        size_t len = packet_of(vector, packet);

        assert_int_equal(append_hex(text_of(vector, "crc16_hex"), crc, 0, sizeof crc), 2);
        assert_int_equal(ferry_crc16(0, packet, len), ferry_load_be16(crc));
        assert_int_equal(ferry_crc16(ferry_crc16(0, packet, len), crc, 2), 0);
    }
}

/* ---- Serial lines -------------------------------------------------------------------- */

static void assert_lines(struct ferry_bytes packet, enum ferry_console_cut cut,
                         const uint8_t *expected, size_t expected_len)
{
    struct ferry_console_encoder encoder;
    uint8_t line[FERRY_CONSOLE_LINE_MAX];
    size_t pos = 0;
    size_t len;

    assert_int_equal(ferry_console_encode(&encoder, packet, cut), FERRY_OK);
    while ((len = ferry_console_next_line(&encoder, line)) > 0) {
        assert_true(len <= expected_len - pos);
        assert_memory_equal(line, expected + pos, len);
        pos += len;
    }
    assert_int_equal(pos, expected_len);
}

static void assert_decodes(const uint8_t *lines, size_t len, const uint8_t *packet,
                           size_t packet_len)
{
    static uint8_t buf[PACKET_MAX];
    struct ferry_console_decoder decoder;
    struct ferry_console_event event;

    ferry_console_decoder_init(&decoder, buf, sizeof buf);
    assert_int_equal(ferry_console_feed(&decoder, lines, len, &event), len);
    assert_int_equal(event.kind, FERRY_CONSOLE_PACKET);
    assert_int_equal(event.bytes.len, packet_len);
    assert_memory_equal(event.bytes.data, packet, packet_len);
}

static void test_serial_lines(void **state)
{
    const cJSON *vector;

    (void)state;
    cJSON_ArrayForEach(vector, vectors)
    {
        uint8_t packet[PACKET_MAX];
        uint8_t lines[LINES_MAX];
        size_t len = packet_of(vector, packet);
        struct ferry_bytes bytes = {packet, len};
        size_t lines_len = lines_hex_of(vector, lines);

        assert_lines(bytes, FERRY_CONSOLE_CUT_ZEPHYR, lines, lines_len);
        assert_decodes(lines, lines_len, packet, len);
        lines_len = lines_124_of(vector, lines);
        assert_lines(bytes, FERRY_CONSOLE_CUT_124, lines, lines_len);
        assert_decodes(lines, lines_len, packet, len);
        assert_int_equal(ferry_console_wire_size(len), lines_len);
    }
}

/* ---- Status --------------------------------------------------------------------------- */

static void test_status_of_the_vectors(void **state)
{
    static const struct {
        const char *name;
        bool grouped;
        uint16_t group;
        int64_t rc;
        const char *reason;
    } expected[] = {
        {"os_echo_rsp_v2", false, 0, 0, ""},
        {"os_reset_rsp", false, 0, 0, ""},
        {"img_upload_rsp_128_legacy", false, 0, 0, ""},
        {"os_datetime_not_set_v2", true, 0, 4, ""},
        {"os_datetime_not_set_v1", false, 0, 5, ""},
        {"os_reset_busy_rsp", false, 0, 10, ""},
        {"os_params_unsupported_rsp", false, 0, 8, ""},
        {"os_info_bad_format_v1", false, 0, 3, ""},
        {"img_state_already_pending_v2", true, 1, 28, ""},
        {"img_state_already_pending_v1", false, 0, 6, ""},
        {"img_state_hash_not_found_v2", true, 1, 8, ""},
        {"img_state_hash_not_found_v1", false, 0, 1, ""},
        {"img_upload_bad_magic_v1", false, 0, 1, ""},
        {"img_upload_no_slot_v1", false, 0, 6, ""},
        {"img_upload_rsn_v1", false, 0, 1, "magic mismatch"},
        {"img_upload_hook_err", true, 64, 2, ""},
        {"img_upload_err_mcuboot", false, 0, 3, ""},
        {"settings_key_not_found_v2", true, 3, 3, ""},
        {"settings_key_not_found_v1", false, 0, 5, ""},
        {"fs_upload_off_error_v2", true, 8, 11, ""},
        {"fs_upload_off_error_v1", false, 0, 1, ""},
        {"generic_not_supported_v2", false, 0, 8, ""},
        {"generic_not_supported_v1", false, 0, 8, ""},
        {"generic_too_old_rsp", false, 0, 12, ""},
        {"generic_too_new_rsp", false, 0, 13, ""},
        {"mynewt_flags1_rsp", false, 0, 0, ""},
    };

    (void)state;
    for (size_t i = 0; i < sizeof expected / sizeof expected[0]; i++) {
        uint8_t packet[PACKET_MAX];
        struct ferry_bytes payload = payload_of(find_vector(expected[i].name), packet);
        struct ferry_smp_status status;

        assert_int_equal(ferry_smp_status_read(payload, &status), FERRY_OK);
        assert_int_equal(status.grouped, expected[i].grouped);
        assert_int_equal(status.group, expected[i].group);
        assert_true(status.rc == expected[i].rc);
        assert_int_equal(status.reason.len, strlen(expected[i].reason));
        assert_true(status.reason.len == 0 ||
                    memcmp(status.reason.data, expected[i].reason, status.reason.len) == 0);
    }
}

/* Of all answers in the file exactly those that say so are failures. */
static void test_status_of_all_answers(void **state)
{
    const cJSON *vector;

    (void)state;
    cJSON_ArrayForEach(vector, vectors)
    {
        uint8_t packet[PACKET_MAX];
        struct ferry_bytes payload = payload_of(vector, packet);
        const char *diag = text_of(vector, "cbor_diag");
        const char *rc = strstr(diag, "\"rc\": ");
        struct ferry_smp_status status;

        if ((number_of(vector, "op") & 1) == 0) {
            continue;
        }
        assert_int_equal(ferry_smp_status_read(payload, &status), FERRY_OK);
        assert_true(status.rc == (rc == NULL ? 0 : strtol(rc + strlen("\"rc\": "), NULL, 10)));
        assert_int_equal(status.grouped, strstr(diag, "\"err\": ") != NULL);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_file_holds_what_it_should),
        cmocka_unit_test(test_lines_of_the_file_agree),
        cmocka_unit_test(test_headers_of_the_vectors),
        cmocka_unit_test(test_header_needs_eight_bytes),
        cmocka_unit_test(test_header_first_byte),
        cmocka_unit_test(test_header_fields_are_cut),
        cmocka_unit_test(test_packets_back_to_back),
        cmocka_unit_test(test_packet_never_reaches_beyond_the_end),
        cmocka_unit_test(test_answers),
        cmocka_unit_test(test_payloads_are_cbor_maps),
        cmocka_unit_test(test_checksums),
        cmocka_unit_test(test_serial_lines),
        cmocka_unit_test(test_status_of_the_vectors),
        cmocka_unit_test(test_status_of_all_answers),
    };

    return cmocka_run_group_tests(tests, load_vectors, free_vectors);
}
