/* SPDX-License-Identifier: Apache-2.0 */
/* The checksum "crc32" of group fs. */
#include "ferry/group_fs.h"

#include "ferry/crc.h"

static void begin(union ferry_fs_hash_state *state)
{
    state->crc32 = 0;
}

static void add(union ferry_fs_hash_state *state, const uint8_t *data, size_t len)
{
    state->crc32 = ferry_crc32(state->crc32, data, len);
}

static void end(union ferry_fs_hash_state *state, uint8_t *output)
{
    ferry_store_be16(output, (uint16_t)(state->crc32 >> 16));
    ferry_store_be16(output + 2, (uint16_t)state->crc32);
}

const struct ferry_fs_hash ferry_fs_hash_crc32 = {
    .name = "crc32", .is_bytes = false, .size = 4, .begin = begin, .add = add, .end = end};
