/* SPDX-License-Identifier: Apache-2.0 */
/* The line of a shell between frames: what is typed, what is shown, what is run. */
#include "ferry/console.h"
#include "ferry/shell_line.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#define LINE_SIZE 11 /* ten characters */

struct rig {
    struct ferry_shell_line shell;
    struct ferry_shell_line_config config;
    char line[LINE_SIZE];
    char sent[512]; /* on the console: LF '$', CR '|', other controls as ^X */
    char run[128];  /* the lines that ran, each in brackets */
    const char *says;
};

static void put(void *context, const uint8_t *bytes, size_t len)
{
    struct rig *rig = context;

    assert_true(len > 0);
    for (size_t i = 0; i < len; i++) {
        size_t at = strlen(rig->sent);
        char c = (char)bytes[i];

        assert_true(at + 3 < sizeof(rig->sent));
        if ((uint8_t)c < ' ' && c != '\n' && c != '\r') {
            rig->sent[at++] = '^';
            c = (char)(c + '@');
        }
        rig->sent[at] = c == '\n' ? '$' : c == '\r' ? '|' : c;
        rig->sent[at + 1] = '\0';
    }
}

static void run(void *context, const char *line, size_t len)
{
    struct rig *rig = context;
    size_t at = strlen(rig->run);

    assert_int_equal(strlen(line), len);
    (void)snprintf(rig->run + at, sizeof(rig->run) - at, "[%s]", line);
    if (rig->says != NULL) {
        ferry_shell_line_print(&rig->shell, rig->says, strlen(rig->says));
    }
}

static void begin(struct rig *rig)
{
    memset(rig, 0, sizeof(*rig));
    rig->config = (struct ferry_shell_line_config){.prompt = "> ",
                                                   .line = rig->line,
                                                   .line_size = sizeof(rig->line),
                                                   .put = put,
                                                   .run = run,
                                                   .context = rig};
    ferry_shell_line_init(&rig->shell, &rig->config);
}

static void type(struct rig *rig, const char *keys)
{
    ferry_shell_line_take(&rig->shell, (struct ferry_bytes){(const uint8_t *)keys, strlen(keys)});
}

static void expect(struct rig *rig, const char *sent, const char *ran)
{
    assert_string_equal(rig->sent, sent);
    assert_string_equal(rig->run, ran);
    rig->sent[0] = '\0';
    rig->run[0] = '\0';
}

/* ---- Lines ----------------------------------------------------------------------------------- */

static void a_line_is_echoed_and_run(void **state)
{
    struct rig rig;

    (void)state;
    begin(&rig);
    rig.says = "one\ntwo\n";
    ferry_shell_line_show(&rig.shell);
    expect(&rig, "> ", "");
    ferry_shell_line_show(&rig.shell); /* it stands there */
    type(&rig, "help\r");
    expect(&rig, "help|$one|$two|$> ", "[help]");
}

static void every_line_end_is_one_enter(void **state)
{
    static const char *const ends[] = {"\r", "\n", "\r\n"};
    struct rig rig;

    (void)state;
    for (size_t i = 0; i < 3; i++) {
        begin(&rig);
        type(&rig, "a");
        type(&rig, ends[i]);
        type(&rig, "b");
        type(&rig, ends[i]);
        expect(&rig, "> a|$> b|$> ", "[a][b]");
    }
    begin(&rig);
    type(&rig, "a\n\r\n"); /* LF, then CR LF */
    expect(&rig, "> a|$> |$> ", "[a]");
}

static void an_empty_line_is_not_run(void **state)
{
    struct rig rig;

    (void)state;
    begin(&rig);
    type(&rig, "\r\r \r");
    expect(&rig, "> |$> |$>  |$> ", "[ ]");
}

static void keys_that_edit(void **state)
{
    struct rig rig;

    (void)state;
    begin(&rig);
    type(&rig, "ax\bb\x7f\b\b\b");
    expect(&rig, "> ax^H ^Hb^H ^H^H ^H", "");
    type(&rig, "abc\x15"
               "d\r");
    expect(&rig, "abc^H ^H^H ^H^H ^Hd|$> ", "[d]");
    type(&rig, "no\003yes\r");
    expect(&rig, "no^C|$> yes|$> ", "[yes]");
    type(&rig, "\xc3\xa9\b!\r"); /* one character of two bytes */
    expect(&rig, "\xc3\xa9^H ^H!|$> ", "[!]");
}

