/* SPDX-License-Identifier: Apache-2.0 */
/* What the bootloader in a dump trusts, decrypts with and demands; and the slots it has. */
#include "dump.h"

static const struct ferry_image_verifier *const verifiers[] = {
    &ferry_verify_ecdsa_p256,   &ferry_verify_ecdsa_p384,  &ferry_verify_ed25519,
    &ferry_verify_ed25519_pure, &ferry_verify_rsa2048_pss, &ferry_verify_rsa3072_pss};
static const struct ferry_image_digest_kind *const digests[] = {
    &ferry_digest_sha256, &ferry_digest_sha384, &ferry_digest_sha512};
static const struct ferry_image_unwrapper *const unwrappers[] = {
    &ferry_unwrap_ec256, &ferry_unwrap_x25519, &ferry_unwrap_x25519_sha512, &ferry_unwrap_rsa2048,
    &ferry_unwrap_kw};

/* ---- Keys and secrets ------------------------------------------------------------------------ */

/* Open the area with a name. Returns whether the layout has it. */
static bool open_area(const struct dump *dump, const char *name, struct ferry_flash_slice *area)
{
    const struct ferry_vchip_area *found = layout_area(&dump->layout, name);
    return found != NULL && layout_area_open(&dump->layout, (uint32_t)(found - dump->layout.areas),
                                             dump->devices, area) == FERRY_OK;
}

/* Take the entry of a key area at *offset. Returns its length; 0 behind the last one. */
static uint32_t read_entry(const struct ferry_flash *area, uint32_t *offset, uint32_t magic,
                           uint8_t *out, uint32_t cap)
{
    uint8_t head[FERRY_VCHIP_KEY_HEAD];
    if (ferry_flash_read(area, *offset, head, sizeof head) != FERRY_OK ||
        ferry_load_le32(head) != magic) {
        return 0;
    }
    uint32_t len = ferry_load_le32(head + 4);
    if (len > cap ||
        ferry_flash_read(area, *offset + (uint32_t)sizeof head, out, len) != FERRY_OK) {
        return 0;
    }
    *offset += ferry_align_up(len + (uint32_t)sizeof head, FERRY_VCHIP_KEY_ALIGN);
    return len;
}

static void read_keys(struct dump *dump)
{
    struct ferry_flash_slice area;
    uint32_t offset = 0;
    size_t *count = &dump->product_trust.key_count;
    uint32_t len;
    dump->has_key_area = open_area(dump, "keys", &area);
    while (dump->has_key_area && *count < FERRY_KEYS_PRODUCT &&
           (len = read_entry(&area.flash, &offset, FERRY_VCHIP_KEY_MAGIC, dump->ders[*count],
                             FERRY_VCHIP_KEY_MAX)) > 0) {
        dump->product[*count] = (struct ferry_image_key){dump->ders[*count], len};
        (*count)++;
    }
}

static void read_secrets(struct dump *dump)
{
    struct ferry_flash_slice area;
    uint32_t offset = 0;
    size_t *count = &dump->secrets.secret_count;
    uint32_t len;
    dump->secrets = (struct ferry_image_secrets){
        .secrets = dump->secret_list,
        .unwrappers = unwrappers,
        .unwrapper_count = sizeof unwrappers / sizeof unwrappers[0],
    };
    dump->has_secrets = open_area(dump, "secrets", &area);
    while (dump->has_secrets && *count < LAYOUT_SECRETS &&
           (len = read_entry(&area.flash, &offset, FERRY_VCHIP_SECRET_MAGIC,
                             dump->secret_bytes[*count], FERRY_VCHIP_SECRET_MAX)) > 0) {
        dump->secret_list[*count] = (struct ferry_image_secret){dump->secret_bytes[*count], len};
        (*count)++;
    }
}

static void open_store(struct dump *dump)
{
    dump->store_error = FERRY_E_NOT_FOUND;
    if (open_area(dump, "store", &dump->store_area)) {
        dump->store_error = ferry_store_open(&dump->store, &dump->store_area.flash);
    }
}

/* Without a key anywhere nobody knows whom the bootloader trusts: one whose keys are compiled in.
 * Then digests only are looked at. */
