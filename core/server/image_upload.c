/* SPDX-License-Identifier: Apache-2.0 */
/* Image upload: resume, and the writing of unaligned chunks. The numbers are those of the table in
 * smp.md §3.1; the checks before are image_request.c's. */
#include "core/server/image_group.h"

#include <string.h>

/* ---- Writing ----------------------------------------------------------------- */

/* Hold back what is too short for a write unit. */
static size_t hold(struct ferry_image_group *group, const uint8_t *data, size_t len, uint32_t unit)
{
    size_t room = unit - group->held_len;
    size_t take = len < room ? len : room;

    memcpy(group->held + group->held_len, data, take);
    group->held_len = (uint8_t)(group->held_len + take);
    return take;
}

/* Write a chunk in whole write units and hold the rest. Returns FERRY_OK or a flash error. */
static int write_chunk(struct ferry_image_group *group, const struct ferry_flash *slot,
                       struct ferry_bytes data)
{
    uint32_t unit = slot->write_size;
    uint32_t at = group->offset - group->held_len;
    size_t whole;
    int rc;

    if (data.len == 0) { /* its pointer may be NULL */
        return FERRY_OK;
    }
    group->offset += (uint32_t)data.len;
    if (group->held_len > 0) {
        size_t taken = hold(group, data.data, data.len, unit);

        data.data += taken;
        data.len -= taken;
        if (group->held_len < unit) {
            return FERRY_OK;
        }
        rc = ferry_flash_program(slot, at, group->held, unit);
        if (rc != FERRY_OK) {
            return rc;
        }
        group->held_len = 0;
        at += unit;
    }
    whole = data.len & ~(size_t)(unit - 1); /* write sizes are powers of two */
    rc = ferry_flash_program(slot, at, data.data, whole);
    if (rc == FERRY_OK && data.len > whole) {
        (void)hold(group, data.data + whole, data.len - whole, unit);
    }
    return rc;
}

static int write_held(struct ferry_image_group *group, const struct ferry_flash *slot)
{
    if (group->held_len == 0) {
        return FERRY_OK;
    }
    return ferry_flash_program_padded(slot, group->offset - group->held_len, group->held,
                                      group->held_len);
}

/* A part that reads as erased and takes no program was cut once. It is erased for the next try. */
static void erase_spoilt(const struct ferry_flash *slot, uint32_t at, size_t len, int rc)
{
    struct ferry_flash_sector sector = {0, at, 0};

    for (uint32_t end = at + (uint32_t)len;
         rc == FERRY_E_NOT_ERASED && sector.offset + sector.size < end;) {
        if (ferry_flash_sector_at(slot, sector.offset + sector.size, &sector) != FERRY_OK ||
            ferry_flash_erase(slot, sector.offset, sector.size) != FERRY_OK) {
            return;
        }
    }
}

/* ---- The upload -------------------------------------------------------------- */

static int answer_offset(struct ferry_server_call *call, uint32_t offset)
{
    ferry_cbor_pair_uint(&call->out, "off", offset);
    return FERRY_RC_OK;
}

/* Whether there is a check, and a whole digest of the client's to compare with. */
static bool is_comparable(const struct ferry_image_group *group)
{
    return group->config->check != NULL && group->sha_len == FERRY_SHA256_SIZE;
}

/* Whether the slot holds what the client's digest says; false when there is nothing to compare. */
static bool slot_matches(const struct ferry_image_group *group, const struct ferry_flash *slot)
{
    return is_comparable(group) &&
           group->config->check->matches(group, slot, group->size, group->sha) == 1;
}

/* Whether the slot holds the file before anything is written. A bootloader does not ask: what a cut
 * upload left may read right this once, and its client comes back because it is not right. */
static bool is_there(const struct ferry_image_group *group, const struct ferry_flash *slot)
{
    return group->config->bootloader == NULL && slot_matches(group, slot);
}

/* In a bootloader the image is judged at once, whoever sent it. Returns an rc; call->failed tells a
 * group error. */
static int judge(struct ferry_server_call *call)
{
    const struct ferry_image_group *group = call->context;
    const struct ferry_image_place place = {group->image, group->slot};

    return group->config->bootloader != NULL
               ? group->config->bootloader->accept(group->config->context, call, &place)
               : FERRY_RC_OK;
}

/* The slot is open, and the first chunk is to be written: make room for the file.
 * Returns FERRY_OK or a flash error. */
static int make_room(struct ferry_image_group *group, const struct ferry_image_place *place,
                     const struct ferry_flash *slot, const struct ferry_image_request *request)
{
    const struct ferry_image_ahead *ahead = group->config->ahead;

    return ahead != NULL ? ahead->begin(group, place, slot, request->data.data)
                         : ferry_image_prepare(group, place, group->size);
}

int ferry_image_reach(struct ferry_image_group *group, const struct ferry_flash *view, uint32_t end)
{
    const struct ferry_image_ahead *ahead = group->config->ahead;
    const struct ferry_image_resume *resume = group->config->resume;
    int rc = resume != NULL ? resume->reach(group, view, end) : FERRY_OK;

    return rc == FERRY_OK && ahead != NULL ? ahead->reach(group, view, end) : rc;
}

