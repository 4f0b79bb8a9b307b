/* SPDX-License-Identifier: Apache-2.0 */
/* examples/ble_zephyr.c over a stand-in for Zephyr's host: its mutex is not taken twice, and what
 * has left is told by the work queue. */
#include "ble_example.h"
#include "ble_server.h"
#include "ble_zephyr.h"

#include <zephyr/bluetooth/gatt.h>
#include <zephyr/kernel.h>

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <errno.h>

#include <cmocka.h>

extern const struct bt_conn_cb conn_callbacks;
extern const struct bt_gatt_service_static ble_smp;

struct bt_conn {
    uint8_t index;
    int references;
    bt_addr_le_t address;
    bt_security_t level;
    uint16_t mtu;
    bool notifications;
};

static struct bt_conn conns[2];
static struct bt_gatt_cb *gatt_callbacks;
static bt_gatt_complete_func_t complete; /* of what was queued */
static jmp_buf waiting;

/* ---- The kernel ----------------------------------------------------------------------------- */

int k_mutex_lock(struct k_mutex *mutex, k_timeout_t timeout)
{
    assert_int_equal(mutex->depth, 0); /* else it would wait for itself */
    assert_true(timeout.ticks == -1);
    mutex->depth = 1;
    return 0;
}

int k_mutex_unlock(struct k_mutex *mutex)
{
    assert_int_equal(mutex->depth, 1);
    mutex->depth = 0;
    return 0;
}

int k_sem_take(struct k_sem *sem, k_timeout_t timeout)
{
    (void)timeout;
    if (sem->count == 0) {
        longjmp(waiting, 1);
    }
    sem->count--;
    return 0;
}

void k_sem_give(struct k_sem *sem)
{
    sem->count += sem->count < sem->limit;
}

atomic_val_t atomic_get(const atomic_t *target)
{
    return *target;
}

atomic_val_t atomic_set(atomic_t *target, atomic_val_t value)
{
    atomic_val_t before = *target;

    *target = value;
    return before;
}

atomic_val_t atomic_inc(atomic_t *target)
{
    return (*target)++;
}

atomic_val_t atomic_dec(atomic_t *target)
{
    return (*target)--;
}

int snprintk(char *str, size_t size, const char *fmt, ...)
{
    va_list arguments;

    va_start(arguments, fmt);
    int len = vsnprintf(str, size, fmt, arguments);
    va_end(arguments);
    return len;
}

/* ---- The host ------------------------------------------------------------------------------- */

struct bt_conn *bt_conn_ref(struct bt_conn *conn)
{
    conn->references++;
    return conn;
}

void bt_conn_unref(struct bt_conn *conn)
{
    conn->references--;
    assert_true(conn->references >= 0);
}

uint8_t bt_conn_index(const struct bt_conn *conn)
{
    return conn->index;
}

const bt_addr_le_t *bt_conn_get_dst(const struct bt_conn *conn)
{
    return &conn->address;
}

bt_security_t bt_conn_get_security(const struct bt_conn *conn)
{
    return conn->level;
}

void bt_gatt_cb_register(struct bt_gatt_cb *cb)
{
    gatt_callbacks = cb;
}

uint16_t bt_gatt_get_mtu(struct bt_conn *conn)
{
    return conn->mtu;
}

bool bt_gatt_is_subscribed(struct bt_conn *conn, const struct bt_gatt_attr *attr, uint16_t ccc_type)
{
    assert_ptr_equal(attr, &ble_smp.attrs[2]);
    assert_int_equal(ccc_type, BT_GATT_CCC_NOTIFY);
    return conn->notifications;
}

int bt_gatt_notify_cb(struct bt_conn *conn, struct bt_gatt_notify_params *params)
{
    assert_true(conn->references > 0 && conn->notifications);
    assert_ptr_equal(params->attr, &ble_smp.attrs[2]);
    complete = params->func;
    return ble_example_queue(conn->index, params->data, params->len) ? 0 : -ENOMEM;
}

/* ---- Its callbacks -------------------------------------------------------------------------- */

static void begin(const struct ferry_server *server)
{
    for (uint8_t i = 0; i < 2; i++) {
        if (conns[i].references > 0) { /* of the case before */
            conn_callbacks.disconnected(&conns[i], 0x13);
        }
        conns[i] = (struct bt_conn){
            .index = i, .mtu = 23, .address = {.a = {{(uint8_t)(i + 1), 0, 0, 0, 0, 0xc0}}}};
    }
    assert_int_equal(ble_smp_begin(server), FERRY_OK);
    assert_int_equal(ble_smp.attr_count, 4);
}

static void connect(uint16_t conn)
{
    conns[conn].level = BT_SECURITY_L1;
    conns[conn].notifications = false;
    conn_callbacks.connected(&conns[conn], 0);
}

static void disconnect(uint16_t conn)
{
    conns[conn].notifications = false;
    conn_callbacks.disconnected(&conns[conn], 0x13);
    assert_int_equal(conns[conn].references, 0);
}

static void mtu(uint16_t conn, uint16_t mtu)
{
    conns[conn].mtu = mtu;
    gatt_callbacks->att_mtu_updated(&conns[conn], mtu, mtu);
}

static void secure(uint16_t conn, enum ferry_peer_security security)
{
    conns[conn].level = (bt_security_t)((int)BT_SECURITY_L1 + (int)security);
    conn_callbacks.security_changed(&conns[conn], conns[conn].level, BT_SECURITY_ERR_SUCCESS);
}

/* Whether the attribute's permission lets that link. */
static bool permitted(uint16_t conn, const struct bt_gatt_attr *attr)
{
    assert_true((attr->perm & BT_GATT_PERM_WRITE_AUTHEN) != 0);
    return conns[conn].level >= BT_SECURITY_L3 || ble_example_lax;
}

static void subscribe(uint16_t conn, bool on)
{
    const struct bt_gatt_attr *attr = &ble_smp.attrs[3];

    if (permitted(conn, attr) && attr->ccc_write(&conns[conn], attr, on) > 0) {
        conns[conn].notifications = on;
    }
}

static void restore(uint16_t conn)
{
    conns[conn].notifications = true;
}

static void write(uint16_t conn, const uint8_t *value, uint16_t len)
{
    const struct bt_gatt_attr *attr = &ble_smp.attrs[2];

    if (permitted(conn, attr)) {
        (void)attr->write(&conns[conn], attr, value, len, 0, 0);
    }
}

static void work(void)
{
    if (setjmp(waiting) == 0) {
        ble_smp_thread();
    }
}

static void leave(void)
{
    if (ble_example_leave()) {
        complete(&conns[0], NULL);
    }
}

int main(void)
{
    static const struct ble_example_stack stack = {begin,     connect, disconnect, mtu,  secure,
                                                   subscribe, restore, write,      work, leave};

    return ble_example_run(&stack);
}
