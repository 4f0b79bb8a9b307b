/* SPDX-License-Identifier: Apache-2.0 */
/* The virtual air: a stand-in for org.bluez, with both ends of every connection. What it must do as
 * bluetoothd does is in BlueZ 5.66's doc/adapter-, device-, gatt-, agent- and advertising-api.txt.
 */
#ifndef AIR_AIR_H
#define AIR_AIR_H

#include "radio.h"

#include <systemd/sd-bus.h>
#include <systemd/sd-event.h>

#define AIR_ADAPTER         "/org/bluez/hci0" /* the central's */
#define AIR_ADDRESS         "00:FE:44:59:00:01"
#define AIR_DEVICES         "/org/bluez/hci1" /* that of all devices */
#define AIR_DEVICES_ADDRESS "00:FE:44:59:00:02"
#define AIR_PATH            96  /* characters of a path of ours, its NUL included */
#define AIR_THEIR_PATH      256 /* of a program's */
#define AIR_UUID            37
#define AIR_FLAGS           16
#define AIR_FLAG            32
#define AIR_CHARACTERISTICS 8
#define AIR_UUIDS           8
#define AIR_SENDERS         8
#define AIR_VALUE_MAX       512
#define AIR_MTU_LEAST       23

/* ---- What is asked of it ----------------------------------------------------------------- */

struct air_options {
    uint32_t interval_us, slot_us, packets, payload, queue;
    uint32_t mtu;
    uint32_t loss_bytes;
    uint32_t adv_ms;     /* from one advertisement to the next */
    uint32_t connect_ms; /* a device that advertises is connected in so many */
    uint32_t give_up_ms; /* one that does not is given up after so many */
    uint32_t forget_ms;  /* a device that was not heard for so long is no object any more */
    uint32_t passkey;    /* of a device without an agent: it shows this; AIR_NO_PASSKEY: nothing */
    uint32_t refuse_pairing, deaf_agent, refuse_notify, no_service, no_acquire;
    uint32_t empty; /* an empty value comes before each that goes by a descriptor */
    uint32_t seed;
};

#define AIR_NO_PASSKEY 0xffffffffU

/* Set one by its name. Returns false for an unknown name or a number that it cannot have. */
bool air_option_set(const char *name, const char *value);

/* ---- Objects on the bus ------------------------------------------------------------------- */

struct air_interface {
    const char *name;
    const sd_bus_vtable *vtable;
    /* Whether the object has the property now; NULL: all of them. */
    bool (*has)(const void *userdata, const char *property);
};

#define AIR_INTERFACES 3

struct air_object {
    struct air_object *next;
    char path[AIR_PATH];
    void *userdata;
    const struct air_interface *interfaces[AIR_INTERFACES];
    sd_bus_slot *slots[AIR_INTERFACES];
};

/* What sd-bus would do by itself, but for properties that are not always there. */
int air_objects_begin(void);

/* Put an object on the bus, and say so. interfaces: the last one is followed by NULL */
void air_object_export(struct air_object *object, const char *path, void *userdata,
                       const struct air_interface *const *interfaces);
void air_object_withdraw(struct air_object *object);
bool air_object_exported(const struct air_object *object);

/* A property has another value, or is not there any more. */
void air_object_changed(const struct air_object *object, const char *interface,
                        const char *property);

/* ---- Devices ------------------------------------------------------------------------------- */

enum air_security { AIR_OPEN, AIR_ENCRYPTED, AIR_AUTHENTICATED };

/* Of an application, and the same as the central sees it. */
struct air_characteristic {
    struct air_device *device;
    char their_path[AIR_THEIR_PATH];
    char uuid[AIR_UUID];
    char flags[AIR_FLAGS][AIR_FLAG];
    int flag_count;
    /* The application's end. */
    bool offers_write_fd, offers_notify_fd;
    bool subscribed;
    int app_write_fd, app_notify_fd; /* -1 = none */
    sd_event_source *app_write_source, *app_notify_source;
    bool acquiring_write;         /* the application was asked for a descriptor */
    struct pdu *held, **held_end; /* values that wait, for it or for room in it */
    /* The central's. */
    struct air_object object;
    char senders[AIR_SENDERS][AIR_PATH]; /* who said StartNotify; "" = a free place */
    bool notifying;
    bool taken; /* for a call that is never answered */
    int write_fd, notify_fd;
    sd_event_source *write_source, *notify_gone;
    uint8_t value[AIR_VALUE_MAX]; /* the last notification */
    size_t value_len;
};

struct air_link; /* link.h */
struct pdu;
struct pairing;

