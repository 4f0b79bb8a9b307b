/* SPDX-License-Identifier: Apache-2.0 */
/* What the virtual chip and a program on it say to each other. docs/DEVICE.md explains it.
 *
 * The program finds a channel (SOCK_SEQPACKET) and the flash devices as open files. A message is
 * a struct ferry_vchip_message and the bytes behind it; numbers are in the machine's own order.
 * The chip trusts nothing a program sends: a message that cannot be is a fault, and resets it. */
#ifndef FERRY_VCHIP_H
#define FERRY_VCHIP_H

#include "ferry/flash.h"

#define FERRY_VCHIP_VERSION 5

#define FERRY_VCHIP_FD_CHANNEL 3
#define FERRY_VCHIP_FD_FLASH   4  /* flash device n is descriptor 4 + n, to be mapped read only */
#define FERRY_VCHIP_FD_RAM     8  /* the chip's RAM, to be mapped for reading and writing */
#define FERRY_VCHIP_FD_SHARED  9  /* the memory that bootloader and firmware share, the same */
#define FERRY_VCHIP_FD_FILES   10 /* the folder of the file system, with FERRY_VCHIP_FILES */

#define FERRY_VCHIP_DEVICES     4
#define FERRY_VCHIP_AREAS       16
#define FERRY_VCHIP_IMAGES      4
#define FERRY_VCHIP_NAME        16    /* characters of a name, its NUL included */
#define FERRY_VCHIP_STRATEGY    24    /* and of a strategy's */
#define FERRY_VCHIP_PROGRAM_MAX 4096  /* bytes one FERRY_VCHIP_PROGRAM takes */
#define FERRY_VCHIP_SEND_MAX    16384 /* bytes one message carries on a wire */
#define FERRY_VCHIP_SHARED      1024  /* bytes of shared memory */

/* What images linked to an address count: flash device n begins at n * FERRY_VCHIP_SPAN, and RAM
 * where the layout says. */
#define FERRY_VCHIP_SPAN    0x04000000U
#define FERRY_VCHIP_RAM_MAX 0x01000000U /* bytes of RAM at most */

/* In place of a flash device's number: RAM, with offsets from its beginning. */
#define FERRY_VCHIP_RAM 0xffU

/* Bytes in front of the firmware in the slots of the first stage: MCUboot's header is there. */
#define FERRY_VCHIP_FIRST_HEADER 0x200U

/* In place of an area's number: there is none. */
#define FERRY_VCHIP_NO_AREA 0xffffffffU

/* Bytes a file on FERRY_VCHIP_FD_FILES may be made to have: the kernel ends a program that goes on.
 */
#define FERRY_VCHIP_FILE_MAX 0x01000000U

#define FERRY_VCHIP_IDENTITY 104 /* characters of a peer's identity, its NUL included */

/* Bytes a program has for requests: buf_size * buf_count is at most this. */
#define FERRY_VCHIP_BUFFERS 131072

enum ferry_vchip_kind {
    /* Program to chip. The first two are answered, and the program stands until then. */
    FERRY_VCHIP_PROGRAM = 1, /* a: flash device, b: offset; bytes: what to program */
    FERRY_VCHIP_ERASE,       /* a: flash device, b: offset, c: length; whole sectors */
    FERRY_VCHIP_SEND,        /* a: wire, b: peer; bytes: text or lines, or one datagram */
    FERRY_VCHIP_WATCHDOG,    /* b: milliseconds; runs from now on and cannot be stopped */
    FERRY_VCHIP_FEED,        /* the watchdog begins anew */
    FERRY_VCHIP_RETAIN,      /* b: boot mode, 0 .. 255, kept until the power goes */
    FERRY_VCHIP_RESET,       /* reset the chip */
    FERRY_VCHIP_BOOT,        /* a: flash device or RAM, b: offset, c: length: run this ELF
                                instead; bytes: the slot of each image, for its START */
    FERRY_VCHIP_ADVERTISE,   /* the radio is to be found, and takes a link, the modem sessions;
                                until the next start */

    /* Chip to program. */
    FERRY_VCHIP_START = 0x80, /* the first message; bytes: struct ferry_vchip_start */
    FERRY_VCHIP_ANSWER,       /* b: FERRY_OK or an error, as int32_t */
    FERRY_VCHIP_RECEIVED,     /* a: wire, b: peer; bytes: what came, one datagram at a time */
    FERRY_VCHIP_BUTTON,       /* b: 1 pressed, 0 released */
    FERRY_VCHIP_PEER, /* a: wire, b: peer; bytes: struct ferry_vchip_peer, what is known of it now
                       */
    FERRY_VCHIP_LEFT  /* a: FERRY_VCHIP_BLE, b: peer, c: so many notifications have left since */
};

