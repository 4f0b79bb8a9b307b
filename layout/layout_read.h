/* SPDX-License-Identifier: Apache-2.0 */
/* Between the files that read a layout. Errors are kept in the reader. */
#ifndef LAYOUT_READ_H
#define LAYOUT_READ_H

#include "json.h"
#include "layout.h"

/* Read a name: letters, digits, - and _. Returns false after an error, also after an earlier one.
 */
bool layout_read_name(struct json_reader *reader, const cJSON *item, const char *field,
                      char out[FERRY_VCHIP_NAME]);

/* Read "first_stage", which may be absent. The areas are read already. */
void layout_read_first(struct json_reader *reader, const cJSON *root, struct layout *layout);

/* Whether an area is of the first stage, and no slot of an image: S0 is one, of strategy
 * first-stage. */
bool layout_is_first(const struct layout *layout, uint32_t area);

/* Read "images" and what they need to know: max_align, max_sectors, trials, ram. The areas are
 * read already. Returns FERRY_OK; FERRY_E_CONFIG for a field; FERRY_E_LAYOUT when slots do not
 * suit their strategy. */
FERRY_MUST_CHECK
int layout_read_images(struct json_reader *reader, const cJSON *root, struct layout *layout);

/* Read "policy", and "no_downgrade" beside it. */
void layout_read_policy(struct json_reader *reader, const cJSON *root, struct layout *layout);

/* Read "set": whether the images, which are read already, change as one. */
void layout_read_set(struct json_reader *reader, const cJSON *root, struct layout *layout);

/* Read "recovery", or what is true without it. */
void layout_read_recovery(struct json_reader *reader, const cJSON *root, struct layout *layout);

/* Read "server", which may be absent. */
void layout_read_server(struct json_reader *reader, const cJSON *root, struct layout *layout);

#endif
