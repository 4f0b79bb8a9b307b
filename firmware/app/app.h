/* SPDX-License-Identifier: Apache-2.0 */
/* The example firmware: what its files share. Each group of its SMP server is in a file of its own;
 * app_server.c lists them. */
#ifndef FIRMWARE_APP_APP_H
#define FIRMWARE_APP_APP_H

#include "firmware/common/images.h"
#include "firmware/common/wires.h"

#include "ferry/gate.h"
#include "ferry/group_image.h"
#include "ferry/group_os.h"
#include "ferry/group_shell.h"
#include "ferry/peers.h"
#include "ferry/server.h"

#define APP_WATCHDOG_MS 2000

/* Hosts on UDP that are told apart. */
#define APP_PEERS 32

/* Groups the server has at most. */
#define APP_GROUPS 16

/* What the server did since the start. */
struct app_counters {
    uint32_t requests;
    uint32_t answers;
    uint32_t errors;                     /* answers that are no success */
    uint32_t refused;                    /* by the gate */
    uint32_t started, finished, stopped; /* uploads */
};

struct app {
    struct vchip chip;
    struct wires wires;
    struct images images;
    struct ferry_store *store; /* the device's, open; NULL: it has none */
    struct ferry_os_group os;
    struct ferry_image_group image;
    struct ferry_gate gate;
    struct ferry_gate_wire gate_wires[FERRY_VCHIP_WIRES];
    bool gated;               /* gate is set up, and asked */
    struct ferry_peers peers; /* on UDP, with FERRY_VCHIP_UDP_LIMITS */
    struct ferry_server server;
    struct ferry_server_mount mounts[APP_GROUPS];
    uint64_t started_ms;
    uint32_t rounds;   /* of the main loop */
    uint8_t log_level; /* enum ferry_log_level: the lowest that is kept */
    struct app_counters counters;
    uint64_t reset_at; /* 0: none is due */
    uint8_t answer[FERRY_VCHIP_SEND_MAX];
};

/* Set up a group of the server; its configuration and state are static in its file. chip, images
 * and store are ready.
 *
 * mount  filled on FERRY_OK
 *
 * Returns FERRY_OK; FERRY_E_NOT_FOUND when this device is not to have the group; or an error, which
 * stops the device. */
typedef int app_group_open(struct app *app, struct ferry_server_mount *mount);

app_group_open app_os_open, app_image_open, app_stat_open, app_settings_open, app_log_open,
    app_fs_open, app_shell_open, app_enum_open, app_basic_open, app_trust_open, app_gate_open;

/* Set up the server with all groups this device has. Returns FERRY_OK or an error. */
FERRY_MUST_CHECK
int app_server_open(struct app *app);

/* Whether the device has what a FERRY_VCHIP_ flag of its layout asks for. */
static inline bool app_has(const struct app *app, uint32_t flag)
{
    return (app->chip.start.flags & flag) != 0;
}

/* Bluetooth LE: the chip's radio tells of links and brings values, and takes values. */
FERRY_MUST_CHECK
int app_ble_open(struct app *app);
void app_ble_told(struct app *app, uint32_t link, const struct ferry_vchip_peer *told);
void app_ble_left(struct app *app, uint32_t link, uint32_t count);
void app_ble_receive(struct app *app, uint32_t link, struct ferry_bytes value);

/* As wires_asker() and wires_answer(). An answer that the link does not take at once goes on with
 * app_ble_serve(), which returns true while it waits: until then no other may be made. */
bool app_ble_asker(const struct queue_packet *request, struct ferry_server_peer *asker);
void app_ble_answer(struct app *app, const struct queue_packet *request, struct ferry_bytes answer);
bool app_ble_serve(void);

/* Run a line of the shell, whichever way it came.
 *
 * line    len characters and a NUL behind them; blanks around words do not matter
 * output  takes what the command says, lines with LF at the end
 *
 * Returns what the command returns; FERRY_SHELL_NO_COMMAND, and says so, for one that is not
 * there. */
int app_shell_run(struct app *app, const char *line, size_t len,
                  const struct ferry_shell_output *output);

/* Make the serial console a shell too, where the layout says so; then work on what was typed, which
 * waits meanwhile: after each request, and while there is none. */
void app_line_open(struct app *app);
void app_line_serve(struct app *app);

/* Note an event of the server in the log. What anybody can bring about (requests refused, unlocks
 * that fail, locks) is noted once for each transport and level of its peers, until something else
 * is noted: who may do nothing cannot wash out what is there. */
void app_log_observe(struct app *app, const struct ferry_server_call *call,
                     const struct ferry_server_event *event);

/* Remove all saved settings, and nothing else of the store: they are at their defaults then.
 * context is the struct app. Returns FERRY_OK or an error of the store. */
FERRY_MUST_CHECK
int app_settings_erase(void *context);

/* Set up limits on UDP, where the layout has them. Once the wires are. Returns FERRY_OK or an
 * error.
 */
FERRY_MUST_CHECK
int app_limits_open(struct app *app);

/* Room for the answer to the next request of a packet, and its struct ferry_server_peer.pad; then,
 * that an answer of len bytes was sent. */
size_t app_limits_room(const struct app *app, struct queue_packet *packet, uint16_t *pad);
void app_limits_spend(struct queue_packet *packet, size_t len);

/* Take note of who is proven. */
void app_limits_observe(struct app *app, const struct ferry_server_call *call,
                        const struct ferry_server_event *event);

/* End what those had unlocked that are gone. */
void app_gate_poll(struct app *app);

/* Close a file that is idle. now: as vchip_now_ms(). And one that is open, before a reset. */
void app_fs_poll(uint64_t now);
void app_fs_close(void);

/* Count an event of the server; a request that was worked on, and its answer (empty: none). */
void app_stat_observe(struct app *app, const struct ferry_server_event *event);
void app_stat_answered(struct app *app, struct ferry_bytes answer);

/* For long work in handlers; context is the struct app. */
void app_feed(void *context);

#endif
