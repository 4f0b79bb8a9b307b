/* SPDX-License-Identifier: Apache-2.0 */
#include "file_proof.h"

#include "ferry/crc.h"
#include "ferry/crypto.h"

#include <string.h>

int file_size(struct session *session, const char *name, uint32_t *size,
              struct ferry_client_answer *answer)
{
    int error =
        session_ask(session, ferry_command_file_status(session->client, name, NULL), answer);

    if (error == FERRY_OK) {
        error = ferry_answer_file_status(answer->payload, size);
        answer->error = error;
    }
    return error;
}

/* ---- Hashes --------------------------------------------------------------------------------- */

static bool is_sha256(const struct ferry_file_hash *hash, struct ferry_bytes data)
{
    uint8_t digest[FERRY_SHA256_SIZE];
    struct ferry_sha256 state;

    ferry_crypto_sha256_init(&state);
    ferry_crypto_sha256_update(&state, data.data, data.len);
    ferry_crypto_sha256_final(&state, digest);
    return hash->is_bytes && hash->bytes_len == sizeof digest &&
           memcmp(hash->bytes, digest, sizeof digest) == 0;
}

static bool is_crc32(const struct ferry_file_hash *hash, struct ferry_bytes data)
{
    return !hash->is_bytes && hash->number == ferry_crc32(0, data.data, data.len);
}

/* In the order of trust. */
static const struct {
    const char *name;
    bool (*fits)(const struct ferry_file_hash *hash, struct ferry_bytes data);
} KINDS[] = {{"sha256", is_sha256}, {"crc32", is_crc32}};

#define KIND_COUNT (sizeof KINDS / sizeof KINDS[0])

/* Ask for one kind of hash. Returns FERRY_OK; FERRY_E_REFUSED; or another error, as answer has it.
 */
static int ask(struct session *session, const struct ferry_file_hash_request *request,
               struct file_proof_result *result)
{
    int error = session_ask(session, ferry_command_file_hash(session->client, request, NULL),
                            &result->answer);

    if (error == FERRY_OK) {
        error = ferry_answer_file_hash(result->answer.payload, &result->hash);
    }
    result->answer.error = error;
    return error;
}

/* Without a hash the size tells at least whether the file was cut. Of an empty one it tells all. */
static void compare_size(struct session *session, const char *name, size_t size,
                         struct file_proof_result *result)
{
    uint32_t len = 0;
    int error = file_size(session, name, &len, &result->answer);

    memset(&result->hash, 0, sizeof result->hash);
    result->hash.len = len;
    if (error == FERRY_E_REFUSED && size > 0) { /* a server without that command, too */
        result->verdict = FILE_PROOF_NO_HASH;
    } else if (error != FERRY_OK) {
        result->verdict = FILE_PROOF_FAILED;
    } else if (len != size) {
        result->verdict = FILE_PROOF_DIFFERS;
    } else {
        result->verdict = size == 0 ? FILE_PROOF_SAME : FILE_PROOF_NO_HASH;
    }
}

void file_proof(struct session *session, const char *name, struct ferry_bytes data, bool whole,
                struct file_proof_result *result)
{
    struct ferry_file_hash_request request = {.name = name, .expected = (uint32_t)data.len};

    memset(result, 0, sizeof *result);
    request.len = whole ? 0 : (uint32_t)data.len;
    for (size_t i = 0; i < KIND_COUNT && data.len > 0; i++) {
        request.type = KINDS[i].name;
        int error = ask(session, &request, result);

        if (error == FERRY_OK) {
            bool same = result->hash.len == data.len && KINDS[i].fits(&result->hash, data);

            result->verdict = same ? FILE_PROOF_SAME : FILE_PROOF_DIFFERS;
            return;
        }
        if (error != FERRY_E_REFUSED) {
            result->verdict = FILE_PROOF_FAILED;
            return;
        }
    }
    compare_size(session, name, data.len, result);
}

/* ---- Showing -------------------------------------------------------------------------------- */

void file_hash_text(const struct ferry_file_hash *hash, char *text)
{
    if (hash->is_bytes) {
        cli_hex(hash->bytes, hash->bytes_len, text);
    } else {
        snprintf(text, 2 * FERRY_FILE_HASH_MAX + 1, "%08llx", (unsigned long long)hash->number);
    }
}

void file_hash_json(cJSON *object, const struct ferry_file_hash *hash)
{
    char text[2 * FERRY_FILE_HASH_MAX + 1];
    char type[FERRY_FILE_TYPE_MAX];

    memcpy(type, hash->type, sizeof type);
    cli_printable(type);
    file_hash_text(hash, text);
    cJSON_AddStringToObject(object, "type", type);
    if (hash->offset != 0) {
        cJSON_AddNumberToObject(object, "off", hash->offset);
    }
    cJSON_AddNumberToObject(object, "len", hash->len);
    if (hash->is_bytes) {
        cJSON_AddStringToObject(object, "output", text);
    } else {
        cJSON_AddNumberToObject(object, "output", (double)hash->number);
    }
}
