/* SPDX-License-Identifier: Apache-2.0 */
/* What is in the flash beside the images: areas, keys, store, first stage. */
#include "dump_report.h"

#include <string.h>

/* ---- Areas ----------------------------------------------------------------------------------- */

/* What the layout uses an area for beside its name; "" where that says it. */
static void say_use(const struct layout *layout, uint32_t area, char *text, size_t cap)
{
    text[0] = '\0';
    for (uint32_t i = 0; i < layout->image_count; i++) {
        const struct ferry_vchip_image *image = &layout->images[i];
        const uint32_t areas[] = {image->primary, image->secondary, image->scratch};
        static const char *const names[] = {"slot 0", "slot 1", "scratch"};
        for (size_t k = 0; k < 3; k++) {
            if (areas[k] == area) {
                snprintf(text, cap, "%s of image %u", names[k], (unsigned)i);
                return;
            }
        }
    }
    if (layout->has_first && area == layout->first_provision) {
        snprintf(text, cap, "provision data");
    } else if (layout->has_first && area == layout->first_slots[1]) {
        snprintf(text, cap, "S1 of the first stage");
    } else if (layout->has_first && area == layout->first_program) {
        snprintf(text, cap, "the first stage");
    }
}

/* Bytes up to the last one that is not erased. */
static uint32_t count_used(const struct dump *dump, const struct ferry_vchip_area *area)
{
    const uint8_t *data = dump->files[area->device].data + area->offset;
    uint8_t erased = dump->layout.devices[area->device].geometry.erased_value;
    uint32_t used = area->size;
    while (used > 0 && data[used - 1] == erased) {
        used--;
    }
    return used;
}

void dump_add_areas(cJSON *object, const struct dump *dump)
{
    cJSON *list = cJSON_AddArrayToObject(object, "devices");
    for (uint32_t i = 0; i < dump->layout.device_count; i++) {
        cJSON *row = cJSON_CreateObject();
        cJSON_AddStringToObject(row, "name", dump->layout.devices[i].name);
        cJSON_AddStringToObject(row, "file", dump->paths[i]);
        cJSON_AddNumberToObject(row, "size", dump->layout.devices[i].geometry.size);
        cJSON_AddItemToArray(list, row);
    }
    list = cJSON_AddArrayToObject(object, "areas");
    for (uint32_t i = 0; i < dump->layout.area_count; i++) {
        const struct ferry_vchip_area *area = &dump->layout.areas[i];
        char use[48];
        cJSON *row = cJSON_CreateObject();
        say_use(&dump->layout, i, use, sizeof use);
        cJSON_AddStringToObject(row, "name", area->name);
        cJSON_AddStringToObject(row, "device", dump->layout.devices[area->device].name);
        cJSON_AddNumberToObject(row, "offset", area->offset);
        cJSON_AddNumberToObject(row, "size", area->size);
        cJSON_AddNumberToObject(row, "used", count_used(dump, area));
        cJSON_AddStringToObject(row, "use", use);
        cJSON_AddItemToArray(list, row);
    }
}

/* ---- Keys ------------------------------------------------------------------------------------ */

static const char *scheme_of(const struct dump *dump, const struct ferry_image_key *key)
{
    for (size_t i = 0; i < dump->product_trust.verifier_count; i++) {
        if (dump->product_trust.verifiers[i]->fits(key)) {
            return dump->product_trust.verifiers[i]->name;
        }
    }
    return "unknown";
}

static cJSON *describe_key(const struct dump *dump, const struct ferry_image_key *key,
                           const char *origin)
{
    uint8_t hash[FERRY_SHA256_SIZE];
    char hex[2 * FERRY_SHA256_SIZE + 1];
    cJSON *row = cJSON_CreateObject();
    ferry_key_hash(key->der, key->len, hash);
    cli_hex(hash, sizeof hash, hex);
    cJSON_AddStringToObject(row, "type", scheme_of(dump, key));
    cJSON_AddStringToObject(row, "hash", hex);
    cJSON_AddStringToObject(row, "origin", origin);
    cJSON_AddBoolToObject(row, "development_key",
                          ferry_development_keys.has(&ferry_development_keys, key));
    cJSON_AddBoolToObject(row, "revoked", ferry_key_list_has(&dump->keys.revoked, key));
    return row;
}

