/* SPDX-License-Identifier: Apache-2.0 */
#include "ferry/commands_mynewt.h"

#include "draft.h"

int32_t ferry_command_crash(struct ferry_client *client, const char *kind, void *user)
{
    struct ferry_draft draft;

    if (!ferry_draft_begin(client, &draft, FERRY_SMP_WRITE, FERRY_SMP_GROUP_CRASH,
                           FERRY_SMP_CRASH_NOW, user)) {
        return FERRY_E_BUSY;
    }
    draft.command.retries = FERRY_CLIENT_ONCE;
    ferry_cbor_put_map(&draft.writer, 1);
    ferry_cbor_pair_text(&draft.writer, "t", kind);
    return ferry_draft_submit(client, &draft);
}

int32_t ferry_command_run_test(struct ferry_client *client, const char *name, const char *token,
                               void *user)
{
    struct ferry_draft draft;

    if (!ferry_draft_begin(client, &draft, FERRY_SMP_WRITE, FERRY_SMP_GROUP_RUN, FERRY_SMP_RUN_TEST,
                           user)) {
        return FERRY_E_BUSY;
    }
    draft.command.retries = FERRY_CLIENT_ONCE;
    ferry_cbor_put_map(&draft.writer, 2);
    ferry_cbor_pair_text(&draft.writer, "testname", name);
    ferry_cbor_pair_text(&draft.writer, "token", token);
    return ferry_draft_submit(client, &draft);
}

int32_t ferry_command_run_list(struct ferry_client *client, void *user)
{
    return ferry_draft_plain(client, FERRY_SMP_READ, FERRY_SMP_GROUP_RUN, FERRY_SMP_RUN_LIST, user);
}

int32_t ferry_command_core_list(struct ferry_client *client, void *user)
{
    return ferry_draft_plain(client, FERRY_SMP_READ, FERRY_SMP_GROUP_IMAGE,
                             FERRY_SMP_IMAGE_CORE_LIST, user);
}

int32_t ferry_command_core_load(struct ferry_client *client, uint32_t off, void *user)
{
    struct ferry_draft draft;

    if (!ferry_draft_begin(client, &draft, FERRY_SMP_READ, FERRY_SMP_GROUP_IMAGE,
                           FERRY_SMP_IMAGE_CORE_LOAD, user)) {
        return FERRY_E_BUSY;
    }
    ferry_cbor_put_map(&draft.writer, 1);
    ferry_cbor_pair_uint(&draft.writer, "off", off);
    return ferry_draft_submit(client, &draft);
}

int ferry_answer_core(struct ferry_bytes payload, struct ferry_core_piece *piece)
{
    struct ferry_cbor_field fields[] = {{.key = "off", .kind = FERRY_CBOR_UINT},
                                        {.key = "data", .kind = FERRY_CBOR_BYTES},
                                        {.key = "len", .kind = FERRY_CBOR_UINT}};
    int rc = ferry_cbor_read_map(payload, fields, 3);

    if (rc != FERRY_OK) {
        return rc;
    }
    if (!fields[0].present || !fields[1].present) {
        return FERRY_E_NOT_FOUND;
    }
    if (fields[1].item.chunked) {
        return FERRY_E_FORMAT;
    }
    if (fields[0].item.value > UINT32_MAX) {
        return FERRY_E_RANGE;
    }
    piece->off = (uint32_t)fields[0].item.value;
    piece->data = fields[1].item.bytes;
    piece->has_len = fields[2].present;
    piece->len = fields[2].present ? fields[2].item.value : 0;
    return FERRY_OK;
}

int32_t ferry_command_core_erase(struct ferry_client *client, void *user)
{
    struct ferry_draft draft;

    if (!ferry_draft_begin(client, &draft, FERRY_SMP_WRITE, FERRY_SMP_GROUP_IMAGE,
                           FERRY_SMP_IMAGE_CORE_LOAD, user)) {
        return FERRY_E_BUSY;
    }
    draft.command.timeout_ms = ferry_client_erase_ms(0);
    draft.command.retries = FERRY_CLIENT_ONCE;
    ferry_cbor_put_map(&draft.writer, 0);
    return ferry_draft_submit(client, &draft);
}
