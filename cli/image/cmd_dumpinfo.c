/* SPDX-License-Identifier: Apache-2.0 */
/* ferry dumpinfo: imgtool's, for builds and scripts that parse its output. */
#include "dumpinfo.h"
#include "inspect_damage.h"

#include <stdlib.h>
#include <string.h>

struct dumpinfo_options {
    const char *out; /* NULL = standard output */
    bool has_format;
    enum dumpinfo_format format;
};

static int take_format(const struct cli *cli, struct dumpinfo_options *options)
{
    static const char *const names[] = {"human", "yaml", "json"};
    for (int i = 0; i < 3; i++) {
        if (strcmp(optarg, names[i]) == 0) {
            options->has_format = true;
            options->format = (enum dumpinfo_format)i;
            return CLI_OK;
        }
    }
    return cli_fail(cli, CLI_USAGE, "give human, yaml or json", "there is no format '%s'", optarg);
}

static int take_options(struct cli *cli, int argc, char **argv, struct dumpinfo_options *options)
{
    static const struct option own[] = {{"outfile", required_argument, NULL, 'o'},
                                        {"format", required_argument, NULL, 'f'},
                                        {"silent", no_argument, NULL, 's'},
                                        {0}};
    int option;

    optind = 0;
    while ((option = cli_getopt(cli, argc, argv, "o:f:s", own)) != -1) {
        if (option == '?' || (option == 'f' && take_format(cli, options) != CLI_OK)) {
            return CLI_USAGE;
        }
        options->out = option == 'o' ? optarg : options->out;
    }
    if (!options->has_format) {
        options->format = cli->json              ? DUMPINFO_JSON
                          : options->out != NULL ? DUMPINFO_YAML
                                                 : DUMPINFO_HUMAN;
    }
    return argc - optind == 1 ? CLI_OK : cli_usage(cli, "dumpinfo needs one IMAGE");
}

/* The whole output, on the heap; NULL without memory. */
static char *render(const cJSON *info, enum dumpinfo_format format, size_t *len)
{
    char *text = NULL;
    FILE *out = open_memstream(&text, len);
    if (out == NULL) {
        return NULL;
    }
    dumpinfo_write(info, format, out);
    if (fclose(out) != 0) {
        free(text);
        return NULL;
    }
    return text;
}

static int put(const struct cli *cli, const cJSON *info, const struct dumpinfo_options *options)
{
    size_t len = 0;
    char *text = render(info, options->format, &len);
    int code = CLI_OK;
    if (text == NULL) {
        return cli_fail(cli, CLI_FAILED, "free some memory", "cannot write: no memory");
    }
    if (options->out != NULL) {
        code = cli_write_file(cli, options->out, (const uint8_t *)text, len, 0644);
    } else {
        fwrite(text, 1, len, stdout);
        if (options->format == DUMPINFO_JSON) {
            putchar('\n');
        }
    }
    free(text);
    return code;
}

static int refuse(const struct cli *cli, const char *path, const struct image_file *file, int error)
{
    char why[INSPECT_DAMAGE_MAX];
    inspect_damage(file->bytes.data + file->offset, file->bytes.len - file->offset, error, why);
    return cli_fail_why(cli, CLI_VERIFY, why, "ferry inspect shows as much as can be read",
                        "%s is no whole image", path);
}

static int dumpinfo(const struct cli *cli, const char *path, const struct dumpinfo_options *options)
{
    const char *slash = strrchr(path, '/');
    struct image_file file;
    bool trailer = false;
    int error;
    int code = image_file_look(cli, path, &firmware_image, 0, &file, &error);
    if (code != CLI_OK) {
        return code;
    }
    cJSON *info = NULL;
    if (file.offset != 0) {
        file.offset = 0;
        error = FERRY_E_MAGIC;
    } else if (error != FERRY_E_MAGIC && error != FERRY_E_IMAGE_SIZE) {
        info = dumpinfo_read(&file, slash != NULL ? slash + 1 : path, &trailer);
    }
    if (info == NULL) {
        code = refuse(cli, path, &file, error != FERRY_OK ? error : FERRY_E_TLV);
    } else {
        if (!trailer) {
            fprintf(stderr, "ferry: %s does not end in a trailer: its magic is wrong\n", path);
        }
        code = put(cli, info, options);
        cJSON_Delete(info);
    }
    image_file_free(&file);
    return code;
}

static int run_dumpinfo(struct cli *cli, int argc, char **argv)
{
    struct dumpinfo_options options = {0};
    int code = take_options(cli, argc, argv, &options);
    return code == CLI_OK ? dumpinfo(cli, argv[optind], &options) : code;
}

const struct cli_command cli_dumpinfo_commands[] = {
    {"dumpinfo", "[-o FILE] [-f FORMAT] IMAGE", "an image as imgtool shows it, to be parsed",
     "  -o, --outfile FILE   write it there\n"
     "  -f, --format FORMAT  human, yaml or json (default: human; yaml with -o; json with --json)\n"
     "  -s, --silent         ignored, as imgtool does\n",
     run_dumpinfo},
    {0},
};
