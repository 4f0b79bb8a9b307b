/* SPDX-License-Identifier: Apache-2.0 */
/* ferry inspect: what an image file, or the dump of a slot, is. */
#include "inspect.h"
#include "inspect_damage.h"

#include "cli/dump/dump_report.h"

#include <string.h>

/* How to look, and what a dump is of: how its strategy uses the slot. */
struct inspect_options {
    const struct ferry_strategy_traits *strategy; /* NULL = not told */
    uint32_t sector;                              /* 0 = not told */
    const char *key_path;                         /* -k; NULL = none */
    const char *secret_path;                      /* -E; NULL = none */
    const char *layout;                           /* FILE is a whole flash; NULL = it is not */
    struct firmware_options part;                 /* of a HEX file */
};

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
                                        {"key", required_argument, NULL, 'k'},
                                        {"encrypt", required_argument, NULL, 'E'},
                                        {"layout", required_argument, NULL, 'l'},
                                        {"range", required_argument, NULL, 'r'},
                                        {0}};
    int option;

    options->part = firmware_image;
    options->part.can_range = true;
    optind = 0;
    while ((option = cli_getopt(cli, argc, argv, "k:E:", own)) != -1) {
        if (option == '?') {
            return CLI_USAGE;
        }
        options->key_path = option == 'k' ? optarg : options->key_path;
        options->layout = option == 'l' ? optarg : options->layout;
        options->secret_path = option == 'E' ? optarg : options->secret_path;
        if (option == 'S' &&
            (cli_number(optarg, 1U << 24, &options->sector) != FERRY_OK || options->sector == 0)) {
            return cli_usage(cli, "--sector takes the bytes a sector has, such as 4096");
        }
        if (option == 'r' && firmware_take_range(cli, optarg, &options->part) != CLI_OK) {
            return CLI_USAGE;
        }
        if (option == 's') {
            options->strategy = ferry_strategy_traits_find(optarg);
            if (options->strategy == NULL) {
                return unknown_strategy(cli, optarg);
            }
        }
    }
    if (options->layout != NULL && (options->secret_path != NULL || options->strategy != NULL ||
                                    options->sector != 0 || options->part.has_range)) {
        return cli_usage(cli, "with --layout the flash has the secrets, and the layout the rest: "
                              "leave out -E, --strategy, --sector and --range");
    }
    if (options->layout != NULL) {
        return argc > optind ? CLI_OK : cli_usage(cli, "inspect --layout needs the dump's FILE");
    }
    return argc - optind == 1 ? CLI_OK : cli_usage(cli, "inspect needs one FILE");
}

/* All there is to say of an image.
 *
 * error  of image_file_look()
 *
 * Returns FERRY_OK, or what is wrong with it; then why says that, too. */
static int inspect(cJSON *object, struct image_file *file, const struct inspect_options *options,
                   const struct key *key, int error, char why[INSPECT_DAMAGE_MAX])
{
    struct inspect_verdict verdict;
    int state = error;
    if (error == FERRY_OK) {
        inspect_verify(file, key, &verdict);
    }
    if (error != FERRY_E_MAGIC) {
        inspect_place(object, file, options->strategy);
        inspect_header(object, &file->info);
        inspect_encryption(object, file);
        inspect_tlvs(object, file);
        inspect_signatures(object, file);
    }
    if (error == FERRY_OK) {
        state = inspect_state(object, file, key, &verdict);
        snprintf(why, INSPECT_DAMAGE_MAX, "%s", ferry_error_text(state));
        if (state == FERRY_OK && file->payload != IMAGE_ENCRYPTED) {
            state = inspect_compression(object, file, key, why);
        }
    } else {
        inspect_damage(file->bytes.data + file->offset, file->bytes.len - file->offset, error, why);
        cJSON_AddStringToObject(object, "digest", "not checked");
        cJSON_AddStringToObject(object, "signature", "not checked");
        cJSON_AddStringToObject(object, "problem", why);
    }
    inspect_trailer(object, file, options->strategy);
    return state;
}

static const char *advise(int error, const char *why)
{
    if (strncmp(why, "truncated", 9) == 0) {
        return "copy it again, whole";
    }
    return error == FERRY_E_MAGIC ? "give a signed image, or the dump of a slot"
                                  : ferry_error_remedy(error);
}

static int finish(const struct cli *cli, const char *path, cJSON *object, int error,
                  const char *why)
{
    char what[512];
    struct inspect_fault fault = {NULL, why, advise(error, why)};
    snprintf(what, sizeof what, "%s does not verify", path);
    fault.what = error != FERRY_OK ? what : NULL;
    return inspect_finish(cli, object, inspect_print, &fault);
}

static int inspect_file(const struct cli *cli, const char *path,
                        const struct inspect_options *options, const struct key *key)
{
    char why[INSPECT_DAMAGE_MAX] = "";
    struct image_file file;
    int error;
    int code = image_file_look(cli, path, &options->part, options->sector, &file, &error);
    if (code != CLI_OK) {
        return code;
    }
    if (options->secret_path != NULL && error == FERRY_OK) {
        code = image_file_decrypt(cli, options->secret_path, &file);
    }
    if (code == CLI_OK) {
        cJSON *object = cJSON_CreateObject();
        cJSON_AddStringToObject(object, "file", path);
        error = inspect(object, &file, options, key, error, why);
        code = finish(cli, path, object, error, why);
    }
    image_file_free(&file);
    return code;
}

static int run_inspect(struct cli *cli, int argc, char **argv)
{
    struct inspect_options options = {0};
    struct key key = {0};
    int code = take_inspect_options(cli, argc, argv, &options);
    if (code == CLI_OK && options.key_path != NULL) {
        code = key_load(cli, options.key_path, &key);
    }
    const struct key *by = options.key_path != NULL ? &key : NULL;
    if (code == CLI_OK) {
        code = options.layout != NULL
                   ? dump_inspect(cli, options.layout, argv + optind, argc - optind, by)
                   : inspect_file(cli, argv[optind], &options, by);
    }
    key_free(&key);
    return code;
}

const struct cli_command cli_inspect_commands[] = {
    {"inspect", "[-k KEY] FILE", "show an image file, the dump of a slot or of a whole flash",
     "  -k, --key KEY        public or private key: whether it signed the image\n"
     "  -E, --encrypt KEY    the device's private key, which decrypts the payload\n"
     "      --layout LAYOUT  FILE is the dump of a whole flash with this layout; NAME=FILE for "
     "each\n"
     "                       of several flash devices\n"
     "      --strategy NAME  how the device uses the slot: swap-move, swap-shift, …\n"
     "      --sector N       bytes a sector has, where the image is one sector up\n"
     "      --range FIRST-LAST  of a HEX file the data at these addresses alone\n",
     run_inspect},
    {0},
};
