/* SPDX-License-Identifier: Apache-2.0 */
#include "image_option.h"

const char image_option_help[] = "  -n, --image N        number of the image (default 0)\n";

int image_option_read(struct cli *cli, int argc, char **argv, uint32_t *image)
{
    static const struct option own[] = {{"image", required_argument, NULL, 'n'}, {0}};
    int option;

    *image = 0;
    optind = 0;
    while ((option = cli_getopt(cli, argc, argv, "n:", own)) != -1) {
        if (option == '?') {
            return CLI_USAGE;
        }
        if (cli_number(optarg, 255, image) != FERRY_OK) {
            return cli_usage(cli, "--image takes a number: 0, 1, …");
        }
    }
    return optind == argc ? CLI_OK : cli_usage(cli, "the command takes no argument");
}
