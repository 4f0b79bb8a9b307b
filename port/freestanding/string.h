/* SPDX-License-Identifier: Apache-2.0 */
/* <string.h> for chips without a C library: the four functions core/ may use, and no more. The
 * firmware (or the compiler's library) provides them. */
#ifndef PORT_FREESTANDING_STRING_H
#define PORT_FREESTANDING_STRING_H

#include <stddef.h>

void *memcpy(void *restrict to, const void *restrict from, size_t len);
void *memmove(void *to, const void *from, size_t len);
void *memset(void *to, int value, size_t len);
int memcmp(const void *a, const void *b, size_t len);

#endif
