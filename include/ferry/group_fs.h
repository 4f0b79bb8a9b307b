/* SPDX-License-Identifier: Apache-2.0 */
/* SMP group 8, file system: download, upload, status, hash, close.          [smp.md §3.6, §8]
 *
 * Who lists it lets clients read and write every file its provider reaches: confine the provider to
 * a folder of its own, and give an access hook or a gate. docs/SERVER.md has requests and answers.
 */
#ifndef FERRY_GROUP_FS_H
#define FERRY_GROUP_FS_H

#include "ferry/crypto.h"
#include "ferry/server.h"

/* Errors of the group on the wire. */
enum ferry_fs_error {
    FERRY_FS_OK = 0,
    FERRY_FS_ERR_UNKNOWN = 1,
    FERRY_FS_ERR_INVALID_NAME = 2,
    FERRY_FS_ERR_NOT_FOUND = 3,
    FERRY_FS_ERR_IS_DIRECTORY = 4,
    FERRY_FS_ERR_OPEN_FAILED = 5,
    FERRY_FS_ERR_SEEK_FAILED = 6,
    FERRY_FS_ERR_READ_FAILED = 7,
    FERRY_FS_ERR_TRUNCATE_FAILED = 8,
    FERRY_FS_ERR_DELETE_FAILED = 9,
    FERRY_FS_ERR_WRITE_FAILED = 10,
    FERRY_FS_ERR_INVALID_OFFSET = 11,
    FERRY_FS_ERR_OFFSET_BEYOND_FILE = 12,
    FERRY_FS_ERR_HASH_NOT_FOUND = 13,
    FERRY_FS_ERR_MOUNT_POINT_NOT_FOUND = 14,
    FERRY_FS_ERR_READ_ONLY = 15,
    FERRY_FS_ERR_EMPTY = 16,
    FERRY_FS_ERR_CLOSE_FAILED = 17,
    FERRY_FS_ERRORS
};

/* ---- The file system beneath ---------------------------------------------------- */

/* What a product fills for its file system (littlefs, FAT, a table in memory).
 *
 * Every function returns FERRY_FS_OK or the enum ferry_fs_error that the client is to see. context
 * is that of the configuration. One file is open at a time: open is followed by one close before
 * the next open; size may be asked at any time.
 *
 * A name is what the client sent: 1 to name_max bytes without a NUL inside, and a NUL behind them.
 * Nothing else of it is checked: *to keep it inside the folder that clients may see is the
 * provider's affair*, and so is what a leading slash, "..", or a link means to it. Say
 * FERRY_FS_ERR_INVALID_NAME for names that lead out of it. */
struct ferry_fs_provider {
    /* Bytes of a file. FERRY_FS_ERR_NOT_FOUND when there is none of that name,
     * FERRY_FS_ERR_IS_DIRECTORY for a folder. */
    int (*size)(void *context, const char *name, uint32_t *size);
    /* Open a file for reading; or, with writing, for writing: it is made when it is missing, and
     * keeps what it has. A folder that is missing is FERRY_FS_ERR_MOUNT_POINT_NOT_FOUND then, as
     * Zephyr has it.
     *
     * size  set to the bytes the file has */
    int (*open)(void *context, const char *name, bool writing, uint32_t *size);
    /* Read len bytes, above 0, at an offset. They lie inside the size that open told; when the file
     * has become shorter since, that is FERRY_FS_ERR_READ_FAILED: fewer bytes are no success. */
    int (*read)(void *context, uint32_t offset, uint8_t *data, size_t len);
    /* Write len bytes, above 0, at an offset, which is always the end of the file. All of them, or
     * FERRY_FS_ERR_WRITE_FAILED: a full file system is no success (Zephyr takes it for one). */
    int (*write)(void *context, uint32_t offset, const uint8_t *data, size_t len);
    /* Cut the file that is open for writing to nothing. A file system that cannot deletes and makes
     * it anew: FERRY_FS_ERR_TRUNCATE_FAILED, FERRY_FS_ERR_DELETE_FAILED. */
    int (*truncate)(void *context);
    /* Close it. After FERRY_FS_OK what was written is stored; on an error it is closed as well. */
    int (*close)(void *context);
};

/* ---- Hashes and checksums ------------------------------------------------------- */

/* A running hash. Do not rely on the contents. */
union ferry_fs_hash_state {
    uint32_t crc32;
    struct ferry_sha256 sha256;
};

