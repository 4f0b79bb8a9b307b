/* SPDX-License-Identifier: Apache-2.0 */
/* A program's side of the virtual chip. When the channel ends the chip is gone: so is the
 * program. */
#include "vchip.h"

#include <errno.h>
#include <poll.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/random.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

/* One message from the chip. There is one program and it has one thread. */
static uint8_t inbox[FERRY_VCHIP_SEND_MAX];

/* ---- Messages ---------------------------------------------------------------------------- */

static void tell(const struct ferry_vchip_message *message, const uint8_t *data, size_t len)
{
    struct ferry_vchip_message head = *message;
    struct iovec parts[2] = {{&head, sizeof(head)}, {NULL, len}};
    struct msghdr packet = {.msg_iov = parts, .msg_iovlen = len > 0 ? 2 : 1};

    memcpy(&parts[1].iov_base, &data, sizeof(data)); /* iovec has no const */
    if (sendmsg(FERRY_VCHIP_FD_CHANNEL, &packet, MSG_NOSIGNAL) < 0) {
        _exit(1);
    }
}

static void tell_number(enum ferry_vchip_kind kind, uint32_t number)
{
    const struct ferry_vchip_message message = {.kind = kind, .b = number};

    tell(&message, NULL, 0);
}

/* Wait for one message. Returns the bytes behind it, which are in inbox. */
static size_t hear(struct ferry_vchip_message *message)
{
    struct iovec parts[2] = {{message, sizeof(*message)}, {inbox, sizeof(inbox)}};
    struct msghdr packet = {.msg_iov = parts, .msg_iovlen = 2};
    ssize_t len = recvmsg(FERRY_VCHIP_FD_CHANNEL, &packet, 0);

    if (len < (ssize_t)sizeof(*message)) {
        _exit(1);
    }
    return (size_t)len - sizeof(*message);
}

static void take_peer(struct vchip *chip, const struct ferry_vchip_message *message, size_t len)
{
    struct ferry_vchip_peer told;

    if (len != sizeof(told)) {
        return;
    }
    memcpy(&told, inbox, sizeof(told));
    told.identity[sizeof(told.identity) - 1] = '\0';
    chip->watcher->peer(chip->watcher_context, message->a, message->b, &told);
}

/* What may come at any time. */
static void take(struct vchip *chip, const struct ferry_vchip_message *message, size_t len)
{
    if (message->kind == FERRY_VCHIP_RECEIVED && chip->receiver != NULL) {
        chip->receiver(chip->context, message->a, message->b, inbox, len);
    }
    if (message->kind == FERRY_VCHIP_BUTTON) {
        chip->button = message->b != 0;
    }
    if (message->kind == FERRY_VCHIP_PEER && chip->watcher != NULL) {
        take_peer(chip, message, len);
    }
    if (message->kind == FERRY_VCHIP_LEFT && chip->watcher != NULL) {
        chip->watcher->left(chip->watcher_context, message->b, message->c);
    }
}

/* The CPU stands still until the chip has done it; only interrupts go on. */
static int ask(struct vchip *chip, const struct ferry_vchip_message *message, const uint8_t *data,
               size_t len)
{
    struct ferry_vchip_message answer;

    tell(message, data, len);
    for (;;) {
        size_t rest = hear(&answer);
        if (answer.kind == FERRY_VCHIP_ANSWER) {
            return (int)(int32_t)answer.b;
        }
        take(chip, &answer, rest);
    }
}

/* ---- Flash --------------------------------------------------------------------------------- */

static int flash_read(const struct ferry_flash *flash, uint32_t offset, uint8_t *data, size_t len)
{
    const struct vchip_device *device = flash->context;

    memcpy(data, device->memory + offset, len);
    return FERRY_OK;
}

static int flash_program(const struct ferry_flash *flash, uint32_t offset, const uint8_t *data,
                         size_t len)
{
    const struct vchip_device *device = flash->context;

    while (len > 0) {
        size_t part = len < FERRY_VCHIP_PROGRAM_MAX ? len : FERRY_VCHIP_PROGRAM_MAX;
        const struct ferry_vchip_message message = {
            .kind = FERRY_VCHIP_PROGRAM, .a = device->number, .b = offset};
        int result = ask(device->chip, &message, data, part);
        if (result != FERRY_OK) {
            return result;
        }
        offset += (uint32_t)part;
        data += part;
        len -= part;
    }
    return FERRY_OK;
}

