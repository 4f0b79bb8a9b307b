/* SPDX-License-Identifier: Apache-2.0 */
/* Packets over Bluetooth LE: put together from fragments, and cut into them.  [smp.md §2.4] */
#include "ferry/ble.h"
#include "ferry/smp.h"

#include <string.h>

#define ATT_HEADER 3 /* of a write or a notification: its operation, and the attribute's handle */

size_t ferry_ble_fragment_max(uint32_t mtu)
{
    return ferry_min32(ferry_max32(mtu, FERRY_BLE_MTU_LEAST), FERRY_BLE_MTU_MOST) - ATT_HEADER;
}

/* ---- Receiving ------------------------------------------------------------------------------ */

void ferry_ble_assembler_init(struct ferry_ble_assembler *assembler, uint8_t *packet, size_t cap)
{
    *assembler = (struct ferry_ble_assembler){.packet = packet, .cap = cap};
}

void ferry_ble_assembler_reset(struct ferry_ble_assembler *assembler)
{
    assembler->len = 0;
    assembler->skip = 0;
}

/* The fragment is dropped, and what it belongs to: the next one begins a packet. */
static int drop(struct ferry_ble_assembler *assembler, int error)
{
    ferry_ble_assembler_reset(assembler);
    assembler->dropped++;
    return error;
}

/* A fragment of a packet that is passed over. */
static int pass_over(struct ferry_ble_assembler *assembler, size_t len)
{
    if (len > assembler->skip) {
        return drop(assembler, FERRY_E_FORMAT);
    }
    assembler->skip -= len;
    assembler->dropped++;
    return 0;
}

static size_t announced(const uint8_t *header)
{
    return FERRY_SMP_HEADER_SIZE + (size_t)ferry_load_be16(header + 2);
}

int ferry_ble_assemble(struct ferry_ble_assembler *assembler, struct ferry_bytes fragment,
                       struct ferry_bytes *packet)
{
    if (fragment.len == 0) {
        return 0;
    }
    if (assembler->skip > 0) {
        return pass_over(assembler, fragment.len);
    }
    if (assembler->len == 0 && fragment.len < FERRY_SMP_HEADER_SIZE) {
        return drop(assembler, FERRY_E_FORMAT);
    }

    size_t total = announced(assembler->len == 0 ? fragment.data : assembler->packet);

    if (fragment.len > total - assembler->len) {
        return drop(assembler, FERRY_E_FORMAT);
    }
    if (total > assembler->cap) {
        (void)drop(assembler, FERRY_E_SPACE);
        assembler->skip = total - fragment.len;
        return FERRY_E_SPACE;
    }
    memcpy(assembler->packet + assembler->len, fragment.data, fragment.len);
    assembler->len += fragment.len;
    if (assembler->len < total) {
        return 0;
    }
    assembler->len = 0;
    *packet = (struct ferry_bytes){assembler->packet, total};
    return 1;
}

/* ---- Sending -------------------------------------------------------------------------------- */

struct ferry_bytes ferry_ble_cut(struct ferry_bytes *rest, size_t fragment)
{
    struct ferry_bytes next = {rest->data, rest->len < fragment ? rest->len : fragment};

    if (next.len > 0) {
        rest->data += next.len;
        rest->len -= next.len;
    }
    return next;
}
