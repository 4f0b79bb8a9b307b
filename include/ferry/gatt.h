/* SPDX-License-Identifier: Apache-2.0 */
/* The SMP service of a GATT server, for whatever Bluetooth stack: the stack's callbacks go in, its
 * "notify" comes out. docs/PORTING.md has it tied to NimBLE, to a SoftDevice and to Zephyr's host.
 *                                                                                 [smp.md §2.4]
 * One link at a time talks SMP, as one request is handled at a time: the first one that subscribes
 * has the service until it ends its subscription or is lost; what others write is refused.
 *
 * In the stack's callbacks:
 *
 *     ferry_gatt_connected(), _mtu(), _secured(), _subscribed(), _disconnected()
 *     status = ferry_gatt_written(&gatt, link, value, &packet);
 *     if (packet.len > 0) { copy it into a queue of requests, with ferry_gatt_peer(&gatt) }
 *     ferry_gatt_ready()                 a notification has left
 *
 * In the main loop, request by request:
 *
 *     if (asked.id != ferry_gatt_peer(&gatt).id) { drop it: who asked has gone }
 *     len = ferry_server_handle_from(&server, &pending, &asked, answer, sizeof(answer));
 *     error = ferry_gatt_answer(&gatt, asked.id, (struct ferry_bytes){answer, len});
 *     while (ferry_gatt_sending(&gatt)) { wait for ferry_gatt_ready() or _disconnected() }
 *
 * Callbacks and main loop may not interrupt each other inside a call, nor may notify call the
 * service: a stack that calls from an interrupt or from a thread needs a lock around the calls, or
 * a queue before them. */
#ifndef FERRY_GATT_H
#define FERRY_GATT_H

#include "ferry/ble.h"
#include "ferry/server.h"

/* ATT errors, for the stack to answer a write or a subscription with. [Core Specification, Vol 3,
 * Part F, §3.4.1.1] */
enum ferry_gatt_status {
    FERRY_GATT_OK = 0x00,
    FERRY_GATT_AUTHENTICATION = 0x05, /* the link must be encrypted with an authenticated key */
    FERRY_GATT_LENGTH = 0x0d,         /* this is no request, or too large for the service */
    FERRY_GATT_ENCRYPTION = 0x0f,     /* the link must be encrypted */
    FERRY_GATT_REFUSED = 0x80 /* another link has the service, or this one did not subscribe */
};

/* What is known of a link. Do not rely on the contents. */
struct ferry_gatt_link {
    uint32_t link; /* 0 = free */
    uint32_t mtu;
    struct ferry_server_peer peer;
};

struct ferry_gatt_config {
    /* What a link needs before it may write or subscribe: zero, the default, is an authenticated
     * key. The stack's attribute table should say the same, so that it pairs by itself. */
    enum ferry_gatt_permission {
        FERRY_GATT_AUTHENTICATED,
        FERRY_GATT_ENCRYPTED,
        FERRY_GATT_OPEN
    } permission;
    uint8_t transport; /* for the gate: call->transport of what comes from here */
    bool whole;        /* one write = one packet: no reassembly */
    uint8_t *packet;   /* packet_cap bytes: the largest packet; the service's until its end */
    size_t packet_cap; /* at least FERRY_SMP_HEADER_SIZE */
    struct ferry_gatt_link *links; /* as many as the stack may have at once; the service's too */
    size_t link_count;
    /* Queue one notification of the characteristic on a link; the bytes are copied.
     *
     * Returns FERRY_OK; FERRY_E_BUSY when the queue is full, and ferry_gatt_ready() is called when
     * it is not any more; FERRY_E_SPACE when there is no memory for so many bytes: they are cut
     * in half, down to 20; anything else: the answer is given up. */
    int (*notify)(void *context, uint32_t link, struct ferry_bytes value);
    void *context;
};

/* Do not rely on the contents. */
struct ferry_gatt {
    const struct ferry_gatt_config *config;
    struct ferry_ble_assembler assembler;
    const struct ferry_gatt_link *served; /* who has the service; NULL = nobody */
    struct ferry_bytes unsent;            /* of an answer to it */
    size_t fragment;                      /* bytes of its next notification at most */
    uint32_t last_id;                     /* of a peer */
};

