/* SPDX-License-Identifier: Apache-2.0 */
/* The client at the other end of the wire: real SMP packets to the device's real server. */
#include "fault_job.h"

#include "test_rig.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define PACKET_MAX 2048
#define CHUNK      1024

struct request {
    uint8_t packet[PACKET_MAX];
    struct ferry_cbor_writer out;
};

static void begin(struct request *request)
{
    ferry_cbor_writer_init(&request->out, request->packet + FERRY_SMP_HEADER_SIZE,
                           PACKET_MAX - FERRY_SMP_HEADER_SIZE);
    ferry_cbor_open_map(&request->out);
}

/* The answer, as the client sees it. */
static void tell(uint8_t id, struct ferry_bytes payload)
{
    char text[8192];

    rig_json(payload, text, sizeof(text));
    printf("    client: command %d: %.100s\n", id, text);
}

/* Send what was written. The answer's map goes to payload, which lives in answer.
 * Returns whether the server did it. */
static bool send(struct fault_life *life, struct request *request, uint8_t id, uint8_t *answer,
                 struct ferry_bytes *payload)
{
    struct ferry_smp_header header = {
        .op = 2, .version = FERRY_SMP_VERSION_2, .group = FERRY_SMP_GROUP_IMAGE, .id = id};
    struct ferry_cbor_field errors[] = {{.key = "rc", .kind = FERRY_CBOR_NEGATIVE},
                                        {.key = "err", .kind = FERRY_CBOR_MAP}};

    ferry_cbor_close(&request->out);

    int size = ferry_cbor_writer_result(&request->out);

    if (size < 0) {
        fputs("faults: a request does not fit its packet\n", stderr);
        abort();
    }
    header.length = (uint16_t)size;
    ferry_smp_header_write(&header, request->packet);

    struct ferry_bytes pending = {request->packet, FERRY_SMP_HEADER_SIZE + (size_t)size};
    struct fault_machine *machine = life->machine;
    size_t len = life->in_recovery
                     ? ferry_recovery_handle(&machine->recovery, &pending, 0, answer, PACKET_MAX)
                     : ferry_server_handle(&machine->server, &pending, 0, answer, PACKET_MAX);
    struct ferry_bytes whole = {answer, len};
    struct ferry_bytes rest;

    if (len == 0 || ferry_smp_packet_read(whole, &header, payload, &rest) != FERRY_OK ||
        ferry_cbor_read_map(*payload, errors, 2) != FERRY_OK) {
        return false;
    }
    if (life->verbose) {
        tell(id, *payload);
    }
    return !errors[0].present && !errors[1].present;
}

static bool send_simple(struct fault_life *life, struct request *request, uint8_t id)
{
    uint8_t answer[PACKET_MAX];
    struct ferry_bytes payload;

    return send(life, request, id, answer, &payload);
}

/* The group lives in the application's RAM: it begins anew with it. */
static bool start_group(struct fault_life *life)
{
    struct fault_machine *machine = life->machine;

    return ferry_image_group_init(&machine->group, &machine->group_config) == FERRY_OK;
}

static const struct fault_picture *picture_of(const struct fault_life *life, uint32_t image,
                                              enum fault_picture_id id)
{
    return image == 0 ? &life->job->pictures[id] : &life->job->others[id];
}

/* One chunk at an offset. *offset gets where the server wants to go on. */
static bool send_chunk(struct fault_life *life, uint32_t image, const struct fault_picture *picture,
                       const uint8_t sha[32], uint32_t *offset)
{
    struct ferry_cbor_field field = {.key = "off", .kind = FERRY_CBOR_UINT};
    uint8_t answer[PACKET_MAX];
    struct ferry_bytes payload;
    struct request request;

    begin(&request);
    ferry_cbor_pair_uint(&request.out, "off", *offset);
    if (*offset == 0) {
        if (image > 0) {
            ferry_cbor_pair_uint(&request.out, "image", image);
        }
        ferry_cbor_pair_uint(&request.out, "len", picture->size);
        ferry_cbor_pair_bytes(&request.out, "sha", sha, 32);
    }
    ferry_cbor_pair_bytes(&request.out, "data", picture->stored + *offset,
                          ferry_min32(CHUNK, picture->size - *offset));
    if (!send(life, &request, FERRY_SMP_IMAGE_UPLOAD, answer, &payload) ||
        ferry_cbor_read_map(payload, &field, 1) != FERRY_OK || !field.present) {
        return false;
    }
    *offset = (uint32_t)field.item.value;
    return true;
}

