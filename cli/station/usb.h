/* SPDX-License-Identifier: Apache-2.0 */
/* Serial ports of USB devices, as Linux's sysfs describes them. */
#ifndef CLI_STATION_USB_H
#define CLI_STATION_USB_H

#include "ferry/error.h"

#include <stdbool.h>

struct usb_port {
    char tty[64];      /* "ttyACM0" */
    char vendor[8];    /* hex digits: "2fe3" */
    char product[8];   /* "0100" */
    char serial[64];   /* "" = it has none */
    char interface[8]; /* hex digits: "00" */
};

/* What stands behind a device file without links.
 *
 * sys   where sysfs is mounted: "/sys"
 * path  "/dev/ttyACM0"
 *
 * Returns whether it is the port of a USB device; port is filled then. */
bool usb_port_of(const char *sys, const char *path, struct usb_port *port);

/* Find the ports that a pattern names: VID:PID[:SERIAL[:INTERFACE]], each with the wildcards of a
 * shell. Without an interface a device that has several ports is found by its first.
 *
 * take  called for each, in the order of device and interface
 *
 * Returns FERRY_OK, also when there are none; FERRY_E_FORMAT for what is no pattern; FERRY_E_IO. */
FERRY_MUST_CHECK
int usb_find(const char *sys, const char *pattern,
             void (*take)(void *context, const struct usb_port *port), void *context);

#endif
