/* SPDX-License-Identifier: Apache-2.0 */
#include "holder.h"

#include <string.h>

/* By the name in parentheses. */
static const struct {
    const char *name;
    struct holder_words words;
} known[] = {
    {"(ModemManager)",
     {"ModemManager asks every new serial port whether it is a modem",
      "wait half a minute, or keep it away for good by a udev rule with "
      "ENV{ID_MM_DEVICE_IGNORE}=\"1\""}},
    {"(brltty)",
     {"brltty takes USB serial converters for Braille displays",
      "remove it (apt remove brltty), or mask its udev rule for this converter"}},
    {"getty)",
     {"the system offers a login on this port",
      "systemctl stop serial-getty@PORT, and disable it if the port is for the device alone"}},
    {"(ferry", {"another ferry talks to the device", "wait until it is done, or end it"}},
    {"(mcumgr", {"mcumgr talks to the device", "wait until it is done, or end it"}},
    {"(smpmgr", {"smpmgr talks to the device", "wait until it is done, or end it"}},
};

struct holder_words holder_explain(const char *holders)
{
    for (size_t i = 0; i < sizeof known / sizeof known[0]; i++) {
        if (strstr(holders, known[i].name) != NULL) {
            return known[i].words;
        }
    }
    if (holders[0] != '\0') {
        return (struct holder_words){"one program at a time can use a serial port",
                                     "close the other program, or wait until it is done"};
    }
    return (struct holder_words){"a program of another user has it",
                                 "see which: sudo fuser -v PORT; then close it"};
}
