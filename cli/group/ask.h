/* SPDX-License-Identifier: Apache-2.0 */
/* One question to the device and its answer, printed: what most commands of SMP's groups are. */
#ifndef CLI_GROUP_ASK_H
#define CLI_GROUP_ASK_H

#include "cli/device/session.h"
#include "ferry/answer.h"

struct ask {
    const char *what; /* in words, for messages: "read the tasks" */

    /* How it is asked, one of: without arguments; with a text, which is the context (NULL: left
     * out); by a function of the command's own. Returns as ferry_client_submit(). */
    int32_t (*plain)(struct ferry_client *client, void *user);
    int32_t (*named)(struct ferry_client *client, const char *text, void *user);
    int32_t (*request)(struct ferry_client *client, const void *context);

    /* Print the answer for people, and with --json. Return an enum cli_exit.
     * print NULL: `done` in one word, and as {"done": true}; json NULL: the answer as it is. */
    int (*print)(const struct cli *cli, struct ferry_bytes payload, const void *context);
    int (*json)(const struct cli *cli, struct ferry_bytes payload, const void *context);
    const char *done;
};

/* Take a command line without options of its own; at least and at most so many arguments, which
 * begin at argv[optind]. After a message returns an enum cli_exit. */
FERRY_MUST_CHECK
int ask_words(struct cli *cli, int argc, char **argv, int least, int most);

/* Open the device, ask, print, close. Returns an enum cli_exit; failures are told. */
FERRY_MUST_CHECK
int ask_device(struct cli *cli, const struct ask *ask, const void *context);

/* The same in a conversation that is open. */
FERRY_MUST_CHECK
int ask_in(struct session *session, const struct ask *ask, const void *context);

/* Print an answer that is there. */
FERRY_MUST_CHECK
int ask_print(const struct cli *cli, const struct ask *ask, struct ferry_bytes payload,
              const void *context);

/* "saved", or {"saved": true}. Returns CLI_OK. */
int ask_done(const struct cli *cli, const char *done);

/* Tell that an answer cannot be read. Returns CLI_NO_ANSWER. */
int ask_unreadable(const struct cli *cli, int error);

/* Print "title:" and a line for each text of the list under key; "(none)" for an empty one. */
FERRY_MUST_CHECK
int ask_print_texts(const struct cli *cli, struct ferry_bytes payload, const char *key,
                    const char *title);

/* Print an item made harmless: a number, a text, a truth, or what kind else it is. */
void ask_print_item(const struct ferry_cbor_item *item);

/* Add a number exactly: cJSON's own are doubles. */
void ask_add_number(cJSON *object, const char *key, uint64_t value);
void ask_add_signed(cJSON *object, const char *key, int64_t value);

/* Whether bytes are a text that can be shown as it is: UTF-8 without control characters but tab and
 * line ends; an empty one is. */
bool ask_is_text(struct ferry_bytes bytes);

/* Copy a string of any length. Returns heap memory, a NUL behind its *len bytes, that the caller
 * frees; NULL without memory, or when the item is no string. */
char *ask_copy(const struct ferry_cbor_item *item, size_t *len);

#endif
