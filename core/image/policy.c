/* SPDX-License-Identifier: Apache-2.0 */
/* Judging an image by the rules of a policy. */
#include "ferry/policy.h"

#include "ferry/slots.h"

#include <string.h>

void ferry_policy_raise(struct ferry_policy_least *least, const struct ferry_policy_least *other)
{
    if (ferry_version_compare(&other->version, &least->version, true) > 0) {
        least->version = other->version;
    }
    least->counter = ferry_max32(least->counter, other->counter);
}

/* Add what the store demands. Returns FERRY_OK or FERRY_E_POWER. */
static int add_recorded(const struct ferry_slots *slots, struct ferry_policy_least *least)
{
    const struct ferry_policy_memory *memory = slots->policy->memory;
    struct ferry_policy_least recorded;
    int rc = memory != NULL ? memory->read(slots, &recorded) : FERRY_E_NOT_FOUND;
    if (rc == FERRY_OK) {
        ferry_policy_raise(least, &recorded);
    }
    return rc == FERRY_E_POWER ? rc : FERRY_OK;
}

int ferry_policy_judge(const struct ferry_slots *slots, const struct ferry_policy_case *subject,
                       struct ferry_policy_counters *counters)
{
    const struct ferry_image_policy *policy = slots->policy;
    struct ferry_policy_case whole = *subject;
    *counters = (struct ferry_policy_counters){.known = false};
    if (policy == NULL) {
        return FERRY_OK;
    }
    int rc = add_recorded(slots, &whole.least);
    for (size_t i = 0; rc == FERRY_OK && i < policy->rule_count; i++) {
        rc = policy->rules[i]->judge(policy, &whole, counters);
    }
    return rc;
}

int ferry_policy_learn(const struct ferry_image_policy *policy, const struct ferry_flash *image,
                       const struct ferry_image_info *info, struct ferry_policy_least *least)
{
    int rc = FERRY_OK;
    for (size_t i = 0; policy != NULL && rc == FERRY_OK && i < policy->rule_count; i++) {
        if (policy->rules[i]->learn != NULL) {
            rc = policy->rules[i]->learn(image, info, least);
        }
    }
    return rc;
}
