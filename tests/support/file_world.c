/* SPDX-License-Identifier: Apache-2.0 */
#include "file_world.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <string.h>

#include "ferry/cbor.h"

#define PACKET_SIZE 1024
#define IN_TRANSIT  64
#define REQUESTS    9
#define LATENCY_MS  5

struct packet {
    bool used;
    bool up;
    uint64_t at;
    uint32_t order;
    size_t len;
    uint8_t bytes[PACKET_SIZE];
};

struct run {
    struct file_world *world;
    struct ferry_client client;
    struct ferry_client_request requests[REQUESTS];
    uint8_t buffers[REQUESTS * PACKET_SIZE];
    struct packet transit[IN_TRANSIT];
    uint32_t order;
    bool up; /* an upload */
    union {
        struct ferry_file_upload upload;
        struct ferry_file_download download;
    };
};

uint8_t file_world_byte(uint32_t off)
{
    return (uint8_t)(off * 7 + (off >> 8) * 13 + (off >> 16));
}

void file_world_init(struct file_world *world)
{
    memset(world, 0, sizeof *world);
    world->chunk = 400;
    world->buffers = 4;
    world->window = 3;
    world->packet_max = 500;
    world->random = 1;
}

/* ---- The server ----------------------------------------------------------------------------- */

enum { OFF, DATA, LEN, NAME, FIELDS };

static void put_rc(struct ferry_cbor_writer *w, uint32_t rc)
{
    ferry_cbor_put_map(w, 1);
    ferry_cbor_pair_uint(w, "rc", rc);
}

/* A group error; with version 1 it is an rc. expected: where the file ends, UINT32_MAX = not said.
 */
static void put_err(const struct file_world *world, struct ferry_cbor_writer *w, uint32_t rc,
                    uint32_t expected)
{
    if (world->version_1) {
        put_rc(w, rc == 3 ? FERRY_RC_NO_ENTRY : FERRY_RC_UNKNOWN);
        return;
    }
    ferry_cbor_open_map(w);
    ferry_cbor_put_text(w, "err");
    ferry_cbor_put_map(w, 2);
    ferry_cbor_pair_uint(w, "group", FERRY_SMP_GROUP_FS);
    ferry_cbor_pair_uint(w, "rc", rc);
    if (expected != UINT32_MAX) {
        ferry_cbor_pair_uint(w, "len", expected);
    }
    ferry_cbor_close(w);
}

static void put_data(const struct file_world *world, struct ferry_cbor_writer *w,
                     const uint8_t *data, size_t len)
{
    ferry_cbor_put_text(w, "data");
    if (!world->chunked) {
        ferry_cbor_put_bytes(w, data, len);
        return;
    }
    uint8_t begin_mark = 0x5f; /* a byte string of indefinite length, RFC 8949 §3.2.3 */

    w->buf[w->len++] = begin_mark;
    ferry_cbor_put_bytes(w, data, len / 2);
    ferry_cbor_put_bytes(w, data + len / 2, len - len / 2);
    ferry_cbor_close(w);
}

static void download(struct file_world *world, struct ferry_cbor_field *fields,
                     struct ferry_cbor_writer *w)
{
    uint32_t off = (uint32_t)fields[OFF].item.value;
    uint32_t head = off < 24 ? 1 : off < 256 ? 2 : off < 65536 ? 3 : 5;
    uint32_t len = world->fills ? world->chunk - head - (off == 0 ? 7 : 0) : world->chunk;

    if (!world->exists) {
        put_err(world, w, 3, UINT32_MAX);
        return;
    }
    off += world->requests == world->shifted_at ? 100 : 0;
    len = world->requests == world->short_at ? 10 : len;
    len = off >= world->size ? 0 : ferry_min32(len, world->size - off);
    if (world->empty_from != 0) {
        len = off >= world->empty_from ? 0 : ferry_min32(len, world->empty_from - off);
    }
    ferry_cbor_open_map(w);
    ferry_cbor_pair_uint(w, "off", off);
    put_data(world, w, world->file + off, len);
    if (fields[OFF].item.value == 0 && !world->no_len) {
        ferry_cbor_pair_uint(w, "len", world->said_len != 0 ? world->said_len : world->size);
    }
    ferry_cbor_close(w);
}

