/* SPDX-License-Identifier: Apache-2.0 */
/* Keys that are provisioned and revoked: what counts, what is refused, and what the store keeps of
 * it under every model of the fault runner. */
#include "core/image/key_records.h"
#include "fault_models.h"
#include "ferry/keys.h"
#include "place_rig.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

static const struct ferry_image_verifier *const verifiers[] = {&ferry_verify_ecdsa_p256,
                                                               &ferry_verify_ed25519};

static uint8_t image[2048];

/* ---- Lists ---------------------------------------------------------------------------------- */

static void hash_of(enum test_key_id key, uint8_t hash[32])
{
    ferry_key_hash(test_keys[key].public_der, test_keys[key].public_len, hash);
}

static bool is_development(const uint8_t *der, size_t len)
{
    const struct ferry_image_key key = {der, len};

    return ferry_development_keys.has(&ferry_development_keys, &key);
}

/* The stored public halves and the list are the same keys. */
static void the_list_has_the_published_keys(void **state)
{
    FILE *file = fopen(FERRY_TEST_DATA "/development-keys.txt", "r");
    char line[1200];
    size_t found = 0;

    (void)state;
    assert_non_null(file);
    while (fgets(line, sizeof line, file) != NULL) {
        char *hex = strchr(line, ' ');
        uint8_t der[600];

        if (line[0] == '#') {
            continue;
        }
        assert_non_null(hex);
        hex[strcspn(hex, "\n")] = '\0';
        if (!is_development(der, test_from_hex(hex + 1, der))) {
            fail_msg("ferry_development_keys lacks %s", line);
        }
        found++;
    }
    (void)fclose(file);
    assert_int_equal(found, ferry_development_keys.count);
    assert_true(found >= 13);
}

static void every_key_of_the_tests_is_in_it(void **state)
{
    (void)state;
    for (int i = 0; i < TEST_KEY_COUNT; i++) {
        if (!is_development(test_keys[i].public_der, test_keys[i].public_len)) {
            fail_msg("add %s to keys_development.c and tests/data/development-keys.txt",
                     test_keys[i].name);
        }
    }
}

static void a_key_that_nobody_published_is_not(void **state)
{
    uint8_t der[44];

    (void)state;
    memcpy(der, test_keys[TEST_KEY_ED25519].public_der, sizeof der);
    der[43] ^= 1;
    assert_false(is_development(der, sizeof der));
    assert_false(is_development(der, 43));
}

/* ---- Verification --------------------------------------------------------------------------- */

static size_t build(enum test_key_id key)
{
    const struct test_image_spec spec = {.key = key, .payload_size = 100, .header_size = 32};
    size_t size = test_image_build(&spec, image, sizeof image);

    assert_true(size > 0);
    return size;
}

static void a_refused_key_verifies_nothing(void **state)
{
    (void)state;
    for (int i = 0; i < TEST_KEY_COUNT; i++) {
        enum test_key_id key = (enum test_key_id)i;
        struct ferry_image_trust trust = *test_trust(key);
        uint8_t hashes[2][32] = {{0}};
        struct ferry_key_list list = {hashes, 2, ferry_key_list_has};
        size_t size = build(key);

        assert_int_equal(test_verify(image, size, &trust), FERRY_OK);
        trust.revoked = &list;
        assert_int_equal(test_verify(image, size, &trust), FERRY_OK);
        hash_of(key, hashes[1]);
        assert_int_equal(test_verify(image, size, &trust), FERRY_E_REVOKED);
        trust.refused = &ferry_development_keys;
        assert_int_equal(test_verify(image, size, &trust), FERRY_E_REVOKED);
        trust.revoked = NULL;
        assert_int_equal(test_verify(image, size, &trust), FERRY_E_DEVELOPMENT_KEY);
        trust.refused = NULL;
        trust.revoked = &list;

        /* Not even where any digest does, nor, where the image names it by the hash the list has,
         * when nobody trusts it; and a list without its function holds every key. */
        trust.digest_only = true;
        assert_int_equal(test_verify(image, size, &trust), FERRY_E_REVOKED);
        trust.key_count = 0;
        if (test_sha_of(key, false) == TEST_SHA_256) {
            assert_int_equal(test_verify(image, size, &trust), FERRY_E_REVOKED);
        }
        trust = *test_trust(key);
        list = (struct ferry_key_list){0};
        trust.revoked = &list;
        assert_int_equal(test_verify(image, size, &trust), FERRY_E_REVOKED);
    }
}

