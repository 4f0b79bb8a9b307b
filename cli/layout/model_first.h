/* SPDX-License-Identifier: Apache-2.0 */
/* The immutable first stage of a model of a device: its slots, its provision data, and a key made
 * for it that signs bootloaders. */
#ifndef CLI_LAYOUT_MODEL_FIRST_H
#define CLI_LAYOUT_MODEL_FIRST_H

#include "cli/key/key.h"
#include "layout/layout.h"

#include "ferry/first.h"

/* Bytes of the smallest bootloader, its header apart. */
#define MODEL_FIRST_MIN 512U

struct model_first {
    struct ferry_first first;
    struct key key;
};

/* Provision a first stage. S0 runs; nothing is in the slots yet.
 *
 * slots      flash of S0 and S1
 * provision  erased; all must outlive first
 * buf        workspace, as in struct ferry_first
 *
 * Close it in any case. Returns FERRY_OK or why it cannot be. */
FERRY_MUST_CHECK
int model_first_open(struct model_first *first, const struct layout *layout,
                     const struct ferry_flash *const slots[2], const struct ferry_flash *provision,
                     uint8_t *buf, size_t buf_size);
void model_first_close(struct model_first *first);

/* Make bytes a signed bootloader for the slot that does not run, with this version.
 * Returns FERRY_OK; FERRY_E_IMAGE_SIZE when len is below MODEL_FIRST_MIN; FERRY_E_SIGNATURE when it
 * cannot be signed. */
FERRY_MUST_CHECK
int model_first_fill(const struct model_first *first, uint32_t version, uint8_t *bytes, size_t len);

#endif
