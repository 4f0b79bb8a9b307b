/* SPDX-License-Identifier: Apache-2.0 */
/* A device of Bluetooth LE by way of BlueZ: what the files of this folder share. BlueZ is asked
 * over the system bus (sd-bus); its API is in its doc/org.bluez.*.rst.
 *
 * Opening blocks, each step for a bounded time. What is called meanwhile, the pairing agent say, is
 * served as it comes: all calls are made asynchronously and waited for in bluez_turn(). */
#ifndef PORT_BLUEZ_BLUEZ_H
#define PORT_BLUEZ_BLUEZ_H

#include "ferry/ble.h"
#include "port/posix/transport.h"
#include "sdbus.h"

/* Calls that BlueZ answers of its own, and those for which it asks the device. */
#define BLUEZ_CALL_MS    10000
#define BLUEZ_CONNECT_MS 20000
#define BLUEZ_RESOLVE_MS 20000
#define BLUEZ_PAIR_MS    60000
#define BLUEZ_FIND_MS    10000

#define BLUEZ_ADAPTER        "org.bluez.Adapter1"
#define BLUEZ_DEVICE         "org.bluez.Device1"
#define BLUEZ_SERVICE        "org.bluez.GattService1"
#define BLUEZ_CHARACTERISTIC "org.bluez.GattCharacteristic1"

/* ---- What BlueZ knows (objects.c) ----------------------------------------------------------- */

enum bluez_kind {
    BLUEZ_IS_OTHER,
    BLUEZ_IS_ADAPTER,
    BLUEZ_IS_DEVICE,
    BLUEZ_IS_SERVICE,
    BLUEZ_IS_CHARACTERISTIC
};

/* One object, with those of its properties that matter here. */
struct bluez_object {
    enum bluez_kind kind;
    char path[128];
    char name[256]; /* of a device: Alias, which is the name it tells unless the user renamed it */
    char told[256]; /* the name it tells */
    char address[18]; /* of an adapter or a device */
    char uuid[37];    /* of a service or a characteristic */
    bool powered, connected, paired, resolved;
    bool bonded; /* paired for good: both ends keep the key */
    bool tells_bond;
    bool serves; /* a device with the SMP service, as advertised or as resolved */
    bool heard;  /* a device that was heard in this discovery: rssi counts */
    int16_t rssi;
    bool acquires_write, acquires_notify; /* a characteristic: descriptors are offered */
    bool notify_taken;                    /* … and another program has that one */
    uint16_t mtu;                         /* 0 = not told */
};

struct bluez_objects {
    struct bluez_object *list;
    size_t count;
};

/* ---- The bus (bus.c) ------------------------------------------------------------------------ */

struct bluez {
    sd_bus *bus;
    char owner[32];   /* BlueZ's own name on the bus */
    bool changed;     /* something of BlueZ's has changed since this was cleared */
    bool gone;        /* the link, or BlueZ itself, is lost */
    char refusal[64]; /* of the last call that failed: the error's name, and what it says */
    char refused[160];
    char *why; /* what to tell when opening fails */
    size_t cap;

    const struct ferry_transport_address *address;
    char adapter[128], device[128], characteristic[128]; /* object paths */
    char device_address[18];
    bool connected;  /* by us: to be ended by us */
    bool asked;      /* pairing: we were, … */
    bool unanswered; /* … and nobody could tell the passkey */
    bool paired;     /* when its services were looked at */
    bool proven;     /* a question of this pairing was answered */
    bool unproven;   /* paired without one, against what was asked for: the bond is not kept */
    bool offers_write, offers_notify;
    uint16_t mtu; /* 0 = not told */

    /* The link's traffic (channel.c). */
    struct ferry_ble_assembler assembler;
    struct ferry_bytes packet; /* put together; len 0 = none */
    size_t fragment;
    int epoll, write_fd, notify_fd; /* -1 = not there */
    uint32_t bus_events;            /* that epoll waits for */
    bool write_waits;               /* epoll waits for room in write_fd */
    uint8_t *out;                   /* fragments to be written: two bytes of length before each */
    size_t out_len, out_cap;
    uint32_t calls; /* WriteValue on their way */
    bool must_pair; /* a write was refused for that */
};

/* Fill why with what happened and, behind the last "; ", what to do. Returns error. */
__attribute__((format(printf, 3, 4))) int bluez_fail(struct bluez *bluez, int error,
                                                     const char *format, ...);

/* Connect to the bus and find BlueZ on it. Returns FERRY_OK or an error, with why. */
FERRY_MUST_CHECK
int bluez_open(struct bluez *bluez);

/* Remember what was said. */
void bluez_keep_refusal(struct bluez *bluez, const char *name, const char *text);

/* Serve the bus until something was done or the time is there. Returns false when the bus broke. */
bool bluez_turn(struct bluez *bluez, uint64_t until_ms);

