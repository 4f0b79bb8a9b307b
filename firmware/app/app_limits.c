/* SPDX-License-Identifier: Apache-2.0 */
/* Limits of the example on UDP, where anybody can send in another's name. */
#include "app.h"

/* A peer that updates sends as many as it has in flight a round trip; nobody needs more than this.
 */
static const struct ferry_peers_limits limits = {.each = {.rate = 1000, .burst = 200},
                                                 .unproven = {.rate = 2000, .burst = 400}};

static struct ferry_bytes address_of(const uint32_t *host)
{
    return (struct ferry_bytes){(const uint8_t *)host, sizeof(*host)};
}

/* Runs as an interrupt does. */
static bool admits(void *context, uint32_t peer)
{
    struct app *app = context;
    uint32_t host = peer >> FERRY_VCHIP_HOST;

    return ferry_peers_admit(&app->peers, address_of(&host), vchip_now_ms());
}

int app_limits_open(struct app *app)
{
    static struct ferry_peers_entry entries[APP_PEERS];

    if (!app_has(app, FERRY_VCHIP_UDP_LIMITS)) {
        return FERRY_OK;
    }
    app->wires.guard = (struct wires_guard){admits, app};
    return ferry_peers_init(&app->peers, &limits, entries, APP_PEERS);
}

static bool is_limited(const struct app *app, uint32_t wire)
{
    return wire == FERRY_VCHIP_UDP && app_has(app, FERRY_VCHIP_UDP_LIMITS);
}

size_t app_limits_room(const struct app *app, struct queue_packet *packet, uint16_t *pad)
{
    bool limited = is_limited(app, packet->wire);
    size_t cap = app->chip.start.buf_size;
    struct ferry_peers_grant grant = {UINT32_MAX};
    uint32_t host = packet->peer >> FERRY_VCHIP_HOST;

    *pad = limited ? ferry_peers_pad(cap) : 0;
    if (packet->begun) {
        grant.left = packet->left;
    } else if (limited) {
        grant = ferry_peers_begin(&app->peers, address_of(&host), vchip_now_ms(), packet->len);
    }
    packet->begun = true;
    packet->left = grant.left;
    return ferry_peers_room(&grant, cap);
}

void app_limits_spend(struct queue_packet *packet, size_t len)
{
    struct ferry_peers_grant grant = {packet->left};

    ferry_peers_spend(&grant, len);
    packet->left = grant.left;
}

/* Who unlocks has signed what was sent to his address. */
void app_limits_observe(struct app *app, const struct ferry_server_call *call,
                        const struct ferry_server_event *event)
{
    if (event->kind == FERRY_EVENT_UNLOCKED && is_limited(app, call->transport)) {
        ferry_peers_prove(&app->peers, address_of(&call->peer->id), vchip_now_ms());
    }
}
