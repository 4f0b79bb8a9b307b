/* SPDX-License-Identifier: Apache-2.0 */
/* SMP, the Simple Management Protocol: header, operations, groups and wire codes. */
#ifndef FERRY_SMP_H
#define FERRY_SMP_H

#include "ferry/bytes.h"
#include "ferry/error.h"

#define FERRY_SMP_HEADER_SIZE 8
#define FERRY_SMP_VERSION_1   0 /* the value of the version field */
#define FERRY_SMP_VERSION_2   1
#define FERRY_SMP_UDP_PORT    1337

enum ferry_smp_op {
    FERRY_SMP_READ = 0,
    FERRY_SMP_READ_RSP = 1,
    FERRY_SMP_WRITE = 2,
    FERRY_SMP_WRITE_RSP = 3
};

enum ferry_smp_group {
    FERRY_SMP_GROUP_OS = 0,
    FERRY_SMP_GROUP_IMAGE = 1,
    FERRY_SMP_GROUP_STAT = 2,
    FERRY_SMP_GROUP_SETTINGS = 3,
    FERRY_SMP_GROUP_LOG = 4,
    FERRY_SMP_GROUP_CRASH = 5,
    FERRY_SMP_GROUP_SPLIT = 6,
    FERRY_SMP_GROUP_RUN = 7,
    FERRY_SMP_GROUP_FS = 8,
    FERRY_SMP_GROUP_SHELL = 9,
    FERRY_SMP_GROUP_ENUM = 10,
    FERRY_SMP_GROUP_TRANSPORT = 11,
    FERRY_SMP_GROUP_BASIC = 63,
    FERRY_SMP_GROUP_USER = 64,
    FERRY_SMP_GROUP_TRUST = 102 /* Ferry's own: ferry/group_trust.h */
};

enum ferry_smp_os_command {
    FERRY_SMP_OS_ECHO = 0,
    FERRY_SMP_OS_CONSOLE_ECHO = 1,
    FERRY_SMP_OS_TASKS = 2,
    FERRY_SMP_OS_POOLS = 3,
    FERRY_SMP_OS_DATETIME = 4,
    FERRY_SMP_OS_RESET = 5,
    FERRY_SMP_OS_PARAMS = 6,
    FERRY_SMP_OS_INFO = 7,
    FERRY_SMP_OS_BOOTLOADER_INFO = 8
};

enum ferry_smp_image_command {
    FERRY_SMP_IMAGE_STATE = 0,
    FERRY_SMP_IMAGE_UPLOAD = 1,
    FERRY_SMP_IMAGE_CORE_LIST = 3,
    FERRY_SMP_IMAGE_CORE_LOAD = 4, /* write = erase it */
    FERRY_SMP_IMAGE_ERASE = 5,
    FERRY_SMP_IMAGE_SLOT_INFO = 6
};

enum ferry_smp_stat_command { FERRY_SMP_STAT_SHOW = 0, FERRY_SMP_STAT_LIST = 1 };

enum ferry_smp_settings_command {
    FERRY_SMP_SETTINGS_VALUE = 0, /* read, write */
    FERRY_SMP_SETTINGS_DELETE = 1,
    FERRY_SMP_SETTINGS_COMMIT = 2,
    FERRY_SMP_SETTINGS_STORAGE = 3 /* read = load, write = save */
};

enum ferry_smp_log_command {
    FERRY_SMP_LOG_SHOW = 0,
    FERRY_SMP_LOG_CLEAR = 1,
    FERRY_SMP_LOG_APPEND = 2,
    FERRY_SMP_LOG_MODULES = 3,
    FERRY_SMP_LOG_LEVELS = 4,
    FERRY_SMP_LOG_LOGS = 5
};

enum ferry_smp_fs_command {
    FERRY_SMP_FS_FILE = 0, /* read = download, write = upload */
    FERRY_SMP_FS_STATUS = 1,
    FERRY_SMP_FS_HASH = 2,
    FERRY_SMP_FS_TYPES = 3,
    FERRY_SMP_FS_CLOSE = 4
};

enum ferry_smp_shell_command { FERRY_SMP_SHELL_EXEC = 0 };

enum ferry_smp_enum_command {
    FERRY_SMP_ENUM_COUNT = 0,
    FERRY_SMP_ENUM_LIST = 1,
    FERRY_SMP_ENUM_SINGLE = 2,
    FERRY_SMP_ENUM_DETAILS = 3
};

enum ferry_smp_crash_command { FERRY_SMP_CRASH_NOW = 0 };

enum ferry_smp_run_command { FERRY_SMP_RUN_TEST = 0, FERRY_SMP_RUN_LIST = 1 };

