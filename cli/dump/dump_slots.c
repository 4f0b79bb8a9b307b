/* SPDX-License-Identifier: Apache-2.0 */
/* The images in a dump: every slot, what the bootloader last did, what it does next. */
#include "dump_report.h"

#include "cli/device/why.h"
#include "cli/image/inspect.h"
#include "cli/image/inspect_damage.h"

#include <string.h>

/* ---- A slot ---------------------------------------------------------------------------------- */

static uint32_t area_of(const struct dump *dump, uint32_t image, uint32_t slot)
{
    const struct ferry_vchip_image *of = &dump->layout.images[image];
    bool is_own = dump->slots[image].slots.strategy == &ferry_traits_first_stage;
    if (slot == 0 && is_own && dump->has_first) {
        return dump->layout.first_slots[dump->first.active];
    }
    return slot == 0 ? of->primary : of->secondary;
}

static const char *signature_text(const struct dump *dump, const struct dump_image *found)
{
    if (dump->product_trust.digest_only) {
        return "not checked";
    }
    return found->signature == FERRY_OK ? "good" : ferry_error_text(found->signature);
}

/* The image with the keys of an inspected file. */
static void add_image(cJSON *row, const struct dump *dump, const struct dump_image *found,
                      const struct image_file *file)
{
    inspect_header(row, &found->info);
    if (found->offset != 0) {
        cJSON_AddNumberToObject(row, "image_at", found->offset);
    }
    if (file->payload != IMAGE_PLAIN) {
        cJSON_AddStringToObject(row, "payload", image_file_payload_name(file));
    }
    inspect_tlvs(row, file);
    inspect_signatures(row, file);
    if (found->error == FERRY_OK) {
        cJSON_AddStringToObject(
            row, "digest", found->digest == FERRY_OK ? "good" : ferry_error_text(found->digest));
        cJSON_AddStringToObject(row, "signature", signature_text(dump, found));
    }
}

static enum image_payload payload_of(const struct dump_image *found)
{
    if (ferry_image_encrypted(&found->info.header) == 0) {
        return IMAGE_PLAIN;
    }
    if (found->decrypted) {
        return IMAGE_DECRYPTED;
    }
    return found->digest == FERRY_OK ? IMAGE_CLEAR : IMAGE_ENCRYPTED;
}

static void add_trailer(cJSON *row, const struct ferry_slots *slots, uint32_t slot)
{
    const struct ferry_flash *flash = ferry_slots_slot(slots, slot);
    struct ferry_trailer_layout layout;
    struct ferry_trailer t;
    uint8_t raw[4];
    if (ferry_slots_trailer(slots, &layout) != FERRY_OK ||
        ferry_trailer_read(flash, slots->max_align, &t) != FERRY_OK) {
        return;
    }
    cJSON *trailer = cJSON_AddObjectToObject(row, "trailer");
    cJSON_AddStringToObject(trailer, "magic",
                            t.magic == FERRY_SET ? "good" : inspect_field_name(t.magic));
    cJSON_AddStringToObject(trailer, "image_ok", inspect_field_name(t.image_ok));
    cJSON_AddStringToObject(trailer, "copy_done", inspect_field_name(t.copy_done));
    cJSON_AddStringToObject(trailer, "swap_info", ferry_swap_type_name(t.swap_type));
    if (layout.swap_size <= flash->size &&
        ferry_flash_is_erased(flash, flash->size - layout.swap_size, sizeof raw) == 0 &&
        ferry_flash_read(flash, flash->size - layout.swap_size, raw, sizeof raw) == FERRY_OK) {
        cJSON_AddNumberToObject(trailer, "swap_size", ferry_load_le32(raw));
    }
}

static cJSON *describe_slot(struct dump *dump, uint32_t image, uint32_t slot)
{
    const struct ferry_vchip_area *area = &dump->layout.areas[area_of(dump, image, slot)];
    const struct ferry_slots *slots = &dump->slots[image].slots;
    struct dump_image found;
    cJSON *row = cJSON_CreateObject();
    dump_look(dump, image, slot, &found);
    struct image_file file = {
        .bytes = {dump->files[area->device].data + area->offset, area->size},
        .info = found.info,
        .offset = found.offset,
        .payload = payload_of(&found),
    };
    cJSON_AddNumberToObject(row, "slot", slot);
    cJSON_AddStringToObject(row, "area", area->name);
    if (found.error != FERRY_E_MAGIC) {
        add_image(row, dump, &found, &file);
    }
    if (found.error != FERRY_OK) {
        char why[INSPECT_DAMAGE_MAX];
        inspect_damage(file.bytes.data + file.offset, file.bytes.len - file.offset, found.error,
                       why);
        cJSON_AddStringToObject(row, "problem", why);
    }
    if (slots->strategy->slot_count > 1) {
        add_trailer(row, slots, slot);
    }
    return row;
}

