/* SPDX-License-Identifier: Apache-2.0 */
/* SMP group 3, settings: named values of the device. Reads and writes go to the values that count
 * now; they outlive a reset once they are saved.                                [smp.md §3.3]
 *
 * Where the values are is a provider's matter: ferry/settings_store.h is one for devices that have
 * no storage of their own. */
#ifndef FERRY_GROUP_SETTINGS_H
#define FERRY_GROUP_SETTINGS_H

#include "ferry/server.h"

/* Errors of the group on the wire. */
enum ferry_settings_error {
    FERRY_SETTINGS_ERR_UNKNOWN = 1,
    FERRY_SETTINGS_ERR_KEY_TOO_LONG = 2,
    FERRY_SETTINGS_ERR_KEY_NOT_FOUND = 3,
    FERRY_SETTINGS_ERR_READ_NOT_SUPPORTED = 4,
    FERRY_SETTINGS_ERR_ROOT_KEY_NOT_FOUND = 5,
    FERRY_SETTINGS_ERR_WRITE_NOT_SUPPORTED = 6,
    FERRY_SETTINGS_ERR_DELETE_NOT_SUPPORTED = 7,
    FERRY_SETTINGS_ERR_SAVE_NOT_SUPPORTED = 8
};

/* Where the values are. A function that is NULL makes its command "not supported" (err 4, 6, 7, 8;
 * load rc 8); without commit, a commit has nothing to do and succeeds.
 *
 * name   1 .. name_max characters, as the client sent them, no NUL behind them
 *
 * Each returns FERRY_OK or an error, which becomes on the wire:
 *   FERRY_E_NOT_FOUND     err 3: there are such names, but not this one
 *   FERRY_E_NO_OWNER      err 5: nothing has names that begin so (delete: err 3)
 *   FERRY_E_UNSUPPORTED   err 4, 6, 7, 8: not with this value
 *   FERRY_E_RANGE         rc 3: the value is not one that it takes
 *   FERRY_E_FULL          rc 2: no room to save it
 *   FERRY_E_BUSY          rc 10
 *   any other             err 1 */
struct ferry_settings_provider {
    /* Copy the first cap bytes of a value, or all of them. Returns its whole length, 0 and above,
     * be it beyond cap. */
    int (*read)(void *context, struct ferry_bytes name, uint8_t *data, size_t cap);
    /* Change the value that counts now; whether it fits is the provider's to say. */
    int (*write)(void *context, struct ferry_bytes name, struct ferry_bytes value);
    /* Back to the value of a device as it was delivered, in storage too. */
    int (*remove)(void *context, struct ferry_bytes name);
    /* Let what was written take effect, where that is more than a value in memory. */
    int (*commit)(void *context);
    /* Make the values those that were saved. */
    int (*load)(void *context);
    /* Save the value of this name and those below it; of len 0: all. */
    int (*save)(void *context, struct ferry_bytes name);
};

/* What a client wants, for the hook. */
enum ferry_settings_action {
    FERRY_SETTINGS_READ,
    FERRY_SETTINGS_WRITE,
    FERRY_SETTINGS_DELETE,
    FERRY_SETTINGS_COMMIT,
    FERRY_SETTINGS_LOAD,
    FERRY_SETTINGS_SAVE
};

#define FERRY_SETTINGS_NAME_MAX  31 /* characters; Zephyr's, 32 with the NUL */
#define FERRY_SETTINGS_VALUE_MAX 32 /* bytes; Zephyr's */

/* Set up once; must outlive the server. It is the context of its mount. */
struct ferry_settings_group_config {
    const struct ferry_settings_provider *provider;
    void *context;      /* for the provider */
    uint16_t name_max;  /* characters of a name; 0 = FERRY_SETTINGS_NAME_MAX */
    uint16_t value_max; /* bytes of a value that a read gives; 0 = FERRY_SETTINGS_VALUE_MAX */
    /* Asked before the provider. Answers as a handler does: FERRY_RC_OK lets it pass. name is
     * empty where the command has none. NULL lets everything pass. */
    int (*permit)(void *context, struct ferry_server_call *call, enum ferry_settings_action action,
                  struct ferry_bytes name);
    void *permit_context;
};

extern const struct ferry_group ferry_settings_group_table;

#endif
