/* SPDX-License-Identifier: Apache-2.0 */
/* SMP over Zephyr's Bluetooth host, for who wants Ferry's server in a program of Zephyr's. Its
 * configuration: CONFIG_BT_L2CAP_TX_MTU and CONFIG_BT_BUF_ACL_RX_SIZE give the ATT_MTU. */
#include "ble_zephyr.h"
#include "ble_server.h"

#include <errno.h>

#include <zephyr/kernel.h>
#include <zephyr/bluetooth/bluetooth.h>
#include <zephyr/bluetooth/conn.h>
#include <zephyr/bluetooth/gatt.h>
#include <zephyr/bluetooth/uuid.h>

#define QUEUED 2 /* below CONFIG_BT_ATT_TX_COUNT: else the host waits instead of saying no */

static K_MUTEX_DEFINE(mutex);
static K_SEM_DEFINE(work, 0, 1);

static struct bt_conn *conns[BLE_LINKS]; /* by their index; CONFIG_BT_MAX_CONN of them */
static atomic_t queued;                  /* notifications that have not left */

static uint32_t link_of(const struct bt_conn *conn)
{
    return bt_conn_index(conn) + 1U; /* Zephyr counts from 0 */
}

void ble_lock(void)
{
    (void)k_mutex_lock(&mutex, K_FOREVER);
}

void ble_unlock(void)
{
    (void)k_mutex_unlock(&mutex);
}

void ble_wake(void)
{
    k_sem_give(&work);
}

bool ble_identity(uint32_t link, char text[BLE_IDENTITY])
{
    const uint8_t *a = bt_conn_get_dst(conns[link - 1])->a.val;

    (void)snprintk(text, BLE_IDENTITY, "%02X:%02X:%02X:%02X:%02X:%02X", a[5], a[4], a[3], a[2],
                   a[1], a[0]);
    return bt_conn_get_security(conns[link - 1]) >= BT_SECURITY_L2;
}

/* ---- The service ---------------------------------------------------------------------------- */

static const struct bt_uuid_128 service = {{BT_UUID_TYPE_128}, FERRY_BLE_SERVICE_BYTES};
static const struct bt_uuid_128 characteristic = {{BT_UUID_TYPE_128},
                                                  FERRY_BLE_CHARACTERISTIC_BYTES};

static ssize_t subscribed(struct bt_conn *conn, const struct bt_gatt_attr *attr, uint16_t value)
{
    (void)attr;
    ble_lock();

    int status = ferry_gatt_subscribed(&ble_gatt, link_of(conn), (value & BT_GATT_CCC_NOTIFY) != 0);

    ble_unlock();
    return status == FERRY_GATT_OK ? (ssize_t)sizeof value : BT_GATT_ERR(status);
}

static ssize_t written(struct bt_conn *conn, const struct bt_gatt_attr *attr, const void *buf,
                       uint16_t len, uint16_t offset, uint8_t flags)
{
    int status = FERRY_GATT_OK;

    (void)offset;
    (void)flags;
    ble_lock();
    /* Of who is bonded the subscription comes back without being written. */
    if (bt_gatt_is_subscribed(conn, attr, BT_GATT_CCC_NOTIFY)) {
        status = ferry_gatt_subscribed(&ble_gatt, link_of(conn), true);
    }
    if (status == FERRY_GATT_OK) {
        status = ble_server_written(link_of(conn), buf, len);
    }
    ble_unlock();
    return status == FERRY_GATT_OK ? (ssize_t)len : BT_GATT_ERR(status);
}

BT_GATT_SERVICE_DEFINE(ble_smp, BT_GATT_PRIMARY_SERVICE(&service),
                       BT_GATT_CHARACTERISTIC(&characteristic.uuid,
                                              BT_GATT_CHRC_WRITE_WITHOUT_RESP | BT_GATT_CHRC_NOTIFY,
                                              BT_GATT_PERM_WRITE_AUTHEN, NULL, written, NULL),
                       BT_GATT_CCC_WITH_WRITE_CB(NULL, subscribed,
                                                 BT_GATT_PERM_READ | BT_GATT_PERM_WRITE_AUTHEN));

