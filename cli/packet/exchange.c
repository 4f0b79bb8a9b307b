/* SPDX-License-Identifier: Apache-2.0 */
#include "exchange.h"
#include "ferry/crc.h"

/* ---- Requests -------------------------------------------------------------------------------- */

static bool is_again(const struct exchange_request *request, unsigned number,
                     const struct packet_view *view, uint32_t check)
{
    return request->number == number && request->check == check &&
           request->header.seq == view->header.seq && request->header.length == view->header.length;
}

static struct exchange_request *find_again(struct exchange *exchange, unsigned number,
                                           const struct packet_view *view, uint32_t check)
{
    for (size_t i = 0; i < EXCHANGE_OPEN_MAX; i++) {
        if (is_again(&exchange->open[i], number, view, check)) {
            return &exchange->open[i];
        }
    }
    return NULL;
}

static void give_up(struct exchange *exchange, struct exchange_request *request)
{
    exchange->unanswered++;
    request->number = 0;
}

/* A place for a request: a free one, the one of a request that has the same number and can no
 * longer be answered, or the oldest. */
static struct exchange_request *take_place(struct exchange *exchange, unsigned number, uint8_t seq)
{
    struct exchange_request *place = &exchange->open[0];

    for (size_t i = 0; i < EXCHANGE_OPEN_MAX; i++) {
        struct exchange_request *request = &exchange->open[i];

        if (request->number == number && request->header.seq == seq) {
            place = request;
            break;
        }
        if (place->number != 0 && (request->number == 0 || request->sent < place->sent)) {
            place = request;
        }
    }
    if (place->number != 0) {
        give_up(exchange, place);
    }
    return place;
}

struct exchange_note exchange_sent(struct exchange *exchange, unsigned number, double t,
                                   const struct packet_view *view)
{
    uint32_t check = ferry_crc32(0, view->bytes.data, view->bytes.len);
    struct exchange_request *request = find_again(exchange, number, view, check);

    exchange->tx_bytes += view->bytes.len;
    if (request != NULL) {
        exchange->retransmitted++;
    } else {
        exchange->requests++;
        request = take_place(exchange, number, view->header.seq);
        *request =
            (struct exchange_request){.number = number, .header = view->header, .check = check};
    }
    request->sent = t;
    request->tries++;
    return (struct exchange_note){.role = EXCHANGE_REQUEST, .tries = request->tries};
}

/* ---- Answers --------------------------------------------------------------------------------- */

static struct exchange_request *find_answered(struct exchange *exchange, unsigned number,
                                              const struct ferry_smp_header *answer)
{
    for (size_t i = 0; i < EXCHANGE_OPEN_MAX; i++) {
        struct exchange_request *request = &exchange->open[i];

        if (request->number == number && ferry_smp_answers(answer, &request->header)) {
            return request;
        }
    }
    return NULL;
}

static void measure(struct exchange *exchange, double rtt)
{
    if (exchange->measured == 0 || rtt < exchange->rtt_min) {
        exchange->rtt_min = rtt;
    }
    if (exchange->measured == 0 || rtt > exchange->rtt_max) {
        exchange->rtt_max = rtt;
    }
    exchange->rtt_sum += rtt;
    exchange->measured++;
}

struct exchange_note exchange_received(struct exchange *exchange, unsigned number, double t,
                                       const struct packet_view *view)
{
    struct exchange_note note = {.role = EXCHANGE_ANSWER};
    struct ferry_smp_status status;
    struct ferry_smp_words words;

    exchange->rx_bytes += view->bytes.len;
    if (view->has_header && view->header.op % 2 == 0) {
        exchange->echoed++;
        note.role = EXCHANGE_ECHO;
        return note;
    }
    struct exchange_request *request =
        view->has_header ? find_answered(exchange, number, &view->header) : NULL;
    if (request == NULL) {
        exchange->stale++;
        note.role = EXCHANGE_STALE;
        return note;
    }
    note.rtt = t - request->sent;
    note.tries = request->tries;
    if (request->tries == 1) {
        measure(exchange, note.rtt);
    }
    exchange->answers++;
    exchange->refused += packet_refuses(view, &status, &words);
    request->number = 0;
    return note;
}

void exchange_end(struct exchange *exchange, unsigned number)
{
    for (size_t i = 0; i < EXCHANGE_OPEN_MAX; i++) {
        struct exchange_request *request = &exchange->open[i];

        if (request->number != 0 && (number == 0 || request->number == number)) {
            give_up(exchange, request);
        }
    }
}
