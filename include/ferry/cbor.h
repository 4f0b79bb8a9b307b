/* SPDX-License-Identifier: Apache-2.0 */
/* CBOR (RFC 8949), as far as SMP needs it: a writer that cannot overflow and a
 * reader that copies nothing. Neither allocates, recurses or keeps pointers longer
 * than the caller's bytes live. */
#ifndef FERRY_CBOR_H
#define FERRY_CBOR_H

#include "ferry/bytes.h"
#include "ferry/error.h"

/* ---- Items ---------------------------------------------------------------- */

enum ferry_cbor_kind {
    FERRY_CBOR_UINT,     /* value */
    FERRY_CBOR_NEGATIVE, /* the number is -1 - value */
    FERRY_CBOR_BYTES,    /* bytes = content */
    FERRY_CBOR_TEXT,     /* bytes = content, not checked for UTF-8 */
    FERRY_CBOR_LIST,     /* bytes = the items, without head and break */
    FERRY_CBOR_MAP,      /* bytes = the pairs, without head and break */
    FERRY_CBOR_BOOL,     /* value 0 or 1 */
    FERRY_CBOR_NULL,     /* null and undefined */
    FERRY_CBOR_FLOAT,    /* value = the bits, as many as were sent */
    FERRY_CBOR_SIMPLE,   /* value = the number of another simple value */
    FERRY_CBOR_ANY       /* only in ferry_cbor_field.kind: takes every kind */
};

/* ---- Writer --------------------------------------------------------------- */

/* Writes into buf until cap; len goes on counting beyond it, so that a writer with
 * buf NULL and cap 0 measures an encoding. Ask ferry_cbor_writer_result() once at the end. */
struct ferry_cbor_writer {
    uint8_t *buf;
    size_t cap;
    size_t len; /* bytes the encoding needs so far */
};

void ferry_cbor_writer_init(struct ferry_cbor_writer *w, uint8_t *buf, size_t cap);

/* Returns the bytes written, or FERRY_E_SPACE when they did not fit. */
FERRY_MUST_CHECK
int ferry_cbor_writer_result(const struct ferry_cbor_writer *w);

/* One item each, in the shortest form. Texts are UTF-8 and end with NUL unless a length is given.
 */
void ferry_cbor_put_uint(struct ferry_cbor_writer *w, uint64_t value);
void ferry_cbor_put_int(struct ferry_cbor_writer *w, int64_t value);
void ferry_cbor_put_bool(struct ferry_cbor_writer *w, bool value);
void ferry_cbor_put_null(struct ferry_cbor_writer *w);
void ferry_cbor_put_text(struct ferry_cbor_writer *w, const char *text);
void ferry_cbor_put_text_n(struct ferry_cbor_writer *w, const char *text, size_t len);
void ferry_cbor_put_bytes(struct ferry_cbor_writer *w, const uint8_t *data, size_t len);

/* Containers: of known length (pairs or items follow), or open ones ended by ferry_cbor_close(). */
void ferry_cbor_put_map(struct ferry_cbor_writer *w, size_t pairs);
void ferry_cbor_put_list(struct ferry_cbor_writer *w, size_t items);
void ferry_cbor_open_map(struct ferry_cbor_writer *w);
void ferry_cbor_open_list(struct ferry_cbor_writer *w);
void ferry_cbor_close(struct ferry_cbor_writer *w);

/* A map's pair in one call: key, then value. */
void ferry_cbor_pair_uint(struct ferry_cbor_writer *w, const char *key, uint64_t value);
void ferry_cbor_pair_int(struct ferry_cbor_writer *w, const char *key, int64_t value);
void ferry_cbor_pair_bool(struct ferry_cbor_writer *w, const char *key, bool value);
void ferry_cbor_pair_text(struct ferry_cbor_writer *w, const char *key, const char *text);
void ferry_cbor_pair_bytes(struct ferry_cbor_writer *w, const char *key, const uint8_t *data,
                           size_t len);