/* Where a chunk must begin. */
static uint32_t expected_at(const struct file_world *world)
{
    return world->open ? world->count : world->exists ? world->size : 0;
}

/* The first chunk cuts the file. Zephyr goes on counting when the upload is open already. */
static void begin_upload(struct file_world *world, const struct ferry_cbor_field *fields)
{
    assert_true(fields[LEN].present);
    world->firsts++;
    world->count = world->open && !world->ferry ? world->count : 0;
    world->len = (uint32_t)fields[LEN].item.value;
    if (fields[DATA].item.bytes.len > 0 || world->ferry || !world->exists) {
        world->size = 0;
    }
    world->exists = true;
    world->open = true;
}

static void upload(struct file_world *world, struct ferry_cbor_field *fields,
                   struct ferry_cbor_writer *w)
{
    uint32_t off = (uint32_t)fields[OFF].item.value;
    struct ferry_bytes data = fields[DATA].item.bytes;
    uint32_t len = (uint32_t)data.len;

    if (off == 0) {
        begin_upload(world, fields);
    } else if (off != expected_at(world) || (world->stuck_at != 0 && off + len > world->stuck_at)) {
        uint32_t expected = expected_at(world);

        world->open = world->open && world->ferry;
        put_err(world, w, 11, expected);
        return;
    } else if (!world->open) {
        world->open = true;
        world->count = world->size;
        world->len = world->ferry && fields[LEN].present ? (uint32_t)fields[LEN].item.value : 0;
    }
    len = world->write_max != 0 ? ferry_min32(len, world->write_max) : len;
    assert_true(world->size + len <= FILE_WORLD_SIZE);
    memcpy(world->file + world->size, data.data, len);
    world->size += len;
    world->count += len;
    world->open = world->count != world->len || world->len == 0;
    ferry_cbor_put_map(w, 1);
    ferry_cbor_pair_uint(w, "off", world->count);
}

static void question(struct file_world *world, uint8_t id, struct ferry_cbor_writer *w)
{
    if (id == FERRY_SMP_FS_STATUS) {
        world->statuses++;
    } else {
        world->closes++;
        world->open = world->open && world->no_status;
    }
    if (world->no_status) {
        put_rc(w, FERRY_RC_NOT_SUPPORTED);
    } else if (id == FERRY_SMP_FS_CLOSE && world->fails_close) {
        put_err(world, w, 17, UINT32_MAX);
    } else if (id == FERRY_SMP_FS_CLOSE) {
        ferry_cbor_put_map(w, 0);
    } else if (!world->exists) {
        put_err(world, w, 3, UINT32_MAX);
    } else {
        ferry_cbor_put_map(w, 1);
        ferry_cbor_pair_uint(w, "len", world->size);
    }
}

static void handle_payload(struct file_world *world, const struct ferry_smp_header *header,
                           struct ferry_bytes payload, struct ferry_cbor_writer *w)
{
    struct ferry_cbor_field fields[FIELDS] = {[OFF] = {.key = "off", .kind = FERRY_CBOR_UINT},
                                              [DATA] = {.key = "data", .kind = FERRY_CBOR_BYTES},
                                              [LEN] = {.key = "len", .kind = FERRY_CBOR_UINT},
                                              [NAME] = {.key = "name", .kind = FERRY_CBOR_TEXT}};

    assert_int_equal(header->group, FERRY_SMP_GROUP_FS);
    assert_int_equal(ferry_cbor_read_map(payload, fields, FIELDS), FERRY_OK);
    if (header->id != FERRY_SMP_FS_FILE) {
        question(world, header->id, w);
        return;
    }
    assert_true(ferry_cbor_is_text(&fields[NAME].item, "/lfs1/a"));
    if (world->requests == world->forget_at) {
        world->size = ferry_min32(world->size, world->forget_size);
        world->open = false;
    }
    if (world->requests == world->refuse_at) {
        put_err(world, w, 10, UINT32_MAX);
    } else if (world->passing > 0 && fields[OFF].item.value > 0) {
        world->passing--;
        put_rc(w, world->passing_rc);
    } else if (header->op == FERRY_SMP_READ) {
        download(world, fields, w);
    } else {
        upload(world, fields, w);
    }
}

/* ---- The line ------------------------------------------------------------------------------- */

