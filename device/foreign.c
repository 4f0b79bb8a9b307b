/* SPDX-License-Identifier: Apache-2.0 */
/* A foreign server played: the quirks by name, and the way of a packet through them. */
#include "foreign_parts.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* A request that the firmware has not answered for so long it does not have any more. */
#define BUSY_MAX FOREIGN_S

static const struct foreign_quirk *const tables[] = {foreign_request_quirks, foreign_upload_quirks,
                                                     foreign_answer_quirks};

#define TABLES (sizeof(tables) / sizeof(tables[0]))

/* ---- Names ----------------------------------------------------------------------------------- */

static const struct foreign_quirk *find(const char *name, size_t len)
{
    for (size_t t = 0; t < TABLES; t++) {
        for (const struct foreign_quirk *quirk = tables[t]; quirk->name != NULL; quirk++) {
            if (strlen(quirk->name) == len && memcmp(quirk->name, name, len) == 0) {
                return quirk;
            }
        }
    }
    return NULL;
}

void foreign_help(void)
{
    (void)printf("\nQuirks of other people's servers, for --foreign (N: how often, how many):\n");
    for (size_t t = 0; t < TABLES; t++) {
        for (const struct foreign_quirk *quirk = tables[t]; quirk->name != NULL; quirk++) {
            char left[40];
            (void)snprintf(left, sizeof(left), "%s%s", quirk->name, quirk->value != 0 ? "=N" : "");
            (void)printf("  %-22s %s\n", left, quirk->help);
        }
    }
}

static bool use_all(struct foreign *foreign, const char *names, char *why, size_t cap);

static bool use_one(struct foreign *foreign, const char *name, size_t len, char *why, size_t cap)
{
    const char *equals = memchr(name, '=', len);
    size_t name_len = equals != NULL ? (size_t)(equals - name) : len;
    const struct foreign_quirk *quirk = find(name, name_len);
    char *end = NULL;
    unsigned long value = equals != NULL ? strtoul(equals + 1, &end, 0) : 0;

    if (quirk == NULL) {
        (void)snprintf(why, cap, "there is no quirk \"%.*s\"; ferry-device --help lists them",
                       (int)name_len, name);
        return false;
    }
    if (equals != NULL && (quirk->value == 0 || end != name + len || value == 0 || value > 65535)) {
        (void)snprintf(why, cap, "\"%.*s\": %s", (int)len, name,
                       quirk->value == 0 ? "it takes no number" : "give a number from 1 to 65535");
        return false;
    }
    if (foreign->use_count == FOREIGN_USES) {
        (void)snprintf(why, cap, "more than %d quirks", FOREIGN_USES);
        return false;
    }
    foreign->uses[foreign->use_count++] = (struct foreign_use){
        .quirk = quirk, .value = equals != NULL ? (uint32_t)value : quirk->value};
    foreign->form |= quirk->form;
    if ((quirk->form & FOREIGN_TEXT_INSIDE) != 0) {
        foreign->inside = foreign->uses[foreign->use_count - 1].value;
    }
    if ((quirk->form & FOREIGN_TWO_LINES) != 0) {
        foreign->line_ms = foreign->uses[foreign->use_count - 1].value;
    }
    return quirk->also == NULL || use_all(foreign, quirk->also, why, cap);
}

static bool use_all(struct foreign *foreign, const char *names, char *why, size_t cap)
{
    for (const char *at = names;;) {
        size_t len = strcspn(at, ",");
        if (!use_one(foreign, at, len, why, cap)) {
            return false;
        }
        if (at[len] == '\0') {
            return true;
        }
        at += len + 1;
    }
}

int foreign_make(struct foreign **foreign, const char *names, const struct foreign_ends *ends,
                 char *why, size_t cap)
{
    struct foreign *made = calloc(1, sizeof(*made));

    *foreign = NULL;
    if (made == NULL) {
        (void)snprintf(why, cap, "out of memory");
        return FERRY_E_IO;
    }
    made->ends = *ends;
    foreign_streams_reset(made);
    if (!use_all(made, names, why, cap)) {
        foreign_free(made);
        return FERRY_E_FORMAT;
    }
    *foreign = made;
    return FERRY_OK;
}

bool foreign_in_recovery(const struct foreign *foreign)
{
    return (foreign->form & FOREIGN_IN_RECOVERY) != 0;
}

static void forget_held(struct foreign *foreign)
{
    for (size_t i = 0; i < FOREIGN_HELD; i++) {
        free(foreign->held[i].packet);
        foreign->held[i].packet = NULL;
    }
}

