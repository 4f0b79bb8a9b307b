/* SPDX-License-Identifier: Apache-2.0 */
/* The conformance test on the virtual chip: its flash, its second serial port, whose other end has
 * to send back what it receives, its clock and its reset. It stands where the bootloader would, and
 * takes the area "secondary". */
#include "firmware/common/text.h"
#include "port/vchip/vchip.h"

#include "ferry/conformance.h"

/* Bytes in flight, and how often the other end may have to be waited for. */
#define IN_FLIGHT 256
#define WAITS     20
#define WAIT_MS   50

struct board {
    struct vchip chip;
    struct ferry_flash_slice area;
    uint8_t fifo[2 * IN_FLIGHT];
    size_t first;
    size_t len;
};

static struct board board;

static void print(void *context, const char *rule, const char *why)
{
    struct text line = {0};

    (void)context;
    text_add(text_add(&line, why == NULL ? "pass  " : "FAIL  "), rule);
    if (why != NULL) {
        text_add(text_add(&line, ": "), why);
    }
    vchip_print(&board.chip, text_add(&line, "\n")->chars);
}

/* ---- Line ------------------------------------------------------------------------------- */

static void store(void *context, uint32_t wire, uint32_t peer, const uint8_t *data, size_t len)
{
    (void)context;
    (void)peer;
    for (size_t i = 0; i < len && wire == FERRY_VCHIP_RAW && board.len < sizeof board.fifo; i++) {
        board.fifo[(board.first + board.len) % sizeof board.fifo] = data[i];
        board.len++;
    }
}

static void send(void *context, const uint8_t *data, size_t len)
{
    (void)context;
    vchip_send(&board.chip, FERRY_VCHIP_RAW, 0, data, len);
}

static size_t receive(void *context, uint8_t *data, size_t cap)
{
    size_t len = 0;

    (void)context;
    for (int wait = 0; wait < WAITS && board.len == 0; wait++) {
        vchip_wait(&board.chip, WAIT_MS);
    }
    while (len < cap && board.len > 0) {
        data[len++] = board.fifo[board.first];
        board.first = (board.first + 1) % sizeof board.fifo;
        board.len--;
    }
    return len;
}

/* ---- Clock and reset -------------------------------------------------------------------- */

static uint64_t now_ms(void *context)
{
    (void)context;
    return vchip_now_ms();
}

static void wait_a_little(void *context)
{
    (void)context;
    vchip_wait(&board.chip, 1);
}

static void retain(void *context, uint8_t boot_mode)
{
    (void)context;
    vchip_retain(&board.chip, boot_mode);
}

static uint8_t retained(void *context)
{
    (void)context;
    return (uint8_t)board.chip.start.boot_mode;
}

static void reset(void *context)
{
    (void)context;
    vchip_reset(&board.chip);
}

/* ---- Main ------------------------------------------------------------------------------- */

static const struct ferry_conformance_line line = {
    .send = send, .receive = receive, .in_flight = IN_FLIGHT};

int main(void)
{
    struct ferry_conformance run = {.report = print};
    char summary[FERRY_CONFORMANCE_SUMMARY_MAX];
    const struct ferry_conformance_reset restart = {
        .area = &board.area.flash, .retain = retain, .retained = retained, .reset = reset};

    if (vchip_open(&board.chip, store, NULL) != FERRY_OK) {
        return 1;
    }

    int area = vchip_find(&board.chip, "secondary");

    if (area < 0 || vchip_area(&board.chip, (uint32_t)area, &board.area) != FERRY_OK) {
        vchip_print(&board.chip, "conformance: the layout has no area \"secondary\"\n");
        return 1;
    }
    if (ferry_conformance_reset(&run, &restart)) {
        ferry_conformance_flash(&run, &board.area.flash);
        ferry_conformance_line(&run, &line);
        ferry_conformance_clock(&run, now_ms, wait_a_little, NULL);
    }
    (void)ferry_conformance_summary(&run, summary);
    vchip_print(&board.chip, summary);
    vchip_print(&board.chip, "\n");
    for (;;) {
        vchip_wait(&board.chip, UINT32_MAX);
    }
}
