/* SPDX-License-Identifier: Apache-2.0 */
/* The forms in which servers write their maps. */
#include "foreign_parts.h"

#include <string.h>

struct form {
    uint32_t bits;
    const char *drop; /* this key, outermost */
    uint16_t group;
};

static bool is_flag(const struct ferry_cbor_item *key)
{
    static const char *const flags[] = {"active",    "confirmed", "pending",
                                        "permanent", "bootable",  "splitStatus"};

    for (size_t i = 0; i < sizeof(flags) / sizeof(flags[0]); i++) {
        if (ferry_cbor_is_text(key, flags[i])) {
            return true;
        }
    }
    return false;
}

static bool is_dropped(const struct form *form, const struct ferry_cbor_item *key,
                       const struct ferry_cbor_item *value, int depth)
{
    bool no = value->kind == FERRY_CBOR_BOOL && value->value == 0;

    if (depth == 0 && form->drop != NULL && ferry_cbor_is_text(key, form->drop)) {
        return true;
    }
    return ((form->bits & FOREIGN_NO_HASH) != 0 && ferry_cbor_is_text(key, "hash")) ||
           ((form->bits & FOREIGN_NO_FALSE) != 0 && no) ||
           ((form->bits & FOREIGN_NO_FLAGS) != 0 && is_flag(key)) ||
           ((form->bits & FOREIGN_NO_MATCH) != 0 && ferry_cbor_is_text(key, "match")) ||
           ((form->bits & FOREIGN_NEVER_RC) != 0 && depth == 0 && ferry_cbor_is_text(key, "rc") &&
            value->kind == FERRY_CBOR_UINT && value->value == 0);
}

static void put_item(const struct form *form, struct ferry_cbor_writer *w,
                     const struct ferry_cbor_item *item, int depth);

/* What stands in the place of a value that the forms change. Returns whether one does. */
static bool put_other(const struct form *form, struct ferry_cbor_writer *w,
                      const struct ferry_cbor_item *key)
{
    if ((form->bits & FOREIGN_MATCH_FALSE) != 0 && ferry_cbor_is_text(key, "match")) {
        ferry_cbor_put_bool(w, false);
        return true;
    }
    if ((form->bits & FOREIGN_ONE_BUFFER) != 0 && ferry_cbor_is_text(key, "buf_count")) {
        ferry_cbor_put_uint(w, 1);
        return true;
    }
    return false;
}

static void put_key(const struct form *form, struct ferry_cbor_writer *w,
                    const struct ferry_cbor_item *key)
{
    if ((form->bits & FOREIGN_RET_IS_RC) != 0 && form->group == FERRY_SMP_GROUP_SHELL &&
        ferry_cbor_is_text(key, "ret")) {
        ferry_cbor_put_text(w, "rc");
    } else {
        ferry_cbor_put_text_n(w, (const char *)key->bytes.data, key->bytes.len);
    }
}

/* Keys of a later version, with values of every kind. */
static size_t put_unknown(struct ferry_cbor_writer *w)
{
    ferry_cbor_put_text(w, "zz-list");
    ferry_cbor_open_list(w);
    ferry_cbor_put_int(w, -7);
    ferry_cbor_put_map(w, 1);
    ferry_cbor_pair_text(w, "off", "not this one");
    ferry_cbor_put_null(w);
    ferry_cbor_close(w);
    ferry_cbor_pair_bytes(w, "zz-bytes", (const uint8_t *)"\xff\x00\xbf", 3);
    return 2;
}

static size_t put_pairs(const struct form *form, struct ferry_cbor_writer *w,
                        const struct ferry_cbor_item *map, int depth)
{
    struct ferry_cbor_reader r = ferry_cbor_enter(map);
    struct ferry_cbor_item key;
    struct ferry_cbor_item value;
    size_t count = 0;
    bool status = false;

    if (depth == 0 && (form->bits & FOREIGN_UNKNOWN_KEYS) != 0) {
        count += put_unknown(w);
    }
    while (!ferry_cbor_at_end(&r) && ferry_cbor_read(&r, &key) == FERRY_OK &&
           ferry_cbor_read(&r, &value) == FERRY_OK) {
        status = status || ferry_cbor_is_text(&key, "rc") || ferry_cbor_is_text(&key, "err");
        if (is_dropped(form, &key, &value, depth)) {
            continue;
        }
        count++;
        put_key(form, w, &key);
        if (!put_other(form, w, &key)) {
            put_item(form, w, &value, depth + 1);
        }
    }
    if (depth == 0 && (form->bits & FOREIGN_ALWAYS_RC) != 0 && !status) {
        ferry_cbor_pair_uint(w, "rc", 0);
        count++;
    }
    return count;
}

