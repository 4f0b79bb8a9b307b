/* SPDX-License-Identifier: Apache-2.0 */
/* Upload against model servers (Zephyr's rules and MCUboot recovery's) over a simulated line that
 * loses, doubles and reorders, in virtual time. Cnn are the corner cases the protocol is known
 * for; each has its test. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdio.h>
#include <string.h>

#include "ferry/cbor.h"
#include "ferry/upload.h"

#define NS_PER_MS   1000000ULL
#define FLASH_SIZE  (320 * 1024)
#define PACKET_SIZE 2048
#define IN_TRANSIT  64
#define HASH_LEN    32
#define NEVER       UINT64_MAX

static uint8_t g_file[FLASH_SIZE];
static const uint8_t g_sha[32] = {0xab, 0xcd, 0xef};
static const uint8_t g_hash[HASH_LEN] = {0x11, 0x22, 0x33};

static int read_file(void *context, uint32_t off, uint8_t *buf, size_t len)
{
    (void)context;
    assert_true(off <= sizeof g_file && len <= sizeof g_file - off);
    memcpy(buf, g_file + off, len);
    return FERRY_OK;
}

static void fill_file(void)
{
    static const uint8_t magic[] = {0x3d, 0xb8, 0xf3, 0x96};

    for (size_t i = 0; i < sizeof g_file; i++) {
        g_file[i] = (uint8_t)(i * 7 + (i >> 8) * 13 + (i >> 16));
    }
    memcpy(g_file, magic, sizeof magic);
}

static uint32_t next_random(uint32_t *state)
{
    *state ^= *state << 13;
    *state ^= *state >> 17;
    *state ^= *state << 5;
    return *state;
}

/* ---- The model server ------------------------------------------------------------------ */

enum kind { ZEPHYR, MCUBOOT };

struct server {
    enum kind kind;
    uint32_t write_size; /* MCUBOOT cuts chunks to it */
    uint32_t erase_ms;   /* of the first chunk */
    uint32_t chunk_us;   /* of every chunk */
    uint32_t buf_count;
    bool image_check; /* Zephyr's option: match, and off = len when it is there already */
    bool lists;       /* answers the list of images */
    /* Script */
    uint32_t lose_request; /* the n-th request to come, from 1; 0 = none */
    uint32_t lose_answer;
    uint32_t busy;      /* so many upload requests get rc 10 first */
    uint32_t no_memory; /* so many requests after the first chunk get rc 2 */
    uint32_t reset_at;  /* the n-th request finds the state forgotten */
    uint32_t resets;    /* … so often, at every such number of requests */
    uint32_t stuck_at;  /* never stores beyond this offset; 0 = off */
    uint32_t lie;       /* answers this offset to the 3rd request; 0 = off */
    uint32_t refuse_at; /* err {1, 12} to the n-th request */
    bool no_off;        /* success without an offset */
    bool says_no_match;
    /* State */
    uint8_t flash[FLASH_SIZE];
    bool open;
    bool done;
    uint32_t len;
    uint32_t off;
    bool has_sha;
    uint8_t sha[32];
    /* What happened */
    uint32_t requests;
    uint32_t erases;
    uint32_t firsts; /* chunks at offset 0 */
    uint32_t first_with_sha;
    uint32_t first_with_len;
    uint32_t first_len;  /* data of the last first chunk */
    uint32_t misaligned; /* chunks before the last that are no multiple of write_size */
    uint32_t lists_asked;
    uint32_t overflows; /* packets dropped because all buffers were taken */
    uint32_t image;
    bool upgrade;
};

struct chunk {
    struct ferry_cbor_field fields[6];
};

enum { OFF, DATA, LEN, SHA, IMAGE, UPGRADE };

static size_t put_rc(struct ferry_cbor_writer *w, uint32_t rc)
{
    ferry_cbor_open_map(w);
    ferry_cbor_pair_uint(w, "rc", rc);
    ferry_cbor_close(w);
    return w->len;
}

static size_t put_err(struct ferry_cbor_writer *w, uint32_t rc)
{
    ferry_cbor_open_map(w);
    ferry_cbor_put_text(w, "err");
    ferry_cbor_open_map(w);
    ferry_cbor_pair_uint(w, "group", 1);
    ferry_cbor_pair_uint(w, "rc", rc);
    ferry_cbor_close(w);
    ferry_cbor_close(w);
    return w->len;
}

static size_t put_off(struct server *server, struct ferry_cbor_writer *w, uint32_t off, int match)
{
    ferry_cbor_open_map(w);
    if (server->kind == MCUBOOT) {
        ferry_cbor_pair_uint(w, "rc", 0);
    }
    if (!server->no_off) {
        ferry_cbor_pair_uint(w, "off", off);
    }
    if (match >= 0) {
        ferry_cbor_pair_bool(w, "match", match != 0);
    }
    ferry_cbor_close(w);
    return w->len;
}

static void forget(struct server *server)
{
    server->open = false;
    server->off = 0;
    server->has_sha = false;
}

static bool same_sha(const struct server *server, const struct chunk *chunk)
{
    const struct ferry_cbor_field *sha = &chunk->fields[SHA];

    return sha->present && server->has_sha && sha->item.bytes.len == 32 &&
           memcmp(sha->item.bytes.data, server->sha, 32) == 0;
}

/* Begin anew: erase, remember. */
static void begin(struct server *server, const struct chunk *chunk)
{
    const struct ferry_cbor_field *sha = &chunk->fields[SHA];

    memset(server->flash, 0xff, sizeof server->flash);
    server->erases++;
    server->open = true;
    server->done = false;
    server->off = 0;
    server->len = (uint32_t)chunk->fields[LEN].item.value;
    server->has_sha = sha->present;
    if (sha->present) {
        memcpy(server->sha, sha->item.bytes.data, 32);
    }
}

