/* SPDX-License-Identifier: Apache-2.0 */
/* The event loop of a station: whose wire has bytes, whose time has come. */
#include "station.h"

#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/resource.h>
#include <sys/signalfd.h>
#include <unistd.h>

#define EVENTS_MAX 256

/* Descriptors beside those of the devices. */
#define OTHER_FILES 32

/* How often a terminal is looked at. */
#define DRAW_MS 150

/* ---- Set-up
 * -------------------------------------------------------------------------------------- */

/* Let the process have a descriptor for each device at once. */
static void raise_limit(struct station *station)
{
    struct rlimit limit;
    rlim_t need = (rlim_t)station->options.jobs + OTHER_FILES;

    if (getrlimit(RLIMIT_NOFILE, &limit) != 0 || limit.rlim_cur >= need) {
        return;
    }
    limit.rlim_cur = need < limit.rlim_max ? need : limit.rlim_max;
    (void)setrlimit(RLIMIT_NOFILE, &limit);
    if (limit.rlim_cur < need && limit.rlim_cur > OTHER_FILES) {
        station->options.jobs = (uint32_t)(limit.rlim_cur - OTHER_FILES);
        fprintf(stderr,
                "ferry: %u devices at once: the system's limit of open files (ulimit -n) "
                "allows no more\n",
                (unsigned)station->options.jobs);
    }
}

/* Ctrl-C and SIGTERM come as bytes, between two devices. */
static int take_signals(struct station *station)
{
    sigset_t set;
    struct epoll_event event = {.events = EPOLLIN, .data.ptr = NULL};

    (void)sigemptyset(&set);
    (void)sigaddset(&set, SIGINT);
    (void)sigaddset(&set, SIGTERM);
    (void)sigprocmask(SIG_BLOCK, &set, NULL);
    station->epoll = epoll_create1(EPOLL_CLOEXEC);
    station->signals = signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK);
    return station->epoll >= 0 && station->signals >= 0 &&
                   epoll_ctl(station->epoll, EPOLL_CTL_ADD, station->signals, &event) == 0
               ? CLI_OK
               : cli_fail(station->cli, CLI_FAILED, "close other programs",
                          "cannot wait for devices: %s", strerror(errno));
}

static int set_up(struct station *station)
{
    station->epoll = station->signals = -1;
    station->began_at = ferry_connection_now();
    if (station->options.jobs > station->targets.count) {
        station->options.jobs = (uint32_t)station->targets.count;
    }
    raise_limit(station);
    station->units = calloc(station->targets.count, sizeof *station->units);
    if (station->units == NULL) {
        return cli_fail(station->cli, CLI_FAILED, "close other programs", "out of memory");
    }
    for (size_t i = 0; i < station->targets.count; i++) {
        unit_init(&station->units[i], station, &station->targets.items[i]);
    }
    show_begin(station);
    return take_signals(station);
}

static void take_down(struct station *station)
{
    for (size_t i = 0; station->units != NULL && i < station->targets.count; i++) {
        unit_free(&station->units[i]);
    }
    free(station->units);
    heap_free(&station->timers);
    if (station->signals >= 0) {
        (void)close(station->signals);
    }
    if (station->epoll >= 0) {
        (void)close(station->epoll);
    }
}

/* ---- The loop -------------------------------------------------------------------------------- */

static void serve(struct unit *unit, uint64_t now)
{
    unit_work(unit, now);
    unit_arm(unit);
}

/* As many as may run at once. */
static void begin_more(struct station *station)
{
    while (!station->cancelled && station->running < station->options.jobs &&
           station->begun < station->targets.count) {
        struct unit *unit = &station->units[station->begun++];
        station->running++;
        unit_begin(unit, ferry_connection_now());
        unit_arm(unit);
    }
}

static void serve_due(struct station *station)
{
    uint64_t now = ferry_connection_now();

    for (struct heap_entry *first; (first = heap_first(&station->timers)) != NULL;) {
        if (first->due > now) {
            break;
        }
        serve((struct unit *)first, now);
        if (first->at != 0 && first->due <= now) {
            /* It has more to do: after the others. */
            (void)heap_set(&station->timers, first, now + 1);
        }
    }
}

/* Nothing new is begun; what is under way is given up. */
static void cancel_all(struct station *station)
{
    uint64_t now = ferry_connection_now();

    station->cancelled = true;
    for (size_t i = 0; i < station->targets.count; i++) {
        struct unit *unit = &station->units[i];
        if (unit->phase != UNIT_ENDED) {
            unit_cancel(unit, now);
            unit_arm(unit);
        }
    }
}

/* Milliseconds until somebody is due. */
static int wait_ms(const struct station *station)
{
    const struct heap_entry *first = heap_first(&station->timers);
    uint64_t now = ferry_connection_now();
    uint64_t most = station->show.terminal ? DRAW_MS : 60000;
    uint64_t wait = first == NULL ? most : first->due > now ? first->due - now : 0;

    return (int)(wait < most ? wait : most);
}

static void wait_and_serve(struct station *station)
{
    struct epoll_event events[EVENTS_MAX];
    int count = epoll_wait(station->epoll, events, EVENTS_MAX, wait_ms(station));
    uint64_t now = ferry_connection_now();

    for (int i = 0; i < count; i++) {
        struct unit *unit = events[i].data.ptr;
        if (unit == NULL) {
            cancel_all(station);
            return;
        }
        if (unit->phase != UNIT_ENDED) {
            serve(unit, now);
        }
    }
    serve_due(station);
}

/* The exit code of all: their own where all failed in the same way. */
static int exit_code_of(const struct station *station)
{
    int code = station->targets.count > 0 ? station->units[0].exit_code : CLI_OK;

    for (size_t i = 1; i < station->targets.count; i++) {
        if (station->units[i].exit_code != code) {
            return CLI_SOME;
        }
    }
    return code;
}

int station_run(struct station *station)
{
    int code = set_up(station);

    if (code == CLI_OK) {
        begin_more(station);
        while (station->running > 0) {
            show_draw(station, ferry_connection_now());
            wait_and_serve(station);
            begin_more(station);
        }
        code = exit_code_of(station);
        show_end(station, code);
    }
    take_down(station);
    return code;
}
