/* SPDX-License-Identifier: Apache-2.0 */
/* What is wrong with something, each thing said once. */
#ifndef CLI_BUNDLE_FINDINGS_H
#define CLI_BUNDLE_FINDINGS_H

#include "cli/cli.h"

#define FINDINGS_MAX     64
#define FINDING_TEXT_MAX 320

struct finding {
    bool is_note; /* worth to know, and nothing is wrong */
    char text[FINDING_TEXT_MAX];
};

/* All zero is none. */
struct findings {
    struct finding list[FINDINGS_MAX];
    size_t count;    /* of the list: the first ones */
    size_t problems; /* all of them */
};

/* Add what is wrong. */
void findings_problem(struct findings *findings, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

/* Add what is worth to know. */
void findings_note(struct findings *findings, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

/* Say the notes on standard error, a line each. */
void findings_tell_notes(const struct findings *findings);

/* The first problem; "" when there is none. */
const char *findings_first(const struct findings *findings);

/* The texts of the problems, or of the notes, as an array. */
cJSON *findings_json(const struct findings *findings, bool notes);

#endif
