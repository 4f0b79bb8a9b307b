/* SPDX-License-Identifier: Apache-2.0 */
/* What captures are taken for, what packets are to each other, and text made harmless. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "cli/cli.h"
#include "cli/packet/cbor_json.h"
#include "cli/packet/exchange.h"
#include "cli/packet/packet_names.h"
#include "cli/packet/plain.h"
#include "cli/packet/scan.h"

#include <stdlib.h>
#include <string.h>

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

static struct ferry_bytes bytes_of(const char *text)
{
    return (struct ferry_bytes){(const uint8_t *)text, strlen(text)};
}

/* ---- Guessing -------------------------------------------------------------------------------- */

static void test_what_a_text_is(void **state)
{
    static const struct {
        const char *text;
        enum scan_form form;
    } texts[] = {
        {"", SCAN_NOTHING},
        {"hello", SCAN_NOTHING},
        {"\x06\x09 no base64", SCAN_NOTHING},
        {"log\n\x06\tAAsAAAABAAABCaAbbw==\n", SCAN_CONSOLE},
        {"\x04\x14"
         "AAAA",
         SCAN_CONSOLE},
        {"0000000100000106a0", SCAN_HEX},
        {"-> 0000000100000106a0  read os/params", SCAN_HEX},
        {"0x00, 0x00, 0x00, 0x01, 0x00, 0x00, 0x01, 0x06, 0xa0", SCAN_HEX},
        {"\\x00\\x00\\x00\\x01\\x00\\x00\\x01\\x06\\xa0", SCAN_HEX},
        {"00000000: 0000 0001 0000 0106 a0                   .........", SCAN_HEX},
        {"0000000 000 000 000 001", SCAN_NOTHING},
        {"dead beef", SCAN_NOTHING}, /* four bytes are no header */
        {"0000000100000106a", SCAN_NOTHING},
        {"{\"ferry_trace\":1,\"t\":0}\n", SCAN_TRACE},
        {"{\"ferry\":1}\n", SCAN_NOTHING},
        {"{\"ferry_trace\":1", SCAN_NOTHING},
    };

    (void)state;
    for (size_t i = 0; i < COUNT(texts); i++) {
        if (scan_guess(bytes_of(texts[i].text)) != texts[i].form) {
            fail_msg("%s is taken for %s", texts[i].text,
                     scan_form_name(scan_guess(bytes_of(texts[i].text))));
        }
    }
}

static void test_what_bytes_are(void **state)
{
    static const struct {
        uint8_t bytes[28];
        size_t len;
        enum scan_form form;
    } files[] = {
        {{0x08, 0, 0, 1, 0, 0, 1, 6, 0xa0}, 9, SCAN_BARE},
        {{0x09, 1, 0, 1, 0, 0, 1, 6, 0xa0}, 9, SCAN_BARE}, /* Mynewt's flags */
        {{0x08, 0, 0, 1, 0, 0, 1, 6, 0xa0}, 8, SCAN_NOTHING},
        {{0x0c, 0, 0, 1, 0, 0, 1, 6, 0xa0}, 9, SCAN_NOTHING},
        {{0x08, 0, 0, 1, 0, 0, 1, 6, 0x01}, 9, SCAN_NOTHING},
        {{0xd4, 0xc3, 0xb2, 0xa1}, 24, SCAN_PCAP},
        {{0xa1, 0xb2, 0x3c, 0x4d}, 24, SCAN_PCAP},
        {{0xd4, 0xc3, 0xb2, 0xa1}, 23, SCAN_NOTHING},
        {{0x0a, 0x0d, 0x0d, 0x0a}, 28, SCAN_PCAP},
        {{0}, 28, SCAN_NOTHING},
    };

    (void)state;
    for (size_t i = 0; i < COUNT(files); i++) {
        assert_int_equal(scan_guess((struct ferry_bytes){files[i].bytes, files[i].len}),
                         files[i].form);
    }
}

/* ---- Packets to each other ------------------------------------------------------------------- */

static struct packet_view view_of(uint8_t *packet, uint8_t op, uint8_t seq, uint8_t content)
{
    struct packet_view view;
    const uint8_t bytes[] = {op, 0, 0, 4, 0, 0, seq, 0, 0xa1, 0x61, 'd', content};

    memcpy(packet, bytes, sizeof bytes);
    packet_look((struct ferry_bytes){packet, sizeof bytes}, &view, NULL);
    assert_string_equal(view.problem, "");
    return view;
}

