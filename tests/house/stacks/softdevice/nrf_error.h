/* SPDX-License-Identifier: Apache-2.0 */
/* Declarations of Nordic's SoftDevices that examples/ble_softdevice.c uses; see the README beside
 * this folder. */
#ifndef STACK_SOFTDEVICE_NRF_ERROR_H
#define STACK_SOFTDEVICE_NRF_ERROR_H

#define NRF_SUCCESS             0
#define NRF_ERROR_INVALID_PARAM 7
#define NRF_ERROR_DATA_SIZE     12
#define NRF_ERROR_RESOURCES     19

#endif