static void note_first(struct server *server, const struct chunk *chunk)
{
    server->firsts++;
    server->first_with_sha += chunk->fields[SHA].present;
    server->first_with_len += chunk->fields[LEN].present;
    server->first_len = (uint32_t)chunk->fields[DATA].item.bytes.len;
    server->image = chunk->fields[IMAGE].present ? (uint32_t)chunk->fields[IMAGE].item.value : 0;
    server->upgrade = chunk->fields[UPGRADE].present && chunk->fields[UPGRADE].item.value != 0;
}

/* Store a chunk whose offset is right. Returns the next offset. */
static uint32_t store(struct server *server, const struct ferry_bytes *data)
{
    size_t len = data->len;

    if (server->off + len < server->len && len % server->write_size != 0) {
        server->misaligned++;
        len -= server->kind == MCUBOOT ? len % server->write_size : 0;
    }
    if (server->stuck_at != 0 && server->off + len > server->stuck_at) {
        return server->off;
    }
    memcpy(server->flash + server->off, data->data, len);
    server->off += (uint32_t)len;
    return server->off;
}

static size_t complete(struct server *server, struct ferry_cbor_writer *w)
{
    uint32_t len = server->len;
    bool had_sha = server->has_sha;

    server->done = true;
    if (server->kind == MCUBOOT) {
        return put_off(server, w, len, -1); /* keeps its offset */
    }
    forget(server);
    if (server->image_check) {
        return put_off(server, w, len, had_sha && !server->says_no_match);
    }
    return put_off(server, w, len, -1);
}

static size_t handle_first(struct server *server, const struct chunk *chunk,
                           struct ferry_cbor_writer *w, uint64_t *cost)
{
    const struct ferry_bytes *data = &chunk->fields[DATA].item.bytes;

    note_first(server, chunk);
    if (!chunk->fields[LEN].present) {
        return server->kind == ZEPHYR ? put_err(w, 21) : put_rc(w, 3);
    }
    if (server->kind == ZEPHYR) {
        if (data->len < 32) {
            return put_err(w, 22);
        }
        if (server->open && same_sha(server, chunk)) {
            return put_off(server, w, server->off, -1);
        }
        if (server->image_check && server->done && chunk->fields[SHA].present &&
            memcmp(server->sha, chunk->fields[SHA].item.bytes.data, 32) == 0) {
            return put_off(server, w, server->len, 1);
        }
    }
    begin(server, chunk);
    *cost += server->erase_ms * NS_PER_MS;
    uint32_t next = store(server, data);

    return next == server->len ? complete(server, w) : put_off(server, w, next, -1);
}

static size_t handle_next(struct server *server, const struct chunk *chunk,
                          struct ferry_cbor_writer *w)
{
    const struct ferry_bytes *data = &chunk->fields[DATA].item.bytes;
    uint64_t off = chunk->fields[OFF].item.value;

    if (off != server->off) {
        return put_off(server, w, server->off, -1);
    }
    if (data->len > server->len - off) {
        return server->kind == ZEPHYR ? put_err(w, 31) : put_rc(w, 3);
    }
    uint32_t next = store(server, data);

    return next == server->len ? complete(server, w) : put_off(server, w, next, -1);
}

static size_t handle_upload(struct server *server, struct ferry_bytes payload,
                            struct ferry_cbor_writer *w, uint64_t *cost)
{
    struct chunk chunk = {.fields = {[OFF] = {.key = "off", .kind = FERRY_CBOR_UINT},
                                     [DATA] = {.key = "data", .kind = FERRY_CBOR_BYTES},
                                     [LEN] = {.key = "len", .kind = FERRY_CBOR_UINT},
                                     [SHA] = {.key = "sha", .kind = FERRY_CBOR_BYTES},
                                     [IMAGE] = {.key = "image", .kind = FERRY_CBOR_UINT},
                                     [UPGRADE] = {.key = "upgrade", .kind = FERRY_CBOR_BOOL}}};

    assert_int_equal(ferry_cbor_read_map(payload, chunk.fields, 6), FERRY_OK);
    assert_true(chunk.fields[OFF].present && chunk.fields[DATA].present);
    if (server->resets > 0 && server->requests % server->reset_at == 0) {
        server->resets--;
        forget(server);
    }
    if (server->busy > 0) {
        server->busy--;
        return put_rc(w, 10);
    }
    if (server->no_memory > 0 && chunk.fields[OFF].item.value != 0) {
        server->no_memory--;
        return put_rc(w, 2);
    }
    if (server->refuse_at == server->requests) {
        forget(server);
        return put_err(w, 12);
    }
    if (server->lie != 0 && server->requests == 3) {
        return put_off(server, w, server->lie, -1);
    }
    *cost = server->chunk_us * 1000ULL;
    return chunk.fields[OFF].item.value == 0 ? handle_first(server, &chunk, w, cost)
                                             : handle_next(server, &chunk, w);
}

static size_t handle_list(struct server *server, struct ferry_cbor_writer *w)
{
    server->lists_asked++;
    if (!server->lists) {
        return put_rc(w, 8);
    }
    ferry_cbor_open_map(w);
    ferry_cbor_put_text(w, "images");
    ferry_cbor_open_list(w);
    if (server->done) {
        ferry_cbor_open_map(w);
        ferry_cbor_pair_uint(w, "slot", 1);
        ferry_cbor_pair_text(w, "version", "1.0.0");
        ferry_cbor_pair_bytes(w, "hash", g_hash, HASH_LEN);
        ferry_cbor_close(w);
    }
    ferry_cbor_close(w);
    ferry_cbor_close(w);
    return w->len;
}

