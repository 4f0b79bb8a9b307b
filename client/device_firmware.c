/* SPDX-License-Identifier: Apache-2.0 */
/* Uploads and updates in one blocking call each: a file in memory, a flow, the wire. */
#include "failure.h"

#include "ferry/crypto.h"
#include "ferry/encrypted.h"
#include "ferry/image.h"

#include <string.h>
#include <unistd.h>

/* A port that went with a reset is tried again so often. */
#define REOPEN_EVERY_US 200000

/* How long a broken wire may stay away, and when it broke so soon that it is left in peace. */
#define BROKEN_MS 30000
#define SOON_MS   1000

/* A file and what it says of itself. It may not be moved. */
struct firmware {
    struct ferry_bytes file;
    struct ferry_flash_ram rom;
    struct ferry_image_info info;
    uint8_t sha[FERRY_SHA256_SIZE];
    struct ferry_device_firmware how;
};

/* ---- The file ----------------------------------------------------------------------------------
 */

static int read_file(void *context, uint32_t off, uint8_t *buf, size_t len)
{
    const struct firmware *firmware = context;

    memcpy(buf, firmware->file.data + off, len);
    return FERRY_OK;
}

static const struct ferry_image_digest_kind *kind_of(const struct ferry_image_info *info)
{
    static const struct ferry_image_digest_kind *const kinds[] = {
        &ferry_digest_sha256, &ferry_digest_sha384, &ferry_digest_sha512};

    for (size_t i = 0; i < sizeof kinds / sizeof kinds[0]; i++) {
        if (kinds[i]->size == info->digest_len) {
            return kinds[i];
        }
    }
    return NULL;
}

/* That of an encrypted image is its plaintext's, which nobody here knows. */
static int check_digest(const struct firmware *firmware)
{
    const struct ferry_image_digest_kind *kind = kind_of(&firmware->info);
    uint8_t buf[1024];
    uint8_t digest[FERRY_IMAGE_DIGEST_MAX];

    if (kind == NULL) {
        return FERRY_E_DIGEST;
    }
    if (ferry_image_encrypted(&firmware->info.header) != 0) {
        return FERRY_OK;
    }
    int error = ferry_image_digest(&firmware->rom.flash, &firmware->info.header, kind, buf,
                                   sizeof buf, NULL, NULL, digest);
    if (error != FERRY_OK) {
        return error;
    }
    return memcmp(digest, firmware->info.digest, kind->size) == 0 ? FERRY_OK : FERRY_E_DIGEST;
}

/* Look at the file before anything is sent. */
static int take(struct firmware *firmware, struct ferry_bytes file,
                const struct ferry_device_firmware *how)
{
    struct ferry_sha256 sha;

    *firmware = (struct firmware){.file = file};
    if (how != NULL) {
        firmware->how = *how;
    }
    if (file.len == 0 || file.len > UINT32_MAX) {
        return FERRY_E_MAGIC;
    }
    int error = ferry_flash_rom_init(&firmware->rom, file.data, (uint32_t)file.len);
    if (error == FERRY_OK) {
        error = ferry_image_inspect(&firmware->rom.flash, &firmware->info);
    }
    if (error == FERRY_OK) {
        error = check_digest(firmware);
    }
    ferry_crypto_sha256_init(&sha);
    ferry_crypto_sha256_update(&sha, file.data, file.len);
    ferry_crypto_sha256_final(&sha, firmware->sha);
    return error;
}

/* ---- Upload
 * -------------------------------------------------------------------------------------- */

static bool upload_goes_on(const struct firmware *firmware, const struct ferry_upload_event *event)
{
    return firmware->how.upload_event == NULL ||
           firmware->how.upload_event(firmware->how.context, event);
}

/* Returns FERRY_E_BUSY while it runs. */
static int upload_events(struct ferry_upload *flow, const struct firmware *firmware,
                         struct ferry_failure *failure)
{
    struct ferry_upload_event event;

    while (ferry_upload_next(flow, ferry_connection_now(), &event)) {
        if (!upload_goes_on(firmware, &event) && event.kind != FERRY_UPLOAD_DONE) {
            ferry_upload_cancel(flow);
        }
        if (event.kind == FERRY_UPLOAD_DONE) {
            return FERRY_OK;
        }
        if (event.kind == FERRY_UPLOAD_FAILED) {
            return event.error == FERRY_E_REFUSED
                       ? ferry_failure_refused(failure, &event.status)
                       : ferry_failure_set(failure, event.error, event.text, event.remedy);
        }
    }
    return FERRY_E_BUSY;
}

