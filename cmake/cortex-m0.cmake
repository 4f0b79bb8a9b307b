# SPDX-License-Identifier: Apache-2.0
# Toolchain: bare Cortex-M0, no C library.
set(CMAKE_SYSTEM_NAME Generic)
set(CMAKE_SYSTEM_PROCESSOR cortex-m0)
set(CMAKE_C_COMPILER arm-none-eabi-gcc)
set(CMAKE_TRY_COMPILE_TARGET_TYPE STATIC_LIBRARY)
set(CMAKE_C_FLAGS_INIT
    "-isystem ${CMAKE_CURRENT_LIST_DIR}/../port/freestanding -mcpu=cortex-m0 -mthumb -ffreestanding -fno-builtin -ffunction-sections -fdata-sections")
