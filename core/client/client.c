/* SPDX-License-Identifier: Apache-2.0 */
/* The window of requests: submit, send, send again, match, give up. */
#include "core/client/round_trip.h"

#include <string.h>

/* What the smallest buffers are, of this client and of servers. */
#define PACKET_MIN 64

/* Round trips that say little yet. */
#define FEW_SAMPLES 4

enum request_state { FREE, WAITING, SENT };

/* ---- Set-up --------------------------------------------------------------------- */

static bool config_fits(const struct ferry_client_config *config)
{
    if (config->requests == NULL || config->buffers == NULL) {
        return false;
    }
    if (config->request_count == 0 || config->request_count > FERRY_CLIENT_REQUESTS_MAX) {
        return false;
    }
    return config->buffer_size >= PACKET_MIN && config->buffer_size <= UINT16_MAX;
}

int ferry_client_init(struct ferry_client *client, const struct ferry_client_config *config)
{
    if (!config_fits(config)) {
        return FERRY_E_CONFIG;
    }
    memset(client, 0, sizeof *client);
    client->config = *config;
    if (client->config.timeout_ms == 0) {
        client->config.timeout_ms = FERRY_CLIENT_TIMEOUT_MS;
    }
    client->config.timeout_ms = ferry_max32(client->config.timeout_ms, config->timeout_min_ms);
    if (client->config.retries == 0) {
        client->config.retries = FERRY_CLIENT_RETRIES;
    }
    client->packet_max = config->buffer_size;
    client->version = FERRY_SMP_VERSION_2;
    client->next_seq = config->first_seq;
    for (size_t i = 0; i < config->request_count; i++) {
        config->requests[i].state = FREE;
        config->requests[i].packet = config->buffers + i * config->buffer_size;
    }
    return FERRY_OK;
}

void ferry_client_set_version(struct ferry_client *client, uint8_t version)
{
    client->version = version;
}

void ferry_client_set_packet_max(struct ferry_client *client, size_t packet_max)
{
    size_t wanted = packet_max < FERRY_CLIENT_PACKET_LEAST ? FERRY_CLIENT_PACKET_LEAST : packet_max;

    client->packet_max = wanted < client->config.buffer_size ? wanted : client->config.buffer_size;
}

void ferry_client_set_fragment(struct ferry_client *client, size_t fragment)
{
    client->fragment = fragment;
}

void ferry_client_set_pad(struct ferry_client *client, uint32_t bytes)
{
    client->pad = (uint16_t)ferry_min32(bytes, UINT16_MAX);
}

/* Bytes of a datagram that IP (20 or 40) and UDP (8) take of an Ethernet MTU. */
#define MTU           1500
#define IP4_UDP_BYTES 28
#define IP6_UDP_BYTES 48

/* More than any cipher's record has around its contents: 13 of header, 8 or 16 of nonce, up to 48
 * of authentication and padding where it is no AEAD. */
#define DTLS_BYTES 64

/* What a server that does not answer os/6 is trusted with: two console lines' worth, and Zephyr's
 * default buffer for the rest. */
#define UNKNOWN_CONSOLE 256
#define UNKNOWN_OTHER   384

/* Length word and CRC of console framing, which share the server's buffer. */
#define CONSOLE_OVERHEAD 4

/* The largest datagram that no router has to cut, as the link leaves of it. */
static size_t link_max(enum ferry_client_link link)
{
    switch (link) {
    case FERRY_LINK_UDP4:
        return MTU - IP4_UDP_BYTES;
    case FERRY_LINK_UDP6:
        return MTU - IP6_UDP_BYTES;
    case FERRY_LINK_DTLS4:
        return MTU - IP4_UDP_BYTES - DTLS_BYTES;
    case FERRY_LINK_DTLS6:
        return MTU - IP6_UDP_BYTES - DTLS_BYTES;
    case FERRY_LINK_CONSOLE:
    case FERRY_LINK_RAW:
    case FERRY_LINK_STREAM:
    case FERRY_LINK_BLE:
        break;
    }
    return SIZE_MAX;
}

