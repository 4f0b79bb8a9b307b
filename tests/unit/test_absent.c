/* SPDX-License-Identifier: Apache-2.0 */
/* A ferry that was built without a wire says so. Both kinds of ferry have the same names, so the
 * other one's have others here. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <string.h>

#define ferry_medium_ble absent_ble
#define ferry_ble_scan   absent_scan
#include "port/bluez/absent.c"
#undef ferry_medium_ble

static void without_bluetooth(void **state)
{
    struct ferry_transport transport = {.fd = -1};
    struct ferry_transport_address address;
    struct ferry_ble_found *list;
    size_t count;
    char why[200];

    (void)state;
    assert_int_equal(ferry_transport_parse("ble:pump?adapter=hci1", &address, why, sizeof why),
                     FERRY_OK);
    assert_string_equal(address.path, "pump");
    assert_string_equal(address.adapter, "hci1");
    assert_int_equal(absent_ble.open(&transport, &address, why, sizeof why), FERRY_E_CONFIG);
    assert_non_null(strstr(why, "built without Bluetooth LE; "));
    why[0] = '\0';
    assert_int_equal(ferry_ble_scan("", 1, false, &list, &count, why, sizeof why), FERRY_E_CONFIG);
    assert_null(list);
    assert_int_equal(count, 0);
    assert_non_null(strstr(why, "libsystemd"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(without_bluetooth),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
