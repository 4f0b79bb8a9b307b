/* SPDX-License-Identifier: Apache-2.0 */
/* The simulated world of an upload. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdio.h>
#include <string.h>

#include "upload_world.h"

#define NEVER UINT64_MAX

uint8_t world_file[WORLD_FLASH_SIZE];
const uint8_t world_sha[32] = {0xab, 0xcd, 0xef};
const uint8_t world_hash[WORLD_HASH_LEN] = {0x11, 0x22, 0x33};

static int read_file(void *context, uint32_t off, uint8_t *buf, size_t len)
{
    (void)context;
    assert_true(off <= sizeof world_file && len <= sizeof world_file - off);
    memcpy(buf, world_file + off, len);
    return FERRY_OK;
}

void world_fill_file(void)
{
    static const uint8_t magic[] = {0x3d, 0xb8, 0xf3, 0x96};

    for (size_t i = 0; i < sizeof world_file; i++) {
        world_file[i] = (uint8_t)(i * 7 + (i >> 8) * 13 + (i >> 16));
    }
    memcpy(world_file, magic, sizeof magic);
}

uint32_t world_random(uint32_t *state)
{
    *state ^= *state << 13;
    *state ^= *state >> 17;
    *state ^= *state << 5;
    return *state;
}

/* Bytes on a console line. */
uint64_t world_wire_size(size_t len)
{
    uint64_t text = (len + 4 + 2) / 3 * 4;

    return text + 3 * ((text + 123) / 124);
}

static bool by_chance(struct world *world, uint32_t permille)
{
    return permille > 0 && world_random(&world->random) % 1000 < permille;
}

static void put_in_transit(struct world *world, bool up, const uint8_t *bytes, size_t len,
                           uint64_t at)
{
    for (size_t i = 0; i < WORLD_TRANSIT; i++) {
        struct world_packet *packet = &world->transit[i];

        if (!packet->used) {
            packet->used = true;
            packet->up = up;
            packet->at = at;
            packet->order = world->order++;
            packet->len = len;
            memcpy(packet->bytes, bytes, len);
            return;
        }
    }
    fail_msg("too many packets in transit");
}

static void transmit(struct world *world, bool up, const uint8_t *bytes, size_t len)
{
    uint64_t *line_free = up ? &world->up_free : &world->down_free;
    uint64_t begin_at = *line_free > world->now ? *line_free : world->now;
    uint64_t at = begin_at + world_wire_size(len) * world->ns_per_byte;

    *line_free = at;
    if (by_chance(world, world->loss_permille)) {
        return;
    }
    for (int copies = by_chance(world, world->double_permille) ? 2 : 1; copies > 0; copies--) {
        uint64_t jitter =
            world->jitter_ns > 0 ? world_random(&world->random) % world->jitter_ns : 0;

        put_in_transit(world, up, bytes, len, at + (up ? 0 : world->latency_ns) + jitter);
    }
}

/* The latency is the server's turnaround, so it stands in front of the answer only. */
static struct world_packet *next_packet(struct world *world)
{
    struct world_packet *next = NULL;

    for (size_t i = 0; i < WORLD_TRANSIT; i++) {
        struct world_packet *packet = &world->transit[i];

        if (packet->used && (next == NULL || packet->at < next->at ||
                             (packet->at == next->at && packet->order < next->order))) {
            next = packet;
        }
    }
    return next;
}

static void measure_depth(struct world *world)
{
    uint32_t depth = world->queued;

    for (size_t i = 0; i < WORLD_TRANSIT; i++) {
        depth += world->transit[i].used && world->transit[i].up;
    }
    world->deepest = depth > world->deepest ? depth : world->deepest;
}

/* Whether the server worked while bytes of it came, more than the serial port keeps. */
static bool is_damaged(const struct world *world, const struct world_packet *packet)
{
    uint64_t took = world_wire_size(packet->len) * world->ns_per_byte;
    uint64_t kept = world->fifo_bytes * world->ns_per_byte;

    return world->fifo_bytes > 0 && world->busy_until > packet->at - took + kept;
}

