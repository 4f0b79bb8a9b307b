/* SPDX-License-Identifier: Apache-2.0 */
/* How a verification becomes a verdict: evidence, two words, no branch. */
#include "core/image/verdict.h"

#include <string.h>

void ferry_evidence_init(struct ferry_evidence *evidence)
{
    memset(evidence->expected, 0x00, sizeof evidence->expected);
    memset(evidence->computed, 0xff, sizeof evidence->computed);
    evidence->difference = UINT32_MAX;
    evidence->signature = 0;
    evidence->signature_inverse = 0;
}

void ferry_evidence_expect(struct ferry_evidence *evidence, const uint8_t *digest, size_t len)
{
    memset(evidence->expected, 0x00, sizeof evidence->expected);
    memcpy(evidence->expected, digest, len);
    memset(evidence->computed, 0x00, sizeof evidence->computed);
    memset(evidence->computed, 0xff, len);
    evidence->difference = UINT32_MAX;
}

/* First comparison: forward, collecting the bits that differ. */
uint32_t ferry_evidence_compare(struct ferry_evidence *evidence)
{
    uint32_t bits = 0;
    for (size_t i = 0; i < FERRY_IMAGE_DIGEST_MAX; i++) {
        bits |= (uint32_t)(evidence->expected[i] ^ evidence->computed[i]);
    }
    evidence->difference = bits;
    return evidence->difference;
}

/* Second comparison: backward, counting the bytes that are equal; volatile, lest it be taken for
 * the first. Returns how many are not, 0 when none. */
static uint32_t compare_again(const struct ferry_evidence *evidence)
{
    const volatile uint8_t *expected = evidence->expected;
    const volatile uint8_t *computed = evidence->computed;
    uint32_t equal = 0;
    for (size_t i = FERRY_IMAGE_DIGEST_MAX; i > 0; i--) {
        equal += (uint32_t)(expected[i - 1] == computed[i - 1]);
    }
    return FERRY_IMAGE_DIGEST_MAX - equal;
}

void ferry_evidence_signature(struct ferry_evidence *evidence, int result, int again)
{
    evidence->signature = FERRY_EVIDENCE_SIGNED ^ (uint32_t)result;
    evidence->signature_inverse = ~FERRY_EVIDENCE_SIGNED ^ (uint32_t)again;
}

void ferry_verdict_compose(const struct ferry_evidence *evidence, struct ferry_verdict *verdict)
{
    verdict->valid =
        FERRY_VALID ^ (evidence->difference | (evidence->signature ^ FERRY_EVIDENCE_SIGNED));
    verdict->check = ~FERRY_VALID ^ (compare_again(evidence) |
                                     (evidence->signature_inverse ^ ~FERRY_EVIDENCE_SIGNED));
}

bool ferry_verdict_is_valid(const struct ferry_verdict *verdict)
{
    const volatile struct ferry_verdict *v = verdict;
    uint32_t wrong = v->valid ^ FERRY_VALID;
    wrong |= v->check ^ ~FERRY_VALID;
    return wrong == 0 && (v->valid ^ v->check) == UINT32_MAX;
}
