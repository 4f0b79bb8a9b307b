# SPDX-License-Identifier: Apache-2.0
# What is built for the nRF51822.
set(CHIP_PRODUCT swap)
chip_program(bootloader boot bootloader PRODUCT_STRATEGY=swap_shift)
chip_program(bootloader-move boot bootloader PRODUCT_STRATEGY=swap_move)
chip_image(app-v1 1.0.0 PRODUCT_STRATEGY=swap_shift APP_FAULT=FAULT_NONE)
chip_image(app-v2 2.0.0 PRODUCT_STRATEGY=swap_shift APP_FAULT=FAULT_NONE)
chip_image(app-v3-crash 3.0.0 PRODUCT_STRATEGY=swap_shift APP_FAULT=FAULT_CRASH)
chip_firmware(updater updater 1.0.0)

# What `make bench-firmware` counts: the same programs.
chip_program(bench-boot boot bootloader PRODUCT_STRATEGY=swap_shift)
chip_program(bench-start bench/start application)
chip_program(bench-upload app application APP_VERSION="1.0.0" PRODUCT_STRATEGY=swap_shift APP_FAULT=FAULT_NONE)
set_target_properties(bench-boot bench-start bench-upload PROPERTIES RUNTIME_OUTPUT_DIRECTORY bench)
