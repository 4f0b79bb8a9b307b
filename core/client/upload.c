/* SPDX-License-Identifier: Apache-2.0 */
/* Upload, the sending half: chunk sizes, the window, what is due, events. The other half,
 * upload_answer.c, decides what an answer means. */
#include "core/client/upload.h"

#include "ferry/cbor.h"
#include "ferry/console.h"

#include <string.h>

/* An image header: Zephyr refuses a first chunk without a whole one. */
#define FIRST_MIN 32
#define SHA_SIZE  32
#define ALIGN_MIN 8
#define ALIGN_MAX 512

/* Below this the echoes take longer than larger packets save. */
#define PROBE_SIZE_MIN 32768

/* A chunk may be repeated without harm, and a bad line should not end a long upload: one packet
 * in seven lost either way makes ten silences in a row one in a million. */
#define CHUNK_RETRIES 9

/* Most erases that are over sooner than this need no question. */
#define QUESTION_MIN_MS 1000

/* After the last one a bootloader may decrypt the whole image before it answers; the list is asked
 * after these. */
#define LAST_RETRIES 18

/* A small chip computes seconds to verify the whole image before it answers the last one. On a
 * serial line that lost nothing so far that is what the silence means, and a copy would only be in
 * its way. */
#define LAST_CLEAN_MS      10000
#define LAST_CLEAN_RETRIES 4

/* A file of one chunk has no second one to ask with. */
#define LONE_RETRIES 3

/* ---- Set-up ------------------------------------------------------------------------ */

static bool config_fits(const struct ferry_upload_config *config)
{
    if (config->client == NULL || config->read == NULL || config->size == 0) {
        return false;
    }
    return (config->align & (config->align - 1)) == 0 && config->align <= ALIGN_MAX;
}

int ferry_upload_start(struct ferry_upload *upload, const struct ferry_upload_config *config)
{
    if (!config_fits(config)) {
        return FERRY_E_CONFIG;
    }
    memset(upload, 0, sizeof *upload);
    upload->config = *config;
    upload->count.retransmitted = config->client->stats.retransmitted;
    upload->config.window = ferry_max32(ferry_min32(config->window, FERRY_UPLOAD_WINDOW_MAX), 1);
    if (config->first_timeout_ms == 0) {
        upload->config.first_timeout_ms =
            ferry_client_erase_ms(ferry_max32(config->slot_size, config->size));
    }
    ferry_window_init(&upload->window, upload->config.window);
    upload->align = config->align == 0 ? ALIGN_MIN : config->align;
    upload->state = FERRY_UPLOAD_RUNS;
    if (config->probe && config->size >= PROBE_SIZE_MIN) {
        upload->state = FERRY_UPLOAD_PROBES;
        ferry_probe_start(&upload->probe, config->client, config->link);
    }
    return FERRY_OK;
}

/* ---- Chunks ------------------------------------------------------------------------ */

/* Everything of a chunk but its data; the data's key comes last. */
static void put_fields(const struct ferry_upload *upload, struct ferry_cbor_writer *w, bool sha)
{
    const struct ferry_upload_config *config = &upload->config;
    bool first = upload->next == 0;

    ferry_cbor_put_map(w, 2 + (first ? 1U + sha + (config->image != 0) + config->upgrade : 0));
    if (first && config->image != 0) {
        ferry_cbor_pair_uint(w, "image", config->image);
    }
    if (first) {
        ferry_cbor_pair_uint(w, "len", config->size);
    }
    ferry_cbor_pair_uint(w, "off", upload->next);
    if (sha) {
        ferry_cbor_pair_bytes(w, "sha", config->sha, SHA_SIZE);
    }
    if (first && config->upgrade) {
        ferry_cbor_pair_bool(w, "upgrade", true);
    }
    ferry_cbor_put_text(w, "data");
}

/* Bytes in front of a byte string's content: they grow with its length. */
static size_t head_size(size_t len)
{
    return len < 24 ? 1 : len < 0x100 ? 2 : len < 0x10000 ? 3 : 5;
}

/* The most data that fits the room, head included. */
static size_t fit(size_t room)
{
    size_t len = room;

    while (len > 0 && head_size(len) + len > room) {
        len--;
    }
    return len;
}

