/* SPDX-License-Identifier: Apache-2.0 */
/* The device's radio between BlueZ's descriptors and what BlueZ says: who wrote what. */
#include "device/ble_parts.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

/* ---- The bus, as far as it is needed -----------------------------------------------------------
 */

static void (*news)(struct ble *ble); /* what is on the bus; NULL: nothing */
static struct ble ble;

int sd_bus_process(sd_bus *bus, sd_bus_message **message)
{
    void (*now)(struct ble *) = news;

    (void)bus;
    (void)message;
    news = NULL;
    if (now == NULL) {
        return 0;
    }
    now(&ble);
    return 1;
}

static void told(void *context, uint32_t link, const struct ferry_vchip_peer *state)
{
    (void)context;
    (void)link;
    (void)state;
}

/* ---- Tests -------------------------------------------------------------------------------------
 */

/* A central that writes by a descriptor. Returns BlueZ's end of it. */
static int begin(void)
{
    int ends[2];
    struct ble_link *link;

    memset(&ble, 0, sizeof(ble));
    ble.config.told = told;
    ble.in.end = &ble.in.first;
    ble.out.end = &ble.out.first;
    ble.notify_fd = -1;
    link = ble_link_of(&ble, "/org/bluez/hci0/dev_00_00_00_00_00_0A", 247);
    assert_non_null(link);
    assert_int_equal(socketpair(AF_UNIX, SOCK_SEQPACKET, 0, ends), 0);
    ble.write_fd = ends[0];
    ble.write_link = link->number;
    return ends[1];
}

static void a_value_of_a_central_that_is_alone_is_its_own(void **state)
{
    int bluez = begin();

    (void)state;
    assert_int_equal(send(bluez, "A", 1, 0), 1);
    ble_work(&ble);
    assert_non_null(ble_first(&ble));
    assert_int_equal(ble_first(&ble)->link, ble.links[0].number);
    ble_drop(&ble);
    ble_close_write(&ble);
    (void)close(bluez);
}

static void a_central_is_named_by_kind_and_address(void **state)
{
    int bluez = begin();

    (void)state;
    assert_string_equal(ble.links[0].state.identity, "ble:00:00:00:00:00:0A");
    ble_close_write(&ble);
    (void)close(bluez);
}

/* As ble_objects.c does when another one is connected. */
static void another_one_connects(struct ble *of)
{
    ble_close_write(of);
}

/* Both are there when the device looks: the descriptor's values may be either's. */
static void a_second_centrals_value_is_not_the_firsts(void **state)
{
    int bluez = begin();

    (void)state;
    assert_int_equal(send(bluez, "B", 1, 0), 1);
    news = another_one_connects;
    ble_work(&ble);
    assert_null(ble_first(&ble));
    (void)close(bluez);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_value_of_a_central_that_is_alone_is_its_own),
        cmocka_unit_test(a_central_is_named_by_kind_and_address),
        cmocka_unit_test(a_second_centrals_value_is_not_the_firsts),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
