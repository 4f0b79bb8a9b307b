/* SPDX-License-Identifier: Apache-2.0 */
/* Image state: test and confirm by the rule table. [smp.md §3.1] */
#include "core/server/image_group.h"

/* ---- The rules --------------------------------------------------------------- */

/* Rows a and b: may this slot be confirmed at all? */
static bool confirm_is_denied(const struct ferry_image_wish *wish)
{
    const struct ferry_image_options *options = wish->options;

    if (!wish->running && !options->confirm_any && (!options->confirm_secondary || wish->active)) {
        return true;
    }
    return !wish->active && !wish->confirm_non_active_slot;
}

int ferry_image_rule(const struct ferry_image_wish *wish)
{
    if (wish->confirm && confirm_is_denied(wish)) { /* a, b */
        return FERRY_IMAGE_ERR_CONFIRM_DENIED;
    }
    if (!wish->confirm && wish->active) { /* c */
        return FERRY_IMAGE_ERR_TEST_OF_ACTIVE_DENIED;
    }
    if (wish->type == FERRY_NEXT_TEST) { /* d */
        return !wish->confirm && wish->next ? 0 : FERRY_IMAGE_ERR_ALREADY_PENDING;
    }
    if (wish->confirm && wish->next) { /* e, and the first part of g */
        return 0;
    }
    if (wish->type == FERRY_NEXT_NORMAL && (wish->active || wish->next)) {
        return FERRY_IMAGE_ERR_ALREADY_PENDING; /* f: the other slot is installed for good */
    }
    if (wish->type == FERRY_NEXT_REVERT && !wish->confirm) {
        return FERRY_IMAGE_ERR_ALREADY_PENDING; /* g: a trial run may only be confirmed */
    }
    return FERRY_IMAGE_RULE_WRITE; /* h */
}

/* ---- State write ------------------------------------------------------------- */

static bool is_digest_size(size_t len)
{
    return len == FERRY_SHA256_SIZE || len == FERRY_SHA384_SIZE || len == FERRY_SHA512_SIZE;
}

/* The slot a request means. Returns 0 or an error of the group. */
static uint16_t find_target(const struct ferry_image_group *group,
                            const struct ferry_cbor_field *hash, bool confirm,
                            struct ferry_image_place *target)
{
    if (!hash->present || hash->item.bytes.len == 0) {
        uint8_t image = group->config->running_image;

        *target = (struct ferry_image_place){image, (uint8_t)ferry_image_active(group, image)};
        return confirm ? 0 : FERRY_IMAGE_ERR_INVALID_HASH;
    }
    if (!is_digest_size(hash->item.bytes.len)) {
        return FERRY_IMAGE_ERR_INVALID_HASH;
    }
    return ferry_image_find_by_hash(group, &hash->item.bytes, target)
               ? 0
               : FERRY_IMAGE_ERR_HASH_NOT_FOUND;
}

/* What a failure to write the state is to the client. Returns an rc. */
static int write_failed(struct ferry_server_call *call, int rc, bool active)
{
    if (rc == FERRY_E_UNSUPPORTED) {
        return FERRY_RC_NOT_SUPPORTED;
    }
    if (rc != FERRY_E_STATE) {
        return ferry_server_fail(call, FERRY_IMAGE_ERR_FLASH_WRITE, "the trailer was not written");
    }
    return active ? ferry_server_fail(call, FERRY_IMAGE_ERR_INVALID_VECTOR, "trailer damaged")
                  : ferry_server_fail(call, FERRY_IMAGE_ERR_INVALID_MAGIC,
                                      "trailer damaged: erase the slot");
}

/* A set is confirmed as one, whichever of its images is named. */
static int confirm_running(const struct ferry_image_group *group, const struct ferry_slots *slots)
{
    const struct ferry_image_group_config *config = group->config;

    return config->set != NULL ? config->set->confirm(config->images, config->image_count)
                               : ferry_slots_confirm(slots);
}