/* A call to BlueZ without arguments yet; NULL without memory. */
sd_bus_message *bluez_begin(struct bluez *bluez, const char *path, const char *interface,
                            const char *member);

/* Make a call and wait for its answer. call is released; NULL fails.
 *
 * reply  NULL = not wanted; else to be released with sd_bus_message_unref() after FERRY_OK
 *
 * Returns FERRY_OK or FERRY_E_IO; then refusal and refused say what BlueZ said. */
int bluez_call(struct bluez *bluez, sd_bus_message *call, uint32_t timeout_ms,
               sd_bus_message **reply);

/* The same for a call without arguments. */
int bluez_ask(struct bluez *bluez, const char *path, const char *interface, const char *member,
              uint32_t timeout_ms);

/* Whether the last call was refused with org.bluez.Error.NAME. */
bool bluez_refused(const struct bluez *bluez, const char *name);

/* Whether it was refused because the link is not paired, or not well enough. */
bool bluez_wants_pairing(const struct bluez *bluez);

/* All objects; free them with bluez_objects_free(). Returns FERRY_OK or an error, with why. */
FERRY_MUST_CHECK
int bluez_objects(struct bluez *bluez, struct bluez_objects *objects);
void bluez_objects_free(struct bluez_objects *objects);

/* Whether path is below folder. */
bool bluez_is_below(const char *path, const char *folder);

/* ---- Finding (find.c) ----------------------------------------------------------------------- */

/* Choose the adapter: the named one, or else the first that is powered. Returns FERRY_OK or an
 * error, with why. */
FERRY_MUST_CHECK
int bluez_choose_adapter(struct bluez *bluez, const char *name);

/* Begin and end discovery; only_smp: of devices that advertise SMP. */
FERRY_MUST_CHECK
int bluez_discover(struct bluez *bluez, bool only_smp);
void bluez_end_discovery(struct bluez *bluez);

/* Serve the bus until something of BlueZ's has changed, or the time is there. Returns false when
 * the bus broke. */
bool bluez_wait(struct bluez *bluez, uint64_t end_ms);

/* Find the device of the address: among those that BlueZ knows, else by discovery; fresh: by
 * discovery alone. Anybody may take a name: one that is bonded goes before others of its name, and
 * where the device was opened before and is bonded, no other one will do, since none has its key.
 * Returns FERRY_OK or an error, with why. */
FERRY_MUST_CHECK
int bluez_find_device(struct bluez *bluez, bool fresh);

/* ---- Connecting (link.c), pairing (agent.c) ---------------------------------------------------
 */

/* Find the device, connect, and find its characteristic. Returns FERRY_OK or an error, with why. */
FERRY_MUST_CHECK
int bluez_connect(struct bluez *bluez);

/* Wait for the services of a device that is connected, and find its characteristic. Returns
 * FERRY_OK or an error, with why. */
FERRY_MUST_CHECK
int bluez_resolve(struct bluez *bluez);

/* Look under which address the device is known by now: pairing tells its true one. */
void bluez_keep_address(struct bluez *bluez);

/* The device's address, for bluetoothctl. */
const char *bluez_address(struct bluez *bluez);

/* End the connection, if it is ours. */
void bluez_disconnect(struct bluez *bluez);

/* Be who is asked when a device pairs. Returns FERRY_OK or an error, with why. */
FERRY_MUST_CHECK
int bluez_add_agent(struct bluez *bluez);

/* After a refusal: whether somebody was asked for a passkey in vain, with why. */
bool bluez_nobody_answered(struct bluez *bluez);

/* For a device that is paired, and refuses nevertheless. Returns FERRY_E_CONFIG, with why. */
int bluez_fail_paired(struct bluez *bluez);

/* For a device that could not be paired. Returns FERRY_E_CONFIG where the answer was the cause,
 * else FERRY_E_IO; with why. */
int bluez_fail_pairing(struct bluez *bluez, const char *what);

/* The device was paired: whether as it must be is told by unproven. */
void bluez_check_proof(struct bluez *bluez);

/* For one that was paired without proof. Returns FERRY_E_CONFIG, with why. */
int bluez_fail_unproven(struct bluez *bluez);

/* Pair. Returns FERRY_OK or an error, with why. */
FERRY_MUST_CHECK
int bluez_pair(struct bluez *bluez);

/* ---- Traffic (channel.c) ----------------------------------------------------------------------
 */

/* Get the characteristic ready: notifications, then writes, pairing where that is asked for.
 * Returns FERRY_OK or an error, with why. */
FERRY_MUST_CHECK
int bluez_start(struct bluez *bluez);

/* A notification, as a signal: of the characteristic. */
void bluez_take_value(struct bluez *bluez, struct ferry_bytes value);

/* As ferry_medium's. */
FERRY_MUST_CHECK
int bluez_send(struct bluez *bluez, struct ferry_bytes packet);
FERRY_MUST_CHECK
int bluez_receive(struct bluez *bluez, struct ferry_bytes *packet);

#endif
