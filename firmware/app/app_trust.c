/* SPDX-License-Identifier: Apache-2.0 */
/* Group trust of the example: keys are changed only while somebody at the device holds its button
 * down. */
#include "app.h"
#include "firmware/common/keys.h"

#include "ferry/group_trust.h"

static int permit(void *context, struct ferry_server_call *call)
{
    const struct app *app = context;

    if (app->chip.button) {
        return FERRY_RC_OK;
    }
    call->reason = "hold the device's button down";
    return FERRY_RC_ACCESS_DENIED;
}

/* Without a store there is nowhere to keep what changes. */
int app_trust_open(struct app *app, struct ferry_server_mount *mount)
{
    static struct board_keys keys;
    static struct ferry_keys_config keys_config;
    static uint8_t work[512];
    static struct ferry_trust_group_config config = {.keys = &keys_config, .permit = permit};

    keys_read(&keys, &app->chip, app->store);
    keys_config = (struct ferry_keys_config){.store = app->store,
                                             .trust = keys.product,
                                             .keys = &keys.all,
                                             .slots = app->images.slots,
                                             .slot_count = app->chip.start.image_count,
                                             .buf = work,
                                             .buf_size = sizeof(work),
                                             .feed = app_feed,
                                             .feed_context = app};
    config.context = app;
    *mount = (struct ferry_server_mount){&ferry_trust_group_table, &config};
    return app->store == NULL ? FERRY_E_NOT_FOUND : FERRY_OK;
}
