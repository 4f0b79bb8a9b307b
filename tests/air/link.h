/* SPDX-License-Identifier: Apache-2.0 */
/* A connection, from its beginning to its end, and what goes over it. */
#ifndef AIR_LINK_H
#define AIR_LINK_H

#include "air.h"

/* ATT errors. */
#define ATT_AUTHENTICATION 0x05
#define ATT_UNLIKELY       0x0e
#define ATT_ENCRYPTION     0x0f
#define ATT_REFUSED        0x80  /* an application's own */
#define ATT_NO_LINK        0x100 /* none of ATT's: the link ended before the answer */

enum pdu_kind {
    PDU_COMMAND,   /* write without response */
    PDU_REQUEST,   /* write with response */
    PDU_SUBSCRIBE, /* write of the client configuration, with response */
    PDU_RESPONSE,
    PDU_NOTIFY,
    PDU_DISCOVER, /* a request of service discovery; so many are still to follow */
    PDU_DISCOVERED
};

/* What one side asked and the other answers. */
struct exchange {
    struct exchange *next;
    struct air_link *link; /* while pairing */
    enum pdu_kind kind;
    struct air_characteristic *characteristic;
    sd_bus_message *call; /* whom it is for; NULL: nobody waits */
    bool on;              /* of PDU_SUBSCRIBE */
    bool again;           /* after pairing */
    bool with_app;        /* the program is to reply */
    bool over;
    int status;
    size_t len;
    uint8_t data[AIR_VALUE_MAX]; /* of PDU_REQUEST */
};

struct pdu {
    struct radio_pdu base;
    enum pdu_kind kind;
    struct air_characteristic *characteristic;
    struct exchange *exchange;
    uint32_t left; /* of PDU_DISCOVER */
    size_t len;
    uint8_t data[AIR_VALUE_MAX];
};

struct air_link {
    struct radio radio;
    struct air_device *device;
    sd_event_source *timer;
    struct exchange *exchanges;
    uint32_t mtu;
    enum air_security security;
    bool resolved;
};

/* A list of PDUs, in order. */
struct pdu *air_pdu_take(struct pdu **first);
void air_pdu_hold(struct pdu ***end, struct pdu *pdu);

/* ---- app.c --------------------------------------------------------------------------------- */

/* what  "write" or "notify"
 * Returns 0 when the link is as secure as the flags ask; else the ATT error. */
int air_app_refuses(const struct air_characteristic *characteristic, const char *what);
/* The PDU is the program's now. */
void air_app_written(struct air_characteristic *characteristic, struct pdu *pdu);
void air_app_requested(struct air_characteristic *characteristic, const struct pdu *pdu,
                       sd_bus_message_handler_t answered, void *userdata);
void air_app_subscribe(struct air_characteristic *characteristic, bool on);
void air_app_refill(struct air_characteristic *characteristic);
void air_app_disconnected(struct air_characteristic *characteristic);

/* ---- gatt.c -------------------------------------------------------------------------------- */

void air_gatt_notified(struct air_characteristic *characteristic, const uint8_t *data, size_t len);
/* An exchange is over: 0, an ATT error, or ATT_NO_LINK. */
void air_gatt_answered(const struct exchange *exchange);
void air_gatt_refill(struct air_characteristic *characteristic);
void air_gatt_resolved(struct air_device *device);
void air_gatt_disconnected(struct air_characteristic *characteristic);

#endif
