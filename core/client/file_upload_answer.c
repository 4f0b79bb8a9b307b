/* SPDX-License-Identifier: Apache-2.0 */
/* Upload of a file, the deciding half: what an answer means.
 *
 * Let a chunk reach from off to end. The server takes it only where the file ends, and then answers
 * end. Else it refuses the offset, says in `len` where the file ends (version 2 only), and closes
 * the file; a chunk that fits opens it again. So after a loss all that was sent behind it is
 * refused, and the upload turns to where the file ends:
 *
 *   len < off      an earlier chunk is missing, or the server has lost what it had
 *   len == off     it expects this very chunk and does not take it
 *   len == end     it had this chunk: the answer to it was lost, and it was sent again
 *
 * Anything else, and no `len`, is made sure of by asking for the file's size.
 *
 * A first chunk that comes again inside an open upload makes Zephyr cut the file and go on
 * counting: it answers more than the end. Then the file is closed, and begun anew. [smp.md §3.6] */
#include "core/client/file_upload.h"

/* ferry/group_fs.h, which a client does not bring along, has the rest. */
#define ERR_NOT_FOUND      3
#define ERR_INVALID_OFFSET 11

/* ---- Ends and turns ------------------------------------------------------------------------- */

static void change(struct ferry_file_upload *upload, enum ferry_file_state state)
{
    upload->flow.state = (uint8_t)state;
    upload->ticket = 0;
}

void ferry_file_upload_complete(struct ferry_file_upload *upload)
{
    upload->acked = upload->config.size;
    if (upload->opened || upload->config.size == 0) {
        ferry_file_drop(&upload->flow, upload->flow.flight_count);
        change(upload, FERRY_FILE_CLOSES);
    } else {
        ferry_file_finish(&upload->flow);
    }
}

/* Go on at off. What is in flight stays there, since it takes the server's buffers, but it is not
 * sent again and its answers say nothing. */
static void turn_to(struct ferry_file_upload *upload, uint32_t off)
{
    struct ferry_file_flow *flow = &upload->flow;

    for (uint32_t i = 0; i < flow->flight_count; i++) {
        flow->flights[i].ignored = true;
        ferry_client_last_try(flow->client, flow->flights[i].ticket);
    }
    upload->next = off;
    upload->acked = off;
    upload->tell_len = true; /* a server that closed the file has forgotten it */
    upload->opened = true;
    if (off == 0) {
        upload->started = false;
        upload->sent = 0;
    }
}

static bool may_restart(struct ferry_file_upload *upload, enum ferry_file_warning warning)
{
    if (++upload->restarts > FERRY_FILE_RESTARTS_MAX) {
        ferry_file_fail(&upload->flow, FERRY_E_STUCK,
                        "the device loses again and again what was uploaded",
                        "look at its log: does it reset, does its file system fail?");
        return false;
    }
    ferry_file_warn(&upload->flow, warning);
    return true;
}

/* Close the file, and begin it anew. */
static void begin_again(struct ferry_file_upload *upload, enum ferry_file_warning warning)
{
    if (may_restart(upload, warning)) {
        upload->config.start = 0;
        turn_to(upload, 0);
        change(upload, FERRY_FILE_REOPENS);
    }
}

/* Whether a file of len bytes has some behind the start though none of this upload's is known to be
 * there: another's, or an answer was lost, and then it costs a little. */
static bool is_foreign(const struct ferry_file_upload *upload, uint32_t len)
{
    uint32_t start = upload->config.start;

    return start > 0 && upload->acked == start && len > start;
}

/* The device will tell how much of the file it has. */
static void ask(struct ferry_file_upload *upload, const struct ferry_client_answer *answer)
{
    if (++upload->flow.refusals > 2 * FERRY_FILE_REFUSALS_MAX) {
        if (answer->error == FERRY_E_REFUSED) {
            ferry_file_fail_refused(&upload->flow, answer);
        } else {
            ferry_file_fail_plain(&upload->flow, FERRY_E_STUCK);
        }
        return;
    }
    turn_to(upload, upload->acked);
    change(upload, FERRY_FILE_ASKS);
}

