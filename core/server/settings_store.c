/* SPDX-License-Identifier: Apache-2.0 */
/* Settings in the record store.
 *
 * A record: crc16 of the setting's name, little-endian, then the value. The CRC keeps a setting
 * from taking what another one left under its number. */
#include "ferry/settings_store.h"

#include "ferry/crc.h"

#include <string.h>

#define RECORD_HEAD 2U
#define KEY_FIRST   0x0100U
#define KEY_LAST    0xfffeU

/* ---- Names --------------------------------------------------------------------- */

/* Whether the setting has this name or, with below, one that goes on behind it. */
static bool is_named(const struct ferry_setting *setting, struct ferry_bytes name, bool below)
{
    size_t len = ferry_text_length(setting->name);

    if (len < name.len || memcmp(setting->name, name.data, name.len) != 0) {
        return false;
    }
    return len == name.len || (below && setting->name[name.len] == '/');
}

/* The first part of a name. */
static struct ferry_bytes root_of(struct ferry_bytes name)
{
    size_t len = 0;

    while (len < name.len && name.data[len] != '/') {
        len++;
    }
    return (struct ferry_bytes){name.data, len};
}

/* Why there is no such name. */
static int not_found(const struct ferry_settings_store *settings, struct ferry_bytes name)
{
    struct ferry_bytes root = root_of(name);

    for (size_t i = 0; i < settings->count; i++) {
        if (is_named(&settings->settings[i], root, true)) {
            return FERRY_E_NOT_FOUND;
        }
    }
    return FERRY_E_NO_OWNER;
}

static const struct ferry_setting *find(const struct ferry_settings_store *settings,
                                        struct ferry_bytes name)
{
    for (size_t i = 0; i < settings->count; i++) {
        if (is_named(&settings->settings[i], name, false)) {
            return &settings->settings[i];
        }
    }
    return NULL;
}

/* ---- Values ------------------------------------------------------------------- */

static size_t value_len(const struct ferry_setting *setting)
{
    if (setting->len == NULL) {
        return setting->max;
    }
    return *setting->len < setting->max ? *setting->len : setting->max;
}

static size_t initial_len(const struct ferry_setting *setting)
{
    return setting->len == NULL ? setting->max : setting->initial_len;
}

static bool takes(const struct ferry_setting *setting, const uint8_t *data, size_t len)
{
    return len >= setting->min && len <= setting->max &&
           (setting->takes == NULL || setting->takes(setting, data, len));
}

static void set(const struct ferry_setting *setting, const void *data, size_t len)
{
    if (len > 0 && data != NULL) {
        memcpy(setting->value, data, len);
    } else if (len > 0) {
        memset(setting->value, 0, len);
    }
    if (setting->len != NULL) {
        *setting->len = (uint16_t)len;
    }
}

static void set_default(const struct ferry_setting *setting)
{
    set(setting, setting->initial, initial_len(setting));
}

static bool is_default(const struct ferry_setting *setting)
{
    size_t len = value_len(setting);

    if (len != initial_len(setting)) {
        return false;
    }
    return setting->initial == NULL
               ? ferry_all_equal(setting->value, len, 0)
               : len == 0 || memcmp(setting->value, setting->initial, len) == 0;
}

/* ---- Records ------------------------------------------------------------------ */

static uint16_t name_crc(const struct ferry_setting *setting)
{
    return ferry_crc16(0, (const uint8_t *)setting->name, ferry_text_length(setting->name));
}

static uint16_t key_of(const struct ferry_settings_store *settings,
                       const struct ferry_setting *setting)
{
    return (uint16_t)(settings->first_key + setting->number);
}

static int load_one(struct ferry_settings_store *settings, const struct ferry_setting *setting)
{
    int got = settings->store == NULL ? FERRY_E_NOT_FOUND
                                      : ferry_store_get(settings->store, key_of(settings, setting),
                                                        settings->work, sizeof(settings->work));

    if (got < 0 && got != FERRY_E_NOT_FOUND) {
        return got;
    }
    if (got >= (int)RECORD_HEAD && ferry_load_le16(settings->work) == name_crc(setting) &&
        takes(setting, settings->work + RECORD_HEAD, (size_t)got - RECORD_HEAD)) {
        set(setting, settings->work + RECORD_HEAD, (size_t)got - RECORD_HEAD);
    } else {
        set_default(setting);
    }
    return FERRY_OK;
}

static int save_one(struct ferry_settings_store *settings, const struct ferry_setting *setting)
{
    size_t len = value_len(setting);

    if (is_default(setting)) {
        return ferry_store_put(settings->store, key_of(settings, setting), NULL, 0);
    }
    ferry_store_le16(settings->work, name_crc(setting));
    if (len > 0) {
        memcpy(settings->work + RECORD_HEAD, setting->value, len);
    }
    return ferry_store_put(settings->store, key_of(settings, setting), settings->work,
                           RECORD_HEAD + len);
}

/* ---- All of them -------------------------------------------------------------- */

/* The first error of several. */
static int first_of(int result, int next)
{
    return result != FERRY_OK ? result : next;
}

int ferry_settings_store_load(struct ferry_settings_store *settings)
{
    int result = FERRY_OK;

    for (size_t i = 0; i < settings->count; i++) {
        result = first_of(result, load_one(settings, &settings->settings[i]));
    }
    return result;
}

