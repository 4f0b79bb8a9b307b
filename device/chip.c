/* SPDX-License-Identifier: Apache-2.0 */
/* The chip: power, starts and resets, the watchdog, and the loop that serves it all. */
#include "chip.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/signalfd.h>
#include <time.h>
#include <unistd.h>

#define NS    UINT64_C(1000000000)
#define MS_NS UINT64_C(1000000)

uint64_t chip_now(void)
{
    struct timespec now;

    (void)clock_gettime(CLOCK_MONOTONIC, &now);
    return (uint64_t)now.tv_sec * NS + (uint64_t)now.tv_nsec;
}

void chip_say(const struct chip *chip, const char *format, ...)
{
    va_list arguments;

    if (chip->options->quiet) {
        return;
    }
    (void)fputs("chip: ", stdout);
    va_start(arguments, format);
    (void)vprintf(format, arguments);
    va_end(arguments);
    (void)putchar('\n');
    (void)fflush(stdout);
}

/* ---- Starts and resets --------------------------------------------------------------------- */

static void tell_start(struct chip *chip)
{
    const struct ferry_vchip_message message = {.kind = FERRY_VCHIP_START};
    struct ferry_vchip_start start;

    memset(&start, 0, sizeof(start));
    layout_describe(&chip->board->layout, &start);
    start.version = FERRY_VCHIP_VERSION;
    start.size = sizeof(start);
    start.cause = chip->cause;
    start.boot_mode = chip->boot_mode;
    start.button = chip->button;
    start.shared_size = chip->shared.size;
    memcpy(start.unlock_key, chip->board->fuses.unlock_key, sizeof(start.unlock_key));
    memcpy(start.chip_id, chip->board->fuses.chip_id, sizeof(start.chip_id));
    start.buf_size = chip->options->buf_size;
    start.buf_count = chip->options->buf_count;
    start.flags |= chip->options->rx_fifo > 0 ? FERRY_VCHIP_SHORT_FIFO : 0;
    start.flags |= chip->options->ble_whole ? FERRY_VCHIP_BLE_WHOLE : 0;
    start.ble_permission = chip->options->ble_permission;
    memcpy(start.slots, chip->slots, sizeof(start.slots));
    start.first_active = chip->first_active;
    if (program_tell(&chip->program, &message,
                     (struct ferry_bytes){(const uint8_t *)&start, sizeof(start)}) != FERRY_OK) {
        chip_reset(chip, FERRY_VCHIP_FAULT, "the program takes no message");
    }
}

void chip_start(struct chip *chip, const char *name, struct ferry_bytes elf)
{
    const struct program_memory memory = {
        .flash = chip->readers,
        .flash_count = chip->board->layout.device_count,
        .ram = chip->ram.fd,
        .shared = chip->shared.fd,
        .files = chip->stage == CHIP_FIRMWARE ? chip->board->files : -1,
    };

    program_kill(&chip->program);
    chip_forget_peers(chip);
    chip->operation.pending = false;
    chip->answer_due = false;
    chip->fifo_held = true;
    chip->start_at = CHIP_NEVER;
    if (program_start(&chip->program, name, elf, &memory) != FERRY_OK) {
        (void)fprintf(stderr,
                      "ferry-device: cannot start a process for the %s (%s); are there "
                      "too many?\n",
                      name, strerror(errno));
        chip->exit_code = EXIT_FAILED;
        return;
    }
    tell_start(chip);
}

void chip_reset(struct chip *chip, enum ferry_vchip_cause cause, const char *why)
{
    static const char *const names[FERRY_VCHIP_CAUSES] = {"power on", "software", "watchdog",
                                                          "fault", "pin"};
    static const char *const stages[] = {"bootloader", "firmware", "first stage"};
    uint64_t now = chip_now();

    program_kill(&chip->program);
    chip_forget_peers(chip);
    if (chip->foreign != NULL) {
        foreign_reset(chip->foreign);
    }
    if (chip->said_len > 0 && !chip->options->quiet) {
        (void)printf("%.*s\n", (int)chip->said_len, chip->said);
    }
    chip->said_len = 0;
    chip_say(chip, "reset: %s in the %s: %s", names[cause], stages[chip->stage], why);
    chip->cause = cause;
    chip->operation.pending = false;
    chip->answer_due = false;
    chip->watchdog_ms = 0;
    uint64_t earliest = chip->started + CHIP_START_NS;
    chip->start_at = now > earliest ? now : earliest;
}