/* Data of the chunk at next: what fits, a multiple of the write size unless it is the last. */
static uint32_t chunk_size(const struct ferry_upload *upload, size_t cap, bool sha)
{
    struct ferry_cbor_writer w;
    uint32_t left = upload->config.size - upload->next;
    uint32_t len;

    ferry_cbor_writer_init(&w, NULL, 0);
    put_fields(upload, &w, sha);
    if (w.len >= cap) {
        return 0;
    }
    len = (uint32_t)fit(cap - w.len);
    if (len >= left) {
        return left;
    }
    return len < upload->align ? len : len - len % upload->align;
}

/* Small packets have no room for the SHA: the header must go into the first chunk whole. */
static uint32_t plan_chunk(struct ferry_upload *upload, size_t cap, bool *sha)
{
    uint32_t needed = ferry_min32(FIRST_MIN, upload->config.size);
    uint32_t len;

    *sha = upload->next == 0 && upload->config.sha != NULL;
    len = chunk_size(upload, cap, *sha);
    if (upload->next != 0) {
        return len;
    }
    if (*sha && len < needed) {
        *sha = false;
        ferry_upload_warn(upload, FERRY_UPLOAD_WARN_NO_SHA);
        len = chunk_size(upload, cap, false);
    }
    upload->sha_sent = *sha;
    return len < needed ? 0 : len;
}

/* Write the payload of the chunk at next into room. Returns its length or an error. */
static int write_chunk(struct ferry_upload *upload, uint8_t *room, size_t cap, uint32_t *data_len)
{
    const struct ferry_upload_config *config = &upload->config;
    struct ferry_cbor_writer w;
    bool sha;
    int rc;

    *data_len = plan_chunk(upload, cap, &sha);
    if (*data_len == 0) {
        return FERRY_E_SPACE;
    }
    ferry_cbor_writer_init(&w, room, cap);
    put_fields(upload, &w, sha);
    /* Only the head is written here: the cap ends behind it, and the reader puts the data where
     * it belongs without a copy. The room for it was measured. */
    w.cap = w.len + head_size(*data_len);
    uint8_t *data = room + w.cap;

    ferry_cbor_put_bytes(&w, data, *data_len);
    rc = config->read(config->context, upload->next, data, *data_len);
    return rc == FERRY_OK ? (int)w.len : rc;
}

static void set_last_times(const struct ferry_upload *upload, struct ferry_client_command *command)
{
    command->retries = LAST_RETRIES;
    if (upload->config.link == FERRY_LINK_CONSOLE && upload->count.losses == 0) {
        command->timeout_ms = ferry_max32(command->timeout_ms, LAST_CLEAN_MS);
        command->retries = LAST_CLEAN_RETRIES;
    }
}

/* The first chunk erases: it has the whole budget, and its answer says nothing of the line. What
 * is lost is found by the question, so more tries would only prolong the wait for a dead device. */
static void set_times(const struct ferry_upload *upload, uint32_t data_len,
                      struct ferry_client_command *command)
{
    if (upload->next == 0) {
        command->timeout_ms = upload->config.first_timeout_ms;
        command->retries = data_len < upload->config.size ? 1 : LONE_RETRIES;
        return;
    }
    command->timeout_ms = ferry_client_adaptive_timeout_ms(upload->config.client);
    command->retries = CHUNK_RETRIES;
    if (upload->next + data_len == upload->config.size) {
        set_last_times(upload, command);
    }
}

uint32_t ferry_upload_patience_ms(const struct ferry_upload *upload)
{
    uint32_t patience = 2 * ferry_client_adaptive_timeout_ms(upload->config.client);

    return ferry_min32(ferry_max32(patience, QUESTION_MIN_MS),
                       upload->config.client->config.timeout_ms);
}

/* Bytes on the wire, as far as it is known what they become there. */
static size_t wire_size(const struct ferry_upload *upload, size_t packet)
{
    return upload->config.link == FERRY_LINK_CONSOLE ? ferry_console_wire_size(packet) : packet;
}

static void count_chunk(struct ferry_upload *upload, uint32_t len, size_t packet, uint64_t now)
{
    struct ferry_upload_count *count = &upload->count;

    if (count->chunk == 0) {
        count->begin_at = now;
    }
    if (count->answered) {
        count->again += upload->next < count->top;
        count->wire_bytes += wire_size(upload, packet);
    }
    count->top = ferry_max32(count->top, upload->next + len);
    if (len > count->chunk) {
        count->chunk = len;
        count->packet = (uint32_t)packet;
    }
}

