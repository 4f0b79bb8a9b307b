/* SPDX-License-Identifier: Apache-2.0 */
/* Files of one folder: what a name reaches, and that nothing reaches out of the folder. */
#include "port/posix/fs_posix.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#define SIZE_MAX_OF_FILE 100

static const struct ferry_fs_provider *const provider = &ferry_fs_posix_provider;

/* around/root is the folder; around/secret and around/out/secret are not in it. */
struct bench {
    char around[32];
    int outside; /* of around */
    int root;
    struct ferry_fs_posix fs;
};

static struct bench bench;

static void write_at(int folder, const char *name, const char *content)
{
    int fd = openat(folder, name, O_WRONLY | O_CREAT | O_TRUNC, 0644);

    assert_true(fd >= 0);
    assert_int_equal(write(fd, content, strlen(content)), strlen(content));
    assert_int_equal(close(fd), 0);
}

static void expect_at(int folder, const char *name, const char *content)
{
    char text[256];
    int fd = openat(folder, name, O_RDONLY);

    assert_true(fd >= 0);
    assert_int_equal(read(fd, text, sizeof(text)), strlen(content));
    assert_memory_equal(text, content, strlen(content));
    assert_int_equal(close(fd), 0);
}

static int set_up(void **state)
{
    (void)state;
    memset(&bench, 0, sizeof(bench));
    (void)snprintf(bench.around, sizeof(bench.around), "/tmp/ferry-fs-XXXXXX");
    assert_non_null(mkdtemp(bench.around));
    bench.outside = open(bench.around, O_RDONLY | O_DIRECTORY);
    assert_true(bench.outside >= 0);
    assert_int_equal(mkdirat(bench.outside, "root", 0755), 0);
    assert_int_equal(mkdirat(bench.outside, "root/folder", 0755), 0);
    assert_int_equal(mkdirat(bench.outside, "out", 0755), 0);
    write_at(bench.outside, "secret", "secret");
    write_at(bench.outside, "out/secret", "secret");
    write_at(bench.outside, "root/file", "0123456789");
    write_at(bench.outside, "root/folder/inner", "inner");
    bench.root = openat(bench.outside, "root", O_RDONLY | O_DIRECTORY);
    assert_true(bench.root >= 0);
    ferry_fs_posix_init(&bench.fs, bench.root, SIZE_MAX_OF_FILE);
    return 0;
}

static int tear_down(void **state)
{
    char command[64];

    (void)state;
    assert_int_equal(bench.fs.file, -1); /* every test has closed what it opened */
    assert_int_equal(close(bench.root), 0);
    assert_int_equal(close(bench.outside), 0);
    (void)snprintf(command, sizeof(command), "rm -rf %s", bench.around);
    return system(command); /* a name that mkdtemp() made */
}

/* A name leads to this error, whatever is wanted. */
static void expect_errors(const char *name, int reading, int writing)
{
    uint32_t size = 7;

    assert_int_equal(provider->size(&bench.fs, name, &size), reading);
    assert_int_equal(provider->open(&bench.fs, name, false, &size), reading);
    assert_int_equal(provider->open(&bench.fs, name, true, &size), writing);
    assert_int_equal(bench.fs.file, -1);
}

static void expect_refused(const char *name, int error)
{
    expect_errors(name, error, error);
}

static void expect_content(const char *name, const char *content)
{
    uint8_t bytes[SIZE_MAX_OF_FILE];
    uint32_t size = 0;

    assert_int_equal(provider->size(&bench.fs, name, &size), FERRY_FS_OK);
    assert_int_equal(size, strlen(content));
    size = 0;
    assert_int_equal(provider->open(&bench.fs, name, false, &size), FERRY_FS_OK);
    assert_int_equal(size, strlen(content));
    assert_int_equal(provider->read(&bench.fs, 0, bytes, size), FERRY_FS_OK);
    assert_memory_equal(bytes, content, size);
    assert_int_equal(provider->close(&bench.fs), FERRY_FS_OK);
}

/* ---- What is inside ---------------------------------------------------------------------- */

static void names_are_paths_from_the_folder(void **state)
{
    (void)state;
    expect_content("file", "0123456789");
    expect_content("/file", "0123456789");
    expect_content("///file", "0123456789");
    expect_content("folder/inner", "inner");
    expect_content("/folder//inner", "inner");
}

