/* SPDX-License-Identifier: Apache-2.0 */
#include "link.h"

#include <stdlib.h>
#include <string.h>

#define ATT_HEADER       3 /* opcode and handle */
#define DISCOVERY_ROUNDS 3 /* requests of service discovery */

static void arm(struct air_link *link);

struct pdu *air_pdu_take(struct pdu **first)
{
    struct pdu *pdu = *first;

    if (pdu != NULL) {
        *first = (struct pdu *)pdu->base.next;
    }
    return pdu;
}

void air_pdu_hold(struct pdu ***end, struct pdu *pdu)
{
    pdu->base.next = NULL;
    **end = pdu;
    *end = (struct pdu **)&pdu->base.next;
}

static void put(struct air_link *link, enum radio_way way, struct pdu pdu, const uint8_t *data,
                size_t att_len)
{
    struct pdu *copy = malloc(sizeof *copy);

    *copy = pdu;
    if (pdu.len > 0) {
        memcpy(copy->data, data, pdu.len);
    }
    radio_put(&link->radio, way, &copy->base, att_len, air_now_us());
    arm(link);
}

bool air_link_full(const struct air_device *device, enum radio_way way)
{
    return device->link == NULL || radio_full(&device->link->radio, way);
}

/* ---- Values ------------------------------------------------------------------------------------
 */

bool air_link_write(struct air_characteristic *characteristic, const uint8_t *data, size_t len)
{
    struct air_link *link = characteristic->device->link;

    if (link == NULL || len + ATT_HEADER > link->mtu || len > AIR_VALUE_MAX) {
        return false;
    }
    put(link, RADIO_TO_PERIPHERAL,
        (struct pdu){.kind = PDU_COMMAND, .characteristic = characteristic, .len = len}, data,
        len + ATT_HEADER);
    return true;
}

void air_link_notify(struct air_characteristic *characteristic, const uint8_t *data, size_t len)
{
    struct air_link *link = characteristic->device->link;

    if (link == NULL) {
        return;
    }
    if (len + ATT_HEADER > link->mtu) {
        len = link->mtu - ATT_HEADER;
    }
    put(link, RADIO_TO_CENTRAL,
        (struct pdu){.kind = PDU_NOTIFY, .characteristic = characteristic, .len = len}, data,
        len + ATT_HEADER);
}

/* ---- Exchanges ---------------------------------------------------------------------------------
 */

static void ask(struct air_link *link, struct exchange *exchange)
{
    struct pdu pdu = {.kind = exchange->kind,
                      .characteristic = exchange->characteristic,
                      .exchange = exchange,
                      .len = exchange->len};

    put(link, RADIO_TO_PERIPHERAL, pdu, exchange->data, exchange->len + ATT_HEADER);
}

static struct exchange *new_exchange(struct air_characteristic *characteristic, enum pdu_kind kind,
                                     sd_bus_message *call)
{
    struct air_link *link = characteristic->device->link;
    struct exchange *exchange = calloc(1, sizeof *exchange);

    exchange->characteristic = characteristic;
    exchange->kind = kind;
    exchange->call = sd_bus_message_ref(call);
    exchange->next = link->exchanges;
    link->exchanges = exchange;
    return exchange;
}

void air_link_subscribe(struct air_characteristic *characteristic, bool on, sd_bus_message *call)
{
    struct exchange *exchange = new_exchange(characteristic, PDU_SUBSCRIBE, call);

    exchange->on = on;
    exchange->data[exchange->len++] = on;
    exchange->data[exchange->len++] = 0;
    ask(characteristic->device->link, exchange);
}

bool air_link_request(struct air_characteristic *characteristic, const uint8_t *data, size_t len,
                      sd_bus_message *call)
{
    if (len + ATT_HEADER > characteristic->device->link->mtu || len > AIR_VALUE_MAX) {
        return false;
    }
    struct exchange *exchange = new_exchange(characteristic, PDU_REQUEST, call);
    memcpy(exchange->data, data, len);
    exchange->len = len;
    ask(characteristic->device->link, exchange);
    return true;
}

/* It is over. The program's reply may still be to come: then that frees it. */
static void finish(struct air_link *link, struct exchange *exchange, int status)
{
    struct exchange **at = &link->exchanges;

    while (*at != exchange) {
        at = &(*at)->next;
    }
    *at = exchange->next;
    exchange->status = status;
    air_gatt_answered(exchange);
    exchange->call = sd_bus_message_unref(exchange->call);
    exchange->over = true;
    if (!exchange->with_app) {
        free(exchange);
    }
}