/* The whole key in the image is refused as well as its hash. */
static void a_refused_key_is_known_by_itself(void **state)
{
    uint8_t hashes[1][32];
    const struct ferry_key_list list = {hashes, 1, ferry_key_list_has};
    const struct test_key *key = &test_keys[TEST_KEY_ED25519];
    const struct test_image_spec bare = {
        .key = TEST_KEY_NONE, .payload_size = 100, .header_size = 32};
    uint8_t digest[32];
    uint8_t signature[104];
    struct ferry_image_trust trust = *test_trust(TEST_KEY_ED25519);

    (void)state;
    assert_true(test_image_build(&bare, image, sizeof image) > 0);
    test_sha256(image, 132, digest);
    size_t len = test_sign(TEST_KEY_ED25519, digest, 32, signature);
    const struct test_tlv tlvs[] = {
        {FERRY_TLV_PUBKEY, (uint16_t)key->public_len, key->public_der},
        {FERRY_TLV_ED25519, (uint16_t)len, signature},
    };
    struct test_image_spec spec = bare;
    spec.unprotected_tlvs = tlvs;
    spec.unprotected_count = 2;
    size_t size = test_image_build(&spec, image, sizeof image);
    assert_int_equal(test_verify(image, size, &trust), FERRY_OK);
    hash_of(TEST_KEY_ED25519, hashes[0]);
    trust.revoked = &list;
    assert_int_equal(test_verify(image, size, &trust), FERRY_E_REVOKED);
}

/* An image of two signatures: by the Ed25519 key and by the P-256 key. */
static size_t build_double(uint8_t *out, size_t cap, uint8_t major)
{
    const struct test_image_spec bare = {
        .key = TEST_KEY_NONE, .payload_size = 100, .header_size = 32, .version = {major, 0, 0, 0}};
    static uint8_t digest[32], hashes[2][32], signatures[2][104];

    assert_true(test_image_build(&bare, out, cap) > 0);
    test_sha256(out, 132, digest);
    hash_of(TEST_KEY_ED25519, hashes[0]);
    hash_of(TEST_KEY_P256, hashes[1]);
    size_t ed = test_sign(TEST_KEY_ED25519, digest, 32, signatures[0]);
    size_t ec = test_sign(TEST_KEY_P256, digest, 32, signatures[1]);
    const struct test_tlv tlvs[] = {
        {FERRY_TLV_KEYHASH, 32, hashes[0]},
        {FERRY_TLV_ED25519, (uint16_t)ed, signatures[0]},
        {FERRY_TLV_KEYHASH, 32, hashes[1]},
        {FERRY_TLV_ECDSA_SIG, (uint16_t)ec, signatures[1]},
    };
    struct test_image_spec spec = bare;
    spec.unprotected_tlvs = tlvs;
    spec.unprotected_count = 4;
    return test_image_build(&spec, out, cap);
}

static struct ferry_image_key key_of(enum test_key_id id)
{
    return (struct ferry_image_key){test_keys[id].public_der, test_keys[id].public_len};
}

static void another_trusted_signature_is_enough(void **state)
{
    uint8_t hashes[2][32];
    struct ferry_key_list list = {hashes, 1, ferry_key_list_has};
    const struct ferry_image_key keys[] = {key_of(TEST_KEY_ED25519), key_of(TEST_KEY_P256)};
    struct ferry_image_trust trust = *test_trust(TEST_KEY_P256);
    size_t size = build_double(image, sizeof image, 1);

    (void)state;
    trust.keys = keys;
    trust.key_count = 2;
    trust.revoked = &list;
    hash_of(TEST_KEY_ED25519, hashes[0]);
    assert_int_equal(test_verify(image, size, &trust), FERRY_OK);
    hash_of(TEST_KEY_P256, hashes[0]);
    assert_int_equal(test_verify(image, size, &trust), FERRY_OK);
    hash_of(TEST_KEY_ED25519, hashes[1]);
    list.count = 2;
    assert_int_equal(test_verify(image, size, &trust), FERRY_E_REVOKED);
}

