/* SPDX-License-Identifier: Apache-2.0 */
/* Declarations of Zephyr that examples/ble_zephyr.c uses; see the README beside this folder. */
#ifndef STACK_ZEPHYR_GATT_H
#define STACK_ZEPHYR_GATT_H

#include <zephyr/bluetooth/conn.h>
#include <zephyr/bluetooth/uuid.h>

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

#define BT_GATT_CHRC_WRITE_WITHOUT_RESP 0x04
#define BT_GATT_CHRC_NOTIFY             0x10
#define BT_GATT_CCC_NOTIFY              0x0001
#define BT_GATT_ERR(att_err)            (-(att_err))

enum bt_gatt_perm {
    BT_GATT_PERM_READ = 1 << 0,
    BT_GATT_PERM_WRITE = 1 << 1,
    BT_GATT_PERM_WRITE_ENCRYPT = 1 << 3,
    BT_GATT_PERM_WRITE_AUTHEN = 1 << 5
};

struct bt_gatt_attr;

typedef ssize_t (*bt_gatt_attr_read_func_t)(struct bt_conn *conn, const struct bt_gatt_attr *attr,
                                            void *buf, uint16_t len, uint16_t offset);
typedef ssize_t (*bt_gatt_attr_write_func_t)(struct bt_conn *conn, const struct bt_gatt_attr *attr,
                                             const void *buf, uint16_t len, uint16_t offset,
                                             uint8_t flags);
typedef void (*bt_gatt_ccc_changed_func_t)(const struct bt_gatt_attr *attr, uint16_t value);
typedef ssize_t (*bt_gatt_ccc_write_func_t)(struct bt_conn *conn, const struct bt_gatt_attr *attr,
                                            uint16_t value);

struct bt_gatt_attr {
    const struct bt_uuid *uuid;
    bt_gatt_attr_read_func_t read;
    bt_gatt_attr_write_func_t write;
    void *user_data;
    uint16_t handle;
    uint16_t perm;
    bt_gatt_ccc_changed_func_t ccc_changed; /* these two are in user_data there */
    bt_gatt_ccc_write_func_t ccc_write;
};

struct bt_gatt_service_static {
    const struct bt_gatt_attr *attrs;
    size_t attr_count;
};

/* As many attributes, in the same order. */
#define BT_GATT_SERVICE_DEFINE(name, ...)                                                          \
    static const struct bt_gatt_attr attr_##name[] = {__VA_ARGS__};                                \
    extern const struct bt_gatt_service_static name;                                               \
    const struct bt_gatt_service_static name = {attr_##name,                                       \
                                                sizeof(attr_##name) / sizeof(attr_##name[0])}
#define BT_GATT_PRIMARY_SERVICE(service)                                                           \
    {                                                                                              \
        .uuid = &(service)->uuid, .perm = BT_GATT_PERM_READ                                        \
    }
#define BT_GATT_CHARACTERISTIC(char_uuid, props, permissions, reader, writer, data)                \
    {.perm = BT_GATT_PERM_READ, .handle = (props)},                                                \
    {                                                                                              \
        .uuid = (char_uuid), .perm = (permissions), .read = (reader), .write = (writer),           \
        .user_data = (data)                                                                        \
    }
#define BT_GATT_CCC_WITH_WRITE_CB(changed, writer, permissions)                                    \
    {                                                                                              \
        .perm = (permissions), .ccc_changed = (changed), .ccc_write = (writer)                     \
    }

typedef void (*bt_gatt_complete_func_t)(struct bt_conn *conn, void *user_data);

struct bt_gatt_notify_params {
    const struct bt_uuid *uuid;
    const struct bt_gatt_attr *attr;
    const void *data;
    uint16_t len;
    bt_gatt_complete_func_t func;
    void *user_data;
};

struct bt_gatt_cb {
    void (*att_mtu_updated)(struct bt_conn *conn, uint16_t tx, uint16_t rx);
};

void bt_gatt_cb_register(struct bt_gatt_cb *cb);
uint16_t bt_gatt_get_mtu(struct bt_conn *conn);
bool bt_gatt_is_subscribed(struct bt_conn *conn, const struct bt_gatt_attr *attr,
                           uint16_t ccc_type);
int bt_gatt_notify_cb(struct bt_conn *conn, struct bt_gatt_notify_params *params);

#endif
