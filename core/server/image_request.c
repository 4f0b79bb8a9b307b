/* SPDX-License-Identifier: Apache-2.0 */
/* An upload's request: what it says, and the checks in Zephyr's order. The numbers are those of the
 * table in smp.md §3.1. */
#include "core/server/image_group.h"

#include <string.h>

/* ---- Reading ----------------------------------------------------------------- */

/* One key at a time, which takes the stack of one. An upload has few pairs, and its data are
 * stepped over at once. */
static int read_field(const struct ferry_server_call *call, struct ferry_cbor_field *field,
                      const char *key, enum ferry_cbor_kind kind)
{
    field->key = key;
    field->kind = kind;
    return ferry_server_read(call, field, 1);
}

/* A number that is too large for anything here is the largest one. */
static int read_number(const struct ferry_server_call *call, const char *key, uint32_t *number,
                       bool *present)
{
    struct ferry_cbor_field field;
    int rc = read_field(call, &field, key, FERRY_CBOR_UINT);

    *present = rc == FERRY_RC_OK && field.present;
    *number = 0;
    if (*present) {
        *number = field.item.value > UINT32_MAX ? UINT32_MAX : (uint32_t)field.item.value;
    }
    return rc;
}

static int read_bytes(const struct ferry_server_call *call, const char *key,
                      struct ferry_bytes *bytes)
{
    struct ferry_cbor_field field;
    int rc = read_field(call, &field, key, FERRY_CBOR_BYTES);

    *bytes = (struct ferry_bytes){NULL, 0};
    if (rc == FERRY_RC_OK && field.present) {
        *bytes = field.item.bytes;
    }
    return rc;
}

static int read_upgrade(const struct ferry_server_call *call, bool *upgrade)
{
    struct ferry_cbor_field field;
    int rc = read_field(call, &field, "upgrade", FERRY_CBOR_BOOL);

    *upgrade = rc == FERRY_RC_OK && field.present && field.item.value != 0;
    return rc;
}

int ferry_image_read_request(const struct ferry_server_call *call,
                             struct ferry_image_request *request)
{
    bool numbered;
    int rc = read_number(call, "image", &request->number, &numbered);

    request->reason = NULL;
    if (rc == FERRY_RC_OK) {
        rc = read_number(call, "len", &request->len, &request->has_len);
    }
    if (rc == FERRY_RC_OK) {
        rc = read_number(call, "off", &request->offset, &request->has_offset);
    }
    if (rc == FERRY_RC_OK) {
        rc = read_bytes(call, "data", &request->data);
    }
    if (rc == FERRY_RC_OK) {
        rc = read_bytes(call, "sha", &request->sha);
    }
    return rc == FERRY_RC_OK ? read_upgrade(call, &request->upgrade) : rc;
}

/* ---- Checks ------------------------------------------------------------------ */

static int refuse(struct ferry_image_request *request, enum ferry_image_error error,
                  const char *reason)
{
    request->reason = reason;
    return (int)error;
}

/* 7: the client comes back with the file it was sending. */
static bool is_resume(const struct ferry_image_group *group,
                      const struct ferry_image_request *request)
{
    return group->open && request->number == group->number && group->sha_len > 0 &&
           request->sha.len == group->sha_len &&
           memcmp(request->sha.data, group->sha, group->sha_len) == 0;
}

/* 10: an image that runs where it is uploaded must be linked to there. */
static int check_address(const struct ferry_image_group *group, struct ferry_image_request *request)
{
    const uint32_t *addresses = group->config->addresses;
    uint32_t image = request->place.image;
    struct ferry_image_header offered;

    if (addresses == NULL || !group->config->images[image].strategy->in_place ||
        ferry_image_header_parse(request->data.data, &offered) != FERRY_OK ||
        (offered.flags & FERRY_IMAGE_ROM_FIXED) == 0 ||
        offered.load_address == addresses[2 * image + request->place.slot]) {
        return 0;
    }
    return refuse(request, FERRY_IMAGE_ERR_INVALID_ADDRESS, "img addr mismatch");
}

