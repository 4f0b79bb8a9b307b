/* SPDX-License-Identifier: Apache-2.0 */
#include "targets.h"
#include "port/posix/transport.h"

#include <ctype.h>
#include <glob.h>
#include <limits.h>
#include <search.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

void targets_init(struct targets *targets)
{
    *targets = (struct targets){.root = usb_root()};
}

static void free_target(struct target *target)
{
    if (target != NULL) {
        free(target->uri);
        free(target->name);
        free(target->identity);
        free(target);
    }
}

/* The tree's keys are the targets' own. */
static void leave(void *identity)
{
    (void)identity;
}

void targets_free(struct targets *targets)
{
    tdestroy(targets->seen, leave);
    for (size_t i = 0; i < targets->count; i++) {
        free_target(targets->items[i]);
    }
    for (size_t i = 0; i < targets->word_count; i++) {
        free(targets->words[i]);
    }
    free(targets->items);
    free(targets->words);
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

/* The device file of a serial URI. Returns false for other URIs. */
static bool device_path(const char *uri, char path[PATH_MAX])
{
    if (!is_serial(uri)) {
        return false;
    }
    snprintf(path, PATH_MAX, "%.*s", (int)query_at(path_of(uri)), path_of(uri));
    return true;
}

/* The same without links. */
static bool real_path(const char *uri, char out[PATH_MAX])
{
    char path[PATH_MAX];

    if (!device_path(uri, path)) {
        return false;
    }
    if (realpath(path, out) == NULL) {
        snprintf(out, PATH_MAX, "%s", path);
    }
    return true;
}

/* By what a device is known again: its serial number, else where it is. NULL when memory is out. */
static char *identity_of(const char *uri, const struct ferry_serial_id *port)
{
    char text[PATH_MAX];

    if (port->serial[0] != '\0') {
        snprintf(text, sizeof text, "usb %s:%s:%s:%s", port->vendor, port->product, port->serial,
                 port->interface);
    } else if (!real_path(uri, text)) {
        snprintf(text, sizeof text, "%s", uri);
    }
    return strdup(text);
}

static int out_of_memory(const struct cli *cli)
{
    return cli_fail(cli, CLI_FAILED, "close other programs", "out of memory");
}

/* A target with all its texts, or NULL. */
static struct target *make_target(const struct targets *targets, const char *uri, const char *name)
{
    struct target *target = calloc(1, sizeof *target);
    char path[PATH_MAX];

    if (target == NULL) {
        return NULL;
    }
    if (device_path(uri, path)) {
        (void)ferry_serial_identify(targets->root, path, &target->usb);
        cli_printable(target->usb.serial);
    }
    target->uri = strdup(uri);
    target->name = strdup(name != NULL ? name : uri);
    target->identity = identity_of(uri, &target->usb);
    if (target->uri == NULL || target->name == NULL || target->identity == NULL) {
        free_target(target);
        return NULL;
    }
    cli_printable(target->name);
    return target;
}

static int append(const struct cli *cli, struct targets *targets, struct target *target)
{
    struct target **larger =
        realloc(targets->items, (targets->count + 1) * sizeof targets->items[0]);

    if (larger != NULL) {
        targets->items = larger;
    }
    if (larger == NULL || tsearch(target->identity, &targets->seen, compare) == NULL) {
        free_target(target);
        return out_of_memory(cli);
    }
    targets->items[targets->count++] = target;
    return CLI_OK;
}

static bool is_absent(const char *uri)
{
    char path[PATH_MAX];

    return device_path(uri, path) && access(path, F_OK) != 0;
}

int targets_add_uri(const struct cli *cli, struct targets *targets, const char *uri,
                    const char *name)
{
    struct ferry_transport_address address;
    char why[320];

    if (targets->only_present && is_absent(uri)) {
        return CLI_OK;
    }
    if (ferry_transport_parse(uri, &address, why, sizeof why) != FERRY_OK) {
        return cli_fail(cli, CLI_USAGE, why, "cannot read the URI '%s'", uri);
    }
    struct target *target = make_target(targets, uri, name);

    if (target == NULL) {
        return out_of_memory(cli);
    }
    if (tfind(target->identity, &targets->seen, compare) != NULL) {
        targets->twice++;
        free_target(target);
        return CLI_OK;
    }
    if (targets->count == TARGETS_MAX) {
        free_target(target);
        return cli_fail(cli, CLI_USAGE, "split them among several runs",
                        "more than %d devices are named", TARGETS_MAX);
    }
    return append(cli, targets, target);
}

void targets_forget_gone(struct targets *targets, const struct target *target)
{
    void *found = tfind(target->identity, &targets->seen, compare);

    if (target->usb.serial[0] == '\0' && is_absent(target->uri) && found != NULL &&
        *(char **)found == target->identity) {
        (void)tdelete(target->identity, &targets->seen, compare);
    }
}

void target_find_again(const struct targets *targets, const struct target *target, char *uri,
                       size_t cap)
{
    const char *path = path_of(target->uri);
    char now[PATH_MAX];

    if (target->usb.vendor[0] != '\0' &&
        ferry_serial_find(targets->root, &target->usb, now, sizeof now)) {
        snprintf(uri, cap, "%.*s%s%s", (int)(path - target->uri), target->uri, now,
                 path + query_at(path));
    } else {
        snprintf(uri, cap, "%s", target->uri);
    }
}

/* ---- Serial ports ---------------------------------------------------------------------------- */

/* A pattern means ports: other files that fit it are left out. */
static bool is_port(const char *path)
{
    struct stat found;

    return stat(path, &found) == 0 && S_ISCHR(found.st_mode);
}

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
        code = is_port(found.gl_pathv[i]) ? targets_add_uri(cli, targets, uri, name) : CLI_OK;
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
    char uri[PATH_MAX];

    if (search->code == CLI_OK) {
        snprintf(uri, sizeof uri, "serial:%s/dev/%s%s", search->targets->root, port->tty,
                 search->query);
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
    int error = usb_find(targets->root, pattern, take_usb, &search);
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
    if (strncmp(word, "udp:", 4) == 0 || strncmp(word, "dtls:", 5) == 0) {
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

static int add_words(const struct cli *cli, struct targets *targets, const char *words)
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

int targets_name(const struct cli *cli, struct targets *targets, const char *words)
{
    char **larger = realloc(targets->words, (targets->word_count + 1) * sizeof *larger);
    char *kept = strdup(words);

    targets->words = larger != NULL ? larger : targets->words;
    if (larger == NULL || kept == NULL) {
        free(kept);
        return out_of_memory(cli);
    }
    targets->words[targets->word_count++] = kept;
    return CLI_OK;
}

int targets_look(const struct cli *cli, struct targets *targets)
{
    uint32_t twice = targets->twice;
    int code = CLI_OK;

    for (size_t i = 0; i < targets->word_count && code == CLI_OK; i++) {
        code = add_words(cli, targets, targets->words[i]);
    }
    targets->twice = targets->looked ? twice : targets->twice;
    targets->looked = true;
    return code;
}
