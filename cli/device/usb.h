/* SPDX-License-Identifier: Apache-2.0 */
/* Serial ports of USB devices, by what the devices say of themselves. */
#ifndef CLI_DEVICE_USB_H
#define CLI_DEVICE_USB_H

#include "ferry/error.h"
#include "port/posix/serial_find.h"

#include <stdbool.h>

struct usb_port {
    char tty[64]; /* "ttyACM0" */
    struct ferry_serial_id id;
};

/* What stands before /sys and /dev: "", or for tests the environment's FERRY_ROOT. */
const char *usb_root(void);

/* Find the ports that a pattern names: VID:PID[:SERIAL[:INTERFACE]], each with the wildcards of a
 * shell. Without an interface a device that has several ports is found by its first.
 *
 * root  as above
 * take  called for each, in the order of device and interface
 *
 * Returns FERRY_OK, also when there are none; FERRY_E_FORMAT for what is no pattern; FERRY_E_IO. */
FERRY_MUST_CHECK
int usb_find(const char *root, const char *pattern,
             void (*take)(void *context, const struct usb_port *port), void *context);

#endif
