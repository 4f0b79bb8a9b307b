/* SPDX-License-Identifier: Apache-2.0 */
/* What the libraries leave on the stack: they do not wipe the frames they worked in. */
#ifndef CRYPTO_CHIP_BURN_H
#define CRYPTO_CHIP_BURN_H

/* Overwrite the stack below the caller's frame, where a function of a library that returned to it
 * had its own: of a public key operation or a hash, and of a block cipher. */
void ferry_burn_deep(void);
void ferry_burn_shallow(void);

#endif
