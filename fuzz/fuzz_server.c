/* SPDX-License-Identifier: Apache-2.0 */
/* Fuzz target: the whole server. Packets on several transports, and what happens beside them, to a
 * server with every group, over flash that fails and power that is cut. server_input.h has the form
 * of an input, server_mutator.c makes requests of every command.
 *
 * Whatever comes (S1 to S11 of docs/SECURITY.md):
 *   1. A call takes at least one byte of its packet, from the front. Its answer is one whole packet
 *      inside the room it was given; nothing is read outside of the packet or written outside of
 *      the room (both are memory of exactly their size).
 *   2. The header of an answer mirrors its request; fewer than 8 bytes have none.
 *   3. The payload is one CBOR map, well formed, and no name stands in it twice.
 *   4. An error is never 0. Version 1 has no "err"; an rc ends the packet; only a verbose server
 *      gives reasons.
 *   5. The slot that runs is never erased, and nothing but its trailer is ever programmed.
 *   6. A read changes nothing (but one loads settings), nor does a command that the gate refused.
 *   7. Chunks of an upload follow each other without a gap inside the size that was said at first,
 *      and what is said to be whole is what the slot holds.
 *   8. The state of an open upload is one that an upload can have.
 *   9. Ferry's own records stay what they are, whatever is erased or written by command.
 *  10. No packet without a signature unlocks a peer: none stands higher than the policy or somebody
 *      who may has put it.
 *  11. Of files the group asks only what ferry/group_fs.h promises its provider: whole names, one
 *      open file, reads inside of it, writes at its end. */
#include "check.h"
#include "server_device.h"
#include "server_input.h"

#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* ---- Answers -------------------------------------------------------------------------------- */

/* What an answer says. */
struct outcome {
    bool has_rc;
    uint64_t rc;
    bool has_err;
    bool has_reason;
};

/* The err map: group and rc, both numbers, rc above 0. */
static void check_err(struct ferry_bytes map)
{
    struct ferry_cbor_reader reader;
    struct ferry_cbor_item item[4];

    ferry_cbor_reader_init(&reader, map);
    for (int i = 0; i < 4; i++) {
        CHECK(ferry_cbor_read(&reader, &item[i]) == FERRY_OK);
        CHECK(item[i].kind == (i % 2 == 0 ? FERRY_CBOR_TEXT : FERRY_CBOR_UINT));
    }
    CHECK(ferry_cbor_at_end(&reader));
    CHECK(item[1].value <= UINT16_MAX && item[3].value > 0 && item[3].value <= UINT16_MAX);
}

static bool is(const struct ferry_cbor_item *key, const char *name)
{
    return key->bytes.len == strlen(name) && memcmp(key->bytes.data, name, key->bytes.len) == 0;
}

static void look_at(const struct ferry_cbor_item *key, const struct ferry_cbor_item *value,
                    struct outcome *outcome)
{
    if (is(key, "rc")) {
        CHECK(value->kind == FERRY_CBOR_UINT);
        outcome->has_rc = true;
        outcome->rc = value->value;
    } else if (is(key, "err")) {
        CHECK(value->kind == FERRY_CBOR_MAP);
        outcome->has_err = true;
        check_err(value->bytes);
    } else if (is(key, "rsn")) {
        CHECK(value->kind == FERRY_CBOR_TEXT);
        outcome->has_reason = true;
    }
}

/* One map and nothing behind it; each name once. */
static void check_map(struct ferry_bytes payload, struct outcome *outcome)
{
    struct ferry_cbor_reader reader;
    struct ferry_cbor_item map;
    struct ferry_cbor_item keys[64];
    struct ferry_cbor_item value;
    size_t count = 0;

    CHECK(payload.len >= 2 && payload.data[0] == 0xbf && payload.data[payload.len - 1] == 0xff);
    ferry_cbor_reader_init(&reader, payload);
    CHECK(ferry_cbor_read(&reader, &map) == FERRY_OK && map.kind == FERRY_CBOR_MAP);
    CHECK(ferry_cbor_at_end(&reader));
    ferry_cbor_reader_init(&reader, map.bytes);
    while (!ferry_cbor_at_end(&reader)) {
        CHECK(count < sizeof(keys) / sizeof(keys[0]));
        CHECK(ferry_cbor_read(&reader, &keys[count]) == FERRY_OK);
        CHECK(ferry_cbor_read(&reader, &value) == FERRY_OK);
        CHECK(keys[count].kind == FERRY_CBOR_TEXT && !keys[count].chunked);
        for (size_t i = 0; i < count; i++) {
            CHECK(keys[i].bytes.len != keys[count].bytes.len ||
                  memcmp(keys[i].bytes.data, keys[count].bytes.data, keys[i].bytes.len) != 0);
        }
        look_at(&keys[count++], &value, outcome);
    }
}

/* Which requests are answered with {"rc": 0}: Mynewt's. */
static bool says_zero(const struct ferry_smp_header *request)
{
    return request->group == FERRY_SMP_GROUP_LOG ||
           (request->group == FERRY_SMP_GROUP_OS && request->id == FERRY_SMP_OS_CONSOLE_ECHO);
}

static void check_outcome(const struct server_device *device,
                          const struct ferry_smp_header *request, const struct outcome *outcome,
                          bool ended)
{
    CHECK(!outcome->has_rc || outcome->rc != 0 || says_zero(request));
    CHECK(!outcome->has_err || request->version > 0);
    CHECK(!outcome->has_err || !outcome->has_rc);
    CHECK(!outcome->has_rc || outcome->rc == 0 || ended);
    CHECK(!outcome->has_reason || (device->config.verbose && outcome->has_rc && outcome->rc != 0));
}

