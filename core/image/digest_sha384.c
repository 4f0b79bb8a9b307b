/* SPDX-License-Identifier: Apache-2.0 */
/* The digest SHA-384. [mcuboot-format.md §2.2] */
#include "ferry/image.h"

static void init(union ferry_image_digest_state *state)
{
    ferry_crypto_sha384_init(&state->sha512);
}

static void update(union ferry_image_digest_state *state, const void *data, size_t len)
{
    ferry_crypto_sha384_update(&state->sha512, data, len);
}

static void final(union ferry_image_digest_state *state, uint8_t *digest)
{
    ferry_crypto_sha384_final(&state->sha512, digest);
}

const struct ferry_image_digest_kind ferry_digest_sha384 = {.name = "sha384",
                                                            .tlv = FERRY_TLV_SHA384,
                                                            .size = FERRY_SHA384_SIZE,
                                                            .init = init,
                                                            .update = update,
                                                            .final = final};
