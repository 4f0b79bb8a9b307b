/* SPDX-License-Identifier: Apache-2.0 */
/* <assert.h> for chips without a C library: third-party code includes it. */
#ifndef PORT_FREESTANDING_ASSERT_H
#define PORT_FREESTANDING_ASSERT_H

#define assert(condition) ((void)0)

#endif
