/* SPDX-License-Identifier: Apache-2.0 */
/* Settings of a device that has no storage for them: declared in a const table, each with a value
 * in the caller's memory and a record of its own in the store (ferry/store.h).
 *
 * The program reads the values where they are. A write changes the value, save puts it into its
 * record, load takes what is in the record, delete returns to the default and removes the record.
 * One record is one write to flash: after a power cut at any moment a setting is what it was
 * before or what it was to become, and the others are what they were. */
#ifndef FERRY_SETTINGS_STORE_H
#define FERRY_SETTINGS_STORE_H

#include "ferry/group_settings.h"
#include "ferry/store.h"

/* Most bytes of a value: in its record two more say whose it is. */
#define FERRY_SETTING_MAX (FERRY_STORE_MAX - 2)

/* Flags of a setting. */
#define FERRY_SETTING_READ_ONLY  0x01U /* clients do not write, delete or save it */
#define FERRY_SETTING_WRITE_ONLY 0x02U /* clients do not read it: a password */

/* One setting. All values are bytes as they are in memory: numbers are little-endian on the wire
 * because they are on the chip. */
struct ferry_setting {
    const char *name;    /* "net/port": parts divided by slashes, none empty */
    uint16_t number;     /* its record is first_key + number. A number that was used is never used
                            for another setting, in no later firmware */
    uint8_t flags;       /* FERRY_SETTING_… */
    void *value;         /* room for max bytes; what counts now */
    uint16_t min, max;   /* bytes of a value; equal for a number, max at most FERRY_SETTING_MAX */
    uint16_t *len;       /* bytes of the value now; NULL where min equals max */
    const void *initial; /* the default, initial_len bytes (max, where len is NULL); NULL = max
                            zeroes where len is NULL, else none */
    uint16_t initial_len;
    /* Whether a value of min .. max bytes is one it takes. Asked before a client's value or a
     * record's counts. NULL: all are. */
    bool (*takes)(const struct ferry_setting *setting, const uint8_t *data, size_t len);
};

/* Filled by the caller but for work, which is nobody else's. It is the provider's context. */
struct ferry_settings_store {
    const struct ferry_setting *settings;
    size_t count;
    struct ferry_store *store; /* the device's, open; NULL = it has none: nothing can be saved */
    uint16_t first_key;        /* keys first_key .. first_key + key_count - 1 of the store are the
                                  settings' alone: 0x100 .. 0xfffe */
    uint16_t key_count; /* above every number there ever was: what delete-all looks through */
    int (*apply)(void *context); /* a commit: FERRY_OK or an error. NULL: values count at once */
    void *context;               /* for apply */
    uint8_t work[FERRY_STORE_MAX];
};

/* A provider of settings, with a struct ferry_settings_store * as context. */
extern const struct ferry_settings_provider ferry_settings_in_store;

/* Check the table and set every value to its default.
 * Returns FERRY_OK; FERRY_E_CONFIG when two names or numbers are equal, a name is none, sizes or
 * numbers are beyond their limits, or a default is not one the setting takes. */
FERRY_MUST_CHECK
int ferry_settings_store_init(struct ferry_settings_store *settings);

/* What the three commands do; for the program itself, too.
 *
 * load   values become what was saved, or the default. A record that its setting does not take (of
 *        an older firmware) counts for nothing. A record that cannot be read leaves the value
 * save   of the setting named, and those below that name; of an empty name: all. A value that is
 *        the default needs no record; one that is in its record already is not written again. Those
 *        that are read-only are left out
 * erase  all values become defaults, all records of the range are removed, also those of settings
 *        that this firmware does not know; nothing else in the store is touched. It has the form
 *        that erasing storage over group 63 wants; context is the struct ferry_settings_store *
 *
 * Return FERRY_OK; the first error of the store, after all others have been tried; save, for a name
 * that is none, FERRY_E_NOT_FOUND or FERRY_E_NO_OWNER, for nothing but read-only ones, and without
 * a store, FERRY_E_UNSUPPORTED. */
FERRY_MUST_CHECK
int ferry_settings_store_load(struct ferry_settings_store *settings);
FERRY_MUST_CHECK
int ferry_settings_store_save(struct ferry_settings_store *settings, struct ferry_bytes name);
FERRY_MUST_CHECK
int ferry_settings_store_erase(void *context);

#endif
