/* SPDX-License-Identifier: Apache-2.0 */
/* A part of a flash area as an area of its own. */
#include "ferry/flash.h"

static int slice_read(const struct ferry_flash *flash, uint32_t offset, uint8_t *data, size_t len)
{
    const struct ferry_flash_slice *slice = flash->context;

    return slice->parent->ops->read(slice->parent, slice->offset + offset, data, len);
}

static int slice_program(const struct ferry_flash *flash, uint32_t offset, const uint8_t *data,
                         size_t len)
{
    const struct ferry_flash_slice *slice = flash->context;

    return slice->parent->ops->program(slice->parent, slice->offset + offset, data, len);
}

static int slice_erase(const struct ferry_flash *flash, uint32_t offset, size_t len)
{
    const struct ferry_flash_slice *slice = flash->context;

    return slice->parent->ops->erase(slice->parent, slice->offset + offset, len);
}

/* The checks in front of a slice hold for its parent as well, since both its ends are sector
 * edges of the parent: the parent's ports may be called directly. */
static const struct ferry_flash_ops slice_ops = {
    .read = slice_read, .program = slice_program, .erase = slice_erase};

/* Take the part of each run of parent that lies in size bytes from offset on: never more runs than
 * the parent has. */
static void fill_runs(struct ferry_flash *flash, const struct ferry_flash *parent, uint32_t offset,
                      uint32_t size)
{
    flash->run_count = 0;
    for (size_t i = 0; i < parent->run_count; i++) {
        const struct ferry_flash_run *run = &parent->runs[i];
        uint32_t all = run->count * run->size;
        uint32_t skipped = ferry_min32(offset, all);
        uint32_t taken = ferry_min32(size, all - skipped);

        offset -= skipped;
        size -= taken;
        if (taken > 0) {
            flash->runs[flash->run_count].count = taken / run->size;
            flash->runs[flash->run_count].size = run->size;
            flash->run_count++;
        }
    }
}

int ferry_flash_slice_init(struct ferry_flash_slice *slice, const struct ferry_flash *parent,
                           uint32_t offset, uint32_t size)
{
    if (size == 0 || !ferry_inside(offset, size, parent->size)) {
        return FERRY_E_BOUNDS;
    }
    if (!ferry_flash_is_edge(parent, offset) || !ferry_flash_is_edge(parent, offset + size)) {
        return FERRY_E_ALIGN;
    }
    slice->parent = parent;
    slice->offset = offset;
    slice->flash = *parent;
    slice->flash.ops = &slice_ops;
    slice->flash.context = slice;
    slice->flash.size = size;
    fill_runs(&slice->flash, parent, offset, size);
    return FERRY_OK;
}
