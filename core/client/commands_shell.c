/* SPDX-License-Identifier: Apache-2.0 */
#include "ferry/commands_shell.h"

#include "draft.h"

int32_t ferry_command_shell(struct ferry_client *client, const char *const *words, size_t count,
                            uint32_t timeout_ms, void *user)
{
    struct ferry_draft draft;

    if (!ferry_draft_begin(client, &draft, FERRY_SMP_WRITE, FERRY_SMP_GROUP_SHELL,
                           FERRY_SMP_SHELL_EXEC, user)) {
        return FERRY_E_BUSY;
    }
    draft.command.timeout_ms = timeout_ms > 0 ? timeout_ms : FERRY_SHELL_TIMEOUT_MS;
    draft.command.retries = FERRY_CLIENT_ONCE;
    ferry_cbor_put_map(&draft.writer, 1);
    ferry_cbor_put_text(&draft.writer, "argv");
    ferry_cbor_put_list(&draft.writer, count);
    for (size_t i = 0; i < count; i++) {
        ferry_cbor_put_text(&draft.writer, words[i]);
    }
    return ferry_draft_submit(client, &draft);
}

int ferry_answer_shell(struct ferry_bytes payload, struct ferry_shell_result *result)
{
    struct ferry_cbor_field fields[] = {{.key = "o", .kind = FERRY_CBOR_TEXT},
                                        {.key = "ret", .kind = FERRY_CBOR_NEGATIVE},
                                        {.key = "rc", .kind = FERRY_CBOR_NEGATIVE}};
    int rc = ferry_cbor_read_map(payload, fields, 3);

    if (rc != FERRY_OK) {
        return rc;
    }
    if (!fields[0].present) {
        return FERRY_E_NOT_FOUND;
    }
    const struct ferry_cbor_field *ret = fields[1].present ? &fields[1] : &fields[2];

    result->output = fields[0].item;
    result->has_ret = ret->present;
    result->ret = 0;
    return ret->present ? ferry_cbor_to_int(&ret->item, &result->ret) : FERRY_OK;
}
