/* SPDX-License-Identifier: Apache-2.0 */
/* Group shell. Conventions are those of ferry/commands.h. [smp.md §3.7] */
#ifndef FERRY_COMMANDS_SHELL_H
#define FERRY_COMMANDS_SHELL_H

#include "ferry/answer.h"
#include "ferry/client.h"

/* How long a command may run on the device before it answers, where nothing else is said. */
#define FERRY_SHELL_TIMEOUT_MS 30000

/* Run a line. The device joins the words with blanks and quotes nothing. It is sent once, so that
 * nothing runs twice. timeout_ms 0: FERRY_SHELL_TIMEOUT_MS. */
FERRY_MUST_CHECK
int32_t ferry_command_shell(struct ferry_client *client, const char *const *words, size_t count,
                            uint32_t timeout_ms, void *user);

struct ferry_shell_result {
    struct ferry_cbor_item output; /* a text: ferry_cbor_copy(), ferry_answer_copy_text() */
    bool has_ret;
    int64_t ret; /* of the command; 0 = good, -8 = there is none of this name */
};

/* payload: also of an answer whose error is FERRY_E_REFUSED: older servers send the command's
 * result as "rc" beside the output, and then this returns FERRY_OK. Returns FERRY_E_NOT_FOUND when
 * there is no output: the request was refused. */
FERRY_MUST_CHECK
int ferry_answer_shell(struct ferry_bytes payload, struct ferry_shell_result *result);

#endif