/* It had the chunk and did not take it. */
static void not_taken(struct ferry_file_upload *upload, uint32_t off,
                      const struct ferry_client_answer *answer)
{
    if (++upload->flow.refusals < FERRY_FILE_REFUSALS_MAX) {
        turn_to(upload, off);
    } else if (answer->error == FERRY_E_REFUSED && answer->status.rc != ERR_INVALID_OFFSET) {
        ferry_file_fail_refused(&upload->flow, answer);
    } else {
        ferry_file_fail(&upload->flow, FERRY_E_STUCK,
                        "the device asks for the same offset again and again: writing fails there",
                        "make room on its file system, or use another one");
    }
}

/* ---- Where the file ends -------------------------------------------------------------------- */

/* It ends behind what the server had when the chunk was sent: the size is asked for, or it is this
 * chunk that stands there already. */
static void on_more(struct ferry_file_upload *upload, const struct ferry_file_flight *flight,
                    uint32_t len, const struct ferry_client_answer *answer)
{
    if (answer->tries == 1 || len != flight->end) {
        ask(upload, answer);
        return;
    }
    upload->acked = ferry_max32(upload->acked, len);
    upload->opened = true;
    ferry_file_arrived(&upload->flow);
    if (len == upload->config.size) {
        ferry_file_upload_complete(upload);
    }
}

/* The offset of a chunk was refused, and the file ends at len. */
static void on_wrong_offset(struct ferry_file_upload *upload,
                            const struct ferry_file_flight *flight, uint32_t len,
                            const struct ferry_client_answer *answer)
{
    if (len > flight->off) {
        on_more(upload, flight, len, answer);
    } else if (len == flight->off) {
        not_taken(upload, len, answer);
    } else if (is_foreign(upload, len)) {
        begin_again(upload, FERRY_FILE_WARN_FOREIGN);
    } else if (len >= flight->known) {
        ferry_file_lost(&upload->flow, flight);
        if (upload->flow.state == FERRY_FILE_RUNS) {
            turn_to(upload, len);
        }
    } else if (may_restart(upload, FERRY_FILE_WARN_RESTART)) {
        turn_to(upload, len);
    }
}

static void on_off(struct ferry_file_upload *upload, const struct ferry_file_flight *flight,
                   uint64_t off, const struct ferry_client_answer *answer)
{
    if (off == flight->end) {
        upload->started = true;
        upload->acked = ferry_max32(upload->acked, flight->end);
        ferry_file_arrived(&upload->flow);
        if (flight->end == upload->config.size) {
            ferry_file_upload_complete(upload);
        }
    } else if (off > flight->end && flight->off == 0) {
        begin_again(upload, FERRY_FILE_WARN_OPEN);
    } else if (off > flight->end) {
        ask(upload, answer);
    } else if (off > flight->off) { /* it took a part */
        turn_to(upload, (uint32_t)off);
        ferry_file_arrived(&upload->flow);
    } else {
        on_wrong_offset(upload, flight, (uint32_t)off, answer);
    }
}

/* ---- Answers -------------------------------------------------------------------------------- */

/* Version 1 has one number for a wrong offset and for most else. */
static bool is_offset_refused(const struct ferry_file_flight *flight,
                              const struct ferry_client_answer *answer)
{
    if (answer->error != FERRY_E_REFUSED || flight->off == 0) {
        return false;
    }
    return answer->status.grouped ? answer->status.group == FERRY_SMP_GROUP_FS &&
                                        answer->status.rc == ERR_INVALID_OFFSET
                                  : answer->status.rc == FERRY_RC_UNKNOWN;
}

static void on_refused_offset(struct ferry_file_upload *upload,
                              const struct ferry_file_flight *flight,
                              const struct ferry_client_answer *answer)
{
    struct ferry_cbor_field len = {.key = "len", .kind = FERRY_CBOR_UINT};

    if (ferry_cbor_read_map(answer->payload, &len, 1) != FERRY_OK || !len.present ||
        len.item.value > upload->config.size) {
        ask(upload, answer);
        return;
    }
    on_wrong_offset(upload, flight, (uint32_t)len.item.value, answer);
}

