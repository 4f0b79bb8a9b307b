/* SPDX-License-Identifier: Apache-2.0 */
/* The chip's side of the program interface: what it does for a program, and that no message of a
 * program gone mad does harm. The program here is a sleeping process; the test speaks for it. */
#include "device/chip.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#define SECTOR    4096
#define WRITE     8
#define DEVICE_MB 1048576

struct rig {
    char folder[64];
    struct options options;
    struct board board;
    struct chip chip;
    int program; /* the program's end of the channel */
};

/* ---- The rig ---------------------------------------------------------------------------- */

static void give_program(struct rig *rig)
{
    int ends[2];

    assert_int_equal(socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC | SOCK_NONBLOCK, 0, ends),
                     0);
    rig->chip.program.channel = ends[0];
    rig->program = ends[1];
    rig->chip.program.pid = fork();
    if (rig->chip.program.pid == 0) {
        (void)alarm(60);
        for (;;) {
            (void)pause();
        }
    }
    assert_true(rig->chip.program.pid > 0);
    rig->chip.exit_code = -1;
    rig->chip.cause = FERRY_VCHIP_POWER_ON;
}

static struct rig *begin(void)
{
    static const char template[] = "/tmp/ferry-chip-XXXXXX";
    struct rig *rig = calloc(1, sizeof(*rig));
    char why[BOARD_WHY_MAX] = "";

    assert_non_null(rig);
    memcpy(rig->folder, template, sizeof(template));
    assert_non_null(mkdtemp(rig->folder));
    rig->options = (struct options){.dir = rig->folder, .quiet = true, .udp = -1};
    assert_int_equal(board_open(&rig->board, &rig->options, why), FERRY_OK);
    rig->chip.board = &rig->board;
    rig->chip.options = &rig->options;
    ferry_flash_cutter_init(&rig->chip.flash[0], &rig->board.nor[0].flash, &rig->chip.power);
    rig->chip.udp.fds[UDP_V4] = -1;
    rig->chip.udp.fds[UDP_V6] = -1;
    rig->chip.ram.fd = -1;
    rig->chip.udp.tx.end = &rig->chip.udp.tx.first;
    rig->chip.readers[0] = ferry_nor_file_reader(&rig->board.nor[0]);
    give_program(rig);
    return rig;
}

static void end(struct rig *rig)
{
    char command[96];

    program_kill(&rig->chip.program);
    (void)close(rig->program);
    (void)close(rig->chip.readers[0]);
    board_close(&rig->board);
    (void)snprintf(command, sizeof(command), "rm -r %s", rig->folder);
    assert_int_equal(system(command), 0);
    free(rig);
}

/* A message from the program, served. */
static void say(struct rig *rig, const struct ferry_vchip_message *message, const void *bytes,
                size_t len)
{
    static uint8_t packet[sizeof(*message) + FERRY_VCHIP_SEND_MAX + 64];

    memcpy(packet, message, sizeof(*message));
    if (len > 0) {
        memcpy(packet + sizeof(*message), bytes, len);
    }
    assert_int_equal(send(rig->program, packet, sizeof(*message) + len, 0), sizeof(*message) + len);
    chip_serve(&rig->chip, chip_now());
}

/* The chip's answer to an operation. */
static int answer(struct rig *rig)
{
    struct ferry_vchip_message message;

    assert_int_equal(recv(rig->program, &message, sizeof(message), 0), sizeof(message));
    assert_int_equal(message.kind, FERRY_VCHIP_ANSWER);
    return (int)(int32_t)message.b;
}

static bool is_quiet(struct rig *rig)
{
    uint8_t byte;

    return recv(rig->program, &byte, 1, 0) <= 0;
}

static int program(struct rig *rig, uint32_t offset, const void *bytes, size_t len)
{
    const struct ferry_vchip_message message = {FERRY_VCHIP_PROGRAM, 0, offset, 0};

    say(rig, &message, bytes, len);
    return answer(rig);
}

