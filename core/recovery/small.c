/* SPDX-License-Identifier: Apache-2.0 */
/* Serial recovery for chips with little flash. [smp.md §4] */
#include "ferry/recovery_small.h"

#include "core/server/image_small.h"
#include "core/server/os_small.h"

#include <string.h>

/* Whether a slot verifies. */
enum { UNKNOWN, YES, NO };

static struct ferry_recovery_small *recovery_of(struct ferry_image_small *image)
{
    return (struct ferry_recovery_small *)(void *)((uint8_t *)image -
                                                   offsetof(struct ferry_recovery_small, image));
}

static const struct ferry_boot_image *image_of(const struct ferry_recovery_small *recovery)
{
    return &recovery->config->boot->images[0];
}

/* ---- What may run ---------------------------------------------------------------------------- */

/* The boot's own verification. What is said here is judged again by the boot that follows. */
static int verify(const struct ferry_recovery_small *recovery, const struct ferry_flash *image,
                  struct ferry_image_info *info)
{
    const struct ferry_boot_config *boot = recovery->config->boot;
    struct ferry_verdict verdict;

    return ferry_image_verify(image, &boot->trust, boot->buf, boot->buf_size, recovery->image.feed,
                              recovery->image.feed_context, info, &verdict);
}

/* The boot's policy, of an image that is to replace the one that runs. */
static int ask_policy(const struct ferry_recovery_small *recovery, const struct ferry_flash *image,
                      const struct ferry_image_info *info)
{
    const struct ferry_boot_admission *admission = recovery->config->boot->admission;

    return admission == NULL
               ? FERRY_OK
               : admission->judge(&image_of(recovery)->slots, &recovery->report->images[0], image,
                                  info, image_of(recovery)->addresses[0]);
}

/* Whether the image of a slot verifies. view and info say where and what it is. Verified once, and
 * again after the slot was changed. */
static bool is_good(struct ferry_recovery_small *recovery, uint32_t slot,
                    struct ferry_flash_slice *view, struct ferry_image_info *info)
{
    uint8_t *good = &recovery->good[slot];

    if (ferry_slots_view(&image_of(recovery)->slots, slot, view, NULL) != FERRY_OK) {
        return false;
    }
    if (*good == UNKNOWN) {
        *good = verify(recovery, &view->flash, info) == FERRY_OK ? YES : NO;
        return *good == YES;
    }
    return *good == YES && ferry_image_inspect(&view->flash, info) == FERRY_OK;
}

/* ---- The list -------------------------------------------------------------------------------- */

/* What is asked for in the secondary, as flags of the list. */
static uint32_t asked_flags(const struct ferry_slots *slots)
{
    struct ferry_trailer trailer;

    if (ferry_trailer_read(slots->secondary, slots->max_align, &trailer) != FERRY_OK ||
        trailer.magic != FERRY_SET) {
        return 0;
    }
    return trailer.image_ok == FERRY_SET ? FERRY_ENTRY_PENDING | FERRY_ENTRY_PERMANENT
                                         : FERRY_ENTRY_PENDING;
}

/* Only images that verify are in it, as MCUboot has it, and of the flags those that are true. */
static int list(struct ferry_server_call *call)
{
    struct ferry_recovery_small *recovery = recovery_of(call->context);
    const struct ferry_slots *slots = &image_of(recovery)->slots;
    struct ferry_flash_slice view;
    struct ferry_image_info info;

    ferry_cbor_put_text(&call->out, "images");
    ferry_cbor_open_list(&call->out);
    for (uint32_t slot = 0; slot < slots->strategy->slot_count; slot++) {
        if (is_good(recovery, slot, &view, &info)) {
            uint32_t flags = FERRY_ENTRY_BOOTABLE | (slot == 1 ? asked_flags(slots) : 0U);

            ferry_image_small_put(&call->out, slot, &info, flags, flags);
        }
    }
    ferry_cbor_close(&call->out);
    return FERRY_RC_OK;
}

