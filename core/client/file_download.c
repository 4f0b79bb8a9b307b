/* SPDX-License-Identifier: Apache-2.0 */
/* Download of a file, pipelined though the device decides how long a chunk is.
 *
 * Where the next chunk begins is guessed from the length of the last one. A guess that was too far
 * leaves a gap, which is asked for like any other part that is missing: of all parts that neither
 * came nor are on their way, the first. So a chunk that was lost, cut or moved needs no other rule.
 *
 * A chunk's offset is a CBOR number, which takes more bytes where it is larger; a server that fills
 * its buffer to the last byte has that much less room for data. The guess counts with it, since a
 * gap costs a whole answer, and two chunks that overlap by some bytes cost next to nothing. */
#include "core/client/file_flow.h"

#include <string.h>

/* Answers to later requests until an earlier one is taken for lost, as TCP counts them: datagrams
 * may overtake each other. */
#define PASSED_MAX 2

int ferry_file_download_start(struct ferry_file_download *download,
                              const struct ferry_file_download_config *config)
{
    if (config->client == NULL || config->name == NULL || config->write == NULL) {
        return FERRY_E_CONFIG;
    }
    memset(download, 0, sizeof *download);
    download->config = *config;
    ferry_file_flow_init(&download->flow, config->client, config->window);
    return FERRY_OK;
}

/* ---- What is here --------------------------------------------------------------------------- */

/* Whether at lies in something that is here or on its way; then at is moved to its end. */
static bool skip(const struct ferry_file_download *download, uint32_t *at)
{
    const struct ferry_file_flow *flow = &download->flow;

    for (uint32_t i = 0; i < download->piece_count; i++) {
        if (download->pieces[i].off <= *at && *at < download->pieces[i].end) {
            *at = download->pieces[i].end;
            return true;
        }
    }
    for (uint32_t i = 0; i < flow->flight_count; i++) {
        if (flow->flights[i].off <= *at && *at < flow->flights[i].end) {
            *at = flow->flights[i].end;
            return true;
        }
    }
    return false;
}

/* The first offset that is neither here nor on its way. */
static uint32_t first_missing(const struct ferry_file_download *download)
{
    uint32_t at = download->done;

    while (skip(download, &at)) {
    }
    return at;
}

/* Bytes received, each counted once. */
static uint32_t received(const struct ferry_file_download *download)
{
    uint32_t count = download->done;

    for (uint32_t i = 0; i < download->piece_count; i++) {
        count += download->pieces[i].end - download->pieces[i].off;
    }
    return count;
}

static void remove_piece(struct ferry_file_download *download, uint32_t index)
{
    download->piece_count--;
    memmove(&download->pieces[index], &download->pieces[index + 1],
            (download->piece_count - index) * sizeof download->pieces[0]);
}

/* Let done and the pieces that touch it grow together. */
static void join_front(struct ferry_file_download *download)
{
    while (download->piece_count > 0 && download->pieces[0].off <= download->done) {
        download->done = ferry_max32(download->done, download->pieces[0].end);
        remove_piece(download, 0);
    }
}

/* Note that from off to end is here. Pieces that it touches become one with it. When there is no
 * place for one more, it is asked for again. */
static void note(struct ferry_file_download *download, uint32_t off, uint32_t end)
{
    uint32_t i = 0;

    while (i < download->piece_count) {
        const struct ferry_file_piece *piece = &download->pieces[i];

        if (piece->off <= end && off <= piece->end) {
            off = ferry_min32(off, piece->off);
            end = ferry_max32(end, piece->end);
            remove_piece(download, i);
        } else if (piece->off > end) {
            break;
        } else {
            i++;
        }
    }
    if (download->piece_count == FERRY_FILE_PIECES_MAX) {
        return;
    }
    memmove(&download->pieces[i + 1], &download->pieces[i],
            (download->piece_count - i) * sizeof download->pieces[0]);
    download->pieces[i] = (struct ferry_file_piece){off, end};
    download->piece_count++;
    join_front(download);
}

/* ---- Requests ------------------------------------------------------------------------------- */

/* Bytes of a CBOR number. */
static uint32_t head_of(uint32_t value)
{
    return value < 24 ? 1 : value < 0x100 ? 2 : value < 0x10000 ? 3 : 5;
}

/* Bytes that a chunk at off is expected to have. */
static uint32_t guess(const struct ferry_file_download *download, uint32_t off)
{
    uint32_t head = head_of(off);
    uint32_t less = head > download->chunk_head ? head - download->chunk_head : 0;

    return download->chunk > less ? download->chunk - less : 1;
}

