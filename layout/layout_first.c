/* SPDX-License-Identifier: Apache-2.0 */
/* The first stage in a layout: its program, its two slots and its provision data. */
#include "layout_read.h"

#include <string.h>

static bool read_area(struct json_reader *reader, const cJSON *item, const char *field,
                      const struct layout *layout, uint32_t *index)
{
    char name[FERRY_VCHIP_NAME];

    if (!layout_read_name(reader, item, field, name)) {
        return false;
    }
    const struct ferry_vchip_area *area = layout_area(layout, name);
    if (area == NULL) {
        return json_fail(reader, field, "there is no area \"%s\"; name one of \"areas\"", name);
    }
    *index = (uint32_t)(area - layout->areas);
    return true;
}

static void check(struct json_reader *reader, const struct layout *layout)
{
    const struct ferry_vchip_area *s0 = &layout->areas[layout->first_slots[0]];
    const struct ferry_vchip_area *s1 = &layout->areas[layout->first_slots[1]];
    uint32_t provision = layout->areas[layout->first_provision].device;
    const uint32_t areas[] = {layout->first_program, layout->first_provision,
                              layout->first_slots[0], layout->first_slots[1]};

    for (size_t i = 0; i < 4; i++) {
        for (size_t j = 0; j < i; j++) {
            if (areas[i] == areas[j]) {
                (void)json_fail(reader, NULL, "\"%s\" is named twice; give each an area",
                                layout->areas[areas[i]].name);
                return;
            }
        }
    }
    if (s0->size != s1->size) {
        (void)json_fail(reader, "s1", "has %u bytes and \"s0\" has %u; give both one size",
                        s1->size, s0->size);
    } else if (s0->size <= 2 * FERRY_VCHIP_FIRST_HEADER) {
        (void)json_fail(reader, "s0", "is too small for a bootloader; make it larger");
    } else if (layout->devices[provision].no_second_write ||
               layout->devices[provision].geometry.write_size > 4 ||
               layout->devices[provision].geometry.erased_value != 0xff) {
        (void)json_fail(reader, "provision",
                        "\"%s\" cannot be written bit by bit; put it into a flash with write_size "
                        "4 or less, erased_value 255 and without no_second_write",
                        layout->areas[layout->first_provision].name);
    }
}

void layout_read_first(struct json_reader *reader, const cJSON *root, struct layout *layout)
{
    const cJSON *item = cJSON_GetObjectItemCaseSensitive(root, "first_stage");

    layout->first_provision = FERRY_VCHIP_NO_AREA;
    layout->first_slots[0] = FERRY_VCHIP_NO_AREA;
    layout->first_slots[1] = FERRY_VCHIP_NO_AREA;
    if (item == NULL || reader->failed) {
        return;
    }
    (void)strcpy(reader->where, "first_stage");
    (void)json_only(reader, item, "program s0 s1 provision");
    layout->has_first = read_area(reader, item, "program", layout, &layout->first_program) &&
                        read_area(reader, item, "s0", layout, &layout->first_slots[0]) &&
                        read_area(reader, item, "s1", layout, &layout->first_slots[1]) &&
                        read_area(reader, item, "provision", layout, &layout->first_provision);
    if (layout->has_first) {
        check(reader, layout);
    }
    reader->where[0] = '\0';
}

bool layout_is_first(const struct layout *layout, uint32_t area)
{
    return layout->has_first && (area == layout->first_program || area == layout->first_provision ||
                                 area == layout->first_slots[1]);
}

const struct ferry_vchip_area *layout_start_area(const struct layout *layout)
{
    return layout->has_first ? &layout->areas[layout->first_program]
                             : layout_area(layout, "bootloader");
}
