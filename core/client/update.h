/* SPDX-License-Identifier: Apache-2.0 */
/* What the two halves of the update share. */
#ifndef CORE_CLIENT_UPDATE_H
#define CORE_CLIENT_UPDATE_H

#include "ferry/update.h"

/* Begin a step; its event is due. */
void ferry_update_go(struct ferry_update *update, enum ferry_update_step step);

/* End with proof: found is copied. */
void ferry_update_finish(struct ferry_update *update, const struct ferry_image_state *found);

/* End in failure. text and remedy are constant strings. */
void ferry_update_fail(struct ferry_update *update, int error, const char *text,
                       const char *remedy);

/* Report a warning with the next event. */
void ferry_update_warn(struct ferry_update *update, const char *text, const char *remedy);

#endif
