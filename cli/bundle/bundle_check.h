/* SPDX-License-Identifier: Apache-2.0 */
/* What is wrong with a bundle, file by file and all together. */
#ifndef CLI_BUNDLE_BUNDLE_CHECK_H
#define CLI_BUNDLE_BUNDLE_CHECK_H

#include "bundle.h"
#include "findings.h"
#include "cli/image/image_file.h"

/* The images of a bundle. It may not be moved. */
struct bundle_images {
    struct image_file files[MANIFEST_FILES]; /* by item */
    bool is_image[MANIFEST_FILES];
};

/* Whom the images must come from, and who can decrypt them. */
struct bundle_trust {
    const struct key *key;   /* NULL: signatures are not checked */
    const char *secret_path; /* NULL: encrypted ones are not looked into */
    bool sealed;             /* and are good so, unless another key signed them */
};

/* Open what of a bundle is an image; takes the bytes out of it. Free the images afterwards. */
void bundle_images_open(struct bundle *bundle, struct bundle_images *images);

/* Find all that is wrong. The images are those of this bundle, opened. */
void bundle_check(const struct cli *cli, const struct bundle *bundle, struct bundle_images *images,
                  const struct bundle_trust *trust, struct findings *findings);

/* Say that it does not verify, and all that is wrong. Returns CLI_VERIFY. */
int bundle_refuse(const struct cli *cli, const char *path, const struct findings *findings);

/* What to do then. */
extern const char bundle_next[];

/* Digest and, with a key, signature of one image, of a bundle or on its way into one, and of what
 * it unpacks to when it is compressed. An encrypted one that no secret is given for must be signed
 * by the key for the digest that it states.
 *
 * why  the cause in words; "" with FERRY_OK
 *
 * Returns FERRY_OK; FERRY_E_SECRET for an encrypted one; or why not. */
FERRY_MUST_CHECK
int bundle_verify_image(struct image_file *file, const struct key *key, char why[BUNDLE_TEXT_MAX]);

void bundle_images_free(struct bundle_images *images);

#endif