/* ---- On a device ---------------------------------------------------------------------------- */

/* A device whose product has the keys ED25519 and P256. */
struct bench {
    struct place_rig rig;
    struct ferry_keys keys;
    struct ferry_keys_config config;
    struct ferry_image_key product[2];
    uint8_t buf[64];
};

static struct bench bench;

static void reload(void)
{
    assert_int_equal(ferry_keys_load(&bench.rig.store, &bench.config.trust, &bench.keys), FERRY_OK);
}

/* An empty store of two sectors. */
static void make_store(uint32_t sector)
{
    const struct ferry_flash_run runs[] = {{2, sector}};

    place_geometry(&bench.rig.slot[PLACE_STORE_AREA], runs, 1, 8, 0xff);
    assert_int_equal(ferry_store_open(&bench.rig.store, &bench.rig.slot[PLACE_STORE_AREA].flash),
                     FERRY_OK);
}

static void init(const struct ferry_strategy_traits *traits)
{
    memset(&bench, 0, sizeof bench);
    place_init(&bench.rig, traits, true);
    bench.product[0] = key_of(TEST_KEY_ED25519);
    bench.product[1] = key_of(TEST_KEY_P256);
    bench.config = (struct ferry_keys_config){.store = &bench.rig.store,
                                              .trust = *test_trust(TEST_KEY_P256),
                                              .keys = &bench.keys,
                                              .slots = &bench.rig.image.slots,
                                              .slot_count = 1,
                                              .buf = bench.buf,
                                              .buf_size = sizeof bench.buf};
    bench.config.trust.keys = bench.product;
    bench.config.trust.key_count = 2;
    make_store(2048);
    reload();
}

/* Put an image signed with a key into a slot. */
static void load(uint32_t slot, enum test_key_id key, uint8_t major)
{
    const struct test_image_spec spec = {
        .key = key, .payload_size = 100, .header_size = 32, .version = {major, 0, 0, 0}};
    struct place_image place;

    place.size = (uint32_t)test_image_build(&spec, place.bytes, sizeof place.bytes);
    assert_true(place.size > 0);
    place_load(&bench.rig, slot, &place);
}

static int revoke(enum test_key_id key)
{
    uint8_t hash[32];

    hash_of(key, hash);
    return ferry_keys_revoke(&bench.config, hash);
}

static int provision(enum test_key_id key)
{
    return ferry_keys_provision(&bench.config, test_keys[key].public_der,
                                test_keys[key].public_len);
}

static int verifies(enum test_key_id key)
{
    size_t size = build(key);

    reload();
    return test_verify(image, size, &bench.keys.trust);
}

static void a_key_is_provisioned_and_revoked(void **state)
{
    (void)state;
    init(&ferry_traits_swap_move);
    assert_int_equal(verifies(TEST_KEY_ED25519_OTHER), FERRY_E_NO_KEY);
    assert_int_equal(provision(TEST_KEY_ED25519_OTHER), FERRY_OK);
    assert_int_equal(bench.keys.trust.key_count, 3);
    assert_int_equal(verifies(TEST_KEY_ED25519_OTHER), FERRY_OK);
    assert_int_equal(revoke(TEST_KEY_ED25519_OTHER), FERRY_OK);
    assert_int_equal(bench.keys.trust.key_count, 2);
    assert_int_equal(verifies(TEST_KEY_ED25519_OTHER), FERRY_E_REVOKED);
    assert_int_equal(provision(TEST_KEY_ED25519_OTHER), FERRY_E_REVOKED);
    /* One of the product's, and one that nobody knows here. */
    assert_int_equal(revoke(TEST_KEY_ED25519), FERRY_OK);
    assert_int_equal(verifies(TEST_KEY_ED25519), FERRY_E_REVOKED);
    assert_int_equal(revoke(TEST_KEY_P256_OTHER), FERRY_OK);
    assert_int_equal(provision(TEST_KEY_P256_OTHER), FERRY_E_REVOKED);
    assert_int_equal(verifies(TEST_KEY_P256), FERRY_OK);
    assert_int_equal(bench.keys.revoked.count, 3);
}

