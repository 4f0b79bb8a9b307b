/* SPDX-License-Identifier: Apache-2.0 */
/* The rule of images that are linked to one place in flash. [mcuboot-format.md §2.1] */
#include "ferry/policy.h"

static int judge(const struct ferry_image_policy *policy, const struct ferry_policy_case *subject,
                 struct ferry_policy_counters *counters)
{
    const struct ferry_image_header *header = &subject->info->header;
    (void)policy;
    (void)counters;
    return (header->flags & FERRY_IMAGE_ROM_FIXED) == 0 || header->load_address == subject->address
               ? FERRY_OK
               : FERRY_E_ADDRESS;
}

const struct ferry_policy_rule ferry_policy_address = {
    .name = "address", .judge = judge, .learn = NULL};
