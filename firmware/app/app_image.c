/* SPDX-License-Identifier: Apache-2.0 */
/* Group image of the example. */
#include "app.h"

int app_image_open(struct app *app, struct ferry_server_mount *mount)
{
    static struct ferry_image_options options;
    static struct ferry_image_group_config config = {
        .options = &options,
        .check = &ferry_image_check_sha256,
        .upload = ferry_image_refuse_compressed,
        .feed = app_feed,
    };

    options = ferry_image_options_default;
    options.slot_info_always = true; /* clients learn what fits before they upload */
    config.images = app->images.slots;
    config.addresses = app->images.addresses[0];
    config.image_count = (uint8_t)app->chip.start.image_count;
    config.direct = app_has(app, FERRY_VCHIP_DIRECT_UPLOAD) ? &ferry_image_direct_upload : NULL;
    config.ahead = app_has(app, FERRY_VCHIP_ERASE_AHEAD) ? &ferry_image_erase_ahead : NULL;
    config.resume = app_has(app, FERRY_VCHIP_RESUME) && app->store != NULL
                        ? &ferry_image_resume_in_store
                        : NULL;
    config.set = app_has(app, FERRY_VCHIP_SET) ? &ferry_set_in_store : NULL;
    config.context = app;
    *mount = (struct ferry_server_mount){&ferry_image_group_table, &app->image};
    return ferry_image_group_init(&app->image, &config);
}
