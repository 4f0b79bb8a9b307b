/* SPDX-License-Identifier: Apache-2.0 */
/* The area of measured boot: writing and reading entries. [mcuboot-format.md §2.8] */
#include "ferry/shared_data.h"

#include <string.h>

#define ENTRY_HEAD 4
#define MAJOR_MAX  0xfU
#define MINOR_MAX  0xfffU

static uint16_t type_of(uint32_t major, uint32_t minor)
{
    return (uint16_t)(major << 12 | minor);
}

/* ---- Writing ------------------------------------------------------------------------------- */

static void write_head(const struct ferry_shared_data *shared)
{
    ferry_store_le16(shared->area, FERRY_SHARED_MAGIC);
    ferry_store_le16(shared->area + 2, (uint16_t)shared->len);
}

int ferry_shared_data_begin(struct ferry_shared_data *shared, uint8_t *area, size_t cap)
{
    *shared = (struct ferry_shared_data){area, cap < UINT16_MAX ? cap : UINT16_MAX, 0};
    if (cap < FERRY_SHARED_HEADER) {
        return FERRY_E_FULL;
    }
    memset(area, 0, cap);
    shared->len = FERRY_SHARED_HEADER;
    write_head(shared);
    return FERRY_OK;
}

int ferry_shared_data_add(struct ferry_shared_data *shared, uint32_t major, uint32_t minor,
                          const void *data, uint16_t len)
{
    struct ferry_bytes there;
    if (major > MAJOR_MAX || minor > MINOR_MAX) {
        return FERRY_E_RANGE;
    }
    if (ferry_shared_data_find(shared->area, shared->cap, major, minor, &there) == FERRY_OK) {
        return FERRY_E_STATE;
    }
    if (shared->cap - shared->len < ENTRY_HEAD || len > shared->cap - shared->len - ENTRY_HEAD) {
        return FERRY_E_FULL;
    }
    uint8_t *entry = shared->area + shared->len;
    ferry_store_le16(entry, type_of(major, minor));
    ferry_store_le16(entry + 2, len);
    memcpy(entry + ENTRY_HEAD, data, len);
    shared->len += ENTRY_HEAD + (size_t)len;
    write_head(shared);
    return FERRY_OK;
}

/* ---- Reading ------------------------------------------------------------------------------- */

int ferry_shared_data_find(const uint8_t *area, size_t cap, uint32_t major, uint32_t minor,
                           struct ferry_bytes *found)
{
    if (cap < FERRY_SHARED_HEADER || ferry_load_le16(area) != FERRY_SHARED_MAGIC) {
        return FERRY_E_MAGIC;
    }
    size_t total = ferry_load_le16(area + 2);
    if (total < FERRY_SHARED_HEADER || total > cap) {
        return FERRY_E_FORMAT;
    }
    for (size_t at = FERRY_SHARED_HEADER; at < total;) {
        if (total - at < ENTRY_HEAD) {
            return FERRY_E_FORMAT;
        }
        size_t len = ferry_load_le16(area + at + 2);
        if (len > total - at - ENTRY_HEAD) {
            return FERRY_E_FORMAT;
        }
        if (ferry_load_le16(area + at) == type_of(major, minor)) {
            *found = (struct ferry_bytes){area + at + ENTRY_HEAD, len};
            return FERRY_OK;
        }
        at += ENTRY_HEAD + len;
    }
    return FERRY_E_NOT_FOUND;
}

/* The data of a BLINFO entry of a length. */
static int find_info(const uint8_t *area, size_t cap, uint32_t minor, size_t len,
                     struct ferry_bytes *found)
{
    int rc = ferry_shared_data_find(area, cap, FERRY_SHARED_BLINFO, minor, found);
    return rc == FERRY_OK && found->len != len ? FERRY_E_FORMAT : rc;
}

int ferry_shared_data_u8(const uint8_t *area, size_t cap, uint32_t minor, uint8_t *value)
{
    struct ferry_bytes found;
    int rc = find_info(area, cap, minor, 1, &found);
    if (rc == FERRY_OK) {
        *value = found.data[0];
    }
    return rc;
}

int ferry_shared_data_u32(const uint8_t *area, size_t cap, uint32_t minor, uint32_t *value)
{
    struct ferry_bytes found;
    int rc = find_info(area, cap, minor, 4, &found);
    if (rc == FERRY_OK) {
        *value = ferry_load_le32(found.data);
    }
    return rc;
}
