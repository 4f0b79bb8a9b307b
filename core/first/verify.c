/* SPDX-License-Identifier: Apache-2.0 */
/* Whether a bootloader may run, as NSIB judges it. [nsib-format.md] What the verdict is made of is
 * core/image/verdict.h: evidence, and two words without a branch. */
#include "core/image/verdict.h"
#include "ferry/first.h"

#include <string.h>

static void feed(const struct ferry_first *first)
{
    if (first->feed != NULL) {
        first->feed(first->context);
    }
}

/* ---- What it says of itself ---------------------------------------------------------------- */

/* At boot_address: the initial stack pointer, then where the code begins. Returns FERRY_OK or why
 * it may not run. */
static int check_vectors(const struct ferry_first_place *place, const struct ferry_first_info *info)
{
    uint32_t at = info->boot_address - info->address;
    uint8_t raw[4];

    if (!ferry_inside(at, 8, info->size)) {
        return FERRY_E_ADDRESS;
    }
    int rc = ferry_flash_read(place->flash, place->offset + at + 4, raw, sizeof(raw));
    uint32_t reset = (ferry_load_le32(raw) & ~1U) - info->address;
    return rc == FERRY_OK && reset >= info->size ? FERRY_E_ADDRESS : rc;
}

/* An external API or a request for one, in the list behind fw_info: magic, length, id, flags,
 * version; a request adds the highest version, whether it is required, and where to put it. */
#define API_SIZE         28U
#define REQUEST_SIZE     40U
#define REQUEST_REQUIRED 32U

/* What it needs of the first stage, which offers nothing. A firmware that cannot do without is not
 * started, as NSIB does it. */
static int check_requests(const struct ferry_first_place *place,
                          const struct ferry_first_info *info)
{
    uint32_t at = FERRY_FIRST_INFO_SIZE;
    uint32_t most = info->total_size / API_SIZE;

    if (info->ext_api_num > most || info->ext_api_request_num > most) {
        return FERRY_E_FORMAT;
    }
    for (uint32_t i = 0; i < info->ext_api_num + info->ext_api_request_num; i++) {
        bool request = i >= info->ext_api_num;
        uint8_t raw[REQUEST_SIZE] = {0};
        size_t size = request ? REQUEST_SIZE : API_SIZE;

        if (!ferry_inside(at, size, info->total_size)) {
            return FERRY_E_FORMAT;
        }
        int rc = ferry_flash_read(place->flash, place->offset + info->offset + at, raw, size);
        if (rc != FERRY_OK) {
            return rc;
        }
        uint32_t len = ferry_load_le32(raw + 12);
        if (request && ferry_load_le32(raw + REQUEST_REQUIRED) != 0) {
            return FERRY_E_UNSUPPORTED;
        }
        if (len < size || len > info->total_size - at) {
            return FERRY_E_FORMAT;
        }
        at += len;
    }
    return FERRY_OK;
}

static int check_info(const struct ferry_first *first,
                      const struct ferry_first_provision *provision,
                      const struct ferry_first_place *place, const struct ferry_first_info *info)
{
    if (info->address != place->address) {
        return FERRY_E_ADDRESS;
    }
    if (info->valid != FERRY_FIRST_VALID) {
        return FERRY_E_INVALIDATED;
    }
    if (info->version > FERRY_FIRST_VERSION_MAX) {
        return FERRY_E_RANGE;
    }
    if (info->version < ferry_first_lowest(provision)) {
        return FERRY_E_OLD_STAGE;
    }
    if (info->size > place->size || !ferry_inside(info->offset, info->total_size, info->size)) {
        return FERRY_E_IMAGE_SIZE;
    }
    if (info->boot_address < info->address || info->boot_address - info->address >= info->size) {
        return FERRY_E_ADDRESS;
    }
    int rc = check_requests(place, info);
    return rc == FERRY_OK && first->kind->vectors ? check_vectors(place, info) : rc;
}

/* ---- Who signed it --------------------------------------------------------------------------- */

static void hash_key(const struct ferry_first_validation *validation,
                     uint8_t hash[FERRY_SHA256_SIZE])
{
    struct ferry_sha256 sha;

    ferry_crypto_sha256_init(&sha);
    ferry_crypto_sha256_update(&sha, validation->key, sizeof(validation->key));
    ferry_crypto_sha256_final(&sha, hash);
}

/* Find the provisioned key. Of one that stands there twice the entry that is not revoked counts. */
static int find_key(const struct ferry_first_provision *provision,
                    const uint8_t hash[FERRY_SHA256_SIZE], uint32_t *index)
{
    int rc = FERRY_E_NO_KEY;

    for (uint32_t i = 0; i < provision->key_count; i++) {
        if (memcmp(provision->keys[i].hash, hash, FERRY_FIRST_KEY_HASH) != 0) {
            continue;
        }
        *index = i;
        if (!provision->keys[i].revoked) {
            return FERRY_OK;
        }
        rc = FERRY_E_REVOKED;
    }
    return rc;
}