/* A notification has left. This is the system's work queue, which may not wait for the lock: who
 * holds it may wait for a buffer that this queue gives back. */
static void left(struct bt_conn *conn, void *user_data)
{
    (void)conn;
    (void)user_data;
    (void)atomic_dec(&queued);
    ble_wake();
}

int ble_notify(void *context, uint32_t link, struct ferry_bytes value)
{
    struct bt_gatt_notify_params params = {
        .attr = &ble_smp.attrs[2], .data = value.data, .len = (uint16_t)value.len, .func = left};

    (void)context;
    if (atomic_get(&queued) >= QUEUED) {
        return FERRY_E_BUSY; /* until left() */
    }
    (void)atomic_inc(&queued);

    int error = bt_gatt_notify_cb(conns[link - 1], &params);

    if (error == 0) {
        return FERRY_OK;
    }
    if (error != -ENOMEM) {
        (void)atomic_dec(&queued);
        return FERRY_E_IO;
    }
    /* left() comes for another one, or there is no memory for so many bytes. */
    return atomic_dec(&queued) > 1 ? FERRY_E_BUSY : FERRY_E_SPACE;
}

/* ---- Links ---------------------------------------------------------------------------------- */

static void connected(struct bt_conn *conn, uint8_t error)
{
    if (error == 0 && bt_conn_index(conn) < BLE_LINKS) {
        ble_lock();
        conns[bt_conn_index(conn)] = bt_conn_ref(conn);
        ferry_gatt_connected(&ble_gatt, link_of(conn));
        ble_unlock();
    }
}

static void disconnected(struct bt_conn *conn, uint8_t reason)
{
    (void)reason;
    ble_lock();

    uint32_t served = ferry_gatt_peer(&ble_gatt).id;

    ferry_gatt_disconnected(&ble_gatt, link_of(conn));
    if (served != ferry_gatt_peer(&ble_gatt).id) {
        (void)atomic_set(&queued, 0); /* of those that were queued none calls left() */
    }
    if (bt_conn_index(conn) < BLE_LINKS && conns[bt_conn_index(conn)] == conn) {
        conns[bt_conn_index(conn)] = NULL;
        bt_conn_unref(conn);
    }
    ble_wake(); /* for who came next */
    ble_unlock();
}

static void secured(struct bt_conn *conn, bt_security_t level, enum bt_security_err error)
{
    enum ferry_peer_security security = FERRY_PEER_OPEN;

    (void)error;
    if (level >= BT_SECURITY_L2) {
        security = level == BT_SECURITY_L2 ? FERRY_PEER_ENCRYPTED : FERRY_PEER_AUTHENTICATED;
    }
    ble_lock();
    ferry_gatt_secured(&ble_gatt, link_of(conn), security, NULL);
    ble_unlock();
}

static void mtu_updated(struct bt_conn *conn, uint16_t tx, uint16_t rx)
{
    (void)tx;
    (void)rx;
    ble_lock();
    ferry_gatt_mtu(&ble_gatt, link_of(conn), bt_gatt_get_mtu(conn));
    ble_unlock();
}

BT_CONN_CB_DEFINE(conn_callbacks) = {
    .connected = connected, .disconnected = disconnected, .security_changed = secured};

static struct bt_gatt_cb gatt_callbacks = {.att_mtu_updated = mtu_updated};

int ble_smp_begin(const struct ferry_server *server)
{
    bt_gatt_cb_register(&gatt_callbacks);
    return ble_server_begin(server);
}

void ble_smp_thread(void)
{
    for (;;) {
        (void)k_sem_take(&work, K_FOREVER);
        ble_lock();
        if (ferry_gatt_sending(&ble_gatt)) {
            ble_server_ready();
        }
        ble_unlock();
        ble_server_work();
    }
}