static void keys_that_do_nothing(void **state)
{
    struct rig rig;

    (void)state;
    begin(&rig);
    type(&rig, "a\x1b[A\x1b[1;5C\x1bOPb\t\x01\x06\x1b\rc");
    expect(&rig, "> ab|$> c", "[ab]");
}

static void a_line_too_long_is_refused_whole(void **state)
{
    struct rig rig;

    (void)state;
    begin(&rig);
    type(&rig, "0123456789\r");
    expect(&rig, "> 0123456789|$> ", "[0123456789]");
    type(&rig, "0123456789ab\r");
    expect(&rig, "0123456789^G^G|$this line is too long and was not run|$> ", "");
    type(&rig, "0123456789a\b\r"); /* taken back in time */
    expect(&rig, "0123456789^G|$> ", "[0123456789]");
    type(&rig, "0123456789a\x15x\r");
    assert_string_equal(rig.run, "[x]");
}

static void a_line_of_no_room(void **state)
{
    struct rig rig;

    (void)state;
    begin(&rig);
    rig.config.line_size = 1;
    type(&rig, "a\b\r");
    expect(&rig, "> ^G|$> ", "");
}

/* ---- Between frames -------------------------------------------------------------------------- */

static void an_answer_begins_a_line_and_what_was_typed_comes_back(void **state)
{
    struct rig rig;

    (void)state;
    begin(&rig);
    ferry_shell_line_clear(&rig.shell); /* nothing stands there */
    type(&rig, "he");
    ferry_shell_line_clear(&rig.shell);
    ferry_shell_line_clear(&rig.shell);
    expect(&rig, "> he|$", "");
    type(&rig, "lp\r");
    expect(&rig, "> help|$> ", "[help]");
}

static void output_stands_apart_from_what_is_typed(void **state)
{
    struct rig rig;

    (void)state;
    begin(&rig);
    type(&rig, "he");
    ferry_shell_line_print(&rig.shell, "log\n", 4);
    ferry_shell_line_print(&rig.shell, "half", 4);
    ferry_shell_line_print(&rig.shell, " more", 5);
    expect(&rig, "> he|$log|$half more", "");
    type(&rig, "y");
    expect(&rig, "|$> hey", "");
    ferry_shell_line_print(&rig.shell, "", 0);
    type(&rig, "\r");
    expect(&rig, "|$> hey|$> ", "[hey]");
}

/* No output, whatever a command says, looks like a frame. */
static void output_makes_no_markers(void **state)
{
    struct rig rig;

    (void)state;
    begin(&rig);
    rig.says = "\x06\tAAAA\n\x04\x14z";
    type(&rig, "\x06\tx\x04\r");
    expect(&rig, "> x|$?^IAAAA|$?^Tz|$> ", "[x]");
}

/* ---- With the decoder -------------------------------------------------------------------------
 */

struct wire {
    struct rig rig;
    struct ferry_console_decoder decoder;
    uint8_t buf[64];
    size_t packets, losses;
};

static void feed(struct wire *wire, const char *bytes, size_t len)
{
    struct ferry_console_event event;

    for (size_t i = 0; i < len; i++) {
        assert_int_equal(ferry_console_feed(&wire->decoder, (const uint8_t *)bytes + i, 1, &event),
                         1);
        do {
            if (event.kind == FERRY_CONSOLE_TEXT) {
                ferry_shell_line_take(&wire->rig.shell, event.bytes);
            }
            wire->packets += event.kind == FERRY_CONSOLE_PACKET;
            wire->losses += event.kind == FERRY_CONSOLE_DROPPED;
        } while (ferry_console_flush(&wire->decoder, &event));
    }
}

static void feed_text(struct wire *wire, const char *text)
{
    feed(wire, text, strlen(text));
}

