/* SPDX-License-Identifier: Apache-2.0 */
/* What every port must keep, as a program that tries it: flash, transport, clock, reset. It runs on
 * the chip itself, in front of anything else, and says of each rule whether it holds. No heap, no C
 * library; port/conformance/ has the sources. docs/PORTING.md */
#ifndef FERRY_CONFORMANCE_H
#define FERRY_CONFORMANCE_H

#include "ferry/flash.h"
#include "ferry/group_fs.h"

/* Told of each rule once.
 *
 * rule  what must hold, in a few words: "flash: erase leaves the neighbours alone"
 * why   NULL: it holds; else what was seen, and what to look at */
typedef void ferry_conformance_report(void *context, const char *rule, const char *why);

/* One run. report and context are the caller's, the counts begin at 0. */
struct ferry_conformance {
    ferry_conformance_report *report;
    void *context;
    uint32_t passed;
    uint32_t failed;
};

/* Room for the last line, its NUL included. */
#define FERRY_CONFORMANCE_SUMMARY_MAX 40

/* Write "12 passed, 0 failed" and a NUL. Returns whether none failed. */
bool ferry_conformance_summary(const struct ferry_conformance *run,
                               char text[FERRY_CONFORMANCE_SUMMARY_MAX]);

/* ---- Flash ------------------------------------------------------------------------------ */

/* Sectors an area must have to be tried: two neighbours and one between them. */
#define FERRY_CONFORMANCE_SECTORS 3

/* Try an area of flash. ALL THAT IS IN IT IS LOST; it is erased at the end, unless a rule about
 * geometry or erasing failed. The watchdog is off, or fed by the port's own read and erase.
 *
 * A part whose write units take one program between two erases (ECC) may refuse the second one, and
 * may answer FERRY_E_FLASH for the unit until it is erased: both are within the rules. */
void ferry_conformance_flash(struct ferry_conformance *run, const struct ferry_flash *area);

/* ---- Transport -------------------------------------------------------------------------- */

/* A serial line whose end is connected to its beginning: with a wire, or by a program at the other
 * end that sends back what it receives. */
struct ferry_conformance_line {
    /* Send bytes; returns when they are sent or stored. */
    void (*send)(void *context, const uint8_t *data, size_t len);
    /* Wait for bytes, as long as they may take to come round: 100 ms, say.
     * Returns how many came, at most cap; 0 = none did. */
    size_t (*receive)(void *context, uint8_t *data, size_t cap);
    void *context;
    size_t in_flight; /* bytes the line and the receiver keep before the first is taken: 1 where
                         receiving is polled; larger is faster. Above 0 */
};

/* Try a line: every byte value, packets of every size up to three lines of the console framing, cut
 * both ways, back to back, and behind a line that is too long. */
void ferry_conformance_line(struct ferry_conformance *run,
                            const struct ferry_conformance_line *line);

/* ---- Clock ------------------------------------------------------------------------------ */

/* Readings after which a clock stands still, where nothing lets time pass: some seconds. */
#define FERRY_CONFORMANCE_READINGS 10000000

/* Try a clock of milliseconds: it goes on, it does not go back, and it does not jump.
 *
 * wait  lets time pass, a few milliseconds; NULL = it is read until it goes on, at most
 *       FERRY_CONFORMANCE_READINGS times */
void ferry_conformance_clock(struct ferry_conformance *run, uint64_t (*now_ms)(void *context),
                             void (*wait)(void *context), void *context);

/* ---- Reset ------------------------------------------------------------------------------ */

/* The boot mode the reset is asked with. */
#define FERRY_CONFORMANCE_MODE 1

/* What a reset needs of a port. */
struct ferry_conformance_reset {
    const struct ferry_flash *area; /* keeps a marker over the reset, in its first write unit */
    void (*retain)(void *context, uint8_t boot_mode); /* keep it for the next start */
    uint8_t (*retained)(void *context);               /* the boot mode this start was given */
    void (*reset)(void *context);                     /* does not come back */
    void *context;
};

/* Try the reset: call it at the beginning of the program, before the area is used for anything
 * else. The first call erases the area's first sector, puts a marker there and resets; the call
 * after that finds the marker, reports, and erases it again.
 *
 * Returns true after the reset; false when reset() came back, or the marker cannot be written. */
bool ferry_conformance_reset(struct ferry_conformance *run,
                             const struct ferry_conformance_reset *port);

/* ---- Files ------------------------------------------------------------------------------ */

/* A file system behind group fs, and names in it. */
struct ferry_conformance_files {
    const struct ferry_fs_provider *provider;
    void *context;    /* the provider's */
    const char *name; /* a file that may be made; WHAT IS IN IT IS LOST, it is empty at the end */
    const char *missing; /* of nothing, in the same folder */
    const char *folder;  /* of a folder; NULL = there is none */
    const char *outside; /* leads out of what clients may see; NULL = no name can */
};

/* Try a provider: names, contents at any offset, going on at the end, emptying. Nothing of it is
 * open before and after. Uses 1 KiB of the file system for a while. */
void ferry_conformance_files(struct ferry_conformance *run,
                             const struct ferry_conformance_files *files);

#endif