/* Handle one packet into answer; 0 = none. */
static size_t handle(struct server *server, struct ferry_bytes packet, uint8_t *answer,
                     uint64_t *cost)
{
    struct ferry_smp_header header;
    struct ferry_cbor_writer w;
    struct ferry_bytes payload;
    size_t len;

    server->requests++;
    assert_int_equal(ferry_smp_packet_read(packet, &header, &payload, NULL), FERRY_OK);
    assert_int_equal(payload.len + FERRY_SMP_HEADER_SIZE, packet.len);
    ferry_cbor_writer_init(&w, answer + FERRY_SMP_HEADER_SIZE, PACKET_SIZE - 8);
    if (header.id == FERRY_SMP_IMAGE_UPLOAD) {
        len = handle_upload(server, payload, &w, cost);
    } else {
        len = handle_list(server, &w);
    }
    if (server->requests == server->lose_answer) {
        return 0;
    }
    header.op++;
    header.length = (uint16_t)len;
    ferry_smp_header_write(&header, answer);
    return len + FERRY_SMP_HEADER_SIZE;
}

/* ---- The simulated world ------------------------------------------------------------------ */

struct packet {
    bool used;
    bool up; /* to the server */
    uint64_t at;
    uint32_t order;
    size_t len;
    uint8_t bytes[PACKET_SIZE];
};

struct world {
    struct server server;
    struct ferry_client client;
    struct ferry_client_request requests[FERRY_UPLOAD_WINDOW_MAX + 1];
    uint8_t buffers[(FERRY_UPLOAD_WINDOW_MAX + 1) * PACKET_SIZE];
    struct ferry_upload upload;
    struct ferry_upload_config config;
    struct ferry_upload_event last;
    char warnings[1024];
    uint32_t warning_count;
    /* The line */
    uint64_t ns_per_byte; /* 0 = fast */
    uint64_t latency_ns;
    uint32_t loss_permille;
    uint32_t double_permille;
    uint64_t jitter_ns; /* reorders */
    uint32_t random;
    uint64_t up_free;
    uint64_t down_free;
    uint32_t order;
    struct packet transit[IN_TRANSIT];
    /* The server's queue */
    struct packet queue[16];
    uint32_t queued;
    uint64_t busy_until;
    uint64_t now;     /* ns */
    uint32_t deepest; /* requests on their way or in the server, most at a time */
    uint32_t stop_at; /* stop the run when the server has this offset; 0 = never */
};

/* Bytes on a console line. */
static uint64_t wire_size(size_t len)
{
    uint64_t text = (len + 4 + 2) / 3 * 4;

    return text + 3 * ((text + 123) / 124);
}

static bool by_chance(struct world *world, uint32_t permille)
{
    return permille > 0 && next_random(&world->random) % 1000 < permille;
}

