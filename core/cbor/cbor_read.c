/* SPDX-License-Identifier: Apache-2.0 */
/* CBOR reader: walks over items without copying, on a stack of FERRY_CBOR_DEPTH levels
 * instead of recursion. Section numbers are those of RFC 8949. */
#include "ferry/cbor.h"

#include <limits.h>
#include <string.h>

/* ---- Heads (§3) --------------------------------------------------------------- */

/* The first six are also the kinds of ferry/cbor.h. */
enum major { M_UINT, M_NEGATIVE, M_BYTES, M_TEXT, M_LIST, M_MAP, M_TAG, M_OTHER };

_Static_assert((int)M_UINT == FERRY_CBOR_UINT && (int)M_NEGATIVE == FERRY_CBOR_NEGATIVE &&
                   (int)M_BYTES == FERRY_CBOR_BYTES && (int)M_TEXT == FERRY_CBOR_TEXT &&
                   (int)M_LIST == FERRY_CBOR_LIST && (int)M_MAP == FERRY_CBOR_MAP,
               "a major type below M_TAG is a kind");

#define OPEN  31   /* info: indefinite length, or the break that ends it */
#define BREAK 0xff /* the first byte of the break */

struct head {
    uint8_t first;  /* major type and info */
    uint64_t value; /* the argument; 0 when info is OPEN */
};

static enum major major_of(const struct head *head)
{
    return (enum major)(head->first >> 5);
}

static unsigned info_of(const struct head *head)
{
    return head->first & 0x1f;
}

static bool is_open(const struct head *head)
{
    return info_of(head) == OPEN;
}

static bool is_string(const struct head *head)
{
    return head->first >> 6 == M_BYTES >> 1;
}

static bool is_container(const struct head *head)
{
    return head->first >> 6 == M_LIST >> 1;
}

static bool has_body(const struct head *head)
{
    return is_string(head) || is_container(head);
}

static size_t left_in(const struct ferry_cbor_reader *in)
{
    return (size_t)(in->end - in->next);
}

/* The argument of 1, 2, 4 or 8 bytes that info 24 .. 27 announces. */
static int read_argument(struct ferry_cbor_reader *in, struct head *head)
{
    size_t width = (size_t)1 << (info_of(head) - 24);
    uint64_t value = 0;

    if (width > left_in(in)) {
        return FERRY_E_SHORT;
    }
    for (; width > 0; width--) {
        value = value << 8 | *in->next++;
    }
    head->value = value;
    /* §3.3: a simple value below 32 has no two-byte form. */
    return head->first == (M_OTHER << 5 | 24) && (uint8_t)value < 32 ? FERRY_E_FORMAT : FERRY_OK;
}

/* A head. Of what has a body the value fits what is left: a byte of a string takes one, an item of
 * a container at least one. */
static int read_head(struct ferry_cbor_reader *in, struct head *head)
{
    int rc = FERRY_OK;

    if (left_in(in) == 0) {
        return FERRY_E_SHORT;
    }
    head->first = *in->next++;
    head->value = info_of(head);
    if (is_open(head)) {
        head->value = 0;
        return has_body(head) || head->first == BREAK ? FERRY_OK : FERRY_E_FORMAT;
    }
    if (info_of(head) >= 28) {
        return FERRY_E_FORMAT;
    }
    if (info_of(head) >= 24) {
        rc = read_argument(in, head);
    }
    return rc == FERRY_OK && has_body(head) && head->value > left_in(in) ? FERRY_E_SHORT : rc;
}

/* The head behind any number of tags. A break cannot be tagged. */
static int read_untagged(struct ferry_cbor_reader *in, struct head *head)
{
    bool tagged = false;
    int rc;

    while ((rc = read_head(in, head)) == FERRY_OK && major_of(head) == M_TAG) {
        tagged = true;
    }
    return rc == FERRY_OK && tagged && head->first == BREAK ? FERRY_E_FORMAT : rc;
}

/* ---- Bodies --------------------------------------------------------------------- */

/* The content of a string, or, §3.2.3, the chunks of an open one: definite strings of its own major
 * type. head is that of the string, and afterwards its break. */
static int skip_string(struct ferry_cbor_reader *in, struct head *head)
{
    enum major major = major_of(head);
    bool open = is_open(head);
    int rc = FERRY_OK;

    do {
        in->next += (size_t)head->value;
        if (open) {
            rc = read_head(in, head);
        }
        if (!open || rc != FERRY_OK || head->first == BREAK) {
            return rc;
        }
    } while (major_of(head) == major && !is_open(head));
    return FERRY_E_FORMAT;
}

/* What a container still has to come: a number of items, or, where it is open, what may be next.
 * No container has as many items as these numbers say. */
