/* SPDX-License-Identifier: Apache-2.0 */
/* What imgtool's dumpinfo says of an image, in its structure: for those who parse that. */
#ifndef CLI_IMAGE_DUMPINFO_H
#define CLI_IMAGE_DUMPINFO_H

#include "image_file.h"

enum dumpinfo_format { DUMPINFO_HUMAN, DUMPINFO_YAML, DUMPINFO_JSON };

/* Read an image whose header and TLV areas are whole. Bytes are raw items, in hexadecimal.
 *
 * name     the file's, without folders
 * trailer  set to false when the end of a padded file is no trailer
 *
 * Returns an object to be freed; NULL when something is damaged. */
cJSON *dumpinfo_read(const struct image_file *file, const char *name, bool *trailer);

/* Write it: JSON and YAML as Python's writers do, byte for byte but for file names that need
 * quotes. JSON has no line feed at its end. */
void dumpinfo_write(const cJSON *info, enum dumpinfo_format format, FILE *out);

#endif
