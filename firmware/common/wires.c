/* SPDX-License-Identifier: Apache-2.0 */
/* SMP on all wires of the chip but the radio. */
#include "wires.h"

#include <string.h>

static void told_of_peer(void *context, uint32_t wire, uint32_t peer,
                         const struct ferry_vchip_peer *told)
{
    struct wires *wires = context;

    peers_told(&wires->peers, wire, peer, told);
}

static void notifications_left(void *context, uint32_t peer, uint32_t count)
{
    (void)context;
    (void)peer;
    (void)count;
}

const struct vchip_watcher wires_watcher = {told_of_peer, notifications_left};

void wires_init(struct wires *wires, struct vchip *chip)
{
    wires->chip = chip;
    vchip_watch(chip, &wires_watcher, wires);
    queue_init(&wires->queue, chip->start.buf_size, chip->start.buf_count);
    ferry_console_decoder_init(&wires->console, wires->frame, chip->start.buf_size);
    ferry_raw_decoder_init(&wires->raw, wires->bare, chip->start.buf_size, FERRY_RAW_TIMEOUT_MS);
}

/* Of UDP a peer is the host, whatever port it sends from. */
static uint32_t id_of(uint32_t wire, uint32_t peer)
{
    return wire == FERRY_VCHIP_UDP ? peer >> FERRY_VCHIP_HOST : peer;
}

/* On these wires there may be many, and one must not stop the others. An open device takes all of
 * UDP that it has room for: clients may fill as many buffers as it tells. */
static bool has_peers(const struct wires *wires, uint32_t wire)
{
    return wire == FERRY_VCHIP_DTLS || wire == FERRY_VCHIP_BLE ||
           (wire == FERRY_VCHIP_UDP && wires->guard.admits != NULL);
}

/* Whether a peer is about to have the last buffer. A client is told to leave one free, so only a
 * flood wants it, or who does not take the answers. */
static bool takes_all(const struct wires *wires, uint32_t wire, uint32_t peer)
{
    const struct queue *queue = &wires->queue;
    uint32_t own = 0;

    for (uint32_t i = 0; i < queue->count; i++) {
        const struct queue_packet *packet = queue_at(queue, i);

        own += packet->wire == wire && id_of(wire, packet->peer) == id_of(wire, peer);
    }
    return has_peers(wires, wire) && own > 0 && own + 1 >= queue->size;
}

static bool admits(const struct wires *wires, uint32_t wire, uint32_t peer)
{
    const struct wires_guard *guard = &wires->guard;

    return wire != FERRY_VCHIP_UDP || guard->admits == NULL || guard->admits(guard->context, peer);
}

void wires_take(struct wires *wires, uint32_t wire, uint32_t peer, struct ferry_bytes packet)
{
    struct wires_counters *counters = &wires->counters[wire];

    counters->received++;
    if (takes_all(wires, wire, peer) || !admits(wires, wire, peer) ||
        !queue_put(&wires->queue, wire, peer, packet.data, packet.len)) {
        counters->dropped++;
    }
}

static void take_event(struct wires *wires, const struct ferry_console_event *event)
{
    if (event->kind == FERRY_CONSOLE_PACKET) {
        wires_take(wires, FERRY_VCHIP_SERIAL, 0, event->bytes);
    }
    if (event->kind == FERRY_CONSOLE_TEXT && wires->shell.typed != NULL) {
        wires->shell.typed(wires->shell.context, event->bytes);
    }
    wires->counters[FERRY_VCHIP_SERIAL].damaged += event->kind == FERRY_CONSOLE_DROPPED;
}

static void receive_console(struct wires *wires, const uint8_t *data, size_t len)
{
    struct ferry_console_event event;

    while (len > 0) {
        size_t taken = ferry_console_feed(&wires->console, data, len, &event);
        data += taken;
        len -= taken;
        take_event(wires, &event);
    }
}

/* What is typed is handed on key by key, not line by line. */
static void receive_shell(struct wires *wires, const uint8_t *data, size_t len)
{
    uint64_t now = vchip_now_ms();
    struct ferry_console_event event;

    if (now - wires->console_ms >= WIRES_SHELL_TIMEOUT_MS &&
        ferry_console_give_up(&wires->console, &event)) {
        take_event(wires, &event);
    }
    wires->console_ms = now;
    for (size_t i = 0; i < len; i++) {
        receive_console(wires, data + i, 1);
        if (ferry_console_flush(&wires->console, &event)) {
            take_event(wires, &event);
        }
    }
}

