/* SPDX-License-Identifier: Apache-2.0 */
/* What `ferry inspect` says of an image, one file a subject. */
#ifndef CLI_IMAGE_INSPECT_H
#define CLI_IMAGE_INSPECT_H

#include "compressed.h"

#include "ferry/slots.h"

/* The parts of an inspection: each adds its keys to the object.
 *
 * header      the fields of the header, flags by name
 * place       where in the slot the image is and what that makes it; nothing where it is clear
 * encryption  how it is encrypted, and whether it is still so in this file
 * tlvs        with names, areas and meaning, as many as can be read
 * signatures  scheme and key of each, and whether that is a published development key
 * trailer     a file that was padded to its slot, or the dump of one, ends in it */
void inspect_header(cJSON *object, const struct ferry_image_info *info);
void inspect_place(cJSON *object, const struct image_file *file,
                   const struct ferry_strategy_traits *strategy);
void inspect_encryption(cJSON *object, const struct image_file *file);
void inspect_tlvs(cJSON *object, const struct image_file *file);
void inspect_signatures(cJSON *object, const struct image_file *file);
void inspect_trailer(cJSON *object, const struct image_file *file,
                     const struct ferry_strategy_traits *strategy);

/* "set", "unset" or "damaged". */
const char *inspect_field_name(enum ferry_trailer_field field);

/* What a verification found: FERRY_OK or why not. */
struct inspect_verdict {
    int digest; /* FERRY_E_SECRET when the payload is encrypted */
    int by_key; /* with a key: digest and signature; else as digest */
};

/* Verify; sets file->payload. key may be NULL. */
void inspect_verify(struct image_file *file, const struct key *key,
                    struct inspect_verdict *verdict);

/* Say how digest and signature stand. The object has its signatures. Returns FERRY_OK or what is
 * wrong. */
FERRY_MUST_CHECK
int inspect_state(cJSON *object, const struct image_file *file, const struct key *key,
                  const struct inspect_verdict *verdict);

/* Of a compressed image that verified as it is stored: how it is compressed, and whether what it
 * unpacks to is good. With a key its signature counts. Returns FERRY_OK; or FERRY_E_TLV when it
 * does not hold what its TLVs say, and why in words. */
FERRY_MUST_CHECK
int inspect_compression(cJSON *object, const struct image_file *file, const struct key *key,
                        char why[COMPRESSED_WRONG_MAX]);

/* The whole inspection as text on standard output. */
void inspect_print(const cJSON *object);

/* What is wrong with what was inspected. */
struct inspect_fault {
    const char *what; /* NULL = nothing */
    const char *why;
    const char *next;
};

/* Show what was found, by print or as JSON, of which the fault is then a part, and say the fault.
 * Frees object. Returns CLI_OK, or with a fault CLI_VERIFY. */
FERRY_MUST_CHECK
int inspect_finish(const struct cli *cli, cJSON *object, void (*print)(const cJSON *object),
                   const struct inspect_fault *fault);

#endif
