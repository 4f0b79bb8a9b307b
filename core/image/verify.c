/* SPDX-License-Identifier: Apache-2.0 */
/* Whether an image may be trusted. [mcuboot-format.md §2.3, §2.4] */
#include "core/image/key_list.h"
#include "core/image/trusted_key.h"
#include "core/image/verdict.h"
#include "ferry/image.h"

#include <string.h>

/* The state of a walk that looks for a signature by a trusted key. */
struct search {
    const struct ferry_image_trust *trust;
    struct ferry_image_signed what; /* the image, its digest, and what is read with */
    bool pure;                      /* signed is the image itself */
    struct ferry_evidence evidence;
    const struct ferry_image_key *key; /* named by the KEYHASH or PUBKEY before, NULL = none */
    int refusal;       /* why that key does not count: FERRY_OK, or _REVOKED, _DEVELOPMENT_KEY */
    uint32_t names;    /* KEYHASH and PUBKEY entries looked at */
    uint32_t attempts; /* signatures looked at */
    int reason;        /* why no signature was good so far: a rank() */
};

/* A signature takes long on a small chip: the watchdog must not bite meanwhile. The hook is read
 * twice: with one of the reads skipped it would be a call to whatever the register holds. */
static void feed(const struct search *search)
{
    void (*const volatile *hook)(void *) = &search->what.feed;
    void (*call)(void *) = *hook;
    if (call != NULL && call == *hook) {
        call(search->what.feed_context);
    }
}

/* ---- Keys ------------------------------------------------------------------------------- */

/* A foreign image may name keys by the thousand: so many names as signatures are looked at. */
static int find_key(struct search *search, const struct ferry_tlv *tlv)
{
    search->key = NULL;
    search->refusal = FERRY_OK;
    if (search->names == FERRY_IMAGE_SIGNATURES_MAX) {
        return FERRY_OK;
    }
    search->names++;
    return ferry_trusted_key_find(search->what.image, tlv, search->trust, search->what.kind,
                                  &search->key, &search->refusal);
}

/* ---- Signatures ------------------------------------------------------------------------- */

static bool is_signature(uint16_t type)
{
    return type >= FERRY_TLV_RSA2048_PSS && type <= FERRY_TLV_ED25519;
}

/* Whether a verifier is for signatures of this type in this image. */
static bool is_for(const struct ferry_image_verifier *verifier, const struct search *search,
                   uint16_t type)
{
    return verifier->tlv == type && verifier->pure == search->pure;
}

/* Whether an image of this verifier's scheme may have such a digest. */
static bool takes_digest(const struct ferry_image_verifier *verifier, uint16_t tlv)
{
    for (size_t i = 0; i < FERRY_IMAGE_VERIFIER_DIGESTS; i++) {
        if (verifier->digests[i] == tlv) {
            return true;
        }
    }
    return false;
}

/* Find what checks a signature of this type by this key. Returns FERRY_OK; FERRY_E_UNSUPPORTED when
 * the scheme is not built in; FERRY_E_SIGNATURE when it goes with another key or digest. */
static int find_verifier(const struct search *search, uint16_t type,
                         const struct ferry_image_verifier **verifier)
{
    const struct ferry_image_trust *trust = search->trust;
    int rc = FERRY_E_UNSUPPORTED;
    for (size_t i = 0; i < trust->verifier_count; i++) {
        *verifier = trust->verifiers[i];
        if (!is_for(*verifier, search, type)) {
            continue;
        }
        if ((*verifier)->fits(search->key) && takes_digest(*verifier, search->what.kind->tlv)) {
            return FERRY_OK;
        }
        rc = FERRY_E_SIGNATURE;
    }
    return rc;
}

/* Check one signature by the key that was named before it. Returns FERRY_OK, or why not. */
static int check_signature(struct search *search, const struct ferry_tlv *tlv)
{
    const struct ferry_image_verifier *verifier = NULL;
    if (search->refusal != FERRY_OK) {
        return search->refusal;
    }
    int rc = search->key == NULL ? FERRY_E_NO_KEY : find_verifier(search, tlv->type, &verifier);
    if (rc == FERRY_E_NO_KEY || rc == FERRY_E_UNSUPPORTED) {
        return rc;
    }
    uint8_t signature[FERRY_IMAGE_SIGNATURE_MAX];
    search->attempts++;
    if (rc != FERRY_OK || tlv->len > verifier->signature_max || tlv->len > sizeof signature ||
        search->attempts > FERRY_IMAGE_SIGNATURES_MAX) {
        return FERRY_E_SIGNATURE;
    }
    rc = ferry_flash_read(search->what.image, tlv->offset, signature, tlv->len);
    if (rc != FERRY_OK) {
        return rc;
    }
    search->what.error = FERRY_OK;
    /* Volatile: what is said of it below is read anew each time. */
    volatile int good = FERRY_E_SIGNATURE;
    volatile int refusal = FERRY_E_REVOKED;
    feed(search);
    good = verifier->verify(search->key, &search->what, signature, tlv->len);
    feed(search);
    /* Where the image itself was read, both comparisons are now of the bytes that were signed. */
    rc = ferry_evidence_compare(&search->evidence) == 0 ? search->what.error : FERRY_E_DIGEST;
    /* Asked again: to jump over the first answer is not enough. */
    refusal = ferry_key_refusal(search->trust, search->key);
    ferry_evidence_signature(&search->evidence, rc | good | refusal, rc | good | refusal);
    if (rc != FERRY_OK) {
        return rc;
    }
    return good == FERRY_OK && refusal == FERRY_OK ? FERRY_OK : FERRY_E_SIGNATURE;
}

