/* SPDX-License-Identifier: Apache-2.0 */
/* The pins of the nRF52840 DK, all of port 0. */
#ifndef PORT_NRF52_BOARD_H
#define PORT_NRF52_BOARD_H

/* To the USB chip. */
#define PIN_TXD 6
#define PIN_RXD 8

#define PIN_BUTTON 11 /* 1: low while it is pressed */
#define PIN_LIGHT  13 /* 1: it shines while the pin is low */

#endif
