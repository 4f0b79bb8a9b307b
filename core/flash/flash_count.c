/* SPDX-License-Identifier: Apache-2.0 */
/* A flash that counts what passes to the one inside. */
#include "ferry/flash.h"

static int count_read(const struct ferry_flash *flash, uint32_t offset, uint8_t *data, size_t len)
{
    struct ferry_flash_counter *counter = flash->context;

    counter->counts.reads++;
    counter->counts.bytes_read += len;
    return counter->inner->ops->read(counter->inner, offset, data, len);
}

static int count_program(const struct ferry_flash *flash, uint32_t offset, const uint8_t *data,
                         size_t len)
{
    struct ferry_flash_counter *counter = flash->context;

    counter->counts.programs++;
    counter->counts.bytes_programmed += len;
    return counter->inner->ops->program(counter->inner, offset, data, len);
}

static void count_sectors(struct ferry_flash_counter *counter, uint32_t offset, size_t len)
{
    struct ferry_flash_sector sector;
    size_t done = 0;

    while (done < len &&
           ferry_flash_sector_at(&counter->flash, offset + (uint32_t)done, &sector) == FERRY_OK) {
        counter->counts.sectors_erased++;
        if (counter->wear != NULL) {
            counter->wear[sector.index]++;
        }
        /* From the sector's end, also when a power cut made the range begin inside it. */
        done = sector.offset + sector.size - offset;
    }
}

static int count_erase(const struct ferry_flash *flash, uint32_t offset, size_t len)
{
    struct ferry_flash_counter *counter = flash->context;

    counter->counts.erases++;
    count_sectors(counter, offset, len);
    return counter->inner->ops->erase(counter->inner, offset, len);
}

static const struct ferry_flash_ops count_ops = {
    .read = count_read, .program = count_program, .erase = count_erase};

void ferry_flash_counter_init(struct ferry_flash_counter *counter, const struct ferry_flash *inner,
                              uint32_t *wear)
{
    counter->flash = *inner;
    counter->flash.ops = &count_ops;
    counter->flash.context = counter;
    counter->inner = inner;
    counter->counts = (struct ferry_flash_counts){.reads = 0};
    counter->wear = wear;
}