static void on_chunk(struct ferry_file_upload *upload, const struct ferry_file_flight *flight,
                     const struct ferry_client_answer *answer, uint64_t now)
{
    struct ferry_file_flow *flow = &upload->flow;
    struct ferry_cbor_field off = {.key = "off", .kind = FERRY_CBOR_UINT};

    if (is_offset_refused(flight, answer)) {
        on_refused_offset(upload, flight, answer);
    } else if (answer->error != FERRY_OK) {
        if (ferry_file_takes_error(flow, flight, answer, now)) {
            turn_to(upload, upload->acked);
        }
    } else if (ferry_cbor_read_map(answer->payload, &off, 1) != FERRY_OK || !off.present) {
        ferry_file_fail(flow, FERRY_E_FORMAT, "the device's answer to a chunk has no offset",
                        "check what runs on the device");
    } else {
        on_off(upload, flight, off.item.value, answer);
    }
}

/* The size of the file on the device, which is closed now. */
static void on_status(struct ferry_file_upload *upload, const struct ferry_client_answer *answer)
{
    uint32_t size = 0;
    bool missing = answer->error == FERRY_E_REFUSED && answer->status.grouped &&
                   answer->status.rc == ERR_NOT_FOUND;

    if (answer->error == FERRY_E_TIMEOUT) {
        ferry_file_fail_silent(&upload->flow);
        return;
    }
    if (!missing && (answer->error != FERRY_OK ||
                     ferry_answer_file_status(answer->payload, &size) != FERRY_OK)) {
        size = UINT32_MAX; /* not known */
    }
    change(upload, FERRY_FILE_RUNS);
    if (size != UINT32_MAX && is_foreign(upload, size)) {
        begin_again(upload, FERRY_FILE_WARN_FOREIGN);
    } else if (size > upload->sent) {
        begin_again(upload, FERRY_FILE_WARN_RESTART);
    } else if (size >= upload->acked || may_restart(upload, FERRY_FILE_WARN_RESTART)) {
        turn_to(upload, size);
        if (size == upload->config.size) {
            ferry_file_upload_complete(upload);
        }
    }
}

/* A server without the command has nothing open for long; one that says that closing failed may
 * have lost the end of the file. */
static void on_close(struct ferry_file_upload *upload, const struct ferry_client_answer *answer)
{
    bool begins = upload->flow.state == FERRY_FILE_REOPENS;

    change(upload, FERRY_FILE_RUNS);
    if (answer->error == FERRY_E_TIMEOUT) {
        ferry_file_fail_silent(&upload->flow);
    } else if (!begins && answer->error == FERRY_E_REFUSED && answer->status.grouped) {
        ferry_file_fail_refused(&upload->flow, answer);
    } else if (!begins) {
        ferry_file_finish(&upload->flow);
    }
}

bool ferry_file_upload_answer(struct ferry_file_upload *upload,
                              const struct ferry_client_answer *answer, uint64_t now)
{
    struct ferry_file_flow *flow = &upload->flow;
    struct ferry_file_flight flight;

    if (upload->ticket != 0 && answer->ticket == upload->ticket) {
        /* The server takes requests in order: what was sent before is taken or lost. */
        ferry_file_drop(flow, flow->flight_count);
        if (flow->state == FERRY_FILE_ASKS) {
            on_status(upload, answer);
        } else {
            on_close(upload, answer);
        }
        return true;
    }

    int index = ferry_file_take_flight(flow, answer->ticket, &flight);

    if (index < 0) {
        return false;
    }
    if (flight.ignored || flow->state != FERRY_FILE_RUNS) {
        return true;
    }
    if (answer->error == FERRY_E_TIMEOUT) {
        ferry_file_fail_silent(flow);
        return true;
    }
    ferry_file_drop(flow, (uint32_t)index); /* in order, too */
    if (answer->tries > 1) {
        ferry_file_lost(flow, &flight);
    } else {
        ferry_window_clean(&flow->window);
    }
    if (flow->state == FERRY_FILE_RUNS) {
        on_chunk(upload, &flight, answer, now);
    }
    return true;
}
