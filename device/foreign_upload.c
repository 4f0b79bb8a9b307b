/* SPDX-License-Identifier: Apache-2.0 */
/* Quirks of servers that take an image. */
#include "foreign_parts.h"

#include <string.h>

/* The chunk, behind the first, at which what happens once does. */
#define MIDDLE 3

static bool is_chunk(const struct foreign_packet *packet, struct foreign_chunk *chunk)
{
    return foreign_chunk_read(packet, FERRY_SMP_GROUP_IMAGE, chunk);
}

/* Whether this is the one chunk in the middle. */
static bool in_the_middle(struct foreign_use *use, const struct foreign_packet *packet,
                          struct foreign_chunk *chunk)
{
    return is_chunk(packet, chunk) && chunk->off > 0 && ++use->count == MIDDLE;
}

static bool off_wrong(struct foreign *foreign, struct foreign_use *use,
                      struct foreign_packet *packet)
{
    struct foreign_chunk chunk;

    if (!in_the_middle(use, packet, &chunk)) {
        return true;
    }
    foreign_reply_off(foreign, packet, chunk.off);
    return false;
}

static bool off_back(struct foreign *foreign, struct foreign_use *use,
                     struct foreign_packet *packet)
{
    struct foreign_chunk chunk;

    if (!in_the_middle(use, packet, &chunk)) {
        return true;
    }
    foreign_reply_off(foreign, packet, chunk.off / 2);
    return false;
}

static bool off_beyond(struct foreign *foreign, struct foreign_use *use,
                       struct foreign_packet *packet)
{
    struct foreign_chunk chunk;

    if (!in_the_middle(use, packet, &chunk)) {
        return true;
    }
    foreign_reply_off(foreign, packet, foreign->total + 512);
    return false;
}

static bool off_stuck(struct foreign *foreign, struct foreign_use *use,
                      struct foreign_packet *packet)
{
    struct foreign_chunk chunk;

    if (!is_chunk(packet, &chunk) || chunk.off == 0 || ++use->count < MIDDLE) {
        return true;
    }
    use->since = use->since == 0 ? chunk.off : use->since;
    foreign_reply_off(foreign, packet, (uint32_t)use->since);
    return false;
}

/* What was received is forgotten: nothing but a first chunk, with all it must have, goes on. */
static bool begins_anew(struct foreign *foreign, struct foreign_packet *packet,
                        const struct foreign_chunk *chunk)
{
    if (chunk->off > 0) {
        foreign_reply_off(foreign, packet, 0);
        return false;
    }
    if (!chunk->has_len) {
        foreign->ends.note(foreign->ends.context, "foreign: begun anew without len");
        foreign_reply_rc(foreign, packet, FERRY_RC_INVALID);
        return false;
    }
    foreign_drop_key(packet, "sha");
    return true;
}

static bool off_restart(struct foreign *foreign, struct foreign_use *use,
                        struct foreign_packet *packet)
{
    struct foreign_chunk chunk;

    if (!is_chunk(packet, &chunk)) {
        return true;
    }
    use->count += chunk.off > 0 && use->count < MIDDLE;
    if (use->count != MIDDLE) {
        return true;
    }
    use->count += chunk.off == 0;
    return begins_anew(foreign, packet, &chunk);
}

static bool error_without_off(struct foreign *foreign, struct foreign_use *use,
                              struct foreign_packet *packet)
{
    struct foreign_chunk chunk;

    if (!is_chunk(packet, &chunk)) {
        return true;
    }
    use->count += chunk.off > 0;
    if (use->count < MIDDLE) {
        return true;
    }
    if (use->count == MIDDLE && chunk.off > 0) {
        foreign_reply_rc(foreign, packet, use->value);
        return false;
    }
    if (chunk.off == 0) {
        foreign->ends.note(foreign->ends.context, "foreign: begun anew after an error");
    }
    return begins_anew(foreign, packet, &chunk);
}

static bool first_off_len(struct foreign *foreign, struct foreign_use *use,
                          struct foreign_packet *packet)
{
    struct foreign_chunk chunk;
    struct ferry_cbor_writer w;
    uint8_t map[32];

    (void)use;
    if (!is_chunk(packet, &chunk) || chunk.off > 0) {
        return true;
    }
    ferry_cbor_writer_init(&w, map, sizeof(map));
    ferry_cbor_open_map(&w);
    ferry_cbor_pair_uint(&w, "off", chunk.len);
    ferry_cbor_pair_bool(&w, "match", true);
    ferry_cbor_close(&w);
    foreign_reply(foreign, packet, (struct ferry_bytes){map, w.len});
    return false;
}

/* Its data without the tail that is no whole write unit. */
static bool chop(struct foreign *foreign, struct foreign_use *use, struct foreign_packet *packet)
{
    static uint8_t map[FOREIGN_PACKET_MAX];
    struct foreign_chunk chunk;
    struct ferry_cbor_writer w;

    if (!is_chunk(packet, &chunk) || chunk.off + chunk.data.len >= foreign->total ||
        chunk.data.len % use->value == 0 || chunk.data.len < use->value) {
        return true;
    }
    ferry_cbor_writer_init(&w, map, sizeof(map));
    ferry_cbor_open_map(&w);
    ferry_cbor_pair_uint(&w, "off", chunk.off);
    if (chunk.has_len) {
        ferry_cbor_pair_uint(&w, "len", chunk.len);
    }
    ferry_cbor_pair_bytes(&w, "data", chunk.data.data,
                          chunk.data.len - chunk.data.len % use->value);
    ferry_cbor_close(&w);
    foreign_put_map(packet, (struct ferry_bytes){map, w.len});
    foreign_note(foreign, use);
    return true;
}

