/* SPDX-License-Identifier: Apache-2.0 */
/* A serial port of the chip: a pseudo terminal and a link to it. */
#include "serial.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/inotify.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <termios.h>
#include <unistd.h>

static void make_raw(int fd)
{
    struct termios settings;

    if (tcgetattr(fd, &settings) == 0) {
        cfmakeraw(&settings);
        (void)tcsetattr(fd, TCSANOW, &settings);
    }
}

static int open_terminal(struct serial *serial)
{
    serial->master = posix_openpt(O_RDWR | O_NOCTTY | O_CLOEXEC | O_NONBLOCK);
    if (serial->master < 0 || grantpt(serial->master) != 0 || unlockpt(serial->master) != 0) {
        return FERRY_E_IO;
    }
    if (ptsname_r(serial->master, serial->path, sizeof(serial->path)) != 0) {
        return FERRY_E_IO;
    }
    serial->slave = open(serial->path, O_RDWR | O_NOCTTY | O_CLOEXEC | O_NONBLOCK);
    if (serial->slave < 0) {
        return FERRY_E_IO;
    }
    make_raw(serial->slave);
    serial->watch = inotify_init1(IN_NONBLOCK | IN_CLOEXEC);
    if (serial->watch < 0 ||
        inotify_add_watch(serial->watch, serial->path, IN_OPEN | IN_CLOSE) < 0) {
        return FERRY_E_IO;
    }
    return FERRY_OK;
}

/* Make the link at once: whoever waits for it finds it whole. */
static int make_link(const struct serial *serial, const char *option, char *why, size_t cap)
{
    struct stat status;
    char fresh[4096];

    if (lstat(serial->link, &status) == 0 && !S_ISLNK(status.st_mode)) {
        (void)snprintf(why, cap, "%s %s: this is no link, and would be replaced; name another path",
                       option, serial->link);
        return FERRY_E_IO;
    }
    int len = snprintf(fresh, sizeof(fresh), "%s.%ld", serial->link, (long)getpid());
    if (len < 0 || (size_t)len >= sizeof(fresh) || symlink(serial->path, fresh) != 0 ||
        rename(fresh, serial->link) != 0) {
        (void)snprintf(why, cap,
                       "%s %s: cannot make this link (%s); name a path in a folder that you may "
                       "write to",
                       option, serial->link, strerror(errno));
        (void)unlink(fresh);
        return FERRY_E_IO;
    }
    return FERRY_OK;
}

int serial_open(struct serial *serial, const char *link, const char *option, char *why, size_t cap)
{
    serial->link = NULL;
    serial->master = -1;
    serial->slave = -1;
    serial->watch = -1;
    serial->listeners = 0;
    if (link == NULL) {
        return FERRY_OK;
    }
    if (open_terminal(serial) != FERRY_OK) {
        (void)snprintf(why, cap, "%s: cannot open a pseudo terminal (%s); is /dev/pts there?",
                       option, strerror(errno));
        serial_close(serial);
        return FERRY_E_IO;
    }
    serial->link = link;
    if (make_link(serial, option, why, cap) != FERRY_OK) {
        serial->link = NULL;
        serial_close(serial);
        return FERRY_E_IO;
    }
    return FERRY_OK;
}

static void close_fd(int *fd)
{
    if (*fd >= 0) {
        (void)close(*fd);
        *fd = -1;
    }
}

void serial_close(struct serial *serial)
{
    char target[64];

    if (serial->link != NULL) {
        /* Only if it is still ours. */
        ssize_t len = readlink(serial->link, target, sizeof(target));
        if (len > 0 && (size_t)len == strlen(serial->path) &&
            memcmp(target, serial->path, (size_t)len) == 0) {
            (void)unlink(serial->link);
        }
        serial->link = NULL;
    }
    close_fd(&serial->watch);
    close_fd(&serial->slave);
    close_fd(&serial->master);
}

void serial_read(struct serial *serial, uint64_t now)
{
    uint8_t bytes[4096];
    size_t room = line_room(&serial->rx);
    ssize_t len = read(serial->master, bytes, room < sizeof(bytes) ? room : sizeof(bytes));

    if (len > 0) {
        line_put(&serial->rx, now, bytes, (size_t)len);
    }
}

void serial_write(struct serial *serial, uint64_t now)
{
    uint8_t bytes[4096];
    size_t len;

    while ((len = line_take(&serial->tx, now, bytes, sizeof(bytes))) > 0) {
        serial_look(serial);
        if (serial->listeners > 0) {
            /* A reader that does not keep up loses bytes, as on every serial line. */
            ssize_t written = write(serial->master, bytes, len);
            (void)written;
        }
    }
}

/* The last one has gone: what it left unread, its settings and its lock go with it. */
static void forget_listeners(struct serial *serial)
{
    serial->listeners = 0;
    (void)ioctl(serial->slave, TIOCNXCL);
    (void)tcflush(serial->slave, TCIFLUSH);
    make_raw(serial->slave);
}

void serial_look(struct serial *serial)
{
    _Alignas(struct inotify_event) char events[4096];
    ssize_t len;

    while ((len = read(serial->watch, events, sizeof(events))) > 0) {
        for (ssize_t at = 0; at < len;) {
            struct inotify_event event;
            memcpy(&event, events + at, sizeof(event));
            at += (ssize_t)(sizeof(event) + event.len);
            serial->listeners += (event.mask & IN_OPEN) != 0;
            serial->listeners -= (event.mask & IN_CLOSE) != 0;
            if (serial->listeners <= 0) {
                forget_listeners(serial);
            }
        }
    }
}
