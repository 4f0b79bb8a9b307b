/* SPDX-License-Identifier: Apache-2.0 */
/* Which devices a station serves: words of the command line, and the devices they stand for.
 *
 *   /dev/ttyACM0   serial:/dev/ttyACM*?baud=115200   raw:/dev/ttyUSB[0-3]
 *   usb:2fe3:0100   usb:2fe3:*:SERIAL                by what the USB device says of itself
 *   udp:10.0.0.7   udp:10.0.0.10-60   udp:10.0.0.0/24   udp:127.0.0.1:20000-20999
 *   @FILE                                            one of these a line, a name behind it
 *
 * and several, with commas between them. Any other URI stands for itself. */
#ifndef CLI_STATION_TARGETS_H
#define CLI_STATION_TARGETS_H

#include "cli/cli.h"

/* Devices one station serves at most. */
#define TARGETS_MAX 4096

/* All three are the list's. */
struct target {
    char *uri;
    char *name;   /* for people */
    char *serial; /* USB serial number; "" = not known */
};

struct targets {
    struct target *items;
    size_t count;
    void *seen;      /* a tree of their identities */
    uint32_t twice;  /* devices that were named again */
    const char *sys; /* where sysfs is: "/sys" */
};

/* Begin with an empty list. */
void targets_init(struct targets *targets);

/* Add the devices that a word stands for; those in the list already are counted in twice, and it
 * is no error when a pattern matches none: look at count.
 * After a message returns an enum cli_exit. */
FERRY_MUST_CHECK
int targets_add(const struct cli *cli, struct targets *targets, const char *words);

void targets_free(struct targets *targets);

/* ---- between the files of this folder -------------------------------------------------------- */

/* Add one device. name NULL: it is named by its URI. Returns an enum cli_exit. */
FERRY_MUST_CHECK
int targets_add_uri(const struct cli *cli, struct targets *targets, const char *uri,
                    const char *name);

/* The devices of udp:…, as above. */
FERRY_MUST_CHECK
int targets_add_udp(const struct cli *cli, struct targets *targets, const char *word,
                    const char *name);

#endif
