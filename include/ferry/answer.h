/* SPDX-License-Identifier: Apache-2.0 */
/* Lists and maps inside answers, read one element at a time and without room for all of them.
 *
 *   struct ferry_answer_items items;
 *   if (ferry_answer_list(answer.payload, "stat_list", &items) == FERRY_OK) {
 *       while (ferry_answer_next_text(&items, name, sizeof name) == 1) { … }
 *   }
 *
 * Definite and indefinite lengths are taken, unknown keys skipped. Nothing is copied but texts: the
 * payload must stay as long as the elements are used. */
#ifndef FERRY_ANSWER_H
#define FERRY_ANSWER_H

#include "ferry/cbor.h"

/* Room for a name of a task, a statistic, a log, with its NUL; longer ones are cut. */
#define FERRY_ANSWER_NAME_MAX 96

/* Do not rely on the contents. */
struct ferry_answer_items {
    struct ferry_cbor_reader reader;
};

/* The list under a key of the payload's map.
 * Returns FERRY_OK; FERRY_E_NOT_FOUND when the key is missing; an error of ferry_cbor_read_map().
 */
FERRY_MUST_CHECK
int ferry_answer_list(struct ferry_bytes payload, const char *key,
                      struct ferry_answer_items *items);

/* The map under a key; key NULL: the payload's map itself. Returns as ferry_answer_list(). */
FERRY_MUST_CHECK
int ferry_answer_map(struct ferry_bytes payload, const char *key, struct ferry_answer_items *items);

struct ferry_answer_element {
    struct ferry_cbor_item item;
    struct ferry_bytes whole; /* the same with its head, for the readers of maps */
};

/* The next element of a list. Returns 1; 0 at the end; an error of ferry_cbor_read(). */
FERRY_MUST_CHECK
int ferry_answer_next(struct ferry_answer_items *items, struct ferry_answer_element *element);

/* The next element of a list of texts; out gets at most cap - 1 bytes and a NUL (cap above 0).
 * Returns 1; 0 at the end; FERRY_E_TYPE for another kind; an error of ferry_cbor_read(). */
FERRY_MUST_CHECK
int ferry_answer_next_text(struct ferry_answer_items *items, char *out, size_t cap);

/* The next pair of a map; the key, a text or a number, goes to name as in ferry_answer_next_text().
 * Returns as that. */
FERRY_MUST_CHECK
int ferry_answer_next_pair(struct ferry_answer_items *items, char *name, size_t cap,
                           struct ferry_answer_element *value);

/* A whole number under a key of the payload's map.
 * Returns FERRY_OK; FERRY_E_NOT_FOUND; FERRY_E_TYPE for another kind or a negative number. */
FERRY_MUST_CHECK
int ferry_answer_number(struct ferry_bytes payload, const char *key, uint64_t *value);

/* An item as text: at most cap - 1 bytes and a NUL (cap above 0). Returns the length of the whole,
 * also when it was cut; FERRY_E_TYPE when it is neither a text nor bytes. */
int ferry_answer_copy_text(const struct ferry_cbor_item *item, char *out, size_t cap);

#endif