static int erase(struct rig *rig, uint32_t offset, uint32_t len)
{
    const struct ferry_vchip_message message = {FERRY_VCHIP_ERASE, 0, offset, len};

    say(rig, &message, NULL, 0);
    return answer(rig);
}

/* ---- Flash ----------------------------------------------------------------------------------- */

static void flash_obeys_its_rules(void **state)
{
    struct rig *rig = begin();
    uint8_t bytes[FERRY_VCHIP_PROGRAM_MAX];

    (void)state;
    memset(bytes, 0x5a, sizeof(bytes));
    assert_int_equal(program(rig, 0x30000, bytes, sizeof(bytes)), FERRY_OK);
    assert_memory_equal(rig->board.nor[0].memory + 0x30000, bytes, sizeof(bytes));
    assert_int_equal(program(rig, 0x30000, bytes, WRITE), FERRY_E_NOT_ERASED);
    assert_int_equal(program(rig, 0x40004, bytes, WRITE), FERRY_E_ALIGN);
    assert_int_equal(program(rig, 0x40000, bytes, 5), FERRY_E_ALIGN);
    assert_int_equal(program(rig, DEVICE_MB - WRITE, bytes, 2 * WRITE), FERRY_E_BOUNDS);
    assert_int_equal(program(rig, UINT32_MAX - 7, bytes, WRITE), FERRY_E_BOUNDS);
    assert_int_equal(program(rig, 0x40000, bytes, 0), FERRY_OK);
    assert_int_equal(erase(rig, 0x30000, SECTOR), FERRY_OK);
    assert_int_equal(ferry_flash_is_erased(&rig->board.nor[0].flash, 0x30000, SECTOR), 1);
    assert_int_equal(erase(rig, 0x30000, SECTOR / 2), FERRY_E_ALIGN);
    assert_int_equal(erase(rig, 0x30000, UINT32_MAX), FERRY_E_BOUNDS);
    assert_int_equal(erase(rig, DEVICE_MB, SECTOR), FERRY_E_BOUNDS);
    assert_int_equal(rig->chip.cause, FERRY_VCHIP_POWER_ON); /* none of it was a fault */
    end(rig);
}

static void operations_take_their_time(void **state)
{
    struct rig *rig = begin();
    const struct ferry_vchip_message message = {FERRY_VCHIP_ERASE, 0, 0x30000, 3 * SECTOR};
    const uint8_t unit[WRITE] = {0};

    (void)state;
    assert_int_equal(program(rig, 0x30000, unit, WRITE), FERRY_OK);
    rig->options.erase_ms = 20;
    uint64_t now = chip_now();
    say(rig, &message, NULL, 0);
    assert_true(chip_stands(&rig->chip));
    assert_in_range(rig->chip.stands_until - now, 60000000, 70000000);
    assert_true(is_quiet(rig));
    assert_int_equal(rig->board.nor[0].memory[0x30000], 0); /* not done yet */
    /* Nothing else is heard until then. */
    const struct ferry_vchip_message feed = {.kind = FERRY_VCHIP_RETAIN, .b = 7};
    say(rig, &feed, NULL, 0);
    assert_int_equal(rig->chip.boot_mode, 0);
    chip_operate(&rig->chip);
    assert_int_equal(answer(rig), FERRY_OK);
    assert_int_equal(rig->board.nor[0].memory[0x30000], 0xff);
    chip_serve(&rig->chip, chip_now());
    assert_int_equal(rig->chip.boot_mode, 7);
    end(rig);
}

