/* SPDX-License-Identifier: Apache-2.0 */
/* The heap of deadlines of `ferry station`, against a search through all. */
#include "cli/station/heap.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#define ENTRIES 200

static uint32_t state = 1;

static uint32_t any(uint32_t below)
{
    state = state * 1664525U + 1013904223U;
    return (state >> 8) % below;
}

static uint64_t earliest(const struct heap_entry *entries)
{
    uint64_t due = HEAP_NEVER;

    for (size_t i = 0; i < ENTRIES; i++) {
        due = entries[i].at != 0 && entries[i].due < due ? entries[i].due : due;
    }
    return due;
}

static void test_the_first_is_due_first(void **unused)
{
    static struct heap_entry entries[ENTRIES];
    struct heap heap = {0};
    (void)unused;

    assert_null(heap_first(&heap));
    for (int round = 0; round < 20000; round++) {
        struct heap_entry *entry = &entries[any(ENTRIES)];
        uint64_t due = any(4) == 0 ? HEAP_NEVER : any(1000);

        assert_true(heap_set(&heap, entry, due));
        assert_int_equal(entry->at != 0, due != HEAP_NEVER);

        const struct heap_entry *first = heap_first(&heap);
        assert_int_equal(first != NULL ? first->due : HEAP_NEVER, earliest(entries));
    }
    heap_free(&heap);
}

static void test_it_empties_in_order(void **unused)
{
    static struct heap_entry entries[ENTRIES];
    struct heap heap = {0};
    uint64_t last = 0;
    size_t count = 0;
    (void)unused;

    for (size_t i = 0; i < ENTRIES; i++) {
        assert_true(heap_set(&heap, &entries[i], any(50)));
    }
    for (struct heap_entry *first; (first = heap_first(&heap)) != NULL; count++) {
        assert_true(first->due >= last);
        last = first->due;
        assert_true(heap_set(&heap, first, HEAP_NEVER));
        assert_true(heap_set(&heap, first, HEAP_NEVER)); /* it is not there: nothing happens */
    }
    assert_int_equal(count, ENTRIES);
    heap_free(&heap);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_the_first_is_due_first),
                                       cmocka_unit_test(test_it_empties_in_order)};

    return cmocka_run_group_tests(tests, NULL, NULL);
}
