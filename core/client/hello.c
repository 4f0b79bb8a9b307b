/* SPDX-License-Identifier: Apache-2.0 */
/* The first words: version and buffers. */
#include "ferry/hello.h"

#include "echo_fill.h"

#include <string.h>

/* What is asked in turn, each when the one before brought nothing: os/6 in both versions, then a
 * small echo, for servers that do not answer what they do not know. Two tries for the first: a
 * device that is there answers it, and one that is not should not cost the whole patience of
 * ordinary commands four times. */
static const struct {
    uint8_t version;
    uint8_t id;
    uint8_t retries;
} steps[] = {
    {FERRY_SMP_VERSION_2, FERRY_SMP_OS_PARAMS, 1},
    {FERRY_SMP_VERSION_1, FERRY_SMP_OS_PARAMS, FERRY_CLIENT_ONCE},
    {FERRY_SMP_VERSION_2, FERRY_SMP_OS_ECHO, FERRY_CLIENT_ONCE},
    {FERRY_SMP_VERSION_1, FERRY_SMP_OS_ECHO, FERRY_CLIENT_ONCE},
};

#define STEPS (sizeof steps / sizeof steps[0])

/* The step behind them: an echo that is larger than a fragment. */
#define PROBE STEPS

/* What it may take at least. A device that does not put it together says nothing, so this is what
 * each hello costs there. */
#define PROBE_MIN_MS 300

/* A link of fragments loses none: what is late is on its way, and a copy would hold up the rest. */
#define FRAGMENTS_MIN_MS 500

static void take_step(struct ferry_hello *hello, uint8_t step)
{
    hello->step = step;
    hello->version = steps[step].version;
    ferry_client_set_version(hello->client, hello->version);
}

void ferry_hello_start(struct ferry_hello *hello, struct ferry_client *client,
                       enum ferry_client_link link)
{
    memset(hello, 0, sizeof *hello);
    hello->client = client;
    hello->link = link;
    hello->error = FERRY_E_BUSY;
    take_step(hello, 0);
}

/* ---- Asking --------------------------------------------------------------------------------- */

static int32_t submit_step(const struct ferry_hello *hello)
{
    static const uint8_t empty_map[] = {0xa0};
    static const uint8_t echo_map[] = {0xa1, 0x61, 'd', 0x61, '?'};
    bool echo = steps[hello->step].id == FERRY_SMP_OS_ECHO;
    struct ferry_client_command command = {.op = echo ? FERRY_SMP_WRITE : FERRY_SMP_READ,
                                           .group = FERRY_SMP_GROUP_OS,
                                           .id = steps[hello->step].id,
                                           .payload = {empty_map, sizeof empty_map},
                                           .retries = steps[hello->step].retries};

    if (echo) {
        command.payload = (struct ferry_bytes){echo_map, sizeof echo_map};
    }
    return ferry_client_submit(hello->client, &command);
}

/* Two whole fragments, or what the device has room for. The round trip of the first question was
 * that of one fragment; two may need another interval of the link. */
static int32_t submit_probe(const struct ferry_hello *hello)
{
    struct ferry_client *client = hello->client;
    size_t whole = 2 * client->fragment;
    uint32_t timeout_ms = ferry_max32(PROBE_MIN_MS, 4 * (client->trip.peak8 / 8));

    ferry_client_set_packet_max(client, whole < hello->packet_max ? whole : hello->packet_max);
    return ferry_echo_fill(client, timeout_ms, FERRY_CLIENT_ONCE);
}

int ferry_hello_run(struct ferry_hello *hello)
{
    int32_t ticket;

    if (hello->error != FERRY_E_BUSY || hello->ticket != 0) {
        return hello->error;
    }
    ticket = hello->step == PROBE ? submit_probe(hello) : submit_step(hello);
    if (ticket > 0) {
        hello->ticket = ticket;
    }
    return hello->error;
}

/* Ask the next question; after the last one the hello ends with this error. */
static void go_on(struct ferry_hello *hello, int error)
{
    if (hello->step + 1U < STEPS) {
        take_step(hello, (uint8_t)(hello->step + 1));
    } else {
        hello->error = error;
    }
}

static void finish(struct ferry_hello *hello)
{
    size_t fragment = hello->client->fragment;

    if (fragment > 0 && !hello->reassembles && hello->packet_max > fragment) {
        hello->packet_max = fragment;
    }
    if (fragment > 0) {
        hello->client->config.timeout_min_ms =
            ferry_max32(hello->client->config.timeout_min_ms, FRAGMENTS_MIN_MS);
    }
    ferry_client_set_packet_max(hello->client, hello->packet_max);
    if (hello->params.pad > 0) { /* a bootloader does not say it, and the firmware comes back */
        ferry_client_set_pad(hello->client, hello->params.pad);
    }
    hello->error = hello->packet_max < FERRY_CLIENT_PACKET_LEAST ? FERRY_E_FRAGMENT : FERRY_OK;
}

/* It speaks; what is left is how large its packets may be. */
static void meet(struct ferry_hello *hello)
{
    uint32_t count = hello->params.buf_count;
    size_t fragment = hello->client->fragment;

    hello->packet_max = ferry_client_packet_max(hello->link, hello->params.buf_size);
    hello->window = count > 2 ? count - 1 : 1; /* an answer takes a buffer, too */
    if (hello->link == FERRY_LINK_RAW) {
        hello->window = 1; /* the line finds its packets again only while all are silent */
    }
    if (fragment > 0 && hello->has_params && hello->packet_max > fragment) {
        hello->step = PROBE;
    } else {
        finish(hello);
    }
}

/* A refusal of the whole command comes from who has read the whole packet. One of its form does
 * not: the first fragment alone was taken for a packet. */
static bool is_whole(const struct ferry_client_answer *answer)
{
    return answer->error == FERRY_OK ||
           (answer->error == FERRY_E_REFUSED && !answer->status.grouped &&
            (answer->status.rc == FERRY_RC_NOT_SUPPORTED ||
             answer->status.rc == FERRY_RC_ACCESS_DENIED));
}

/* Whether the device refuses the version, and nothing else. */
static bool is_version_refused(const struct ferry_client_answer *answer)
{
    return answer->error == FERRY_E_REFUSED && !answer->status.grouped &&
           (answer->status.rc == FERRY_RC_TOO_OLD || answer->status.rc == FERRY_RC_TOO_NEW);
}

bool ferry_hello_answer(struct ferry_hello *hello, const struct ferry_client_answer *answer)
{
    if (hello->ticket == 0 || answer->ticket != hello->ticket) {
        return false;
    }
    hello->ticket = 0;
    if (hello->step == PROBE) {
        hello->reassembles = is_whole(answer);
        finish(hello);
        return true;
    }
    if (answer->error == FERRY_E_TIMEOUT) {
        go_on(hello, FERRY_E_TIMEOUT);
        return true;
    }
    if (is_version_refused(answer)) {
        go_on(hello, FERRY_E_VERSION);
        return true;
    }
    /* Any other refusal is an answer, too: a device without os/6 gets the careful defaults. */
    if (answer->error == FERRY_OK && steps[hello->step].id == FERRY_SMP_OS_PARAMS) {
        hello->has_params = ferry_answer_params(answer->payload, &hello->params) == FERRY_OK;
    }
    meet(hello);
    return true;
}
