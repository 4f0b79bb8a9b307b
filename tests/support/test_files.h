/* SPDX-License-Identifier: Apache-2.0 */
/* A few files in memory, for group fs: every operation can be made to fail, and is counted. */
#ifndef TEST_FILES_H
#define TEST_FILES_H

#include "ferry/group_fs.h"

#define TEST_FILES      4
#define TEST_FILES_MAX  4096 /* bytes of a file */
#define TEST_FILES_NAME 80

enum test_files_op {
    TEST_FILES_SIZE,
    TEST_FILES_OPEN,
    TEST_FILES_READ,
    TEST_FILES_WRITE,
    TEST_FILES_TRUNCATE,
    TEST_FILES_CLOSE,
    TEST_FILES_OPS
};

struct test_files {
    struct {
        char name[TEST_FILES_NAME]; /* "" = none */
        uint8_t bytes[TEST_FILES_MAX];
        uint32_t size;
        bool folder;
    } files[TEST_FILES];
    int open; /* number of the open one, -1 = none */
    bool writing;
    int fail[TEST_FILES_OPS]; /* the error an operation answers, 0 = it is done */
    int count[TEST_FILES_OPS];
};

/* Asserts what struct ferry_fs_provider promises: one open file, accesses inside of it. */
extern const struct ferry_fs_provider test_files_provider;

void test_files_init(struct test_files *files);

/* Make a file, or give it other content. */
void test_files_put(struct test_files *files, const char *name, const void *bytes, size_t size);

/* Number of a file, -1 = there is none. */
int test_files_find(const struct test_files *files, const char *name);

#endif
