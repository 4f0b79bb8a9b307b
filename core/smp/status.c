/* SPDX-License-Identifier: Apache-2.0 */
/* Success or failure of an answer, in the three forms of smp.md §1.6. The keys decide, not
 * the version bits: MCUboot answers version 2 requests with the errors of version 1. */
#include "ferry/cbor.h"
#include "ferry/smp.h"

/* What "err" holds. */
struct group_error {
    bool has_group;
    bool has_rc;
    int64_t group;
    int64_t rc;
};

/* One pair of "err". Keys other than ours may hold anything. */
static int read_pair(struct ferry_cbor_reader *in, struct group_error *error)
{
    struct ferry_cbor_item key;
    struct ferry_cbor_item value;
    int rc = ferry_cbor_read(in, &key);

    if (rc == FERRY_OK) {
        rc = ferry_cbor_read(in, &value);
    }
    if (rc != FERRY_OK) {
        return rc;
    }
    if (ferry_cbor_is_text(&key, "group")) {
        error->has_group = true;
        return ferry_cbor_to_int(&value, &error->group);
    }
    if (ferry_cbor_is_text(&key, "rc")) {
        error->has_rc = true;
        return ferry_cbor_to_int(&value, &error->rc);
    }
    return FERRY_OK;
}

static int read_group_error(const struct ferry_cbor_item *map, struct group_error *error)
{
    struct ferry_cbor_reader in = ferry_cbor_enter(map);

    while (!ferry_cbor_at_end(&in)) {
        int rc = read_pair(&in, error);

        if (rc != FERRY_OK) {
            return rc;
        }
    }
    if (!error->has_group || !error->has_rc) {
        return FERRY_E_FORMAT;
    }
    return error->group >= 0 && error->group <= UINT16_MAX ? FERRY_OK : FERRY_E_RANGE;
}

/* A reason of another kind is passed over: it must not hide the code beside it. */
static struct ferry_bytes take_reason(const struct ferry_cbor_field *field)
{
    if (!field->present || field->item.kind != FERRY_CBOR_TEXT || field->item.chunked) {
        return (struct ferry_bytes){NULL, 0};
    }
    return field->item.bytes;
}

int ferry_smp_status_read(struct ferry_bytes payload, struct ferry_smp_status *status)
{
    enum { ERR, RC, RSN, COUNT };
    struct ferry_cbor_field fields[COUNT] = {
        [ERR] = {.key = "err", .kind = FERRY_CBOR_MAP},
        [RC] = {.key = "rc", .kind = FERRY_CBOR_NEGATIVE},
        [RSN] = {.key = "rsn", .kind = FERRY_CBOR_ANY},
    };
    struct ferry_smp_status found = {.grouped = false};
    struct group_error error = {.has_group = false};
    int rc = ferry_cbor_read_map(payload, fields, COUNT);

    if (rc == FERRY_OK && fields[RC].present) {
        rc = ferry_cbor_to_int(&fields[RC].item, &found.rc);
    }
    if (rc == FERRY_OK && fields[ERR].present) {
        rc = read_group_error(&fields[ERR].item, &error);
    }
    if (rc != FERRY_OK) {
        return rc;
    }
    /* An "err" with code 0 is never sent; if it were, it must not cover an "rc" beside it. */
    if (error.rc != 0) {
        found.grouped = true;
        found.group = (uint16_t)error.group;
        found.rc = error.rc;
    }
    found.reason = take_reason(&fields[RSN]);
    *status = found;
    return FERRY_OK;
}