static uint32_t next_random(struct file_world *world)
{
    world->random ^= world->random << 13;
    world->random ^= world->random >> 17;
    world->random ^= world->random << 5;
    return world->random;
}

static bool by_chance(struct file_world *world, uint32_t permille)
{
    return permille > 0 && next_random(world) % 1000 < permille;
}

static void put_in_transit(struct run *run, bool up, const uint8_t *bytes, size_t len)
{
    struct file_world *world = run->world;
    uint32_t jitter = world->jitter_ms > 0 ? next_random(world) % world->jitter_ms : 0;

    for (size_t i = 0; i < IN_TRANSIT; i++) {
        struct packet *packet = &run->transit[i];

        if (!packet->used) {
            packet->used = true;
            packet->up = up;
            packet->at = world->now + LATENCY_MS + jitter;
            packet->order = run->order++;
            packet->len = len;
            memcpy(packet->bytes, bytes, len);
            return;
        }
    }
    fail_msg("too many packets in transit");
}

static void transmit(struct run *run, bool up, const uint8_t *bytes, size_t len)
{
    if (by_chance(run->world, run->world->loss_permille)) {
        return;
    }
    put_in_transit(run, up, bytes, len);
    if (by_chance(run->world, run->world->double_permille)) {
        put_in_transit(run, up, bytes, len);
    }
}

static struct packet *next_packet(struct run *run)
{
    struct packet *next = NULL;

    for (size_t i = 0; i < IN_TRANSIT; i++) {
        struct packet *packet = &run->transit[i];

        if (packet->used && (next == NULL || packet->at < next->at ||
                             (packet->at == next->at && packet->order < next->order))) {
            next = packet;
        }
    }
    return next;
}

static void serve(struct run *run, const struct packet *packet)
{
    struct file_world *world = run->world;
    struct ferry_bytes bytes = {packet->bytes, packet->len};
    struct ferry_smp_header header;
    struct ferry_bytes payload;
    uint8_t answer[PACKET_SIZE];
    struct ferry_cbor_writer w;

    world->requests++;
    if (world->requests == world->lose_request) {
        return;
    }
    assert_int_equal(ferry_smp_packet_read(bytes, &header, &payload, NULL), FERRY_OK);
    ferry_cbor_writer_init(&w, answer + FERRY_SMP_HEADER_SIZE, sizeof answer - 8);
    handle_payload(world, &header, payload, &w);
    assert_true(ferry_cbor_writer_result(&w) > 0);
    if (world->lose_answer != 0 && world->requests >= world->lose_answer &&
        world->requests <= world->lose_answer + world->lose_answers) {
        return;
    }
    header.op++;
    header.length = (uint16_t)w.len;
    ferry_smp_header_write(&header, answer);
    transmit(run, false, answer, w.len + FERRY_SMP_HEADER_SIZE);
}

/* ---- The client ----------------------------------------------------------------------------- */

static int read_file(void *context, uint32_t off, uint8_t *buf, size_t len)
{
    const struct file_world *world = context;

    (void)world;
    for (size_t i = 0; i < len; i++) {
        buf[i] = file_world_byte(off + (uint32_t)i);
    }
    return FERRY_OK;
}

static int write_file(void *context, uint32_t off, const uint8_t *data, size_t len, uint32_t total)
{
    struct file_world *world = context;

    assert_true(len > 0 && off <= total && len <= total - off && total <= FILE_WORLD_SIZE);
    if (world->write_fails_at != 0 && off >= world->write_fails_at) {
        return FERRY_E_FULL;
    }
    memcpy(world->got + off, data, len);
    return FERRY_OK;
}

static bool next_event(struct run *run, struct ferry_file_event *event)
{
    return run->up ? ferry_file_upload_next(&run->upload, run->world->now, event)
                   : ferry_file_download_next(&run->download, run->world->now, event);
}

static void take_answer(struct run *run, const struct ferry_client_answer *answer)
{
    bool taken = run->up ? ferry_file_upload_answer(&run->upload, answer, run->world->now)
                         : ferry_file_download_answer(&run->download, answer, run->world->now);

    assert_true(taken);
}

