/* SPDX-License-Identifier: Apache-2.0 */
/* The line of a shell between the frames of a console.  [smp.md §2.1] */
#include "ferry/shell_line.h"

enum key {
    KEY_CTRL_C = 0x03,
    KEY_BACKSPACE = 0x08,
    KEY_CTRL_U = 0x15,
    KEY_ESCAPE = 0x1b,
    KEY_DELETE = 0x7f
};

/* First bytes of the markers 06 09 and 04 14. */
#define FIRST_LINE 0x06
#define NEXT_LINE  0x04

/* Keys such as arrows: ESC, one of [ and O, parameters, and a final character. */
enum escape { ESCAPE_NONE, ESCAPE_BEGUN, ESCAPE_PARAMETERS };

#define FINAL_FIRST '@'
#define FINAL_LAST  '~'

static void put(struct ferry_shell_line *s, const char *bytes, size_t len)
{
    if (len > 0) {
        s->config->put(s->config->context, (const uint8_t *)bytes, len);
        s->column0 = bytes[len - 1] == '\n';
    }
}

static void end_line(struct ferry_shell_line *s)
{
    put(s, "\r\n", 2);
    s->shown = false;
}

/* ---- Output -------------------------------------------------------------------- */

void ferry_shell_line_init(struct ferry_shell_line *shell,
                           const struct ferry_shell_line_config *config)
{
    *shell = (struct ferry_shell_line){.config = config, .column0 = true};
}

void ferry_shell_line_show(struct ferry_shell_line *shell)
{
    if (shell->shown) {
        return;
    }
    if (!shell->column0) {
        end_line(shell);
    }
    put(shell, shell->config->prompt, ferry_text_length(shell->config->prompt));
    put(shell, shell->config->line, shell->len);
    shell->shown = true;
}

void ferry_shell_line_clear(struct ferry_shell_line *shell)
{
    if (!shell->column0) {
        end_line(shell);
    }
    shell->shown = false;
}

void ferry_shell_line_print(struct ferry_shell_line *shell, const char *text, size_t len)
{
    size_t begin = 0;

    if (shell->shown) {
        ferry_shell_line_clear(shell);
    }
    for (size_t i = 0; i < len; i++) {
        bool half_marker = text[i] == FIRST_LINE || text[i] == NEXT_LINE;

        if (text[i] != '\n' && !half_marker) {
            continue;
        }
        put(shell, text + begin, i - begin);
        put(shell, half_marker ? "?" : "\r\n", half_marker ? 1 : 2);
        begin = i + 1;
    }
    put(shell, text + begin, len - begin);
}

/* ---- Editing ------------------------------------------------------------------- */

/* The last of UTF-8's bytes of a character; those in front of it go with it. */
static bool continues_character(char c)
{
    return ((uint8_t)c & 0xc0) == 0x80;
}

static void erase_one(struct ferry_shell_line *s)
{
    if (s->over > 0) {
        s->over--;
        return;
    }
    if (s->len == 0) {
        return;
    }
    s->len--;
    while (s->len > 0 && continues_character(s->config->line[s->len])) {
        s->len--;
    }
    put(s, "\b \b", 3);
}

static void erase_all(struct ferry_shell_line *s)
{
    s->over = 0;
    while (s->len > 0) {
        erase_one(s);
    }
}

static void add(struct ferry_shell_line *s, char c)
{
    if (s->over > 0 || s->len + 1 >= s->config->line_size) {
        s->over++;
        put(s, "\a", 1);
        return;
    }
    s->config->line[s->len] = c;
    s->len++;
    put(s, &c, 1);
}

static void refuse(struct ferry_shell_line *s)
{
    static const char words[] = "this line is too long and was not run\n";

    ferry_shell_line_print(s, words, sizeof words - 1);
}

/* Enter: run what was typed. */
static void enter(struct ferry_shell_line *s)
{
    size_t len = s->len;
    bool whole = s->over == 0;

    end_line(s);
    s->len = 0;
    s->over = 0;
    if (!whole) {
        refuse(s);
    } else if (len > 0) {
        s->config->line[len] = '\0';
        s->config->run(s->config->context, s->config->line, len);
    }
    ferry_shell_line_show(s);
}

static void give_up(struct ferry_shell_line *s)
{
    s->len = 0;
    s->over = 0;
    put(s, "^C", 2);
    end_line(s);
    ferry_shell_line_show(s);
}

/* Returns whether the byte is a part of a key that sends several. */
static bool pass_over(struct ferry_shell_line *s, uint8_t c)
{
    if (c == KEY_ESCAPE) {
        s->escape = ESCAPE_BEGUN;
        return true;
    }
    if (s->escape == ESCAPE_BEGUN) {
        s->escape = c == '[' || c == 'O' ? ESCAPE_PARAMETERS : ESCAPE_NONE;
        return c >= ' ';
    }
    if (s->escape == ESCAPE_PARAMETERS) {
        s->escape =
            c >= ' ' && (c < FINAL_FIRST || c > FINAL_LAST) ? ESCAPE_PARAMETERS : ESCAPE_NONE;
        return c >= ' ';
    }
    return false;
}

static void take_control(struct ferry_shell_line *s, uint8_t c)
{
    switch (c) {
    case '\r':
    case '\n':
        enter(s);
        break;
    case KEY_BACKSPACE:
    case KEY_DELETE:
        erase_one(s);
        break;
    case KEY_CTRL_U:
        erase_all(s);
        break;
    case KEY_CTRL_C:
        give_up(s);
        break;
    default:
        break;
    }
}

void ferry_shell_line_take(struct ferry_shell_line *shell, struct ferry_bytes typed)
{
    for (size_t i = 0; i < typed.len; i++) {
        uint8_t c = typed.data[i];
        bool end_of_cr = c == '\n' && shell->after_cr;

        shell->after_cr = c == '\r';
        if (end_of_cr || pass_over(shell, c)) {
            continue;
        }
        ferry_shell_line_show(shell);
        if (c >= ' ' && c != KEY_DELETE) {
            add(shell, (char)c);
        } else {
            take_control(shell, c);
        }
    }
}
