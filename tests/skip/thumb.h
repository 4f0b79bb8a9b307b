/* SPDX-License-Identifier: Apache-2.0 */
/* An interpreter of ARMv6-M, the instruction set of Cortex-M0 and M0+: what a compiler emits for
 * core/, without exceptions and system registers. Code is at 0, RAM at THUMB_RAM. */
#ifndef THUMB_H
#define THUMB_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define THUMB_RAM      0x20000000U
#define THUMB_RAM_SIZE 16384U

enum thumb_state {
    THUMB_RUNS,
    THUMB_ENDED,  /* an SVC ended it */
    THUMB_CRASHED /* an access or instruction that cannot be: a HardFault */
};

struct thumb;

/* One function a format of instructions, by their upper 10 bits. */
typedef void thumb_format(struct thumb *thumb, uint32_t op);
#define THUMB_FORMATS 1024U

struct thumb {
    uint32_t r[16]; /* r[15]: the next instruction */
    bool n, z, c, v;
    enum thumb_state state;
    thumb_format *const *formats; /* as thumb_decoder() fills them */
    const uint8_t *rom;
    uint32_t rom_size;
    uint8_t ram[THUMB_RAM_SIZE];
    /* SVC: r[0] .. r[3] are arguments, r[0] the result. */
    void (*service)(struct thumb *thumb, uint8_t number);
    void *context;
};

void thumb_decoder(thumb_format *table[THUMB_FORMATS]);

/* Registers and RAM as after a reset: stack pointer and entry come from the vectors at 0. */
void thumb_reset(struct thumb *thumb);

/* Bytes of the next instruction: 2 or 4; 0 when there is none to fetch. */
uint32_t thumb_length(const struct thumb *thumb);

/* Execute one instruction. */
void thumb_step(struct thumb *thumb);

/* len bytes at an address, or NULL: RAM to be written, or RAM and code to be read. */
uint8_t *thumb_memory(struct thumb *thumb, uint32_t address, uint32_t len);
const uint8_t *thumb_bytes(const struct thumb *thumb, uint32_t address, uint32_t len);

#endif
