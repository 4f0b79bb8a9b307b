/* SPDX-License-Identifier: Apache-2.0 */
/* A chip with little flash, for tests/e2e/test_small.py: bootloader with small recovery, firmware
 * with the small groups. Memory is the flash, standard input and output are the UART.
 *
 *     small_device [IMAGE]      IMAGE stands in the primary at the first start; else nothing does
 */
#include "ferry/console.h"
#include "ferry/recovery_small.h"

#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#define SLOT_SIZE   0x80000
#define SECTOR_SIZE 0x1000
#define PACKET      512
#define IDLE_MS     20000
#define LIFE_S      120 /* no test takes as long */
#define RESTART_MS  100

/* ---- The chip -------------------------------------------------------------------------------- */

static uint8_t memory[2][SLOT_SIZE];
static struct ferry_flash_ram slot[2];

static void begin_flash(const char *path)
{
    FILE *file = path != NULL ? fopen(path, "rb") : NULL;

    memset(memory, 0xff, sizeof(memory));
    for (int i = 0; i < 2; i++) {
        slot[i].flash = (struct ferry_flash){.size = SLOT_SIZE,
                                             .write_size = 4,
                                             .erased_value = 0xff,
                                             .run_count = 1,
                                             .runs = {{SLOT_SIZE / SECTOR_SIZE, SECTOR_SIZE}}};
        if (ferry_flash_ram_init(&slot[i], memory[i]) != FERRY_OK) {
            exit(EXIT_FAILURE);
        }
    }
    if (path != NULL && (file == NULL || fread(memory[0], 1, SLOT_SIZE, file) == 0)) {
        exit(EXIT_FAILURE);
    }
    if (file != NULL) {
        (void)fclose(file);
    }
}

static uint64_t now_ms(void)
{
    struct timespec now;

    (void)clock_gettime(CLOCK_MONOTONIC, &now);
    return (uint64_t)now.tv_sec * 1000 + (uint64_t)now.tv_nsec / 1000000;
}

static void put(void *context, const uint8_t *line, size_t len)
{
    (void)context;
    if (write(STDOUT_FILENO, line, len) != (ssize_t)len) {
        exit(EXIT_FAILURE);
    }
}

/* The next packet, or nothing once it is so late. */
static struct ferry_bytes receive(uint64_t until)
{
    static struct ferry_console_decoder decoder;
    static uint8_t request[PACKET];
    static bool begun;

    if (!begun) {
        begun = true;
        ferry_console_decoder_init(&decoder, request, sizeof(request));
    }
    for (uint64_t now = now_ms(); now < until; now = now_ms()) {
        struct pollfd wire = {.fd = STDIN_FILENO, .events = POLLIN};
        struct ferry_console_event event;
        uint64_t left = until - now;
        uint8_t byte;

        if (poll(&wire, 1, left < 1000 ? (int)left : 1000) == 0) {
            continue;
        }
        if (read(STDIN_FILENO, &byte, 1) != 1) {
            exit(EXIT_SUCCESS); /* nobody is at the other end any more */
        }
        (void)ferry_console_feed(&decoder, &byte, 1, &event);
        if (event.kind == FERRY_CONSOLE_PACKET) {
            return event.bytes;
        }
    }
    return (struct ferry_bytes){NULL, 0};
}

static void answer(const uint8_t *packet, size_t len)
{
    ferry_console_send((struct ferry_bytes){packet, len}, FERRY_CONSOLE_CUT_124, put, NULL);
}

/* ---- The bootloader -------------------------------------------------------------------------- */

static struct ferry_boot_image image = {
    .slots = {.primary = &slot[0].flash,
              .secondary = &slot[1].flash,
              .strategy = &ferry_traits_swap_shift,
              .max_align = 8,
              .max_sectors = 128},
    .strategy = &ferry_boot_swap_shift,
};
static const struct ferry_image_digest_kind *const digests[] = {&ferry_digest_sha256};
static uint8_t buf[1024];
static const struct ferry_boot_config boot = {
    .images = &image,
    .image_count = 1,
    .trust = {.digests = digests, .digest_count = 1, .digest_only = true},
    .buf = buf,
    .buf_size = sizeof(buf),
};
static struct ferry_boot_report report;

/* Returns the boot mode to go on with. */
static uint8_t recover(enum ferry_recovery_way way)
{
    static const struct ferry_recovery_small_config config = {
        .boot = &boot, .buf_size = PACKET, .buf_count = 1, .idle_ms = IDLE_MS};
    static struct ferry_recovery_small recovery;
    uint8_t out[PACKET];

    ferry_recovery_small_init(&recovery, &config, way, &report, now_ms());
    for (;;) {
        uint64_t deadline;
        enum ferry_recovery_wish wish = ferry_recovery_small_next(&recovery, now_ms(), &deadline);

        if (wish != FERRY_RECOVERY_STAY) {
            return wish == FERRY_RECOVERY_RESET ? ferry_recovery_small_boot_mode(&recovery) : 0;
        }

        struct ferry_bytes pending = receive(deadline);

        while (pending.len > 0) {
            answer(out, ferry_recovery_small_handle(&recovery, &pending, out, sizeof(out)));
        }
    }
}

/* ---- The firmware ---------------------------------------------------------------------------- */

/* Returns the boot mode that a reset was asked with. */
static uint8_t run_firmware(void)
{
    static const struct ferry_slots slots = {.primary = &slot[0].flash,
                                             .secondary = &slot[1].flash,
                                             .strategy = &ferry_traits_swap_shift_small,
                                             .state = &ferry_slots_by_swap_small,
                                             .max_align = 8,
                                             .max_sectors = 128};
    static struct ferry_image_small group;
    struct ferry_os_small os = {.strategy = slots.strategy};
    const struct ferry_server_mount mounts[] = {{&ferry_os_small_table, &os},
                                                {&ferry_image_small_table, &group}};
    const struct ferry_server_config config = {
        .groups = mounts, .group_count = 2, .buf_size = PACKET, .buf_count = 1};
    struct ferry_server server;
    uint8_t out[PACKET];

    ferry_image_small_init(&group, &slots, NULL, NULL);
    if (ferry_server_init(&server, &config) != FERRY_OK) {
        exit(EXIT_FAILURE);
    }
    while (!os.reset_due) {
        struct ferry_bytes pending = receive(UINT64_MAX);

        while (pending.len > 0) {
            answer(out, ferry_server_handle(&server, &pending, 0, out, sizeof(out)));
        }
    }
    return os.boot_mode;
}

int main(int argc, char **argv)
{
    uint8_t mode = 0;

    (void)alarm(LIFE_S);
    begin_flash(argc > 1 ? argv[1] : NULL);
    for (;;) {
        (void)usleep(RESTART_MS * 1000);
        if (mode == 1) {
            mode = recover(FERRY_RECOVERY_BOOT_MODE);
        } else if (ferry_boot_run(&boot, &report) == FERRY_OK && ferry_boot_may_start(&report)) {
            mode = run_firmware();
        } else {
            mode = recover(FERRY_RECOVERY_NO_IMAGE);
        }
    }
}
