/* SPDX-License-Identifier: Apache-2.0 */
/* ferry inspect: what an image file, or the dump of a slot, is. */
#include "inspect.h"

#include <string.h>

static int unknown_strategy(const struct cli *cli, const char *name)
{
    char known[256] = "";
    size_t len = 0;
    const struct ferry_strategy_traits *traits;
    for (size_t i = 0; (traits = ferry_strategy_traits_at(i)) != NULL; i++) {
        len += (size_t)snprintf(known + len, sizeof known - len, "%s%s", i > 0 ? ", " : "",
                                traits->name);
        if (len >= sizeof known) {
            break;
        }
    }
    return cli_fail_why(cli, CLI_USAGE, known, "give one of these names",
                        "there is no strategy '%s'", name);
}

static int take_inspect_options(struct cli *cli, int argc, char **argv,
                                struct inspect_options *options)
{
    static const struct option own[] = {{"strategy", required_argument, NULL, 's'},
                                        {"sector", required_argument, NULL, 'S'},
                                        {"encrypt", required_argument, NULL, 'E'},
                                        {0}};
    int option;

    optind = 0;
    while ((option = cli_getopt(cli, argc, argv, "E:", own)) != -1) {
        if (option == '?') {
            return CLI_USAGE;
        }
        options->secret_path = option == 'E' ? optarg : options->secret_path;
        if (option == 'S' &&
            (cli_number(optarg, 1U << 24, &options->sector) != FERRY_OK || options->sector == 0)) {
            return cli_usage(cli, "--sector takes the bytes a sector has, such as 4096");
        }
        if (option == 's') {
            options->strategy = ferry_strategy_traits_find(optarg);
            if (options->strategy == NULL) {
                return unknown_strategy(cli, optarg);
            }
        }
    }
    return argc - optind == 1 ? CLI_OK : cli_usage(cli, "inspect needs one FILE");
}

/* All there is to say of an image. Returns FERRY_OK, or what is wrong with it. */
static int inspect(cJSON *object, struct image_file *file, const struct inspect_options *options)
{
    int state = image_file_verify(file, NULL);
    inspect_place(object, file, options->strategy);
    inspect_header(object, &file->info);
    inspect_encryption(object, file);
    int tlvs = inspect_tlvs(object, file);
    cJSON_AddStringToObject(object, "digest", inspect_digest_text(state));
    inspect_trailer(object, file, options->strategy);
    if (tlvs < 0) {
        return tlvs;
    }
    return state == FERRY_E_SECRET ? FERRY_OK : state;
}

static int run_inspect(struct cli *cli, int argc, char **argv)
{
    struct inspect_options options = {NULL, 0, NULL};
    struct image_file file;

    int code = take_inspect_options(cli, argc, argv, &options);
    if (code == CLI_OK) {
        code = image_file_read_slot(cli, argv[optind], options.sector, &file);
    }
    if (code != CLI_OK) {
        return code;
    }
    if (options.secret_path != NULL) {
        code = image_file_decrypt(cli, options.secret_path, &file);
    }
    if (code != CLI_OK) {
        image_file_free(&file);
        return code;
    }
    cJSON *object = cJSON_CreateObject();
    cJSON_AddStringToObject(object, "file", argv[optind]);
    int error = inspect(object, &file, &options);
    if (cli->json) {
        cli_print_json(object);
    } else {
        inspect_print(object);
        cJSON_Delete(object);
    }
    if (error != FERRY_OK) {
        code = cli_fail_error(cli, CLI_VERIFY, error, "%s does not verify", argv[optind]);
    }
    image_file_free(&file);
    return code;
}

const struct cli_command cli_inspect_commands[] = {
    {"inspect", "FILE", "show an image file, or the dump of a slot: header, TLVs, digest, trailer",
     "  -E, --encrypt KEY    the device's private key, which decrypts the payload\n"
     "      --strategy NAME  how the device uses the slot: swap-move, swap-shift, …\n"
     "      --sector N       bytes a sector has, where the image is one sector up\n",
     run_inspect},
    {0},
};
