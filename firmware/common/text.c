/* SPDX-License-Identifier: Apache-2.0 */
/* Lines of text without a C library's printf. */
#include "text.h"

#include <string.h>

struct text *text_add(struct text *text, const char *words)
{
    size_t len = strlen(words);
    size_t room = sizeof(text->chars) - 1 - text->len;

    if (len > room) {
        len = room;
    }
    memcpy(text->chars + text->len, words, len);
    text->len += len;
    text->chars[text->len] = '\0';
    return text;
}

struct text *text_number(struct text *text, uint32_t number)
{
    char digits[11];

    digits[ferry_text_decimal(digits, number, 1)] = '\0';
    return text_add(text, digits);
}

struct text *text_version(struct text *text, const struct ferry_version *version)
{
    char words[FERRY_VERSION_TEXT_MAX];

    (void)ferry_version_text(version, words);
    return text_add(text, words);
}
