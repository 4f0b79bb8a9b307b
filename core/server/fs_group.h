/* SPDX-License-Identifier: Apache-2.0 */
/* Between the files of group fs. */
#ifndef CORE_SERVER_FS_GROUP_H
#define CORE_SERVER_FS_GROUP_H

#include "ferry/group_fs.h"

/* The handlers that are in files of their own. */
int ferry_fs_download(struct ferry_server_call *call);
int ferry_fs_upload(struct ferry_server_call *call);
int ferry_fs_checksum(struct ferry_server_call *call);
int ferry_fs_types(struct ferry_server_call *call);

/* Take the name of a request, for ferry_fs_asked().
 * Returns an rc, for the handler to return; call->failed tells a group error. */
FERRY_MUST_CHECK
int ferry_fs_take_name(struct ferry_server_call *call, const struct ferry_cbor_field *name);

/* The same, and ask the access hook. */
FERRY_MUST_CHECK
int ferry_fs_begin(struct ferry_server_call *call, const struct ferry_cbor_field *name,
                   enum ferry_fs_access access);

/* Ask the access hook about the name taken. Returns as ferry_fs_take_name(). */
FERRY_MUST_CHECK
int ferry_fs_ask(struct ferry_server_call *call, enum ferry_fs_access access);

/* The name of this request, and that of the transfer under way. */
static inline char *ferry_fs_asked(const struct ferry_fs_group *group)
{
    return group->config->names + group->config->name_max + 1;
}

/* Whether the transfer under way is this: same transport, name and direction. */
bool ferry_fs_is_transfer(const struct ferry_server_call *call, bool writing);

/* Whether it is about the file that was asked for. */
bool ferry_fs_is_about(const struct ferry_fs_group *group);

/* Whether the last transfer was about it, be it under way or not. */
bool ferry_fs_was_about(const struct ferry_fs_group *group);

/* Open the file that was asked for, for a transfer of this call's; the one before has ended.
 *
 * size  set on FERRY_FS_OK
 *
 * Returns an enum ferry_fs_error. */
FERRY_MUST_CHECK
int ferry_fs_open(const struct ferry_server_call *call, bool writing, uint32_t *size);

/* Close the file and keep the transfer, if it is an upload: its next chunk opens it again.
 * Returns FERRY_FS_OK; another enum ferry_fs_error when what was uploaded may not be stored: the
 * upload has ended then. */
FERRY_MUST_CHECK
int ferry_fs_suspend(struct ferry_fs_group *group);

/* End the transfer, where it failed or another begins: nobody asks how the close went. An upload
 * that goes on is told. */
void ferry_fs_drop(struct ferry_fs_group *group);

/* Answer with a group error; a number that is none becomes FERRY_FS_ERR_UNKNOWN. */
int ferry_fs_fail(struct ferry_server_call *call, int error);

#endif
