/* SPDX-License-Identifier: Apache-2.0 */
/* One device of a station: its flow, the wire that goes and comes back, another try. */
#include "station.h"
#include "cli/update/update_fail.h"

#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <unistd.h>

/* Answers taken of one device before the others have their turn. */
#define TURNS 32

/* Between two tries to open a wire again. */
#define REOPEN_MS 200

/* A wire that breaks so soon after it was opened is left in peace for as long. */
#define BROKE_SOON_MS 1000

/* How long a broken wire may stay away, and one that the command of --check has used. */
#define REOPEN_LIMIT_MS 60000
#define CHECK_REOPEN_MS 10000

/* What the station asks itself stands behind something else: who has no answer soon has none. */
#define ASK_MS 10000

/* Before the second try, doubled for each further one, up to the most. */
#define REST_MS     1000
#define REST_MAX_MS 30000

/* ---- The wire -------------------------------------------------------------------------------- */

static void unregister(struct unit *unit)
{
    struct unit_work *work = unit->work;

    if (work->registered >= 0) {
        (void)epoll_ctl(unit->station->epoll, EPOLL_CTL_DEL, work->registered, NULL);
        work->registered = -1;
    }
}

static void watch(struct unit *unit)
{
    struct unit_work *work = unit->work;
    int fd = ferry_connection_fd(work->session.connection);
    struct epoll_event event = {
        .events = (uint32_t)ferry_connection_events(work->session.connection), .data.ptr = unit};

    if (fd != work->registered) {
        unregister(unit);
        if (fd >= 0 && epoll_ctl(unit->station->epoll, EPOLL_CTL_ADD, fd, &event) == 0) {
            work->registered = fd;
            work->events = event.events;
        }
    } else if (fd >= 0 && event.events != work->events &&
               epoll_ctl(unit->station->epoll, EPOLL_CTL_MOD, fd, &event) == 0) {
        work->events = event.events;
    }
}

static uint64_t earlier(uint64_t a, uint64_t b)
{
    return a < b ? a : b;
}

static uint64_t due_of(const struct unit *unit)
{
    const struct unit_work *work = unit->work;

    switch (unit->phase) {
    case UNIT_RUNNING:
        return earlier(ferry_connection_deadline(work->session.connection),
                       ferry_update_deadline(&work->flow));
    case UNIT_ASKING:
        return earlier(ferry_connection_deadline(work->session.connection), work->ask_by);
    case UNIT_AWAY:
    case UNIT_CHECKING:
    case UNIT_RESTING:
        return unit->try_at;
    case UNIT_QUEUED:
    case UNIT_ENDED:
        break;
    }
    return HEAP_NEVER;
}

static uint64_t limit_of(const struct unit *unit)
{
    uint32_t limit_ms = unit->station->options.limit_ms;

    return limit_ms != 0 && unit->phase != UNIT_QUEUED && unit->phase != UNIT_ENDED
               ? unit->began_at + limit_ms
               : HEAP_NEVER;
}

void unit_arm(struct unit *unit)
{
    bool open = unit->phase == UNIT_RUNNING || unit->phase == UNIT_ASKING;

    if (open) {
        watch(unit);
    }
    (void)heap_set(&unit->station->timers, &unit->timer, earlier(due_of(unit), limit_of(unit)));
}

static void count_packets(struct unit *unit)
{
    const struct ferry_client *client = unit->work->session.client;

    unit->retransmitted += client != NULL ? client->stats.retransmitted : 0;
}

/* Close all that work needs. */
static void close_work(struct unit *unit)
{
    if (unit->work != NULL) {
        unit_check_stop(unit->work);
        unregister(unit);
        if (unit->work->session.connection != NULL) {
            count_packets(unit);
            session_close(&unit->work->session);
        }
        free(unit->work);
        unit->work = NULL;
    }
}

/* ---- Begin and end --------------------------------------------------------------------------- */

static void keep(char **text, const char *words)
{
    free(*text);
    *text = words[0] != '\0' ? strdup(words) : NULL;
    if (*text != NULL) {
        cli_printable(*text);
    }
}

static void take_message(void *context, const struct cli_failure *failure)
{
    struct unit *unit = context;

    keep(&unit->what, failure->what);
    keep(&unit->why, failure->why);
    keep(&unit->remedy, failure->next);
}

