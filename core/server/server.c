/* SPDX-License-Identifier: Apache-2.0 */
/* The dispatcher: one request in, one answer out. [smp.md §1.5] */
#include "ferry/server.h"

/* The largest answer: the header's length field has 16 bits. */
#define ANSWER_MAX (FERRY_SMP_HEADER_SIZE + (size_t)UINT16_MAX)

/* ---- Set-up ------------------------------------------------------------------ */

static bool mount_is_good(const struct ferry_server_config *config, size_t index)
{
    const struct ferry_group *group = config->groups[index].group;

    if (group == NULL || group->commands == NULL || group->command_count == 0) {
        return false;
    }
    for (size_t i = 0; i < index; i++) {
        if (config->groups[i].group->id == group->id) {
            return false;
        }
    }
    return true;
}

int ferry_server_init(struct ferry_server *server, const struct ferry_server_config *config)
{
    if (config->buf_size < FERRY_SERVER_ANSWER_MIN || config->buf_count == 0) {
        return FERRY_E_CONFIG;
    }
    for (size_t i = 0; i < config->group_count; i++) {
        if (!mount_is_good(config, i)) {
            return FERRY_E_CONFIG;
        }
    }
    server->config = config;
    return FERRY_OK;
}

/* ---- For handlers ------------------------------------------------------------ */

/* Open an empty answer map, throwing away what was written. */
static void answer_begin(struct ferry_server_call *call)
{
    ferry_cbor_writer_init(&call->out, call->out.buf, call->out.cap);
    ferry_cbor_open_map(&call->out);
}

int ferry_server_error(struct ferry_server_call *call, uint16_t group, uint16_t error)
{
    call->failed = true;
    call->error_group = group;
    call->error = error;
    answer_begin(call);
    ferry_cbor_put_text(&call->out, "err");
    ferry_cbor_open_map(&call->out);
    ferry_cbor_pair_uint(&call->out, "group", group);
    ferry_cbor_pair_uint(&call->out, "rc", error);
    ferry_cbor_close(&call->out);
    return FERRY_RC_OK;
}

int ferry_server_fail(struct ferry_server_call *call, uint16_t error, const char *reason)
{
    call->reason = reason;
    return ferry_server_error(call, call->header.group, error);
}

const char *ferry_server_text(const struct ferry_server_call *call, int error)
{
    const struct ferry_server_config *config = call->server->config;

    return config->text != NULL ? config->text(error) : NULL;
}

int ferry_server_read(const struct ferry_server_call *call, struct ferry_cbor_field *fields,
                      size_t count)
{
    if (ferry_cbor_read_map(call->payload, fields, count) != FERRY_OK) {
        return FERRY_RC_INVALID;
    }
    for (size_t i = 0; i < count; i++) {
        if (fields[i].present && fields[i].item.chunked) {
            return FERRY_RC_INVALID;
        }
    }
    return FERRY_RC_OK;
}

/* What comes with every command. */
static bool is_frequent(int kind)
{
    return kind == FERRY_EVENT_RECEIVED || kind == FERRY_EVENT_CHUNK_WRITTEN ||
           kind == FERRY_EVENT_DONE;
}

void ferry_server_notify(const struct ferry_server_call *call, int kind, uint32_t image,
                         uint32_t value)
{
    const struct ferry_server_config *config = call->server->config;
    const struct ferry_server_event event = {.kind = kind, .image = image, .value = value};

    if (config->observe != NULL && (config->observe_all || !is_frequent(kind))) {
        config->observe(config->observe_context, call, &event);
    }
}

/* ---- The request ------------------------------------------------------------- */

/* Take the request off the front of pending. Returns an rc. */
static int take_request(struct ferry_server_call *call, struct ferry_bytes *pending)
{
    if (ferry_smp_packet_read(*pending, &call->header, &call->payload, pending) != FERRY_OK) {
        return FERRY_RC_CORRUPT;
    }
    if (call->header.op != FERRY_SMP_READ && call->header.op != FERRY_SMP_WRITE) {
        return FERRY_RC_NOT_SUPPORTED;
    }
    if (call->header.version == FERRY_SMP_VERSION_1 && call->server->config->refuse_v1) {
        return FERRY_RC_TOO_OLD;
    }
    if (call->header.version > FERRY_SMP_VERSION_2) {
        return FERRY_RC_TOO_NEW;
    }
    return FERRY_RC_OK;
}

static const struct ferry_server_mount *find_mount(const struct ferry_server_config *config,
                                                   uint16_t group)
{
    for (size_t i = 0; i < config->group_count; i++) {
        if (config->groups[i].group->id == group) {
            return &config->groups[i];
        }
    }
    return NULL;
}

/* Ask the gate. Returns whether the command may run; if not, *rc is the answer. */
static bool gate_opens(struct ferry_server_call *call, int *rc)
{
    const struct ferry_server_config *config = call->server->config;

    if (config->gate == NULL) {
        return true;
    }
    *rc = config->gate(config->gate_context, call);
    if (*rc == FERRY_RC_OK && !call->failed) {
        return true;
    }
    ferry_server_notify(call, FERRY_EVENT_REFUSED, 0, (uint32_t)*rc);
    return false;
}

