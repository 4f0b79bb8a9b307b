/* SPDX-License-Identifier: Apache-2.0 */
/* The SMP service of a GATT server: who may use it, and packets to and from its values.
 *                                                                               [smp.md §2.4]
 * Whoever has the service is connected, subscribed, and as secure as the permission asks for: what
 * ends one of them ends it, so that nothing else has to ask again. */
#include "ferry/gatt.h"
#include "ferry/smp.h"

#define LINK_NONE 0

int ferry_gatt_init(struct ferry_gatt *gatt, const struct ferry_gatt_config *config)
{
    if (config->notify == NULL || config->packet == NULL || config->links == NULL ||
        config->link_count == 0 || config->packet_cap < FERRY_SMP_HEADER_SIZE) {
        return FERRY_E_CONFIG;
    }
    *gatt = (struct ferry_gatt){.config = config};
    ferry_ble_assembler_init(&gatt->assembler, config->packet, config->packet_cap);
    for (size_t i = 0; i < config->link_count; i++) {
        config->links[i].link = LINK_NONE;
    }
    return FERRY_OK;
}

/* ---- Links ---------------------------------------------------------------------------------- */

/* The entry of a link, or with LINK_NONE a free one; NULL when there is none. */
static struct ferry_gatt_link *entry_of(const struct ferry_gatt *gatt, uint32_t link)
{
    for (size_t i = 0; i < gatt->config->link_count; i++) {
        if (gatt->config->links[i].link == link) {
            return &gatt->config->links[i];
        }
    }
    return NULL;
}

static struct ferry_gatt_link *find(const struct ferry_gatt *gatt, uint32_t link)
{
    return link == LINK_NONE ? NULL : entry_of(gatt, link);
}

uint32_t ferry_gatt_id(const struct ferry_gatt *gatt, uint32_t link)
{
    const struct ferry_gatt_link *entry = find(gatt, link);

    return entry != NULL ? entry->peer.id : 0;
}

/* Nobody has the service, and nothing is left of who had it. */
static void leave(struct ferry_gatt *gatt)
{
    gatt->served = NULL;
    gatt->unsent = (struct ferry_bytes){NULL, 0};
    ferry_ble_assembler_reset(&gatt->assembler);
}

void ferry_gatt_disconnected(struct ferry_gatt *gatt, uint32_t link)
{
    struct ferry_gatt_link *entry = find(gatt, link);

    if (entry == NULL) {
        return;
    }
    entry->link = LINK_NONE;
    if (entry == gatt->served) {
        leave(gatt);
    }
}

void ferry_gatt_connected(struct ferry_gatt *gatt, uint32_t link)
{
    ferry_gatt_disconnected(gatt, link);

    struct ferry_gatt_link *entry = entry_of(gatt, LINK_NONE);

    if (entry == NULL) {
        return;
    }
    gatt->last_id += gatt->last_id == UINT32_MAX ? 2 : 1; /* 0 is nobody's */
    *entry = (struct ferry_gatt_link){
        .link = link,
        .mtu = FERRY_BLE_MTU_LEAST,
        .peer = {.id = gatt->last_id, .transport = gatt->config->transport}};
}

void ferry_gatt_mtu(struct ferry_gatt *gatt, uint32_t link, uint32_t mtu)
{
    struct ferry_gatt_link *entry = find(gatt, link);

    if (entry == NULL) {
        return;
    }
    entry->mtu = mtu;
    /* An answer on its way goes on in values that fit; the next one may have longer ones. */
    if (entry == gatt->served && gatt->fragment > ferry_ble_fragment_max(mtu)) {
        gatt->fragment = ferry_ble_fragment_max(mtu);
    }
}

/* Returns FERRY_GATT_OK when the link is as secure as it must be, else what it lacks. */
static int permit(const struct ferry_gatt *gatt, const struct ferry_gatt_link *entry)
{
    switch (gatt->config->permission) {
    case FERRY_GATT_OPEN:
        return FERRY_GATT_OK;
    case FERRY_GATT_ENCRYPTED:
        return entry->peer.security < FERRY_PEER_ENCRYPTED ? FERRY_GATT_ENCRYPTION : FERRY_GATT_OK;
    default:
        return entry->peer.security < FERRY_PEER_AUTHENTICATED ? FERRY_GATT_AUTHENTICATION
                                                               : FERRY_GATT_OK;
    }
}

