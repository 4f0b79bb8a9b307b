/* SPDX-License-Identifier: Apache-2.0 */
/* Slots for chips with little flash: the strategies that move images and the application's side of
 * test and confirm, in as few bytes as they take. What is in flash is the same, byte for byte; what
 * the small ones do without is said with each. Image and bootloader need not both be small. */
#ifndef FERRY_SLOTS_SMALL_H
#define FERRY_SLOTS_SMALL_H

#include "ferry/slots.h"

/* For ferry_slots.strategy of an application: the same strategies without what only a bootloader
 * and tools need. Both slots have sectors of one size, which nothing checks on the chip:
 * ferry_slots_check() answers FERRY_E_CONFIG to them. Check the geometry where the table is made,
 * by `ferry layout` or in a test with the whole traits. */
extern const struct ferry_strategy_traits ferry_traits_swap_move_small;
extern const struct ferry_strategy_traits ferry_traits_swap_shift_small;
extern const struct ferry_strategy_traits ferry_traits_swap_offset_small;
extern const struct ferry_strategy_traits ferry_traits_overwrite_small;

/* For ferry_slots.state: test, confirm and cancel without a store, for applications. Beside
 * ferry_slots_by_swap_no_store it does not
 *
 * - read a trailer more than once, or take what is near a magic for one: a bit that flipped at rest
 *   is told as no request and no trial, though the bootloader may see one;
 * - read the journal of the swap: where copy_done did not take, the running image is told as
 *   confirmed. Confirming it is still right, since that does not ask for copy_done;
 * - write swap_info with a request, which no bootloader needs;
 * - tell a flash that fails from one that says nothing.
 *
 * The order of the writes is the same: image_ok before the magic, and a damaged trailer is erased
 * before it is written, so that a cut leaves a request, or none, and never another one. */
extern const struct ferry_slots_state ferry_slots_by_swap_small;

/* Read header, size and SHA-256 TLV of an image that begins `at` bytes into a slot; verifies
 * nothing, and looks at no other TLV.
 * Returns FERRY_OK; FERRY_E_MAGIC or another error of the header; FERRY_E_TLV where no TLVs follow;
 * FERRY_E_NOT_FOUND without a SHA-256; or a flash error. */
FERRY_MUST_CHECK
int ferry_image_glance(const struct ferry_flash *slot, uint32_t at, struct ferry_image_info *info);

/* The same for the image in a slot (0 or 1), wherever the strategy keeps it there.
 *
 * at  where it begins in the slot; filled in any case */
FERRY_MUST_CHECK
int ferry_slots_glance(const struct ferry_slots *slots, uint32_t slot,
                       struct ferry_image_info *info, uint32_t *at);

/* Offset of the first sector that the trailer of a slot touches, whose geometry is sound. */
uint32_t ferry_slots_small_trailer(const struct ferry_slots *slots, const struct ferry_flash *slot);

#endif
