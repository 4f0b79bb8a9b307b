/* SPDX-License-Identifier: Apache-2.0 */
/* What happens to a model of a device in its life: factory, upload, boot, trial, confirm. */
#include "model.h"

#include <string.h>

/* Starts until a bootloader that installs another one comes to the end. */
#define STARTS 4

/* A packet of an upload: its chunk, and what is around it. */
#define PACKET (MODEL_CHUNK + 256U)

static int fail(struct model *model, int rc, const char *what)
{
    model->what = rc != FERRY_OK ? what : model->what;
    return rc;
}

/* ---- Image files -------------------------------------------------------------------------- */

/* The file that an image of the device is given: the one that it was told, else a new one. made is
 * to be freed in any case. */
static int find_file(struct model *model, uint32_t i, struct model_image *made,
                     const struct model_image **file)
{
    const struct ferry_boot_image *image = &model->images[i];
    const struct model_image_spec spec = {
        .size = model->slots[i].size,
        .number = model->releases,
        .seed = model->releases * FERRY_BOOT_IMAGES + i,
        .flags = image->slots.strategy->mode == FERRY_MODE_RAM_LOAD ? FERRY_IMAGE_RAM_LOAD : 0,
        .load_address = model->layout->ram_address,
        .counter = (model->layout->flags & FERRY_VCHIP_SECURITY_COUNTER) != 0,
        .first = image->first != NULL ? &model->first : NULL,
    };
    *made = (struct model_image){NULL, 0, {0}};
    *file = model->slots[i].next != NULL ? model->slots[i].next : made;
    return model->slots[i].next != NULL
               ? FERRY_OK
               : fail(model, model_image_make(&spec, made), "making an image");
}

/* ---- The factory -------------------------------------------------------------------------- */

static int program(const struct ferry_flash *flash, const struct model_image *file)
{
    uint32_t whole = file->size - file->size % flash->write_size;
    int rc = ferry_flash_program(flash, 0, file->bytes, whole);

    return rc == FERRY_OK && whole < file->size
               ? ferry_flash_program_padded(flash, whole, file->bytes + whole, file->size - whole)
               : rc;
}

/* An image that would not start without a trailer is padded and confirmed. */
static int confirm_at_factory(const struct ferry_slots *slots)
{
    int rc = FERRY_OK;
    if (slots->strategy->in_place && slots->strategy->reverts) {
        rc = ferry_trailer_write_image_ok(slots->primary, slots->max_align);
        rc = rc == FERRY_OK ? ferry_trailer_write_magic(slots->primary, slots->max_align) : rc;
    }
    return rc;
}

/* Put the first image there. A bootloader is linked to S0 then: it is made as if S1 ran. */
static int put(struct model *model, uint32_t i)
{
    struct model_slots *slots = &model->slots[i];
    struct model_image made;
    const struct model_image *file;

    model->first.first.active = 1;
    int rc = find_file(model, i, &made, &file);
    model->first.first.active = 0;
    if (rc == FERRY_OK) {
        rc = program(model->images[i].slots.primary, file);
        memcpy(slots->running, file->digest, sizeof slots->running);
        memcpy(slots->other, file->digest, sizeof slots->other);
    }
    if (rc == FERRY_OK) {
        rc = confirm_at_factory(&model->images[i].slots);
    }
    model_image_free(&made);
    return fail(model, rc, "programming the first image");
}

int model_factory(struct model *model)
{
    int rc = FERRY_OK;

    model->releases++;
    for (uint32_t i = 0; rc == FERRY_OK && i < model->count; i++) {
        rc = put(model, i);
    }
    return rc == FERRY_OK ? model_boot(model, false) : rc;
}

/* ---- The server --------------------------------------------------------------------------- */

/* A server on this device, as an application has it. */
struct service {
    struct ferry_slots slots[FERRY_BOOT_IMAGES];
    struct ferry_image_options options;
    struct ferry_image_group_config config;
    struct ferry_image_group group;
    struct ferry_server_mount mount;
    struct ferry_server_config server_config;
    struct ferry_server server;
    uint8_t packet[PACKET];
    uint8_t answer[PACKET];
};

