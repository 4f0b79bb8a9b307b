# SPDX-License-Identifier: Apache-2.0
# ferry_sign(): from an executable to a signed MCUboot image, as part of the build.
#
#   ferry_sign(
#     TARGET <executable>
#     KEY <file>...                   keys to sign with, as of `ferry keygen`; or UNSIGNED
#     SLOT_SIZE <bytes> | LAYOUT <file> [IMAGE <n>]
#     [VERSION <x.y.z+build>]         the project's version unless told
#     [HEADER_SIZE <bytes>]           512 unless told
#     [ALIGN <bytes>]                 what the flash writes at once; of a layout, or 1
#     [LINKED_HEADER]                 the program has the header's room at its beginning, as Zephyr's;
#                                     otherwise it is put in front
#     [ENCRYPT <file>]                the device's public key to encrypt for
#     [FORMATS bin hex]               bin unless told
#     [OUTPUT <path>]                 without extension; <executable>.signed in the build folder
#     [OPTIONS <option>...])          more options of `ferry sign`, which see
#
# Relative files are of the current source folder, OUTPUT of the current build folder. The images are
# made with `all`, by the target <executable>_signed, whenever the executable, a key, the layout or
# `ferry` is newer. They are in the executable's properties FERRY_SIGNED_BIN and FERRY_SIGNED_HEX.
#
# FERRY_EXECUTABLE: the `ferry` to run; set it to take another than is found.
include_guard(GLOBAL)

find_program(FERRY_EXECUTABLE ferry
    HINTS ${CMAKE_CURRENT_LIST_DIR}/../../../bin ${CMAKE_CURRENT_LIST_DIR}/../build/host
    NO_CMAKE_FIND_ROOT_PATH DOC "The ferry command")

# What is wrong with a call of ferry_sign(), or "". Looks at its arguments, arg_*.
function(_ferry_sign_fault result)
    set(fault "")
    if(arg_UNPARSED_ARGUMENTS)
        set(fault "does not know ${arg_UNPARSED_ARGUMENTS}")
    elseif(arg_KEYWORDS_MISSING_VALUES)
        set(fault "lacks the value of ${arg_KEYWORDS_MISSING_VALUES}")
    elseif(NOT TARGET "${arg_TARGET}")
        set(fault "needs TARGET, an executable")
    elseif(NOT arg_KEY AND NOT arg_UNSIGNED)
        set(fault "needs KEY (`ferry keygen` makes one), or UNSIGNED")
    elseif(NOT arg_SLOT_SIZE AND NOT arg_LAYOUT)
        set(fault "needs SLOT_SIZE or LAYOUT")
    elseif(NOT arg_VERSION)
        set(fault "needs VERSION, since the project has none")
    elseif(NOT FERRY_EXECUTABLE)
        set(fault "found no ferry: put it in PATH, or give -DFERRY_EXECUTABLE=/path/to/ferry")
    endif()
    set(${result} "${fault}" PARENT_SCOPE)
endfunction()

# The options of `ferry sign`, and the files that the image is made of beside the executable.
function(_ferry_sign_options options files)
    set(made --version ${arg_VERSION} --header-size ${arg_HEADER_SIZE})
    set(used "")
    foreach(pair KEY=--key ENCRYPT=--encrypt LAYOUT=--layout)
        string(REPLACE "=" ";" pair ${pair})
        list(GET pair 0 name)
        list(GET pair 1 option)
        foreach(file IN LISTS arg_${name})
            get_filename_component(file "${file}" ABSOLUTE BASE_DIR ${CMAKE_CURRENT_SOURCE_DIR})
            list(APPEND made ${option} "${file}")
            list(APPEND used "${file}")
        endforeach()
    endforeach()
    foreach(pair SLOT_SIZE=--slot-size ALIGN=--align IMAGE=--image)
        string(REPLACE "=" ";" pair ${pair})
        list(GET pair 0 name)
        list(GET pair 1 option)
        if(DEFINED arg_${name})
            list(APPEND made ${option} ${arg_${name}})
        endif()
    endforeach()
    if(NOT arg_LINKED_HEADER)
        list(APPEND made --pad-header)
    endif()
    set(${options} ${made} ${arg_OPTIONS} PARENT_SCOPE)
    set(${files} ${used} PARENT_SCOPE)
endfunction()

function(ferry_sign)
    cmake_parse_arguments(PARSE_ARGV 0 arg "LINKED_HEADER;UNSIGNED"
        "TARGET;SLOT_SIZE;LAYOUT;IMAGE;VERSION;HEADER_SIZE;ALIGN;ENCRYPT;OUTPUT"
        "KEY;FORMATS;OPTIONS")
    foreach(default "VERSION;${PROJECT_VERSION}" "HEADER_SIZE;512" "FORMATS;bin"
            "OUTPUT;${arg_TARGET}.signed")
        list(POP_FRONT default name)
        if(NOT DEFINED arg_${name})
            set(arg_${name} ${default})
        endif()
    endforeach()
    _ferry_sign_fault(fault)
    if(fault)
        message(FATAL_ERROR "ferry_sign() ${fault}")
    endif()
    _ferry_sign_options(options files)

    get_filename_component(output "${arg_OUTPUT}" ABSOLUTE BASE_DIR ${CMAKE_CURRENT_BINARY_DIR})
    set(images "")
    foreach(format IN LISTS arg_FORMATS)
        if(NOT format MATCHES "^(bin|hex)$")
            message(FATAL_ERROR "ferry_sign() makes bin and hex, not ${format}")
        endif()
        add_custom_command(OUTPUT ${output}.${format}
            COMMAND ${FERRY_EXECUTABLE} sign ${options} $<TARGET_FILE:${arg_TARGET}> ${output}.${format}
            DEPENDS ${arg_TARGET} ${files} ${FERRY_EXECUTABLE}
            COMMENT "Signing ${output}.${format}" VERBATIM)
        list(APPEND images ${output}.${format})
        string(TOUPPER ${format} name)
        set_target_properties(${arg_TARGET} PROPERTIES FERRY_SIGNED_${name} ${output}.${format})
    endforeach()
    add_custom_target(${arg_TARGET}_signed ALL DEPENDS ${images})
endfunction()
