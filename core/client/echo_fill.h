/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CORE_CLIENT_ECHO_FILL_H
#define CORE_CLIENT_ECHO_FILL_H

#include "ferry/client.h"

/* An echo in a packet as large as may be sent now. What fills it stands in a key of its own, in
 * front of what is to be echoed: the answer is small, so it costs little and fits buffers for
 * answers that are small. retries as of a command.
 * Returns as ferry_client_submit(). */
FERRY_MUST_CHECK
int32_t ferry_echo_fill(struct ferry_client *client, uint32_t timeout_ms, uint8_t retries);

#endif
