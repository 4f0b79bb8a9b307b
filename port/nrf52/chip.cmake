# SPDX-License-Identifier: Apache-2.0
# What a build for the nRF52840 must know. No program of it computes with fractions: the FPU stays off.
set(CHIP_PROCESSOR "-mcpu=cortex-m4 -mthumb -mfloat-abi=soft")
set(CHIP_PARTS chip/clock.c nrf5/nvmc.c) # of port/, beside the chip's own files
set(CHIP_HEADER_SIZE 0x200) # MAP_HEADER_SIZE
