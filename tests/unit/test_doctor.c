/* SPDX-License-Identifier: Apache-2.0 */
/* What the doctor judges without a device: permissions, ports, bytes, times, silence. */
#include "cli/doctor/doctor.h"
#include "cli/doctor/hearing.h"
#include "cli/doctor/holder.h"
#include "cli/doctor/permission.h"
#include "cli/doctor/port_list.h"
#include "cli/doctor/predict.h"
#include "cli/doctor/silence.h"

#include "ferry/console.h"

#include <poll.h>
#include <pty.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <termios.h>
#include <unistd.h>

#include <cmocka.h>

/* ---- Permission -------------------------------------------------------------------------------
 */

static const gid_t alice_groups[] = {1000, 4};

static struct permission alice_at(mode_t mode, uid_t owner, gid_t group)
{
    return (struct permission){.path = "/dev/ttyACM0",
                               .mode = mode,
                               .owner = owner,
                               .group = group,
                               .owner_name = "root",
                               .group_name = "dialout",
                               .user = 1000,
                               .user_name = "alice",
                               .groups = alice_groups,
                               .group_count = 2};
}

static void test_the_first_class_that_fits_decides(void **state)
{
    (void)state;
    struct permission others = alice_at(0666, 0, 20);
    struct permission group = alice_at(0660, 0, 4);
    struct permission owner = alice_at(0060, 1000, 4); /* the owner is shut out, group or not */
    struct permission none = alice_at(0660, 0, 20);
    struct permission read_only = alice_at(0664, 0, 20);

    assert_true(permission_granted(&others));
    assert_true(permission_granted(&group));
    assert_false(permission_granted(&owner));
    assert_false(permission_granted(&none));
    assert_false(permission_granted(&read_only));
    none.user = 0;
    assert_true(permission_granted(&none));
}

static void test_the_group_to_join_is_named(void **state)
{
    (void)state;
    struct permission permission = alice_at(0660, 0, 20);
    struct permission_words words;

    permission_explain(&permission, &words);
    assert_string_equal(words.fact, "alice is not allowed to use /dev/ttyACM0");
    assert_string_equal(words.why, "it belongs to root, group dialout, mode 0660; alice is not in "
                                   "that group");
    assert_non_null(strstr(words.next, "sudo usermod -aG dialout alice"));

    permission.mode = 0600;
    permission_explain(&permission, &words);
    assert_non_null(strstr(words.next, "udev"));
}

/* ---- Ports ------------------------------------------------------------------------------------
 */

static char root[] = "/tmp/ferry-doctor-XXXXXX";

static void put(const char *path, const char *text)
{
    char full[300];
    snprintf(full, sizeof full, "%s/%s", root, path);
    FILE *file = fopen(full, "w");
    assert_non_null(file);
    fprintf(file, "%s\n", text);
    assert_int_equal(fclose(file), 0);
}

static void folder(const char *path)
{
    char full[300];
    snprintf(full, sizeof full, "%s/%s", root, path);
    assert_int_equal(mkdir(full, 0700), 0);
}

static void link_to(const char *target, const char *path)
{
    char full[300];
    snprintf(full, sizeof full, "%s/%s", root, path);
    assert_int_equal(symlink(target, full), 0);
}

/* A machine with a CDC ACM device, a PC's UART and one that does not exist. */
static int make_machine(void **state)
{
    static const char *const folders[] = {"sys",
                                          "sys/class",
                                          "sys/class/tty",
                                          "sys/class/tty/ttyACM0",
                                          "sys/usb",
                                          "sys/usb/1-1",
                                          "sys/usb/1-1/1-1:1.0",
                                          "sys/class/tty/ttyS0",
                                          "dev",
                                          "dev/serial",
                                          "dev/serial/by-id",
                                          "sys/class/tty/ttyS1",
                                          "sys/class/tty/tty0"};
    (void)state;
    assert_non_null(mkdtemp(root));
    for (size_t i = 0; i < sizeof folders / sizeof folders[0]; i++) {
        folder(folders[i]);
    }
    link_to("../../../usb/1-1/1-1:1.0", "sys/class/tty/ttyACM0/device");
    link_to("../../../drivers/cdc_acm", "sys/usb/1-1/1-1:1.0/driver");
    put("sys/usb/1-1/idVendor", "2fe3");
    put("sys/usb/1-1/idProduct", "0100");
    put("sys/usb/1-1/manufacturer", "ZEPHYR");
    put("sys/usb/1-1/product", "USB-DEV");
    put("sys/usb/1-1/serial", "86FE679A598AC47A");
    put("sys/class/tty/ttyS0/type", "4");
    put("sys/class/tty/ttyS1/type", "0");
    link_to("../../ttyACM0", "dev/serial/by-id/usb-ZEPHYR_USB-DEV_86FE-if00");
    return 0;
}

static int remove_machine(void **state)
{
    char command[64];
    (void)state;
    snprintf(command, sizeof command, "rm -r %s", root);
    return system(command);
}

