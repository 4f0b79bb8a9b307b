/* SPDX-License-Identifier: Apache-2.0 */
#include "inspect.h"
#include "tlv_scan.h"
#include "tlv_words.h"

/* Bytes of a TLV that are shown. */
#define SHOWN 512

static cJSON *describe(const struct ferry_tlv *tlv, const uint8_t *data)
{
    char hex[2 * SHOWN + 1];
    char words[TLV_WORDS_MAX];
    cJSON *row = cJSON_CreateObject();
    cli_hex(data, tlv->len > SHOWN ? SHOWN : tlv->len, hex);
    tlv_words(tlv, data, words);
    cJSON_AddStringToObject(row, "name", ferry_tlv_name(tlv->type));
    cJSON_AddNumberToObject(row, "type", tlv->type);
    cJSON_AddStringToObject(row, "area",
                            tlv->area == FERRY_TLV_PROTECTED ? "protected" : "unprotected");
    cJSON_AddNumberToObject(row, "len", tlv->len);
    cJSON_AddStringToObject(row, "data", hex);
    if (words[0] != '\0') {
        cJSON_AddStringToObject(row, "means", words);
    }
    return row;
}

void inspect_tlvs(cJSON *object, const struct image_file *file)
{
    const uint8_t *image = file->bytes.data + file->offset;
    struct tlv_scan scan;
    struct ferry_tlv tlv;
    cJSON *list = cJSON_AddArrayToObject(object, "tlvs");
    tlv_scan_begin(&scan, image, file->bytes.len - file->offset, &file->info.header);
    while (tlv_scan_next(&scan, &tlv)) {
        cJSON_AddItemToArray(list, describe(&tlv, image + tlv.offset));
    }
}
