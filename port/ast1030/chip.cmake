# SPDX-License-Identifier: Apache-2.0
# What a build for the AST1030 must know.
set(CHIP_PROCESSOR "-mcpu=cortex-m4 -mthumb")
set(CHIP_PARTS chip/clock.c chip/kept_in_ram.c) # of port/, beside the chip's own files
set(CHIP_HEADER_SIZE 0x200)    # MAP_HEADER_SIZE
set(CHIP_LOAD_ADDRESS 0x10000) # MAP_LOAD