static int serve(const struct model *model, struct service *service)
{
    *service = (struct service){.options = ferry_image_options_default};
    service->options.upload_running = true; /* with one slot: as a recovery has it */
    for (uint32_t i = 0; i < model->count; i++) {
        service->slots[i] = model->images[i].slots;
    }
    service->config = (struct ferry_image_group_config){
        .images = service->slots,
        .image_count = (uint8_t)model->count,
        .options = &service->options,
        .check = &ferry_image_check_sha256,
        .set = model->config.set == &ferry_boot_as_one ? &ferry_set_in_store : NULL,
    };
    service->mount = (struct ferry_server_mount){&ferry_image_group_table, &service->group};
    service->server_config = (struct ferry_server_config){
        .groups = &service->mount, .group_count = 1, .buf_size = PACKET, .buf_count = 1};
    int rc = ferry_image_group_init(&service->group, &service->config);
    return rc == FERRY_OK ? ferry_server_init(&service->server, &service->server_config) : rc;
}

/* Begin a request's map. */
static struct ferry_cbor_writer ask(struct service *service)
{
    struct ferry_cbor_writer writer;
    ferry_cbor_writer_init(&writer, service->packet + FERRY_SMP_HEADER_SIZE,
                           sizeof service->packet - FERRY_SMP_HEADER_SIZE);
    ferry_cbor_open_map(&writer);
    return writer;
}

/* End the map and have the request handled. Returns the answer's code, or an error below 0. */
static int64_t answer(struct service *service, uint8_t command, struct ferry_cbor_writer *writer)
{
    struct ferry_smp_header header = {.op = FERRY_SMP_WRITE,
                                      .version = FERRY_SMP_VERSION_2,
                                      .group = FERRY_SMP_GROUP_IMAGE,
                                      .id = command};
    struct ferry_smp_status status;

    ferry_cbor_close(writer);
    int len = ferry_cbor_writer_result(writer);
    if (len < 0) {
        return len;
    }
    header.length = (uint16_t)len;
    ferry_smp_header_write(&header, service->packet);
    struct ferry_bytes pending = {service->packet, FERRY_SMP_HEADER_SIZE + (size_t)len};
    size_t got =
        ferry_server_handle(&service->server, &pending, 0, service->answer, sizeof service->answer);
    if (got < FERRY_SMP_HEADER_SIZE) {
        return FERRY_E_SHORT;
    }
    int rc = ferry_smp_status_read(
        (struct ferry_bytes){service->answer + FERRY_SMP_HEADER_SIZE, got - FERRY_SMP_HEADER_SIZE},
        &status);
    return rc == FERRY_OK ? status.rc : rc;
}

static int send_file(struct service *service, uint32_t image, const struct model_image *file)
{
    uint8_t sha[FERRY_SHA256_SIZE];
    struct ferry_sha256 hash;

    ferry_crypto_sha256_init(&hash);
    ferry_crypto_sha256_update(&hash, file->bytes, file->size);
    ferry_crypto_sha256_final(&hash, sha);
    for (uint32_t at = 0; at < file->size; at += MODEL_CHUNK) {
        struct ferry_cbor_writer writer = ask(service);
        ferry_cbor_pair_uint(&writer, "off", at);
        if (at == 0) {
            ferry_cbor_pair_uint(&writer, "image", image);
            ferry_cbor_pair_uint(&writer, "len", file->size);
            ferry_cbor_pair_bytes(&writer, "sha", sha, sizeof sha);
        }
        ferry_cbor_pair_bytes(&writer, "data", file->bytes + at,
                              ferry_min32(MODEL_CHUNK, file->size - at));
        if (answer(service, FERRY_SMP_IMAGE_UPLOAD, &writer) != 0) {
            return FERRY_E_REFUSED;
        }
    }
    return FERRY_OK;
}

static int request_test(struct service *service, const uint8_t digest[FERRY_SHA256_SIZE])
{
    struct ferry_cbor_writer writer = ask(service);
    ferry_cbor_pair_bytes(&writer, "hash", digest, FERRY_SHA256_SIZE);
    ferry_cbor_pair_bool(&writer, "confirm", false);
    return answer(service, FERRY_SMP_IMAGE_STATE, &writer) == 0 ? FERRY_OK : FERRY_E_REFUSED;
}

