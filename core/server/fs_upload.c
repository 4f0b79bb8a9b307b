/* SPDX-License-Identifier: Apache-2.0 */
/* Upload: a file grows chunk by chunk, in place. [smp.md §3.6] */
#include "core/server/fs_group.h"

#include "ferry/crc.h"

enum { F_OFF, F_NAME, F_DATA, F_LEN, F_COUNT };

struct request {
    struct ferry_cbor_field fields[F_COUNT];
    uint64_t offset;
    struct ferry_bytes data;
    bool has_len; /* of the file. Beyond 32 bits there is none: its last write fails */
    uint32_t len;
};

/* ---- The request -------------------------------------------------------------- */

/* Returns an rc: what is refused here leaves an open file as it is. */
static int read_request(const struct ferry_server_call *call, struct request *request)
{
    struct ferry_cbor_field *fields = request->fields;
    int rc = ferry_server_read(call, fields, F_COUNT);

    if (rc != FERRY_RC_OK) {
        return rc;
    }
    if (!fields[F_OFF].present) {
        return FERRY_RC_INVALID;
    }
    request->offset = fields[F_OFF].item.value;
    if (fields[F_DATA].present) {
        request->data = fields[F_DATA].item.bytes;
    }
    if (request->offset == 0 &&
        (!fields[F_LEN].present || request->data.len > fields[F_LEN].item.value)) {
        return FERRY_RC_INVALID;
    }
    request->has_len = fields[F_LEN].present && fields[F_LEN].item.value <= UINT32_MAX;
    request->len = request->has_len ? (uint32_t)fields[F_LEN].item.value : 0;
    return FERRY_RC_OK;
}

/* Whether it only asks if an upload could begin: no data, though the file is to have some. */
static bool is_question(const struct request *request)
{
    return request->offset == 0 && request->data.len == 0 &&
           !(request->has_len && request->len == 0);
}

/* Whether the data reach beyond the length that the client gave, now or before. The offset is that
 * of the file's end. */
static bool is_overrun(const struct ferry_fs_group *group, const struct request *request)
{
    uint32_t size = group->size_known ? group->size : request->len;

    return request->offset > 0 && (group->size_known || request->has_len) &&
           !ferry_inside(group->offset, request->data.len, size);
}

/* ---- The file ----------------------------------------------------------------- */

static int answer(struct ferry_server_call *call, const struct request *request)
{
    const struct ferry_fs_group *group = call->context;

    /* Who asks begins at 0: what the file has may be another one's. */
    ferry_cbor_pair_uint(&call->out, "off", is_question(request) ? 0 : group->offset);
    return FERRY_RC_OK;
}

static int fail_offset(struct ferry_server_call *call, uint32_t expected)
{
    int rc = ferry_fs_fail(call, FERRY_FS_ERR_INVALID_OFFSET);

    ferry_cbor_pair_uint(&call->out, "len", expected);
    return rc;
}

/* Bytes of the file that was asked for, for an upload that goes on; one that is missing has none,
 * and is not made for an offset that cannot be right. */
static int size_so_far(const struct ferry_fs_group *group, uint32_t *size)
{
    const struct ferry_fs_group_config *config = group->config;
    int error = config->provider->size(config->provider_context, ferry_fs_asked(group), size);

    if (error == FERRY_FS_ERR_NOT_FOUND) {
        *size = 0;
        error = FERRY_FS_OK;
    }
    return error;
}

/* Whether a chunk may follow what the file has. Returns an enum ferry_fs_error. */
static int check_offset(struct ferry_fs_group *group, const struct request *request)
{
    if (request->offset == 0) {
        return FERRY_FS_OK;
    }
    if (group->close_failed && ferry_fs_was_about(group)) { /* of what was sent, some may be lost */
        ferry_fs_drop(group);
        return FERRY_FS_ERR_CLOSE_FAILED;
    }
    return request->offset == group->offset ? FERRY_FS_OK : FERRY_FS_ERR_INVALID_OFFSET;
}

/* Have the file open for a chunk, group->offset its end. Returns an enum ferry_fs_error; of an
 * offset that is not valid group->offset is the right one. */
