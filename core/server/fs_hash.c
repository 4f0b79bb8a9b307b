/* SPDX-License-Identifier: Apache-2.0 */
/* Hash of a file, or of a part of it; and which hashes there are. [smp.md §3.6] */
#include "core/server/fs_group.h"

enum { F_NAME, F_TYPE, F_OFF, F_LEN, F_COUNT };

#define TYPE_MAX 8

struct part {
    const struct ferry_fs_hash *hash;
    uint32_t offset;
    uint32_t len; /* as asked, UINT32_MAX = to the end; then what there is */
};

static const struct ferry_fs_hash *find(const struct ferry_fs_group_config *config,
                                        const struct ferry_cbor_field *type)
{
    if (!type->present || type->item.bytes.len == 0) {
        return config->hashes[0];
    }
    for (size_t i = 0; i < config->hash_count; i++) {
        if (ferry_cbor_is_text(&type->item, config->hashes[i]->name)) {
            return config->hashes[i];
        }
    }
    return NULL;
}

/* No file has more bytes than the largest number: what is beyond it is as good as that. */
static uint32_t number(const struct ferry_cbor_field *field, uint32_t absent)
{
    if (!field->present) {
        return absent;
    }
    return field->item.value < UINT32_MAX ? (uint32_t)field->item.value : UINT32_MAX;
}

/* Read the request and ask the hook. Returns an rc; call->failed tells a group error. */
static int read_request(struct ferry_server_call *call, struct part *part)
{
    const struct ferry_fs_group *group = call->context;
    struct ferry_cbor_field fields[F_COUNT] = {
        [F_NAME] = {.key = "name", .kind = FERRY_CBOR_TEXT},
        [F_TYPE] = {.key = "type", .kind = FERRY_CBOR_TEXT},
        [F_OFF] = {.key = "off", .kind = FERRY_CBOR_UINT},
        [F_LEN] = {.key = "len", .kind = FERRY_CBOR_UINT},
    };
    int rc = ferry_server_read(call, fields, F_COUNT);

    if (rc != FERRY_RC_OK) {
        return rc;
    }
    part->offset = number(&fields[F_OFF], 0);
    part->len = number(&fields[F_LEN], UINT32_MAX);
    if (part->len == 0 || (fields[F_TYPE].present && fields[F_TYPE].item.bytes.len > TYPE_MAX)) {
        return FERRY_RC_INVALID;
    }
    rc = ferry_fs_take_name(call, &fields[F_NAME]);
    if (rc != FERRY_RC_OK || call->failed) {
        return rc;
    }
    part->hash = find(group->config, &fields[F_TYPE]);
    return part->hash == NULL ? ferry_fs_fail(call, FERRY_FS_ERR_HASH_NOT_FOUND)
                              : ferry_fs_ask(call, FERRY_FS_HASH);
}

/* Hash the part of the file that is open. The answer's buffer serves for reading: nothing but the
 * beginning of the map is in it yet. */
static int run(struct ferry_server_call *call, const struct part *part,
               union ferry_fs_hash_state *state)
{
    const struct ferry_fs_group *group = call->context;
    const struct ferry_fs_group_config *config = group->config;
    uint8_t *block = call->out.buf + call->out.len;
    uint32_t room = (uint32_t)(call->out.cap - call->out.len); /* below 64 KiB */

    part->hash->begin(state);
    for (uint32_t done = 0; done < part->len;) {
        uint32_t len = ferry_min32(part->len - done, room);
        int error =
            config->provider->read(config->provider_context, part->offset + done, block, len);

        if (error != FERRY_FS_OK) {
            return error;
        }
        part->hash->add(state, block, len);
        done += len;
        if (config->feed != NULL) {
            config->feed(config->context);
        }
    }
    return FERRY_FS_OK;
}

/* Hash the file that was asked for. Returns an enum ferry_fs_error. */
static int hash_file(struct ferry_server_call *call, struct part *part, uint8_t *output)
{
    struct ferry_fs_group *group = call->context;
    const struct ferry_fs_group_config *config = group->config;
    union ferry_fs_hash_state state;
    uint32_t size = 0;
    int error = ferry_fs_suspend(group); /* what was uploaded so far counts */

    if (error == FERRY_FS_OK) {
        error =
            config->provider->open(config->provider_context, ferry_fs_asked(group), false, &size);
    }
    if (error != FERRY_FS_OK) {
        return error;
    }
    if (part->offset >= size) {
        error = size == 0 ? FERRY_FS_ERR_EMPTY : FERRY_FS_ERR_OFFSET_BEYOND_FILE;
    } else {
        part->len = ferry_min32(part->len, size - part->offset);
        error = run(call, part, &state);
        part->hash->end(&state, output);
    }
    (void)config->provider->close(config->provider_context);
    return error;
}

static void answer(struct ferry_cbor_writer *out, const struct part *part, const uint8_t *output)
{
    uint32_t value = 0;

    ferry_cbor_pair_text(out, "type", part->hash->name);
    if (part->offset != 0) {
        ferry_cbor_pair_uint(out, "off", part->offset);
    }
    ferry_cbor_pair_uint(out, "len", part->len);
    if (part->hash->is_bytes) {
        ferry_cbor_pair_bytes(out, "output", output, part->hash->size);
        return;
    }
    for (size_t i = 0; i < part->hash->size; i++) {
        value = value << 8 | output[i];
    }
    ferry_cbor_pair_uint(out, "output", value);
}

int ferry_fs_checksum(struct ferry_server_call *call)
{
    const struct ferry_fs_group *group = call->context;
    uint8_t output[FERRY_SHA256_SIZE];
    struct part part;

    if (group->config->hash_count == 0) {
        return FERRY_RC_NOT_SUPPORTED;
    }

    int rc = read_request(call, &part);

    if (rc != FERRY_RC_OK || call->failed) {
        return rc;
    }

    int error = hash_file(call, &part, output);

    if (error != FERRY_FS_OK) {
        return ferry_fs_fail(call, error);
    }
    answer(&call->out, &part, output);
    return FERRY_RC_OK;
}

int ferry_fs_types(struct ferry_server_call *call)
{
    const struct ferry_fs_group *group = call->context;
    const struct ferry_fs_group_config *config = group->config;

    if (config->hash_count == 0) {
        return FERRY_RC_NOT_SUPPORTED;
    }
    ferry_cbor_put_text(&call->out, "types");
    ferry_cbor_open_map(&call->out);
    for (size_t i = 0; i < config->hash_count; i++) {
        ferry_cbor_put_text(&call->out, config->hashes[i]->name);
        ferry_cbor_open_map(&call->out);
        ferry_cbor_pair_uint(&call->out, "format", config->hashes[i]->is_bytes ? 1 : 0);
        ferry_cbor_pair_uint(&call->out, "size", config->hashes[i]->size);
        ferry_cbor_close(&call->out);
    }
    ferry_cbor_close(&call->out);
    return FERRY_RC_OK;
}