static int ask(struct ferry_file_download *download, uint32_t off, uint64_t now)
{
    struct ferry_file_flow *flow = &download->flow;
    struct ferry_client_command command = {.op = FERRY_SMP_READ};
    struct ferry_file_flight flight = {
        .off = off, .end = off + ferry_min32(guess(download, off), UINT32_MAX - off)};
    struct ferry_cbor_writer w;
    size_t cap;
    uint8_t *room = ferry_client_room(flow->client, &cap);

    ferry_cbor_writer_init(&w, room, room != NULL ? cap : 0);
    ferry_cbor_put_map(&w, 2);
    ferry_cbor_pair_uint(&w, "off", off);
    ferry_cbor_pair_text(&w, "name", download->config.name);

    int len = ferry_cbor_writer_result(&w);

    if (len < 0 && room != NULL) {
        return len;
    }
    command.payload = (struct ferry_bytes){room, room != NULL ? (size_t)len : 0};
    /* The first answer may be as large as what this side sends at most. */
    command.timeout_ms = ferry_file_timeout_ms(
        flow, download->sized ? download->chunk : (uint32_t)flow->client->packet_max);
    return ferry_file_submit(flow, &command, &flight, now);
}

static void submit_due(struct ferry_file_download *download, uint64_t now)
{
    struct ferry_file_flow *flow = &download->flow;

    while (ferry_file_has_room(flow, download->sized ? flow->window.size : 1, now)) {
        uint32_t off = first_missing(download);

        if (download->sized && off >= download->total) {
            return;
        }

        int rc = ask(download, off, now);

        if (rc == FERRY_E_SPACE) {
            ferry_file_fail(flow, rc, "the packets are too small for the name of the file",
                            "use a shorter name, or give the device larger buffers");
        }
        if (rc != FERRY_OK) {
            return;
        }
    }
}

/* ---- Answers -------------------------------------------------------------------------------- */

/* Hand one piece of data to the caller. Returns FERRY_OK or its error. */
static int keep(const struct ferry_file_download *download, uint32_t off, struct ferry_bytes data)
{
    const struct ferry_file_download_config *config = &download->config;

    return data.len == 0
               ? FERRY_OK
               : config->write(config->context, off, data.data, data.len, download->total);
}

/* The data of an answer: one string, or chunks of it. Bytes beyond the file's length are left out.
 * Returns how many there are, or an error. */
static int64_t keep_all(const struct ferry_file_download *download, uint32_t off,
                        const struct ferry_cbor_item *item)
{
    struct ferry_cbor_reader chunks;
    uint32_t at = off;

    ferry_cbor_reader_init(&chunks, item->bytes);
    for (bool last = false; !last;) {
        struct ferry_cbor_item one = *item;

        last = !item->chunked;
        if (item->chunked) {
            if (ferry_cbor_at_end(&chunks)) {
                break;
            }
            if (ferry_cbor_read(&chunks, &one) != FERRY_OK) {
                return FERRY_E_FORMAT;
            }
        }
        uint32_t left = download->total - at;
        struct ferry_bytes data = {one.bytes.data, one.bytes.len < left ? one.bytes.len : left};
        int rc = keep(download, at, data);

        if (rc != FERRY_OK) {
            return rc;
        }
        at += (uint32_t)data.len;
    }
    return (int64_t)at - off;
}

/* The first answer has the file's length. Returns whether it does, after a failure if not. */
static bool take_length(struct ferry_file_download *download, const struct ferry_cbor_field *len)
{
    if (download->sized) {
        return true;
    }
    if (!len->present || len->item.value > UINT32_MAX) {
        ferry_file_fail(&download->flow, len->present ? FERRY_E_RANGE : FERRY_E_FORMAT,
                        len->present ? "the file has 4 GiB or more"
                                     : "the device does not say how long the file is",
                        len->present ? "transfer it in parts" : "check what runs on the device");
        return false;
    }
    download->total = (uint32_t)len->item.value;
    download->sized = true;
    return true;
}

/* A whole chunk tells how long the others will be; the last one of the file does not. */
static void learn(struct ferry_file_download *download, uint32_t off, uint32_t len)
{
    if (len < download->total - off) {
        download->chunk = len;
        download->chunk_head = head_of(off);
    }
}

