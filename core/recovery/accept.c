/* SPDX-License-Identifier: Apache-2.0 */
/* What may run: the boot's own verification and policy, asked as soon as an upload is complete; and
 * what starts next. Whatever is said here, the boot that follows verifies again. */
#include "core/recovery/recovery.h"

#include <string.h>

/* ---- Judging --------------------------------------------------------------------------------- */

bool ferry_recovery_is_encrypted(const struct ferry_image_header *header)
{
    return (header->flags & (FERRY_IMAGE_ENCRYPTED_AES128 | FERRY_IMAGE_ENCRYPTED_AES256)) != 0;
}

int ferry_recovery_verify(const struct ferry_recovery *recovery, const struct ferry_flash *image,
                          struct ferry_image_info *info)
{
    const struct ferry_boot_config *boot = recovery->config->boot;
    struct ferry_verdict verdict = {0, 0};
    int rc = ferry_image_verify(image, &boot->trust, boot->buf, boot->buf_size,
                                recovery->image_config.feed, recovery->image_config.context, info,
                                &verdict);

    if (rc != FERRY_OK) {
        return rc;
    }
    return ferry_verdict_is_valid(&verdict) ? FERRY_OK : FERRY_E_SIGNATURE;
}

/* The primary of a strategy that moves images has them in the clear, whatever their header says. */
static int verify_slot(const struct ferry_recovery *recovery, const struct ferry_image_place *place,
                       const struct ferry_flash *image, struct ferry_image_info *info)
{
    bool clear = place->slot == 0 && !recovery->slots[place->image].strategy->in_place;
    struct ferry_image_header header;
    int rc = ferry_image_read_header(image, &header);

    if (rc != FERRY_OK || clear || !ferry_recovery_is_encrypted(&header)) {
        return rc != FERRY_OK ? rc : ferry_recovery_verify(recovery, image, info);
    }
    return recovery->config->encryption != NULL
               ? recovery->config->encryption->verify(recovery, image, &header, info)
               : FERRY_E_UNSUPPORTED;
}

/* The boot's policy. asked: the image is to be installed, in place of the one that runs. */
static int ask_policy(const struct ferry_recovery *recovery, const struct ferry_image_place *place,
                      const struct ferry_flash *image, const struct ferry_image_info *info,
                      bool asked)
{
    const struct ferry_slots *slots = &recovery->slots[place->image];
    const struct ferry_boot_admission *admission = recovery->config->boot->admission;
    uint32_t where = slots->strategy->in_place ? place->slot : 0U;

    return admission == NULL
               ? FERRY_OK
               : admission->judge(slots, asked ? &recovery->report.images[place->image] : NULL,
                                  image, info, recovery->addresses[2U * place->image + where]);
}

static int judge(const struct ferry_recovery *recovery, const struct ferry_image_place *place,
                 bool asked, struct ferry_image_info *info)
{
    const struct ferry_slots *slots = &recovery->slots[place->image];
    struct ferry_flash_slice view;
    int rc = ferry_slots_view(slots, place->slot, &view, NULL);

    memset(info, 0, sizeof(*info));
    if (rc == FERRY_OK) {
        rc = verify_slot(recovery, place, &view.flash, info);
    }
    if (rc == FERRY_OK && info->size > ferry_slots_max_image(slots)) {
        rc = FERRY_E_TOO_LARGE;
    }
    return rc == FERRY_OK ? ask_policy(recovery, place, &view.flash, info, asked) : rc;
}

int ferry_recovery_judge(struct ferry_recovery *recovery, const struct ferry_image_place *place)
{
    bool *known = &recovery->known[place->image][place->slot];
    int *why = &recovery->why[place->image][place->slot];

    if (!*known) {
        struct ferry_image_info info;

        *why = judge(recovery, place, false, &info);
        *known = *why != FERRY_E_POWER;
    }
    return *why;
}

void ferry_recovery_forget(struct ferry_recovery *recovery, uint32_t image)
{
    recovery->known[image][0] = false;
    recovery->known[image][1] = false;
    recovery->changed = true;
}

/* ---- Saying no --------------------------------------------------------------------------------
 */

