/* SPDX-License-Identifier: Apache-2.0 */
/* Who answers when a device of Bluetooth LE wants to be paired: the file that the profile names, or
 * the environment's FERRY_BLE_PASSKEY, else the user on the terminal. */
#ifndef CLI_DEVICE_PAIRING_H
#define CLI_DEVICE_PAIRING_H

#include "cli/cli.h"

#include "ferry/pairing.h"

/* As ferry_pairing_answer, for a run of the command. */
bool pairing_answer(const struct cli *cli, enum ferry_pairing question, uint32_t *passkey);

#endif