static void take_data(struct ferry_file_download *download, uint32_t off,
                      const struct ferry_cbor_item *data)
{
    struct ferry_file_flow *flow = &download->flow;
    uint32_t before = received(download);
    int64_t len = keep_all(download, off, data);

    if (len < 0) {
        ferry_file_fail_plain(flow, (int)len);
        return;
    }
    if (len == 0 && off < download->total) {
        ferry_file_fail(flow, FERRY_E_SHORT,
                        "the file ends before the length that the device told first: it was "
                        "changed meanwhile",
                        "transfer it again when nothing writes to it");
        return;
    }
    if (len > 0) {
        learn(download, off, (uint32_t)len);
        note(download, off, off + (uint32_t)len);
    }
    if (download->done >= download->total) {
        ferry_file_finish(flow);
    } else if (received(download) > before) {
        ferry_file_arrived(flow);
    } else if (++flow->refusals >= FERRY_FILE_REFUSALS_MAX) {
        ferry_file_fail(flow, FERRY_E_STUCK,
                        "the device sends other parts of the file than it was asked for",
                        "transfer it again; if it stays, the device's server is at fault");
    }
}

/* What was asked for before an answer that came is lost, once enough have passed it. */
static void count_passed(struct ferry_file_download *download, uint32_t index)
{
    struct ferry_file_flow *flow = &download->flow;
    uint32_t i = 0;

    while (i < index && flow->state == FERRY_FILE_RUNS) {
        struct ferry_file_flight flight = flow->flights[i];

        if (++flow->flights[i].passed < PASSED_MAX) {
            i++;
            continue;
        }
        ferry_file_drop_one(flow, i);
        index--;
        ferry_file_lost(flow, &flight);
    }
}

static void on_data(struct ferry_file_download *download, const struct ferry_file_flight *flight,
                    struct ferry_bytes payload)
{
    struct ferry_cbor_field fields[FERRY_FILE_FIELDS] = {
        [FERRY_FILE_OFF] = {.key = "off", .kind = FERRY_CBOR_UINT},
        [FERRY_FILE_DATA] = {.key = "data", .kind = FERRY_CBOR_BYTES},
        [FERRY_FILE_LEN] = {.key = "len", .kind = FERRY_CBOR_UINT}};
    int rc = ferry_cbor_read_map(payload, fields, FERRY_FILE_FIELDS);

    if (rc != FERRY_OK || !fields[FERRY_FILE_DATA].present) {
        ferry_file_fail_plain(&download->flow, rc != FERRY_OK ? rc : FERRY_E_FORMAT);
        return;
    }
    if (!take_length(download, &fields[FERRY_FILE_LEN])) {
        return;
    }
    /* What the server says it sent counts, not what was asked for. */
    uint64_t off = fields[FERRY_FILE_OFF].present ? fields[FERRY_FILE_OFF].item.value : flight->off;

    if (off > download->total) {
        ferry_file_fail(&download->flow, FERRY_E_RANGE,
                        "the device sends data from beyond the end of the file",
                        "transfer it again when nothing writes to it");
        return;
    }
    take_data(download, (uint32_t)off, &fields[FERRY_FILE_DATA].item);
}

bool ferry_file_download_answer(struct ferry_file_download *download,
                                const struct ferry_client_answer *answer, uint64_t now)
{
    struct ferry_file_flow *flow = &download->flow;
    struct ferry_file_flight flight;
    int index = ferry_file_take_flight(flow, answer->ticket, &flight);

    if (index < 0) {
        return false;
    }
    if (answer->error == FERRY_E_TIMEOUT) {
        ferry_file_fail_silent(flow);
        return true;
    }
    if (answer->error != FERRY_OK) {
        (void)ferry_file_takes_error(flow, &flight, answer, now);
        return true;
    }
    if (answer->tries == 1) {
        ferry_window_clean(&flow->window);
        count_passed(download, (uint32_t)index);
    } else {
        ferry_file_lost(flow, &flight);
    }
    if (flow->state == FERRY_FILE_RUNS) {
        on_data(download, &flight, answer->payload);
    }
    return true;
}

/* ---- Events --------------------------------------------------------------------------------- */

bool ferry_file_download_next(struct ferry_file_download *download, uint64_t now,
                              struct ferry_file_event *event)
{
    submit_due(download, now);
    return ferry_file_report(&download->flow, received(download), download->total, event);
}

uint64_t ferry_file_download_deadline(const struct ferry_file_download *download)
{
    const struct ferry_file_flow *flow = &download->flow;
    uint32_t allowed = download->sized ? flow->window.size : 1;

    if (!ferry_file_has_room(flow, allowed, FERRY_CLIENT_NEVER) ||
        (download->sized && first_missing(download) >= download->total)) {
        return FERRY_CLIENT_NEVER;
    }
    return flow->wait_until;
}

void ferry_file_download_cancel(struct ferry_file_download *download)
{
    if (download->flow.state == FERRY_FILE_RUNS) {
        ferry_file_fail_plain(&download->flow, FERRY_E_CANCELLED);
    }
}
