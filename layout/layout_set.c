/* SPDX-License-Identifier: Apache-2.0 */
/* Images of a layout that change as one, as ferry_boot_as_one asks for it. */
#include "layout_read.h"

#include "ferry/slots.h"

static const struct ferry_strategy_traits *traits_of(const struct layout *layout, uint32_t image)
{
    return ferry_strategy_traits_find(layout->images[image].strategy);
}

/* The bootloader's own image is of no set. */
static bool is_member(const struct layout *layout, uint32_t image)
{
    return traits_of(layout, image) != &ferry_traits_first_stage;
}

static bool check_image(struct json_reader *reader, const struct layout *layout, uint32_t image)
{
    const struct ferry_strategy_traits *traits = traits_of(layout, image);

    if (traits->in_place || traits->slot_count == 1) {
        return json_fail(reader, "set",
                         "image %u has the strategy %s, which moves nothing; use swap-… or "
                         "overwrite",
                         (unsigned)image, traits->name);
    }
    if (traits->reverts != traits_of(layout, 0)->reverts) {
        return json_fail(reader, "set",
                         "image %u can%s be taken back, and image 0 can%s; use strategies that "
                         "all can, or all cannot",
                         (unsigned)image, traits->reverts ? "" : "not",
                         traits->reverts ? "not" : "");
    }
    return true;
}

void layout_read_set(struct json_reader *reader, const cJSON *root, struct layout *layout)
{
    bool set = false;
    uint32_t members = 0;

    reader->where[0] = '\0';
    (void)json_flag(reader, root, "set", &set);
    if (!set || reader->failed) {
        return;
    }
    for (uint32_t i = 0; i < layout->image_count && !reader->failed; i++) {
        members += is_member(layout, i) && check_image(reader, layout, i) ? 1 : 0;
    }
    if (members < 2 && !reader->failed) {
        (void)json_fail(reader, "set", "there is one image only; leave it out");
    }
    if (layout_area(layout, "store") == NULL) {
        (void)json_fail(reader, "set", "what the set does is kept in an area \"store\"; add one");
    }
    layout->flags |= FERRY_VCHIP_SET;
}