static void note(struct file_world *world, const struct ferry_file_event *event)
{
    world->last = *event;
    assert_true(event->total == 0 || event->done <= event->total);
    if (event->kind == FERRY_FILE_WARNING) {
        assert_true(strlen(world->warnings) + strlen(event->text) + 2 < sizeof world->warnings);
        strcat(world->warnings, event->text);
        strcat(world->warnings, "\n");
    }
}

static void measure_depth(struct run *run)
{
    uint32_t depth = 0;

    for (size_t i = 0; i < IN_TRANSIT; i++) {
        depth += run->transit[i].used && run->transit[i].up;
    }
    run->world->deepest = ferry_max32(run->world->deepest, depth);
}

/* Everything the client wants to do now. Returns whether the transfer is over. */
static bool run_client(struct run *run, uint64_t *deadline)
{
    struct ferry_client_answer answer;
    struct ferry_file_event event;
    struct ferry_bytes packet;

    while (ferry_client_expire(&run->client, run->world->now, &answer)) {
        take_answer(run, &answer);
    }
    while (next_event(run, &event)) {
        note(run->world, &event);
        if (event.kind == FERRY_FILE_DONE || event.kind == FERRY_FILE_FAILED) {
            assert_false(next_event(run, &event));
            return true;
        }
    }
    while (ferry_client_poll(&run->client, run->world->now, &packet, deadline)) {
        transmit(run, true, packet.data, packet.len);
    }
    measure_depth(run);
    uint64_t own = run->up ? ferry_file_upload_deadline(&run->upload)
                           : ferry_file_download_deadline(&run->download);

    *deadline = own < *deadline ? own : *deadline;
    return false;
}

static void step(struct run *run, uint64_t deadline)
{
    struct file_world *world = run->world;
    struct packet *packet = next_packet(run);
    struct ferry_client_answer answer;

    if (packet == NULL || packet->at > deadline) {
        assert_true(deadline != FERRY_CLIENT_NEVER); /* nothing would ever happen again */
        world->now = deadline > world->now ? deadline : world->now;
        return;
    }
    world->now = packet->at > world->now ? packet->at : world->now;
    packet->used = false;
    if (packet->up) {
        serve(run, packet);
    } else if (ferry_client_receive(&run->client, (struct ferry_bytes){packet->bytes, packet->len},
                                    world->now, &answer) == FERRY_OK) {
        take_answer(run, &answer);
    }
}

static void set_up(struct run *run, struct file_world *world)
{
    struct ferry_client_config config = {.requests = run->requests,
                                         .request_count = REQUESTS,
                                         .buffers = run->buffers,
                                         .buffer_size = PACKET_SIZE};

    memset(run, 0, sizeof *run);
    run->world = world;
    assert_int_equal(ferry_client_init(&run->client, &config), FERRY_OK);
    ferry_client_set_packet_max(&run->client, world->packet_max);
    if (world->version_1) {
        ferry_client_set_version(&run->client, FERRY_SMP_VERSION_1);
    }
}

static void run_all(struct run *run)
{
    uint64_t deadline = 0;

    for (uint32_t steps = 0; !run_client(run, &deadline); steps++) {
        assert_true(steps < 500000);
        step(run, deadline);
    }
}

static struct run g_run;

void file_world_download(struct file_world *world, uint32_t size)
{
    set_up(&g_run, world);
    struct ferry_file_download_config config = {.client = &g_run.client,
                                                .name = "/lfs1/a",
                                                .write = write_file,
                                                .context = world,
                                                .window = world->window};

    world->size = size;
    world->exists = true;
    (void)read_file(world, 0, world->file, size);
    assert_int_equal(ferry_file_download_start(&g_run.download, &config), FERRY_OK);
    run_all(&g_run);
}

void file_world_upload(struct file_world *world, uint32_t size, uint32_t start)
{
    set_up(&g_run, world);
    g_run.up = true;
    struct ferry_file_upload_config config = {.client = &g_run.client,
                                              .name = "/lfs1/a",
                                              .read = read_file,
                                              .context = world,
                                              .size = size,
                                              .start = start,
                                              .window = world->window};

    if (start > 0) {
        world->exists = true;
        world->size = start;
        (void)read_file(world, 0, world->file, start);
        memset(world->file + start, 0xee, world->longer);
        world->size += world->longer;
    }
    assert_int_equal(ferry_file_upload_start(&g_run.upload, &config), FERRY_OK);
    run_all(&g_run);
}
