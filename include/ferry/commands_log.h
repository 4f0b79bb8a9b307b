/* SPDX-License-Identifier: Apache-2.0 */
/* Group log. Conventions are those of ferry/commands.h. [smp.md §3.4] */
#ifndef FERRY_COMMANDS_LOG_H
#define FERRY_COMMANDS_LOG_H

#include "ferry/answer.h"
#include "ferry/client.h"

struct ferry_log_question {
    const char *name; /* NULL: all logs */
    int64_t ts;       /* only what is newer, in microseconds; 0 = all; -1 = the last entry only */
    uint32_t index;   /* the first wanted */
};

/* An answer has as many entries as fit: ask again with the highest index + 1 until none comes. */
FERRY_MUST_CHECK
int32_t ferry_command_log_show(struct ferry_client *client,
                               const struct ferry_log_question *question, void *user);

struct ferry_log_entry {
    char log[FERRY_ANSWER_NAME_MAX]; /* it is in */
    uint64_t log_type;               /* 0 stream, 1 memory, 2 storage */
    char type[8];                    /* "str", "cbor", "bin"; "" = not said: a text */
    int64_t ts;                      /* microseconds */
    uint64_t level;                  /* 0 debug, 1 info, 2 warning, 3 error, 4 critical */
    uint64_t index;
    uint64_t module;
    struct ferry_cbor_item msg; /* bytes or text, maybe in chunks */
    struct ferry_bytes
        image_hash; /* the beginning of the image's that wrote it; len 0 = not said */
};

/* Do not rely on the contents. */
struct ferry_log_reader {
    struct ferry_answer_items logs;
    struct ferry_answer_items entries;
    char log[FERRY_ANSWER_NAME_MAX];
    uint64_t log_type;
};

/* Begin to read the entries of an answer; one without logs has none. next_index, may be NULL: the
 * server's word for the index its next entry will have, 0 when it says none. */
FERRY_MUST_CHECK
int ferry_answer_log(struct ferry_bytes payload, struct ferry_log_reader *reader,
                     uint64_t *next_index);

/* The next entry, of whatever log. Returns 1; 0 at the end; an error of ferry_answer_next() or
 * ferry_cbor_read_map(); FERRY_E_NOT_FOUND for an entry without a message. */
FERRY_MUST_CHECK
int ferry_answer_next_entry(struct ferry_log_reader *reader, struct ferry_log_entry *entry);

/* name NULL: all logs. Answer: nothing. */
FERRY_MUST_CHECK
int32_t ferry_command_log_clear(struct ferry_client *client, const char *name, void *user);

/* Answer: ferry_answer_map(payload, "module_map", …), numbers. */
FERRY_MUST_CHECK
int32_t ferry_command_log_modules(struct ferry_client *client, void *user);

/* Answer: ferry_answer_map(payload, "level_map", …), numbers. */
FERRY_MUST_CHECK
int32_t ferry_command_log_levels(struct ferry_client *client, void *user);

/* Answer: ferry_answer_list(payload, "log_list", …), texts. */
FERRY_MUST_CHECK
int32_t ferry_command_log_list(struct ferry_client *client, void *user);

#endif
