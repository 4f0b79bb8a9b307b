/* SPDX-License-Identifier: Apache-2.0 */
/* SMP group 1, image, for small servers: without slot info, which one image does not need. */
#include "core/server/image_group.h"

static const struct ferry_command commands[] = {
    [FERRY_SMP_IMAGE_STATE] = {.read = ferry_image_state_read, .write = ferry_image_state_write},
    [FERRY_SMP_IMAGE_UPLOAD] = {.write = ferry_image_upload},
    [FERRY_SMP_IMAGE_ERASE] = {.write = ferry_image_erase},
};

const struct ferry_group ferry_image_minimal_table = {
    .id = FERRY_SMP_GROUP_IMAGE,
    .name = "img mgmt",
    .commands = commands,
    .command_count = sizeof(commands) / sizeof(commands[0]),
    .v1_rc = ferry_image_v1_rc,
    .v1_rc_count = FERRY_IMAGE_V1_RCS,
};
