/* SPDX-License-Identifier: Apache-2.0 */
/* Bluetooth LE of the example: the chip's radio below, ferry/gatt.h above it.
 *
 * What the chip tells comes as interrupts do, while the server works or while nothing is to be
 * done: never inside a call of the service, which so needs no lock. */
#include "app.h"

#include "ferry/gatt.h"

#include <string.h>

/* Links known at once; of more nothing is taken. */
#define LINKS 4

struct link {
    uint32_t number; /* 0: the place is free */
    uint32_t room;   /* notifications that may be sent before one has left */
    char identity[FERRY_VCHIP_IDENTITY];
};

static struct {
    struct ferry_gatt gatt;
    struct ferry_gatt_config config;
    struct ferry_gatt_link known[LINKS];
    struct link links[LINKS];
    bool changed; /* something was told: an answer that waits may go on, or is dropped */
    bool waits;   /* an answer does */
    char asker[FERRY_VCHIP_IDENTITY];
    uint8_t packet[FERRY_VCHIP_SEND_MAX];
    uint8_t answer[FERRY_VCHIP_SEND_MAX];
} ble;

static struct link *link_of(uint32_t number)
{
    for (size_t i = 0; i < LINKS; i++) {
        if (ble.links[i].number == number) {
            return &ble.links[i];
        }
    }
    return NULL;
}

static int notify(void *context, uint32_t number, struct ferry_bytes value)
{
    struct app *app = context;
    struct link *link = link_of(number);

    if (link->room == 0) {
        return FERRY_E_BUSY;
    }
    link->room--;
    vchip_send(&app->chip, FERRY_VCHIP_BLE, number, value.data, value.len);
    app->wires.counters[FERRY_VCHIP_BLE].bytes_out += (uint32_t)value.len;
    return FERRY_OK;
}

int app_ble_open(struct app *app)
{
    const struct ferry_vchip_start *start = &app->chip.start;

    ble.config = (struct ferry_gatt_config){
        .permission = (enum ferry_gatt_permission)start->ble_permission,
        .transport = FERRY_VCHIP_BLE,
        .whole = app_has(app, FERRY_VCHIP_BLE_WHOLE),
        .packet = ble.packet,
        .packet_cap = start->buf_size,
        .links = ble.known,
        .link_count = LINKS,
        .notify = notify,
        .context = app,
    };
    return ferry_gatt_init(&ble.gatt, &ble.config);
}

/* ---- From the radio -------------------------------------------------------------------------- */

static struct link *connect(uint32_t number, const struct ferry_vchip_peer *told)
{
    struct link *link = link_of(0);

    if (link != NULL) {
        link->number = number;
        link->room = told->queue;
        ferry_gatt_connected(&ble.gatt, number);
    }
    return link;
}

/* So that what it unlocks ends with it: see app_gate_poll(). */
static void note_peer(struct app *app, uint32_t number, const struct ferry_vchip_peer *told)
{
    peers_told(&app->wires.peers, FERRY_VCHIP_BLE, ferry_gatt_id(&ble.gatt, number), told);
}

void app_ble_told(struct app *app, uint32_t number, const struct ferry_vchip_peer *told)
{
    struct link *link = number != 0 ? link_of(number) : NULL;

    ble.changed = true;
    if (told->connected == 0) {
        note_peer(app, number, told);
        ferry_gatt_disconnected(&ble.gatt, number);
        if (link != NULL) {
            link->number = 0;
        }
        return;
    }
    if (link == NULL && number != 0) {
        link = connect(number, told);
    }
    if (link == NULL) {
        return;
    }
    memcpy(link->identity, told->identity, sizeof(link->identity));
    ferry_gatt_mtu(&ble.gatt, number, told->mtu);
    ferry_gatt_secured(&ble.gatt, number, (enum ferry_peer_security)told->security,
                       link->identity[0] != '\0' ? link->identity : NULL);
    /* The radio has granted it by the attribute's permission; who is second here waits for nothing.
     */
    if (ferry_gatt_subscribed(&ble.gatt, number, told->subscribed != 0) != FERRY_GATT_OK) {
        app->wires.counters[FERRY_VCHIP_BLE].damaged++;
    }
    note_peer(app, number, told);
}

void app_ble_left(struct app *app, uint32_t number, uint32_t count)
{
    struct link *link = number != 0 ? link_of(number) : NULL;

    (void)app;
    if (link != NULL) {
        link->room += count;
        ble.changed = true;
    }
}

void app_ble_receive(struct app *app, uint32_t number, struct ferry_bytes value)
{
    struct wires_counters *counters = &app->wires.counters[FERRY_VCHIP_BLE];
    struct ferry_bytes packet;

    counters->bytes_in += (uint32_t)value.len;
    if (ferry_gatt_written(&ble.gatt, number, value, &packet) != FERRY_GATT_OK) {
        counters->damaged++;
    }
    if (packet.len > 0) {
        wires_take(&app->wires, FERRY_VCHIP_BLE, ferry_gatt_peer(&ble.gatt).id, packet);
    }
}

/* ---- From the server ------------------------------------------------------------------------- */

bool app_ble_asker(const struct queue_packet *request, struct ferry_server_peer *asker)
{
    *asker = ferry_gatt_peer(&ble.gatt);
    if (asker->id != request->peer) {
        return false;
    }
    /* The link may end while its request is worked on: who it was stays. */
    if (asker->identity != NULL) {
        memcpy(ble.asker, asker->identity, sizeof(ble.asker));
        asker->identity = ble.asker;
    }
    return true;
}

void app_ble_answer(struct app *app, const struct queue_packet *request, struct ferry_bytes answer)
{
    memcpy(ble.answer, answer.data, answer.len);

    int error =
        ferry_gatt_answer(&ble.gatt, request->peer, (struct ferry_bytes){ble.answer, answer.len});

    ble.waits = error == FERRY_E_BUSY;
    app->wires.counters[FERRY_VCHIP_BLE].answered += error == FERRY_OK || ble.waits;
}

bool app_ble_serve(void)
{
    if (ble.waits && ble.changed) {
        ble.waits = ferry_gatt_ready(&ble.gatt) == FERRY_E_BUSY;
    }
    ble.changed = false;
    return ble.waits;
}
