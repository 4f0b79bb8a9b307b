# SPDX-License-Identifier: Apache-2.0
# libferry-client: all that a program on a computer needs to talk to devices, in one library, static
# and shared. It exports the names ferry_…, and needs libssl and libcrypto.
file(GLOB CLIENT_LIBRARY_SOURCES CONFIGURE_DEPENDS
    core/base/*.c core/cbor/*.c core/flash/*.c core/smp/*.c core/store/*.c core/image/*.c core/client/*.c
    port/posix/transport*.c port/posix/serial_*.c port/crypto-openssl/*.c port/dtls-openssl/*.c client/*.c)
list(FILTER CLIENT_LIBRARY_SOURCES EXCLUDE REGEX "/dtls-openssl/medium\\.c$") # it is among FERRY_MEDIA_SOURCES
add_library(ferry_client_parts OBJECT ${CLIENT_LIBRARY_SOURCES} ${FERRY_MEDIA_SOURCES})
target_include_directories(ferry_client_parts PRIVATE ${FERRY_ROOT} ${FERRY_ROOT}/include)
target_include_directories(ferry_client_parts SYSTEM PRIVATE ${LIBCRYPTO_INCLUDE_DIRS})
target_compile_definitions(ferry_client_parts PRIVATE _GNU_SOURCE)
target_compile_options(ferry_client_parts PRIVATE -ffunction-sections -fdata-sections)
set_target_properties(ferry_client_parts PROPERTIES POSITION_INDEPENDENT_CODE ON)
ferry_warnings(ferry_client_parts)

add_library(ferry_client_static STATIC $<TARGET_OBJECTS:ferry_client_parts>)
add_library(ferry_client_shared SHARED $<TARGET_OBJECTS:ferry_client_parts>)
set_target_properties(ferry_client_static ferry_client_shared PROPERTIES
    OUTPUT_NAME ferry-client LINKER_LANGUAGE C)
set_target_properties(ferry_client_shared PROPERTIES VERSION ${PROJECT_VERSION} SOVERSION 0)
target_link_options(ferry_client_shared PRIVATE
    -Wl,--gc-sections -Wl,--version-script=${FERRY_ROOT}/cmake/client.map)
target_link_libraries(ferry_client_static INTERFACE PkgConfig::LIBSSL PkgConfig::LIBCRYPTO ${FERRY_MEDIA_LIBRARIES})
target_link_libraries(ferry_client_shared PRIVATE PkgConfig::LIBSSL PkgConfig::LIBCRYPTO ${FERRY_MEDIA_LIBRARIES})
target_include_directories(ferry_client_static INTERFACE ${FERRY_ROOT}/include)
target_include_directories(ferry_client_shared INTERFACE ${FERRY_ROOT}/include)
