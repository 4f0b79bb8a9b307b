/* SPDX-License-Identifier: Apache-2.0 */
/* How much of the stack was ever used, measured as on any chip: it is painted at the start, and
 * what has another colour later was used. */
#ifndef FIRMWARE_APP_STACK_H
#define FIRMWARE_APP_STACK_H

#include <stddef.h>

/* Bytes that are watched. */
#define STACK_SIZE 65536

/* Paint what is free. Once, early, from main(). */
void stack_paint(void);

/* Bytes used since then, at the deepest; STACK_SIZE when it was that or more. */
size_t stack_used(void);

#endif
