/* SPDX-License-Identifier: Apache-2.0 */
/* Serial recovery for chips with little flash. [smp.md §4] */
#include "ferry/recovery_small.h"

#include "core/server/image_small.h"

#include <string.h>

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

/* The boot's policy, of an image that is to replace the one that runs. What a trial would demand
 * counts once it is confirmed. */
static int ask_policy(const struct ferry_recovery_small *recovery, const struct ferry_flash *image,
                      const struct ferry_image_info *info)
{
    const struct ferry_boot_image_report *report = &recovery->report->images[0];
    struct ferry_policy_counters counters;
    struct ferry_policy_case subject = {
        .image = image, .info = info, .address = image_of(recovery)->addresses[0], .asked = true};

    if (report->action != FERRY_BOOT_STOPPED) {
        subject.running = &report->info;
        if (report->next != FERRY_SWAP_REVERT) {
            subject.least = report->least;
        }
    }
    return ferry_policy_judge(&image_of(recovery)->slots, &subject, &counters);
}

/* Whether the image of a slot verifies; info says what it is. Verified once, and again after the
 * slot was changed. */
static bool is_good(struct ferry_recovery_small *recovery, uint32_t slot,
                    struct ferry_image_info *info)
{
    uint8_t bit = (uint8_t)(1U << slot);
    struct ferry_flash_slice view;

    if (ferry_slots_view(&image_of(recovery)->slots, slot, &view, NULL) != FERRY_OK) {
        return false;
    }
    if ((recovery->known & bit) != 0) {
        return (recovery->good & bit) != 0 && ferry_image_inspect(&view.flash, info) == FERRY_OK;
    }
    recovery->known |= bit;
    recovery->good &= (uint8_t)~bit;
    if (verify(recovery, &view.flash, info) == FERRY_OK) {
        recovery->good |= bit;
    }
    return (recovery->good & bit) != 0;
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
    struct ferry_recovery_small *recovery = call->context;
    const struct ferry_slots *slots = &image_of(recovery)->slots;
    struct ferry_image_info info;

    ferry_cbor_put_text(&call->out, "images");
    ferry_cbor_open_list(&call->out);
    for (uint32_t slot = 0; slot < slots->strategy->slot_count; slot++) {
        if (is_good(recovery, slot, &info)) {
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
        recovery->known = 0;
    }
}

/* The slot of an upload, which may not be there. An image on trial is the lesser one: the other
 * slot has the one that was confirmed. */
static uint32_t slot_of(const struct ferry_recovery_small *recovery, uint32_t number)
{
    const struct ferry_boot_image_report *report = &recovery->report->images[0];

    if (number != 0) {
        return number - 1;
    }
    return report->action == FERRY_BOOT_STOPPED || report->next == FERRY_SWAP_REVERT
               ? 0
               : image_of(recovery)->slots.strategy->slot_count - 1U;
}

/* Withdraw what was asked for before: it would be swapped with the image that is about to come. */
static int withdraw(const struct ferry_recovery_small *recovery)
{
    const struct ferry_slots *slots = &image_of(recovery)->slots;
    uint32_t start = 0;

    if (slots->secondary == NULL || asked_flags(slots) == 0) {
        return FERRY_OK;
    }
    int rc = ferry_slots_trailer_start(slots, slots->secondary, &start);

    return rc == FERRY_OK ? ferry_image_small_erase(&recovery->image, slots->secondary, start,
                                                    slots->secondary->size)
                          : rc;
}

static int place(struct ferry_image_small *image, const struct ferry_image_small_first *first,
                 struct ferry_image_small_target *target)
{
    struct ferry_recovery_small *recovery = (struct ferry_recovery_small *)image;
    const struct ferry_slots *slots = &image_of(recovery)->slots;

    settle(recovery);

    uint32_t slot = slot_of(recovery, first->number);

