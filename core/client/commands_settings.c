/* SPDX-License-Identifier: Apache-2.0 */
/* Settings: requests written, answers read. */
#include "ferry/commands_settings.h"

#include "draft.h"

int32_t ferry_command_setting_read(struct ferry_client *client, const char *name, uint32_t max_size,
                                   void *user)
{
    struct ferry_draft draft;

    if (!ferry_draft_begin(client, &draft, FERRY_SMP_READ, FERRY_SMP_GROUP_SETTINGS,
                           FERRY_SMP_SETTINGS_VALUE, user)) {
        return FERRY_E_BUSY;
    }
    ferry_cbor_put_map(&draft.writer, max_size > 0 ? 2 : 1);
    ferry_cbor_pair_text(&draft.writer, "name", name);
    if (max_size > 0) {
        ferry_cbor_pair_uint(&draft.writer, "max_size", max_size);
    }
    return ferry_draft_submit(client, &draft);
}

int ferry_answer_setting(struct ferry_bytes payload, struct ferry_setting_value *value)
{
    struct ferry_cbor_field fields[] = {{.key = "val", .kind = FERRY_CBOR_ANY},
                                        {.key = "max_size", .kind = FERRY_CBOR_UINT}};
    int rc = ferry_cbor_read_map(payload, fields, 2);

    if (rc != FERRY_OK) {
        return rc;
    }
    if (!fields[0].present) {
        return FERRY_E_NOT_FOUND;
    }
    if (fields[0].item.kind != FERRY_CBOR_BYTES && fields[0].item.kind != FERRY_CBOR_TEXT) {
        return FERRY_E_TYPE;
    }
    value->value = fields[0].item;
    value->limited = fields[1].present;
    value->max_size = fields[1].present ? fields[1].item.value : 0;
    return FERRY_OK;
}

/* Begin a write with its name; the value is to follow. */
static bool begin_write(struct ferry_client *client, struct ferry_draft *draft, const char *name,
                        void *user)
{
    if (!ferry_draft_begin(client, draft, FERRY_SMP_WRITE, FERRY_SMP_GROUP_SETTINGS,
                           FERRY_SMP_SETTINGS_VALUE, user)) {
        return false;
    }
    ferry_cbor_put_map(&draft->writer, 2);
    ferry_cbor_pair_text(&draft->writer, "name", name);
    return true;
}

int32_t ferry_command_setting_write(struct ferry_client *client, const char *name,
                                    struct ferry_bytes value, void *user)
{
    struct ferry_draft draft;

    if (!begin_write(client, &draft, name, user)) {
        return FERRY_E_BUSY;
    }
    ferry_cbor_pair_bytes(&draft.writer, "val", value.data, value.len);
    return ferry_draft_submit(client, &draft);
}

int32_t ferry_command_setting_write_text(struct ferry_client *client, const char *name,
                                         const char *value, void *user)
{
    struct ferry_draft draft;

    if (!begin_write(client, &draft, name, user)) {
        return FERRY_E_BUSY;
    }
    ferry_cbor_pair_text(&draft.writer, "val", value);
    return ferry_draft_submit(client, &draft);
}

int32_t ferry_command_setting_delete(struct ferry_client *client, const char *name, void *user)
{
    return ferry_draft_text(client, FERRY_SMP_WRITE, FERRY_SMP_GROUP_SETTINGS,
                            FERRY_SMP_SETTINGS_DELETE, "name", name, user);
}

int32_t ferry_command_settings_commit(struct ferry_client *client, void *user)
{
    return ferry_draft_plain(client, FERRY_SMP_WRITE, FERRY_SMP_GROUP_SETTINGS,
                             FERRY_SMP_SETTINGS_COMMIT, user);
}

int32_t ferry_command_settings_load(struct ferry_client *client, void *user)
{
    return ferry_draft_plain(client, FERRY_SMP_READ, FERRY_SMP_GROUP_SETTINGS,
                             FERRY_SMP_SETTINGS_STORAGE, user);
}

int32_t ferry_command_settings_save(struct ferry_client *client, const char *name, void *user)
{
    return ferry_draft_text(client, FERRY_SMP_WRITE, FERRY_SMP_GROUP_SETTINGS,
                            FERRY_SMP_SETTINGS_STORAGE, "name", name, user);
}

int32_t ferry_command_erase_storage(struct ferry_client *client, uint32_t timeout_ms, void *user)
{
    struct ferry_draft draft;

    if (!ferry_draft_begin(client, &draft, FERRY_SMP_WRITE, FERRY_SMP_GROUP_BASIC,
                           FERRY_SMP_BASIC_ERASE_STORAGE, user)) {
        return FERRY_E_BUSY;
    }
    draft.command.timeout_ms = timeout_ms > 0 ? timeout_ms : ferry_client_erase_ms(0);
    draft.command.retries = FERRY_CLIENT_ONCE;
    ferry_cbor_put_map(&draft.writer, 0);
    return ferry_draft_submit(client, &draft);
}
