/* SPDX-License-Identifier: Apache-2.0 */
/* The pins of a BBC micro:bit (V1). The nRF51 DK has TXD on 9, RXD on 11, and a button on 17, too.
 */
#ifndef PORT_NRF51_BOARD_H
#define PORT_NRF51_BOARD_H

/* To the USB chip. */
#define PIN_TXD 24
#define PIN_RXD 25

#define PIN_BUTTON 17 /* A: low while it is pressed */

/* The first light of the matrix: its row high, its column low. */
#define PIN_ROW    13
#define PIN_COLUMN 4

#endif
