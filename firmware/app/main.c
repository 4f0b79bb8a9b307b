/* SPDX-License-Identifier: Apache-2.0 */
/* The example firmware: an SMP server on every wire at once. Built several times: APP_VERSION is
 * what it says it is; APP_FAULT makes it faulty, to be taken back by watchdog and bootloader. */
#include "app.h"
#include "firmware/common/text.h"
#include "stack.h"

#include "ferry/trial.h"

#include <string.h>

enum { FAULT_NONE, FAULT_CRASH, FAULT_HANG };

/* From an accepted reset to the reset: the answer must have left. */
#define RESET_MS 250

static struct app app;

/* ---- Requests
 * ---------------------------------------------------------------------------------- */

static bool find_asker(const struct queue_packet *packet, struct ferry_server_peer *asker)
{
    return packet->wire == FERRY_VCHIP_BLE ? app_ble_asker(packet, asker)
                                           : wires_asker(&app.wires, packet, asker);
}

static void answer(const struct queue_packet *packet, size_t len)
{
    if (packet->wire == FERRY_VCHIP_BLE) {
        app_ble_answer(&app, packet, (struct ferry_bytes){app.answer, len});
    } else {
        wires_answer(&app.wires, packet, app.answer, len);
    }
}

/* Work on one request, and leave those behind it in the packet. Returns whether there are any. */
static bool work(struct queue_packet *packet)
{
    struct ferry_bytes pending = {packet->data, packet->len};
    struct ferry_server_peer asker;

    if (packet->len == 0 || !find_asker(packet, &asker)) {
        return false;
    }
    size_t room = app_limits_room(&app, packet, &asker.pad);
    size_t len = ferry_server_handle_from(&app.server, &pending, &asker, app.answer, room);
    app_stat_answered(&app, (struct ferry_bytes){app.answer, len});
    if (len > 0) {
        answer(packet, len);
        app_limits_spend(packet, len);
    }
    memmove(packet->data, pending.data, pending.len);
    packet->len = pending.len;
    return pending.len > 0;
}

/* The next one that can be answered: where an answer waits for its link, the others' go on. */
static struct queue_packet *next_packet(void)
{
    return app_ble_serve() ? queue_first_but(&app.wires.queue, FERRY_VCHIP_BLE)
                           : queue_first(&app.wires.queue);
}

/* ---- Main
 * ------------------------------------------------------------------------------------------ */

/* Volatile, so that the faulty ones differ in nothing else. */
static void break_down(void)
{
    static volatile int fault = APP_FAULT;
    static int *volatile nowhere = NULL;

    if (fault == FAULT_CRASH) {
        *nowhere = 1;
    }
    while (fault == FAULT_HANG) {
        /* The watchdog is not fed. */
        vchip_wait(&app.chip, APP_WATCHDOG_MS);
    }
}

static void look_at_reset(uint64_t now)
{
    struct ferry_os_reset reset;

    if (app.reset_at == 0 && ferry_os_group_reset_due(&app.os, &reset)) {
        app.reset_at = now + RESET_MS;
        vchip_retain(&app.chip, reset.boot_mode);
    }
    if (app.reset_at != 0 && now >= app.reset_at) {
        app_fs_close();
        vchip_reset(&app.chip);
    }
}

static _Noreturn void serve(void)
{
    for (;;) {
        app.rounds++;
        struct queue_packet *packet = next_packet();
        if (packet != NULL && !work(packet)) {
            queue_drop(&app.wires.queue);
        }
        bool idle = next_packet() == NULL;
        if (idle && !app_has(&app, FERRY_VCHIP_SHORT_FIFO)) {
            (void)ferry_image_group_erase_next(&app.image); /* the answers are on their way */
        }
        app_line_serve(&app);
        vchip_feed(&app.chip);
        app_gate_poll(&app);
        app_fs_poll(vchip_now_ms());
        look_at_reset(vchip_now_ms());
        vchip_wait(&app.chip, !idle ? 0 : app.reset_at != 0 ? RESET_MS / 10 : APP_WATCHDOG_MS / 4);
    }
}

static void print_error(int error)
{
    struct text line = {0};

    text_add(text_add(&line, "app " APP_VERSION ": no server: "), ferry_error_text(error));
    text_add(text_add(&line, "; "), ferry_error_remedy(error));
    vchip_print(&app.chip, text_add(&line, "\n")->chars);
}

/* The server runs: if the image is unconfirmed, this boot is a trial. */
static void mark_trials(void)
{
    for (uint32_t i = 0; i < app.chip.start.image_count; i++) {
        int result = ferry_trial_started(&app.images.slots[i]);
        if (result != FERRY_OK) {
            struct text line = {0};
            text_add(&line, "app " APP_VERSION ": the start was not marked: ");
            text_add(text_add(&line, ferry_error_text(result)), "\n");
            vchip_print(&app.chip, line.chars);
        }
    }
}

static void receive(void *context, uint32_t wire, uint32_t peer, const uint8_t *data, size_t len)
{
    (void)context;
    if (wire == FERRY_VCHIP_BLE) {
        app_ble_receive(&app, peer, (struct ferry_bytes){data, len});
    } else {
        wires_receive(&app.wires, wire, peer, data, len);
    }
}

static void told_of_peer(void *context, uint32_t wire, uint32_t peer,
                         const struct ferry_vchip_peer *told)
{
    (void)context;
    if (wire == FERRY_VCHIP_BLE) {
        app_ble_told(&app, peer, told);
    } else {
        wires_watcher.peer(&app.wires, wire, peer, told);
    }
}

static void notifications_left(void *context, uint32_t peer, uint32_t count)
{
    (void)context;
    app_ble_left(&app, peer, count);
}

int main(void)
{
    static const struct vchip_watcher watcher = {told_of_peer, notifications_left};
    const char *why;
    int result = vchip_open(&app.chip, receive, NULL);

    if (result != FERRY_OK) {
        return 1;
    }
    app.started_ms = vchip_now_ms();
    stack_paint();
    wires_init(&app.wires, &app.chip);
    vchip_watch(&app.chip, &watcher, NULL);
    vchip_watchdog(&app.chip, APP_WATCHDOG_MS);
    vchip_print(&app.chip, "app " APP_VERSION " started\n");
    break_down();
    result = app_ble_open(&app);
    if (result == FERRY_OK) {
        result = images_read(&app.images, &app.chip, &why);
    }
    if (result == FERRY_OK) {
        result = app_server_open(&app);
    }
    if (result == FERRY_OK) {
        result = app_limits_open(&app);
    }
    if (result != FERRY_OK) {
        print_error(result);
        return 1;
    }
    mark_trials();
    app_line_open(&app);
    vchip_advertise(&app.chip);
    serve();
}
