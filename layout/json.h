/* SPDX-License-Identifier: Apache-2.0 */
/* Reading JSON fields so that every error names its field. The first error is kept. */
#ifndef LAYOUT_JSON_H
#define LAYOUT_JSON_H

#include "ferry/bytes.h"

#include <cjson/cJSON.h>

/* A reader and where it is: "areas[2].size". Once failed, it stays so. */
struct json_reader {
    char *why;
    size_t why_cap;
    bool failed;
    char where[96];
};

void json_reader_init(struct json_reader *reader, char *why, size_t cap);

/* Keep the text of an error in a field (NULL: where the reader is). Returns false, always. */
__attribute__((format(printf, 3, 4))) bool json_fail(struct json_reader *reader, const char *field,
                                                     const char *format, ...);

/* Go to an element of the array with this name; the next place is relative to it. */
void json_at(struct json_reader *reader, const char *array, uint32_t index);

/* Fail when object has a field that is not in the list (names with a blank between them). */
bool json_only(struct json_reader *reader, const cJSON *object, const char *list);

/* Whether object has the field. */
bool json_has(const cJSON *object, const char *field);

/* Read a field. Each returns false after an error, also after an earlier one.
 *
 * number  a whole number, or text as "0x30000", "256K", "1M"; least .. most
 * text    1 .. cap - 1 characters without control characters
 * flag    true or false; absent = false
 * array   least .. most elements; absent = an empty one (*array NULL), when least is 0 */
bool json_number(struct json_reader *reader, const cJSON *object, const char *field, uint32_t least,
                 uint32_t most, uint32_t *value);
bool json_text(struct json_reader *reader, const cJSON *object, const char *field, char *out,
               size_t cap);
bool json_flag(struct json_reader *reader, const cJSON *object, const char *field, bool *value);
bool json_array(struct json_reader *reader, const cJSON *object, const char *field, uint32_t least,
                uint32_t most, const cJSON **array, uint32_t *count);

#endif
