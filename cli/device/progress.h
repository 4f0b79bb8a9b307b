/* SPDX-License-Identifier: Apache-2.0 */
/* Progress of a transfer on standard error: a bar on a terminal, plain lines otherwise. */
#ifndef CLI_DEVICE_PROGRESS_H
#define CLI_DEVICE_PROGRESS_H

#include <stdbool.h>
#include <stdint.h>

struct progress {
    const char *label;
    bool terminal;
    bool quiet;
    uint64_t begin_ms;
    uint64_t shown_ms;
    uint32_t begin_done; /* what was there at the beginning: not counted as speed */
    uint32_t shown_tenth;
    uint32_t
        erase_ms;  /* until the first answer the device erases, so long at most; 0 = it does not */
    uint32_t done; /* shown last */
    bool told_silence;
    bool begun;
};

/* quiet: show nothing. label must outlive the progress. */
void progress_init(struct progress *progress, const char *label, bool quiet);

/* What is there already: done of total bytes. Speed and tenths count from here on. */
void progress_resume(struct progress *progress, uint32_t done, uint32_t total);

/* Show done of total bytes: at most ten times a second on a terminal, every tenth otherwise. */
void progress_show(struct progress *progress, uint32_t done, uint32_t total);

/* Say once that nothing was heard for some seconds, and that it is again. heard_ms: when a packet
 * came last (session.heard_ms). */
void progress_silence(struct progress *progress, uint64_t heard_ms);

/* How long to wait at most until progress_silence() is called again, in milliseconds. */
#define PROGRESS_LOOK_MS 500

/* End the line; what follows is said by others. */
void progress_close(struct progress *progress, uint32_t done, uint32_t total);

/* End the line; says bytes, seconds and speed. */
void progress_end(struct progress *progress, uint32_t done, uint32_t total);

/* Bytes per second so far. */
double progress_speed(const struct progress *progress, uint32_t done);

#endif