static void note_flight(struct ferry_upload *upload, int32_t ticket, uint32_t len, uint64_t now)
{
    struct ferry_upload_flight *flight = &upload->flights[upload->flight_count++];

    flight->ticket = ticket;
    flight->off = upload->next;
    flight->end = upload->next + len;
    flight->known = upload->acked;
    flight->epoch = upload->epoch;
    flight->at = now;
    flight->ignored = false;
    if (upload->next == 0) {
        upload->question_at = now + ferry_upload_patience_ms(upload);
    }
    upload->next = flight->end;
    upload->sent = ferry_max32(upload->sent, flight->end);
    upload->moved = true;
}

/* Returns FERRY_OK when a chunk was submitted, FERRY_E_BUSY when there is no place for it. */
static int submit_chunk(struct ferry_upload *upload, uint64_t now)
{
    struct ferry_client_command command = {.op = FERRY_SMP_WRITE,
                                           .group = FERRY_SMP_GROUP_IMAGE,
                                           .id = FERRY_SMP_IMAGE_UPLOAD,
                                           .user = upload};
    size_t cap;
    uint8_t *room = ferry_client_room(upload->config.client, &cap);
    uint32_t data_len;
    int32_t ticket;
    int len;

    if (room == NULL) {
        return FERRY_E_BUSY;
    }
    len = write_chunk(upload, room, ferry_client_chunk_cap(upload->config.client, cap), &data_len);
    if (len < 0) {
        return len;
    }
    command.payload.data = room;
    command.payload.len = (size_t)len;
    set_times(upload, data_len, &command);
    ticket = ferry_client_submit(upload->config.client, &command);
    if (ticket < 0) {
        return ticket;
    }
    count_chunk(upload, data_len, FERRY_SMP_HEADER_SIZE + (size_t)len, now);
    note_flight(upload, ticket, data_len, now);
    return FERRY_OK;
}

/* ---- What is due ---------------------------------------------------------------------- */

/* All places of the client are taken by others or by what is overtaken: look again soon. */
#define PLACE_WAIT_MS 20

/* Chunks that may be in flight now: before the first answer one, and a question when it is late. */
static uint32_t allowed(const struct ferry_upload *upload, uint64_t now)
{
    if (upload->started) {
        return upload->window.size;
    }
    return now >= upload->question_at ? 2 : 1;
}

static uint32_t live_flights(const struct ferry_upload *upload)
{
    uint32_t count = 0;

    for (uint32_t i = 0; i < upload->flight_count; i++) {
        count += !upload->flights[i].ignored;
    }
    return count;
}

/* Before the start, what was sent earlier does not hold up the first chunk: it goes out alone
 * in any case, and what is overtaken is not waited for. */
static bool may_submit(const struct ferry_upload *upload, uint64_t now)
{
    uint32_t count = upload->started ? upload->flight_count : live_flights(upload);

    if (upload->next >= upload->config.size || now < upload->wait_until) {
        return false;
    }
    if (upload->flight_count >= FERRY_UPLOAD_WINDOW_MAX) {
        return false;
    }
    return count < allowed(upload, now);
}

static void submit_due(struct ferry_upload *upload, uint64_t now)
{
    while (may_submit(upload, now)) {
        int rc = submit_chunk(upload, now);

        if (rc == FERRY_E_BUSY) {
            upload->wait_until = now + PLACE_WAIT_MS;
            return;
        }
        if (rc != FERRY_OK) {
            ferry_upload_fail(upload, rc,
                              rc == FERRY_E_SPACE ? "the packets are too small for the first chunk"
                                                  : "the image file cannot be read",
                              rc == FERRY_E_SPACE ? "give the device larger buffers"
                                                  : "check the file");
            return;
        }
    }
}

/* The last answer was lost and the server has forgotten the upload: its list tells the rest. */
static void ask_list(struct ferry_upload *upload)
{
    int32_t ticket = ferry_command_image_list(upload->config.client, upload);

    if (ticket > 0) {
        upload->list_ticket = ticket;
    }
}

