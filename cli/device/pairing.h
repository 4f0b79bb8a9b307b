/* SPDX-License-Identifier: Apache-2.0 */
/* Who answers when a device of Bluetooth LE wants to be paired: the file that the profile names, or
 * the environment's FERRY_BLE_PASSKEY, else the user on the terminal. */
#ifndef CLI_DEVICE_PAIRING_H
#define CLI_DEVICE_PAIRING_H

#include "cli/cli.h"

#include "ferry/pairing.h"

/* Of a connection. */
struct pairing {
    bool given; /* the passkey is known before anybody is asked */
    bool unattended;
    uint32_t passkey;
};

/* Read the passkey that the profile of cli names, else that of the environment, if there is one.
 *
 * why  room for cap characters; on an error it says what is wrong and, behind "; ", what to do
 *
 * Returns FERRY_OK or FERRY_E_CONFIG. */
FERRY_MUST_CHECK
int pairing_read(const struct cli *cli, struct pairing *pairing, char *why, size_t cap);

/* As ferry_pairing_answer, for a run of the command. */
bool pairing_answer(const struct pairing *pairing, enum ferry_pairing question, uint32_t *passkey);

#endif
