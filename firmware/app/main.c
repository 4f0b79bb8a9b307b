/* SPDX-License-Identifier: Apache-2.0 */
/* The example firmware: an SMP server on the serial console and on UDP at once, with the groups
 * os and image. Built several times: APP_VERSION is what it says it is; APP_FAULT makes it
 * faulty, to be taken back by watchdog and bootloader. */
#include "firmware/common/images.h"
#include "firmware/common/keys.h"
#include "firmware/common/text.h"
#include "firmware/common/wires.h"

#include "ferry/group_image.h"
#include "ferry/group_os.h"
#include "ferry/group_trust.h"
#include "ferry/shared_data.h"
#include "ferry/trial.h"

#include <string.h>

enum { FAULT_NONE, FAULT_CRASH, FAULT_HANG };

#define WATCHDOG_MS 2000

/* From an accepted reset to the reset: the answer must have left. */
#define RESET_MS 250

struct app {
    struct vchip chip;
    struct wires wires;
    struct images images;
    struct ferry_os_group os;
    struct ferry_image_group image;
    struct board_keys keys;
    struct ferry_keys_config keys_config;
    struct ferry_server server;
    bool button;       /* held down */
    uint64_t reset_at; /* 0: none is due */
    uint8_t answer[FERRY_VCHIP_SEND_MAX];
    uint8_t work[512];
};

static struct app app;

/* ---- Requests
 * ---------------------------------------------------------------------------------- */

static void work(const struct queue_packet *packet)
{
    struct ferry_bytes pending = {packet->data, packet->len};

    while (pending.len > 0) {
        size_t len = ferry_server_handle(&app.server, &pending, (uint8_t)packet->wire, app.answer,
                                         app.chip.start.buf_size);
        if (len > 0) {
            wires_answer(&app.wires, packet, app.answer, len);
        }
    }
}

/* ---- The groups
 * ----------------------------------------------------------------------------------- */

static const char *info(void *context, char letter)
{
    (void)context;
    switch (letter) {
    case 's':
    case 'o':
        return "Ferry";
    case 'n':
        return "ferry-device";
    case 'r':
    case 'v':
        return APP_VERSION;
    case 'b':
        return "";
    case 'm':
    case 'p':
        return "virtual";
    case 'i':
        return "ferry-device";
    default:
        return NULL;
    }
}

static void feed(void *context)
{
    (void)context;
    vchip_feed(&app.chip);
}

/* Keys are changed only while somebody at the device holds its button down. */
static int permit_keys(void *context, struct ferry_server_call *call)
{
    (void)context;
    if (app.chip.button) {
        return FERRY_RC_OK;
    }
    call->reason = "hold the device's button down";
    return FERRY_RC_ACCESS_DENIED;
}

static void open_keys(void)
{
    struct ferry_store *store = app.images.store_result == FERRY_OK ? &app.images.store : NULL;

    keys_read(&app.keys, &app.chip, store);
    app.keys_config = (struct ferry_keys_config){.store = store,
                                                 .trust = app.keys.product,
                                                 .keys = &app.keys.all,
                                                 .slots = app.images.slots,
                                                 .slot_count = app.chip.start.image_count,
                                                 .buf = app.work,
                                                 .buf_size = sizeof(app.work),
                                                 .feed = feed};
}

