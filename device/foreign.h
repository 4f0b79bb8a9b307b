/* SPDX-License-Identifier: Apache-2.0 */
/* A foreign server played: quirks of other people's servers, between the wires and the firmware,
 * which stays as it is. They work on whole SMP packets, whatever wire carries them; some on the
 * console's lines. Times are nanoseconds of a monotonic clock. */
#ifndef DEVICE_FOREIGN_H
#define DEVICE_FOREIGN_H

#include "ferry/bytes.h"
#include "ferry/error.h"

#define FOREIGN_NEVER UINT64_MAX

/* Where what has passed goes; called from the functions below, with bytes valid during the call. */
struct foreign_ends {
    void (*to_chip)(void *context, uint32_t wire, uint32_t peer, struct ferry_bytes bytes);
    void (*to_wire)(void *context, uint32_t wire, uint32_t peer, struct ferry_bytes bytes);
    void (*note)(void *context, const char *text); /* for the chip's own log */
    void *context;
};

struct foreign;

/* Make the quirks that names lists: NAME[=N][,NAME[=N]...].
 *
 * foreign  filled on FERRY_OK; free it with foreign_free()
 * why      room for cap characters: what is wrong with names
 *
 * Returns FERRY_OK; FERRY_E_FORMAT; FERRY_E_IO without memory. */
FERRY_MUST_CHECK
int foreign_make(struct foreign **foreign, const char *names, const struct foreign_ends *ends,
                 char *why, size_t cap);
void foreign_free(struct foreign *foreign); /* NULL is ignored */

/* Print the quirks, a line each. */
void foreign_help(void);

/* Whether the quirks are those of a bootloader, and not there while something else runs. */
bool foreign_in_recovery(const struct foreign *foreign);

/* Bytes that came on a wire for the firmware. */
void foreign_hear(struct foreign *foreign, uint64_t now, uint32_t wire, uint32_t peer,
                  struct ferry_bytes bytes);

/* Bytes that the firmware sends. */
void foreign_say(struct foreign *foreign, uint64_t now, uint32_t wire, uint32_t peer,
                 struct ferry_bytes bytes);

/* When to call foreign_work(), which lets go what was held back; FOREIGN_NEVER when nothing is. */
uint64_t foreign_next(const struct foreign *foreign);
void foreign_work(struct foreign *foreign, uint64_t now);

/* The chip was reset: what it was about to do is gone. */
void foreign_reset(struct foreign *foreign);

#endif
