/* SPDX-License-Identifier: Apache-2.0 */
/* Group log of the example: what happened since the start, in memory. */
#include "app.h"
#include "firmware/common/text.h"

#include "ferry/log_ring.h"

#include <string.h>

/* Mynewt leaves modules from 64 on to applications. */
enum { MODULE_APP = 64, MODULE_SERVER = 65 };

#define LOG_SIZE 4096

static struct ferry_log_ring ring;

static void add(const struct app *app, uint8_t level, uint8_t module, const struct text *line)
{
    const struct ferry_log_entry entry = {
        .ts_us = (int64_t)(vchip_now_ms() - app->started_ms) * 1000 + 1,
        .level = level,
        .module = module,
        .kind = FERRY_LOG_TEXT};

    if (level >= app->log_level) {
        ferry_log_ring_add(&ring, &entry, line->chars, line->len);
    }
}

static void log_start(const struct app *app)
{
    static const char *const causes[FERRY_VCHIP_CAUSES] = {[FERRY_VCHIP_POWER_ON] = "power on",
                                                           [FERRY_VCHIP_SOFTWARE] =
                                                               "reset by software",
                                                           [FERRY_VCHIP_EXPIRED] = "watchdog",
                                                           [FERRY_VCHIP_FAULT] = "fault",
                                                           [FERRY_VCHIP_PIN] = "reset pin"};
    struct text line = {0};
    uint32_t cause = app->chip.start.cause;

    text_add(&line, "app " APP_VERSION " started: ");
    text_add(&line, cause < FERRY_VCHIP_CAUSES ? causes[cause] : "unknown cause");
    add(app,
        cause == FERRY_VCHIP_EXPIRED || cause == FERRY_VCHIP_FAULT ? FERRY_LOG_ERROR
                                                                   : FERRY_LOG_INFO,
        MODULE_APP, &line);
}

/* What happens in the server, by the numbers of enum ferry_server_event_kind. */
struct note {
    const char *words;
    uint8_t level;
    bool image;        /* the event is about one */
    const char *value; /* what its value is; NULL = nothing */
};

static const struct note notes[] = {
    [FERRY_EVENT_REFUSED] = {"request refused", FERRY_LOG_WARN, false, "rc"},
    [FERRY_EVENT_RESET_ASKED] = {"reset asked for", FERRY_LOG_INFO, false, "boot mode"},
    [FERRY_EVENT_UPLOAD_STARTED] = {"upload started", FERRY_LOG_INFO, true, "bytes"},
    [FERRY_EVENT_UPLOAD_FINISHED] = {"upload finished", FERRY_LOG_INFO, true, "bytes"},
    [FERRY_EVENT_UPLOAD_STOPPED] = {"upload stopped", FERRY_LOG_WARN, true, "bytes"},
    [FERRY_EVENT_IMAGE_PENDING] = {"image pending", FERRY_LOG_INFO, true, "permanent"},
    [FERRY_EVENT_IMAGE_CONFIRMED] = {"image confirmed", FERRY_LOG_INFO, true, NULL},
    [FERRY_EVENT_SLOT_ERASED] = {"slot erased", FERRY_LOG_WARN, true, "slot"},
    [FERRY_EVENT_CLOCK_SET] = {"clock set", FERRY_LOG_INFO, false, NULL},
    [FERRY_EVENT_STORAGE_ERASED] = {"storage erased", FERRY_LOG_WARN, false, NULL},
    [FERRY_EVENT_UNLOCKED] = {"unlocked", FERRY_LOG_WARN, false, "level"},
    [FERRY_EVENT_UNLOCK_FAILED] = {"unlock failed", FERRY_LOG_ERROR, false, "error"},
    [FERRY_EVENT_LOCKED] = {"locked", FERRY_LOG_INFO, false, "level"},
};

/* What anybody can bring about on a wire who stands at a level, noted since something else was: bit
 * 0 requests refused, bit n unlocks failed by error n, the last one locks. */
#define LOCKS 31

static uint32_t told[FERRY_VCHIP_WIRES][FERRY_ACCESS_LEVELS];

static bool bit_of(const struct ferry_server_event *event, uint32_t *bit)
{
    *bit = event->kind == FERRY_EVENT_REFUSED         ? 0
           : event->kind == FERRY_EVENT_UNLOCK_FAILED ? event->value % LOCKS
                                                      : LOCKS;
    return *bit != LOCKS || event->kind == FERRY_EVENT_LOCKED;
}

/* Whether an event says no more than what is noted. */
static bool is_known(struct app *app, const struct ferry_server_peer *peer,
                     const struct ferry_server_event *event)
{
    struct ferry_gate_standing standing;
    uint32_t *noted;
    uint32_t bit;
    bool known;

    if (!bit_of(event, &bit)) {
        memset(told, 0, sizeof(told));
        return false;
    }
    if (peer->transport >= FERRY_VCHIP_WIRES) {
        return false;
    }
    ferry_gate_look(&app->gate, peer, &standing);
    noted = &told[peer->transport][standing.level];
    known = (*noted >> bit & 1) != 0;
    *noted |= 1U << bit;
    return known;
}

void app_log_observe(struct app *app, const struct ferry_server_call *call,
                     const struct ferry_server_event *event)
{
    struct text line = {0};

    if (event->kind < 0 || event->kind >= (int)(sizeof(notes) / sizeof(notes[0])) ||
        notes[event->kind].words == NULL || notes[event->kind].level < app->log_level ||
        is_known(app, call->peer, event)) {
        return;
    }

    const struct note *note = &notes[event->kind];

    text_add(&line, note->words);
    if (note->image) {
        text_number(text_add(&line, ", image "), event->image);
    }
    if (note->value != NULL) {
        text_number(text_add(text_add(text_add(&line, ", "), note->value), " "), event->value);
    }
    add(app, note->level, MODULE_SERVER, &line);
}

int app_log_open(struct app *app, struct ferry_server_mount *mount)
{
    static uint8_t memory[LOG_SIZE];
    static const struct ferry_log logs[] = {
        {"device", FERRY_LOG_MEMORY, &ferry_log_in_ring, &ring}};
    static const struct ferry_log_module modules[] = {{"app", MODULE_APP},
                                                      {"server", MODULE_SERVER}};
    static struct ferry_log_group_config config = {.logs = logs,
                                                   .log_count = sizeof(logs) / sizeof(logs[0]),
                                                   .modules = modules,
                                                   .module_count =
                                                       sizeof(modules) / sizeof(modules[0])};

    ferry_log_ring_init(&ring, memory, sizeof(memory));
    log_start(app);
    *mount = (struct ferry_server_mount){&ferry_log_group_table, &config};
    return FERRY_OK;
}