static void files_are_written_in_place(void **state)
{
    const uint8_t more[] = {'a', 'b', 'c'};
    uint8_t bytes[4];
    uint32_t size = 0;

    (void)state;
    assert_int_equal(provider->open(&bench.fs, "file", true, &size), FERRY_FS_OK);
    assert_int_equal(size, 10);
    assert_int_equal(provider->write(&bench.fs, 10, more, 3), FERRY_FS_OK);
    expect_at(bench.root, "file", "0123456789abc");
    assert_int_equal(provider->truncate(&bench.fs), FERRY_FS_OK);
    assert_int_equal(provider->write(&bench.fs, 0, more, 2), FERRY_FS_OK);
    assert_int_equal(provider->close(&bench.fs), FERRY_FS_OK);
    expect_content("file", "ab");

    assert_int_equal(provider->open(&bench.fs, "new", true, &size), FERRY_FS_OK);
    assert_int_equal(size, 0);
    assert_int_equal(provider->close(&bench.fs), FERRY_FS_OK);
    expect_content("new", "");
    assert_int_equal(provider->open(&bench.fs, "file", false, &size), FERRY_FS_OK);
    assert_int_equal(provider->read(&bench.fs, 0, bytes, 3), FERRY_FS_ERR_READ_FAILED);
    assert_int_equal(provider->close(&bench.fs), FERRY_FS_OK);
}

static void no_file_is_made_too_large(void **state)
{
    uint8_t bytes[SIZE_MAX_OF_FILE + 1] = {0};
    uint32_t size = 0;

    (void)state;
    assert_int_equal(provider->open(&bench.fs, "new", true, &size), FERRY_FS_OK);
    assert_int_equal(provider->write(&bench.fs, 0, bytes, SIZE_MAX_OF_FILE), FERRY_FS_OK);
    assert_int_equal(provider->write(&bench.fs, SIZE_MAX_OF_FILE, bytes, 1),
                     FERRY_FS_ERR_WRITE_FAILED);
    assert_int_equal(provider->write(&bench.fs, UINT32_MAX, bytes, 1), FERRY_FS_ERR_WRITE_FAILED);
    assert_int_equal(provider->write(&bench.fs, 1, bytes, SIZE_MAX_OF_FILE),
                     FERRY_FS_ERR_WRITE_FAILED);
    assert_int_equal(provider->close(&bench.fs), FERRY_FS_OK);
    assert_int_equal(provider->size(&bench.fs, "new", &size), FERRY_FS_OK);
    assert_int_equal(size, SIZE_MAX_OF_FILE);
}

static void folders_are_no_files(void **state)
{
    char long_name[400];

    (void)state;
    expect_refused("folder", FERRY_FS_ERR_IS_DIRECTORY);
    expect_refused("folder/", FERRY_FS_ERR_IS_DIRECTORY);
    expect_refused("/", FERRY_FS_ERR_IS_DIRECTORY);
    expect_refused("///", FERRY_FS_ERR_IS_DIRECTORY);
    expect_errors("none/file", FERRY_FS_ERR_NOT_FOUND, FERRY_FS_ERR_MOUNT_POINT_NOT_FOUND);
    expect_errors("file/inner", FERRY_FS_ERR_NOT_FOUND, FERRY_FS_ERR_MOUNT_POINT_NOT_FOUND);
    expect_errors("file/", FERRY_FS_ERR_NOT_FOUND, FERRY_FS_ERR_MOUNT_POINT_NOT_FOUND);
    memset(long_name, 'x', sizeof(long_name) - 1);
    long_name[sizeof(long_name) - 1] = '\0';
    expect_refused(long_name, FERRY_FS_ERR_INVALID_NAME);
    long_name[300] = '/';
    expect_refused(long_name, FERRY_FS_ERR_INVALID_NAME);
}

/* ---- What is outside --------------------------------------------------------------------- */

static void no_name_leads_out(void **state)
{
    static const char *const names[] = {
        "..",
        "../secret",
        "/../secret",
        "//..//secret",
        "../root",
        "../root/file",
        "folder/../file",
        "folder/../../secret",
        ".",
        "./file",
        "folder/./inner",
        "/.",
        "folder/..",
        "folder/../..",
        "folder/inner/..",
        "../out/secret",
        "../../../..",
        "../../../etc/passwd",
        "folder/../../out/secret",
    };
    char absolute[64];

    (void)state;
    for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
        expect_refused(names[i], FERRY_FS_ERR_INVALID_NAME);
    }
    (void)snprintf(absolute, sizeof(absolute), "%s/secret", bench.around);
    expect_errors(absolute, FERRY_FS_ERR_NOT_FOUND, FERRY_FS_ERR_MOUNT_POINT_NOT_FOUND);
    expect_at(bench.outside, "secret", "secret");
    expect_at(bench.outside, "out/secret", "secret");
}