/* Which of the group's errors says best why an image may not run. */
static uint16_t error_of(int why)
{
    switch (why) {
    case FERRY_E_MAGIC:
        return FERRY_IMAGE_ERR_INVALID_MAGIC;
    case FERRY_E_IMAGE_SIZE:
    case FERRY_E_COMPRESSED:
        return FERRY_IMAGE_ERR_INVALID_HEADER;
    case FERRY_E_TLV:
    case FERRY_E_TLV_AREA:
    case FERRY_E_TLV_UNKNOWN:
        return FERRY_IMAGE_ERR_INVALID_TLV;
    case FERRY_E_DIGEST:
    case FERRY_E_NO_SIGNATURE:
    case FERRY_E_NO_KEY:
    case FERRY_E_SIGNATURE:
    case FERRY_E_REVOKED:
    case FERRY_E_DEVELOPMENT_KEY:
        return FERRY_IMAGE_ERR_INVALID_HASH;
    case FERRY_E_DOWNGRADE:
    case FERRY_E_COUNTER:
        return FERRY_IMAGE_ERR_CURRENT_IS_NEWER;
    case FERRY_E_ADDRESS:
        return FERRY_IMAGE_ERR_INVALID_ADDRESS;
    case FERRY_E_TOO_LARGE:
        return FERRY_IMAGE_ERR_TOO_LARGE;
    case FERRY_E_FLASH:
        return FERRY_IMAGE_ERR_FLASH_READ;
    default:
        return FERRY_IMAGE_ERR_UNKNOWN;
    }
}

/* Refuse an image, and keep the reason where clients ask for it. */
static int refuse(const struct ferry_recovery *recovery, struct ferry_server_call *call,
                  const struct ferry_image_place *place, int why,
                  const struct ferry_version *version)
{
    const struct ferry_boot_memory *memory = recovery->config->boot->memory;
    const struct ferry_slots *slots = &recovery->slots[place->image];
    const struct ferry_why report = {
        .action = FERRY_BOOT_REFUSED, .reason = why, .version = *version};

    if (memory != NULL && slots->store != NULL) {
        (void)memory->why(slots->store, slots->number, &report);
    }
    return ferry_server_fail(call, error_of(why), ferry_server_text(call, why));
}

/* ---- The first chunk ------------------------------------------------------------------------- */

/* Whether the policy would refuse a version at the end. */
static bool is_downgrade(const struct ferry_recovery *recovery, uint32_t image,
                         const struct ferry_version *version)
{
    const struct ferry_boot_image_report *report = &recovery->report.images[image];
    const struct ferry_image_policy *policy = recovery->slots[image].policy;

    return recovery->config->no_downgrade && policy != NULL &&
           ferry_recovery_runs(recovery, image) &&
           ferry_version_compare(version, &report->info.header.version, policy->with_build) < 0;
}

/* Before anything is erased: what the header tells. It may lie; then the signature fails. */
int ferry_recovery_begin(void *context, struct ferry_server_call *call,
                         const struct ferry_image_chunk *chunk)
{
    const struct ferry_recovery *recovery = context;
    const struct ferry_image_place place = {(uint8_t)chunk->image, 0};
    struct ferry_image_header header;
    int why = FERRY_OK;

    if (chunk->offset != 0 || ferry_image_header_parse(chunk->data.data, &header) != FERRY_OK) {
        return FERRY_RC_OK;
    }
    if ((header.flags & FERRY_IMAGE_COMPRESSED) != 0) {
        why = FERRY_E_COMPRESSED;
    } else if (is_downgrade(recovery, chunk->image, &header.version)) {
        why = FERRY_E_DOWNGRADE;
    }
    return why == FERRY_OK ? FERRY_RC_OK : refuse(recovery, call, &place, why, &header.version);
}

/* ---- What starts next ---------------------------------------------------------------------------
 */

/* The slots as if the other one ran: then a request is for this one. */
static struct ferry_slots aimed_at(const struct ferry_recovery *recovery,
                                   const struct ferry_image_place *place)
{
    struct ferry_slots slots = recovery->slots[place->image];

    slots.active = slots.strategy->in_place ? (uint8_t)(1 - place->slot) : 0;
    return slots;
}

/* Whether an upload starts by itself at the next boot: not where its slot was named and is not the
 * primary. In a primary of a strategy that moves images being there is all it takes. */
