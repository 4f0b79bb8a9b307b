/* SPDX-License-Identifier: Apache-2.0 */
/* ferry-device: a virtual device whose chip runs what is in its flash. */
#include "chip.h"

#include <stdio.h>

/* --program-only on a device that is there must not look like success. */
static int programmed(const struct board *board, const struct options *options)
{
    if (board->made || options->flash_count + options->key_count == 0) {
        return EXIT_POWERED_OFF;
    }
    (void)fprintf(stderr,
                  "ferry-device: %s is there already, and was not programmed; --reflash programs "
                  "an area, --new makes the device again\n",
                  options->dir);
    return EXIT_FAILED;
}

int main(int argc, char **argv)
{
    static struct board board;
    struct options options;
    char why[BOARD_WHY_MAX];
    int code = options_read(argc, argv, &options);

    if (code >= 0) {
        return code;
    }
    if (board_open(&board, &options, why) != FERRY_OK) {
        (void)fprintf(stderr, "ferry-device: %s\n", why);
        return EXIT_FAILED;
    }
    code = options.program_only ? programmed(&board, &options) : chip_run(&board, &options);
    board_close(&board);
    return code;
}
