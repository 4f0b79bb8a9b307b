/* SPDX-License-Identifier: Apache-2.0 */
#include "test_policies.h"

static const struct ferry_policy_rule *const versions[] = {&ferry_policy_version};
static const struct ferry_policy_rule *const both[] = {&ferry_policy_version,
                                                       &ferry_policy_counter};

const struct ferry_image_policy test_policy_newer = {
    .rules = versions, .rule_count = 1, .with_build = true};

const struct ferry_image_policy test_policy_kept = {
    .rules = both, .rule_count = 2, .memory = &ferry_policy_in_store, .with_build = true};
