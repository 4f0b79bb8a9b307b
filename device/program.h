/* SPDX-License-Identifier: Apache-2.0 */
/* A program on the chip: a process of its own, made from bytes of flash. */
#ifndef DEVICE_PROGRAM_H
#define DEVICE_PROGRAM_H

#include "ferry/bytes.h"
#include "ferry/error.h"
#include "ferry/vchip.h"

#include <sys/types.h>

struct program {
    pid_t pid;   /* 0: none runs */
    int channel; /* the chip's end; -1 when none runs */
};

/* What a program finds at its descriptors. */
struct program_memory {
    const int *flash; /* flash_count descriptors, for reading */
    uint32_t flash_count;
    int ram; /* -1 = none */
    int shared;
    int files; /* the folder of the file system; -1 = none */
};

/* Start the ELF in the bytes, with its memory at its descriptors. It dies with the chip.
 *
 * name  for people who look at the processes
 *
 * Returns FERRY_OK or FERRY_E_IO (errno). Bytes that are no program start one that fails. */
FERRY_MUST_CHECK
int program_start(struct program *program, const char *name, struct ferry_bytes elf,
                  const struct program_memory *memory);

/* End it now, whatever it does; harmless when none runs. */
void program_kill(struct program *program);

/* Whether it has ended by itself.
 *
 * how  room for cap characters: "signal 11, Segmentation fault" or "returned 1" */
bool program_ended(struct program *program, char *how, size_t cap);

/* Send a message. Returns FERRY_OK, FERRY_E_FULL when the program does not take any at present,
 * FERRY_E_IO when it has ended. */
FERRY_MUST_CHECK
int program_tell(const struct program *program, const struct ferry_vchip_message *message,
                 struct ferry_bytes bytes);

/* Receive a message.
 *
 * bytes  room for cap bytes; what stands behind the message
 *
 * Returns how many, FERRY_E_NOT_FOUND when there is none, FERRY_E_FORMAT for one that is too short
 * or too long. */
FERRY_MUST_CHECK
int program_hear(const struct program *program, struct ferry_vchip_message *message, uint8_t *bytes,
                 size_t cap);

#endif
