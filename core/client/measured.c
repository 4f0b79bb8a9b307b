/* SPDX-License-Identifier: Apache-2.0 */
/* Reading the answer to Ferry's own query "measured" (docs/SERVER.md). */
#include "ferry/cbor.h"
#include "ferry/commands.h"

#include <string.h>

enum key { MODE, SIGNATURE, RECOVERY, SLOT, VERSION, MAX, COUNTER, RECORD, DEMANDED, LEAST, KEYS };

static void take_text(const struct ferry_cbor_field *field, char out[FERRY_VERSION_TEXT_MAX])
{
    size_t len = field->present ? field->item.bytes.len : 0;

    len = len < FERRY_VERSION_TEXT_MAX ? len : FERRY_VERSION_TEXT_MAX - 1;
    if (len > 0) {
        memcpy(out, field->item.bytes.data, len);
    }
    out[len] = '\0';
}

static int64_t take_number(const struct ferry_cbor_field *field)
{
    return field->present && field->item.value <= UINT32_MAX ? (int64_t)field->item.value : -1;
}

int ferry_answer_measured(struct ferry_bytes payload, struct ferry_measured *measured)
{
    struct ferry_cbor_field fields[KEYS] = {
        [MODE] = {.key = "mode", .kind = FERRY_CBOR_UINT},
        [SIGNATURE] = {.key = "signature", .kind = FERRY_CBOR_UINT},
        [RECOVERY] = {.key = "recovery", .kind = FERRY_CBOR_UINT},
        [SLOT] = {.key = "slot", .kind = FERRY_CBOR_UINT},
        [VERSION] = {.key = "version", .kind = FERRY_CBOR_TEXT},
        [MAX] = {.key = "max", .kind = FERRY_CBOR_UINT},
        [COUNTER] = {.key = "counter", .kind = FERRY_CBOR_UINT},
        [RECORD] = {.key = "record", .kind = FERRY_CBOR_BYTES},
        [DEMANDED] = {.key = "demanded", .kind = FERRY_CBOR_UINT},
        [LEAST] = {.key = "least", .kind = FERRY_CBOR_TEXT},
    };
    int rc = ferry_cbor_read_map(payload, fields, KEYS);

    if (rc != FERRY_OK || !fields[MODE].present) {
        return rc != FERRY_OK ? rc : FERRY_E_NOT_FOUND;
    }
    memset(measured, 0, sizeof *measured);
    measured->mode = take_number(&fields[MODE]);
    measured->signature = take_number(&fields[SIGNATURE]);
    measured->recovery = take_number(&fields[RECOVERY]);
    measured->slot = take_number(&fields[SLOT]);
    measured->max_image = take_number(&fields[MAX]);
    measured->counter = take_number(&fields[COUNTER]);
    measured->demanded = take_number(&fields[DEMANDED]);
    take_text(&fields[VERSION], measured->version);
    take_text(&fields[LEAST], measured->least);
    if (fields[RECORD].present) {
        measured->record = fields[RECORD].item.bytes;
    }
    return FERRY_OK;
}
