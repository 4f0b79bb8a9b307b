/* SPDX-License-Identifier: Apache-2.0 */
/* Declarations of Nordic's SoftDevices that examples/ble_softdevice.c uses; see the README beside
 * this folder. */
#ifndef STACK_SOFTDEVICE_BLE_H
#define STACK_SOFTDEVICE_BLE_H

#include <stdint.h>

/* ble_types.h */
typedef struct {
    uint8_t uuid128[16];
} ble_uuid128_t;

typedef struct {
    uint16_t uuid;
    uint8_t type;
} ble_uuid_t;

/* ble_gap.h */
enum {
    BLE_GAP_EVT_CONNECTED = 0x10,
    BLE_GAP_EVT_DISCONNECTED = 0x11,
    BLE_GAP_EVT_CONN_SEC_UPDATE = 0x1a
};

typedef struct {
    uint8_t sm : 4;
    uint8_t lv : 4;
} ble_gap_conn_sec_mode_t;

typedef struct {
    ble_gap_conn_sec_mode_t sec_mode;
    uint8_t encr_key_size;
} ble_gap_conn_sec_t;

typedef struct {
    ble_gap_conn_sec_t conn_sec;
} ble_gap_evt_conn_sec_update_t;

typedef struct {
    uint16_t conn_handle;
    union {
        ble_gap_evt_conn_sec_update_t conn_sec_update;
    } params;
} ble_gap_evt_t;

/* ble_gatt.h */
#define BLE_GATT_HVX_NOTIFICATION 0x01

typedef struct {
    uint8_t write_wo_resp : 1;
    uint8_t notify : 1;
} ble_gatt_char_props_t;

/* ble_gatts.h */
#define BLE_GATTS_SRVC_TYPE_PRIMARY 0x01
#define BLE_GATTS_VLOC_STACK        0x01

enum {
    BLE_GATTS_EVT_WRITE = 0x50,
    BLE_GATTS_EVT_EXCHANGE_MTU_REQUEST = 0x55,
    BLE_GATTS_EVT_HVN_TX_COMPLETE = 0x57
};

typedef struct {
    ble_gap_conn_sec_mode_t read_perm;
    ble_gap_conn_sec_mode_t write_perm;
    uint8_t vlen : 1;
    uint8_t vloc : 2;
    uint8_t rd_auth : 1;
    uint8_t wr_auth : 1;
} ble_gatts_attr_md_t;

typedef struct {
    ble_uuid_t const *p_uuid;
    ble_gatts_attr_md_t const *p_attr_md;
    uint16_t init_len;
    uint16_t init_offs;
    uint16_t max_len;
    uint8_t *p_value;
} ble_gatts_attr_t;

typedef struct {
    uint16_t len;
    uint16_t offset;
    uint8_t *p_value;
} ble_gatts_value_t;

typedef struct {
    ble_gatt_char_props_t char_props;
    ble_gatts_attr_md_t const *p_cccd_md;
} ble_gatts_char_md_t;

typedef struct {
    uint16_t value_handle;
    uint16_t user_desc_handle;
    uint16_t cccd_handle;
    uint16_t sccd_handle;
} ble_gatts_char_handles_t;

typedef struct {
    uint16_t handle;
    uint8_t type;
    uint16_t offset;
    uint16_t *p_len;
    uint8_t const *p_data;
} ble_gatts_hvx_params_t;

typedef struct {
    uint16_t handle;
    ble_uuid_t uuid;
    uint8_t op;
    uint8_t auth_required;
    uint16_t offset;
    uint16_t len;
    uint8_t data[1];
} ble_gatts_evt_write_t;

typedef struct {
    uint16_t client_rx_mtu;
} ble_gatts_evt_exchange_mtu_request_t;

typedef struct {
    uint8_t count;
} ble_gatts_evt_hvn_tx_complete_t;

typedef struct {
    uint16_t conn_handle;
    union {
        ble_gatts_evt_write_t write;
        ble_gatts_evt_exchange_mtu_request_t exchange_mtu_request;
        ble_gatts_evt_hvn_tx_complete_t hvn_tx_complete;
    } params;
} ble_gatts_evt_t;

/* ble.h */
typedef struct {
    uint16_t evt_id;
    uint16_t evt_len;
} ble_evt_hdr_t;

typedef struct {
    ble_evt_hdr_t header;
    union {
        ble_gap_evt_t gap_evt;
        ble_gatts_evt_t gatts_evt;
    } evt;
} ble_evt_t;

uint32_t sd_ble_uuid_vs_add(ble_uuid128_t const *p_vs_uuid, uint8_t *p_uuid_type);
uint32_t sd_ble_gatts_service_add(uint8_t type, ble_uuid_t const *p_uuid, uint16_t *p_handle);
uint32_t sd_ble_gatts_characteristic_add(uint16_t service_handle,
                                         ble_gatts_char_md_t const *p_char_md,
                                         ble_gatts_attr_t const *p_attr_char_value,
                                         ble_gatts_char_handles_t *p_handles);
uint32_t sd_ble_gatts_value_get(uint16_t conn_handle, uint16_t handle, ble_gatts_value_t *p_value);
uint32_t sd_ble_gatts_hvx(uint16_t conn_handle, ble_gatts_hvx_params_t const *p_hvx_params);
uint32_t sd_ble_gatts_exchange_mtu_reply(uint16_t conn_handle, uint16_t server_rx_mtu);

#endif