static uint32_t operations(void)
{
    uint32_t now = bench.rig.operations;

    bench.rig.operations = 0;
    return now;
}

static void again_is_the_same_and_writes_nothing(void **state)
{
    (void)state;
    init(&ferry_traits_swap_move);
    assert_int_equal(provision(TEST_KEY_ED25519_OTHER), FERRY_OK);
    assert_int_equal(revoke(TEST_KEY_ED25519), FERRY_OK);
    assert_true(operations() > 0);
    assert_int_equal(provision(TEST_KEY_ED25519_OTHER), FERRY_OK);
    assert_int_equal(provision(TEST_KEY_P256), FERRY_OK);
    assert_int_equal(revoke(TEST_KEY_ED25519), FERRY_OK);
    assert_int_equal(ferry_keys_mend(&bench.rig.store), FERRY_OK);
    assert_int_equal(operations(), 0);
    assert_int_equal(bench.keys.revoked.count, 1);
    assert_int_equal(bench.keys.trust.key_count, 3);
}

static void what_no_verifier_takes_is_refused(void **state)
{
    const uint8_t *der = test_keys[TEST_KEY_ED25519_OTHER].public_der;

    (void)state;
    init(&ferry_traits_swap_move);
    assert_int_equal(ferry_keys_provision(&bench.config, der, 43), FERRY_E_UNSUPPORTED);
    assert_int_equal(ferry_keys_provision(&bench.config, der, 0), FERRY_E_UNSUPPORTED);
    bench.config.trust.refused = &ferry_development_keys;
    assert_int_equal(ferry_keys_provision(&bench.config, der, 44), FERRY_E_DEVELOPMENT_KEY);
    bench.config.trust.verifier_count = 0;
    assert_int_equal(ferry_keys_provision(&bench.config, der, 44), FERRY_E_UNSUPPORTED);
    assert_int_equal(operations(), 0);
}

/* Any key of 44 bytes is Ed25519's; its number makes it another one. */
static int provision_number(uint8_t number)
{
    uint8_t der[44];

    memcpy(der, test_keys[TEST_KEY_ED25519].public_der, sizeof der);
    der[20] = number;
    return ferry_keys_provision(&bench.config, der, sizeof der);
}

static void revoke_number(uint8_t number, int result)
{
    uint8_t hash[32] = {number};

    assert_int_equal(ferry_keys_revoke(&bench.config, hash), result);
}

static void what_is_full_says_so_and_keeps_what_it_has(void **state)
{
    (void)state;
    init(&ferry_traits_swap_move);
    for (uint8_t i = 0; i < FERRY_KEYS_PROVISIONED; i++) {
        assert_int_equal(provision_number(i), FERRY_OK);
    }
    assert_int_equal(provision_number(99), FERRY_E_FULL);
    assert_int_equal(bench.keys.trust.key_count, 2 + FERRY_KEYS_PROVISIONED);
    init(&ferry_traits_swap_move);
    for (uint8_t i = 0; i < FERRY_KEYS_REVOKED; i++) {
        revoke_number(i, FERRY_OK);
    }
    revoke_number(99, FERRY_E_FULL);
    revoke_number(3, FERRY_OK);
    reload();
    assert_int_equal(bench.keys.revoked.count, FERRY_KEYS_REVOKED);
}

/* A store too small for all of it: what does not fit leaves nothing half. */
static void a_full_store_takes_no_half_key(void **state)
{
    int rc = FERRY_OK;

    (void)state;
    init(&ferry_traits_swap_move);
    make_store(256);
    revoke_number(1, FERRY_OK);
    for (uint8_t i = 0; i < 4 && rc == FERRY_OK; i++) {
        rc = provision_number(i);
    }
    assert_int_equal(rc, FERRY_E_FULL);
    reload();
    assert_int_equal(bench.keys.revoked.count, 1);
    assert_int_equal(bench.keys.trust.key_count, 3);
    for (uint32_t i = 1; i < FERRY_KEYS_PROVISIONED; i++) {
        uint8_t record[FERRY_STORE_MAX];
        uint16_t key = (uint16_t)(FERRY_STORE_KEY_TRUSTED + i * FERRY_KEY_PARTS);

        assert_int_equal(ferry_store_get(&bench.rig.store, key, record, sizeof record),
                         FERRY_E_NOT_FOUND);
    }
}

