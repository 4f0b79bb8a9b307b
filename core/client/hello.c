/* SPDX-License-Identifier: Apache-2.0 */
/* The first words: version and buffers. */
#include "ferry/hello.h"

#include <string.h>

void ferry_hello_start(struct ferry_hello *hello, struct ferry_client *client,
                       enum ferry_client_link link)
{
    memset(hello, 0, sizeof *hello);
    hello->client = client;
    hello->link = link;
    hello->error = FERRY_E_BUSY;
    hello->version = FERRY_SMP_VERSION_2;
    ferry_client_set_version(client, hello->version);
}

/* Two tries for each version: a device that is there answers the first, and one that is not
 * should not cost the whole patience of ordinary commands twice. */
static int32_t submit_params(struct ferry_client *client)
{
    static const uint8_t empty_map[] = {0xa0};
    struct ferry_client_command command = {.op = FERRY_SMP_READ,
                                           .group = FERRY_SMP_GROUP_OS,
                                           .id = FERRY_SMP_OS_PARAMS,
                                           .payload = {empty_map, sizeof empty_map},
                                           .retries = 1};

    return ferry_client_submit(client, &command);
}

int ferry_hello_run(struct ferry_hello *hello)
{
    int32_t ticket;

    if (hello->error != FERRY_E_BUSY || hello->ticket != 0) {
        return hello->error;
    }
    ticket = submit_params(hello->client);
    if (ticket > 0) {
        hello->ticket = ticket;
    }
    return hello->error;
}

/* Try the other version, once. */
static bool switch_version(struct ferry_hello *hello, uint8_t version)
{
    if (hello->switched || hello->version == version) {
        return false;
    }
    hello->switched = true;
    hello->version = version;
    ferry_client_set_version(hello->client, version);
    return true;
}

static void finish(struct ferry_hello *hello)
{
    uint32_t count = hello->params.buf_count;

    hello->packet_max = ferry_client_packet_max(hello->link, hello->params.buf_size);
    hello->window = count > 2 ? count - 1 : 1; /* an answer takes a buffer, too */
    if (hello->link == FERRY_LINK_RAW) {
        hello->window = 1; /* the line finds its packets again only while all are silent */
    }
    ferry_client_set_packet_max(hello->client, hello->packet_max);
    hello->error = FERRY_OK;
}

/* The version a refusal asks for; 255 when it is about something else. */
static uint8_t version_asked(const struct ferry_client_answer *answer)
{
    if (answer->error != FERRY_E_REFUSED || answer->status.grouped) {
        return UINT8_MAX;
    }
    if (answer->status.rc == FERRY_RC_TOO_OLD) {
        return FERRY_SMP_VERSION_2;
    }
    return answer->status.rc == FERRY_RC_TOO_NEW ? FERRY_SMP_VERSION_1 : UINT8_MAX;
}

bool ferry_hello_answer(struct ferry_hello *hello, const struct ferry_client_answer *answer)
{
    uint8_t asked = version_asked(answer);

    if (hello->ticket == 0 || answer->ticket != hello->ticket) {
        return false;
    }
    hello->ticket = 0;
    if (answer->error == FERRY_E_TIMEOUT) {
        if (!switch_version(hello, FERRY_SMP_VERSION_1)) {
            hello->error = FERRY_E_TIMEOUT;
        }
        return true;
    }
    if (asked != UINT8_MAX) {
        if (!switch_version(hello, asked)) {
            hello->error = FERRY_E_VERSION;
        }
        return true;
    }
    /* Any other refusal is an answer, too: a device without os/6 gets the careful defaults. */
    if (answer->error == FERRY_OK) {
        hello->has_params = ferry_answer_params(answer->payload, &hello->params) == FERRY_OK;
    }
    finish(hello);
    return true;
}
