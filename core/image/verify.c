/* SPDX-License-Identifier: Apache-2.0 */
/* Whether an image may be trusted. [mcuboot-format.md §2.3, §2.4] */
#include "core/image/key_list.h"
#include "core/image/verdict.h"
#include "ferry/image.h"

#include <string.h>

#define UNREADABLE_FLAGS (FERRY_IMAGE_LZMA1 | FERRY_IMAGE_LZMA2)

/* The state of a walk that looks for a signature by a trusted key. */
struct search {
    const struct ferry_flash *image;
    const struct ferry_image_trust *trust;
    struct ferry_evidence *evidence;
    const struct ferry_image_key *key; /* named by the KEYHASH or PUBKEY before, NULL = none */
    int refusal; /* why that key does not count: FERRY_OK, or _REVOKED, _DEVELOPMENT_KEY */
    void (*feed)(void *);
    void *feed_context;
    uint32_t names;    /* KEYHASH and PUBKEY entries looked at */
    uint32_t attempts; /* signatures looked at */
    int reason;        /* why no signature was good so far */
};

/* A signature takes long on a small chip: the watchdog must not bite meanwhile. */
static void feed(const struct search *search)
{
    if (search->feed != NULL) {
        search->feed(search->feed_context);
    }
}

/* ---- Keys ------------------------------------------------------------------------------- */

static void hash_key(const struct ferry_image_key *key, uint8_t hash[FERRY_SHA256_SIZE])
{
    struct ferry_sha256 sha;
    ferry_crypto_sha256_init(&sha);
    ferry_crypto_sha256_update(&sha, key->der, key->len);
    ferry_crypto_sha256_final(&sha, hash);
}

/* KEYHASH: find the trusted key with this hash. Another length is another hash: no key. */
static int find_by_hash(struct search *search, const struct ferry_tlv *tlv)
{
    uint8_t wanted[FERRY_SHA256_SIZE];
    if (tlv->len != sizeof wanted) {
        return FERRY_OK;
    }
    int rc = ferry_flash_read(search->image, tlv->offset, wanted, sizeof wanted);
    if (rc != FERRY_OK) {
        return rc;
    }
    search->refusal = ferry_key_refusal_of_hash(search->trust, wanted);
    for (size_t i = 0; i < search->trust->key_count; i++) {
        uint8_t hash[FERRY_SHA256_SIZE];
        hash_key(&search->trust->keys[i], hash);
        if (memcmp(hash, wanted, sizeof hash) == 0) {
            search->key = &search->trust->keys[i];
        }
    }
    return FERRY_OK;
}

/* Whether the TLV holds exactly this key. Returns 1, 0 or a flash error. */
static int holds_key(const struct search *search, const struct ferry_tlv *tlv,
                     const struct ferry_image_key *key)
{
    if (key->len != tlv->len) {
        return 0;
    }
    uint8_t part[32];
    for (uint32_t at = 0; at < tlv->len; at += (uint32_t)sizeof part) {
        size_t len = ferry_min32(tlv->len - at, (uint32_t)sizeof part);
        int rc = ferry_flash_read(search->image, tlv->offset + at, part, len);
        if (rc != FERRY_OK) {
            return rc;
        }
        if (memcmp(part, key->der + at, len) != 0) {
            return 0;
        }
    }
    return 1;
}

/* PUBKEY: the whole key stands in the image; it counts only if it is one of ours. */
static int find_by_key(struct search *search, const struct ferry_tlv *tlv)
{
    for (size_t i = 0; i < search->trust->key_count; i++) {
        int rc = holds_key(search, tlv, &search->trust->keys[i]);
        if (rc < 0) {
            return rc;
        }
        if (rc == 1) {
            search->key = &search->trust->keys[i];
        }
    }
    return FERRY_OK;
}

/* A foreign image may name keys by the thousand: so many names as signatures are looked at. */
static int find_key(struct search *search, const struct ferry_tlv *tlv)
{
    search->key = NULL;
    search->refusal = FERRY_OK;
    if (search->names == FERRY_IMAGE_SIGNATURES_MAX) {
        return FERRY_OK;
    }
    search->names++;
    int rc = tlv->type == FERRY_TLV_KEYHASH ? find_by_hash(search, tlv) : find_by_key(search, tlv);
    if (rc == FERRY_OK && search->key != NULL) {
        search->refusal = ferry_key_refusal(search->trust, search->key);
    }
    return rc;
}

/* ---- Signatures ------------------------------------------------------------------------- */

static bool is_signature(uint16_t type)
{
    return type >= FERRY_TLV_RSA2048_PSS && type <= FERRY_TLV_ED25519;
}

static const struct ferry_image_verifier *find_verifier(const struct ferry_image_trust *trust,
                                                        uint16_t type)
{
    for (size_t i = 0; i < trust->verifier_count; i++) {
        if (trust->verifiers[i]->tlv == type) {
            return trust->verifiers[i];
        }
    }
    return NULL;
}

