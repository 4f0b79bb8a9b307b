/* SPDX-License-Identifier: Apache-2.0 */
/* SMP group 4, log. [smp.md §3.4] */
#include "ferry/group_log.h"

#include <string.h>

/* What a client wants to see, and as much of it as one answer takes. */
struct query {
    struct ferry_bytes name; /* empty: all logs */
    int64_t ts;              /* above 0: only what is newer; below: the last entry of a log */
    uint32_t from;           /* first index wanted */
    uint32_t end;            /* behind the last index in this answer */
    size_t message_max;      /* longer messages are cut */
};

static const struct ferry_log_group_config *config_of(const struct ferry_server_call *call)
{
    return call->context;
}

static bool is_readable(const struct ferry_log *log)
{
    return log->type != FERRY_LOG_STREAM;
}

/* Whether a log is meant by a name, or by none. */
static bool is_meant(const struct ferry_log *log, struct ferry_bytes name)
{
    if (!is_readable(log)) {
        return false;
    }
    return name.len == 0 || (name.len == ferry_text_length(log->name) &&
                             memcmp(name.data, log->name, name.len) == 0);
}

/* The name in a request, empty when there is none. Returns an rc; FERRY_RC_NO_ENTRY when no log
 * has it. */
static int take_name(const struct ferry_server_call *call, const struct ferry_cbor_field *field,
                     struct ferry_bytes *name)
{
    const struct ferry_log_group_config *config = config_of(call);

    *name = field->present ? field->item.bytes : (struct ferry_bytes){0};
    for (size_t i = 0; i < config->log_count; i++) {
        if (is_meant(&config->logs[i], *name)) {
            return FERRY_RC_OK;
        }
    }
    return name->len == 0 ? FERRY_RC_OK : FERRY_RC_NO_ENTRY;
}

/* ---- Show: which entries --------------------------------------------------------- */

/* The oldest entry of a log that is wanted, from an index on. Returns whether there is one. */
static bool find(const struct query *query, const struct ferry_log *log, uint32_t from,
                 struct ferry_log_entry *entry)
{
    if (!is_meant(log, query->name)) {
        return false;
    }
    if (query->ts < 0) {
        uint32_t next_index = log->ops->next_index(log->context);

        from = ferry_max32(from, next_index > 0 ? next_index - 1 : 0);
    }
    while (log->ops->next(log->context, from, entry) == 1) {
        if (query->ts <= 0 || entry->ts_us > query->ts) {
            return true;
        }
        from = entry->index + 1;
    }
    return false;
}

/* The lowest index of all entries that are wanted, from an index on. */
static bool find_lowest(const struct ferry_log_group_config *config, const struct query *query,
                        uint32_t from, uint32_t *index)
{
    struct ferry_log_entry entry;
    bool found = false;

    for (size_t i = 0; i < config->log_count; i++) {
        if (find(query, &config->logs[i], from, &entry) && (!found || entry.index < *index)) {
            *index = entry.index;
            found = true;
        }
    }
    return found;
}

/* ---- Show: the answer ---------------------------------------------------------- */

/* An entry, its message cut to len bytes. A writer without a buffer counts 3 bytes for the head of
 * the message, as many as ferry_cbor_reserve() wants. */
static void put_entry(struct ferry_cbor_writer *out, const struct ferry_log *log,
                      const struct ferry_log_entry *entry, size_t len)
{
    static const char *const kinds[] = {"str", "cbor", "bin"};
    size_t room;

    ferry_cbor_open_map(out);
    ferry_cbor_pair_text(out, "type", kinds[entry->kind <= FERRY_LOG_BINARY ? entry->kind : 2]);
    ferry_cbor_pair_int(out, "ts", entry->ts_us);
    ferry_cbor_pair_uint(out, "level", entry->level);
    ferry_cbor_pair_uint(out, "index", entry->index);
    ferry_cbor_pair_uint(out, "module", entry->module);
    ferry_cbor_put_text(out, "msg");
    if (out->buf == NULL) {
        out->len += 3 + len;
    } else {
        uint8_t *place = ferry_cbor_reserve(out, 1, &room);

        len = len < room ? len : room;
        if (place != NULL) {
            log->ops->read(log->context, entry, place, len);
            ferry_cbor_put_reserved(out, FERRY_CBOR_BYTES, len);
        }
    }
    ferry_cbor_close(out);
}

