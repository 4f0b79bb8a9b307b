/* SPDX-License-Identifier: Apache-2.0 */
/* Declarations of Zephyr that examples/ble_zephyr.c uses; see the README beside this folder. */
#ifndef STACK_ZEPHYR_CONN_H
#define STACK_ZEPHYR_CONN_H

#include <zephyr/bluetooth/bluetooth.h>

struct bt_conn;

typedef enum {
    BT_SECURITY_L0,
    BT_SECURITY_L1, /* no encryption */
    BT_SECURITY_L2, /* encryption */
    BT_SECURITY_L3, /* … with an authenticated key */
    BT_SECURITY_L4  /* … of LE Secure Connections */
} bt_security_t;

enum bt_security_err { BT_SECURITY_ERR_SUCCESS, BT_SECURITY_ERR_AUTH_FAIL };

struct bt_conn_cb {
    void (*connected)(struct bt_conn *conn, uint8_t err);
    void (*disconnected)(struct bt_conn *conn, uint8_t reason);
    void (*security_changed)(struct bt_conn *conn, bt_security_t level, enum bt_security_err err);
};

/* A section of the linker's in Zephyr; here the stand-in of a test looks for this name. */
#define BT_CONN_CB_DEFINE(name)                                                                    \
    extern const struct bt_conn_cb name;                                                           \
    const struct bt_conn_cb name

struct bt_conn *bt_conn_ref(struct bt_conn *conn);
void bt_conn_unref(struct bt_conn *conn);
uint8_t bt_conn_index(const struct bt_conn *conn);
const bt_addr_le_t *bt_conn_get_dst(const struct bt_conn *conn);
bt_security_t bt_conn_get_security(const struct bt_conn *conn);

#endif
