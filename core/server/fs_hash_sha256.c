/* SPDX-License-Identifier: Apache-2.0 */
/* The hash "sha256" of group fs. */
#include "ferry/group_fs.h"

static void begin(union ferry_fs_hash_state *state)
{
    ferry_crypto_sha256_init(&state->sha256);
}

static void add(union ferry_fs_hash_state *state, const uint8_t *data, size_t len)
{
    ferry_crypto_sha256_update(&state->sha256, data, len);
}

static void end(union ferry_fs_hash_state *state, uint8_t *output)
{
    ferry_crypto_sha256_final(&state->sha256, output);
}

const struct ferry_fs_hash ferry_fs_hash_sha256 = {.name = "sha256",
                                                   .is_bytes = true,
                                                   .size = FERRY_SHA256_SIZE,
                                                   .begin = begin,
                                                   .add = add,
                                                   .end = end};
