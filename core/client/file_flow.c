/* SPDX-License-Identifier: Apache-2.0 */
/* Transfers of files: what both directions do the same way. */
#include "core/client/file_flow.h"

#include <string.h>

/* As of an upload of an image: a bad line should not end a long transfer. */
#define CHUNK_RETRIES 7

#define WAIT_MS     100 /* doubled each time, up to */
#define WAIT_MAX_MS 1000
#define WAITS_MAX   20 /* in a row */

/* All places of the client are taken by others or by what is overtaken: look again soon. */
#define PLACE_WAIT_MS 20

void ferry_file_flow_init(struct ferry_file_flow *flow, struct ferry_client *client,
                          uint32_t window)
{
    memset(flow, 0, sizeof *flow);
    flow->client = client;
    ferry_window_init(&flow->window, ferry_min32(window, FERRY_FILE_WINDOW_MAX));
    flow->state = FERRY_FILE_RUNS;
    flow->text = "";
    flow->remedy = "";
}

/* ---- Chunks in flight ------------------------------------------------------------------- */

bool ferry_file_has_room(const struct ferry_file_flow *flow, uint32_t allowed, uint64_t now)
{
    return flow->state == FERRY_FILE_RUNS && now >= flow->wait_until &&
           flow->flight_count < ferry_min32(allowed, FERRY_FILE_WINDOW_MAX);
}

uint32_t ferry_file_timeout_ms(const struct ferry_file_flow *flow, uint32_t answer_bytes)
{
    uint32_t speed = flow->client->config.bytes_per_second;
    uint32_t line = FERRY_CLIENT_TIMEOUT_MIN_MS;
    uint32_t usual = ferry_client_adaptive_timeout_ms(flow->client);

    if (speed != 0) {
        /* Framing makes three bytes four and adds markers. Nine chunks of 64 KiB: below 2^32. */
        line += ferry_min32(answer_bytes, UINT16_MAX) * (flow->flight_count + 1) * 1500U / speed;
    }
    return ferry_max32(usual, line);
}

int ferry_file_submit(struct ferry_file_flow *flow, struct ferry_client_command *command,
                      const struct ferry_file_flight *flight, uint64_t now)
{
    command->group = FERRY_SMP_GROUP_FS;
    command->id = FERRY_SMP_FS_FILE;
    command->retries = command->retries != 0 ? command->retries : CHUNK_RETRIES;
    command->user = flow;

    int32_t ticket = ferry_client_submit(flow->client, command);

    if (ticket == FERRY_E_BUSY) {
        flow->wait_until = now + PLACE_WAIT_MS;
    }
    if (ticket < 0) {
        return ticket;
    }
    flow->flights[flow->flight_count] = *flight;
    flow->flights[flow->flight_count].era = flow->era;
    flow->flights[flow->flight_count++].ticket = ticket;
    return FERRY_OK;
}

static void remove_flight(struct ferry_file_flow *flow, uint32_t index)
{
    flow->flight_count--;
    memmove(&flow->flights[index], &flow->flights[index + 1],
            (flow->flight_count - index) * sizeof flow->flights[0]);
}

int ferry_file_take_flight(struct ferry_file_flow *flow, int32_t ticket,
                           struct ferry_file_flight *flight)
{
    for (uint32_t i = 0; i < flow->flight_count; i++) {
        if (flow->flights[i].ticket == ticket) {
            *flight = flow->flights[i];
            remove_flight(flow, i);
            return (int)i;
        }
    }
    return -1;
}

void ferry_file_drop_one(struct ferry_file_flow *flow, uint32_t index)
{
    ferry_client_cancel(flow->client, flow->flights[index].ticket);
    remove_flight(flow, index);
}

void ferry_file_drop(struct ferry_file_flow *flow, uint32_t count)
{
    while (count-- > 0) {
        ferry_file_drop_one(flow, 0);
    }
}

/* ---- Losses and refusals -------------------------------------------------------------------- */

static void shrink(struct ferry_file_flow *flow, const struct ferry_file_flight *flight)
{
    if (flight->era == flow->era) {
        flow->era++;
        ferry_window_lost(&flow->window);
    }
}

void ferry_file_lost(struct ferry_file_flow *flow, const struct ferry_file_flight *flight)
{
    shrink(flow, flight);
    ferry_file_warn(flow, FERRY_FILE_WARN_LOSS);
    if (++flow->losses > FERRY_FILE_LOSSES_MAX) {
        ferry_file_fail(flow, FERRY_E_STUCK, "no chunk of the file arrives any more",
                        "check the line; try a smaller packet size");
    }
}

void ferry_file_arrived(struct ferry_file_flow *flow)
{
    flow->losses = 0;
    flow->waits = 0;
    flow->refusals = 0;
    flow->moved = true;
}

static void wait_a_little(struct ferry_file_flow *flow, uint64_t now)
{
    uint32_t shift = ferry_min32(flow->waits, 8);

    flow->waits++;
    flow->wait_until = now + ferry_min32((uint32_t)WAIT_MS << shift, WAIT_MAX_MS);
}

