/* SPDX-License-Identifier: Apache-2.0 */
/* Declarations of NimBLE that examples/ble_nimble.c uses; see the README beside this folder. */
#ifndef STACK_NIMBLE_NIMBLE_PORT_H
#define STACK_NIMBLE_NIMBLE_PORT_H

#include <stdint.h>

/* nimble/nimble_npl.h and the nimble_npl_os.h of an operating system */
typedef uint32_t ble_npl_time_t;

#define BLE_NPL_TIME_FOREVER UINT32_MAX

typedef enum { BLE_NPL_OK = 0, BLE_NPL_TIMEOUT = 6 } ble_npl_error_t;

struct ble_npl_eventq {
    int unused;
};
struct ble_npl_event {
    int unused;
};
struct ble_npl_mutex {
    int depth;
};
struct ble_npl_sem {
    uint16_t tokens;
};
typedef void ble_npl_event_fn(struct ble_npl_event *ev);
struct ble_npl_callout {
    ble_npl_event_fn *fn;
};

ble_npl_error_t ble_npl_mutex_init(struct ble_npl_mutex *mu);
ble_npl_error_t ble_npl_mutex_pend(struct ble_npl_mutex *mu, ble_npl_time_t timeout);
ble_npl_error_t ble_npl_mutex_release(struct ble_npl_mutex *mu);
ble_npl_error_t ble_npl_sem_init(struct ble_npl_sem *sem, uint16_t tokens);
ble_npl_error_t ble_npl_sem_pend(struct ble_npl_sem *sem, ble_npl_time_t timeout);
ble_npl_error_t ble_npl_sem_release(struct ble_npl_sem *sem);
void ble_npl_callout_init(struct ble_npl_callout *co, struct ble_npl_eventq *evq,
                          ble_npl_event_fn *ev_cb, void *ev_arg);
ble_npl_error_t ble_npl_callout_reset(struct ble_npl_callout *co, ble_npl_time_t ticks);
ble_npl_time_t ble_npl_time_ms_to_ticks32(uint32_t ms);

/* nimble/nimble_port.h */
struct ble_npl_eventq *nimble_port_get_dflt_eventq(void);

#endif