static bool asks_by_itself(const struct ferry_recovery *recovery,
                           const struct ferry_image_place *place)
{
    const struct ferry_strategy_traits *strategy = recovery->slots[place->image].strategy;

    if (strategy->in_place) {
        return strategy->reverts && (place->slot == 0 || !recovery->by_number);
    }
    return place->slot == 1 && !recovery->by_number;
}

/* What is refused here and would be let run by the boot, which does not know what it replaces:
 * without its header it is no image. Returns FERRY_OK or a flash error. */
static int discard(struct ferry_recovery *recovery, const struct ferry_image_place *place)
{
    const struct ferry_slots *slots = &recovery->slots[place->image];
    const struct ferry_flash *slot = ferry_slots_slot(slots, place->slot);
    struct ferry_flash_sector sector;
    struct ferry_flash_slice view;
    uint32_t offset = 0;
    int rc = ferry_slots_view(slots, place->slot, &view, &offset);

    if (rc != FERRY_OK || ferry_recovery_judge(recovery, place) != FERRY_OK) {
        return rc;
    }
    ferry_recovery_forget(recovery, place->image);
    rc = ferry_flash_sector_at(slot, offset, &sector);
    return rc == FERRY_OK ? ferry_flash_erase(slot, sector.offset, sector.size) : rc;
}

int ferry_recovery_accept(void *context, struct ferry_server_call *call,
                          const struct ferry_image_place *place)
{
    struct ferry_recovery *recovery = context;
    const struct ferry_slots slots = aimed_at(recovery, place);
    struct ferry_image_info info;
    int why = judge(recovery, place, true, &info);

    ferry_recovery_forget(recovery, place->image);
    if (why != FERRY_OK) {
        int rc = discard(recovery, place);

        return refuse(recovery, call, place, rc == FERRY_OK ? why : rc, &info.header.version);
    }
    if (asks_by_itself(recovery, place) && ferry_slots_set_pending(&slots, true) != FERRY_OK) {
        return ferry_server_fail(call, FERRY_IMAGE_ERR_FLASH_WRITE,
                                 "the request was not written: upload again");
    }
    return FERRY_RC_OK;
}

/* ---- State write
 * --------------------------------------------------------------------------------- */

/* Make the image of a slot the next one. Returns FERRY_OK or an error of ferry_slots_…(). */
static int make_next(const struct ferry_recovery *recovery, const struct ferry_image_place *place,
                     const struct ferry_slots_next *next, bool confirm)
{
    struct ferry_slots slots = aimed_at(recovery, place);
    bool on_trial = next->type == FERRY_SWAP_REVERT;

    if (on_trial && place->slot == recovery->slots[place->image].active) {
        slots.active = place->slot;
        return confirm ? ferry_slots_confirm(&slots) : FERRY_OK;
    }
    if (next->slot == place->slot) { /* it is already */
        return FERRY_OK;
    }
    if (!slots.strategy->in_place && place->slot == 0) {
        return ferry_slots_cancel(&slots);
    }
    return ferry_slots_set_pending(&slots, confirm);
}

int ferry_recovery_set_state(void *context, struct ferry_server_call *call,
                             const struct ferry_image_place *place, bool confirm)
{
    struct ferry_recovery *recovery = context;
    const struct ferry_slots *slots = &recovery->slots[place->image];
    struct ferry_slots_next next;
    int why = ferry_recovery_judge(recovery, place);

    if (why != FERRY_OK) {
        return ferry_server_fail(call, error_of(why), ferry_server_text(call, why));
    }
    if (ferry_slots_next_boot(slots, &next) != FERRY_OK) {
        return ferry_server_fail(call, FERRY_IMAGE_ERR_FLASH_READ, NULL);
    }
    recovery->changed = true;

    int rc = make_next(recovery, place, &next, confirm);

    if (rc == FERRY_E_STATE) {
        return ferry_server_fail(call, FERRY_IMAGE_ERR_INVALID_MAGIC,
                                 "trailer damaged: erase the slot");
    }
    return rc == FERRY_OK ? FERRY_RC_OK
                          : ferry_server_fail(call, FERRY_IMAGE_ERR_FLASH_WRITE,
                                              "the trailer was not written");
}
