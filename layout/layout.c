/* SPDX-License-Identifier: Apache-2.0 */
/* The layout file: its fields, and the rules between them. */
#include "layout_read.h"

#include <stdio.h>
#include <string.h>

/* ---- Flash devices -------------------------------------------------------------------- */

static int no_read(const struct ferry_flash *flash, uint32_t offset, uint8_t *data, size_t len)
{
    (void)flash;
    (void)offset;
    (void)data;
    (void)len;
    return FERRY_E_FLASH;
}

static int no_program(const struct ferry_flash *flash, uint32_t offset, const uint8_t *data,
                      size_t len)
{
    (void)flash;
    (void)offset;
    (void)data;
    (void)len;
    return FERRY_E_FLASH;
}

static int no_erase(const struct ferry_flash *flash, uint32_t offset, size_t len)
{
    (void)flash;
    (void)offset;
    (void)len;
    return FERRY_E_FLASH;
}

/* A layout has shape, not contents. */
static const struct ferry_flash_ops no_ops = {no_read, no_program, no_erase};

static void read_runs(struct json_reader *reader, const cJSON *item, struct ferry_flash *geometry)
{
    const cJSON *runs;
    const cJSON *run;
    uint32_t count;
    uint64_t size = 0;
    char device[sizeof(reader->where)];

    if (!json_array(reader, item, "sectors", 1, FERRY_FLASH_RUNS, &runs, &count)) {
        return;
    }
    memcpy(device, reader->where, sizeof(device));
    cJSON_ArrayForEach(run, runs)
    {
        struct ferry_flash_run *into = &geometry->runs[geometry->run_count];
        (void)snprintf(reader->where, sizeof(reader->where), "%.60s.sectors[%u]", device,
                       (unsigned)geometry->run_count);
        (void)json_only(reader, run, "count size");
        (void)json_number(reader, run, "count", 1, LAYOUT_FLASH_MAX, &into->count);
        if (!json_number(reader, run, "size", 1, LAYOUT_FLASH_MAX, &into->size)) {
            return;
        }
        if (into->size % geometry->write_size != 0) {
            (void)json_fail(reader, "size", "%u is no multiple of write_size; give one of %u",
                            into->size, (unsigned)geometry->write_size);
            return;
        }
        size += (uint64_t)into->count * into->size;
        geometry->run_count++;
    }
    memcpy(reader->where, device, sizeof(device));
    if (size > LAYOUT_FLASH_MAX) {
        (void)json_fail(reader, "sectors", "together are above 64 MiB; give a smaller device");
        return;
    }
    geometry->size = (uint32_t)size;
}

