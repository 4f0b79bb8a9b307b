/* SPDX-License-Identifier: Apache-2.0 */
/* Words on the host's wire, where frames and text share the line. */
#ifndef FIRMWARE_CHIPS_COMMON_PRINT_H
#define FIRMWARE_CHIPS_COMMON_PRINT_H

#include "ferry/image.h"

void print(const char *words);
void print_number(int32_t number);
void print_version(const struct ferry_version *version);

#endif
