/* SPDX-License-Identifier: Apache-2.0 */
/* Group stat of the example: what its server and each wire did, and how much it had to spare. */
#include "app.h"
#include "stack.h"

#include "ferry/group_stat.h"

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

/* What is computed when somebody asks. */
struct device {
    uint32_t uptime_ms;
    uint32_t rounds;     /* of the main loop */
    uint32_t stack_used; /* bytes, at the deepest */
    uint32_t queue_most; /* packets that waited at once */
};

static struct device device;

static const struct ferry_stat_counter smp_counters[] = {
    FERRY_STAT(struct app_counters, requests),
    FERRY_STAT(struct app_counters, answers),
    FERRY_STAT(struct app_counters, errors),
    FERRY_STAT(struct app_counters, refused),
};

static const struct ferry_stat_counter upload_counters[] = {
    FERRY_STAT(struct app_counters, started),
    FERRY_STAT(struct app_counters, finished),
    FERRY_STAT(struct app_counters, stopped),
};

static const struct ferry_stat_counter wire_counters[] = {
    FERRY_STAT(struct wires_counters, bytes_in), FERRY_STAT(struct wires_counters, bytes_out),
    FERRY_STAT(struct wires_counters, received), FERRY_STAT(struct wires_counters, dropped),
    FERRY_STAT(struct wires_counters, damaged),  FERRY_STAT(struct wires_counters, answered),
};

static const struct ferry_stat_counter device_counters[] = {
    FERRY_STAT(struct device, uptime_ms),
    FERRY_STAT(struct device, rounds),
    FERRY_STAT(struct device, stack_used),
    FERRY_STAT(struct device, queue_most),
};

/* Of each wire; the last refused command is no counter. */
static const struct ferry_stat_counter access_counters[] = {
    FERRY_STAT(struct ferry_gate_audit, refused),
    FERRY_STAT(struct ferry_gate_audit, unlocks),
    FERRY_STAT(struct ferry_gate_audit, failed),
};

static int update_device(void *context)
{
    const struct app *app = context;

    device.uptime_ms = (uint32_t)(vchip_now_ms() - app->started_ms);
    device.rounds = app->rounds;
    device.stack_used = (uint32_t)stack_used();
    device.queue_most = app->wires.queue.most;
    return FERRY_OK;
}

void app_stat_observe(struct app *app, const struct ferry_server_event *event)
{
    app->counters.refused += event->kind == FERRY_EVENT_REFUSED;
    app->counters.started += event->kind == FERRY_EVENT_UPLOAD_STARTED;
    app->counters.finished += event->kind == FERRY_EVENT_UPLOAD_FINISHED;
    app->counters.stopped += event->kind == FERRY_EVENT_UPLOAD_STOPPED;
}

void app_stat_answered(struct app *app, struct ferry_bytes answer)
{
    struct ferry_smp_status status;

    app->counters.requests++;
    if (answer.len < FERRY_SMP_HEADER_SIZE) {
        return;
    }
    answer.data += FERRY_SMP_HEADER_SIZE;
    answer.len -= FERRY_SMP_HEADER_SIZE;
    app->counters.answers++;
    app->counters.errors += ferry_smp_status_read(answer, &status) == FERRY_OK && status.rc != 0;
}

/* Where the sets of each wire begin below, and the wires in their order. */
enum { WIRE_SETS = 2, DEVICE_SET = WIRE_SETS + FERRY_VCHIP_WIRES, ACCESS_SETS };

static const uint8_t order[FERRY_VCHIP_WIRES] = {
    FERRY_VCHIP_SERIAL, FERRY_VCHIP_RAW, FERRY_VCHIP_UDP, FERRY_VCHIP_BLE, FERRY_VCHIP_DTLS};

int app_stat_open(struct app *app, struct ferry_server_mount *mount)
{
    static struct ferry_stat_set sets[] = {
        {.name = "smp", .counters = smp_counters, .count = COUNT(smp_counters)},
        {.name = "upload", .counters = upload_counters, .count = COUNT(upload_counters)},
        {.name = "serial", .counters = wire_counters, .count = COUNT(wire_counters)},
        {.name = "raw", .counters = wire_counters, .count = COUNT(wire_counters)},
        {.name = "udp", .counters = wire_counters, .count = COUNT(wire_counters)},
        {.name = "ble", .counters = wire_counters, .count = COUNT(wire_counters)},
        {.name = "dtls", .counters = wire_counters, .count = COUNT(wire_counters)},
        {.name = "device",
         .counters = device_counters,
         .count = COUNT(device_counters),
         .values = &device,
         .update = update_device},
        /* With a gate only. */
        {.name = "access_serial", .counters = access_counters, .count = COUNT(access_counters)},
        {.name = "access_raw", .counters = access_counters, .count = COUNT(access_counters)},
        {.name = "access_udp", .counters = access_counters, .count = COUNT(access_counters)},
        {.name = "access_ble", .counters = access_counters, .count = COUNT(access_counters)},
        {.name = "access_dtls", .counters = access_counters, .count = COUNT(access_counters)},
    };
    static struct ferry_stat_group_config config = {.sets = sets};
    bool gated = app->chip.start.lock != FERRY_VCHIP_OPEN;

    sets[0].values = &app->counters;
    sets[1].values = &app->counters;
    for (size_t i = 0; i < FERRY_VCHIP_WIRES; i++) {
        sets[WIRE_SETS + i].values = &app->wires.counters[order[i]];
        sets[ACCESS_SETS + i].values = &app->gate_wires[order[i]].audit;
    }
    sets[DEVICE_SET].context = app;
    config.set_count = gated ? COUNT(sets) : ACCESS_SETS;
    *mount = (struct ferry_server_mount){&ferry_stat_group_table, &config};
    return FERRY_OK;
}
