/* SPDX-License-Identifier: Apache-2.0 */
/* Upload of a file, the sending half: chunks, what is due, events. The other half,
 * file_upload_answer.c, decides what an answer means. */
#include "core/client/file_upload.h"

#include <string.h>

/* The first chunk cuts the old file, and a file system may move much of its flash for that. So it
 * is given time, and fewer tries than others. */
#define FIRST_TIMEOUT_MS 5000
#define FIRST_RETRIES    4

int ferry_file_upload_start(struct ferry_file_upload *upload,
                            const struct ferry_file_upload_config *config)
{
    if (config->client == NULL || config->name == NULL || config->read == NULL ||
        config->start > config->size) {
        return FERRY_E_CONFIG;
    }
    memset(upload, 0, sizeof *upload);
    upload->config = *config;
    ferry_file_flow_init(&upload->flow, config->client, config->window);
    upload->next = config->start;
    upload->acked = config->start;
    upload->sent = config->start;
    upload->started = config->start > 0;
    upload->opened = upload->started;
    upload->tell_len = true;
    if (upload->started && config->start == config->size) {
        ferry_file_upload_complete(upload);
    }
    return FERRY_OK;
}

/* ---- Chunks --------------------------------------------------------------------------------- */

/* Write the payload of the chunk at next into room. Returns its length or an error. */
static int write_chunk(const struct ferry_file_upload *upload, uint8_t *room, size_t cap,
                       uint32_t *data_len)
{
    const struct ferry_file_upload_config *config = &upload->config;
    struct ferry_cbor_writer w;
    size_t most;

    ferry_cbor_writer_init(&w, room, cap);
    ferry_cbor_put_map(&w, upload->tell_len ? 4 : 3);
    ferry_cbor_pair_uint(&w, "off", upload->next);
    ferry_cbor_pair_text(&w, "name", config->name);
    if (upload->tell_len) {
        ferry_cbor_pair_uint(&w, "len", config->size);
    }
    ferry_cbor_put_text(&w, "data");

    uint8_t *data = ferry_cbor_reserve(&w, 0, &most);

    *data_len = ferry_min32((uint32_t)most, config->size - upload->next);
    if (data == NULL || (*data_len == 0 && config->size > 0)) {
        return FERRY_E_SPACE;
    }

    int rc =
        *data_len > 0 ? config->read(config->context, upload->next, data, *data_len) : FERRY_OK;

    if (rc != FERRY_OK) {
        return rc;
    }
    ferry_cbor_put_reserved(&w, FERRY_CBOR_BYTES, *data_len);
    return ferry_cbor_writer_result(&w);
}

/* Returns FERRY_OK when a chunk was submitted, FERRY_E_BUSY when there is no place for it. */
static int submit_chunk(struct ferry_file_upload *upload, uint64_t now)
{
    struct ferry_file_flow *flow = &upload->flow;
    struct ferry_client_command command = {.op = FERRY_SMP_WRITE};
    struct ferry_file_flight flight = {.off = upload->next, .known = upload->acked};
    uint32_t data_len = 0;
    size_t cap;
    uint8_t *room = ferry_client_room(flow->client, &cap);
    int rc = FERRY_OK;

    if (room != NULL) {
        rc = write_chunk(upload, room, ferry_client_chunk_cap(flow->client, cap), &data_len);
        if (rc < 0) {
            return rc;
        }
    }
    flight.end = upload->next + data_len;
    command.payload = (struct ferry_bytes){room, (size_t)rc};
    command.retries = upload->next == 0 ? FIRST_RETRIES : 0;
    command.timeout_ms =
        upload->next == 0 ? FIRST_TIMEOUT_MS : ferry_client_adaptive_timeout_ms(flow->client);
    rc = ferry_file_submit(flow, &command, &flight, now);
    if (rc == FERRY_OK) {
        upload->tell_len = false;
        upload->next = flight.end;
        upload->sent = ferry_max32(upload->sent, flight.end);
        flow->moved = true;
    }
    return rc;
}

/* ---- What is due ---------------------------------------------------------------------------- */

/* Before the first answer one chunk: it begins the file. */
static bool is_chunk_due(const struct ferry_file_upload *upload, uint64_t now)
{
    const struct ferry_file_flow *flow = &upload->flow;
    bool left = upload->next < upload->config.size ||
                (!upload->started && upload->sent == 0 && flow->flight_count == 0);

    return left && ferry_file_has_room(flow, upload->started ? flow->window.size : 1, now);
}

static void submit_due(struct ferry_file_upload *upload, uint64_t now)
{
    while (is_chunk_due(upload, now)) {
        int rc = submit_chunk(upload, now);

        if (rc == FERRY_E_SPACE) {
            ferry_file_fail(&upload->flow, rc,
                            "the packets are too small for the name of the file and some data",
                            "use a shorter name, or give the device larger buffers");
        } else if (rc != FERRY_OK && rc != FERRY_E_BUSY) {
            ferry_file_fail_plain(&upload->flow, rc);
        }
        if (rc != FERRY_OK) {
            return;
        }
    }
}

/* Ask for the size, or have the file closed. */
static void submit_question(struct ferry_file_upload *upload, uint64_t now)
{
    struct ferry_file_flow *flow = &upload->flow;
    int32_t ticket = flow->state == FERRY_FILE_ASKS
                         ? ferry_command_file_status(flow->client, upload->config.name, upload)
                         : ferry_command_file_close(flow->client, upload);

    if (ticket > 0) {
        upload->ticket = ticket;
    } else if (ticket == FERRY_E_BUSY) {
        flow->wait_until = now + 20;
    } else {
        ferry_file_fail_plain(flow, ticket);
    }
}

static bool is_question_due(const struct ferry_file_upload *upload)
{
    uint8_t state = upload->flow.state;

    return upload->ticket == 0 &&
           (state == FERRY_FILE_ASKS || state == FERRY_FILE_REOPENS || state == FERRY_FILE_CLOSES);
}

bool ferry_file_upload_next(struct ferry_file_upload *upload, uint64_t now,
                            struct ferry_file_event *event)
{
    submit_due(upload, now);
    if (is_question_due(upload) && now >= upload->flow.wait_until) {
        submit_question(upload, now);
    }
    return ferry_file_report(&upload->flow, upload->acked, upload->config.size, event);
}

uint64_t ferry_file_upload_deadline(const struct ferry_file_upload *upload)
{
    return is_chunk_due(upload, FERRY_CLIENT_NEVER) || is_question_due(upload)
               ? upload->flow.wait_until
               : FERRY_CLIENT_NEVER;
}

void ferry_file_upload_cancel(struct ferry_file_upload *upload)
{
    if (upload->flow.state < FERRY_FILE_IS_DONE) {
        ferry_client_cancel(upload->flow.client, upload->ticket);
        ferry_file_fail_plain(&upload->flow, FERRY_E_CANCELLED);
    }
}
