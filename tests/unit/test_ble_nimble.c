/* SPDX-License-Identifier: Apache-2.0 */
/* examples/ble_nimble.c over a stand-in for NimBLE: its mutex is not taken twice, and it tells of a
 * notification before that is sent. */
#include "ble_example.h"
#include "ble_nimble.h"
#include "ble_server.h"

#include "host/ble_hs.h"
#include "nimble/nimble_port.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#define VALUE_HANDLE 9

struct os_mbuf {
    uint8_t data[600];
    uint16_t len;
};

static struct ble_gap_conn_desc conns[2];
static const struct ble_gatt_chr_def *characteristic;
static bool notifications[2]; /* descriptor */
static struct os_mbuf mbuf;
static struct ble_npl_callout *timer; /* NULL: it does not run */
static int pairings;                  /* that the device asked for */
static jmp_buf waiting;

/* ---- The port ------------------------------------------------------------------------------- */

ble_npl_error_t ble_npl_mutex_init(struct ble_npl_mutex *mu)
{
    mu->depth = 0;
    return BLE_NPL_OK;
}

ble_npl_error_t ble_npl_mutex_pend(struct ble_npl_mutex *mu, ble_npl_time_t timeout)
{
    assert_int_equal(mu->depth, 0); /* else it would wait for itself */
    assert_true(timeout == BLE_NPL_TIME_FOREVER);
    mu->depth = 1;
    return BLE_NPL_OK;
}

ble_npl_error_t ble_npl_mutex_release(struct ble_npl_mutex *mu)
{
    assert_int_equal(mu->depth, 1);
    mu->depth = 0;
    return BLE_NPL_OK;
}

ble_npl_error_t ble_npl_sem_init(struct ble_npl_sem *sem, uint16_t tokens)
{
    sem->tokens = tokens;
    return BLE_NPL_OK;
}

ble_npl_error_t ble_npl_sem_pend(struct ble_npl_sem *sem, ble_npl_time_t timeout)
{
    (void)timeout;
    if (sem->tokens == 0) {
        longjmp(waiting, 1);
    }
    sem->tokens--;
    return BLE_NPL_OK;
}

ble_npl_error_t ble_npl_sem_release(struct ble_npl_sem *sem)
{
    sem->tokens++;
    return BLE_NPL_OK;
}

void ble_npl_callout_init(struct ble_npl_callout *co, struct ble_npl_eventq *evq,
                          ble_npl_event_fn *ev_cb, void *ev_arg)
{
    (void)evq;
    (void)ev_arg;
    co->fn = ev_cb;
    timer = NULL;
}

ble_npl_error_t ble_npl_callout_reset(struct ble_npl_callout *co, ble_npl_time_t ticks)
{
    assert_true(ticks > 0);
    timer = co;
    return BLE_NPL_OK;
}

ble_npl_time_t ble_npl_time_ms_to_ticks32(uint32_t ms)
{
    return ms;
}

struct ble_npl_eventq *nimble_port_get_dflt_eventq(void)
{
    static struct ble_npl_eventq queue;

    return &queue;
}

/* ---- The host ------------------------------------------------------------------------------- */

struct os_mbuf *ble_hs_mbuf_from_flat(const void *buf, uint16_t len)
{
    memcpy(mbuf.data, buf, len);
    mbuf.len = len;
    return &mbuf;
}

int ble_hs_mbuf_to_flat(const struct os_mbuf *om, void *flat, uint16_t max_len,
                        uint16_t *out_copy_len)
{
    assert_true(om->len <= max_len);
    memcpy(flat, om->data, om->len);
    *out_copy_len = om->len;
    return 0;
}

int ble_gatts_count_cfg(const struct ble_gatt_svc_def *defs)
{
    return defs->type == BLE_GATT_SVC_TYPE_PRIMARY ? 0 : BLE_HS_EINVAL;
}

int ble_gatts_add_svcs(const struct ble_gatt_svc_def *svcs)
{
    assert_int_equal(svcs[1].type, 0);
    characteristic = svcs->characteristics;
    *characteristic->val_handle = VALUE_HANDLE;
    return 0;
}

int ble_gatts_notify_custom(uint16_t conn_handle, uint16_t att_handle, struct os_mbuf *om)
{
    struct ble_gap_event event = {.type = BLE_GAP_EVENT_NOTIFY_TX};
    bool taken = ble_example_queue(conn_handle, om->data, om->len);

    assert_int_equal(att_handle, VALUE_HANDLE);
    event.notify_tx.status = taken ? 0 : BLE_HS_ENOMEM;
    event.notify_tx.conn_handle = conn_handle;
    event.notify_tx.attr_handle = att_handle;
    ble_smp_event(&event);
    return event.notify_tx.status;
}

