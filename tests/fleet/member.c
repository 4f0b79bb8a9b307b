/* SPDX-License-Identifier: Apache-2.0 */
#include "member.h"

#include <string.h>

static int init_flash(struct member *member, int slot)
{
    struct ferry_flash_ram *ram = &member->flash[slot];

    memset(member->memory[slot], 0xff, MEMBER_SLOT);
    ram->flash = (struct ferry_flash){.size = MEMBER_SLOT,
                                      .write_size = 8,
                                      .erased_value = 0xff,
                                      .run_count = 1,
                                      .runs = {{MEMBER_SECTORS, MEMBER_SECTOR}}};
    return ferry_flash_ram_init(ram, member->memory[slot]);
}

int member_init(struct member *member, const struct fleet *fleet, const uint8_t *image, size_t size)
{
    int error = init_flash(member, 0);

    error = error == FERRY_OK ? init_flash(member, 1) : error;
    if (error != FERRY_OK || size > MEMBER_SLOT) {
        return error != FERRY_OK ? error : FERRY_E_TOO_LARGE;
    }
    memcpy(member->memory[0], image, size);
    member->image =
        (struct ferry_boot_image){.slots = {.primary = &member->flash[0].flash,
                                            .secondary = &member->flash[1].flash,
                                            .strategy = &ferry_traits_swap_move,
                                            .state = ferry_slots_state_of(&ferry_traits_swap_move),
                                            .max_align = 8,
                                            .max_sectors = MEMBER_SECTORS},
                                  .strategy = &ferry_boot_swap_move};
    return member_boot(member, fleet);
}

static int start_server(struct member *member, const struct fleet *fleet)
{
    member->image_config = (struct ferry_image_group_config){.images = &member->image.slots,
                                                             .image_count = 1,
                                                             .options = &fleet->options,
                                                             .check = &ferry_image_check_sha256};
    ferry_os_group_init(&member->os_group, &fleet->os);
    int error = ferry_image_group_init(&member->image_group, &member->image_config);
    if (error != FERRY_OK) {
        return error;
    }
    member->mounts[0] = (struct ferry_server_mount){&ferry_os_group_table, &member->os_group};
    member->mounts[1] = (struct ferry_server_mount){&ferry_image_group_table, &member->image_group};
    member->server_config = (struct ferry_server_config){.groups = member->mounts,
                                                         .group_count = 2,
                                                         .buf_size = MEMBER_BUF_SIZE,
                                                         .buf_count = MEMBER_BUF_COUNT,
                                                         .text = ferry_error_text,
                                                         .verbose = true};
    return ferry_server_init(&member->server, &member->server_config);
}

int member_boot(struct member *member, const struct fleet *fleet)
{
    const struct ferry_boot_config config = {.images = &member->image,
                                             .image_count = 1,
                                             .trust = fleet->trust,
                                             .buf = fleet->work,
                                             .buf_size = fleet->work_size};

    member->boots++;
    member->off = false;
    int error = ferry_boot_run(&config, &member->report);
    member->is_dead = error != FERRY_OK || !ferry_boot_may_start(&member->report);
    if (member->is_dead) {
        return error != FERRY_OK ? error : FERRY_E_NO_IMAGE;
    }
    if (member->report.images[0].action != FERRY_BOOT_RAN) {
        member->swaps++;
    }
    return start_server(member, fleet);
}

size_t member_answer(struct member *member, struct ferry_bytes packet, uint8_t *out, size_t cap)
{
    return ferry_server_handle(&member->server, &packet, 0, out, cap);
}

bool member_wants_reset(const struct member *member)
{
    return ferry_os_group_reset_due(&member->os_group, NULL);
}
