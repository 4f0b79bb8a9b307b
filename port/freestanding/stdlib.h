/* SPDX-License-Identifier: Apache-2.0 */
/* <stdlib.h> for chips without a C library: third-party code includes it and, as it is configured
 * here, uses nothing of it. */
#ifndef PORT_FREESTANDING_STDLIB_H
#define PORT_FREESTANDING_STDLIB_H

#include <stddef.h>

#endif
