/* SPDX-License-Identifier: Apache-2.0 */
/* The command of --check: a test of the user's own, between test and confirm. */
#include "update_run.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define LOOK_MS 20

/* How long the port may take to come back after the command. */
#define REOPEN_MS 10000

/* In the child: what the command is told. It answers to nobody on standard input, and what it
 * prints is not the result's. */
static void become_check(const struct update_run *run, const char *hash, const char *version)
{
    int null = open("/dev/null", O_RDONLY);
    setpgid(0, 0);
    signal(SIGINT, SIG_DFL);
    signal(SIGTERM, SIG_DFL);
    setenv("FERRY_DEVICE", run->cli->device, 1);
    setenv("FERRY_HASH", hash, 1);
    setenv("FERRY_VERSION", version, 1);
    if (null < 0 || dup2(null, STDIN_FILENO) < 0 || dup2(STDERR_FILENO, STDOUT_FILENO) < 0) {
        _exit(127);
    }
    execl("/bin/sh", "sh", "-c", run->check, (char *)NULL);
    _exit(127);
}

/* Wait for the child. Returns its exit code, 128 and its signal, or CHECK_TIMED_OUT. */
static int await(const struct update_run *run, pid_t child)
{
    const struct timespec pause = {.tv_nsec = LOOK_MS * 1000000L};
    uint64_t end = ferry_connection_now() + run->check_timeout * 1000ULL;
    bool killed = false;
    int status;
    for (;;) {
        pid_t got = waitpid(child, &status, WNOHANG);
        if (got == child) {
            break;
        }
        if (got < 0 && errno != EINTR) {
            return CHECK_NOT_STARTED;
        }
        if (!killed && (ferry_connection_now() >= end || update_signal() != 0)) {
            kill(-child, SIGKILL);
            kill(child, SIGKILL); /* it may have no group of its own yet */
            killed = true;
        }
        nanosleep(&pause, NULL);
    }
    if (killed) {
        return CHECK_TIMED_OUT;
    }
    return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}

static int run_command(const struct update_run *run)
{
    const struct update_item *item = &run->items[0];
    char hash[2 * FERRY_IMAGE_DIGEST_MAX + 1];
    char version[FERRY_VERSION_TEXT_MAX];
    cli_hex(item->file.info.digest, item->file.info.digest_len, hash);
    ferry_version_text(&item->file.info.header.version, version);
    fflush(NULL);
    pid_t child = fork();
    if (child == 0) {
        become_check(run, hash, version);
    }
    return child > 0 ? await(run, child) : CHECK_NOT_STARTED;
}

/* The port is taken again. What fails here fails with the next request. */
static void take_back(struct update_run *run)
{
    const struct timespec pause = {.tv_nsec = 100000000};
    uint64_t end = ferry_connection_now() + REOPEN_MS;
    int error;

    while ((error = session_reopen(&run->session)) != FERRY_OK && error != FERRY_E_CONFIG &&
           ferry_connection_now() < end && update_signal() == 0) {
        nanosleep(&pause, NULL);
    }
    ferry_update_reconnected(&run->flow, ferry_connection_now());
}

bool update_passes(struct update_run *run)
{
    if (run->check == NULL) {
        return true;
    }
    if (run->check_status == CHECK_NOT_RUN) {
        if (!run->cli->json) {
            fprintf(stderr, "%-8s %s\n", "check", run->check);
        }
        ferry_connection_let_go(run->session.connection);
        run->check_status = run_command(run);
        take_back(run);
    }
    return run->check_status == 0;
}

void update_check_words(const struct update_run *run, char *out, size_t cap)
{
    if (run->check_status == CHECK_TIMED_OUT) {
        snprintf(out, cap, "not done after %u s", (unsigned)run->check_timeout);
    } else if (run->check_status == CHECK_NOT_STARTED) {
        snprintf(out, cap, "the shell could not be started");
    } else {
        snprintf(out, cap, "exit code %d", run->check_status);
    }
}
