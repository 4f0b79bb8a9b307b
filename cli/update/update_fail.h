/* SPDX-License-Identifier: Apache-2.0 */
/* The words for an update that failed, of one device or of many. */
#ifndef CLI_UPDATE_UPDATE_FAIL_H
#define CLI_UPDATE_UPDATE_FAIL_H

#include "cli/device/why.h"

#include "ferry/update.h"

struct update_failure {
    struct session *session;
    const struct ferry_update_event *event; /* FERRY_UPDATE_FAILED */
    const struct ferry_update *flow;        /* that it is of: what the device listed last */
    const struct ferry_version *version;    /* of the file */
    uint32_t size;                          /* of the file, bytes */
    const struct ferry_why *why;            /* what the bootloader says of it; NULL = nothing */
};

/* Whether the bootloader may know more of a failure: ask it (ferry_command_why()) before the
 * message. */
bool update_fail_asks(const struct ferry_update_event *event);

/* What a step does, behind "cannot". */
const char *update_step_words(enum ferry_update_step step);

/* Tell what failed, why and what to do next. Returns an enum cli_exit. */
int update_fail(const struct update_failure *failure);

#endif