/* 11: "upgrade" wants a version above the active one of the same image. */
static int check_upgrade(const struct ferry_image_group *group, struct ferry_image_request *request,
                         const uint8_t *raw)
{
    struct ferry_image_header offered;
    struct ferry_version active;

    if (!request->upgrade) {
        return 0;
    }
    if (ferry_image_header_parse(raw, &offered) != FERRY_OK) {
        return refuse(request, FERRY_IMAGE_ERR_INVALID_HEADER, "header malformed");
    }
    uint32_t image = request->place.image;

    if (!ferry_image_slot_version(group, image, ferry_image_active(group, image), &active)) {
        return refuse(request, FERRY_IMAGE_ERR_VERSION_GET, NULL);
    }
    if (ferry_version_compare(&offered.version, &active, group->options->build_number) <= 0) {
        return refuse(request, FERRY_IMAGE_ERR_CURRENT_IS_NEWER, "downgrade");
    }
    return 0;
}

/* 8, in an application: the slot that does not run, or the one that is named. */
static int find_slot(const struct ferry_image_group *group, struct ferry_image_request *request)
{
    if (!ferry_image_place_of(group, request->number, &request->place)) {
        return refuse(request, FERRY_IMAGE_ERR_NO_FREE_SLOT, "no slot");
    }
    return ferry_image_check_free(group, &request->place, &request->reason);
}

/* 8, in a bootloader: where it says. A header that cannot be would only be found out at the end. */
static int ask_bootloader(const struct ferry_image_group *group,
                          struct ferry_image_request *request)
{
    const struct ferry_image_bootloader *bootloader = group->config->bootloader;
    struct ferry_image_header header;

    if (ferry_image_header_parse(request->data.data, &header) != FERRY_OK) {
        return refuse(request, FERRY_IMAGE_ERR_INVALID_HEADER, "header malformed");
    }
    bootloader->settle(group->config->context);
    if (!bootloader->place(group->config->context, request->number, &header, &request->place)) {
        return refuse(request, FERRY_IMAGE_ERR_NO_FREE_SLOT, "no slot");
    }
    return 0;
}

/* 8 … 11 and 13: does it fit the slot it goes to? */
static int check_slot(const struct ferry_image_group *group, struct ferry_image_request *request)
{
    int verdict = group->config->bootloader != NULL ? ask_bootloader(group, request)
                                                    : find_slot(group, request);

    if (verdict != 0) {
        return verdict;
    }
    if (request->len > ferry_slots_max_image(&group->config->images[request->place.image])) {
        return refuse(request, FERRY_IMAGE_ERR_TOO_LARGE, "img too large");
    }
    verdict = check_address(group, request);

    if (verdict == 0) {
        verdict = check_upgrade(group, request, request->data.data);
    }
    if (verdict == 0 && request->data.len > request->len) {
        return refuse(request, FERRY_IMAGE_ERR_DATA_OVERRUN, "data overrun");
    }
    return verdict;
}

/* 3 … 11 */
static int inspect_first(const struct ferry_image_group *group, struct ferry_image_request *request)
{
    if (request->data.len < FERRY_IMAGE_HEADER_SIZE) {
        return refuse(request, FERRY_IMAGE_ERR_INVALID_HEADER, "header malformed");
    }
    if (!request->has_len) {
        return refuse(request, FERRY_IMAGE_ERR_INVALID_LENGTH, "header malformed");
    }
    if (ferry_load_le32(request->data.data) != FERRY_IMAGE_MAGIC) {
        return refuse(request, FERRY_IMAGE_ERR_INVALID_MAGIC, "magic mismatch");
    }
    if (request->sha.len > FERRY_SHA256_SIZE) {
        return refuse(request, FERRY_IMAGE_ERR_INVALID_HASH, NULL);
    }
    if (is_resume(group, request)) {
        return FERRY_IMAGE_ANSWER_OFFSET;
    }
    return check_slot(group, request);
}

/* 12, 13 */
static int inspect_next(const struct ferry_image_group *group, struct ferry_image_request *request)
{
    if (request->offset != ferry_image_expected_offset(group)) {
        return FERRY_IMAGE_ANSWER_OFFSET;
    }
    if (request->data.len > group->size - group->offset) {
        return refuse(request, FERRY_IMAGE_ERR_DATA_OVERRUN, "data overrun");
    }
    return 0;
}

uint32_t ferry_image_expected_offset(const struct ferry_image_group *group)
{
    return group->open ? group->offset : 0;
}

int ferry_image_check_request(const struct ferry_image_group *group,
                              struct ferry_image_request *request)
{
    if (!request->has_offset) { /* 2 */
        return refuse(request, FERRY_IMAGE_ERR_INVALID_OFFSET, NULL);
    }
    return request->offset == 0 ? inspect_first(group, request) : inspect_next(group, request);
}
