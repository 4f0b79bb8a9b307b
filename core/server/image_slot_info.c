/* SPDX-License-Identifier: Apache-2.0 */
/* Slot info. [smp.md §3.1] */
#include "core/server/image_group.h"

/* An upload with the number of an image goes to its target; in a bootloader every slot has one, and
 * with direct upload every slot that takes one. */
static void put_upload_id(struct ferry_server_call *call, const struct ferry_image_place *place)
{
    const struct ferry_image_group *group = call->context;
    const struct ferry_image_bootloader *bootloader = group->config->bootloader;
    const struct ferry_image_direct *direct = group->config->direct;

    bool takes_one = place->slot == ferry_image_target(group, place->image);
    uint32_t number = place->image;

    if (bootloader != NULL) {
        takes_one = true;
        number = bootloader->number(group->config->context, place);
    } else if (direct != NULL) {
        takes_one = takes_one || group->options->upload_running;
        number = direct->number(place);
    }
    if (takes_one) {
        ferry_cbor_pair_uint(&call->out, "upload_image_id", number);
    }
}

static void put_slots(struct ferry_server_call *call, uint32_t image)
{
    const struct ferry_image_group *group = call->context;
    const struct ferry_slots *slots = &group->config->images[image];

    ferry_cbor_put_text(&call->out, "slots");
    ferry_cbor_open_list(&call->out);
    for (uint32_t slot = 0; slot < 2 && ferry_slots_slot(slots, slot) != NULL; slot++) {
        const struct ferry_image_place place = {(uint8_t)image, (uint8_t)slot};

        ferry_cbor_open_map(&call->out);
        ferry_cbor_pair_uint(&call->out, "slot", slot);
        ferry_cbor_pair_uint(&call->out, "size", ferry_slots_slot(slots, slot)->size);
        put_upload_id(call, &place);
        ferry_cbor_close(&call->out);
    }
    ferry_cbor_close(&call->out);
}

int ferry_image_slot_info(struct ferry_server_call *call)
{
    const struct ferry_image_group *group = call->context;

    if (group->config->image_count == 1 && !group->options->slot_info_always) {
        return FERRY_RC_NOT_SUPPORTED;
    }
    ferry_cbor_put_text(&call->out, "images");
    ferry_cbor_open_list(&call->out);
    for (uint32_t image = 0; image < group->config->image_count; image++) {
        ferry_cbor_open_map(&call->out);
        ferry_cbor_pair_uint(&call->out, "image", image);
        put_slots(call, image);
        ferry_cbor_pair_uint(&call->out, "max_image_size",
                             ferry_slots_max_image(&group->config->images[image]));
        ferry_cbor_close(&call->out);
    }
    ferry_cbor_close(&call->out);
    return FERRY_RC_OK;
}
