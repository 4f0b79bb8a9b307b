/* SPDX-License-Identifier: Apache-2.0 */
/* SMP group 8, file system: the table, the file that is open, status and close. [smp.md §3.6] */
#include "core/server/fs_group.h"

#include <string.h>

/* ---- What handlers share ------------------------------------------------------ */

int ferry_fs_fail(struct ferry_server_call *call, int error)
{
    bool known = error > FERRY_FS_OK && error < FERRY_FS_ERRORS;

    return ferry_server_fail(call, (uint16_t)(known ? error : FERRY_FS_ERR_UNKNOWN), NULL);
}

int ferry_fs_take_name(struct ferry_server_call *call, const struct ferry_cbor_field *name)
{
    struct ferry_fs_group *group = call->context;
    struct ferry_bytes text = name->item.bytes;
    char *asked = ferry_fs_asked(group);

    if (!name->present || text.len == 0 || text.len > group->config->name_max) {
        return FERRY_RC_INVALID;
    }
    for (size_t i = 0; i < text.len; i++) {
        if (text.data[i] == '\0') { /* the provider would take it for the end */
            return ferry_fs_fail(call, FERRY_FS_ERR_INVALID_NAME);
        }
    }
    memcpy(asked, text.data, text.len);
    asked[text.len] = '\0';
    group->touched = group->touched || ferry_fs_is_about(group);
    return FERRY_RC_OK;
}

int ferry_fs_ask(struct ferry_server_call *call, enum ferry_fs_access access)
{
    const struct ferry_fs_group *group = call->context;

    if (group->config->access == NULL) {
        return FERRY_RC_OK;
    }
    return group->config->access(group->config->context, call, access, ferry_fs_asked(group));
}

int ferry_fs_begin(struct ferry_server_call *call, const struct ferry_cbor_field *name,
                   enum ferry_fs_access access)
{
    int rc = ferry_fs_take_name(call, name);

    return rc == FERRY_RC_OK && !call->failed ? ferry_fs_ask(call, access) : rc;
}

/* ---- The transfer ------------------------------------------------------------- */

bool ferry_fs_was_about(const struct ferry_fs_group *group)
{
    const char *name = group->config->names;
    const char *asked = ferry_fs_asked(group);
    size_t i = 0;

    while (asked[i] != '\0' && asked[i] == name[i]) {
        i++;
    }
    return asked[i] == name[i];
}

bool ferry_fs_is_about(const struct ferry_fs_group *group)
{
    return group->active && ferry_fs_was_about(group);
}

bool ferry_fs_is_transfer(const struct ferry_server_call *call, bool writing)
{
    const struct ferry_fs_group *group = call->context;

    return ferry_fs_is_about(group) && group->writing == writing &&
           group->transport == call->transport;
}

int ferry_fs_open(const struct ferry_server_call *call, bool writing, uint32_t *size)
{
    struct ferry_fs_group *group = call->context;
    const struct ferry_fs_group_config *config = group->config;
    const char *asked = ferry_fs_asked(group);
    int error = config->provider->open(config->provider_context, asked, writing, size);

    if (error == FERRY_FS_OK) {
        group->close_failed = group->close_failed && ferry_fs_was_about(group);
        memcpy(config->names, asked, config->name_max + 1);
        group->active = true;
        group->open = true;
        group->writing = writing;
        group->transport = call->transport;
        group->touched = true;
        group->last_offset = 0;
        group->last_end = 0;
    }
    return error;
}

static int close_open(struct ferry_fs_group *group)
{
    const struct ferry_fs_group_config *config = group->config;
    int error = group->open ? config->provider->close(config->provider_context) : FERRY_FS_OK;

    group->open = false;
    error = group->writing ? error : FERRY_FS_OK; /* what was read is read */
    group->close_failed = group->close_failed || error != FERRY_FS_OK;
    return error;
}

int ferry_fs_suspend(struct ferry_fs_group *group)
{
    int error = close_open(group);

    if (error != FERRY_FS_OK || !group->writing) {
        ferry_fs_drop(group);
    }
    return error;
}

int ferry_fs_group_close(struct ferry_fs_group *group)
{
    int error = close_open(group);

    group->active = false;
    group->writing = false;
    group->size_known = false;
    return error;
}

void ferry_fs_drop(struct ferry_fs_group *group)
{
    (void)ferry_fs_group_close(group);
}

uint64_t ferry_fs_group_poll(struct ferry_fs_group *group, uint64_t now_ms)
{
    if (!group->active || group->config->idle_ms == 0) {
        return UINT64_MAX;
    }
    if (group->touched) {
        group->touched = false;
        group->deadline = now_ms < UINT64_MAX - group->config->idle_ms
                              ? now_ms + group->config->idle_ms
                              : UINT64_MAX;
    }
    if (now_ms < group->deadline) {
        return group->deadline;
    }
    ferry_fs_drop(group);
    return UINT64_MAX;
}

