/* SPDX-License-Identifier: Apache-2.0 */
#include "firmware/chips/common/console.h"

#include "ferry/console.h"
#include "port/chip/chip.h"

static struct ferry_console_decoder decoder;
static uint8_t request[CONSOLE_PACKET];
static uint8_t answer[CONSOLE_PACKET];

void console_init(void)
{
    ferry_console_decoder_init(&decoder, request, sizeof(request));
}

static void put(void *context, const uint8_t *line, size_t len)
{
    (void)context;
    chip_write(CHIP_WIRE_HOST, line, len);
}

static void answer_all(console_handler *handle, struct ferry_bytes pending)
{
    while (pending.len > 0) {
        size_t len = handle(&pending, answer, sizeof(answer));

        ferry_console_send((struct ferry_bytes){answer, len}, FERRY_CONSOLE_CUT_124, put, NULL);
    }
}

void console_serve(console_handler *handle)
{
    struct ferry_console_event event;
    uint8_t byte;

    while (chip_read(CHIP_WIRE_HOST, &byte, 1) == 1) {
        (void)ferry_console_feed(&decoder, &byte, 1, &event);
        if (event.kind == FERRY_CONSOLE_PACKET) {
            answer_all(handle, event.bytes);
        }
    }
}
