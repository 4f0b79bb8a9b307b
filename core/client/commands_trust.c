/* SPDX-License-Identifier: Apache-2.0 */
/* The group of keys: requests written, answers read. */
#include "ferry/commands_trust.h"

#include "ferry/cbor.h"
#include "ferry/smp.h"

#include <string.h>

#define GROUP 102

enum { KEY, REVOKE, ADD };

/* A request of one pair, number or bytes. A change may take as long as images take to verify. */
static int32_t submit(struct ferry_client *client, uint8_t id, const char *key, uint32_t number,
                      struct ferry_bytes bytes, void *user)
{
    struct ferry_client_command command = {
        .op = id == KEY ? FERRY_SMP_READ : FERRY_SMP_WRITE, .group = GROUP, .id = id, .user = user};
    struct ferry_cbor_writer writer;
    size_t cap;
    uint8_t *room = ferry_client_room(client, &cap);

    if (room == NULL) {
        return FERRY_E_BUSY;
    }
    ferry_cbor_writer_init(&writer, room, cap);
    ferry_cbor_put_map(&writer, 1);
    if (bytes.len > 0) {
        ferry_cbor_pair_bytes(&writer, key, bytes.data, bytes.len);
    } else {
        ferry_cbor_pair_uint(&writer, key, number);
    }

    int len = ferry_cbor_writer_result(&writer);

    if (len < 0) {
        return len;
    }
    command.payload = (struct ferry_bytes){writer.buf, (size_t)len};
    return ferry_client_submit(client, &command);
}

int32_t ferry_command_key(struct ferry_client *client, uint32_t number, void *user)
{
    return submit(client, KEY, "n", number, (struct ferry_bytes){NULL, 0}, user);
}

int32_t ferry_command_key_revoke(struct ferry_client *client,
                                 const uint8_t hash[FERRY_KEY_HASH_SIZE], void *user)
{
    return submit(client, REVOKE, "hash", 0, (struct ferry_bytes){hash, FERRY_KEY_HASH_SIZE}, user);
}

int32_t ferry_command_key_add(struct ferry_client *client, struct ferry_bytes der, void *user)
{
    return submit(client, ADD, "key", 0, der, user);
}

static bool is_true(const struct ferry_cbor_field *field)
{
    return field->present && field->item.value != 0;
}

int ferry_answer_key(struct ferry_bytes payload, struct ferry_key_state *key)
{
    struct ferry_cbor_field fields[] = {{.key = "hash", .kind = FERRY_CBOR_BYTES},
                                        {.key = "source", .kind = FERRY_CBOR_TEXT},
                                        {.key = "revoked", .kind = FERRY_CBOR_BOOL},
                                        {.key = "development", .kind = FERRY_CBOR_BOOL},
                                        {.key = "named", .kind = FERRY_CBOR_BOOL}};
    int rc = ferry_cbor_read_map(payload, fields, sizeof(fields) / sizeof(fields[0]));

    memset(key, 0, sizeof(*key));
    if (rc != FERRY_OK) {
        return rc;
    }
    if (!fields[0].present || !fields[1].present) {
        return FERRY_E_NOT_FOUND;
    }
    if (fields[0].item.bytes.len != FERRY_KEY_HASH_SIZE) {
        return FERRY_E_FORMAT;
    }
    memcpy(key->hash, fields[0].item.bytes.data, FERRY_KEY_HASH_SIZE);

    size_t len = fields[1].item.bytes.len;

    memcpy(key->source, fields[1].item.bytes.data,
           len < sizeof(key->source) ? len : sizeof(key->source) - 1);
    key->revoked = is_true(&fields[2]);
    key->development = is_true(&fields[3]);
    key->named = is_true(&fields[4]);
    return FERRY_OK;
}