/* ---- Status and close --------------------------------------------------------- */

static int file_status(struct ferry_server_call *call)
{
    const struct ferry_fs_group *group = call->context;
    const struct ferry_fs_group_config *config = group->config;
    struct ferry_cbor_field name = {.key = "name", .kind = FERRY_CBOR_TEXT};
    uint32_t size = 0;
    int rc = ferry_server_read(call, &name, 1);

    if (rc == FERRY_RC_OK) {
        rc = ferry_fs_begin(call, &name, FERRY_FS_STATUS);
    }
    if (rc != FERRY_RC_OK || call->failed) {
        return rc;
    }
    /* Many a file system knows the size of what is open only once it is closed. */
    if (group->writing && ferry_fs_is_about(group)) {
        ferry_cbor_pair_uint(&call->out, "len", group->offset);
        return FERRY_RC_OK;
    }

    int error = config->provider->size(config->provider_context, ferry_fs_asked(group), &size);

    if (error != FERRY_FS_OK) {
        return ferry_fs_fail(call, error);
    }
    ferry_cbor_pair_uint(&call->out, "len", size);
    return FERRY_RC_OK;
}

static int close_file(struct ferry_server_call *call)
{
    int error = ferry_fs_group_close(call->context);

    return error == FERRY_FS_OK ? FERRY_RC_OK : ferry_fs_fail(call, error);
}

/* ---- The table ---------------------------------------------------------------- */

int ferry_fs_group_init(struct ferry_fs_group *group, const struct ferry_fs_group_config *config)
{
    if (config->provider == NULL || config->names == NULL || config->name_max == 0) {
        return FERRY_E_CONFIG;
    }
    for (size_t i = 0; i < config->hash_count; i++) {
        if (config->hashes[i]->size > FERRY_SHA256_SIZE) {
            return FERRY_E_CONFIG;
        }
    }
    memset(group, 0, sizeof(*group));
    memset(config->names, 0, 2 * (config->name_max + 1));
    group->config = config;
    return FERRY_OK;
}

static const struct ferry_command commands[] = {
    [FERRY_SMP_FS_FILE] = {.read = ferry_fs_download, .write = ferry_fs_upload},
    [FERRY_SMP_FS_STATUS] = {.read = file_status},
    [FERRY_SMP_FS_HASH] = {.read = ferry_fs_checksum},
    [FERRY_SMP_FS_TYPES] = {.read = ferry_fs_types},
    [FERRY_SMP_FS_CLOSE] = {.write = close_file},
};

/* [smp.md §1.7] */
static const uint8_t v1_rc[FERRY_FS_ERRORS] = {
    [FERRY_FS_ERR_UNKNOWN] = FERRY_RC_UNKNOWN,
    [FERRY_FS_ERR_INVALID_NAME] = FERRY_RC_INVALID,
    [FERRY_FS_ERR_NOT_FOUND] = FERRY_RC_NO_ENTRY,
    [FERRY_FS_ERR_IS_DIRECTORY] = FERRY_RC_UNKNOWN,
    [FERRY_FS_ERR_OPEN_FAILED] = FERRY_RC_UNKNOWN,
    [FERRY_FS_ERR_SEEK_FAILED] = FERRY_RC_UNKNOWN,
    [FERRY_FS_ERR_READ_FAILED] = FERRY_RC_UNKNOWN,
    [FERRY_FS_ERR_TRUNCATE_FAILED] = FERRY_RC_UNKNOWN,
    [FERRY_FS_ERR_DELETE_FAILED] = FERRY_RC_UNKNOWN,
    [FERRY_FS_ERR_WRITE_FAILED] = FERRY_RC_UNKNOWN,
    [FERRY_FS_ERR_INVALID_OFFSET] = FERRY_RC_UNKNOWN,
    [FERRY_FS_ERR_OFFSET_BEYOND_FILE] = FERRY_RC_UNKNOWN,
    [FERRY_FS_ERR_HASH_NOT_FOUND] = FERRY_RC_INVALID,
    [FERRY_FS_ERR_MOUNT_POINT_NOT_FOUND] = FERRY_RC_NO_ENTRY,
    [FERRY_FS_ERR_READ_ONLY] = FERRY_RC_UNKNOWN,
    [FERRY_FS_ERR_EMPTY] = FERRY_RC_UNKNOWN,
    [FERRY_FS_ERR_CLOSE_FAILED] = FERRY_RC_UNKNOWN,
};

const struct ferry_group ferry_fs_group_table = {
    .id = FERRY_SMP_GROUP_FS,
    .name = "fs mgmt",
    .commands = commands,
    .command_count = sizeof(commands) / sizeof(commands[0]),
    .v1_rc = v1_rc,
    .v1_rc_count = sizeof(v1_rc),
};
