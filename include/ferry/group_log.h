/* SPDX-License-Identifier: Apache-2.0 */
/* SMP group 4, log: what the device noted, as Mynewt's clients read it. Zephyr has no such group.
 *                                                                               [smp.md §3.4]
 * A log is a provider's: ferry/log_ring.h is one in memory. */
#ifndef FERRY_GROUP_LOG_H
#define FERRY_GROUP_LOG_H

#include "ferry/server.h"

/* Mynewt's levels. */
enum ferry_log_level {
    FERRY_LOG_DEBUG = 0,
    FERRY_LOG_INFO = 1,
    FERRY_LOG_WARN = 2,
    FERRY_LOG_ERROR = 3,
    FERRY_LOG_CRITICAL = 4
};

enum ferry_log_type {
    FERRY_LOG_STREAM = 0, /* goes to a console: neither listed nor read */
    FERRY_LOG_MEMORY = 1,
    FERRY_LOG_STORAGE = 2
};

/* What the bytes of a message are. */
enum ferry_log_kind { FERRY_LOG_TEXT = 0, FERRY_LOG_CBOR = 1, FERRY_LOG_BINARY = 2 };

/* One entry, without its message. */
struct ferry_log_entry {
    uint32_t index; /* from 0 on, below UINT32_MAX; each entry of a log has a higher one than those
                       before */
    int64_t ts_us;  /* when, microseconds of the device's clock; above 0, so that a client may ask
                       for what is newer */
    uint8_t level;  /* enum ferry_log_level */
    uint8_t module; /* the product's number */
    uint8_t kind;   /* enum ferry_log_kind */
    uint16_t len;   /* bytes of the message */
};

struct ferry_log_ops {
    /* The oldest entry with an index of at least from. Returns 1; 0: there is none; or an error,
     * which counts as none. */
    int (*next)(void *context, uint32_t from, struct ferry_log_entry *entry);
    /* Copy the first len bytes (at most entry->len) of a message that next just found. */
    void (*read)(void *context, const struct ferry_log_entry *entry, uint8_t *message, size_t len);
    /* The index that the next entry will have. */
    uint32_t (*next_index)(void *context);
    /* Forget all entries; indexes go on. Returns FERRY_OK or an error. NULL: it cannot be. */
    int (*clear)(void *context);
};

struct ferry_log {
    const char *name;
    uint8_t type; /* enum ferry_log_type */
    const struct ferry_log_ops *ops;
    void *context;
};

struct ferry_log_module {
    const char *name;
    uint8_t number;
};

/* Set up once; must outlive the server. It is the context of its mount. */
struct ferry_log_group_config {
    const struct ferry_log *logs;
    size_t log_count;
    const struct ferry_log_module *modules; /* names of the numbers in entries */
    size_t module_count;
};

extern const struct ferry_group ferry_log_group_table;

#endif
