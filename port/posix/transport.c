/* SPDX-License-Identifier: Apache-2.0 */
/* What all wires have in common: a queue out, packets in, the wait between. */
#include "transport.h"

#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <termios.h>
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

static int open_medium(struct ferry_transport *transport,
                       const struct ferry_transport_address *address, char *why, size_t cap)
{
    switch (address->medium) {
    case FERRY_TRANSPORT_SERIAL:
        return ferry_serial_open(transport, address, why, cap);
    case FERRY_TRANSPORT_UDP:
        return ferry_udp_open(transport, address, why, cap);
    case FERRY_TRANSPORT_TCP:
    case FERRY_TRANSPORT_UNIX:
        break;
    }
    return ferry_stream_open(transport, address, why, cap);
}

int ferry_transport_open(struct ferry_transport *transport,
                         const struct ferry_transport_address *address, char *why, size_t cap)
{
    *transport =
        (struct ferry_transport){.medium = address->medium, .framing = address->framing, .fd = -1};
    transport->packet = malloc(FERRY_TRANSPORT_PACKET_MAX + FERRY_CONSOLE_OVERHEAD);
    if (transport->packet == NULL) {
        snprintf(why, cap, "out of memory");
        return FERRY_E_IO;
    }
    ferry_console_decoder_init(&transport->decoder, transport->packet,
                               FERRY_TRANSPORT_PACKET_MAX + FERRY_CONSOLE_OVERHEAD);
    ferry_raw_decoder_init(&transport->raw, transport->packet, FERRY_TRANSPORT_PACKET_MAX,
                           FERRY_RAW_TIMEOUT_MS);
    int error = open_medium(transport, address, why, cap);
    if (error != FERRY_OK) {
        ferry_transport_close(transport);
    }
    return error;
}

void ferry_transport_close(struct ferry_transport *transport)
{
    if (transport->fd >= 0) {
        if (transport->medium == FERRY_TRANSPORT_SERIAL) {
            /* The kernel would wait up to 30 s for bytes that nobody takes. */
            tcflush(transport->fd, TCOFLUSH);
            ioctl(transport->fd, TIOCNXCL); /* a pty that others keep open would stay exclusive */
        }
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

uint64_t ferry_transport_write_at(const struct ferry_transport *transport)
{
    return transport->paced ? (transport->line_ns + NS_MS - 1) / NS_MS : 0;
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

/* A peer that closed a stream is an error, no signal. */
static ssize_t write_some(const struct ferry_transport *transport, size_t len)
{
    return transport->medium == FERRY_TRANSPORT_SERIAL
               ? write(transport->fd, transport->out, len)
               : send(transport->fd, transport->out, len, MSG_NOSIGNAL);
}

/* Write what the kernel takes now. */
static int flush_out(struct ferry_transport *transport)
{
    size_t len;

    while ((len = writable(transport)) > 0) {
        ssize_t n = write_some(transport, len);
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
    /* A refused datagram (nobody listens yet, after a reset) is a lost one, no broken wire. */
    ssize_t n = send(transport->fd, packet.data, packet.len, 0);
    transport->refusals += n < 0 && errno == ECONNREFUSED;
    return n >= 0 || errno == ECONNREFUSED || errno == EAGAIN || errno == ENOBUFS ? FERRY_OK
                                                                                  : FERRY_E_IO;
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

/* Feed what was read. Returns 1 with a packet, 0 when all is fed. */
static int next_packet(struct ferry_transport *transport, struct ferry_bytes *packet)
{
    return transport->framing == FERRY_FRAMING_RAW ? next_raw(transport, packet)
                                                   : next_framed(transport, packet);
}

/* Read what is there. Returns 1 with a packet, 0 without, FERRY_E_IO. */
static int read_some(struct ferry_transport *transport, struct ferry_bytes *packet)
{
    bool stream = transport->framing != FERRY_FRAMING_DATAGRAM;
    ssize_t n = stream ? read(transport->fd, transport->in, sizeof transport->in)
                       : recv(transport->fd, transport->packet, FERRY_TRANSPORT_PACKET_MAX, 0);
    if (n < 0) {
        transport->refusals += !stream && errno == ECONNREFUSED;
        bool passing = errno == EAGAIN || errno == EINTR || (!stream && errno == ECONNREFUSED);
        return passing ? 0 : FERRY_E_IO;
    }
    if (!stream) {
        *packet = (struct ferry_bytes){transport->packet, (size_t)n};
        return 1;
    }
    if (n == 0) {
        return FERRY_E_IO;
    }
    transport->in_pos = 0;
    transport->in_len = (size_t)n;
    return next_packet(transport, packet);
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
        uint64_t now = ferry_posix_now_ms();
        uint64_t write_at = ferry_transport_write_at(transport);
        uint64_t until = end;
        struct pollfd wait = {.fd = transport->fd, .events = POLLIN};
        if (transport->out_len > 0 && write_at <= now) {
            wait.events = POLLIN | POLLOUT;
        } else if (transport->out_len > 0 && write_at < end) {
            until = write_at;
        }
        int ready = poll(&wait, 1, now < until ? (int)(until - now) : 0);
        if (ready < 0 && errno != EINTR) {
            return FERRY_E_IO;
        }
        if (ready > 0 && (wait.revents & POLLOUT) != 0 && flush_out(transport) != FERRY_OK) {
            return FERRY_E_IO;
        }
        if (ready > 0 && (wait.revents & (POLLIN | POLLERR | POLLHUP)) != 0) {
            result = read_some(transport, packet);
        }
        if (result == 0 && ferry_posix_now_ms() >= end) {
            return 0;
        }
    }
    return result;
}
