/* SPDX-License-Identifier: Apache-2.0 */
/* The command of --check for one device of a station: a process of its own beside the others',
 * while the device's wire is closed. */
#include "station.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

/* So often it is looked whether a command has ended. */
#define LOOK_MS 20

/* ---- The child ---------------------------------------------------------------------------------
 */

static void tell_child(const struct unit *unit)
{
    const struct ferry_image_info *info = &unit->station->file.items[0].file.info;
    char hash[2 * FERRY_IMAGE_DIGEST_MAX + 1];
    char version[FERRY_VERSION_TEXT_MAX];
    char uri[PATH_MAX];

    target_find_again(&unit->station->targets, unit->target, uri, sizeof uri);
    cli_hex(info->digest, info->digest_len, hash);
    ferry_version_text(&info->header.version, version);
    setenv("FERRY_DEVICE", uri, 1);
    setenv("FERRY_HASH", hash, 1);
    setenv("FERRY_VERSION", version, 1);
    setenv("FERRY_NAME", unit->target->name, 1);
    setenv("FERRY_SERIAL_NUMBER", unit->serial, 1);
}

/* It answers to nobody on standard input. What it prints is not the result's, and would stand in
 * the way of what a terminal shows. */
__attribute__((noreturn)) static void become_check(const struct unit *unit)
{
    sigset_t none;
    int null = open("/dev/null", O_RDWR);
    int out = unit->station->show.terminal ? null : STDERR_FILENO;

    (void)sigemptyset(&none);
    (void)sigprocmask(SIG_SETMASK, &none, NULL);
    (void)signal(SIGPIPE, SIG_DFL);
    (void)setpgid(0, 0);
    tell_child(unit);
    if (null < 0 || dup2(null, STDIN_FILENO) < 0 || dup2(out, STDOUT_FILENO) < 0 ||
        dup2(out, STDERR_FILENO) < 0) {
        _exit(127);
    }
    execl("/bin/sh", "sh", "-c", unit->station->options.check, (char *)NULL);
    _exit(127);
}

static void end_child(struct unit_work *work)
{
    (void)kill(-work->child, SIGKILL);
    (void)kill(work->child, SIGKILL); /* it may have no group of its own yet */
}

/* ---- The unit ----------------------------------------------------------------------------------
 */

bool unit_check_begin(struct unit *unit, uint64_t now)
{
    struct unit_work *work = unit->work;

    if (unit->station->options.check == NULL || work->checked) {
        return false;
    }
    work->checked = true;
    fflush(NULL);
    work->child = fork();
    if (work->child == 0) {
        become_check(unit);
    }
    unit->phase = UNIT_CHECKING;
    work->check_by = now + unit->station->options.check_ms;
    unit->try_at = now;
    return true;
}

static int status_of(int status)
{
    return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}

bool unit_check_ended(struct unit *unit, uint64_t now)
{
    struct unit_work *work = unit->work;
    int status = 127 << 8;
    pid_t got = work->child > 0 ? waitpid(work->child, &status, WNOHANG) : -1;

    if (got == 0 && now >= work->check_by && !work->check_late) {
        work->check_late = true;
        end_child(work);
    }
    if (got == 0 || (got < 0 && errno == EINTR)) {
        unit->try_at = now + LOOK_MS;
        return false;
    }
    work->check_status = status_of(status);
    work->child = 0;
    return true;
}

void unit_check_stop(struct unit_work *work)
{
    if (work->child > 0) {
        end_child(work);
        while (waitpid(work->child, NULL, 0) < 0 && errno == EINTR) {
        }
        work->child = 0;
    }
}

/* How the check failed: "exit code 3". */
static void say_status(const struct unit *unit, char *out, size_t cap)
{
    const struct unit_work *work = unit->work;

    if (work->check_late) {
        snprintf(out, cap, "not done after %u s",
                 (unsigned)(unit->station->options.check_ms / 1000));
    } else {
        snprintf(out, cap, "exit code %d", work->check_status);
    }
}

int unit_check_fail(struct unit *unit, const struct ferry_update_event *event)
{
    const char *version = event->running != NULL ? event->running->version : "";
    char words[64];

    say_status(unit, words, sizeof words);
    if (event->error == FERRY_E_REVERTED) {
        return cli_fail_why(&unit->cli, CLI_REVERTED, "the command of --check did not accept it",
                            "find out why the check fails; the device is as it was",
                            "REVERTED: the check failed (%s); the device went back to version %s",
                            words, version);
    }
    return cli_fail_why(&unit->cli, CLI_FAILED, event->text, event->remedy,
                        "the check failed (%s), and the device did not go back", words);
}
