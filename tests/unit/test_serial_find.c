/* SPDX-License-Identifier: Apache-2.0 */
/* A USB device's port found again under another name, in a sysfs of folders and links made here. */
#include "port/posix/serial_find.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static char g_sys[64];

static void run(const char *command)
{
    assert_int_equal(system(command), 0);
}

static int set_up(void **state)
{
    (void)state;
    snprintf(g_sys, sizeof g_sys, "/tmp/ferry-sys-XXXXXX");
    assert_non_null(mkdtemp(g_sys));
    return 0;
}

static int tear_down(void **state)
{
    char command[128];

    (void)state;
    snprintf(command, sizeof command, "rm -r %s", g_sys);
    run(command);
    return 0;
}

/* Plug a device into a socket: its port is tty, of an interface. serial "" = none. */
static void plug(const char *socket, const char *product, const char *serial, const char *interface,
                 const char *tty)
{
    char command[1024];

    snprintf(command, sizeof command,
             "set -e; mkdir -p %s/sys; cd %s/sys; d=devices/usb1/%s; i=$d/%s:1.%s; mkdir -p "
             "$i/tty/%s class/tty/%s; "
             "echo 2fe3 >$d/idVendor; echo %s >$d/idProduct; echo %s >$i/bInterfaceNumber; "
             "test -z '%s' || echo '%s' >$d/serial; ln -s ../../../$i class/tty/%s/device",
             g_sys, g_sys, socket, socket, interface, tty, tty, product, interface, serial, serial,
             tty);
    run(command);
}

static void unplug(const char *socket)
{
    char command[512];

    snprintf(
        command, sizeof command,
        "cd %s/sys; rm -r devices/usb1/%s; for t in class/tty/*; do test -e $t/device || rm -r $t; "
        "done",
        g_sys, socket);
    run(command);
}

static void expect(const struct ferry_serial_id *id, const char *path)
{
    char found[128] = "";
    char wanted[128];

    assert_int_equal(ferry_serial_find(g_sys, id, found, sizeof found), path != NULL);
    if (path != NULL) {
        snprintf(wanted, sizeof wanted, "%s%s", g_sys, path);
        assert_string_equal(found, wanted);
    }
}

static void test_what_a_port_is_known_by(void **state)
{
    struct ferry_serial_id id;

    (void)state;
    plug("1-1.2", "0100", "A55", "00", "ttyACM0");
    assert_true(ferry_serial_identify(g_sys, "/dev/ttyACM0", &id));
    assert_string_equal(id.vendor, "2fe3");
    assert_string_equal(id.product, "0100");
    assert_string_equal(id.serial, "A55");
    assert_string_equal(id.interface, "00");
    assert_non_null(strstr(id.place, "/devices/usb1/1-1.2"));
    assert_false(ferry_serial_identify(g_sys, "/dev/ttyS0", &id));
    assert_string_equal(id.vendor, "");
    expect(&id, NULL); /* of what is not known nothing is found */
}

static void test_it_comes_back_under_another_name(void **state)
{
    struct ferry_serial_id id;

    (void)state;
    plug("1-1.2", "0100", "A55", "00", "ttyACM0");
    assert_true(ferry_serial_identify(g_sys, "/dev/ttyACM0", &id));
    unplug("1-1.2");
    expect(&id, NULL);
    plug("1-1.3", "0100", "B66", "00", "ttyACM0"); /* another one has its name now */
    expect(&id, NULL);
    plug("1-4", "0100", "A55", "00", "ttyACM1");
    expect(&id, "/dev/ttyACM1");
}

/* Many bootloaders have another product number, or no serial number. */
static void test_its_bootloader_is_the_same_device(void **state)
{
    struct ferry_serial_id id;

    (void)state;
    plug("1-1.2", "0100", "A55", "00", "ttyACM0");
    assert_true(ferry_serial_identify(g_sys, "/dev/ttyACM0", &id));
    unplug("1-1.2");
    plug("1-1.2", "000c", "", "00", "ttyACM7");
    expect(&id, "/dev/ttyACM7");
    unplug("1-1.2");
    plug("1-1.2", "000c", "boot", "00", "ttyACM7");
    expect(&id, "/dev/ttyACM7");
    plug("1-1.3", "0100", "A55", "00", "ttyACM8"); /* it was plugged elsewhere meanwhile */
    expect(&id, "/dev/ttyACM8");
}

static void test_without_a_serial_number_the_socket_counts(void **state)
{
    struct ferry_serial_id id;

    (void)state;
    plug("1-1.2", "0100", "", "00", "ttyACM0");
    assert_true(ferry_serial_identify(g_sys, "/dev/ttyACM0", &id));
    unplug("1-1.2");
    plug("1-1.3", "0100", "", "00", "ttyACM0");
    expect(&id, NULL);
    plug("1-1.2", "0100", "", "00", "ttyACM1");
    expect(&id, "/dev/ttyACM1");
}

static void test_of_several_ports_the_same_interface(void **state)
{
    struct ferry_serial_id id;

    (void)state;
    plug("1-1.2", "0100", "A55", "00", "ttyACM0");
    plug("1-1.2", "0100", "A55", "02", "ttyACM1");
    assert_true(ferry_serial_identify(g_sys, "/dev/ttyACM1", &id));
    unplug("1-1.2");
    plug("1-1.2", "0100", "A55", "02", "ttyACM4");
    plug("1-1.2", "0100", "A55", "00", "ttyACM5");
    expect(&id, "/dev/ttyACM4");
    unplug("1-1.2");
    plug("1-1.2", "0100", "A55", "04", "ttyACM8");
    plug("1-1.2", "0100", "A55", "00", "ttyACM9"); /* neither: the first */
    expect(&id, "/dev/ttyACM9");
}

/* As udev's: /dev/serial/by-id/… */
static void test_a_link_to_a_port(void **state)
{
    struct ferry_serial_id id;
    char target[128];
    char link[128];

    (void)state;
    plug("1-1.2", "0100", "A55", "00", "ttyACM0");
    snprintf(target, sizeof target, "%s/ttyACM0", g_sys);
    snprintf(link, sizeof link, "%s/by-id", g_sys);
    fclose(fopen(target, "w"));
    assert_int_equal(symlink(target, link), 0);
    assert_true(ferry_serial_identify(g_sys, link, &id));
    assert_string_equal(id.serial, "A55");
}

static void test_without_sysfs_nothing_is_found(void **state)
{
    struct ferry_serial_id id;

    (void)state;
    assert_false(ferry_serial_identify("/nowhere/at/all", "/dev/ttyACM0", &id));
    id = (struct ferry_serial_id){.vendor = "2fe3", .serial = "A55"};
    char path[16];
    assert_false(ferry_serial_find("/nowhere/at/all", &id, path, sizeof path));
}

#define CASE(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        CASE(test_what_a_port_is_known_by),
        CASE(test_it_comes_back_under_another_name),
        CASE(test_its_bootloader_is_the_same_device),
        CASE(test_without_a_serial_number_the_socket_counts),
        CASE(test_of_several_ports_the_same_interface),
        CASE(test_a_link_to_a_port),
        CASE(test_without_sysfs_nothing_is_found),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