static bool is_name(const char *text)
{
    return strspn(text, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_-") ==
           strlen(text);
}

bool layout_read_name(struct json_reader *reader, const cJSON *item, const char *field,
                      char out[FERRY_VCHIP_NAME])
{
    if (!json_text(reader, item, field, out, FERRY_VCHIP_NAME)) {
        return false;
    }
    if (!is_name(out)) {
        return json_fail(reader, field, "is \"%s\"; use letters, digits, - and _ only", out);
    }
    return true;
}

static uint32_t find_device(const struct layout *layout, const char *name)
{
    uint32_t i = 0;

    while (i < layout->device_count && strcmp(layout->devices[i].name, name) != 0) {
        i++;
    }
    return i;
}

/* What is there to compute with, as `ferry layout` does. */
static void read_times(struct json_reader *reader, const cJSON *item, struct layout_device *device)
{
    if (json_has(item, "erase_ms")) {
        (void)json_number(reader, item, "erase_ms", 1, 10000, &device->erase_ms);
    }
    if (json_has(item, "program_us")) {
        (void)json_number(reader, item, "program_us", 1, 1000000, &device->program_us);
    }
    if (json_has(item, "endurance")) {
        (void)json_number(reader, item, "endurance", 1, 100000000, &device->endurance);
    }
}

static void read_device(struct json_reader *reader, const cJSON *item, struct layout *layout)
{
    struct layout_device *device = &layout->devices[layout->device_count];
    struct ferry_flash *geometry = &device->geometry;
    uint32_t write_size = 1;
    uint32_t erased_value = 0;

    geometry->ops = &no_ops;
    (void)json_only(reader, item,
                    "name sectors write_size erased_value no_second_write erase_ms "
                    "program_us endurance");
    (void)layout_read_name(reader, item, "name", device->name);
    (void)json_number(reader, item, "write_size", 1, FERRY_FLASH_WRITE_MAX, &write_size);
    (void)json_number(reader, item, "erased_value", 0, 255, &erased_value);
    (void)json_flag(reader, item, "no_second_write", &device->no_second_write);
    read_times(reader, item, device);
    geometry->write_size = (uint8_t)write_size;
    geometry->erased_value = (uint8_t)erased_value;
    if ((write_size & (write_size - 1)) != 0) {
        (void)json_fail(reader, "write_size", "is %u; give 1, 2, 4, 8, 16 or 32", write_size);
    }
    if (erased_value != 0x00 && erased_value != 0xff) {
        (void)json_fail(reader, "erased_value", "is %u; give 255 or 0", erased_value);
    }
    read_runs(reader, item, geometry);
    if (find_device(layout, device->name) != layout->device_count) {
        (void)json_fail(reader, "name", "\"%s\" is there already; give another name", device->name);
    }
    layout->device_count++;
}

/* ---- Areas -------------------------------------------------------------------------------- */

const struct ferry_vchip_area *layout_area(const struct layout *layout, const char *name)
{
    for (uint32_t i = 0; i < layout->area_count; i++) {
        if (strcmp(layout->areas[i].name, name) == 0) {
            return &layout->areas[i];
        }
    }
    return NULL;
}

static bool check_boundary(struct json_reader *reader, const struct ferry_flash *geometry,
                           const char *field, uint32_t offset)
{
    struct ferry_flash_sector sector;

    if (offset == geometry->size) {
        return true;
    }
    if (ferry_flash_sector_at(geometry, offset, &sector) != FERRY_OK) {
        return json_fail(reader, field,
                         "ends at 0x%x, behind the device's last byte (size 0x%x); make it smaller",
                         offset, geometry->size);
    }
    if (sector.offset != offset) {
        return json_fail(reader, field,
                         "0x%x is inside a sector of %u bytes; move it to 0x%x or 0x%x", offset,
                         sector.size, sector.offset, sector.offset + sector.size);
    }
    return true;
}

static bool overlaps(const struct ferry_vchip_area *a, const struct ferry_vchip_area *b)
{
    return a->device == b->device && a->offset < b->offset + b->size &&
           b->offset < a->offset + a->size;
}

static void check_area(struct json_reader *reader, const struct layout *layout,
                       const struct ferry_vchip_area *area)
{
    const struct ferry_flash *geometry = &layout->devices[area->device].geometry;

    if (!ferry_inside(area->offset, area->size, geometry->size)) {
        (void)json_fail(reader, "size",
                        "the area ends behind its device, which has 0x%x bytes; make it smaller",
                        geometry->size);
        return;
    }
    (void)check_boundary(reader, geometry, "offset", area->offset);
    (void)check_boundary(reader, geometry, "size", area->offset + area->size);
    for (uint32_t i = 0; i < layout->area_count; i++) {
        if (strcmp(layout->areas[i].name, area->name) == 0) {
            (void)json_fail(reader, "name", "\"%s\" is there already; give another name",
                            area->name);
        }
        if (overlaps(&layout->areas[i], area)) {
            (void)json_fail(reader, "offset", "the area overlaps \"%s\"; move one of them",
                            layout->areas[i].name);
        }
    }
}

static void read_area(struct json_reader *reader, const cJSON *item, struct layout *layout)
{
    struct ferry_vchip_area area = {{0}, 0, 0, 0};
    char device[FERRY_VCHIP_NAME];

    (void)json_only(reader, item, "name device offset size");
    (void)layout_read_name(reader, item, "name", area.name);
    (void)layout_read_name(reader, item, "device", device);
    (void)json_number(reader, item, "offset", 0, LAYOUT_FLASH_MAX, &area.offset);
    if (!json_number(reader, item, "size", 1, LAYOUT_FLASH_MAX, &area.size)) {
        return;
    }
    area.device = find_device(layout, device);
    if (area.device == layout->device_count) {
        (void)json_fail(reader, "device", "there is no flash \"%s\"; name one of \"flash\"",
                        device);
        return;
    }
    check_area(reader, layout, &area);
    layout->areas[layout->area_count++] = area;
}

/* ---- The whole
 * ------------------------------------------------------------------------------------ */

static void read_keys(struct json_reader *reader, const cJSON *root, struct layout *layout)
{
    const cJSON *keys;
    const cJSON *key;
    uint32_t count;

    reader->where[0] = '\0';
    (void)json_array(reader, root, "keys", 0, LAYOUT_KEYS, &keys, &count);
    cJSON_ArrayForEach(key, keys)
    {
        json_at(reader, "keys", layout->key_count);
        (void)json_text(reader, key, NULL, layout->keys[layout->key_count++], LAYOUT_PATH_MAX);
    }
    if (count > 0 && layout_area(layout, "keys") == NULL) {
        (void)json_fail(reader, NULL, "there is no area \"keys\" to hold them; add one");
    }
}

/* What a device decrypts with. Without an area for it no image is encrypted. */
static void read_secrets(struct json_reader *reader, const cJSON *root, struct layout *layout)
{
    const cJSON *secrets;
    const cJSON *secret;
    uint32_t count;

    reader->where[0] = '\0';
    if (json_has(root, "secrets")) {
        (void)json_array(reader, root, "secrets", 0, LAYOUT_SECRETS, &secrets, &count);
        cJSON_ArrayForEach(secret, secrets)
        {
            json_at(reader, "secrets", layout->secret_count);
            (void)json_text(reader, secret, NULL, layout->secrets[layout->secret_count++],
                            LAYOUT_PATH_MAX);
        }
    }
    reader->where[0] = '\0';
    if ((layout->secret_count > 0 || layout->enc_tlv > 0) &&
        layout_area(layout, "secrets") == NULL) {
        (void)json_fail(reader, NULL,
                        "there is no area \"secrets\" for what images are decrypted with; add one");
    }
}

/* As ferry_store_open() has it. */
static void check_store(struct json_reader *reader, const struct layout *layout)
{
    const struct ferry_vchip_area *area = layout_area(layout, "store");
    struct ferry_flash_slice slice;

    if (reader->failed || area == NULL) {
        return;
    }
    json_at(reader, "areas", (uint32_t)(area - layout->areas));
    int result = ferry_flash_slice_init(&slice, &layout->devices[area->device].geometry,
                                        area->offset, area->size);
    bool good = result == FERRY_OK && ferry_flash_sector_count(&slice.flash) >= 2;
    for (uint32_t i = 0; good && i < slice.flash.run_count; i++) {
        good = slice.flash.runs[i].size >= 256;
    }
    if (!good) {
        (void)json_fail(reader, "size",
                        "\"store\" needs at least two sectors, each of 256 bytes or more; make it "
                        "larger or leave it out");
    }
}

static int read_root(struct json_reader *reader, const cJSON *root, struct layout *layout)
{
    const cJSON *list;
    const cJSON *item;
    uint32_t count;

    (void)json_only(reader, root,
                    "flash areas images max_align max_sectors trials no_downgrade ram keys policy "
                    "first_stage set recovery server enc_tlv secrets");
    layout_read_policy(reader, root, layout);
    (void)json_array(reader, root, "flash", 1, FERRY_VCHIP_DEVICES, &list, &count);
    cJSON_ArrayForEach(item, list)
    {
        json_at(reader, "flash", layout->device_count);
        read_device(reader, item, layout);
    }
    reader->where[0] = '\0';
    (void)json_array(reader, root, "areas", 1, FERRY_VCHIP_AREAS, &list, &count);
    for (uint32_t i = 0; i < count && !reader->failed; i++) {
        json_at(reader, "areas", i);
        read_area(reader, cJSON_GetArrayItem(list, (int)i), layout);
    }
    check_store(reader, layout);
    layout_read_first(reader, root, layout);
    int result = layout_read_images(reader, root, layout);
    if (result == FERRY_OK) {
        layout_read_set(reader, root, layout);
        read_keys(reader, root, layout);
        layout_read_recovery(reader, root, layout);
        layout_read_server(reader, root, layout);
        read_secrets(reader, root, layout);
    }
    reader->where[0] = '\0';
    if (layout_start_area(layout) == NULL) {
        (void)json_fail(reader, "areas", "there is no \"bootloader\"; add one, the chip starts it");
    }
    return result;
}

static unsigned line_of(const char *text, const char *end)
{
    unsigned line = 1;

    for (const char *c = text; c < end; c++) {
        line += *c == '\n';
    }
    return line;
}

int layout_parse(const char *text, struct layout *layout, char why[LAYOUT_WHY_MAX])
{
    struct json_reader reader;
    struct layout found;
    const char *end = NULL;
    cJSON *root = cJSON_ParseWithOpts(text, &end, true);

    json_reader_init(&reader, why, LAYOUT_WHY_MAX);
    if (root == NULL) {
        (void)snprintf(why, LAYOUT_WHY_MAX,
                       "line %u: this is no JSON; look for a missing or extra comma, quote or "
                       "bracket there or just above",
                       end != NULL ? line_of(text, end) : 1);
        return FERRY_E_FORMAT;
    }
    memset(&found, 0, sizeof(found));
    int result = read_root(&reader, root, &found);
    cJSON_Delete(root);
    if (reader.failed) {
        return result == FERRY_OK ? FERRY_E_CONFIG : result;
    }
    *layout = found;
    return FERRY_OK;
}

void layout_describe(const struct layout *layout, struct ferry_vchip_start *start)
{
    for (uint32_t i = 0; i < layout->device_count; i++) {
        const struct ferry_flash *geometry = &layout->devices[i].geometry;
        struct ferry_vchip_device *device = &start->devices[i];
        device->size = geometry->size;
        device->write_size = geometry->write_size;
        device->erased_value = geometry->erased_value;
        device->run_count = geometry->run_count;
        memcpy(device->runs, geometry->runs, sizeof(device->runs));
    }
    memcpy(start->areas, layout->areas, sizeof(start->areas));
    memcpy(start->images, layout->images, sizeof(start->images));
    start->trials = layout->trials;
    start->ram_address = layout->ram_address;
    start->ram_size = layout->ram_size;
    start->device_count = layout->device_count;
    start->area_count = layout->area_count;
    start->image_count = layout->image_count;
    start->max_align = layout->max_align;
    start->max_sectors = layout->max_sectors;
    start->flags = layout->flags;
    start->enc_tlv = layout->enc_tlv;
    memcpy(start->vendor_id, layout->vendor_id, sizeof(start->vendor_id));
    memcpy(start->class_id, layout->class_id, sizeof(start->class_id));
    start->first_provision = layout->first_provision;
    memcpy(start->first_slots, layout->first_slots, sizeof(start->first_slots));
    start->flags |= layout->recovery.off ? 0 : FERRY_VCHIP_RECOVERY;
    start->flags |= layout->recovery.button ? FERRY_VCHIP_RECOVERY_BUTTON : 0;
    start->lock = layout->server.lock;
    memcpy(start->grants, layout->server.grants, sizeof(start->grants));
    start->recovery_wait_ms = layout->recovery.wait_ms;
    start->recovery_idle_ms = layout->recovery.idle_ms;
}
