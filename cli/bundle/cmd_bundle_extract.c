/* SPDX-License-Identifier: Apache-2.0 */
/* ferry bundle extract: the files of a bundle into a folder. */
#include "bundle.h"

#include <limits.h>
#include <sys/stat.h>
#include <unistd.h>

#define EXTRACT_FILES (MANIFEST_FILES + 1)

/* What goes where. */
struct extract {
    const struct cli *cli;
    const struct archive_file *files[EXTRACT_FILES];
    char paths[EXTRACT_FILES][PATH_MAX];
    size_t count;
    size_t written;
};

/* Names are plain: archive_read() takes no others. */
static int add(struct extract *e, const char *folder, const struct archive_file *file)
{
    for (size_t i = 0; i < e->count; i++) {
        if (e->files[i] == file) {
            return CLI_OK; /* named twice */
        }
    }
    char *path = e->paths[e->count];
    struct stat st;
    int n = snprintf(path, PATH_MAX, "%s/%s", folder, file->name);
    if (n < 0 || n >= PATH_MAX) {
        return cli_fail(e->cli, CLI_FAILED, "give a shorter path", "the path %s is too long",
                        folder);
    }
    if (lstat(path, &st) == 0) {
        return cli_fail(e->cli, CLI_FAILED, "give an empty folder, or move it away",
                        "%s exists already", path);
    }
    e->files[e->count++] = file;
    return CLI_OK;
}

static int plan(struct extract *e, const char *folder, struct bundle *bundle)
{
    struct stat st;
    if (stat(folder, &st) != 0 || !S_ISDIR(st.st_mode)) {
        return cli_fail(e->cli, CLI_FAILED, "make the folder first", "%s is no folder", folder);
    }
    int code = add(e, folder, archive_find(&bundle->archive, MANIFEST_NAME));
    for (size_t i = 0; i < bundle->count && code == CLI_OK; i++) {
        code = add(e, folder, bundle->items[i].stored);
    }
    return code;
}

static int write_all(struct extract *e)
{
    int code = CLI_OK;
    for (; e->written < e->count && code == CLI_OK; e->written += code == CLI_OK) {
        const struct archive_file *file = e->files[e->written];
        code = cli_write_file(e->cli, e->paths[e->written], file->data, file->len, 0644);
    }
    for (size_t i = 0; i < e->written && code != CLI_OK; i++) {
        unlink(e->paths[i]);
    }
    return code;
}

static void tell(const struct extract *e, const char *folder)
{
    if (!e->cli->json) {
        printf("%s: %zu files\n", folder, e->count);
        return;
    }
    cJSON *object = cJSON_CreateObject();
    cJSON *files = cJSON_AddArrayToObject(object, "files");
    for (size_t i = 0; i < e->count; i++) {
        cJSON_AddItemToArray(files, cJSON_CreateString(e->paths[i]));
    }
    cli_print_json(object);
}

static int run_extract(struct cli *cli, int argc, char **argv)
{
    static const struct option own[] = {{0}};
    static struct bundle bundle;
    static struct extract e;
    optind = 0;
    if (cli_getopt(cli, argc, argv, "", own) != -1) {
        return CLI_USAGE;
    }
    if (argc - optind != 2) {
        return cli_usage(cli, "bundle extract needs FILE and DIR");
    }
    const char *folder = argv[optind + 1];
    e.cli = cli;
    int code = bundle_read(cli, argv[optind], &bundle);
    if (code != CLI_OK) {
        return code;
    }
    code = plan(&e, folder, &bundle);
    code = code == CLI_OK ? write_all(&e) : code;
    if (code == CLI_OK) {
        tell(&e, folder);
    }
    bundle_free(&bundle);
    return code;
}

const struct cli_command cli_bundle_extract_commands[] = {
    {"bundle extract", "FILE DIR", "write the files of a bundle into a folder", "", run_extract},
    {0},
};
