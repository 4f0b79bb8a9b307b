/* SPDX-License-Identifier: Apache-2.0 */
/* Refusing compressed uploads at once. A file of its own, for servers whose bootloader has no
 * decompressor. */
#include "ferry/group_image.h"

int ferry_image_refuse_compressed(void *context, struct ferry_server_call *call,
                                  const struct ferry_image_chunk *chunk)
{
    struct ferry_image_header header;

    (void)context;
    if (chunk->offset != 0 || ferry_image_header_parse(chunk->data.data, &header) != FERRY_OK ||
        (header.flags & FERRY_IMAGE_COMPRESSED) == 0) {
        return FERRY_RC_OK;
    }
    return ferry_server_fail(call, FERRY_IMAGE_ERR_INVALID_HEADER,
                             ferry_server_text(call, FERRY_E_COMPRESSED));
}