static void the_power_is_cut_at_an_operation(void **state)
{
    static const enum ferry_cut hows[] = {FERRY_CUT_BEFORE, FERRY_CUT_INSIDE, FERRY_CUT_AFTER};
    static const uint8_t expected[3][2] = {{0xff, 0xff}, {0, 0xff}, {0, 0}}; /* of both units */
    const uint8_t units[2 * WRITE] = {0};

    (void)state;
    for (size_t i = 0; i < 3; i++) {
        struct rig *rig = begin();
        const struct ferry_vchip_message message = {FERRY_VCHIP_PROGRAM, 0, 0x40000, 0};
        rig->chip.power = (struct ferry_power){.cut_at = 3, .how = hows[i]};
        assert_int_equal(program(rig, 0x30000, units, WRITE), FERRY_OK);
        assert_int_equal(erase(rig, 0x30000, SECTOR), FERRY_OK);
        say(rig, &message, units, sizeof(units));
        assert_int_equal(rig->chip.exit_code, EXIT_CUT);
        assert_true(is_quiet(rig));
        assert_int_equal(rig->board.nor[0].memory[0x40000], expected[i][0]);
        assert_int_equal(rig->board.nor[0].memory[0x40000 + WRITE], expected[i][1]);
        end(rig);
    }
}

/* ---- Messages that cannot be ------------------------------------------------------------------
 */

static void wrong_messages_are_faults(void **state)
{
    static const struct {
        struct ferry_vchip_message message;
        size_t len;
    } wrong[] = {
        {{0, 0, 0, 0}, 0},
        {{99, 0, 0, 0}, 0},
        {{UINT32_MAX, UINT32_MAX, UINT32_MAX, UINT32_MAX}, 0},
        {{FERRY_VCHIP_START, 0, 0, 0}, 0},
        {{FERRY_VCHIP_ANSWER, 0, 0, 0}, 0},
        {{FERRY_VCHIP_RECEIVED, 0, 0, 0}, 5},
        {{FERRY_VCHIP_PROGRAM, 1, 0, 0}, WRITE},
        {{FERRY_VCHIP_PROGRAM, UINT32_MAX, 0, 0}, WRITE},
        {{FERRY_VCHIP_PROGRAM, 0, 0, 0}, FERRY_VCHIP_PROGRAM_MAX + WRITE},
        {{FERRY_VCHIP_ERASE, 4, 0, SECTOR}, 0},
        {{FERRY_VCHIP_SEND, FERRY_VCHIP_WIRES, 0, 0}, 1},
        {{FERRY_VCHIP_SEND, UINT32_MAX, 0, 0}, 1},
        {{FERRY_VCHIP_SEND, 0, 0, 0}, FERRY_VCHIP_SEND_MAX + 1},
        {{FERRY_VCHIP_WATCHDOG, 0, 0, 0}, 0},
        {{FERRY_VCHIP_BOOT, 1, 0, 100}, 0},
        {{FERRY_VCHIP_BOOT, 0, 0, 0}, 0},
        {{FERRY_VCHIP_BOOT, 0, 0, DEVICE_MB + 1}, 0},
        {{FERRY_VCHIP_BOOT, 0, UINT32_MAX, 2}, 0},
        {{FERRY_VCHIP_BOOT, 0, 100, UINT32_MAX}, 0},
    };
    static const uint8_t bytes[FERRY_VCHIP_SEND_MAX + 1];
    const size_t count = sizeof(wrong) / sizeof(wrong[0]);
    struct rig *rig = begin();

    (void)state;
    for (size_t i = 0; i < count; i++) {
        say(rig, &wrong[i].message, bytes, wrong[i].len);
        if (rig->chip.cause != FERRY_VCHIP_FAULT || rig->chip.program.pid != 0) {
            print_message("message %zu was no fault\n", i);
            fail();
        }
        assert_int_equal(rig->chip.exit_code, -1);
        assert_int_not_equal(rig->chip.start_at, CHIP_NEVER); /* it starts again */
        (void)close(rig->program);
        give_program(rig);
    }
    print_message("%zu wrong messages\n", count);
    assert_int_equal(send(rig->program, bytes, sizeof(struct ferry_vchip_message) - 1, 0), 15);
    chip_serve(&rig->chip, chip_now());
    assert_int_equal(rig->chip.cause, FERRY_VCHIP_FAULT);
    end(rig);
}