static struct exchange_note send_on(struct exchange *exchange, unsigned number, double t,
                                    uint8_t seq, uint8_t content)
{
    uint8_t packet[12];
    struct packet_view view = view_of(packet, 0x0a, seq, content);
    struct exchange_note note = exchange_sent(exchange, number, t, &view);

    packet_view_free(&view);
    return note;
}

static struct exchange_note send(struct exchange *exchange, double t, uint8_t seq, uint8_t content)
{
    return send_on(exchange, 1, t, seq, content);
}

static struct exchange_note receive(struct exchange *exchange, double t, uint8_t op, uint8_t seq)
{
    uint8_t packet[12];
    struct packet_view view = view_of(packet, op, seq, 0);
    struct exchange_note note = exchange_received(exchange, 1, t, &view);

    packet_view_free(&view);
    return note;
}

static void test_an_exchange(void **state)
{
    struct exchange exchange = {.requests = 0};

    (void)state;
    assert_int_equal(send(&exchange, 1, 7, 1).tries, 1);
    assert_int_equal(send(&exchange, 2, 8, 1).tries, 1);
    struct exchange_note note = receive(&exchange, 5, 0x0b, 7);
    assert_int_equal(note.role, EXCHANGE_ANSWER);
    assert_true(note.rtt > 3.9 && note.rtt < 4.1);
    assert_int_equal(receive(&exchange, 6, 0x0b, 7).role, EXCHANGE_STALE);
    assert_int_equal(receive(&exchange, 6, 0x0a, 8).role, EXCHANGE_ECHO);
    assert_int_equal(send(&exchange, 10, 8, 1).tries, 2);
    note = receive(&exchange, 11, 0x0b, 8);
    assert_int_equal(note.tries, 2);
    assert_true(note.rtt > 0.9 && note.rtt < 1.1);
    assert_int_equal(receive(&exchange, 12, 0x09, 8).role, EXCHANGE_STALE);

    assert_int_equal(exchange.requests, 2);
    assert_int_equal(exchange.retransmitted, 1);
    assert_int_equal(exchange.answers, 2);
    assert_int_equal(exchange.measured, 1); /* which try the second answered, nobody knows */
    assert_int_equal(exchange.stale, 2);
    assert_int_equal(exchange.echoed, 1);
}

static void test_requests_without_an_answer(void **state)
{
    static struct exchange exchange;

    (void)state;
    send(&exchange, 1, 7, 1);
    send(&exchange, 2, 7, 2); /* the number again, for something else */
    assert_int_equal(exchange.unanswered, 1);
    assert_int_equal(receive(&exchange, 3, 0x0b, 7).role, EXCHANGE_ANSWER);
    for (unsigned i = 0; i < EXCHANGE_OPEN_MAX + 3; i++) {
        send_on(&exchange, 1 + i / 2, 4 + i, (uint8_t)(i % 2), 1);
    }
    assert_int_equal(exchange.unanswered, 1 + 3);
    exchange_end(&exchange, 1);
    assert_int_equal(exchange.unanswered, 1 + 3);
    exchange_end(&exchange, 3);
    assert_int_equal(exchange.unanswered, 1 + 3 + 2);
    exchange_end(&exchange, 0);
    assert_int_equal(exchange.unanswered, 1 + 3 + EXCHANGE_OPEN_MAX);
    assert_int_equal(exchange.requests, exchange.answers + exchange.unanswered);
}

/* ---- Words ----------------------------------------------------------------------------------- */

static void test_a_line_of_several_requests(void **state)
{
    const uint8_t two[] = {0x08, 0, 0, 1, 0, 0, 1, 6, 0xa0, 0x00, 0, 0, 0, 0, 77, 2, 3};
    struct ferry_bytes rest = {two, sizeof two};
    struct packet_view view;

    (void)state;
    packet_look(rest, &view, &rest);
    char *line = packet_line(&view, 0);
    assert_string_equal(line, "read os/params #1 {}");
    cJSON_free(line);
    packet_view_free(&view);
    packet_look(rest, &view, &rest);
    assert_int_equal(rest.len, 0);
    line = packet_line(&view, 0);
    assert_string_equal(line, "read 77/3 #2 v1");
    cJSON_free(line);
    packet_view_free(&view);
}