/* Find the command, ask the gate, run the handler. Returns an rc. */
static int run_command(struct ferry_server_call *call)
{
    const struct ferry_server_mount *mount = find_mount(call->server->config, call->header.group);
    int (*handler)(struct ferry_server_call *);
    int rc = FERRY_RC_OK;

    if (mount == NULL || call->header.id >= mount->group->command_count) {
        return FERRY_RC_NOT_SUPPORTED;
    }
    handler = call->header.op == FERRY_SMP_READ ? mount->group->commands[call->header.id].read
                                                : mount->group->commands[call->header.id].write;
    if (handler == NULL) {
        return FERRY_RC_NOT_SUPPORTED;
    }
    call->context = mount->context;
    ferry_server_notify(call, FERRY_EVENT_RECEIVED, 0, 0);
    if (!gate_opens(call, &rc)) {
        return rc;
    }
    return handler(call);
}

/* The rc of version 1 for the call's group error: never 0, which would say success. */
static int translate_error(const struct ferry_server_call *call)
{
    const struct ferry_server_mount *mount = find_mount(call->server->config, call->error_group);

    if (mount == NULL || mount->group->v1_rc == NULL || call->error >= mount->group->v1_rc_count ||
        mount->group->v1_rc[call->error] == 0) {
        return FERRY_RC_UNKNOWN;
    }
    return mount->group->v1_rc[call->error];
}

/* ---- The answer -------------------------------------------------------------- */

/* Close the map and put the header in front of it. Returns the packet's size, 0 when the map
 * did not fit. */
static size_t answer_finish(struct ferry_server_call *call, uint8_t *out)
{
    struct ferry_smp_header header = call->header;

    ferry_cbor_close(&call->out);

    int size = ferry_cbor_writer_result(&call->out);

    if (size < 0) {
        return 0;
    }
    header.op = call->header.op == FERRY_SMP_READ ? FERRY_SMP_READ_RSP : FERRY_SMP_WRITE_RSP;
    header.version =
        call->header.version == FERRY_SMP_VERSION_1 ? FERRY_SMP_VERSION_1 : FERRY_SMP_VERSION_2;
    header.flags = 0;
    header.length = (uint16_t)size;
    ferry_smp_header_write(&header, out);
    return FERRY_SMP_HEADER_SIZE + (size_t)size;
}

static size_t answer_rc(struct ferry_server_call *call, int rc, const char *reason, uint8_t *out)
{
    answer_begin(call);
    ferry_cbor_pair_uint(&call->out, "rc", (uint64_t)rc);
    if (reason != NULL) {
        ferry_cbor_pair_text(&call->out, "rsn", reason);
    }
    return answer_finish(call, out);
}

/* An error answer that fits: with its text, without, or at least the fact that it did not fit. */
static size_t answer_error(struct ferry_server_call *call, int rc, uint8_t *out)
{
    const char *reason = call->server->config->verbose ? call->reason : NULL;
    size_t size;

    size = answer_rc(call, rc, reason, out);
    if (size == 0) {
        size = answer_rc(call, rc, NULL, out);
    }
    if (size == 0) {
        size = answer_rc(call, FERRY_RC_MESSAGE_SIZE, NULL, out);
    }
    return size;
}

size_t ferry_server_handle(const struct ferry_server *server, struct ferry_bytes *pending,
                           uint8_t transport, uint8_t *out, size_t cap)
{
    const struct ferry_server_peer peer = {.transport = transport};

    return ferry_server_handle_from(server, pending, &peer, out, cap);
}

size_t ferry_server_handle_from(const struct ferry_server *server, struct ferry_bytes *pending,
                                const struct ferry_server_peer *peer, uint8_t *out, size_t cap)
{
    struct ferry_server_call call = {.server = server, .transport = peer->transport, .peer = peer};
    size_t size = 0;

    if (pending->len < FERRY_SMP_HEADER_SIZE || cap < FERRY_SERVER_ANSWER_MIN) {
        pending->len = 0;
        return 0;
    }
    cap = cap < ANSWER_MAX ? cap : ANSWER_MAX;
    ferry_cbor_writer_init(&call.out, out + FERRY_SMP_HEADER_SIZE, cap - FERRY_SMP_HEADER_SIZE);
    answer_begin(&call);

    int rc = take_request(&call, pending);

    if (rc == FERRY_RC_OK) {
        rc = run_command(&call);
    }
    if (rc == FERRY_RC_OK && call.failed && call.header.version == FERRY_SMP_VERSION_1) {
        rc = translate_error(&call);
    }
    if (rc == FERRY_RC_OK) {
        size = answer_finish(&call, out);
        if (size == 0) {
            rc = FERRY_RC_MESSAGE_SIZE;
            call.reason = peer->pad > 0 ? "larger requests get larger answers" : NULL;
        }
    }
    if (rc < 0 || rc > (int)UINT16_MAX) { /* a handler's mistake: no such code on the wire */
        rc = FERRY_RC_UNKNOWN;
    }
    if (rc != FERRY_RC_OK) {
        pending->len = 0; /* an rc error ends the packet */
        size = answer_error(&call, rc, out);
    }
    ferry_server_notify(&call, FERRY_EVENT_DONE, 0, (uint32_t)rc);
    return size;
}
