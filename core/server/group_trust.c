/* SPDX-License-Identifier: Apache-2.0 */
/* SMP group 102: which keys count. */
#include "ferry/group_trust.h"

#include <string.h>

/* One key of the list: those that are trusted, then what else was revoked. */
struct entry {
    uint8_t hash[FERRY_SHA256_SIZE];
    const char *source;
    bool revoked;
    bool refused;
};

static int fail(struct ferry_server_call *call, int error)
{
    return ferry_server_fail(call, (uint16_t)(error < 0 ? -error : 1),
                             ferry_server_text(call, error));
}

static bool is_trusted(const struct ferry_keys *keys, const uint8_t *hash)
{
    for (size_t i = 0; i < keys->trust.key_count; i++) {
        uint8_t found[FERRY_SHA256_SIZE];

        ferry_key_hash(keys->trusted[i].der, keys->trusted[i].len, found);
        if (memcmp(found, hash, sizeof(found)) == 0) {
            return true;
        }
    }
    return false;
}

/* The revoked key number `index` of those nobody trusts. Returns false when there is none. */
static bool find_revoked(const struct ferry_keys *keys, size_t index, struct entry *entry)
{
    for (size_t i = 0; i < keys->revoked.count; i++) {
        if (is_trusted(keys, keys->hashes[i])) {
            continue;
        }
        if (index-- == 0) {
            *entry = (struct entry){.source = "unknown", .revoked = true};
            memcpy(entry->hash, keys->hashes[i], sizeof(entry->hash));
            return true;
        }
    }
    return false;
}

static bool find(const struct ferry_keys *keys, size_t index, struct entry *entry)
{
    const struct ferry_key_list *refused = keys->trust.refused;

    if (index >= keys->trust.key_count) {
        return find_revoked(keys, index - keys->trust.key_count, entry);
    }

    const struct ferry_image_key *key = &keys->trusted[index];

    *entry = (struct entry){.source = index < keys->product_count ? "product" : "provisioned",
                            .revoked = ferry_key_list_has(&keys->revoked, key),
                            .refused = refused != NULL && ferry_key_list_has(refused, key)};
    ferry_key_hash(key->der, key->len, entry->hash);
    return true;
}

static int list(struct ferry_server_call *call)
{
    const struct ferry_keys_config *config =
        ((const struct ferry_trust_group_config *)call->context)->keys;
    struct ferry_cbor_field number = {.key = "n", .kind = FERRY_CBOR_UINT};
    struct entry entry;
    int rc = ferry_server_read(call, &number, 1);

    if (rc != FERRY_RC_OK) {
        return rc;
    }

    int error = ferry_keys_load(config->store, &config->trust, config->keys);

    if (error != FERRY_OK && error != FERRY_E_CRC) {
        return fail(call, error);
    }
    if (number.item.value > UINT8_MAX ||
        !find(config->keys, number.present ? (size_t)number.item.value : 0, &entry)) {
        return fail(call, FERRY_E_NOT_FOUND);
    }

    int named = ferry_keys_named(config, entry.hash);

    if (named < 0) {
        return fail(call, named);
    }
    ferry_cbor_pair_bytes(&call->out, "hash", entry.hash, sizeof(entry.hash));
    ferry_cbor_pair_text(&call->out, "source", entry.source);
    ferry_cbor_pair_bool(&call->out, "revoked", entry.revoked);
    ferry_cbor_pair_bool(&call->out, "development", entry.refused);
    ferry_cbor_pair_bool(&call->out, "named", named == 1);
    return FERRY_RC_OK;
}

/* Returns FERRY_RC_OK and call->failed unset when the client may. */
static int ask(struct ferry_server_call *call)
{
    const struct ferry_trust_group_config *config = call->context;

    return config->permit == NULL ? FERRY_RC_ACCESS_DENIED : config->permit(config->context, call);
}

static int revoke(struct ferry_server_call *call)
{
    const struct ferry_trust_group_config *config = call->context;
    struct ferry_cbor_field hash = {.key = "hash", .kind = FERRY_CBOR_BYTES};
    int rc = ferry_server_read(call, &hash, 1);

    if (rc == FERRY_RC_OK && (!hash.present || hash.item.bytes.len != FERRY_SHA256_SIZE)) {
        rc = FERRY_RC_INVALID;
    }
    if (rc == FERRY_RC_OK) {
        rc = ask(call);
    }
    if (rc != FERRY_RC_OK || call->failed) {
        return rc;
    }

    int error = ferry_keys_revoke(config->keys, hash.item.bytes.data);

    return error == FERRY_OK ? FERRY_RC_OK : fail(call, error);
}

static int add(struct ferry_server_call *call)
{
    const struct ferry_trust_group_config *config = call->context;
    struct ferry_cbor_field key = {.key = "key", .kind = FERRY_CBOR_BYTES};
    int rc = ferry_server_read(call, &key, 1);

    if (rc == FERRY_RC_OK && !key.present) {
        rc = FERRY_RC_INVALID;
    }
    if (rc == FERRY_RC_OK) {
        rc = ask(call);
    }
    if (rc != FERRY_RC_OK || call->failed) {
        return rc;
    }

    int error = ferry_keys_provision(config->keys, key.item.bytes.data, key.item.bytes.len);

    return error == FERRY_OK ? FERRY_RC_OK : fail(call, error);
}

static const struct ferry_command commands[] = {
    [FERRY_SMP_TRUST_KEY] = {.read = list},
    [FERRY_SMP_TRUST_REVOKE] = {.write = revoke},
    [FERRY_SMP_TRUST_ADD] = {.write = add},
};

const struct ferry_group ferry_trust_group_table = {
    .id = FERRY_SMP_GROUP_TRUST,
    .name = "trust mgmt",
    .commands = commands,
    .command_count = sizeof(commands) / sizeof(commands[0]),
};
