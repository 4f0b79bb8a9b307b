/* SPDX-License-Identifier: Apache-2.0 */
/* What the skipped bootloader (target.c) and its host (skips.c) agree on. */
#ifndef SKIP_H
#define SKIP_H

/* Strategy and traits of the bootloader, and whether it has the seeded defect, come from the
 * command line (scripts/skips). */

/* Two slots alike. */
#define SKIP_SECTOR     256U
#define SKIP_SECTORS    8U
#define SKIP_WRITE_SIZE 8U
#define SKIP_KEY_SIZE   91U
#define SKIP_BUF        256U

/* What the target asks of its host, by SVC; arguments in r0 to r3, the result in r0. */
#define SKIP_HALT    0 /* nothing may run */
#define SKIP_JUMP    1 /* start the image of slot r0 */
#define SKIP_READ    2 /* slot r0, offset r1, to r2, r3 bytes */
#define SKIP_PROGRAM 3 /* slot r0, offset r1, from r2, r3 bytes */
#define SKIP_ERASE   4 /* slot r0, offset r1, r2 bytes */
#define SKIP_HASH    5 /* SHA-256 begins; */
#define SKIP_MORE    6 /* takes r2 bytes at r1; */
#define SKIP_DIGEST  7 /* goes to r1 */
#define SKIP_VERIFY  8 /* ECDSA: the digest at r1 */
#define SKIP_KEY     9 /* the trusted key goes to r0, the hash of the revoked one to r1 */

#endif