void foreign_free(struct foreign *foreign)
{
    if (foreign == NULL) {
        return;
    }
    forget_held(foreign);
    for (size_t i = 0; i < FOREIGN_KEPT; i++) {
        free(foreign->kept[i]);
    }
    free(foreign);
}

void foreign_reset(struct foreign *foreign)
{
    forget_held(foreign);
    foreign->busy = 0;
    foreign_streams_reset(foreign);
}

/* ---- Held answers ---------------------------------------------------------------------------- */

void foreign_hold(struct foreign *foreign, const struct foreign_packet *answer, uint64_t due)
{
    for (size_t i = 0; i < FOREIGN_HELD; i++) {
        if (foreign->held[i].packet == NULL) {
            foreign->held[i].packet = malloc(sizeof(*answer));
            if (foreign->held[i].packet != NULL) {
                *foreign->held[i].packet = *answer;
                foreign->held[i].due = due;
            }
            return;
        }
    }
}

bool foreign_holds(const struct foreign *foreign)
{
    for (size_t i = 0; i < FOREIGN_HELD; i++) {
        if (foreign->held[i].packet != NULL) {
            return true;
        }
    }
    return false;
}

uint64_t foreign_next(const struct foreign *foreign)
{
    uint64_t next = FOREIGN_NEVER;

    for (size_t i = 0; i < FOREIGN_HELD; i++) {
        if (foreign->held[i].packet != NULL && foreign->held[i].due < next) {
            next = foreign->held[i].due;
        }
    }
    return next;
}

void foreign_work(struct foreign *foreign, uint64_t now)
{
    foreign->now = now;
    for (size_t i = 0; i < FOREIGN_HELD; i++) {
        struct foreign_held *held = &foreign->held[i];
        if (held->packet != NULL && held->due <= now) {
            struct foreign_packet *packet = held->packet;
            held->packet = NULL;
            foreign_to_wire(foreign, packet);
            free(packet);
        }
    }
}

/* ---- Packets --------------------------------------------------------------------------------- */

static void header_of(const struct foreign_packet *packet, struct ferry_smp_header *header)
{
    if (ferry_smp_header_read((struct ferry_bytes){packet->bytes, packet->len}, header) !=
        FERRY_OK) {
        memset(header, 0, sizeof(*header));
    }
}

bool foreign_is(const struct foreign_packet *packet, uint8_t op, uint16_t group, uint8_t id)
{
    struct ferry_smp_header header;

    header_of(packet, &header);
    return (header.op & ~1U) == op && header.group == group && header.id == id;
}

bool foreign_chunk_read(const struct foreign_packet *packet, uint16_t group,
                        struct foreign_chunk *chunk)
{
    struct ferry_cbor_field fields[] = {{.key = "off", .kind = FERRY_CBOR_UINT},
                                        {.key = "len", .kind = FERRY_CBOR_UINT},
                                        {.key = "data", .kind = FERRY_CBOR_BYTES}};
    uint8_t id = group == FERRY_SMP_GROUP_IMAGE ? FERRY_SMP_IMAGE_UPLOAD : FERRY_SMP_FS_FILE;

    if (!foreign_is(packet, FERRY_SMP_WRITE, group, id) ||
        ferry_cbor_read_map((struct ferry_bytes){packet->bytes + FERRY_SMP_HEADER_SIZE,
                                                 packet->len - FERRY_SMP_HEADER_SIZE},
                            fields, 3) != FERRY_OK ||
        !fields[0].present || !fields[2].present) {
        return false;
    }
    chunk->off = (uint32_t)fields[0].item.value;
    chunk->has_len = fields[1].present;
    chunk->len = chunk->has_len ? (uint32_t)fields[1].item.value : 0;
    chunk->data = fields[2].item.bytes;
    return true;
}

bool foreign_off_of(const struct foreign_packet *answer, uint32_t *off)
{
    struct ferry_cbor_field field = {.key = "off", .kind = FERRY_CBOR_UINT};

    if (ferry_cbor_read_map((struct ferry_bytes){answer->bytes + FERRY_SMP_HEADER_SIZE,
                                                 answer->len - FERRY_SMP_HEADER_SIZE},
                            &field, 1) != FERRY_OK ||
        !field.present) {
        return false;
    }
    *off = (uint32_t)field.item.value;
    return true;
}

