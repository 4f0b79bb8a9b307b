/* SPDX-License-Identifier: Apache-2.0 */
/* Serial ports of USB devices, as Linux's sysfs describes them. */
#ifndef CLI_DEVICE_USB_H
#define CLI_DEVICE_USB_H

#include "ferry/error.h"

#include <stdbool.h>

struct usb_port {
    char tty[64];      /* "ttyACM0" */
    char vendor[8];    /* hex digits: "2fe3" */
    char product[8];   /* "0100" */
    char serial[64];   /* "" = it has none */
    char interface[8]; /* hex digits: "00" */
};

/* What stands before /sys and /dev: "", or for tests the environment's FERRY_ROOT. */
const char *usb_root(void);

/* What stands behind a device file, or a link to one.
 *
 * root  as above
 * path  "/dev/ttyACM0"
 *
 * Returns whether it is the port of a USB device; port is filled then, else zero. */
bool usb_port_of(const char *root, const char *path, struct usb_port *port);

/* Find the ports that a pattern names: VID:PID[:SERIAL[:INTERFACE]], each with the wildcards of a
 * shell. Without an interface a device that has several ports is found by its first.
 *
 * take  called for each, in the order of device and interface
 *
 * Returns FERRY_OK, also when there are none; FERRY_E_FORMAT for what is no pattern; FERRY_E_IO. */
FERRY_MUST_CHECK
int usb_find(const char *root, const char *pattern,
             void (*take)(void *context, const struct usb_port *port), void *context);

/* Find where a port is now: a device that was reset, or plugged in again, may have another name.
 *
 * port  has a serial number
 * tty   gets the name; "" when it is not there
 *
 * Returns whether it is there. */
bool usb_find_again(const char *root, const struct usb_port *port, char tty[64]);

#endif
