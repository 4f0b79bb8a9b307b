/* SPDX-License-Identifier: Apache-2.0 */
/* Shared by the parts of the conformance test. */
#ifndef PORT_CONFORMANCE_RUN_H
#define PORT_CONFORMANCE_RUN_H

#include "ferry/conformance.h"

/* Count a rule and report it; why NULL = it holds. */
void conformance_say(struct ferry_conformance *run, const char *rule, const char *why);

#endif
