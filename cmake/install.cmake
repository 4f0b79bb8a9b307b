# SPDX-License-Identifier: Apache-2.0
# cmake --install build/host --prefix DIR: what a user of the commands needs.
include(GNUInstallDirs)
include(CMakePackageConfigHelpers)

install(TARGETS ferry ferry-device)
install(PROGRAMS scripts/imgtool.py DESTINATION ${CMAKE_INSTALL_DATADIR}/ferry)

# FerrySign.cmake finds bin/ferry from where it lies.
write_basic_package_version_file(${CMAKE_CURRENT_BINARY_DIR}/ferry-config-version.cmake
    COMPATIBILITY SameMinorVersion ARCH_INDEPENDENT)
install(FILES cmake/ferry-config.cmake cmake/FerrySign.cmake
    ${CMAKE_CURRENT_BINARY_DIR}/ferry-config-version.cmake DESTINATION lib/cmake/ferry)

install(FILES README.md LICENSE DESTINATION ${CMAKE_INSTALL_DOCDIR})
install(DIRECTORY docs DESTINATION ${CMAKE_INSTALL_DOCDIR} FILES_MATCHING PATTERN "*.md")
