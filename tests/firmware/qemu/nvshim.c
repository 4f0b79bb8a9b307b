/* SPDX-License-Identifier: Apache-2.0 */
/* Flash of an emulated chip that is a file, preloaded into QEMU.
 *
 *   LD_PRELOAD=nvshim.so NVSHIM_FILE=flash.bin NVSHIM_SIZE=0x40000 qemu-system-arm -M microbit ...
 *
 * QEMU's nRF51 keeps its flash in anonymous memory, which is 0x00 at power-on and gone when the
 * process ends. Here the one block of exactly NVSHIM_SIZE bytes is mapped from NVSHIM_FILE, shared:
 * the file *is* the flash, the chip starts from what is in it, and every word the firmware writes
 * is there at once, also when the process is killed. A file that is missing or not of that size
 * ends QEMU with exit code 97. */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#define EXIT_NO_FLASH 97

typedef void *map_fn(void *, size_t, int, int, int, off_t);

void *mmap64(void *at, size_t size, int protection, int flags, int fd, off_t offset);

static bool mapped; /* only the first block of that size is the flash */

static void *system_mmap(void *at, size_t size, int protection, int flags, int fd, off_t offset)
{
    static map_fn *real;

    if (real == NULL) {
        void *symbol = dlsym(RTLD_NEXT, "mmap");

        memcpy(&real, &symbol, sizeof real); /* ISO C converts no object pointer to a function's */
    }
    return real(at, size, protection, flags, fd, offset);
}

static _Noreturn void no_flash(const char *file, const char *why)
{
    fprintf(stderr,
            "nvshim: %s: %s\n"
            "  next: give a file of exactly NVSHIM_SIZE bytes, 0xff where the flash is erased\n",
            file, why);
    _exit(EXIT_NO_FLASH);
}

static void *map_file(const char *file, void *at, size_t size, int protection, int flags)
{
    int fd = open(file, O_RDWR | O_CLOEXEC);
    void *flash;

    if (fd < 0) {
        no_flash(file, strerror(errno));
    }
    if (lseek(fd, 0, SEEK_END) != (off_t)size) {
        no_flash(file, "the file has not the size of the flash");
    }
    flags &= ~(MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE);
    flash = system_mmap(at, size, protection, flags | MAP_SHARED, fd, 0);
    if (flash == MAP_FAILED) {
        no_flash(file, strerror(errno));
    }
    close(fd);
    return flash;
}

/* QEMU reserves address space for a RAM block and then maps the memory into it: that second call is
 * the one, told by MAP_FIXED. */
void *mmap(void *at, size_t size, int protection, int flags, int fd, off_t offset)
{
    const int block = MAP_FIXED | MAP_ANONYMOUS;
    const char *file = getenv("NVSHIM_FILE");
    const char *wanted = getenv("NVSHIM_SIZE");

    if (!mapped && (flags & block) == block && file != NULL && wanted != NULL &&
        size == strtoul(wanted, NULL, 0)) {
        mapped = true;
        return map_file(file, at, size, protection, flags);
    }
    return system_mmap(at, size, protection, flags, fd, offset);
}

/* The name that programs built for large files call. */
void *mmap64(void *at, size_t size, int protection, int flags, int fd, off_t offset)
{
    return mmap(at, size, protection, flags, fd, offset);
}