/* A log with its entries from query->from to query->end. */
static void put_log(struct ferry_cbor_writer *out, const struct query *query,
                    const struct ferry_log *log)
{
    struct ferry_log_entry entry;
    uint32_t from = query->from;

    ferry_cbor_open_map(out);
    ferry_cbor_pair_text(out, "name", log->name);
    ferry_cbor_pair_uint(out, "type", log->type);
    ferry_cbor_put_text(out, "entries");
    ferry_cbor_open_list(out);
    while (from < query->end && find(query, log, from, &entry) && entry.index < query->end) {
        put_entry(out, log, &entry,
                  entry.len < query->message_max ? entry.len : query->message_max);
        from = entry.index + 1;
    }
    ferry_cbor_close(out);
    ferry_cbor_close(out);
}

static void put_logs(struct ferry_cbor_writer *out, const struct ferry_log_group_config *config,
                     const struct query *query)
{
    ferry_cbor_put_text(out, "logs");
    ferry_cbor_open_list(out);
    for (size_t i = 0; i < config->log_count; i++) {
        if (is_meant(&config->logs[i], query->name)) {
            put_log(out, query, &config->logs[i]);
        }
    }
    ferry_cbor_close(out);
}

/* ---- Show: what fits ----------------------------------------------------------- */

/* All entries of one index: several logs may have one each. */
struct row {
    size_t count;
    size_t heads; /* bytes without the messages */
    size_t messages;
};

static struct row measure(const struct ferry_log_group_config *config, const struct query *query,
                          uint32_t index)
{
    struct row row = {0};

    for (size_t i = 0; i < config->log_count; i++) {
        struct ferry_cbor_writer size = {0};
        struct ferry_log_entry entry;

        if (find(query, &config->logs[i], index, &entry) && entry.index == index) {
            put_entry(&size, &config->logs[i], &entry, 0);
            row.count++;
            row.heads += size.len;
            row.messages += entry.len;
        }
    }
    return row;
}

/* Only the entries of one index are in the answer, their messages cut. Returns an rc. */
static int plan_cut(struct query *query, const struct row *row, uint32_t index, size_t room)
{
    if (row->heads > room) {
        return FERRY_RC_MESSAGE_SIZE;
    }
    query->message_max = (room - row->heads) / row->count;
    query->end = index + 1;
    return FERRY_RC_OK;
}

/* Set query->end: as many indexes as one answer takes, so that a client that goes on behind the
 * last one misses nothing of any log. Returns an rc. */
static int plan(const struct ferry_server_call *call, struct query *query)
{
    const struct ferry_log_group_config *config = config_of(call);
    struct ferry_cbor_writer frame = call->out;
    uint32_t index = 0;

    query->end = query->from;
    query->message_max = SIZE_MAX;
    put_logs(&frame, config, query);
    ferry_cbor_close(&frame); /* the answer's map */
    if (frame.len > frame.cap) {
        return FERRY_RC_MESSAGE_SIZE;
    }

    size_t room = frame.cap - frame.len;

    for (bool first = true; find_lowest(config, query, query->end, &index); first = false) {
        struct row row = measure(config, query, index);

        if (row.heads + row.messages > room) {
            return first ? plan_cut(query, &row, index, room) : FERRY_RC_OK;
        }
        room -= row.heads + row.messages;
        query->end = index + 1;
    }
    return FERRY_RC_OK;
}

static uint32_t next_index(const struct ferry_log_group_config *config)
{
    uint32_t highest = 0;

    for (size_t i = 0; i < config->log_count; i++) {
        const struct ferry_log *log = &config->logs[i];

        if (is_readable(log)) {
            highest = ferry_max32(highest, log->ops->next_index(log->context));
        }
    }
    return highest;
}

