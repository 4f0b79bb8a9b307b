/* SPDX-License-Identifier: Apache-2.0 */
/* The policy of the board's layout, as bootloader and firmware apply it. */
#include "policy.h"

void policy_read(struct policy *policy, const struct ferry_vchip_start *start)
{
    static const struct {
        uint32_t flag;
        const struct ferry_policy_rule *rule;
    } rows[] = {
        {FERRY_VCHIP_NO_DOWNGRADE, &ferry_policy_version},
        {FERRY_VCHIP_SECURITY_COUNTER, &ferry_policy_counter},
        {FERRY_VCHIP_VENDOR, &ferry_policy_vendor},
        {FERRY_VCHIP_CLASS, &ferry_policy_class},
    };
    size_t count = 0;

    /* Every slot of the board has an address. */
    policy->rules[count++] = &ferry_policy_address;
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        if ((start->flags & rows[i].flag) != 0) {
            policy->rules[count++] = rows[i].rule;
        }
    }
    policy->image = (struct ferry_image_policy){
        .rules = policy->rules,
        .rule_count = count,
        .memory = &ferry_policy_in_store,
        .with_build = (start->flags & FERRY_VCHIP_COMPARE_BUILD) != 0,
        .vendor = start->vendor_id,
        .class_id = start->class_id,
    };
}
