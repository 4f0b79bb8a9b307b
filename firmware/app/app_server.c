/* SPDX-License-Identifier: Apache-2.0 */
/* The groups of the example's server, in the order that clients see them. */
#include "app.h"

static app_group_open *const groups[] = {
    app_os_open,       /* 0 */
    app_image_open,    /* 1 */
    app_stat_open,     /* 2 */
    app_settings_open, /* 3 */
    app_log_open,      /* 4 */
    app_fs_open,       /* 8 */
    app_shell_open,    /* 9 */
    app_enum_open,     /* 10 */
    app_basic_open,    /* 63 */
    app_trust_open,    /* 102 */
    app_gate_open,     /* 103 */
};

void app_feed(void *context)
{
    struct app *app = context;

    vchip_feed(&app->chip);
}

static void observe(void *context, const struct ferry_server_call *call,
                    const struct ferry_server_event *event)
{
    app_limits_observe(context, call, event);
    app_log_observe(context, call, event);
    app_stat_observe(context, event);
}

int app_server_open(struct app *app)
{
    static struct ferry_server_config config = {
        .verbose = true, .text = ferry_error_text, .observe = observe};

    app->store = app->images.store_result == FERRY_OK ? &app->images.store : NULL;
    config.observe_context = app;
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
