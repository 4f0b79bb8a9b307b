/* SPDX-License-Identifier: Apache-2.0 */
/* Group os: echo, and the console's. */
#include "ferry/group_os.h"

int ferry_os_handle_echo(struct ferry_server_call *call)
{
    struct ferry_cbor_field text = {.key = "d", .kind = FERRY_CBOR_TEXT};
    int rc = ferry_server_read(call, &text, 1);

    if (rc != FERRY_RC_OK) {
        return rc;
    }
    if (!text.present) {
        text.item.bytes = (struct ferry_bytes){NULL, 0};
    }
    ferry_cbor_put_text(&call->out, "r");
    ferry_cbor_put_text_n(&call->out, (const char *)text.item.bytes.data, text.item.bytes.len);
    return FERRY_RC_OK;
}

/* Clients of Mynewt's age switch the console's echo off first. Ferry's consoles never echo, so
 * the wish is granted; an error would make them stop. */
int ferry_os_handle_console_echo(struct ferry_server_call *call)
{
    ferry_cbor_pair_uint(&call->out, "rc", FERRY_RC_OK);
    return FERRY_RC_OK;
}
