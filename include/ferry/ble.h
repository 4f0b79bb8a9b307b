/* SPDX-License-Identifier: Apache-2.0 */
/* SMP over Bluetooth LE: the service, and how packets become ATT values and back. The same for
 * server and client. It knows no stack and takes no memory but the caller's.       [smp.md §2.4]
 *
 * A packet is cut into fragments of at most ATT_MTU - 3 bytes without a header of their own; who
 * receives them counts up to the length in the SMP header. Requests are written without response,
 * answers are notified. */
#ifndef FERRY_BLE_H
#define FERRY_BLE_H

#include "ferry/bytes.h"
#include "ferry/error.h"

/* As people and BlueZ write them … */
#define FERRY_BLE_SERVICE        "8d53dc1d-1db7-4cd3-868b-8a527460aa84"
#define FERRY_BLE_CHARACTERISTIC "da2e7828-fbce-4e01-ae9e-261174997c48"

/* … and as stacks want them: 16 bytes, the last one of the text first. */
#define FERRY_BLE_SERVICE_BYTES                                                                    \
    {                                                                                              \
        0x84, 0xaa, 0x60, 0x74, 0x52, 0x8a, 0x8b, 0x86, 0xd3, 0x4c, 0xb7, 0x1d, 0x1d, 0xdc, 0x53,  \
            0x8d                                                                                   \
    }
#define FERRY_BLE_CHARACTERISTIC_BYTES                                                             \
    {                                                                                              \
        0x48, 0x7c, 0x99, 0x74, 0x11, 0x26, 0x9e, 0xae, 0x01, 0x4e, 0xce, 0xfb, 0x28, 0x78, 0x2e,  \
            0xda                                                                                   \
    }

/* ATT_MTU: what every link has, and the largest that one value can use: 512 bytes and 3. */
#define FERRY_BLE_MTU_LEAST 23
#define FERRY_BLE_MTU_MOST  515

/* What fits a fragment of every link. */
#define FERRY_BLE_FRAGMENT_LEAST 20

/* The largest fragment of a link: ATT_MTU - 3, between 20 and 512 bytes.
 *
 * mtu  ATT_MTU; below FERRY_BLE_MTU_LEAST counts as that, above FERRY_BLE_MTU_MOST likewise */
size_t ferry_ble_fragment_max(uint32_t mtu);

/* ---- Receiving ------------------------------------------------------------------------ */

/* Collects fragments to packets. Do not rely on the contents. */
struct ferry_ble_assembler {
    uint8_t *packet;
    size_t cap;
    size_t len;     /* bytes of the packet that are there */
    size_t skip;    /* bytes still to come of one that is passed over */
    size_t dropped; /* fragments refused or passed over since init: read it to tell */
};

/* packet  cap bytes, at least FERRY_SMP_HEADER_SIZE; the assembler's until its end */
void ferry_ble_assembler_init(struct ferry_ble_assembler *assembler, uint8_t *packet, size_t cap);

/* Forget a partial packet, and what was to be passed over: the link ended, or notifications were
 * disabled. */
void ferry_ble_assembler_reset(struct ferry_ble_assembler *assembler);

/* Take one fragment.
 *
 * packet  on 1: the whole packet, valid until the next call with this assembler
 *
 * Dropped are: a first fragment without a whole SMP header; a fragment that brings more bytes than
 * its packet still lacks, and the partial with it; a packet larger than cap, which is passed over
 * to its end, so that its rest is not taken for a packet. An empty fragment means nothing.
 *
 * Returns 1 with a packet; 0 without; FERRY_E_FORMAT when something was dropped for its form,
 * FERRY_E_SPACE when a packet begins that is too large. */
FERRY_MUST_CHECK
int ferry_ble_assemble(struct ferry_ble_assembler *assembler, struct ferry_bytes fragment,
                       struct ferry_bytes *packet);

/* ---- Sending --------------------------------------------------------------------------- */

/* The next fragment of what is left of a packet, and cut off it.
 *
 * rest      what was not sent yet; shorter by the fragment afterwards
 * fragment  bytes it may have at most, above 0
 *
 * Returns the fragment, within rest; an empty one when nothing is left. */
struct ferry_bytes ferry_ble_cut(struct ferry_bytes *rest, size_t fragment);

#endif
