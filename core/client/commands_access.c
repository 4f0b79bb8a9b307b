/* SPDX-License-Identifier: Apache-2.0 */
/* The group of access: requests written, answers read. */
#include "ferry/commands_access.h"

#include "ferry/cbor.h"

#include <string.h>

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

/* ---- Requests --------------------------------------------------------------------------- */

/* Begin the map of a request. Returns false when there is no room for one. */
static bool begin(struct ferry_client *client, struct ferry_cbor_writer *writer, size_t pairs)
{
    size_t cap = 0;
    uint8_t *room = ferry_client_room(client, &cap);

    ferry_cbor_writer_init(writer, room, room != NULL ? cap : 0);
    ferry_cbor_put_map(writer, pairs);
    return room != NULL;
}

static int32_t submit(struct ferry_client *client, uint8_t op, uint8_t id,
                      const struct ferry_cbor_writer *writer, void *user)
{
    int len = ferry_cbor_writer_result(writer);
    const struct ferry_client_command command = {.op = op,
                                                 .group = FERRY_SMP_GROUP_ACCESS,
                                                 .id = id,
                                                 .payload = {writer->buf, (size_t)len},
                                                 .user = user};

    return len < 0 ? len : ferry_client_submit(client, &command);
}

int32_t ferry_command_access_status(struct ferry_client *client, const uint8_t *key, void *user)
{
    struct ferry_cbor_writer writer;

    if (!begin(client, &writer, key != NULL ? 1 : 0)) {
        return FERRY_E_BUSY;
    }
    if (key != NULL) {
        ferry_cbor_pair_bytes(&writer, "key", key, FERRY_ACCESS_KEY_SIZE);
    }
    return submit(client, FERRY_SMP_READ, FERRY_SMP_ACCESS_STATUS, &writer, user);
}

int32_t ferry_command_access_challenge(struct ferry_client *client,
                                       const uint8_t key[FERRY_ACCESS_KEY_SIZE], void *user)
{
    struct ferry_cbor_writer writer;

    if (!begin(client, &writer, 1)) {
        return FERRY_E_BUSY;
    }
    ferry_cbor_pair_bytes(&writer, "key", key, FERRY_ACCESS_KEY_SIZE);
    return submit(client, FERRY_SMP_WRITE, FERRY_SMP_ACCESS_CHALLENGE, &writer, user);
}

int32_t ferry_command_access_unlock(struct ferry_client *client,
                                    const struct ferry_access_unlock *unlock, void *user)
{
    struct ferry_cbor_writer writer;

    if (!begin(client, &writer, 4)) {
        return FERRY_E_BUSY;
    }
    ferry_cbor_pair_bytes(&writer, "key", unlock->key, FERRY_ACCESS_KEY_SIZE);
    ferry_cbor_pair_uint(&writer, "level", unlock->level);
    ferry_cbor_pair_uint(&writer, "seconds", unlock->seconds);
    ferry_cbor_pair_bytes(&writer, "sig", unlock->signature, FERRY_ACCESS_SIGNATURE_SIZE);
    return submit(client, FERRY_SMP_WRITE, FERRY_SMP_ACCESS_UNLOCK, &writer, user);
}

int32_t ferry_command_access_lock(struct ferry_client *client, void *user)
{
    struct ferry_cbor_writer writer;

    return begin(client, &writer, 0)
               ? submit(client, FERRY_SMP_WRITE, FERRY_SMP_ACCESS_LOCK, &writer, user)
               : FERRY_E_BUSY;
}

int32_t ferry_command_access_audit(struct ferry_client *client, int transport, void *user)
{
    struct ferry_cbor_writer writer;

    if (!begin(client, &writer, transport >= 0 ? 1 : 0)) {
        return FERRY_E_BUSY;
    }
    if (transport >= 0) {
        ferry_cbor_pair_uint(&writer, "transport", (uint64_t)transport);
    }
    return submit(client, FERRY_SMP_READ, FERRY_SMP_ACCESS_AUDIT, &writer, user);
}

/* ---- Answers ---------------------------------------------------------------------------- */

/* A number of an answer, 0 when it is absent. Returns false beyond 32 bits. */
static bool take(const struct ferry_cbor_field *field, uint32_t *value)
{
    *value = 0;
    if (field->present) {
        if (field->item.value > UINT32_MAX) {
            return false;
        }
        *value = (uint32_t)field->item.value;
    }
    return true;
}

/* Take count numbers. Returns FERRY_OK or FERRY_E_RANGE. */
static int take_all(const struct ferry_cbor_field *fields, uint32_t *const *values, size_t count)
{
    bool good = true;

    for (size_t i = 0; i < count; i++) {
        good = take(&fields[i], values[i]) && good;
    }
    return good ? FERRY_OK : FERRY_E_RANGE;
}