struct ferry_vchip_message {
    uint32_t kind; /* enum ferry_vchip_kind */
    uint32_t a, b, c;
};

enum ferry_vchip_wire {
    FERRY_VCHIP_SERIAL, /* a stream of bytes; the peer is 0 */
    FERRY_VCHIP_UDP,    /* datagrams; the peer is an address of the loopback: its port, and its host
                           above FERRY_VCHIP_HOST bits */
    FERRY_VCHIP_RAW,    /* a second serial port, for bare packets; the peer is 0 */
    FERRY_VCHIP_BLE,    /* Bluetooth LE: one value of SMP's characteristic at a time; the peer is a
                           link, above 0 */
    FERRY_VCHIP_DTLS,   /* datagrams that the modem decrypted; the peer is a session, above 0 */
    FERRY_VCHIP_WIRES
};

/* Of a peer on FERRY_VCHIP_UDP: 0 is ::1, else it is 127.0.0.0 and this number. */
#define FERRY_VCHIP_HOST 16

/* What the radio or the modem knows of a peer. Sent when a link or session begins, with each
 * change, and when it ends; before whatever is received from it then. All end with the program. */
struct ferry_vchip_peer {
    uint32_t connected;  /* 0: it is gone, its number is not used again */
    uint32_t security;   /* enum ferry_peer_security of ferry/server.h */
    uint32_t mtu;        /* BLE: ATT_MTU; else 0 */
    uint32_t subscribed; /* BLE: 1 = notifications are wanted */
    uint32_t queue;      /* BLE: notifications that may be on their way at once; see LEFT */
    char identity[FERRY_VCHIP_IDENTITY]; /* who it proved to be: "psk:", "cert:" or "ble:" and a
                                            name, with a NUL; "" = not known */
};

/* Why the chip started. */
enum ferry_vchip_cause {
    FERRY_VCHIP_POWER_ON,
    FERRY_VCHIP_SOFTWARE, /* the program asked for it */
    FERRY_VCHIP_EXPIRED,  /* the watchdog was not fed */
    FERRY_VCHIP_FAULT,    /* the program crashed or returned */
    FERRY_VCHIP_PIN,      /* somebody pressed the reset pin */
    FERRY_VCHIP_CAUSES
};

struct ferry_vchip_device {
    uint32_t size;
    uint32_t write_size;
    uint32_t erased_value;
    uint32_t run_count;
    struct ferry_flash_run runs[FERRY_FLASH_RUNS];
};

struct ferry_vchip_area {
    char name[FERRY_VCHIP_NAME];
    uint32_t device;
    uint32_t offset;
    uint32_t size;
};

struct ferry_vchip_image {
    char strategy[FERRY_VCHIP_STRATEGY];
    uint32_t primary;   /* numbers of areas */
    uint32_t secondary; /* or FERRY_VCHIP_NO_AREA, as the strategy needs it */
    uint32_t scratch;
};

/* Flags: what the bootloader asks of images. */
#define FERRY_VCHIP_NO_DOWNGRADE     0x01U /* versions that are not newer are refused */
#define FERRY_VCHIP_COMPARE_BUILD    0x02U /* … and the build number counts */
#define FERRY_VCHIP_SECURITY_COUNTER 0x04U /* security counters do not go down */
#define FERRY_VCHIP_VENDOR           0x08U /* the vendor is vendor_id */
#define FERRY_VCHIP_CLASS            0x10U /* the class is class_id */
#define FERRY_VCHIP_PRODUCTION       0x80U /* keys that everybody has do not count */
/* Flags: serial recovery. */
#define FERRY_VCHIP_RECOVERY        0x1000U /* the bootloader has one */
#define FERRY_VCHIP_RECOVERY_BUTTON 0x2000U /* the button, held at the start, leads there */

#define FERRY_VCHIP_SET 0x100U /* flag: the images change as one */

/* Flags: what the firmware's SMP server is to have. */
#define FERRY_VCHIP_SHELL         0x010000U /* group shell */
#define FERRY_VCHIP_FILES         0x020000U /* group file system, on FERRY_VCHIP_FD_FILES */
#define FERRY_VCHIP_SHELL_SERIAL  0x040000U /* the serial wire is a shell that takes frames too */
#define FERRY_VCHIP_ERASE_AHEAD   0x080000U /* uploads erase ahead of what they write */
#define FERRY_VCHIP_RESUME        0x100000U /* uploads go on after a reset */
#define FERRY_VCHIP_DIRECT_UPLOAD 0x200000U /* "image" of an upload may name a slot */

