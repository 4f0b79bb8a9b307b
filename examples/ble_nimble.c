/* SPDX-License-Identifier: Apache-2.0 */
/* SMP over NimBLE (Mynewt, ESP-IDF and others): the service, and what its events mean. */
#include "ble_nimble.h"
#include "ble_server.h"

#include "host/ble_hs.h"
#include "nimble/nimble_port.h"

#include <stdio.h>

#define RETRY_MS 10 /* about a connection interval */

static uint16_t value_handle;
static uint32_t subscribers[BLE_LINKS]; /* links whose descriptor says so; 0 = free */
static struct ble_npl_mutex mutex;
static struct ble_npl_sem work;
static struct ble_npl_callout again;

static uint32_t link_of(uint16_t conn)
{
    return conn + 1U; /* NimBLE counts from 0 */
}

void ble_lock(void)
{
    (void)ble_npl_mutex_pend(&mutex, BLE_NPL_TIME_FOREVER);
}

void ble_unlock(void)
{
    (void)ble_npl_mutex_release(&mutex);
}

void ble_wake(void)
{
    (void)ble_npl_sem_release(&work);
}

/* No event tells that there are buffers again: BLE_GAP_EVENT_NOTIFY_TX comes out of the very call
 * that queues a notification, before anything is sent. So a timer asks again. */
int ble_notify(void *context, uint32_t link, struct ferry_bytes value)
{
    struct os_mbuf *om = ble_hs_mbuf_from_flat(value.data, (uint16_t)value.len);
    int error = BLE_HS_ENOMEM;

    (void)context;
    if (om != NULL) {
        error = ble_gatts_notify_custom((uint16_t)(link - 1), value_handle, om); /* frees om */
    }
    if (error == BLE_HS_ENOMEM) {
        (void)ble_npl_callout_reset(&again, ble_npl_time_ms_to_ticks32(RETRY_MS));
        return FERRY_E_BUSY;
    }
    return error == 0 ? FERRY_OK : FERRY_E_IO;
}

static void ask_again(struct ble_npl_event *event)
{
    (void)event;
    ble_lock();
    ble_server_ready();
    ble_unlock();
}

bool ble_identity(uint32_t link, char text[BLE_IDENTITY])
{
    struct ble_gap_conn_desc conn;

    if (ble_gap_conn_find((uint16_t)(link - 1), &conn) != 0 || !conn.sec_state.bonded) {
        return false;
    }

    const uint8_t *a = conn.peer_id_addr.val;

    (void)snprintf(text, BLE_IDENTITY, "%02X:%02X:%02X:%02X:%02X:%02X", a[5], a[4], a[3], a[2],
                   a[1], a[0]);
    return true;
}

/* ---- The service ---------------------------------------------------------------------------- */

static uint32_t *find_subscriber(uint32_t link)
{
    for (size_t i = 0; i < BLE_LINKS; i++) {
        if (subscribers[i] == link) {
            return &subscribers[i];
        }
    }
    return NULL;
}

/* NimBLE asks nobody before somebody subscribes, and tells of it once: who came before the pairing,
 * or while another one had the service, may have it now. */
static int try_to_subscribe(uint32_t link)
{
    bool on = find_subscriber(link) != NULL;

    return on ? ferry_gatt_subscribed(&ble_gatt, link, true) : FERRY_GATT_REFUSED;
}

static int written(uint16_t conn, uint16_t attribute, struct ble_gatt_access_ctxt *access,
                   void *arg)
{
    static uint8_t value[FERRY_BLE_MTU_MOST];
    uint16_t len = 0;

    (void)attribute;
    (void)arg;
    if (access->op != BLE_GATT_ACCESS_OP_WRITE_CHR ||
        ble_hs_mbuf_to_flat(access->om, value, sizeof value, &len) != 0) {
        return FERRY_GATT_LENGTH;
    }
    ble_lock();

    int status = try_to_subscribe(link_of(conn));

    if (status == FERRY_GATT_OK) {
        status = ble_server_written(link_of(conn), value, len);
    }
    ble_unlock();
    return status;
}

static const ble_uuid128_t service = {{BLE_UUID_TYPE_128}, FERRY_BLE_SERVICE_BYTES};
static const ble_uuid128_t characteristic = {{BLE_UUID_TYPE_128}, FERRY_BLE_CHARACTERISTIC_BYTES};