#define OPEN_LIST  (SIZE_MAX - 2) /* an item or the break */
#define OPEN_KEY   (SIZE_MAX - 1) /* of a map: a key or the break */
#define OPEN_VALUE SIZE_MAX       /* of a map: the value of that key */

/* The items of a container, of which left bytes are there. */
static int enter(const struct head *head, size_t left, size_t *items)
{
    bool map = major_of(head) == M_MAP;
    size_t count = (size_t)head->value;

    *items = map ? OPEN_KEY : OPEN_LIST;
    if (is_open(head)) {
        return FERRY_OK;
    }
    *items = count << map;
    return map && count > left / 2 ? FERRY_E_SHORT : FERRY_OK;
}

/* Another item of a container, or its break: that ends an open one, but not between a key and its
 * value (§3.2.1). */
static int count_item(size_t *items, const struct head *head)
{
    if (head->first == BREAK) {
        bool may_end = *items == OPEN_LIST || *items == OPEN_KEY;

        *items = 0;
        return may_end ? FERRY_OK : FERRY_E_FORMAT;
    }
    if (*items < OPEN_LIST) {
        (*items)--;
    } else if (*items != OPEN_LIST) {
        *items ^= OPEN_KEY ^ OPEN_VALUE;
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

    do {
        if (is_string(head)) {
            rc = skip_string(in, head);
        } else if (is_container(head)) {
            if (depth == FERRY_CBOR_DEPTH) {
                return FERRY_E_DEPTH;
            }
            rc = enter(head, left_in(in), &levels[depth++]);
        }
        while (rc == FERRY_OK && depth > 0 && levels[depth - 1] == 0) {
            depth--;
        }
        if (rc == FERRY_OK && depth > 0) {
            rc = read_untagged(in, head);
        }
        if (rc == FERRY_OK && depth > 0) {
            rc = count_item(&levels[depth - 1], head);
        }
    } while (rc == FERRY_OK && depth > 0);
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

/* The kind of an item, and the value of what is a head only. */
static void fill_head(struct ferry_cbor_item *item, const struct head *head)
{
    /* From info 20 on; the last four stand for heads that are refused. */
    static const uint8_t others[32 - 20] = {FERRY_CBOR_BOOL,  FERRY_CBOR_BOOL,   FERRY_CBOR_NULL,
                                            FERRY_CBOR_NULL,  FERRY_CBOR_SIMPLE, FERRY_CBOR_FLOAT,
                                            FERRY_CBOR_FLOAT, FERRY_CBOR_FLOAT};
    unsigned info = info_of(head);

    item->kind = (enum ferry_cbor_kind)major_of(head);
    item->chunked = is_string(head) && is_open(head);
    item->value = head->value;
    if (major_of(head) == M_OTHER) {
        item->kind = info < 20 ? FERRY_CBOR_SIMPLE : (enum ferry_cbor_kind)others[info - 20];
        if (info >= 20 && info < 24) {
            item->value = info == 21;
        }
    }
}

int ferry_cbor_read(struct ferry_cbor_reader *r, struct ferry_cbor_item *item)
{
    struct ferry_cbor_reader in = *r;
    struct ferry_cbor_item found;
    struct head head;
    int rc = read_untagged(&in, &head);

    if (rc != FERRY_OK) {
        return rc;
    }
    if (head.first == BREAK) {
        return FERRY_E_FORMAT;
    }
    fill_head(&found, &head);
    if (has_body(&head)) {
        bool open = is_open(&head);

        found.bytes.data = in.next;
        rc = skip_body(&in, &head);
        /* Behind an open one stands its break. */
        found.bytes.len = (size_t)(in.next - found.bytes.data) - open;
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

    if (left_in(in) == 0 || (chunked && (read_head(in, &head) != FERRY_OK || !is_string(&head)))) {
        return false;
    }
    piece->data = in->next;
    piece->len = (size_t)head.value;
    in->next += piece->len;
    return true;
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
    struct ferry_cbor_item other; /* the key, then the value of one that nobody asked for */
    int rc = ferry_cbor_read(in, &other);

    if (rc != FERRY_OK) {
        return rc;
    }
    if (other.kind != FERRY_CBOR_TEXT) {
        return FERRY_E_TYPE;
    }

    struct ferry_cbor_field *field = find_field(fields, count, &other);

    rc = ferry_cbor_read(in, field != NULL ? &field->item : &other);
    if (rc != FERRY_OK || field == NULL) {
        return rc;
    }
    if (field->present) {
        return FERRY_E_FORMAT;
    }
    field->present = true;
    return kind_fits(field->kind, field->item.kind) ? FERRY_OK : FERRY_E_TYPE;
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
