/* SPDX-License-Identifier: Apache-2.0 */
#include "inspect_damage.h"

#include "tlv_scan.h"

#include <inttypes.h>
#include <stdio.h>

#define SAY(text, ...) ((void)snprintf(text, INSPECT_DAMAGE_MAX, __VA_ARGS__))

/* How many bytes from the beginning on have this value. */
static size_t count_equal(const uint8_t *bytes, size_t len, uint8_t value)
{
    size_t n = 0;
    while (n < len && bytes[n] == value) {
        n++;
    }
    return n;
}

/* Files of other kinds that are given for an image. */
static const char *name_kind(uint32_t first)
{
    switch (first) {
    case 0x464c457fU:
        return "an ELF file, which is no image until it is signed (ferry sign)";
    case 0x04034b50U:
        return "a ZIP archive, which may be a bundle (ferry bundle list)";
    default:
        return NULL;
    }
}

/* Where an image should begin there is none. */
static void say_no_image(const uint8_t *bytes, size_t len, char *text)
{
    if (len == 0) {
        SAY(text, "it is empty");
        return;
    }
    size_t same = count_equal(bytes, len, bytes[0]);
    uint32_t magic = len >= 4 ? ferry_load_le32(bytes) : 0;
    if (same == len && (bytes[0] == 0xff || bytes[0] == 0)) {
        SAY(text, "erased: all %zu bytes are 0x%02x", len, bytes[0]);
    } else if (same >= FERRY_IMAGE_HEADER_SIZE && (bytes[0] == 0xff || bytes[0] == 0)) {
        SAY(text, "no image: %zu bytes of 0x%02x at its beginning", same, bytes[0]);
    } else if (name_kind(magic) != NULL) {
        SAY(text, "%s", name_kind(magic));
    } else if (magic == INSPECT_LEGACY_MAGIC) {
        SAY(text, "an image of the legacy format (magic 0x%08x), which MCUboot no longer boots",
            INSPECT_LEGACY_MAGIC);
    } else if (len < FERRY_IMAGE_HEADER_SIZE) {
        SAY(text, "truncated: a header has %d bytes, there are %zu", FERRY_IMAGE_HEADER_SIZE, len);
    } else {
        SAY(text, "no image: the magic is 0x%08" PRIx32 ", not 0x%08x", magic, FERRY_IMAGE_MAGIC);
    }
}

/* The sizes of the header do not go together, or not with what there is. */
static void say_sizes(const struct ferry_image_header *header, size_t len, char *text)
{
    uint64_t said = (uint64_t)header->header_size + header->payload_size + header->protected_size;
    if (header->header_size < FERRY_IMAGE_HEADER_SIZE) {
        SAY(text, "the header says of itself that it has %u bytes, and needs %d",
            header->header_size, FERRY_IMAGE_HEADER_SIZE);
    } else if (said > UINT32_MAX) {
        SAY(text, "the header says %" PRIu64 " bytes, more than there can be", said);
    } else {
        SAY(text, "truncated: the header says %" PRIu64 " bytes without TLVs, there are %zu", said,
            len);
    }
}

/* Whether the beginning of an area is wrong; then it was said. */
static bool say_area(const uint8_t *bytes, size_t len, const struct ferry_image_header *header,
                     enum ferry_tlv_area which, char *text)
{
    bool protected = which == FERRY_TLV_PROTECTED;
    uint16_t magic = protected ? FERRY_TLV_PROTECTED_MAGIC : FERRY_TLV_MAGIC;
    struct tlv_scan_area area;
    tlv_scan_area(bytes, len, header, which, &area);
    if (!area.there) {
        SAY(text, "truncated: the header says %" PRIu64 " bytes without TLVs, there are %zu",
            area.offset, len);
    } else if (area.magic != magic) {
        SAY(text, "no %sTLV area at offset %" PRIu64 ": the magic is 0x%04x, not 0x%04x",
            protected ? "protected " : "", area.offset, area.magic, magic);
    } else if (protected && area.total != header->protected_size) {
        SAY(text, "the protected TLV area says %u bytes, the header says %u of it", area.total,
            header->protected_size);
    } else if (area.total > len - area.offset) {
        SAY(text, "truncated: header and TLVs say %" PRIu64 " bytes, there are %zu",
            area.offset + area.total, len);
    } else {
        return false;
    }
    return true;
}

/* An entry of the TLV areas that the walk refuses. */
static void say_entry(const uint8_t *bytes, size_t len, const struct ferry_image_header *header,
                      int error, char *text)
{
    struct ferry_flash_ram rom;
    struct ferry_tlv_walk walk;
    struct ferry_tlv tlv = {0};
    int rc = ferry_flash_rom_init(&rom, bytes, (uint32_t)len);
    if (rc == FERRY_OK) {
        rc = ferry_tlv_walk_begin(&walk, &rom.flash, header);
    }
    for (rc = rc == FERRY_OK ? 1 : rc; rc == 1;) {
        rc = ferry_tlv_walk_next(&walk, &tlv);
    }
    if (rc == error) {
        SAY(text, "%s: %s, type 0x%02x with %u bytes", ferry_error_text(error),
            ferry_tlv_name(tlv.type), tlv.type, tlv.len);
    } else {
        SAY(text, "%s", ferry_error_text(error));
    }
}

void inspect_damage(const uint8_t *bytes, size_t len, int error, char text[INSPECT_DAMAGE_MAX])
{
    struct ferry_image_header header = {0};
    if (error == FERRY_E_MAGIC || len < FERRY_IMAGE_HEADER_SIZE) {
        say_no_image(bytes, len, text);
        return;
    }
    int parsed = ferry_image_header_parse(bytes, &header);
    if (error == FERRY_E_IMAGE_SIZE) {
        say_sizes(&header, len, text);
    } else if (error == FERRY_E_UNSUPPORTED && parsed != FERRY_OK) {
        SAY(text, "flags that exclude each other: 0x%08" PRIx32, header.flags);
    } else if (parsed != FERRY_OK) {
        SAY(text, "%s", ferry_error_text(error));
    } else if (error != FERRY_E_TLV ||
               ((header.protected_size == 0 ||
                 !say_area(bytes, len, &header, FERRY_TLV_PROTECTED, text)) &&
                !say_area(bytes, len, &header, FERRY_TLV_UNPROTECTED, text))) {
        say_entry(bytes, len, &header, error, text);
    }
}
