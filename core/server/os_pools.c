/* SPDX-License-Identifier: Apache-2.0 */
/* Group os: the memory pools of the device, in Zephyr's form: keyed by their numbers.
 * [smp.md §3.0] */
#include "ferry/group_os.h"

#include <string.h>

static void put_pool(struct ferry_cbor_writer *out, uint32_t number,
                     const struct ferry_os_pool *pool)
{
    char digits[10];

    ferry_cbor_put_text_n(out, digits, ferry_text_decimal(digits, number, 1));
    ferry_cbor_open_map(out);
    ferry_cbor_pair_uint(out, "blksiz", pool->block_size);
    ferry_cbor_pair_uint(out, "nblks", pool->blocks);
    ferry_cbor_pair_uint(out, "nfree", pool->free_blocks);
    ferry_cbor_pair_uint(out, "min", pool->free_least);
    ferry_cbor_close(out);
}

int ferry_os_handle_pools(struct ferry_server_call *call)
{
    const struct ferry_os_group_config *config =
        ((const struct ferry_os_group *)call->context)->config;
    struct ferry_os_pool pool;
    uint32_t number = 0;
    int result = FERRY_OK;

    if (config->pool == NULL) {
        return FERRY_RC_NOT_SUPPORTED;
    }
    /* Not beyond what fits, however many there are. */
    while (result == FERRY_OK && call->out.len <= call->out.cap) {
        memset(&pool, 0, sizeof(pool));
        result = config->pool(config->context, number, &pool);
        if (result == FERRY_OK) {
            put_pool(&call->out, number, &pool);
            number++;
        }
    }
    if (result != FERRY_OK && result != FERRY_E_NOT_FOUND) {
        return ferry_server_fail(call, FERRY_OS_ERR_HEAP_STATS_FAILED, "a pool cannot be told");
    }
    return FERRY_RC_OK;
}
