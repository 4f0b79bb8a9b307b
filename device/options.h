/* SPDX-License-Identifier: Apache-2.0 */
/* The command line of ferry-device. */
#ifndef DEVICE_OPTIONS_H
#define DEVICE_OPTIONS_H

#include "ferry/flash.h"
#include "ferry/gatt.h"

#define OPTIONS_FILES   16
#define OPTIONS_KEYS    8
#define OPTIONS_SECRETS 4

/* What ferry-device ends with. */
enum options_exit {
    EXIT_POWERED_OFF = 0,
    EXIT_FAILED = 1,
    EXIT_USAGE = 2,
    EXIT_CUT = 3,       /* --cut cut the power */
    EXIT_BOOT_LIMIT = 4 /* --boot-limit was reached */
};

/* AREA=FILE: a file to be programmed into an area. */
struct options_file {
    char area[16];
    const char *path;
};

struct options {
    const char *dir;
    const char *layout; /* NULL: the one in dir, else the built-in one */
    const char *serial; /* NULL: no serial port */
    const char *raw;    /* NULL: none for bare packets */
    int udp;            /* below 0: no UDP port */
    int dtls;           /* below 0: none with DTLS; not both */
    const char *dtls_psk, *dtls_cert, *dtls_key, *dtls_ca; /* files; NULL: none */
    const char *ble; /* the name that is advertised; NULL: no radio */
    bool ble_whole;  /* one write is one packet */
    bool ble_how;    /* one of the following was given */
    bool ble_plain;  /* values by calls, not by descriptors */
    enum ferry_gatt_permission ble_permission;
    bool fresh;        /* --new */
    bool program_only; /* make and program the device, do not power it up */
    bool quiet;
    bool button;
    struct options_file flash[OPTIONS_FILES], reflash[OPTIONS_FILES];
    uint32_t flash_count, reflash_count;
    const char *keys[OPTIONS_KEYS];
    uint32_t key_count;
    const char *secrets[OPTIONS_SECRETS];
    uint32_t secret_count;

    uint32_t baud, latency_ms;
    uint32_t loss, corrupt, raw_corrupt; /* parts of FERRY_NOISE_ALL */
    uint32_t seed;
    uint32_t rx_fifo; /* bytes; 0 = it never overflows */
    uint32_t buf_size, buf_count;
    uint32_t erase_ms, program_us;
    uint32_t cut; /* 0 = never */
    enum ferry_cut cut_how;
    uint32_t boot_limit; /* 0 = none */
    const char *foreign; /* quirks of other servers; NULL: none */
};

/* Read the command line. Says on stderr what is wrong with it, or on stdout the help or version.
 *
 * options  keeps pointers into argv
 *
 * Returns -1 to go on, or what to exit with. */
int options_read(int argc, char **argv, struct options *options);

#endif
