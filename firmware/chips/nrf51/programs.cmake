# SPDX-License-Identifier: Apache-2.0
# What is built for the nRF51822.
set(CHIP_PRODUCT swap)
chip_program(bootloader boot bootloader PRODUCT_STRATEGY=swap_shift)
chip_program(bootloader-move boot bootloader PRODUCT_STRATEGY=swap_move)
chip_image(app-v1 1.0.0 PRODUCT_STRATEGY=swap_shift APP_FAULT=FAULT_NONE)
chip_image(app-v2 2.0.0 PRODUCT_STRATEGY=swap_shift APP_FAULT=FAULT_NONE)
chip_image(app-v3-crash 3.0.0 PRODUCT_STRATEGY=swap_shift APP_FAULT=FAULT_CRASH)
chip_firmware(updater updater 1.0.0)

# With an immutable first stage, for 512 KiB of flash. What is in slots is signed by whoever programs
# it: bootloaders are of two keys.
set(CHIP_PRODUCT first)
chip_program(first first first MAP_WITH_FIRST_STAGE)
foreach(slot 0 1)
    chip_program(first-s${slot} boot stage${slot} MAP_WITH_FIRST_STAGE PRODUCT_STAGE=${slot})
    target_sources(first-s${slot} PRIVATE first/stages.c ${FERRY_ROOT}/firmware/boot/second_stage.c)
endforeach()
chip_program(first-app app application_first MAP_WITH_FIRST_STAGE APP_VERSION="1.0.0" APP_FAULT=FAULT_NONE)
set(CHIP_PRODUCT swap)

# What `make bench-firmware` counts: the same programs.
chip_program(bench-boot boot bootloader PRODUCT_STRATEGY=swap_shift)
chip_program(bench-start bench/start application)
chip_program(bench-upload app application APP_VERSION="1.0.0" PRODUCT_STRATEGY=swap_shift APP_FAULT=FAULT_NONE)
set_target_properties(bench-boot bench-start bench-upload PROPERTIES RUNTIME_OUTPUT_DIRECTORY bench)
