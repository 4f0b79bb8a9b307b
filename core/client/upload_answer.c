/* SPDX-License-Identifier: Apache-2.0 */
/* Upload, the deciding half: what an answer means.
 *
 * Let a chunk reach from off to end, and let the server's answer be r. The server handles requests
 * one at a time and never goes back unless it lost its state, so
 *
 *   r == end            stored, and all before it
 *   off < r < end       stored in part: the flash's write size is larger than thought
 *   r == off            it had this very chunk and did not store it
 *   known <= r < off    an earlier chunk is missing
 *   r < known           it lost its state: known is what it had when the chunk was submitted
 *   r > end             it has more already: an upload resumed, or a packet overtook another.
 *                       More than was sent only the first chunk's answer may say, with our SHA
 *
 * In every case but the first the upload turns to where the server stands, and the answers to
 * whatever was sent before are ignored. */
#include "core/client/upload.h"

#include <string.h>

#define BUSY_WAIT_MS     100 /* doubled each time, up to */
#define BUSY_WAIT_MAX_MS 1000
#define NO_MEMORY_MAX    20 /* in a row */
#define WRITE_SIZE_MAX   512

/* ---- Ends and turns -------------------------------------------------------------------- */

static void drop_flights(struct ferry_upload *upload, uint32_t count)
{
    for (uint32_t i = 0; i < count; i++) {
        ferry_client_cancel(upload->config.client, upload->flights[i].ticket);
    }
    upload->flight_count -= count;
    memmove(upload->flights, upload->flights + count,
            upload->flight_count * sizeof upload->flights[0]);
}

void ferry_upload_fail(struct ferry_upload *upload, int error, const char *text, const char *remedy)
{
    drop_flights(upload, upload->flight_count);
    if (upload->state == FERRY_UPLOAD_PROBES) {
        ferry_probe_cancel(&upload->probe);
    }
    upload->state = FERRY_UPLOAD_BROKEN;
    upload->error = error;
    upload->text = text;
    upload->remedy = remedy;
}

/* With the error's own words. */
static void fail_plain(struct ferry_upload *upload, int error)
{
    ferry_upload_fail(upload, error, ferry_error_text(error), ferry_error_remedy(error));
}

static void finish(struct ferry_upload *upload)
{
    drop_flights(upload, upload->flight_count);
    upload->acked = upload->config.size;
    upload->moved = true;
    upload->state = FERRY_UPLOAD_FINISHED;
    upload->text = "";
    upload->remedy = "";
}

void ferry_upload_cancel(struct ferry_upload *upload)
{
    if (upload->state < FERRY_UPLOAD_FINISHED) {
        ferry_client_cancel(upload->config.client, upload->list_ticket);
        fail_plain(upload, FERRY_E_CANCELLED);
    }
}

/* Go on at off. What is in flight stays there, since it takes the server's buffers, but it is
 * not sent again and its answers say nothing. */
static void turn_to(struct ferry_upload *upload, uint32_t off)
{
    for (uint32_t i = 0; i < upload->flight_count; i++) {
        upload->flights[i].ignored = true;
        ferry_client_last_try(upload->config.client, upload->flights[i].ticket);
    }
    upload->next = off;
    if (off == 0) {
        upload->started = false;
        upload->sent = 0;
    }
}

/* The line or the device's buffers take less than was sent. What was in flight together is lost
 * together: it counts once. */
static void shrink(struct ferry_upload *upload, const struct ferry_upload_flight *flight,
                   enum ferry_upload_warning warning)
{
    ferry_upload_warn(upload, warning);
    upload->count.losses++;
    if (flight->epoch == upload->epoch) {
        ferry_window_lost(&upload->window);
        upload->epoch++;
    }
}

/* ---- Refusals ----------------------------------------------------------------------------- */

static void wait_a_little(struct ferry_upload *upload, uint64_t now)
{
    uint32_t shift = ferry_min32(upload->waits, 8);

    upload->wait_until = now + ferry_min32((uint32_t)BUSY_WAIT_MS << shift, BUSY_WAIT_MAX_MS);
    upload->waits++;
    turn_to(upload, upload->acked);
}

static void on_busy(struct ferry_upload *upload, uint64_t now)
{
    if (upload->busy_until == 0) {
        upload->busy_until = now + upload->config.first_timeout_ms;
    }
    if (now >= upload->busy_until) {
        ferry_upload_fail(upload, FERRY_E_REFUSED, "the device stays busy",
                          "reset it, then upload again");
        return;
    }
    ferry_upload_warn(upload, FERRY_UPLOAD_WARN_BUSY);
    wait_a_little(upload, now);
}

