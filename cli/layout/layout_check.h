/* SPDX-License-Identifier: Apache-2.0 */
/* Whether images can be installed in a layout: what the device would refuse later. */
#ifndef CLI_LAYOUT_LAYOUT_CHECK_H
#define CLI_LAYOUT_LAYOUT_CHECK_H

#include "cli/cli.h"
#include "layout/layout.h"

/* What matters of an image. */
struct layout_claim {
    const char *path; /* for messages */
    uint32_t size;    /* header and TLVs included */
    uint32_t flags;   /* the header's */
    uint32_t load_address;
    uint32_t enc_tlv; /* bytes of its ENC TLV; 0: it has none */
};

/* Check an image for one of the layout's: its size, the address it is linked to, whether the
 * device unpacks and decrypts it. After a message returns an enum cli_exit: CLI_VERIFY when it
 * cannot be installed. */
FERRY_MUST_CHECK
int layout_check(const struct cli *cli, const struct layout *layout, uint32_t number,
                 const struct layout_claim *claim);

/* Check count image files, and say of each that it fits. Signatures are not looked at. Returns as
 * layout_check(), for the first that does not fit, or that is no image. */
FERRY_MUST_CHECK
int layout_check_files(const struct cli *cli, const struct layout *layout, uint32_t number,
                       char **paths, int count);

#endif
