/* SPDX-License-Identifier: Apache-2.0 */
/* What is in a bundle, for people and as JSON. */
#ifndef CLI_BUNDLE_BUNDLE_PRINT_H
#define CLI_BUNDLE_BUNDLE_PRINT_H

#include "bundle_check.h"

/* The table of a bundle on a stream. */
void bundle_print(FILE *out, const char *path, const struct bundle *bundle,
                  const struct bundle_images *images);

/* The same as an object. */
cJSON *bundle_json(const char *path, const struct bundle *bundle,
                   const struct bundle_images *images);

#endif
