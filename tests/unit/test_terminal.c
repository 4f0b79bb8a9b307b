/* SPDX-License-Identifier: Apache-2.0 */
/* Whoever is asked on the terminal has so much time, and no more. */
#include "cli/device/terminal.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cmocka.h>

static int ends[2]; /* the terminal, and who sits there */
static char line[8];

static int begin(void **state)
{
    (void)state;
    memset(line, 'x', sizeof line);
    return socketpair(AF_UNIX, SOCK_STREAM, 0, ends);
}

static int end(void **state)
{
    (void)state;
    close(ends[0]);
    close(ends[1]);
    return 0;
}

static void type(const char *text)
{
    assert_int_equal(write(ends[1], text, strlen(text)), strlen(text));
}

static void test_an_answer(void **state)
{
    char shown[16] = "";

    (void)state;
    type("004711\nmore");
    assert_int_equal(terminal_ask_at(ends[0], "Passkey: ", line, sizeof line, 60000),
                     TERMINAL_ANSWERED);
    assert_string_equal(line, "004711");
    assert_int_equal(read(ends[1], shown, sizeof shown - 1), 9);
    assert_string_equal(shown, "Passkey: ");
}

static void test_an_answer_too_long_is_cut(void **state)
{
    (void)state;
    type("0123456789\n");
    assert_int_equal(terminal_ask_at(ends[0], "?", line, sizeof line, 60000), TERMINAL_ANSWERED);
    assert_string_equal(line, "0123456");
}

/* BlueZ gave up after a minute, and ferry waited for ever. */
static void test_nobody_answers_in_time(void **state)
{
    (void)state;
    assert_int_equal(terminal_ask_at(ends[0], "?", line, sizeof line, 20), TERMINAL_LATE);
    type("12"); /* no line yet */
    assert_int_equal(terminal_ask_at(ends[0], "?", line, sizeof line, 20), TERMINAL_LATE);
}

static void test_a_terminal_that_ends(void **state)
{
    (void)state;
    shutdown(ends[1], SHUT_WR);
    assert_int_equal(terminal_ask_at(ends[0], "?", line, sizeof line, 60000), TERMINAL_NONE);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_an_answer, begin, end),
        cmocka_unit_test_setup_teardown(test_an_answer_too_long_is_cut, begin, end),
        cmocka_unit_test_setup_teardown(test_nobody_answers_in_time, begin, end),
        cmocka_unit_test_setup_teardown(test_a_terminal_that_ends, begin, end),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
