/* SPDX-License-Identifier: Apache-2.0 */
/* SMP over Bluetooth LE, as much of it as is the same with every stack. ble_nimble.c,
 * ble_softdevice.c and ble_zephyr.c each are the rest; docs/PORTING.md has all of them. */
#ifndef BLE_SERVER_H
#define BLE_SERVER_H

#include "ferry/gatt.h"

#define BLE_PACKET    512 /* the largest request and the largest answer: buf_size of the server */
#define BLE_LINKS     4   /* connections the stack may have at once */
#define BLE_TRANSPORT 1   /* the number that the gate sees */
#define BLE_IDENTITY  18  /* an address as text, with its NUL */

extern struct ferry_gatt ble_gatt;
extern uint32_t ble_server_lost; /* answers the client did not get whole: for statistics */

/* Called by the stack's file, as ble_gatt's own functions between ble_lock() and ble_unlock(). */
int ble_server_begin(const struct ferry_server *server); /* once; FERRY_OK or an error */
int ble_server_written(uint32_t link, const uint8_t *data, size_t len); /* returns an ATT error */
void ble_server_ready(void); /* the stack takes notifications again */

/* Called from one place without the lock, after each ble_wake(): a handler may take long. */
void ble_server_work(void);
bool ble_server_idle(void); /* nothing is asked, and every answer has gone to the stack */

/* Given by the stack's file. */
int ble_notify(void *context, uint32_t link, struct ferry_bytes value); /* ferry/gatt.h: notify */
bool ble_identity(uint32_t link, char text[BLE_IDENTITY]);              /* false: not known */
void ble_lock(void);
void ble_unlock(void);
void ble_wake(void); /* there may be something for ble_server_work() */

#endif