static int show(struct ferry_server_call *call)
{
    struct ferry_cbor_field fields[] = {{.key = "log_name", .kind = FERRY_CBOR_TEXT},
                                        {.key = "ts", .kind = FERRY_CBOR_NEGATIVE},
                                        {.key = "index", .kind = FERRY_CBOR_UINT}};
    struct query query = {0};
    int rc = ferry_server_read(call, fields, 3);

    if (rc == FERRY_RC_OK && fields[1].present &&
        ferry_cbor_to_int(&fields[1].item, &query.ts) != FERRY_OK) {
        rc = FERRY_RC_INVALID;
    }
    if (rc == FERRY_RC_OK) {
        rc = take_name(call, &fields[0], &query.name);
    }
    if (rc != FERRY_RC_OK) {
        return rc;
    }
    if (fields[2].present) {
        query.from =
            fields[2].item.value < UINT32_MAX ? (uint32_t)fields[2].item.value : UINT32_MAX;
    }
    ferry_cbor_pair_uint(&call->out, "rc", FERRY_RC_OK);
    ferry_cbor_pair_uint(&call->out, "next_index", next_index(config_of(call)));
    rc = plan(call, &query);
    if (rc == FERRY_RC_OK) {
        put_logs(&call->out, config_of(call), &query);
    }
    return rc;
}

/* ---- Clear --------------------------------------------------------------------- */

static int clear(struct ferry_server_call *call)
{
    const struct ferry_log_group_config *config = config_of(call);
    struct ferry_cbor_field field = {.key = "log_name", .kind = FERRY_CBOR_TEXT};
    struct ferry_bytes name;
    int rc = call->payload.len == 0 ? FERRY_RC_OK : ferry_server_read(call, &field, 1);

    if (rc == FERRY_RC_OK) {
        rc = take_name(call, &field, &name);
    }
    if (rc != FERRY_RC_OK) {
        return rc;
    }
    for (size_t i = 0; i < config->log_count; i++) {
        const struct ferry_log *log = &config->logs[i];

        if (!is_meant(log, name)) {
            continue;
        }
        if (log->ops->clear == NULL) {
            rc = FERRY_RC_NOT_SUPPORTED;
        } else if (log->ops->clear(log->context) != FERRY_OK) {
            rc = FERRY_RC_UNKNOWN;
        }
    }
    ferry_cbor_pair_uint(&call->out, "rc", FERRY_RC_OK);
    return rc;
}

/* ---- Lists --------------------------------------------------------------------- */

static int list_modules(struct ferry_server_call *call)
{
    const struct ferry_log_group_config *config = config_of(call);

    ferry_cbor_pair_uint(&call->out, "rc", FERRY_RC_OK);
    ferry_cbor_put_text(&call->out, "module_map");
    ferry_cbor_open_map(&call->out);
    for (size_t i = 0; i < config->module_count; i++) {
        ferry_cbor_pair_uint(&call->out, config->modules[i].name, config->modules[i].number);
    }
    ferry_cbor_close(&call->out);
    return FERRY_RC_OK;
}

static int list_levels(struct ferry_server_call *call)
{
    static const char *const names[] = {"DEBUG", "INFO", "WARN", "ERROR", "CRITICAL"};

    ferry_cbor_pair_uint(&call->out, "rc", FERRY_RC_OK);
    ferry_cbor_put_text(&call->out, "level_map");
    ferry_cbor_open_map(&call->out);
    for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
        ferry_cbor_pair_uint(&call->out, names[i], i);
    }
    ferry_cbor_close(&call->out);
    return FERRY_RC_OK;
}

static int list_logs(struct ferry_server_call *call)
{
    const struct ferry_log_group_config *config = config_of(call);

    ferry_cbor_pair_uint(&call->out, "rc", FERRY_RC_OK);
    ferry_cbor_put_text(&call->out, "log_list");
    ferry_cbor_open_list(&call->out);
    for (size_t i = 0; i < config->log_count; i++) {
        if (is_readable(&config->logs[i])) {
            ferry_cbor_put_text(&call->out, config->logs[i].name);
        }
    }
    ferry_cbor_close(&call->out);
    return FERRY_RC_OK;
}

/* ---- The group ----------------------------------------------------------------- */

/* Appending is not in Mynewt either. The group has no errors of its own. */
static const struct ferry_command commands[] = {
    [FERRY_SMP_LOG_SHOW] = {.read = show},
    [FERRY_SMP_LOG_CLEAR] = {.write = clear},
    [FERRY_SMP_LOG_MODULES] = {.read = list_modules},
    [FERRY_SMP_LOG_LEVELS] = {.read = list_levels},
    [FERRY_SMP_LOG_LOGS] = {.read = list_logs},
};

const struct ferry_group ferry_log_group_table = {
    .id = FERRY_SMP_GROUP_LOG,
    .name = "log mgmt",
    .commands = commands,
    .command_count = sizeof(commands) / sizeof(commands[0]),
};
