# SPDX-License-Identifier: Apache-2.0
# Libraries that a program may have inside it: to load and bind OpenSSL takes a good part of the time that
# `ferry sign` takes. A program asks for it by its property FERRY_ARCHIVES; it gets the archives of
# the distribution's development packages, or, where one is missing, the shared libraries as others.
option(FERRY_ARCHIVES "Link OpenSSL, liblzma, minizip and zlib into `ferry`" ON)

# ferry_link_package(TARGET PREFIX ARCHIVE...): PREFIX is that of pkg_check_modules(), ARCHIVE what
# its library consists of, by name.
function(ferry_link_package target prefix)
    set(archives "")
    foreach(name ${ARGN})
        find_library(FERRY_ARCHIVE_${name} lib${name}.a)
        if(NOT FERRY_ARCHIVE_${name})
            set(archives "")
            break()
        endif()
        list(APPEND archives ${FERRY_ARCHIVE_${name}})
    endforeach()
    target_include_directories(${target} SYSTEM PUBLIC ${${prefix}_INCLUDE_DIRS})
    if(archives AND FERRY_ARCHIVES)
        target_link_libraries(${target} PUBLIC
            "$<IF:$<BOOL:$<TARGET_PROPERTY:FERRY_ARCHIVES>>,${archives};${CMAKE_DL_LIBS},PkgConfig::${prefix}>")
    else()
        target_link_libraries(${target} PUBLIC PkgConfig::${prefix})
    endif()
endfunction()