static void on_no_memory(struct ferry_upload *upload, const struct ferry_upload_flight *flight,
                         uint64_t now)
{
    if (upload->waits >= NO_MEMORY_MAX) {
        ferry_upload_fail(upload, FERRY_E_REFUSED, "the device has no memory for a chunk",
                          "give the device more buffers, or reset it");
        return;
    }
    shrink(upload, flight, FERRY_UPLOAD_WARN_BUFFERS);
    wait_a_little(upload, now);
}

/* Whether this is about the way there, not about the chunk. */
static bool is_passing(const struct ferry_client_answer *answer)
{
    return answer->error != FERRY_E_REFUSED ||
           (!answer->status.grouped &&
            (answer->status.rc == FERRY_RC_BUSY || answer->status.rc == FERRY_RC_NO_MEMORY ||
             answer->status.rc == FERRY_RC_CORRUPT));
}

static void refuse(struct ferry_upload *upload, const struct ferry_client_answer *answer)
{
    struct ferry_smp_words words =
        answer->status.grouped ? ferry_smp_group_words(answer->status.group, answer->status.rc)
                               : ferry_smp_rc_words(answer->status.rc);

    ferry_upload_fail(upload, FERRY_E_REFUSED, words.cause, words.remedy);
}

static void on_loss(struct ferry_upload *upload, const struct ferry_upload_flight *flight)
{
    if (++upload->losses > FERRY_UPLOAD_LOSSES_MAX) {
        ferry_upload_fail(upload, FERRY_E_STUCK, "the chunk at this offset never arrives",
                          "check the line; try a smaller packet size");
        return;
    }
    shrink(upload, flight, FERRY_UPLOAD_WARN_LOSS);
    turn_to(upload, upload->acked);
}

static void on_error(struct ferry_upload *upload, const struct ferry_upload_flight *flight,
                     const struct ferry_client_answer *answer, uint64_t now)
{
    upload->status = answer->status;
    upload->status.reason = (struct ferry_bytes){NULL, 0};
    if (!is_passing(answer)) {
        refuse(upload, answer);
    } else if (answer->error != FERRY_E_REFUSED || answer->status.rc == FERRY_RC_CORRUPT) {
        on_loss(upload, flight);
    } else if (answer->status.rc == FERRY_RC_BUSY) {
        on_busy(upload, now);
    } else {
        on_no_memory(upload, flight, now);
    }
}

/* ---- Offsets -------------------------------------------------------------------------------- */

static void advance(struct ferry_upload *upload, uint32_t off)
{
    upload->started = true;
    if (!upload->count.answered) {
        upload->count.answered = true;
        upload->count.first_at = upload->count.now;
        upload->count.first_end = off;
    }
    upload->moved = true;
    if (off > upload->acked) {
        upload->acked = off;
        upload->refusals = 0;
        upload->losses = 0;
        upload->waits = 0;
        upload->busy_until = 0;
    }
}

/* The server has forgotten what it had. */
static void on_restart(struct ferry_upload *upload, uint32_t off)
{
    if (++upload->restarts > FERRY_UPLOAD_RESTARTS_MAX) {
        ferry_upload_fail(upload, FERRY_E_STUCK, "the device forgets the upload again and again",
                          "look at its log: does it reset, does its flash fail?");
        return;
    }
    ferry_upload_warn(upload, FERRY_UPLOAD_WARN_RESTART);
    upload->acked = off;
    turn_to(upload, off);
}

/* Whether the last chunk was sent, and the list may tell what became of it. */
static bool may_ask(const struct ferry_upload *upload, const struct ferry_upload_flight *flight)
{
    return flight->end == upload->config.size && upload->config.hash != NULL;
}

static void ask(struct ferry_upload *upload, const struct ferry_upload_flight *flight)
{
    drop_flights(upload, upload->flight_count);
    upload->state = FERRY_UPLOAD_ASKS;
    upload->list_until = flight->at + upload->config.first_timeout_ms;
}

/* Whether the last chunk is in flight. */
static bool awaits_last(const struct ferry_upload *upload)
{
    for (uint32_t i = 0; i < upload->flight_count; i++) {
        if (!upload->flights[i].ignored && upload->flights[i].end == upload->config.size) {
            return true;
        }
    }
    return false;
}

