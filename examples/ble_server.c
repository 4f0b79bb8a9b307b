/* SPDX-License-Identifier: Apache-2.0 */
/* Between a Bluetooth stack and the server: one request is worked on while the next one comes. */
#include "ble_server.h"

#include <string.h>

static struct ferry_gatt_link links[BLE_LINKS];
static uint8_t packet[BLE_PACKET]; /* what is being received */

static const struct ferry_gatt_config config = {
    .permission = FERRY_GATT_AUTHENTICATED,
    .transport = BLE_TRANSPORT,
    .packet = packet,
    .packet_cap = sizeof packet,
    .links = links,
    .link_count = BLE_LINKS,
    .notify = ble_notify,
};

struct ferry_gatt ble_gatt;
uint32_t ble_server_lost;
static const struct ferry_server *server;

static bool taken; /* request is worked on: nobody writes to it */
static uint8_t request[BLE_PACKET];
static struct ferry_bytes pending; /* what is left of it */
static struct ferry_server_peer asked;
static char identity[BLE_IDENTITY];

static uint8_t answer[BLE_PACKET];

int ble_server_begin(const struct ferry_server *for_server)
{
    server = for_server;
    return ferry_gatt_init(&ble_gatt, &config);
}

int ble_server_written(uint32_t link, const uint8_t *data, size_t len)
{
    struct ferry_bytes whole;
    int status = ferry_gatt_written(&ble_gatt, link, (struct ferry_bytes){data, len}, &whole);

    if (whole.len > 0 && !taken) { /* else the client sends it again */
        memcpy(request, whole.data, whole.len);
        pending = (struct ferry_bytes){request, whole.len};
        asked = ferry_gatt_peer(&ble_gatt);
        asked.identity = ble_identity(link, identity) ? identity : NULL;
        taken = true;
        ble_wake();
    }
    return status;
}

/* What cannot be sent the client asks for again. */
static void count(int error)
{
    ble_server_lost += error != FERRY_OK && error != FERRY_E_BUSY;
}

void ble_server_ready(void)
{
    count(ferry_gatt_ready(&ble_gatt));
    if (!ferry_gatt_sending(&ble_gatt)) {
        ble_wake();
    }
}

/* Whether a request may be worked on. What somebody asked that has gone is dropped. */
static bool next(void)
{
    ble_lock();
    taken = taken && asked.id == ferry_gatt_peer(&ble_gatt).id;

    bool may = taken && !ferry_gatt_sending(&ble_gatt);

    ble_unlock();
    return may;
}

void ble_server_work(void)
{
    while (next()) {
        size_t len = ferry_server_handle_from(server, &pending, &asked, answer, sizeof answer);

        ble_lock();
        count(ferry_gatt_answer(&ble_gatt, asked.id, (struct ferry_bytes){answer, len}));
        taken = pending.len > 0;
        ble_unlock();
    }
}

bool ble_server_idle(void)
{
    return !taken && !ferry_gatt_sending(&ble_gatt);
}
