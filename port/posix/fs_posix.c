/* SPDX-License-Identifier: Apache-2.0 */
/* A folder's files, reached part by part of their names: no link is followed, none leads out. */
#include "fs_posix.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define PART_MAX 255 /* bytes of a name between two slashes */

/* ---- Names ------------------------------------------------------------------------------------
 */

static int folder_missing(bool writing)
{
    return writing ? FERRY_FS_ERR_MOUNT_POINT_NOT_FOUND : FERRY_FS_ERR_NOT_FOUND;
}

static int error_of(int number, bool writing)
{
    switch (number) {
    case ENOENT:
    case ENOTDIR:
    case ELOOP:
        return folder_missing(writing);
    case EISDIR:
        return FERRY_FS_ERR_IS_DIRECTORY;
    case EROFS:
        return FERRY_FS_ERR_READ_ONLY;
    case ENAMETOOLONG:
    case EINVAL:
        return FERRY_FS_ERR_INVALID_NAME;
    default:
        return FERRY_FS_ERR_OPEN_FAILED;
    }
}

/* Whether a name can be one of a file in here, whatever there is: no part of it goes up or stays.
 */
static bool is_valid(const char *name)
{
    for (size_t len = 0; *name != '\0'; name += len) {
        name += strspn(name, "/");
        len = strcspn(name, "/");
        if (len > PART_MAX || (len == 1 && name[0] == '.') ||
            (len == 2 && name[0] == '.' && name[1] == '.')) {
            return false;
        }
    }
    return true;
}

/* Take the next part off the front of a valid name; "" when there is none. */
static void take_part(const char **name, char part[PART_MAX + 1])
{
    const char *begin = *name + strspn(*name, "/");
    size_t len = strcspn(begin, "/");

    memcpy(part, begin, len);
    part[len] = '\0';
    *name = begin + len;
}

/* Open the folder that a name's last part is in.
 *
 * folder  a descriptor on FERRY_FS_OK
 * part    the last part; "" when the name is that of a folder */
static int open_folder(const struct ferry_fs_posix *fs, const char *name, bool writing, int *folder,
                       char part[PART_MAX + 1])
{
    if (!is_valid(name)) {
        return FERRY_FS_ERR_INVALID_NAME;
    }
    *folder = fcntl(fs->root, F_DUPFD_CLOEXEC, 0);
    take_part(&name, part);
    while (*folder >= 0 && *name != '\0') {
        int next = openat(*folder, part, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
        int number = errno;

        (void)close(*folder);
        *folder = next;
        errno = number;
        take_part(&name, part);
    }
    return *folder >= 0 ? FERRY_FS_OK : error_of(errno, writing);
}

/* ---- Files ------------------------------------------------------------------------------------
 */

/* Only plain files are files: to open another thing may already do something. */
static int check(const struct stat *file, uint32_t *size)
{
    if (S_ISDIR(file->st_mode)) {
        return FERRY_FS_ERR_IS_DIRECTORY;
    }
    if (!S_ISREG(file->st_mode) || file->st_size < 0 || (uintmax_t)file->st_size > UINT32_MAX) {
        return FERRY_FS_ERR_OPEN_FAILED;
    }
    *size = (uint32_t)file->st_size;
    return FERRY_FS_OK;
}

static int look(int folder, const char *part, uint32_t *size)
{
    struct stat file;

    if (part[0] == '\0') {
        return FERRY_FS_ERR_IS_DIRECTORY;
    }
    if (fstatat(folder, part, &file, AT_SYMLINK_NOFOLLOW) != 0) {
        return error_of(errno, false);
    }
    return check(&file, size);
}

static int size_of(void *context, const char *name, uint32_t *size)
{
    char part[PART_MAX + 1];
    int folder;
    int error = open_folder(context, name, false, &folder, part);

    if (error == FERRY_FS_OK) {
        error = look(folder, part, size);
        (void)close(folder);
    }
    return error;
}

/* It was looked at before; it may have been replaced since. */
static int open_in(struct ferry_fs_posix *fs, int folder, const char *part, uint32_t *size)
{
    int flags = fs->writing ? O_WRONLY | O_CREAT : O_RDONLY;
    struct stat file;
    int fd = openat(folder, part, flags | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY | O_CLOEXEC, 0644);

    if (fd < 0) {
        return error_of(errno, fs->writing);
    }

    int error = fstat(fd, &file) == 0 ? check(&file, size) : FERRY_FS_ERR_OPEN_FAILED;

    if (error != FERRY_FS_OK) {
        (void)close(fd);
        return error;
    }
    fs->file = fd;
    return FERRY_FS_OK;
}

static int open_file(void *context, const char *name, bool writing, uint32_t *size)
{
    struct ferry_fs_posix *fs = context;
    char part[PART_MAX + 1];
    int folder;
    int error = open_folder(fs, name, writing, &folder, part);

    if (error != FERRY_FS_OK) {
        return error;
    }
    fs->writing = writing;
    error = look(folder, part, size);
    if (error == FERRY_FS_OK || (writing && error == FERRY_FS_ERR_NOT_FOUND)) {
        error = open_in(fs, folder, part, size);
    }
    (void)close(folder);
    return error;
}

static int read_file(void *context, uint32_t offset, uint8_t *data, size_t len)
{
    const struct ferry_fs_posix *fs = context;

    for (size_t done = 0; done < len;) {
        ssize_t part = pread(fs->file, data + done, len - done, (off_t)offset + (off_t)done);

        if (part == 0 || (part < 0 && errno != EINTR)) {
            return FERRY_FS_ERR_READ_FAILED;
        }
        done += part > 0 ? (size_t)part : 0;
    }
    return FERRY_FS_OK;
}

static int write_file(void *context, uint32_t offset, const uint8_t *data, size_t len)
{
    const struct ferry_fs_posix *fs = context;

    if (!ferry_inside(offset, len, fs->size_max)) {
        return FERRY_FS_ERR_WRITE_FAILED;
    }
    for (size_t done = 0; done < len;) {
        ssize_t part = pwrite(fs->file, data + done, len - done, (off_t)offset + (off_t)done);

        if (part < 0 && errno != EINTR) {
            return FERRY_FS_ERR_WRITE_FAILED;
        }
        done += part > 0 ? (size_t)part : 0;
    }
    return FERRY_FS_OK;
}

static int truncate_file(void *context)
{
    const struct ferry_fs_posix *fs = context;

    return ftruncate(fs->file, 0) == 0 ? FERRY_FS_OK : FERRY_FS_ERR_TRUNCATE_FAILED;
}

static int close_file(void *context)
{
    struct ferry_fs_posix *fs = context;
    bool stored = !fs->writing || fsync(fs->file) == 0;

    if (close(fs->file) != 0) {
        stored = false;
    }
    fs->file = -1;
    return stored ? FERRY_FS_OK : FERRY_FS_ERR_CLOSE_FAILED;
}

const struct ferry_fs_provider ferry_fs_posix_provider = {
    .size = size_of,
    .open = open_file,
    .read = read_file,
    .write = write_file,
    .truncate = truncate_file,
    .close = close_file,
};

void ferry_fs_posix_init(struct ferry_fs_posix *fs, int root, uint32_t size_max)
{
    *fs = (struct ferry_fs_posix){.root = root, .size_max = size_max, .file = -1};
}