uint64_t ferry_upload_deadline(const struct ferry_upload *upload)
{
    if (upload->state != FERRY_UPLOAD_RUNS) {
        return FERRY_CLIENT_NEVER;
    }
    if (may_submit(upload, FERRY_CLIENT_NEVER)) {
        uint32_t count = upload->started ? upload->flight_count : live_flights(upload);
        bool question = !upload->started && count == 1;

        if (question && upload->question_at > upload->wait_until) {
            return upload->question_at;
        }
        return upload->wait_until;
    }
    return FERRY_CLIENT_NEVER;
}

/* ---- Events ---------------------------------------------------------------------------- */

static const struct {
    const char *text;
    const char *remedy;
} WARNINGS[] = {
    [FERRY_UPLOAD_WARN_NO_SHA] = {"the packets are too small to carry the SHA-256 of the file: an "
                                  "interrupted upload cannot be resumed",
                                  "give the device buffers of 256 bytes or more"},
    [FERRY_UPLOAD_WARN_LOSS] =
        {"packets are lost on the way; they are sent again",
         "check cable and baud rate, or radio or network, and what else sends there"},
    [FERRY_UPLOAD_WARN_BUFFERS] = {"the device ran out of buffers; fewer chunks are sent at once",
                                   "give the device more buffers"},
    [FERRY_UPLOAD_WARN_CUT] = {"the device stores less of a chunk than was sent: its flash has a "
                               "larger write size; the chunks are cut to it",
                               ""},
    [FERRY_UPLOAD_WARN_RESTART] = {"the device has forgotten what it had stored; the upload goes "
                                   "on where it says",
                                   "if it stays, the device resets: look at its log and its power"},
    [FERRY_UPLOAD_WARN_LAST] = {"the answer to the last chunk was lost; the device lists the image",
                                ""},
    [FERRY_UPLOAD_WARN_BUSY] = {"the device is busy; waiting", ""},
};

void ferry_upload_warn(struct ferry_upload *upload, enum ferry_upload_warning warning)
{
    uint16_t bit = (uint16_t)(1U << warning);

    if ((upload->warned & bit) == 0) {
        upload->warned |= bit;
        upload->warnings |= bit;
    }
}

static void fill_warning(struct ferry_upload *upload, struct ferry_upload_event *event)
{
    unsigned warning = 0;

    while (((unsigned)upload->warnings >> warning & 1U) == 0) {
        warning++;
    }
    upload->warnings &= (uint16_t) ~(1U << warning);
    event->kind = FERRY_UPLOAD_WARNING;
    event->text = WARNINGS[warning].text;
    event->remedy = WARNINGS[warning].remedy;
}

static void fill_end(struct ferry_upload *upload, struct ferry_upload_event *event)
{
    event->kind = upload->state == FERRY_UPLOAD_FINISHED ? FERRY_UPLOAD_DONE : FERRY_UPLOAD_FAILED;
    event->text = upload->text;
    event->remedy = upload->remedy;
    event->error = upload->error;
    event->status = upload->status;
    upload->state = FERRY_UPLOAD_OVER;
}

bool ferry_upload_next(struct ferry_upload *upload, uint64_t now, struct ferry_upload_event *event)
{
    upload->count.now = now;
    if (upload->state == FERRY_UPLOAD_PROBES && ferry_probe_run(&upload->probe) == FERRY_OK) {
        upload->state = FERRY_UPLOAD_RUNS;
    }
    if (upload->state == FERRY_UPLOAD_RUNS) {
        submit_due(upload, now);
    }
    if (upload->state == FERRY_UPLOAD_ASKS && upload->list_ticket == 0) {
        ask_list(upload);
    }
    memset(event, 0, sizeof *event);
    event->sent = upload->sent;
    event->acked = upload->acked;
    event->total = upload->config.size;
    event->resumed = upload->resumed;
    event->matched = upload->matched;
    event->text = "";
    event->remedy = "";
    if (upload->warnings != 0) {
        fill_warning(upload, event);
        return true;
    }
    if (upload->moved) {
        upload->moved = false;
        event->kind = FERRY_UPLOAD_PROGRESS;
        return true;
    }
    if (upload->state == FERRY_UPLOAD_FINISHED || upload->state == FERRY_UPLOAD_BROKEN) {
        fill_end(upload, event);
        return true;
    }
    return false;
}