/* One kind, as clients name it: a const table in a file of its own. */
struct ferry_fs_hash {
    const char *name; /* at most 8 characters */
    bool is_bytes;    /* the output goes out as a byte string; else as a number */
    uint8_t size;     /* bytes of the output, at most 32; of a number at most 4, big endian */
    void (*begin)(union ferry_fs_hash_state *state);
    void (*add)(union ferry_fs_hash_state *state, const uint8_t *data, size_t len);
    void (*end)(union ferry_fs_hash_state *state, uint8_t *output);
};

extern const struct ferry_fs_hash ferry_fs_hash_crc32;  /* IEEE 802.3, as zlib */
extern const struct ferry_fs_hash ferry_fs_hash_sha256; /* ferry/crypto.h */

/* ---- The group ------------------------------------------------------------------ */

/* What is wanted of a file, as Zephyr's access hook tells it. */
enum ferry_fs_access { FERRY_FS_READ, FERRY_FS_WRITE, FERRY_FS_STATUS, FERRY_FS_HASH };

/* Set up once; must outlive the group. */
struct ferry_fs_group_config {
    const struct ferry_fs_provider *provider;
    void *provider_context;
    /* The kinds this server computes; the first is what a request without "type" gets: list crc32
     * first to be as Zephyr. None: the commands hash and types are not supported. */
    const struct ferry_fs_hash *const *hashes;
    size_t hash_count;
    char *names;        /* memory for two names: 2 * (name_max + 1) bytes */
    size_t name_max;    /* bytes of the longest name, above 0; Zephyr's is 64 */
    uint32_t chunk_max; /* most bytes a download sends at once; 0 = as many as fit the answer */
    uint32_t idle_ms;   /* a file that no request was about for so long is closed; 0 = never.
                           Needs ferry_fs_group_poll() */
    /* Asked before every request about a file, when the request itself is in order: may refuse as
     * a handler does, with an rc or ferry_server_error(). NULL lets all pass.
     *
     * name  as in struct ferry_fs_provider */
    int (*access)(void *context, struct ferry_server_call *call, enum ferry_fs_access access,
                  const char *name);
    /* Called after every buffer's worth of a file that is hashed, for the watchdog. May be NULL. */
    void (*feed)(void *context);
    void *context; /* of both */
};

/* The state of one fs group; do not rely on the contents. */
struct ferry_fs_group {
    const struct ferry_fs_group_config *config;
    bool active;       /* a transfer is under way */
    bool open;         /* … and its file is open */
    bool writing;      /* an upload */
    bool size_known;   /* … of which is known how long it is to be */
    bool touched;      /* since the last poll */
    bool close_failed; /* of the file whose name stands in config->names, after an upload: what was
                          written may be lost, and it must begin anew */
    uint8_t transport; /* whose it is */
    uint32_t offset;   /* upload: bytes taken */
    uint32_t size;     /* download: bytes of the file; upload: bytes it is to have */
    uint64_t deadline; /* when it is idle */
    /* The last chunk that was written, of the file whose name stands in config->names, also when
     * the transfer has ended; none when both are 0. It may come again: its answer was lost. */
    uint32_t last_offset;
    uint32_t last_end;
    uint32_t last_crc;
};

/* Mount it with a struct ferry_fs_group * as context. */
extern const struct ferry_group ferry_fs_group_table;

/* Check the configuration and begin with no file open.
 * Returns FERRY_OK; FERRY_E_CONFIG without a provider, without memory for names, or when a hash is
 * longer than 32 bytes. */
FERRY_MUST_CHECK
int ferry_fs_group_init(struct ferry_fs_group *group, const struct ferry_fs_group_config *config);

/* Close the file that no request was about for idle_ms. Between requests, as often as the product
 * likes: it counts from the first call behind a request.
 *
 * now_ms  milliseconds of any clock that does not go back
 *
 * Returns when to call again, UINT64_MAX when there is nothing to wait for. */
uint64_t ferry_fs_group_poll(struct ferry_fs_group *group, uint64_t now_ms);

/* Close the file that is open, if one is, and forget the transfer: before a reset, or before the
 * product itself works with the file. Between requests only.
 * Returns FERRY_FS_OK or an enum ferry_fs_error: the end of the file may not be stored. */
int ferry_fs_group_close(struct ferry_fs_group *group);

#endif
