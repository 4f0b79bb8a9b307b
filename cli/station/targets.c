/* SPDX-License-Identifier: Apache-2.0 */
#include "targets.h"
#include "usb.h"

#include <ctype.h>
#include <glob.h>
#include <limits.h>
#include <search.h>
#include <stdlib.h>
#include <string.h>

void targets_init(struct targets *targets)
{
    *targets = (struct targets){.sys = "/sys"};
}

void targets_free(struct targets *targets)
{
    tdestroy(targets->seen, free);
    for (size_t i = 0; i < targets->count; i++) {
        free(targets->items[i].uri);
        free(targets->items[i].name);
        free(targets->items[i].serial);
    }
    free(targets->items);
    *targets = (struct targets){0};
}

/* ---- The list -------------------------------------------------------------------------------- */

static int compare(const void *a, const void *b)
{
    return strcmp(a, b);
}

/* "serial:", "raw:" or nothing before a path. */
static const char *path_of(const char *uri)
{
    return strncmp(uri, "serial:", 7) == 0 ? uri + 7 : strncmp(uri, "raw:", 4) == 0 ? uri + 4 : uri;
}

static bool is_serial(const char *uri)
{
    return path_of(uri) != uri || strchr(uri, ':') == NULL || uri[0] == '/';
}

/* Where "?baud=…" begins; the end of the text without one. A '?' of a pattern has no name behind.
 */
static size_t query_at(const char *text)
{
    const char *mark = strrchr(text, '?');
    size_t len = mark != NULL ? strspn(mark + 1, "abcdefghijklmnopqrstuvwxyz") : 0;

    return len > 0 && mark[1 + len] == '=' ? (size_t)(mark - text) : strlen(text);
}

/* The device file of a serial URI without links. Returns false for other URIs. */
static bool real_path(const char *uri, char out[PATH_MAX])
{
    char path[PATH_MAX];

    if (!is_serial(uri)) {
        return false;
    }
    snprintf(path, sizeof path, "%.*s", (int)query_at(path_of(uri)), path_of(uri));
    if (realpath(path, out) == NULL) {
        snprintf(out, PATH_MAX, "%s", path);
    }
    return true;
}

/* Whether it was in the list already; if not it is now. */
static bool is_seen(struct targets *targets, const char *uri)
{
    char path[PATH_MAX];
    char *identity = strdup(real_path(uri, path) ? path : uri);
    char **found = identity != NULL ? tsearch(identity, &targets->seen, compare) : NULL;

    if (found != NULL && *found == identity) {
        return false;
    }
    free(identity);
    return true;
}

static void find_serial(const struct targets *targets, const char *uri, struct target *target)
{
    struct usb_port port = {0};
    char path[PATH_MAX];

    if (real_path(uri, path)) {
        (void)usb_port_of(targets->sys, path, &port);
    }
    target->serial = strdup(port.serial);
}

static int out_of_memory(const struct cli *cli)
{
    return cli_fail(cli, CLI_FAILED, "close other programs", "out of memory");
}

int targets_add_uri(const struct cli *cli, struct targets *targets, const char *uri,
                    const char *name)
{
    if (is_seen(targets, uri)) {
        targets->twice++;
        return CLI_OK;
    }
    if (targets->count == TARGETS_MAX) {
        return cli_fail(cli, CLI_USAGE, "split them among several runs",
                        "more than %d devices are named", TARGETS_MAX);
    }
    struct target *larger =
        realloc(targets->items, (targets->count + 1) * sizeof targets->items[0]);
    if (larger == NULL) {
        return out_of_memory(cli);
    }
    targets->items = larger;

    struct target *target = &targets->items[targets->count++];

    *target = (struct target){.uri = strdup(uri), .name = strdup(name != NULL ? name : uri)};
    find_serial(targets, uri, target);
    if (target->uri == NULL || target->name == NULL || target->serial == NULL) {
        return out_of_memory(cli);
    }
    cli_printable(target->name);
    cli_printable(target->serial);
    return CLI_OK;
}

/* ---- Serial ports ---------------------------------------------------------------------------- */

static int add_paths(const struct cli *cli, struct targets *targets, const char *word,
                     const char *name)
{
    const char *rest = path_of(word);
    size_t query = query_at(rest);
    char pattern[PATH_MAX];
    char uri[PATH_MAX + 64];
    int code = CLI_OK;
    glob_t found;

    snprintf(pattern, sizeof pattern, "%.*s", (int)query, rest);
    if (strpbrk(pattern, "*?[") == NULL) {
        return targets_add_uri(cli, targets, word, name);
    }
    if (glob(pattern, 0, NULL, &found) != 0) {
        return CLI_OK;
    }
    for (size_t i = 0; i < found.gl_pathc && code == CLI_OK; i++) {
        snprintf(uri, sizeof uri, "%.*s%s%s", (int)(rest - word), word, found.gl_pathv[i],
                 rest + query);
        code = targets_add_uri(cli, targets, uri, name);
    }
    globfree(&found);
    return code;
}