size_t ferry_client_packet_max(enum ferry_client_link link, uint32_t buf_size)
{
    size_t size = buf_size;

    if (buf_size == 0) {
        size = link == FERRY_LINK_CONSOLE ? UNKNOWN_CONSOLE : UNKNOWN_OTHER;
    }
    if (link == FERRY_LINK_CONSOLE) {
        size = size > CONSOLE_OVERHEAD ? size - CONSOLE_OVERHEAD : 0;
    }
    if (size > link_max(link)) {
        size = link_max(link);
    }
    return size < PACKET_MIN ? PACKET_MIN : size;
}

/* ---- The requests ---------------------------------------------------------------- */

static struct ferry_client_request *find_free(struct ferry_client *client)
{
    for (size_t i = 0; i < client->config.request_count; i++) {
        if (client->config.requests[i].state == FREE) {
            return &client->config.requests[i];
        }
    }
    return NULL;
}

static struct ferry_client_request *find_ticket(struct ferry_client *client, int32_t ticket)
{
    for (size_t i = 0; i < client->config.request_count; i++) {
        struct ferry_client_request *request = &client->config.requests[i];

        if (request->state != FREE && request->ticket == ticket) {
            return request;
        }
    }
    return NULL;
}

static void request_header(const struct ferry_client_request *request,
                           struct ferry_smp_header *header)
{
    struct ferry_bytes bytes = {request->packet, FERRY_SMP_HEADER_SIZE};

    /* Eight bytes are there, so this cannot fail. */
    if (ferry_smp_header_read(bytes, header) != FERRY_OK) {
        memset(header, 0, sizeof *header);
    }
}

/* The next sequence number that nothing in flight has. There are fewer requests than numbers. */
static uint8_t take_seq(struct ferry_client *client)
{
    for (;;) {
        uint8_t seq = client->next_seq++;
        bool used = false;

        for (size_t i = 0; i < client->config.request_count; i++) {
            const struct ferry_client_request *request = &client->config.requests[i];

            used = used || (request->state != FREE && request->packet[6] == seq);
        }
        if (!used) {
            return seq;
        }
    }
}

static int32_t take_ticket(struct ferry_client *client)
{
    client->last_ticket = client->last_ticket == INT32_MAX ? 1 : client->last_ticket + 1;
    return client->last_ticket;
}

/* Whether a was submitted before b, across the wrap of the tickets too. */
static bool is_older(int32_t a, int32_t b)
{
    return ((uint32_t)(b - a) & INT32_MAX) < INT32_MAX / 2 && a != b;
}

uint8_t *ferry_client_room(struct ferry_client *client, size_t *cap)
{
    struct ferry_client_request *request = find_free(client);

    if (request == NULL) {
        *cap = 0;
        return NULL;
    }
    *cap = client->packet_max - FERRY_SMP_HEADER_SIZE;
    return request->packet + FERRY_SMP_HEADER_SIZE;
}

/* Bytes of a chunk's packet that are none of its data, about. */
#define CHUNK_AROUND 34

/* With n whole fragments and a rest, n + 1 of them carry n * fragment + rest - CHUNK_AROUND bytes
 * of data; without the rest, n carry n * fragment - CHUNK_AROUND. */
size_t ferry_client_chunk_cap(const struct ferry_client *client, size_t cap)
{
    size_t packet = cap + FERRY_SMP_HEADER_SIZE;

    if (client->fragment == 0 || packet <= client->fragment) {
        return cap;
    }
    size_t count = packet / client->fragment, whole = count * client->fragment;
    bool worth = count * (packet - whole) > whole - CHUNK_AROUND;

    return worth || whole < FERRY_CLIENT_PACKET_LEAST ? cap : whole - FERRY_SMP_HEADER_SIZE;
}

/* Bytes of zeros in a byte string whose head and contents are len bytes at least; with *head. */
static size_t pad_string(size_t len, uint8_t head[3], size_t *head_len)
{
    size_t zeros = len > 0 ? len - 1 : 0;

    *head_len = 1;
    head[0] = (uint8_t)(0x40 + zeros);
    if (zeros > 23) {
        zeros = ferry_max32((uint32_t)(len - 2), 24);
        *head_len = 2;
        head[0] = 0x58;
        head[1] = (uint8_t)zeros;
    }
    if (zeros > UINT8_MAX) {
        zeros = ferry_max32((uint32_t)(len - 3), UINT8_MAX + 1);
        *head_len = 3;
        head[0] = 0x59;
        ferry_store_be16(head + 1, (uint16_t)zeros);
    }
    return zeros;
}

