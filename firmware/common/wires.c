/* SPDX-License-Identifier: Apache-2.0 */
/* SMP on both wires of the chip. */
#include "wires.h"

void wires_init(struct wires *wires, struct vchip *chip)
{
    wires->chip = chip;
    queue_init(&wires->queue, chip->start.buf_size, chip->start.buf_count);
    ferry_console_decoder_init(&wires->decoder, wires->frame, chip->start.buf_size);
}

void wires_receive(void *context, uint32_t wire, uint32_t peer, const uint8_t *data, size_t len)
{
    struct wires *wires = context;
    struct ferry_console_event event;

    if (wire != FERRY_VCHIP_SERIAL) {
        queue_put(&wires->queue, wire, peer, data, len);
        return;
    }
    while (len > 0) {
        size_t taken = ferry_console_feed(&wires->decoder, data, len, &event);
        data += taken;
        len -= taken;
        if (event.kind == FERRY_CONSOLE_PACKET) {
            queue_put(&wires->queue, wire, peer, event.bytes.data, event.bytes.len);
        }
    }
}

static void send_lines(struct wires *wires, const uint8_t *packet, size_t len)
{
    struct ferry_console_encoder encoder;
    uint8_t line[FERRY_CONSOLE_LINE_MAX];
    size_t line_len;

    if (ferry_console_encode(&encoder, (struct ferry_bytes){packet, len},
                             FERRY_CONSOLE_CUT_ZEPHYR) != FERRY_OK) {
        return;
    }
    while ((line_len = ferry_console_next_line(&encoder, line)) > 0) {
        vchip_send(wires->chip, FERRY_VCHIP_SERIAL, 0, line, line_len);
    }
}

void wires_answer(struct wires *wires, const struct queue_packet *request, const uint8_t *answer,
                  size_t len)
{
    if (request->wire == FERRY_VCHIP_SERIAL) {
        send_lines(wires, answer, len);
    } else {
        vchip_send(wires->chip, request->wire, request->peer, answer, len);
    }
}
