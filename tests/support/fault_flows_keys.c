/* SPDX-License-Identifier: Apache-2.0 */
/* The life of keys under fault. */
#include "fault_job.h"

#include <string.h>

/* Boots after which an application does not try again. */
#define GIVES_UP 5

/* The steps of the flow. */
enum { TO_REVOKE, TO_UPLOAD, DONE };

static void hash_of_other(uint8_t hash[FERRY_SHA256_SIZE])
{
    const struct test_key *key = &test_keys[TEST_KEY_ED25519_OTHER];

    ferry_key_hash(key->public_der, key->public_len, hash);
}

/* What runs is signed by the key that stays; where images run in place, its slot is confirmed. */
void fault_keys_setup(struct fault_life *life)
{
    life->machine->apps[0] = life->machine->images[0].slots;
    fault_load(life, 0, FAULT_OLD);
    life->confirmed = FAULT_OLD;
}

/* Whether the store says that the key is revoked. */
static bool is_revoked(const struct fault_life *life)
{
    const struct ferry_key_list *list = &life->machine->keys.revoked;
    uint8_t hash[FERRY_SHA256_SIZE];
    bool found = false;

    hash_of_other(hash);
    for (size_t i = 0; i < list->count; i++) {
        found = found || memcmp(list->hashes[i], hash, sizeof(hash)) == 0;
    }
    return found;
}

static void revoke(struct fault_life *life)
{
    uint8_t hash[FERRY_SHA256_SIZE];

    hash_of_other(hash);
    if (life->machine->apps[0].store != NULL &&
        ferry_keys_revoke(&life->machine->keys_config, hash) == FERRY_OK) {
        life->step = TO_UPLOAD;
    }
}

/* Whether an image is a request by being there. */
static bool is_request(const struct fault_life *life)
{
    const struct ferry_strategy_traits *traits = life->job->strategy->traits;

    return traits->in_place && !traits->reverts;
}

/* Bring the image there and ask for it; where that was refused the slot is erased before the next
 * try. */
static void ask_for_bad(struct fault_life *life)
{
    if (life->erase_first && fault_client_erase(life)) {
        life->erase_first = false;
    }
    if (fault_client_upload(life, FAULT_BAD)) {
        bool asked = is_request(life) || fault_client_test(life, FAULT_BAD);

        life->erase_first = !asked;
        life->step = asked ? DONE : TO_UPLOAD;
    }
}

/* What was said to be revoked is, at every boot; and no image of that key runs (column verified:
 * BAD is no good picture). */
enum fault_app fault_keys_app_revokes(struct fault_life *life)
{
    if (life->step > TO_REVOKE && !is_revoked(life)) {
        fault_life_fail(life, FAULT_VERIFIED, "a revoked key counts again");
    }
    if (life->step == TO_REVOKE) {
        revoke(life);
    } else if (life->step == TO_UPLOAD) {
        ask_for_bad(life);
    } else {
        return FAULT_RESTS;
    }
    return life->boots > GIVES_UP ? FAULT_RESTS : FAULT_RESETS;
}
