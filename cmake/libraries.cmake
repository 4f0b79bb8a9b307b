# SPDX-License-Identifier: Apache-2.0
# core/ as a library: the same sources for the host, the virtual device's programs and chips.
set(FERRY_ROOT ${CMAKE_CURRENT_LIST_DIR}/..)

function(ferry_add_core target)
    file(GLOB sources CONFIGURE_DEPENDS ${FERRY_ROOT}/core/*/*.c)
    add_library(${target} STATIC ${sources})
    target_include_directories(${target} PUBLIC ${FERRY_ROOT}/include)
    # Modules may share internals by a header beside them: #include "core/boot/swap.h".
    target_include_directories(${target} PRIVATE ${FERRY_ROOT})
    target_compile_options(${target} PRIVATE -ffreestanding)
    ferry_warnings(${target})
endfunction()