static void receive_raw(struct wires *wires, const uint8_t *data, size_t len)
{
    uint64_t now = vchip_now_ms();
    struct ferry_raw_event event;

    while (len > 0) {
        size_t taken = ferry_raw_feed(&wires->raw, now, data, len, &event);
        data += taken;
        len -= taken;
        if (event.kind == FERRY_RAW_PACKET) {
            wires_take(wires, FERRY_VCHIP_RAW, 0, event.bytes);
        }
        wires->counters[FERRY_VCHIP_RAW].damaged += event.kind == FERRY_RAW_DROPPED;
    }
}

/* Of a session that nobody told of, and so knows who it is, nothing is taken. */
static void receive_session(struct wires *wires, uint32_t peer, struct ferry_bytes packet)
{
    if (peers_find(&wires->peers, FERRY_VCHIP_DTLS, peer) != NULL) {
        wires_take(wires, FERRY_VCHIP_DTLS, peer, packet);
    } else {
        wires->counters[FERRY_VCHIP_DTLS].damaged++;
    }
}

void wires_receive(void *context, uint32_t wire, uint32_t peer, const uint8_t *data, size_t len)
{
    struct wires *wires = context;

    if (wire < FERRY_VCHIP_WIRES) {
        wires->counters[wire].bytes_in += (uint32_t)len;
    }
    switch (wire) {
    case FERRY_VCHIP_SERIAL:
        if (wires->shell.typed != NULL) {
            receive_shell(wires, data, len);
        } else {
            receive_console(wires, data, len);
        }
        break;
    case FERRY_VCHIP_RAW:
        receive_raw(wires, data, len);
        break;
    case FERRY_VCHIP_UDP:
        wires_take(wires, FERRY_VCHIP_UDP, peer, (struct ferry_bytes){data, len});
        break;
    case FERRY_VCHIP_DTLS:
        receive_session(wires, peer, (struct ferry_bytes){data, len});
        break;
    default:
        break;
    }
}

static void put_line(void *context, const uint8_t *line, size_t len)
{
    struct wires *wires = context;

    vchip_send(wires->chip, FERRY_VCHIP_SERIAL, 0, line, len);
    wires->counters[FERRY_VCHIP_SERIAL].bytes_out += (uint32_t)len;
}

static void send_lines(struct wires *wires, const uint8_t *packet, size_t len)
{
    if (wires->shell.before_answer != NULL) {
        wires->shell.before_answer(wires->shell.context);
    }
    (void)ferry_console_send((struct ferry_bytes){packet, len}, FERRY_CONSOLE_CUT_ZEPHYR, put_line,
                             wires);
}

/* Whether who is connected there, and how, the chip tells. */
static bool has_links(uint32_t wire)
{
    return wire == FERRY_VCHIP_BLE || wire == FERRY_VCHIP_DTLS;
}

bool wires_asker(struct wires *wires, const struct queue_packet *request,
                 struct ferry_server_peer *asker)
{
    const struct ferry_vchip_peer *told = peers_find(&wires->peers, request->wire, request->peer);

    *asker = (struct ferry_server_peer){.id = id_of(request->wire, request->peer),
                                        .transport = (uint8_t)request->wire};
    if (told == NULL) {
        return !has_links(request->wire);
    }
    /* It may go while its request is worked on: what it was stays. */
    memcpy(wires->asker, told->identity, sizeof(wires->asker));
    asker->security = (uint8_t)told->security;
    asker->identity = wires->asker[0] != '\0' ? wires->asker : NULL;
    return true;
}

void wires_answer(struct wires *wires, const struct queue_packet *request, const uint8_t *answer,
                  size_t len)
{
    wires->counters[request->wire].answered++;
    if (request->wire == FERRY_VCHIP_SERIAL) {
        send_lines(wires, answer, len);
    } else {
        vchip_send(wires->chip, request->wire, request->peer, answer, len);
        wires->counters[request->wire].bytes_out += (uint32_t)len;
    }
}
