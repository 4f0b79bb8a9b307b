/* SPDX-License-Identifier: Apache-2.0 */
/* What a program asks of the chip. Nothing in a message is trusted. */
#include "chip.h"

#include <stdio.h>
#include <string.h>

#define MS_NS 1000000U
#define US_NS 1000U

/* Messages served before everything else has its turn. */
#define TURN 64

/* The program did what no program can do on a chip: a bus fault. */
static void fault(struct chip *chip, const struct ferry_vchip_message *message, const char *what)
{
    char why[128];

    (void)snprintf(why, sizeof(why), "message %u (%u, %u, %u): %s", message->kind, message->a,
                   message->b, message->c, what);
    chip_reset(chip, FERRY_VCHIP_FAULT, why);
}

bool chip_stands(const struct chip *chip)
{
    return chip->operation.pending;
}

/* ---- Flash -------------------------------------------------------------------------------------
 */

static void answer(struct chip *chip, int32_t result)
{
    const struct ferry_vchip_message message = {.kind = FERRY_VCHIP_ANSWER, .b = (uint32_t)result};

    chip->answer = result;
    chip->answer_due =
        program_tell(&chip->program, &message, (struct ferry_bytes){NULL, 0}) == FERRY_E_FULL;
}

void chip_answer_again(struct chip *chip)
{
    if (chip->answer_due) {
        answer(chip, chip->answer);
    }
}

/* What an operation costs: whole write units, whole sectors. */
static uint64_t cost(const struct chip *chip, const struct chip_operation *operation)
{
    const struct ferry_flash *flash = &chip->flash[operation->message.a].flash;
    struct ferry_flash_sector sector;
    uint64_t sectors = 0;

    if (operation->message.kind == FERRY_VCHIP_PROGRAM) {
        return operation->len / flash->write_size * chip->options->program_us * US_NS;
    }
    uint32_t at = operation->message.b;
    uint32_t left = operation->message.c;
    while (left > 0 && ferry_flash_sector_at(flash, at, &sector) == FERRY_OK) {
        at += sector.size;
        left -= ferry_min32(left, sector.size);
        sectors++;
    }
    return sectors * chip->options->erase_ms * MS_NS;
}

static void begin_operation(struct chip *chip, uint64_t now)
{
    struct chip_operation *operation = &chip->operation;
    const struct ferry_vchip_message *message = &operation->message;

    if (message->a >= chip->board->layout.device_count ||
        operation->len > FERRY_VCHIP_PROGRAM_MAX) {
        fault(chip, message, "there is no such flash");
        return;
    }
    operation->pending = true;
    chip->fifo_held = true;
    chip->stands_until = now + cost(chip, operation);
    if (chip->stands_until == now) {
        chip_operate(chip);
    }
}

void chip_operate(struct chip *chip)
{
    struct chip_operation *operation = &chip->operation;
    const struct ferry_flash *flash = &chip->flash[operation->message.a].flash;
    const struct ferry_vchip_message *message = &operation->message;
    const struct layout *layout = &chip->board->layout;
    int result;

    operation->pending = false;
    if (message->kind == FERRY_VCHIP_PROGRAM) {
        result = ferry_flash_program(flash, message->b, operation->bytes, operation->len);
    } else {
        result = ferry_flash_erase(flash, message->b, message->c);
    }
    if (result == FERRY_OK && message->kind == FERRY_VCHIP_PROGRAM) {
        tally_program(&chip->tally, layout, message->a, message->b, (uint32_t)operation->len);
    } else if (result == FERRY_OK) {
        tally_erase(&chip->tally, layout, message->a, message->b, message->c);
    }
    if (chip->power.off) {
        chip->exit_code = EXIT_CUT;
        return;
    }
    answer(chip, result);
}

/* ---- Wires
 * --------------------------------------------------------------------------------------- */

/* Keep a byte of text for the chip's own output; frames are not for people. */
static void listen_byte(struct chip *chip, char byte)
{
    if (byte != '\n' && chip->said_len < sizeof(chip->said) - 1) {
        chip->said[chip->said_len++] = byte;
        return;
    }
    size_t end = 0;
    while (end < chip->said_len &&
           line_marker((const uint8_t *)chip->said + end, chip->said_len - end) != 1) {
        end++;
    }
    while (end > 0 && chip->said[end - 1] == '\r') {
        end--;
    }
    if (end > 0 && !chip->options->quiet) {
        (void)printf("%.*s\n", (int)end, chip->said);
        (void)fflush(stdout);
    }
    chip->said_len = 0;
}

void chip_put(struct chip *chip, uint32_t wire, uint32_t peer, struct ferry_bytes bytes)
{
    struct line *tx = &chip->serials[wire == FERRY_VCHIP_RAW ? CHIP_RAW : CHIP_CONSOLE].tx;

    switch (wire) {
    case FERRY_VCHIP_UDP:
        if (chip->modem == NULL) {
            udp_send(&chip->udp, chip_now(), peer, bytes.data, bytes.len);
        }
        break;
    case FERRY_VCHIP_DTLS:
        if (chip->modem != NULL) {
            modem_send(chip->modem, chip_now(), peer, bytes);
        }
        break;
    case FERRY_VCHIP_SERIAL:
    case FERRY_VCHIP_RAW:
        if (bytes.len <= line_room(tx)) {
            line_put(tx, chip_now(), bytes.data, bytes.len);
        }
        break;
    case FERRY_VCHIP_BLE:
        if (chip->ble != NULL) {
            ble_send(chip->ble, peer, bytes);
        }
        break;
    default: /* the chip has no such wire: there is no peer */
        break;
    }
}

