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
    /* May refuse a reset, as a handler does: FERRY_RC_BUSY makes clients ask the person and come
     * back with force. FERRY_RC_OK accepts. NULL accepts all. */
    int (*reset)(void *context, struct ferry_server_call *call, const struct ferry_os_reset *reset);
    void *context; /* for both */
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