void unit_init(struct unit *unit, struct station *station, const struct target *target)
{
    *unit = (struct unit){.station = station, .target = target, .cli = *station->cli};
    unit->cli.device = target->uri;
    unit->cli.told = take_message;
    unit->cli.told_context = unit;
    snprintf(unit->serial, sizeof unit->serial, "%s", target->usb.serial);
}

void unit_free(struct unit *unit)
{
    close_work(unit);
    free(unit->what);
    free(unit->why);
    free(unit->remedy);
}

void unit_end(struct unit *unit, enum unit_verdict verdict, int exit_code, uint64_t now)
{
    struct station *station = unit->station;

    close_work(unit);
    unit->phase = UNIT_ENDED;
    unit->verdict = verdict;
    unit->exit_code = exit_code;
    unit->ended_at = now;
    station->running--;
    station->ended[verdict]++;
    show_unit_end(station, unit);
}

/* What another try may mend: a port that is busy or late, a device that was silent. */
static bool may_pass(int exit_code)
{
    return exit_code == CLI_OPEN || exit_code == CLI_NO_ANSWER;
}

/* The try failed, and why is told. */
static void end_try(struct unit *unit, int exit_code, uint64_t now)
{
    uint32_t doublings = unit->tries - 1;

    if (!may_pass(exit_code) || unit->tries > unit->station->options.retries) {
        unit_end(unit, UNIT_FAILED, exit_code, now);
        return;
    }
    uint64_t rest = doublings < 5 ? (uint64_t)REST_MS << doublings : REST_MAX_MS;

    close_work(unit);
    unit->phase = UNIT_RESTING;
    unit->try_at = now + rest;
}

void unit_tell_failure(struct unit *unit, const struct ferry_update_event *event,
                       const struct ferry_why *why, uint64_t now)
{
    const struct update_failure failure = {.session = &unit->work->session,
                                           .event = event,
                                           .flow = &unit->work->flow,
                                           .version = &unit_item(unit)->file.info.header.version,
                                           .size = unit_size(unit),
                                           .why = why};

    end_try(unit, update_fail(&failure), now);
}

/* Returns whether there is one, or it failed. */
static bool start_flow(struct unit *unit, uint64_t now)
{
    struct unit_work *work = unit->work;
    struct ferry_update_config config;

    if (!unit_next_flow(unit, &config)) {
        return false;
    }
    config.client = work->session.client;
    config.link = session_link(&work->session);
    unit->acked = 0;
    unit->phase = UNIT_RUNNING;
    int error = ferry_update_start(&work->flow, &config);
    if (error != FERRY_OK) {
        end_try(unit, cli_fail_error(&unit->cli, CLI_USAGE, error, "cannot update"), now);
    }
    return true;
}

void unit_begin(struct unit *unit, uint64_t now)
{
    unit->tries++;
    unit->step = FERRY_UPDATE_HELLO;
    unit->leg = 0;
    if (unit->tries == 1) {
        unit->began_at = now;
        show_unit_begin(unit->station, unit);
    }
    unit->work = calloc(1, sizeof *unit->work);
    if (unit->work == NULL) {
        unit_end(unit, UNIT_FAILED,
                 cli_fail(&unit->cli, CLI_FAILED, "use fewer --jobs", "out of memory"), now);
        return;
    }
    unit->work->registered = -1;
    int code = session_connect(&unit->cli, &unit->work->session);
    if (code != CLI_OK) {
        end_try(unit, code, now);
        return;
    }
    (void)start_flow(unit, now);
    unit_work(unit, now);
}

/* ---- Away ------------------------------------------------------------------------------------ */

/* The wire is opened again, at once or as soon as it can be. */
static void go_away(struct unit *unit, uint64_t now, uint32_t wait_ms)
{
    unit->phase = UNIT_AWAY;
    unit->work->reopen_by = now + wait_ms;
    unit->try_at = now;
}

/* A cable was pulled, or the wire went by itself. */
static void broke(struct unit *unit, uint64_t now)
{
    const struct unit_work *work = unit->work;
    bool soon = work->reopened_at != 0 && now < work->reopened_at + BROKE_SOON_MS;
    const char *next;

    /* A wire that says why before the device was met, as one of DTLS with a wrong key, does not
     * mend by itself. */
    if (!work->flow.ready && ferry_connection_broken(work->session.connection, &next)[0] != '\0') {
        ferry_update_stop(&unit->work->flow, FERRY_E_IO);
        return;
    }
    go_away(unit, now, REOPEN_LIMIT_MS);
    unit->try_at = soon ? now + BROKE_SOON_MS : now;
}

