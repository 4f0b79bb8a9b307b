/* SPDX-License-Identifier: Apache-2.0 */
/* The gate of the example, and group access: what its layout locks, and who may unlock it. */
#include "app.h"

#include "ferry/group_access.h"

#include <string.h>

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

#define UNLOCK_SECONDS_MAX 3600

/* A line typed on a network is nobody's at this device: no shell over UDP, DTLS and Bluetooth once
 * something is locked. */
static const struct ferry_gate_rule shell_rules[] = {
    {FERRY_SMP_GROUP_SHELL, FERRY_GATE_ANY, FERRY_GATE_BOTH}};
static const struct ferry_gate_list shell = {shell_rules, 1};

#define NO_SHELL(wire, start)                                                                      \
    {                                                                                              \
        .number = (wire), .lowest = (start), .highest = FERRY_ACCESS_SERVICE, .never = &shell      \
    }

#define ROWS(start)                                                                                \
    {                                                                                              \
        NO_SHELL(FERRY_VCHIP_UDP, start), NO_SHELL(FERRY_VCHIP_BLE, start),                        \
            NO_SHELL(FERRY_VCHIP_DTLS, start),                                                     \
        {                                                                                          \
            .number = FERRY_GATE_ANY, .lowest = (start), .highest = FERRY_ACCESS_SERVICE           \
        }                                                                                          \
    }

static const struct ferry_gate_transport locked_rows[] = ROWS(FERRY_ACCESS_LOCKED);
static const struct ferry_gate_transport update_rows[] = ROWS(FERRY_ACCESS_UPDATE);

#define POLICY(rows)                                                                               \
    {                                                                                              \
        {&ferry_gate_list_locked, &ferry_gate_list_update, &ferry_gate_list_service}, rows,        \
            COUNT(rows)                                                                            \
    }

static const struct ferry_gate_policy locked = POLICY(locked_rows);
static const struct ferry_gate_policy update = POLICY(update_rows);

static uint64_t now_ms(void *context)
{
    (void)context;
    return vchip_now_ms();
}

static int random_bytes(void *context, uint8_t *bytes, size_t len)
{
    (void)context;
    return vchip_random(bytes, len);
}

/* What a link or session unlocked ends with it. */
void app_gate_poll(struct app *app)
{
    uint32_t wire;
    uint32_t number;

    while (peers_gone(&app->wires.peers, &wire, &number)) {
        const struct ferry_server_peer peer = {.id = number, .transport = (uint8_t)wire};

        ferry_gate_lock(&app->gate, &peer);
    }
}

/* A device that locks nothing has no gate. */
int app_gate_open(struct app *app, struct ferry_server_mount *mount)
{
    static struct ferry_gate_key key = {.level = FERRY_ACCESS_SERVICE,
                                        .seconds = UNLOCK_SECONDS_MAX};
    static struct ferry_gate_config config = {
        .keys = &key, .key_count = 1, .now_ms = now_ms, .random = random_bytes};
    const struct ferry_vchip_start *start = &app->chip.start;

    if (start->lock == FERRY_VCHIP_OPEN) {
        return FERRY_E_NOT_FOUND;
    }
    memcpy(key.bytes, start->unlock_key, sizeof(key.bytes));
    config.policy = start->lock == FERRY_VCHIP_UPDATE ? &update : &locked;
    config.device_id = (struct ferry_bytes){start->chip_id, sizeof(start->chip_id)};
    *mount = (struct ferry_server_mount){&ferry_access_group_table, &app->gate};
    app->gated = true;
    return ferry_gate_init(&app->gate, &config, app->gate_wires, FERRY_VCHIP_WIRES);
}
