/* SPDX-License-Identifier: Apache-2.0 */
/* ferry version: the same as --version; imgtool's name for it. */
#include "cli/cli.h"

void cli_print_version(void)
{
    puts("ferry " CLI_VERSION);
}

static int run_version(struct cli *cli, int argc, char **argv)
{
    static const struct option own[] = {{0}};
    optind = 0;
    if (cli_getopt(cli, argc, argv, "", own) != -1) {
        return CLI_USAGE;
    }
    if (optind != argc) {
        return cli_usage(cli, "version takes no argument (what a file is: ferry inspect FILE)");
    }
    if (cli->json) {
        cJSON *object = cJSON_CreateObject();
        cJSON_AddStringToObject(object, "version", CLI_VERSION);
        cli_print_json(object);
    } else {
        cli_print_version();
    }
    return CLI_OK;
}

const struct cli_command cli_version_commands[] = {
    {"version", "", "the version of this tool", "", run_version},
    {0},
};
