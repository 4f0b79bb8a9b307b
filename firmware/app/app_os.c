/* SPDX-License-Identifier: Apache-2.0 */
/* Group os of the example. */
#include "app.h"

#include "ferry/shared_data.h"

static const char *info(void *context, char letter)
{
    (void)context;
    switch (letter) {
    case 's':
    case 'o':
        return "Ferry";
    case 'n':
        return "ferry-device";
    case 'r':
    case 'v':
        return APP_VERSION;
    case 'b':
        return "";
    case 'm':
    case 'p':
        return "virtual";
    case 'i':
        return "ferry-device";
    default:
        return NULL;
    }
}

/* What the bootloader says of itself is more than what the layout asks for. */
static int8_t bootloader_mode(const struct app *app)
{
    uint8_t mode = 0;

    if (ferry_shared_data_u8(app->chip.shared, app->chip.start.shared_size, FERRY_BLINFO_MODE,
                             &mode) != FERRY_OK) {
        mode = app->images.slots[0].strategy->mode;
    }
    return (int8_t)mode;
}

int app_os_open(struct app *app, struct ferry_server_mount *mount)
{
    static struct ferry_os_group_config config = {
        .info = info,
        .boot_modes = true,
        .measured = &ferry_os_measured_in_memory,
        .why = &ferry_os_why_in_store,
    };

    config.bootloader_mode = bootloader_mode(app);
    config.shared = (struct ferry_bytes){app->chip.shared, app->chip.start.shared_size};
    config.images = app->images.slots;
    config.image_count = app->chip.start.image_count;
    config.store = app->store;
    config.has_b0 = app->chip.start.first_provision != FERRY_VCHIP_NO_AREA;
    config.b0_slot = (uint8_t)app->chip.start.first_active;
    config.no_downgrade = app_has(app, FERRY_VCHIP_NO_DOWNGRADE);
    ferry_os_group_init(&app->os, &config);
    *mount = (struct ferry_server_mount){&ferry_os_group_table, &app->os};
    return FERRY_OK;
}
