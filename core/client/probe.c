/* SPDX-License-Identifier: Apache-2.0 */
/* Echoes of growing size. */
#include "echo_fill.h"
#include "ferry/probe.h"

#include <string.h>

/* The first is small: whether echo is answered at all. It fits one console line. */
#define SMALL_PACKET 64

#define BUFFER_FIRST 512
#define BUFFER_MAX   4096

/* A silence costs at least this, on top of what the line needs: an echo is answered at once. */
#define TIMEOUT_MIN_MS 200

enum stage {
    SMALL,  /* is echo answered? */
    GROW,   /* twice as much each time */
    MIDDLE, /* between what was answered and what was not */
    AFTER,  /* the device must be itself again after what it dropped */
    DONE
};

void ferry_probe_start(struct ferry_probe *probe, struct ferry_client *client,
                       enum ferry_client_link link)
{
    memset(probe, 0, sizeof *probe);
    probe->client = client;
    probe->link = link;
    probe->packet_max = client->packet_max;
    probe->buffer = BUFFER_FIRST;
    /* A bare serial line finds its packets again by silence: one too large costs seconds. Where
     * packets are cut, hello has found what the device takes. */
    probe->stage = link == FERRY_LINK_RAW || client->fragment > 0 ? DONE : SMALL;
}

/* ---- Asking ------------------------------------------------------------------------------- */

static size_t packet_of(const struct ferry_probe *probe, uint32_t buffer)
{
    return ferry_client_packet_max(probe->link, buffer);
}

/* A second try for what everything hangs on. A larger packet lost by chance costs little speed, and
 * a second silence would cost as much as the first. */
static uint8_t tries_of(const struct ferry_probe *probe)
{
    bool counts = probe->stage != MIDDLE && (probe->known == 0 || probe->stage == AFTER);

    return counts ? 1 : FERRY_CLIENT_ONCE;
}

static size_t wanted_packet(const struct ferry_probe *probe)
{
    bool small = probe->stage == SMALL || probe->stage == AFTER;

    return small ? SMALL_PACKET : packet_of(probe, probe->buffer);
}

/* The line's share is the client's own sum; a line slower than told shows in the round trips. */
static uint32_t patience_ms(const struct ferry_client *client)
{
    return ferry_max32(TIMEOUT_MIN_MS, 2 * (client->trip.peak8 / 8));
}

/* ---- What an answer means -------------------------------------------------------------------- */

static void finish(struct ferry_probe *probe)
{
    size_t known = probe->known > 0 ? packet_of(probe, probe->known) : 0;

    probe->packet_max = known > probe->packet_max ? known : probe->packet_max;
    probe->stage = DONE;
}

/* Nothing larger exists: for the command, the link, or the client's own buffers. */
static bool is_largest(const struct ferry_probe *probe)
{
    return probe->buffer * 2 > BUFFER_MAX ||
           packet_of(probe, probe->buffer * 2) <= packet_of(probe, probe->buffer) ||
           packet_of(probe, probe->buffer * 2) > probe->client->config.buffer_size;
}

static void on_answered(struct ferry_probe *probe)
{
    switch (probe->stage) {
    case SMALL:
        probe->stage = GROW;
        break;
    case GROW:
        probe->known = probe->buffer;
        if (is_largest(probe)) {
            finish(probe);
        } else {
            probe->buffer *= 2;
        }
        break;
    case MIDDLE:
        probe->known = probe->buffer;
        finish(probe);
        break;
    default:
        finish(probe);
        break;
    }
}

/* A frame too large was dropped. One in the middle is tried once, then a small one shows that the
 * device is itself again. */
static void on_silence(struct ferry_probe *probe)
{
    if (probe->stage == GROW) {
        probe->buffer = probe->buffer / 4 * 3;
        probe->stage = MIDDLE;
        return;
    }
    if (probe->stage == MIDDLE) {
        probe->stage = AFTER;
        return;
    }
    if (probe->stage == AFTER) {
        probe->known = 0;
    }
    finish(probe);
}

int ferry_probe_run(struct ferry_probe *probe)
{
    int32_t ticket;

    if (probe->stage == DONE) {
        ferry_client_set_packet_max(probe->client, probe->packet_max);
        return FERRY_OK;
    }
    if (probe->ticket != 0) {
        return FERRY_E_BUSY;
    }
    ferry_client_set_packet_max(probe->client, wanted_packet(probe));
    ticket = ferry_echo_fill(probe->client, patience_ms(probe->client), tries_of(probe));
    if (ticket > 0) {
        probe->ticket = ticket;
        return FERRY_E_BUSY;
    }
    if (ticket == FERRY_E_BUSY) {
        return FERRY_E_BUSY;
    }
    finish(probe);
    return ferry_probe_run(probe);
}

bool ferry_probe_answer(struct ferry_probe *probe, const struct ferry_client_answer *answer)
{
    if (probe->ticket == 0 || answer->ticket != probe->ticket) {
        return false;
    }
    probe->ticket = 0;
    if (answer->error == FERRY_E_TIMEOUT) {
        on_silence(probe);
    } else {
        on_answered(probe);
    }
    return true;
}

void ferry_probe_cancel(struct ferry_probe *probe)
{
    if (probe->stage == DONE) {
        return;
    }
    ferry_client_cancel(probe->client, probe->ticket);
    ferry_client_set_packet_max(probe->client, probe->packet_max);
    probe->ticket = 0;
    probe->stage = DONE;
}