static size_t put_items(const struct form *form, struct ferry_cbor_writer *w,
                        const struct ferry_cbor_item *list, int depth)
{
    struct ferry_cbor_reader r = ferry_cbor_enter(list);
    struct ferry_cbor_item item;
    size_t count = 0;

    while (!ferry_cbor_at_end(&r) && ferry_cbor_read(&r, &item) == FERRY_OK) {
        put_item(form, w, &item, depth + 1);
        count++;
    }
    return count;
}

static void put_container(const struct form *form, struct ferry_cbor_writer *w,
                          const struct ferry_cbor_item *item, int depth)
{
    struct ferry_cbor_writer measure;
    bool map = item->kind == FERRY_CBOR_MAP;

    if ((form->bits & FOREIGN_DEFINITE) == 0) {
        (map ? ferry_cbor_open_map : ferry_cbor_open_list)(w);
        (void)(map ? put_pairs : put_items)(form, w, item, depth);
        ferry_cbor_close(w);
        return;
    }
    ferry_cbor_writer_init(&measure, NULL, 0);
    size_t count = (map ? put_pairs : put_items)(form, &measure, item, depth);
    (map ? ferry_cbor_put_map : ferry_cbor_put_list)(w, count);
    (void)(map ? put_pairs : put_items)(form, w, item, depth);
}

/* The reader takes no more than FERRY_CBOR_DEPTH containers, which bounds this. */
static void put_item(const struct form *form, struct ferry_cbor_writer *w,
                     const struct ferry_cbor_item *item, int depth)
{
    switch (item->kind) {
    case FERRY_CBOR_UINT:
        ferry_cbor_put_uint(w, item->value);
        break;
    case FERRY_CBOR_NEGATIVE:
        ferry_cbor_put_int(w, -1 - (int64_t)item->value);
        break;
    case FERRY_CBOR_BYTES:
        ferry_cbor_put_bytes(w, item->bytes.data, item->bytes.len);
        break;
    case FERRY_CBOR_TEXT:
        ferry_cbor_put_text_n(w, (const char *)item->bytes.data, item->bytes.len);
        break;
    case FERRY_CBOR_LIST:
    case FERRY_CBOR_MAP:
        put_container(form, w, item, depth);
        break;
    case FERRY_CBOR_BOOL:
        ferry_cbor_put_bool(w, item->value != 0);
        break;
    default: /* nothing else is in what servers send */
        ferry_cbor_put_null(w);
        break;
    }
}

static void rewrite(const struct form *form, struct foreign_packet *packet)
{
    static uint8_t map[FOREIGN_PACKET_MAX];
    struct ferry_cbor_reader r;
    struct ferry_cbor_item item;
    struct ferry_cbor_writer w;

    ferry_cbor_reader_init(&r, (struct ferry_bytes){packet->bytes + FERRY_SMP_HEADER_SIZE,
                                                    packet->len - FERRY_SMP_HEADER_SIZE});
    if (ferry_cbor_read(&r, &item) != FERRY_OK || item.kind != FERRY_CBOR_MAP) {
        return;
    }
    ferry_cbor_writer_init(&w, map, sizeof(map));
    put_item(form, &w, &item, 0);
    if (ferry_cbor_writer_result(&w) >= 0) {
        foreign_put_map(packet, (struct ferry_bytes){map, w.len});
    }
}

void foreign_form_map(const struct foreign *foreign, struct foreign_packet *packet)
{
    const struct form form = {.bits = foreign->form,
                              .group = (uint16_t)(packet->bytes[4] << 8 | packet->bytes[5])};

    rewrite(&form, packet);
}

void foreign_drop_key(struct foreign_packet *packet, const char *key)
{
    const struct form form = {.drop = key};

    rewrite(&form, packet);
}