static void start_bootloader(struct chip *chip, uint64_t now)
{
    const struct layout *layout = &chip->board->layout;
    const struct ferry_vchip_area *area = layout_start_area(layout);

    if (chip->options->boot_limit != 0 && chip->starts == chip->options->boot_limit) {
        chip_say(chip, "the chip has started %u times (--boot-limit)", chip->starts);
        chip->exit_code = EXIT_BOOT_LIMIT;
        return;
    }
    chip->starts++;
    chip->started = now;
    memset(chip->slots, 0, sizeof(chip->slots));
    chip->first_active = 0;
    chip->stage = layout->has_first ? CHIP_FIRST_STAGE : CHIP_BOOTLOADER;
    chip_start(
        chip, layout->has_first ? "first stage" : "bootloader",
        (struct ferry_bytes){chip->board->nor[area->device].memory + area->offset, area->size});
}

/* An empty bootloader area is a mistake of whoever made the device; say so at once. */
static int check_bootloader(const struct chip *chip)
{
    const struct ferry_vchip_area *area = layout_start_area(&chip->board->layout);
    const uint8_t *bytes = chip->board->nor[area->device].memory + area->offset;

    if (memcmp(bytes, "\177ELF", 4) == 0) {
        return -1;
    }
    (void)fprintf(stderr,
                  "ferry-device: there is no program in the area \"%s\" of %s; program one with "
                  "--reflash %s=%s\n",
                  area->name, chip->options->dir, area->name,
                  chip->board->layout.has_first ? "b0.elf" : "bootloader.elf");
    return EXIT_FAILED;
}

/* ---- The program's end -------------------------------------------------------------------------
 */

static void look_at_end(struct chip *chip, uint64_t now, bool hung_up)
{
    char how[96];

    chip_serve(chip, now); /* what it said before it ended */
    if (program_ended(&chip->program, how, sizeof(how))) {
        chip_reset(chip, FERRY_VCHIP_FAULT, how);
    } else if (hung_up && chip->program.pid != 0) {
        chip_reset(chip, FERRY_VCHIP_FAULT, "the program closed its channel");
    }
}

/* ---- Received bytes ----------------------------------------------------------------------------
 */

/* While the CPU stood still, only the FIFO of each port took bytes. */
static void deliver_serial(struct chip *chip, enum chip_serial which, uint64_t now)
{
    static const uint32_t wires[CHIP_SERIALS] = {FERRY_VCHIP_SERIAL, FERRY_VCHIP_RAW};
    struct line *rx = &chip->serials[which].rx;
    uint8_t bytes[FERRY_VCHIP_SEND_MAX];
    size_t room = chip->fifo_held && chip->options->rx_fifo > 0 ? chip->options->rx_fifo : SIZE_MAX;
    size_t len;

    while ((len = line_take(rx, now, bytes, sizeof(bytes))) > 0) {
        size_t kept = len < room ? len : room;
        chip->bytes_lost += len - kept;
        room -= room == SIZE_MAX ? 0 : kept;
        if (kept > 0) {
            chip_receive(chip, now, wires[which], 0, (struct ferry_bytes){bytes, kept});
        }
    }
}

static void deliver_udp(struct chip *chip, uint64_t now)
{
    struct udp_datagram *datagram;

    while ((datagram = udp_take(&chip->udp.rx, now)) != NULL) {
        chip_receive(chip, now, FERRY_VCHIP_UDP, datagram->peer,
                     (struct ferry_bytes){datagram->bytes, datagram->len});
        free(datagram);
    }
}

/* ---- Signals
 * -------------------------------------------------------------------------------------- */

