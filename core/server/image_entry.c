/* SPDX-License-Identifier: Apache-2.0 */
/* A slot's entry in the list. [smp.md §3.1] */
#include "core/server/image_group.h"

/* Whether the next boot lets the image of a slot run, as far as is known without verifying it. */
static bool is_bootable(const struct ferry_image_group *group,
                        const struct ferry_image_place *place, const struct ferry_image_info *info)
{
    const struct ferry_image_bootloader *bootloader = group->config->bootloader;

    return (info->header.flags & FERRY_IMAGE_NON_BOOTABLE) == 0 &&
           (bootloader == NULL || bootloader->may_run(group->config->context, place));
}

static void put_flag(struct ferry_server_call *call, bool frugal, const char *key, bool value)
{
    if (value || !frugal) {
        ferry_cbor_pair_bool(&call->out, key, value);
    }
}

void ferry_image_put_slot(struct ferry_server_call *call, bool frugal,
                          const struct ferry_image_place *place,
                          const struct ferry_image_next *next)
{
    const struct ferry_image_group *group = call->context;
    bool active = place->slot == ferry_image_active(group, place->image);
    bool revert = next->type == FERRY_NEXT_REVERT;
    bool pending = !active && next->slot == place->slot && !revert;
    bool confirmed = active ? !revert : next->slot == place->slot && revert;
    char version[FERRY_VERSION_TEXT_MAX];
    struct ferry_image_info info;

    if (!ferry_image_slot_inspect(group, place->image, place->slot, &info)) {
        return;
    }
    ferry_cbor_open_map(&call->out);
    if (group->config->image_count > 1) {
        ferry_cbor_pair_uint(&call->out, "image", place->image);
    }
    ferry_cbor_pair_uint(&call->out, "slot", place->slot);
    ferry_cbor_put_text(&call->out, "version");
    ferry_cbor_put_text_n(&call->out, version, ferry_version_text(&info.header.version, version));
    ferry_cbor_pair_bytes(&call->out, "hash", info.digest, info.digest_len);
    put_flag(call, frugal, "bootable", is_bootable(group, place, &info));
    put_flag(call, frugal, "pending", pending);
    put_flag(call, frugal, "confirmed", confirmed);
    put_flag(call, frugal, "active",
             active && group->config->bootloader == NULL); /* it is what runs */
    put_flag(call, frugal, "permanent", pending && next->type != FERRY_NEXT_TEST);
    ferry_cbor_close(&call->out);
}