static void a_key_of_many_parts_comes_back(void **state)
{
    static uint8_t der[FERRY_KEY_MAX], back[FERRY_KEY_MAX];
    const size_t sizes[] = {1, 119, 120, 121, 270, 398, 479, 480};

    (void)state;
    init(&ferry_traits_swap_move);
    for (size_t i = 0; i < COUNT(sizes); i++) {
        for (size_t at = 0; at < sizes[i]; at++) {
            der[at] = (uint8_t)(at * 7 + i);
        }
        assert_int_equal(ferry_key_write_trusted(&bench.rig.store, 1, der, sizes[i]), FERRY_OK);
        assert_int_equal(ferry_key_read_trusted(&bench.rig.store, 1, back), sizes[i]);
        assert_memory_equal(back, der, sizes[i]);
    }
    assert_int_equal(ferry_key_remove_trusted(&bench.rig.store, 1), FERRY_OK);
    assert_int_equal(ferry_key_read_trusted(&bench.rig.store, 1, back), 0);
}

/* ---- In use --------------------------------------------------------------------------------- */

static void the_key_of_the_running_image_stays(void **state)
{
    (void)state;
    init(&ferry_traits_swap_move);
    load(0, TEST_KEY_P256, 1);
    assert_int_equal(revoke(TEST_KEY_P256), FERRY_E_IN_USE);
    assert_int_equal(revoke(TEST_KEY_ED25519), FERRY_OK);
    assert_int_equal(bench.keys.revoked.count, 1);
    assert_int_equal(operations() > 0, 1);
    /* A confirmed image needs no way back. */
    load(1, TEST_KEY_ED25519_OTHER, 1);
    assert_int_equal(revoke(TEST_KEY_ED25519_OTHER), FERRY_OK);
}

static void the_key_of_the_image_to_go_back_to_stays(void **state)
{
    (void)state;
    init(&ferry_traits_swap_move);
    load(0, TEST_KEY_P256, 2);
    load(1, TEST_KEY_ED25519, 1);
    place_trailer(&bench.rig, 0, "md"); /* on trial */
    assert_int_equal(revoke(TEST_KEY_ED25519), FERRY_E_IN_USE);
    assert_int_equal(ferry_slots_confirm(&bench.rig.image.slots), FERRY_OK);
    assert_int_equal(revoke(TEST_KEY_ED25519), FERRY_OK);
}

static void in_place_both_slots_count(void **state)
{
    (void)state;
    init(&ferry_traits_direct_xip);
    load(0, TEST_KEY_P256, 1);
    load(1, TEST_KEY_ED25519, 2);
    bench.rig.image.slots.active = 1;
    assert_int_equal(revoke(TEST_KEY_ED25519), FERRY_E_IN_USE);
    assert_int_equal(revoke(TEST_KEY_P256), FERRY_E_IN_USE);
    place_load(&bench.rig, 0, NULL);
    assert_int_equal(revoke(TEST_KEY_P256), FERRY_OK);
}

static void another_signature_frees_a_key(void **state)
{
    struct place_image place;

    (void)state;
    init(&ferry_traits_swap_move);
    place.size = (uint32_t)build_double(place.bytes, sizeof place.bytes, 1);
    place_load(&bench.rig, 0, &place);
    assert_int_equal(revoke(TEST_KEY_ED25519), FERRY_OK);
    assert_int_equal(revoke(TEST_KEY_P256), FERRY_E_IN_USE);
    assert_int_equal(provision(TEST_KEY_ED25519), FERRY_E_REVOKED);
}

