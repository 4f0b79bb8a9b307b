/* SPDX-License-Identifier: Apache-2.0 */
/* Group enum of the example: which groups there are. */
#include "app.h"

#include "ferry/group_enum.h"

int app_enum_open(struct app *app, struct ferry_server_mount *mount)
{
    (void)app;
    *mount = (struct ferry_server_mount){&ferry_enum_group_table, NULL};
    return FERRY_OK;
}
