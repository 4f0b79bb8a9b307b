/* SPDX-License-Identifier: Apache-2.0 */
/* An SMP client: what to send comes out of poll(), what came goes into receive(). */
#include "ferry/commands.h"

#include <stdio.h>

int main(void)
{
    struct ferry_client client;
    struct ferry_client_request requests[2];
    uint8_t buffers[2 * 256];
    struct ferry_client_config config = {
        .requests = requests, .request_count = 2, .buffers = buffers, .buffer_size = 256};
    struct ferry_bytes packet;
    uint64_t now = 0, deadline;
    struct ferry_client_answer answer;
    static const uint8_t reply[] = "\x0b\x00\x00\x0a\x00\x00\x00\x00\xbf\x61\x72\x65hello\xff";
    char text[32];

    if (ferry_client_init(&client, &config) != FERRY_OK ||
        ferry_command_echo(&client, "hello", 5, NULL) < 0) {
        return 1;
    }
    while (ferry_client_poll(&client, now, &packet, &deadline)) {
        printf("send %zu bytes\n", packet.len); /* … on the wire; then wait for the reply */
    }
    if (ferry_client_receive(&client, (struct ferry_bytes){reply, sizeof reply - 1}, now + 5,
                             &answer) != FERRY_OK ||
        ferry_answer_text(answer.payload, "r", text, sizeof text) < 0) {
        return 1;
    }
    printf("the device says: %s\n", text);
    return 0;
}