/* ---- Upload ---------------------------------------------------------------------------------- */

/* Finish what was interrupted, know what would run. */
static void settle(struct ferry_recovery_small *recovery)
{
    if (!recovery->settled) {
        recovery->settled =
            ferry_boot_run(recovery->config->boot, recovery->report) != FERRY_E_POWER;
        recovery->good[0] = UNKNOWN;
        recovery->good[1] = UNKNOWN;
    }
}

/* The slot of an upload, which may not be there. An image on trial is the lesser one: the other
 * slot has the one that was confirmed. */
static uint32_t slot_of(const struct ferry_recovery_small *recovery, uint32_t number)
{
    const struct ferry_boot_image_report *report = &recovery->report->images[0];
    bool keeps = report->action == FERRY_BOOT_STOPPED ? recovery->good[0] == YES
                                                      : report->next != FERRY_SWAP_REVERT;

    if (number != 0) {
        return number - 1;
    }
    return keeps ? image_of(recovery)->slots.strategy->slot_count - 1U : 0;
}

static int place(struct ferry_image_small *image, const uint8_t *newer, uint32_t *max)
{
    struct ferry_recovery_small *recovery = recovery_of(image);
    const struct ferry_slots *slots = &image_of(recovery)->slots;

    (void)newer; /* the policy knows what may run */
    settle(recovery);

    uint32_t slot = slot_of(recovery, image->number);

    if (slot >= slots->strategy->slot_count) {
        return FERRY_IMAGE_ERR_NO_FREE_SLOT;
    }
    image->slot = ferry_slots_slot(slots, slot);
    image->at = slot == 1 ? ferry_slots_upload_offset(slots) : 0;
    *max = ferry_slots_max_image(slots);
    recovery->waits = false;
    recovery->good[slot] = UNKNOWN;
    return 0;
}

/* Ask for the image in the secondary for good: image_ok before the magic, so that a cut between
 * them leaves no request. */
static int request(struct ferry_recovery_small *recovery)
{
    const struct ferry_slots *slots = &image_of(recovery)->slots;
    int rc = ferry_trailer_write_image_ok(slots->secondary, slots->max_align);

    if (rc == FERRY_OK) {
        rc = ferry_trailer_write_magic(slots->secondary, slots->max_align);
    }
    return rc == FERRY_OK ? 0 : FERRY_IMAGE_ERR_FLASH_WRITE;
}

/* Judge what is in a slot, as a boot would. Returns 0 or an error of the group. */
static int judge(struct ferry_recovery_small *recovery, uint32_t slot)
{
    struct ferry_image_info info;
    struct ferry_flash_slice view;

    /* TLVs behind the end of the file are not its own. */
    if (!is_good(recovery, slot, &view, &info) || info.size > recovery->image.size) {
        return FERRY_IMAGE_ERR_INVALID_HASH;
    }
    return ask_policy(recovery, &view.flash, &info) == FERRY_OK ? 0
                                                                : FERRY_IMAGE_ERR_CURRENT_IS_NEWER;
}

/* What may not run is taken away: without its header it is no image. */
static int accept(struct ferry_image_small *image)
{
    struct ferry_recovery_small *recovery = recovery_of(image);
    uint32_t slot = image->slot == image_of(recovery)->slots.secondary ? 1 : 0;
    int error = judge(recovery, slot);

    if (error != 0) {
        recovery->good[slot] = NO;
        return ferry_image_small_erase(image, image->slot, image->at + 1, image->at) == FERRY_OK
                   ? error
                   : FERRY_IMAGE_ERR_FLASH_ERASE;
    }
    return slot == 1 && image->number == 0 ? request(recovery) : 0;
}

static int upload(struct ferry_server_call *call)
{
    static const struct ferry_image_small_rules rules = {.place = place, .accept = accept};

    return ferry_image_small_upload(call, &rules);
}

