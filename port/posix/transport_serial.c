/* SPDX-License-Identifier: Apache-2.0 */
/* Serial ports by termios: ptys and real ones alike. */
#include "medium.h"

#include <ctype.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/ioctl.h>
#include <termios.h>
#include <unistd.h>

static const struct {
    uint32_t baud;
    speed_t speed;
} speeds[] = {
    {1200, B1200},       {2400, B2400},       {4800, B4800},       {9600, B9600},
    {19200, B19200},     {38400, B38400},     {57600, B57600},     {115200, B115200},
    {230400, B230400},   {460800, B460800},   {500000, B500000},   {576000, B576000},
    {921600, B921600},   {1000000, B1000000}, {1152000, B1152000}, {1500000, B1500000},
    {2000000, B2000000}, {2500000, B2500000}, {3000000, B3000000}, {4000000, B4000000},
};

static bool speed_of(uint32_t baud, speed_t *speed)
{
    for (size_t i = 0; i < sizeof speeds / sizeof speeds[0]; i++) {
        if (speeds[i].baud == baud) {
            *speed = speeds[i].speed;
            return true;
        }
    }
    return false;
}

/* Whether the process has the file open. */
static bool has_open(const char *pid, const char *real_path)
{
    char folder[64];
    bool found = false;
    snprintf(folder, sizeof folder, "/proc/%.20s/fd", pid);
    DIR *fds = opendir(folder);
    if (fds == NULL) {
        return false;
    }
    for (struct dirent *fd; !found && (fd = readdir(fds)) != NULL;) {
        char link[PATH_MAX];
        char target[PATH_MAX];
        snprintf(link, sizeof link, "%s/%.20s", folder, fd->d_name);
        ssize_t len = readlink(link, target, sizeof target - 1);
        if (len > 0) {
            target[len] = '\0';
            found = strcmp(target, real_path) == 0;
        }
    }
    closedir(fds);
    return found;
}

/* Whoever made a pseudo terminal keeps both ends open: that is the device, and no rival. */
static bool is_behind(const char *pid, const char *real_path)
{
    return strncmp(real_path, "/dev/pts/", 9) == 0 &&
           (has_open(pid, "/dev/ptmx") || has_open(pid, "/dev/pts/ptmx"));
}

static void add_holder(const char *pid, char *out, size_t cap)
{
    char path[64];
    char comm[32] = "?";
    size_t len = strlen(out);

    snprintf(path, sizeof path, "/proc/%.20s/comm", pid);
    FILE *file = fopen(path, "r");
    if (file != NULL) {
        if (fgets(comm, sizeof comm, file) != NULL) {
            comm[strcspn(comm, "\n")] = '\0';
        }
        fclose(file);
    }
    snprintf(out + len, cap - len, "%sPID %.20s (%s)", len == 0 ? "" : ", ", pid, comm);
}

void ferry_serial_holders(const char *path, char *out, size_t cap)
{
    char real_path[PATH_MAX];
    out[0] = '\0';
    DIR *proc = realpath(path, real_path) != NULL ? opendir("/proc") : NULL;
    if (proc == NULL) {
        return;
    }
    for (struct dirent *entry; (entry = readdir(proc)) != NULL;) {
        if (isdigit((unsigned char)entry->d_name[0]) &&
            strtol(entry->d_name, NULL, 10) != (long)getpid() &&
            has_open(entry->d_name, real_path) && !is_behind(entry->d_name, real_path)) {
            add_holder(entry->d_name, out, cap);
        }
    }
    closedir(proc);
}

static int open_failed(const char *path, char *why, size_t cap)
{
    int error = errno;
    char holders[160] = "";
    if (error == EBUSY || error == EWOULDBLOCK) {
        ferry_serial_holders(path, holders, sizeof holders);
        snprintf(why, cap, "another program has taken %s%s%s", path,
                 holders[0] != '\0' ? "; it is open in " : "", holders);
        return FERRY_E_BUSY;
    }
    snprintf(why, cap, "%s: %s", path, strerror(error));
    return error == ENOENT || error == ENXIO || error == ENODEV ? FERRY_E_NOT_FOUND : FERRY_E_IO;
}

static int set_raw(int fd, speed_t speed)
{
    struct termios tio;
    if (tcgetattr(fd, &tio) != 0) {
        return -1;
    }
    cfmakeraw(&tio);
    tio.c_cflag |= CLOCAL | CREAD;
    tio.c_cflag &= ~(tcflag_t)(CSTOPB | CRTSCTS | HUPCL);
    tio.c_cc[VMIN] = 1;
    tio.c_cc[VTIME] = 0;
    cfsetispeed(&tio, speed);
    cfsetospeed(&tio, speed);
    return tcsetattr(fd, TCSANOW, &tio);
}

static int open_serial(struct ferry_transport *transport,
                       const struct ferry_transport_address *address, char *why, size_t cap)
{
    speed_t speed;
    if (!speed_of(address->baud, &speed)) {
        snprintf(
            why, cap,
            "baud rate %u is none the system knows; 115200, 230400, 460800, 921600 and 1000000 "
            "are usual ones",
            (unsigned)address->baud);
        return FERRY_E_FORMAT;
    }
    int fd = open(address->path, O_RDWR | O_NOCTTY | O_NONBLOCK | O_CLOEXEC);
    if (fd < 0) {
        return open_failed(address->path, why, cap);
    }
    transport->fd = fd;
    if (!isatty(fd)) {
        snprintf(why, cap, "%s is no serial port", address->path);
        return FERRY_E_NOT_FOUND;
    }
    if (flock(fd, LOCK_EX | LOCK_NB) != 0 || ioctl(fd, TIOCEXCL) != 0) {
        return open_failed(address->path, why, cap);
    }
    if (set_raw(fd, speed) != 0) {
        return open_failed(address->path, why, cap);
    }
    tcflush(fd, TCIFLUSH);
    /* 8N1: ten bits a byte. */
    transport->bytes_per_second = address->baud / 10;
    /* No line feed to end what half line the device may have seen: Zephyr's shell takes a frame
     * only at the beginning of what comes at once. A frame behind half a line ends that itself. */
    return FERRY_OK;
}

static void close_serial(struct ferry_transport *transport)
{
    if (transport->fd >= 0) {
        /* The kernel would wait up to 30 s for bytes that nobody takes. */
        tcflush(transport->fd, TCOFLUSH);
        /* Both hold as long as anybody has it open, a child that is about to run a program, say. */
        ioctl(transport->fd, TIOCNXCL);
        flock(transport->fd, LOCK_UN);
    }
}

static ssize_t write_serial(const struct ferry_transport *transport, const uint8_t *data,
                            size_t len)
{
    return write(transport->fd, data, len);
}

const struct ferry_medium ferry_medium_serial = {
    .open = open_serial, .close = close_serial, .write = write_serial};
