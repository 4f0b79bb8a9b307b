/* SPDX-License-Identifier: Apache-2.0 */
#include "archive_memory.h"

#include <stdlib.h>
#include <string.h>

static voidpf ZCALLBACK open_memory(voidpf opaque, const void *name, int mode)
{
    (void)name;
    (void)mode;
    return opaque;
}

static uLong ZCALLBACK read_memory(voidpf opaque, voidpf stream, void *buf, uLong size)
{
    struct archive_memory *m = stream;
    (void)opaque;
    const uint8_t *bytes = m->written != NULL ? m->written : m->bytes;
    size_t left = m->at < m->len ? m->len - m->at : 0;
    size_t n = size < left ? size : left;
    if (n > 0) {
        memcpy(buf, bytes + m->at, n);
    }
    m->at += n;
    return (uLong)n;
}

/* Room for size bytes in all. */
static int grow(struct archive_memory *m, size_t size)
{
    if (size <= m->cap) {
        return 1;
    }
    size_t cap = m->cap < 4096 ? 4096 : m->cap;
    while (cap < size) {
        cap *= 2;
    }
    uint8_t *larger = realloc(m->written, cap);
    if (larger == NULL) {
        return 0;
    }
    m->written = larger;
    m->cap = cap;
    return 1;
}

static uLong ZCALLBACK write_memory(voidpf opaque, voidpf stream, const void *buf, uLong size)
{
    struct archive_memory *m = stream;
    (void)opaque;
    if (size == 0 || m->bytes != NULL || !grow(m, m->at + size)) {
        return 0;
    }
    memcpy(m->written + m->at, buf, size);
    m->at += size;
    m->len = m->at > m->len ? m->at : m->len;
    return size;
}

static ZPOS64_T ZCALLBACK tell_memory(voidpf opaque, voidpf stream)
{
    const struct archive_memory *m = stream;
    (void)opaque;
    return m->at;
}

static long ZCALLBACK seek_memory(voidpf opaque, voidpf stream, ZPOS64_T offset, int origin)
{
    struct archive_memory *m = stream;
    (void)opaque;
    size_t base = origin == ZLIB_FILEFUNC_SEEK_SET   ? 0
                  : origin == ZLIB_FILEFUNC_SEEK_CUR ? m->at
                                                     : m->len;
    if (base > m->len || offset > m->len - base) {
        return -1;
    }
    m->at = base + (size_t)offset;
    return 0;
}

static int ZCALLBACK close_memory(voidpf opaque, voidpf stream)
{
    (void)opaque;
    (void)stream;
    return 0;
}

static int ZCALLBACK error_memory(voidpf opaque, voidpf stream)
{
    (void)opaque;
    (void)stream;
    return 0;
}

void archive_memory_functions(struct archive_memory *memory, zlib_filefunc64_def *functions)
{
    *functions = (zlib_filefunc64_def){.zopen64_file = open_memory,
                                       .zread_file = read_memory,
                                       .zwrite_file = write_memory,
                                       .ztell64_file = tell_memory,
                                       .zseek64_file = seek_memory,
                                       .zclose_file = close_memory,
                                       .zerror_file = error_memory,
                                       .opaque = memory};
}
