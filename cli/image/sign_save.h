/* SPDX-License-Identifier: Apache-2.0 */
/* The file `ferry sign` makes, raw or as Intel HEX. */
#ifndef CLI_IMAGE_SIGN_SAVE_H
#define CLI_IMAGE_SIGN_SAVE_H

#include "sign_options.h"

/* Write the image. As HEX it stands at --hex-addr; else where the input was, less the header that
 * was put in front (imgtool's rule: not at address 0); and of what --pad added it has what is not
 * erased: the trailer's image_ok and magic.
 *
 * in          the input, for its address
 * image_size  bytes of the image without padding
 *
 * After a message returns an enum cli_exit. */
FERRY_MUST_CHECK
int sign_save(const struct cli *cli, const struct sign_arguments *a, const struct firmware *in,
              const struct cli_buffer *image, uint32_t image_size, const char *out_path);

#endif