    if (slot >= slots->strategy->slot_count) {
        return FERRY_IMAGE_ERR_NO_FREE_SLOT;
    }
    target->slot = ferry_slots_slot(slots, slot);
    target->at = slot == 1 ? ferry_slots_upload_offset(slots) : 0;
    target->old = slot == 1 ? ferry_slots_old_offset(slots) : 0;
    target->max = ferry_slots_max_image(slots);
    recovery->changed = true;
    recovery->known &= (uint8_t) ~(1U << slot);
    if (ferry_slots_trailer_start(slots, target->slot, &target->trailer) != FERRY_OK ||
        (slot == 0 && withdraw(recovery) != FERRY_OK)) {
        return FERRY_IMAGE_ERR_FLASH_ERASE;
    }
    return 0;
}

/* Take an image away that may not run: without its header it is none. */
static int refuse(struct ferry_image_small *image, int error)
{
    ((struct ferry_recovery_small *)image)->good = 0;
    return ferry_image_small_erase(image, image->slot, image->at, image->at + 1) == FERRY_OK
               ? error
               : FERRY_IMAGE_ERR_FLASH_ERASE;
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

static int accept(struct ferry_image_small *image)
{
    struct ferry_recovery_small *recovery = (struct ferry_recovery_small *)image;
    const struct ferry_slots *slots = &image_of(recovery)->slots;
    uint32_t slot = image->slot == slots->secondary ? 1 : 0;
    struct ferry_image_info info;
    struct ferry_flash_slice view;

    /* TLVs behind the end of the file are not its own. */
    if (!is_good(recovery, slot, &info) || info.size > image->size) {
        return refuse(image, FERRY_IMAGE_ERR_INVALID_HASH);
    }
    if (ferry_slots_view(slots, slot, &view, NULL) != FERRY_OK ||
        ask_policy(recovery, &view.flash, &info) != FERRY_OK) {
        return refuse(image, FERRY_IMAGE_ERR_CURRENT_IS_NEWER);
    }
    return slot == 1 && image->number == 0 ? request(recovery) : 0;
}

static int upload(struct ferry_server_call *call)
{
    static const struct ferry_image_small_rules rules = {.place = place, .accept = accept};

    return ferry_image_small_upload(call, &rules);
}

static const struct ferry_command commands[] = {
    [FERRY_SMP_IMAGE_STATE] = {.read = list},
    [FERRY_SMP_IMAGE_UPLOAD] = {.write = upload},
};

static const struct ferry_group image_table = {
    .id = FERRY_SMP_GROUP_IMAGE,
    .name = "img mgmt",
    .commands = commands,
    .command_count = sizeof(commands) / sizeof(commands[0]),
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
    recovery->way = way;
    recovery->settled = way == FERRY_RECOVERY_NO_IMAGE;
    recovery->quiet_since = now;
    recovery->mounts[0] = (struct ferry_server_mount){&ferry_os_small_table, &recovery->os};
    recovery->mounts[1] = (struct ferry_server_mount){&image_table, recovery};
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
    const struct ferry_recovery_small_config *config = recovery->config;

    if (recovery->way == FERRY_RECOVERY_WINDOW && !recovery->stays) {
        return config->window_ms;
    }
    return recovery->settled && !recovery->changed &&
                   recovery->report->images[0].action == FERRY_BOOT_STOPPED
               ? 0
               : config->idle_ms;
}

enum ferry_recovery_wish ferry_recovery_small_next(struct ferry_recovery_small *recovery,
                                                   uint64_t now, uint64_t *deadline)
{
    /* What the command took counts as activity, too. */
    if (recovery->touched) {
        recovery->touched = false;
        recovery->quiet_since = now;
    }
    if (recovery->reset_at == 0 && recovery->os.reset_due) {
        recovery->reset_at = now + FERRY_RECOVERY_RESET_MS;
    }
    if (recovery->reset_at != 0) {
        *deadline = recovery->reset_at;
        return now >= *deadline ? FERRY_RECOVERY_RESET : FERRY_RECOVERY_STAY;
    }

    uint32_t limit = patience(recovery);

    *deadline = limit != 0 ? recovery->quiet_since + limit : FERRY_RECOVERY_NEVER;
    return now >= *deadline ? FERRY_RECOVERY_LEAVE : FERRY_RECOVERY_STAY;
}

uint8_t ferry_recovery_small_boot_mode(const struct ferry_recovery_small *recovery)
{
    return recovery->os.boot_mode;
}
