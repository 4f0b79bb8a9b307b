/* SPDX-License-Identifier: Apache-2.0 */
/* The end of an upload in one line: how fast it was, and what limited it. */
#ifndef CLI_DEVICE_SPEED_H
#define CLI_DEVICE_SPEED_H

#include "session.h"

#include "ferry/upload.h"

/* "done: 262144 bytes in 33.2 s, …" on standard error; nothing with --json, or when nothing was
 * sent. */
void speed_tell(const struct session *session, const struct ferry_upload *upload);

/* The same as numbers, in an object "speed". */
void speed_add(cJSON *object, const struct ferry_upload *upload);

#endif
