/* SPDX-License-Identifier: Apache-2.0 */
/* Serial recovery: the server, and how long it stays. */
#include "core/recovery/recovery.h"

#include <string.h>

const char *ferry_recovery_way_name(enum ferry_recovery_way way)
{
    static const char *const names[] = {
        [FERRY_RECOVERY_BUTTON] = "button",
        [FERRY_RECOVERY_BOOT_MODE] = "boot-mode",
        [FERRY_RECOVERY_WINDOW] = "window",
        [FERRY_RECOVERY_NO_IMAGE] = "no-image",
    };

    return (unsigned)way < sizeof(names) / sizeof(names[0]) ? names[way] : "?";
}

/* ---- Set-up ------------------------------------------------------------------------------- */

/* Asked before every command that exists: noise and damaged packets do not keep it here. */
static int note_command(void *context, struct ferry_server_call *call)
{
    struct ferry_recovery *recovery = context;

    (void)call;
    recovery->touched = true;
    recovery->stays = true;
    return FERRY_RC_OK;
}

static void feed(void *context)
{
    const struct ferry_recovery *recovery = context;
    const struct ferry_boot_hooks *hooks = recovery->config->boot->hooks;

    if (hooks != NULL && hooks->feed != NULL) {
        hooks->feed(hooks->context);
    }
}

static void set_up_os(struct ferry_recovery *recovery)
{
    const struct ferry_boot_config *boot = recovery->config->boot;

    recovery->os_config = (struct ferry_os_group_config){
        .bootloader_mode = (int8_t)recovery->slots[0].strategy->mode,
        .recovery = ferry_recovery_way_name(recovery->way),
        .no_downgrade = recovery->config->no_downgrade,
        .boot_modes = true,
        .why = boot->memory != NULL ? &ferry_os_why_in_store : NULL,
        .store = recovery->slots[0].store,
    };
    for (uint32_t i = 0; i < boot->image_count; i++) {
        if (boot->images[i].first != NULL) {
            recovery->os_config.has_b0 = true;
            recovery->os_config.b0_slot = boot->images[i].first->active;
        }
    }
    ferry_os_group_init(&recovery->os, &recovery->os_config);
}

static int set_up_image(struct ferry_recovery *recovery)
{
    static const struct ferry_image_options options = {.erase_pending = true,
                                                       .slot_info_always = true};
    const struct ferry_boot_config *boot = recovery->config->boot;

    recovery->image_config = (struct ferry_image_group_config){
        .images = recovery->slots,
        .image_count = (uint8_t)boot->image_count,
        .options = &options,
        .addresses = recovery->addresses,
        .check = &ferry_image_check_sha256,
        .upload = ferry_recovery_begin,
        .feed = feed,
        .context = recovery,
        .bootloader = &ferry_recovery_rules,
    };
    return ferry_image_group_init(&recovery->image, &recovery->image_config);
}

static int set_up_server(struct ferry_recovery *recovery)
{
    recovery->mounts[0] = (struct ferry_server_mount){&ferry_recovery_os_table, &recovery->os};
    recovery->mounts[1] = (struct ferry_server_mount){&ferry_image_group_table, &recovery->image};
    recovery->server_config = (struct ferry_server_config){
        .groups = recovery->mounts,
        .group_count = 2,
        .buf_size = recovery->config->buf_size,
        .buf_count = recovery->config->buf_count,
        .verbose = recovery->config->verbose,
        .text = recovery->config->text,
        .gate = note_command,
        .gate_context = recovery,
    };
    return ferry_server_init(&recovery->server, &recovery->server_config);
}

/* Where images run in place the boot says which slot is the one. */
static void take_report(struct ferry_recovery *recovery)
{
    for (uint32_t i = 0; i < recovery->config->boot->image_count; i++) {
        if (ferry_recovery_runs(recovery, i)) {
            recovery->slots[i].active = recovery->report.images[i].slot;
        }
    }
}

static bool is_sound(const struct ferry_recovery_config *config, enum ferry_recovery_way way,
                     const struct ferry_boot_report *report)
{
    const struct ferry_boot_config *boot = config->boot;

    return boot != NULL && boot->images != NULL && boot->image_count > 0 &&
           boot->image_count <= FERRY_BOOT_IMAGES && boot->buf != NULL && boot->buf_size > 0 &&
           (way != FERRY_RECOVERY_NO_IMAGE || report != NULL) &&
           (way != FERRY_RECOVERY_WINDOW || config->window_ms > 0);
}

