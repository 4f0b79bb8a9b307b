# SPDX-License-Identifier: Apache-2.0
# Toolchain: small static programs for the virtual device.
set(CMAKE_SYSTEM_NAME Linux)
set(CMAKE_C_COMPILER musl-gcc)
# Nobody unwinds in these programs: without its tables they are a sixth smaller.
set(CMAKE_C_FLAGS_INIT
    "-static -ffunction-sections -fdata-sections -fno-asynchronous-unwind-tables -fno-unwind-tables")
set(CMAKE_EXE_LINKER_FLAGS_INIT "-static -Wl,--gc-sections -Wl,-z,noseparate-code -Wl,-z,norelro")
