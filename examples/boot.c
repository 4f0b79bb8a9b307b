/* SPDX-License-Identifier: Apache-2.0 */
/* A bootloader's main decision: here on empty slots in RAM, so nothing may run. */
#include "ferry/boot.h"

#include <stdio.h>
#include <string.h>

int main(void)
{
    static uint8_t memory[2][16 * 4096], workspace[1024];
    struct ferry_flash_ram slots[2];
    for (int i = 0; i < 2; i++) {
        slots[i].flash = (struct ferry_flash){.size = sizeof memory[i],
                                              .write_size = 8,
                                              .erased_value = 0xff,
                                              .run_count = 1,
                                              .runs = {{16, 4096}}};
        memset(memory[i], 0xff, sizeof memory[i]);
        if (ferry_flash_ram_init(&slots[i], memory[i]) != FERRY_OK) {
            return 1;
        }
    }
    struct ferry_boot_image image = {.slots = {.primary = &slots[0].flash,
                                               .secondary = &slots[1].flash,
                                               .strategy = &ferry_traits_swap_move,
                                               .max_align = 8,
                                               .max_sectors = 128},
                                     .strategy = &ferry_boot_swap_move};
    const struct ferry_image_digest_kind *digests[] = {&ferry_digest_sha256};
    struct ferry_boot_config config = {
        .images = &image,
        .image_count = 1,
        .buf = workspace,
        .buf_size = sizeof workspace,
        .trust = {.digests = digests, .digest_count = 1, .digest_only = true}}; /* or keys */
    struct ferry_boot_report report;
    int result = ferry_boot_run(&config, &report);
    printf("%s: %s\n", ferry_boot_action_name(report.images[0].action), ferry_error_text(result));
    return result == FERRY_E_NO_IMAGE ? 0 : 1;
}