/* All of a file, with the number of an upload, to a server that has just started. */
static bool upload(struct fault_life *life, uint32_t number, const struct fault_picture *picture)
{
    uint32_t offset = 0;
    uint8_t sha[32];

    test_sha256(picture->stored, picture->size, sha);
    while (offset < picture->size) {
        uint32_t before = offset;

        if (!send_chunk(life, number, picture, sha, &offset) || offset <= before) {
            return false;
        }
    }
    return true;
}

bool fault_client_upload_of(struct fault_life *life, uint32_t image, enum fault_picture_id id)
{
    return start_group(life) && upload(life, image, picture_of(life, image, id));
}

bool fault_client_upload(struct fault_life *life, enum fault_picture_id id)
{
    return fault_client_upload_of(life, 0, id);
}

/* Ask for a picture to be next: for a test, or for good. */
static bool request_image(struct fault_life *life, const struct fault_picture *picture,
                          bool permanent)
{
    struct ferry_flash_ram rom;
    struct ferry_image_info info;
    struct request request;

    if (ferry_flash_rom_init(&rom, picture->bytes, picture->size) != FERRY_OK ||
        ferry_image_inspect(&rom.flash, &info) != FERRY_OK) {
        return false;
    }
    begin(&request);
    ferry_cbor_pair_bytes(&request.out, "hash", info.digest, info.digest_len);
    ferry_cbor_pair_bool(&request.out, "confirm", permanent);
    return send_simple(life, &request, FERRY_SMP_IMAGE_STATE);
}

bool fault_client_test_of(struct fault_life *life, uint32_t image, enum fault_picture_id id)
{
    return start_group(life) && request_image(life, picture_of(life, image, id), false);
}

bool fault_client_test(struct fault_life *life, enum fault_picture_id id)
{
    return fault_client_test_of(life, 0, id);
}

bool fault_client_confirm(struct fault_life *life)
{
    struct request request;

    if (!start_group(life)) {
        return false;
    }
    begin(&request);
    ferry_cbor_pair_bool(&request.out, "confirm", true);
    return send_simple(life, &request, FERRY_SMP_IMAGE_STATE);
}

bool fault_client_erase(struct fault_life *life)
{
    return fault_client_erase_of(life, 0);
}

bool fault_client_erase_of(struct fault_life *life, uint32_t image)
{
    struct request request;

    if (!start_group(life)) {
        return false;
    }
    begin(&request);
    ferry_cbor_pair_uint(&request.out, "slot",
                         2 * image + (life->machine->apps[image].active == 0 ? 1 : 0));
    return send_simple(life, &request, FERRY_SMP_IMAGE_ERASE);
}

/* ---- Recovery ------------------------------------------------------------------------------- */

/* As after a reset with boot_mode 1, or where a boot found nothing to run. */
static bool enter_recovery(struct fault_machine *machine)
{
    enum ferry_recovery_way way =
        machine->dark ? FERRY_RECOVERY_NO_IMAGE : FERRY_RECOVERY_BOOT_MODE;

    return ferry_recovery_init(&machine->recovery, &machine->recovery_config, way,
                               machine->dark ? &machine->report : NULL, 0) == FERRY_OK;
}

static bool erase_secondary(struct fault_life *life)
{
    struct request request;

    begin(&request);
    ferry_cbor_pair_uint(&request.out, "slot", 1);
    return send_simple(life, &request, FERRY_SMP_IMAGE_ERASE);
}

/* A request that is refused says that its slot must be erased: before the next try. */
static bool recover(struct fault_life *life, const struct fault_picture *picture, uint32_t number,
                    bool request)
{
    if (life->erase_first && erase_secondary(life)) {
        life->erase_first = false;
    }
    if (!upload(life, number, picture)) {
        return false;
    }
    life->erase_first = request && !request_image(life, picture, true);
    return !life->erase_first;
}

bool fault_client_recover(struct fault_life *life, enum fault_picture_id id, uint32_t number,
                          bool request)
{
    bool done = enter_recovery(life->machine);

    life->in_recovery = true;
    done = done && recover(life, picture_of(life, 0, id), number, request);
    life->in_recovery = false;
    return done;
}
