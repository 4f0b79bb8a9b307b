/* SPDX-License-Identifier: Apache-2.0 */
/* Firmware and image files, in and out: raw binary, Intel HEX, ELF. What a file is, its content
 * says, not its name. */
#ifndef CLI_IMAGE_FIRMWARE_FILE_H
#define CLI_IMAGE_FIRMWARE_FILE_H

#include "cli/cli.h"

enum firmware_form { FIRMWARE_BIN = 1, FIRMWARE_HEX = 2, FIRMWARE_ELF = 4 };

/* A file's bytes from the lowest address to the highest. */
struct firmware {
    struct cli_buffer bytes;
    size_t size;      /* of the bytes, also when they are no more */
    bool has_address; /* HEX and ELF have one */
    uint32_t address; /* of the first byte */
    enum firmware_form form;
};

struct firmware_options {
    unsigned forms; /* a sum of firmware_form: which it may be; 0 = any. With one alone that one is
                       not looked for but taken, so that with FIRMWARE_BIN nothing is decoded */
    uint8_t erased_value; /* what fills the gaps of HEX and ELF */
    uint32_t limit;       /* bytes that pieces with gaps may span; 0 = CLI_FILE_MAX */
    bool can_range;       /* the command has --range: messages may advise it */
    bool has_range;       /* take what lies from first to last alone, both inclusive */
    uint32_t first;
    uint32_t last;
};

/* Read a file, "-" for standard input. What lies outside the range is named on standard error.
 * Free firmware->bytes. After a message returns an enum cli_exit. */
FERRY_MUST_CHECK
int firmware_read(const struct cli *cli, const char *path, const struct firmware_options *options,
                  struct firmware *firmware);

/* What image files may be: raw binary and Intel HEX, of which gaps are 0xff. */
extern const struct firmware_options firmware_image;

/* The value of --range: "0x8000-0xffff", both inclusive. After a message returns an enum cli_exit.
 */
FERRY_MUST_CHECK
int firmware_take_range(const struct cli *cli, const char *text, struct firmware_options *options);

/* The value of --input-format (with auto, which is 0) and --output-format (bin and hex alone):
 * *form is set. After a message returns an enum cli_exit. */
FERRY_MUST_CHECK
int firmware_take_form(const struct cli *cli, const char *option, const char *text, bool input,
                       unsigned *form);

/* Part of what is written, by its offset. */
struct firmware_piece {
    uint32_t offset;
    uint32_t len;
};

struct firmware_out {
    struct cli_buffer bytes;
    unsigned form; /* FIRMWARE_BIN, FIRMWARE_HEX, or 0: HEX when the path ends in .hex, as imgtool
                      does it */
    bool has_address;
    uint32_t address;                    /* of the first byte; HEX needs it */
    const struct firmware_piece *pieces; /* what a HEX file is to have, by offset; binary has all */
    size_t piece_count;
};

/* Whether a path is written as HEX. */
bool firmware_is_hex(const char *path, unsigned form);

/* Write a file, "-" for standard output. After a message returns an enum cli_exit. */
FERRY_MUST_CHECK
int firmware_write(const struct cli *cli, const char *path, const struct firmware_out *out);

#endif
