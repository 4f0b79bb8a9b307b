/* SPDX-License-Identifier: Apache-2.0 */
/* Group basic of the example: erase what the application stored. */
#include "app.h"

#include "ferry/group_basic.h"

/* What it stores are its settings. */
static int erase(void *context)
{
    const struct app *app = context;

    return app->store != NULL ? app_settings_erase(context) : FERRY_E_NOT_FOUND;
}

int app_basic_open(struct app *app, struct ferry_server_mount *mount)
{
    static struct ferry_basic_group_config config = {.erase = erase};

    config.context = app;
    *mount = (struct ferry_server_mount){&ferry_basic_group_table, &config};
    return FERRY_OK;
}
