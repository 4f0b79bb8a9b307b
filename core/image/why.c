/* SPDX-License-Identifier: Apache-2.0 */
/* Why: what the bootloader last did with an image, in the store. */
#include "ferry/why.h"

const char *ferry_boot_action_name(enum ferry_boot_action action)
{
    static const char *const names[] = {
        [FERRY_BOOT_RAN] = "ran",         [FERRY_BOOT_UPGRADED] = "upgraded",
        [FERRY_BOOT_TESTING] = "testing", [FERRY_BOOT_REVERTED] = "reverted",
        [FERRY_BOOT_REFUSED] = "refused", [FERRY_BOOT_STOPPED] = "stopped",
    };

    return (unsigned)action < sizeof(names) / sizeof(names[0]) ? names[action] : "?";
}