#define FERRY_VCHIP_UDP_LIMITS 0x800000U /* the server's limits on UDP (ferry/peers.h) */

/* Flag: while flash is erased or programmed the serial ports keep a few bytes only. */
#define FERRY_VCHIP_SHORT_FIFO 0x400000U

/* Flag: what is written over Bluetooth LE is a whole packet each time. */
#define FERRY_VCHIP_BLE_WHOLE 0x1000000U

/* Peers that may do more at once, by who they have proven to be. */
#define FERRY_VCHIP_GRANTS 4

struct ferry_vchip_grant {
    char identity[FERRY_VCHIP_IDENTITY]; /* with a NUL; "" = the end of the list */
    uint32_t level;                      /* enum ferry_access_level of ferry/access.h, above 0 */
};

/* What an SMP client may do before it unlocks more. */
enum ferry_vchip_lock { FERRY_VCHIP_OPEN, FERRY_VCHIP_LOCKED, FERRY_VCHIP_UPDATE };

/* The board, as its layout file describes it, and how this start came about. */
struct ferry_vchip_start {
    uint32_t version; /* FERRY_VCHIP_VERSION */
    uint32_t size;    /* of this struct */
    uint32_t cause;   /* enum ferry_vchip_cause */
    uint32_t boot_mode;
    uint32_t button; /* 1: held down */
    uint32_t flags;
    uint32_t buf_size;  /* largest SMP packet, and how many may wait: parameters */
    uint32_t buf_count; /* of the RAM the program is to give to requests */
    uint32_t max_align;
    uint32_t max_sectors;
    uint32_t device_count;
    uint32_t area_count;
    uint32_t image_count;
    uint32_t trials; /* boots an unconfirmed image has; 0 = one, marked or not */
    uint32_t ram_address;
    uint32_t ram_size; /* 0 = the chip has none to share */
    /* The slot each image runs from, as the program before said in BOOT; 0 for the bootloader. */
    uint8_t slots[FERRY_VCHIP_IMAGES];
    struct ferry_vchip_device devices[FERRY_VCHIP_DEVICES];
    struct ferry_vchip_area areas[FERRY_VCHIP_AREAS];
    struct ferry_vchip_image images[FERRY_VCHIP_IMAGES];
    uint8_t vendor_id[16]; /* for their flags */
    uint8_t class_id[16];
    /* The immutable first stage (docs/FIRST.md): numbers of its areas, FERRY_VCHIP_NO_AREA where
     * the layout has none; and the slot of the bootloader, as the first stage said in BOOT. */
    uint32_t first_provision;
    uint32_t first_slots[2];
    uint32_t first_active;
    /* Bytes of shared memory: what the bootloader measured (ferry/shared_data.h). It stays until
     * the power goes, and powers up with junk in it. */
    uint32_t shared_size;
    uint32_t recovery_wait_ms; /* window for the first command after a reset; 0 = none */
    uint32_t recovery_idle_ms; /* recovery is left after so long without a command; 0 = never */
    uint32_t enc_tlv; /* longest ENC TLV of encrypted images, bytes; 0 = none is encrypted */
    uint32_t lock;    /* enum ferry_vchip_lock: where the server's gate stands after a start */
    struct ferry_vchip_grant grants[FERRY_VCHIP_GRANTS];
    uint32_t ble_permission; /* enum ferry_gatt_permission of ferry/gatt.h */
    uint8_t unlock_key[32];  /* Ed25519: who has its private half may unlock; all 0 = nobody */
    uint8_t chip_id[8];      /* no other chip has it */
};

/* ---- The key area ------------------------------------------------------------------------ */

/* Keys stand one behind the other from the beginning of the area named "keys": magic and length,
 * both u32 little endian, the key as in struct ferry_image_key, padding with the erased value to a
 * multiple of FERRY_VCHIP_KEY_ALIGN. They end where the magic is missing. */
#define FERRY_VCHIP_KEY_MAGIC 0x59454b46U /* "FKEY" in flash */
#define FERRY_VCHIP_KEY_HEAD  8
#define FERRY_VCHIP_KEY_ALIGN 32
#define FERRY_VCHIP_KEY_MAX   600

/* What encrypted images are decrypted with stands in the area named "secrets" in the same form, but
 * for its magic; the bytes are those of struct ferry_image_secret. Only the bootloader reads it. */
#define FERRY_VCHIP_SECRET_MAGIC 0x43455346U /* "FSEC" in flash */
#define FERRY_VCHIP_SECRET_MAX   1280

#endif
