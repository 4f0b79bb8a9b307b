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
#include "cli/device/usb.h"

/* Devices one station serves at most. */
#define TARGETS_MAX 4096

/* uri, name and identity are the list's. */
struct target {
    char *uri;
    char *name;                 /* for people */
    char *identity;             /* by which it is known again */
    struct ferry_serial_id usb; /* serial "" = not known */
};

struct targets {
    struct target **items; /* which stay where they are */
    size_t count;
    char **words; /* as they were given */
    size_t word_count;
    void *seen;        /* a tree of the identities */
    uint32_t twice;    /* devices that were named again */
    bool looked;       /* targets_look() was called */
    bool only_present; /* ports that are not there are left out */
    const char *root;  /* of /sys and /dev, see usb.h */
};

/* Begin with an empty list. */
void targets_init(struct targets *targets);

/* Words, with commas between them; nothing is looked for yet. After a message returns an enum
 * cli_exit. */
FERRY_MUST_CHECK
int targets_name(const struct cli *cli, struct targets *targets, const char *words);

/* Add the devices that the words stand for now and that are not in the list. The first time it
 * counts in twice those that were named again. It is no error when there are none: look at count.
 * After a message returns an enum cli_exit. */
FERRY_MUST_CHECK
int targets_look(const struct cli *cli, struct targets *targets);

/* A port that is not known by a serial number, and is not there any more: whatever comes under its
 * name is another device. Its target stays. */
void targets_forget_gone(struct targets *targets, const struct target *target);

/* Where a device is now: a USB device may have come back under another name.
 * uri  gets the target's own one where nothing else is known */
void target_find_again(const struct targets *targets, const struct target *target, char *uri,
                       size_t cap);

void targets_free(struct targets *targets);

/* ---- between the files of this folder -------------------------------------------------------- */

/* Add one device. name NULL: it is named by its URI. Returns an enum cli_exit. */
FERRY_MUST_CHECK
int targets_add_uri(const struct cli *cli, struct targets *targets, const char *uri,
                    const char *name);

/* The devices of udp:… or dtls:…, as above. */
FERRY_MUST_CHECK
int targets_add_udp(const struct cli *cli, struct targets *targets, const char *word,
                    const char *name);

#endif