/* Thousands of messages of random bytes: the chip stays whole and flash obeys its rules. */
static void random_messages_do_no_harm(void **state)
{
    static uint8_t bytes[FERRY_VCHIP_SEND_MAX];
    struct rig *rig = begin();
    uint32_t random = 12345;
    size_t faults = 0;

    (void)state;
    rig->options.rx_fifo = 16;
    for (size_t i = 0; i < 3000; i++) {
        uint32_t words[5];
        for (size_t w = 0; w < 5; w++) {
            random = random * 1664525 + 1013904223;
            words[w] = random >> 8;
        }
        /* BOOT is tried elsewhere: it would start processes. */
        const struct ferry_vchip_message message = {
            words[0] % 8, words[1] % 3 == 0 ? words[1] : words[1] % 2, words[2] % (2 * DEVICE_MB),
            words[3] % (3 * SECTOR)};
        say(rig, &message, bytes, words[4] % (words[4] % 7 == 0 ? sizeof(bytes) : 64));
        while (!is_quiet(rig)) {
        }
        if (rig->chip.program.pid == 0) {
            faults++;
            (void)close(rig->program);
            give_program(rig);
        }
        /* What was sent has left. */
        rig->chip.serials[CHIP_CONSOLE].tx.count = 0;
    }
    print_message("3000 random messages, %zu of them faults or resets\n", faults);
    assert_true(faults > 100 && faults < 2900);
    assert_int_equal(rig->chip.exit_code, -1);
    end(rig);
}

/* ---- The rest
 * ------------------------------------------------------------------------------------ */

static void resets_have_a_cause_and_a_pace(void **state)
{
    struct rig *rig = begin();
    const struct ferry_vchip_message retain = {.kind = FERRY_VCHIP_RETAIN, .b = 0x1ff};
    const struct ferry_vchip_message watchdog = {.kind = FERRY_VCHIP_WATCHDOG, .b = 500};
    const struct ferry_vchip_message reset = {.kind = FERRY_VCHIP_RESET};

    (void)state;
    uint64_t now = chip_now();
    rig->chip.started = now;
    say(rig, &retain, NULL, 0);
    say(rig, &watchdog, NULL, 0);
    assert_int_equal(rig->chip.watchdog_ms, 500);
    assert_in_range(rig->chip.watchdog_at - now, 500000000, 1500000000);
    say(rig, &reset, NULL, 0);
    assert_int_equal(rig->chip.cause, FERRY_VCHIP_SOFTWARE);
    assert_int_equal(rig->chip.boot_mode, 0xff); /* retained */
    assert_int_equal(rig->chip.watchdog_ms, 0);
    assert_int_equal(rig->chip.program.pid, 0);
    assert_int_equal(rig->chip.start_at, now + CHIP_START_NS);
    end(rig);
}

static void text_goes_out_and_datagrams_need_a_peer(void **state)
{
    struct rig *rig = begin();
    const struct ferry_vchip_message serial = {.kind = FERRY_VCHIP_SEND};
    const struct ferry_vchip_message udp = {FERRY_VCHIP_SEND, FERRY_VCHIP_UDP, 77, 0};
    uint8_t out[16];

    (void)state;
    say(rig, &serial, "hello\n", 6);
    assert_int_equal(line_take(&rig->chip.serials[CHIP_CONSOLE].tx, LINE_NEVER, out, sizeof(out)),
                     6);
    assert_memory_equal(out, "hello\n", 6);
    say(rig, &udp, "x", 1); /* there is no port: it goes nowhere */
    assert_int_equal(rig->chip.udp.tx.count, 0);
    assert_int_equal(rig->chip.cause, FERRY_VCHIP_POWER_ON);
    end(rig);
}

/* ---- Peers -------------------------------------------------------------------------------------
 */

/* What the program hears next of a peer. Returns its number; 0: nothing waits. */
static uint32_t told(const struct rig *rig, struct ferry_vchip_peer *peer)
{
    struct ferry_vchip_message message;
    struct iovec parts[2] = {{&message, sizeof(message)}, {peer, sizeof(*peer)}};
    struct msghdr packet = {.msg_iov = parts, .msg_iovlen = 2};

    if (recvmsg(rig->program, &packet, 0) <= 0) {
        return 0;
    }
    assert_int_equal(message.kind, FERRY_VCHIP_PEER);
    assert_int_equal(message.a, FERRY_VCHIP_DTLS);
    return message.b;
}

