/* SPDX-License-Identifier: Apache-2.0 */
/* The model servers of an upload. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <string.h>

#include "ferry/cbor.h"
#include "upload_world.h"

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

static size_t put_off(struct world_server *server, struct ferry_cbor_writer *w, uint32_t off,
                      int match)
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

static void forget(struct world_server *server)
{
    server->open = false;
    server->off = 0;
    server->has_sha = false;
}

static bool same_sha(const struct world_server *server, const struct chunk *chunk)
{
    const struct ferry_cbor_field *sha = &chunk->fields[SHA];

    return sha->present && server->has_sha && sha->item.bytes.len == 32 &&
           memcmp(sha->item.bytes.data, server->sha, 32) == 0;
}

/* Begin anew: erase, remember. */
static void begin(struct world_server *server, const struct chunk *chunk)
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

static void note_first(struct world_server *server, const struct chunk *chunk)
{
    server->firsts++;
    server->first_with_sha += chunk->fields[SHA].present;
    server->first_with_len += chunk->fields[LEN].present;
    server->first_len = (uint32_t)chunk->fields[DATA].item.bytes.len;
    server->image = chunk->fields[IMAGE].present ? (uint32_t)chunk->fields[IMAGE].item.value : 0;
    server->upgrade = chunk->fields[UPGRADE].present && chunk->fields[UPGRADE].item.value != 0;
}

/* Store a chunk whose offset is right. Returns the next offset. */
static uint32_t store(struct world_server *server, const struct ferry_bytes *data)
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

static size_t complete(struct world_server *server, struct ferry_cbor_writer *w)
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

static size_t handle_first(struct world_server *server, const struct chunk *chunk,
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
    *cost += server->erase_ms * WORLD_NS_PER_MS;
    uint32_t next = store(server, data);

    *cost += server->write_us * 1000ULL;

    return next == server->len ? complete(server, w) : put_off(server, w, next, -1);
}

static size_t handle_next(struct world_server *server, const struct chunk *chunk,
                          struct ferry_cbor_writer *w, uint64_t *cost)
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

    *cost += server->write_us * 1000ULL;
    *cost += next == server->len ? server->last_ms * WORLD_NS_PER_MS : 0;

    return next == server->len ? complete(server, w) : put_off(server, w, next, -1);
}

static size_t handle_upload(struct world_server *server, struct ferry_bytes payload,
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
    if (server->stall_every > 0 && server->requests % server->stall_every == 0) {
        *cost += server->stall_ms * WORLD_NS_PER_MS;
    }
    return chunk.fields[OFF].item.value == 0 ? handle_first(server, &chunk, w, cost)
                                             : handle_next(server, &chunk, w, cost);
}

static size_t handle_list(struct world_server *server, struct ferry_cbor_writer *w)
{
    server->lists_asked++;
    if (!server->lists) {
        return put_rc(w, 8);
    }
    ferry_cbor_open_map(w);
    ferry_cbor_put_text(w, "images");
    ferry_cbor_open_list(w);
    if (server->done || server->lists_old) {
        ferry_cbor_open_map(w);
        ferry_cbor_pair_uint(w, "slot", 1);
        ferry_cbor_pair_text(w, "version", "1.0.0");
        ferry_cbor_pair_bytes(w, "hash", world_hash, WORLD_HASH_LEN);
        ferry_cbor_close(w);
    }
    ferry_cbor_close(w);
    ferry_cbor_close(w);
    return w->len;
}

/* Handle one packet into answer; 0 = none. */
size_t world_server_handle(struct world_server *server, struct ferry_bytes packet, uint8_t *answer,
                           uint64_t *cost)
{
    struct ferry_smp_header header;
    struct ferry_cbor_writer w;
    struct ferry_bytes payload;
    size_t len;

    if (server->packet_max != 0 && packet.len > server->packet_max) {
        server->too_large++;
        return 0;
    }
    server->requests++;
    assert_int_equal(ferry_smp_packet_read(packet, &header, &payload, NULL), FERRY_OK);
    assert_int_equal(payload.len + FERRY_SMP_HEADER_SIZE, packet.len);
    ferry_cbor_writer_init(&w, answer + FERRY_SMP_HEADER_SIZE, WORLD_PACKET_SIZE - 8);
    if (header.group == FERRY_SMP_GROUP_OS) {
        server->echoes_asked++;
        if (!server->echoes) {
            return 0;
        }
        ferry_cbor_put_map(&w, 0);
        len = w.len;
    } else if (header.id == FERRY_SMP_IMAGE_UPLOAD) {
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