/* Whether an update is asked for and confirmed, and does not just begin with the newer image. */
static bool has_state(const struct ferry_slots *slots)
{
    return !slots->strategy->in_place || slots->strategy->reverts;
}

/* ---- Updates ------------------------------------------------------------------------------ */

static int upload_one(struct model *model, struct service *service, uint32_t i)
{
    struct model_slots *slots = &model->slots[i];
    struct model_image made;
    const struct model_image *file;
    int rc = find_file(model, i, &made, &file);

    if (rc == FERRY_OK) {
        rc = fail(model, send_file(service, i, file), "uploading an image");
        memcpy(slots->other, file->digest, sizeof slots->other);
    }
    if (rc == FERRY_OK && has_state(&model->images[i].slots)) {
        rc = fail(model, request_test(service, file->digest), "asking for a test");
    }
    model_image_free(&made);
    return rc;
}

int model_upload(struct model *model)
{
    struct service service;
    int rc = serve(model, &service);

    if (rc != FERRY_OK) {
        return fail(model, rc, "starting the server");
    }
    model->releases++;
    for (uint32_t i = 0; rc == FERRY_OK && i < model->count; i++) {
        rc = upload_one(model, &service, i);
    }
    return rc;
}

/* The first stage's turn after another bootloader was installed. */
static int choose_bootloader(struct model *model)
{
    struct ferry_first_report report;
    struct ferry_boot_image *image = &model->images[model->count - 1];
    int rc = ferry_first_select(&model->first.first, &report);

    if (rc == FERRY_OK) {
        model->first.first.active = report.slot;
        image->slots.primary = model->first.first.slots[report.slot].flash;
    }
    return rc;
}

static int start(struct model *model)
{
    int rc = FERRY_E_BUSY;
    for (int i = 0; rc == FERRY_E_BUSY && i < STARTS; i++) {
        rc = ferry_boot_run(&model->config, &model->report);
        if (rc == FERRY_E_BUSY) {
            int chosen = choose_bootloader(model);
            rc = chosen != FERRY_OK ? chosen : rc;
        }
    }
    return rc;
}

int model_boot(struct model *model, bool upgraded)
{
    int rc = fail(model, start(model), "booting");

    for (uint32_t i = 0; rc == FERRY_OK && i < model->count; i++) {
        const struct ferry_boot_image_report *report = &model->report.images[i];
        struct model_slots *slots = &model->slots[i];
        uint8_t expected[FERRY_SHA256_SIZE];

        memcpy(expected, upgraded ? slots->other : slots->running, sizeof expected);
        model->images[i].slots.active = report->slot;
        if (memcmp(report->info.digest, expected, sizeof expected) != 0) {
            rc = report->reason != FERRY_OK ? report->reason : FERRY_E_NO_IMAGE;
            return fail(model, rc, "booting the image that should run");
        }
        if (upgraded) {
            memcpy(slots->other, slots->running, sizeof slots->other);
        }
        memcpy(slots->running, expected, sizeof slots->running);
    }
    return rc;
}

int model_trial(struct model *model)
{
    int rc = FERRY_OK;
    for (uint32_t i = 0; rc == FERRY_OK && i < model->count; i++) {
        rc = ferry_trial_started(&model->images[i].slots);
    }
    return fail(model, rc, "marking a trial");
}

int model_confirm(struct model *model)
{
    struct ferry_slots slots[FERRY_BOOT_IMAGES];
    int rc = FERRY_OK;

    for (uint32_t i = 0; i < model->count; i++) {
        slots[i] = model->images[i].slots;
    }
    if (model->config.set == &ferry_boot_as_one) {
        return fail(model, ferry_set_confirm(slots, model->count), "confirming the set");
    }
    for (uint32_t i = 0; rc == FERRY_OK && i < model->count; i++) {
        rc = has_state(&slots[i]) ? ferry_slots_confirm(&slots[i]) : FERRY_OK;
    }
    return fail(model, rc, "confirming");
}
