# SPDX-License-Identifier: Apache-2.0
# find_package(ferry):
#   ferry_sign()              sign an executable as a part of the build (FerrySign.cmake)
#   ferry_add_core()          the core from its sources, for a chip or any other compiler (FerryCore.cmake)
#   ferry::core               the same, built already: for programs that run where Ferry was installed
#   ferry::client             the client with its wires, as ferry/device.h and ferry/connection.h have it
#   ferry_add_conformance()   the test that a port runs against itself
include(${CMAKE_CURRENT_LIST_DIR}/FerrySign.cmake)
include(${CMAKE_CURRENT_LIST_DIR}/FerryCore.cmake)
if(NOT FERRY_EXECUTABLE)
    set(ferry_FOUND FALSE)
    set(ferry_NOT_FOUND_MESSAGE "the ferry command is not in ../../../bin of ${CMAKE_CURRENT_LIST_DIR}, nor in PATH")
endif()

get_filename_component(_ferry_archive ${CMAKE_CURRENT_LIST_DIR}/../../libferry_core.a ABSOLUTE)
if(EXISTS ${_ferry_archive} AND NOT CMAKE_CROSSCOMPILING AND NOT TARGET ferry::core)
    add_library(ferry::core STATIC IMPORTED)
    set_target_properties(ferry::core PROPERTIES
        IMPORTED_LOCATION ${_ferry_archive} INTERFACE_INCLUDE_DIRECTORIES ${FERRY_CORE_INCLUDE})
endif()
get_filename_component(_ferry_archive ${CMAKE_CURRENT_LIST_DIR}/../../libferry-client.so ABSOLUTE)
if(EXISTS ${_ferry_archive} AND NOT CMAKE_CROSSCOMPILING AND NOT TARGET ferry::client)
    add_library(ferry::client SHARED IMPORTED)
    set_target_properties(ferry::client PROPERTIES
        IMPORTED_LOCATION ${_ferry_archive} INTERFACE_INCLUDE_DIRECTORIES ${FERRY_CORE_INCLUDE})
endif()
unset(_ferry_archive)
