/* SPDX-License-Identifier: Apache-2.0 */
/* How the calls of ferry/device.h say what went wrong. failure may be NULL everywhere. */
#ifndef CLIENT_FAILURE_H
#define CLIENT_FAILURE_H

#include "ferry/device.h"

/* In these words; either may be NULL. Returns error. */
int ferry_failure_set(struct ferry_failure *failure, int error, const char *text,
                      const char *remedy);

/* In the library's words for the error. Returns error. */
int ferry_failure_plain(struct ferry_failure *failure, int error);

/* The device refused: in the words of the code it gave. Returns FERRY_E_REFUSED. */
int ferry_failure_refused(struct ferry_failure *failure, const struct ferry_smp_status *status);

#endif