int ble_gap_conn_find(uint16_t handle, struct ble_gap_conn_desc *out_desc)
{
    if (handle >= 2 || conns[handle].conn_handle == BLE_HS_CONN_HANDLE_NONE) {
        return BLE_HS_ENOTCONN;
    }
    *out_desc = conns[handle];
    return 0;
}

int ble_gap_security_initiate(uint16_t conn_handle)
{
    assert_true(conn_handle < 2);
    pairings++;
    return 0;
}

/* ---- Its events ----------------------------------------------------------------------------- */

static void connect(uint16_t conn)
{
    struct ble_gap_event event = {.type = BLE_GAP_EVENT_CONNECT};

    conns[conn] = (struct ble_gap_conn_desc){
        .conn_handle = conn, .peer_id_addr = {.val = {(uint8_t)(conn + 1), 0, 0, 0, 0, 0xc0}}};
    event.connect.conn_handle = conn;
    ble_smp_event(&event);
}

static void tell_subscription(uint16_t conn, bool on)
{
    struct ble_gap_event event = {.type = BLE_GAP_EVENT_SUBSCRIBE};

    if (notifications[conn] == on) {
        return;
    }
    notifications[conn] = on;
    event.subscribe.conn_handle = conn;
    event.subscribe.attr_handle = VALUE_HANDLE;
    event.subscribe.cur_notify = on;
    ble_smp_event(&event);
}

static void disconnect(uint16_t conn)
{
    struct ble_gap_event event = {.type = BLE_GAP_EVENT_DISCONNECT};

    tell_subscription(conn, false);
    event.disconnect.conn.conn_handle = conn;
    conns[conn].conn_handle = BLE_HS_CONN_HANDLE_NONE;
    ble_smp_event(&event);
}

static void begin(const struct ferry_server *server)
{
    static bool begun;

    for (uint16_t i = 0; i < 2; i++) {
        if (begun && conns[i].conn_handle != BLE_HS_CONN_HANDLE_NONE) { /* of the case before */
            disconnect(i);
        }
        conns[i].conn_handle = BLE_HS_CONN_HANDLE_NONE;
    }
    begun = true;
    assert_int_equal(ble_smp_begin(server), 0);
}

static void mtu(uint16_t conn, uint16_t mtu)
{
    struct ble_gap_event event = {.type = BLE_GAP_EVENT_MTU};

    event.mtu.conn_handle = conn;
    event.mtu.channel_id = BLE_L2CAP_CID_ATT;
    event.mtu.value = mtu;
    ble_smp_event(&event);
}

static void secure(uint16_t conn, enum ferry_peer_security security)
{
    struct ble_gap_event event = {.type = BLE_GAP_EVENT_ENC_CHANGE};

    conns[conn].sec_state.encrypted = security >= FERRY_PEER_ENCRYPTED;
    conns[conn].sec_state.authenticated = security >= FERRY_PEER_AUTHENTICATED;
    conns[conn].sec_state.bonded = security >= FERRY_PEER_AUTHENTICATED;
    event.enc_change.conn_handle = conn;
    ble_smp_event(&event);
}

/* NimBLE lets everybody subscribe, and tells only of what has changed. */
static void subscribe(uint16_t conn, bool on)
{
    int before = pairings;

    tell_subscription(conn, on);
    assert_true(pairings == before || !conns[conn].sec_state.authenticated);
}

static void restore(uint16_t conn)
{
    tell_subscription(conn, true);
}

static void write(uint16_t conn, const uint8_t *value, uint16_t len)
{
    static struct os_mbuf om;
    struct ble_gatt_access_ctxt access = {.op = BLE_GATT_ACCESS_OP_WRITE_CHR, .om = &om};

    assert_true((characteristic->flags & BLE_GATT_CHR_F_WRITE_AUTHEN) != 0);
    if (conns[conn].sec_state.authenticated || ble_example_lax) {
        memcpy(om.data, value, len);
        om.len = len;
        (void)characteristic->access_cb(conn, VALUE_HANDLE, &access, NULL);
    }
}

static void work(void)
{
    if (setjmp(waiting) == 0) {
        ble_smp_task(NULL);
    }
}

/* Buffers come back silently; then the timer runs out. */
static void leave(void)
{
    struct ble_npl_event event = {0};
    struct ble_npl_callout *due = timer;

    (void)ble_example_leave();
    timer = NULL;
    if (due != NULL) {
        due->fn(&event);
    }
}

int main(void)
{
    static const struct ble_example_stack stack = {begin,     connect, disconnect, mtu,  secure,
                                                   subscribe, restore, write,      work, leave};

    return ble_example_run(&stack);
}
