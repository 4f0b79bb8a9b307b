/* SPDX-License-Identifier: Apache-2.0 */
/* Files for group fs (ferry/group_fs.h) from one folder of a POSIX system and nothing outside of
 * it.
 *
 * A name is a path from that folder, with or without slashes in front: "/lfs1/a.txt" is the file
 * a.txt in its folder lfs1. Folders are neither made nor left: ".", ".." and links are refused
 * anywhere in a name, and what is no plain file is not opened. Files are written in place. */
#ifndef PORT_POSIX_FS_POSIX_H
#define PORT_POSIX_FS_POSIX_H

#include "ferry/group_fs.h"

/* The context of the provider. */
struct ferry_fs_posix {
    int root;          /* descriptor of the folder; stays the caller's */
    uint32_t size_max; /* bytes a file may be made to have */
    int file;          /* that is open, -1 = none */
    bool writing;
};

extern const struct ferry_fs_provider ferry_fs_posix_provider;

/* root      a folder that is open for reading
 * size_max  above what RLIMIT_FSIZE allows the kernel ends the process instead */
void ferry_fs_posix_init(struct ferry_fs_posix *fs, int root, uint32_t size_max);

#endif
