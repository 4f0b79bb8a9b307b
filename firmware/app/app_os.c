/* SPDX-License-Identifier: Apache-2.0 */
/* Group os of the example. */
#include "app.h"

#include "stack.h"

#include "ferry/shared_data.h"

/* ---- Information ------------------------------------------------------------- */

static const char *cause(const struct app *app)
{
    static const char *const names[FERRY_VCHIP_CAUSES] = {
        [FERRY_VCHIP_POWER_ON] = "power-on", [FERRY_VCHIP_SOFTWARE] = "software",
        [FERRY_VCHIP_EXPIRED] = "watchdog",  [FERRY_VCHIP_FAULT] = "fault",
        [FERRY_VCHIP_PIN] = "reset-pin",
    };
    uint32_t number = app->chip.start.cause;

    return number < FERRY_VCHIP_CAUSES ? names[number] : "";
}

/* "c", why the chip started, is this firmware's own letter. */
static const char *info(void *context, char letter)
{
    switch (letter) {
    case 's':
    case 'o':
        return "Ferry";
    case 'n':
        return "ferry-device";
    case 'r':
    case 'v':
        return APP_VERSION;
    case 'b':
        return "";
    case 'm':
    case 'p':
        return "virtual";
    case 'i':
        return "ferry-device";
    case 'c':
        return cause(context);
    default:
        return NULL;
    }
}

/* ---- Tasks, memory, date ----------------------------------------------------- */

/* This firmware is one loop. */
static int task(void *context, uint32_t number, struct ferry_os_task *out)
{
    const struct app *app = context;

    if (number > 0) {
        return FERRY_E_NOT_FOUND;
    }
    *out = (struct ferry_os_task){
        .name = "main",
        .state = FERRY_OS_TASK_QUEUED,
        .knows = FERRY_OS_TASK_STACK | FERRY_OS_TASK_RUNTIME | FERRY_OS_TASK_SWITCHES,
        .stack_size = STACK_SIZE,
        .stack_used = (uint32_t)stack_used(),
        .runtime = vchip_cycles(),
        .switches = app->rounds,
    };
    return FERRY_OK;
}

/* All memory that is shared out here is the queue's: packets that wait. */
static int pool(void *context, uint32_t number, struct ferry_os_pool *out)
{
    const struct queue *queue = &((const struct app *)context)->wires.queue;

    if (number > 0) {
        return FERRY_E_NOT_FOUND;
    }
    *out = (struct ferry_os_pool){
        .block_size = (uint32_t)queue->packet_max,
        .blocks = queue->size,
        .free_blocks = queue->size - queue->count,
        .free_least = queue->size - queue->most,
    };
    return FERRY_OK;
}

/* The host's time, and what a client changed it by, until the next start. */
static int64_t clock_change;

static int get_clock(void *context, struct ferry_os_datetime *now)
{
    (void)context;
    ferry_os_datetime_from_ms(vchip_date_ms() + clock_change, now);
    return FERRY_OK;
}

static int set_clock(void *context, const struct ferry_os_datetime *now)
{
    (void)context;
    clock_change = ferry_os_datetime_to_ms(now) - vchip_date_ms();
    return FERRY_OK;
}

static const struct ferry_os_clock os_clock = {
    .get = get_clock, .set = set_clock, .milliseconds = true};

/* ---- The group --------------------------------------------------------------- */

/* What the bootloader says of itself is more than what the layout asks for. */
static int8_t bootloader_mode(const struct app *app)
{
    uint8_t mode = 0;

    if (ferry_shared_data_u8(app->chip.shared, app->chip.start.shared_size, FERRY_BLINFO_MODE,
                             &mode) != FERRY_OK) {
        mode = app->images.slots[0].strategy->mode;
    }
    return (int8_t)mode;
}

int app_os_open(struct app *app, struct ferry_server_mount *mount)
{
    static struct ferry_os_group_config config = {
        .info = info,
        .info_letters = "c",
        .task = task,
        .pool = pool,
        .clock = &os_clock,
        .boot_modes = true,
        .measured = &ferry_os_measured_in_memory,
        .why = &ferry_os_why_in_store,
    };

    config.context = app;
    config.bootloader_mode = bootloader_mode(app);
    config.shared = (struct ferry_bytes){app->chip.shared, app->chip.start.shared_size};
    config.images = app->images.slots;
    config.image_count = app->chip.start.image_count;
    config.store = app->store;
    config.has_b0 = app->chip.start.first_provision != FERRY_VCHIP_NO_AREA;
    config.b0_slot = (uint8_t)app->chip.start.first_active;
    config.no_downgrade = app_has(app, FERRY_VCHIP_NO_DOWNGRADE);
    ferry_os_group_init(&app->os, &config);
    *mount = (struct ferry_server_mount){&ferry_os_group_table, &app->os};
    return FERRY_OK;
}