static int flash_erase(const struct ferry_flash *flash, uint32_t offset, size_t len)
{
    const struct vchip_device *device = flash->context;
    const struct ferry_vchip_message message = {
        .kind = FERRY_VCHIP_ERASE, .a = device->number, .b = offset, .c = (uint32_t)len};

    return ask(device->chip, &message, NULL, 0);
}

static const struct ferry_flash_ops flash_ops = {flash_read, flash_program, flash_erase};

static int open_device(struct vchip *chip, uint32_t number)
{
    const struct ferry_vchip_device *told = &chip->start.devices[number];
    struct vchip_device *device = &chip->devices[number];

    if (told->run_count > FERRY_FLASH_RUNS || told->size == 0) {
        return FERRY_E_CONFIG;
    }
    device->chip = chip;
    device->number = number;
    device->flash = (struct ferry_flash){
        .ops = &flash_ops,
        .context = device,
        .size = told->size,
        .write_size = (uint8_t)told->write_size,
        .erased_value = (uint8_t)told->erased_value,
        .run_count = (uint8_t)told->run_count,
    };
    memcpy(device->flash.runs, told->runs, sizeof(told->runs));
    device->memory =
        mmap(NULL, told->size, PROT_READ, MAP_SHARED, FERRY_VCHIP_FD_FLASH + (int)number, 0);
    if (device->memory == MAP_FAILED) {
        return FERRY_E_IO;
    }
    return ferry_flash_check(&device->flash);
}

/* Map memory for reading and writing; none of size 0. */
static int open_ram(int fd, uint32_t size, uint8_t **memory)
{
    if (size == 0) {
        return FERRY_OK;
    }
    void *ram = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
    if (ram == MAP_FAILED) {
        return FERRY_E_IO;
    }
    *memory = ram;
    return FERRY_OK;
}

int vchip_find(const struct vchip *chip, const char *name)
{
    for (uint32_t i = 0; i < chip->start.area_count; i++) {
        if (strncmp(chip->start.areas[i].name, name, FERRY_VCHIP_NAME) == 0) {
            return (int)i;
        }
    }
    return FERRY_E_NOT_FOUND;
}

int vchip_area(const struct vchip *chip, uint32_t number, struct ferry_flash_slice *slice)
{
    const struct ferry_vchip_area *area = &chip->start.areas[number % FERRY_VCHIP_AREAS];

    if (number >= chip->start.area_count || area->device >= chip->start.device_count) {
        return FERRY_E_BOUNDS;
    }
    return ferry_flash_slice_init(slice, &chip->devices[area->device].flash, area->offset,
                                  area->size);
}

/* ---- Start ------------------------------------------------------------------------------------
 */

static int check_start(const struct ferry_vchip_start *start)
{
    if (start->version != FERRY_VCHIP_VERSION || start->size != sizeof(*start)) {
        return FERRY_E_VERSION;
    }
    if (start->device_count > FERRY_VCHIP_DEVICES || start->area_count > FERRY_VCHIP_AREAS ||
        start->image_count > FERRY_VCHIP_IMAGES) {
        return FERRY_E_CONFIG;
    }
    return FERRY_OK;
}

int vchip_open(struct vchip *chip, vchip_receiver *receiver, void *context)
{
    struct ferry_vchip_message message;
    size_t len = hear(&message);

    memset(chip, 0, sizeof(*chip));
    if (message.kind != FERRY_VCHIP_START || len != sizeof(chip->start)) {
        return FERRY_E_VERSION;
    }
    memcpy(&chip->start, inbox, sizeof(chip->start));
    int result = check_start(&chip->start);
    for (uint32_t i = 0; result == FERRY_OK && i < chip->start.device_count; i++) {
        result = open_device(chip, i);
    }
    if (result == FERRY_OK) {
        result = open_ram(FERRY_VCHIP_FD_RAM, chip->start.ram_size, &chip->ram);
    }
    if (result == FERRY_OK) {
        result = open_ram(FERRY_VCHIP_FD_SHARED, chip->start.shared_size, &chip->shared);
    }
    chip->button = chip->start.button != 0;
    chip->receiver = receiver;
    chip->context = context;
    return result;
}

