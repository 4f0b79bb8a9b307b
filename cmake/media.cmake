# SPDX-License-Identifier: Apache-2.0
# Wires that need a library of their own: what is there is built in, and for the rest a source that
# says so. FERRY_MEDIA_SOURCES and FERRY_MEDIA_LIBRARIES go into whatever holds port/posix's
# transports.
set(FERRY_MEDIA_SOURCES port/dtls-openssl/medium.c)
set(FERRY_MEDIA_LIBRARIES "")

# Bluetooth LE goes through BlueZ, whose bus sd-bus speaks.
option(FERRY_BLE "Bluetooth LE through BlueZ (needs libsystemd)" ON)
find_package(PkgConfig REQUIRED)
pkg_check_modules(SYSTEMD IMPORTED_TARGET libsystemd)
if(FERRY_BLE AND NOT SYSTEMD_FOUND)
    message(STATUS "no libsystemd: built without Bluetooth LE")
    set(FERRY_BLE OFF)
endif()
if(FERRY_BLE)
    file(GLOB BLUEZ_SOURCES CONFIGURE_DEPENDS port/bluez/*.c)
    list(FILTER BLUEZ_SOURCES EXCLUDE REGEX "/absent\\.c$")
    list(APPEND FERRY_MEDIA_SOURCES ${BLUEZ_SOURCES})
    include_directories(SYSTEM ${SYSTEMD_INCLUDE_DIRS}) # libsystemd itself is loaded when it is needed
    list(APPEND FERRY_MEDIA_LIBRARIES ${CMAKE_DL_LIBS})
else()
    list(APPEND FERRY_MEDIA_SOURCES port/bluez/absent.c)
endif()
