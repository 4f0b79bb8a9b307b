/* SPDX-License-Identifier: Apache-2.0 */
/* Fuzz target: a packet, as a datagram brings it, becomes headers, payloads and answers.
 *
 * Whatever the bytes are:
 *   1. Packets inside a packet, payloads, CBOR items and the reason of an answer lie inside the
 *      bytes they were read from; reading back to back makes progress and ends.
 *   2. A header read and written again is the same but for its three reserved bits.
 *   3. What ferry_smp_status_read() understands, ferry_cbor_read_map() does too. */
#include "check.h"

#include "ferry/cbor.h"
#include "ferry/smp.h"

#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static bool is_inside(struct ferry_bytes inner, struct ferry_bytes outer)
{
    if (inner.len == 0) {
        return true;
    }
    return inner.data >= outer.data && inner.len <= outer.len &&
           (size_t)(inner.data - outer.data) <= outer.len - inner.len;
}

static bool has_bytes(const struct ferry_cbor_item *item)
{
    return item->kind >= FERRY_CBOR_BYTES && item->kind <= FERRY_CBOR_MAP;
}

static void check_items(struct ferry_bytes payload)
{
    struct ferry_cbor_reader reader;
    struct ferry_cbor_item item;

    ferry_cbor_reader_init(&reader, payload);
    while (!ferry_cbor_at_end(&reader)) {
        const uint8_t *before = reader.next;

        if (ferry_cbor_read(&reader, &item) != FERRY_OK) {
            return;
        }
        CHECK(reader.next > before && reader.next <= reader.end);
        CHECK(!has_bytes(&item) || is_inside(item.bytes, payload));
    }
}

static void check_fields(struct ferry_bytes payload)
{
    struct ferry_cbor_field fields[] = {
        {.key = "off", .kind = FERRY_CBOR_UINT},
        {.key = "data", .kind = FERRY_CBOR_BYTES},
        {.key = "images", .kind = FERRY_CBOR_LIST},
        {.key = "d", .kind = FERRY_CBOR_ANY},
    };
    size_t count = sizeof fields / sizeof fields[0];

    if (ferry_cbor_read_map(payload, fields, count) != FERRY_OK) {
        return;
    }
    for (size_t i = 0; i < count; i++) {
        CHECK(!fields[i].present || !has_bytes(&fields[i].item) ||
              is_inside(fields[i].item.bytes, payload));
    }
}

static void check_status(struct ferry_bytes payload)
{
    struct ferry_smp_status status;

    if (ferry_smp_status_read(payload, &status) != FERRY_OK) {
        return;
    }
    CHECK(is_inside(status.reason, payload));
    CHECK(!status.grouped || status.rc != 0);
    CHECK(ferry_cbor_read_map(payload, NULL, 0) == FERRY_OK);
    CHECK(ferry_smp_rc_words(status.rc).name[0] != '\0');
    CHECK(ferry_smp_group_words(status.group, status.rc).name[0] != '\0');
}

static void check_header(const struct ferry_smp_header *header, const uint8_t *bytes)
{
    uint8_t written[FERRY_SMP_HEADER_SIZE];

    ferry_smp_header_write(header, written);
    CHECK(written[0] == (bytes[0] & 0x1f));
    CHECK(memcmp(written + 1, bytes + 1, sizeof written - 1) == 0);
}

/* Everything inside one packet of a wire: requests may stand back to back in it. */
static void check_smp(struct ferry_bytes packet)
{
    struct ferry_bytes rest = packet;
    struct ferry_bytes payload;
    struct ferry_smp_header header;

    for (;;) {
        struct ferry_bytes before = rest;

        if (ferry_smp_packet_read(before, &header, &payload, &rest) != FERRY_OK) {
            return;
        }
        CHECK(is_inside(payload, before) && is_inside(rest, before));
        CHECK(before.len == FERRY_SMP_HEADER_SIZE + payload.len + rest.len);
        CHECK(payload.len == header.length);
        check_header(&header, before.data);
        check_items(payload);
        check_fields(payload);
        check_status(payload);
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    check_smp((struct ferry_bytes){data, size});
    return 0;
}
