# SPDX-License-Identifier: Apache-2.0
# What is built for the nRF52840.
set(CHIP_PRODUCT swap)
chip_program(bootloader boot bootloader PRODUCT_STRATEGY=swap_shift)
chip_image(app-v1 1.0.0 PRODUCT_STRATEGY=swap_shift APP_FAULT=FAULT_NONE)
chip_image(app-v2 2.0.0 PRODUCT_STRATEGY=swap_shift APP_FAULT=FAULT_NONE)
chip_firmware(updater updater 1.0.0)
