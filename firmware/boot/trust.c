/* SPDX-License-Identifier: Apache-2.0 */
/* Whom images must come from. A product lists only what it uses; the linker leaves out the rest. */
#include "trust.h"

static const struct ferry_image_verifier *const verifiers[] = {
    &ferry_verify_ecdsa_p256,   &ferry_verify_ecdsa_p384,  &ferry_verify_ed25519,
    &ferry_verify_ed25519_pure, &ferry_verify_rsa2048_pss, &ferry_verify_rsa3072_pss};

static const struct ferry_image_digest_kind *const digests[] = {
    &ferry_digest_sha256, &ferry_digest_sha384, &ferry_digest_sha512};

struct ferry_image_trust trust_in(const struct board *board)
{
    return (struct ferry_image_trust){
        .keys = board->keys,
        .key_count = board->key_count,
        .verifiers = verifiers,
        .verifier_count = sizeof(verifiers) / sizeof(verifiers[0]),
        .digests = digests,
        .digest_count = sizeof(digests) / sizeof(digests[0]),
    };
}
