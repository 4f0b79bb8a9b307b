/* SPDX-License-Identifier: Apache-2.0 */
#include "ferry/commands_transport.h"

#include "draft.h"

static void put_parameter(struct ferry_cbor_writer *writer,
                          const struct ferry_transport_parameter *parameter)
{
    if (parameter->kind == FERRY_CBOR_TEXT) {
        ferry_cbor_pair_text(writer, parameter->key, parameter->text);
    } else if (parameter->kind == FERRY_CBOR_BOOL) {
        ferry_cbor_pair_bool(writer, parameter->key, parameter->number != 0);
    } else {
        ferry_cbor_pair_uint(writer, parameter->key, parameter->number);
    }
}

int32_t ferry_command_transport_connect(struct ferry_client *client, uint32_t transport,
                                        int32_t mode,
                                        const struct ferry_transport_parameter *parameters,
                                        size_t count, void *user)
{
    struct ferry_draft draft;

    if (!ferry_draft_begin(client, &draft, FERRY_SMP_WRITE, FERRY_SMP_GROUP_TRANSPORT,
                           FERRY_SMP_TRANSPORT_CONNECT, user)) {
        return FERRY_E_BUSY;
    }
    draft.command.retries = FERRY_CLIENT_ONCE;
    ferry_cbor_put_map(&draft.writer, (mode >= 0 ? 2u : 1u) + count);
    ferry_cbor_pair_uint(&draft.writer, "transport", transport);
    if (mode >= 0) {
        ferry_cbor_pair_uint(&draft.writer, "mode", (uint32_t)mode);
    }
    for (size_t i = 0; i < count; i++) {
        put_parameter(&draft.writer, &parameters[i]);
    }
    return ferry_draft_submit(client, &draft);
}

int32_t ferry_command_transport_disconnect(struct ferry_client *client, int64_t transport,
                                           void *user)
{
    struct ferry_draft draft;

    if (!ferry_draft_begin(client, &draft, FERRY_SMP_WRITE, FERRY_SMP_GROUP_TRANSPORT,
                           FERRY_SMP_TRANSPORT_DISCONNECT, user)) {
        return FERRY_E_BUSY;
    }
    ferry_cbor_put_map(&draft.writer, 1);
    if (transport < 0) {
        ferry_cbor_pair_bool(&draft.writer, "all", true);
    } else {
        ferry_cbor_pair_uint(&draft.writer, "transport", (uint64_t)transport);
    }
    return ferry_draft_submit(client, &draft);
}

int32_t ferry_command_transport_status(struct ferry_client *client, void *user)
{
    return ferry_draft_plain(client, FERRY_SMP_READ, FERRY_SMP_GROUP_TRANSPORT,
                             FERRY_SMP_TRANSPORT_STATUS, user);
}

int32_t ferry_command_transport_list(struct ferry_client *client, void *user)
{
    return ferry_draft_plain(client, FERRY_SMP_READ, FERRY_SMP_GROUP_TRANSPORT,
                             FERRY_SMP_TRANSPORT_LIST, user);
}

/* mode below 0: not sent. */
static int32_t submit_read(struct ferry_client *client, uint8_t id, uint32_t transport,
                           int64_t mode, void *user)
{
    struct ferry_draft draft;

    if (!ferry_draft_begin(client, &draft, FERRY_SMP_READ, FERRY_SMP_GROUP_TRANSPORT, id, user)) {
        return FERRY_E_BUSY;
    }
    ferry_cbor_put_map(&draft.writer, 1 + (mode >= 0));
    ferry_cbor_pair_uint(&draft.writer, "transport", transport);
    if (mode >= 0) {
        ferry_cbor_pair_uint(&draft.writer, "mode", (uint64_t)mode);
    }
    return ferry_draft_submit(client, &draft);
}

int32_t ferry_command_transport_modes(struct ferry_client *client, uint32_t transport, void *user)
{
    return submit_read(client, FERRY_SMP_TRANSPORT_MODES, transport, -1, user);
}

int32_t ferry_command_transport_config(struct ferry_client *client, uint32_t transport,
                                       uint32_t mode, void *user)
{
    return submit_read(client, FERRY_SMP_TRANSPORT_CONFIG, transport, mode, user);
}
