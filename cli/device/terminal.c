/* SPDX-License-Identifier: Apache-2.0 */
#include "terminal.h"

#include "ferry/connection.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <string.h>
#include <unistd.h>

/* Returns whether there is something to read, or the end. */
static bool wait_until(int fd, uint64_t end)
{
    struct pollfd wait = {.fd = fd, .events = POLLIN};
    uint64_t now;
    int ready = 0;

    while (ready <= 0 && (now = ferry_connection_now()) < end) {
        ready = poll(&wait, 1, (int)(end - now));
        if (ready < 0 && errno != EINTR) {
            return false;
        }
    }
    return ready > 0;
}

enum terminal_end terminal_ask_at(int fd, const char *question, char *line, size_t cap,
                                  uint32_t timeout_ms)
{
    uint64_t end = ferry_connection_now() + timeout_ms;
    size_t len = 0;
    char c = '\0';

    if (write(fd, question, strlen(question)) < 0) {
        return TERMINAL_NONE;
    }
    while (c != '\n') {
        if (!wait_until(fd, end)) {
            return TERMINAL_LATE;
        }
        if (read(fd, &c, 1) != 1) {
            return TERMINAL_NONE;
        }
        if (c != '\n' && len + 1 < cap) {
            line[len++] = c;
        }
    }
    line[len] = '\0';
    return TERMINAL_ANSWERED;
}

/* What is said next begins a line, though the question was not answered. */
static volatile sig_atomic_t asking = -1;

static void end_line(int number)
{
    ssize_t n = write(asking, "\n", 1);

    (void)n;
    (void)raise(number); /* as it would have ended without this: SA_RESETHAND */
}

/* Only where it would end the process at once. */
static void watch_interrupt(int fd)
{
    struct sigaction now;
    const struct sigaction ours = {.sa_handler = end_line, .sa_flags = (int)SA_RESETHAND};

    asking = fd;
    if (sigaction(SIGINT, NULL, &now) == 0 && now.sa_handler == SIG_DFL) {
        (void)sigaction(SIGINT, &ours, NULL);
    }
}

static void unwatch_interrupt(void)
{
    struct sigaction now;

    if (sigaction(SIGINT, NULL, &now) == 0 && now.sa_handler == end_line) {
        (void)signal(SIGINT, SIG_DFL);
    }
}

enum terminal_end terminal_ask(const char *question, char *line, size_t cap, uint32_t timeout_ms)
{
    int fd = open("/dev/tty", O_RDWR | O_NOCTTY | O_CLOEXEC);
    enum terminal_end end = TERMINAL_NONE;

    if (fd >= 0) {
        watch_interrupt(fd);
        end = terminal_ask_at(fd, question, line, cap, timeout_ms);
        unwatch_interrupt();
        if (end == TERMINAL_NONE && write(fd, "\n", 1) < 0) {
            /* it is gone */
        }
        close(fd);
    }
    return end;
}
