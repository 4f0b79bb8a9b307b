/* SPDX-License-Identifier: Apache-2.0 */
/* SMP group 0, os: echo, reset, parameters, information about system and bootloader.
 * [smp.md §3.0] */
#ifndef FERRY_GROUP_OS_H
#define FERRY_GROUP_OS_H

#include "ferry/server.h"
#include "ferry/slots.h"

/* Errors of the group on the wire. */
enum ferry_os_error {
    FERRY_OS_ERR_UNKNOWN = 1,
    FERRY_OS_ERR_INVALID_FORMAT = 2,
    FERRY_OS_ERR_QUERY_YIELDS_NO_ANSWER = 3,
    FERRY_OS_ERR_RTC_NOT_SET = 4,
    FERRY_OS_ERR_RTC_COMMAND_FAILED = 5,
    FERRY_OS_ERR_QUERY_RESPONSE_INVALID = 6,
    FERRY_OS_ERR_HEAP_STATS_FAILED = 7,
    FERRY_OS_ERRORS /* how many there are, 0 included */
};

/* What a reset was asked with. */
struct ferry_os_reset {
    bool force;        /* the person insists: do it although the application is busy */
    uint8_t boot_mode; /* 0 normal, 1 stay in the bootloader (recovery); others by product */
};

/* Answering the query "why" of os/8: what the bootloader last did, and for what reason
 * (docs/SERVER.md). NULL in the configuration leaves it out, and the code for it. */
struct ferry_os_why {
    /* A handler; image is the request's field of this name, of any kind or absent. */
    int (*answer)(struct ferry_server_call *call, const struct ferry_store *store,
                  const struct ferry_cbor_field *image);
};

/* From the bootloader's reports in the store (ferry/why.h). */
extern const struct ferry_os_why ferry_os_why_in_store;

/* ---- Tasks, memory, date: what a product tells of itself ------------------------ */

/* What a task does, as bits: Zephyr's. */
enum ferry_os_task_state {
    FERRY_OS_TASK_DUMMY = 1,
    FERRY_OS_TASK_PENDING = 2, /* waits for something */
    FERRY_OS_TASK_SLEEPING = 4,
    FERRY_OS_TASK_DEAD = 8,
    FERRY_OS_TASK_SUSPENDED = 16,
    FERRY_OS_TASK_ABORTING = 32,
    FERRY_OS_TASK_SUSPENDING = 64,
    FERRY_OS_TASK_QUEUED = 128 /* ready to run, or runs */
};

/* What is known of a task beside name, priority and state: the rest is left out of the answer. */
enum ferry_os_task_knows {
    FERRY_OS_TASK_STACK = 1,
    FERRY_OS_TASK_RUNTIME = 2,
    FERRY_OS_TASK_SWITCHES = 4,
    FERRY_OS_TASK_CHECKINS = 8
};

/* One task. What is not filled in is 0. */
struct ferry_os_task {
    const char *name; /* NULL or "": it is named by its number */
    int32_t priority;
    uint32_t state;      /* bits of enum ferry_os_task_state */
    uint32_t knows;      /* bits of enum ferry_os_task_knows: which of these are filled in */
    uint32_t stack_size; /* bytes, and how many were used at most; the answer has words of 4 */
    uint32_t stack_used;
    uint64_t runtime; /* cycles of the processor */
    uint32_t switches;
    uint32_t last_checkin, next_checkin; /* of a watchdog of tasks */
};

/* One memory pool. */
struct ferry_os_pool {
    uint32_t block_size; /* bytes of a block; 1 for a heap, whose bytes are then counted */
    uint32_t blocks;
    uint32_t free_blocks;
    uint32_t free_least; /* that were free at any time */
};

/* A date without a zone. */
struct ferry_os_datetime {
    uint16_t year;                /* 1900 .. 11899 */
    uint8_t month, day;           /* 1 .. 12, 1 .. 31 */
    uint8_t hour, minute, second; /* 0 .. 23, 0 .. 59, 0 .. 59 */
    uint16_t millisecond;         /* 0 .. 999 */
};

/* The device's clock. A function that is NULL makes its operation "not supported"; context is the
 * configuration's. */
struct ferry_os_clock {
    /* Returns FERRY_OK; FERRY_E_NOT_FOUND when it was never set; or another error. */
    int (*get)(void *context, struct ferry_os_datetime *now);
    /* The date exists. Returns FERRY_OK or an error. */
    int (*set)(void *context, const struct ferry_os_datetime *now);
    bool milliseconds; /* are told; they are always taken */
};

/* For clocks that count: milliseconds since 1970-01-01T00:00:00, negative before, and back.
 * ms      from year 1900 to 11899, else the nearest date of these
 * date    its fields are in their ranges */
void ferry_os_datetime_from_ms(int64_t ms, struct ferry_os_datetime *date);
int64_t ferry_os_datetime_to_ms(const struct ferry_os_datetime *date);

/* Days of a month (1 .. 12). */
uint8_t ferry_os_days_of_month(uint32_t year, uint32_t month);

