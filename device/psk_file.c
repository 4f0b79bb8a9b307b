/* SPDX-License-Identifier: Apache-2.0 */
/* A file of pre-shared keys. */
#include "psk_file.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* Past stdio, whose buffers nobody wipes. Returns the length, or below 0. */
static ssize_t read_text(int fd, char *text, size_t cap)
{
    ssize_t len = 0;
    ssize_t got = 0;

    while ((size_t)len < cap && (got = read(fd, text + len, cap - (size_t)len)) > 0) {
        len += got;
    }
    return got < 0 ? -1 : len;
}

/* Returns NULL, or why the file is none to be read. */
static const char *take_text(const char *path, char *text, size_t cap, ssize_t *len)
{
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    const char *wrong = NULL;
    struct stat about;

    if (fd < 0 || fstat(fd, &about) != 0) {
        wrong = strerror(errno);
    } else if ((about.st_mode & (S_IRWXG | S_IRWXO)) != 0) {
        wrong = "others may read it, and it holds keys; chmod 600 it";
    } else {
        *len = read_text(fd, text, cap);
        wrong = *len < 0 ? strerror(errno)
                : (size_t)*len == cap || memchr(text, '\0', (size_t)*len) != NULL
                    ? "this is no file of keys; give lines IDENTITY:HEX"
                    : NULL;
    }
    if (fd >= 0) {
        (void)close(fd);
    }
    return wrong;
}

static int digit(char c)
{
    return c >= '0' && c <= '9'   ? c - '0'
           : c >= 'a' && c <= 'f' ? c - 'a' + 10
           : c >= 'A' && c <= 'F' ? c - 'A' + 10
                                  : -1;
}

/* Bytes of a key in hexadecimal; 0 when it is none. */
static size_t read_hex(const char *hex, uint8_t key[FERRY_DTLS_PSK_MOST])
{
    size_t len = strlen(hex);

    if (len % 2 != 0 || len / 2 < FERRY_DTLS_PSK_LEAST || len / 2 > FERRY_DTLS_PSK_MOST) {
        return 0;
    }
    for (size_t i = 0; i < len; i += 2) {
        int high = digit(hex[i]);
        int low = digit(hex[i + 1]);

        if (high < 0 || low < 0) {
            return 0;
        }
        key[i / 2] = (uint8_t)(high * 16 + low);
    }
    return len / 2;
}

static bool has(const struct psk_file *file, const char *identity)
{
    for (size_t i = 0; i < file->count; i++) {
        if (strcmp(file->list[i].identity, identity) == 0) {
            return true;
        }
    }
    return false;
}

/* Returns NULL, or what is wrong with the line. */
static const char *read_line(struct psk_file *file, char *line)
{
    char *colon = strrchr(line, ':');
    size_t len;

    if (line[0] == '\0' || line[0] == '#') {
        return NULL;
    }
    if (file->count == PSK_FILE_KEYS) {
        return "there are more than 16 keys";
    }
    if (colon == NULL || colon == line || colon - line >= FERRY_DTLS_NAME) {
        return "give IDENTITY:HEX, with an identity of 1 to 95 characters";
    }
    *colon = '\0';
    if (has(file, line)) {
        return "the identity has a key already";
    }
    len = read_hex(colon + 1, file->keys[file->count]);
    if (len == 0) {
        return "give the key in hexadecimal, 16 to 64 bytes";
    }
    file->list[file->count] =
        (struct ferry_dtls_psk){.identity = line, .key = {file->keys[file->count], len}};
    file->count++;
    return NULL;
}

int psk_file_read(struct psk_file *file, const char *path, char *why, size_t cap)
{
    ssize_t len = 0;
    const char *wrong = take_text(path, file->text, PSK_FILE_MAX + 1, &len);
    char *line = file->text;
    unsigned number = 0;

    file->count = 0;
    if (wrong != NULL) {
        (void)snprintf(why, cap, "%s: %s", path, wrong);
        return FERRY_E_NOT_FOUND;
    }
    file->text[len] = '\0';
    while (line != NULL && wrong == NULL) {
        char *next = strchr(line, '\n');

        number++;
        if (next != NULL) {
            *next = '\0';
            next++;
        }
        line[strcspn(line, "\r")] = '\0';
        wrong = read_line(file, line);
        line = next;
    }
    if (wrong != NULL || file->count == 0) {
        (void)snprintf(why, cap, "%s, line %u: %s", path, number,
                       wrong != NULL ? wrong : "there is no key; give lines IDENTITY:HEX");
        return FERRY_E_FORMAT;
    }
    return FERRY_OK;
}

void psk_file_wipe(struct psk_file *file)
{
    ferry_wipe(file, sizeof(*file));
}
