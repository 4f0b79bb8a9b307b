/* SPDX-License-Identifier: Apache-2.0 */
/* Measured boot: what the bootloader tells of itself and of the images that run, in the shared data
 * area (ferry/shared_data.h). Called by a port that wants it, after the boot. */
#ifndef FERRY_MEASURE_H
#define FERRY_MEASURE_H

#include "ferry/boot.h"
#include "ferry/shared_data.h"

/* What only the port knows. */
struct ferry_boot_facts {
    enum ferry_blinfo_signature signature; /* of image 0's keys */
    enum ferry_blinfo_recovery recovery;
    struct ferry_version version; /* of the bootloader */
};

/* Fill an area with the boot record of each image that has one (TLV BOOT_RECORD, whose last 32
 * bytes become the first 32 of its digest) and with everything of BLINFO.
 *
 * config, report  of a ferry_boot_run() that returned FERRY_OK
 * area            cap bytes; everything that was in it is gone
 *
 * Returns FERRY_OK; FERRY_E_FULL when something did not fit, and then what did is there; or the
 * first error of an image's flash or TLVs, whose record is left out. */
FERRY_MUST_CHECK
int ferry_boot_measure(const struct ferry_boot_config *config,
                       const struct ferry_boot_report *report, const struct ferry_boot_facts *facts,
                       uint8_t *area, size_t cap);

#endif