/* What cannot be verified by the firmware may be what the bootloader runs. */
static void an_image_that_does_not_verify_keeps_the_keys_it_names(void **state)
{
    (void)state;
    init(&ferry_traits_swap_move);
    load(0, TEST_KEY_P256, 1);
    bench.rig.slot[0].memory[60] ^= 1;
    assert_int_equal(revoke(TEST_KEY_P256), FERRY_E_IN_USE);
    assert_int_equal(revoke(TEST_KEY_ED25519), FERRY_OK);
    bench.rig.slot[0].state[60] = PLACE_UNREADABLE;
    assert_int_equal(revoke(TEST_KEY_P256), FERRY_E_FLASH);
    /* A firmware without verifiers errs on the same side. */
    load(0, TEST_KEY_P256, 1);
    memset(bench.rig.slot[0].state, 0, sizeof bench.rig.slot[0].state);
    bench.config.trust.verifier_count = 0;
    assert_int_equal(revoke(TEST_KEY_P256), FERRY_E_IN_USE);
}

/* ---- Faults --------------------------------------------------------------------------------- */

/* A store on a chip of the fault runner; a life of revocations and provisions, in which every
 * operation is cut short in every way. */
struct chip_bench {
    struct fault_chip chip;
    struct ferry_store store;
    struct ferry_keys keys;
    struct ferry_keys_config config;
    uint8_t promised;    /* revocations that were said to be done */
    uint8_t provisioned; /* keys that were */
    uint64_t cuts, flips;
    uint32_t seed;
};

static struct chip_bench faulty;

#define REVOCATIONS 5

static void hash_number(uint8_t number, uint8_t hash[32])
{
    test_sha256(&number, 1, hash);
}

static void der_number(uint8_t number, uint8_t der[44])
{
    memcpy(der, test_keys[TEST_KEY_ED25519].public_der, 44);
    der[20] = number;
}

static void open_faulty(void)
{
    struct ferry_flash *flash = &faulty.chip.areas[FAULT_STORE].flash;

    faulty.chip.state.steps = 0;
    assert_int_equal(ferry_store_open(&faulty.store, flash), FERRY_OK);
}

/* All that was promised is there. */
static void check_promises(void)
{
    open_faulty();
    assert_int_equal(ferry_keys_load(&faulty.store, &faulty.config.trust, &faulty.keys), FERRY_OK);
    for (uint8_t i = 0; i < faulty.promised; i++) {
        const struct ferry_key_list *list = &faulty.keys.revoked;
        uint8_t hash[32];
        bool found = false;

        hash_number(i, hash);
        for (size_t k = 0; k < list->count; k++) {
            found = found || memcmp(list->hashes[k], hash, 32) == 0;
        }
        assert_true(found);
    }
    for (uint8_t i = 0; i < faulty.provisioned; i++) {
        bool found = false;
        uint8_t der[44];

        der_number(i, der);
        for (size_t k = 0; k < faulty.keys.trust.key_count; k++) {
            found = found || memcmp(faulty.keys.trust.keys[k].der, der, 44) == 0;
        }
        assert_true(found);
    }
}

/* One bit flips at rest, each in turn: the promises hold, and do after the mending. */
static void flip_all(uint32_t step)
{
    struct fault_area *area = &faulty.chip.areas[FAULT_STORE];
    struct fault_state state = faulty.chip.state;

    for (uint32_t bit = faulty.seed++ % step; bit < area->flash.size * 8; bit += step) {
        size_t mark = fault_chip_mark(&faulty.chip);
        uint8_t byte = (uint8_t)(area->memory[bit / 8] ^ 1U << bit % 8);

        fault_chip_poke(area, bit / 8, &byte, 1);
        check_promises();
        assert_int_equal(ferry_keys_mend(&faulty.store), FERRY_OK);
        check_promises();
        fault_chip_undo(&faulty.chip, mark);
        faulty.chip.state = state;
        faulty.flips++;
    }
    open_faulty();
}

static int revoke_next(void)
{
    uint8_t hash[32];

    hash_number(faulty.promised, hash);
    return ferry_keys_revoke(&faulty.config, hash);
}

static int provision_next(void)
{
    uint8_t der[44];

    der_number(faulty.provisioned, der);
    return ferry_keys_provision(&faulty.config, der, sizeof der);
}

/* The script: two keys and all the revocations, one after the other; and other records between,
 * so that the store moves. Returns at the first error. */
