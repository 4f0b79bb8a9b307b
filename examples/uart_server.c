/* SPDX-License-Identifier: Apache-2.0 */
/* SMP over UART in 80 lines: one image to update, echo, reset, and nothing else. No operating
 * system. The chip's side of it is uart_port.h; docs/PORTING.md says what that must keep. */
#include "uart_port.h"

#include "ferry/console.h"
#include "ferry/group_image.h"
#include "ferry/group_os.h"

/* The largest request and the largest answer, bytes. Clients ask for it (buf_size), and send 4 less
 * on the console, whose length and CRC are in the same buffer. */
#define PACKET 512

/* The image and the bootloader's strategy for it. */
static const struct ferry_slots slots = {
    .primary = &port_primary,
    .secondary = &port_secondary,
    .strategy = &ferry_traits_swap_move, /* as in your MCUboot build, or the update is not seen */
    .state = &ferry_slots_by_swap_no_store,
    .max_align = 8,     /* as in your MCUboot build: BOOT_MAX_ALIGN */
    .max_sectors = 128, /* and BOOT_MAX_IMG_SECTORS */
};

static const struct ferry_image_group_config image_config = {.images = &slots, .image_count = 1};
static const struct ferry_os_group_config os_config = {.bootloader_mode = FERRY_MODE_SWAP_MOVE};
static struct ferry_image_group image;
static struct ferry_os_group os;

static const struct ferry_server_mount groups[] = {
    {&ferry_os_minimal_table, &os},
    {&ferry_image_minimal_table, &image},
};
static const struct ferry_server_config config = {
    .groups = groups, .group_count = 2, .buf_size = PACKET, .buf_count = 1};
static struct ferry_server server;

static struct ferry_console_decoder decoder;
static uint8_t request[PACKET];
static uint8_t answer[PACKET];

static void put(void *context, const uint8_t *line, size_t len)
{
    (void)context;
    for (size_t i = 0; i < len; i++) {
        port_uart_put(line[i]);
    }
}

static void serve(struct ferry_bytes pending)
{
    while (pending.len > 0) {
        size_t len = ferry_server_handle(&server, &pending, 0, answer, sizeof answer);

        ferry_console_send((struct ferry_bytes){answer, len}, FERRY_CONSOLE_CUT_124, put, NULL);
    }
}

int main(void)
{
    ferry_os_group_init(&os, &os_config);
    ferry_console_decoder_init(&decoder, request, sizeof request);
    if (ferry_image_group_init(&image, &image_config) != FERRY_OK ||
        ferry_server_init(&server, &config) != FERRY_OK) {
        return 1; /* the slots do not fit the strategy: a mistake in the tables above */
    }
    while (!ferry_os_group_reset_due(&os, NULL)) {
        struct ferry_console_event event;
        uint8_t byte = port_uart_get();

        (void)ferry_console_feed(&decoder, &byte, 1, &event);
        if (event.kind == FERRY_CONSOLE_PACKET) {
            serve(event.bytes);
        }
    }
    port_reset();
}
