/* SPDX-License-Identifier: Apache-2.0 */
/* Whether a device has an image of a number. */
#ifndef CLI_DEVICE_IMAGE_THERE_H
#define CLI_DEVICE_IMAGE_THERE_H

#include "session.h"

/* Before an upload for an image: a device that lists its slots, and none for this image, is not
 * sent anything. Image 0 is not asked for; a device that does not list them decides by itself.
 * After a message returns an enum cli_exit. */
FERRY_MUST_CHECK
int image_there(struct session *session, uint32_t image);

#endif
