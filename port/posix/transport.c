/* SPDX-License-Identifier: Apache-2.0 */
/* What all wires have in common: a queue out, packets in, the wait between. */
#include "medium.h"

#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#define NS_MS UINT64_C(1000000)
#define NS    UINT64_C(1000000000)

/* 115200 baud, where the speed of the line is not known. */
#define PACED_BYTES_PER_SECOND 11520

static uint64_t now_ns(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (uint64_t)now.tv_sec * NS + (uint64_t)now.tv_nsec;
}

uint64_t ferry_posix_now_ms(void)
{
    return now_ns() / NS_MS;
}

static const struct ferry_medium *const media[] = {
    [FERRY_TRANSPORT_SERIAL] = &ferry_medium_serial, [FERRY_TRANSPORT_UDP] = &ferry_medium_udp,
    [FERRY_TRANSPORT_TCP] = &ferry_medium_stream,    [FERRY_TRANSPORT_UNIX] = &ferry_medium_stream,
    [FERRY_TRANSPORT_BLE] = &ferry_medium_ble,       [FERRY_TRANSPORT_DTLS] = &ferry_medium_dtls,
};

int ferry_transport_open(struct ferry_transport *transport,
                         const struct ferry_transport_address *address, char *why, size_t cap)
{
    *transport = (struct ferry_transport){.medium = address->medium,
                                          .framing = address->framing,
                                          .fd = -1,
                                          .kind = media[address->medium]};
    transport->packet = malloc(FERRY_TRANSPORT_PACKET_MAX + FERRY_CONSOLE_OVERHEAD);
    if (transport->packet == NULL) {
        snprintf(why, cap, "out of memory");
        return FERRY_E_IO;
    }
    ferry_console_decoder_init(&transport->decoder, transport->packet,
                               FERRY_TRANSPORT_PACKET_MAX + FERRY_CONSOLE_OVERHEAD);
    ferry_raw_decoder_init(&transport->raw, transport->packet, FERRY_TRANSPORT_PACKET_MAX,
                           FERRY_RAW_TIMEOUT_MS);
    int error = transport->kind->open(transport, address, why, cap);
    if (error != FERRY_OK) {
        ferry_transport_close(transport);
    }
    return error;
}

void ferry_transport_close(struct ferry_transport *transport)
{
    if (transport->kind != NULL && transport->kind->close != NULL) {
        transport->kind->close(transport);
    }
    if (transport->fd >= 0) {
        close(transport->fd);
    }
    free(transport->packet);
    free(transport->out);
    transport->fd = -1;
    transport->packet = NULL;
    transport->out = NULL;
    transport->out_len = transport->out_cap = transport->in_pos = transport->in_len = 0;
}

size_t ferry_transport_unsent(const struct ferry_transport *transport)
{
    return transport->out_len;
}

void ferry_transport_pace(struct ferry_transport *transport, bool paced)
{
    transport->paced = paced && transport->framing == FERRY_FRAMING_CONSOLE;
}

/* When what is unsent may be written. */
static uint64_t write_at(const struct ferry_transport *transport)
{
    return transport->paced ? (transport->line_ns + NS_MS - 1) / NS_MS : 0;
}

short ferry_transport_events(const struct ferry_transport *transport)
{
    bool writes = transport->out_len > 0 && write_at(transport) <= ferry_posix_now_ms();

    return writes ? POLLIN | POLLOUT : POLLIN;
}

uint64_t ferry_transport_wake_at(const struct ferry_transport *transport)
{
    if (transport->fd >= 0 && transport->kind->wake_at != NULL) {
        return transport->kind->wake_at(transport);
    }
    /* Without a pace it is fd that tells when there is room. */
    return transport->out_len > 0 && transport->paced ? write_at(transport) : UINT64_MAX;
}

/* What may be written now: all, or one line when the one before is through. */
static size_t writable(const struct ferry_transport *transport)
{
    if (!transport->paced) {
        return transport->out_len;
    }
    const uint8_t *end = memchr(transport->out, '\n', transport->out_len);
    size_t line = end != NULL ? (size_t)(end - transport->out) + 1 : transport->out_len;
    return now_ns() < transport->line_ns ? 0 : line;
}

static void count_line(struct ferry_transport *transport, size_t len)
{
    uint32_t rate = transport->bytes_per_second;

    transport->line_ns = now_ns() + len * NS / (rate != 0 ? rate : PACED_BYTES_PER_SECOND);
}

/* Write what the kernel takes now. */
static int flush_out(struct ferry_transport *transport)
{
    size_t len;

    while ((len = writable(transport)) > 0) {
        ssize_t n = transport->kind->write(transport, transport->out, len);
        if (n < 0) {
            return errno == EAGAIN || errno == EINTR ? FERRY_OK : FERRY_E_IO;
        }
        count_line(transport, (size_t)n);
        transport->out_len -= (size_t)n;
        memmove(transport->out, transport->out + n, transport->out_len);
    }
    return FERRY_OK;
}

static int queue(struct ferry_transport *transport, const uint8_t *data, size_t len)
{
    if (len > transport->out_cap - transport->out_len) {
        size_t cap = (transport->out_len + len) * 2;
        uint8_t *larger = realloc(transport->out, cap);
        if (larger == NULL) {
            return FERRY_E_IO;
        }
        transport->out = larger;
        transport->out_cap = cap;
    }
    memcpy(transport->out + transport->out_len, data, len);
    transport->out_len += len;
    return FERRY_OK;
}