/* Bytes of the slot it goes to, all of which may be erased; 0 where the device does not say. */
static uint32_t slot_size(struct ferry_connection *device, uint32_t image)
{
    struct ferry_client *client = ferry_connection_client(device);
    struct ferry_client_answer answer;
    struct ferry_slot_info slot;
    bool known =
        ferry_connection_ask(device, ferry_command_slot_info(client, NULL), &answer) == FERRY_OK &&
        ferry_answer_slot_target(answer.payload, image, &slot) == 1;

    return known ? slot.size : 0;
}

static int run_upload(struct ferry_connection *device, struct firmware *firmware,
                      struct ferry_failure *failure)
{
    struct ferry_connection_facts facts;
    struct ferry_upload flow;

    ferry_connection_facts(device, &facts);
    const struct ferry_upload_config config = {.client = ferry_connection_client(device),
                                               .read = read_file,
                                               .context = firmware,
                                               .size = (uint32_t)firmware->file.len,
                                               .sha = firmware->sha,
                                               .hash = firmware->info.digest,
                                               .hash_len = firmware->info.digest_len,
                                               .image = firmware->how.image,
                                               .upgrade = firmware->how.no_downgrade,
                                               .window = facts.window,
                                               .probe = !facts.has_params,
                                               .link = facts.link,
                                               .slot_size = slot_size(device, firmware->how.image)};
    int error = ferry_upload_start(&flow, &config);
    if (error != FERRY_OK) {
        return ferry_failure_plain(failure, error);
    }
    for (;;) {
        struct ferry_client_answer answer;
        error = upload_events(&flow, firmware, failure);
        if (error != FERRY_E_BUSY) {
            return error;
        }
        int got = ferry_connection_step(device, ferry_upload_deadline(&flow), &answer);
        if (got < 0) {
            ferry_upload_cancel(&flow);
            return ferry_failure_plain(failure, got);
        }
        if (got == 1) {
            (void)ferry_upload_answer(&flow, &answer, ferry_connection_now());
        }
    }
}

int ferry_device_upload(struct ferry_connection *device, struct ferry_bytes file,
                        const struct ferry_device_firmware *firmware, struct ferry_failure *failure)
{
    struct firmware taken;
    int error = take(&taken, file, firmware);

    return error == FERRY_OK ? run_upload(device, &taken, failure)
                             : ferry_failure_plain(failure, error);
}

/* ---- Update
 * -------------------------------------------------------------------------------------- */

/* One update. */
struct update {
    struct ferry_connection *device;
    const struct firmware *firmware;
    struct ferry_image_state *proof;
    struct ferry_failure *failure;
    struct ferry_update flow;
    uint64_t reopened_at; /* 0 = never */
};

static bool update_goes_on(const struct update *update, const struct ferry_update_event *event)
{
    const struct ferry_device_firmware *how = &update->firmware->how;

    return how->update_event == NULL || how->update_event(how->context, event);
}

/* Tell that the wire is still away. Returns false when the caller gives up. */
static bool waits_on(const struct update *update, uint64_t end)
{
    uint64_t now = ferry_connection_now();
    const struct ferry_update_event event = {.kind = FERRY_UPDATE_RECONNECT,
                                             .step = update->flow.step,
                                             .text = "opening the connection again",
                                             .remedy = "",
                                             .wait_ms = now < end ? (uint32_t)(end - now) : 0};

    return update_goes_on(update, &event);
}

/* A port that disappears with the reset comes back later, perhaps only after the swap. */
static void reconnect(struct update *update, uint32_t wait_ms)
{
    uint64_t end = ferry_connection_now() + wait_ms;
    char why[320];

    int error;

    while ((error = ferry_connection_reopen(update->device, why, sizeof why)) != FERRY_OK) {
        if (error == FERRY_E_CONFIG || ferry_connection_now() >= end) {
            ferry_update_stop(&update->flow, FERRY_E_IO);
            return;
        }
        if (!waits_on(update, end)) {
            ferry_update_stop(&update->flow, FERRY_E_CANCELLED);
            return;
        }
        (void)usleep(REOPEN_EVERY_US);
    }
    update->reopened_at = ferry_connection_now();
    ferry_update_reconnected(&update->flow, update->reopened_at);
}

