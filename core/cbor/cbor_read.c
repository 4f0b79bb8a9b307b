/* SPDX-License-Identifier: Apache-2.0 */
/* CBOR reader: walks over items without copying, on a stack of FERRY_CBOR_DEPTH levels
 * instead of recursion. Section numbers are those of RFC 8949. */
#include "ferry/cbor.h"

#include <limits.h>
#include <string.h>

/* ---- Heads (§3) --------------------------------------------------------------- */

enum major { M_UINT, M_NEGATIVE, M_BYTES, M_TEXT, M_LIST, M_MAP, M_TAG, M_OTHER };

#define OPEN 31 /* info: indefinite length, or the break that ends it */

struct head {
    uint8_t major;
    uint8_t info;   /* the low five bits of the first byte */
    uint64_t value; /* the argument; info itself when it is OPEN */
};

static bool is_break(const struct head *head)
{
    return head->major == M_OTHER && head->info == OPEN;
}

static size_t left_in(const struct ferry_cbor_reader *in)
{
    return (size_t)(in->end - in->next);
}

/* The argument of 1, 2, 4 or 8 bytes that info 24 .. 27 announces. */
static int read_argument(struct ferry_cbor_reader *in, struct head *head)
{
    size_t width = (size_t)1 << (head->info - 24);

    if (width > left_in(in)) {
        return FERRY_E_SHORT;
    }
    head->value = 0;
    for (size_t i = 0; i < width; i++) {
        head->value = head->value << 8 | *in->next++;
    }
    /* §3.3: a simple value below 32 has no two-byte form. */
    if (head->major == M_OTHER && head->info == 24 && head->value < 32) {
        return FERRY_E_FORMAT;
    }
    return FERRY_OK;
}

static int read_head(struct ferry_cbor_reader *in, struct head *head)
{
    if (left_in(in) == 0) {
        return FERRY_E_SHORT;
    }
    head->major = *in->next >> 5;
    head->info = *in->next & 0x1f;
    head->value = head->info;
    in->next++;
    if (head->info < 24) {
        return FERRY_OK;
    }
    if (head->info < 28) {
        return read_argument(in, head);
    }
    if (head->info != OPEN || head->major <= M_NEGATIVE || head->major == M_TAG) {
        return FERRY_E_FORMAT;
    }
    return FERRY_OK;
}

/* The head behind any number of tags. A break cannot be tagged. */
static int read_untagged(struct ferry_cbor_reader *in, struct head *head)
{
    int rc = read_head(in, head);

    if (rc != FERRY_OK || head->major != M_TAG) {
        return rc;
    }
    while (rc == FERRY_OK && head->major == M_TAG) {
        rc = read_head(in, head);
    }
    if (rc == FERRY_OK && is_break(head)) {
        return FERRY_E_FORMAT;
    }
    return rc;
}

/* ---- Bodies --------------------------------------------------------------------- */

static int skip_bytes(struct ferry_cbor_reader *in, uint64_t len)
{
    if (len > left_in(in)) {
        return FERRY_E_SHORT;
    }
    in->next += (size_t)len;
    return FERRY_OK;
}

/* §3.2.3: the chunks of an open string are definite strings of its own major type. */
static int skip_chunks(struct ferry_cbor_reader *in, uint8_t major)
{
    for (;;) {
        struct head chunk;
        int rc = read_head(in, &chunk);

        if (rc != FERRY_OK || is_break(&chunk)) {
            return rc;
        }
        if (chunk.major != major || chunk.info == OPEN) {
            return FERRY_E_FORMAT;
        }
        rc = skip_bytes(in, chunk.value);
        if (rc != FERRY_OK) {
            return rc;
        }
    }
}

/* What is still to come in a container. */
struct level {
    bool open;
    bool map;
    size_t items; /* still to come; when open, 1 while a key waits for its value */
};

/* An item takes at least one byte, so a count beyond the bytes left is refused at once;
 * this also keeps the doubling for maps from overflowing. */
static int enter_level(struct level *level, const struct head *head, size_t left)
{
    level->map = head->major == M_MAP;
    level->open = head->info == OPEN;
    level->items = 0;
    if (level->open) {
        return FERRY_OK;
    }
    if (head->value > (level->map ? left / 2 : left)) {
        return FERRY_E_SHORT;
    }
    level->items = (size_t)head->value << level->map;
    return FERRY_OK;
}

/* A break ends an open container, but not between a key and its value (§3.2.1). */
static int check_break(const struct level *level)
{
    return level->open && level->items == 0 ? FERRY_OK : FERRY_E_FORMAT;
}

static void count_item(struct level *level)
{
    if (!level->open) {
        level->items--;
    } else if (level->map) {
        level->items ^= 1;
    }
}

