# SPDX-License-Identifier: Apache-2.0
# One set of warnings for all of our code, and the sanitizers when asked for.
set(CMAKE_C_STANDARD 11)
set(CMAKE_C_STANDARD_REQUIRED ON)
set(CMAKE_C_EXTENSIONS OFF)
set(CMAKE_EXPORT_COMPILE_COMMANDS ON)
if(NOT CMAKE_BUILD_TYPE)
    set(CMAKE_BUILD_TYPE RelWithDebInfo)
endif()

if(FERRY_SANITIZE)
    add_compile_options(-fsanitize=address,undefined -fno-sanitize-recover=all
                        -fno-omit-frame-pointer)
    add_link_options(-fsanitize=address,undefined)
endif()

# The warnings, for one target of ours (never for third-party code).
function(ferry_warnings target)
    target_compile_options(${target} PRIVATE
        -Wall -Wextra -Wconversion -Wsign-conversion -Wshadow -Wcast-qual
        -Wmissing-prototypes -Wstrict-prototypes -Wundef -Wvla -Wformat=2
        $<$<BOOL:${FERRY_WERROR}>:-Werror>)
endfunction()