/* Returns FERRY_E_BUSY while it runs. */
static int update_events(struct update *update)
{
    struct ferry_update_event event;

    while (ferry_update_next(&update->flow, ferry_connection_now(), &event)) {
        bool goes_on = update_goes_on(update, &event);
        if (event.kind == FERRY_UPDATE_DONE) {
            if (update->proof != NULL && event.proof != NULL) {
                *update->proof = *event.proof;
            }
            return FERRY_OK;
        }
        if (event.kind == FERRY_UPDATE_FAILED) {
            return event.error == FERRY_E_REFUSED
                       ? ferry_failure_refused(update->failure, &event.status)
                       : ferry_failure_set(update->failure, event.error, event.text, event.remedy);
        }
        if (!goes_on) {
            ferry_update_stop(&update->flow, FERRY_E_CANCELLED);
        } else if (event.kind == FERRY_UPDATE_RECONNECT) {
            reconnect(update, event.wait_ms);
        }
    }
    return FERRY_E_BUSY;
}

/* A wire that breaks once the update has begun comes back: the device was reset, or pulled out and
 * plugged in again. */
static void wire_broke(struct update *update)
{
    if (!update->flow.ready) {
        ferry_update_stop(&update->flow, FERRY_E_IO);
        return;
    }
    if (update->reopened_at != 0 && ferry_connection_now() < update->reopened_at + SOON_MS) {
        (void)usleep(SOON_MS * 1000 - 1);
    }
    reconnect(update, BROKEN_MS);
}

/* Until the end. */
static int run_flow(struct update *update)
{
    for (;;) {
        struct ferry_client_answer answer;
        int error = update_events(update);
        if (error != FERRY_E_BUSY) {
            return error;
        }
        int got =
            ferry_connection_step(update->device, ferry_update_deadline(&update->flow), &answer);
        if (got == 1) {
            (void)ferry_update_answer(&update->flow, &answer, ferry_connection_now());
        } else if (got < 0) {
            wire_broke(update);
        }
    }
}

/* What is known of the device is to be of the firmware that runs now. */
static void meet_anew(const struct update *update)
{
    if (update->flow.reset_at != 0 && ferry_connection_hello(update->device) != FERRY_OK) {
        return; /* the update has its proof, or its failure, already */
    }
}

static int run_update(struct ferry_connection *device, struct firmware *firmware,
                      struct ferry_image_state *proof, struct ferry_failure *failure)
{
    struct ferry_connection_facts facts;
    struct update update = {
        .device = device, .firmware = firmware, .proof = proof, .failure = failure};

    ferry_connection_facts(device, &facts);
    const struct ferry_update_config config = {.client = ferry_connection_client(device),
                                               .link = facts.link,
                                               .read = read_file,
                                               .context = firmware,
                                               .size = (uint32_t)firmware->file.len,
                                               .sha = firmware->sha,
                                               .hash = firmware->info.digest,
                                               .hash_len = firmware->info.digest_len,
                                               .image = firmware->how.image,
                                               .version = &firmware->info.header.version,
                                               .no_downgrade = firmware->how.no_downgrade,
                                               .test_only = firmware->how.test_only,
                                               .no_confirm = firmware->how.no_confirm};
    int error = ferry_update_start(&update.flow, &config);
    if (error != FERRY_OK) {
        return ferry_failure_plain(failure, error);
    }
    error = run_flow(&update);
    if (error == FERRY_OK || error == FERRY_E_REVERTED || error == FERRY_E_NO_IMAGE) {
        meet_anew(&update);
    }
    return error;
}

int ferry_device_update(struct ferry_connection *device, struct ferry_bytes file,
                        const struct ferry_device_firmware *firmware,
                        struct ferry_image_state *proof, struct ferry_failure *failure)
{
    struct firmware taken;
    int error = take(&taken, file, firmware);

    return error == FERRY_OK ? run_update(device, &taken, proof, failure)
                             : ferry_failure_plain(failure, error);
}
