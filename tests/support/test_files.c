/* SPDX-License-Identifier: Apache-2.0 */
/* Files in memory. */
#include "test_files.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <string.h>

void test_files_init(struct test_files *files)
{
    memset(files, 0, sizeof(*files));
    files->open = -1;
}

int test_files_find(const struct test_files *files, const char *name)
{
    for (int i = 0; i < TEST_FILES; i++) {
        if (files->files[i].name[0] != '\0' && strcmp(files->files[i].name, name) == 0) {
            return i;
        }
    }
    return -1;
}

static int make(struct test_files *files, const char *name)
{
    for (int i = 0; i < TEST_FILES; i++) {
        if (files->files[i].name[0] == '\0') {
            assert_true(strlen(name) < TEST_FILES_NAME);
            memcpy(files->files[i].name, name, strlen(name) + 1);
            files->files[i].size = 0;
            return i;
        }
    }
    return -1;
}

void test_files_put(struct test_files *files, const char *name, const void *bytes, size_t size)
{
    int found = test_files_find(files, name);

    found = found < 0 ? make(files, name) : found;
    assert_true(found >= 0 && size <= TEST_FILES_MAX);
    if (size > 0) {
        memcpy(files->files[found].bytes, bytes, size);
    }
    files->files[found].size = (uint32_t)size;
}

static int count(struct test_files *files, enum test_files_op op)
{
    files->count[op]++;
    return files->fail[op];
}

static int size_of(void *context, const char *name, uint32_t *size)
{
    struct test_files *files = context;
    int error = count(files, TEST_FILES_SIZE);
    int found = test_files_find(files, name);

    if (error != FERRY_FS_OK) {
        return error;
    }
    if (found < 0) {
        return FERRY_FS_ERR_NOT_FOUND;
    }
    *size = files->files[found].size;
    return files->files[found].folder ? FERRY_FS_ERR_IS_DIRECTORY : FERRY_FS_OK;
}

static int open_file(void *context, const char *name, bool writing, uint32_t *size)
{
    struct test_files *files = context;
    int error = count(files, TEST_FILES_OPEN);
    int found = test_files_find(files, name);

    assert_int_equal(files->open, -1);
    if (error != FERRY_FS_OK) {
        return error;
    }
    found = found < 0 && writing ? make(files, name) : found;
    if (found < 0) {
        return writing ? FERRY_FS_ERR_OPEN_FAILED : FERRY_FS_ERR_NOT_FOUND;
    }
    if (files->files[found].folder) {
        return FERRY_FS_ERR_IS_DIRECTORY;
    }
    files->open = found;
    files->writing = writing;
    *size = files->files[found].size;
    return FERRY_FS_OK;
}

static int read_file(void *context, uint32_t offset, uint8_t *data, size_t len)
{
    struct test_files *files = context;
    int error = count(files, TEST_FILES_READ);

    assert_true(files->open >= 0 && !files->writing && len > 0);
    if (error != FERRY_FS_OK) {
        return error;
    }
    if (!ferry_inside(offset, len, files->files[files->open].size)) {
        return FERRY_FS_ERR_READ_FAILED;
    }
    memcpy(data, files->files[files->open].bytes + offset, len);
    return FERRY_FS_OK;
}

static int write_file(void *context, uint32_t offset, const uint8_t *data, size_t len)
{
    struct test_files *files = context;
    int error = count(files, TEST_FILES_WRITE);

    assert_true(files->open >= 0 && files->writing && len > 0);
    assert_int_equal(offset, files->files[files->open].size);
    if (error != FERRY_FS_OK) {
        return error;
    }
    if (!ferry_inside(offset, len, TEST_FILES_MAX)) {
        return FERRY_FS_ERR_WRITE_FAILED;
    }
    memcpy(files->files[files->open].bytes + offset, data, len);
    files->files[files->open].size += (uint32_t)len;
    return FERRY_FS_OK;
}

static int truncate_file(void *context)
{
    struct test_files *files = context;
    int error = count(files, TEST_FILES_TRUNCATE);

    assert_true(files->open >= 0 && files->writing);
    if (error == FERRY_FS_OK) {
        files->files[files->open].size = 0;
    }
    return error;
}

static int close_file(void *context)
{
    struct test_files *files = context;

    assert_true(files->open >= 0);
    files->open = -1;
    return count(files, TEST_FILES_CLOSE);
}

const struct ferry_fs_provider test_files_provider = {
    .size = size_of,
    .open = open_file,
    .read = read_file,
    .write = write_file,
    .truncate = truncate_file,
    .close = close_file,
};
