/* SPDX-License-Identifier: Apache-2.0 */
/* Bootloaders for an immutable first stage: signing them, and choosing between two builds.
 * [nsib-format.md; docs/FIRST.md] */
#ifndef CLI_FIRST_B0_H
#define CLI_FIRST_B0_H

#include "cli/image/image_file.h"
#include "cli/device/session.h"

#include "ferry/first.h"

/* "nrf52, nrf53, vchip" for messages. */
extern const char b0_kind_names[];

/* The kind of hardware with a name, or NULL. */
const struct ferry_first_kind *b0_kind_find(const char *name);

/* What is to become of a firmware. */
struct b0_build {
    const struct ferry_first_kind *kind;
    const struct key *key; /* private, P-256 */
    bool pad;              /* put fw_info in front; else the firmware has one */
    bool has_version, has_address;
    uint32_t version; /* in place of what its fw_info says */
    uint32_t address;
};

/* Fill in fw_info and append the validation info.
 *
 * out   on the heap; free it
 * info  what it now says
 *
 * After a message returns an enum cli_exit. */
FERRY_MUST_CHECK
int b0_build(const struct cli *cli, const struct b0_build *build, const char *path,
             const struct cli_buffer *firmware, struct cli_buffer *out,
             struct ferry_first_info *info);

/* The key as the validation info has it, X | Y, and its hash as it is provisioned. Returns false
 * for a key that is not P-256. */
bool b0_public_key(const struct key *key, uint8_t point[64], uint8_t hash[FERRY_FIRST_KEY_HASH]);

/* The fw_info in an image file, behind its MCUboot header. Returns FERRY_OK or why there is none.
 */
FERRY_MUST_CHECK
int b0_info_of(const struct image_file *file, struct ferry_first_info *info);

/* Ask the device from which slot its bootloader runs.
 * Returns FERRY_OK; FERRY_E_NOT_FOUND when it does not say; FERRY_E_TIMEOUT, FERRY_E_IO. */
FERRY_MUST_CHECK
int b0_ask_slot(struct session *session, uint32_t *slot);

#endif
