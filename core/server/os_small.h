/* SPDX-License-Identifier: Apache-2.0 */
/* Handlers of the small os groups of application and bootloader; call->context is the struct
 * ferry_os_small. */
#ifndef FERRY_CORE_SERVER_OS_SMALL_H
#define FERRY_CORE_SERVER_OS_SMALL_H

#include "ferry/group_os.h"
#include "ferry/group_os_small.h"

int ferry_os_small_echo(struct ferry_server_call *call);
int ferry_os_small_reset(struct ferry_server_call *call);

#endif
