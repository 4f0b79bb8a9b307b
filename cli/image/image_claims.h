/* SPDX-License-Identifier: Apache-2.0 */
/* What an image says of itself in its protected TLVs. [mcuboot-format.md §2.2, §3] */
#ifndef CLI_IMAGE_IMAGE_CLAIMS_H
#define CLI_IMAGE_IMAGE_CLAIMS_H

#include "cli/key/key.h"
#include "layout/uuid.h"

#define IMAGE_DEPENDENCIES 16
#define IMAGE_CUSTOM_TLVS  64
#define IMAGE_ROLE_MAX     12 /* characters of a boot record's type, as imgtool has it */

struct image_dependency {
    uint8_t image;
    struct ferry_version least;
};

struct image_custom_tlv {
    uint16_t type; /* FERRY_TLV_VENDOR_FIRST .. 0xfffe */
    struct cli_buffer value;
    bool from_file; /* these stand behind the others, as imgtool orders them */
};

/* All zero claims nothing. */
struct image_claims {
    bool big_endian; /* the order of the numbers, as in the header */
    bool has_counter;
    uint32_t counter;
    const char *role; /* of the boot record; NULL = none */
    struct image_dependency dependencies[IMAGE_DEPENDENCIES];
    size_t dependency_count;
    bool has_vendor;
    uint8_t vendor[UUID_SIZE];
    bool has_class;
    uint8_t class_id[UUID_SIZE];
    struct image_custom_tlv custom[IMAGE_CUSTOM_TLVS];
    size_t custom_count;
};

/* Write the protected area, in imgtool's order; nothing when nothing is claimed. The boot record
 * names version, digest and key.
 *
 * key   that signs, or NULL
 * tlvs  whole TLVs of someone else's, put between DEPENDENCY and UUID_VID; len 0 = none
 * out   on the heap; free it
 *
 * Returns FERRY_OK; FERRY_E_TOO_LARGE when it is longer than an area may be; FERRY_E_SPACE without
 * memory. */
FERRY_MUST_CHECK
int image_claims_write(const struct image_claims *claims, const struct ferry_version *version,
                       const struct ferry_image_digest_kind *digest, const struct key *key,
                       const struct cli_buffer *tlvs, struct cli_buffer *out);

/* Free the values of custom TLVs. */
void image_claims_free(struct image_claims *claims);

#endif