void vchip_watch(struct vchip *chip, const struct vchip_watcher *watcher, void *context)
{
    chip->watcher = watcher;
    chip->watcher_context = context;
}

/* ---- Wires and time
 * ------------------------------------------------------------------------------ */

void vchip_send(struct vchip *chip, uint32_t wire, uint32_t peer, const uint8_t *data, size_t len)
{
    const struct ferry_vchip_message message = {.kind = FERRY_VCHIP_SEND, .a = wire, .b = peer};

    const bool stream = wire == FERRY_VCHIP_SERIAL || wire == FERRY_VCHIP_RAW;

    (void)chip;
    if (!stream && len > FERRY_VCHIP_SEND_MAX) {
        return;
    }
    while (len > 0) {
        size_t part = len < FERRY_VCHIP_SEND_MAX ? len : FERRY_VCHIP_SEND_MAX;
        tell(&message, data, part);
        data += part;
        len -= part;
    }
}

void vchip_print(struct vchip *chip, const char *text)
{
    vchip_send(chip, FERRY_VCHIP_SERIAL, 0, (const uint8_t *)text, strlen(text));
}

void vchip_advertise(struct vchip *chip)
{
    (void)chip;
    tell_number(FERRY_VCHIP_ADVERTISE, 0);
}

void vchip_wait(struct vchip *chip, uint32_t timeout_ms)
{
    struct pollfd channel = {FERRY_VCHIP_FD_CHANNEL, POLLIN, 0};
    int timeout = (int)ferry_min32(timeout_ms, INT32_MAX);
    struct ferry_vchip_message message;

    while (poll(&channel, 1, timeout) > 0) {
        size_t len = hear(&message);
        take(chip, &message, len);
        timeout = 0;
    }
}

uint64_t vchip_now_ms(void)
{
    struct timespec now;

    (void)clock_gettime(CLOCK_MONOTONIC, &now);
    return (uint64_t)now.tv_sec * 1000 + (uint64_t)now.tv_nsec / 1000000;
}

int64_t vchip_date_ms(void)
{
    struct timespec now;

    (void)clock_gettime(CLOCK_REALTIME, &now);
    return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

uint64_t vchip_cycles(void)
{
    struct timespec now;

    (void)clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &now);
    return (uint64_t)now.tv_sec * 1000000000 + (uint64_t)now.tv_nsec;
}

int vchip_random(uint8_t *bytes, size_t len)
{
    ssize_t got;

    do {
        got = getrandom(bytes, len, 0);
    } while (got < 0 && errno == EINTR);
    return got >= 0 && (size_t)got == len ? FERRY_OK : FERRY_E_IO;
}

/* ---- Watchdog and resets
 * ---------------------------------------------------------------------------- */

void vchip_watchdog(struct vchip *chip, uint32_t timeout_ms)
{
    (void)chip;
    tell_number(FERRY_VCHIP_WATCHDOG, timeout_ms);
}

void vchip_feed(struct vchip *chip)
{
    (void)chip;
    tell_number(FERRY_VCHIP_FEED, 0);
}

void vchip_retain(struct vchip *chip, uint8_t boot_mode)
{
    (void)chip;
    tell_number(FERRY_VCHIP_RETAIN, boot_mode);
}

/* The chip ends this process. */
static _Noreturn void stand_still(void)
{
    for (;;) {
        (void)poll(NULL, 0, -1);
    }
}

_Noreturn void vchip_reset(struct vchip *chip)
{
    (void)chip;
    tell_number(FERRY_VCHIP_RESET, 0);
    stand_still();
}

_Noreturn void vchip_boot(struct vchip *chip, const struct vchip_program *program)
{
    const struct ferry_vchip_message message = {
        .kind = FERRY_VCHIP_BOOT, .a = program->memory, .b = program->offset, .c = program->size};

    (void)chip;
    tell(&message, program->slots, sizeof(program->slots));
    stand_still();
}
