/* SPDX-License-Identifier: Apache-2.0 */
/* Whole files in, whole files out. */
#include "cli.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* Returns false with errno; EFBIG for more than most bytes. */
static bool read_all(FILE *file, size_t most, struct cli_buffer *buffer)
{
    size_t cap = 0;
    for (;;) {
        if (buffer->len > most) {
            errno = EFBIG;
            return false;
        }
        if (buffer->len == cap) {
            cap = cap == 0 ? 65536 : cap * 2;
            uint8_t *larger = realloc(buffer->data, cap);
            if (larger == NULL) {
                return false;
            }
            buffer->data = larger;
        }
        size_t n = fread(buffer->data + buffer->len, 1, cap - buffer->len, file);
        buffer->len += n;
        if (n == 0) {
            return !ferror(file);
        }
    }
}

bool cli_is_stream(const char *path)
{
    return strcmp(path, "-") == 0;
}

int cli_read_up_to(const struct cli *cli, const char *path, uint32_t mebibytes,
                   struct cli_buffer *buffer)
{
    *buffer = (struct cli_buffer){0};
    bool stream = cli_is_stream(path);
    const char *name = stream ? "standard input" : path;
    char next[64] = "check where it comes from";
    if (stream && feof(stdin)) {
        return cli_fail(cli, CLI_USAGE, "give files for the others",
                        "standard input can be read once, and - is named twice");
    }
    FILE *file = stream ? stdin : fopen(path, "rb");
    if (file == NULL) {
        return cli_fail(cli, CLI_FAILED, "check the path and its permissions", "cannot read %s: %s",
                        name, strerror(errno));
    }
    setvbuf(file, NULL, _IONBF, 0); /* no second copy in memory, of keys least of all */
    bool good = read_all(file, (size_t)mebibytes << 20, buffer);
    int error = errno;
    if (!stream) {
        fclose(file);
    }
    if (good) {
        return CLI_OK;
    }
    cli_buffer_free(buffer);
    if (error == EFBIG || error == EISDIR) {
        snprintf(next, sizeof next, "give a file of at most %u MiB", (unsigned)mebibytes);
    }
    return cli_fail(cli, CLI_FAILED, next, "cannot read %s: %s", name,
                    error == EFBIG ? "too large" : strerror(error));
}

int cli_read_file(const struct cli *cli, const char *path, struct cli_buffer *buffer)
{
    return cli_read_up_to(cli, path, CLI_FILE_MAX >> 20, buffer);
}

static bool write_all(int fd, const uint8_t *data, size_t len)
{
    while (len > 0) {
        ssize_t n = write(fd, data, len);
        if (n < 0 && errno != EINTR) {
            return false;
        }
        if (n > 0) {
            data += n;
            len -= (size_t)n;
        }
    }
    return true;
}

/* A secret cannot be made again: it is on the disk before anybody is told that it exists. What is
 * made of other files can; to wait for the disk would be most of the time that signing takes. */
static bool is_secret(unsigned mode)
{
    return (mode & 077) == 0;
}

static int write_stream(const struct cli *cli, const uint8_t *data, size_t len)
{
    fflush(stdout);
    return write_all(STDOUT_FILENO, data, len)
               ? CLI_OK
               : cli_fail(cli, CLI_FAILED, "make room or fix the pipe, then run it again",
                          "cannot write standard output: %s", strerror(errno));
}

/* ---- What is not written over ----------------------------------------------------------- */

#define KEPT_MAX 128 /* more than any command reads */

static struct {
    dev_t device;
    ino_t number;
} kept[KEPT_MAX];
static size_t kept_count;

static bool is_kept(const struct stat *st)
{
    for (size_t i = 0; i < kept_count; i++) {
        if (kept[i].device == st->st_dev && kept[i].number == st->st_ino) {
            return true;
        }
    }
    return false;
}

void cli_keep_file(const char *path)
{
    struct stat st;
    if (!cli_is_stream(path) && kept_count < KEPT_MAX && stat(path, &st) == 0 &&
        S_ISREG(st.st_mode) && !is_kept(&st)) {
        kept[kept_count].device = st.st_dev;
        kept[kept_count++].number = st.st_ino;
    }
}