/* To these flags belongs BLE_GATT_CHR_F_NOTIFY_INDICATE_AUTHEN where NimBLE has it: nobody then
 * subscribes unpaired. Elsewhere subscribed() asks for the pairing. */
static const struct ble_gatt_chr_def characteristics[] = {
    {.uuid = &characteristic.u,
     .access_cb = written,
     .flags = BLE_GATT_CHR_F_WRITE_NO_RSP | BLE_GATT_CHR_F_NOTIFY | BLE_GATT_CHR_F_WRITE_ENC |
              BLE_GATT_CHR_F_WRITE_AUTHEN,
     .val_handle = &value_handle},
    {0}};

static const struct ble_gatt_svc_def services[] = {
    {.type = BLE_GATT_SVC_TYPE_PRIMARY, .uuid = &service.u, .characteristics = characteristics},
    {0}};

int ble_smp_begin(const struct ferry_server *server)
{
    (void)ble_npl_mutex_init(&mutex);
    (void)ble_npl_sem_init(&work, 0);
    ble_npl_callout_init(&again, nimble_port_get_dflt_eventq(), ask_again, NULL);
    if (ble_server_begin(server) != FERRY_OK) {
        return BLE_HS_EINVAL;
    }

    int error = ble_gatts_count_cfg(services);

    return error != 0 ? error : ble_gatts_add_svcs(services);
}

void ble_smp_task(void *arg)
{
    (void)arg;
    for (;;) {
        (void)ble_npl_sem_pend(&work, BLE_NPL_TIME_FOREVER);
        ble_server_work();
    }
}

/* ---- Links ---------------------------------------------------------------------------------- */

static void subscribed(uint16_t conn, bool on)
{
    uint32_t *place = find_subscriber(on ? 0 : link_of(conn));

    if (place != NULL) {
        *place = on ? link_of(conn) : 0;
    }
    if (ferry_gatt_subscribed(&ble_gatt, link_of(conn), on) == FERRY_GATT_AUTHENTICATION) {
        (void)ble_gap_security_initiate(conn);
    }
}

static void secured(uint16_t conn)
{
    struct ble_gap_conn_desc desc;
    enum ferry_peer_security security = FERRY_PEER_OPEN;

    if (ble_gap_conn_find(conn, &desc) != 0) {
        return;
    }
    if (desc.sec_state.encrypted) {
        security = desc.sec_state.authenticated ? FERRY_PEER_AUTHENTICATED : FERRY_PEER_ENCRYPTED;
    }
    ferry_gatt_secured(&ble_gatt, link_of(conn), security, NULL);
}

static void handle(const struct ble_gap_event *event)
{
    switch (event->type) {
    case BLE_GAP_EVENT_CONNECT:
        if (event->connect.status == 0) {
            ferry_gatt_connected(&ble_gatt, link_of(event->connect.conn_handle));
        }
        break;
    case BLE_GAP_EVENT_DISCONNECT:
        subscribed(event->disconnect.conn.conn_handle, false);
        ferry_gatt_disconnected(&ble_gatt, link_of(event->disconnect.conn.conn_handle));
        ble_wake(); /* for who came next */
        break;
    case BLE_GAP_EVENT_MTU:
        if (event->mtu.channel_id == BLE_L2CAP_CID_ATT) {
            ferry_gatt_mtu(&ble_gatt, link_of(event->mtu.conn_handle), event->mtu.value);
        }
        break;
    case BLE_GAP_EVENT_ENC_CHANGE:
        secured(event->enc_change.conn_handle);
        break;
    case BLE_GAP_EVENT_SUBSCRIBE: /* written, or restored for who is bonded */
        if (event->subscribe.attr_handle == value_handle) {
            subscribed(event->subscribe.conn_handle, event->subscribe.cur_notify);
        }
        break;
    default:
        break;
    }
}

void ble_smp_event(const struct ble_gap_event *event)
{
    if (event->type == BLE_GAP_EVENT_NOTIFY_TX) {
        return; /* out of ble_notify(), which has the lock */
    }
    ble_lock();
    handle(event);
    ble_unlock();
}
