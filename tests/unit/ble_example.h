/* SPDX-License-Identifier: Apache-2.0 */
/* What docs/PORTING.md shows for Bluetooth stacks, run: the same cases for each of them, over a
 * stand-in for the stack. Connections are 0 and 1, as the stacks count them. */
#ifndef BLE_EXAMPLE_H
#define BLE_EXAMPLE_H

#include "ferry/server.h"

struct ble_example_stack {
    void (*begin)(const struct ferry_server *server);
    void (*connect)(uint16_t conn);
    void (*disconnect)(uint16_t conn);
    void (*mtu)(uint16_t conn, uint16_t mtu);
    void (*secure)(uint16_t conn, enum ferry_peer_security security);
    void (*subscribe)(uint16_t conn, bool on); /* if the stack lets that link */
    void (*restore)(uint16_t conn);            /* the same, of who is bonded: nothing is written */
    void (*write)(uint16_t conn, const uint8_t *value, uint16_t len);
    void (*work)(void);  /* the product's task or main loop runs until it waits */
    void (*leave)(void); /* one queued notification leaves, and the stack tells of it its way */
};

/* Runs all cases. Returns how many failed. */
int ble_example_run(const struct ble_example_stack *stack);

/* The stack's attribute table is wrong: it lets everybody write and subscribe. */
extern bool ble_example_lax;

/* The stand-in's queue. Returns false when it is full. */
bool ble_example_queue(uint16_t conn, const void *value, size_t len);

/* One leaves it. Returns false when it is empty. */
bool ble_example_leave(void);

#endif