static void press_button(struct chip *chip)
{
    chip->button = !chip->button;
    chip_say(chip, "button %s", chip->button ? "pressed" : "released");
    const struct ferry_vchip_message message = {.kind = FERRY_VCHIP_BUTTON, .b = chip->button};
    if (chip->program.pid != 0 &&
        program_tell(&chip->program, &message, (struct ferry_bytes){NULL, 0}) != FERRY_OK) {
        chip_say(chip, "the program did not notice the button");
    }
}

static void take_signals(struct chip *chip, uint64_t now)
{
    struct signalfd_siginfo info;

    while (read(chip->signals, &info, sizeof(info)) == (ssize_t)sizeof(info)) {
        switch (info.ssi_signo) {
        case SIGCHLD:
            look_at_end(chip, now, false);
            break;
        case SIGUSR1:
            chip_reset(chip, FERRY_VCHIP_PIN, "the reset pin was pressed");
            break;
        case SIGUSR2:
            press_button(chip);
            break;
        default:
            chip_say(chip, "switched off");
            chip->exit_code = EXIT_POWERED_OFF;
            break;
        }
    }
}

static int block_signals(void)
{
    static const int numbers[] = {SIGCHLD, SIGUSR1, SIGUSR2, SIGTERM, SIGINT, SIGHUP};
    sigset_t set;

    (void)sigemptyset(&set);
    for (size_t i = 0; i < sizeof(numbers) / sizeof(numbers[0]); i++) {
        (void)sigaddset(&set, numbers[i]);
    }
    (void)sigprocmask(SIG_BLOCK, &set, NULL);
    (void)signal(SIGPIPE, SIG_IGN);
    return signalfd(-1, &set, SFD_NONBLOCK | SFD_CLOEXEC);
}

/* ---- The loop
 * -------------------------------------------------------------------------------------- */

/* Terminals, their openers and sockets follow one another as in their enums. */
enum {
    SIGNALS,
    CHANNEL,
    TERMINALS,
    OPENERS = TERMINALS + CHIP_SERIALS,
    DATAGRAMS = OPENERS + CHIP_SERIALS,
    RADIO = DATAGRAMS + UDP_FAMILIES,
    POLLED = RADIO + BLE_POLLED
};

static bool takes_bytes(const struct chip *chip)
{
    return chip->program.pid != 0 && !chip_stands(chip);
}

static void earlier(uint64_t *deadline, uint64_t other)
{
    if (other < *deadline) {
        *deadline = other;
    }
}

static uint64_t next_deadline(const struct chip *chip)
{
    uint64_t deadline = chip->start_at;

    if (chip->watchdog_ms != 0) {
        earlier(&deadline, chip->watchdog_at);
    }
    if (chip_stands(chip)) {
        earlier(&deadline, chip->stands_until);
    }
    if (takes_bytes(chip)) {
        earlier(&deadline, udp_next(&chip->udp.rx));
    }
    for (size_t i = 0; i < CHIP_SERIALS; i++) {
        if (takes_bytes(chip)) {
            earlier(&deadline, line_next(&chip->serials[i].rx));
        }
        earlier(&deadline, line_next(&chip->serials[i].tx));
    }
    earlier(&deadline, udp_next(&chip->udp.tx));
    if (chip->modem != NULL) {
        earlier(&deadline, modem_next(chip->modem, chip_now()));
    }
    if (chip->foreign != NULL) {
        earlier(&deadline, foreign_next(chip->foreign));
    }
    return deadline;
}

/* Returns when the radio has something to do at the latest. */
static uint64_t poll_radio(const struct chip *chip, struct pollfd polled[BLE_POLLED])
{
    for (size_t i = 0; i < BLE_POLLED; i++) {
        polled[i] = (struct pollfd){-1, 0, 0};
    }
    return chip->ble != NULL ? ble_poll(chip->ble, polled) : CHIP_NEVER;
}

/* Whether something waits for the program to take it. */
static bool waits_for_program(struct chip *chip)
{
    bool told = chip_tell_peers(chip);

    return chip->answer_due || !told ||
           (takes_bytes(chip) && chip->ble != NULL && ble_first(chip->ble) != NULL);
}

