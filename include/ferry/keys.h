/* SPDX-License-Identifier: Apache-2.0 */
/* The life of keys on a device: provisioned after the product was made, and revoked, by records in
 * the store. docs/KEYS.md tells the whole story.
 *
 * What is in the store is trusted as the store is: who can write the flash can undo it. Every
 * record is kept twice, so that no single flipped bit and no power cut loses one that was said to
 * be there. */
#ifndef FERRY_KEYS_H
#define FERRY_KEYS_H

#include "ferry/slots.h"

#define FERRY_KEYS_REVOKED     16  /* keys a device can revoke, ever */
#define FERRY_KEYS_PROVISIONED 4   /* keys it can have beside the product's */
#define FERRY_KEY_MAX          480 /* bytes of such a key's DER form */

/* MCUboot's published keys and those of Ferry's own tests: everybody has their private halves. */
extern const struct ferry_key_list ferry_development_keys;

/* SHA-256 of a DER key, by which lists and records know it. */
void ferry_key_hash(const uint8_t *der, size_t len, uint8_t hash[FERRY_SHA256_SIZE]);

#define FERRY_KEYS_PRODUCT 8 /* keys a product can have of its own */

/* The product's trust and what the store says of it. It points into itself: it may not be moved. */
struct ferry_keys {
    /* Use this: the product's, with the keys provisioned later and the list of the revoked. */
    struct ferry_image_trust trust;
    struct ferry_key_list revoked;
    uint8_t product_count; /* of trust.keys; behind them the provisioned ones */
    uint8_t next;          /* where the next revocation goes: FERRY_KEYS_REVOKED = nowhere */
    struct ferry_image_key trusted[FERRY_KEYS_PRODUCT + FERRY_KEYS_PROVISIONED];
    uint8_t hashes[FERRY_KEYS_REVOKED + 1][FERRY_SHA256_SIZE];
    uint8_t ders[FERRY_KEYS_PROVISIONED][FERRY_KEY_MAX];
};

/* Read what the store says of keys. keys is filled as far as it went, also on an error.
 *
 * store    NULL: there is none, and the product's keys are all there are
 * product  trust as the product was made; what it points to must outlive keys
 *
 * Revocations are put one behind the other and never go: a gap between them is one that was lost.
 * Returns FERRY_OK; FERRY_E_CONFIG for more than FERRY_KEYS_PRODUCT keys; FERRY_E_CRC when a
 * revocation was lost; or a flash error. After an error nobody knows which keys count: in
 * production run nothing. */
FERRY_MUST_CHECK
int ferry_keys_load(const struct ferry_store *store, const struct ferry_image_trust *product,
                    struct ferry_keys *keys);

/* Put back what was lost of the doubled records; for the bootloader, after ferry_keys_load().
 * Writes nothing where nothing was. Returns FERRY_OK, or the first error of the store. */
FERRY_MUST_CHECK
int ferry_keys_mend(struct ferry_store *store);

/* Whose keys, and which images: what a change of keys must not break. */
struct ferry_keys_config {
    struct ferry_store *store; /* not NULL */
    /* The product's, without what the store has. Without verifiers an image is said to need every
     * key it names. */
    struct ferry_image_trust trust;
    struct ferry_keys *keys; /* filled by each call: all that keys are, as of the next boot */
    const struct ferry_slots *slots; /* of every image, as the running firmware has them */
    size_t slot_count;
    uint8_t *buf; /* workspace of buf_size bytes, above 0, to verify with */
    size_t buf_size;
    void (*feed)(void *context); /* called between chunks; may be NULL */
    void *feed_context;
};

/* Trust one more key from the next boot on, as if the product had it.
 *
 * Whoever may call this decides who signs for the device: the firmware calls it for reasons of its
 * own, or for somebody it has authenticated. The key must fit one of the verifiers. A key that is
 * trusted already is FERRY_OK and writes nothing.
 *
 * Returns FERRY_OK; FERRY_E_UNSUPPORTED for a key no verifier takes, or larger than FERRY_KEY_MAX;
 * FERRY_E_REVOKED and FERRY_E_DEVELOPMENT_KEY for one that would not count; FERRY_E_FULL when there
 * is no room for it; the errors of ferry_keys_load() and of the store, after which the key may be
 * there: ask again. */
FERRY_MUST_CHECK
int ferry_keys_provision(const struct ferry_keys_config *config, const uint8_t *der, size_t len);

/* Never trust a key again, be it known here or not, from the next boot on.
 *
 * Refused while an image needs it: the one that runs, and the one the device would go back to - the
 * old image of a trial, and in place that of the other slot. An image needs a key when it names it
 * and does not verify without it. A key that is revoked already is FERRY_OK.
 *
 * Returns FERRY_OK; FERRY_E_IN_USE; FERRY_E_FULL; the errors of ferry_keys_load() and of the store
 * and slots, after which the key may be revoked or not: ask again. */
FERRY_MUST_CHECK
int ferry_keys_revoke(const struct ferry_keys_config *config,
                      const uint8_t hash[FERRY_SHA256_SIZE]);

/* Whether the image that runs, or one the device would go back to, names a key. To tell people:
 * it may do without it. Returns 1, 0 or a flash error. */
FERRY_MUST_CHECK
int ferry_keys_named(const struct ferry_keys_config *config, const uint8_t hash[FERRY_SHA256_SIZE]);

#endif
