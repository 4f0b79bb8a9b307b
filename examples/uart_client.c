/* SPDX-License-Identifier: Apache-2.0 */
/* The client's engine in a plain main loop, as on a chip that updates another one: a UART, a clock
 * that counts milliseconds, no heap and no operating system. It sends the image it holds to the
 * device at the other end, marks it for a test and resets. The chip's side of it is
 * uart_client_port.h. */
#include "uart_client_port.h"

#include "ferry/console.h"
#include "ferry/hello.h"
#include "ferry/upload.h"

/* The largest packet sent and received, bytes, and how many are in flight. */
#define PACKET 512
#define WINDOW 3

static struct ferry_client client;
static struct ferry_client_request requests[WINDOW + 1];
static uint8_t buffers[(WINDOW + 1) * PACKET];
static struct ferry_console_decoder decoder;
static uint8_t received[PACKET];

static void put(void *context, const uint8_t *line, size_t len)
{
    (void)context;
    for (size_t i = 0; i < len; i++) {
        port_uart_put(line[i]);
    }
}

/* One turn of the main loop: send what is due, take the bytes that are there.
 * Returns whether there is an answer. */
static bool turn(struct ferry_client_answer *answer)
{
    struct ferry_console_event event;
    struct ferry_bytes packet;
    uint64_t deadline;
    uint8_t byte;

    while (ferry_client_poll(&client, port_now_ms(), &packet, &deadline)) {
        ferry_console_send(packet, FERRY_CONSOLE_CUT_124, put, NULL);
    }
    while (port_uart_get(&byte)) {
        (void)ferry_console_feed(&decoder, &byte, 1, &event);
        if (event.kind == FERRY_CONSOLE_PACKET &&
            ferry_client_receive(&client, event.bytes, port_now_ms(), answer) == FERRY_OK) {
            return true;
        }
    }
    return ferry_client_expire(&client, port_now_ms(), answer);
}

/* Wait for the answer to one request. Returns FERRY_OK or an error. */
static int ask(int32_t ticket)
{
    struct ferry_client_answer answer;

    while (ticket > 0) {
        if (turn(&answer) && answer.ticket == ticket) {
            return answer.error;
        }
    }
    return ticket;
}

static int hello(uint32_t *window)
{
    struct ferry_client_answer answer;
    struct ferry_hello flow;
    int error;

    ferry_hello_start(&flow, &client, FERRY_LINK_CONSOLE);
    while ((error = ferry_hello_run(&flow)) == FERRY_E_BUSY) {
        if (turn(&answer)) {
            (void)ferry_hello_answer(&flow, &answer);
        }
    }
    *window = ferry_min32(flow.window, WINDOW);
    return error;
}

static int upload(uint32_t window)
{
    const struct ferry_upload_config config = {.client = &client,
                                               .read = port_image_read,
                                               .size = port_image_size,
                                               .sha = port_image_sha,
                                               .hash = port_image_hash,
                                               .hash_len = sizeof port_image_hash,
                                               .window = window};
    struct ferry_upload_event event = {.kind = FERRY_UPLOAD_PROGRESS};
    struct ferry_client_answer answer;
    struct ferry_upload flow;
    int error = ferry_upload_start(&flow, &config);

    while (error == FERRY_OK && event.kind != FERRY_UPLOAD_DONE) {
        if (ferry_upload_next(&flow, port_now_ms(), &event)) {
            error = event.kind == FERRY_UPLOAD_FAILED ? event.error : FERRY_OK;
        } else if (turn(&answer)) {
            (void)ferry_upload_answer(&flow, &answer, port_now_ms());
        }
    }
    return error;
}

/* Some devices reset before the answer is out: they have done it. */
static int reset(void)
{
    int error = ask(ferry_command_reset(&client, false, -1, NULL));

    return error == FERRY_E_TIMEOUT ? FERRY_OK : error;
}

int main(void)
{
    const struct ferry_client_config config = {.requests = requests,
                                               .request_count = WINDOW + 1,
                                               .buffers = buffers,
                                               .buffer_size = PACKET,
                                               .bytes_per_second = 11520};
    const struct ferry_bytes hash = {port_image_hash, sizeof port_image_hash};
    uint32_t window;
    int error = ferry_client_init(&client, &config);

    ferry_console_decoder_init(&decoder, received, sizeof received);
    if (error == FERRY_OK) {
        error = hello(&window);
    }
    if (error == FERRY_OK) {
        error = upload(window);
    }
    if (error == FERRY_OK) {
        error = ask(ferry_command_image_state(&client, hash, false, NULL));
    }
    if (error == FERRY_OK) {
        error = reset();
    }
    port_done(error);
}
