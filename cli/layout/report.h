/* SPDX-License-Identifier: Apache-2.0 */
/* What `ferry layout` tells of a layout, for people and as JSON. */
#ifndef CLI_LAYOUT_REPORT_H
#define CLI_LAYOUT_REPORT_H

#include "estimate.h"
#include "room.h"

/* TLVs of an image that one key signed, SHA-256 and ECDSA P-256: what the size of a firmware is
 * told with. */
#define REPORT_TLVS (4U + (4U + 32U) + (4U + 32U) + (4U + 72U))

struct report_image {
    uint32_t number;
    uint32_t size; /* of the image files of the estimate */
    struct room room;
    struct estimate estimate;
};

struct report {
    const char *path;
    const struct layout *layout;
    struct estimate_options options;
    uint32_t header_size;
    uint32_t count;
    struct report_image images[FERRY_VCHIP_IMAGES];
    bool has_set;        /* the images change as one, and all of them were asked for */
    struct estimate set; /* of all of them in one update */
};

/* The names of the phases, as JSON has them. */
extern const char *const report_phases[ESTIMATE_PHASES];

/* What a device without a store does not have, one a line; ends with NULL. */
extern const char *const report_without_store[];

/* Bytes of firmware in the largest image, beside header and TLVs. */
uint32_t report_payload(const struct report *report, const struct room *room);

/* Of an update: upload and install. */
double report_seconds(const struct estimate *estimate);

void report_print(const struct report *report);
void report_print_json(const struct report *report);

#endif