static void reopen(struct unit *unit, uint64_t now)
{
    struct unit_work *work = unit->work;

    unregister(unit);
    int error = session_reopen(&work->session);
    if (error == FERRY_OK) {
        unit->phase = UNIT_RUNNING;
        work->reopened_at = now;
        ferry_update_reconnected(&work->flow, now);
        if (work->check_status != 0) {
            ferry_update_reject(&work->flow);
        }
    } else if (error == FERRY_E_CONFIG || now >= work->reopen_by) {
        unit->phase = UNIT_RUNNING;
        ferry_update_stop(&work->flow, FERRY_E_IO);
    } else {
        unit->try_at = now + REOPEN_MS;
    }
}

/* The new image runs: the command of --check judges it, and may use the wire meanwhile. */
static void judge(struct unit *unit, uint64_t now)
{
    if (unit->station->options.check != NULL && !unit->work->checked) {
        unregister(unit);
        ferry_connection_let_go(unit->work->session.connection);
    }
    (void)unit_check_begin(unit, now);
}

static void work_checking(struct unit *unit, uint64_t now)
{
    if (unit_check_ended(unit, now)) {
        go_away(unit, now, CHECK_REOPEN_MS);
    }
}

/* ---- The flow -------------------------------------------------------------------------------- */

/* Ask the bootloader what it knows of the failure; its answer, or none, ends the try. */
static void ask_why(struct unit *unit, const struct ferry_update_event *event, uint64_t now)
{
    struct unit_work *work = unit->work;

    ferry_client_cancel_all(work->session.client);
    work->failure = *event;
    work->asks_serial = false;
    work->ticket = ferry_command_why(work->session.client, unit_item(unit)->image, NULL);
    work->ask_by = now + ASK_MS;
    if (work->ticket > 0) {
        unit->phase = UNIT_ASKING;
    } else {
        unit_tell_failure(unit, event, NULL, now);
    }
}

static void failed(struct unit *unit, const struct ferry_update_event *event, uint64_t now)
{
    if (event->rejected) {
        unit_end(unit, UNIT_FAILED, unit_check_fail(unit, event), now);
    } else if (update_fail_asks(event)) {
        ask_why(unit, event, now);
    } else {
        unit_fail(unit, event, now);
    }
}

/* A flow is through. */
static void done(struct unit *unit, const struct ferry_update_event *event, uint64_t now)
{
    unit->proved[unit->item] = event->proof != NULL;
    if (event->proof != NULL) {
        unit->proofs[unit->item] = *event->proof;
    }
    unit->worked = unit->worked || !event->already;
    if (!start_flow(unit, now)) {
        unit_end(unit, unit->worked ? UNIT_UPDATED : UNIT_ALREADY, CLI_OK, now);
    }
}

/* The device has been met, and nothing is in flight: ask for what the flow has no need of. */
static void step_begins(struct unit *unit, enum ferry_update_step step, uint64_t now)
{
    unit->step = step;
    if (step == FERRY_UPDATE_MODE && !unit->serial_asked && unit_ask_serial(unit)) {
        unit->serial_asked = true;
        unit->work->asks_serial = true;
        unit->work->ask_by = now + ASK_MS;
        unit->phase = UNIT_ASKING;
    }
}

static void take_event(struct unit *unit, const struct ferry_update_event *event, uint64_t now)
{
    switch (event->kind) {
    case FERRY_UPDATE_STEP:
        step_begins(unit, event->step, now);
        break;
    case FERRY_UPDATE_PROGRESS:
        unit->bytes += event->acked > unit->acked ? event->acked - unit->acked : 0;
        unit->acked = event->acked;
        break;
    case FERRY_UPDATE_WARNING:
        show_warning(unit->station, unit, event->text, event->remedy);
        break;
    case FERRY_UPDATE_RECONNECT:
        go_away(unit, now, event->wait_ms);
        break;
    case FERRY_UPDATE_READY: /* what it tells of keys and counters its bootloader looks at */
        break;
    case FERRY_UPDATE_JUDGE_IT:
        judge(unit, now);
        break;
    case FERRY_UPDATE_DONE:
        done(unit, event, now);
        break;
    case FERRY_UPDATE_FAILED:
        failed(unit, event, now);
        break;
    }
}