/* Everything is in the slot: answer and close. */
static int finish(struct ferry_server_call *call, bool match)
{
    struct ferry_image_group *group = call->context;
    int rc = judge(call);

    if (rc != FERRY_RC_OK || call->failed) {
        ferry_image_stop_upload(call);
        return rc;
    }
    ferry_image_close_upload(group);
    (void)answer_offset(call, group->size);
    if (is_comparable(group)) {
        ferry_cbor_pair_bool(&call->out, "match", match);
    }
    ferry_server_notify(call, FERRY_EVENT_UPLOAD_FINISHED, group->image, group->size);
    return FERRY_RC_OK;
}

static int give_up(struct ferry_server_call *call, uint16_t error, const char *reason)
{
    ferry_image_stop_upload(call);
    return ferry_server_fail(call, error, reason);
}

/* The last chunk of len bytes was not written because of rc. */
static int give_up_writing(struct ferry_server_call *call, const struct ferry_flash *slot,
                           size_t len, int rc)
{
    const struct ferry_image_group *group = call->context;
    uint32_t from = group->offset - ferry_min32(group->offset, (uint32_t)len + group->held_len);

    erase_spoilt(slot, from, group->offset - from, rc);
    return give_up(call, FERRY_IMAGE_ERR_FLASH_WRITE, "fa write fail");
}

static void begin(struct ferry_server_call *call, const struct ferry_image_request *request)
{
    struct ferry_image_group *group = call->context;

    ferry_image_stop_upload(call);
    group->open = true;
    group->image = request->place.image;
    group->slot = request->place.slot;
    group->number = request->number;
    group->size = request->len;
    group->offset = 0;
    group->held_len = 0;
    group->sha_len = (uint8_t)request->sha.len;
    if (request->sha.len > 0) {
        memcpy(group->sha, request->sha.data, request->sha.len);
    }
    ferry_server_notify(call, FERRY_EVENT_UPLOAD_STARTED, group->image, group->size);
}

/* 15 … 17, and the end */
static int take_chunk(struct ferry_server_call *call, const struct ferry_image_request *request)
{
    struct ferry_image_group *group = call->context;
    struct ferry_flash_slice view;
    const struct ferry_flash *slot = &view.flash;

    if (request->offset == 0) {
        begin(call, request);
    }

    const struct ferry_image_place place = {group->image, group->slot};

    if (ferry_image_upload_view(group, &place, &view) != FERRY_OK) {
        return give_up(call, FERRY_IMAGE_ERR_FLASH_OPEN, "fa open fail");
    }
    if (request->offset == 0 && is_there(group, slot)) {
        return finish(call, true);
    }

    int rc = request->offset == 0 ? make_room(group, &place, slot, request) : FERRY_OK;

    if (rc == FERRY_OK) {
        rc = ferry_image_reach(group, slot, group->offset + (uint32_t)request->data.len);
    }
    if (rc != FERRY_OK) {
        return give_up(call, FERRY_IMAGE_ERR_FLASH_ERASE, "fa erase fail");
    }
    rc = write_chunk(group, slot, request->data);

    if (rc == FERRY_OK && group->offset < group->size) {
        ferry_server_notify(call, FERRY_EVENT_CHUNK_WRITTEN, group->image, group->offset);
        return answer_offset(call, group->offset);
    }
    if (rc == FERRY_OK) {
        rc = write_held(group, slot);
    }
    if (rc != FERRY_OK) {
        return give_up_writing(call, slot, request->data.len, rc);
    }
    return finish(call, slot_matches(group, slot));
}

/* 14: ask the application. Returns an rc; call->failed tells a group error. */
static int ask_application(struct ferry_server_call *call,
                           const struct ferry_image_request *request)
{
    const struct ferry_image_group *group = call->context;
    bool first = request->offset == 0;
    const struct ferry_image_chunk chunk = {
        .image = first ? request->place.image : group->image,
        .offset = request->offset,
        .size = first ? request->len : group->size,
        .data = request->data,
    };

    if (group->config->upload == NULL) {
        return FERRY_RC_OK;
    }
    return group->config->upload(group->config->context, call, &chunk);
}

/* The first upload request since the start: one that was under way before goes on. */
static void look_back(struct ferry_server_call *call)
{
    struct ferry_image_group *group = call->context;
    const struct ferry_image_resume *resume = group->config->resume;

    if (resume == NULL || group->looked) {
        return;
    }
    resume->restore(group);
    if (group->open) {
        ferry_server_notify(call, FERRY_EVENT_UPLOAD_STARTED, group->image, group->size);
    }
}

int ferry_image_upload(struct ferry_server_call *call)
{
    struct ferry_image_group *group = call->context;
    struct ferry_image_request request;
    int rc = ferry_image_read_request(call, &request);

    if (rc != FERRY_RC_OK) {
        return rc;
    }
    look_back(call);

    int verdict = ferry_image_check_request(group, &request);

    if (verdict == FERRY_IMAGE_ANSWER_OFFSET) {
        return answer_offset(call, ferry_image_expected_offset(group));
    }
    if (verdict != 0) {
        return give_up(call, (uint16_t)verdict, request.reason);
    }
    rc = ask_application(call, &request);
    if (rc != FERRY_RC_OK) {
        ferry_image_stop_upload(call);
        return rc;
    }
    if (call->failed) {
        return answer_offset(call, ferry_image_expected_offset(group));
    }
    return take_chunk(call, &request);
}