/* A program that registered as a peripheral: the device that it is. */
struct air_device {
    struct air_device *next;
    char sender[AIR_PATH];
    bool gone;       /* the program has ended */
    unsigned hidden; /* so many advertisements that are looked for are not heard */
    /* Advertisement. */
    bool advertises;
    char advertisement[AIR_THEIR_PATH];
    char name[64];
    char uuids[AIR_UUIDS][AIR_UUID];
    int uuid_count;
    /* Application. */
    bool has_app;
    char app[AIR_THEIR_PATH];
    char service_uuid[AIR_UUID];
    char their_service[AIR_THEIR_PATH];
    struct air_characteristic characteristics[AIR_CHARACTERISTICS];
    int characteristic_count;
    /* Device1 of the device, for the central, and of the central, for the device. */
    char address[18], central_address[18];
    struct air_object object, central;
    struct air_object service;
    int16_t rssi;
    bool heard; /* RSSI is there */
    uint64_t heard_us;
    bool paired, trusted;
    enum air_security bond;
    struct air_link *link;
    sd_bus_message *connecting; /* Connect() that is not answered yet */
    sd_event_source *connect_timer;
    uint32_t connect_waited_ms;
    struct pairing *pairing;
};

struct air {
    sd_bus *bus;
    sd_event *event;
    struct air_options options;
    struct air_object adapter, devices_adapter, manager;
    bool powered;
    struct air_device *devices;
    uint64_t seed;
};

extern struct air air;

uint64_t air_now_us(void);
void air_say(const char *format, ...) __attribute__((format(printf, 1, 2)));
/* A timer that is made when it is not there yet. */
void air_at(sd_event_source **timer, uint64_t at_us, sd_event_time_handler_t done, void *userdata);
void air_after(sd_event_source **timer, uint64_t us, sd_event_time_handler_t done, void *userdata);

/* An error of bluetoothd's, by the last part of its name. */
int air_error(sd_bus_message *call, const char *name, const char *text);

/* device.c: the peripheral of a program, made when it is not there yet; NULL: none, not made. */
struct air_device *air_device_of(const char *sender);
struct air_device *air_device_made(const char *sender);
/* It has a name: that gives it an address. */
void air_device_named(struct air_device *device);
void air_device_heard(struct air_device *device);
void air_device_silent(struct air_device *device); /* discovery has ended: no RSSI */
void air_device_forget(struct air_device *device); /* no object any more */
void air_device_left(struct air_device *device);   /* its program has ended */
void air_device_paired(struct air_device *device, enum air_security security);
void air_device_connected(struct air_device *device);
void air_device_resolved(struct air_device *device);
void air_device_lost(struct air_device *device);
void air_device_stop_connecting(struct air_device *device, const char *why);
extern const struct air_interface air_device_interface;

/* adapter.c */
int air_adapter_begin(void);
void air_adapter_power(bool on);
void air_adapter_left(const char *sender);

/* manager.c */
extern const struct air_interface air_gatt_manager_interface, air_advertising_interface;

/* app.c */
int air_app_begin(void);

/* link.c: a connection. All do nothing, or return false, when there is none, but where it says so.
 */
void air_link_begin(struct air_device *device);
void air_link_end(struct air_device *device, const char *why);
/* The device's application is there now, or is no more; a connection stays, and the central
 * discovers the service again. */
void air_link_service_came(struct air_device *device);
void air_link_service_gone(struct air_device *device);
/* A value of the central's. Returns false when it does not fit the MTU. */
bool air_link_write(struct air_characteristic *characteristic, const uint8_t *data, size_t len);
/* There is a connection. With a response: call is answered when it is there. */
bool air_link_request(struct air_characteristic *characteristic, const uint8_t *data, size_t len,
                      sd_bus_message *call);
/* There is a connection. Notifications on or off; call is answered when it is done, NULL: nobody
 * asks. */
void air_link_subscribe(struct air_characteristic *characteristic, bool on, sd_bus_message *call);
/* A value of the application's. */
void air_link_notify(struct air_characteristic *characteristic, const uint8_t *data, size_t len);
/* Whether no more is to be read from a descriptor: the queue has what it may have. */
bool air_link_full(const struct air_device *device, enum radio_way way);

/* gatt.c: the central's view of an application. */
void air_gatt_export(struct air_device *device);
void air_gatt_withdraw(struct air_device *device);
/* A program does not want notifications any more. */
void air_gatt_left(struct air_characteristic *characteristic, const char *sender);

/* pairing.c: AgentManager1, and pairing. */
extern const struct air_interface air_agent_interface;
void air_agent_left(const char *sender);
/* done: with NULL, or the name of an error. Whose agent is asked: sender's, else the default one.
 */
void air_pair(struct air_device *device, const char *sender,
              void (*done)(struct air_device *device, const char *error, void *context),
              void *context);
bool air_pair_cancel(struct air_device *device, const char *error);

#endif