static void test_ports_are_named_with_what_usb_says(void **state)
{
    struct port_info ports[4];
    char text[200];
    (void)state;

    assert_int_equal(port_list(root, ports, 4), 2);
    assert_string_equal(ports[0].name, "ttyACM0");
    assert_string_equal(ports[0].by_id, "usb-ZEPHYR_USB-DEV_86FE-if00");
    assert_string_equal(ports[0].driver, "cdc_acm");
    port_describe(&ports[0], text, sizeof text);
    assert_string_equal(text, "ZEPHYR USB-DEV (2fe3:0100), serial number 86FE679A598AC47A");
    assert_string_equal(ports[1].name, "ttyS0");
    port_describe(&ports[1], text, sizeof text);
    assert_string_equal(text, "");
    assert_int_equal(port_list(root, ports, 1), 2);
    assert_int_equal(port_list("/nowhere", ports, 4), 0);
}

/* ---- Bytes ------------------------------------------------------------------------------------
 */

static struct ferry_bytes bytes_of(const char *text)
{
    return (struct ferry_bytes){(const uint8_t *)text, strlen(text)};
}

static size_t frame_len;
static uint8_t frame[256];

static void add_line(void *context, const uint8_t *line, size_t len)
{
    (void)context;
    memcpy(frame + frame_len, line, len);
    frame_len += len;
}

static void test_bytes_are_told_apart(void **state)
{
    static const uint8_t packet[] = {0x0b, 0, 0, 3, 0, 0, 7, 0, 0xbf, 0xff, 0xf6};
    static const uint8_t noise[] = {0xfe, 0x80, 0x81, 0xe0, 0x00, 0xfc, 'a', 0x8f};
    char line[40];
    (void)state;

    assert_int_equal(hearing_of((struct ferry_bytes){packet, 0}), HEARING_NOTHING);
    assert_int_equal(hearing_of(bytes_of("uart:~$ \x1b[m\r\n")), HEARING_TEXT);
    assert_int_equal(hearing_of((struct ferry_bytes){noise, sizeof noise}), HEARING_NOISE);
    assert_int_equal(hearing_of((struct ferry_bytes){packet, sizeof packet}), HEARING_PACKETS);
    frame_len = 0;
    assert_true(ferry_console_send((struct ferry_bytes){packet, sizeof packet},
                                   FERRY_CONSOLE_CUT_124, add_line, NULL));
    assert_int_equal(hearing_of((struct ferry_bytes){frame, frame_len}), HEARING_FRAMES);
    hearing_last_line(bytes_of("one\r\ntwo\x07\r\n"), line, sizeof line);
    assert_string_equal(line, "two.");
}

static void test_a_rate_with_text_scores_above_one_with_noise(void **state)
{
    static const uint8_t noise[] = {0xfe, 0x80, 'x', 0x81, 0xe0, 'y', 0x00, 0xfc, 'a', 0x8f, 'b'};
    (void)state;

    assert_int_equal(hearing_score((struct ferry_bytes){noise, 0}), 0);
    assert_true(hearing_score((struct ferry_bytes){noise, sizeof noise}) < 50);
    assert_true(hearing_score(bytes_of("a")) < 10); /* one letter is chance */
    assert_true(hearing_score(bytes_of("[00:00:01] <inf> main: hello\r\n")) >= 90);
}

/* ---- Rates ------------------------------------------------------------------------------------
 */

/* A device at 460800 baud: at that rate it is read as text, at any other as noise. */
static void be_device(int master)
{
    static const char text[] = "[00:00:07.125] <inf> main: it is warm\r\n";
    static const uint8_t noise[] = {0xfe, 0x80, 0x00, 0xe0, 0xf8, 0x1c, 0xff, 0x80, 0xfc, 0x06};
    struct pollfd wait = {.fd = master, .events = POLLIN};
    uint8_t asked[256];
    struct termios line;

    for (;;) {
        if (poll(&wait, 1, 10000) != 1 || read(master, asked, sizeof asked) < 1 ||
            tcgetattr(master, &line) != 0) {
            _exit(1);
        }
        bool good = cfgetospeed(&line) == B460800;
        const void *said = good ? (const void *)text : (const void *)noise;
        if (write(master, said, good ? sizeof text - 1 : sizeof noise) < 0) {
            _exit(1);
        }
    }
}

static void test_the_device_s_rate_is_found(void **state)
{
    static struct doctor doctor;
    struct doctor_finding finding = {.status = DOCTOR_OK};
    int master;
    int slave;
    (void)state;

    assert_int_equal(openpty(&master, &slave, NULL, NULL, NULL), 0);
    doctor.address.baud = 115200;
    doctor.has_rate = true;
    assert_int_equal(ttyname_r(slave, doctor.address.path, sizeof doctor.address.path), 0);
    pid_t device = fork();
    if (device == 0) {
        be_device(master);
    }
    doctor_baud(&doctor, &finding);
    assert_int_equal(kill(device, SIGKILL), 0);
    assert_int_equal(waitpid(device, NULL, 0), device);
    assert_int_equal(finding.status, DOCTOR_FAILED);
    assert_true(finding.is_cause);
    assert_string_equal(finding.fact, "at 460800 baud the device's text can be read");
    assert_non_null(strstr(finding.next, "?baud=460800"));
    doctor.has_rate = false;
    doctor_baud(&doctor, &finding);
    assert_int_equal(finding.status, DOCTOR_SKIPPED);
    close(slave);
    close(master);
}