enum ferry_smp_transport_command {
    FERRY_SMP_TRANSPORT_CONNECT = 0,
    FERRY_SMP_TRANSPORT_DISCONNECT = 1,
    FERRY_SMP_TRANSPORT_STATUS = 2,
    FERRY_SMP_TRANSPORT_LIST = 6,
    FERRY_SMP_TRANSPORT_MODES = 7,
    FERRY_SMP_TRANSPORT_CONFIG = 8
};

enum ferry_smp_basic_command { FERRY_SMP_BASIC_ERASE_STORAGE = 0 };

/* SMP-level result codes, the "rc" of an answer, in both versions.  [smp.md §1.6] */
enum ferry_smp_rc {
    FERRY_RC_OK = 0,
    FERRY_RC_UNKNOWN = 1,
    FERRY_RC_NO_MEMORY = 2,
    FERRY_RC_INVALID = 3,
    FERRY_RC_TIMEOUT = 4,
    FERRY_RC_NO_ENTRY = 5,
    FERRY_RC_BAD_STATE = 6,
    FERRY_RC_MESSAGE_SIZE = 7,
    FERRY_RC_NOT_SUPPORTED = 8,
    FERRY_RC_CORRUPT = 9,
    FERRY_RC_BUSY = 10,
    FERRY_RC_ACCESS_DENIED = 11,
    FERRY_RC_TOO_OLD = 12,
    FERRY_RC_TOO_NEW = 13
};

struct ferry_smp_header {
    uint8_t op;      /* enum ferry_smp_op; 4 .. 7 are undefined but are read as they are */
    uint8_t version; /* 0 .. 3; 0 is SMP version 1, 1 is SMP version 2 */
    uint8_t flags;   /* 0 when sent; ignored when received */
    uint16_t length; /* payload bytes behind the header */
    uint16_t group;
    uint8_t seq;
    uint8_t id; /* command number in the group */
};

/* Parse the 8 bytes of an SMP header.
 *
 * bytes  8 bytes are read when there are as many, none otherwise; not kept
 *
 * The length field is not compared with anything.
 * Returns FERRY_OK or FERRY_E_SHORT. */
FERRY_MUST_CHECK
int ferry_smp_header_read(struct ferry_bytes bytes, struct ferry_smp_header *header);

/* Write the 8 bytes of a header. Fields beyond their bits are cut. */
void ferry_smp_header_write(const struct ferry_smp_header *header,
                            uint8_t out[FERRY_SMP_HEADER_SIZE]);

/* Take one whole packet off the front of bytes.
 *
 * rest  what stands behind it (several requests may be packed back to back); may be NULL
 *
 * Returns FERRY_OK; FERRY_E_SHORT for fewer than 8 bytes or a length beyond the end (header is
 * then filled when there were 8). */
FERRY_MUST_CHECK
int ferry_smp_packet_read(struct ferry_bytes bytes, struct ferry_smp_header *header,
                          struct ferry_bytes *payload, struct ferry_bytes *rest);

/* Whether rsp answers req: op is one above, group, id and seq are equal. */
bool ferry_smp_answers(const struct ferry_smp_header *rsp, const struct ferry_smp_header *req);

/* What an answer said. */
struct ferry_smp_status {
    bool grouped;              /* true: "err" {group, rc}; false: "rc" */
    uint16_t group;            /* whose table rc is from, when grouped */
    int64_t rc;                /* 0 = success */
    struct ferry_bytes reason; /* "rsn", no NUL behind it; empty when absent, chunked or no text */
};

/* Find success or failure in an answer's payload: "err" wins over "rc"; absence of both is
 * success, in both versions and whatever the header's version bits say.
 *
 * status  filled only on FERRY_OK; reason points into payload
 *
 * Returns FERRY_OK when the payload could be read (status->rc tells success), else an error of
 * ferry_cbor_read_map(); FERRY_E_FORMAT for an "err" without group or rc; FERRY_E_RANGE for a
 * group beyond 16 or a code beyond 64 bits. What could not be read is never a success. */
FERRY_MUST_CHECK
int ferry_smp_status_read(struct ferry_bytes payload, struct ferry_smp_status *status);

/* Words for a code on the wire. */
struct ferry_smp_words {
    const char *name;   /* "IMAGE_ALREADY_PENDING" */
    const char *cause;  /* what it means */
    const char *remedy; /* what to do next; may be "" */
};

/* Words for an SMP-level rc, or for the error rc of a group. Unknown numbers get "UNKNOWN_CODE";
 * from 256 on an SMP-level rc is the application's own: "EPERUSER".
 * Returns constant strings, never NULL. */
struct ferry_smp_words ferry_smp_rc_words(int64_t rc);
struct ferry_smp_words ferry_smp_group_words(uint16_t group, int64_t rc);

/* Short name of a group ("os", "image", …); "user" from FERRY_SMP_GROUP_USER on; "group" for an
 * unknown one. */
const char *ferry_smp_group_name(uint16_t group);

#endif
