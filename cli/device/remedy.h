/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CLI_DEVICE_REMEDY_H
#define CLI_DEVICE_REMEDY_H

/* Of the words of a wire that tells what to do itself, as Bluetooth's do: cut what stands behind
 * the last "; " off, and return it; "" when there is none. */
const char *remedy_cut(char *why);

#endif