struct ferry_os_group_config;

/* Answering the query "measured" of os/8: what the bootloader left in the shared data area, and
 * what the device demands of images. NULL in the configuration leaves it out, and its code. */
struct ferry_os_measured {
    /* A handler; image as in struct ferry_os_why. */
    int (*answer)(struct ferry_server_call *call, const struct ferry_os_group_config *config,
                  const struct ferry_cbor_field *image);
};

/* From config->shared and the store of config->images. */
extern const struct ferry_os_measured ferry_os_measured_in_memory;

/* Set up once; must outlive the group. */
struct ferry_os_group_config {
    const char *bootloader; /* name os/8 answers; NULL = "MCUboot", which is what clients know */
    int8_t bootloader_mode; /* enum ferry_boot_mode of image 0's strategy; -1 = unknown */
    const char *recovery;   /* this is the bootloader's own server, and how it was entered, in a
                               word; NULL in an application */
    bool no_downgrade;      /* the bootloader refuses older versions */
    bool boot_modes;        /* boot_mode of a reset is taken (and checked); else ignored */
    const struct ferry_os_why *why;  /* answers the query "why" of os/8; NULL = unknown query */
    const struct ferry_store *store; /* the device's, open, for it; NULL = unknown query too */
    const struct ferry_os_measured *measured; /* answers the query "measured"; NULL = unknown */
    struct ferry_bytes shared;                /* the area (ferry/shared_data.h), for it */
    const struct ferry_slots *images; /* image_count of them, whose policy and store say what is
                                         demanded; for it */
    uint32_t image_count;
    /* The text behind a letter of os/7: s kernel name, n node name, r release, v version, b build
     * time, m machine, p processor, i board, o operating system. NULL for a letter it does not
     * know. NULL as a whole: the command is not supported. */
    const char *(*info)(void *context, char letter);
    /* More letters of os/7, in the order of the answer, behind those; info answers them, too. Not
     * "a", which asks for all. NULL: none. */
    const char *info_letters;
    /* Fill in a task of os/2 or a pool of os/3, numbered from 0. Return FERRY_OK;
     * FERRY_E_NOT_FOUND behind the last; another error when it cannot be told. They are asked
     * again and again: the names of tasks stay until the answer is written. NULL: the command is
     * not supported. */
    int (*task)(void *context, uint32_t number, struct ferry_os_task *task);
    int (*pool)(void *context, uint32_t number, struct ferry_os_pool *pool);
    const struct ferry_os_clock *clock; /* of os/4; NULL: the command is not supported */
    /* May refuse a reset, as a handler does: FERRY_RC_BUSY makes clients ask the person and come
     * back with force. FERRY_RC_OK accepts. NULL accepts all. */
    int (*reset)(void *context, struct ferry_server_call *call, const struct ferry_os_reset *reset);
    void *context; /* for all of these functions */
    /* The bootloader is the second stage of an immutable first one ("B0") and runs from this slot:
     * answers the query "active_b0_slot" of os/8, as Nordic's firmware does. */
    bool has_b0;
    uint8_t b0_slot; /* 0 = S0, 1 = S1 */
};

/* The state of one os group; do not rely on the contents. */
struct ferry_os_group {
    const struct ferry_os_group_config *config;
    bool reset_due;
    struct ferry_os_reset reset;
};

/* All commands. Mount it with a struct ferry_os_group * as context. */
extern const struct ferry_group ferry_os_group_table;

/* Echo, reset and parameters, for the smallest servers. Mounted in the same way. */
extern const struct ferry_group ferry_os_minimal_table;

/* The handlers, for a table of a product's own with other commands: see core/server/os_minimal.c.
 * call->context is the struct ferry_os_group. A file each, so that the linker leaves out what no
 * table names. */
int ferry_os_handle_echo(struct ferry_server_call *call); /* read and write */
int ferry_os_handle_console_echo(struct ferry_server_call *call);
int ferry_os_handle_tasks(struct ferry_server_call *call);
int ferry_os_handle_pools(struct ferry_server_call *call);
int ferry_os_handle_datetime(struct ferry_server_call *call);     /* read */
int ferry_os_handle_datetime_set(struct ferry_server_call *call); /* write */
int ferry_os_handle_reset(struct ferry_server_call *call);
int ferry_os_handle_params(struct ferry_server_call *call);
int ferry_os_handle_info(struct ferry_server_call *call);
int ferry_os_handle_bootloader_info(struct ferry_server_call *call);

/* The group's errors for version 1. */
extern const uint8_t ferry_os_v1_rc[FERRY_OS_ERRORS];

void ferry_os_group_init(struct ferry_os_group *group, const struct ferry_os_group_config *config);

/* Whether a reset was accepted. The port resets once the answer has left the device (Zephyr:
 * 250 ms later).
 *
 * reset  filled when the answer is true; may be NULL */
bool ferry_os_group_reset_due(const struct ferry_os_group *group, struct ferry_os_reset *reset);

#endif