/* Fill the channel to the program. */
static void flood(struct rig *rig)
{
    const struct ferry_vchip_message button = {.kind = FERRY_VCHIP_BUTTON};

    while (program_tell(&rig->chip.program, &button, (struct ferry_bytes){NULL, 0}) == FERRY_OK) {
    }
}

static void drain(const struct rig *rig)
{
    struct ferry_vchip_message message;

    while (recv(rig->program, &message, sizeof(message), 0) > 0) {
    }
}

static void a_peer_is_told_when_the_program_takes_it(void **state)
{
    struct rig *rig = begin();
    struct ferry_vchip_peer peer = {.connected = 1, .identity = "psk:pump"};
    struct ferry_vchip_peer heard;

    (void)state;
    assert_true(chip_peer_is(&rig->chip, FERRY_VCHIP_DTLS, 5, &peer));
    assert_int_equal(told(rig, &heard), 5);
    assert_memory_equal(&heard, &peer, sizeof(peer));
    flood(rig);
    peer.security = 2;
    assert_true(chip_peer_is(&rig->chip, FERRY_VCHIP_DTLS, 5, &peer));
    assert_false(chip_tell_peers(&rig->chip));
    drain(rig);
    assert_true(chip_tell_peers(&rig->chip));
    assert_int_equal(told(rig, &heard), 5);
    assert_int_equal(heard.security, 2);
    assert_non_null(chip_peer_of(&rig->chip, FERRY_VCHIP_DTLS, 5));
    peer.connected = 0;
    assert_true(chip_peer_is(&rig->chip, FERRY_VCHIP_DTLS, 5, &peer));
    assert_int_equal(told(rig, &heard), 5);
    assert_int_equal(heard.connected, 0);
    assert_null(chip_peer_of(&rig->chip, FERRY_VCHIP_DTLS, 5));
    end(rig);
}

static void peers_end_with_the_program_and_more_are_refused(void **state)
{
    struct rig *rig = begin();
    const struct ferry_vchip_peer peer = {.connected = 1};
    const struct ferry_vchip_message advertise = {.kind = FERRY_VCHIP_ADVERTISE};
    const struct ferry_vchip_message reset = {.kind = FERRY_VCHIP_RESET};

    (void)state;
    for (uint32_t i = 1; i <= CHIP_PEERS; i++) {
        assert_true(chip_peer_is(&rig->chip, FERRY_VCHIP_DTLS, i, &peer));
    }
    assert_false(chip_peer_is(&rig->chip, FERRY_VCHIP_DTLS, CHIP_PEERS + 1, &peer));
    assert_true(chip_peer_is(&rig->chip, FERRY_VCHIP_DTLS, 1, &peer));
    say(rig, &advertise, NULL, 0);
    assert_int_equal(rig->chip.cause, FERRY_VCHIP_POWER_ON); /* without a radio it means nothing */
    say(rig, &reset, NULL, 0);
    assert_null(chip_peer_of(&rig->chip, FERRY_VCHIP_DTLS, 1));
    assert_false(chip_peer_is(&rig->chip, FERRY_VCHIP_DTLS, 1, &peer)); /* nobody runs */
    end(rig);
}

/* A program that is started from flash: bytes that are no ELF end at once. */
static void what_is_no_program_fails_as_one(void **state)
{
    struct rig *rig = begin();
    const struct ferry_vchip_message boot = {FERRY_VCHIP_BOOT, 0, 0x30000, 4096};
    char how[96] = "";

    (void)state;
    say(rig, &boot, NULL, 0);
    assert_int_equal(rig->chip.stage, CHIP_FIRMWARE);
    if (rig->chip.program.pid == 0) { /* it was gone before it was told of its start */
        assert_int_equal(rig->chip.cause, FERRY_VCHIP_FAULT);
        end(rig);
        return;
    }
    for (int i = 0; i < 500 && !program_ended(&rig->chip.program, how, sizeof(how)); i++) {
        (void)usleep(10000);
    }
    assert_string_equal(how, "it returned 127");
    end(rig);
}

