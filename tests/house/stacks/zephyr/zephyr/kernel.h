/* SPDX-License-Identifier: Apache-2.0 */
/* Declarations of Zephyr that examples/ble_zephyr.c uses; see the README beside this folder. */
#ifndef STACK_ZEPHYR_KERNEL_H
#define STACK_ZEPHYR_KERNEL_H

#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

typedef struct {
    int64_t ticks;
} k_timeout_t;

#define K_FOREVER ((k_timeout_t){-1})

struct k_mutex {
    int depth;
};
struct k_sem {
    unsigned int count;
    unsigned int limit;
};

#define K_MUTEX_DEFINE(name) struct k_mutex name
#define K_SEM_DEFINE(name, initial_count, count_limit)                                             \
    struct k_sem name = {(initial_count), (count_limit)}

int k_mutex_lock(struct k_mutex *mutex, k_timeout_t timeout);
int k_mutex_unlock(struct k_mutex *mutex);
int k_sem_take(struct k_sem *sem, k_timeout_t timeout);
void k_sem_give(struct k_sem *sem);

/* zephyr/sys/atomic.h: the value before */
typedef long atomic_t;
typedef atomic_t atomic_val_t;

atomic_val_t atomic_get(const atomic_t *target);
atomic_val_t atomic_set(atomic_t *target, atomic_val_t value);
atomic_val_t atomic_inc(atomic_t *target);
atomic_val_t atomic_dec(atomic_t *target);

/* zephyr/sys/printk.h */
int snprintk(char *str, size_t size, const char *fmt, ...);

#endif
