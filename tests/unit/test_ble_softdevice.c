/* SPDX-License-Identifier: Apache-2.0 */
/* examples/ble_softdevice.c over a stand-in for a SoftDevice. */
#include "ble_example.h"
#include "ble_server.h"
#include "ble_softdevice.h"
#include "nrf_error.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define VALUE_HANDLE 9
#define CCCD_HANDLE  10

static uint8_t level[2];      /* security */
static bool notifications[2]; /* descriptor */
static uint8_t next_type;

/* ---- The SoftDevice ------------------------------------------------------------------------- */

uint32_t sd_ble_uuid_vs_add(ble_uuid128_t const *p_vs_uuid, uint8_t *p_uuid_type)
{
    assert_int_equal(p_vs_uuid->uuid128[15] & 0x80, 0x80);
    *p_uuid_type = next_type++;
    return NRF_SUCCESS;
}

uint32_t sd_ble_gatts_service_add(uint8_t type, ble_uuid_t const *p_uuid, uint16_t *p_handle)
{
    assert_int_equal(type, BLE_GATTS_SRVC_TYPE_PRIMARY);
    assert_int_equal(p_uuid->uuid, 0xdc1d);
    assert_int_equal(p_uuid->type, 2);
    *p_handle = 7;
    return NRF_SUCCESS;
}

uint32_t sd_ble_gatts_characteristic_add(uint16_t service_handle,
                                         ble_gatts_char_md_t const *p_char_md,
                                         ble_gatts_attr_t const *p_attr_char_value,
                                         ble_gatts_char_handles_t *p_handles)
{
    assert_int_equal(service_handle, 7);
    assert_true(p_char_md->char_props.write_wo_resp && p_char_md->char_props.notify);
    assert_int_equal(p_char_md->p_cccd_md->write_perm.lv, 3);
    assert_int_equal(p_attr_char_value->p_attr_md->write_perm.lv, 3);
    assert_int_equal(p_attr_char_value->p_uuid->uuid, 0x7828);
    assert_int_equal(p_attr_char_value->p_uuid->type, 3);
    p_handles->value_handle = VALUE_HANDLE;
    p_handles->cccd_handle = CCCD_HANDLE;
    return NRF_SUCCESS;
}

uint32_t sd_ble_gatts_value_get(uint16_t conn_handle, uint16_t handle, ble_gatts_value_t *p_value)
{
    assert_int_equal(handle, CCCD_HANDLE);
    assert_int_equal(p_value->len, 2);
    p_value->p_value[0] = notifications[conn_handle];
    p_value->p_value[1] = 0;
    return NRF_SUCCESS;
}

uint32_t sd_ble_gatts_hvx(uint16_t conn_handle, ble_gatts_hvx_params_t const *p_hvx_params)
{
    assert_true(notifications[conn_handle]);
    assert_int_equal(p_hvx_params->handle, VALUE_HANDLE);
    assert_int_equal(p_hvx_params->type, BLE_GATT_HVX_NOTIFICATION);
    return ble_example_queue(conn_handle, p_hvx_params->p_data, *p_hvx_params->p_len)
               ? NRF_SUCCESS
               : NRF_ERROR_RESOURCES;
}

uint32_t sd_ble_gatts_exchange_mtu_reply(uint16_t conn_handle, uint16_t server_rx_mtu)
{
    (void)conn_handle;
    assert_true(server_rx_mtu >= 185);
    return NRF_SUCCESS;
}

/* ---- Its events ----------------------------------------------------------------------------- */

static void gap(uint16_t id, uint16_t conn)
{
    ble_evt_t event = {.header = {.evt_id = id}};

    event.evt.gap_evt.conn_handle = conn;
    event.evt.gap_evt.params.conn_sec_update.conn_sec.sec_mode.sm = 1;
    event.evt.gap_evt.params.conn_sec_update.conn_sec.sec_mode.lv = level[conn] & 0xfU;
    ble_smp_event(&event);
}

static void gatts_write(uint16_t conn, uint16_t handle, const uint8_t *value, uint16_t len)
{
    ble_evt_t *event = calloc(1, sizeof(*event) + len);

    assert_non_null(event);
    event->header.evt_id = BLE_GATTS_EVT_WRITE;
    event->evt.gatts_evt.conn_handle = conn;
    event->evt.gatts_evt.params.write.handle = handle;
    event->evt.gatts_evt.params.write.len = len;
    memcpy((uint8_t *)event + offsetof(ble_evt_t, evt.gatts_evt.params.write.data), value, len);
    ble_smp_event(event);
    free(event);
}

static void begin(const struct ferry_server *server)
{
    next_type = 2;
    memset(level, 0, sizeof(level));
    memset(notifications, 0, sizeof(notifications));
    assert_int_equal(ble_smp_begin(server), NRF_SUCCESS);
}

static void connect(uint16_t conn)
{
    level[conn] = 1;
    notifications[conn] = false;
    gap(BLE_GAP_EVT_CONNECTED, conn);
}

static void disconnect(uint16_t conn)
{
    gap(BLE_GAP_EVT_DISCONNECTED, conn);
}

static void mtu(uint16_t conn, uint16_t mtu)
{
    ble_evt_t event = {.header = {.evt_id = BLE_GATTS_EVT_EXCHANGE_MTU_REQUEST}};

    event.evt.gatts_evt.conn_handle = conn;
    event.evt.gatts_evt.params.exchange_mtu_request.client_rx_mtu = mtu;
    ble_smp_event(&event);
}

static void secure(uint16_t conn, enum ferry_peer_security security)
{
    level[conn] = (uint8_t)(security + 1);
    gap(BLE_GAP_EVT_CONN_SEC_UPDATE, conn);
}

static void subscribe(uint16_t conn, bool on)
{
    const uint8_t value[2] = {on, 0};

    if (level[conn] >= 3 || ble_example_lax) { /* the SoftDevice refuses by itself */
        notifications[conn] = on;
        gatts_write(conn, CCCD_HANDLE, value, sizeof(value));
    }
}

static void restore(uint16_t conn)
{
    notifications[conn] = true;
}

static void write(uint16_t conn, const uint8_t *value, uint16_t len)
{
    if (level[conn] >= 3 || ble_example_lax) {
        gatts_write(conn, VALUE_HANDLE, value, len);
    }
}

static void leave(void)
{
    ble_evt_t event = {.header = {.evt_id = BLE_GATTS_EVT_HVN_TX_COMPLETE}};

    event.evt.gatts_evt.params.hvn_tx_complete.count = 1;
    if (ble_example_leave()) {
        ble_smp_event(&event);
    }
}

int main(void)
{
    static const struct ble_example_stack stack = {
        begin, connect, disconnect, mtu, secure, subscribe, restore, write, ble_server_work, leave};

    return ble_example_run(&stack);
}
