/* SPDX-License-Identifier: Apache-2.0 */
/* Flash of the fuzzed server: memory that counts what is written, fails when it is told to, and
 * does not let anybody touch what is forbidden. */
#ifndef FUZZ_SERVER_FLASH_H
#define FUZZ_SERVER_FLASH_H

#include "ferry/flash.h"

#define SERVER_SECTOR  256U
#define SERVER_SECTORS 10U
#define SERVER_AREA    (SERVER_SECTOR * SERVER_SECTORS)

/* What goes wrong, for all areas of a device. */
struct server_faults {
    uint32_t writes;  /* programs and erases that were asked for */
    uint32_t fail_in; /* operations until one fails; 0 = none does */
    bool off;         /* the power failed: nothing works until the reset */
    bool happened;    /* since the device was made */
};

struct server_flash {
    struct ferry_flash flash; /* use this */
    struct ferry_flash_ram ram;
    uint8_t memory[SERVER_AREA];
    struct server_faults *faults;
    uint32_t forbidden; /* bytes from the begin that nobody may program or erase */
};

/* An erased area of so many sectors, write size 8. */
void server_flash_init(struct server_flash *flash, struct server_faults *faults, uint32_t sectors);

/* Put bytes at an offset, as a programmer does. */
void server_flash_load(struct server_flash *flash, uint32_t offset, const uint8_t *bytes,
                       size_t len);

#endif
