/* SPDX-License-Identifier: Apache-2.0 */
/* Lines of text without a C library's printf. */
#ifndef FIRMWARE_COMMON_TEXT_H
#define FIRMWARE_COMMON_TEXT_H

#include "ferry/image.h"

#define TEXT_MAX 400

/* A line as it grows; what does not fit is cut. Begin with {0}. */
struct text {
    size_t len;
    char chars[TEXT_MAX];
};

/* Append words, a number, a version. Each returns its text, so that they can be chained. */
struct text *text_add(struct text *text, const char *words);
struct text *text_number(struct text *text, uint32_t number);
struct text *text_version(struct text *text, const struct ferry_version *version);

#endif
