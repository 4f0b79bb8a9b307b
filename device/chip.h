/* SPDX-License-Identifier: Apache-2.0 */
/* The chip: starts what is in its flash, serves it, resets it. */
#ifndef DEVICE_CHIP_H
#define DEVICE_CHIP_H

#include "ble.h"
#include "board.h"
#include "foreign.h"
#include "modem.h"
#include "program.h"
#include "ram.h"
#include "serial.h"
#include "tally.h"
#include "udp.h"

#define CHIP_NEVER UINT64_MAX

/* A chip that crashes at once starts this often at most, ns. */
#define CHIP_START_NS 100000000U

/* Which program runs. */
enum chip_stage { CHIP_BOOTLOADER, CHIP_FIRMWARE, CHIP_FIRST_STAGE };

/* Its serial ports. */
enum chip_serial { CHIP_CONSOLE, CHIP_RAW, CHIP_SERIALS };

/* A flash operation of the program, which stands still until its time is over. */
struct chip_operation {
    bool pending;
    struct ferry_vchip_message message;
    size_t len;
    uint8_t bytes[FERRY_VCHIP_PROGRAM_MAX];
};

/* Links of the radio and sessions of the modem at once. */
#define CHIP_PEERS 16

/* What the program is to know of one. */
struct chip_peer {
    uint32_t wire;
    uint32_t number; /* 0: the place is free */
    bool due;        /* the program does not know it yet */
    uint32_t left;   /* notifications that have left, and it does not know yet */
    struct ferry_vchip_peer state;
};

struct chip {
    const struct options *options;
    struct board *board;
    struct ferry_flash_cutter flash[FERRY_VCHIP_DEVICES]; /* of the board, under this power */
    struct ferry_power power;
    struct tally tally;
    int readers[FERRY_VCHIP_DEVICES]; /* the flash files as programs see them */
    struct ram ram;
    struct ram shared; /* by bootloader and firmware */
    struct serial serials[CHIP_SERIALS];
    struct udp udp;
    struct foreign *foreign; /* NULL: none between the wires and the program */
    struct chip_peer peers[CHIP_PEERS];
    struct ble *ble;     /* NULL: no radio */
    struct modem *modem; /* has the UDP port; NULL: the program has it */

    struct program program;
    enum chip_stage stage;             /* what runs */
    uint8_t slots[FERRY_VCHIP_IMAGES]; /* what BOOT said; 0 for the bootloader */
    uint8_t first_active;              /* what the first stage's BOOT said */
    uint64_t start_at; /* when the next bootloader starts; CHIP_NEVER while something runs */
    uint64_t started;  /* when the last one did */
    uint32_t starts;
    enum ferry_vchip_cause cause;
    uint32_t boot_mode; /* retained */
    bool button;

    struct chip_operation operation;
    uint64_t stands_until; /* of the operation */
    bool answer_due;       /* the answer did not fit the channel */
    int32_t answer;
    uint32_t watchdog_ms; /* 0: not armed */
    uint64_t watchdog_at;
    uint64_t bytes_lost; /* by the receive FIFO */
    bool fifo_held;      /* the CPU stood still since bytes were last handed on */

    int signals;     /* signalfd */
    int exit_code;   /* below 0: go on */
    size_t said_len; /* what the device said since its last line feed */
    char said[256];
};

/* Nanoseconds of the monotonic clock. */
uint64_t chip_now(void);

/* Print what the chip does, unless it is to be quiet. */
__attribute__((format(printf, 2, 3))) void chip_say(const struct chip *chip, const char *format,
                                                    ...);

/* Power the chip up and let it run until it is switched off.
 *
 * board    is open; stays the caller's
 *
 * Returns an exit code. */
int chip_run(struct board *board, const struct options *options);

/* Reset the chip: what runs is ended, and the bootloader starts anew. */
void chip_reset(struct chip *chip, enum ferry_vchip_cause cause, const char *why);

/* Replace what runs by the ELF in these bytes of flash or RAM. */
void chip_start(struct chip *chip, const char *name, struct ferry_bytes elf);

/* ---- request.c, wires.c, peers.c, radio.c
 * ------------------------------------------------------------------------------- */

/* Serve the program's messages that are there. */
void chip_serve(struct chip *chip, uint64_t now);

/* Do the operation whose time is over, and answer it. */
void chip_operate(struct chip *chip);

/* Send an answer that did not fit before. */
void chip_answer_again(struct chip *chip);

/* Put bytes on a wire; what it has no room for is lost. */
void chip_put(struct chip *chip, uint32_t wire, uint32_t peer, struct ferry_bytes bytes);

/* Hand on what arrived at a wire. */
void chip_receive(struct chip *chip, uint64_t now, uint32_t wire, uint32_t peer,
                  struct ferry_bytes bytes);

/* Tell the program of a link or session, now or as soon as it takes it: before whatever is received
 * from it afterwards.
 *
 * number  above 0, and never used for another one
 *
 * Returns false when it is a new one and there are too many: then it is to be refused. */
bool chip_peer_is(struct chip *chip, uint32_t wire, uint32_t number,
                  const struct ferry_vchip_peer *state);

/* What was told last of a link or session; NULL: it is not there. */
const struct ferry_vchip_peer *chip_peer_of(const struct chip *chip, uint32_t wire,
                                            uint32_t number);

/* So many notifications have left for a link. */
void chip_notified(struct chip *chip, uint32_t link, uint32_t count);

/* Tell what is due. Returns whether nothing is any more. */
bool chip_tell_peers(struct chip *chip);

/* A program ends, and with it all links and sessions. */
void chip_forget_peers(struct chip *chip);

/* Set up the radio that --ble asks for. Returns as ble_open(). */
FERRY_MUST_CHECK
int chip_open_radio(struct chip *chip, char *why, size_t cap);

/* Set up the modem that --dtls asks for. Returns as modem_open(). */
FERRY_MUST_CHECK
int chip_open_modem(struct chip *chip, char *why, size_t cap);

/* Have the radio be found and the modem take sessions, or be silent. */
void chip_advertise(struct chip *chip, bool on);

/* Hand on what links wrote, as much as the program takes. */
void chip_take_values(struct chip *chip);

/* Whether what passes goes through its quirks now. */
bool chip_is_foreign(const struct chip *chip);

/* Set up what --foreign asks for. Returns -1, or what to exit with. */
int chip_play_foreign(struct chip *chip);

/* Whether all wires take what one more message may carry. */
bool chip_has_room(const struct chip *chip);

/* Whether the CPU stands still for its flash. */
bool chip_stands(const struct chip *chip);

#endif
