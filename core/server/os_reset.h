/* SPDX-License-Identifier: Apache-2.0 */
/* What a reset is asked with: for its handler, and for the gate, which must read the same. */
#ifndef CORE_SERVER_OS_RESET_H
#define CORE_SERVER_OS_RESET_H

#include "ferry/bytes.h"

/* Read the payload of a reset.
 *
 * force  set to what it says, else to false
 *
 * Returns its boot_mode, of any size; 0 when it has none that can be understood. */
uint64_t ferry_os_read_reset(struct ferry_bytes payload, bool *force);

#endif