/* Add the pair "pad" to the request's map: one that tells its pairs in its first byte, and has room
 * for another there. */
static void pad_packet(const struct ferry_client *client, struct ferry_client_request *request)
{
    static const uint8_t name[] = {0x63, 'p', 'a', 'd'};
    uint8_t *map = request->packet + FERRY_SMP_HEADER_SIZE;
    uint8_t *end = request->packet + request->len;
    uint8_t head[3];
    size_t head_len;
    size_t zeros;
    size_t wanted =
        request->len + sizeof(name) < client->pad ? client->pad - request->len - sizeof(name) : 0;

    if (request->len >= client->pad || request->len == FERRY_SMP_HEADER_SIZE || map[0] < 0xa0 ||
        map[0] >= 0xb7) {
        return;
    }
    zeros = pad_string(wanted, head, &head_len);
    if (sizeof(name) + head_len + zeros > client->packet_max - request->len) {
        return;
    }
    map[0]++;
    memcpy(end, name, sizeof(name));
    memcpy(end + sizeof(name), head, head_len);
    memset(end + sizeof(name) + head_len, 0, zeros);
    request->len += sizeof(name) + head_len + zeros;
}

static void write_packet(struct ferry_client *client, struct ferry_client_request *request,
                         const struct ferry_client_command *command)
{
    struct ferry_smp_header header = {.op = command->op,
                                      .version = client->version,
                                      .group = command->group,
                                      .seq = take_seq(client),
                                      .id = command->id};

    if (command->payload.len > 0) {
        memmove(request->packet + FERRY_SMP_HEADER_SIZE, command->payload.data,
                command->payload.len);
    }
    request->len = FERRY_SMP_HEADER_SIZE + command->payload.len;
    pad_packet(client, request);
    header.length = (uint16_t)(request->len - FERRY_SMP_HEADER_SIZE);
    ferry_smp_header_write(&header, request->packet);
}

/* One with a longer timeout of its own, an erase say, tells nothing of the line. */
static bool is_ordinary(const struct ferry_client *client, uint32_t timeout_ms)
{
    return timeout_ms <= client->config.timeout_ms ||
           timeout_ms <= ferry_client_adaptive_timeout_ms(client);
}

int32_t ferry_client_submit(struct ferry_client *client, const struct ferry_client_command *command)
{
    struct ferry_client_request *request = find_free(client);

    if (request == NULL) {
        return FERRY_E_BUSY;
    }
    if (command->payload.len > client->packet_max - FERRY_SMP_HEADER_SIZE) {
        return FERRY_E_SPACE;
    }
    write_packet(client, request, command);
    request->user = command->user;
    request->timeout_ms =
        command->timeout_ms != 0 ? command->timeout_ms : client->config.timeout_ms;
    request->ordinary = is_ordinary(client, request->timeout_ms);
    request->timeout_ms = ferry_max32(request->timeout_ms, client->config.timeout_min_ms);
    request->retries = command->retries != 0 ? command->retries : client->config.retries;
    if (command->retries == FERRY_CLIENT_ONCE) {
        request->retries = 0;
    }
    request->tries = 0;
    request->ticket = take_ticket(client);
    request->state = WAITING;
    return request->ticket;
}

bool ferry_client_has(struct ferry_client *client, int32_t ticket)
{
    return find_ticket(client, ticket) != NULL;
}

void ferry_client_cancel(struct ferry_client *client, int32_t ticket)
{
    struct ferry_client_request *request = find_ticket(client, ticket);

    if (request != NULL) {
        request->state = FREE;
    }
}

void ferry_client_cancel_all(struct ferry_client *client)
{
    for (size_t i = 0; i < client->config.request_count; i++) {
        client->config.requests[i].state = FREE;
    }
}

void ferry_client_relinked(struct ferry_client *client)
{
    for (size_t i = 0; i < client->config.request_count; i++) {
        struct ferry_client_request *request = &client->config.requests[i];

        if (request->state == SENT && request->retries > 0) {
            request->state = WAITING;
            request->retries--;
            client->stats.sent--; /* it is counted as sent when it leaves */
            client->stats.retransmitted++;
        }
    }
}

void ferry_client_last_try(struct ferry_client *client, int32_t ticket)
{
    struct ferry_client_request *request = find_ticket(client, ticket);

    if (request != NULL) {
        request->retries = 0;
    }
}

