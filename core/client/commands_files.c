/* SPDX-License-Identifier: Apache-2.0 */
/* The group of files: requests written, answers read. Chunks are the flows' affair. */
#include "ferry/files.h"

#include "ferry/cbor.h"

#include <string.h>

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

/* What a device is given for each KiB that it reads and hashes. */
#define HASH_MS_PER_KIB 20

/* ---- Requests --------------------------------------------------------------------------- */

/* Begin the map of a request. Returns false when there is no place for one. */
static bool begin(struct ferry_client *client, struct ferry_cbor_writer *writer, size_t pairs)
{
    size_t cap = 0;
    uint8_t *room = ferry_client_room(client, &cap);

    ferry_cbor_writer_init(writer, room, room != NULL ? cap : 0);
    ferry_cbor_put_map(writer, pairs);
    return room != NULL;
}

static int32_t submit(struct ferry_client *client, struct ferry_client_command *command,
                      const struct ferry_cbor_writer *writer)
{
    int len = ferry_cbor_writer_result(writer);

    command->group = FERRY_SMP_GROUP_FS;
    command->payload = (struct ferry_bytes){writer->buf, (size_t)len};
    return len < 0 ? len : ferry_client_submit(client, command);
}

int32_t ferry_command_file_status(struct ferry_client *client, const char *name, void *user)
{
    struct ferry_client_command command = {
        .op = FERRY_SMP_READ, .id = FERRY_SMP_FS_STATUS, .user = user};
    struct ferry_cbor_writer writer;

    if (!begin(client, &writer, 1)) {
        return FERRY_E_BUSY;
    }
    ferry_cbor_pair_text(&writer, "name", name);
    return submit(client, &command, &writer);
}

int32_t ferry_command_file_hash(struct ferry_client *client,
                                const struct ferry_file_hash_request *request, void *user)
{
    struct ferry_client_command command = {
        .op = FERRY_SMP_READ, .id = FERRY_SMP_FS_HASH, .user = user};
    struct ferry_cbor_writer writer;

    command.timeout_ms = client->config.timeout_ms + request->expected / 1024 * HASH_MS_PER_KIB;
    if (!begin(client, &writer,
               1U + (request->type != NULL) + (request->offset != 0) + (request->len != 0))) {
        return FERRY_E_BUSY;
    }
    ferry_cbor_pair_text(&writer, "name", request->name);
    if (request->type != NULL) {
        ferry_cbor_pair_text(&writer, "type", request->type);
    }
    if (request->offset != 0) {
        ferry_cbor_pair_uint(&writer, "off", request->offset);
    }
    if (request->len != 0) {
        ferry_cbor_pair_uint(&writer, "len", request->len);
    }
    return submit(client, &command, &writer);
}

/* A command without arguments; an empty map, since some servers refuse an empty payload. */
static int32_t submit_plain(struct ferry_client *client, uint8_t op, uint8_t id, void *user)
{
    struct ferry_client_command command = {.op = op, .id = id, .user = user};
    struct ferry_cbor_writer writer;

    return begin(client, &writer, 0) ? submit(client, &command, &writer) : FERRY_E_BUSY;
}

int32_t ferry_command_file_types(struct ferry_client *client, void *user)
{
    return submit_plain(client, FERRY_SMP_READ, FERRY_SMP_FS_TYPES, user);
}

int32_t ferry_command_file_close(struct ferry_client *client, void *user)
{
    return submit_plain(client, FERRY_SMP_WRITE, FERRY_SMP_FS_CLOSE, user);
}

/* ---- Answers ---------------------------------------------------------------------------- */

/* A number of 32 bits, 0 when it is absent. Returns FERRY_OK or FERRY_E_RANGE. */
static int take(const struct ferry_cbor_field *field, uint32_t *value)
{
    if (field->present && field->item.value > UINT32_MAX) {
        return FERRY_E_RANGE;
    }
    *value = field->present ? (uint32_t)field->item.value : 0;
    return FERRY_OK;
}

/* The name of a hash; longer ones are cut. */
static int take_name(const struct ferry_cbor_item *item, char name[FERRY_FILE_TYPE_MAX])
{
    uint8_t text[64];
    int len = ferry_cbor_copy(item, text, sizeof text);

    if (len < 0) {
        return len;
    }
    len = len < FERRY_FILE_TYPE_MAX ? len : FERRY_FILE_TYPE_MAX - 1;
    memcpy(name, text, (size_t)len);
    name[len] = '\0';
    return FERRY_OK;
}

