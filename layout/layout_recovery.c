/* SPDX-License-Identifier: Apache-2.0 */
/* "recovery" in a layout: how the bootloader's serial recovery is entered and left. */
#include "layout_read.h"

#include <stdio.h>

/* Without the field. */
#define IDLE_MS 30000

#define WAIT_MS_MAX 60000
#define IDLE_MS_MAX 3600000

void layout_read_recovery(struct json_reader *reader, const cJSON *root, struct layout *layout)
{
    const cJSON *item = cJSON_GetObjectItemCaseSensitive(root, "recovery");

    layout->recovery.button = true;
    layout->recovery.idle_ms = IDLE_MS;
    if (item == NULL) {
        return;
    }
    if (cJSON_IsFalse(item)) {
        layout->recovery.off = true;
        layout->recovery.button = false;
        return;
    }
    (void)snprintf(reader->where, sizeof(reader->where), "recovery");
    (void)json_only(reader, item, "button wait_ms idle_ms");
    if (json_has(item, "button")) {
        (void)json_flag(reader, item, "button", &layout->recovery.button);
    }
    if (json_has(item, "wait_ms")) {
        (void)json_number(reader, item, "wait_ms", 0, WAIT_MS_MAX, &layout->recovery.wait_ms);
    }
    if (json_has(item, "idle_ms")) {
        (void)json_number(reader, item, "idle_ms", 0, IDLE_MS_MAX, &layout->recovery.idle_ms);
    }
    reader->where[0] = '\0';
}