static void wait_for(struct chip *chip, struct pollfd polled[POLLED])
{
    uint64_t deadline = next_deadline(chip);
    earlier(&deadline, poll_radio(chip, polled + RADIO));
    uint64_t now = chip_now();
    uint64_t left = deadline > now ? deadline - now : 0;
    const struct timespec timeout = {(time_t)(left / NS), (long)(left % NS)};
    bool listens = takes_bytes(chip) && chip_has_room(chip);
    short answer = waits_for_program(chip) ? POLLOUT : 0;

    polled[SIGNALS] = (struct pollfd){chip->signals, POLLIN, 0};
    polled[CHANNEL] =
        (struct pollfd){chip->program.channel, (short)(listens ? POLLIN | answer : answer), 0};
    if (!listens && answer == 0) {
        polled[CHANNEL].fd = -1;
    }
    for (size_t i = 0; i < CHIP_SERIALS; i++) {
        const struct serial *serial = &chip->serials[i];
        bool room = line_room(&serial->rx) >= FERRY_VCHIP_SEND_MAX;

        polled[TERMINALS + i] = (struct pollfd){room ? serial->master : -1, POLLIN, 0};
        polled[OPENERS + i] = (struct pollfd){serial->watch, POLLIN, 0};
    }
    for (size_t i = 0; i < UDP_FAMILIES; i++) {
        polled[DATAGRAMS + i] = (struct pollfd){chip->udp.fds[i], POLLIN, 0};
    }
    if (ppoll(polled, POLLED, deadline == CHIP_NEVER ? NULL : &timeout, NULL) < 0) {
        memset(polled, 0, sizeof(*polled) * POLLED);
    }
}

static void handle_descriptors(struct chip *chip, const struct pollfd polled[POLLED], uint64_t now)
{
    for (size_t i = 0; i < CHIP_SERIALS; i++) {
        if (polled[OPENERS + i].revents != 0) {
            serial_look(&chip->serials[i]);
        }
        if (polled[TERMINALS + i].revents != 0) {
            serial_read(&chip->serials[i], now);
        }
    }
    for (size_t i = 0; i < UDP_FAMILIES; i++) {
        if (polled[DATAGRAMS + i].revents != 0) {
            udp_read(&chip->udp, (enum udp_family)i, now);
        }
    }
    if ((polled[CHANNEL].revents & POLLOUT) != 0) {
        chip_answer_again(chip);
    }
    if ((polled[CHANNEL].revents & POLLIN) != 0) {
        chip_serve(chip, now);
    } else if ((polled[CHANNEL].revents & (POLLHUP | POLLERR)) != 0) {
        look_at_end(chip, now, true);
    }
    if (polled[SIGNALS].revents != 0) {
        take_signals(chip, now);
    }
}

static void handle_time(struct chip *chip, uint64_t now)
{
    char why[64];

    if (chip_stands(chip) && chip->stands_until <= now) {
        chip_operate(chip);
    }
    if (chip->watchdog_ms != 0 && chip->watchdog_at <= now && chip->exit_code < 0) {
        (void)snprintf(why, sizeof(why), "not fed for %u ms", chip->watchdog_ms);
        chip_reset(chip, FERRY_VCHIP_EXPIRED, why);
    }
    if (chip->start_at <= now && chip->exit_code < 0) {
        start_bootloader(chip, now);
    }
    if (chip->ble != NULL && chip->exit_code < 0) {
        ble_work(chip->ble);
    }
    if (takes_bytes(chip)) {
        deliver_serial(chip, CHIP_CONSOLE, now);
        deliver_serial(chip, CHIP_RAW, now);
        chip->fifo_held = false;
        if (chip->modem != NULL) {
            modem_receive(chip->modem, now);
        } else {
            deliver_udp(chip, now);
        }
        chip_take_values(chip);
    }
    if (chip->foreign != NULL) {
        foreign_work(chip->foreign, now);
    }
    serial_write(&chip->serials[CHIP_CONSOLE], now);
    serial_write(&chip->serials[CHIP_RAW], now);
    if (chip->modem != NULL) {
        modem_tick(chip->modem, now);
    }
    udp_write(&chip->udp, now);
}

