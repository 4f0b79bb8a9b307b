/* SPDX-License-Identifier: Apache-2.0 */
#include "compress.h"

#include "ferry/image.h"

#include <lzma.h>
#include <stdlib.h>

/* What imgtool packs with. */
enum { PRESET = 9, DICTIONARY = 128 * 1024, LC = 3, LP = 1, PB = 2 };

/* The second byte of the properties, and what it may be. [the .lzma format] */
#define PROPERTIES(lc, lp, pb) (((pb)*5 + (lp)) * 9 + (lc))
#define PROPERTIES_MAX         PROPERTIES(8, 4, 4)

/* The first byte: 2 or 3 times a power of two, from 4 KiB on; the last but one is 3 GiB. */
#define DICTIONARY_CODE_MAX 40

static uint64_t dictionary_size(uint8_t code)
{
    return (uint64_t)(2 | (code & 1)) << (code / 2 + 11);
}

uint32_t compression_flags(enum compression compression)
{
    switch (compression) {
    case COMPRESSION_LZMA2:
        return FERRY_IMAGE_LZMA2;
    case COMPRESSION_LZMA2_ARM_THUMB:
        return FERRY_IMAGE_LZMA2 | FERRY_IMAGE_ARM_THUMB;
    case COMPRESSION_NONE:
        break;
    }
    return 0;
}

const char *compression_words(uint32_t flags)
{
    switch (flags & FERRY_IMAGE_COMPRESSED) {
    case 0:
        return "none";
    case FERRY_IMAGE_LZMA1:
        return "LZMA1";
    case FERRY_IMAGE_LZMA2:
        return "LZMA2";
    case FERRY_IMAGE_LZMA2 | FERRY_IMAGE_ARM_THUMB:
        return "LZMA2 (ARM Thumb filter)";
    default:
        return "an unknown scheme";
    }
}

/* The filters of a stream. options is borrowed. */
static void set_chain(lzma_filter chain[3], bool arm_thumb, lzma_options_lzma *options)
{
    size_t n = 0;
    if (arm_thumb) {
        chain[n++] = (lzma_filter){.id = LZMA_FILTER_ARMTHUMB};
    }
    chain[n++] = (lzma_filter){.id = LZMA_FILTER_LZMA2, .options = options};
    chain[n] = (lzma_filter){.id = LZMA_VLI_UNKNOWN};
}

int compress_pack(enum compression compression, const struct cli_buffer *payload,
                  struct cli_buffer *out)
{
    lzma_options_lzma options;
    lzma_filter chain[3];
    size_t cap = COMPRESS_PROPERTIES + lzma_block_buffer_bound(payload->len);
    uint8_t code = 0;

    *out = (struct cli_buffer){malloc(cap), COMPRESS_PROPERTIES};
    if (out->data == NULL || lzma_lzma_preset(&options, PRESET)) {
        cli_buffer_free(out);
        return FERRY_E_SPACE;
    }
    options.dict_size = DICTIONARY;
    options.lc = LC;
    options.lp = LP;
    options.pb = PB;
    set_chain(chain, compression == COMPRESSION_LZMA2_ARM_THUMB, &options);
    if (lzma_raw_buffer_encode(chain, NULL, payload->data, payload->len, out->data, &out->len,
                               cap) != LZMA_OK) {
        cli_buffer_free(out);
        return FERRY_E_SPACE;
    }
    while (dictionary_size(code) < DICTIONARY) {
        code++;
    }
    out->data[0] = code;
    out->data[1] = PROPERTIES(LC, LP, PB);
    return FERRY_OK;
}

static int error_of(lzma_ret rc)
{
    switch (rc) {
    case LZMA_OK:
        return FERRY_OK;
    case LZMA_MEM_ERROR:
        return FERRY_E_SPACE;
    case LZMA_BUF_ERROR:
        return FERRY_E_TOO_LARGE;
    default:
        return FERRY_E_FORMAT;
    }
}

int compress_unpack(uint32_t flags, const struct cli_buffer *packed, size_t size, uint8_t *out)
{
    lzma_options_lzma options = {0};
    lzma_filter chain[3];
    size_t in_at = COMPRESS_PROPERTIES;
    size_t out_at = 0;
    uint32_t filter = flags & FERRY_IMAGE_ARM_THUMB;

    if ((flags & FERRY_IMAGE_COMPRESSED & ~filter) != FERRY_IMAGE_LZMA2) {
        return FERRY_E_UNSUPPORTED;
    }
    if (packed->len < COMPRESS_PROPERTIES || packed->data[0] > DICTIONARY_CODE_MAX ||
        packed->data[1] > PROPERTIES_MAX) {
        return FERRY_E_RANGE;
    }
    /* What lies further back than the whole of it is never asked for. */
    uint64_t dictionary = dictionary_size(packed->data[0]);
    options.dict_size =
        dictionary > size ? ferry_max32((uint32_t)size, LZMA_DICT_SIZE_MIN) : (uint32_t)dictionary;
    set_chain(chain, filter != 0, &options);
    int error = error_of(lzma_raw_buffer_decode(chain, NULL, packed->data, &in_at, packed->len, out,
                                                &out_at, size + 1));
    if (error == FERRY_OK && out_at != size) {
        error = out_at > size ? FERRY_E_TOO_LARGE : FERRY_E_SHORT;
    }
    return error == FERRY_OK && in_at != packed->len ? FERRY_E_BOUNDS : error;
}
