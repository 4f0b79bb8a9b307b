/* SPDX-License-Identifier: Apache-2.0 */
/* Declarations of NimBLE that examples/ble_nimble.c uses; see the README beside this folder. */
#ifndef STACK_NIMBLE_BLE_HS_H
#define STACK_NIMBLE_BLE_HS_H

#include <stdint.h>

/* host/ble_hs.h, host/ble_l2cap.h */
#define BLE_HS_CONN_HANDLE_NONE 0xffff
#define BLE_HS_EINVAL           3
#define BLE_HS_ENOMEM           6
#define BLE_HS_ENOTCONN         7
#define BLE_L2CAP_CID_ATT       4

/* host/ble_uuid.h */
enum { BLE_UUID_TYPE_16 = 16, BLE_UUID_TYPE_32 = 32, BLE_UUID_TYPE_128 = 128 };

typedef struct {
    uint8_t type;
} ble_uuid_t;

typedef struct {
    ble_uuid_t u;
    uint8_t value[16];
} ble_uuid128_t;

/* host/ble_hs_mbuf.h */
struct os_mbuf;

struct os_mbuf *ble_hs_mbuf_from_flat(const void *buf, uint16_t len);
int ble_hs_mbuf_to_flat(const struct os_mbuf *om, void *flat, uint16_t max_len,
                        uint16_t *out_copy_len);

/* host/ble_gatt.h */
#define BLE_GATT_ACCESS_OP_WRITE_CHR 1
#define BLE_GATT_CHR_F_WRITE_NO_RSP  0x0004
#define BLE_GATT_CHR_F_NOTIFY        0x0010
#define BLE_GATT_CHR_F_WRITE_ENC     0x1000
#define BLE_GATT_CHR_F_WRITE_AUTHEN  0x2000
#define BLE_GATT_SVC_TYPE_PRIMARY    1

struct ble_gatt_access_ctxt {
    uint8_t op;
    struct os_mbuf *om;
};

typedef int ble_gatt_access_fn(uint16_t conn_handle, uint16_t attr_handle,
                               struct ble_gatt_access_ctxt *ctxt, void *arg);
typedef uint32_t ble_gatt_chr_flags;

struct ble_gatt_chr_def {
    const ble_uuid_t *uuid;
    ble_gatt_access_fn *access_cb;
    void *arg;
    ble_gatt_chr_flags flags;
    uint8_t min_key_size;
    uint16_t *val_handle;
};

struct ble_gatt_svc_def {
    uint8_t type;
    const ble_uuid_t *uuid;
    const struct ble_gatt_chr_def *characteristics;
};

int ble_gatts_count_cfg(const struct ble_gatt_svc_def *defs);
int ble_gatts_add_svcs(const struct ble_gatt_svc_def *svcs);
int ble_gatts_notify_custom(uint16_t conn_handle, uint16_t att_handle, struct os_mbuf *om);

/* host/ble_gap.h */
#define BLE_GAP_EVENT_CONNECT    0
#define BLE_GAP_EVENT_DISCONNECT 1
#define BLE_GAP_EVENT_ENC_CHANGE 10
#define BLE_GAP_EVENT_NOTIFY_TX  13
#define BLE_GAP_EVENT_SUBSCRIBE  14
#define BLE_GAP_EVENT_MTU        15

typedef struct {
    uint8_t type;
    uint8_t val[6];
} ble_addr_t;

struct ble_gap_sec_state {
    unsigned encrypted : 1;
    unsigned authenticated : 1;
    unsigned bonded : 1;
};

struct ble_gap_conn_desc {
    struct ble_gap_sec_state sec_state;
    ble_addr_t peer_id_addr;
    uint16_t conn_handle;
};

struct ble_gap_event {
    uint8_t type;
    union {
        struct {
            int status;
            uint16_t conn_handle;
        } connect;
        struct {
            int reason;
            struct ble_gap_conn_desc conn;
        } disconnect;
        struct {
            int status;
            uint16_t conn_handle;
        } enc_change;
        struct {
            int status;
            uint16_t conn_handle;
            uint16_t attr_handle;
        } notify_tx;
        struct {
            uint16_t conn_handle;
            uint16_t attr_handle;
            uint8_t reason;
            uint8_t prev_notify : 1;
            uint8_t cur_notify : 1;
        } subscribe;
        struct {
            uint16_t conn_handle;
            uint16_t channel_id;
            uint16_t value;
        } mtu;
    };
};

int ble_gap_conn_find(uint16_t handle, struct ble_gap_conn_desc *out_desc);
int ble_gap_security_initiate(uint16_t conn_handle);

#endif