static void loop(struct chip *chip)
{
    struct pollfd polled[POLLED];

    while (chip->exit_code < 0) {
        wait_for(chip, polled);
        handle_descriptors(chip, polled, chip_now());
        if (chip->exit_code < 0) {
            handle_time(chip, chip_now());
        }
    }
}

/* ---- Power
 * ---------------------------------------------------------------------------------------------- */

/* Far from the seeds of the other wires. */
#define BARE_SEED (UINT64_C(1) << 40)

/* Each direction has dice of its own, so that one does not change the other's luck. */
static void set_up_wires(struct chip *chip)
{
    const struct options *options = chip->options;
    struct ferry_pace in;
    struct ferry_pace out;
    struct ferry_noise noise[4];
    struct ferry_noise bare[2];

    ferry_pace_init(&in, options->baud, options->latency_ms * MS_NS);
    ferry_pace_init(&out, options->baud, 0);
    for (size_t i = 0; i < 4; i++) {
        ferry_noise_init(&noise[i], options->seed * UINT64_C(4) + i, options->loss,
                         options->corrupt);
    }
    for (size_t i = 0; i < 2; i++) {
        ferry_noise_init(&bare[i], BARE_SEED + options->seed * UINT64_C(2) + i, options->loss,
                         options->raw_corrupt);
    }
    line_init(&chip->serials[CHIP_CONSOLE].rx, LINE_CONSOLE, &in, &noise[0]);
    line_init(&chip->serials[CHIP_CONSOLE].tx, LINE_CONSOLE, &out, &noise[1]);
    line_init(&chip->serials[CHIP_RAW].rx, LINE_RAW, &in, &bare[0]);
    line_init(&chip->serials[CHIP_RAW].tx, LINE_RAW, &out, &bare[1]);
    chip->udp.rx.pace = in;
    chip->udp.rx.noise = noise[2];
    chip->udp.tx.pace = out;
    chip->udp.tx.noise = noise[3];
}

/* The modem has the port of the chip, or the program. */
static int open_port(struct chip *chip, char *why, size_t cap)
{
    const struct options *options = chip->options;
    bool dtls = options->dtls >= 0;
    int result = udp_open(&chip->udp, dtls ? "--dtls" : "--udp",
                          dtls ? options->dtls : options->udp, why, cap);

    return result == FERRY_OK ? chip_open_modem(chip, why, cap) : result;
}

static int power_up(struct chip *chip)
{
    char why[512] = "";

    chip->power = (struct ferry_power){.cut_at = chip->options->cut, .how = chip->options->cut_how};
    for (uint32_t i = 0; i < chip->board->layout.device_count; i++) {
        ferry_flash_cutter_init(&chip->flash[i], &chip->board->nor[i].flash, &chip->power);
        chip->readers[i] = ferry_nor_file_reader(&chip->board->nor[i]);
    }
    if (ram_open(&chip->ram, chip->board->layout.ram_size, chip->options->seed) != FERRY_OK ||
        ram_open(&chip->shared, FERRY_VCHIP_SHARED, chip->options->seed) != FERRY_OK) {
        (void)fprintf(stderr, "ferry-device: cannot make the RAM (%s); make \"ram\" smaller\n",
                      strerror(errno));
        return EXIT_FAILED;
    }
    set_up_wires(chip);
    chip->signals = block_signals();
    if (open_port(chip, why, sizeof(why)) != FERRY_OK ||
        serial_open(&chip->serials[CHIP_CONSOLE], chip->options->serial, "--serial", why,
                    sizeof(why)) != FERRY_OK ||
        serial_open(&chip->serials[CHIP_RAW], chip->options->raw, "--raw", why, sizeof(why)) !=
            FERRY_OK ||
        chip_open_radio(chip, why, sizeof(why)) != FERRY_OK) {
        (void)fprintf(stderr, "ferry-device: %s\n", why);
        return EXIT_FAILED;
    }
    int code = chip_play_foreign(chip);
    return code < 0 ? check_bootloader(chip) : code;
}