static int open_server(void)
{
    static struct ferry_os_group_config os = {.info = info, .boot_modes = true};
    static struct ferry_image_options options;
    static struct ferry_image_group_config image = {.images = app.images.slots,
                                                    .options = &options,
                                                    .check = &ferry_image_check_sha256,
                                                    .upload = ferry_image_refuse_compressed,
                                                    .feed = feed};
    static struct ferry_trust_group_config trust = {.keys = &app.keys_config,
                                                    .permit = permit_keys};
    static const struct ferry_server_mount mounts[] = {
        {&ferry_os_group_table, &app.os},
        {&ferry_image_group_table, &app.image},
        {&ferry_trust_group_table, &trust},
    };
    static struct ferry_server_config server = {.groups = mounts, .verbose = true};
    uint8_t mode = 0;

    /* Without a store there is nowhere to keep what changes. */
    open_keys();
    server.group_count = sizeof(mounts) / sizeof(mounts[0]);
    server.group_count -= app.keys_config.store == NULL ? 1 : 0;

    /* What the bootloader says of itself is more than what the layout asks for. */
    if (ferry_shared_data_u8(app.chip.shared, app.chip.start.shared_size, FERRY_BLINFO_MODE,
                             &mode) != FERRY_OK) {
        mode = app.images.slots[0].strategy->mode;
    }
    os.bootloader_mode = (int8_t)mode;
    os.measured = &ferry_os_measured_in_memory;
    os.shared = (struct ferry_bytes){app.chip.shared, app.chip.start.shared_size};
    os.images = app.images.slots;
    os.image_count = app.chip.start.image_count;
    os.why = &ferry_os_why_in_store;
    os.store = app.images.store_result == FERRY_OK ? &app.images.store : NULL;
    os.has_b0 = app.chip.start.first_provision != FERRY_VCHIP_NO_AREA;
    os.b0_slot = (uint8_t)app.chip.start.first_active;
    os.no_downgrade = (app.chip.start.flags & FERRY_VCHIP_NO_DOWNGRADE) != 0;
    ferry_os_group_init(&app.os, &os);
    options = ferry_image_options_default;
    options.slot_info_always = true; /* clients learn what fits before they upload */
    image.addresses = app.images.addresses[0];
    image.image_count = (uint8_t)app.chip.start.image_count;
    image.set = (app.chip.start.flags & FERRY_VCHIP_SET) != 0 ? &ferry_set_in_store : NULL;
    server.buf_size = (uint16_t)app.chip.start.buf_size;
    server.buf_count = (uint16_t)app.chip.start.buf_count;
    int result = ferry_image_group_init(&app.image, &image);
    return result == FERRY_OK ? ferry_server_init(&app.server, &server) : result;
}

/* ---- Main
 * ------------------------------------------------------------------------------------------ */

/* Volatile, so that the faulty ones differ in nothing else. */
static void break_down(void)
{
    static volatile int fault = APP_FAULT;
    static int *volatile nowhere = NULL;

    if (fault == FAULT_CRASH) {
        *nowhere = 1;
    }
    while (fault == FAULT_HANG) {
        /* The watchdog is not fed. */
        vchip_wait(&app.chip, WATCHDOG_MS);
    }
}

static void look_at_reset(uint64_t now)
{
    struct ferry_os_reset reset;

    if (app.reset_at == 0 && ferry_os_group_reset_due(&app.os, &reset)) {
        app.reset_at = now + RESET_MS;
        vchip_retain(&app.chip, reset.boot_mode);
    }
    if (app.reset_at != 0 && now >= app.reset_at) {
        vchip_reset(&app.chip);
    }
}

static _Noreturn void serve(void)
{
    for (;;) {
        struct queue_packet *packet = queue_first(&app.wires.queue);
        if (packet != NULL) {
            work(packet);
            queue_drop(&app.wires.queue);
        }
        vchip_feed(&app.chip);
        look_at_reset(vchip_now_ms());
        bool idle = queue_first(&app.wires.queue) == NULL;
        vchip_wait(&app.chip, !idle ? 0 : app.reset_at != 0 ? RESET_MS / 10 : WATCHDOG_MS / 4);
    }
}

static void print_error(int error)
{
    struct text line = {0};

    text_add(text_add(&line, "app " APP_VERSION ": no server: "), ferry_error_text(error));
    text_add(text_add(&line, "; "), ferry_error_remedy(error));
    vchip_print(&app.chip, text_add(&line, "\n")->chars);
}

/* The server runs: if the image is unconfirmed, this boot is a trial. */
static void mark_trials(void)
{
    for (uint32_t i = 0; i < app.chip.start.image_count; i++) {
        int result = ferry_trial_started(&app.images.slots[i]);
        if (result != FERRY_OK) {
            struct text line = {0};
            text_add(&line, "app " APP_VERSION ": the start was not marked: ");
            text_add(text_add(&line, ferry_error_text(result)), "\n");
            vchip_print(&app.chip, line.chars);
        }
    }
}

int main(void)
{
    const char *why;
    int result = vchip_open(&app.chip, wires_receive, &app.wires);

    if (result != FERRY_OK) {
        return 1;
    }
    wires_init(&app.wires, &app.chip);
    vchip_watchdog(&app.chip, WATCHDOG_MS);
    vchip_print(&app.chip, "app " APP_VERSION " started\n");
    break_down();
    result = images_read(&app.images, &app.chip, &why);
    if (result == FERRY_OK) {
        result = open_server();
    }
    if (result != FERRY_OK) {
        print_error(result);
        return 1;
    }
    mark_trials();
    serve();
}
