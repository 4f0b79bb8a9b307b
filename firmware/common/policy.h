/* SPDX-License-Identifier: Apache-2.0 */
/* The policy of the board's layout, as bootloader and firmware apply it. */
#ifndef FIRMWARE_POLICY_H
#define FIRMWARE_POLICY_H

#include "ferry/policy.h"
#include "ferry/vchip.h"

#define POLICY_RULES 5

struct policy {
    struct ferry_image_policy image; /* of every image */
    const struct ferry_policy_rule *rules[POLICY_RULES];
};

/* Fill policy, which stays where it is afterwards, as start does. */
void policy_read(struct policy *policy, const struct ferry_vchip_start *start);

#endif
