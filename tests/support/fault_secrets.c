/* SPDX-License-Identifier: Apache-2.0 */
/* What must never be found in flash. */
#include "fault_secrets.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define WORD sizeof(uint64_t)

static uint32_t hash(uint64_t word)
{
    return (uint32_t)((word * 0x9e3779b97f4a7c15U) >> 32);
}

static uint64_t word_at(const uint8_t *bytes)
{
    uint64_t word;

    memcpy(&word, bytes, sizeof(word));
    return word;
}

/* All bytes of it the same. */
static bool is_plain(uint64_t word)
{
    return word == (word & 0xff) * 0x0101010101010101U;
}

static struct fault_secret_word *find(const struct fault_secrets *secrets, uint64_t word)
{
    uint32_t at = hash(word) & secrets->mask;

    while (secrets->words[at].kind != FAULT_NO_SECRET && secrets->words[at].word != word) {
        at = (at + 1) & secrets->mask;
    }
    return &secrets->words[at];
}

static void put(struct fault_secrets *secrets, uint64_t word, uint8_t kind)
{
    struct fault_secret_word *place = find(secrets, word);

    secrets->count += place->kind == FAULT_NO_SECRET ? 1 : 0;
    place->word = word;
    place->kind = kind > place->kind ? kind : place->kind;
}

/* At most one place in four is taken. */
static void grow(struct fault_secrets *secrets, size_t more)
{
    struct fault_secrets old = *secrets;
    uint32_t places = 256;

    while (places < 4 * (old.count + more)) {
        places *= 2;
    }
    if (old.words != NULL && places <= old.mask + 1) {
        return;
    }
    *secrets = (struct fault_secrets){calloc(places, sizeof(*secrets->words)), places - 1, 0};
    if (secrets->words == NULL) {
        fputs("faults: out of memory\n", stderr);
        abort();
    }
    for (uint32_t i = 0; old.words != NULL && i <= old.mask; i++) {
        if (old.words[i].kind != FAULT_NO_SECRET) {
            put(secrets, old.words[i].word, old.words[i].kind);
        }
    }
    free(old.words);
}

void fault_secrets_add(struct fault_secrets *secrets, enum fault_secret_kind kind,
                       const uint8_t *bytes, size_t len)
{
    grow(secrets, len);
    for (size_t i = 0; i + WORD <= len; i++) {
        uint64_t word = word_at(bytes + i);

        if (!is_plain(word)) {
            put(secrets, word, (uint8_t)kind);
        }
    }
}

void fault_secrets_free(struct fault_secrets *secrets)
{
    free(secrets->words);
    *secrets = (struct fault_secrets){NULL, 0, 0};
}

enum fault_secret_kind fault_secrets_find(const struct fault_secrets *secrets, const uint8_t *bytes,
                                          size_t len, bool text)
{
    enum fault_secret_kind worst = FAULT_NO_SECRET;

    for (size_t i = 0; secrets->words != NULL && i + WORD <= len; i++) {
        enum fault_secret_kind kind =
            (enum fault_secret_kind)find(secrets, word_at(bytes + i))->kind;

        if (kind > worst && (kind == FAULT_KEY || text)) {
            worst = kind;
        }
    }
    return worst;
}