/* ---- Sending ----------------------------------------------------------------------- */

/* What the line needs for everything sent and not answered. Framing makes three bytes four and
 * adds markers; one and a half is above that, and above the answers. */
static uint32_t wire_ms(const struct ferry_client *client)
{
    uint32_t bytes = 0;

    if (client->config.bytes_per_second == 0) {
        return 0;
    }
    for (size_t i = 0; i < client->config.request_count; i++) {
        const struct ferry_client_request *request = &client->config.requests[i];

        bytes += request->state == SENT ? (uint32_t)request->len : 0;
    }
    /* At most 32 packets of 65535 bytes: the product stays below 2^32. */
    return bytes * 1500 / client->config.bytes_per_second;
}

static bool is_due(const struct ferry_client_request *request, uint64_t now)
{
    if (request->state == SENT) {
        return request->retries > 0 && request->deadline <= now;
    }
    return request->state == WAITING;
}

static struct ferry_client_request *find_due(struct ferry_client *client, uint64_t now)
{
    struct ferry_client_request *oldest = NULL;

    for (size_t i = 0; i < client->config.request_count; i++) {
        struct ferry_client_request *request = &client->config.requests[i];

        if (is_due(request, now) && (oldest == NULL || is_older(request->ticket, oldest->ticket))) {
            oldest = request;
        }
    }
    return oldest;
}

/* Each further try waits twice as long, up to the configured timeout or its own longer one. */
static void back_off(const struct ferry_client *client, struct ferry_client_request *request)
{
    uint32_t limit = ferry_max32(request->timeout_ms, client->config.timeout_ms);

    request->timeout_ms = request->timeout_ms > limit / 2 ? limit : request->timeout_ms * 2;
}

static void count_try(struct ferry_client *client, struct ferry_client_request *request,
                      uint64_t now)
{
    if (request->state == WAITING) {
        client->stats.sent++;
        request->state = SENT;
        request->first_at = now;
    } else {
        client->stats.retransmitted++;
        request->retries--;
        back_off(client, request);
    }
    request->tries++;
}

static uint64_t next_deadline(const struct ferry_client *client)
{
    uint64_t deadline = FERRY_CLIENT_NEVER;

    for (size_t i = 0; i < client->config.request_count; i++) {
        const struct ferry_client_request *request = &client->config.requests[i];

        if (request->state == SENT && request->deadline < deadline) {
            deadline = request->deadline;
        }
    }
    return deadline;
}

/* A server handles requests in order: while it works on older ones, the newer wait, on the line or
 * in its buffers. When an older one is sent again or answered, their time begins anew. */
static void wait_behind(struct ferry_client *client, int32_t ticket, uint64_t now)
{
    uint32_t wire = wire_ms(client);

    for (size_t i = 0; i < client->config.request_count; i++) {
        struct ferry_client_request *request = &client->config.requests[i];
        uint64_t deadline = now + request->timeout_ms + wire;

        if (request->state == SENT && request->ordinary && is_older(ticket, request->ticket) &&
            request->deadline < deadline) {
            request->deadline = deadline;
        }
    }
}

bool ferry_client_poll(struct ferry_client *client, uint64_t now, struct ferry_bytes *packet,
                       uint64_t *deadline)
{
    struct ferry_client_request *request = find_due(client, now);

    if (request == NULL) {
        *deadline = next_deadline(client);
        return false;
    }
    count_try(client, request, now);
    request->deadline = now + request->timeout_ms + wire_ms(client);
    wait_behind(client, request->ticket, now);
    packet->data = request->packet;
    packet->len = request->len;
    return true;
}

/* ---- Receiving --------------------------------------------------------------------- */

/* What the answer to a request tells of the line. */
static void measure(struct ferry_client *client, const struct ferry_client_request *request,
                    uint64_t now)
{
    uint64_t elapsed = now - request->first_at;

    if (!request->ordinary) {
        return;
    }
    if (request->tries == 1) {
        ferry_round_trip_take(&client->trip, elapsed);
        return;
    }
    ferry_round_trip_doubt(&client->trip, elapsed);
    client->late_ms = elapsed;
    client->late_seq = request->packet[6];
}

/* An answer that nothing waits for. To one that was sent twice and answered already, it is the
 * second: the first try had arrived as well. */
