# SPDX-License-Identifier: Apache-2.0
# find_package(ferry): the command, and ferry_sign() to call it.
include(${CMAKE_CURRENT_LIST_DIR}/FerrySign.cmake)
if(NOT FERRY_EXECUTABLE)
    set(ferry_FOUND FALSE)
    set(ferry_NOT_FOUND_MESSAGE "the ferry command is not in ../../../bin of ${CMAKE_CURRENT_LIST_DIR}, nor in PATH")
endif()