/* The second look at key and counter, by other code: 0 when nothing is wrong. */
static uint32_t look_again(const struct ferry_first_provision *provision,
                           const uint8_t hash[FERRY_SHA256_SIZE],
                           const struct ferry_first_stage *stage)
{
    const volatile struct ferry_first_key *key = &provision->keys[stage->key % FERRY_FIRST_KEYS];
    const volatile uint32_t *version = &stage->info.version;
    const volatile uint32_t *value = &provision->value;
    uint32_t wrong = (uint32_t)key->revoked;

    for (size_t i = FERRY_FIRST_KEY_HASH; i > 0; i--) {
        wrong |= (uint32_t)(key->hash[i - 1] ^ hash[i - 1]);
    }
    wrong |= (uint32_t)(stage->key >= provision->key_count);
    wrong |= (uint32_t)((*version << 1 | 1U) < *value);
    return wrong;
}

/* ---- Digest and signature -------------------------------------------------------------------- */

static int hash_firmware(const struct ferry_first *first, const struct ferry_first_place *place,
                         uint32_t size, uint8_t digest[FERRY_SHA256_SIZE])
{
    struct ferry_sha256 sha;
    int rc = FERRY_OK;

    ferry_crypto_sha256_init(&sha);
    for (uint32_t at = 0; at < size && rc == FERRY_OK;) {
        uint32_t len = size - at < first->buf_size ? size - at : (uint32_t)first->buf_size;

        rc = ferry_flash_read(place->flash, place->offset + at, first->buf, len);
        ferry_crypto_sha256_update(&sha, first->buf, len);
        feed(first);
        at += len;
    }
    ferry_crypto_sha256_final(&sha, digest);
    return rc;
}

/* The signer signs the digest as a message: what ECDSA sees is the digest of the digest. */
static int check_signature(const struct ferry_first_validation *validation,
                           const uint8_t digest[FERRY_SHA256_SIZE])
{
    uint8_t point[FERRY_P256_POINT_SIZE];
    uint8_t signed_digest[FERRY_SHA256_SIZE];
    struct ferry_sha256 sha;

    ferry_crypto_sha256_init(&sha);
    ferry_crypto_sha256_update(&sha, digest, FERRY_SHA256_SIZE);
    ferry_crypto_sha256_final(&sha, signed_digest);
    point[0] = 0x04;
    memcpy(point + 1, validation->key, sizeof(validation->key));
    return ferry_crypto_p256_verify_raw(point, signed_digest, validation->signature);
}

/* Digest and signature of a firmware whose structures are sound, as evidence. */
static int check_contents(const struct ferry_first *first,
                          const struct ferry_first_provision *provision,
                          const struct ferry_first_place *place, struct ferry_first_stage *stage,
                          struct ferry_evidence *evidence)
{
    uint8_t hash[FERRY_SHA256_SIZE];

    hash_key(&stage->validation, hash);
    int rc = find_key(provision, hash, &stage->key);
    if (rc == FERRY_OK) {
        ferry_evidence_expect(evidence, stage->validation.hash, sizeof(stage->validation.hash));
        rc = hash_firmware(first, place, stage->info.size, evidence->computed);
    }
    if (rc != FERRY_OK) {
        return rc;
    }
    if (ferry_evidence_compare(evidence) != 0) {
        return FERRY_E_DIGEST;
    }
    /* Volatile: what is said of it below is read anew each time. */
    volatile int good = FERRY_E_SIGNATURE;
    volatile int revoked = FERRY_E_REVOKED;
    feed(first);
    good = check_signature(&stage->validation, evidence->computed);
    feed(first);
    revoked = (int)look_again(provision, hash, stage);
    ferry_evidence_signature(evidence, good | revoked, good | revoked);
    return good;
}

int ferry_first_verify(const struct ferry_first *first,
                       const struct ferry_first_provision *provision,
                       const struct ferry_first_place *place, struct ferry_first_stage *stage,
                       struct ferry_verdict *verdict)
{
    struct ferry_evidence evidence;

    *verdict = (struct ferry_verdict){0, 0};
    memset(stage, 0, sizeof(*stage));
    ferry_evidence_init(&evidence);
    int rc = ferry_first_info_find(place, first->kind, &stage->info);
    if (rc == FERRY_OK) {
        rc = check_info(first, provision, place, &stage->info);
    }
    if (rc == FERRY_OK) {
        rc = ferry_first_validation_find(place, first->kind, &stage->info, &stage->validation);
    }
    if (rc == FERRY_OK && stage->validation.address != stage->info.address) {
        rc = FERRY_E_ADDRESS;
    }
    if (rc == FERRY_OK) {
        rc = check_contents(first, provision, place, stage, &evidence);
    }
    if (rc != FERRY_OK) {
        return rc;
    }
    ferry_verdict_compose(&evidence, verdict);
    return ferry_verdict_is_valid(verdict) ? FERRY_OK : FERRY_E_SIGNATURE;
}