static void say_wires(const struct chip *chip)
{
    const struct serial *console = &chip->serials[CHIP_CONSOLE];
    const struct serial *raw = &chip->serials[CHIP_RAW];
    char serial[384] = "no serial port";
    char udp[96] = "no UDP port";

    if (console->link != NULL) {
        (void)snprintf(serial, sizeof(serial), "serial: %.256s (%s)", console->link, console->path);
    }
    if (chip->udp.fds[UDP_V4] >= 0) {
        (void)snprintf(udp, sizeof(udp), "%s: 127.0.0.1:%u%s", chip->modem != NULL ? "dtls" : "udp",
                       chip->udp.port,
                       chip->udp.fds[UDP_V6] < 0 ? " alone: this machine has no IPv6"
                                                 : ", and [::1] at the same port");
    }
    chip_say(chip, "power on; %s; %s", serial, udp);
    if (raw->link != NULL) {
        chip_say(chip, "bare packets: %.256s (%s)", raw->link, raw->path);
    }
    if (chip->ble != NULL) {
        chip_say(chip, "Bluetooth LE: %s", chip->options->ble);
    }
}

static void say_power_on(const struct chip *chip)
{
    if (chip->board->made && chip->options->flash_count == 0) {
        chip_say(chip, "the device is new, its flash is erased");
    }
    if (!chip->board->made && (chip->options->flash_count > 0 || chip->options->key_count > 0)) {
        chip_say(chip,
                 "%s is there already: --flash and --flash-key did nothing "
                 "(--reflash programs, --new makes the device again)",
                 chip->options->dir);
    }
    say_wires(chip);
}

static void say_tally(const struct chip *chip)
{
    char text[96];

    for (uint32_t i = 0; i < chip->board->layout.area_count; i++) {
        if (tally_text(&chip->tally, &chip->board->layout, i, text, sizeof(text))) {
            chip_say(chip, "flash: %s", text);
        }
    }
}

static void power_down(struct chip *chip)
{
    program_kill(&chip->program);
    serial_close(&chip->serials[CHIP_CONSOLE]);
    serial_close(&chip->serials[CHIP_RAW]);
    modem_close(chip->modem);
    udp_close(&chip->udp);
    ble_close(chip->ble);
    foreign_free(chip->foreign);
    for (uint32_t i = 0; i < chip->board->layout.device_count; i++) {
        (void)close(chip->readers[i]);
    }
    (void)close(chip->signals);
    ram_close(&chip->ram);
    ram_close(&chip->shared);
    if (chip->exit_code == EXIT_CUT) {
        chip_say(chip,
                 "the power was cut at flash operation %llu (--cut); start "
                 "again to power up",
                 (unsigned long long)chip->power.operations);
    }
    if (chip->bytes_lost > 0) {
        chip_say(chip, "%llu received bytes were lost: the CPU stood still",
                 (unsigned long long)chip->bytes_lost);
    }
    say_tally(chip);
}

int chip_run(struct board *board, const struct options *options)
{
    struct chip *chip = calloc(1, sizeof(*chip));

    if (chip == NULL) {
        (void)fprintf(stderr, "ferry-device: out of memory; end other programs\n");
        return EXIT_FAILED;
    }
    chip->board = board;
    chip->options = options;
    chip->program.channel = -1;
    for (size_t i = 0; i < CHIP_SERIALS; i++) {
        chip->serials[i].master = -1;
        chip->serials[i].slave = -1;
        chip->serials[i].watch = -1;
    }
    chip->udp.fds[UDP_V4] = -1;
    chip->udp.fds[UDP_V6] = -1;
    chip->ram.fd = -1;
    chip->shared.fd = -1;
    chip->signals = -1;
    chip->button = options->button;
    chip->exit_code = power_up(chip);
    if (chip->exit_code < 0) {
        say_power_on(chip);
        loop(chip);
    }
    power_down(chip);
    int code = chip->exit_code;
    free(chip);
    return code;
}
