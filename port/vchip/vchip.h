/* SPDX-License-Identifier: Apache-2.0 */
/* A program's side of the virtual chip: its flash, wires, watchdog and resets, over the channel
 * of ferry/vchip.h. There is one chip; its state is the caller's. */
#ifndef PORT_VCHIP_VCHIP_H
#define PORT_VCHIP_VCHIP_H

#include "ferry/vchip.h"

struct vchip;

/* Called when bytes came in. It runs as an interrupt would, in vchip_wait() and while a flash
 * operation is waited for: it may only store them.
 *
 * data  valid during the call */
typedef void vchip_receiver(void *context, uint32_t wire, uint32_t peer, const uint8_t *data,
                            size_t len);

/* Called with what the chip tells of peers, as the receiver is. */
struct vchip_watcher {
    /* told  valid during the call; its identity has a NUL */
    void (*peer)(void *context, uint32_t wire, uint32_t peer, const struct ferry_vchip_peer *told);
    /* So many notifications to a peer have left, and as many more may be sent. */
    void (*left)(void *context, uint32_t peer, uint32_t count);
};

struct vchip_device {
    struct ferry_flash flash; /* the whole device */
    struct vchip *chip;
    uint32_t number;
    const uint8_t *memory;
};

/* The fields may be read, but for the last four. */
struct vchip {
    struct ferry_vchip_start start; /* why and on what board the program runs */
    struct vchip_device devices[FERRY_VCHIP_DEVICES];
    uint8_t *ram;    /* start.ram_size bytes, or NULL; what is in it stays until the power goes */
    uint8_t *shared; /* start.shared_size bytes: what the bootloader left */
    bool button;     /* at present */
    vchip_receiver *receiver;
    void *context;
    const struct vchip_watcher *watcher;
    void *watcher_context;
};

/* What to run next. */
struct vchip_program {
    uint32_t memory;                   /* number of a flash device, or FERRY_VCHIP_RAM */
    uint32_t offset;                   /* of the ELF in it */
    uint32_t size;                     /* bytes, above 0 */
    uint8_t slots[FERRY_VCHIP_IMAGES]; /* each image's, for the program's own start */
};

/* Meet the chip: take its first message, map its memory. Call it once, first.
 *
 * receiver  may be NULL: what comes in is lost
 *
 * Returns FERRY_OK; FERRY_E_VERSION when the chip speaks another version; FERRY_E_CONFIG when
 * what it says cannot be; FERRY_E_IO when there is no chip. */
FERRY_MUST_CHECK
int vchip_open(struct vchip *chip, vchip_receiver *receiver, void *context);

/* Be told of peers from now on: before the first vchip_wait() and flash operation. The watcher must
 * outlive the chip. */
void vchip_watch(struct vchip *chip, const struct vchip_watcher *watcher, void *context);

/* An area as flash, by its number in start.areas, and the number of a name.
 * vchip_find returns it or FERRY_E_NOT_FOUND; vchip_area as ferry_flash_slice_init(). */
FERRY_MUST_CHECK
int vchip_find(const struct vchip *chip, const char *name);
FERRY_MUST_CHECK
int vchip_area(const struct vchip *chip, uint32_t number, struct ferry_flash_slice *slice);

/* Send bytes on a wire; vchip_print sends text on the serial one. A datagram has at most
 * FERRY_VCHIP_SEND_MAX bytes, and so has a notification: a longer one is not sent. Both wait for
 * the wire if they must. */
void vchip_send(struct vchip *chip, uint32_t wire, uint32_t peer, const uint8_t *data, size_t len);
void vchip_print(struct vchip *chip, const char *text);

/* Let the radio be found until the next start. */
void vchip_advertise(struct vchip *chip);

/* Wait until something came in, at most timeout_ms, and hand it to the receiver. */
void vchip_wait(struct vchip *chip, uint32_t timeout_ms);

/* Milliseconds of a monotonic clock. */
uint64_t vchip_now_ms(void);

/* Milliseconds since 1970-01-01T00:00:00 UTC, of the host's clock; negative before. */
int64_t vchip_date_ms(void);

/* Nanoseconds that the processor worked for this program: one cycle each, as it were. */
uint64_t vchip_cycles(void);

/* Fill len bytes, at most 256, with random numbers. Returns FERRY_OK or FERRY_E_IO. */
FERRY_MUST_CHECK
int vchip_random(uint8_t *bytes, size_t len);

/* Arm the watchdog, feed it, keep a boot mode for the next start. */
void vchip_watchdog(struct vchip *chip, uint32_t timeout_ms);
void vchip_feed(struct vchip *chip);
void vchip_retain(struct vchip *chip, uint8_t boot_mode);

/* Reset the chip; start another program instead of this one. */
_Noreturn void vchip_reset(struct vchip *chip);
_Noreturn void vchip_boot(struct vchip *chip, const struct vchip_program *program);

#endif