static void secured(struct air_device *device, const char *error, void *context)
{
    struct exchange *exchange = context;

    if (device->link == NULL || error != NULL) {
        finish(exchange->link, exchange, exchange->status);
        return;
    }
    ask(device->link, exchange);
}

/* bluetoothd pairs by itself when that is what an answer says, once. */
static void came_back(struct air_link *link, struct exchange *exchange, int status)
{
    struct air_device *device = exchange->characteristic->device;
    bool security = status == ATT_AUTHENTICATION || status == ATT_ENCRYPTION;

    if (!security || exchange->again || device->pairing != NULL || air.options.deaf_agent) {
        finish(link, exchange, status);
        return;
    }
    exchange->again = true;
    exchange->status = status;
    exchange->link = link;
    const char *sender = exchange->call == NULL ? "" : sd_bus_message_get_sender(exchange->call);
    air_pair(device, sender, secured, exchange);
}

/* ---- The peripheral's end
 * ------------------------------------------------------------------------- */

static void respond(struct air_link *link, struct exchange *exchange, int status)
{
    exchange->status = status;
    put(link, RADIO_TO_CENTRAL, (struct pdu){.kind = PDU_RESPONSE, .exchange = exchange}, NULL,
        status == 0 ? 1 : 5);
}

static int app_answered(sd_bus_message *reply, void *userdata, sd_bus_error *error)
{
    struct exchange *exchange = userdata;

    (void)error;
    exchange->with_app = false;
    if (exchange->over) {
        free(exchange);
    } else {
        respond(exchange->characteristic->device->link, exchange,
                sd_bus_message_is_method_error(reply, NULL) ? ATT_UNLIKELY : 0);
    }
    return 1;
}

static void requested(struct air_link *link, struct pdu *pdu)
{
    struct exchange *exchange = pdu->exchange;
    int refused = air_app_refuses(exchange->characteristic, "write");

    if (refused != 0) {
        respond(link, exchange, refused);
        return;
    }
    exchange->with_app = true;
    air_app_requested(exchange->characteristic, pdu, app_answered, exchange);
}

static void subscribed(struct air_link *link, struct exchange *exchange)
{
    int refused = 0;

    if (exchange->on) {
        refused = air.options.refuse_notify ? ATT_REFUSED
                                            : air_app_refuses(exchange->characteristic, "notify");
    }
    if (refused == 0) {
        air_say("%s: notifications %s", link->device->name, exchange->on ? "on" : "off");
        air_app_subscribe(exchange->characteristic, exchange->on);
    }
    respond(link, exchange, refused);
}

static void at_peripheral(struct air_link *link, struct pdu *pdu)
{
    switch (pdu->kind) {
    case PDU_COMMAND:
        air_app_written(pdu->characteristic, pdu);
        return; /* it is the program's */
    case PDU_REQUEST:
        requested(link, pdu);
        break;
    case PDU_SUBSCRIBE:
        subscribed(link, pdu->exchange);
        break;
    default:
        put(link, RADIO_TO_CENTRAL, (struct pdu){.kind = PDU_DISCOVERED, .left = pdu->left}, NULL,
            AIR_MTU_LEAST);
    }
    free(pdu);
}

/* ---- The central's end
 * ------------------------------------------------------------------------------ */

static void discover(struct air_link *link, uint32_t rounds)
{
    if (rounds > 0) {
        put(link, RADIO_TO_PERIPHERAL, (struct pdu){.kind = PDU_DISCOVER, .left = rounds}, NULL, 7);
        return;
    }
    link->resolved = true;
    air_gatt_export(link->device);
    air_device_resolved(link->device);
    air_gatt_resolved(link->device);
}

static void at_central(struct air_link *link, struct pdu *pdu)
{
    switch (pdu->kind) {
    case PDU_NOTIFY:
        air_gatt_notified(pdu->characteristic, pdu->data, pdu->len);
        break;
    case PDU_RESPONSE:
        came_back(link, pdu->exchange, pdu->exchange->status);
        break;
    default:
        discover(link, pdu->left - 1);
    }
    free(pdu);
}

