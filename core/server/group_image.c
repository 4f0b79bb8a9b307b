/* SPDX-License-Identifier: Apache-2.0 */
/* SMP group 1, image: the table, erase, slot info and what its files share. [smp.md §3.1] */
#include "ferry/group_image.h"

#include "core/server/image_group.h"

#include <string.h>

/* Images one group serves at most; only a sanity limit. */
#define IMAGES_MAX 16

const struct ferry_image_options ferry_image_options_default = {
    .erase_pending = true,
    .confirm_secondary = true,
    .confirm_non_active_slot = true,
};

/* Images that are moved to slot 0 to run cannot run from slot 1. */
static int check_slots(const struct ferry_slots *slots)
{
    int rc = slots->state != NULL ? ferry_slots_check(slots) : FERRY_E_CONFIG;

    if (rc != FERRY_OK || slots->active == 0) {
        return rc;
    }
    return slots->active == 1 && slots->secondary != NULL && slots->strategy->in_place
               ? FERRY_OK
               : FERRY_E_CONFIG;
}

int ferry_image_group_init(struct ferry_image_group *group,
                           const struct ferry_image_group_config *config)
{
    if (config->images == NULL || config->image_count == 0 || config->image_count > IMAGES_MAX ||
        config->running_image >= config->image_count ||
        (config->resume != NULL && config->images[0].store == NULL)) {
        return FERRY_E_CONFIG;
    }
    for (uint32_t i = 0; i < config->image_count; i++) {
        int rc = check_slots(&config->images[i]);

        if (rc != FERRY_OK) {
            return rc;
        }
    }
    memset(group, 0, sizeof(*group));
    group->config = config;
    group->options = config->options != NULL ? config->options : &ferry_image_options_default;
    return FERRY_OK;
}

void ferry_image_group_drop_upload(struct ferry_image_group *group)
{
    ferry_image_close_upload(group);
}

/* ---- Shared by the group's files --------------------------------------------- */

void ferry_image_close_upload(struct ferry_image_group *group)
{
    const struct ferry_image_resume *resume = group->config->resume;

    group->open = false;
    if (resume != NULL) {
        resume->forget(group);
    }
}

void ferry_image_stop_upload(struct ferry_server_call *call)
{
    struct ferry_image_group *group = call->context;
    bool was_open = group->open;

    ferry_image_close_upload(group);
    if (was_open) {
        ferry_server_notify(call, FERRY_EVENT_UPLOAD_STOPPED, group->image, group->offset);
    }
}

uint32_t ferry_image_active(const struct ferry_image_group *group, uint32_t image)
{
    return group->config->images[image].active;
}

uint32_t ferry_image_target(const struct ferry_image_group *group, uint32_t image)
{
    if (group->config->images[image].secondary != NULL) {
        return 1 - ferry_image_active(group, image);
    }
    return group->options->upload_running ? 0 : FERRY_IMAGE_NOWHERE;
}

bool ferry_image_slot_inspect(const struct ferry_image_group *group, uint32_t image, uint32_t slot,
                              struct ferry_image_info *info)
{
    struct ferry_flash_slice view;

    return ferry_slots_view(&group->config->images[image], slot, &view, NULL) == FERRY_OK &&
           ferry_image_inspect(&view.flash, info) == FERRY_OK && info->digest_len > 0;
}

int ferry_image_next_boot(const struct ferry_image_group *group, uint32_t image,
                          struct ferry_image_next *next)
{
    struct ferry_slots_next boot;
    int rc = ferry_slots_next_boot(&group->config->images[image], &boot);

    if (rc != FERRY_OK) {
        return rc;
    }
    *next = (struct ferry_image_next){boot.slot, FERRY_NEXT_NORMAL};
    if (boot.type == FERRY_SWAP_TEST) {
        next->type = FERRY_NEXT_TEST;
    } else if (boot.type == FERRY_SWAP_REVERT) {
        next->type = FERRY_NEXT_REVERT;
    }
    return FERRY_OK;
}

bool ferry_image_slot_in_use(const struct ferry_image_group *group, uint32_t image, uint32_t slot,
                             const struct ferry_image_next *next)
{
    struct ferry_image_info info;

    if (next->slot != slot || (next->type != FERRY_NEXT_REVERT && group->options->erase_pending)) {
        return false;
    }
    return ferry_image_slot_inspect(group, image, slot, &info);
}

bool ferry_image_place_of(const struct ferry_image_group *group, uint64_t number,
                          struct ferry_image_place *place)
{
    const struct ferry_image_group_config *config = group->config;

    if (config->direct != NULL && config->direct->place(number, place)) {
        return place->image < config->image_count;
    }
    if (number >= config->image_count) {
        return false;
    }
    *place = (struct ferry_image_place){(uint8_t)number,
                                        (uint8_t)ferry_image_target(group, (uint32_t)number)};
    return true;
}