static void feed_packet(struct wire *wire)
{
    static const uint8_t packet[9] = {2, 0, 0, 1, 0, 0, 7, 0, 0xa0};
    struct ferry_console_encoder encoder;
    uint8_t line[FERRY_CONSOLE_LINE_MAX];
    size_t len;

    assert_int_equal(ferry_console_encode(&encoder, (struct ferry_bytes){packet, sizeof(packet)},
                                          FERRY_CONSOLE_CUT_124),
                     FERRY_OK);
    while ((len = ferry_console_next_line(&encoder, line)) > 0) {
        feed(wire, (const char *)line, len);
    }
}

static void begin_wire(struct wire *wire)
{
    memset(wire, 0, sizeof(*wire));
    begin(&wire->rig);
    ferry_console_decoder_init(&wire->decoder, wire->buf, sizeof(wire->buf));
}

/* Frames begin anywhere in a line; what stands before them is typed, what follows the line feed
 * goes on with it. */
static void frames_in_the_middle_of_what_is_typed(void **state)
{
    struct wire wire;

    (void)state;
    begin_wire(&wire);
    feed_text(&wire, "he");
    feed_packet(&wire);
    feed_text(&wire, "lp");
    feed_packet(&wire);
    feed_text(&wire, "\r");
    feed_packet(&wire); /* right behind Enter */
    assert_int_equal(wire.packets, 3);
    assert_int_equal(wire.losses, 0);
    expect(&wire.rig, "> help|$> ", "[help]");
}

static void a_marker_that_was_typed_ends_with_the_timeout(void **state)
{
    struct wire wire;
    struct ferry_console_event event;

    (void)state;
    begin_wire(&wire);
    feed_text(&wire, "a\x06\tbc");
    expect(&wire.rig, "> a", "");
    assert_true(ferry_console_give_up(&wire.decoder, &event));
    assert_int_equal(event.kind, FERRY_CONSOLE_DROPPED);
    assert_int_equal(event.error, FERRY_E_TIMEOUT);
    assert_false(ferry_console_give_up(&wire.decoder, &event));
    assert_int_equal(event.kind, FERRY_CONSOLE_NOTHING);
    feed_text(&wire, "d\r");
    expect(&wire.rig, "d|$> ", "[ad]");
    feed_packet(&wire);
    assert_int_equal(wire.packets, 1);
}

/* The loss of a packet is told once, be it by its lines or by the timeout. */
static void a_loss_that_was_told_is_not_told_by_the_timeout(void **state)
{
    struct wire wire;
    struct ferry_console_event event;

    (void)state;
    begin_wire(&wire);
    feed_text(&wire, "\x04\x14"
                     "AAAA\n");
    assert_int_equal(wire.losses, 1);
    feed_text(&wire, "\x04\x14"
                     "AA");
    assert_false(ferry_console_give_up(&wire.decoder, &event));
    assert_int_equal(event.kind, FERRY_CONSOLE_NOTHING);
    feed_text(&wire, "\x06\t"
                     "AA");
    assert_true(ferry_console_give_up(&wire.decoder, &event));
    feed_packet(&wire);
    assert_int_equal(wire.packets, 1);
    assert_int_equal(wire.losses, 1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_line_is_echoed_and_run),
        cmocka_unit_test(every_line_end_is_one_enter),
        cmocka_unit_test(an_empty_line_is_not_run),
        cmocka_unit_test(keys_that_edit),
        cmocka_unit_test(keys_that_do_nothing),
        cmocka_unit_test(a_line_too_long_is_refused_whole),
        cmocka_unit_test(a_line_of_no_room),
        cmocka_unit_test(an_answer_begins_a_line_and_what_was_typed_comes_back),
        cmocka_unit_test(output_stands_apart_from_what_is_typed),
        cmocka_unit_test(output_makes_no_markers),
        cmocka_unit_test(frames_in_the_middle_of_what_is_typed),
        cmocka_unit_test(a_marker_that_was_typed_ends_with_the_timeout),
        cmocka_unit_test(a_loss_that_was_told_is_not_told_by_the_timeout),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