static void check_answer(const struct server_device *device, struct ferry_bytes request,
                         struct ferry_bytes answer, bool ended)
{
    struct ferry_smp_header asked;
    struct ferry_smp_header said;
    struct ferry_bytes payload;
    struct ferry_bytes rest;
    struct outcome outcome = {0};

    CHECK(ferry_smp_header_read(request, &asked) == FERRY_OK);
    CHECK(ferry_smp_packet_read(answer, &said, &payload, &rest) == FERRY_OK && rest.len == 0);
    CHECK(answer.data[1] == 0 && (answer.data[0] & 0xe0) == 0);
    CHECK(said.op == (asked.op == FERRY_SMP_READ ? FERRY_SMP_READ_RSP : FERRY_SMP_WRITE_RSP));
    CHECK(said.version == (asked.version > 1 ? 1 : asked.version));
    CHECK(said.group == asked.group && said.id == asked.id && said.seq == asked.seq);
    check_map(payload, &outcome);
    check_outcome(device, &asked, &outcome, ended);
}

/* ---- Requests ------------------------------------------------------------------------------- */

static size_t room_of(const struct server_device *device, uint8_t tag)
{
    static const size_t rooms[] = {0, 64, FERRY_SERVER_ANSWER_MIN, 7};
    size_t room = rooms[(tag >> 2) & 3];

    return room == 0 ? device->config.buf_size : room;
}

/* Whether a request may change nothing: all that are no write, but the one that loads settings. */
static bool only_reads(struct ferry_bytes request)
{
    struct ferry_smp_header header;

    CHECK(ferry_smp_header_read(request, &header) == FERRY_OK);
    return header.op != FERRY_SMP_WRITE &&
           (header.group != FERRY_SMP_GROUP_SETTINGS || header.id != FERRY_SMP_SETTINGS_STORAGE);
}

/* One call of the server, with what is left of a packet in memory of its own size. */
static void ask(struct server_device *device, struct ferry_bytes *pending,
                const struct server_step *step)
{
    size_t room = room_of(device, step->tag);
    uint8_t *out = malloc(room);
    struct ferry_bytes before = *pending;
    uint32_t writes = device->faults.writes;
    uint32_t sum = server_groups_sum(&device->groups);

    CHECK(out != NULL);
    device->refused = false;

    const struct ferry_server_peer peer =
        server_peer(step->tag % SERVER_TRANSPORTS, (unsigned)step->tag >> 4);
    size_t len = ferry_server_handle_from(&device->server, pending, &peer, out, room);

    CHECK(pending->len < before.len && len <= room);
    CHECK(pending->len == 0 || pending->data == before.data + (before.len - pending->len));
    CHECK(before.len >= FERRY_SMP_HEADER_SIZE || len == 0);
    CHECK(len > 0 || before.len < FERRY_SMP_HEADER_SIZE || room < FERRY_SERVER_ANSWER_MIN);
    if (len > 0) {
        check_answer(device, before, (struct ferry_bytes){out, len}, pending->len == 0);
    }
    if (before.len >= FERRY_SMP_HEADER_SIZE && (device->refused || only_reads(before))) {
        CHECK(device->faults.writes == writes && server_groups_sum(&device->groups) == sum);
    }
    free(out);
    server_device_check(device);
}

static void send(struct server_device *device, const struct server_step *step)
{
    uint8_t *copy = malloc(step->bytes.len + (step->bytes.len == 0));
    struct ferry_bytes pending = {copy, step->bytes.len};

    CHECK(copy != NULL);
    if (step->bytes.len > 0) {
        memcpy(copy, step->bytes.data, step->bytes.len);
    }
    while (pending.len > 0) {
        ask(device, &pending, step);
    }
    free(copy);
    if (ferry_os_group_reset_due(&device->os, NULL)) {
        server_device_reset(device);
    }
}

static void happen(struct server_device *device, const struct server_step *step)
{
    switch ((enum server_beside)(step->tag % 8)) {
    case BESIDE_TIME:
        device->now_ms += UINT64_C(1) << (step->how % 20);
        break;
    case BESIDE_FAULT:
        device->faults.fail_in = step->how + 1U;
        break;
    case BESIDE_CUT:
        device->faults.off = true;
        device->faults.happened = true;
        break;
    case BESIDE_RESET:
        server_device_reset(device);
        break;
    case BESIDE_BUTTON:
        device->button = step->how % 2 == 1;
        break;
    case BESIDE_IDLE:
        server_device_idle(device);
        break;
    case BESIDE_UNLOCK:
        server_device_unlock(device, step->how);
        break;
    case BESIDE_LOCK:
        server_device_lock(device, step->how);
        break;
    }
    server_device_check(device);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static struct server_device device;
    struct server_choice choice;
    struct server_step step;

    if (size < SERVER_CHOICES) {
        return 0;
    }
    choice = (struct server_choice){data[0], data[1], data[2], data[3]};
    server_device_make(&device, &choice);

    struct ferry_bytes rest = {data + SERVER_CHOICES, size - SERVER_CHOICES};

    for (int i = 0; i < SERVER_STEPS && server_step_read(&rest, &step); i++) {
        if (step.packet) {
            send(&device, &step);
        } else {
            happen(&device, &step);
        }
    }
    server_device_check_store(&device);
    return 0;
}
