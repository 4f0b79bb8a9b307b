/* SPDX-License-Identifier: Apache-2.0 */
/* Whole files in, whole files out. */
#include "cli.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static bool read_all(FILE *file, struct cli_buffer *buffer)
{
    size_t cap = 0;
    for (;;) {
        if (buffer->len == cap) {
            cap = cap == 0 ? 65536 : cap * 2;
            uint8_t *larger = cap <= CLI_FILE_MAX * 2u ? realloc(buffer->data, cap) : NULL;
            if (larger == NULL) {
                errno = EFBIG;
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

int cli_read_file(const struct cli *cli, const char *path, struct cli_buffer *buffer)
{
    *buffer = (struct cli_buffer){0};
    bool stream = cli_is_stream(path);
    const char *name = stream ? "standard input" : path;
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
    bool good = read_all(file, buffer);
    int error = errno;
    if (!stream) {
        fclose(file);
    }
    if (good && buffer->len <= CLI_FILE_MAX) {
        return CLI_OK;
    }
    cli_buffer_free(buffer);
    if (good || error == EFBIG) {
        return cli_fail(cli, CLI_FAILED, "give a file of at most 64 MiB",
                        "cannot read %s: too large", name);
    }
    return cli_fail(cli, CLI_FAILED, error == EISDIR ? "give a file" : "check where it comes from",
                    "cannot read %s: %s", name, strerror(error));
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

/* Devices and pipes (/dev/stdout) cannot be replaced by a rename. */
static bool is_special(const char *path)
{
    struct stat st;
    return stat(path, &st) == 0 && !S_ISREG(st.st_mode);
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

int cli_write_file(const struct cli *cli, const char *path, const uint8_t *data, size_t len,
                   unsigned mode)
{
    if (cli_is_stream(path)) {
        return write_stream(cli, data, len);
    }
    char temporary[4096];
    bool special = is_special(path);
    int n =
        snprintf(temporary, sizeof temporary, special ? "%s" : "%s.%ld.tmp", path, (long)getpid());
    if (n < 0 || (size_t)n >= sizeof temporary) {
        return cli_fail(cli, CLI_FAILED, "give a shorter path", "the path %s is too long", path);
    }
    int fd =
        open(temporary, special ? O_WRONLY : O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC,
             (mode_t)mode);
    if (fd < 0) {
        return cli_fail(cli, CLI_FAILED, "check the folder and its permissions",
                        "cannot write %s: %s", path, strerror(errno));
    }
    bool good = write_all(fd, data, len);
    good = (special || !is_secret(mode) || fsync(fd) == 0) && good;
    good = close(fd) == 0 && good;
    good = good && (special || rename(temporary, path) == 0);
    if (good) {
        return CLI_OK;
    }
    int error = errno;
    if (!special) {
        unlink(temporary);
    }
    return cli_fail(cli, CLI_FAILED, "make room on the disk, then run it again",
                    "cannot write %s: %s", path, strerror(error));
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