static int act(void)
{
    int rc = FERRY_OK;

    while (rc == FERRY_OK && (faulty.promised < REVOCATIONS || faulty.provisioned < 2)) {
        bool key = faulty.provisioned < 2 && faulty.provisioned <= faulty.promised;

        rc = key ? provision_next() : revoke_next();
        if (rc == FERRY_OK) {
            faulty.provisioned = (uint8_t)(faulty.provisioned + key);
            faulty.promised = (uint8_t)(faulty.promised + !key);
        }
        for (uint8_t i = 0; i < 3 && rc == FERRY_OK; i++) {
            uint8_t data[24] = {i, faulty.promised, faulty.provisioned};

            rc = ferry_store_put(&faulty.store, 0x100, data, sizeof data);
        }
    }
    return rc;
}

/* The power fails in the middle of an operation: what was promised before is there, whatever is
 * read, with any bit flipped; and the rest can be done, and is then there. */
static void cut(void *watcher, const struct fault_op *op)
{
    struct fault_chip *chip = &faulty.chip;
    struct ferry_store store = faulty.store;
    struct ferry_keys keys = faulty.keys;
    uint8_t promised = faulty.promised;
    uint8_t provisioned = faulty.provisioned;

    (void)watcher;
    chip->watch = NULL;
    for (size_t i = 0; i < fault_model_count; i++) {
        struct fault_state state = chip->state;
        size_t mark = fault_chip_mark(chip);

        if (fault_models[i].kind == FAULT_CUT) {
            chip->state.noise = ++faulty.seed * 2654435761U | 1;
            fault_models[i].happen(op);
            for (int look = 0; look < 3; look++) {
                check_promises();
            }
            flip_all(499);
            assert_int_equal(ferry_keys_mend(&faulty.store), FERRY_OK);
            assert_int_equal(act(), FERRY_OK);
            for (int look = 0; look < 3; look++) {
                check_promises();
            }
            flip_all(1499);
            faulty.cuts++;
        }
        fault_chip_undo(chip, mark);
        chip->state = state;
        faulty.promised = promised;
        faulty.provisioned = provisioned;
        faulty.store = store;
    }
    faulty.keys = keys;
    chip->watch = cut;
}

static void begin(uint8_t write_size, uint8_t erased, bool write_once)
{
    const struct fault_shape shapes[FAULT_PLACES] = {[FAULT_STORE] = {2, 1024, write_size, erased}};

    memset(&faulty, 0, sizeof faulty);
    fault_chip_init(&faulty.chip, shapes);
    faulty.chip.write_once = write_once;
    faulty.config = (struct ferry_keys_config){
        .store = &faulty.store,
        .trust = {.verifiers = verifiers, .verifier_count = COUNT(verifiers)},
        .keys = &faulty.keys};
    open_faulty();
}

static void a_promise_outlives_every_cut_and_every_flipped_bit(void **state)
{
    static const uint8_t write_sizes[] = {1, 8, 32};

    (void)state;
    for (size_t w = 0; w < COUNT(write_sizes); w++) {
        for (int once = 0; once < 2; once++) {
            begin(write_sizes[w], once == 0 ? 0xff : 0x00, once == 1);
            faulty.chip.watch = cut;
            assert_int_equal(act(), FERRY_OK);
            faulty.chip.watch = NULL;
            check_promises();
            flip_all(7);
            print_message("write size %u, %s%s: %llu cuts, %llu flips\n", write_sizes[w],
                          once == 0 ? "0xff" : "0x00", once == 1 ? ", write-once" : "",
                          (unsigned long long)faulty.cuts, (unsigned long long)faulty.flips);
            assert_true(faulty.cuts > 100 && faulty.flips > 10000);
            assert_int_equal(faulty.chip.state.reprogrammed, 0);
            fault_chip_free(&faulty.chip);
        }
    }
}

/* An operation answers an error, once or for ever: what was promised stays, and asking again does
 * it where the flash still can. */
