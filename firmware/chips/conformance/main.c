/* SPDX-License-Identifier: Apache-2.0 */
/* The conformance test on a chip, in the bootloader's place: reset, both slots (WHAT IS IN THEM IS
 * LOST), the clock, and the wire to another chip, where there is one, whose other end sends back
 * what it receives. No watchdog is begun. */
#include "firmware/chips/common/print.h"

#include "ferry/conformance.h"
#include "port/chip/chip.h"

/* Bytes in flight, and how long the other end may take. */
#define IN_FLIGHT 256
#define WAIT_MS   2000

static void report(void *context, const char *rule, const char *why)
{
    (void)context;
    print(why == NULL ? "pass  " : "FAIL  ");
    print(rule);
    if (why != NULL) {
        print(": ");
        print(why);
    }
    print("\n");
}

/* ---- Line -------------------------------------------------------------------------------------
 */

static void send(void *context, const uint8_t *data, size_t len)
{
    (void)context;
    chip_write(CHIP_WIRE_LINK, data, len);
}

static size_t receive(void *context, uint8_t *data, size_t cap)
{
    uint64_t until = chip_now_ms() + WAIT_MS;
    size_t len = chip_read(CHIP_WIRE_LINK, data, cap);

    (void)context;
    while (len == 0 && chip_now_ms() < until) {
        chip_wait(until);
        len = chip_read(CHIP_WIRE_LINK, data, cap);
    }
    return len;
}

static const struct ferry_conformance_line line = {
    .send = send, .receive = receive, .in_flight = IN_FLIGHT};

/* ---- Clock and reset --------------------------------------------------------------------------
 */

static uint64_t now_ms(void *context)
{
    (void)context;
    return chip_now_ms();
}

static void retain(void *context, uint8_t boot_mode)
{
    (void)context;
    chip_keep_boot_mode(boot_mode);
}

static uint8_t retained(void *context)
{
    (void)context;
    return chip_take_boot_mode();
}

static void reset(void *context)
{
    (void)context;
    chip_reset();
}

static const struct ferry_conformance_reset restart = {
    .area = &chip_secondary, .retain = retain, .retained = retained, .reset = reset};

/* ---- Main -------------------------------------------------------------------------------------
 */

int main(void)
{
    struct ferry_conformance run = {.report = report};
    char summary[FERRY_CONFORMANCE_SUMMARY_MAX];

    chip_init();
    if (ferry_conformance_reset(&run, &restart)) {
        ferry_conformance_flash(&run, &chip_primary);
        ferry_conformance_flash(&run, &chip_secondary);
        if (chip_has_link()) {
            ferry_conformance_line(&run, &line);
        }
        ferry_conformance_clock(&run, now_ms, NULL, NULL);
    }
    (void)ferry_conformance_summary(&run, summary);
    print("conformance: ");
    print(summary);
    print("\n");
    for (;;) {
        chip_wait(UINT64_MAX);
    }
}
