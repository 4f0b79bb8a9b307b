/* SPDX-License-Identifier: Apache-2.0 */
/* The rule of the security counter. [mcuboot-format.md §2.2] */
#include "ferry/policy.h"

/* Returns FERRY_OK, FERRY_E_NOT_FOUND or a flash error. */
static int read_counter(const struct ferry_flash *image, const struct ferry_image_info *info,
                        uint32_t *counter)
{
    uint8_t raw[4];
    int rc = ferry_image_tlv(image, &info->header, FERRY_TLV_SEC_CNT, raw, sizeof raw);
    *counter = rc == FERRY_OK ? ferry_load_le32(raw) : 0;
    return rc;
}

static int judge(const struct ferry_image_policy *policy, const struct ferry_policy_case *subject,
                 struct ferry_policy_counters *counters)
{
    uint32_t counter = 0;
    int rc = read_counter(subject->image, subject->info, &counter);
    bool missing = rc == FERRY_E_NOT_FOUND;
    (void)policy;
    if (rc != FERRY_OK && !missing) {
        return rc;
    }
    if (counter >= subject->least.counter && !(missing && subject->asked)) {
        return FERRY_OK;
    }
    *counters = (struct ferry_policy_counters){
        .known = true, .image = counter, .least = subject->least.counter};
    return FERRY_E_COUNTER;
}

static int learn(const struct ferry_flash *image, const struct ferry_image_info *info,
                 struct ferry_policy_least *least)
{
    uint32_t counter = 0;
    int rc = read_counter(image, info, &counter);
    least->counter = ferry_max32(least->counter, counter);
    return rc == FERRY_E_NOT_FOUND ? FERRY_OK : rc;
}

const struct ferry_policy_rule ferry_policy_counter = {
    .name = "security counter", .judge = judge, .learn = learn};