static void links_are_not_followed(void **state)
{
    (void)state;
    assert_int_equal(symlinkat("../secret", bench.root, "to-secret"), 0);
    assert_int_equal(symlinkat("../made", bench.root, "to-nothing"), 0);
    assert_int_equal(symlinkat("file", bench.root, "to-file"), 0);
    assert_int_equal(symlinkat("../out", bench.root, "to-out"), 0);
    assert_int_equal(symlinkat("folder", bench.root, "to-folder"), 0);
    assert_int_equal(symlinkat("/", bench.root, "to-all"), 0);
    assert_int_equal(symlinkat("loop", bench.root, "loop"), 0);
    expect_refused("to-secret", FERRY_FS_ERR_OPEN_FAILED);
    expect_refused("to-nothing", FERRY_FS_ERR_OPEN_FAILED);
    expect_refused("to-file", FERRY_FS_ERR_OPEN_FAILED);
    expect_refused("loop", FERRY_FS_ERR_OPEN_FAILED);
    expect_refused("to-out", FERRY_FS_ERR_OPEN_FAILED);
    expect_errors("to-out/secret", FERRY_FS_ERR_NOT_FOUND, FERRY_FS_ERR_MOUNT_POINT_NOT_FOUND);
    expect_errors("to-out/made", FERRY_FS_ERR_NOT_FOUND, FERRY_FS_ERR_MOUNT_POINT_NOT_FOUND);
    expect_errors("to-folder/inner", FERRY_FS_ERR_NOT_FOUND, FERRY_FS_ERR_MOUNT_POINT_NOT_FOUND);
    expect_errors("to-all/etc/passwd", FERRY_FS_ERR_NOT_FOUND, FERRY_FS_ERR_MOUNT_POINT_NOT_FOUND);
    expect_errors("loop/file", FERRY_FS_ERR_NOT_FOUND, FERRY_FS_ERR_MOUNT_POINT_NOT_FOUND);
    expect_at(bench.outside, "secret", "secret");
    assert_int_equal(faccessat(bench.outside, "made", F_OK, 0), -1);
    assert_int_equal(faccessat(bench.outside, "out/made", F_OK, 0), -1);
}

/* Opening one of these would wait for somebody, or do something. */
static void only_plain_files_are_opened(void **state)
{
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    int end = socket(AF_UNIX, SOCK_STREAM, 0);

    (void)state;
    assert_int_equal(mkfifoat(bench.root, "fifo", 0666), 0);
    expect_refused("fifo", FERRY_FS_ERR_OPEN_FAILED);
    (void)snprintf(address.sun_path, sizeof(address.sun_path), "%s/root/socket", bench.around);
    assert_int_equal(bind(end, (const struct sockaddr *)&address, sizeof(address)), 0);
    expect_refused("socket", FERRY_FS_ERR_OPEN_FAILED);
    assert_int_equal(close(end), 0);
    if (mknodat(bench.root, "zero", S_IFCHR | 0666, 0x105) == 0) { /* only root may */
        expect_refused("zero", FERRY_FS_ERR_OPEN_FAILED);
    }
}

static void files_beyond_32_bits_are_not_opened(void **state)
{
    uint32_t size = 0;
    int fd = openat(bench.root, "huge", O_WRONLY | O_CREAT, 0644);

    (void)state;
    assert_int_equal(ftruncate(fd, (off_t)UINT32_MAX + 1), 0);
    expect_refused("huge", FERRY_FS_ERR_OPEN_FAILED);
    assert_int_equal(ftruncate(fd, UINT32_MAX), 0);
    assert_int_equal(provider->size(&bench.fs, "huge", &size), FERRY_FS_OK);
    assert_int_equal(size, UINT32_MAX);
    assert_int_equal(close(fd), 0);
}

/* No descriptor is left behind, whatever was refused. */
static void nothing_leaks(void **state)
{
    int before = dup(bench.root);

    (void)state;
    assert_int_equal(close(before), 0);
    for (int i = 0; i < 20; i++) {
        expect_refused("..", FERRY_FS_ERR_INVALID_NAME);
        expect_refused("folder/../x", FERRY_FS_ERR_INVALID_NAME);
        expect_refused("folder", FERRY_FS_ERR_IS_DIRECTORY);
        expect_errors("none/x", FERRY_FS_ERR_NOT_FOUND, FERRY_FS_ERR_MOUNT_POINT_NOT_FOUND);
        expect_content("folder/inner", "inner");
    }

    int after = dup(bench.root);

    assert_int_equal(after, before);
    assert_int_equal(close(after), 0);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(names_are_paths_from_the_folder),
        TEST(files_are_written_in_place),
        TEST(no_file_is_made_too_large),
        TEST(folders_are_no_files),
        TEST(no_name_leads_out),
        TEST(links_are_not_followed),
        TEST(only_plain_files_are_opened),
        TEST(files_beyond_32_bits_are_not_opened),
        TEST(nothing_leaks),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
