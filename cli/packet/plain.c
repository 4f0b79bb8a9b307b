/* SPDX-License-Identifier: Apache-2.0 */
#include "plain.h"

#include <stdlib.h>
#include <unistd.h>

enum { TEXT, ESCAPE, SEQUENCE, CHARACTER_C2, CHARACTER };

#define ESC 0x1b

struct plain plain_for(FILE *out)
{
    return (struct plain){.out = out, .colour = isatty(fileno(out)) == 1};
}

/* ---- Escape sequences (ECMA-48) -------------------------------------------------------------- */

static void hold(struct plain *plain, uint8_t c)
{
    if (plain->held_len < sizeof plain->held) {
        plain->held[plain->held_len] = (char)c;
    }
    if (plain->held_len < UINT8_MAX) {
        plain->held_len++;
    }
}

/* ESC [ was taken: parameters, then a final character. Only colours pass. */
static void take_sequence(struct plain *plain, uint8_t c)
{
    hold(plain, c);
    if (c >= 0x20 && c < 0x40) {
        return;
    }
    if (c == 'm' && plain->colour && plain->held_len <= sizeof plain->held) {
        fwrite(plain->held, 1, plain->held_len, plain->out);
    }
    plain->state = TEXT;
}

/* ---- Characters ------------------------------------------------------------------------------ */

static void begin_character(struct plain *plain, uint8_t c)
{
    plain->left = c < 0xe0 ? 1 : c < 0xf0 ? 2 : 3;
    plain->state = c == 0xc2 ? CHARACTER_C2 : CHARACTER;
    if (c != 0xc2) {
        fputc(c, plain->out);
    }
}

static void take_text(struct plain *plain, uint8_t c)
{
    plain->state = TEXT;
    if (c == ESC) {
        plain->state = ESCAPE;
        plain->held_len = 0;
        hold(plain, c);
    } else if (c >= 0xc2 && c < 0xf5) {
        begin_character(plain, c);
    } else if (c == '\n' || c == '\t' || (c >= 0x20 && c < 0x7f)) {
        fputc(c, plain->out);
    } else if (c != '\r') {
        fputc('.', plain->out);
    }
}

/* A byte behind the first of a character. U+0080 to U+009F are control characters. */
static void take_character(struct plain *plain, uint8_t c)
{
    bool goes_on = (c & 0xc0) == 0x80;

    if (plain->state == CHARACTER_C2) {
        if (goes_on && c >= 0xa0) {
            fputc(0xc2, plain->out);
            fputc(c, plain->out);
        } else {
            fputc('.', plain->out);
        }
        plain->left = 0;
    } else if (goes_on) {
        fputc(c, plain->out);
        plain->left--;
    } else {
        plain->left = 0;
    }
    if (plain->left == 0) {
        plain->state = TEXT;
    }
    if (!goes_on) {
        take_text(plain, c);
    }
}

static void take_byte(struct plain *plain, uint8_t c)
{
    switch (plain->state) {
    case ESCAPE:
        hold(plain, c);
        plain->state = c == '[' ? SEQUENCE : TEXT;
        break;
    case SEQUENCE:
        take_sequence(plain, c);
        break;
    case CHARACTER_C2:
    case CHARACTER:
        take_character(plain, c);
        break;
    default:
        take_text(plain, c);
    }
}

void plain_write(struct plain *plain, struct ferry_bytes text)
{
    for (size_t i = 0; i < text.len; i++) {
        take_byte(plain, text.data[i]);
    }
}

char *plain_text(struct ferry_bytes text)
{
    char *made = NULL;
    size_t len;
    struct plain plain = {.out = open_memstream(&made, &len)};

    if (plain.out == NULL) {
        return NULL;
    }
    plain_write(&plain, text);
    if (fclose(plain.out) != 0) {
        free(made);
        return NULL;
    }
    return made;
}