/* A packet came up: into the queue, unless no buffer is left for it and its answer (C35). */
static void arrive(struct world *world, struct world_packet *packet)
{
    struct world_server *server = &world->server;

    packet->used = false;
    if (server->lose_request != 0 && server->lose_request == server->requests + world->queued + 1) {
        server->lose_request = 0;
        return;
    }
    if (is_damaged(world, packet)) {
        world->damaged++;
        return;
    }
    if (world->queued + 1 > server->buf_count) {
        server->overflows++;
        return;
    }
    world->queue[world->queued++] = *packet;
}

/* The server takes the next request, works, and answers at the end of its work. */
static void work(struct world *world)
{
    uint8_t answer[WORLD_PACKET_SIZE];
    struct ferry_bytes packet = {world->queue[0].bytes, world->queue[0].len};
    uint64_t cost = 0;
    size_t len;

    len = world_server_handle(&world->server, packet, answer, &cost);
    world->now += cost;
    world->queued--;
    memmove(world->queue, world->queue + 1, world->queued * sizeof world->queue[0]);
    if (len > 0) {
        transmit(world, false, answer, len);
    }
}

static void note_event(struct world *world, const struct ferry_upload_event *event)
{
    world->last = *event;
    assert_true(event->acked <= event->total);
    if (event->kind == FERRY_UPLOAD_WARNING) {
        world->warning_count++;
        assert_true(strlen(world->warnings) + strlen(event->text) + 2 < sizeof world->warnings);
        strcat(world->warnings, event->text);
        strcat(world->warnings, "\n");
    }
}

static void receive(struct world *world, struct world_packet *packet, uint64_t now_ms)
{
    struct ferry_client_answer answer;
    struct ferry_bytes bytes = {packet->bytes, packet->len};

    packet->used = false;
    if (ferry_client_receive(&world->client, bytes, now_ms, &answer) == FERRY_OK) {
        assert_true(ferry_upload_answer(&world->upload, &answer, now_ms));
    }
}

/* Everything the client wants to do now. Returns whether the upload is over. */
static bool run_client(struct world *world, uint64_t *deadline)
{
    uint64_t now_ms = world->now / WORLD_NS_PER_MS;
    struct ferry_client_answer answer;
    struct ferry_upload_event event;
    struct ferry_bytes packet;
    uint64_t upload_deadline;

    while (ferry_client_expire(&world->client, now_ms, &answer)) {
        assert_true(ferry_upload_answer(&world->upload, &answer, now_ms));
    }
    while (ferry_upload_next(&world->upload, now_ms, &event)) {
        note_event(world, &event);
        if (event.kind == FERRY_UPLOAD_DONE || event.kind == FERRY_UPLOAD_FAILED) {
            assert_false(ferry_upload_next(&world->upload, now_ms, &event));
            return true;
        }
    }
    while (ferry_client_poll(&world->client, now_ms, &packet, deadline)) {
        transmit(world, true, packet.data, packet.len);
    }
    measure_depth(world);
    upload_deadline = ferry_upload_deadline(&world->upload);
    *deadline = upload_deadline < *deadline ? upload_deadline : *deadline;
    return false;
}

/* Move to the next thing that happens: a packet, or the client's deadline. */
static void step(struct world *world, uint64_t deadline_ms)
{
    uint64_t deadline = deadline_ms == FERRY_CLIENT_NEVER ? NEVER : deadline_ms * WORLD_NS_PER_MS;
    struct world_packet *packet = next_packet(world);

    if (packet == NULL || packet->at > deadline) {
        assert_true(deadline != NEVER); /* nothing would ever happen again */
        world->now = deadline > world->now ? deadline : world->now;
        return;
    }
    world->now = packet->at > world->now ? packet->at : world->now;
    if (packet->up) {
        arrive(world, packet);
    } else {
        receive(world, packet, world->now / WORLD_NS_PER_MS);
    }
}

