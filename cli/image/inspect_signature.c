/* SPDX-License-Identifier: Apache-2.0 */
/* What the digest and the signatures of an image are worth. */
#include "inspect.h"
#include "tlv_scan.h"

#include "ferry/keys.h"

#include <string.h>

/* ---- By whom --------------------------------------------------------------------------------- */

/* The scheme of a signature, "" for a TLV that is none. ECDSA's curve follows from its digest. */
static const char *scheme_of(const struct ferry_tlv *tlv, const struct ferry_image_info *info)
{
    switch (tlv->type) {
    case FERRY_TLV_RSA2048_PSS:
        return "rsa-2048";
    case FERRY_TLV_RSA3072_PSS:
        return "rsa-3072";
    case FERRY_TLV_ECDSA_SIG:
        return info->digest_len == 48 ? "ecdsa-p384" : "ecdsa-p256";
    case FERRY_TLV_ED25519:
        return info->pure ? "ed25519, pure" : "ed25519";
    default:
        return "";
    }
}

/* A key by the TLV that names it: its hash, or the key itself. */
struct named_key {
    const uint8_t *data;
    uint16_t len;
    bool whole; /* PUBKEY */
};

static bool is_published(const struct named_key *named)
{
    const struct ferry_key_list *list = &ferry_development_keys;
    const struct ferry_image_key key = {named->data, named->len};
    if (named->whole) {
        return list->has(list, &key);
    }
    for (size_t i = 0; named->len == FERRY_SHA256_SIZE && i < list->count; i++) {
        if (memcmp(list->hashes[i], named->data, FERRY_SHA256_SIZE) == 0) {
            return true;
        }
    }
    return false;
}

static void add_named(cJSON *row, const struct named_key *named)
{
    uint8_t hash[FERRY_SHA256_SIZE];
    char hex[2 * FERRY_IMAGE_DIGEST_MAX + 1];
    if (named->data == NULL) {
        return;
    }
    if (named->whole) {
        ferry_key_hash(named->data, named->len, hash);
        cli_hex(hash, sizeof hash, hex);
    } else {
        cli_hex(named->data, named->len < sizeof hex / 2 ? named->len : sizeof hex / 2, hex);
    }
    cJSON_AddStringToObject(row, "key_hash", hex);
    cJSON_AddBoolToObject(row, "development_key", is_published(named));
}

void inspect_signatures(cJSON *object, const struct image_file *file)
{
    const uint8_t *image = file->bytes.data + file->offset;
    struct named_key named = {0};
    struct tlv_scan scan;
    struct ferry_tlv tlv;
    cJSON *list = cJSON_AddArrayToObject(object, "signatures");
    tlv_scan_begin(&scan, image, file->bytes.len - file->offset, &file->info.header);
    while (tlv_scan_next(&scan, &tlv)) {
        const char *scheme = scheme_of(&tlv, &file->info);
        if (tlv.type == FERRY_TLV_KEYHASH || tlv.type == FERRY_TLV_PUBKEY) {
            named = (struct named_key){image + tlv.offset, tlv.len, tlv.type == FERRY_TLV_PUBKEY};
        } else if (scheme[0] != '\0') {
            cJSON *row = cJSON_CreateObject();
            cJSON_AddStringToObject(row, "scheme", scheme);
            add_named(row, &named);
            cJSON_AddItemToArray(list, row);
            named = (struct named_key){0};
        }
    }
}

/* ---- Whether they hold ----------------------------------------------------------------------- */

/* What can be said when there is no digest of one's own to compare with. */
static const char *stated(const struct image_file *file, const struct key *key)
{
    switch (image_file_stated(file, key)) {
    case FERRY_OK:
        return "good for the digest it states";
    case FERRY_E_UNSUPPORTED:
        return "not checked: it is of the image itself";
    default:
        return "not by this key for the digest it states";
    }
}

static const char *signature_text(const struct image_file *file, const struct key *key, int state)
{
    switch (state) {
    case FERRY_OK:
        return "good";
    case FERRY_E_NO_SIGNATURE:
        return "none";
    case FERRY_E_NO_KEY:
        return "not by this key";
    case FERRY_E_SIGNATURE:
        return "wrong";
    case FERRY_E_SECRET:
    case FERRY_E_DIGEST:
        return stated(file, key);
    default:
        return "not checked";
    }
}

static const char *digest_text(int state)
{
    if (state == FERRY_E_SECRET) {
        return "not checked: the payload is encrypted (-E KEY decrypts it)";
    }
    return state == FERRY_OK ? "good" : ferry_error_text(state);
}

void inspect_verify(struct image_file *file, const struct key *key, struct inspect_verdict *verdict)
{
    verdict->digest = image_file_verify(file, NULL);
    verdict->by_key = key != NULL ? image_file_verify(file, key) : verdict->digest;
}

int inspect_state(cJSON *object, const struct image_file *file, const struct key *key,
                  const struct inspect_verdict *verdict)
{
    bool is_signed = cJSON_GetArraySize(cJSON_GetObjectItem(object, "signatures")) > 0;
    const char *signature = is_signed ? "not checked" : "none";
    if (key != NULL && is_signed) {
        signature = signature_text(file, key, verdict->by_key);
    }
    cJSON_AddStringToObject(object, "digest", digest_text(verdict->digest));
    cJSON_AddStringToObject(object, "signature", signature);
    if (verdict->digest == FERRY_OK) {
        return verdict->by_key;
    }
    return verdict->digest == FERRY_E_SECRET ? FERRY_OK : verdict->digest;
}