static void put_in_transit(struct world *world, bool up, const uint8_t *bytes, size_t len,
                           uint64_t at)
{
    for (size_t i = 0; i < IN_TRANSIT; i++) {
        struct packet *packet = &world->transit[i];

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
    uint64_t at = begin_at + wire_size(len) * world->ns_per_byte;

    *line_free = at;
    if (by_chance(world, world->loss_permille)) {
        return;
    }
    for (int copies = by_chance(world, world->double_permille) ? 2 : 1; copies > 0; copies--) {
        uint64_t jitter = world->jitter_ns > 0 ? next_random(&world->random) % world->jitter_ns : 0;

        put_in_transit(world, up, bytes, len, at + (up ? 0 : world->latency_ns) + jitter);
    }
}

/* The latency is the server's turnaround, so it stands in front of the answer only. */
static struct packet *next_packet(struct world *world)
{
    struct packet *next = NULL;

    for (size_t i = 0; i < IN_TRANSIT; i++) {
        struct packet *packet = &world->transit[i];

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

    for (size_t i = 0; i < IN_TRANSIT; i++) {
        depth += world->transit[i].used && world->transit[i].up;
    }
    world->deepest = depth > world->deepest ? depth : world->deepest;
}

/* A packet came up: into the queue, unless no buffer is left for it and its answer (C35). */
static void arrive(struct world *world, struct packet *packet)
{
    struct server *server = &world->server;

    packet->used = false;
    if (server->lose_request != 0 && server->lose_request == server->requests + world->queued + 1) {
        server->lose_request = 0;
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
    uint8_t answer[PACKET_SIZE];
    struct ferry_bytes packet = {world->queue[0].bytes, world->queue[0].len};
    uint64_t cost = 0;
    size_t len;

    len = handle(&world->server, packet, answer, &cost);
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

static void receive(struct world *world, struct packet *packet, uint64_t now_ms)
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
    uint64_t now_ms = world->now / NS_PER_MS;
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
    uint64_t deadline = deadline_ms == FERRY_CLIENT_NEVER ? NEVER : deadline_ms * NS_PER_MS;
    struct packet *packet = next_packet(world);

    if (packet == NULL || packet->at > deadline) {
        assert_true(deadline != NEVER); /* nothing would ever happen again */
        world->now = deadline > world->now ? deadline : world->now;
        return;
    }
    world->now = packet->at > world->now ? packet->at : world->now;
    if (packet->up) {
        arrive(world, packet);
    } else {
        receive(world, packet, world->now / NS_PER_MS);
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

static void run(struct world *world)
{
    uint64_t deadline = 0;

    for (uint32_t steps = 0; !run_client(world, &deadline) && !stopped(world); steps++) {
        assert_true(steps < 1000000);
        assert_true(world->now < 10000000 * NS_PER_MS);
        if (world->queued > 0 &&
            (deadline == FERRY_CLIENT_NEVER || world->busy_until < deadline * NS_PER_MS)) {
            struct packet *packet = next_packet(world);

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

static void set_client(struct world *world, size_t packet_max, uint8_t seq)
{
    struct ferry_client_config config = {.requests = world->requests,
                                         .request_count = FERRY_UPLOAD_WINDOW_MAX + 1,
                                         .buffers = world->buffers,
                                         .buffer_size = PACKET_SIZE,
                                         .first_seq = seq};

    if (world->ns_per_byte > 0) {
        config.bytes_per_second = (uint32_t)(1000 * NS_PER_MS / world->ns_per_byte);
    }
    assert_int_equal(ferry_client_init(&world->client, &config), FERRY_OK);
    ferry_client_set_packet_max(&world->client, packet_max);
}

static struct world g_world;

/* A fast clean line, a server with four buffers that erases for half a second. */
static struct world *set_up(enum kind kind, uint32_t size, size_t packet_max, uint32_t window)
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
    world->latency_ns = 5 * NS_PER_MS;
    world->config = (struct ferry_upload_config){.client = &world->client,
                                                 .read = read_file,
                                                 .size = size,
                                                 .sha = g_sha,
                                                 .hash = g_hash,
                                                 .hash_len = HASH_LEN,
                                                 .window = window};
    set_client(world, packet_max, 0xf0);
    return world;
}

static void start(struct world *world)
{
    assert_int_equal(ferry_upload_start(&world->upload, &world->config), FERRY_OK);
    run(world);
}

static void expect_done(struct world *world)
{
    if (world->last.kind != FERRY_UPLOAD_DONE) {
        print_message("ended with %d (%s) at %u: %s\n", (int)world->last.error,
                      ferry_error_name(world->last.error), (unsigned)world->last.acked,
                      world->last.text);
    }
    assert_int_equal(world->last.kind, FERRY_UPLOAD_DONE);
    assert_int_equal(world->last.acked, world->config.size);
    assert_true(world->server.done);
    assert_memory_equal(world->server.flash, g_file, world->config.size);
    assert_int_equal(world->upload.flight_count, 0);
}

static void expect_failed(struct world *world, int error)
{
    assert_int_equal(world->last.kind, FERRY_UPLOAD_FAILED);
    assert_int_equal(world->last.error, error);
    assert_true(strlen(world->last.text) > 5);
    assert_true(strlen(world->last.remedy) > 5);
    assert_int_equal(world->upload.flight_count, 0);
}

static bool warned(const struct world *world, const char *part)
{
    return strstr(world->warnings, part) != NULL;
}

/* ---- A clean line ------------------------------------------------------------------------- */

static void test_clean_uploads_of_all_sizes(void **state)
{
    static const size_t buffers[] = {128, 252, 256, 384, 508, 512, 1024, 1472, 2048};
    static const uint32_t sizes[] = {32,  33,  63,  64,   65,   127,  128,  255,   256,
                                     257, 511, 512, 1024, 4095, 4096, 4097, 65535, 65537};
    uint32_t runs = 0;

    (void)state;
    for (size_t b = 0; b < sizeof buffers / sizeof buffers[0]; b++) {
        for (size_t s = 0; s < sizeof sizes / sizeof sizes[0]; s++) {
            for (uint32_t variant = 0; variant < 4; variant++) {
                struct world *world = set_up(variant % 2 ? MCUBOOT : ZEPHYR, sizes[s], buffers[b],
                                             variant < 2 ? 3 : 1);

                start(world);
                expect_done(world);
                assert_int_equal(world->client.stats.retransmitted, 0);
                assert_int_equal(world->client.stats.stale, 0);
                assert_int_equal(world->server.overflows, 0);
                assert_int_equal(world->server.misaligned, 0);
                assert_int_equal(world->server.erases, 1);
                assert_int_equal(world->warning_count, 0);
                runs++;
            }
        }
    }
    print_message("%u clean uploads\n", (unsigned)runs);
    assert_int_equal(runs, 9 * 18 * 4);
}

/* Every size around the boundary of one and of two packets, and the packet is filled. */
static void test_sizes_around_the_packet(void **state)
{
    uint32_t runs = 0;

    (void)state;
    for (size_t packet = 128; packet <= 300; packet += 43) {
        for (uint32_t size = 32; size < 2 * packet; size++) {
            struct world *world = set_up(ZEPHYR, size, packet, 2);

            start(world);
            expect_done(world);
            assert_int_equal(world->client.stats.retransmitted, 0);
            runs++;
        }
    }
    print_message("%u sizes\n", (unsigned)runs);
    assert_true(runs > 1500);
}

static void test_the_window_is_used(void **state)
{
    (void)state;
    for (uint32_t window = 1; window <= FERRY_UPLOAD_WINDOW_MAX; window++) {
        struct world *world = set_up(ZEPHYR, 20000, 512, window);

        start(world);
        expect_done(world);
        assert_int_equal(world->deepest, window);
        assert_int_equal(world->server.overflows, 0);
    }
}

/* C9 and the fields of the first chunk. */
static void test_fields_of_the_first_chunk(void **state)
{
    struct world *world = set_up(ZEPHYR, 3000, 512, 3);

    (void)state;
    world->config.image = 2;
    world->config.upgrade = true;
    start(world);
    expect_done(world);
    assert_int_equal(world->server.image, 2);
    assert_true(world->server.upgrade);
    assert_int_equal(world->server.first_with_sha, 1);
    world = set_up(ZEPHYR, 3000, 512, 3);
    world->config.sha = NULL;
    start(world);
    expect_done(world);
    assert_int_equal(world->server.image, 0);
    assert_false(world->server.upgrade);
    assert_int_equal(world->server.first_with_sha, 0);
}

/* 115200 baud, 86.8 us a byte, 5 ms turnaround, four buffers of 512: the line is the limit. */
static void test_the_line_is_the_limit(void **state)
{
    struct world *world = set_up(ZEPHYR, 262144, 508, 3);
    double ideal = 0;
    double seconds;

    (void)state;
    world->ns_per_byte = 86806;
    world->server.erase_ms = 0;
    world->server.chunk_us = 0;
    set_client(world, 508, 0);
    start(world);
    expect_done(world);
    assert_int_equal(world->client.stats.retransmitted, 0);
    assert_int_equal(world->deepest, 3);
    /* N requests of n = 482 bytes of data, n + 26 bytes of message, and the last one's answer. */
    ideal = (double)(544 * wire_size(508)) * 86806e-9 + 0.005 + 35 * 86806e-9;
    seconds = (double)world->now * 1e-9;
    print_message("256 KiB: %.2f s, the line's own %.2f s\n", seconds, ideal);
    assert_true(seconds < ideal * 1.03);
    assert_true(seconds > ideal * 0.97);
}

/* ---- Bad lines ------------------------------------------------------------------------------ */

static void run_lossy(enum kind kind, uint32_t seed, bool datagrams)
{
    uint32_t random = seed * 2654435761U + 1;
    uint32_t size = 64 + next_random(&random) % 12000;
    size_t packet = 128 + next_random(&random) % 900;
    struct world *world = set_up(kind, size, packet, 1 + next_random(&random) % 5);

    world->random = next_random(&random) | 1;
    world->loss_permille = next_random(&random) % 150;
    world->double_permille = next_random(&random) % 100;
    world->jitter_ns = datagrams ? 4 * NS_PER_MS : 0;
    world->ns_per_byte = datagrams ? 0 : 8680;
    world->server.write_size = 1U << next_random(&random) % 6;
    world->server.image_check = next_random(&random) % 2;
    world->config.hash = next_random(&random) % 2 ? g_hash : NULL;
    set_client(world, packet, (uint8_t)next_random(&random));
    start(world);
    if (world->last.kind != FERRY_UPLOAD_DONE) {
        print_message("seed %u kind %d\n", (unsigned)seed, (int)kind);
    }
    expect_done(world);
}

static void test_lossy_lines(void **state)
{
    uint32_t runs = 0;

    (void)state;
    for (uint32_t seed = 1; seed <= 400; seed++) {
        run_lossy(ZEPHYR, seed, false);
        run_lossy(MCUBOOT, seed, false);
        run_lossy(ZEPHYR, seed, true);
        runs += 3;
    }
    print_message("%u uploads over bad lines\n", (unsigned)runs);
    assert_int_equal(runs, 1200);
}

/* Each request lost once, and each answer, at every place of a short upload. */
static void test_each_packet_lost_once(void **state)
{
    uint32_t runs = 0;

    (void)state;
    for (uint32_t kind = ZEPHYR; kind <= MCUBOOT; kind++) {
        for (uint32_t window = 1; window <= 3; window++) {
            for (uint32_t n = 1; n <= 12; n++) {
                for (uint32_t answer = 0; answer < 2; answer++) {
                    struct world *world = set_up((enum kind)kind, 2000, 256, window);

                    world->server.lose_request = answer ? 0 : n;
                    world->server.lose_answer = answer ? n : 0;
                    start(world);
                    expect_done(world);
                    assert_int_equal(world->server.erases, 1);
                    runs++;
                }
            }
        }
    }
    print_message("%u uploads with one packet lost\n", (unsigned)runs);
    assert_int_equal(runs, 2 * 3 * 12 * 2);
}

/* A chunk lost in a full window is sent again at once: the server's answers tell. */
static void test_a_lost_chunk_costs_no_timeout(void **state)
{
    struct world *world = set_up(ZEPHYR, 20000, 256, 3);
    uint64_t clean;

    (void)state;
    start(world);
    clean = world->now;
    world = set_up(ZEPHYR, 20000, 256, 3);
    world->server.lose_request = 20;
    start(world);
    expect_done(world);
    assert_true(warned(world, "lost"));
    assert_true(world->now < clean + 200 * NS_PER_MS);
    assert_int_equal(world->client.stats.retransmitted, 0);
}

static void test_the_window_shrinks_and_grows(void **state)
{
    struct world *world = set_up(ZEPHYR, 40000, 256, 4);

    (void)state;
    world->server.lose_request = 10;
    world->stop_at = 2600;
    start(world);
    assert_in_range(world->upload.window.size, 2, 3);
    world->stop_at = 0;
    run(world);
    expect_done(world);
    assert_int_equal(world->upload.window.size, 4);
}

static void test_a_dead_device_is_a_timeout(void **state)
{
    struct world *world = set_up(ZEPHYR, 20000, 256, 3);

    (void)state;
    world->stop_at = 3000;
    start(world);
    world->stop_at = 0;
    world->loss_permille = 1000;
    run(world);
    expect_failed(world, FERRY_E_TIMEOUT);
    assert_true(world->client.stats.retransmitted > 0);

    world = set_up(ZEPHYR, 20000, 256, 3);
    world->loss_permille = 1000;
    start(world);
    expect_failed(world, FERRY_E_TIMEOUT);
}

/* ---- The corner cases --------------------------------------------------------------------- */

/* C1: another offset, with success: the server's is the truth. */
static void test_C1_offset_is_truth(void **state)
{
    struct world *world = set_up(ZEPHYR, 4000, 256, 1);
    uint32_t clean;

    (void)state;
    start(world);
    clean = world->server.requests;
    world = set_up(ZEPHYR, 4000, 256, 1);
    world->server.lie = 64; /* the 3rd answer says 64, though it has two chunks */
    start(world);
    expect_done(world);
    assert_int_equal(world->server.erases, 1);
    assert_int_equal(world->server.requests, clean + 2);
}

/* C2: back at 0 in the middle: len and sha are sent again. */
static void test_C2_restart_sends_first_fields_again(void **state)
{
    (void)state;
    for (uint32_t kind = ZEPHYR; kind <= MCUBOOT; kind++) {
        struct world *world = set_up((enum kind)kind, 8000, 256, 3);

        world->server.reset_at = 15;
        world->server.resets = 1;
        world->server.erase_ms = 30000; /* the new first chunk goes alone, and is waited for */
        start(world);
        expect_done(world);
        assert_int_equal(world->server.firsts, 2);
        assert_int_equal(world->server.erases, 2);
        assert_int_equal(world->server.first_with_len, 2);
        assert_int_equal(world->server.first_with_sha, 2);
        assert_true(warned(world, "forgotten"));
    }
}

/* C3: an error ends it, though it has no offset and the chunks behind it are answered with 0. */
static void test_C3_error_without_offset_ends(void **state)
{
    struct world *world = set_up(ZEPHYR, 8000, 256, 3);

    (void)state;
    world->server.refuse_at = 10;
    start(world);
    expect_failed(world, FERRY_E_REFUSED);
    assert_true(world->last.status.grouped);
    assert_int_equal(world->last.status.group, 1);
    assert_int_equal(world->last.status.rc, 12);
    assert_int_equal(world->server.firsts, 1);
}

/* C3: nor is success without an offset taken for offset 0. */
static void test_C3_success_without_offset_ends(void **state)
{
    struct world *world = set_up(ZEPHYR, 8000, 256, 3);

    (void)state;
    world->server.no_off = true;
    start(world);
    expect_failed(world, FERRY_E_FORMAT);
}

/* C4: beyond the file is an error; back and forth for ever is one, too. */
static void test_C4_offset_beyond_the_file(void **state)
{
    struct world *world = set_up(ZEPHYR, 8000, 256, 3);

    (void)state;
    world->server.lie = 8001;
    start(world);
    expect_failed(world, FERRY_E_RANGE);
}

static void test_C4_going_in_circles_ends(void **state)
{
    struct world *world = set_up(MCUBOOT, 8000, 256, 1);

    (void)state;
    world->server.reset_at = 10;
    world->server.resets = 1000;
    start(world);
    expect_failed(world, FERRY_E_STUCK);
    assert_int_equal(world->server.firsts, FERRY_UPLOAD_RESTARTS_MAX + 1);
}

static void test_same_offset_again_and_again_is_stuck(void **state)
{
    (void)state;
    for (uint32_t window = 1; window <= 3; window++) {
        struct world *world = set_up(ZEPHYR, 8000, 256, window);

        world->server.stuck_at = 3000;
        start(world);
        expect_failed(world, FERRY_E_STUCK);
        assert_in_range(world->last.acked, 2700, 3000);
        assert_int_equal(world->last.acked, world->server.off);
    }
}

/* C5: the first answer may say all is there. */
static void test_C5_everything_is_there_already(void **state)
{
    struct world *world = set_up(ZEPHYR, 8000, 256, 3);

    (void)state;
    world->server.image_check = true;
    start(world);
    expect_done(world);
    assert_true(world->last.matched);
    assert_false(world->last.resumed);

    uint32_t before = world->server.requests;

    start(world);
    expect_done(world);
    assert_int_equal(world->server.requests, before + 1);
    assert_true(world->last.matched);
    assert_true(world->last.resumed);
    assert_int_equal(world->server.erases, 1);
}

/* C6: the tail of a chunk is not stored; the chunks learn the write size. */
static void test_C6_chunks_are_cut_to_the_write_size(void **state)
{
    (void)state;
    for (uint32_t write_size = 16; write_size <= 32; write_size *= 2) {
        for (uint32_t window = 1; window <= 3; window += 2) {
            struct world *world = set_up(MCUBOOT, 20000, 242, window);

            world->server.write_size = write_size;
            start(world);
            expect_done(world);
            assert_true(world->server.misaligned <= 8);
            assert_true(world->server.misaligned > 0);
            assert_true(warned(world, "write size"));
            assert_int_equal(world->server.erases, 1);
        }
    }
    /* Told beforehand, nothing is cut. */
    struct world *world = set_up(MCUBOOT, 20000, 242, 1);

    world->server.write_size = 32;
    world->config.align = 32;
    start(world);
    expect_done(world);
    assert_int_equal(world->server.misaligned, 0);
}

/* C7: the first chunk holds the whole header; the sha gives way. */
static void test_C7_small_packets_leave_the_sha_out(void **state)
{
    struct world *world = set_up(ZEPHYR, 1000, 90, 1);

    (void)state;
    start(world);
    expect_done(world);
    assert_int_equal(world->server.first_with_sha, 0);
    assert_true(world->server.first_len >= 32);
    assert_true(warned(world, "SHA-256"));

    /* Not even that fits. */
    world = set_up(ZEPHYR, 70000, 64, 1);
    world->config.image = 1;
    world->config.upgrade = true;
    start(world);
    expect_failed(world, FERRY_E_SPACE);
}

/* C8: the first chunk is never sent again while an erasing bootloader may still be at it. */
static void test_C8_first_chunk_is_not_repeated(void **state)
{
    static const uint32_t erases_ms[] = {2000, 5000, 20000, 39000};
    uint32_t runs = 0;

    (void)state;
    for (uint32_t kind = ZEPHYR; kind <= MCUBOOT; kind++) {
        for (uint32_t i = 0; i < 4; i++) {
            struct world *world = set_up((enum kind)kind, 4000, 256, kind == ZEPHYR ? 3 : 1);

            world->server.erase_ms = erases_ms[i];
            start(world);
            expect_done(world);
            assert_int_equal(world->server.erases, 1);
            assert_int_equal(world->server.firsts, 1);
            runs++;
        }
    }
    assert_int_equal(runs, 8);
}

/* C8: its answer is lost: the second chunk asks, and neither an erase nor 40 s are spent. */
static void test_C8_lost_first_answer_is_asked_for(void **state)
{
    (void)state;
    for (uint32_t kind = ZEPHYR; kind <= MCUBOOT; kind++) {
        struct world *world = set_up((enum kind)kind, 4000, 256, 1);

        world->server.lose_answer = 1;
        start(world);
        expect_done(world);
        assert_int_equal(world->server.erases, 1);
        assert_int_equal(world->server.firsts, 1);
        assert_true(world->now < 6000 * NS_PER_MS);

        /* Lost on the way up: the answer to the question says 0, and it is sent. */
        world = set_up((enum kind)kind, 4000, 256, 1);
        world->server.lose_request = 1;
        start(world);
        expect_done(world);
        assert_int_equal(world->server.erases, 1);
        assert_int_equal(world->server.firsts, 1);
        assert_true(world->now < 6000 * NS_PER_MS);
    }
}

/* A file of one chunk has no second one to ask with: the budget passes, then it is repeated. */
static void test_C8_single_chunk_waits_for_the_budget(void **state)
{
    struct world *world = set_up(MCUBOOT, 100, 256, 1);

    (void)state;
    world->config.first_timeout_ms = 10000;
    world->server.lose_request = 1;
    start(world);
    expect_done(world);
    assert_int_equal(world->client.stats.retransmitted, 1);
    assert_in_range(world->now / NS_PER_MS, 10000, 11000);
}

/* C10: match is on the last answer only; false is a failure, absent is not. */
static void test_C10_match(void **state)
{
    struct world *world = set_up(ZEPHYR, 4000, 256, 3);

    (void)state;
    world->server.image_check = true;
    world->server.says_no_match = true;
    start(world);
    expect_failed(world, FERRY_E_MISMATCH);

    world = set_up(ZEPHYR, 4000, 256, 3);
    start(world);
    expect_done(world);
    assert_false(world->last.matched);

    /* Without a sha of ours the server says false: it has nothing to compare with. */
    world = set_up(ZEPHYR, 4000, 256, 3);
    world->server.image_check = true;
    world->config.sha = NULL;
    start(world);
    expect_done(world);
    assert_false(world->last.matched);
}

/* C11: the last answer is lost. Zephyr has forgotten the upload by then and says 0. */
static void test_C11_last_answer_lost(void **state)
{
    (void)state;
    for (uint32_t kind = ZEPHYR; kind <= MCUBOOT; kind++) {
        struct world *world = set_up((enum kind)kind, 2000, 256, 1);
        uint32_t last;

        start(world);
        last = world->server.requests;
        world = set_up((enum kind)kind, 2000, 256, 1);
        world->server.lose_answer = last;
        start(world);
        expect_done(world);
        assert_int_equal(world->server.erases, 1);
        assert_int_equal(world->server.lists_asked, kind == ZEPHYR ? 1 : 0);
        assert_int_equal(warned(world, "lists the image"), kind == ZEPHYR);

        /* A server without a list, or a client without the hash, does it all again. */
        for (int i = 0; i < 2; i++) {
            world = set_up((enum kind)kind, 2000, 256, 1);
            world->server.lose_answer = last;
            world->server.lists = i == 0 ? false : true;
            world->config.hash = i == 0 ? g_hash : NULL;
            start(world);
            expect_done(world);
            assert_int_equal(world->server.erases, kind == ZEPHYR ? 2 : 1);
        }
    }
}

/* C12: busy while it erases: wait, the same offset again. */
static void test_C12_busy_is_waited_for(void **state)
{
    struct world *world = set_up(ZEPHYR, 4000, 256, 3);
    uint32_t clean;

    (void)state;
    start(world);
    clean = world->server.requests;
    world = set_up(ZEPHYR, 4000, 256, 3);
    world->server.busy = 12;
    start(world);
    expect_done(world);
    assert_int_equal(world->server.requests, 12 + clean);
    assert_true(warned(world, "busy"));
    assert_true(world->now > 5000 * NS_PER_MS);

    world = set_up(ZEPHYR, 4000, 256, 3);
    world->server.busy = 100000;
    start(world);
    expect_failed(world, FERRY_E_REFUSED);
    assert_int_equal(world->last.status.rc, FERRY_RC_BUSY);
    assert_in_range(world->now / NS_PER_MS, 40000, 42000);
}

/* C35: an answer takes a buffer, too; a server that runs out gets fewer chunks at once. */
static void test_C35_no_buffers_shrink_the_window(void **state)
{
    struct world *world = set_up(ZEPHYR, 20000, 256, 4);

    (void)state;
    world->server.no_memory = 3;
    world->stop_at = 1500;
    start(world);
    assert_true(world->upload.window.size < 4);
    assert_true(warned(world, "buffers"));
    world->stop_at = 0;
    run(world);
    expect_done(world);
    assert_int_equal(world->server.erases, 1);

    world = set_up(ZEPHYR, 20000, 256, 4);
    world->server.no_memory = 100000;
    start(world);
    expect_failed(world, FERRY_E_REFUSED);
    assert_int_equal(world->last.status.rc, FERRY_RC_NO_MEMORY);

    /* One that drops in silence (too few buffers for the window) is served all the same. */
    world = set_up(ZEPHYR, 20000, 256, 4);
    world->server.buf_count = 2;
    start(world);
    expect_done(world);
    assert_true(world->server.overflows > 0);
}

/* C39: answers that come after their timeout do no harm: every one comes late here. */
static void test_C39_late_answers(void **state)
{
    struct world *world = set_up(ZEPHYR, 3000, 256, 2);

    (void)state;
    world->latency_ns = 3000 * NS_PER_MS; /* above the ordinary timeout */
    start(world);
    expect_done(world);
    assert_true(world->client.stats.retransmitted > 0);
    assert_true(world->client.stats.stale > 0);
    assert_int_equal(world->server.erases, 1);
}

/* C39: a client that starts anew does not take the old one's answers. */
static void test_C39_resume_by_a_new_client(void **state)
{
    struct world *world = set_up(ZEPHYR, 20000, 256, 3);
    uint32_t before;

    (void)state;
    world->stop_at = 10000;
    start(world);
    before = world->server.requests;
    world->stop_at = 0;
    set_client(world, 256, 0x33);
    start(world);
    expect_done(world);
    assert_true(world->last.resumed);
    assert_int_equal(world->server.erases, 1);
    assert_true(world->server.requests - before < 55);

    /* MCUboot does not resume: it begins anew, and that works, too. */
    world = set_up(MCUBOOT, 20000, 256, 1);
    world->stop_at = 10000;
    start(world);
    world->stop_at = 0;
    set_client(world, 256, 0x33);
    start(world);
    expect_done(world);
    assert_false(world->last.resumed);
    assert_int_equal(world->server.erases, 2);
}

/* ---- The rest ------------------------------------------------------------------------------- */

static int read_nothing(void *context, uint32_t off, uint8_t *buf, size_t len)
{
    (void)context;
    (void)buf;
    (void)len;
    return off == 0 ? FERRY_OK : FERRY_E_IO;
}

static void test_a_file_that_cannot_be_read(void **state)
{
    struct world *world = set_up(MCUBOOT, 8000, 256, 3);

    (void)state;
    world->config.read = read_nothing;
    start(world);
    expect_failed(world, FERRY_E_IO);
}

static void test_cancel(void **state)
{
    struct world *world = set_up(ZEPHYR, 8000, 256, 3);

    (void)state;
    world->stop_at = 2000;
    start(world);
    ferry_upload_cancel(&world->upload);
    world->stop_at = 0;
    run(world);
    expect_failed(world, FERRY_E_CANCELLED);
    ferry_upload_cancel(&world->upload);
    assert_true(ferry_upload_deadline(&world->upload) == FERRY_CLIENT_NEVER);
}

static void test_configuration_is_checked(void **state)
{
    struct world *world = set_up(ZEPHYR, 8000, 256, 3);

    (void)state;
    for (int i = 0; i < 5; i++) {
        struct ferry_upload_config bad = world->config;

        bad.client = i == 0 ? NULL : bad.client;
        bad.read = i == 1 ? NULL : bad.read;
        bad.size = i == 2 ? 0 : bad.size;
        bad.align = i == 3 ? 24 : i == 4 ? 1024 : 0;
        assert_int_equal(ferry_upload_start(&world->upload, &bad), FERRY_E_CONFIG);
    }
}

static void test_foreign_answers_are_left_alone(void **state)
{
    struct world *world = set_up(ZEPHYR, 8000, 256, 3);
    struct ferry_client_answer answer = {.ticket = 4711};

    (void)state;
    assert_int_equal(ferry_upload_start(&world->upload, &world->config), FERRY_OK);
    assert_false(ferry_upload_answer(&world->upload, &answer, 0));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_clean_uploads_of_all_sizes),
        cmocka_unit_test(test_sizes_around_the_packet),
        cmocka_unit_test(test_the_window_is_used),
        cmocka_unit_test(test_fields_of_the_first_chunk),
        cmocka_unit_test(test_the_line_is_the_limit),
        cmocka_unit_test(test_lossy_lines),
        cmocka_unit_test(test_each_packet_lost_once),
        cmocka_unit_test(test_a_lost_chunk_costs_no_timeout),
        cmocka_unit_test(test_the_window_shrinks_and_grows),
        cmocka_unit_test(test_a_dead_device_is_a_timeout),
        cmocka_unit_test(test_C1_offset_is_truth),
        cmocka_unit_test(test_C2_restart_sends_first_fields_again),
        cmocka_unit_test(test_C3_error_without_offset_ends),
        cmocka_unit_test(test_C3_success_without_offset_ends),
        cmocka_unit_test(test_C4_offset_beyond_the_file),
        cmocka_unit_test(test_C4_going_in_circles_ends),
        cmocka_unit_test(test_same_offset_again_and_again_is_stuck),
        cmocka_unit_test(test_C5_everything_is_there_already),
        cmocka_unit_test(test_C6_chunks_are_cut_to_the_write_size),
        cmocka_unit_test(test_C7_small_packets_leave_the_sha_out),
        cmocka_unit_test(test_C8_first_chunk_is_not_repeated),
        cmocka_unit_test(test_C8_lost_first_answer_is_asked_for),
        cmocka_unit_test(test_C8_single_chunk_waits_for_the_budget),
        cmocka_unit_test(test_C10_match),
        cmocka_unit_test(test_C11_last_answer_lost),
        cmocka_unit_test(test_C12_busy_is_waited_for),
        cmocka_unit_test(test_C35_no_buffers_shrink_the_window),
        cmocka_unit_test(test_C39_late_answers),
        cmocka_unit_test(test_C39_resume_by_a_new_client),
        cmocka_unit_test(test_a_file_that_cannot_be_read),
        cmocka_unit_test(test_cancel),
        cmocka_unit_test(test_configuration_is_checked),
        cmocka_unit_test(test_foreign_answers_are_left_alone),
    };

    fill_file();
    return cmocka_run_group_tests(tests, NULL, NULL);
}
