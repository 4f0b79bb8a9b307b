# SPDX-License-Identifier: Apache-2.0
# cmake --install build/host --prefix DIR: what a user of the commands and of the core needs. The
# folders below the prefix are fixed: cmake and pkg-config find one from the other.
include(GNUInstallDirs)
include(CMakePackageConfigHelpers)

install(TARGETS ferry ferry-device)
# Manual pages and the shells' completion, made by the command itself.
set(FERRY_WORDS ${CMAKE_CURRENT_BINARY_DIR}/words)
file(MAKE_DIRECTORY ${FERRY_WORDS}/man1)
add_custom_command(OUTPUT ${FERRY_WORDS}/made
    COMMAND sh -c "$1 man --all $2/man1 && $1 completion bash >$2/ferry && $1 completion zsh >$2/_ferry \
        && $1 completion fish >$2/ferry.fish" sh $<TARGET_FILE:ferry> ${FERRY_WORDS}
    COMMAND ${CMAKE_COMMAND} -E touch ${FERRY_WORDS}/made
    DEPENDS ferry VERBATIM)
add_custom_target(words ALL DEPENDS ${FERRY_WORDS}/made)
install(DIRECTORY ${FERRY_WORDS}/man1 DESTINATION ${CMAKE_INSTALL_MANDIR})
install(FILES ${FERRY_WORDS}/ferry DESTINATION ${CMAKE_INSTALL_DATADIR}/bash-completion/completions)
install(FILES ${FERRY_WORDS}/_ferry DESTINATION ${CMAKE_INSTALL_DATADIR}/zsh/site-functions)
install(FILES ${FERRY_WORDS}/ferry.fish DESTINATION ${CMAKE_INSTALL_DATADIR}/fish/vendor_completions.d)
install(PROGRAMS scripts/imgtool.py DESTINATION ${CMAKE_INSTALL_DATADIR}/ferry)

# FerrySign.cmake finds bin/ferry from where it lies.
write_basic_package_version_file(${CMAKE_CURRENT_BINARY_DIR}/ferry-config-version.cmake
    COMPATIBILITY SameMinorVersion ARCH_INDEPENDENT)
install(FILES cmake/ferry-config.cmake cmake/FerrySign.cmake cmake/FerryCore.cmake
    ${CMAKE_CURRENT_BINARY_DIR}/ferry-config-version.cmake DESTINATION lib/cmake/ferry)

# The core: built for this machine, and its sources for every other one.
install(TARGETS ferry_core ARCHIVE DESTINATION lib)
install(TARGETS ferry_client_static ferry_client_shared LIBRARY DESTINATION lib ARCHIVE DESTINATION lib)
install(DIRECTORY include/ferry DESTINATION include)
install(DIRECTORY core DESTINATION share/ferry FILES_MATCHING PATTERN "*.[ch]")
install(DIRECTORY port/freestanding port/conformance port/crypto-chip DESTINATION share/ferry/port)
# What the chips' crypto is built with; its third-party sources are fetched, here as there.
install(FILES cmake/chip-crypto.cmake DESTINATION share/ferry/cmake)
install(PROGRAMS scripts/fetch-deps DESTINATION share/ferry/scripts)
install(FILES deps.lock DESTINATION share/ferry)
configure_file(cmake/ferry-core.pc.in ferry-core.pc @ONLY)
configure_file(cmake/ferry-client.pc.in ferry-client.pc @ONLY)
install(FILES ${CMAKE_CURRENT_BINARY_DIR}/ferry-core.pc ${CMAKE_CURRENT_BINARY_DIR}/ferry-client.pc
    DESTINATION lib/pkgconfig)

install(FILES README.md LICENSE DESTINATION ${CMAKE_INSTALL_DOCDIR})
install(DIRECTORY docs DESTINATION ${CMAKE_INSTALL_DOCDIR} FILES_MATCHING PATTERN "*.md")

# The programs that the documents show and point to, where the links of docs/ find them.
install(DIRECTORY examples DESTINATION ${CMAKE_INSTALL_DOCDIR})
install(DIRECTORY firmware/common firmware/conformance firmware/chips DESTINATION ${CMAKE_INSTALL_DOCDIR}/firmware)
install(FILES firmware/app/app_limits.c DESTINATION ${CMAKE_INSTALL_DOCDIR}/firmware/app)
install(DIRECTORY port/chip port/nrf5 port/nrf51 port/nrf52 port/ast1030 DESTINATION ${CMAKE_INSTALL_DOCDIR}/port)
install(FILES port/posix/nor_file.c port/posix/nor_file.h DESTINATION ${CMAKE_INSTALL_DOCDIR}/port/posix)