static bool restart_at_0(struct foreign *foreign, struct foreign_use *use,
                         struct foreign_packet *packet)
{
    struct foreign_chunk chunk;

    if (!is_chunk(packet, &chunk) || chunk.off > 0) {
        return true;
    }
    foreign_note(foreign, use);
    return begins_anew(foreign, packet, &chunk);
}

static bool ignore_first(struct foreign *foreign, struct foreign_use *use,
                         struct foreign_packet *packet)
{
    struct foreign_chunk chunk;

    (void)foreign;
    return !is_chunk(packet, &chunk) || use->count++ > 0;
}

static bool busy(struct foreign *foreign, struct foreign_use *use, struct foreign_packet *packet)
{
    struct foreign_chunk chunk;

    if (!is_chunk(packet, &chunk)) {
        return true;
    }
    use->since = use->since == 0 ? foreign->now : use->since;
    if (foreign->now >= use->since + use->value * FOREIGN_MS) {
        return true;
    }
    foreign_reply_rc(foreign, packet, FERRY_RC_BUSY);
    return false;
}

/* While it erases it hears nothing; but a first chunk that comes again makes it erase again. */
static bool slow_erase_request(struct foreign *foreign, struct foreign_use *use,
                               struct foreign_packet *packet)
{
    struct foreign_chunk chunk;
    bool first = is_chunk(packet, &chunk) && chunk.off == 0;

    if (foreign->now < use->since) {
        if (first) {
            foreign->ends.note(foreign->ends.context, "foreign: the slot is erased again");
            use->since = foreign->now + use->value * FOREIGN_MS;
        }
        return false;
    }
    if (first) {
        use->since = foreign->now + use->value * FOREIGN_MS;
        use->count = packet->bytes[6] + 1U;
    }
    return true;
}

static bool slow_erase_answer(struct foreign *foreign, struct foreign_use *use,
                              struct foreign_packet *packet)
{
    if (use->count != packet->bytes[6] + 1U ||
        !foreign_is(packet, FERRY_SMP_WRITE, FERRY_SMP_GROUP_IMAGE, FERRY_SMP_IMAGE_UPLOAD)) {
        return true;
    }
    use->count = 0;
    foreign_hold(foreign, packet, use->since);
    return false;
}

/* Whether it is the answer that all is there. */
static bool is_last(const struct foreign *foreign, const struct foreign_packet *packet)
{
    uint32_t off = 0;

    return foreign_is(packet, FERRY_SMP_WRITE, FERRY_SMP_GROUP_IMAGE, FERRY_SMP_IMAGE_UPLOAD) &&
           foreign_off_of(packet, &off) && off == foreign->total;
}

static bool slow_last(struct foreign *foreign, struct foreign_use *use,
                      struct foreign_packet *packet)
{
    if (!is_last(foreign, packet)) {
        return true;
    }
    foreign_hold(foreign, packet, foreign->now + use->value * FOREIGN_MS);
    return false;
}

static bool lose_last(struct foreign *foreign, struct foreign_use *use,
                      struct foreign_packet *packet)
{
    return !is_last(foreign, packet) || use->count++ > 0;
}

const struct foreign_quirk foreign_upload_quirks[] = {
    {.name = "off-wrong",
     .help = "a chunk is not stored once, and answered with its own offset (C1)",
     .request = off_wrong},
    {.name = "off-back", .help = "an answer goes back to half once (C1, C4)", .request = off_back},
    {.name = "off-restart",
     .help = "in the middle all is forgotten once: off 0; then len is needed (C2)",
     .request = off_restart},
    {.name = "off-beyond", .help = "an answer is beyond the file once (C4)", .request = off_beyond},
    {.name = "off-stuck",
     .help = "from the middle on it stays at one offset (C1)",
     .request = off_stuck},
    {.name = "error-without-off",
     .help = "a chunk in the middle is refused, rc N alone, and all forgotten (C3)",
     .value = 1,
     .request = error_without_off},
    {.name = "first-off-len",
     .help = "the first answer is the whole length: the image is there (C5)",
     .request = first_off_len},
    {.name = "chop",
     .help = "the tail of a chunk that is no multiple of N bytes is not stored (C6)",
     .value = 512,
     .request = chop},
    {.name = "restart-at-0",
     .help = "a first chunk always begins anew, and needs len (C2, C8)",
     .request = restart_at_0},
    {.name = "ignore-first",
     .help = "the first chunk goes unanswered once (C13)",
     .request = ignore_first},
    {.name = "busy",
     .help = "the first chunk is refused, rc 10, for N ms (C12)",
     .value = 500,
     .request = busy},
    {.name = "slow-erase",
     .help = "the first chunk is answered after N ms; again, and it erases again (C8, C14)",
     .value = 30000,
     .request = slow_erase_request,
     .answer = slow_erase_answer},
    {.name = "slow-last",
     .help = "the last chunk is answered after N ms (C15)",
     .value = 5000,
     .answer = slow_last},
    {.name = "lose-last",
     .help = "the answer to the last chunk is lost once (C11)",
     .answer = lose_last},
    {0},
};
