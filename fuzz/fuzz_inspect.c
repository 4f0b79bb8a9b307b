/* SPDX-License-Identifier: Apache-2.0 */
/* What the image tool says of bytes that may be anything. Asserted:
 * 1. An entry of the tolerant scan lies in the bytes, and each stands behind the one before.
 * 2. Of an image whose structure is good the scan finds what the strict walk finds.
 * 3. Words for a TLV, and for what is wrong, are printable and end; what is wrong is never unsaid.
 * 4. What imgtool's dumpinfo would say is JSON, and can be written as YAML and text. */
#include "cli/image/dumpinfo.h"
#include "cli/image/inspect_damage.h"
#include "cli/image/tlv_scan.h"
#include "cli/image/tlv_words.h"

#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check(bool holds)
{
    if (!holds) {
        abort();
    }
}

static void check_words(const char *text, size_t cap)
{
    size_t len = strnlen(text, cap);
    check(len < cap);
    for (size_t i = 0; i < len; i++) {
        check((unsigned char)text[i] >= ' ');
    }
}

static void check_scan(const uint8_t *data, size_t size, const struct ferry_image_header *header,
                       struct ferry_tlv_walk *walk)
{
    struct tlv_scan scan;
    struct ferry_tlv tlv;
    struct ferry_tlv same;
    uint32_t behind = 0;
    tlv_scan_begin(&scan, data, size, header);
    while (tlv_scan_next(&scan, &tlv)) {
        char words[TLV_WORDS_MAX];
        check(tlv.offset >= behind && ferry_inside(tlv.offset, tlv.len, (uint32_t)size));
        behind = tlv.offset + tlv.len;
        if (walk != NULL) {
            check(ferry_tlv_walk_next(walk, &same) == 1 && same.offset == tlv.offset &&
                  same.type == tlv.type && same.len == tlv.len && same.area == tlv.area);
        }
        /* Alone on the heap, so that a read behind it is seen. */
        uint8_t *copy = malloc(tlv.len);
        if (copy != NULL) {
            memcpy(copy, data + tlv.offset, tlv.len);
            tlv_words(&tlv, copy, words);
            check_words(words, sizeof words);
        }
        free(copy);
    }
    check(walk == NULL || ferry_tlv_walk_next(walk, &same) == 0);
}

static void check_dumpinfo(const struct image_file *file)
{
    bool trailer;
    cJSON *info = dumpinfo_read(file, "a: file", &trailer);
    for (int format = DUMPINFO_HUMAN; info != NULL && format <= DUMPINFO_JSON; format++) {
        char *text = NULL;
        size_t len = 0;
        FILE *out = open_memstream(&text, &len);
        if (out == NULL) {
            break;
        }
        dumpinfo_write(info, (enum dumpinfo_format)format, out);
        check(fclose(out) == 0);
        cJSON *read = format == DUMPINFO_JSON ? cJSON_Parse(text) : NULL;
        check(format != DUMPINFO_JSON || read != NULL);
        cJSON_Delete(read);
        free(text);
    }
    cJSON_Delete(info);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct image_file file = {0};
    struct ferry_tlv_walk walk;
    char text[INSPECT_DAMAGE_MAX];
    int error = FERRY_E_MAGIC;
    if (size > 65536) {
        return 0;
    }
    if (size >= FERRY_IMAGE_HEADER_SIZE) {
        check(ferry_flash_rom_init(&file.rom, data, (uint32_t)size) == FERRY_OK);
        error = ferry_image_inspect(&file.rom.flash, &file.info);
    }
    if (error != FERRY_OK) {
        inspect_damage(data, size, error, text);
        check_words(text, sizeof text);
        check(text[0] != '\0');
    }
    if (error == FERRY_E_MAGIC) {
        return 0;
    }
    bool whole = error == FERRY_OK &&
                 ferry_tlv_walk_begin(&walk, &file.rom.flash, &file.info.header) == FERRY_OK;
    check_scan(data, size, &file.info.header, whole ? &walk : NULL);
    /* dumpinfo is given what has a header and areas that fit it. */
    if (error != FERRY_E_IMAGE_SIZE) {
        file.bytes = (struct cli_buffer){malloc(size), size};
        if (file.bytes.data != NULL) {
            memcpy(file.bytes.data, data, size);
            check_dumpinfo(&file);
        }
        free(file.bytes.data);
    }
    return 0;
}
