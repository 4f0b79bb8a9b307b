/* SPDX-License-Identifier: Apache-2.0 */
/* What Mynewt's servers have and others mostly refuse with rc 8: crashes on purpose, run-time
 * tests, and the core file of a crash. Conventions are those of ferry/commands.h. [smp.md §3.1,
 * §3.5] */
#ifndef FERRY_COMMANDS_MYNEWT_H
#define FERRY_COMMANDS_MYNEWT_H

#include "ferry/answer.h"
#include "ferry/client.h"

/* Have the device crash: "div0", "jump0", "ref0", "assert", "wdog". Sent once: a missing answer is
 * the normal case. */
FERRY_MUST_CHECK
int32_t ferry_command_crash(struct ferry_client *client, const char *kind, void *user);

/* Start a test, or "all"; the token, "" for none, comes back in the device's log. Sent once. */
FERRY_MUST_CHECK
int32_t ferry_command_run_test(struct ferry_client *client, const char *name, const char *token,
                               void *user);

/* Answer: ferry_answer_list(payload, "run_list", …), texts. */
FERRY_MUST_CHECK
int32_t ferry_command_run_list(struct ferry_client *client, void *user);

/* Whether there is a core file: rc 5 = none. */
FERRY_MUST_CHECK
int32_t ferry_command_core_list(struct ferry_client *client, void *user);

/* A piece of it. Answer: ferry_answer_core(). */
FERRY_MUST_CHECK
int32_t ferry_command_core_load(struct ferry_client *client, uint32_t off, void *user);

struct ferry_core_piece {
    struct ferry_bytes data; /* len 0: the end */
    uint32_t off;            /* where it belongs */
    bool has_len;
    uint64_t len; /* of the whole file */
};

/* Returns also FERRY_E_FORMAT for data in chunks, FERRY_E_RANGE for an offset beyond 32 bits. */
FERRY_MUST_CHECK
int ferry_answer_core(struct ferry_bytes payload, struct ferry_core_piece *piece);

/* Waits ferry_client_erase_ms(0) and is sent once. */
FERRY_MUST_CHECK
int32_t ferry_command_core_erase(struct ferry_client *client, void *user);

#endif