static bool stopped(const struct world *world)
{
    return world->stop_at != 0 && world->server.off >= world->stop_at;
}

/* The server works in a time of its own: it starts when it has a request and is idle. */
static void run_server(struct world *world)
{
    while (world->queued > 0 && world->now >= world->busy_until) {
        uint64_t now = world->now;

        work(world);
        world->busy_until = world->now;
        world->now = now;
    }
}

void world_run(struct world *world)
{
    uint64_t deadline = 0;

    for (uint32_t steps = 0; !run_client(world, &deadline) && !stopped(world); steps++) {
        assert_true(steps < 1000000);
        assert_true(world->now < 10000000 * WORLD_NS_PER_MS);
        if (world->queued > 0 &&
            (deadline == FERRY_CLIENT_NEVER || world->busy_until < deadline * WORLD_NS_PER_MS)) {
            struct world_packet *packet = next_packet(world);

            if (packet == NULL || packet->at > world->busy_until) {
                world->now = world->busy_until > world->now ? world->busy_until : world->now;
                run_server(world);
                continue;
            }
        }
        step(world, deadline);
        run_server(world);
    }
}

void world_set_client(struct world *world, size_t packet_max, uint8_t seq)
{
    struct ferry_client_config config = {.requests = world->requests,
                                         .request_count = FERRY_UPLOAD_WINDOW_MAX + 1,
                                         .buffers = world->buffers,
                                         .buffer_size = WORLD_PACKET_SIZE,
                                         .first_seq = seq};

    uint64_t told = world->told_ns_per_byte > 0 ? world->told_ns_per_byte : world->ns_per_byte;

    if (told > 0) {
        config.bytes_per_second = (uint32_t)(1000 * WORLD_NS_PER_MS / told);
    }
    assert_int_equal(ferry_client_init(&world->client, &config), FERRY_OK);
    ferry_client_set_packet_max(&world->client, packet_max);
}

static struct world g_world;

/* A fast clean line, a server with four buffers that erases for half a second. */
struct world *world_set_up(enum world_kind kind, uint32_t size, size_t packet_max, uint32_t window)
{
    struct world *world = &g_world;

    memset(world, 0, sizeof *world);
    world->server.kind = kind;
    world->server.write_size = 8;
    world->server.erase_ms = 500;
    world->server.chunk_us = 500;
    world->server.buf_count = window + 1;
    world->server.lists = true;
    world->random = 1;
    world->latency_ns = 5 * WORLD_NS_PER_MS;
    world->config = (struct ferry_upload_config){.client = &world->client,
                                                 .read = read_file,
                                                 .size = size,
                                                 .sha = world_sha,
                                                 .hash = world_hash,
                                                 .hash_len = WORLD_HASH_LEN,
                                                 .window = window};
    world_set_client(world, packet_max, 0xf0);
    return world;
}

void world_start(struct world *world)
{
    assert_int_equal(ferry_upload_start(&world->upload, &world->config), FERRY_OK);
    world_run(world);
}

void world_expect_done(struct world *world)
{
    if (world->last.kind != FERRY_UPLOAD_DONE) {
        print_message("ended with %d (%s) at %u: %s\n", (int)world->last.error,
                      ferry_error_name(world->last.error), (unsigned)world->last.acked,
                      world->last.text);
    }
    assert_int_equal(world->last.kind, FERRY_UPLOAD_DONE);
    assert_int_equal(world->last.acked, world->config.size);
    assert_true(world->server.done);
    assert_memory_equal(world->server.flash, world_file, world->config.size);
    assert_int_equal(world->upload.flight_count, 0);
}

void world_expect_failed(struct world *world, int error)
{
    assert_int_equal(world->last.kind, FERRY_UPLOAD_FAILED);
    assert_int_equal(world->last.error, error);
    assert_true(strlen(world->last.text) > 5);
    assert_true(strlen(world->last.remedy) > 5);
    assert_int_equal(world->upload.flight_count, 0);
}

bool world_warned(const struct world *world, const char *part)
{
    return strstr(world->warnings, part) != NULL;
}
