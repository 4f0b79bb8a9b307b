/* SPDX-License-Identifier: Apache-2.0 */
/* Fuzz target: packets to a bootloader's recovery. Input: packets one behind the other, each a
 * length (u16, little endian) and its bytes; byte 0 chooses strategy and way in. The device trusts
 * one key, whose private half is nowhere, and its slots are empty.
 *
 * Whatever the packets are:
 *   1. Each call takes at least one byte of its packet, and an answer is one whole packet inside
 * the buffer it was given.
 *   2. Recovery wants one of its three things, and a deadline that stays is never in the past.
 *   3. No image is said to be bootable, no request stands, and no boot afterwards runs anything. */
#include "ferry/recovery.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* Like assert(), in every build type. */
#define CHECK(condition)                                                                           \
    do {                                                                                           \
        if (!(condition)) {                                                                        \
            fprintf(stderr, "%s:%d: %s\n", __FILE__, __LINE__, #condition);                        \
            abort();                                                                               \
        }                                                                                          \
    } while (0)

#define SECTOR  256U
#define SECTORS 8U
#define SLOT    (SECTOR * SECTORS)

struct device {
    uint8_t memory[3][SLOT];
    struct ferry_flash_ram ram[3];
    uint8_t buf[256];
    struct ferry_boot_image image;
    struct ferry_boot_config boot;
    struct ferry_boot_report report;
    struct ferry_recovery_config config;
    struct ferry_recovery recovery;
};

/* No point of the curve: nothing is signed by it. */
static const uint8_t der[44] = {0x30, 0x2a, 0x30, 0x05, 0x06, 0x03, 0x2b, 0x65, 0x70, 0x03, 0x21};

static const struct ferry_image_key key = {der, sizeof(der)};

static const struct ferry_image_verifier *const verifiers[] = {&ferry_verify_ed25519};

static const struct ferry_boot_strategy *const strategies[] = {
    &ferry_boot_swap_move,   &ferry_boot_swap_offset, &ferry_boot_swap_scratch,
    &ferry_boot_overwrite,   &ferry_boot_direct_xip,  &ferry_boot_direct_xip_revert,
    &ferry_boot_single_slot,
};

#define STRATEGIES (sizeof(strategies) / sizeof(strategies[0]))

static void set_up(struct device *device, const struct ferry_boot_strategy *strategy)
{
    const struct ferry_strategy_traits *traits = strategy->traits;

    memset(device, 0, sizeof(*device));
    for (int i = 0; i < 3; i++) {
        struct ferry_flash *flash = &device->ram[i].flash;

        memset(device->memory[i], 0xff, SLOT);
        flash->size = SLOT;
        flash->write_size = 8;
        flash->erased_value = 0xff;
        flash->run_count = 1;
        flash->runs[0] = (struct ferry_flash_run){SECTORS, SECTOR};
        CHECK(ferry_flash_ram_init(&device->ram[i], device->memory[i]) == FERRY_OK);
    }
    device->image = (struct ferry_boot_image){
        .slots = {.primary = &device->ram[0].flash,
                  .secondary = traits->slot_count > 1 ? &device->ram[1].flash : NULL,
                  .scratch = traits->scratch ? &device->ram[2].flash : NULL,
                  .strategy = traits,
                  .state = ferry_slots_state_of(traits),
                  .max_align = 8,
                  .max_sectors = SECTORS},
        .strategy = strategy};
    device->boot.images = &device->image;
    device->boot.image_count = 1;
    device->boot.trust.keys = &key;
    device->boot.trust.key_count = 1;
    device->boot.trust.verifiers = verifiers;
    device->boot.trust.verifier_count = 1;
    device->boot.buf = device->buf;
    device->boot.buf_size = sizeof(device->buf);
    device->config = (struct ferry_recovery_config){
        .boot = &device->boot, .buf_size = 512, .buf_count = 1, .window_ms = 10, .idle_ms = 100};
}

static void check_answer(const uint8_t *out, size_t len)
{
    struct ferry_smp_header header;
    struct ferry_bytes payload;
    struct ferry_bytes rest;

    if (len > 0) {
        CHECK(ferry_smp_packet_read((struct ferry_bytes){out, len}, &header, &payload, &rest) ==
              FERRY_OK);
        CHECK(rest.len == 0);
    }
}

static void send(struct device *device, const uint8_t *packet, size_t len, uint64_t now)
{
    struct ferry_bytes pending = {packet, len};
    uint8_t out[512];
    uint64_t deadline = 0;

    while (pending.len > 0) {
        size_t before = pending.len;
        size_t answer = ferry_recovery_handle(&device->recovery, &pending, 0, out, sizeof(out));

        CHECK(pending.len < before && answer <= sizeof(out));
        check_answer(out, answer);
    }

    enum ferry_recovery_wish wish = ferry_recovery_next(&device->recovery, now, &deadline);

    CHECK(wish == FERRY_RECOVERY_STAY ? deadline > now : wish <= FERRY_RECOVERY_RESET);
}

/* Nothing was signed, so nothing may have come of it. */
static void check_nothing_runs(struct device *device)
{
    struct ferry_slots_next next;
    int rc = ferry_slots_next_boot(&device->image.slots, &next);

    CHECK(rc != FERRY_OK || next.type == FERRY_SWAP_NONE);
    CHECK(ferry_boot_run(&device->boot, &device->report) != FERRY_OK);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static struct device device;
    uint64_t now = 1000;

    if (size < 1) {
        return 0;
    }
    set_up(&device, strategies[data[0] % STRATEGIES]);

    bool dark = (data[0] & 0x80) != 0;

    CHECK(!dark || ferry_boot_run(&device.boot, &device.report) != FERRY_OK);
    CHECK(ferry_recovery_init(&device.recovery, &device.config,
                              dark ? FERRY_RECOVERY_NO_IMAGE : FERRY_RECOVERY_WINDOW,
                              dark ? &device.report : NULL, now) == FERRY_OK);
    for (size_t at = 1; size - at >= 2;) {
        size_t len = ferry_load_le16(data + at);

        at += 2;
        len = len < size - at ? len : size - at;
        send(&device, data + at, len, now++);
        at += len;
    }
    check_nothing_runs(&device);
    return 0;
}
