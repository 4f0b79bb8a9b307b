/* SPDX-License-Identifier: Apache-2.0 */
/* The chip's RAM: memory that programs may map and write, and not resize. */
#include "ram.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/mman.h>
#include <unistd.h>

static void fill_with_junk(struct ram *ram, uint32_t seed)
{
    uint32_t random = seed ^ 0x9e3779b9U;

    for (uint32_t i = 0; i < ram->size; i++) {
        random = random * 1664525 + 1013904223;
        ram->memory[i] = (uint8_t)(random >> 24);
    }
}

/* The size is sealed: a program that made it smaller would take the memory from under the chip. */
static int map(struct ram *ram)
{
    if (ftruncate(ram->fd, (off_t)ram->size) != 0 ||
        fcntl(ram->fd, F_ADD_SEALS, F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_SEAL) != 0) {
        return FERRY_E_IO;
    }
    void *memory = mmap(NULL, ram->size, PROT_READ | PROT_WRITE, MAP_SHARED, ram->fd, 0);
    if (memory == MAP_FAILED) {
        return FERRY_E_IO;
    }
    ram->memory = memory;
    return FERRY_OK;
}

int ram_open(struct ram *ram, uint32_t size, uint32_t seed)
{
    *ram = (struct ram){.fd = -1, .size = size};
    if (size == 0) {
        return FERRY_OK;
    }
    ram->fd = memfd_create("ferry-ram", MFD_CLOEXEC | MFD_ALLOW_SEALING);
    if (ram->fd < 0) {
        return FERRY_E_IO;
    }
    int result = map(ram);
    if (result == FERRY_OK) {
        fill_with_junk(ram, seed);
        return FERRY_OK;
    }
    int cause = errno;
    ram_close(ram);
    errno = cause;
    return result;
}

void ram_close(struct ram *ram)
{
    if (ram->memory != NULL) {
        (void)munmap(ram->memory, ram->size);
        ram->memory = NULL;
    }
    if (ram->fd >= 0) {
        (void)close(ram->fd);
        ram->fd = -1;
    }
    ram->size = 0;
}
