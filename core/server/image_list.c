/* SPDX-License-Identifier: Apache-2.0 */
/* What the slots hold: the list, and the slot of a hash. [smp.md §3.1] */
#include "core/server/image_group.h"

#include <string.h>

/* ---- The list ---------------------------------------------------------------- */

static void put_image(struct ferry_server_call *call, bool frugal, uint8_t image)
{
    const struct ferry_image_group *group = call->context;
    struct ferry_image_next next;

    if (ferry_image_next_boot(group, image, &next) != FERRY_OK) {
        /* The slot that runs cannot be read, so it is missing from the list anyway. */
        next = (struct ferry_image_next){group->config->images[image].active, FERRY_NEXT_NORMAL};
    }
    for (uint8_t slot = 0; slot < 2; slot++) {
        const struct ferry_image_place place = {image, slot};

        ferry_image_put_slot(call, frugal, &place, &next);
    }
}

/* Returns whether it fits. */
static bool put_list(struct ferry_server_call *call, bool frugal)
{
    struct ferry_cbor_writer *out = &call->out;
    const struct ferry_image_group *group = call->context;

    ferry_cbor_put_text(out, "images");
    ferry_cbor_open_list(out);
    for (uint8_t image = 0; image < group->config->image_count; image++) {
        put_image(call, frugal, image);
    }
    ferry_cbor_close(out);
    if (!frugal) {
        ferry_cbor_pair_int(out, "splitStatus", 0);
    }
    return out->len < out->cap; /* a byte is left for the end of the map */
}

/* The list, the frugal one where the buffer does not take the other. Returns whether it fits. */
bool ferry_image_put_list(struct ferry_server_call *call)
{
    const struct ferry_image_group *group = call->context;
    const struct ferry_cbor_writer before = call->out;

    if (put_list(call, group->options->frugal)) {
        return true;
    }
    call->out = before;
    return put_list(call, true);
}

int ferry_image_state_read(struct ferry_server_call *call)
{
    (void)ferry_image_put_list(call); /* one that does not fit is answered by the server, rc 7 */
    return FERRY_RC_OK;
}

/* ---- Finding ----------------------------------------------------------------- */

bool ferry_image_find_by_hash(const struct ferry_image_group *group, const struct ferry_bytes *hash,
                              struct ferry_image_place *target)
{
    struct ferry_image_info info;

    for (uint32_t i = 0; i < 2U * group->config->image_count; i++) {
        if (ferry_image_slot_inspect(group, i / 2, i % 2, &info) && info.digest_len == hash->len &&
            memcmp(info.digest, hash->data, hash->len) == 0) {
            *target = (struct ferry_image_place){(uint8_t)(i / 2), (uint8_t)(i % 2)};
            return true;
        }
    }
    return false;
}

bool ferry_image_slot_version(const struct ferry_image_group *group, uint32_t image, uint32_t slot,
                              struct ferry_version *version)
{
    struct ferry_image_info info;

    if (!ferry_image_slot_inspect(group, image, slot, &info)) {
        return false;
    }
    *version = info.header.version;
    return true;
}