int ferry_answer_access_status(struct ferry_bytes payload, struct ferry_access_status *status)
{
    struct ferry_cbor_field fields[] = {{.key = "level", .kind = FERRY_CBOR_UINT},
                                        {.key = "lowest", .kind = FERRY_CBOR_UINT},
                                        {.key = "highest", .kind = FERRY_CBOR_UINT},
                                        {.key = "left", .kind = FERRY_CBOR_UINT},
                                        {.key = "max_level", .kind = FERRY_CBOR_UINT},
                                        {.key = "max_seconds", .kind = FERRY_CBOR_UINT}};
    uint32_t *const values[] = {&status->level,  &status->lowest,    &status->highest,
                                &status->left_s, &status->max_level, &status->max_seconds};
    int rc = ferry_cbor_read_map(payload, fields, COUNT(fields));

    memset(status, 0, sizeof(*status));
    if (rc != FERRY_OK || !fields[0].present) {
        return rc != FERRY_OK ? rc : FERRY_E_NOT_FOUND;
    }
    status->has_key = fields[4].present && fields[5].present;
    return take_all(fields, values, COUNT(values));
}

int ferry_answer_access_challenge(struct ferry_bytes payload,
                                  struct ferry_access_challenge *challenge)
{
    struct ferry_cbor_field fields[] = {{.key = "transport", .kind = FERRY_CBOR_UINT},
                                        {.key = "max_level", .kind = FERRY_CBOR_UINT},
                                        {.key = "max_seconds", .kind = FERRY_CBOR_UINT},
                                        {.key = "nonce", .kind = FERRY_CBOR_BYTES},
                                        {.key = "id", .kind = FERRY_CBOR_BYTES}};
    uint32_t transport = 0;
    uint32_t *const values[] = {&transport, &challenge->max_level, &challenge->max_seconds};
    int rc = ferry_cbor_read_map(payload, fields, COUNT(fields));

    memset(challenge, 0, sizeof(*challenge));
    if (rc != FERRY_OK) {
        return rc;
    }
    for (size_t i = 0; i < COUNT(fields); i++) {
        if (!fields[i].present) {
            return FERRY_E_NOT_FOUND;
        }
    }
    if (fields[3].item.bytes.len != FERRY_ACCESS_NONCE_SIZE || fields[3].item.chunked ||
        fields[4].item.bytes.len > FERRY_ACCESS_ID_MAX || fields[4].item.chunked) {
        return FERRY_E_FORMAT;
    }
    memcpy(challenge->nonce, fields[3].item.bytes.data, FERRY_ACCESS_NONCE_SIZE);
    challenge->id_len = (uint8_t)fields[4].item.bytes.len;
    if (challenge->id_len > 0) {
        memcpy(challenge->id, fields[4].item.bytes.data, challenge->id_len);
    }
    rc = take_all(fields, values, COUNT(values));
    challenge->transport = (uint8_t)transport;
    return rc == FERRY_OK && transport > UINT8_MAX ? FERRY_E_RANGE : rc;
}

uint32_t ferry_answer_access_wait_ms(struct ferry_bytes payload)
{
    enum { LONGEST_MS = 60000, USUAL_MS = 1000 };
    struct ferry_cbor_field wait = {.key = "wait", .kind = FERRY_CBOR_UINT};

    if (ferry_cbor_read_map(payload, &wait, 1) != FERRY_OK || !wait.present) {
        return USUAL_MS;
    }
    return wait.item.value < LONGEST_MS ? (uint32_t)wait.item.value : LONGEST_MS;
}

int ferry_answer_access_audit(struct ferry_bytes payload, struct ferry_access_audit *audit)
{
    struct ferry_cbor_field fields[] = {{.key = "refused", .kind = FERRY_CBOR_UINT},
                                        {.key = "unlocks", .kind = FERRY_CBOR_UINT},
                                        {.key = "failed", .kind = FERRY_CBOR_UINT},
                                        {.key = "transport", .kind = FERRY_CBOR_UINT},
                                        {.key = "last_group", .kind = FERRY_CBOR_UINT},
                                        {.key = "last_command", .kind = FERRY_CBOR_UINT},
                                        {.key = "last_op", .kind = FERRY_CBOR_UINT}};
    uint32_t *const values[] = {&audit->refused,   &audit->unlocks,    &audit->failed,
                                &audit->transport, &audit->last_group, &audit->last_command,
                                &audit->last_op};
    int rc = ferry_cbor_read_map(payload, fields, COUNT(fields));

    memset(audit, 0, sizeof(*audit));
    if (rc != FERRY_OK) {
        return rc;
    }
    if (!fields[0].present || !fields[1].present || !fields[2].present) {
        return FERRY_E_NOT_FOUND;
    }
    return take_all(fields, values, COUNT(values));
}
