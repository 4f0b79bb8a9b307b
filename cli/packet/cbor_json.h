/* SPDX-License-Identifier: Apache-2.0 */
/* CBOR as JSON and back, for people and for programs.
 *
 *   CBOR                      JSON
 *   integers                  numbers, all 64 bits of them
 *   floats                    numbers with a point; "NaN", "Infinity", "-Infinity"
 *   text                      text; NUL and what is no UTF-8 become U+FFFD
 *   byte strings              "h'0a0b'", as in CBOR's diagnostic notation
 *   null, undefined           null
 *   other simple values       "simple(N)"
 *   keys that are no text     their JSON as text: {1: 2} is {"1": 2}
 *   a key that comes twice    stands twice
 *   tags                      left out
 *
 * Back, a text of the form h'…' is a byte string, which is why no text like it can be sent. */
#ifndef CLI_PACKET_CBOR_JSON_H
#define CLI_PACKET_CBOR_JSON_H

#include "ferry/cbor.h"

#include <cjson/cJSON.h>

/* Exactly one CBOR item as JSON. Numbers of 10^15 and more, and whole floats, are cJSON_Raw: all
 * else are the nodes of their kind.
 * Returns what the caller frees with cJSON_Delete(); NULL when it is no item, has more behind it,
 * or nests deeper than FERRY_CBOR_DEPTH. */
cJSON *cbor_json_read(struct ferry_bytes cbor);

/* The next item of several.
 *
 * error  FERRY_OK, or of ferry_cbor_read(): the reader then stays where it was
 *
 * Returns NULL after an error, and without memory. */
cJSON *cbor_json_next(struct ferry_cbor_reader *r, int *error);

/* Parse JSON text for cbor_json_write(): numbers that a double cannot hold, and whether one was
 * written with a point, are kept.
 *
 * where  the offset at which it is wrong, set on failure
 *
 * Returns what the caller frees; NULL when it is no JSON, or has more behind it. */
cJSON *cbor_json_parse(const char *text, size_t *where);

/* Write JSON as one CBOR item, in the shortest form and with definite lengths.
 *
 * Returns FERRY_OK (whether it fitted, ferry_cbor_writer_result() tells); FERRY_E_FORMAT for a key
 * that comes twice and for h'…' without pairs of digits; FERRY_E_RANGE for a number beyond 64
 * bits; FERRY_E_DEPTH. */
FERRY_MUST_CHECK
int cbor_json_write(const cJSON *json, struct ferry_cbor_writer *w);

/* Print it in one line, or indented, such that nothing in it moves a terminal's cursor.
 * Returns text that the caller frees with cJSON_free(); NULL without memory. */
char *cbor_json_print(const cJSON *json, bool indented);

/* Bytes of the UTF-8 character (RFC 3629) at text, of which left bytes are there; 0 when there is
 * none, or NUL. */
size_t cbor_json_character(const uint8_t *text, size_t left);

/* Bytes that should be UTF-8 as a text: NUL and what is none become U+FFFD. Returns what the caller
 * frees with free(); NULL without memory. */
char *cbor_json_utf8(struct ferry_bytes bytes);

/* "h'0a0b'", on the heap; NULL without memory. */
char *cbor_json_bytes(const uint8_t *data, size_t len);

#endif
