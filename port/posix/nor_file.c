/* SPDX-License-Identifier: Apache-2.0 */
/* NOR flash in a file: erase by sector, program towards the other bit only. */
#include "nor_file.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

/* ---- The three verbs ---------------------------------------------------------------- */

static struct ferry_nor_file *nor_of(const struct ferry_flash *flash)
{
    return flash->context;
}

static int nor_read(const struct ferry_flash *flash, uint32_t offset, uint8_t *data, size_t len)
{
    memcpy(data, nor_of(flash)->memory + offset, len);
    return FERRY_OK;
}

static int nor_program(const struct ferry_flash *flash, uint32_t offset, const uint8_t *data,
                       size_t len)
{
    struct ferry_nor_file *nor = nor_of(flash);
    uint8_t *cell = nor->memory + offset;

    if (nor->no_second_write && !ferry_all_equal(cell, len, flash->erased_value)) {
        return FERRY_E_NOT_ERASED;
    }
    for (size_t i = 0; i < len; i++) {
        cell[i] = (uint8_t)(flash->erased_value == 0xff ? cell[i] & data[i] : cell[i] | data[i]);
    }
    return FERRY_OK;
}

static int nor_erase(const struct ferry_flash *flash, uint32_t offset, size_t len)
{
    memset(nor_of(flash)->memory + offset, flash->erased_value, len);
    return FERRY_OK;
}

static const struct ferry_flash_ops nor_ops = {nor_read, nor_program, nor_erase};

/* ---- The file ------------------------------------------------------------------------ */

static int write_erased(int fd, const struct ferry_flash *geometry)
{
    uint8_t block[4096];
    uint32_t left = geometry->size;

    memset(block, geometry->erased_value, sizeof(block));
    while (left > 0) {
        ssize_t done = write(fd, block, ferry_min32(left, sizeof(block)));
        if (done < 0 && errno == EINTR) {
            continue;
        }
        if (done <= 0) {
            return FERRY_E_IO;
        }
        left -= (uint32_t)done;
    }
    return FERRY_OK;
}

int ferry_nor_file_create(const char *path, const struct ferry_flash *geometry)
{
    int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);

    if (fd < 0) {
        return FERRY_E_IO;
    }
    int result = write_erased(fd, geometry);
    int cause = errno;
    if (close(fd) != 0 && result == FERRY_OK) {
        result = FERRY_E_IO;
        cause = errno;
    }
    if (result != FERRY_OK) {
        (void)unlink(path);
        errno = cause;
    }
    return result;
}

/* Whoever holds the file may be dying at this moment: ask for a while. */
static int lock(int fd, uint32_t wait_ms)
{
    const struct timespec pause = {0, 10 * 1000 * 1000};

    for (uint32_t waited = 0; flock(fd, LOCK_EX | LOCK_NB) != 0; waited += 10) {
        if (errno != EWOULDBLOCK) {
            return FERRY_E_IO;
        }
        if (waited >= wait_ms) {
            return FERRY_E_BUSY;
        }
        (void)nanosleep(&pause, NULL);
    }
    return FERRY_OK;
}

static int map(struct ferry_nor_file *nor)
{
    struct stat status;

    if (fstat(nor->fd, &status) != 0) {
        return FERRY_E_IO;
    }
    if (status.st_size != (off_t)nor->flash.size) {
        return FERRY_E_MISMATCH;
    }
    void *memory = mmap(NULL, nor->flash.size, PROT_READ | PROT_WRITE, MAP_SHARED, nor->fd, 0);
    if (memory == MAP_FAILED) {
        return FERRY_E_IO;
    }
    nor->memory = memory;
    return FERRY_OK;
}

int ferry_nor_file_open(struct ferry_nor_file *nor, const char *path, uint32_t wait_ms)
{
    nor->memory = NULL;
    nor->fd = -1;
    nor->flash.ops = &nor_ops;
    nor->flash.context = nor;
    if (ferry_flash_check(&nor->flash) != FERRY_OK) {
        return FERRY_E_CONFIG;
    }
    nor->fd = open(path, O_RDWR | O_CLOEXEC);
    if (nor->fd < 0) {
        return errno == ENOENT ? FERRY_E_NOT_FOUND : FERRY_E_IO;
    }
    int result = lock(nor->fd, wait_ms);
    if (result == FERRY_OK) {
        result = map(nor);
    }
    if (result != FERRY_OK) {
        int cause = errno;
        ferry_nor_file_close(nor);
        errno = cause;
    }
    return result;
}

int ferry_nor_file_reader(const struct ferry_nor_file *nor)
{
    char path[64];

    (void)snprintf(path, sizeof(path), "/proc/self/fd/%d", nor->fd);
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    return fd >= 0 ? fd : FERRY_E_IO;
}

void ferry_nor_file_close(struct ferry_nor_file *nor)
{
    if (nor->memory != NULL) {
        (void)munmap(nor->memory, nor->flash.size);
        nor->memory = NULL;
    }
    if (nor->fd >= 0) {
        (void)close(nor->fd);
        nor->fd = -1;
    }
}
