/* SPDX-License-Identifier: Apache-2.0 */
/* SMP group 1, image, of a small application: state, upload, erase. [smp.md §3.1] */
#include "core/server/image_small.h"

#include <string.h>

void ferry_image_small_init(struct ferry_image_small *group, const struct ferry_slots *slots,
                            void (*feed)(void *context), void *context)
{
    memset(group, 0, sizeof(*group));
    group->slots = slots;
    group->feed = feed;
    group->feed_context = context;
}

/* ---- What is there --------------------------------------------------------------------------- */

static bool is_image(const struct ferry_image_small *group, uint32_t slot,
                     struct ferry_image_info *info)
{
    uint32_t at;

    return ferry_slots_glance(group->slots, slot, info, &at) == FERRY_OK;
}

static enum ferry_swap_type next_type(const struct ferry_image_small *group)
{
    enum ferry_swap_type type;

    return ferry_slots_swap_type(group->slots, &type) == FERRY_OK ? type : FERRY_SWAP_NONE;
}

/* Whether the secondary has the image that is taken back to. */
static bool keeps_old(const struct ferry_image_small *group)
{
    struct ferry_image_info info;

    return next_type(group) == FERRY_SWAP_REVERT && is_image(group, 1, &info);
}

/* ---- State ----------------------------------------------------------------------------------- */

static int state_read(struct ferry_server_call *call)
{
    static const uint8_t of_primary[] = {
        [FERRY_SWAP_NONE] = FERRY_ENTRY_ACTIVE | FERRY_ENTRY_CONFIRMED,
        [FERRY_SWAP_TEST] = FERRY_ENTRY_ACTIVE | FERRY_ENTRY_CONFIRMED,
        [FERRY_SWAP_PERM] = FERRY_ENTRY_ACTIVE | FERRY_ENTRY_CONFIRMED,
        [FERRY_SWAP_REVERT] = FERRY_ENTRY_ACTIVE,
    };
    static const uint8_t of_secondary[] = {
        [FERRY_SWAP_NONE] = 0,
        [FERRY_SWAP_TEST] = FERRY_ENTRY_PENDING,
        [FERRY_SWAP_PERM] = FERRY_ENTRY_PENDING | FERRY_ENTRY_PERMANENT,
        [FERRY_SWAP_REVERT] = FERRY_ENTRY_CONFIRMED,
    };
    const struct ferry_image_small *group = call->context;
    enum ferry_swap_type type = next_type(group);
    struct ferry_image_info info;

    ferry_cbor_put_text(&call->out, "images");
    ferry_cbor_open_list(&call->out);
    for (uint32_t slot = 0; slot < 2; slot++) {
        uint32_t flags = slot == 0 ? of_primary[type] : of_secondary[type];

        if (is_image(group, slot, &info)) {
            if ((info.header.flags & FERRY_IMAGE_NON_BOOTABLE) == 0) {
                flags |= FERRY_ENTRY_BOOTABLE;
            }
            ferry_image_small_put(&call->out, slot, &info, flags, FERRY_ENTRY_ALL);
        }
    }
    ferry_cbor_close(&call->out);
    ferry_cbor_pair_uint(&call->out, "splitStatus", 0);
    return FERRY_RC_OK;
}

/* The slot with a hash; 2 = none. */
static uint32_t find(const struct ferry_image_small *group, struct ferry_bytes hash)
{
    struct ferry_image_info info;
    uint32_t slot = 0;

    while (slot < 2 && (!is_image(group, slot, &info) ||
                        memcmp(info.digest, hash.data, FERRY_SHA256_SIZE) != 0)) {
        slot++;
    }
    return slot;
}

/* The slot that a request means, or an error of the group below 0. */
static int find_target(const struct ferry_image_small *group, const struct ferry_cbor_field *hash,
                       bool confirm)
{
    size_t len = hash->present ? hash->item.bytes.len : 0;

    if (len == 0 && confirm) {
        return 0;
    }
    if (len != FERRY_SHA256_SIZE) {
        return -FERRY_IMAGE_ERR_INVALID_HASH;
    }
    uint32_t slot = find(group, hash->item.bytes);

    return slot < 2 ? (int)slot : -FERRY_IMAGE_ERR_HASH_NOT_FOUND;
}

static int error_of(int rc, uint16_t damaged)
{
    if (rc == FERRY_OK) {
        return 0;
    }
    return rc == FERRY_E_STATE ? damaged : FERRY_IMAGE_ERR_FLASH_WRITE;
}

/* The rules a … h. A running image is confirmed again where it is: then nothing is written, unless
 * the list was wrong about it. Returns 0 or an error of the group. */