int ferry_image_check_free(const struct ferry_image_group *group,
                           const struct ferry_image_place *place, const char **reason)
{
    bool active = place->slot == ferry_image_active(group, place->image);
    struct ferry_image_next next;

    *reason = NULL;
    if (place->slot == FERRY_IMAGE_NOWHERE || (active && !group->options->upload_running)) {
        *reason = "the slot runs";
        return FERRY_IMAGE_ERR_NO_FREE_SLOT;
    }
    if (ferry_image_next_boot(group, place->image, &next) != FERRY_OK) {
        return FERRY_IMAGE_ERR_ACTIVE_SLOT_UNKNOWN;
    }
    if (ferry_slots_slot(&group->config->images[place->image], place->slot) == NULL ||
        (!active && ferry_image_slot_in_use(group, place->image, place->slot, &next))) {
        *reason = "no slot";
        return FERRY_IMAGE_ERR_NO_FREE_SLOT;
    }
    return 0;
}

/* Where an upload begins in a slot. */
static uint32_t upload_offset(const struct ferry_image_group *group,
                              const struct ferry_image_place *place)
{
    return place->slot == 1 ? ferry_slots_upload_offset(&group->config->images[place->image]) : 0;
}

int ferry_image_upload_view(const struct ferry_image_group *group,
                            const struct ferry_image_place *place, struct ferry_flash_slice *view)
{
    const struct ferry_flash *slot =
        ferry_slots_slot(&group->config->images[place->image], place->slot);
    uint32_t from = upload_offset(group, place);

    return ferry_flash_slice_init(view, slot, from, slot->size - from);
}

void ferry_image_feed(const struct ferry_image_group *group)
{
    if (group->config->feed != NULL) {
        group->config->feed(group->config->context);
    }
}

int ferry_image_erase_range(const struct ferry_image_group *group, const struct ferry_flash *flash,
                            uint32_t from, uint32_t end)
{
    while (from < end) {
        struct ferry_flash_sector sector;
        int rc = ferry_flash_sector_at(flash, from, &sector);

        if (rc == FERRY_OK) {
            rc = ferry_flash_erase_dirty(flash, sector.offset, sector.size);
        }
        if (rc != FERRY_OK) {
            return rc;
        }
        ferry_image_feed(group);
        from = sector.offset + sector.size;
    }
    return FERRY_OK;
}

static int erase_trailer(const struct ferry_image_group *group, const struct ferry_slots *slots,
                         const struct ferry_flash *slot)
{
    struct ferry_trailer_layout trailer;
    int rc = ferry_slots_trailer(slots, &trailer);

    if (rc != FERRY_OK) {
        return rc;
    }
    return ferry_image_erase_range(group, slot, slot->size - ferry_min32(trailer.size, slot->size),
                                   slot->size);
}

/* Whether bytes may be taken for the header of an image. What cannot be read may be one again. */
static bool may_be_header(const struct ferry_flash *slot, uint32_t at)
{
    uint8_t magic[4];

    return ferry_flash_read(slot, at, magic, sizeof(magic)) != FERRY_OK ||
           ferry_load_le32(magic) == FERRY_IMAGE_MAGIC;
}

/* Erase the header of an old image where [from, end), which is erased anyway, leaves it out.
 * Beside an upload it would be taken for one: MCUboot refuses a swap-offset upload for it. */
static int erase_old_header(const struct ferry_image_group *group, const struct ferry_slots *slots,
                            uint32_t from, uint32_t end)
{
    uint32_t old = ferry_slots_old_offset(slots);

    if ((old >= from && old < end) || !may_be_header(slots->secondary, old)) {
        return FERRY_OK;
    }
    return ferry_image_erase_range(group, slots->secondary, old, old + 1);
}

/* In a bootloader records beside the slot may vouch for what is in it. */
static int release(const struct ferry_image_group *group, const struct ferry_image_place *place)
{
    const struct ferry_image_bootloader *bootloader = group->config->bootloader;

    return bootloader != NULL ? bootloader->release(group->config->context, place) : FERRY_OK;
}

int ferry_image_prepare(const struct ferry_image_group *group,
                        const struct ferry_image_place *place, uint32_t len)
{
    const struct ferry_slots *slots = &group->config->images[place->image];
    const struct ferry_flash *slot = ferry_slots_slot(slots, place->slot);
    uint32_t from = upload_offset(group, place);
    int rc = release(group, place);

    if (rc == FERRY_OK) {
        rc = erase_trailer(group, slots, slot);
    }
    if (rc == FERRY_OK && place->slot == 1) {
        rc = erase_old_header(group, slots, from, from + len);
    }
    return rc == FERRY_OK ? ferry_image_erase_range(group, slot, from, from + len) : rc;
}

/* ---- Erase ------------------------------------------------------------------- */

