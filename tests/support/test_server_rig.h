/* SPDX-License-Identifier: Apache-2.0 */
/* A server with a group that does one of everything, for the dispatcher's tests. */
#ifndef TEST_SERVER_RIG_H
#define TEST_SERVER_RIG_H

#include "test_rig.h"

#define GROUP 70

enum { C_COUNT, C_RC, C_ERROR, C_NOTHING, C_BIG, C_FOREIGN, C_PAYLOAD, C_COMMANDS };

struct state {
    int calls;
    int rc; /* C_RC answers it; C_ERROR answers it as group error; C_BIG writes so many bytes */
};

struct server_rig {
    struct ferry_server server;
    struct ferry_server_config config;
    struct ferry_server_mount mounts[3]; /* GROUP; 71, which translates; 72, which does not */
    struct state state;
    struct state other; /* of group 72 */
    int gate_rc;
    uint16_t gate_error;
    int gate_calls;
    uint8_t gate_transport;
    int events;
    struct ferry_server_event event;
};

extern const struct ferry_group server_rig_group;
extern const struct ferry_command server_rig_commands[C_COMMANDS];

void server_rig_set_up(struct server_rig *rig);

/* Put the rig's gate and observer in. */
void server_rig_guard(struct server_rig *rig);

/* Ask a command of GROUP with an empty map, in version 2 or 1; expect this answer. */
void server_rig_expect(struct server_rig *rig, uint8_t op, uint8_t id, const char *json);
void server_rig_expect_v1(struct server_rig *rig, uint8_t op, uint8_t id, const char *json);

/* Send a packet of nothing but a header; expect an answer with this first byte. */
void server_rig_expect_header(struct server_rig *rig, const uint8_t header[8], uint8_t first,
                              const char *json);

#endif