/* Nothing is left of what the server had. A finished upload is forgotten, too: it is done if an
 * earlier copy of the last chunk was stored and only its answer was lost. Where there was no copy
 * the last chunk was not stored. */
static void on_forgotten(struct ferry_upload *upload, const struct ferry_upload_flight *flight,
                         uint32_t tries)
{
    if (tries > 1 && may_ask(upload, flight)) {
        ask(upload, flight);
    } else if (tries == 1 || !awaits_last(upload)) {
        on_restart(upload, 0);
    } /* else the answer to the last chunk decides */
}

/* More than was sent. The first chunk's answer may say so: the SHA that it had is that of what the
 * server holds. Only that answer is trusted, so that no hole is left. Returns whether it is. */
static bool is_resumed(struct ferry_upload *upload, const struct ferry_upload_flight *flight)
{
    if (flight->off == 0 && upload->sha_sent) {
        return true;
    }
    if (flight->off != 0 && !upload->started) {
        on_loss(upload, flight); /* a question: the first chunk is sent again */
    } else if (upload->resumed || upload->restarts > 0) {
        on_restart(upload, 0); /* what was sent earlier may have come late */
    } else {
        ferry_upload_fail(upload, FERRY_E_RANGE, "the device has more of the file than was sent",
                          "another client uploads to this device at the same time: wait for its "
                          "end, then upload again");
    }
    return false;
}

/* It had the chunk and did not take it. */
static void on_not_taken(struct ferry_upload *upload, uint32_t off)
{
    if (++upload->refusals >= FERRY_UPLOAD_REFUSALS_MAX) {
        upload->acked = off;
        ferry_upload_fail(upload, FERRY_E_STUCK,
                          "the device asks for the same offset again and again: writing its flash "
                          "fails there",
                          "erase the slot and upload again; if it stays, the flash is worn out");
        return;
    }
    turn_to(upload, off);
}

/* Chunks are multiples of a guessed write size; the next power of two is the next guess. */
static void on_cut(struct ferry_upload *upload, const struct ferry_upload_flight *flight)
{
    if (flight->end < upload->config.size && upload->align < WRITE_SIZE_MAX) {
        upload->align *= 2;
    }
    ferry_upload_warn(upload, FERRY_UPLOAD_WARN_CUT);
    turn_to(upload, upload->acked);
}

static void on_all_stored(struct ferry_upload *upload, const struct ferry_upload_answer *said)
{
    upload->matched = said->has_match && said->match;
    /* Without a SHA of ours the server has nothing to compare with, and says false. */
    if (said->has_match && !said->match && upload->sha_sent) {
        fail_plain(upload, FERRY_E_MISMATCH);
        return;
    }
    finish(upload);
}

static void on_offset(struct ferry_upload *upload, const struct ferry_upload_flight *flight,
                      const struct ferry_upload_answer *said, uint32_t tries)
{
    uint32_t off = said->off;

    if (off > upload->config.size) {
        ferry_upload_fail(upload, FERRY_E_RANGE, "the device asks for data beyond the file",
                          "erase the slot and upload again");
        return;
    }
    if (off > upload->sent && !is_resumed(upload, flight)) {
        return;
    }
    if (off < flight->known) {
        if (off == 0) {
            on_forgotten(upload, flight, tries);
        } else {
            on_restart(upload, off);
        }
        return;
    }
    if (off <= flight->off && off < flight->end) {
        if (off == flight->off) {
            on_not_taken(upload, off);
        } else {
            on_loss(upload, flight);
        }
        return;
    }
    advance(upload, off);
    if (flight->epoch == upload->epoch) {
        ferry_window_clean(&upload->window);
    }
    if (flight->off == 0 && off > flight->end) {
        upload->resumed = true;
        upload->count.resumed_at = off;
    }
    if (off == upload->config.size) {
        on_all_stored(upload, said);
    } else if (off < flight->end) {
        on_cut(upload, flight);
    } else if (off > flight->end) {
        turn_to(upload, upload->acked);
    }
}

/* ---- Answers --------------------------------------------------------------------------------- */

static void fail_silent(struct ferry_upload *upload)
{
    ferry_upload_fail(upload, FERRY_E_TIMEOUT, "the device answers no more",
                      "check cable and power, then upload again");
}

