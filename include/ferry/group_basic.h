/* SPDX-License-Identifier: Apache-2.0 */
/* SMP group 63, Zephyr's basic group: erase what the application stored. [smp.md §3.10] */
#ifndef FERRY_GROUP_BASIC_H
#define FERRY_GROUP_BASIC_H

#include "ferry/server.h"

/* Errors of the group on the wire. */
enum ferry_basic_error {
    FERRY_BASIC_ERR_UNKNOWN = 1,
    FERRY_BASIC_ERR_FLASH_OPEN_FAILED = 2,
    FERRY_BASIC_ERR_FLASH_CONFIG_QUERY_FAIL = 3,
    FERRY_BASIC_ERR_FLASH_ERASE_FAILED = 4
};

/* Must outlive the server. */
struct ferry_basic_group_config {
    /* Erase the application's storage, and nothing else: not the records by which a device boots
     * (ferry/store.h). Returns FERRY_OK; FERRY_E_NOT_FOUND when there is no storage (error 2);
     * FERRY_E_CONFIG when its layout makes no sense (3); or another error (4). NULL: the command
     * is not supported. */
    int (*erase)(void *context);
    void *context;
};

/* The context of its mount is a const struct ferry_basic_group_config. */
extern const struct ferry_group ferry_basic_group_table;

#endif