/* Whether a slot may be erased. Returns 0 or an error of the group. */
static uint16_t check_erase(const struct ferry_image_group *group, uint32_t image, uint32_t slot)
{
    struct ferry_image_next next;

    if (group->config->bootloader != NULL) { /* no image runs, and who asks knows what he does */
        group->config->bootloader->settle(group->config->context);
        return slot == 0 && group->config->images[image].strategy->own_primary
                   ? FERRY_IMAGE_ERR_NO_FREE_SLOT
                   : 0;
    }
    if (slot == ferry_image_active(group, image)) { /* whatever its header says: it is what runs */
        return FERRY_IMAGE_ERR_NO_FREE_SLOT;
    }
    if (ferry_image_next_boot(group, image, &next) != FERRY_OK) {
        return FERRY_IMAGE_ERR_ACTIVE_SLOT_UNKNOWN;
    }
    if (ferry_image_slot_in_use(group, image, slot, &next)) {
        return FERRY_IMAGE_ERR_NO_FREE_SLOT;
    }
    return 0;
}

/* All of a slot, the trailer first as before an upload. */
static int erase_slot(const struct ferry_image_group *group, const struct ferry_image_place *place)
{
    const struct ferry_slots *slots = &group->config->images[place->image];
    const struct ferry_flash *flash = ferry_slots_slot(slots, place->slot);
    int rc = release(group, place);

    if (rc == FERRY_OK) {
        rc = erase_trailer(group, slots, flash);
    }
    return rc == FERRY_OK ? ferry_image_erase_range(group, flash, 0, flash->size) : rc;
}

int ferry_image_erase(struct ferry_server_call *call)
{
    struct ferry_image_group *group = call->context;
    struct ferry_cbor_field field = {.key = "slot", .kind = FERRY_CBOR_UINT};
    uint32_t running = group->config->running_image;
    uint64_t number = 2 * running + 1 - ferry_image_active(group, running);
    int rc = ferry_server_read(call, &field, 1);

    if (rc != FERRY_RC_OK) {
        return rc;
    }
    if (field.present) {
        number = field.item.value;
    }
    if (number >= 2U * group->config->image_count ||
        ferry_slots_slot(&group->config->images[number / 2], number % 2) == NULL) {
        return ferry_server_fail(call, FERRY_IMAGE_ERR_FLASH_OPEN, "no such slot");
    }

    const struct ferry_image_place place = {(uint8_t)(number / 2), (uint8_t)(number % 2)};
    uint16_t error = check_erase(group, place.image, place.slot);

    if (error != 0) {
        return ferry_server_fail(call, error, "slot in use");
    }
    ferry_image_stop_upload(call);
    if (erase_slot(group, &place) != FERRY_OK) {
        return ferry_server_fail(call, FERRY_IMAGE_ERR_FLASH_ERASE, "fa erase fail");
    }
    ferry_server_notify(call, FERRY_EVENT_SLOT_ERASED, place.image, place.slot);
    return FERRY_RC_OK;
}

/* ---- The group --------------------------------------------------------------- */

static const struct ferry_command commands[] = {
    [FERRY_SMP_IMAGE_STATE] = {.read = ferry_image_state_read, .write = ferry_image_state_write},
    [FERRY_SMP_IMAGE_UPLOAD] = {.write = ferry_image_upload},
    [FERRY_SMP_IMAGE_ERASE] = {.write = ferry_image_erase},
    [FERRY_SMP_IMAGE_SLOT_INFO] = {.read = ferry_image_slot_info},
};

/* [smp.md §1.7]; 0 = FERRY_RC_UNKNOWN */
const uint8_t ferry_image_v1_rc[FERRY_IMAGE_V1_RCS] = {
    [FERRY_IMAGE_ERR_NO_IMAGE] = FERRY_RC_NO_ENTRY,
    [FERRY_IMAGE_ERR_NO_TLVS] = FERRY_RC_NO_ENTRY,
    [FERRY_IMAGE_ERR_NO_FREE_SLOT] = FERRY_RC_BAD_STATE,
    [FERRY_IMAGE_ERR_INVALID_SLOT] = FERRY_RC_INVALID,
    [FERRY_IMAGE_ERR_NO_FREE_MEMORY] = FERRY_RC_NO_MEMORY,
    [FERRY_IMAGE_ERR_INVALID_PAGE_OFFSET] = FERRY_RC_INVALID,
    [FERRY_IMAGE_ERR_INVALID_OFFSET] = FERRY_RC_INVALID,
    [FERRY_IMAGE_ERR_INVALID_LENGTH] = FERRY_RC_INVALID,
    [FERRY_IMAGE_ERR_INVALID_HEADER] = FERRY_RC_INVALID,
    [FERRY_IMAGE_ERR_INVALID_HASH] = FERRY_RC_INVALID,
    [FERRY_IMAGE_ERR_INVALID_ADDRESS] = FERRY_RC_INVALID,
    [FERRY_IMAGE_ERR_CURRENT_IS_NEWER] = FERRY_RC_BAD_STATE,
    [FERRY_IMAGE_ERR_ALREADY_PENDING] = FERRY_RC_BAD_STATE,
};

const struct ferry_group ferry_image_group_table = {
    .id = FERRY_SMP_GROUP_IMAGE,
    .name = "img mgmt",
    .commands = commands,
    .command_count = sizeof(commands) / sizeof(commands[0]),
    .v1_rc = ferry_image_v1_rc,
    .v1_rc_count = FERRY_IMAGE_V1_RCS,
};
