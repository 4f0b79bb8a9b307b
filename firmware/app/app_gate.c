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

/* In front of the others: those whom the layout names, as far as a link has proven that it is they.
 */
#define GRANTS (FERRY_VCHIP_GRANTS)

static const uint8_t networks[] = {FERRY_VCHIP_UDP, FERRY_VCHIP_BLE, FERRY_VCHIP_DTLS};

static struct ferry_gate_transport rows[GRANTS + COUNT(networks) + 1];

static struct ferry_gate_policy policy = {
    .levels = {&ferry_gate_list_locked, &ferry_gate_list_update, &ferry_gate_list_service},
    .transports = rows};

static void add_row(int16_t number, uint8_t lowest, const struct ferry_gate_list *never)
{
    rows[policy.transport_count++] = (struct ferry_gate_transport){
        .number = number, .lowest = lowest, .highest = FERRY_ACCESS_SERVICE, .never = never};
}

static void fill_rows(const struct ferry_vchip_start *start)
{
    uint8_t lowest = start->lock == FERRY_VCHIP_UPDATE ? FERRY_ACCESS_UPDATE : FERRY_ACCESS_LOCKED;

    policy.transport_count = 0;
    for (size_t i = 0; i < GRANTS && start->grants[i].identity[0] != '\0'; i++) {
        add_row(FERRY_GATE_ANY, (uint8_t)start->grants[i].level, &shell);
        rows[i].security = FERRY_PEER_AUTHENTICATED;
        rows[i].identity = start->grants[i].identity;
    }
    for (size_t i = 0; i < COUNT(networks); i++) {
        add_row(networks[i], lowest, &shell);
    }
    add_row(FERRY_GATE_ANY, lowest, NULL);
}

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

struct wire {
    const struct peers *peers;
    uint32_t number;
};

static bool is_there(void *context, uint32_t id)
{
    const struct wire *wire = context;

    return peers_find(wire->peers, wire->number, id) != NULL;
}

/* What a link or session unlocked ends with it. */
void app_gate_poll(struct app *app)
{
    static const uint8_t linked[] = {FERRY_VCHIP_BLE, FERRY_VCHIP_DTLS};

    if (!peers_left(&app->wires.peers)) {
        return;
    }
    for (size_t i = 0; i < COUNT(linked); i++) {
        struct wire wire = {&app->wires.peers, linked[i]};

        ferry_gate_lock_gone(&app->gate, linked[i], is_there, &wire);
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
    fill_rows(start);
    config.policy = &policy;
    config.device_id = (struct ferry_bytes){start->chip_id, sizeof(start->chip_id)};
    *mount = (struct ferry_server_mount){&ferry_access_group_table, &app->gate};
    app->gated = true;
    return ferry_gate_init(&app->gate, &config, app->gate_wires, FERRY_VCHIP_WIRES);
}