/* Check one signature by the key that was named before it. Returns FERRY_OK, or why not. */
static int check_signature(struct search *search, const struct ferry_tlv *tlv)
{
    const struct ferry_image_key *key = search->key;
    if (search->refusal != FERRY_OK) {
        return search->refusal;
    }
    if (key == NULL) {
        return FERRY_E_NO_KEY;
    }
    const struct ferry_image_verifier *verifier = find_verifier(search->trust, tlv->type);
    if (verifier == NULL) {
        return FERRY_E_UNSUPPORTED;
    }
    uint8_t signature[FERRY_IMAGE_SIGNATURE_MAX];
    search->attempts++;
    if (!verifier->fits(key) || tlv->len > verifier->signature_max || tlv->len > sizeof signature ||
        search->attempts > FERRY_IMAGE_SIGNATURES_MAX) {
        return FERRY_E_SIGNATURE;
    }
    int rc = ferry_flash_read(search->image, tlv->offset, signature, tlv->len);
    if (rc != FERRY_OK) {
        return rc;
    }
    feed(search);
    rc = verifier->verify(key, search->evidence->computed, signature, tlv->len);
    feed(search);
    /* Asked again: to jump over the first answer is not enough. */
    rc |= ferry_key_refusal(search->trust, key);
    ferry_evidence_signature(search->evidence, rc);
    return rc == FERRY_OK ? FERRY_OK : FERRY_E_SIGNATURE;
}

/* Of several refusals the one that says most counts: a signature by a trusted key that is wrong,
 * a trusted key whose scheme is not built in, a key not known, no signature at all; and above all
 * that the key counts no more. */
static int rank(int reason)
{
    static const int order[] = {FERRY_E_NO_SIGNATURE, FERRY_E_NO_KEY,          FERRY_E_UNSUPPORTED,
                                FERRY_E_SIGNATURE,    FERRY_E_DEVELOPMENT_KEY, FERRY_E_REVOKED};
    int found = -1; /* a flash error: ends the search */
    for (int i = 0; i < (int)(sizeof order / sizeof order[0]); i++) {
        found = order[i] == reason ? i : found;
    }
    return found;
}

/* Look at one TLV. Returns 1 when a trusted signature was found, 0 to go on, or an error. */
static int search_tlv(struct search *search, const struct ferry_tlv *tlv)
{
    if (tlv->type == FERRY_TLV_KEYHASH || tlv->type == FERRY_TLV_PUBKEY) {
        return find_key(search, tlv);
    }
    if (tlv->type == FERRY_TLV_SIG_PURE) {
        return FERRY_E_UNSUPPORTED;
    }
    if (!is_signature(tlv->type)) {
        return 0;
    }
    int rc = check_signature(search, tlv);
    search->key = NULL; /* a key speaks for the one signature behind it */
    if (rc == FERRY_OK) {
        return 1;
    }
    if (rank(rc) < 0) {
        return rc;
    }
    search->reason = rank(rc) > rank(search->reason) ? rc : search->reason;
    return 0;
}

/* Whether an image whose digest is good is accepted without a signature that can be checked. What
 * is recorded is computed from the flag itself: to jump here is not enough. */
static int accept_digest_only(const struct search *search)
{
    int refused = (int)!search->trust->digest_only;
    ferry_evidence_signature(search->evidence, refused);
    return refused == 0 ? FERRY_OK : search->reason;
}

/* Look for a signature by a trusted key. Returns FERRY_OK, the reason why there is none, or a
 * flash error. */
static int search_signature(struct search *search, const struct ferry_image_header *header)
{
    struct ferry_tlv_walk walk;
    int rc = ferry_tlv_walk_begin(&walk, search->image, header);
    if (rc != FERRY_OK) {
        return rc;
    }
    struct ferry_tlv tlv;
    while ((rc = ferry_tlv_walk_next(&walk, &tlv)) > 0) {
        feed(search);
        rc = search_tlv(search, &tlv);
        if (rc != 0) {
            return rc > 0 ? FERRY_OK : rc;
        }
    }
    if (rc < 0) {
        return rc;
    }
    if (search->reason == FERRY_E_NO_SIGNATURE || search->reason == FERRY_E_NO_KEY) {
        return accept_digest_only(search);
    }
    return search->reason;
}

/* ---- The whole -------------------------------------------------------------------------- */

/* Whether this build can check such an image at all. */
static int check_supported(const struct ferry_image_info *info)
{
    if ((info->header.flags & UNREADABLE_FLAGS) != 0) {
        return FERRY_E_UNSUPPORTED;
    }
    if (info->digest_len == 0) {
        return FERRY_E_DIGEST;
    }
    return info->digest_len == FERRY_SHA256_SIZE ? FERRY_OK : FERRY_E_UNSUPPORTED;
}

int ferry_image_verify(const struct ferry_flash *image, const struct ferry_image_trust *trust,
                       uint8_t *buf, size_t cap, void (*feed_hook)(void *), void *feed_context,
                       struct ferry_image_info *info, struct ferry_verdict *verdict)
{
    *verdict = (struct ferry_verdict){0, 0};
    int rc = ferry_image_inspect(image, info);
    if (rc != FERRY_OK) {
        return rc;
    }
    rc = check_supported(info);
    if (rc != FERRY_OK) {
        return rc;
    }
    struct ferry_evidence evidence;
    ferry_evidence_init(&evidence);
    rc = ferry_image_digest(image, &info->header, buf, cap, feed_hook, feed_context,
                            evidence.computed);
    if (rc != FERRY_OK) {
        return rc;
    }
    memcpy(evidence.expected, info->digest, sizeof evidence.expected);
    if (ferry_evidence_compare(&evidence) != 0) {
        return FERRY_E_DIGEST;
    }
    struct search search = {.image = image,
                            .trust = trust,
                            .evidence = &evidence,
                            .feed = feed_hook,
                            .feed_context = feed_context,
                            .reason = FERRY_E_NO_SIGNATURE};
    rc = search_signature(&search, &info->header);
    if (rc != FERRY_OK) {
        return rc;
    }
    ferry_verdict_compose(&evidence, verdict);
    return ferry_verdict_is_valid(verdict) ? FERRY_OK : FERRY_E_SIGNATURE;
}