int ferry_settings_store_save(struct ferry_settings_store *settings, struct ferry_bytes name)
{
    int result = FERRY_OK;
    bool found = false;
    bool saved = false;

    for (size_t i = 0; i < settings->count; i++) {
        const struct ferry_setting *setting = &settings->settings[i];

        if (name.len > 0 && !is_named(setting, name, true)) {
            continue;
        }
        found = true;
        if ((setting->flags & FERRY_SETTING_READ_ONLY) == 0 && settings->store != NULL) {
            result = first_of(result, save_one(settings, setting));
            saved = true;
        }
    }
    if (!found && name.len > 0) {
        return not_found(settings, name);
    }
    return saved ? result : FERRY_E_UNSUPPORTED;
}

int ferry_settings_store_erase(void *context)
{
    struct ferry_settings_store *settings = context;
    int result = FERRY_OK;

    for (size_t i = 0; i < settings->count; i++) {
        set_default(&settings->settings[i]);
    }
    for (uint32_t i = 0; i < settings->key_count && settings->store != NULL; i++) {
        result = first_of(
            result, ferry_store_put(settings->store, (uint16_t)(settings->first_key + i), NULL, 0));
    }
    return result;
}

/* ---- The provider ------------------------------------------------------------- */

static int read_value(void *context, struct ferry_bytes name, uint8_t *data, size_t cap)
{
    const struct ferry_settings_store *settings = context;
    const struct ferry_setting *setting = find(settings, name);

    if (setting == NULL) {
        return not_found(settings, name);
    }
    if ((setting->flags & FERRY_SETTING_WRITE_ONLY) != 0) {
        return FERRY_E_UNSUPPORTED;
    }

    size_t len = value_len(setting);

    if (len > 0 && cap > 0) {
        memcpy(data, setting->value, len < cap ? len : cap);
    }
    return (int)len;
}

/* The setting of a name that a client may change, or an error in *result. */
static const struct ferry_setting *find_writable(const struct ferry_settings_store *settings,
                                                 struct ferry_bytes name, int *result)
{
    const struct ferry_setting *setting = find(settings, name);

    *result = FERRY_OK;
    if (setting == NULL) {
        *result = not_found(settings, name);
    } else if ((setting->flags & FERRY_SETTING_READ_ONLY) != 0) {
        *result = FERRY_E_UNSUPPORTED;
    }
    return setting;
}

static int write_value(void *context, struct ferry_bytes name, struct ferry_bytes value)
{
    int result;
    const struct ferry_setting *setting = find_writable(context, name, &result);

    if (result != FERRY_OK) {
        return result;
    }
    if (!takes(setting, value.data, value.len)) {
        return FERRY_E_RANGE;
    }
    set(setting, value.data, value.len);
    return FERRY_OK;
}

static int remove_value(void *context, struct ferry_bytes name)
{
    struct ferry_settings_store *settings = context;
    int result;
    const struct ferry_setting *setting = find_writable(settings, name, &result);

    if (result == FERRY_OK && settings->store != NULL) {
        result = ferry_store_put(settings->store, key_of(settings, setting), NULL, 0);
    }
    if (result == FERRY_OK) {
        set_default(setting);
    }
    return result;
}

static int commit(void *context)
{
    const struct ferry_settings_store *settings = context;

    return settings->apply == NULL ? FERRY_OK : settings->apply(settings->context);
}

static int load(void *context)
{
    return ferry_settings_store_load(context);
}

static int save(void *context, struct ferry_bytes name)
{
    return ferry_settings_store_save(context, name);
}

const struct ferry_settings_provider ferry_settings_in_store = {
    .read = read_value,
    .write = write_value,
    .remove = remove_value,
    .commit = commit,
    .load = load,
    .save = save,
};

/* ---- Set-up ------------------------------------------------------------------- */

/* Whether a name is parts divided by slashes, none empty. */
static bool is_name(const char *name)
{
    bool part = false;

    if (name == NULL) {
        return false;
    }
    for (; *name != '\0'; name++) {
        if (*name == '/' && !part) {
            return false;
        }
        part = *name != '/';
    }
    return part;
}

static bool is_good(const struct ferry_settings_store *settings,
                    const struct ferry_setting *setting)
{
    if (!is_name(setting->name) || setting->number >= settings->key_count ||
        setting->max > FERRY_SETTING_MAX || setting->min > setting->max ||
        (setting->value == NULL && setting->max > 0)) {
        return false;
    }
    if (setting->len == NULL && setting->min != setting->max) {
        return false;
    }
    return setting->len == NULL || setting->initial_len <= setting->max;
}

static bool is_another(const struct ferry_setting *a, const struct ferry_setting *b)
{
    struct ferry_bytes name = {(const uint8_t *)b->name, ferry_text_length(b->name)};

    return a->number != b->number && !is_named(a, name, false);
}

int ferry_settings_store_init(struct ferry_settings_store *settings)
{
    if (settings->first_key < KEY_FIRST || settings->first_key > KEY_LAST ||
        settings->key_count == 0 || settings->key_count - 1U > KEY_LAST - settings->first_key) {
        return FERRY_E_CONFIG;
    }
    for (size_t i = 0; i < settings->count; i++) {
        const struct ferry_setting *setting = &settings->settings[i];

        if (!is_good(settings, setting)) {
            return FERRY_E_CONFIG;
        }
        for (size_t k = 0; k < i; k++) {
            if (!is_another(setting, &settings->settings[k])) {
                return FERRY_E_CONFIG;
            }
        }
        set_default(setting);
        if (!takes(setting, setting->value, value_len(setting))) {
            return FERRY_E_CONFIG;
        }
    }
    return FERRY_OK;
}
