/* SPDX-License-Identifier: Apache-2.0 */
/* The digest SHA-256. [mcuboot-format.md §2.2] */
#include "ferry/image.h"

static void init(union ferry_image_digest_state *state)
{
    ferry_crypto_sha256_init(&state->sha256);
}

static void update(union ferry_image_digest_state *state, const void *data, size_t len)
{
    ferry_crypto_sha256_update(&state->sha256, data, len);
}

static void final(union ferry_image_digest_state *state, uint8_t *digest)
{
    ferry_crypto_sha256_final(&state->sha256, digest);
}

const struct ferry_image_digest_kind ferry_digest_sha256 = {.name = "sha256",
                                                            .tlv = FERRY_TLV_SHA256,
                                                            .size = FERRY_SHA256_SIZE,
                                                            .init = init,
                                                            .update = update,
                                                            .final = final};
