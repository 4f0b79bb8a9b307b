/* SPDX-License-Identifier: Apache-2.0 */
/* The serial ports of this machine, and what USB says of the devices behind them. */
#ifndef CLI_DOCTOR_PORT_LIST_H
#define CLI_DOCTOR_PORT_LIST_H

#include <stdbool.h>
#include <stddef.h>

struct port_info {
    char name[32];   /* "ttyACM0" */
    char by_id[160]; /* its link in /dev/serial/by-id; "" = none */
    char vendor[64]; /* what the device calls itself; "" = no USB device, or it does not say */
    char product[64];
    char usb_id[16]; /* "2fe3:0100"; "" = no USB device */
    char serial[64];
    char driver[32]; /* "cdc_acm", "ftdi_sio"; "" = not known */
};

/* What is known of one port: name as in /dev. root: as usb_root() of
 * cli/device/usb.h. */
void port_look(const char *root, const char *name, struct port_info *port);

/* The ports that may have a device: USB's, and UARTs that were found at boot time.
 * Returns how many there are; only cap are filled. */
size_t port_list(const char *root, struct port_info *ports, size_t cap);

/* "Nordic Semiconductor nRF52 DK (1915:520f), serial number 123", or "" when USB says nothing. */
void port_describe(const struct port_info *port, char *out, size_t cap);

#endif
