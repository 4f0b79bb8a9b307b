/* SPDX-License-Identifier: Apache-2.0 */
/* SMP over Nordic's SoftDevices (S112, S113, S132, S140): the service, and what their events
 * mean. Room for it in the configuration: two vendor UUIDs, an ATT_MTU of 247 or more, and a
 * hvn_tx_queue_size above 1, or one notification leaves in each connection interval. */
#include "ble_softdevice.h"
#include "ble_server.h"

#include "nrf_error.h"

#define ATT_MTU 247 /* NRF_SDH_BLE_GATT_MAX_MTU_SIZE */

static ble_gatts_char_handles_t handles;

static uint32_t link_of(uint16_t conn)
{
    return conn + 1U; /* the SoftDevice counts from 0 */
}

/* Everything is called from the main loop. */
void ble_lock(void)
{
}

void ble_unlock(void)
{
}

void ble_wake(void)
{
}

bool ble_identity(uint32_t link, char text[BLE_IDENTITY])
{
    (void)link;
    (void)text;
    return false; /* the Peer Manager knows: pm_peer_id_get() */
}

int ble_notify(void *context, uint32_t link, struct ferry_bytes value)
{
    uint16_t len = (uint16_t)value.len;
    ble_gatts_hvx_params_t params = {.handle = handles.value_handle,
                                     .type = BLE_GATT_HVX_NOTIFICATION,
                                     .p_len = &len,
                                     .p_data = value.data};

    (void)context;
    switch (sd_ble_gatts_hvx((uint16_t)(link - 1), &params)) {
    case NRF_SUCCESS:
        return FERRY_OK;
    case NRF_ERROR_RESOURCES:
        return FERRY_E_BUSY; /* until BLE_GATTS_EVT_HVN_TX_COMPLETE */
    case NRF_ERROR_DATA_SIZE:
        return FERRY_E_SPACE;
    default:
        return FERRY_E_IO;
    }
}

/* ---- The service ---------------------------------------------------------------------------- */

/* A UUID of 128 bits is a base and bytes 12 and 13 of its own. */
static uint32_t add_uuid(ble_uuid128_t bytes, ble_uuid_t *uuid)
{
    uuid->uuid = (uint16_t)(bytes.uuid128[12] | bytes.uuid128[13] << 8);
    return sd_ble_uuid_vs_add(&bytes, &uuid->type);
}

static uint32_t add_characteristic(uint16_t service, ble_uuid_t const *uuid)
{
    const ble_gap_conn_sec_mode_t nobody = {0, 0};
    const ble_gap_conn_sec_mode_t everybody = {1, 1};
    const ble_gap_conn_sec_mode_t authenticated = {1, 3}; /* mode 1, level 3: encrypted with MITM */
    const ble_gatts_attr_md_t descriptor = {
        .read_perm = everybody, .write_perm = authenticated, .vloc = BLE_GATTS_VLOC_STACK};
    const ble_gatts_char_md_t properties = {.char_props = {.write_wo_resp = 1, .notify = 1},
                                            .p_cccd_md = &descriptor};
    const ble_gatts_attr_md_t access = {
        .read_perm = nobody, .write_perm = authenticated, .vlen = 1, .vloc = BLE_GATTS_VLOC_STACK};
    const ble_gatts_attr_t value = {.p_uuid = uuid, .p_attr_md = &access, .max_len = ATT_MTU - 3};

    return sd_ble_gatts_characteristic_add(service, &properties, &value, &handles);
}

uint32_t ble_smp_begin(const struct ferry_server *server)
{
    const ble_uuid128_t service_bytes = {FERRY_BLE_SERVICE_BYTES};
    const ble_uuid128_t characteristic_bytes = {FERRY_BLE_CHARACTERISTIC_BYTES};
    ble_uuid_t service_uuid;
    ble_uuid_t characteristic_uuid;
    uint16_t service;
    uint32_t error = add_uuid(service_bytes, &service_uuid);

    if (ble_server_begin(server) != FERRY_OK) {
        return NRF_ERROR_INVALID_PARAM;
    }
    if (error == NRF_SUCCESS) {
        error = add_uuid(characteristic_bytes, &characteristic_uuid);
    }
    if (error == NRF_SUCCESS) {
        error = sd_ble_gatts_service_add(BLE_GATTS_SRVC_TYPE_PRIMARY, &service_uuid, &service);
    }
    return error == NRF_SUCCESS ? add_characteristic(service, &characteristic_uuid) : error;
}

/* ---- Links ---------------------------------------------------------------------------------- */

/* What the client configuration descriptor says: of who is bonded it comes back unwritten, with
 * sd_ble_gatts_sys_attr_set(). */
static bool is_subscribed(uint16_t conn)
{
    uint8_t bytes[2] = {0, 0};
    ble_gatts_value_t value = {.len = sizeof bytes, .p_value = bytes};
    bool on = sd_ble_gatts_value_get(conn, handles.cccd_handle, &value) == NRF_SUCCESS &&
              (bytes[0] & BLE_GATT_HVX_NOTIFICATION) != 0;

    return ferry_gatt_subscribed(&ble_gatt, link_of(conn), on) == FERRY_GATT_OK && on;
}

static void written(uint16_t conn, ble_gatts_evt_write_t const *write)
{
    if (write->handle != handles.cccd_handle && write->handle != handles.value_handle) {
        return;
    }
    if (is_subscribed(conn) && write->handle == handles.value_handle) {
        (void)ble_server_written(link_of(conn), write->data, write->len);
    }
}

static void secured(uint16_t conn, ble_gap_conn_sec_mode_t mode)
{
    enum ferry_peer_security security = FERRY_PEER_OPEN;

    if (mode.sm == 1 && mode.lv >= 2) {
        security = mode.lv == 2 ? FERRY_PEER_ENCRYPTED : FERRY_PEER_AUTHENTICATED;
    }
    ferry_gatt_secured(&ble_gatt, link_of(conn), security, NULL);
}

/* Not here where nrf_ble_gatt answers: it tells of it with NRF_BLE_GATT_EVT_ATT_MTU_UPDATED. */
static void mtu_asked(uint16_t conn, uint16_t theirs)
{
    if (sd_ble_gatts_exchange_mtu_reply(conn, ATT_MTU) == NRF_SUCCESS) {
        ferry_gatt_mtu(&ble_gatt, link_of(conn), theirs < ATT_MTU ? theirs : ATT_MTU);
    }
}

void ble_smp_event(ble_evt_t const *event)
{
    ble_gap_evt_t const *gap = &event->evt.gap_evt;
    ble_gatts_evt_t const *gatts = &event->evt.gatts_evt;

    switch (event->header.evt_id) {
    case BLE_GAP_EVT_CONNECTED:
        ferry_gatt_connected(&ble_gatt, link_of(gap->conn_handle));
        break;
    case BLE_GAP_EVT_DISCONNECTED:
        ferry_gatt_disconnected(&ble_gatt, link_of(gap->conn_handle));
        break;
    case BLE_GAP_EVT_CONN_SEC_UPDATE:
        secured(gap->conn_handle, gap->params.conn_sec_update.conn_sec.sec_mode);
        break;
    case BLE_GATTS_EVT_EXCHANGE_MTU_REQUEST:
        mtu_asked(gatts->conn_handle, gatts->params.exchange_mtu_request.client_rx_mtu);
        break;
    case BLE_GATTS_EVT_WRITE:
        written(gatts->conn_handle, &gatts->params.write);
        break;
    case BLE_GATTS_EVT_HVN_TX_COMPLETE:
        ble_server_ready();
        break;
    default:
        break;
    }
}