bool ferry_file_takes_error(struct ferry_file_flow *flow, const struct ferry_file_flight *flight,
                            const struct ferry_client_answer *answer, uint64_t now)
{
    int64_t rc = answer->status.grouped ? FERRY_RC_UNKNOWN : answer->status.rc;

    if (answer->error != FERRY_E_REFUSED || rc == FERRY_RC_CORRUPT) {
        ferry_file_lost(flow, flight); /* what came cannot be read */
    } else if ((rc != FERRY_RC_BUSY && rc != FERRY_RC_NO_MEMORY) || flow->waits >= WAITS_MAX) {
        ferry_file_fail_refused(flow, answer);
    } else if (rc == FERRY_RC_BUSY) {
        ferry_file_warn(flow, FERRY_FILE_WARN_BUSY);
        wait_a_little(flow, now);
    } else {
        shrink(flow, flight);
        ferry_file_warn(flow, FERRY_FILE_WARN_BUFFERS);
        wait_a_little(flow, now);
    }
    return flow->state == FERRY_FILE_RUNS;
}

/* ---- Ends ----------------------------------------------------------------------------------- */

static void end(struct ferry_file_flow *flow, enum ferry_file_state state)
{
    ferry_file_drop(flow, flow->flight_count);
    flow->state = (uint8_t)state;
}

void ferry_file_fail(struct ferry_file_flow *flow, int error, const char *text, const char *remedy)
{
    end(flow, FERRY_FILE_HAS_FAILED);
    flow->error = error;
    flow->text = text;
    flow->remedy = remedy;
}

void ferry_file_fail_plain(struct ferry_file_flow *flow, int error)
{
    ferry_file_fail(flow, error, ferry_error_text(error), ferry_error_remedy(error));
}

void ferry_file_fail_silent(struct ferry_file_flow *flow)
{
    ferry_file_fail(flow, FERRY_E_TIMEOUT, "the device answers no more",
                    "check cable and power, then transfer it again");
}

void ferry_file_fail_refused(struct ferry_file_flow *flow, const struct ferry_client_answer *answer)
{
    struct ferry_smp_words words =
        answer->status.grouped ? ferry_smp_group_words(answer->status.group, answer->status.rc)
                               : ferry_smp_rc_words(answer->status.rc);

    flow->status = answer->status;
    flow->status.reason = (struct ferry_bytes){NULL, 0};
    ferry_file_fail(flow, FERRY_E_REFUSED, words.cause, words.remedy);
}

void ferry_file_finish(struct ferry_file_flow *flow)
{
    end(flow, FERRY_FILE_IS_DONE);
    flow->moved = true;
    flow->text = "";
    flow->remedy = "";
}

/* ---- Events --------------------------------------------------------------------------------- */

static const struct {
    const char *text;
    const char *remedy;
} WARNINGS[] = {
    [FERRY_FILE_WARN_LOSS] =
        {"packets are lost on the way; they are sent again",
         "check cable and baud rate, or radio or network, and what else sends there"},
    [FERRY_FILE_WARN_BUFFERS] = {"the device ran out of buffers; fewer chunks are sent at once",
                                 "give the device more buffers"},
    [FERRY_FILE_WARN_BUSY] = {"the device is busy with another file; waiting", ""},
    [FERRY_FILE_WARN_RESTART] = {"the device has less of the file than it said; the upload goes on "
                                 "where it stands",
                                 "if it stays, the device resets: look at its log and its power"},
    [FERRY_FILE_WARN_OPEN] =
        {"an earlier upload of this file was still open; it is closed, and the "
         "file begun anew",
         ""},
    [FERRY_FILE_WARN_FOREIGN] = {"the device's file has grown by what was not sent from here; the "
                                 "file is begun anew",
                                 "if it stays, look what else writes this file"},
};

void ferry_file_warn(struct ferry_file_flow *flow, enum ferry_file_warning warning)
{
    uint8_t bit = (uint8_t)(1U << warning);

    if ((flow->warned & bit) == 0) {
        flow->warned |= bit;
        flow->warnings |= bit;
    }
}

static void fill_warning(struct ferry_file_flow *flow, struct ferry_file_event *event)
{
    unsigned warning = 0;

    while (((unsigned)flow->warnings >> warning & 1U) == 0) {
        warning++;
    }
    flow->warnings &= (uint8_t) ~(1U << warning);
    event->kind = FERRY_FILE_WARNING;
    event->text = WARNINGS[warning].text;
    event->remedy = WARNINGS[warning].remedy;
}

static void fill_end(struct ferry_file_flow *flow, struct ferry_file_event *event)
{
    event->kind = flow->state == FERRY_FILE_IS_DONE ? FERRY_FILE_DONE : FERRY_FILE_FAILED;
    event->text = flow->text;
    event->remedy = flow->remedy;
    event->error = flow->error;
    event->status = flow->status;
    flow->state = FERRY_FILE_OVER;
}

bool ferry_file_report(struct ferry_file_flow *flow, uint32_t done, uint32_t total,
                       struct ferry_file_event *event)
{
    *event = (struct ferry_file_event){.done = done, .total = total, .text = "", .remedy = ""};
    if (flow->warnings != 0) {
        fill_warning(flow, event);
        return true;
    }
    if (flow->moved) {
        flow->moved = false;
        event->kind = FERRY_FILE_PROGRESS;
        return true;
    }
    if (flow->state == FERRY_FILE_IS_DONE || flow->state == FERRY_FILE_HAS_FAILED) {
        fill_end(flow, event);
        return true;
    }
    return false;
}