int ferry_recovery_init(struct ferry_recovery *recovery, const struct ferry_recovery_config *config,
                        enum ferry_recovery_way way, const struct ferry_boot_report *report,
                        uint64_t now)
{
    if (!is_sound(config, way, report)) {
        return FERRY_E_CONFIG;
    }
    memset(recovery, 0, sizeof(*recovery));
    recovery->config = config;
    recovery->way = way;
    recovery->quiet_since = now;
    for (uint32_t i = 0; i < config->boot->image_count; i++) {
        recovery->slots[i] = config->boot->images[i].slots;
        recovery->slots[i].active = 0;
        recovery->addresses[2 * i] = config->boot->images[i].addresses[0];
        recovery->addresses[2 * i + 1] = config->boot->images[i].addresses[1];
    }
    if (report != NULL) {
        recovery->report = *report;
        recovery->result = FERRY_E_NO_IMAGE;
        recovery->settled = true;
        take_report(recovery);
    }
    set_up_os(recovery);

    int rc = set_up_image(recovery);

    return rc == FERRY_OK ? set_up_server(recovery) : rc;
}

/* ---- The boot, when it is needed ------------------------------------------------------------ */

bool ferry_recovery_runs(const struct ferry_recovery *recovery, uint32_t image)
{
    return recovery->settled && recovery->report.images[image].action != FERRY_BOOT_STOPPED;
}

void ferry_recovery_settle(struct ferry_recovery *recovery)
{
    const struct ferry_recovery_config *config = recovery->config;

    if (recovery->settled) {
        return;
    }
    recovery->result = ferry_boot_run(config->boot, &recovery->report);
    recovery->settled = true;
    take_report(recovery);
    for (uint32_t i = 0; i < config->boot->image_count; i++) {
        ferry_recovery_forget(recovery, i);
    }
    recovery->changed = false;
    if (config->settled != NULL) {
        config->settled(config->context, recovery->result, &recovery->report);
    }
}

/* ---- Packets and time ------------------------------------------------------------------------ */

size_t ferry_recovery_handle(struct ferry_recovery *recovery, struct ferry_bytes *pending,
                             uint8_t transport, uint8_t *out, size_t cap)
{
    return ferry_server_handle(&recovery->server, pending, transport, out, cap);
}

/* How long it may be quiet; 0 = for ever. */
static uint32_t patience(const struct ferry_recovery *recovery)
{
    const struct ferry_recovery_config *config = recovery->config;

    if (recovery->way == FERRY_RECOVERY_WINDOW && !recovery->stays) {
        return config->window_ms;
    }
    if (recovery->settled && recovery->result != FERRY_OK && !recovery->changed) {
        return 0;
    }
    return config->idle_ms;
}

enum ferry_recovery_wish ferry_recovery_next(struct ferry_recovery *recovery, uint64_t now,
                                             uint64_t *deadline)
{
    /* What the command took counts as activity, too. */
    if (recovery->touched) {
        recovery->touched = false;
        recovery->quiet_since = now;
    }
    if (recovery->reset_at == 0 && ferry_os_group_reset_due(&recovery->os, NULL)) {
        recovery->reset_at = now + FERRY_RECOVERY_RESET_MS;
    }
    if (recovery->reset_at != 0) {
        *deadline = recovery->reset_at;
        return now >= recovery->reset_at ? FERRY_RECOVERY_RESET : FERRY_RECOVERY_STAY;
    }

    uint32_t limit = patience(recovery);

    *deadline = limit != 0 ? recovery->quiet_since + limit : FERRY_RECOVERY_NEVER;
    return now >= *deadline ? FERRY_RECOVERY_LEAVE : FERRY_RECOVERY_STAY;
}

uint8_t ferry_recovery_boot_mode(const struct ferry_recovery *recovery)
{
    struct ferry_os_reset reset = {0};

    return ferry_os_group_reset_due(&recovery->os, &reset) ? reset.boot_mode : 0;
}

bool ferry_recovery_is_used(const struct ferry_recovery *recovery)
{
    return recovery->stays;
}
