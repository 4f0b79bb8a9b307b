/* SPDX-License-Identifier: Apache-2.0 */
/* Group settings, and the erase of what is stored (Zephyr's basic group). Values are bytes in the
 * application's own layout. Conventions are those of ferry/commands.h. [smp.md §3.3, §3.10] */
#ifndef FERRY_COMMANDS_SETTINGS_H
#define FERRY_COMMANDS_SETTINGS_H

#include "ferry/answer.h"
#include "ferry/client.h"

/* max_size: most bytes wanted; 0: not sent, the server's own limit counts. */
FERRY_MUST_CHECK
int32_t ferry_command_setting_read(struct ferry_client *client, const char *name, uint32_t max_size,
                                   void *user);

struct ferry_setting_value {
    struct ferry_cbor_item value; /* bytes, or of Mynewt a text: ferry_cbor_copy() */
    bool limited;                 /* the server gives max_size bytes at most: there may be more */
    uint64_t max_size;
};

/* Returns also FERRY_E_NOT_FOUND without a value, FERRY_E_TYPE when it is no string. */
FERRY_MUST_CHECK
int ferry_answer_setting(struct ferry_bytes payload, struct ferry_setting_value *value);

/* It counts at once, and outlives a reset when it is saved. Answer: nothing. */
FERRY_MUST_CHECK
int32_t ferry_command_setting_write(struct ferry_client *client, const char *name,
                                    struct ferry_bytes value, void *user);

/* The same with a text for a value, as Mynewt's servers want it. */
FERRY_MUST_CHECK
int32_t ferry_command_setting_write_text(struct ferry_client *client, const char *name,
                                         const char *value, void *user);

/* When its answer was lost and it is sent again, it may be refused: the key is not found. */
FERRY_MUST_CHECK
int32_t ferry_command_setting_delete(struct ferry_client *client, const char *name, void *user);

FERRY_MUST_CHECK
int32_t ferry_command_settings_commit(struct ferry_client *client, void *user);

FERRY_MUST_CHECK
int32_t ferry_command_settings_load(struct ferry_client *client, void *user);

/* name: this one and what is below it; NULL: all. */
FERRY_MUST_CHECK
int32_t ferry_command_settings_save(struct ferry_client *client, const char *name, void *user);

/* Erase what the application stored. Sent once: devices are known to reset before the answer is
 * out. timeout_ms 0: ferry_client_erase_ms(0). */
FERRY_MUST_CHECK
int32_t ferry_command_erase_storage(struct ferry_client *client, uint32_t timeout_ms, void *user);

#endif
