/* SPDX-License-Identifier: Apache-2.0 */
/* NOR flash in a file: the rules of the part, and what a process's end leaves. */
#include "port/posix/nor_file.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#define SIZE 8192

static char path[] = "/tmp/ferry-nor-XXXXXX";

static struct ferry_nor_file geometry(uint8_t write_size, uint8_t erased_value)
{
    struct ferry_nor_file nor;

    memset(&nor, 0, sizeof(nor));
    nor.fd = -1;
    nor.flash.size = SIZE;
    nor.flash.write_size = write_size;
    nor.flash.erased_value = erased_value;
    nor.flash.run_count = 1;
    nor.flash.runs[0] = (struct ferry_flash_run){4, SIZE / 4};
    return nor;
}

static void open_fresh(struct ferry_nor_file *nor)
{
    assert_int_equal(ferry_nor_file_create(path, &nor->flash), FERRY_OK);
    assert_int_equal(ferry_nor_file_open(nor, path, 0), FERRY_OK);
}

static void a_new_file_is_erased(void **state)
{
    static const uint8_t values[] = {0xff, 0x00};

    (void)state;
    for (size_t i = 0; i < sizeof(values); i++) {
        struct ferry_nor_file nor = geometry(4, values[i]);
        open_fresh(&nor);
        assert_int_equal(ferry_flash_is_erased(&nor.flash, 0, SIZE), 1);
        ferry_nor_file_close(&nor);
    }
}

static void program_goes_one_way_only(void **state)
{
    struct ferry_nor_file nor = geometry(1, 0xff);
    const uint8_t first = 0x5a;
    const uint8_t second = 0xf0;

    (void)state;
    open_fresh(&nor);
    assert_int_equal(ferry_flash_program(&nor.flash, 7, &first, 1), FERRY_OK);
    assert_int_equal(ferry_flash_program(&nor.flash, 7, &second, 1), FERRY_OK);
    assert_int_equal(nor.memory[7], 0x5a & 0xf0);
    assert_int_equal(nor.memory[6], 0xff);
    assert_int_equal(nor.memory[8], 0xff);
    ferry_nor_file_close(&nor);

    nor = geometry(1, 0x00);
    open_fresh(&nor);
    assert_int_equal(ferry_flash_program(&nor.flash, 7, &first, 1), FERRY_OK);
    assert_int_equal(ferry_flash_program(&nor.flash, 7, &second, 1), FERRY_OK);
    assert_int_equal(nor.memory[7], 0x5a | 0xf0);
    ferry_nor_file_close(&nor);
}

static void a_part_with_ecc_takes_no_second_write(void **state)
{
    struct ferry_nor_file nor = geometry(8, 0xff);
    const uint8_t unit[8] = {0, 1, 2, 3, 4, 5, 6, 7};
    const uint8_t two[16] = {0};

    (void)state;
    nor.no_second_write = true;
    open_fresh(&nor);
    assert_int_equal(ferry_flash_program(&nor.flash, 8, unit, 8), FERRY_OK);
    assert_int_equal(ferry_flash_program(&nor.flash, 8, unit, 8), FERRY_E_NOT_ERASED);
    assert_int_equal(ferry_flash_program(&nor.flash, 0, two, 16), FERRY_E_NOT_ERASED);
    assert_int_equal(ferry_flash_is_erased(&nor.flash, 0, 8), 1);
    assert_memory_equal(nor.memory + 8, unit, 8);
    assert_int_equal(ferry_flash_erase(&nor.flash, 0, SIZE / 4), FERRY_OK);
    assert_int_equal(ferry_flash_program(&nor.flash, 8, unit, 8), FERRY_OK);
    ferry_nor_file_close(&nor);
}

static void erase_takes_whole_sectors(void **state)
{
    struct ferry_nor_file nor = geometry(4, 0xff);
    uint8_t bytes[SIZE];

    (void)state;
    memset(bytes, 0x11, sizeof(bytes));
    open_fresh(&nor);
    assert_int_equal(ferry_flash_program(&nor.flash, 0, bytes, SIZE), FERRY_OK);
    assert_int_equal(ferry_flash_erase(&nor.flash, SIZE / 4, SIZE / 4), FERRY_OK);
    assert_int_equal(ferry_flash_is_erased(&nor.flash, SIZE / 4, SIZE / 4), 1);
    assert_int_equal(nor.memory[SIZE / 4 - 1], 0x11);
    assert_int_equal(nor.memory[SIZE / 2], 0x11);
    assert_int_equal(ferry_flash_erase(&nor.flash, 4, SIZE / 4), FERRY_E_ALIGN);
    assert_int_equal(ferry_flash_program(&nor.flash, SIZE - 4, bytes, 8), FERRY_E_BOUNDS);
    ferry_nor_file_close(&nor);
}

