/* SPDX-License-Identifier: Apache-2.0 */
/* What the bootloader last did with an image, asked of the device and put into words. */
#ifndef CLI_DEVICE_WHY_H
#define CLI_DEVICE_WHY_H

#include "session.h"

#include "ferry/why.h"

/* A report in words, as cli_fail() wants them. why and next may be "". */
struct why_words {
    char what[160];
    char why[160];
    const char *next;
};

/* Ask the device; nothing is printed.
 *
 * answer  filled when the device refused: what it said
 *
 * Returns FERRY_OK; FERRY_E_REFUSED; FERRY_E_NOT_FOUND when the device does not know the question;
 * FERRY_E_FORMAT when its words are unknown here; FERRY_E_TIMEOUT, FERRY_E_IO. */
FERRY_MUST_CHECK
int why_ask(struct session *session, uint32_t image, struct ferry_why *why,
            struct ferry_client_answer *answer);

/* Put a report into words. */
void why_in_words(const struct ferry_why *why, struct why_words *words);

/* Add to the words of an image that was installed for a test whether it was confirmed since. */
void why_trial_went(bool confirmed, struct why_words *words);

/* The report of an image with its words, as `ferry why --json` prints it. */
cJSON *why_json(uint32_t image, const struct ferry_why *why, const struct why_words *words);

/* Whether a version is known: it is not all zero. */
bool why_has_version(const struct ferry_version *version);

#endif
