/* SPDX-License-Identifier: Apache-2.0 */
/* Download: as much of a file as the answer has room for. [smp.md §3.6] */
#include "core/server/fs_group.h"

enum { F_OFF, F_NAME, F_COUNT };

/* A file that is asked for from the beginning, or beyond what it had, may have grown since. */
static int open_for(const struct ferry_server_call *call, uint64_t offset)
{
    struct ferry_fs_group *group = call->context;

    if (ferry_fs_is_transfer(call, false) && offset > 0 && offset < group->size) {
        return FERRY_FS_OK;
    }
    ferry_fs_drop(group);
    return ferry_fs_open(call, false, &group->size);
}

/* What stands behind the data: the file's length, in the first answer only. */
static void put_end(struct ferry_cbor_writer *out, const struct ferry_fs_group *group,
                    uint64_t offset)
{
    if (offset == 0) {
        ferry_cbor_pair_uint(out, "len", group->size);
    }
}

/* Bytes of what stands behind the data, the map's end included. */
static size_t end_size(const struct ferry_fs_group *group, uint64_t offset)
{
    struct ferry_cbor_writer measured;

    ferry_cbor_writer_init(&measured, NULL, 0);
    put_end(&measured, group, offset);
    ferry_cbor_close(&measured);
    return measured.len;
}

/* Returns an rc; call->failed tells a group error. */
static int send_chunk(struct ferry_server_call *call, uint64_t offset)
{
    struct ferry_fs_group *group = call->context;
    const struct ferry_fs_group_config *config = group->config;
    uint64_t left = offset < group->size ? group->size - offset : 0;
    int error = FERRY_FS_OK;
    size_t len;

    ferry_cbor_pair_uint(&call->out, "off", offset);
    ferry_cbor_put_text(&call->out, "data");

    uint8_t *place = ferry_cbor_reserve(&call->out, end_size(group, offset), &len);

    len = config->chunk_max > 0 && len > config->chunk_max ? config->chunk_max : len;
    if (place == NULL || (len == 0 && left > 0)) {
        return FERRY_RC_MESSAGE_SIZE; /* nothing would be gained */
    }
    len = len > left ? (size_t)left : len;
    if (len > 0) {
        error = config->provider->read(config->provider_context, (uint32_t)offset, place, len);
    }
    if (error != FERRY_FS_OK) {
        ferry_fs_drop(group);
        return ferry_fs_fail(call, error);
    }
    ferry_cbor_put_reserved(&call->out, FERRY_CBOR_BYTES, len);
    put_end(&call->out, group, offset);
    if (len == left) {
        ferry_fs_drop(group);
    }
    return FERRY_RC_OK;
}

int ferry_fs_download(struct ferry_server_call *call)
{
    struct ferry_cbor_field fields[F_COUNT] = {
        [F_OFF] = {.key = "off", .kind = FERRY_CBOR_UINT},
        [F_NAME] = {.key = "name", .kind = FERRY_CBOR_TEXT},
    };
    int rc = ferry_server_read(call, fields, F_COUNT);

    if (rc == FERRY_RC_OK && !fields[F_OFF].present) {
        rc = FERRY_RC_INVALID;
    }
    if (rc == FERRY_RC_OK) {
        rc = ferry_fs_begin(call, &fields[F_NAME], FERRY_FS_READ);
    }
    if (rc != FERRY_RC_OK || call->failed) {
        return rc;
    }

    int error = open_for(call, fields[F_OFF].item.value);

    return error == FERRY_FS_OK ? send_chunk(call, fields[F_OFF].item.value)
                                : ferry_fs_fail(call, error);
}
