/* SPDX-License-Identifier: Apache-2.0 */
/* A group of one's own: read 0 tells whether the lamp is on, write 0 switches it. It has an error
 * of its own, and says what that is for clients of SMP version 1. Here two requests, one of them
 * while the lamp is broken. */
#include "ferry/server.h"

#include <stdio.h>

#define LED_GROUP      64 /* FERRY_SMP_GROUP_USER and above are free */
#define LED_ERR_BROKEN 2  /* 1 is "unknown" everywhere */

struct led {
    bool on, broken;
};

static int get(struct ferry_server_call *call)
{
    const struct led *led = call->context;

    ferry_cbor_pair_bool(&call->out, "led", led->on);
    return FERRY_RC_OK;
}

static int set(struct ferry_server_call *call)
{
    struct led *led = call->context;
    struct ferry_cbor_field on = {.key = "led", .kind = FERRY_CBOR_BOOL};
    int rc = ferry_server_read(call, &on, 1);

    if (rc != FERRY_RC_OK || !on.present) {
        return FERRY_RC_INVALID;
    }
    if (led->broken) {
        return ferry_server_fail(call, LED_ERR_BROKEN, "the lamp is broken");
    }
    led->on = on.item.value != 0;
    return FERRY_RC_OK;
}

static const struct ferry_command commands[] = {[0] = {.read = get, .write = set}};
static const uint8_t v1_rc[] = {[LED_ERR_BROKEN] = FERRY_RC_BAD_STATE};

static const struct ferry_group led_group = {.id = LED_GROUP,
                                             .name = "led",
                                             .commands = commands,
                                             .command_count = 1,
                                             .v1_rc = v1_rc,
                                             .v1_rc_count = sizeof(v1_rc)};

/* ---- Try it: a request in version 2, the same in version 1 ---- */

static size_t ask(const struct ferry_server *server, uint8_t op, uint8_t *answer, size_t cap)
{
    const uint8_t request[] = {op, 0, 0, 6, 0, LED_GROUP, 0, 0, 0xa1, 0x63, 'l', 'e', 'd', 0xf5};
    struct ferry_bytes pending = {request, sizeof(request)};

    return ferry_server_handle(server, &pending, 0, answer, cap);
}

int main(void)
{
    struct led led = {false, false};
    const struct ferry_server_mount mounts[] = {{&led_group, &led}};
    const struct ferry_server_config config = {
        .groups = mounts, .group_count = 1, .buf_size = 64, .buf_count = 1};
    struct ferry_server server;
    uint8_t answer[64];
    bool good = ferry_server_init(&server, &config) == FERRY_OK;

    good = good && ask(&server, 0x0a, answer, sizeof(answer)) == 10 && led.on; /* {} */
    led.broken = true;
    good =
        good && ask(&server, 0x02, answer, sizeof(answer)) == 14 && answer[12] == 6; /* {"rc": 6} */
    puts(good ? "the lamp is on" : "this is not what the group promises");
    return good ? 0 : 1;
}
