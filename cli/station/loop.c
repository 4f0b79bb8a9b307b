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

/* How often a terminal is looked at, and how often new devices are looked for. */
#define DRAW_MS 150
#define LOOK_MS 1000

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

/* Ctrl-C, SIGTERM and a terminal that is closed come as bytes, between two devices. A reader that
 * goes away ends nothing: the devices are finished, and that the output is lost is told. */
static int take_signals(struct station *station)
{
    sigset_t set;
    struct epoll_event event = {.events = EPOLLIN, .data.ptr = NULL};

    (void)sigemptyset(&set);
    (void)sigaddset(&set, SIGINT);
    (void)sigaddset(&set, SIGTERM);
    (void)sigaddset(&set, SIGHUP);
    (void)signal(SIGPIPE, SIG_IGN);
    (void)sigprocmask(SIG_BLOCK, &set, NULL);
    station->epoll = epoll_create1(EPOLL_CLOEXEC);
    station->signals = signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK);
    return station->epoll >= 0 && station->signals >= 0 &&
                   epoll_ctl(station->epoll, EPOLL_CTL_ADD, station->signals, &event) == 0
               ? CLI_OK
               : cli_fail(station->cli, CLI_FAILED, "close other programs",
                          "cannot wait for devices: %s", strerror(errno));
}

/* A unit for each target that has none. Returns an exit code. */
static int add_units(struct station *station)
{
    struct unit **larger =
        realloc(station->units, (station->targets.count + 1) * sizeof *station->units);

    station->units = larger != NULL ? larger : station->units;
    while (larger != NULL && station->unit_count < station->targets.count) {
        struct unit *unit = malloc(sizeof *unit);
        if (unit == NULL) {
            break;
        }
        unit_init(unit, station, station->targets.items[station->unit_count]);
        station->units[station->unit_count++] = unit;
    }
    return station->unit_count == station->targets.count
               ? CLI_OK
               : cli_fail(station->cli, CLI_FAILED, "close other programs", "out of memory");
}

static int set_up(struct station *station)
{
    station->epoll = station->signals = -1;
    station->began_at = ferry_connection_now();
    if (!station->options.wait && station->options.jobs > station->targets.count) {
        station->options.jobs = (uint32_t)station->targets.count;
    }
    raise_limit(station);
    show_begin(station);
    int code = add_units(station);

    return code == CLI_OK ? take_signals(station) : code;
}

static void take_down(struct station *station)
{
    for (size_t i = 0; i < station->unit_count; i++) {
        unit_free(station->units[i]);
        free(station->units[i]);
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
    while (station->cancelled == 0 && station->running < station->options.jobs &&
           station->begun < station->unit_count) {
        struct unit *unit = station->units[station->begun++];
        station->running++;
        unit_begin(unit, ferry_connection_now());
        unit_arm(unit);
    }
}

/* Whether devices are still to come. */
static bool is_waiting(const struct station *station)
{
    return station->options.wait && station->cancelled == 0 &&
           (station->options.count == 0 || station->unit_count < station->options.count);
}

/* Devices that have come since; those that went are forgotten, so that the next one at their place
 * is served as well. Returns an exit code. */
static int look_for_more(struct station *station)
{
    if (ferry_connection_now() < station->look_at) {
        return CLI_OK;
    }
    for (size_t i = 0; i < station->unit_count; i++) {
        if (station->units[i]->phase == UNIT_ENDED) {
            targets_forget_gone(&station->targets, station->units[i]->target);
        }
    }
    int code = targets_look(station->cli, &station->targets);

    station->look_at = ferry_connection_now() + LOOK_MS;
    return code == CLI_OK ? add_units(station) : code;
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
    struct signalfd_siginfo info;
    uint64_t now = ferry_connection_now();

    if (read(station->signals, &info, sizeof info) != sizeof info) {
        return;
    }
    station->cancelled = (int)info.ssi_signo;
    for (size_t i = 0; i < station->unit_count; i++) {
        struct unit *unit = station->units[i];
        if (unit->phase != UNIT_ENDED) {
            unit_cancel(unit, now);
            unit_arm(unit);
        }
    }
}

static uint64_t until(uint64_t at, uint64_t now)
{
    return at > now ? at - now : 0;
}

/* Milliseconds until somebody is due. */
static int wait_ms(const struct station *station)
{
    const struct heap_entry *first = heap_first(&station->timers);
    uint64_t now = ferry_connection_now();
    uint64_t most = station->show.terminal ? DRAW_MS : 60000;
    uint64_t wait = first == NULL ? most : until(first->due, now);

    if (is_waiting(station) && until(station->look_at, now) < wait) {
        wait = until(station->look_at, now);
    }
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
    int code = station->unit_count > 0 ? station->units[0]->exit_code : CLI_OK;

    for (size_t i = 1; i < station->unit_count; i++) {
        if (station->units[i]->exit_code != code) {
            return CLI_SOME;
        }
    }
    return code;
}

/* Until all have ended. Returns an exit code, of the station itself. */
static int serve_all(struct station *station)
{
    int code = CLI_OK;

    begin_more(station);
    while (code == CLI_OK && (station->running > 0 || is_waiting(station))) {
        show_draw(station, ferry_connection_now());
        wait_and_serve(station);
        code = is_waiting(station) ? look_for_more(station) : CLI_OK;
        begin_more(station);
    }
    return code;
}

int station_run(struct station *station)
{
    int code = set_up(station);

    code = code == CLI_OK ? serve_all(station) : code;
    if (code == CLI_OK) {
        code = exit_code_of(station);
        show_end(station, code);
    }
    take_down(station);
    return code;
}
