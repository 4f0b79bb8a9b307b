/* SPDX-License-Identifier: Apache-2.0 */
#include "first_rig.h"

#include <openssl/ecdsa.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static void die(const char *what)
{
    (void)fprintf(stderr, "first_rig: %s\n", what);
    abort();
}

/* ---- Firmware ----------------------------------------------------------------------------- */

static void put32(uint8_t *at, uint32_t value)
{
    for (int i = 0; i < 4; i++) {
        at[i] = (uint8_t)(value >> 8 * i);
    }
}

static void put_info(const struct first_spec *spec, uint32_t size, uint8_t *at)
{
    memset(at, 0, 60);
    put32(at, 0x281ee6de);
    put32(at + 4, 0x8fcebb4c);
    put32(at + 8, 0x00003402);
    put32(at + 12, 60);
    put32(at + 16, size);
    put32(at + 20, spec->version);
    put32(at + 24, spec->address);
    put32(at + 28, spec->address);
    put32(at + 32, 0x9102ffff);
}

static void put_signature(enum test_key_id key, const uint8_t hash[32], uint8_t *raw)
{
    uint8_t digest[32];
    uint8_t der[TEST_SIGNATURE_MAX];
    const uint8_t *p = der;
    test_sha256(hash, 32, digest);
    size_t len = test_sign(key, digest, 32, der);
    ECDSA_SIG *pair = d2i_ECDSA_SIG(NULL, &p, (long)len);
    if (pair == NULL || BN_bn2binpad(ECDSA_SIG_get0_r(pair), raw, 32) != 32 ||
        BN_bn2binpad(ECDSA_SIG_get0_s(pair), raw + 32, 32) != 32) {
        die("signing failed");
    }
    ECDSA_SIG_free(pair);
}

size_t first_build(const struct first_spec *spec, uint8_t *out, size_t cap)
{
    uint32_t size = spec->size != 0 ? spec->size : 2048;
    uint32_t info = spec->info_offset == 0 ? 0x200 : spec->info_offset == 1 ? 0 : spec->info_offset;
    uint32_t x = spec->version * 2654435761U + spec->address + spec->seed;

    if (size + 180 > cap) {
        die("no room for the firmware");
    }
    for (uint32_t i = 0; i < size; i++) {
        x = x * 1664525U + 1013904223U;
        out[i] = (uint8_t)(x >> 24);
    }
    put_info(spec, size, out + info);
    if (spec->before != NULL) {
        spec->before(out, info);
    }
    uint32_t at = (size + 3) / 4 * 4;
    memset(out + size, 0xff, at - size);
    put32(out + at, 0x281ee6de);
    put32(out + at + 4, 0x86518483);
    put32(out + at + 8, 78850);
    put32(out + at + 12, spec->address);
    test_sha256(out, size, out + at + 16);
    memcpy(out + at + 48, test_keys[spec->key].public_der + test_keys[spec->key].public_len - 64,
           64);
    put_signature(spec->key, out + at + 16, out + at + 112);
    if (spec->after != NULL) {
        spec->after(out, size);
    }
    return at + 176;
}

size_t first_image(const struct first_spec *spec, uint8_t *out, size_t cap)
{
    static uint8_t firmware[FIRST_RIG_SLOT];
    size_t size = first_build(spec, firmware, sizeof(firmware));
    const struct test_image_spec image = {.version = {.major = (uint8_t)spec->version},
                                          .key = spec->image_key,
                                          .payload = firmware,
                                          .payload_size = size,
                                          .header_size = FIRST_RIG_HEADER};
    size_t len = test_image_build(&image, out, cap);
    if (len == 0) {
        die("no room for the image");
    }
    return len;
}

/* ---- Provision data ------------------------------------------------------------------------- */

void first_key_hash(enum test_key_id key, uint8_t hash[16])
{
    uint8_t digest[32];
    test_sha256(test_keys[key].public_der + test_keys[key].public_len - 64, 64, digest);
    memcpy(hash, digest, 16);
}

size_t first_page(const enum test_key_id *keys, uint32_t count, uint16_t slots, uint8_t *out)
{
    uint8_t *at = out + 40;
    memset(out, 0xff, 40);
    put32(at, FIRST_RIG_S0);
    put32(at + 4, FIRST_RIG_S1);
    put32(at + 8, count);
    at += 12;
    for (uint32_t i = 0; i < count; i++) {
        put32(at, 0x50faffff | i << 24);
        first_key_hash(keys[i], at + 4);
        at += 20;
    }
    if (slots > 0) {
        put32(at, 0x00010001);
        put32(at + 4, (uint32_t)slots << 16 | 1);
        memset(at + 8, 0xff, 2U * slots);
        at += 8 + 2 * slots;
    }
    return (size_t)(at - out);
}

/* ---- The device --------------------------------------------------------------------------------
 */

void first_rig_init(struct first_rig *rig, const enum test_key_id *keys, uint32_t count,
                    uint16_t slots)
{
    first_rig_init_of(rig, keys, count, slots, 8, 0xff);
}

void first_rig_init_of(struct first_rig *rig, const enum test_key_id *keys, uint32_t count,
                       uint16_t slots, uint8_t write_size, uint8_t erased_value)
{
    const struct fault_shape shapes[FAULT_PLACES] = {
        [FAULT_PRIMARY] = {8, FIRST_RIG_SLOT / 8, write_size, erased_value},
        [FAULT_SECONDARY] = {8, FIRST_RIG_SLOT / 8, write_size, erased_value},
        [FIRST_RIG_STAGING] = {8, FIRST_RIG_SLOT / 8, write_size, 0xff},
        [FIRST_RIG_PROVISION] = {1, FIRST_RIG_PAGE, 4, 0xff},
    };
    uint8_t page[FIRST_RIG_PAGE];

    memset(rig, 0, sizeof(*rig));
    fault_chip_init(&rig->chip, shapes);
    for (uint32_t i = 0; i < 2; i++) {
        rig->first.slots[i] =
            (struct ferry_first_place){.flash = &rig->chip.areas[FAULT_PRIMARY + i].flash,
                                       .offset = FIRST_RIG_HEADER,
                                       .size = FIRST_RIG_SLOT - FIRST_RIG_HEADER,
                                       .address = i == 0 ? FIRST_RIG_S0 : FIRST_RIG_S1};
    }
    rig->first.kind = &ferry_first_vchip;
    rig->first.provision = &rig->chip.areas[FIRST_RIG_PROVISION].flash;
    rig->first.buf = rig->buf;
    rig->first.buf_size = sizeof(rig->buf);
    size_t len = first_page(keys, count, slots, page);
    first_rig_put(rig, FIRST_RIG_PROVISION, page, len);
}

void first_rig_free(struct first_rig *rig)
{
    fault_chip_free(&rig->chip);
}

void first_rig_put(struct first_rig *rig, enum fault_place place, const uint8_t *image, size_t len)
{
    struct fault_area *area = &rig->chip.areas[place];
    fault_chip_erase(area, 0, area->flash.size);
    fault_chip_poke(area, 0, image, (uint32_t)len);
}

void first_rig_stage(struct first_rig *rig, uint32_t slot, const struct first_spec *spec)
{
    static uint8_t image[FIRST_RIG_SLOT];
    struct first_spec built = *spec;
    built.address = slot == 0 ? FIRST_RIG_S0 : FIRST_RIG_S1;
    size_t len = first_image(&built, image, sizeof(image));
    first_rig_put(rig, slot == 0 ? FAULT_PRIMARY : FAULT_SECONDARY, image, len);
}