/* Row h: write the trailer. Returns an rc. */
static int write_state(struct ferry_server_call *call, const struct ferry_image_place *target,
                       bool confirm)
{
    const struct ferry_image_group *group = call->context;
    const struct ferry_slots *slots = &group->config->images[target->image];
    bool active = target->slot == slots->active;
    int rc = active ? confirm_running(group, slots) : ferry_slots_set_pending(slots, confirm);

    if (rc != FERRY_OK) {
        return write_failed(call, rc, active);
    }
    ferry_server_notify(call, active ? FERRY_EVENT_IMAGE_CONFIRMED : FERRY_EVENT_IMAGE_PENDING,
                        target->image, !active && confirm);
    return FERRY_RC_OK;
}

/* Apply the rules to a slot. Returns an rc. */
static int set_state(struct ferry_server_call *call, const struct ferry_image_place *target,
                     bool confirm)
{
    const struct ferry_image_group *group = call->context;
    const struct ferry_slots *slots = &group->config->images[target->image];
    struct ferry_image_next next;

    /* Another image of the set may be the one on trial. */
    if (confirm && group->config->set != NULL && target->slot == slots->active) {
        return write_state(call, target, true);
    }
    if (ferry_image_next_boot(group, target->image, &next) != FERRY_OK) {
        return ferry_server_fail(call, FERRY_IMAGE_ERR_FLASH_READ, NULL);
    }

    const struct ferry_image_wish wish = {
        .confirm = confirm,
        .running = group->config->set != NULL || target->image == group->config->running_image,
        .active = target->slot == slots->active,
        .type = next.type,
        .next = next.slot == target->slot,
        .confirm_non_active_slot =
            group->options->confirm_non_active_slot && slots->strategy->reverts,
        .options = group->options,
    };
    int verdict = ferry_image_rule(&wish);

    if (verdict == FERRY_IMAGE_RULE_WRITE) {
        return write_state(call, target, confirm);
    }
    return verdict == 0 ? FERRY_RC_OK : ferry_server_fail(call, (uint16_t)verdict, NULL);
}

/* Bootloaders that take the slot with the highest version have no state to write. */
static bool state_is_fixed(const struct ferry_image_group *group, uint32_t image)
{
    const struct ferry_strategy_traits *strategy = group->config->images[image].strategy;

    return strategy->in_place && !strategy->reverts;
}

/* It is done: answer with the list, or without it where the buffer does not take one. An error
 * would say that nothing was done. */
static int answer_list(struct ferry_server_call *call)
{
    const struct ferry_cbor_writer before = call->out;

    if (!ferry_image_put_list(call)) {
        call->out = before;
    }
    return FERRY_RC_OK;
}

int ferry_image_state_write(struct ferry_server_call *call)
{
    const struct ferry_image_group *group = call->context;
    struct ferry_cbor_field fields[] = {{.key = "hash", .kind = FERRY_CBOR_BYTES},
                                        {.key = "confirm", .kind = FERRY_CBOR_BOOL}};
    const struct ferry_image_bootloader *bootloader = group->config->bootloader;
    struct ferry_image_place target = {.image = group->config->running_image};

    if (state_is_fixed(group, target.image)) {
        return FERRY_RC_NOT_SUPPORTED;
    }

    int rc = ferry_server_read(call, fields, 2);

    if (rc != FERRY_RC_OK) {
        return rc;
    }

    if (bootloader != NULL) { /* it may move images: the hash is looked for afterwards */
        bootloader->settle(group->config->context);
    }

    bool confirm = fields[1].present && fields[1].item.value != 0;
    uint16_t error = find_target(group, &fields[0], confirm, &target);

    if (error != 0) {
        return ferry_server_fail(call, error, NULL);
    }
    if (state_is_fixed(group, target.image)) {
        return FERRY_RC_NOT_SUPPORTED;
    }
    rc = bootloader != NULL ? bootloader->set_state(group->config->context, call, &target, confirm)
                            : set_state(call, &target, confirm);
    return rc == FERRY_RC_OK && !call->failed ? answer_list(call) : rc;
}