static int send_framed(struct ferry_transport *transport, struct ferry_bytes packet)
{
    struct ferry_console_encoder encoder;
    uint8_t line[FERRY_CONSOLE_LINE_MAX];
    size_t len;

    int error = ferry_console_encode(&encoder, packet, FERRY_CONSOLE_CUT_124);
    while (error == FERRY_OK && (len = ferry_console_next_line(&encoder, line)) > 0) {
        error = queue(transport, line, len);
    }
    return error == FERRY_OK ? flush_out(transport) : error;
}

int ferry_transport_send(struct ferry_transport *transport, struct ferry_bytes packet)
{
    if (transport->fd < 0) {
        return FERRY_E_IO;
    }
    if (transport->framing == FERRY_FRAMING_CONSOLE) {
        return send_framed(transport, packet);
    }
    if (transport->framing == FERRY_FRAMING_RAW) {
        int error = queue(transport, packet.data, packet.len);
        return error == FERRY_OK ? flush_out(transport) : error;
    }
    return transport->kind->send(transport, packet);
}

static int next_raw(struct ferry_transport *transport, struct ferry_bytes *packet)
{
    while (transport->in_pos < transport->in_len) {
        struct ferry_raw_event event;
        transport->in_pos +=
            ferry_raw_feed(&transport->raw, ferry_posix_now_ms(), transport->in + transport->in_pos,
                           transport->in_len - transport->in_pos, &event);
        if (event.kind == FERRY_RAW_PACKET) {
            *packet = event.bytes;
            return 1;
        }
        transport->frames_dropped += event.kind == FERRY_RAW_DROPPED;
    }
    return 0;
}

static int next_framed(struct ferry_transport *transport, struct ferry_bytes *packet)
{
    while (transport->in_pos < transport->in_len) {
        struct ferry_console_event event;
        transport->in_pos +=
            ferry_console_feed(&transport->decoder, transport->in + transport->in_pos,
                               transport->in_len - transport->in_pos, &event);
        if (event.kind == FERRY_CONSOLE_PACKET) {
            *packet = event.bytes;
            return 1;
        }
        if (event.kind == FERRY_CONSOLE_TEXT && transport->text != NULL) {
            transport->text(transport->text_context, event.bytes);
        }
        transport->frames_dropped += event.kind == FERRY_CONSOLE_DROPPED;
    }
    return 0;
}

/* What is here already: bytes that were read, packets that the medium has. Returns 1 with a packet,
 * 0 when there is none, FERRY_E_IO. */
static int next_packet(struct ferry_transport *transport, struct ferry_bytes *packet)
{
    switch (transport->framing) {
    case FERRY_FRAMING_CONSOLE:
        return next_framed(transport, packet);
    case FERRY_FRAMING_RAW:
        return next_raw(transport, packet);
    case FERRY_FRAMING_DATAGRAM:
        break;
    }
    return transport->kind->receive(transport, packet);
}

/* Read what is there. Returns as above. */
static int read_some(struct ferry_transport *transport, struct ferry_bytes *packet)
{
    if (transport->framing != FERRY_FRAMING_DATAGRAM) {
        ssize_t n = read(transport->fd, transport->in, sizeof transport->in);
        if (n < 0) {
            return errno == EAGAIN || errno == EINTR ? 0 : FERRY_E_IO;
        }
        if (n == 0) {
            return FERRY_E_IO;
        }
        transport->in_pos = 0;
        transport->in_len = (size_t)n;
    }
    return next_packet(transport, packet);
}

/* How long to poll: until the end, or until something is due before. What is due now was looked at
 * just before: then a millisecond, so that whatever it waits for does not cost a processor. */
static int poll_ms(uint64_t now, uint64_t end, uint64_t wake)
{
    uint64_t until = wake > now ? wake : now + 1;

    until = until < end ? until : end;
    return now < until ? (int)(until - now) : 0;
}

int ferry_transport_receive(struct ferry_transport *transport, uint32_t timeout_ms,
                            struct ferry_bytes *packet)
{
    uint64_t end = ferry_posix_now_ms() + timeout_ms;

    if (transport->fd < 0) {
        return FERRY_E_IO;
    }
    int result = next_packet(transport, packet);
    while (result == 0) {
        struct pollfd wait = {.fd = transport->fd, .events = ferry_transport_events(transport)};
        /* What may be written now waits for room, however long ago it was due. */
        uint64_t wake =
            (wait.events & POLLOUT) != 0 ? UINT64_MAX : ferry_transport_wake_at(transport);
        int ready = poll(&wait, 1, poll_ms(ferry_posix_now_ms(), end, wake));
        if (ready < 0 && errno != EINTR) {
            return FERRY_E_IO;
        }
        if (ready > 0 && (wait.revents & POLLOUT) != 0 && flush_out(transport) != FERRY_OK) {
            return FERRY_E_IO;
        }
        bool due = wake <= ferry_posix_now_ms();
        if (ready > 0 && (wait.revents & (POLLIN | POLLERR | POLLHUP)) != 0) {
            result = read_some(transport, packet);
        } else if (due) {
            result = next_packet(transport, packet);
        }
        if (result == 0 && ferry_posix_now_ms() >= end) {
            return 0;
        }
    }
    return result;
}
