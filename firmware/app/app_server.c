/* SPDX-License-Identifier: Apache-2.0 */
/* The groups of the example's server, in the order that clients see them. */
#include "app.h"

static app_group_open *const groups[] = {
    app_os_open, app_image_open, app_shell_open, app_trust_open, app_gate_open,
};

void app_feed(void *context)
{
    struct app *app = context;

    vchip_feed(&app->chip);
}

int app_server_open(struct app *app)
{
    static struct ferry_server_config config = {.verbose = true};

    app->store = app->images.store_result == FERRY_OK ? &app->images.store : NULL;
    config.groups = app->mounts;
    config.group_count = 0;
    for (size_t i = 0; i < sizeof(groups) / sizeof(groups[0]); i++) {
        int result = groups[i](app, &app->mounts[config.group_count]);

        if (result != FERRY_OK && result != FERRY_E_NOT_FOUND) {
            return result;
        }
        config.group_count += result == FERRY_OK ? 1 : 0;
    }
    config.buf_size = (uint16_t)app->chip.start.buf_size;
    config.buf_count = (uint16_t)app->chip.start.buf_count;
    if (app->gated) {
        config.gate = ferry_gate_ask;
        config.gate_context = &app->gate;
    }
    return ferry_server_init(&app->server, &config);
}
