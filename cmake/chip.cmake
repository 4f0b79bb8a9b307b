# SPDX-License-Identifier: Apache-2.0
# Toolchain: a bare chip without a C library. FERRY_CHIP names it: port/FERRY_CHIP/chip.cmake has the
# processor's flags.
set(CMAKE_SYSTEM_NAME Generic)
set(CMAKE_SYSTEM_PROCESSOR arm)
set(CMAKE_C_COMPILER arm-none-eabi-gcc)
set(CMAKE_TRY_COMPILE_TARGET_TYPE STATIC_LIBRARY)
list(APPEND CMAKE_TRY_COMPILE_PLATFORM_VARIABLES FERRY_CHIP)
include(${CMAKE_CURRENT_LIST_DIR}/../port/${FERRY_CHIP}/chip.cmake)
set(CMAKE_C_FLAGS_INIT "${CHIP_PROCESSOR} -ffreestanding -fno-builtin -ffunction-sections -fdata-sections")
