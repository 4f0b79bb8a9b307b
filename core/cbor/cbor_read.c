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

static bool is_string(uint8_t major)
{
    return major == M_BYTES || major == M_TEXT;
}

static bool is_container(uint8_t major)
{
    return major == M_LIST || major == M_MAP;
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

/* §3.2.3: the chunks of an open string are definite strings of its own major type. head is that
 * of the string, and afterwards its break. */
static int skip_chunks(struct ferry_cbor_reader *in, struct head *head)
{
    uint8_t major = head->major;

    for (;;) {
        int rc = read_head(in, head);

        if (rc != FERRY_OK || is_break(head)) {
            return rc;
        }
        if (head->major != major || head->info == OPEN) {
            return FERRY_E_FORMAT;
        }
        rc = skip_bytes(in, head->value);
        if (rc != FERRY_OK) {
            return rc;
        }
    }
}

/* What a container still has to come: a number of items, or, where it is open, what may be next.
 * No container has as many items as these numbers say. */
#define OPEN_LIST  SIZE_MAX       /* an item or the break */
#define OPEN_KEY   (SIZE_MAX - 1) /* of a map: a key or the break */
#define OPEN_VALUE (SIZE_MAX - 2) /* of a map: the value of that key */

/* An item takes at least one byte, so a count beyond the bytes left is refused at once;
 * this also keeps the doubling for maps from overflowing. */
static int enter(const struct head *head, size_t left, size_t *items)
{
    bool map = head->major == M_MAP;

    if (head->info == OPEN) {
        *items = map ? OPEN_KEY : OPEN_LIST;
        return FERRY_OK;
    }
    if (head->value > (map ? left / 2 : left)) {
        return FERRY_E_SHORT;
    }
    *items = (size_t)head->value << map;
    return FERRY_OK;
}

/* Another item of a container, or its break: that ends an open one, but not between a key and its
 * value (§3.2.1). */
static int count_item(size_t *items, const struct head *head)
{
    if (is_break(head)) {
        bool may_end = *items == OPEN_LIST || *items == OPEN_KEY;

        *items = 0;
        return may_end ? FERRY_OK : FERRY_E_FORMAT;
    }
    if (*items == OPEN_VALUE) {
        *items = OPEN_KEY;
    } else if (*items != OPEN_LIST) { /* OPEN_VALUE comes behind OPEN_KEY */
        (*items)--;
    }
    return FERRY_OK;
}

/* Everything behind the head of an item, and of the items in it. head is read over and over: one
 * is all the stack this takes. */
static int skip_body(struct ferry_cbor_reader *in, struct head *head)
{
    size_t levels[FERRY_CBOR_DEPTH];
    size_t depth = 0;
    int rc = FERRY_OK;

    for (;;) {
        if (is_string(head->major)) {
            rc = head->info == OPEN ? skip_chunks(in, head) : skip_bytes(in, head->value);
        } else if (is_container(head->major)) {
            if (depth == FERRY_CBOR_DEPTH) {
                return FERRY_E_DEPTH;
            }
            rc = enter(head, left_in(in), &levels[depth++]);
        }
        while (rc == FERRY_OK && depth > 0 && levels[depth - 1] == 0) {
            depth--;
        }
        if (rc != FERRY_OK || depth == 0) {
            return rc;
        }
        rc = read_untagged(in, head);
        if (rc == FERRY_OK) {
            rc = count_item(&levels[depth - 1], head);
        }
        if (rc != FERRY_OK) {
            return rc;
        }
    }
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
    item->chunked = false;
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

/* Strings and containers; their bytes begin behind the head. */
static void fill_body(struct ferry_cbor_item *item, const struct head *head, const uint8_t *start)
{
    static const uint8_t kinds[] = {[M_BYTES] = FERRY_CBOR_BYTES,
                                    [M_TEXT] = FERRY_CBOR_TEXT,
                                    [M_LIST] = FERRY_CBOR_LIST,
                                    [M_MAP] = FERRY_CBOR_MAP};

    item->kind = (enum ferry_cbor_kind)kinds[head->major];
    item->chunked = head->info == OPEN && is_string(head->major);
    item->bytes.data = start;
    item->bytes.len = 0;
}

int ferry_cbor_read(struct ferry_cbor_reader *r, struct ferry_cbor_item *item)
{
    struct ferry_cbor_reader in = *r;
    struct ferry_cbor_item found;
    struct head head;
    int rc = read_untagged(&in, &head);

    if (rc == FERRY_OK && is_break(&head)) {
        return FERRY_E_FORMAT;
    }
    if (rc != FERRY_OK) {
        return rc;
    }

    bool body = is_string(head.major) || is_container(head.major);
    bool open = head.info == OPEN;

    if (body) {
        fill_body(&found, &head, in.next);
        rc = skip_body(&in, &head);
        /* Behind an open one stands its break. */
        found.bytes.len = (size_t)(in.next - found.bytes.data) - open;
    } else {
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
    struct ferry_cbor_reader in;
    struct ferry_bytes piece;
    size_t len = 0;

    if (item->kind != FERRY_CBOR_BYTES && item->kind != FERRY_CBOR_TEXT) {
        return FERRY_E_TYPE;
    }
    in = ferry_cbor_enter(item);
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
    struct ferry_cbor_reader in;
    struct ferry_bytes piece;

    if (item->kind != FERRY_CBOR_TEXT) {
        return false;
    }
    in = ferry_cbor_enter(item);
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
