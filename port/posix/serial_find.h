/* SPDX-License-Identifier: Apache-2.0 */
/* Which device a serial port of USB belongs to, so that it is found again when it comes back under
 * another name: after a reset ttyACM0 may be ttyACM1. By Linux's sysfs. */
#ifndef PORT_POSIX_SERIAL_FIND_H
#define PORT_POSIX_SERIAL_FIND_H

#include <stdbool.h>
#include <stddef.h>

/* What a port is known by. All empty: not known, as of a port that is not USB's. */
struct ferry_serial_id {
    char place[256]; /* of the device in sysfs, by hub and socket: "/sys/devices/…/1-1.2" */
    char vendor[8];  /* hex digits */
    char product[8];
    char serial[128]; /* "" = it has none */
    char interface[8];
};

/* Find out what a port is.
 *
 * root  stands before /sys and /dev: "", but for tests
 * path  "/dev/ttyACM0", or a link to it
 *
 * Returns whether it is a port of USB that is there now; id is filled then, else emptied. */
bool ferry_serial_identify(const char *root, const char *path, struct ferry_serial_id *id);

/* Whether both are the same device: by its serial number, or by the socket it is plugged into. A
 * bootloader may have another product number, and another serial number or none. */
bool ferry_serial_is_same(const struct ferry_serial_id *a, const struct ferry_serial_id *b);

/* Find the port of a device that is known, whatever its name is now: by its serial number before
 * the socket. Of several ports of the device it is the one of the same interface, else the first.
 *
 * path  gets "/dev/ttyACM1", at most cap characters
 *
 * Returns whether it was found. */
bool ferry_serial_find(const char *root, const struct ferry_serial_id *id, char *path, size_t cap);

#endif