void foreign_put_map(struct foreign_packet *packet, struct ferry_bytes map)
{
    if (map.len > sizeof(packet->bytes) - FERRY_SMP_HEADER_SIZE) {
        return;
    }
    memcpy(packet->bytes + FERRY_SMP_HEADER_SIZE, map.data, map.len);
    packet->len = FERRY_SMP_HEADER_SIZE + map.len;
    packet->bytes[2] = (uint8_t)(map.len >> 8);
    packet->bytes[3] = (uint8_t)map.len;
}

void foreign_reply(struct foreign *foreign, const struct foreign_packet *request,
                   struct ferry_bytes map)
{
    static struct foreign_packet answer;

    answer.wire = request->wire;
    answer.peer = request->peer;
    memcpy(answer.bytes, request->bytes, FERRY_SMP_HEADER_SIZE);
    answer.bytes[0] |= 1;
    foreign_put_map(&answer, map);
    foreign_to_wire(foreign, &answer);
}

static void reply_pair(struct foreign *foreign, const struct foreign_packet *request,
                       const char *key, uint32_t value)
{
    uint8_t map[32];
    struct ferry_cbor_writer w;

    ferry_cbor_writer_init(&w, map, sizeof(map));
    ferry_cbor_open_map(&w);
    ferry_cbor_pair_uint(&w, key, value);
    ferry_cbor_close(&w);
    foreign_reply(foreign, request, (struct ferry_bytes){map, w.len});
}

void foreign_reply_rc(struct foreign *foreign, const struct foreign_packet *request, uint32_t rc)
{
    reply_pair(foreign, request, "rc", rc);
}

void foreign_reply_off(struct foreign *foreign, const struct foreign_packet *request, uint32_t off)
{
    reply_pair(foreign, request, "off", off);
}

void foreign_note(struct foreign *foreign, struct foreign_use *use)
{
    char text[64];

    if (!use->told) {
        use->told = true;
        (void)snprintf(text, sizeof(text), "foreign: %s", use->quirk->name);
        foreign->ends.note(foreign->ends.context, text);
    }
}

/* ---- The way through ------------------------------------------------------------------------- */

static bool is_whole(const struct foreign_packet *packet)
{
    return packet->len >= FERRY_SMP_HEADER_SIZE;
}

void foreign_request(struct foreign *foreign, struct foreign_packet *packet)
{
    struct foreign_chunk chunk;

    if (is_whole(packet)) {
        foreign->versions[packet->bytes[6]] = packet->bytes[0] & 0x18;
        if (foreign_chunk_read(packet, FERRY_SMP_GROUP_IMAGE, &chunk) && chunk.has_len) {
            foreign->total = chunk.len;
        }
        for (size_t i = 0; i < foreign->use_count; i++) {
            struct foreign_use *use = &foreign->uses[i];
            if (use->quirk->request != NULL && !use->quirk->request(foreign, use, packet)) {
                foreign_note(foreign, use);
                return;
            }
        }
    }
    if (foreign->now - foreign->busy_since > BUSY_MAX) {
        foreign->busy = 0;
    }
    if ((foreign->form & FOREIGN_ONE_BUFFER) != 0 && foreign->busy > 0) {
        foreign->ends.note(foreign->ends.context, "foreign: one-buffer: a packet was lost");
        return;
    }
    foreign->busy++;
    foreign->busy_since = foreign->now;
    foreign_to_chip(foreign, packet);
}

static void keep(struct foreign *foreign, const struct foreign_packet *packet)
{
    struct foreign_packet *oldest = foreign->kept[FOREIGN_KEPT - 1];

    memmove(foreign->kept + 1, foreign->kept, (FOREIGN_KEPT - 1) * sizeof(foreign->kept[0]));
    foreign->kept[0] = oldest != NULL ? oldest : malloc(sizeof(*packet));
    if (foreign->kept[0] != NULL) {
        *foreign->kept[0] = *packet;
    }
}

void foreign_answer(struct foreign *foreign, struct foreign_packet *packet)
{
    foreign->busy -= foreign->busy > 0;
    if (is_whole(packet)) {
        if ((foreign->form & FOREIGN_OF_MAPS) != 0) {
            foreign_form_map(foreign, packet);
        }
        for (size_t i = 0; i < foreign->use_count; i++) {
            struct foreign_use *use = &foreign->uses[i];
            if (use->quirk->answer != NULL && !use->quirk->answer(foreign, use, packet)) {
                foreign_note(foreign, use);
                return;
            }
        }
        keep(foreign, packet);
    }
    foreign_to_wire(foreign, packet);
}
