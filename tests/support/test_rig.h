/* SPDX-License-Identifier: Apache-2.0 */
/* Asking a server in tests: payloads are written and compared as JSON, byte strings in it as
 * "h'00ff'". */
#ifndef TEST_RIG_H
#define TEST_RIG_H

#include "ferry/server.h"

#define RIG_MAX 4096

/* One packet in, one packet out. */
struct rig_answer {
    size_t size; /* 0 = no answer */
    uint8_t bytes[RIG_MAX];
    struct ferry_smp_header header;
    char json[2 * RIG_MAX]; /* the payload; "" when there is no answer */
};

/* A request as bytes. json NULL = no payload at all. Returns its size. */
size_t rig_request(uint8_t op, uint8_t version, uint16_t group, uint8_t id, const char *json,
                   uint8_t *out, size_t cap);

/* A request that uploads the bytes [from, to) of a file, version 2; number below 0: without
 * "image". Returns its size. */
size_t rig_chunk(int number, struct ferry_bytes file, size_t from, size_t to, uint8_t *out,
                 size_t cap);

/* The payload of a state write that names an image file by its hash. */
#define RIG_STATE_MAX 160
void rig_state_json(struct ferry_bytes file, bool confirm, char out[RIG_STATE_MAX]);

/* The JSON of one CBOR item. */
void rig_json(struct ferry_bytes item, char *out, size_t cap);

/* Send bytes that hold one packet, or damage, and take the first answer. Checks what is true of
 * every answer: it is one whole packet and its map has no given length. Returns what is left. */
struct ferry_bytes rig_send(const struct ferry_server *server, struct ferry_bytes packet,
                            struct rig_answer *answer);

/* rig_request() and rig_send(), version 2; and the same in version 1. */
void rig_ask(const struct ferry_server *server, uint8_t op, uint16_t group, uint8_t id,
             const char *json, struct rig_answer *answer);
void rig_ask_v1(const struct ferry_server *server, uint8_t op, uint16_t group, uint8_t id,
                const char *json, struct rig_answer *answer);

/* A packet of smp-vectors.json, header and payload. data: FERRY_TEST_DATA. Returns its size. */
size_t rig_vector(const char *data, const char *name, uint8_t *out, size_t cap);

/* Every packet of smp-vectors.json, one after the other: false behind the last. */
bool rig_vector_at(const char *data, size_t index, uint8_t *out, size_t cap, size_t *size);

/* Send vector `request`, expect vector `answer` byte for byte, the sequence number apart. */
void rig_expect_vector(const struct ferry_server *server, const char *data, const char *request,
                       const char *answer);

#endif
