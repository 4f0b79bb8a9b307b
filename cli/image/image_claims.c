/* SPDX-License-Identifier: Apache-2.0 */
#include "image_claims.h"

#include "image_order.h"

#include "ferry/cbor.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>

#define AREA_MAX 0xffff

/* ---- An area that grows ------------------------------------------------------------- */

/* Bytes that do not fit are counted, not written. */
struct area {
    uint8_t *bytes; /* AREA_MAX of them */
    size_t len;
    bool big_endian;
};

static void put(struct area *area, const void *data, size_t len)
{
    if (area->len + len <= AREA_MAX && len > 0) {
        memcpy(area->bytes + area->len, data, len);
    }
    area->len += len;
}

static void put_tlv(struct area *area, uint16_t type, const void *data, size_t len)
{
    uint8_t head[IMAGE_TLV_HEAD];
    image_store_tlv_head(head, area->big_endian, type, (uint16_t)len);
    put(area, head, sizeof head);
    put(area, data, len);
}

/* ---- The claims --------------------------------------------------------------------- */

static void put_counter(struct area *area, uint32_t counter)
{
    uint8_t value[4];
    image_store32(value, area->big_endian, counter);
    put_tlv(area, FERRY_TLV_SEC_CNT, value, sizeof value);
}

/* The digest is not known yet: the bootloader puts it over the zeros at the end. */
static void put_boot_record(struct area *area, const struct image_claims *claims,
                            const struct ferry_version *version,
                            const struct ferry_image_digest_kind *digest, const struct key *key)
{
    uint8_t record[256];
    uint8_t zeros[FERRY_IMAGE_DIGEST_MAX] = {0};
    uint8_t signer[FERRY_IMAGE_DIGEST_MAX] = {0};
    char text[sizeof "255.255.65535"];
    char name[16];
    struct ferry_cbor_writer w;

    snprintf(text, sizeof text, "%u.%u.%u", (unsigned)version->major, (unsigned)version->minor,
             (unsigned)version->revision);
    snprintf(name, sizeof name, "SHA%u", 8U * digest->size);
    if (key != NULL) {
        key_hash(key, digest, signer);
    }
    ferry_cbor_writer_init(&w, record, sizeof record);
    ferry_cbor_put_map(&w, 5);
    ferry_cbor_put_uint(&w, 1);
    ferry_cbor_put_text(&w, claims->role);
    ferry_cbor_put_uint(&w, 4);
    ferry_cbor_put_text(&w, text);
    ferry_cbor_put_uint(&w, 5);
    ferry_cbor_put_bytes(&w, signer, key != NULL ? digest->size : FERRY_SHA256_SIZE);
    ferry_cbor_put_uint(&w, 6);
    ferry_cbor_put_text(&w, name);
    ferry_cbor_put_uint(&w, 2);
    ferry_cbor_put_bytes(&w, zeros, digest->size);
    put_tlv(area, FERRY_TLV_BOOT_RECORD, record, w.len);
}

static void put_dependency(struct area *area, const struct image_dependency *dependency)
{
    uint8_t value[12] = {dependency->image};
    value[4] = dependency->least.major;
    value[5] = dependency->least.minor;
    image_store16(value + 6, area->big_endian, dependency->least.revision);
    image_store32(value + 8, area->big_endian, dependency->least.build);
    put_tlv(area, FERRY_TLV_DEPENDENCY, value, sizeof value);
}

static void put_custom(struct area *area, const struct image_claims *claims, bool from_files)
{
    for (size_t i = 0; i < claims->custom_count; i++) {
        const struct image_custom_tlv *custom = &claims->custom[i];
        if (custom->from_file == from_files) {
            put_tlv(area, custom->type, custom->value.data, custom->value.len);
        }
    }
}

static void put_claims(struct area *area, const struct image_claims *claims,
                       const struct ferry_version *version,
                       const struct ferry_image_digest_kind *digest, const struct key *key,
                       const struct cli_buffer *tlvs)
{
    if (claims->has_counter) {
        put_counter(area, claims->counter);
    }
    if (claims->role != NULL) {
        put_boot_record(area, claims, version, digest, key);
    }
    for (size_t i = 0; i < claims->dependency_count; i++) {
        put_dependency(area, &claims->dependencies[i]);
    }
    put(area, tlvs->data, tlvs->len);
    if (claims->has_vendor) {
        put_tlv(area, FERRY_TLV_UUID_VID, claims->vendor, UUID_SIZE);
    }
    if (claims->has_class) {
        put_tlv(area, FERRY_TLV_UUID_CID, claims->class_id, UUID_SIZE);
    }
    put_custom(area, claims, false);
    put_custom(area, claims, true);
}

int image_claims_write(const struct image_claims *claims, const struct ferry_version *version,
                       const struct ferry_image_digest_kind *digest, const struct key *key,
                       const struct cli_buffer *tlvs, struct cli_buffer *out)
{
    *out = (struct cli_buffer){0};
    struct area area = {malloc(AREA_MAX), 0, claims->big_endian};
    if (area.bytes == NULL) {
        return FERRY_E_SPACE;
    }
    uint8_t info[4] = {0};
    put(&area, info, sizeof info);
    put_claims(&area, claims, version, digest, key, tlvs);
    if (area.len > AREA_MAX) {
        free(area.bytes);
        return FERRY_E_TOO_LARGE;
    }
    image_store16(area.bytes, claims->big_endian, FERRY_TLV_PROTECTED_MAGIC);
    image_store16(area.bytes + 2, claims->big_endian, (uint16_t)area.len);
    *out = (struct cli_buffer){area.bytes, area.len > sizeof info ? area.len : 0};
    return FERRY_OK;
}

void image_claims_free(struct image_claims *claims)
{
    for (size_t i = 0; i < claims->custom_count; i++) {
        cli_buffer_free(&claims->custom[i].value);
    }
    claims->custom_count = 0;
}
