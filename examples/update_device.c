/* SPDX-License-Identifier: Apache-2.0 */
/* update_device URI FILE: the whole update with libferry-client.
 * cc update_device.c $(pkg-config --cflags --libs ferry-client) */
#include "ferry/device.h"

#include <stdio.h>

static bool tell(void *context, const struct ferry_update_event *event)
{
    (void)context;
    if (event->kind == FERRY_UPDATE_STEP || event->kind == FERRY_UPDATE_WARNING) {
        printf("%s\n", event->text);
    }
    return true;
}

int main(int argc, char **argv)
{
    static uint8_t bytes[4 << 20];
    struct ferry_device_firmware how = {.update_event = tell};
    struct ferry_image_state proof;
    struct ferry_failure failure;
    struct ferry_connection *device;
    FILE *file = argc == 3 ? fopen(argv[2], "rb") : NULL;

    if (file == NULL) {
        fprintf(stderr, "usage: update_device URI FILE\n");
        return 2;
    }
    struct ferry_bytes image = {bytes, fread(bytes, 1, sizeof bytes, file)};
    if (ferry_device_open(&device, argv[1], &failure) != FERRY_OK ||
        ferry_device_update(device, image, &how, &proof, &failure) != FERRY_OK) {
        fprintf(stderr, "%s\n  next: %s\n", failure.text, failure.remedy);
        return 1;
    }
    printf("version %s runs and is confirmed\n", proof.version);
    ferry_connection_close(device);
    return 0;
}
