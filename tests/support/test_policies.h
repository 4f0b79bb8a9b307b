/* SPDX-License-Identifier: Apache-2.0 */
/* Policies that tests of the bootloader share. */
#ifndef TEST_POLICIES_H
#define TEST_POLICIES_H

#include "ferry/policy.h"

/* Versions must be newer, build number included; nothing is remembered. */
extern const struct ferry_image_policy test_policy_newer;

/* Versions and security counters, both remembered in the store. */
extern const struct ferry_image_policy test_policy_kept;

#endif