void dump_add_keys(cJSON *object, const struct dump *dump, bool given)
{
    const struct ferry_image_trust *trust = &dump->keys.trust;
    cJSON *list = cJSON_AddArrayToObject(object, "keys");
    for (size_t i = 0; i < trust->key_count; i++) {
        const char *origin = i >= dump->keys.product_count ? "store" : given ? "given" : "keys";
        cJSON_AddItemToArray(list, describe_key(dump, &trust->keys[i], origin));
    }
    list = cJSON_AddArrayToObject(object, "revoked");
    for (size_t i = 0; i < dump->keys.revoked.count; i++) {
        char hex[2 * FERRY_SHA256_SIZE + 1];
        cli_hex(dump->keys.hashes[i], FERRY_SHA256_SIZE, hex);
        cJSON_AddItemToArray(list, cJSON_CreateString(hex));
    }
    if (dump->keys_error != FERRY_OK) {
        cJSON_AddStringToObject(object, "keys_problem",
                                "the store does not say which keys were revoked");
    } else if (dump->product_trust.digest_only) {
        cJSON_AddStringToObject(object, "keys_problem",
                                "the layout has no area \"keys\": signatures are not checked (give "
                                "the bootloader's with -k KEY)");
    } else if (trust->key_count == 0) {
        cJSON_AddStringToObject(object, "keys_problem", "no key: no image is trusted");
    }
}

/* ---- Store ----------------------------------------------------------------------------------- */

void dump_add_store(cJSON *object, const struct dump *dump)
{
    const char *state = "none";
    if (dump->store_error == FERRY_OK) {
        const struct ferry_flash *flash = &dump->store_area.flash;
        state = ferry_flash_is_erased(flash, 0, flash->size) == 1 ? "empty" : "open";
    } else if (dump->store_error != FERRY_E_NOT_FOUND) {
        state = ferry_error_text(dump->store_error);
    }
    cJSON_AddStringToObject(object, "store", state);
}

/* ---- First stage ----------------------------------------------------------------------------- */

static void add_provision(cJSON *object, const struct ferry_first_provision *provision)
{
    static const char *const names[] = {[FERRY_FIRST_UNKNOWN] = "unknown",
                                        [FERRY_FIRST_ASSEMBLY] = "assembly",
                                        [FERRY_FIRST_PROVISIONING] = "provisioning",
                                        [FERRY_FIRST_SECURE] = "secure",
                                        [FERRY_FIRST_DECOMMISSIONED] = "decommissioned"};
    cJSON_AddStringToObject(object, "life_cycle", names[provision->life_cycle]);
    cJSON_AddNumberToObject(object, "lowest_version", ferry_first_lowest(provision));
    cJSON_AddNumberToObject(object, "counter_slots", provision->slot_count);
    cJSON_AddNumberToObject(object, "counter_used", provision->used);
    cJSON *keys = cJSON_AddArrayToObject(object, "keys");
    for (uint32_t i = 0; i < provision->key_count; i++) {
        char hex[2 * FERRY_FIRST_KEY_HASH + 1];
        cJSON *row = cJSON_CreateObject();
        cli_hex(provision->keys[i].hash, FERRY_FIRST_KEY_HASH, hex);
        cJSON_AddStringToObject(row, "hash", hex);
        cJSON_AddBoolToObject(row, "revoked", provision->keys[i].revoked);
        cJSON_AddItemToArray(keys, row);
    }
}

static cJSON *describe_stage(struct dump *dump, const struct ferry_first_provision *provision,
                             uint32_t slot)
{
    struct ferry_first_stage stage = {0};
    struct ferry_verdict verdict;
    int error =
        ferry_first_verify(&dump->first, provision, &dump->first.slots[slot], &stage, &verdict);
    bool valid = error == FERRY_OK && ferry_verdict_is_valid(&verdict);
    cJSON *row = cJSON_CreateObject();
    cJSON_AddStringToObject(row, "slot", slot == 0 ? "S0" : "S1");
    if (stage.info.size != 0) {
        cJSON_AddNumberToObject(row, "version", stage.info.version);
        cJSON_AddNumberToObject(row, "address", stage.info.address);
        cJSON_AddNumberToObject(row, "size", stage.info.size);
    }
    cJSON_AddBoolToObject(row, "valid", valid);
    cJSON_AddStringToObject(row, "state",
                            valid                    ? "may start"
                            : error == FERRY_E_MAGIC ? "no bootloader"
                                                     : ferry_error_text(error));
    return row;
}

void dump_add_first(cJSON *object, struct dump *dump)
{
    struct ferry_first_provision provision;
    if (!dump->has_first) {
        return;
    }
    cJSON *first = cJSON_AddObjectToObject(object, "first_stage");
    int error = ferry_first_provision_read(&dump->provision.flash, dump->first.kind, &provision);
    if (error != FERRY_OK) {
        cJSON_AddStringToObject(first, "problem", "there are no provision data");
        return;
    }
    add_provision(first, &provision);
    cJSON *slots = cJSON_AddArrayToObject(first, "slots");
    for (uint32_t i = 0; i < 2; i++) {
        cJSON_AddItemToArray(slots, describe_stage(dump, &provision, i));
    }
}
