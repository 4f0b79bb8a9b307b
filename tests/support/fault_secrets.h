/* SPDX-License-Identifier: Apache-2.0 */
/* What must never be found in flash: keys anywhere; outside the primary the plaintext of images
 * that are encrypted. Kept as all the words of 8 bytes that they have, so that every operation can
 * be looked at. */
#ifndef FAULT_SECRETS_H
#define FAULT_SECRETS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum fault_secret_kind { FAULT_NO_SECRET, FAULT_TEXT, FAULT_KEY };

struct fault_secret_word {
    uint64_t word;
    uint8_t kind; /* FAULT_NO_SECRET: the place is empty */
};

struct fault_secrets {
    struct fault_secret_word *words; /* hashed; as many as mask + 1 */
    uint32_t mask;
    uint32_t count;
};

/* Take every word of some bytes. What is all one byte says nothing and is left out.
 * Aborts when memory is out. */
void fault_secrets_add(struct fault_secrets *secrets, enum fault_secret_kind kind,
                       const uint8_t *bytes, size_t len);
void fault_secrets_free(struct fault_secrets *secrets);

/* The worst of what begins anywhere in some bytes; text counts only with `text`. */
enum fault_secret_kind fault_secrets_find(const struct fault_secrets *secrets, const uint8_t *bytes,
                                          size_t len, bool text);

#endif
