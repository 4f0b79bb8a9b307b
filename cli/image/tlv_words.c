/* SPDX-License-Identifier: Apache-2.0 */
#include "tlv_words.h"

#include "ferry/cbor.h"

#include <ctype.h>
#include <string.h>

static void say_counter(const uint8_t *data, char *out)
{
    snprintf(out, TLV_WORDS_MAX, "security counter %u", (unsigned)ferry_load_le32(data));
}

static void say_dependency(const uint8_t *data, char *out)
{
    const struct ferry_version least = {data[4], data[5], ferry_load_le16(data + 6),
                                        ferry_load_le32(data + 8)};
    char version[FERRY_VERSION_TEXT_MAX];
    ferry_version_text(&least, version);
    snprintf(out, TLV_WORDS_MAX, "image %u must be %s or later", data[0], version);
}

static void say_uuid(const uint8_t *data, char *out)
{
    static const uint8_t parts[] = {4, 2, 2, 2, 6};
    size_t len = 0;
    for (size_t i = 0; i < sizeof parts; data += parts[i], i++) {
        if (i > 0) {
            out[len++] = '-';
        }
        cli_hex(data, parts[i], out + len);
        len += 2U * parts[i];
    }
}

/* It is shown in a line of a table. */
static void make_one_line(char *text)
{
    cli_printable(text);
    for (; *text != '\0'; text++) {
        *text = *text == '\n' || *text == '\t' ? '.' : *text;
    }
}

/* The text under a number in a boot record, as far as it fits; "" when it is not there. */
static void find_text(const struct ferry_cbor_item *map, uint64_t wanted, char *text, size_t cap)
{
    struct ferry_cbor_reader r = ferry_cbor_enter(map);
    struct ferry_cbor_item key;
    struct ferry_cbor_item value;
    text[0] = '\0';
    while (!ferry_cbor_at_end(&r) && ferry_cbor_read(&r, &key) == FERRY_OK &&
           ferry_cbor_read(&r, &value) == FERRY_OK) {
        if (key.kind == FERRY_CBOR_UINT && key.value == wanted && value.kind == FERRY_CBOR_TEXT) {
            int len = ferry_cbor_copy(&value, (uint8_t *)text, cap - 1);
            text[len > 0 ? len : 0] = '\0';
            make_one_line(text);
            return;
        }
    }
}

static void say_boot_record(const uint8_t *data, size_t len, char *out)
{
    struct ferry_cbor_reader r;
    struct ferry_cbor_item map;
    char role[32];
    char version[32];
    ferry_cbor_reader_init(&r, (struct ferry_bytes){data, len});
    if (ferry_cbor_read(&r, &map) != FERRY_OK || map.kind != FERRY_CBOR_MAP) {
        return;
    }
    find_text(&map, 1, role, sizeof role);
    find_text(&map, 4, version, sizeof version);
    snprintf(out, TLV_WORDS_MAX, "measured as %s %s", role, version);
}

/* A vendor's value that is text. */
static void say_text(const uint8_t *data, size_t len, char *out)
{
    if (len == 0 || len > TLV_WORDS_MAX - 3) {
        return;
    }
    for (size_t i = 0; i < len; i++) {
        if (data[i] > 0x7e || !isprint(data[i])) {
            return;
        }
    }
    snprintf(out, TLV_WORDS_MAX, "\"%.*s\"", (int)len, (const char *)data);
}

/* Whether it has as many bytes as its type says: who shows damaged images has others, too. */
static bool has_its_length(const struct ferry_tlv *tlv)
{
    switch (tlv->type) {
#define TLV_LENGTH(name, type, area, shortest, longest)                                            \
    case type:                                                                                     \
        return tlv->len >= (shortest) && tlv->len <= (longest);
        FERRY_TLVS(TLV_LENGTH)
#undef TLV_LENGTH
    default:
        return true;
    }
}

void tlv_words(const struct ferry_tlv *tlv, const uint8_t *data, char *out)
{
    out[0] = '\0';
    if (!has_its_length(tlv)) {
        return;
    }
    switch (tlv->type) {
    case FERRY_TLV_SEC_CNT:
        say_counter(data, out);
        break;
    case FERRY_TLV_DEPENDENCY:
        say_dependency(data, out);
        break;
    case FERRY_TLV_DECOMP_SIZE:
        snprintf(out, TLV_WORDS_MAX, "the payload unpacks to %u bytes",
                 (unsigned)ferry_load_le32(data));
        break;
    case FERRY_TLV_COMP_DEC_SIZE:
        snprintf(out, TLV_WORDS_MAX, "%u bytes of it are compressed, the rest fills AES blocks",
                 (unsigned)ferry_load_le32(data));
        break;
    case FERRY_TLV_UUID_VID:
    case FERRY_TLV_UUID_CID:
        say_uuid(data, out);
        break;
    case FERRY_TLV_BOOT_RECORD:
        say_boot_record(data, tlv->len, out);
        break;
    case FERRY_TLV_SIG_PURE:
        snprintf(out, TLV_WORDS_MAX, "signed is the image itself, not its digest");
        break;
    default:
        if (tlv->area == FERRY_TLV_PROTECTED && tlv->type >= FERRY_TLV_VENDOR_FIRST) {
            say_text(data, tlv->len, out);
        }
        break;
    }
}