static void note_stale(struct ferry_client *client, uint8_t seq)
{
    client->stats.stale++;
    if (client->late_ms > 0 && client->late_seq == seq) {
        ferry_round_trip_late(&client->trip, client->late_ms);
        client->stats.late++;
        client->late_ms = 0;
    }
}

static struct ferry_client_request *find_answered(struct ferry_client *client,
                                                  const struct ferry_smp_header *answer)
{
    for (size_t i = 0; i < client->config.request_count; i++) {
        struct ferry_client_request *request = &client->config.requests[i];
        struct ferry_smp_header header;

        if (request->state != SENT) {
            continue;
        }
        request_header(request, &header);
        if (ferry_smp_answers(answer, &header)) {
            return request;
        }
    }
    return NULL;
}

/* Take the request out of the window into an answer. */
static void settle(struct ferry_client_request *request, struct ferry_client_answer *answer)
{
    memset(answer, 0, sizeof *answer);
    answer->ticket = request->ticket;
    answer->user = request->user;
    answer->tries = request->tries;
    request->state = FREE;
}

static void read_answer(struct ferry_client_answer *answer)
{
    answer->error = ferry_smp_status_read(answer->payload, &answer->status);
    if (answer->error != FERRY_OK) {
        memset(&answer->status, 0, sizeof answer->status);
    } else if (answer->status.rc != FERRY_RC_OK) {
        answer->error = FERRY_E_REFUSED;
    }
}

int ferry_client_receive(struct ferry_client *client, struct ferry_bytes packet, uint64_t now,
                         struct ferry_client_answer *answer)
{
    struct ferry_smp_header header;
    struct ferry_bytes payload;
    struct ferry_client_request *request;

    if (ferry_smp_packet_read(packet, &header, &payload, NULL) != FERRY_OK) {
        client->stats.damaged++;
        return FERRY_E_SHORT;
    }
    if (header.op % 2 == 0) {
        client->stats.echoed++;
        return FERRY_E_NOT_FOUND;
    }
    request = find_answered(client, &header);
    if (request == NULL) {
        note_stale(client, header.seq);
        return FERRY_E_NOT_FOUND;
    }
    client->stats.answered++;
    measure(client, request, now);
    settle(request, answer);
    wait_behind(client, answer->ticket, now);
    answer->header = header;
    answer->payload = payload;
    read_answer(answer);
    return FERRY_OK;
}

bool ferry_client_expire(struct ferry_client *client, uint64_t now,
                         struct ferry_client_answer *answer)
{
    for (size_t i = 0; i < client->config.request_count; i++) {
        struct ferry_client_request *request = &client->config.requests[i];

        if (request->state == SENT && request->retries == 0 && request->deadline <= now) {
            client->stats.expired++;
            settle(request, answer);
            answer->error = FERRY_E_TIMEOUT;
            request_header(request, &answer->header);
            return true;
        }
    }
    return false;
}

/* ---- Times ------------------------------------------------------------------------- */

uint32_t ferry_client_rtt_ms(const struct ferry_client *client)
{
    return (client->trip.smoothed8 + 7) / 8;
}

uint32_t ferry_client_adaptive_timeout_ms(const struct ferry_client *client)
{
    uint32_t timeout = ferry_round_trip_timeout(&client->trip);
    uint32_t least = client->trip.samples < FEW_SAMPLES ? FERRY_CLIENT_TIMEOUT_FEW_MS
                                                        : FERRY_CLIENT_TIMEOUT_MIN_MS;

    if (timeout == 0) {
        return client->config.timeout_ms;
    }
    timeout = ferry_max32(timeout, ferry_min32(least, client->config.timeout_ms));
    timeout = ferry_min32(timeout, FERRY_CLIENT_TIMEOUT_MAX_MS);
    return ferry_max32(timeout, client->config.timeout_min_ms);
}

/* size bytes at so many ms a KiB, at least the floor; no product can wrap. */
static uint32_t flash_ms(uint32_t size, uint32_t ms_per_kib, uint32_t floor_ms)
{
    return ferry_max32(size / 1024 * ms_per_kib, floor_ms);
}

uint32_t ferry_client_erase_ms(uint32_t size)
{
    return flash_ms(size, 20, 40000);
}

uint32_t ferry_client_swap_ms(uint32_t size)
{
    return flash_ms(size, 100, 60000);
}
