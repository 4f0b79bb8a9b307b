# SPDX-License-Identifier: Apache-2.0
# What a build for the nRF51822 must know.
set(CHIP_PROCESSOR "-mcpu=cortex-m0 -mthumb")
set(CHIP_PARTS chip/clock.c chip/kept_in_ram.c nrf5/nvmc.c) # of port/, beside the chip's own files
set(CHIP_HEADER_SIZE 0x20) # MAP_HEADER_SIZE
