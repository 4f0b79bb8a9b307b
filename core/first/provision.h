/* SPDX-License-Identifier: Apache-2.0 */
/* Where things stand in the provision data. Internal to core/first. */
#ifndef FERRY_CORE_FIRST_PROVISION_H
#define FERRY_CORE_FIRST_PROVISION_H

#include "ferry/first.h"

/* How often a word is read that a cut may have left between its states. */
#define FERRY_FIRST_LOOKS 24

/* Offset of the first key: life cycle, implementation id, addresses, number of keys. */
#define FERRY_FIRST_KEYS_AT(kind) (4U * (kind)->word + 32U + 8U + 4U)

#endif
