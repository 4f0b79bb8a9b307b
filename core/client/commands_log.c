/* SPDX-License-Identifier: Apache-2.0 */
/* Logs: requests written, answers read. */
#include "ferry/commands_log.h"

#include "draft.h"

#include <string.h>

/* ---- Requests -------------------------------------------------------------------------- */

int32_t ferry_command_log_show(struct ferry_client *client,
                               const struct ferry_log_question *question, void *user)
{
    struct ferry_draft draft;

    if (!ferry_draft_begin(client, &draft, FERRY_SMP_READ, FERRY_SMP_GROUP_LOG, FERRY_SMP_LOG_SHOW,
                           user)) {
        return FERRY_E_BUSY;
    }
    ferry_cbor_put_map(&draft.writer, question->name != NULL ? 3 : 2);
    if (question->name != NULL) {
        ferry_cbor_pair_text(&draft.writer, "log_name", question->name);
    }
    ferry_cbor_pair_int(&draft.writer, "ts", question->ts);
    ferry_cbor_pair_uint(&draft.writer, "index", question->index);
    return ferry_draft_submit(client, &draft);
}

int32_t ferry_command_log_clear(struct ferry_client *client, const char *name, void *user)
{
    return ferry_draft_text(client, FERRY_SMP_WRITE, FERRY_SMP_GROUP_LOG, FERRY_SMP_LOG_CLEAR,
                            "log_name", name, user);
}

int32_t ferry_command_log_modules(struct ferry_client *client, void *user)
{
    return ferry_draft_plain(client, FERRY_SMP_READ, FERRY_SMP_GROUP_LOG, FERRY_SMP_LOG_MODULES,
                             user);
}

int32_t ferry_command_log_levels(struct ferry_client *client, void *user)
{
    return ferry_draft_plain(client, FERRY_SMP_READ, FERRY_SMP_GROUP_LOG, FERRY_SMP_LOG_LEVELS,
                             user);
}

int32_t ferry_command_log_list(struct ferry_client *client, void *user)
{
    return ferry_draft_plain(client, FERRY_SMP_READ, FERRY_SMP_GROUP_LOG, FERRY_SMP_LOG_LOGS, user);
}

/* ---- Answers ----------------------------------------------------------------------------- */

static uint64_t unsigned_or_0(const struct ferry_cbor_field *field)
{
    return field->present ? field->item.value : 0;
}

int ferry_answer_log(struct ferry_bytes payload, struct ferry_log_reader *reader,
                     uint64_t *next_index)
{
    struct ferry_cbor_field fields[] = {{.key = "logs", .kind = FERRY_CBOR_LIST},
                                        {.key = "next_index", .kind = FERRY_CBOR_UINT}};
    int rc = ferry_cbor_read_map(payload, fields, 2);

    memset(reader, 0, sizeof *reader);
    if (rc != FERRY_OK) {
        return rc;
    }
    if (fields[0].present) {
        reader->logs.reader = ferry_cbor_enter(&fields[0].item);
    }
    if (next_index != NULL) {
        *next_index = unsigned_or_0(&fields[1]);
    }
    return FERRY_OK;
}

/* Go into the next log. Returns 1; 0 at the end; an error. */
static int next_log(struct ferry_log_reader *reader)
{
    struct ferry_cbor_field fields[] = {{.key = "name", .kind = FERRY_CBOR_TEXT},
                                        {.key = "type", .kind = FERRY_CBOR_UINT},
                                        {.key = "entries", .kind = FERRY_CBOR_LIST}};
    struct ferry_answer_element log;
    int rc = ferry_answer_next(&reader->logs, &log);

    if (rc != 1) {
        return rc;
    }
    rc = ferry_cbor_read_map(log.whole, fields, 3);
    if (rc != FERRY_OK) {
        return rc;
    }
    reader->log[0] = '\0';
    if (fields[0].present) {
        ferry_answer_copy_text(&fields[0].item, reader->log, sizeof reader->log);
    }
    reader->log_type = unsigned_or_0(&fields[1]);
    if (fields[2].present) {
        reader->entries.reader = ferry_cbor_enter(&fields[2].item);
    }
    return 1;
}

enum entry_key { TYPE, TS, LEVEL, INDEX, MODULE, MSG, IMGHASH, ENTRY_KEYS };

static int read_entry(struct ferry_bytes element, struct ferry_log_entry *entry)
{
    struct ferry_cbor_field fields[ENTRY_KEYS] = {
        [TYPE] = {.key = "type", .kind = FERRY_CBOR_TEXT},
        [TS] = {.key = "ts", .kind = FERRY_CBOR_NEGATIVE},
        [LEVEL] = {.key = "level", .kind = FERRY_CBOR_UINT},
        [INDEX] = {.key = "index", .kind = FERRY_CBOR_UINT},
        [MODULE] = {.key = "module", .kind = FERRY_CBOR_UINT},
        [MSG] = {.key = "msg", .kind = FERRY_CBOR_ANY},
        [IMGHASH] = {.key = "imghash", .kind = FERRY_CBOR_BYTES},
    };
    int rc = ferry_cbor_read_map(element, fields, ENTRY_KEYS);

    if (rc != FERRY_OK) {
        return rc;
    }
    if (!fields[MSG].present) {
        return FERRY_E_NOT_FOUND;
    }
    if (fields[TYPE].present) {
        ferry_answer_copy_text(&fields[TYPE].item, entry->type, sizeof entry->type);
    }
    if (fields[TS].present && ferry_cbor_to_int(&fields[TS].item, &entry->ts) != FERRY_OK) {
        return FERRY_E_RANGE;
    }
    entry->level = unsigned_or_0(&fields[LEVEL]);
    entry->index = unsigned_or_0(&fields[INDEX]);
    entry->module = unsigned_or_0(&fields[MODULE]);
    entry->msg = fields[MSG].item;
    if (fields[IMGHASH].present && !fields[IMGHASH].item.chunked) {
        entry->image_hash = fields[IMGHASH].item.bytes;
    }
    return 1;
}

int ferry_answer_next_entry(struct ferry_log_reader *reader, struct ferry_log_entry *entry)
{
    struct ferry_answer_element element;
    int rc;

    while ((rc = ferry_answer_next(&reader->entries, &element)) == 0) {
        rc = next_log(reader);
        if (rc != 1) {
            return rc;
        }
    }
    if (rc != 1) {
        return rc;
    }
    memset(entry, 0, sizeof *entry);
    memcpy(entry->log, reader->log, sizeof entry->log);
    entry->log_type = reader->log_type;
    return read_entry(element.whole, entry);
}
