/* SPDX-License-Identifier: Apache-2.0 */
/* A server with a group that does one of everything. */
#include "test_server_rig.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <string.h>

/* ---- A group that does one of everything ------------------------------------- */

static int count(struct ferry_server_call *call)
{
    struct state *state = call->context;

    ferry_cbor_pair_int(&call->out, "n", ++state->calls);
    return FERRY_RC_OK;
}

static int answer_rc(struct ferry_server_call *call)
{
    ferry_cbor_pair_text(&call->out, "partial", "thrown away");
    call->reason = "because";
    return ((const struct state *)call->context)->rc;
}

static int answer_error(struct ferry_server_call *call)
{
    uint16_t error = (uint16_t)((const struct state *)call->context)->rc;

    ferry_cbor_pair_text(&call->out, "partial", "thrown away");

    int rc = ferry_server_fail(call, error, "because");

    ferry_cbor_pair_uint(&call->out, "beside", 5);
    return rc;
}

static int foreign_error(struct ferry_server_call *call)
{
    return ferry_server_error(call, 71, 2);
}

/* Writes as many bytes as the state's rc says. */
static int big(struct ferry_server_call *call)
{
    static const uint8_t bytes[70000];

    ferry_cbor_pair_bytes(&call->out, "b", bytes,
                          (size_t)((const struct state *)call->context)->rc);
    return FERRY_RC_OK;
}

static int payload(struct ferry_server_call *call)
{
    struct ferry_cbor_field fields[] = {{.key = "n", .kind = FERRY_CBOR_UINT},
                                        {.key = "t", .kind = FERRY_CBOR_TEXT}};
    int rc = ferry_server_read(call, fields, 2);

    if (rc != FERRY_RC_OK) {
        return rc;
    }
    ferry_cbor_pair_uint(&call->out, "n", fields[0].present ? fields[0].item.value : 99);
    return FERRY_RC_OK;
}

const struct ferry_command server_rig_commands[C_COMMANDS] = {
    [C_COUNT] = {.read = count},
    [C_RC] = {.read = answer_rc, .write = answer_rc},
    [C_ERROR] = {.read = answer_error, .write = answer_error},
    [C_BIG] = {.read = big},
    [C_FOREIGN] = {.read = foreign_error},
    [C_PAYLOAD] = {.read = payload, .write = payload},
};

static const uint8_t v1_rc[] = {0, 1, 3, 0, 5};

const struct ferry_group server_rig_group = {GROUP,      "test", server_rig_commands,
                                             C_COMMANDS, v1_rc,  sizeof(v1_rc)};

/* Translates error 2 of its own, though none of its commands fails. */
static const uint8_t neighbour_v1_rc[] = {0, 1, 10};
static const struct ferry_group neighbour = {71, "beside",        server_rig_commands,
                                             1,  neighbour_v1_rc, sizeof(neighbour_v1_rc)};
static const struct ferry_group untranslated = {72,         "none", server_rig_commands,
                                                C_COMMANDS, NULL,   0};

static int gate(void *context, struct ferry_server_call *call)
{
    struct server_rig *rig = context;

    rig->gate_calls++;
    rig->gate_transport = call->transport;
    return rig->gate_error != 0 ? ferry_server_error(call, 64, rig->gate_error) : rig->gate_rc;
}

static void observe(void *context, const struct ferry_server_call *call,
                    const struct ferry_server_event *event)
{
    struct server_rig *rig = context;

    assert_int_equal(call->header.group, GROUP);
    rig->events++;
    rig->event = *event;
}

void server_rig_set_up(struct server_rig *rig)
{
    memset(rig, 0, sizeof(*rig));
    rig->mounts[0] = (struct ferry_server_mount){&server_rig_group, &rig->state};
    rig->mounts[1] = (struct ferry_server_mount){&neighbour, &rig->state};
    rig->mounts[2] = (struct ferry_server_mount){&untranslated, &rig->other};
    rig->config = (struct ferry_server_config){
        .groups = rig->mounts, .group_count = 3, .buf_size = 384, .buf_count = 4};
    assert_int_equal(ferry_server_init(&rig->server, &rig->config), FERRY_OK);
}

void server_rig_guard(struct server_rig *rig)
{
    rig->config.gate = gate;
    rig->config.gate_context = rig;
    rig->config.observe = observe;
    rig->config.observe_context = rig;
}

void server_rig_expect(struct server_rig *rig, uint8_t op, uint8_t id, const char *json)
{
    struct rig_answer answer;

    rig_ask(&rig->server, op, GROUP, id, "{}", &answer);
    assert_string_equal(answer.json, json);
}

void server_rig_expect_v1(struct server_rig *rig, uint8_t op, uint8_t id, const char *json)
{
    struct rig_answer answer;

    rig_ask_v1(&rig->server, op, GROUP, id, "{}", &answer);
    assert_string_equal(answer.json, json);
}

void server_rig_expect_header(struct server_rig *rig, const uint8_t header[8], uint8_t first,
                              const char *json)
{
    struct rig_answer answer;
    struct ferry_bytes packet = {header, 8};

    assert_int_equal(rig_send(&rig->server, packet, &answer).len, 0);
    assert_int_equal(answer.bytes[0], first);
    assert_memory_equal(answer.bytes + 4, header + 4, 4);
    assert_string_equal(answer.json, json);
}
