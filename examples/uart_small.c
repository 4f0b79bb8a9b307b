/* SPDX-License-Identifier: Apache-2.0 */
/* uart_server.c for chips with little flash: the same commands, by the small groups. What they have
 * not stands in docs/SERVER.md. */
#include "uart_port.h"

#include "ferry/console.h"
#include "ferry/group_image_small.h"
#include "ferry/group_os_small.h"

/* FERRY_IMAGE_SMALL_LIST and 4 for the console at least. */
#define PACKET 512

/* The image and the bootloader's strategy for it. Nothing checks them on the chip. */
static const struct ferry_slots slots = {
    .primary = &port_primary,
    .secondary = &port_secondary,
    .strategy = &ferry_traits_swap_move_small, /* as in your MCUboot build */
    .state = &ferry_slots_by_swap_small,
    .max_align = 8,     /* as in your MCUboot build: BOOT_MAX_ALIGN */
    .max_sectors = 128, /* and BOOT_MAX_IMG_SECTORS */
};

static struct ferry_image_small image;
static struct ferry_os_small os = {.strategy = &ferry_traits_swap_move_small};

static const struct ferry_server_mount groups[] = {
    {&ferry_os_small_table, &os},
    {&ferry_image_small_table, &image},
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
    ferry_image_small_init(&image, &slots, NULL, NULL); /* feed the watchdog here */
    ferry_console_decoder_init(&decoder, request, sizeof request);
    if (ferry_server_init(&server, &config) != FERRY_OK) {
        return 1;
    }
    while (!os.reset_due) {
        struct ferry_console_event event;
        uint8_t byte = port_uart_get();

        (void)ferry_console_feed(&decoder, &byte, 1, &event);
        if (event.kind == FERRY_CONSOLE_PACKET) {
            serve(event.bytes);
        }
    }
    port_reset(); /* with os.boot_mode, where the chip keeps it */
}