/* ---- Times ------------------------------------------------------------------------------------
 */

/* The ideal times of an upload of 256 KiB at 115200 baud. [clients-field.md §2.2] */
static void assert_upload(uint32_t buf_size, uint32_t window, uint32_t turnaround_us,
                          double seconds, enum predict_limit limit)
{
    struct predict predict = {.link = FERRY_LINK_CONSOLE,
                              .size = 256 * 1024,
                              .packet_max = ferry_client_packet_max(FERRY_LINK_CONSOLE, buf_size),
                              .window = window,
                              .bytes_per_second = 11520,
                              .turnaround_us = turnaround_us};
    struct prediction found;

    predict_upload(&predict, &found);
    assert_true(found.seconds > seconds * 0.99 && found.seconds < seconds * 1.01);
    assert_int_equal(found.limit, limit);
}

static void test_predicted_times_are_the_ideal_ones(void **state)
{
    (void)state;
    assert_upload(512, 1, 5000, 37.4, PREDICT_BUFFERS);
    assert_upload(512, 1, 20000, 45.6, PREDICT_BUFFERS);
    assert_upload(512, 3, 20000, 33.1, PREDICT_BUFFERS);
    assert_upload(2048, 1, 5000, 32.6, PREDICT_BUFFERS);
    assert_upload(2048, 3, 20000, 31.6, PREDICT_LINE);
}

static void test_a_wire_without_limit_is_limited_by_what_was_measured(void **state)
{
    struct predict predict = {.link = FERRY_LINK_UDP4,
                              .size = 1 << 20,
                              .packet_max = 1472,
                              .window = 1,
                              .turnaround_us = 10000};
    struct prediction found;
    (void)state;

    predict_upload(&predict, &found);
    assert_true(found.seconds > 7.0 && found.seconds < 7.6); /* 725 chunks, 10 ms each */
    assert_int_equal(found.limit, PREDICT_BUFFERS);
    predict.window = 3;
    predict_upload(&predict, &found);
    assert_int_equal(found.limit, PREDICT_TURNAROUND);
}

/* ---- Silence ----------------------------------------------------------------------------------
 */

static void assert_silence(const struct silence *silence, const char *seen)
{
    struct silence_words words;
    silence_explain(silence, &words);
    assert_non_null(strstr(words.seen, seen));
    assert_true(strlen(words.why) > 10 && strlen(words.next) > 10);
}

static void test_every_silence_has_its_words(void **state)
{
    struct silence silence = {.last_text = "", .holders = "PID 1 (minicom)"};
    (void)state;

    assert_silence(&silence, "PID 1 (minicom)");
    silence.holders = "";
    for (int link = FERRY_LINK_CONSOLE; link <= FERRY_LINK_STREAM; link++) {
        silence.facts.link = (enum ferry_client_link)link;
        assert_silence(&silence, "nothing at all");
    }
    silence.facts.text_bytes = 20;
    silence.last_text = "uart:~$ ";
    assert_silence(&silence, "only console text was received, last: \"uart:~$ \"");
    silence.odd_bytes = 10;
    assert_silence(&silence, "no text");
    silence.facts.frames_dropped = 2;
    assert_silence(&silence, "2 damaged frames");
    silence.facts.packets_received = 3;
    assert_silence(&silence, "3 packets came");
    silence.facts.echoed = 3;
    assert_silence(&silence, "what is sent comes back, 3 packets");
    silence.facts.refusals = 1;
    assert_silence(&silence, "nobody listens");
    silence.answered_before = true;
    assert_silence(&silence, "answered before");
}

static void test_known_holders_have_their_own_remedy(void **state)
{
    (void)state;
    assert_non_null(strstr(holder_explain("PID 7 (ModemManager)").next, "ID_MM_DEVICE_IGNORE"));
    assert_non_null(strstr(holder_explain("PID 7 (agetty)").next, "serial-getty"));
    assert_non_null(strstr(holder_explain("PID 7 (brltty)").next, "brltty"));
    assert_non_null(strstr(holder_explain("PID 7 (minicom)").next, "close"));
    assert_non_null(strstr(holder_explain("").next, "fuser"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_the_first_class_that_fits_decides),
        cmocka_unit_test(test_the_group_to_join_is_named),
        cmocka_unit_test_setup_teardown(test_ports_are_named_with_what_usb_says, make_machine,
                                        remove_machine),
        cmocka_unit_test(test_bytes_are_told_apart),
        cmocka_unit_test(test_a_rate_with_text_scores_above_one_with_noise),
        cmocka_unit_test(test_the_device_s_rate_is_found),
        cmocka_unit_test(test_predicted_times_are_the_ideal_ones),
        cmocka_unit_test(test_a_wire_without_limit_is_limited_by_what_was_measured),
        cmocka_unit_test(test_every_silence_has_its_words),
        cmocka_unit_test(test_known_holders_have_their_own_remedy),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