static int open_for(const struct ferry_server_call *call, const struct request *request)
{
    struct ferry_fs_group *group = call->context;
    uint32_t size = 0;
    int error = FERRY_FS_OK;

    if (!ferry_fs_is_transfer(call, true)) {
        ferry_fs_drop(group);
        error = request->offset > 0 ? size_so_far(group, &group->offset) : FERRY_FS_OK;
    }
    if (error == FERRY_FS_OK) {
        error = check_offset(group, request);
    }
    if (error != FERRY_FS_OK || group->open) {
        return error;
    }
    error = ferry_fs_open(call, true, &size);
    if (error == FERRY_FS_OK) {
        group->offset = size; /* another one, when something else has written to it */
        error = check_offset(group, request);
    }
    return error;
}

/* Whether a chunk whose offset is not valid is the last one that was written, once more: the file
 * ends behind it, and its bytes are the same. */
static bool is_repeated(const struct ferry_server_call *call, const struct request *request)
{
    const struct ferry_fs_group *group = call->context;

    return ferry_fs_was_about(group) && group->transport == call->transport &&
           group->last_end == group->offset && request->offset == group->last_offset &&
           request->data.len > 0 && request->data.len == group->last_end - group->last_offset &&
           ferry_crc32(0, request->data.data, request->data.len) == group->last_crc;
}

/* Offset 0: the file begins anew, also in the middle of an upload. */
static int begin_anew(struct ferry_fs_group *group)
{
    const struct ferry_fs_group_config *config = group->config;
    int error = config->provider->truncate(config->provider_context);

    group->offset = 0;
    group->size_known = false;
    group->close_failed = group->close_failed && error != FERRY_FS_OK;
    return error;
}

static int write_data(struct ferry_fs_group *group, struct ferry_bytes data)
{
    const struct ferry_fs_group_config *config = group->config;

    if (data.len == 0) {
        return FERRY_FS_OK;
    }
    if (data.len > UINT32_MAX - group->offset) {
        return FERRY_FS_ERR_WRITE_FAILED;
    }

    int error =
        config->provider->write(config->provider_context, group->offset, data.data, data.len);

    if (error == FERRY_FS_OK) {
        group->last_offset = group->offset;
        group->last_crc = ferry_crc32(0, data.data, data.len);
        group->offset += (uint32_t)data.len;
        group->last_end = group->offset;
    }
    return error;
}

/* Returns an enum ferry_fs_error. */
static int take_chunk(struct ferry_fs_group *group, const struct request *request)
{
    bool anew = request->offset == 0 && !is_question(request);
    int error = anew ? begin_anew(group) : FERRY_FS_OK;

    if (request->has_len && !group->size_known) { /* an upload that goes on may say it again */
        group->size_known = true;
        group->size = request->len;
    }
    if (error == FERRY_FS_OK) {
        error = write_data(group, request->data);
    }
    if (error != FERRY_FS_OK) {
        ferry_fs_drop(group);
        return error;
    }
    return group->size_known && group->offset == group->size ? ferry_fs_group_close(group)
                                                             : FERRY_FS_OK;
}

int ferry_fs_upload(struct ferry_server_call *call)
{
    struct ferry_fs_group *group = call->context;
    struct request request = {
        .fields = {[F_OFF] = {.key = "off", .kind = FERRY_CBOR_UINT},
                   [F_NAME] = {.key = "name", .kind = FERRY_CBOR_TEXT},
                   [F_DATA] = {.key = "data", .kind = FERRY_CBOR_BYTES},
                   [F_LEN] = {.key = "len", .kind = FERRY_CBOR_UINT}},
    };
    int rc = read_request(call, &request);

    if (rc == FERRY_RC_OK) {
        rc = ferry_fs_begin(call, &request.fields[F_NAME], FERRY_FS_WRITE);
    }
    if (rc != FERRY_RC_OK || call->failed) {
        return rc;
    }

    int error = open_for(call, &request);

    if (error == FERRY_FS_ERR_INVALID_OFFSET && is_repeated(call, &request)) {
        return answer(call, &request);
    }
    if (error == FERRY_FS_ERR_INVALID_OFFSET) {
        return fail_offset(call, group->offset);
    }
    if (error == FERRY_FS_OK && is_overrun(group, &request)) {
        return FERRY_RC_INVALID;
    }
    if (error == FERRY_FS_OK) {
        error = take_chunk(group, &request);
    }
    if (error != FERRY_FS_OK) {
        return ferry_fs_fail(call, error);
    }
    return answer(call, &request);
}