/* ---- Time
 * -------------------------------------------------------------------------------------------- */

/* There is room: what waits in descriptors goes on. */
static void refill(struct air_device *device, enum radio_way way)
{
    for (int i = 0; i < device->characteristic_count && device->link != NULL; i++) {
        if (way == RADIO_TO_PERIPHERAL) {
            air_gatt_refill(&device->characteristics[i]);
        } else {
            air_app_refill(&device->characteristics[i]);
        }
    }
}

static int due(sd_event_source *timer, uint64_t usec, void *userdata)
{
    struct air_device *device = userdata;
    struct air_link *link = device->link;
    enum radio_way way;
    struct radio_pdu *pdu;

    (void)timer, (void)usec;
    uint64_t now = air_now_us();
    while (device->link == link && (pdu = radio_next(&link->radio, now, &way)) != NULL) {
        refill(device, way);
        if (way == RADIO_TO_PERIPHERAL) {
            at_peripheral(link, (struct pdu *)pdu);
        } else {
            at_central(link, (struct pdu *)pdu);
        }
    }
    if (device->link != link) {
        return 0;
    }
    if (link->radio.lost) {
        air_link_end(device, "lost");
    } else {
        arm(link);
    }
    return 0;
}

static void arm(struct air_link *link)
{
    uint64_t at = radio_due(&link->radio);

    if (at != UINT64_MAX) {
        air_at(&link->timer, at, due, link->device);
        /* Descriptors first: what was written in time is in time, even when this process was not.
         */
        sd_event_source_set_priority(link->timer, SD_EVENT_PRIORITY_NORMAL + 10);
    }
}

/* ---- From the beginning to the end
 * -------------------------------------------------------------------- */

void air_link_begin(struct air_device *device)
{
    struct air_link *link = calloc(1, sizeof *link);
    const struct radio_config config = {.interval_us = air.options.interval_us,
                                        .slot_us = air.options.slot_us,
                                        .packets = air.options.packets,
                                        .payload = air.options.payload,
                                        .queue = air.options.queue,
                                        .loss_bytes = air.options.loss_bytes};

    link->device = device;
    link->mtu = air.options.mtu;
    link->security = device->paired ? device->bond : AIR_OPEN;
    radio_begin(&link->radio, &config, air_now_us(), &air.seed);
    device->link = link;
    air_say("connected: %s", device->address);
    air_device_connected(device);
    discover(link, DISCOVERY_ROUNDS);
}

void air_link_service_came(struct air_device *device)
{
    if (device->link != NULL) {
        discover(device->link, DISCOVERY_ROUNDS);
    }
}

void air_link_service_gone(struct air_device *device)
{
    struct air_link *link = device->link;

    for (int i = 0; i < device->characteristic_count; i++) {
        air_gatt_disconnected(&device->characteristics[i]);
        air_app_disconnected(&device->characteristics[i]);
    }
    while (link != NULL && link->exchanges != NULL) {
        finish(link, link->exchanges, ATT_NO_LINK);
    }
    for (struct radio_pdu *pdu = link == NULL ? NULL : radio_drain(&link->radio); pdu != NULL;
         pdu = radio_drain(&link->radio)) {
        free(pdu);
    }
    air_gatt_withdraw(device);
}

void air_link_end(struct air_device *device, const char *why)
{
    struct air_link *link = device->link;

    if (link == NULL) {
        return;
    }
    device->link = NULL; /* from here on nothing is sent */
    link->timer = sd_event_source_disable_unref(link->timer);
    air_pair_cancel(device, "AuthenticationFailed");
    for (int i = 0; i < device->characteristic_count; i++) {
        air_gatt_disconnected(&device->characteristics[i]);
        air_app_disconnected(&device->characteristics[i]);
    }
    while (link->exchanges != NULL) {
        finish(link, link->exchanges, ATT_NO_LINK);
    }
    for (struct radio_pdu *pdu = radio_drain(&link->radio); pdu != NULL;
         pdu = radio_drain(&link->radio)) {
        free(pdu);
    }
    const unsigned long long bytes = link->radio.bytes[RADIO_TO_PERIPHERAL],
                             packets = link->radio.packets[RADIO_TO_PERIPHERAL];
    air_say("disconnected: %s: %s; to the device %llu bytes in %llu packets", device->address, why,
            bytes, packets);
    free(link);
    air_device_lost(device);
}