/* Of several refusals the one that says most counts, here the last: no signature at all, a key not
 * known, a trusted key whose scheme is not built in, a signature by a trusted key that is wrong;
 * and above all that the key counts no more. */
static const int16_t reasons[] = {FERRY_E_NO_SIGNATURE,    FERRY_E_NO_KEY,
                                  FERRY_E_UNSUPPORTED,     FERRY_E_SIGNATURE,
                                  FERRY_E_DEVELOPMENT_KEY, FERRY_E_REVOKED};

/* Up to this one nobody who is trusted has signed. */
#define NO_KEY 1

/* Which of the reasons it is; -1 for a flash error: it ends the search. */
static int rank(int reason)
{
    int i = (int)(sizeof reasons / sizeof reasons[0]);
    do {
        i--;
    } while (i >= 0 && reasons[i] != reason);
    return i;
}

/* Look at one TLV. Returns 1 when a trusted signature was found, 0 to go on, or an error. */
static int search_tlv(struct search *search, const struct ferry_tlv *tlv)
{
    if (tlv->type == FERRY_TLV_KEYHASH || tlv->type == FERRY_TLV_PUBKEY) {
        return find_key(search, tlv);
    }
    if (!is_signature(tlv->type)) {
        return 0;
    }
    int rc = check_signature(search, tlv);
    search->key = NULL; /* a key speaks for the one signature behind it */
    if (rc == FERRY_OK) {
        return 1;
    }
    int reason = rank(rc);
    if (reason < 0) {
        return rc;
    }
    search->reason = reason > search->reason ? reason : search->reason;
    return 0;
}

/* Whether an image whose digest is good is accepted without a signature that can be checked. What
 * is recorded is computed from the flag itself: to jump here is not enough. Nor is a search that
 * was never told what to trust: what it holds is compared with what the caller gave. */
static int accept_digest_only(struct search *search, const struct ferry_image_trust *trust)
{
    const struct ferry_image_trust *const volatile *held = &search->trust;
    const volatile bool *accept = &trust->digest_only;
    volatile int refused;
    int reason = reasons[search->reason];
    if (*held != trust) {
        return reason;
    }
    refused = reason;
    refused = (int)!*accept;
    ferry_evidence_signature(&search->evidence, refused, *accept ? FERRY_OK : reason);
    return *accept ? FERRY_OK : reason;
}

/* Look for a signature by a trusted key. Returns FERRY_OK, the reason why there is none, or a
 * flash error. */
static int search_signature(struct search *search, const struct ferry_image_trust *trust)
{
    struct ferry_tlv_walk walk;
    int rc = ferry_tlv_walk_begin(&walk, search->what.image, search->what.header);
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
    return search->reason <= NO_KEY ? accept_digest_only(search, trust) : reasons[search->reason];
}

/* ---- The whole -------------------------------------------------------------------------- */

/* Whether this build can check such an image at all, and by which digest. Encrypted images are read
 * as plaintext; what stayed encrypted fails its digest. */
static int check_supported(const struct ferry_image_info *info,
                           const struct ferry_image_trust *trust,
                           const struct ferry_image_digest_kind **kind)
{
    if ((info->header.flags & FERRY_IMAGE_COMPRESSED) != 0 && !trust->compressed) {
        return FERRY_E_COMPRESSED;
    }
    if (info->digest_len == 0) {
        return FERRY_E_DIGEST;
    }
    for (size_t i = 0; i < trust->digest_count; i++) {
        *kind = trust->digests[i];
        if ((*kind)->size == info->digest_len) {
            return FERRY_OK;
        }
    }
    return FERRY_E_UNSUPPORTED;
}

/* Compute and compare the digest. */
static int check_digest(struct search *search, const struct ferry_image_info *info)
{
    struct ferry_evidence *evidence = &search->evidence;
    const struct ferry_image_signed *what = &search->what;
    ferry_evidence_expect(evidence, info->digest, what->kind->size);
    int rc = ferry_image_digest(what->image, what->header, what->kind, what->buf, what->cap,
                                what->feed, what->feed_context, evidence->computed);
    if (rc != FERRY_OK) {
        return rc;
    }
    return ferry_evidence_compare(evidence) == 0 ? FERRY_OK : FERRY_E_DIGEST;
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
    struct search search = {.trust = trust,
                            .what = {.digest = search.evidence.computed,
                                     .image = image,
                                     .header = &info->header,
                                     .buf = buf,
                                     .cap = cap,
                                     .feed = feed_hook,
                                     .feed_context = feed_context},
                            .pure = info->pure};
    ferry_evidence_init(&search.evidence);
    rc = check_supported(info, trust, &search.what.kind);
    if (rc != FERRY_OK) {
        return rc;
    }
    rc = check_digest(&search, info);
    if (rc != FERRY_OK) {
        return rc;
    }
    rc = search_signature(&search, trust);
    if (rc != FERRY_OK) {
        return rc;
    }
    ferry_verdict_compose(&search.evidence, verdict);
    return ferry_verdict_is_valid(verdict) ? FERRY_OK : FERRY_E_SIGNATURE;
}