/* ---- USB ------------------------------------------------------------------------------------- */

struct usb_search {
    const struct cli *cli;
    struct targets *targets;
    const char *query;
    const char *name;
    int code;
};

static void take_usb(void *context, const struct usb_port *port)
{
    struct usb_search *search = context;
    char uri[128];

    if (search->code == CLI_OK) {
        snprintf(uri, sizeof uri, "serial:/dev/%s%s", port->tty, search->query);
        search->code = targets_add_uri(search->cli, search->targets, uri, search->name);
    }
}

static int add_usb(const struct cli *cli, struct targets *targets, const char *word,
                   const char *name)
{
    size_t query = query_at(word);
    char pattern[160];
    struct usb_search search = {
        .cli = cli, .targets = targets, .query = word + query, .name = name, .code = CLI_OK};

    snprintf(pattern, sizeof pattern, "%.*s", (int)(query - 4), word + 4);
    int error = usb_find(targets->sys, pattern, take_usb, &search);
    if (error == FERRY_E_FORMAT) {
        return cli_fail(cli, CLI_USAGE,
                        "write usb:VID:PID, usb:VID:PID:SERIAL or usb:VID:PID:SERIAL:INTERFACE; * "
                        "stands for any",
                        "cannot read '%s'", word);
    }
    return search.code;
}

/* ---- Words ----------------------------------------------------------------------------------- */

static int add_file(const struct cli *cli, struct targets *targets, const char *path);

/* One word. name NULL: devices are named by their URIs. */
static int add_word(const struct cli *cli, struct targets *targets, const char *word,
                    const char *name)
{
    if (word[0] == '@' && name == NULL) {
        return add_file(cli, targets, word + 1);
    }
    if (strncmp(word, "usb:", 4) == 0) {
        return add_usb(cli, targets, word, name);
    }
    if (strncmp(word, "udp:", 4) == 0) {
        return targets_add_udp(cli, targets, word, name);
    }
    return is_serial(word) ? add_paths(cli, targets, word, name)
                           : targets_add_uri(cli, targets, word, name);
}

static char *trimmed(char *text)
{
    text += strspn(text, " \t\r");
    size_t len = strlen(text);
    while (len > 0 && isspace((unsigned char)text[len - 1])) {
        text[--len] = '\0';
    }
    return text;
}

/* "URI", or "URI a name for people". */
static int add_line(const struct cli *cli, struct targets *targets, char *line, const char *path,
                    unsigned number)
{
    size_t before = targets->count;
    char *word = trimmed(line);
    size_t len = strcspn(word, " \t");
    char *name = word[len] != '\0' ? trimmed(word + len) : NULL;

    if (word[0] == '\0' || word[0] == '#') {
        return CLI_OK;
    }
    word[len] = '\0';
    if (word[0] == '@') {
        return cli_fail(cli, CLI_USAGE, "name its devices here",
                        "%s, line %u: a list names no other list", path, number);
    }
    int code = add_word(cli, targets, word, name != NULL ? name : NULL);
    if (code == CLI_OK && name != NULL && targets->count > before + 1) {
        return cli_fail(cli, CLI_USAGE, "leave the name out, or give each a line",
                        "%s, line %u: %zu devices have one name", path, number,
                        targets->count - before);
    }
    return code;
}

static int add_file(const struct cli *cli, struct targets *targets, const char *path)
{
    struct cli_buffer buffer;
    unsigned number = 0;
    int code = cli_read_file(cli, path, &buffer);
    char *text = code == CLI_OK ? strndup((const char *)buffer.data, buffer.len) : NULL;
    char *rest = text;

    if (code != CLI_OK) {
        return code;
    }
    cli_buffer_free(&buffer);
    for (char *line; code == CLI_OK && (line = strsep(&rest, "\n")) != NULL;) {
        code = add_line(cli, targets, line, path, ++number);
    }
    free(text);
    return code;
}

int targets_add(const struct cli *cli, struct targets *targets, const char *words)
{
    char *text = strdup(words);
    char *rest = text;
    int code = text != NULL ? CLI_OK : out_of_memory(cli);

    for (char *word; code == CLI_OK && (word = strsep(&rest, ",")) != NULL;) {
        if (*trimmed(word) != '\0') {
            code = add_word(cli, targets, trimmed(word), NULL);
        }
    }
    free(text);
    return code;
}
