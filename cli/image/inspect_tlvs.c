/* SPDX-License-Identifier: Apache-2.0 */
#include "inspect.h"
#include "tlv_words.h"

int inspect_tlvs(cJSON *object, const struct image_file *file)
{
    struct ferry_tlv_walk walk;
    struct ferry_tlv tlv;
    cJSON *list = cJSON_AddArrayToObject(object, "tlvs");
    int more = ferry_tlv_walk_begin(&walk, &file->rom.flash, &file->info.header);
    while (more >= 0 && (more = ferry_tlv_walk_next(&walk, &tlv)) == 1) {
        const uint8_t *data = file->bytes.data + file->offset + tlv.offset;
        char hex[2 * 512 + 1];
        char words[TLV_WORDS_MAX];
        size_t shown = tlv.len > 512 ? 512 : tlv.len;
        cJSON *row = cJSON_CreateObject();
        cli_hex(data, shown, hex);
        tlv_words(&tlv, data, words);
        cJSON_AddStringToObject(row, "name", ferry_tlv_name(tlv.type));
        cJSON_AddNumberToObject(row, "type", tlv.type);
        cJSON_AddStringToObject(row, "area",
                                tlv.area == FERRY_TLV_PROTECTED ? "protected" : "unprotected");
        cJSON_AddNumberToObject(row, "len", tlv.len);
        cJSON_AddStringToObject(row, "data", hex);
        if (words[0] != '\0') {
            cJSON_AddStringToObject(row, "means", words);
        }
        cJSON_AddItemToArray(list, row);
    }
    return more;
}