static void read_trust(struct dump *dump, const struct key *key)
{
    dump->product_trust = (struct ferry_image_trust){
        .keys = dump->product,
        .verifiers = verifiers,
        .verifier_count = sizeof verifiers / sizeof verifiers[0],
        .digests = digests,
        .digest_count = sizeof digests / sizeof digests[0],
        .refused =
            (dump->layout.flags & FERRY_VCHIP_PRODUCTION) != 0 ? &ferry_development_keys : NULL,
    };
    read_keys(dump);
    if (key != NULL) {
        dump->product[0] = (struct ferry_image_key){key->der, key->der_len};
        dump->product_trust.key_count = 1;
    }
    dump->product_trust.digest_only = key == NULL && !dump->has_key_area;
    dump->keys_error = ferry_keys_load(dump->store_error == FERRY_OK ? &dump->store : NULL,
                                       &dump->product_trust, &dump->keys);
}

/* ---- Policy ---------------------------------------------------------------------------------- */

static void read_policy(struct dump *dump)
{
    static const struct {
        uint32_t flag;
        const struct ferry_policy_rule *rule;
    } rows[] = {
        {FERRY_VCHIP_NO_DOWNGRADE, &ferry_policy_version},
        {FERRY_VCHIP_SECURITY_COUNTER, &ferry_policy_counter},
        {FERRY_VCHIP_VENDOR, &ferry_policy_vendor},
        {FERRY_VCHIP_CLASS, &ferry_policy_class},
    };
    size_t count = 0;
    dump->rules[count++] = &ferry_policy_address;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        if ((dump->layout.flags & rows[i].flag) != 0) {
            dump->rules[count++] = rows[i].rule;
        }
    }
    dump->policy = (struct ferry_image_policy){
        .rules = dump->rules,
        .rule_count = count,
        .memory = &ferry_policy_in_store,
        .with_build = (dump->layout.flags & FERRY_VCHIP_COMPARE_BUILD) != 0,
        .vendor = dump->layout.vendor_id,
        .class_id = dump->layout.class_id,
    };
}

/* ---- First stage ----------------------------------------------------------------------------- */

static bool open_first_slot(struct dump *dump, uint32_t i)
{
    uint32_t number = dump->layout.first_slots[i];
    const struct ferry_vchip_area *area = &dump->layout.areas[number];
    if (layout_area_open(&dump->layout, number, dump->devices, &dump->first_slots[i]) != FERRY_OK) {
        return false;
    }
    dump->first.slots[i] = (struct ferry_first_place){
        .flash = &dump->first_slots[i].flash,
        .offset = FERRY_VCHIP_FIRST_HEADER,
        .size = area->size - FERRY_VCHIP_FIRST_HEADER,
        .address = area->device * FERRY_VCHIP_SPAN + area->offset + FERRY_VCHIP_FIRST_HEADER,
    };
    return true;
}

static void read_first(struct dump *dump)
{
    dump->has_first = dump->layout.has_first &&
                      layout_area_open(&dump->layout, dump->layout.first_provision, dump->devices,
                                       &dump->provision) == FERRY_OK &&
                      open_first_slot(dump, 0) && open_first_slot(dump, 1);
    dump->first.kind = &ferry_first_vchip;
    dump->first.provision = &dump->provision.flash;
    dump->first.buf = dump->work;
    dump->first.buf_size = sizeof dump->work;
}

void dump_read_trust(struct dump *dump, const struct key *key)
{
    open_store(dump);
    read_trust(dump, key);
    read_secrets(dump);
    read_policy(dump);
    read_first(dump);
}

/* ---- Slots ----------------------------------------------------------------------------------- */

int dump_read_slots(struct dump *dump)
{
    for (uint32_t i = 0; i < dump->layout.image_count; i++) {
        struct ferry_vchip_image image = dump->layout.images[i];
        const struct ferry_strategy_traits *traits = ferry_strategy_traits_find(image.strategy);
        if (traits == &ferry_traits_first_stage && dump->has_first) {
            image.primary = dump->layout.first_slots[dump->first.active];
        }
        int error = layout_slots_of(&dump->layout, &image, dump->devices, &dump->slots[i]);
        if (error != FERRY_OK) {
            return error;
        }
        struct ferry_slots *slots = &dump->slots[i].slots;
        slots->number = (uint8_t)i;
        slots->state = ferry_slots_state_of(traits);
        slots->store = dump->store_error == FERRY_OK ? &dump->store : NULL;
        slots->policy = &dump->policy;
    }
    return FERRY_OK;
}
