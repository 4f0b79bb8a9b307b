/* SPDX-License-Identifier: Apache-2.0 */
#include "plain.h"
#include "cbor_json.h"

#include <stdlib.h>
#include <unistd.h>

enum { TEXT, ESCAPE, SEQUENCE, CHARACTER };

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
    plain->need = c < 0xe0 ? 2 : c < 0xf0 ? 3 : 4;
    plain->state = CHARACTER;
    plain->held_len = 0;
    hold(plain, c);
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

/* What is held is written when it is a character; U+0080 to U+009F are control characters. */
static void end_character(struct plain *plain)
{
    const uint8_t *held = (const uint8_t *)plain->held;
    bool control = held[0] == 0xc2 && held[1] < 0xa0;

    if (cbor_json_character(held, plain->held_len) == plain->held_len && !control) {
        fwrite(held, 1, plain->held_len, plain->out);
    } else {
        fputc('.', plain->out);
    }
    plain->state = TEXT;
}

/* A byte behind the first of a character. */
static void take_character(struct plain *plain, uint8_t c)
{
    bool goes_on = (c & 0xc0) == 0x80;

    if (goes_on) {
        hold(plain, c);
    }
    if (!goes_on || plain->held_len == plain->need) {
        end_character(plain);
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
