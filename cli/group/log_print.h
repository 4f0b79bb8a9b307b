/* SPDX-License-Identifier: Apache-2.0 */
/* Entries of a device's logs, for people and as JSON. */
#ifndef CLI_GROUP_LOG_PRINT_H
#define CLI_GROUP_LOG_PRINT_H

#include "cli/cli.h"
#include "ferry/commands_log.h"

/* Where entries go as they come. */
struct log_print {
    bool json;
    cJSON *logs;                     /* {"name", "type", "entries"} each; with json */
    char log[FERRY_ANSWER_NAME_MAX]; /* the one whose heading was printed last */
    bool any;                        /* an entry was printed */
};

/* Returns CLI_OK, or CLI_NO_ANSWER when its message cannot be read (nothing is told). */
FERRY_MUST_CHECK
int log_print_entry(struct log_print *print, const struct ferry_log_entry *entry);

#endif
