/* SPDX-License-Identifier: Apache-2.0 */
/* How a verification becomes a verdict. Each check leaves its result as evidence, and is acted on
 * once where it is made; the two words of the verdict are then computed from the evidence by other
 * code and without a branch, so that a skipped instruction or a flipped branch says nothing valid.
 */
#ifndef FERRY_VERDICT_H
#define FERRY_VERDICT_H

#include "ferry/image.h"

/* Both words of a signature that verified; anything else in either is a refusal. */
#define FERRY_EVIDENCE_SIGNED 0x3c96c369U

/* Volatile, so that the compiler cannot conclude from the first check that the second is idle. */
struct ferry_evidence {
    /* The digest TLV, and the digest of what was read. Both are compared whole, however long a
     * digest is: behind it they are 0, and no length can be made less. */
    uint8_t expected[FERRY_IMAGE_DIGEST_MAX];
    uint8_t computed[FERRY_IMAGE_DIGEST_MAX];
    volatile uint32_t difference;        /* of the two, by the first comparison; 0 = none */
    volatile uint32_t signature;         /* FERRY_EVIDENCE_SIGNED when it verified */
    volatile uint32_t signature_inverse; /* ~FERRY_EVIDENCE_SIGNED when it verified */
};

/* Evidence of nothing: neither digest nor signature were looked at. */
void ferry_evidence_init(struct ferry_evidence *evidence);

/* Say what the digest has to be: len bytes, at most FERRY_IMAGE_DIGEST_MAX. What was computed
 * counts no more: the caller puts len bytes into computed. */
void ferry_evidence_expect(struct ferry_evidence *evidence, const uint8_t *digest, size_t len);

/* Compare the digests and keep the result. Returns 0 when they are equal. */
FERRY_MUST_CHECK
uint32_t ferry_evidence_compare(struct ferry_evidence *evidence);

/* Keep the result of one signature, FERRY_OK or an error, in place of the one before. again: the
 * same, read anew from where it was kept. */
void ferry_evidence_signature(struct ferry_evidence *evidence, int result, int again);

/* Compose the verdict; the digests are compared once more. */
void ferry_verdict_compose(const struct ferry_evidence *evidence, struct ferry_verdict *verdict);

#endif
