/* SPDX-License-Identifier: Apache-2.0 */
/* The values of `ferry sign`'s options, one at a time and together. */
#ifndef CLI_IMAGE_SIGN_TAKE_H
#define CLI_IMAGE_SIGN_TAKE_H

#include "sign_options.h"

/* Options without a letter. */
enum sign_option {
    OPTION_PAD_HEADER = 0x100,
    OPTION_ALIGN,
    OPTION_MAX_ALIGN,
    OPTION_PAD,
    OPTION_CONFIRM,
    OPTION_OVERWRITE,
    OPTION_NON_BOOTABLE,
    OPTION_SHA,
    OPTION_KEY_FORMAT,
    OPTION_PURE,
    OPTION_BOOT_RECORD,
    OPTION_CUSTOM,
    OPTION_CUSTOM_FILE,
    OPTION_VENDOR,
    OPTION_CLASS,
    OPTION_ENCRYPT_KEYLEN,
    OPTION_HMAC_SHA,
    OPTION_SAVE_ENCTLV,
    OPTION_COMPRESSION,
    OPTION_PRODUCTION,
    OPTION_INPUT_FORMAT,
    OPTION_OUTPUT_FORMAT,
    OPTION_RANGE,
    OPTION_TEST,
    OPTION_PAD_SIG,
    OPTION_VECTOR,
    OPTION_FIX_SIG,
    OPTION_FIX_SIG_KEY,
    OPTION_SIG_OUT,
    OPTION_LAYOUT,
    OPTION_IMAGE
};

/* Take one option, as getopt_long() left it in optarg; one of two values takes the second from argv
 * at optind. After a message returns an enum cli_exit. */
FERRY_MUST_CHECK
int sign_take(const struct cli *cli, int option, int argc, char **argv, struct sign_arguments *a);

/* Fill in what follows from other options, and refuse those that exclude each other. Once all are
 * taken. After a message returns an enum cli_exit. */
FERRY_MUST_CHECK
int sign_finish(const struct cli *cli, struct sign_arguments *a);

#endif
