# SPDX-License-Identifier: Apache-2.0
# ferry_add_core(): Ferry's core as a library of your project, from its sources, by your compiler.
#
#   ferry_add_core(<target> [NO_C_LIBRARY])
#
# <target> is a static library whose users find #include "ferry/…". Each function has a section of its
# own: link with -Wl,--gc-sections and only what you list in your tables is in the program. It needs
# memcpy, memmove, memset and memcmp, and, where you name digests or signatures, the functions of
# ferry/crypto.h and ferry/cipher.h. NO_C_LIBRARY: the compiler has no <string.h>, as bare metal
# toolchains without one; Ferry's declares those four.
#
#   ferry_add_conformance(<target> <core>)
#
# <target> is the test that a port runs against itself (ferry/conformance.h), for the library <core> that
# ferry_add_core() made.
#
# Works in Ferry's own tree and installed, in lib/cmake/ferry with the sources in share/ferry.
include_guard(GLOBAL)

set(FERRY_CORE_ROOT ${CMAKE_CURRENT_LIST_DIR}/..)
set(FERRY_CORE_INCLUDE ${FERRY_CORE_ROOT}/include)
if(NOT IS_DIRECTORY ${FERRY_CORE_ROOT}/core)
    get_filename_component(FERRY_CORE_ROOT ${CMAKE_CURRENT_LIST_DIR}/../../../share/ferry ABSOLUTE)
    get_filename_component(FERRY_CORE_INCLUDE ${CMAKE_CURRENT_LIST_DIR}/../../../include ABSOLUTE)
endif()

function(ferry_add_core target)
    cmake_parse_arguments(arg "NO_C_LIBRARY" "" "" ${ARGN})
    if(arg_UNPARSED_ARGUMENTS)
        message(FATAL_ERROR "ferry_add_core(${target}): unknown argument ${arg_UNPARSED_ARGUMENTS}; "
            "it takes a name and NO_C_LIBRARY.")
    endif()
    file(GLOB sources CONFIGURE_DEPENDS ${FERRY_CORE_ROOT}/core/*/*.c)
    add_library(${target} STATIC ${sources})
    target_include_directories(${target} PUBLIC ${FERRY_CORE_INCLUDE})
    # Modules may share internals by a header beside them: #include "core/boot/swap.h".
    target_include_directories(${target} PRIVATE ${FERRY_CORE_ROOT})
    target_compile_options(${target} PRIVATE -ffreestanding -ffunction-sections -fdata-sections)
    set_target_properties(${target} PROPERTIES C_STANDARD 11 C_STANDARD_REQUIRED ON C_EXTENSIONS OFF)
    if(arg_NO_C_LIBRARY)
        target_include_directories(${target} SYSTEM PUBLIC ${FERRY_CORE_ROOT}/port/freestanding)
    endif()
endfunction()

function(ferry_add_conformance target core)
    file(GLOB sources CONFIGURE_DEPENDS ${FERRY_CORE_ROOT}/port/conformance/*.c)
    add_library(${target} STATIC ${sources})
    target_link_libraries(${target} PUBLIC ${core})
    target_compile_options(${target} PRIVATE -ffreestanding -ffunction-sections -fdata-sections)
    set_target_properties(${target} PROPERTIES C_STANDARD 11 C_STANDARD_REQUIRED ON C_EXTENSIONS OFF)
endfunction()