static void send_bytes(struct chip *chip, const struct ferry_vchip_message *message,
                       const uint8_t *bytes, size_t len, uint64_t now)
{
    const struct ferry_bytes sent = {bytes, len};

    if (message->a >= FERRY_VCHIP_WIRES) {
        fault(chip, message, "there is no such wire");
        return;
    }
    for (size_t i = 0; message->a == FERRY_VCHIP_SERIAL && i < len; i++) {
        listen_byte(chip, (char)bytes[i]);
    }
    if (chip_is_foreign(chip) && message->a != FERRY_VCHIP_BLE) {
        foreign_say(chip->foreign, now, message->a, message->b, sent);
    } else {
        chip_put(chip, message->a, message->b, sent);
    }
}

bool chip_has_room(const struct chip *chip)
{
    for (size_t i = 0; i < CHIP_SERIALS; i++) {
        if (line_room(&chip->serials[i].tx) < FERRY_VCHIP_SEND_MAX) {
            return false;
        }
    }
    return true;
}

/* ---- Messages
 * ------------------------------------------------------------------------------------- */

/* The memory a BOOT names. Returns its size, 0 when there is none. */
static uint32_t find_memory(const struct chip *chip, uint32_t number, const uint8_t **memory)
{
    if (number == FERRY_VCHIP_RAM) {
        *memory = chip->ram.memory;
        return chip->ram.size;
    }
    if (number >= chip->board->layout.device_count) {
        return 0;
    }
    *memory = chip->board->nor[number].memory;
    return chip->flash[number].flash.size;
}

static void boot(struct chip *chip, const struct ferry_vchip_message *message, const uint8_t *slots,
                 size_t count)
{
    const uint8_t *memory = NULL;
    uint32_t size = find_memory(chip, message->a, &memory);

    if (message->c == 0 || !ferry_inside(message->b, message->c, size)) {
        fault(chip, message, "there is no such range of flash or RAM to start");
        return;
    }
    if (count > FERRY_VCHIP_IMAGES) {
        fault(chip, message, "there are not so many images");
        return;
    }
    memset(chip->slots, 0, sizeof(chip->slots));
    if (chip->stage == CHIP_FIRST_STAGE) {
        chip->first_active = count > 0 && slots[0] == 1 ? 1 : 0;
        chip->stage = CHIP_BOOTLOADER;
    } else {
        memcpy(chip->slots, slots, count);
        chip->stage = CHIP_FIRMWARE;
    }
    chip_start(chip, chip->stage == CHIP_BOOTLOADER ? "bootloader" : "firmware",
               (struct ferry_bytes){memory + message->b, message->c});
}

static void arm(struct chip *chip, uint32_t ms, uint64_t now)
{
    chip->watchdog_ms = ms;
    chip->watchdog_at = now + (uint64_t)ms * MS_NS;
}

static void obey(struct chip *chip, const struct ferry_vchip_message *message, const uint8_t *bytes,
                 size_t len, uint64_t now)
{
    switch (message->kind) {
    case FERRY_VCHIP_PROGRAM:
    case FERRY_VCHIP_ERASE:
        if (len > sizeof(chip->operation.bytes)) {
            fault(chip, message, "too many bytes for one operation");
            return;
        }
        chip->operation.message = *message;
        chip->operation.len = len;
        memcpy(chip->operation.bytes, bytes, len);
        begin_operation(chip, now);
        break;
    case FERRY_VCHIP_SEND:
        send_bytes(chip, message, bytes, len, now);
        break;
    case FERRY_VCHIP_ADVERTISE:
        chip_advertise(chip, true);
        break;
    case FERRY_VCHIP_WATCHDOG:
        if (message->b == 0) {
            fault(chip, message, "the watchdog cannot be stopped");
            return;
        }
        arm(chip, message->b, now);
        break;
    case FERRY_VCHIP_FEED:
        arm(chip, chip->watchdog_ms, now);
        break;
    case FERRY_VCHIP_RETAIN:
        chip->boot_mode = message->b & 0xff;
        break;
    case FERRY_VCHIP_RESET:
        chip_reset(chip, FERRY_VCHIP_SOFTWARE, "the program asked for it");
        break;
    case FERRY_VCHIP_BOOT:
        boot(chip, message, bytes, len);
        break;
    default:
        fault(chip, message, "there is no such message");
        break;
    }
}

void chip_serve(struct chip *chip, uint64_t now)
{
    static uint8_t bytes[FERRY_VCHIP_SEND_MAX];
    struct ferry_vchip_message message;
    pid_t pid = chip->program.pid;

    for (int i = 0; i < TURN && chip->exit_code < 0; i++) {
        /* Not for a program that stands still, nor for the one behind the one that ended. */
        if (chip->program.pid != pid || pid == 0 || chip_stands(chip) || !chip_has_room(chip)) {
            return;
        }
        memset(&message, 0, sizeof(message));
        int len = program_hear(&chip->program, &message, bytes, sizeof(bytes));
        if (len == FERRY_E_NOT_FOUND) {
            return;
        }
        if (len < 0) {
            fault(chip, &message, "too short or too long");
            return;
        }
        obey(chip, &message, bytes, (size_t)len, now);
    }
}