/* ---- RAM ---------------------------------------------------------------------------------- */

static void ram_is_junk_at_power_up_and_cannot_be_resized(void **state)
{
    struct ram ram;
    struct ram again;

    (void)state;
    assert_int_equal(ram_open(&ram, 65536, 1), FERRY_OK);
    assert_int_equal(ram_open(&again, 65536, 2), FERRY_OK);
    assert_false(ferry_all_equal(ram.memory, 256, ram.memory[0]));
    assert_memory_not_equal(ram.memory, again.memory, 65536);
    assert_int_not_equal(ftruncate(ram.fd, 4096), 0);
    assert_int_not_equal(ftruncate(ram.fd, 131072), 0);
    ram_close(&again);
    ram_close(&ram);
    ram_close(&ram);
    assert_int_equal(ram_open(&ram, 0, 1), FERRY_OK);
    assert_int_equal(ram.fd, -1);
    assert_null(ram.memory);
}

/* Whether the chip starts what BOOT names; what it starts is no ELF and ends at once, maybe before
 * it is told of its start. */
static bool boots(struct rig *rig, uint32_t memory, uint32_t offset, uint32_t len,
                  const uint8_t *slots, size_t count)
{
    const struct ferry_vchip_message boot = {FERRY_VCHIP_BOOT, memory, offset, len};

    (void)close(rig->program);
    program_kill(&rig->chip.program);
    give_program(rig);
    rig->chip.stage = CHIP_BOOTLOADER;
    say(rig, &boot, slots, count);
    return rig->chip.stage == CHIP_FIRMWARE;
}

static void a_program_starts_from_ram(void **state)
{
    static const uint8_t slots[FERRY_VCHIP_IMAGES + 1] = {1, 0, 1, 0, 0};
    struct rig *rig = begin();

    (void)state;
    assert_false(boots(rig, FERRY_VCHIP_RAM, 0, 16, NULL, 0)); /* there is none */
    assert_int_equal(ram_open(&rig->chip.ram, 4096, 1), FERRY_OK);
    assert_true(boots(rig, FERRY_VCHIP_RAM, 32, 4096 - 32, slots, 3));
    assert_memory_equal(rig->chip.slots, slots, FERRY_VCHIP_IMAGES);
    assert_true(boots(rig, FERRY_VCHIP_RAM, 0, 4096, NULL, 0));
    assert_int_equal(rig->chip.slots[0], 0);
    assert_false(boots(rig, FERRY_VCHIP_RAM, 32, 4096, NULL, 0));
    assert_false(boots(rig, FERRY_VCHIP_RAM, UINT32_MAX, 2, NULL, 0));
    assert_false(boots(rig, FERRY_VCHIP_RAM, 0, 0, NULL, 0));
    assert_false(boots(rig, FERRY_VCHIP_RAM, 0, 16, slots, sizeof(slots)));
    ram_close(&rig->chip.ram);
    end(rig);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(flash_obeys_its_rules),
        cmocka_unit_test(operations_take_their_time),
        cmocka_unit_test(the_power_is_cut_at_an_operation),
        cmocka_unit_test(wrong_messages_are_faults),
        cmocka_unit_test(random_messages_do_no_harm),
        cmocka_unit_test(resets_have_a_cause_and_a_pace),
        cmocka_unit_test(text_goes_out_and_datagrams_need_a_peer),
        cmocka_unit_test(a_peer_is_told_when_the_program_takes_it),
        cmocka_unit_test(peers_end_with_the_program_and_more_are_refused),
        cmocka_unit_test(what_is_no_program_fails_as_one),
        cmocka_unit_test(ram_is_junk_at_power_up_and_cannot_be_resized),
        cmocka_unit_test(a_program_starts_from_ram),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