static int set_state(const struct ferry_image_small *group, int slot, bool confirm)
{
    enum ferry_swap_type type = next_type(group);
    bool asked = type == FERRY_SWAP_TEST || type == FERRY_SWAP_PERM;

    if (slot == 0) {
        if (!confirm) {
            return FERRY_IMAGE_ERR_TEST_OF_ACTIVE_DENIED;
        }
        return asked ? FERRY_IMAGE_ERR_ALREADY_PENDING
                     : error_of(ferry_slots_confirm(group->slots), FERRY_IMAGE_ERR_INVALID_VECTOR);
    }
    if (confirm && !group->slots->strategy->reverts) {
        return FERRY_IMAGE_ERR_CONFIRM_DENIED;
    }
    if (type != FERRY_SWAP_NONE) {
        return confirm == (type != FERRY_SWAP_TEST) ? 0 : FERRY_IMAGE_ERR_ALREADY_PENDING;
    }
    return error_of(ferry_slots_set_pending(group->slots, confirm), FERRY_IMAGE_ERR_INVALID_MAGIC);
}

static int state_write(struct ferry_server_call *call)
{
    struct ferry_cbor_field fields[] = {{.key = "hash", .kind = FERRY_CBOR_BYTES},
                                        {.key = "confirm", .kind = FERRY_CBOR_BOOL}};
    const struct ferry_image_small *group = call->context;
    int rc = ferry_server_read(call, fields, 2);

    if (rc != FERRY_RC_OK) {
        return rc;
    }

    bool confirm = fields[1].present && fields[1].item.value != 0;
    int slot = find_target(group, &fields[0], confirm);
    int error = slot < 0 ? -slot : set_state(group, slot, confirm);

    return error != 0 ? ferry_server_fail(call, (uint16_t)error, NULL) : state_read(call);
}

/* ---- Upload and erase ------------------------------------------------------------------------ */

/* 11: "upgrade" wants a version above the one that runs. */
static int check_upgrade(const struct ferry_image_small *group, const uint8_t *header)
{
    struct ferry_image_header offered;
    struct ferry_image_info running;

    if (ferry_image_header_parse(header, &offered) != FERRY_OK) {
        return FERRY_IMAGE_ERR_INVALID_HEADER;
    }
    if (!is_image(group, 0, &running)) {
        return FERRY_IMAGE_ERR_VERSION_GET;
    }
    return ferry_version_compare(&offered.version, &running.header.version, false) <= 0
               ? FERRY_IMAGE_ERR_CURRENT_IS_NEWER
               : 0;
}

static int place(struct ferry_image_small *group, const uint8_t *newer, uint32_t *max)
{
    const struct ferry_slots *slots = group->slots;

    if (group->number != 0 || keeps_old(group)) {
        return FERRY_IMAGE_ERR_NO_FREE_SLOT;
    }
    group->slot = slots->secondary;
    /* ferry_slots_upload_offset(), in fewer bytes: a small strategy's sectors are all of one size.
     */
    group->at = slots->strategy->upload_sector * group->slot->runs[0].size;
    *max = ferry_slots_max_image(slots);
    return newer != NULL ? check_upgrade(group, newer) : 0;
}

static int accept(struct ferry_image_small *group)
{
    (void)group;
    return 0;
}

static int upload(struct ferry_server_call *call)
{
    static const struct ferry_image_small_rules rules = {
        .place = place, .accept = accept, .application = true};

    return ferry_image_small_upload(call, &rules);
}

static int erase(struct ferry_server_call *call)
{
    struct ferry_cbor_field field = {.key = "slot", .kind = FERRY_CBOR_UINT};
    struct ferry_image_small *group = call->context;
    int rc = ferry_server_read(call, &field, 1);

    if (rc != FERRY_RC_OK) {
        return rc;
    }
    if (field.present && field.item.value > 1) {
        return ferry_server_fail(call, FERRY_IMAGE_ERR_FLASH_OPEN, NULL);
    }
    if ((field.present && field.item.value == 0) || keeps_old(group)) {
        return ferry_server_fail(call, FERRY_IMAGE_ERR_NO_FREE_SLOT, NULL);
    }
    ferry_image_small_close(group);

    const struct ferry_flash *slot = group->slots->secondary;

    return ferry_image_small_erase(group, slot, slot->size, 0) == FERRY_OK
               ? FERRY_RC_OK
               : ferry_server_fail(call, FERRY_IMAGE_ERR_FLASH_ERASE, NULL);
}

static const struct ferry_command commands[] = {
    [FERRY_SMP_IMAGE_STATE] = {.read = state_read, .write = state_write},
    [FERRY_SMP_IMAGE_UPLOAD] = {.write = upload},
    [FERRY_SMP_IMAGE_ERASE] = {.write = erase},
};

const struct ferry_group ferry_image_small_table = {
    .id = FERRY_SMP_GROUP_IMAGE,
    .name = "img mgmt",
    .commands = commands,
    .command_count = sizeof(commands) / sizeof(commands[0]),
    .v1_rc = ferry_image_v1_rc,
    .v1_rc_count = FERRY_IMAGE_V1_RCS,
};
