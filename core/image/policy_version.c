/* SPDX-License-Identifier: Apache-2.0 */
/* The rule that versions do not go down. */
#include "ferry/policy.h"

#include <string.h>

static bool is_same_image(const struct ferry_image_info *a, const struct ferry_image_info *b)
{
    return a->size == b->size && a->digest_len != 0 && a->digest_len == b->digest_len &&
           memcmp(a->digest, b->digest, a->digest_len) == 0;
}

static int judge(const struct ferry_image_policy *policy, const struct ferry_policy_case *subject,
                 struct ferry_policy_counters *counters)
{
    const struct ferry_version *version = &subject->info->header.version;
    const struct ferry_image_info *running = subject->asked ? subject->running : NULL;
    (void)counters;
    if (ferry_version_compare(version, &subject->least.version, policy->with_build) < 0) {
        return FERRY_E_DOWNGRADE;
    }
    if (running == NULL || is_same_image(running, subject->info)) {
        return FERRY_OK;
    }
    return ferry_version_compare(version, &running->header.version, policy->with_build) > 0
               ? FERRY_OK
               : FERRY_E_DOWNGRADE;
}

static int learn(const struct ferry_flash *image, const struct ferry_image_info *info,
                 struct ferry_policy_least *least)
{
    const struct ferry_policy_least found = {.version = info->header.version};
    (void)image;
    ferry_policy_raise(least, &found);
    return FERRY_OK;
}

const struct ferry_policy_rule ferry_policy_version = {
    .name = "version", .judge = judge, .learn = learn};
