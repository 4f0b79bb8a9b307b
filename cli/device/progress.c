/* SPDX-License-Identifier: Apache-2.0 */
#include "progress.h"

#include "ferry/connection.h"

#include <stdio.h>
#include <sys/ioctl.h>
#include <unistd.h>

/* A silence that a user is told of. */
#define SILENCE_MS 5000U

/* A transfer that took less has no speed to speak of. */
#define SPEED_MIN_MS 50

void progress_init(struct progress *progress, const char *label, bool quiet)
{
    *progress =
        (struct progress){.label = label, .quiet = quiet, .terminal = isatty(STDERR_FILENO) == 1};
}

double progress_speed(const struct progress *progress, uint32_t done)
{
    double seconds = (double)(ferry_connection_now() - progress->begin_ms) / 1000.0;
    double bytes = done > progress->begin_done ? (double)(done - progress->begin_done) : 0;
    return seconds > 0.001 ? bytes / seconds : 0;
}

static unsigned columns(void)
{
    struct winsize size;
    return ioctl(STDERR_FILENO, TIOCGWINSZ, &size) == 0 && size.ws_col > 0 ? size.ws_col : 80;
}

static void show_bar(const struct progress *progress, uint32_t done, uint32_t total)
{
    double speed = progress_speed(progress, done);
    unsigned percent = total > 0 ? (unsigned)((uint64_t)done * 100 / total) : 100;
    unsigned width = columns() > 50 ? columns() - 48 : 10;
    char left[16] = "--:--";

    width = width > 40 ? 40 : width;
    if (speed > 0) {
        unsigned seconds = (unsigned)((double)(total - done) / speed + 0.5);
        snprintf(left, sizeof left, "%02u:%02u", seconds / 60 % 100, seconds % 60);
    }
    fprintf(stderr, "\r%s [", progress->label);
    for (unsigned i = 0; i < width; i++) {
        fputc(i < percent * width / 100 ? '#' : '-', stderr);
    }
    fprintf(stderr, "] %3u %%  %6.1f KiB/s  %s left \x1b[K", percent, speed / 1024.0, left);
}

void progress_resume(struct progress *progress, uint32_t done, uint32_t total)
{
    if (!progress->begun) {
        progress->begun = true;
        progress->begin_ms = ferry_connection_now();
    }
    progress->begin_done = done;
    progress->shown_tenth = total > 0 ? (uint32_t)((uint64_t)done * 10 / total) : 10;
    if (!progress->quiet) {
        fprintf(stderr, "%s%s: continuing at %u %%\n", progress->terminal ? "\r" : "",
                progress->label, total > 0 ? (unsigned)((uint64_t)done * 100 / total) : 100);
    }
}

void progress_show(struct progress *progress, uint32_t done, uint32_t total)
{
    uint64_t now = ferry_connection_now();
    progress->done = done;
    if (progress->quiet) {
        return;
    }
    if (!progress->begun) {
        progress->begun = true;
        progress->begin_ms = now;
        progress->begin_done = done;
    }
    if (progress->terminal && done == 0 && progress->erase_ms > 0) {
        fprintf(stderr, "\r%s: erasing, up to %u s\x1b[K", progress->label,
                (unsigned)(progress->erase_ms / 1000));
        return;
    }
    if (progress->terminal) {
        if (now - progress->shown_ms >= 100) {
            progress->shown_ms = now;
            show_bar(progress, done, total);
        }
        return;
    }
    uint32_t tenth = total > 0 ? (uint32_t)((uint64_t)done * 10 / total) : 10;
    if (tenth > progress->shown_tenth) {
        progress->shown_tenth = tenth;
        fprintf(stderr, "%s: %u %%", progress->label, (unsigned)tenth * 10);
        if (now - progress->begin_ms >= 200) { /* before that a speed says nothing */
            fprintf(stderr, ", %.1f KiB/s", progress_speed(progress, done) / 1024.0);
        }
        fputc('\n', stderr);
    }
}

void progress_silence(struct progress *progress, uint64_t heard_ms)
{
    uint64_t silent = ferry_connection_now() - heard_ms;
    bool is_silent = silent >= SILENCE_MS;
    if (is_silent == progress->told_silence) {
        return;
    }
    progress->told_silence = is_silent;
    if (progress->terminal && progress->begun && !progress->quiet) {
        fputc('\n', stderr);
    }
    if (!is_silent) {
        fputs("ferry: the device answers again\n", stderr);
        return;
    }
    fprintf(stderr, "ferry: no answer for %u s; %s\n", SILENCE_MS / 1000,
            progress->done == 0 && progress->erase_ms > 0
                ? "the device may be erasing its slot; waiting"
                : "sending again");
}

void progress_close(struct progress *progress, uint32_t done, uint32_t total)
{
    if (!progress->quiet && progress->begun && progress->terminal) {
        show_bar(progress, done, total);
        fputc('\n', stderr);
    }
}

void progress_end(struct progress *progress, uint32_t done, uint32_t total)
{
    uint64_t ms = ferry_connection_now() - progress->begin_ms;
    progress_close(progress, done, total);
    if (progress->quiet || !progress->begun || done != total) {
        return;
    }
    fprintf(stderr, "%s: %u bytes", progress->label, (unsigned)(done - progress->begin_done));
    if (ms >= SPEED_MIN_MS) {
        fprintf(stderr, " in %.1f s, %.2f KiB/s", (double)ms / 1000.0,
                progress_speed(progress, done) / 1024.0);
    }
    fputc('\n', stderr);
}
