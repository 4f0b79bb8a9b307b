/* SPDX-License-Identifier: Apache-2.0 */
/* In a ferry that is built without Bluetooth LE. */
#include "port/posix/ble_scan.h"
#include "port/posix/medium.h"

#include <stdio.h>

#define WORDS                                                                                      \
    "this ferry was built without Bluetooth LE; build it where libsystemd is: apt install "        \
    "libsystemd-dev, then make"

static int open_none(struct ferry_transport *transport,
                     const struct ferry_transport_address *address, char *why, size_t cap)
{
    (void)transport;
    (void)address;
    snprintf(why, cap, WORDS);
    return FERRY_E_CONFIG;
}

const struct ferry_medium ferry_medium_ble = {.open = open_none};

int ferry_ble_scan(const char *adapter, uint32_t timeout_ms, bool all,
                   struct ferry_ble_found **list, size_t *count, char *why, size_t cap)
{
    (void)adapter;
    (void)timeout_ms;
    (void)all;
    *list = NULL;
    *count = 0;
    snprintf(why, cap, WORDS);
    return FERRY_E_CONFIG;
}
