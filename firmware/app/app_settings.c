/* SPDX-License-Identifier: Apache-2.0 */
/* Group settings of the example: a few declared settings, saved in the device's store. */
#include "app.h"

#include "ferry/settings_store.h"

/* Of the store's keys, those of the settings. */
#define FIRST_KEY 0x0100
#define KEY_COUNT 64

#define NAME_MAX 31

static uint8_t name[NAME_MAX];
static uint16_t name_len;
static const char name_initial[] = "ferry-device";

static uint8_t serial[4];
static const uint8_t serial_initial[] = {0x78, 0x56, 0x34, 0x12};

static uint8_t pin[4];

static uint8_t log_level;

static bool takes_level(const struct ferry_setting *setting, const uint8_t *data, size_t len)
{
    (void)setting;
    (void)len;
    return data[0] <= 4;
}

static const struct ferry_setting declared[] = {
    {.name = "id/name",
     .number = 0,
     .value = name,
     .max = NAME_MAX,
     .len = &name_len,
     .initial = name_initial,
     .initial_len = sizeof(name_initial) - 1},
    {.name = "id/serial",
     .number = 1,
     .flags = FERRY_SETTING_READ_ONLY,
     .value = serial,
     .min = sizeof(serial),
     .max = sizeof(serial),
     .initial = serial_initial},
    {.name = "id/pin",
     .number = 2,
     .flags = FERRY_SETTING_WRITE_ONLY,
     .value = pin,
     .min = sizeof(pin),
     .max = sizeof(pin)},
    {.name = "log/level",
     .number = 3,
     .value = &log_level,
     .min = sizeof(log_level),
     .max = sizeof(log_level),
     .takes = takes_level},
};

static struct ferry_settings_store settings = {.settings = declared,
                                               .count = sizeof(declared) / sizeof(declared[0]),
                                               .first_key = FIRST_KEY,
                                               .key_count = KEY_COUNT};

/* What is read before a commit is what was committed before. */
static int apply(void *context)
{
    struct app *app = context;

    app->log_level = log_level;
    return FERRY_OK;
}

int app_settings_erase(void *context)
{
    int result = ferry_settings_store_erase(&settings);

    (void)apply(context);
    return result;
}

/* A device without a store has them too: they last until the next start. */
int app_settings_open(struct app *app, struct ferry_server_mount *mount)
{
    static struct ferry_settings_group_config config = {.provider = &ferry_settings_in_store,
                                                        .context = &settings};

    settings.store = app->store;
    settings.apply = apply;
    settings.context = app;

    int result = ferry_settings_store_init(&settings);

    if (result == FERRY_OK && ferry_settings_store_load(&settings) != FERRY_OK) {
        vchip_print(&app->chip, "app " APP_VERSION ": settings: some are at their default\n");
    }
    if (result == FERRY_OK) {
        result = apply(app);
    }
    *mount = (struct ferry_server_mount){&ferry_settings_group_table, &config};
    return result;
}
