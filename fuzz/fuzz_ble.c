/* SPDX-License-Identifier: Apache-2.0 */
/* Fuzz target: fragments of Bluetooth LE become packets. Input: byte 0 chooses the size of the
 * buffer, bytes 1 and 2 an ATT_MTU, then steps: 0xff, the link ends; 0xfe, a good packet whose
 * payload has as many bytes as the next byte says, times five; else so many bytes and the fragment
 * that they are.
 *
 * Whatever the fragments are:
 *   1. A packet lies in the buffer, is no larger than it and as long as its header says; it is the
 *      last bytes that were given, from the beginning of a fragment on: none is left out, none
 *      comes from elsewhere, and none belonged to a packet before it, or to one that was passed
 *      over.
 *   2. What is returned, and what is counted as dropped, is what ferry/ble.h says: a fragment is
 *      dropped for its form when it is a first one below a header, or longer than what its packet
 *      lacks; for want of space when it begins a packet above the buffer.
 *   3. Nothing is read outside of a fragment (it is memory of exactly its size), nor written
 *      outside of the buffer (likewise).
 *   4. A packet cut by any ATT_MTU is put together unchanged, by its last fragment and not before,
 *      behind any other packet.
 *   5. Behind any fragments and a reset, a good packet comes through. */
#include "check.h"

#include "ferry/ble.h"
#include "ferry/smp.h"

#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define STREAM_MAX 65536
#define GOOD_MAX   (FERRY_SMP_HEADER_SIZE + 255 * 5)

/* What was given so far, and what must have become of it. */
struct air {
    struct ferry_ble_assembler assembler;
    uint8_t *buf;
    size_t cap;
    size_t fragment;
    uint8_t stream[STREAM_MAX];
    size_t begun; /* where the packet on its way begins; only when lacks > 0 */
    size_t end;   /* of what was given */
    size_t lacks; /* bytes of a packet on its way, or of one that is passed over */
    bool too_large;
    size_t dropped;
};

/* What one fragment must bring, by the rules of the header. */
static int expected(struct air *air, const uint8_t *fragment, size_t len)
{
    if (len == 0) {
        return 0;
    }
    if (air->lacks == 0) {
        if (len < FERRY_SMP_HEADER_SIZE) {
            return FERRY_E_FORMAT;
        }
        air->begun = air->end;
        air->lacks = FERRY_SMP_HEADER_SIZE + (size_t)(fragment[2] * 256 + fragment[3]);
        air->too_large = air->lacks > air->cap;
        if (air->too_large && len <= air->lacks) {
            air->lacks -= len;
            return FERRY_E_SPACE;
        }
    }
    if (len > air->lacks) {
        air->lacks = 0;
        return FERRY_E_FORMAT;
    }
    air->lacks -= len;
    return air->lacks == 0 && !air->too_large ? 1 : 0;
}

static int give(struct air *air, const uint8_t *data, size_t len)
{
    struct ferry_bytes packet = {NULL, 0};
    uint8_t *copy = malloc(len > 0 ? len : 1);

    CHECK(copy != NULL && air->end + len <= STREAM_MAX);
    if (len > 0) {
        memcpy(copy, data, len);
        memcpy(air->stream + air->end, data, len);
    }

    bool passed_over = air->lacks > 0 && air->too_large;
    int wanted = expected(air, data, len);
    int rc = ferry_ble_assemble(&air->assembler, (struct ferry_bytes){copy, len}, &packet);

    free(copy);
    air->end += len;
    CHECK(rc == wanted);
    air->dropped += rc < 0 || (passed_over && len > 0) ? 1 : 0;
    CHECK(air->assembler.dropped == air->dropped);
    if (rc == 1) {
        CHECK(packet.data == air->buf && packet.len <= air->cap);
        CHECK(packet.len ==
              FERRY_SMP_HEADER_SIZE + (size_t)(packet.data[2] * 256 + packet.data[3]));
        CHECK(air->end - air->begun == packet.len);
        CHECK(memcmp(packet.data, air->stream + air->begun, packet.len) == 0);
    } else {
        CHECK(packet.data == NULL && packet.len == 0);
    }
    return rc;
}

static void reset(struct air *air)
{
    ferry_ble_assembler_reset(&air->assembler);
    air->lacks = 0;
}

/* A packet as it is sent: from the beginning, in fragments of the link. */
static void give_good(struct air *air, size_t payload)
{
    struct ferry_smp_header header = {.op = FERRY_SMP_WRITE, .length = (uint16_t)payload};
    uint8_t packet[GOOD_MAX];
    struct ferry_bytes rest = {packet, FERRY_SMP_HEADER_SIZE + payload};
    const uint8_t *at = packet;
    int rc = 0;

    if (rest.len > air->cap || air->end + rest.len > STREAM_MAX) {
        return;
    }
    ferry_smp_header_write(&header, packet);
    memset(packet + FERRY_SMP_HEADER_SIZE, 0xff, payload);
    while (rest.len > 0) {
        size_t before = rest.len;
        struct ferry_bytes next = ferry_ble_cut(&rest, air->fragment);

        CHECK(rc == 0);
        CHECK(next.data == at && next.len > 0 && next.len <= air->fragment);
        CHECK(before - rest.len == next.len);
        at += next.len;
        rc = give(air, next.data, next.len);
    }
    CHECK(rc == 1);
    CHECK(ferry_ble_cut(&rest, air->fragment).len == 0);
}

static void check_fragment(struct air *air, uint32_t mtu)
{
    air->fragment = ferry_ble_fragment_max(mtu);
    CHECK(air->fragment >= 20 && air->fragment <= 512);
    CHECK(mtu < 23 || mtu > 515 || air->fragment == mtu - 3);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static struct air air;

    if (size < 3 || size > STREAM_MAX / 8) {
        return 0;
    }
    memset(&air, 0, sizeof(air));
    air.cap = FERRY_SMP_HEADER_SIZE + (size_t)data[0] * 5;
    check_fragment(&air, (uint32_t)data[1] << 8 | data[2]);
    air.buf = malloc(air.cap);
    CHECK(air.buf != NULL);
    ferry_ble_assembler_init(&air.assembler, air.buf, air.cap);
    for (size_t pos = 3; pos < size;) {
        uint8_t step = data[pos++];

        if (step == 0xff) {
            reset(&air);
        } else if (step == 0xfe) {
            if (air.lacks == 0 && pos < size) {
                give_good(&air, (size_t)data[pos++] * 5);
            }
        } else {
            size_t len = step < size - pos ? step : size - pos;

            if (air.end + len > STREAM_MAX) {
                break;
            }
            (void)give(&air, data + pos, len);
            pos += len;
        }
    }
    reset(&air);
    air.end = 0;
    give_good(&air, air.cap - FERRY_SMP_HEADER_SIZE);
    free(air.buf);
    return 0;
}
