/* SPDX-License-Identifier: Apache-2.0 */
/* Group os: what a client may send at once. */
#include "ferry/group_os.h"

int ferry_os_handle_params(struct ferry_server_call *call)
{
    ferry_cbor_pair_uint(&call->out, "buf_size", call->server->config->buf_size);
    ferry_cbor_pair_uint(&call->out, "buf_count", call->server->config->buf_count);
    if (call->peer->pad > 0) {
        ferry_cbor_pair_uint(&call->out, "pad", call->peer->pad);
    }
    return FERRY_RC_OK;
}
