# SPDX-License-Identifier: Apache-2.0
# cmake -DFILE=… -DMAX=… -P check-size.cmake: fail when a file is larger than MAX bytes.
file(SIZE ${FILE} size)
if(size GREATER MAX)
    message(FATAL_ERROR "${FILE} has ${size} bytes, at most ${MAX} fit a device's slot.\n"
        "Build it with CMAKE_BUILD_TYPE=MinSizeRel, or take something out of it.")
endif()
