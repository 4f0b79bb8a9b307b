# SPDX-License-Identifier: Apache-2.0
# What is built for the AST1030.
set(CHIP_PRODUCT ram_load)
chip_program(bootloader boot bootloader)
chip_image(app-v1 1.0.0 APP_FAULT=FAULT_NONE)
chip_image(app-v2 2.0.0 APP_FAULT=FAULT_NONE)
chip_image(app-v3-crash 3.0.0 APP_FAULT=FAULT_CRASH)
chip_image(app-v3-hang 3.0.0 APP_FAULT=FAULT_HANG)
chip_firmware(carrier carrier 1.0.0)
