/* SPDX-License-Identifier: Apache-2.0 */
/* Serial ports of USB devices, in a sysfs of the test's. */
#include "cli/station/targets.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

static char root[] = "/tmp/ferry-usb-XXXXXX";

static void put_file(const char *folder, const char *name, const char *text)
{
    char path[512];

    (void)snprintf(path, sizeof path, "%s/%s", folder, name);
    FILE *file = fopen(path, "w");
    assert_non_null(file);
    (void)fprintf(file, "%s\n", text);
    (void)fclose(file);
}

static void make_folder(const char *path)
{
    char command[600];

    (void)snprintf(command, sizeof command, "mkdir -p '%s'", path);
    assert_int_equal(system(command), 0);
}

/* A port as Linux shows it: class/tty/NAME/device leads to the interface, which is in the device.
 */
static void put_port(const char *device, const char *interface, const char *tty)
{
    char folder[256];
    char link[256];
    char target[300];

    (void)snprintf(folder, sizeof folder, "%s/sys/devices/usb1/%s/%s:1.%s/tty/%s", root, device,
                   device, interface, tty);
    make_folder(folder);
    (void)snprintf(folder, sizeof folder, "%s/sys/devices/usb1/%s/%s:1.%s", root, device, device,
                   interface);
    put_file(folder, "bInterfaceNumber", interface);
    (void)snprintf(link, sizeof link, "%s/sys/class/tty/%s", root, tty);
    make_folder(link);
    (void)snprintf(link, sizeof link, "%s/sys/class/tty/%s/device", root, tty);
    (void)snprintf(target, sizeof target, "../../../devices/usb1/%s/%s:1.%s", device, device,
                   interface);
    assert_int_equal(symlink(target, link), 0);
}

static void put_device(const char *device, const char *vendor, const char *product,
                       const char *serial)
{
    char folder[256];

    (void)snprintf(folder, sizeof folder, "%s/sys/devices/usb1/%s", root, device);
    make_folder(folder);
    put_file(folder, "idVendor", vendor);
    put_file(folder, "idProduct", product);
    if (serial != NULL) {
        put_file(folder, "serial", serial);
    }
}

static void move_port(const char *from, const char *to)
{
    char command[400];

    (void)snprintf(command, sizeof command, "cd %s/sys/class/tty && mkdir -p ../gone && mv %s %s",
                   root, from, strchr(to, '/') == NULL ? to : "../gone/");
    assert_int_equal(system(command), 0);
}

static int set_up(void **unused)
{
    char folder[256];
    (void)unused;

    assert_non_null(mkdtemp(root));
    put_device("1-1", "2fe3", "0100", "B2");
    put_port("1-1", "00", "ttyACM3");
    put_device("1-2", "2fe3", "0100", "A1");
    put_port("1-2", "02", "ttyACM0"); /* its second port was named first */
    put_port("1-2", "00", "ttyACM1");
    put_device("1-3", "0403", "6001", NULL);
    put_port("1-3", "00", "ttyUSB0");
    put_device("1-4", "0403", "6001", NULL);
    put_port("1-4", "00", "ttyUSB1");
    (void)snprintf(folder, sizeof folder, "%s/sys/class/tty/ttyS0/device", root);
    make_folder(folder); /* one of no USB device */
    return 0;
}

static int tear_down(void **unused)
{
    char command[100];
    (void)unused;

    (void)snprintf(command, sizeof command, "rm -r '%s'", root);
    return system(command);
}

static void list(void *context, const struct usb_port *port)
{
    char *text = context;
    size_t len = strlen(text);

    (void)snprintf(text + len, 200 - len, "%s%s", len > 0 ? " " : "", port->tty);
}

static void expect(const char *pattern, const char *ports)
{
    char found[200] = "";

    assert_int_equal(usb_find(root, pattern, list, found), FERRY_OK);
    assert_string_equal(found, ports);
}

static void test_ports_by_pattern(void **unused)
{
    (void)unused;
    expect("2fe3:0100", "ttyACM1 ttyACM3"); /* by serial number, the first port of each */
    expect("2FE3:*", "ttyACM1 ttyACM3");
    expect("2fe3:0100:B2", "ttyACM3");
    expect("2fe3:0100:[AC]?", "ttyACM1");
    expect("2fe3:0100:A1:02", "ttyACM0");
    expect("2fe3:0100::00", "ttyACM1 ttyACM3");
    expect("2fe3:0100:A1:*", "ttyACM1 ttyACM0"); /* asked for: every port */
    expect("*:*", "ttyUSB0 ttyUSB1 ttyACM1 ttyACM3");
    expect("dead:beef", "");
}

static void test_what_is_no_pattern(void **unused)
{
    static const char *const wrong[] = {"", "2fe3", ":0100", "2fe3:", "1:2:3:4:5"};
    char found[200] = "";
    (void)unused;

    for (size_t i = 0; i < sizeof wrong / sizeof wrong[0]; i++) {
        assert_int_equal(usb_find(root, wrong[i], list, found), FERRY_E_FORMAT);
    }
    assert_int_equal(usb_find("/nowhere", "2fe3:0100", list, found), FERRY_OK);
    assert_string_equal(found, "");
}

/* The words of -d, with the serial numbers that records have. */
static void test_targets_have_serial_numbers(void **unused)
{
    struct cli cli = {0};
    struct targets targets;
    char uri[300];
    (void)unused;

    targets_init(&targets);
    targets.root = root;
    assert_int_equal(targets_name(&cli, &targets, "usb:2fe3:0100?baud=9600, /dev/ttyACM3"), CLI_OK);
    assert_int_equal(targets_look(&cli, &targets), CLI_OK);
    assert_int_equal(targets.count, 2);
    assert_int_equal(targets.twice, 1); /* the path is one of them, whatever its baud rate */
    (void)snprintf(uri, sizeof uri, "serial:%s/dev/ttyACM1?baud=9600", root);
    assert_string_equal(targets.items[0]->uri, uri);
    assert_string_equal(targets.items[0]->usb.serial, "A1");
    assert_string_equal(targets.items[1]->usb.serial, "B2");
    targets_free(&targets);
}

/* A device that was reset comes back as another port, and another device as its old one. Run last:
 * it renames. */
static void test_a_device_is_found_again_by_its_number(void **unused)
{
    struct cli cli = {0};
    struct targets targets;
    char uri[300];
    char wanted[300];
    (void)unused;

    targets_init(&targets);
    targets.root = root;
    assert_int_equal(targets_name(&cli, &targets, "usb:2fe3:0100:B2?baud=9600"), CLI_OK);
    assert_int_equal(targets_look(&cli, &targets), CLI_OK);
    move_port("ttyACM3", "ttyACM9");
    move_port("ttyACM1", "ttyACM3");
    target_find_again(&targets, targets.items[0], uri, sizeof uri);
    (void)snprintf(wanted, sizeof wanted, "serial:%s/dev/ttyACM9?baud=9600", root);
    assert_string_equal(uri, wanted);
    assert_int_equal(targets_look(&cli, &targets), CLI_OK);
    assert_int_equal(targets.count, 1); /* it is no new one */
    move_port("ttyACM9", "gone/away");
    target_find_again(&targets, targets.items[0], uri, sizeof uri);
    assert_string_equal(uri, targets.items[0]->uri);
    targets_free(&targets);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_ports_by_pattern), cmocka_unit_test(test_what_is_no_pattern),
        cmocka_unit_test(test_targets_have_serial_numbers),
        cmocka_unit_test(test_a_device_is_found_again_by_its_number)};

    return cmocka_run_group_tests(tests, set_up, tear_down);
}