/* Check the configuration, which must outlive the service, and set up: no link.
 * Returns FERRY_OK; FERRY_E_CONFIG without notify, links or a packet, or with a packet_cap below a
 * header. */
FERRY_MUST_CHECK
int ferry_gatt_init(struct ferry_gatt *gatt, const struct ferry_gatt_config *config);

/* ---- From the stack ------------------------------------------------------------------------ */

/* link  the stack's number of a connection, and one more where it counts from 0: never 0. It may
 *       come again when that has ended. What is said of a link that was not connected, or found
 *       none of config->links free, means nothing, and what it wants is FERRY_GATT_REFUSED. */

/* A link is there: ATT_MTU 23, nothing encrypted, not subscribed. Of one that was there already
 * the end was missed: it counts as lost first. */
void ferry_gatt_connected(struct ferry_gatt *gatt, uint32_t link);

/* It is gone: a partial packet and the rest of an answer are dropped. */
void ferry_gatt_disconnected(struct ferry_gatt *gatt, uint32_t link);

/* ATT_MTU was exchanged. */
void ferry_gatt_mtu(struct ferry_gatt *gatt, uint32_t link, uint32_t mtu);

/* The link's security has changed. Less than the permission asks for ends its subscription.
 *
 * identity  who it is, for the gate: the address of a bonded peer as text, say; NULL = not known.
 *           Kept by pointer: valid until the link ends, and what it asked is handled */
void ferry_gatt_secured(struct ferry_gatt *gatt, uint32_t link, enum ferry_peer_security security,
                        const char *identity);

/* The client configuration descriptor was written: on = notifications are wanted. Off drops a
 * partial packet and the rest of an answer; on again changes nothing. Where the stack cannot refuse
 * the write, or restores what a bonded peer wrote, say it again before each ferry_gatt_written().
 * Returns an enum ferry_gatt_status: refuse the write with it unless FERRY_GATT_OK. */
FERRY_MUST_CHECK
int ferry_gatt_subscribed(struct ferry_gatt *gatt, uint32_t link, bool on);

/* The characteristic was written.
 *
 * packet  a whole request, valid until the next call; empty when there is none yet
 *
 * Returns an enum ferry_gatt_status; a write without response has no answer to put it in. */
FERRY_MUST_CHECK
int ferry_gatt_written(struct ferry_gatt *gatt, uint32_t link, struct ferry_bytes value,
                       struct ferry_bytes *packet);

/* The stack takes notifications again: sends what is left of the answer.
 * Returns as ferry_gatt_answer(); FERRY_OK when nothing was left. */
FERRY_MUST_CHECK
int ferry_gatt_ready(struct ferry_gatt *gatt);

/* ---- To the client ------------------------------------------------------------------------- */

/* Who has the service, with what is known now, for ferry_server_handle_from(). Its id is another
 * one with each connection, whatever the stack's numbers are; 0 when nobody has the service. */
struct ferry_server_peer ferry_gatt_peer(const struct ferry_gatt *gatt);

/* The id of a link's peer, whether it has the service or not; 0 for a link that is not connected.
 * For what is kept of it elsewhere: what it unlocked ends (ferry_gate_lock()) when the link does.
 */
uint32_t ferry_gatt_id(const struct ferry_gatt *gatt, uint32_t link);

/* Send an answer; an empty one is no answer. The bytes must stay until it has left.
 *
 * id  of the peer that asked
 *
 * Returns FERRY_OK when all of it is queued; FERRY_E_BUSY when the rest waits for
 * ferry_gatt_ready(); FERRY_E_STATE when that peer does not have the service any more, or an
 * earlier answer has not left: nothing is sent; else the error of notify: the rest is dropped, and
 * the client waits for it until its timeout. */
FERRY_MUST_CHECK
int ferry_gatt_answer(struct ferry_gatt *gatt, uint32_t id, struct ferry_bytes answer);

/* Whether a part of an answer waits for ferry_gatt_ready(). */
bool ferry_gatt_sending(const struct ferry_gatt *gatt);

#endif