static void test_names_and_numbers(void **state)
{
    uint16_t group;
    uint8_t id;
    char list[200];

    (void)state;
    for (unsigned n = 0; n <= UINT16_MAX; n++) {
        const char *name = packet_group_name((uint16_t)n);

        if (name != NULL) {
            assert_true(packet_group_number(name, &group) && group == n);
        }
        for (unsigned i = 0; name != NULL && i <= UINT8_MAX; i++) {
            const char *command = packet_command_name((uint16_t)n, (uint8_t)i);

            assert_true(command == NULL || (packet_command_number(group, command, &id) && id == i));
        }
    }
    assert_false(packet_group_number("", &group));
    assert_false(packet_group_number("-1", &group));
    assert_false(packet_command_number(0, "upload", &id));
    packet_group_list(list, sizeof list);
    assert_non_null(strstr(list, "os, image, stat, settings, "));
    packet_group_list(list, 10);
    assert_true(strlen(list) < 10);
}

static void test_shortening_keeps_characters_whole(void **state)
{
    cJSON *json = cJSON_Parse("{\"a\":\"h'00112233'\",\"b\":[\"\xc3\xa4\xc3\xa4\xc3\xa4\"],"
                              "\"c\":\"h'0011'\",\"d\":\"1234\"}");

    (void)state;
    packet_shorten(json, 2);
    assert_string_equal(cJSON_GetObjectItem(json, "a")->valuestring,
                        "h'0011\xe2\x80\xa6 (4 bytes)");
    assert_string_equal(cJSON_GetObjectItem(json, "b")->child->valuestring,
                        "\xc3\xa4\xc3\xa4\xc3\xa4");
    assert_string_equal(cJSON_GetObjectItem(json, "c")->valuestring, "h'0011'");
    packet_shorten(cJSON_GetObjectItem(json, "b"), 1);
    assert_string_equal(cJSON_GetObjectItem(json, "b")->child->valuestring,
                        "\xc3\xa4\xc3\xa4\xe2\x80\xa6 (6 bytes)");
    cJSON_Delete(json);
}

/* ---- Text ------------------------------------------------------------------------------------ */

static void test_plain_text(void **state)
{
    static const struct {
        const char *text;
        const char *plain;
    } texts[] = {
        {"a\tb\r\n", "a\tb\n"},
        {"\x1b[1;31mred\x1b[0m", "red"},
        {"\x1b[2J\x1b[10;5Hx", "x"},
        {"\x1b"
         "cx\x07\x08\x7f",
         "x..."},
        {"\xc3\xa4\xe2\x82\xac\xf0\x9f\x98\x80", "\xc3\xa4\xe2\x82\xac\xf0\x9f\x98\x80"},
        {"\xc2\xa7\xc2\x9b"
         "2J",
         "\xc2\xa7.2J"},
        {"\x9b\xff\x80x", "...x"},
        {"\xe2\x82\x1b[mx", ".x"},
        {"\xe0\x80\x80\xed\xa0\x80\xc3(", "...("},
        {"\x1b[31", ""},
    };

    (void)state;
    for (size_t i = 0; i < COUNT(texts); i++) {
        char *plain = plain_text(bytes_of(texts[i].text));

        assert_string_equal(plain, texts[i].plain);
        free(plain);
    }
}

/* On a terminal colours pass, and nothing else, however the text is cut. */
static void test_colours_pass(void **state)
{
    static const char text[] = "\x1b[1;31mred\x1b[0m\x1b[2J\x1b[1;2;3;4;5;6;7;8;9mlong\xc3\xa4";

    (void)state;
    for (size_t cut = 0; cut < sizeof text - 1; cut++) {
        char *made = NULL;
        size_t len;
        struct plain plain = {.out = open_memstream(&made, &len), .colour = true};

        plain_write(&plain, (struct ferry_bytes){(const uint8_t *)text, cut});
        plain_write(&plain,
                    (struct ferry_bytes){(const uint8_t *)text + cut, sizeof text - 1 - cut});
        assert_int_equal(fclose(plain.out), 0);
        assert_string_equal(made, "\x1b[1;31mred\x1b[0mlong\xc3\xa4");
        free(made);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_what_a_text_is),
        cmocka_unit_test(test_what_bytes_are),
        cmocka_unit_test(test_an_exchange),
        cmocka_unit_test(test_requests_without_an_answer),
        cmocka_unit_test(test_a_line_of_several_requests),
        cmocka_unit_test(test_names_and_numbers),
        cmocka_unit_test(test_shortening_keeps_characters_whole),
        cmocka_unit_test(test_plain_text),
        cmocka_unit_test(test_colours_pass),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
