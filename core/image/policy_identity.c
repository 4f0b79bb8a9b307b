/* SPDX-License-Identifier: Apache-2.0 */
/* The rules of vendor and class: whose product an image is for. [mcuboot-format.md §2.2] */
#include "ferry/policy.h"

#include <string.h>

/* Whether the image has the id in a TLV of this type. An image without it may be anybody's. */
static int compare(const struct ferry_policy_case *subject, uint16_t type, const uint8_t *id,
                   int refusal)
{
    uint8_t found[FERRY_POLICY_ID_SIZE];
    if (id == NULL) {
        return FERRY_E_CONFIG;
    }
    int rc = ferry_image_tlv(subject->image, &subject->info->header, type, found, sizeof found);
    if (rc == FERRY_OK) {
        return memcmp(found, id, sizeof found) == 0 ? FERRY_OK : refusal;
    }
    return rc == FERRY_E_NOT_FOUND ? refusal : rc;
}

static int judge_vendor(const struct ferry_image_policy *policy,
                        const struct ferry_policy_case *subject,
                        struct ferry_policy_counters *counters)
{
    (void)counters;
    return compare(subject, FERRY_TLV_UUID_VID, policy->vendor, FERRY_E_VENDOR);
}

static int judge_class(const struct ferry_image_policy *policy,
                       const struct ferry_policy_case *subject,
                       struct ferry_policy_counters *counters)
{
    (void)counters;
    return compare(subject, FERRY_TLV_UUID_CID, policy->class_id, FERRY_E_CLASS);
}

const struct ferry_policy_rule ferry_policy_vendor = {
    .name = "vendor", .judge = judge_vendor, .learn = NULL};

const struct ferry_policy_rule ferry_policy_class = {
    .name = "class", .judge = judge_class, .learn = NULL};
