# SPDX-License-Identifier: Apache-2.0
# What is built for the nRF51822.
set(CHIP_PRODUCT swap)
chip_program(bootloader boot bootloader PRODUCT_STRATEGY=swap_shift)
chip_program(bootloader-move boot bootloader PRODUCT_STRATEGY=swap_move)
chip_image(app-v1 1.0.0 PRODUCT_STRATEGY=swap_shift APP_FAULT=FAULT_NONE)
chip_image(app-v2 2.0.0 PRODUCT_STRATEGY=swap_shift APP_FAULT=FAULT_NONE)
chip_image(app-v3-crash 3.0.0 PRODUCT_STRATEGY=swap_shift APP_FAULT=FAULT_CRASH)
chip_firmware(updater updater 1.0.0)