/* ---- What was done, and what will be --------------------------------------------------------- */

static void add_report(cJSON *row, const struct dump *dump, uint32_t image)
{
    struct ferry_why why;
    struct why_words words;
    if (dump->store_error == FERRY_OK && ferry_why_read(&dump->store, image, &why) == FERRY_OK) {
        why_in_words(&why, &words);
        cJSON_AddItemToObject(row, "report", why_json(image, &why, &words));
    }
}

void dump_add_images(cJSON *object, struct dump *dump)
{
    cJSON *list = cJSON_AddArrayToObject(object, "images");
    for (uint32_t i = 0; i < dump->layout.image_count; i++) {
        cJSON *row = cJSON_CreateObject();
        cJSON_AddNumberToObject(row, "image", i);
        cJSON_AddStringToObject(row, "strategy", dump->layout.images[i].strategy);
        cJSON *slots = cJSON_AddArrayToObject(row, "slots");
        for (uint32_t slot = 0; slot < 2; slot++) {
            if (ferry_slots_slot(&dump->slots[i].slots, slot) != NULL) {
                cJSON_AddItemToArray(slots, describe_slot(dump, i, slot));
            }
        }
        add_report(row, dump, i);
        cJSON_AddItemToArray(list, row);
    }
}

static void add_version(cJSON *object, const char *key, const struct ferry_version *version)
{
    char text[FERRY_VERSION_TEXT_MAX];
    if (why_has_version(version)) {
        (void)ferry_version_text(version, text);
        cJSON_AddStringToObject(object, key, text);
    }
}

static cJSON *describe_next(const struct dump *dump, uint32_t image, const struct dump_boot *boot)
{
    const struct dump_next *next = &boot->images[image];
    const struct ferry_boot_image_report *report = &next->report;
    char words[DUMP_WORDS_MAX];
    cJSON *row = cJSON_CreateObject();
    dump_boot_words(dump, image, boot, words);
    cJSON_AddStringToObject(row, "words", words);
    cJSON_AddStringToObject(row, "asked",
                            next->asked_error == FERRY_OK ? ferry_swap_type_name(next->asked.type)
                                                          : ferry_error_text(next->asked_error));
    cJSON_AddStringToObject(row, "action", ferry_boot_action_name(report->action));
    if (report->reason != FERRY_OK) {
        cJSON_AddStringToObject(row, "reason_name", ferry_error_name(report->reason));
        cJSON_AddStringToObject(row, "next", ferry_error_remedy(report->reason));
    }
    add_version(row, "refused", &report->refused);
    if (report->action != FERRY_BOOT_STOPPED) {
        add_version(row, "running", &report->info.header.version);
        cJSON_AddNumberToObject(row, "slot", report->slot);
    }
    cJSON_AddBoolToObject(row, "on_trial", report->next == FERRY_SWAP_REVERT);
    cJSON_AddBoolToObject(row, "resumed", report->resumed);
    if (report->resumed && next->steps > 0) {
        cJSON_AddNumberToObject(row, "steps_done", next->step);
        cJSON_AddNumberToObject(row, "steps", next->steps);
    }
    return row;
}

void dump_add_next(cJSON *object, const struct dump *dump, const struct dump_boot *boot)
{
    cJSON *images = cJSON_GetObjectItem(object, "images");
    for (uint32_t i = 0; i < dump->layout.image_count; i++) {
        cJSON_AddItemToObject(cJSON_GetArrayItem(images, (int)i), "next_boot",
                              describe_next(dump, i, boot));
    }
    if (dump->has_first && boot->selection == FERRY_OK) {
        cJSON_AddStringToObject(cJSON_GetObjectItem(object, "first_stage"), "starts",
                                dump->first.active == 0 ? "S0" : "S1");
    }
    cJSON_AddBoolToObject(object, "starts",
                          boot->selection == FERRY_OK && boot->result == FERRY_OK);
}