static void what_was_programmed_stays(void **state)
{
    struct ferry_nor_file nor = geometry(4, 0xff);
    const uint8_t word[4] = {1, 2, 3, 4};
    uint8_t back[4];

    (void)state;
    open_fresh(&nor);
    ferry_nor_file_close(&nor);
    pid_t child = fork();
    if (child == 0) {
        /* Killed without having closed anything. */
        struct ferry_nor_file other = geometry(4, 0xff);
        if (ferry_nor_file_open(&other, path, 0) == FERRY_OK &&
            ferry_flash_program(&other.flash, 100, word, 4) == FERRY_OK) {
            (void)raise(SIGKILL);
        }
        _exit(1);
    }
    int status = 0;
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_true(WIFSIGNALED(status));
    nor = geometry(4, 0xff);
    assert_int_equal(ferry_nor_file_open(&nor, path, 1000), FERRY_OK);
    assert_int_equal(ferry_flash_read(&nor.flash, 100, back, 4), FERRY_OK);
    assert_memory_equal(back, word, 4);
    ferry_nor_file_close(&nor);
}

static void a_file_belongs_to_one_process(void **state)
{
    struct ferry_nor_file nor = geometry(4, 0xff);
    struct ferry_nor_file other = geometry(4, 0xff);

    (void)state;
    open_fresh(&nor);
    assert_int_equal(ferry_nor_file_open(&other, path, 30), FERRY_E_BUSY);
    ferry_nor_file_close(&other);
    ferry_nor_file_close(&nor);
    assert_int_equal(ferry_nor_file_open(&other, path, 0), FERRY_OK);
    ferry_nor_file_close(&other);
}

static void wrong_files_are_refused(void **state)
{
    struct ferry_nor_file nor = geometry(4, 0xff);

    (void)state;
    open_fresh(&nor);
    ferry_nor_file_close(&nor);
    nor = geometry(4, 0xff);
    nor.flash.size = SIZE / 2;
    nor.flash.runs[0].count = 2;
    assert_int_equal(ferry_nor_file_open(&nor, path, 0), FERRY_E_MISMATCH);
    nor = geometry(3, 0xff);
    assert_int_equal(ferry_nor_file_open(&nor, path, 0), FERRY_E_CONFIG);
    nor = geometry(4, 0xff);
    assert_int_equal(ferry_nor_file_open(&nor, "/tmp/ferry-no-such-file", 0), FERRY_E_NOT_FOUND);
    assert_int_equal(ferry_nor_file_create("/tmp/no-such-folder/flash", &nor.flash), FERRY_E_IO);
    assert_int_equal(errno, ENOENT);
    ferry_nor_file_close(&nor);
    ferry_nor_file_close(&nor);
}

static void a_reader_sees_and_cannot_write(void **state)
{
    struct ferry_nor_file nor = geometry(4, 0xff);
    const uint8_t word[4] = {9, 8, 7, 6};

    (void)state;
    open_fresh(&nor);
    int fd = ferry_nor_file_reader(&nor);
    assert_true(fd >= 0);
    assert_ptr_equal(mmap(NULL, SIZE, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0), MAP_FAILED);
    const uint8_t *seen = mmap(NULL, SIZE, PROT_READ, MAP_SHARED, fd, 0);
    assert_ptr_not_equal(seen, MAP_FAILED);
    assert_int_equal(ferry_flash_program(&nor.flash, 40, word, 4), FERRY_OK);
    assert_memory_equal(seen + 40, word, 4);
    (void)munmap((void *)(uintptr_t)seen, SIZE);
    (void)close(fd);
    ferry_nor_file_close(&nor);
}

static int make_path(void **state)
{
    (void)state;
    int fd = mkstemp(path);
    return fd < 0 ? 1 : close(fd);
}

static int remove_path(void **state)
{
    (void)state;
    return unlink(path);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_new_file_is_erased),
        cmocka_unit_test(program_goes_one_way_only),
        cmocka_unit_test(a_part_with_ecc_takes_no_second_write),
        cmocka_unit_test(erase_takes_whole_sectors),
        cmocka_unit_test(what_was_programmed_stays),
        cmocka_unit_test(a_file_belongs_to_one_process),
        cmocka_unit_test(wrong_files_are_refused),
        cmocka_unit_test(a_reader_sees_and_cannot_write),
    };

    return cmocka_run_group_tests(tests, make_path, remove_path);
}