static void on_list(struct ferry_upload *upload, const struct ferry_client_answer *answer,
                    uint64_t now)
{
    struct ferry_bytes hash = {upload->config.hash, upload->config.hash_len};
    struct ferry_image_state state;

    if (answer->error == FERRY_OK &&
        ferry_answer_image_find(answer->payload, upload->config.image, hash, &state) == 1) {
        ferry_upload_warn(upload, FERRY_UPLOAD_WARN_LAST);
        finish(upload);
        return;
    }
    if (answer->error == FERRY_E_TIMEOUT) {
        if (now >= upload->list_until) {
            fail_silent(upload);
        }
        return;
    }
    upload->state = FERRY_UPLOAD_RUNS;
    on_restart(upload, 0);
}

/* The second chunk, sent because the first was not answered, brought nothing: ask again later. */
static void ask_later(struct ferry_upload *upload, const struct ferry_upload_flight *flight,
                      uint64_t now)
{
    upload->next = flight->off;
    upload->question_at = now + ferry_upload_patience_ms(upload);
}

/* How much longer than usual the answer to one took that was sent again. The first chunk's time is
 * the flash's. */
static void count_wait(struct ferry_upload *upload, const struct ferry_upload_flight *flight,
                       uint64_t now)
{
    uint64_t took = now - flight->at;
    uint32_t usual = ferry_client_rtt_ms(upload->config.client);

    if (flight->off != 0 && took > usual) {
        upload->count.lost_ms += (uint32_t)(took - usual);
    }
}

static void on_chunk(struct ferry_upload *upload, const struct ferry_upload_flight *flight,
                     const struct ferry_client_answer *answer, uint64_t now)
{
    struct ferry_upload_answer said;
    int rc;

    if (answer->error == FERRY_E_TIMEOUT) {
        /* All before it is there. */
        if (may_ask(upload, flight) && upload->acked == flight->off) {
            ask(upload, flight);
        } else {
            fail_silent(upload);
        }
        return;
    }
    if (answer->tries > 1) {
        shrink(upload, flight, FERRY_UPLOAD_WARN_LOSS);
        count_wait(upload, flight, now);
    }
    if (answer->error != FERRY_OK) {
        on_error(upload, flight, answer, now);
        return;
    }
    rc = ferry_answer_upload(answer->payload, &said);
    if (rc != FERRY_OK) {
        fail_plain(upload, rc == FERRY_E_NOT_FOUND ? FERRY_E_FORMAT : rc);
        return;
    }
    on_offset(upload, flight, &said, answer->tries);
}

/* A question that failed must not take the unanswered first chunk with it. */
static bool is_failed_question(const struct ferry_upload *upload,
                               const struct ferry_upload_flight *flight,
                               const struct ferry_client_answer *answer)
{
    return !upload->started && flight->off != 0 && answer->error != FERRY_OK && is_passing(answer);
}

static bool find_flight(const struct ferry_upload *upload, int32_t ticket, uint32_t *index)
{
    for (uint32_t i = 0; i < upload->flight_count; i++) {
        if (upload->flights[i].ticket == ticket) {
            *index = i;
            return true;
        }
    }
    return false;
}

static void remove_flight(struct ferry_upload *upload, uint32_t index)
{
    upload->flight_count--;
    memmove(&upload->flights[index], &upload->flights[index + 1],
            (upload->flight_count - index) * sizeof upload->flights[0]);
}

bool ferry_upload_answer(struct ferry_upload *upload, const struct ferry_client_answer *answer,
                         uint64_t now)
{
    struct ferry_upload_flight flight;
    uint32_t index;

    upload->count.now = now;
    if (upload->state == FERRY_UPLOAD_PROBES) {
        return ferry_probe_answer(&upload->probe, answer);
    }
    if (upload->state == FERRY_UPLOAD_ASKS && answer->ticket == upload->list_ticket) {
        upload->list_ticket = 0;
        on_list(upload, answer, now);
        return true;
    }
    if (!find_flight(upload, answer->ticket, &index)) {
        return false;
    }
    flight = upload->flights[index];
    remove_flight(upload, index);
    if (flight.ignored) {
        return true;
    }
    if (is_failed_question(upload, &flight, answer)) {
        ask_later(upload, &flight, now);
        return true;
    }
    if (answer->error != FERRY_E_TIMEOUT) {
        /* The server handles requests in order: what was submitted before is handled or lost. */
        drop_flights(upload, index);
    }
    on_chunk(upload, &flight, answer, now);
    return true;
}