/* The version that ran when the device was first asked. */
static void note_old_version(struct unit *unit, const struct ferry_client_answer *answer)
{
    struct ferry_image_state states[FERRY_UPDATE_STATES];

    if (unit->old_version[0] != '\0' || answer->error != FERRY_OK ||
        answer->header.group != FERRY_SMP_GROUP_IMAGE ||
        answer->header.id != FERRY_SMP_IMAGE_STATE) {
        return;
    }
    int count = ferry_answer_image_list(answer->payload, states, FERRY_UPDATE_STATES);
    for (int i = 0; i < count && i < FERRY_UPDATE_STATES; i++) {
        if (states[i].active && states[i].image == unit->station->file.items[0].image) {
            snprintf(unit->old_version, sizeof unit->old_version, "%s", states[i].version);
            cli_printable(unit->old_version);
        }
    }
}

static void take_flow_answer(struct unit *unit, const struct ferry_client_answer *answer,
                             uint64_t now)
{
    if (answer->error != FERRY_E_TIMEOUT) {
        unit->work->session.answered = true;
    }
    note_old_version(unit, answer);
    (void)ferry_update_answer(&unit->work->flow, answer, now);
}

/* What the bootloader knows of a failure, or nothing. */
static void take_why(struct unit *unit, const struct ferry_client_answer *answer, uint64_t now)
{
    const struct ferry_update_event event = unit->work->failure;
    struct ferry_why why;
    bool knows = answer != NULL && answer->error == FERRY_OK &&
                 ferry_answer_why(answer->payload, &why) == FERRY_OK;

    unit_tell_failure(unit, &event, knows ? &why : NULL, now);
}

/* The answer to the station's own question; NULL when there is none. */
static void take_own_answer(struct unit *unit, const struct ferry_client_answer *answer,
                            uint64_t now)
{
    ferry_client_cancel(unit->work->session.client, unit->work->ticket);
    if (!unit->work->asks_serial) {
        take_why(unit, answer, now);
        return;
    }
    unit->phase = UNIT_RUNNING;
    if (answer != NULL) {
        unit_take_serial(unit, answer);
    }
}

static void work_asking(struct unit *unit, uint64_t now)
{
    struct unit_work *work = unit->work;
    struct ferry_client_answer answer;

    for (int turn = 0; turn < TURNS; turn++) {
        int got = ferry_connection_work(work->session.connection, &answer);
        bool own = got == 1 && answer.ticket == work->ticket;
        if (own || got < 0 || now >= work->ask_by) {
            take_own_answer(unit, own ? &answer : NULL, now);
            return;
        }
        if (got == 0) {
            return;
        }
    }
}

static void work_running(struct unit *unit, uint64_t now)
{
    struct ferry_update_event event;
    struct ferry_client_answer answer;

    for (int turn = 0; turn < TURNS; turn++) {
        while (unit->phase == UNIT_RUNNING && ferry_update_next(&unit->work->flow, now, &event)) {
            take_event(unit, &event, now);
        }
        if (unit->phase != UNIT_RUNNING) {
            return;
        }
        int got = ferry_connection_work(unit->work->session.connection, &answer);
        if (got == 0) {
            return;
        }
        if (got == 1) {
            take_flow_answer(unit, &answer, now);
        } else {
            broke(unit, now);
        }
    }
}

/* A phase that ends leads to the next without a wait. */
void unit_work(struct unit *unit, uint64_t now)
{
    enum unit_phase phase;

    do {
        phase = unit->phase;
        if (now >= limit_of(unit)) {
            unit_overdue(unit, now);
        } else if (phase == UNIT_RUNNING) {
            work_running(unit, now);
        } else if (phase == UNIT_ASKING) {
            work_asking(unit, now);
        } else if (phase == UNIT_AWAY && now >= unit->try_at) {
            reopen(unit, now);
        } else if (phase == UNIT_CHECKING && now >= unit->try_at) {
            work_checking(unit, now);
        } else if (phase == UNIT_RESTING && now >= unit->try_at) {
            unit_begin(unit, now);
        }
    } while (unit->phase != phase && unit->phase != UNIT_ENDED);
}