static int skip_string(struct ferry_cbor_reader *in, const struct head *head)
{
    if (head->info == OPEN) {
        return skip_chunks(in, head->major);
    }
    return skip_bytes(in, head->value);
}

/* Everything inside one list or map, and its break. */
static int skip_container(struct ferry_cbor_reader *in, const struct head *outer)
{
    struct level levels[FERRY_CBOR_DEPTH];
    size_t depth = 1;
    int rc = enter_level(&levels[0], outer, left_in(in));

    while (rc == FERRY_OK && depth > 0) {
        struct level *level = &levels[depth - 1];
        struct head head;

        if (!level->open && level->items == 0) {
            depth--;
            continue;
        }
        rc = read_untagged(in, &head);
        if (rc != FERRY_OK) {
            return rc;
        }
        if (is_break(&head)) {
            rc = check_break(level);
            depth--;
            continue;
        }
        count_item(level);
        if (head.major == M_BYTES || head.major == M_TEXT) {
            rc = skip_string(in, &head);
        } else if (head.major == M_LIST || head.major == M_MAP) {
            if (depth == FERRY_CBOR_DEPTH) {
                return FERRY_E_DEPTH;
            }
            rc = enter_level(&levels[depth++], &head, left_in(in));
        }
    }
    return rc;
}

/* ---- Items ---------------------------------------------------------------------- */

void ferry_cbor_reader_init(struct ferry_cbor_reader *r, struct ferry_bytes bytes)
{
    r->next = bytes.data;
    /* NULL + 0 would be undefined. */
    r->end = bytes.len == 0 ? bytes.data : bytes.data + bytes.len;
}

bool ferry_cbor_at_end(const struct ferry_cbor_reader *r)
{
    return r->next == r->end;
}

/* Numbers, booleans and the other items that are a head only. */
static void fill_scalar(struct ferry_cbor_item *item, const struct head *head)
{
    item->value = head->value;
    if (head->major == M_UINT || head->major == M_NEGATIVE) {
        item->kind = head->major == M_UINT ? FERRY_CBOR_UINT : FERRY_CBOR_NEGATIVE;
    } else if (head->info == 20 || head->info == 21) {
        item->kind = FERRY_CBOR_BOOL;
        item->value = head->info - 20U;
    } else if (head->info == 22 || head->info == 23) {
        item->kind = FERRY_CBOR_NULL;
        item->value = 0;
    } else {
        item->kind = head->info > 24 ? FERRY_CBOR_FLOAT : FERRY_CBOR_SIMPLE;
    }
}

static enum ferry_cbor_kind kind_of_body(uint8_t major)
{
    static const uint8_t kinds[] = {[M_BYTES] = FERRY_CBOR_BYTES,
                                    [M_TEXT] = FERRY_CBOR_TEXT,
                                    [M_LIST] = FERRY_CBOR_LIST,
                                    [M_MAP] = FERRY_CBOR_MAP};

    return (enum ferry_cbor_kind)kinds[major];
}

/* Strings and containers: in stands behind the head and is moved behind the item. */
static int fill_body(struct ferry_cbor_item *item, const struct head *head,
                     struct ferry_cbor_reader *in)
{
    bool string = head->major == M_BYTES || head->major == M_TEXT;
    bool open = head->info == OPEN;
    const uint8_t *start = in->next;
    int rc = string ? skip_string(in, head) : skip_container(in, head);

    if (rc != FERRY_OK) {
        return rc;
    }
    item->kind = kind_of_body(head->major);
    item->chunked = string && open;
    item->bytes.data = start;
    item->bytes.len = (size_t)(in->next - start) - open;
    return FERRY_OK;
}

int ferry_cbor_read(struct ferry_cbor_reader *r, struct ferry_cbor_item *item)
{
    struct ferry_cbor_reader in = *r;
    struct ferry_cbor_item found = {.value = 0};
    struct head head;
    int rc = read_untagged(&in, &head);

    if (rc == FERRY_OK && is_break(&head)) {
        return FERRY_E_FORMAT;
    }
    if (rc == FERRY_OK && head.major >= M_BYTES && head.major <= M_MAP) {
        rc = fill_body(&found, &head, &in);
    } else if (rc == FERRY_OK) {
        fill_scalar(&found, &head);
    }
    if (rc != FERRY_OK) {
        return rc;
    }
    *item = found;
    *r = in;
    return FERRY_OK;
}

struct ferry_cbor_reader ferry_cbor_enter(const struct ferry_cbor_item *container)
{
    struct ferry_cbor_reader inside;

    ferry_cbor_reader_init(&inside, container->bytes);
    return inside;
}

/* ---- Strings -------------------------------------------------------------------- */

/* Take the next piece of a string from in: a chunk, or all of it when it has none. Returns
 * false at the end. The bytes of an item were checked by ferry_cbor_read(). */