static const struct ferry_command os_commands[] = {
    [FERRY_SMP_OS_ECHO] = {.read = ferry_os_small_echo, .write = ferry_os_small_echo},
    [FERRY_SMP_OS_RESET] = {.write = ferry_os_small_reset},
    [FERRY_SMP_OS_PARAMS] = {.read = ferry_os_handle_params},
};

static const struct ferry_group os_table = {
    .id = FERRY_SMP_GROUP_OS,
    .name = "", /* nobody lists groups in here */
    .commands = os_commands,
    .command_count = sizeof(os_commands) / sizeof(os_commands[0]),
};

static const struct ferry_command image_commands[] = {
    [FERRY_SMP_IMAGE_STATE] = {.read = list},
    [FERRY_SMP_IMAGE_UPLOAD] = {.write = upload},
};

static const struct ferry_group image_table = {
    .id = FERRY_SMP_GROUP_IMAGE,
    .name = "",
    .commands = image_commands,
    .command_count = sizeof(image_commands) / sizeof(image_commands[0]),
    .v1_rc = ferry_image_v1_rc,
    .v1_rc_count = FERRY_IMAGE_V1_RCS,
};

/* ---- Packets and time ------------------------------------------------------------------------ */

void ferry_recovery_small_init(struct ferry_recovery_small *recovery,
                               const struct ferry_recovery_small_config *config,
                               enum ferry_recovery_way way, struct ferry_boot_report *report,
                               uint64_t now)
{
    const struct ferry_boot_hooks *hooks = config->boot->hooks;

    memset(recovery, 0, sizeof(*recovery));
    if (hooks != NULL) {
        recovery->image.feed = hooks->feed;
        recovery->image.feed_context = hooks->context;
    }
    recovery->config = config;
    recovery->report = report;
    recovery->way = (uint8_t)way;
    recovery->settled = way == FERRY_RECOVERY_NO_IMAGE;
    recovery->waits = recovery->settled;
    recovery->quiet_since = (uint32_t)now;
    recovery->mounts[0] = (struct ferry_server_mount){&os_table, &recovery->os};
    recovery->mounts[1] = (struct ferry_server_mount){&image_table, &recovery->image};
    recovery->server_config.groups = recovery->mounts;
    recovery->server_config.group_count = 2;
    recovery->server_config.buf_size = config->buf_size;
    recovery->server_config.buf_count = config->buf_count;
    recovery->server.config = &recovery->server_config;
}

/* Whatever is answered was meant for a server: it keeps recovery here. */
size_t ferry_recovery_small_handle(struct ferry_recovery_small *recovery,
                                   struct ferry_bytes *pending, uint8_t *out, size_t cap)
{
    size_t len = ferry_server_handle(&recovery->server, pending, 0, out, cap);

    if (len > 0) {
        recovery->touched = true;
        recovery->stays = true;
    }
    return len;
}

/* How long it may be quiet; 0 = for ever. */
static uint32_t patience(const struct ferry_recovery_small *recovery)
{
    if (recovery->way == FERRY_RECOVERY_WINDOW && !recovery->stays) {
        return recovery->config->window_ms;
    }
    return recovery->waits ? 0 : recovery->config->idle_ms;
}

enum ferry_recovery_wish ferry_recovery_small_next(struct ferry_recovery_small *recovery,
                                                   uint64_t now, uint64_t *deadline)
{
    /* What the command took counts as activity, too. */
    if (recovery->touched) {
        recovery->quiet_since = (uint32_t)now;
    }
    recovery->touched = false;
    if (recovery->os.reset_due) {
        *deadline = now;
        return FERRY_RECOVERY_RESET;
    }

    uint32_t limit = patience(recovery);
    uint32_t quiet = (uint32_t)now - recovery->quiet_since;

    *deadline = limit != 0 ? now + limit - quiet : FERRY_RECOVERY_NEVER;
    return limit == 0 || quiet < limit ? FERRY_RECOVERY_STAY : FERRY_RECOVERY_LEAVE;
}

uint8_t ferry_recovery_small_boot_mode(const struct ferry_recovery_small *recovery)
{
    return recovery->os.boot_mode;
}
