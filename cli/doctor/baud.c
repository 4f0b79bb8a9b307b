/* SPDX-License-Identifier: Apache-2.0 */
/* Does it speak at another rate? */
#include "hearing.h"
#include "listen.h"

#include <string.h>

/* The usual ones, the likeliest first. */
static const uint32_t rates[] = {115200, 1000000, 921600, 460800, 230400,
                                 57600,  38400,   19200,  9600};

/* So long a rate is listened to; an echo takes a few milliseconds. */
#define TRY_MS 350

/* Text of this score is text, and no chance. */
#define GOOD_SCORE 90

static struct ferry_bytes echo_request(uint8_t out[32])
{
    static const uint8_t payload[] = {0xa1, 0x61, 'd', 0x61, 'f'};
    struct ferry_smp_header header = {.op = FERRY_SMP_WRITE,
                                      .group = FERRY_SMP_GROUP_OS,
                                      .id = FERRY_SMP_OS_ECHO,
                                      .length = sizeof payload};
    ferry_smp_header_write(&header, out);
    memcpy(out + FERRY_SMP_HEADER_SIZE, payload, sizeof payload);
    return (struct ferry_bytes){out, FERRY_SMP_HEADER_SIZE + sizeof payload};
}

/* Ask at one rate. Returns the score of what comes. */
static unsigned try_rate(const struct doctor *doctor, uint32_t baud)
{
    static struct ferry_transport transport;
    static struct listened heard;
    struct ferry_transport_address address = doctor->address;
    uint8_t packet[32];
    char why[320];

    address.baud = baud;
    heard.len = 0;
    heard.gone = false;
    if (ferry_transport_open(&transport, &address, why, sizeof why) != FERRY_OK) {
        return 0;
    }
    if (ferry_transport_send(&transport, echo_request(packet)) == FERRY_OK) {
        listen_to(&transport, TRY_MS, &heard);
    }
    ferry_transport_close(&transport);
    return hearing_score((struct ferry_bytes){heard.bytes, heard.len});
}

void doctor_baud(struct doctor *doctor, struct doctor_finding *finding)
{
    uint32_t best = 0;
    unsigned best_score = 0;
    char uri[sizeof doctor->uri];
    char next[sizeof finding->next];

    if ((doctor->has & DOCTOR_HAS_ANSWER) != 0) {
        doctor_skip(finding, "not in question: it answers");
        return;
    }
    if (doctor->silence.facts.echoed > 0) {
        doctor_skip(finding, "not in question: what is sent comes back");
        return;
    }
    if (!doctor->has_rate) {
        doctor_skip(finding, "this port has no rate that could be wrong");
        return;
    }
    for (size_t i = 0; i < sizeof rates / sizeof rates[0] && best_score < 100; i++) {
        unsigned score = rates[i] != doctor->address.baud ? try_rate(doctor, rates[i]) : 0;
        best = score > best_score ? rates[i] : best;
        best_score = score > best_score ? score : best_score;
    }
    if (best_score < GOOD_SCORE) {
        doctor_ok(finding, "no other usual rate brings an answer or text");
        return;
    }
    doctor_uri(doctor, doctor->raw, best, uri, sizeof uri);
    snprintf(next, sizeof next, "-d '%s'", uri);
    finding->is_cause = true;
    doctor_fail(finding, CLI_NO_ANSWER, "both sides must have the same rate", next, "at %u baud %s",
                (unsigned)best,
                best_score == 100 ? "SMP answers" : "the device's text can be read");
}