int ferry_answer_file_status(struct ferry_bytes payload, uint32_t *size)
{
    struct ferry_cbor_field len = {.key = "len", .kind = FERRY_CBOR_UINT};
    int rc = ferry_cbor_read_map(payload, &len, 1);

    if (rc == FERRY_OK && !len.present) {
        return FERRY_E_NOT_FOUND;
    }
    return rc == FERRY_OK ? take(&len, size) : rc;
}

/* The output is a number or bytes, whatever the kind of hash. */
static int take_output(const struct ferry_cbor_item *output, struct ferry_file_hash *hash)
{
    int len = 0;

    if (output->kind == FERRY_CBOR_UINT) {
        hash->number = output->value;
        return FERRY_OK;
    }
    if (output->kind != FERRY_CBOR_BYTES) {
        return FERRY_E_TYPE;
    }
    len = ferry_cbor_copy(output, hash->bytes, sizeof hash->bytes);
    hash->is_bytes = true;
    hash->bytes_len = len > 0 ? (uint8_t)len : 0;
    return len < 0 ? len : FERRY_OK;
}

int ferry_answer_file_hash(struct ferry_bytes payload, struct ferry_file_hash *hash)
{
    struct ferry_cbor_field fields[] = {{.key = "type", .kind = FERRY_CBOR_TEXT},
                                        {.key = "off", .kind = FERRY_CBOR_UINT},
                                        {.key = "len", .kind = FERRY_CBOR_UINT},
                                        {.key = "output", .kind = FERRY_CBOR_ANY}};
    int rc = ferry_cbor_read_map(payload, fields, COUNT(fields));

    memset(hash, 0, sizeof *hash);
    if (rc != FERRY_OK || !fields[3].present) {
        return rc != FERRY_OK ? rc : FERRY_E_NOT_FOUND;
    }
    rc = fields[0].present ? take_name(&fields[0].item, hash->type) : FERRY_OK;
    rc = rc == FERRY_OK ? take(&fields[1], &hash->offset) : rc;
    rc = rc == FERRY_OK ? take(&fields[2], &hash->len) : rc;
    return rc == FERRY_OK ? take_output(&fields[3].item, hash) : rc;
}

/* One pair of the map of kinds. */
static int read_type(struct ferry_cbor_reader *pairs, struct ferry_file_type *type)
{
    struct ferry_cbor_field fields[] = {{.key = "format", .kind = FERRY_CBOR_UINT},
                                        {.key = "size", .kind = FERRY_CBOR_UINT}};
    struct ferry_cbor_item name;
    const uint8_t *begin_at;
    struct ferry_cbor_item value;
    int rc = ferry_cbor_read(pairs, &name);

    if (rc != FERRY_OK || name.kind != FERRY_CBOR_TEXT) {
        return rc != FERRY_OK ? rc : FERRY_E_TYPE;
    }
    begin_at = pairs->next;
    rc = ferry_cbor_read(pairs, &value);
    if (rc != FERRY_OK) {
        return rc;
    }
    rc = ferry_cbor_read_map((struct ferry_bytes){begin_at, (size_t)(pairs->next - begin_at)},
                             fields, COUNT(fields));
    rc = rc == FERRY_OK ? take_name(&name, type->name) : rc;
    rc = rc == FERRY_OK ? take(&fields[0], &type->format) : rc;
    return rc == FERRY_OK ? take(&fields[1], &type->size) : rc;
}

int ferry_answer_file_types(struct ferry_bytes payload, struct ferry_file_type *types, size_t cap)
{
    struct ferry_cbor_field field = {.key = "types", .kind = FERRY_CBOR_MAP};
    int rc = ferry_cbor_read_map(payload, &field, 1);
    int count = 0;

    if (rc != FERRY_OK || !field.present) {
        return rc != FERRY_OK ? rc : FERRY_E_NOT_FOUND;
    }

    struct ferry_cbor_reader pairs = ferry_cbor_enter(&field.item);

    while (!ferry_cbor_at_end(&pairs)) {
        struct ferry_file_type type;

        rc = read_type(&pairs, &type);
        if (rc != FERRY_OK) {
            return rc;
        }
        if ((size_t)count < cap) {
            types[count] = type;
        }
        count++;
    }
    return count;
}