/* ---- Writing ---------------------------------------------------------------------------- */

/* Where an open file without a name can be found, to be given one. */
#define OPEN_FILES "/proc/self/fd"

/* A file being written: it has no name before it is whole, where the system can do that, so that a
 * killed command leaves nothing; else a name beside its own. */
struct new_file {
    const char *path;
    char temporary[4096];
    bool special; /* path itself is written: a device or a pipe */
    bool named;   /* temporary is there */
    int fd;
};

/* The folder of a path, in its own buffer. */
static const char *folder_of(const char *path, char *folder, size_t size)
{
    const char *slash = strrchr(path, '/');
    size_t len = slash == NULL ? 0 : slash == path ? 1 : (size_t)(slash - path);
    if (len == 0) {
        return ".";
    }
    snprintf(folder, size, "%.*s", (int)len, path);
    return folder;
}

static bool open_new(struct new_file *file, unsigned mode)
{
    char folder[sizeof file->temporary];
    if (file->special) {
        file->fd = open(file->path, O_WRONLY | O_CLOEXEC);
        return file->fd >= 0;
    }
    file->fd = access(OPEN_FILES, X_OK) == 0 ? open(folder_of(file->path, folder, sizeof folder),
                                                    O_TMPFILE | O_WRONLY | O_CLOEXEC, (mode_t)mode)
                                             : -1;
    if (file->fd < 0) {
        file->fd = open(file->temporary, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC,
                        (mode_t)mode);
        file->named = file->fd >= 0;
    }
    return file->fd >= 0;
}

/* Give a whole file its name, in place of what has it. */
static bool publish(struct new_file *file)
{
    char self[64];
    if (file->special) {
        return true;
    }
    if (!file->named) {
        snprintf(self, sizeof self, OPEN_FILES "/%d", file->fd);
        file->named = linkat(AT_FDCWD, self, AT_FDCWD, file->temporary, AT_SYMLINK_FOLLOW) == 0;
    }
    return file->named && rename(file->temporary, file->path) == 0;
}

static int write_new(const struct cli *cli, struct new_file *file, const uint8_t *data, size_t len,
                     unsigned mode)
{
    if (!open_new(file, mode)) {
        return cli_fail(cli, CLI_FAILED, "check the folder and its permissions",
                        "cannot write %s: %s", file->path, strerror(errno));
    }
    bool good = write_all(file->fd, data, len) &&
                (file->special || !is_secret(mode) || fsync(file->fd) == 0) && publish(file);
    int error = errno;
    if (close(file->fd) != 0 && good) {
        good = false;
        error = errno;
    }
    if (!good && file->named) {
        unlink(file->temporary);
    }
    return good ? CLI_OK
                : cli_fail(cli, CLI_FAILED,
                           error == EISDIR ? "give a file"
                                           : "make room on the disk, then run it again",
                           "cannot write %s: %s", file->path, strerror(error));
}

int cli_write_file(const struct cli *cli, const char *path, const uint8_t *data, size_t len,
                   unsigned mode)
{
    struct stat st;
    struct new_file file = {.path = path};
    if (cli_is_stream(path)) {
        return write_stream(cli, data, len);
    }
    bool there = stat(path, &st) == 0;
    if (there && is_kept(&st)) {
        return cli_fail(cli, CLI_USAGE, "give another path for the output",
                        "%s is read by this command, and would be lost", path);
    }
    /* A folder stays what it is: the rename refuses it. */
    file.special = there && !S_ISREG(st.st_mode) && !S_ISDIR(st.st_mode);
    int n = snprintf(file.temporary, sizeof file.temporary, "%s.%ld.tmp", path, (long)getpid());
    if (n < 0 || (size_t)n >= sizeof file.temporary) {
        return cli_fail(cli, CLI_FAILED, "give a shorter path", "the path %s is too long", path);
    }
    return write_new(cli, &file, data, len, mode);
}

FILE *cli_text(const struct cli *cli, const char *out_path)
{
    return cli->piped || cli_is_stream(out_path) ? stderr : stdout;
}

void cli_buffer_free(struct cli_buffer *buffer)
{
    free(buffer->data);
    *buffer = (struct cli_buffer){0};
}