void ferry_gatt_secured(struct ferry_gatt *gatt, uint32_t link, enum ferry_peer_security security,
                        const char *identity)
{
    struct ferry_gatt_link *entry = find(gatt, link);

    if (entry == NULL) {
        return;
    }
    entry->peer.security = (uint8_t)security;
    entry->peer.identity = identity;
    if (entry == gatt->served && permit(gatt, entry) != FERRY_GATT_OK) {
        leave(gatt);
    }
}

/* ---- Requests ------------------------------------------------------------------------------- */

int ferry_gatt_subscribed(struct ferry_gatt *gatt, uint32_t link, bool on)
{
    const struct ferry_gatt_link *entry = find(gatt, link);

    if (!on) {
        if (entry != NULL && entry == gatt->served) {
            leave(gatt);
        }
        return FERRY_GATT_OK;
    }
    if (entry == NULL) {
        return FERRY_GATT_REFUSED;
    }

    int status = permit(gatt, entry);

    if (status != FERRY_GATT_OK) {
        return status;
    }
    if (gatt->served != NULL && gatt->served != entry) {
        return FERRY_GATT_REFUSED;
    }
    gatt->served = entry;
    return FERRY_GATT_OK;
}

int ferry_gatt_written(struct ferry_gatt *gatt, uint32_t link, struct ferry_bytes value,
                       struct ferry_bytes *packet)
{
    const struct ferry_gatt_link *entry = find(gatt, link);

    *packet = (struct ferry_bytes){NULL, 0};
    if (entry == NULL) {
        return FERRY_GATT_REFUSED;
    }

    int status = permit(gatt, entry);

    if (status != FERRY_GATT_OK) {
        return status;
    }
    if (entry != gatt->served) {
        return FERRY_GATT_REFUSED;
    }

    int whole = ferry_ble_assemble(&gatt->assembler, value, packet);

    if (gatt->config->whole) {
        ferry_ble_assembler_reset(&gatt->assembler);
        return whole == 1 ? FERRY_GATT_OK : FERRY_GATT_LENGTH;
    }
    return whole >= 0 ? FERRY_GATT_OK : FERRY_GATT_LENGTH;
}

/* ---- Answers -------------------------------------------------------------------------------- */

struct ferry_server_peer ferry_gatt_peer(const struct ferry_gatt *gatt)
{
    if (gatt->served == NULL) {
        return (struct ferry_server_peer){.transport = gatt->config->transport};
    }
    return gatt->served->peer;
}

bool ferry_gatt_sending(const struct ferry_gatt *gatt)
{
    return gatt->unsent.len > 0;
}

/* Have the stack queue the next bytes. Returns its answer; too many of them were none yet. */
static int send_one(struct ferry_gatt *gatt)
{
    struct ferry_bytes rest = gatt->unsent;
    struct ferry_bytes value = ferry_ble_cut(&rest, gatt->fragment);
    int error = gatt->config->notify(gatt->config->context, gatt->served->link, value);

    if (error == FERRY_OK) {
        gatt->unsent = rest;
    } else if (error == FERRY_E_SPACE && value.len > FERRY_BLE_FRAGMENT_LEAST) {
        gatt->fragment =
            value.len / 2 > FERRY_BLE_FRAGMENT_LEAST ? value.len / 2 : FERRY_BLE_FRAGMENT_LEAST;
        return FERRY_OK;
    }
    return error;
}

int ferry_gatt_ready(struct ferry_gatt *gatt)
{
    int error = FERRY_OK;

    while (error == FERRY_OK && ferry_gatt_sending(gatt)) {
        error = send_one(gatt);
    }
    if (error != FERRY_OK && error != FERRY_E_BUSY) {
        gatt->unsent = (struct ferry_bytes){NULL, 0};
    }
    return error;
}

int ferry_gatt_answer(struct ferry_gatt *gatt, uint32_t id, struct ferry_bytes answer)
{
    if (gatt->served == NULL || gatt->served->peer.id != id || ferry_gatt_sending(gatt)) {
        return FERRY_E_STATE;
    }
    gatt->unsent = answer;
    gatt->fragment = ferry_ble_fragment_max(gatt->served->mtu);
    return ferry_gatt_ready(gatt);
}