/* A string made where it stands, when a function fills it and its length is known only then.
 * ferry_cbor_reserve() gives the place for its content, ferry_cbor_put_reserved() puts the head in
 * front of what was written there. Between them nothing else is put.
 *
 * behind  bytes to keep free behind the string
 * room    bytes the content may have, 65535 at most
 * kind    FERRY_CBOR_BYTES or FERRY_CBOR_TEXT
 * len     bytes that were written, at most *room
 *
 * Returns where the content goes, in w's buffer; NULL, and *room 0, when there is no place even
 * for an empty one. */
uint8_t *ferry_cbor_reserve(const struct ferry_cbor_writer *w, size_t behind, size_t *room);
void ferry_cbor_put_reserved(struct ferry_cbor_writer *w, enum ferry_cbor_kind kind, size_t len);

/* ---- Reader --------------------------------------------------------------- */

/* Containers nested deeper than this are refused with FERRY_E_DEPTH. */
#define FERRY_CBOR_DEPTH 8

/* One item, whole. Tags are skipped: an item is what stands behind its tags. Of the union only the
 * member that the kind names may be looked at. */
struct ferry_cbor_item {
    enum ferry_cbor_kind kind;
    bool chunked; /* a string of indefinite length: bytes = its chunks, each with its head */
    union {
        uint64_t value;           /* of numbers, booleans and what else is a head only; null: 0 */
        struct ferry_bytes bytes; /* of strings and containers */
    };
};

struct ferry_cbor_reader {
    const uint8_t *next;
    const uint8_t *end;
};

void ferry_cbor_reader_init(struct ferry_cbor_reader *r, struct ferry_bytes bytes);

/* Whether all bytes are read. */
bool ferry_cbor_at_end(const struct ferry_cbor_reader *r);

/* Read the next item, with all that is inside it.
 *
 * item  filled only on FERRY_OK; its bytes point into the reader's
 *
 * Both definite and indefinite lengths and every integer width are taken.
 * Returns FERRY_OK; FERRY_E_SHORT when it does not end within the bytes;
 * FERRY_E_FORMAT for a reserved head, a stray break or a bad chunk; FERRY_E_DEPTH. */
FERRY_MUST_CHECK
int ferry_cbor_read(struct ferry_cbor_reader *r, struct ferry_cbor_item *item);

/* A reader over the items inside a list or map (keys and values in turn). */
struct ferry_cbor_reader ferry_cbor_enter(const struct ferry_cbor_item *container);

/* Copy the content of a byte or text string, chunked or not, to out.
 * Returns its length; FERRY_E_SPACE when it is above cap; FERRY_E_TYPE for another kind. */
FERRY_MUST_CHECK
int ferry_cbor_copy(const struct ferry_cbor_item *item, uint8_t *out, size_t cap);

/* The item as a signed number. Returns FERRY_OK, FERRY_E_TYPE, or FERRY_E_RANGE beyond int64. */
FERRY_MUST_CHECK
int ferry_cbor_to_int(const struct ferry_cbor_item *item, int64_t *value);

/* Whether the item is a text equal to the given one. */
bool ferry_cbor_is_text(const struct ferry_cbor_item *item, const char *text);

/* What a map may hold under one key. FERRY_CBOR_UINT takes no negative number;
 * FERRY_CBOR_NEGATIVE here means "an integer of either sign". */
struct ferry_cbor_field {
    const char *key;
    enum ferry_cbor_kind kind;
    bool present;                /* set by ferry_cbor_read_map() */
    struct ferry_cbor_item item; /* valid when present */
};

/* Read one map into fields: keys in any order, unknown keys and their values skipped.
 *
 * payload  begins with the map; bytes behind it are ignored
 * fields   count entries, key and kind set; present and item are filled
 *
 * Returns FERRY_OK (missing keys are no error); FERRY_E_TYPE when the payload is no map, a
 * key is no text or a known key has another kind; FERRY_E_FORMAT when a known key comes twice;
 * and the errors of ferry_cbor_read(). On an error nothing may be used of the fields. */
FERRY_MUST_CHECK
int ferry_cbor_read_map(struct ferry_bytes payload, struct ferry_cbor_field *fields, size_t count);

#endif