static void a_promise_outlives_every_error(void **state)
{
    uint64_t lives = 0;

    (void)state;
    for (size_t m = 0; m < fault_model_count; m++) {
        if (fault_models[m].kind != FAULT_ERROR) {
            continue;
        }
        for (uint64_t at = 1;; at++) {
            begin(8, 0xff, true);
            faulty.chip.state.armed[0] = (struct fault_armed){.at = at, .model = &fault_models[m]};
            faulty.chip.state.armed_count = 1;
            for (int i = 0; i < 3 && act() != FERRY_OK; i++) {
                check_promises();
            }
            check_promises();
            bool fired = faulty.chip.state.armed[0].fired;
            if (!fault_models[m].for_ever) {
                assert_int_equal(faulty.promised, REVOCATIONS);
            }
            fault_chip_free(&faulty.chip);
            if (!fired) {
                break;
            }
            lives++;
        }
    }
    print_message("%llu errors\n", (unsigned long long)lives);
    assert_true(lives > 60);
}

/* Both copies gone, by more than the models know: a loss that can be seen is not passed over. */
static void a_lost_revocation_is_noticed(void **state)
{
    (void)state;
    init(&ferry_traits_swap_move);
    revoke_number(1, FERRY_OK);
    revoke_number(2, FERRY_OK);
    for (uint16_t copy = 0; copy < 2; copy++) {
        uint16_t key = (uint16_t)(FERRY_STORE_KEY_REVOKED + copy * FERRY_KEY_COPY);

        assert_int_equal(ferry_store_put(&bench.rig.store, key, NULL, 0), FERRY_OK);
    }
    assert_int_equal(ferry_keys_load(&bench.rig.store, &bench.config.trust, &bench.keys),
                     FERRY_E_CRC);
    assert_int_equal(bench.keys.revoked.count, 1);
    assert_int_equal(provision(TEST_KEY_ED25519_OTHER), FERRY_E_CRC);
    revoke_number(3, FERRY_OK);
    /* The gap stays, and goes on telling. */
    assert_int_equal(ferry_keys_load(&bench.rig.store, &bench.config.trust, &bench.keys),
                     FERRY_E_CRC);
    assert_int_equal(bench.keys.revoked.count, 2);
}

static void a_device_without_a_store_has_its_products_keys(void **state)
{
    (void)state;
    init(&ferry_traits_swap_move);
    assert_int_equal(ferry_keys_load(NULL, &bench.config.trust, &bench.keys), FERRY_OK);
    assert_int_equal(bench.keys.trust.key_count, 2);
    assert_int_equal(ferry_keys_mend(NULL), FERRY_OK);
    bench.config.trust.key_count = FERRY_KEYS_PRODUCT + 1;
    assert_int_equal(ferry_keys_load(NULL, &bench.config.trust, &bench.keys), FERRY_E_CONFIG);
    assert_int_equal(bench.keys.trust.key_count, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_list_has_the_published_keys),
        cmocka_unit_test(every_key_of_the_tests_is_in_it),
        cmocka_unit_test(a_key_that_nobody_published_is_not),
        cmocka_unit_test(a_refused_key_verifies_nothing),
        cmocka_unit_test(a_refused_key_is_known_by_itself),
        cmocka_unit_test(another_trusted_signature_is_enough),
        cmocka_unit_test(a_key_is_provisioned_and_revoked),
        cmocka_unit_test(again_is_the_same_and_writes_nothing),
        cmocka_unit_test(what_no_verifier_takes_is_refused),
        cmocka_unit_test(what_is_full_says_so_and_keeps_what_it_has),
        cmocka_unit_test(a_full_store_takes_no_half_key),
        cmocka_unit_test(a_key_of_many_parts_comes_back),
        cmocka_unit_test(the_key_of_the_running_image_stays),
        cmocka_unit_test(the_key_of_the_image_to_go_back_to_stays),
        cmocka_unit_test(in_place_both_slots_count),
        cmocka_unit_test(another_signature_frees_a_key),
        cmocka_unit_test(an_image_that_does_not_verify_keeps_the_keys_it_names),
        cmocka_unit_test(a_promise_outlives_every_cut_and_every_flipped_bit),
        cmocka_unit_test(a_promise_outlives_every_error),
        cmocka_unit_test(a_lost_revocation_is_noticed),
        cmocka_unit_test(a_device_without_a_store_has_its_products_keys),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