static bool next_piece(struct ferry_cbor_reader *in, bool chunked, struct ferry_bytes *piece)
{
    struct head head = {.value = left_in(in)};

    if (left_in(in) == 0 || (chunked && read_head(in, &head) != FERRY_OK)) {
        return false;
    }
    piece->data = in->next;
    piece->len = (size_t)head.value;
    return skip_bytes(in, head.value) == FERRY_OK;
}

int ferry_cbor_copy(const struct ferry_cbor_item *item, uint8_t *out, size_t cap)
{
    struct ferry_cbor_reader in = ferry_cbor_enter(item);
    struct ferry_bytes piece;
    size_t len = 0;

    if (item->kind != FERRY_CBOR_BYTES && item->kind != FERRY_CBOR_TEXT) {
        return FERRY_E_TYPE;
    }
    while (next_piece(&in, item->chunked, &piece)) {
        if (piece.len > cap - len || piece.len > INT_MAX - len) {
            return FERRY_E_SPACE;
        }
        if (piece.len > 0) {
            memcpy(out + len, piece.data, piece.len);
        }
        len += piece.len;
    }
    return (int)len;
}

/* How many characters at text equal the piece: all of it, or SIZE_MAX when they differ.
 * Stops at text's NUL, so nothing behind it is read. */
static size_t match_piece(const struct ferry_bytes *piece, const char *text)
{
    for (size_t i = 0; i < piece->len; i++) {
        if (text[i] == '\0' || piece->data[i] != (uint8_t)text[i]) {
            return SIZE_MAX;
        }
    }
    return piece->len;
}

bool ferry_cbor_is_text(const struct ferry_cbor_item *item, const char *text)
{
    struct ferry_cbor_reader in = ferry_cbor_enter(item);
    struct ferry_bytes piece;

    if (item->kind != FERRY_CBOR_TEXT) {
        return false;
    }
    while (next_piece(&in, item->chunked, &piece)) {
        size_t matched = match_piece(&piece, text);

        if (matched == SIZE_MAX) {
            return false;
        }
        text += matched;
    }
    return *text == '\0';
}

int ferry_cbor_to_int(const struct ferry_cbor_item *item, int64_t *value)
{
    if (item->kind != FERRY_CBOR_UINT && item->kind != FERRY_CBOR_NEGATIVE) {
        return FERRY_E_TYPE;
    }
    if (item->value > INT64_MAX) {
        return FERRY_E_RANGE;
    }
    *value = (int64_t)item->value;
    if (item->kind == FERRY_CBOR_NEGATIVE) {
        *value = -1 - *value;
    }
    return FERRY_OK;
}

/* ---- Maps ------------------------------------------------------------------------ */

static bool kind_fits(enum ferry_cbor_kind wanted, enum ferry_cbor_kind got)
{
    if (wanted == FERRY_CBOR_ANY || wanted == got) {
        return true;
    }
    return wanted == FERRY_CBOR_NEGATIVE && got == FERRY_CBOR_UINT;
}

static struct ferry_cbor_field *find_field(struct ferry_cbor_field *fields, size_t count,
                                           const struct ferry_cbor_item *key)
{
    for (size_t i = 0; i < count; i++) {
        if (ferry_cbor_is_text(key, fields[i].key)) {
            return &fields[i];
        }
    }
    return NULL;
}

static int read_pair(struct ferry_cbor_reader *in, struct ferry_cbor_field *fields, size_t count)
{
    struct ferry_cbor_item item;
    int rc = ferry_cbor_read(in, &item);

    if (rc != FERRY_OK) {
        return rc;
    }
    if (item.kind != FERRY_CBOR_TEXT) {
        return FERRY_E_TYPE;
    }

    struct ferry_cbor_field *field = find_field(fields, count, &item);

    rc = ferry_cbor_read(in, &item);
    if (rc != FERRY_OK || field == NULL) {
        return rc;
    }
    if (field->present) {
        return FERRY_E_FORMAT;
    }
    if (!kind_fits(field->kind, item.kind)) {
        return FERRY_E_TYPE;
    }
    field->present = true;
    field->item = item;
    return FERRY_OK;
}

int ferry_cbor_read_map(struct ferry_bytes payload, struct ferry_cbor_field *fields, size_t count)
{
    struct ferry_cbor_reader in;
    struct ferry_cbor_item map;

    for (size_t i = 0; i < count; i++) {
        fields[i].present = false;
    }
    ferry_cbor_reader_init(&in, payload);

    int rc = ferry_cbor_read(&in, &map);

    if (rc != FERRY_OK) {
        return rc;
    }
    if (map.kind != FERRY_CBOR_MAP) {
        return FERRY_E_TYPE;
    }
    in = ferry_cbor_enter(&map);
    while (rc == FERRY_OK && !ferry_cbor_at_end(&in)) {
        rc = read_pair(&in, fields, count);
    }
    return rc;
}
