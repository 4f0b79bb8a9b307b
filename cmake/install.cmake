# SPDX-License-Identifier: Apache-2.0
# cmake --install build/host --prefix DIR: what a user of the commands needs.
include(GNUInstallDirs)

install(TARGETS ferry ferry-device)
install(PROGRAMS scripts/imgtool.py DESTINATION ${CMAKE_INSTALL_DATADIR}/ferry)

install(FILES README.md LICENSE DESTINATION ${CMAKE_INSTALL_DOCDIR})
install(DIRECTORY docs DESTINATION ${CMAKE_INSTALL_DOCDIR} FILES_MATCHING PATTERN "*.md")
