/* SPDX-License-Identifier: Apache-2.0 */
/* The update flow against a model of a device with two slots and a bootloader, in virtual time:
 * every row of its decision table, every way a new image can fail, and old or odd servers. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdio.h>
#include <string.h>

#include "ferry/cbor.h"
#include "ferry/slots.h"
#include "ferry/update.h"

#define FILE_SIZE   3000
#define SLOT_SIZE   (64 * 1024)
#define HASH_LEN    32
#define PACKET_SIZE 512
#define LATENCY_MS  5
#define REBOOT_MS   250

static const uint8_t g_old_hash[HASH_LEN] = {0x01};
static const uint8_t g_new_hash[HASH_LEN] = {0x02};
static const uint8_t g_sha[32] = {0x03};

/* ---- The model device ------------------------------------------------------------------- */

enum outcome {
    BOOTS,         /* the new image runs */
    REVERTS,       /* it runs, crashes and is taken back before it answers */
    CRASHES_LATER, /* it answers, and crashes when it is to be confirmed */
    REFUSED_KEPT,  /* the bootloader does not take it; it stays in its slot */
    REFUSED_GONE,  /* … and erases it */
    IGNORED,       /* the bootloader does nothing, and the request stays */
    NEVER_BACK
};

struct slot {
    bool present;
    bool is_new;
    bool active;
    bool confirmed;
    bool pending;
    bool permanent;
};

struct device {
    enum outcome outcome;
    struct slot slots[2];
    uint32_t image; /* number in the list; sent when above 0 */
    uint32_t swap_ms;
    uint32_t reboot_ms; /* from the answer of the reset to the reset */
    uint32_t buf_size;
    uint32_t buf_count;
    uint32_t slot_size;
    uint32_t max_image;
    int32_t mode; /* below -1: os/8 is refused */
    bool no_params;
    bool no_slot_info;
    bool no_states;       /* state write is refused with rc 8 */
    bool hides_direct;    /* … and is not listed as pending */
    bool direct;          /* direct-XIP: the newest is started without a request */
    bool recovery;        /* a bootloader's server, until the reset */
    bool stays;           /* … and after it */
    bool loader;          /* slot 1 holds one, which writes slot 0; boot_mode 1 starts it */
    bool single;          /* one slot: the application takes no upload */
    bool knows_boot_mode; /* boot_mode 1 leads into recovery … */
    bool says_recovery;   /* … which says that it is one, and what is bootable */
    uint32_t window_ms;   /* the bootloader listens so long, and stays when it is asked */
    uint32_t boot_mode;   /* for the next boot */
    bool not_bootable;    /* in recovery */
    bool hashes_hidden;
    bool no_v2;          /* silent to version 2 */
    bool too_new;        /* says rc 13 to version 2 */
    bool loses_v2_later; /* the new firmware is silent to version 2 */
    bool reset_silent;
    bool reset_busy;
    bool slot_taken;     /* upload: err 9 */
    bool is_older;       /* upload with upgrade: err 27 */
    bool not_listed;     /* an uploaded image is not accepted */
    bool test_forgotten; /* test is answered, not done */
    bool kept_elsewhere; /* what was not uploaded now cannot be tested: err 14 */
    uint32_t test_rc;    /* test is refused with this rc */
    bool confirm_forgotten;
    uint32_t confirms_lost; /* so many confirms are neither done nor answered */
    uint32_t resets_lost;   /* and so many resets */
    bool reverts_after_confirm;
    bool hides_pending;
    /* What happened */
    uint64_t reboot_at; /* 0 = none */
    uint64_t up_at;
    uint32_t off;
    uint32_t writes; /* requests that change something */
    uint32_t uploads, tests, confirms, resets, boots;
    uint32_t confirms_by_hash;
    uint32_t erases;
    uint32_t keeps_new;     /* so many resets do not take an unconfirmed image back */
    uint32_t refused_first; /* so many images are refused and erased before one boots */
    uint32_t silent_at;     /* at this offset of the upload the device is reset, once … */
    uint32_t silent_ms;     /* … and is away for so long */
    bool forgets;           /* … and has forgotten the upload then */
    uint32_t swap_question; /* questions while it was away */
    uint32_t upload_image;
    bool forced;
    uint8_t stored[FILE_SIZE];
};

static void rc(struct ferry_cbor_writer *w, uint32_t number)
{
    ferry_cbor_open_map(w);
    ferry_cbor_pair_uint(w, "rc", number);
    ferry_cbor_close(w);
}

static void err(struct ferry_cbor_writer *w, uint32_t number)
{
    ferry_cbor_open_map(w);
    ferry_cbor_put_text(w, "err");
    ferry_cbor_put_map(w, 2);
    ferry_cbor_pair_uint(w, "group", 1);
    ferry_cbor_pair_uint(w, "rc", number);
    ferry_cbor_close(w);
}

static void empty(struct ferry_cbor_writer *w)
{
    ferry_cbor_open_map(w);
    ferry_cbor_close(w);
}

static void put_slot(const struct device *device, struct ferry_cbor_writer *w, uint32_t number)
{
    const struct slot *slot = &device->slots[number];

    ferry_cbor_open_map(w);
    if (device->image > 0) {
        ferry_cbor_pair_uint(w, "image", device->image);
    }
    ferry_cbor_pair_uint(w, "slot", number);
    ferry_cbor_pair_text(w, "version", slot->is_new ? "2.0.0" : "1.0.0");
    if (!device->hashes_hidden) {
        ferry_cbor_pair_bytes(w, "hash", slot->is_new ? g_new_hash : g_old_hash, HASH_LEN);
    }
    if (device->recovery && device->says_recovery) {
        ferry_cbor_pair_bool(w, "bootable", !device->not_bootable);
    }
    if (!device->recovery) {
        ferry_cbor_pair_bool(w, "active", slot->active);
        ferry_cbor_pair_bool(w, "confirmed", slot->confirmed);
        ferry_cbor_pair_bool(w, "pending", slot->pending && !device->hides_pending);
        ferry_cbor_pair_bool(w, "permanent", slot->permanent);
    }
    ferry_cbor_close(w);
}

static void list(const struct device *device, struct ferry_cbor_writer *w)
{
    ferry_cbor_open_map(w);
    ferry_cbor_put_text(w, "images");
    ferry_cbor_open_list(w);
    if (device->image > 0) { /* another image, whose hash is the new one's, to be left alone */
        ferry_cbor_open_map(w);
        ferry_cbor_pair_uint(w, "slot", 0);
        ferry_cbor_pair_bytes(w, "hash", g_new_hash, HASH_LEN);
        ferry_cbor_pair_bool(w, "active", true);
        ferry_cbor_pair_bool(w, "confirmed", true);
        ferry_cbor_close(w);
    }
    for (uint32_t i = 0; i < 2; i++) {
        if (device->slots[i].present) {
            put_slot(device, w, i);
        }
    }
    ferry_cbor_close(w);
    ferry_cbor_close(w);
}

static struct slot *running(struct device *device)
{
    return device->slots[1].active ? &device->slots[1] : &device->slots[0];
}

static void stored(struct device *device)
{
    struct slot *slot = &device->slots[device->recovery ? 0 : device->slots[1].active ? 0 : 1];

    if (device->not_listed) {
        return;
    }
    memset(slot, 0, sizeof *slot);
    slot->present = true;
    slot->is_new = true;
    slot->pending = device->direct && !device->hides_direct;
    slot->permanent = device->direct && !device->hides_direct;
}

static void upload(struct device *device, struct ferry_bytes payload, struct ferry_cbor_writer *w)
{
    struct ferry_cbor_field fields[] = {{.key = "off", .kind = FERRY_CBOR_UINT},
                                        {.key = "data", .kind = FERRY_CBOR_BYTES},
                                        {.key = "image", .kind = FERRY_CBOR_UINT},
                                        {.key = "upgrade", .kind = FERRY_CBOR_BOOL}};

    device->uploads++;
    assert_int_equal(ferry_cbor_read_map(payload, fields, 4), FERRY_OK);
    if (device->slot_taken || (device->single && !device->recovery) ||
        (device->loader && !device->slots[1].active)) {
        err(w, 9);
        return;
    }
    if (device->is_older && fields[3].present && fields[3].item.value != 0) {
        err(w, 27);
        return;
    }
    if (fields[0].item.value == 0) {
        device->off = 0;
        device->upload_image = fields[2].present ? (uint32_t)fields[2].item.value : 0;
    }
    if (fields[0].item.value == device->off) {
        assert_true(fields[1].item.bytes.len <= sizeof device->stored - device->off);
        memcpy(device->stored + device->off, fields[1].item.bytes.data, fields[1].item.bytes.len);
        device->off += (uint32_t)fields[1].item.bytes.len;
    }
    if (device->off == FILE_SIZE) {
        stored(device);
    }
    ferry_cbor_open_map(w);
    ferry_cbor_pair_uint(w, "off", device->off);
    ferry_cbor_close(w);
}

static void crash_back(struct device *device, uint64_t now)
{
    struct slot back = device->slots[1];

    device->slots[1] = device->slots[0];
    device->slots[0] = back;
    memset(&device->slots[1], 0, sizeof device->slots[1]);
    device->slots[1].present = true;
    device->slots[1].is_new = true;
    device->slots[0].active = true;
    device->slots[0].confirmed = true;
    device->up_at = now + device->swap_ms;
}

/* Returns false when no answer gets out. */
static bool write_state(struct device *device, struct ferry_bytes payload,
                        struct ferry_cbor_writer *w, uint64_t now)
{
    struct ferry_cbor_field fields[] = {{.key = "hash", .kind = FERRY_CBOR_BYTES},
                                        {.key = "confirm", .kind = FERRY_CBOR_BOOL}};

    assert_int_equal(ferry_cbor_read_map(payload, fields, 2), FERRY_OK);
    if (device->no_states) {
        rc(w, 8);
        return true;
    }
    if (fields[1].present && fields[1].item.value != 0) {
        device->confirms++;
        device->confirms_by_hash += fields[0].present;
        if (device->outcome == CRASHES_LATER) {
            crash_back(device, now);
            device->outcome = BOOTS;
            return false;
        }
        if (device->confirms_lost > 0) {
            device->confirms_lost--;
            return false;
        }
        if (fields[0].present && !running(device)->is_new) { /* install it for good */
            device->slots[1].pending = device->slots[1].permanent = true;
        } else if (!device->confirm_forgotten) {
            running(device)->confirmed = true;
        }
    } else {
        device->tests++;
        if (device->kept_elsewhere && device->uploads == 0) {
            err(w, 14);
            return true;
        }
        if (device->test_rc != 0) {
            rc(w, device->test_rc);
            return true;
        }
        assert_true(fields[0].present);
        assert_memory_equal(fields[0].item.bytes.data, g_new_hash, HASH_LEN);
        for (int i = 0; i < 2; i++) {
            device->slots[i].pending = device->slots[i].is_new && !device->test_forgotten;
        }
    }
    list(device, w);
    if (device->reverts_after_confirm && device->confirms > 0) {
        crash_back(device, now);
        device->up_at = now;
    }
    return true;
}

static void slot_info(const struct device *device, struct ferry_cbor_writer *w)
{
    ferry_cbor_open_map(w);
    ferry_cbor_put_text(w, "images");
    ferry_cbor_put_list(w, 1);
    ferry_cbor_open_map(w);
    ferry_cbor_pair_uint(w, "image", device->image);
    ferry_cbor_put_text(w, "slots");
    ferry_cbor_put_list(w, device->single ? 1 : 2);
    for (uint32_t i = 0; i < (device->single ? 1 : 2); i++) {
        ferry_cbor_open_map(w);
        ferry_cbor_pair_uint(w, "slot", i);
        ferry_cbor_pair_uint(w, "size", device->slot_size * (2 - i));
        if (i == 1) {
            ferry_cbor_pair_uint(w, "upload_image_id", device->image);
        }
        ferry_cbor_close(w);
    }
    if (device->max_image > 0) {
        ferry_cbor_pair_uint(w, "max_image_size", device->max_image);
    }
    ferry_cbor_close(w);
    ferry_cbor_close(w);
}

/* What the bootloader does with a pending image, and what comes of it. */
static void boot(struct device *device)
{
    struct slot *old = running(device);
    struct slot *new_one = old == &device->slots[0] ? &device->slots[1] : &device->slots[0];

    device->boots++;
    device->up_at = device->reboot_at + device->swap_ms;
    device->reboot_at = 0;
    device->no_v2 = device->no_v2 || device->loses_v2_later;
    if (device->boot_mode == 1 && device->knows_boot_mode) {
        device->boot_mode = 0;
        device->recovery = true;
        device->slots[0].active = false;
        return;
    }
    if (device->loader) {
        bool enters = device->boot_mode == 1;

        device->boot_mode = 0;
        device->slots[1].active = device->slots[1].confirmed = enters;
        device->slots[0].active = device->slots[0].confirmed = !enters;
        return;
    }
    if (device->recovery) {
        device->recovery = device->stays;
        device->slots[0].active = true;
        device->slots[0].confirmed = true;
        return;
    }
    if (old->is_new && !old->confirmed && device->mode != FERRY_MODE_OVERWRITE) {
        if (device->keeps_new > 0) {
            device->keeps_new--;
        } else {
            crash_back(device, device->up_at - device->swap_ms);
        }
        return;
    }
    new_one->pending = new_one->pending || (device->hides_direct && new_one->is_new);
    if (!new_one->pending || device->outcome == IGNORED) {
        return;
    }
    bool permanent = new_one->permanent;

    new_one->pending = false;
    new_one->permanent = false;
    if (device->outcome == REFUSED_GONE || device->refused_first > 0) {
        new_one->present = false;
    }
    if (device->refused_first > 0) {
        device->refused_first--;
        return;
    }
    if (device->outcome == REVERTS) {
        device->up_at += 2 * device->swap_ms;
    }
    if (device->outcome != BOOTS && device->outcome != CRASHES_LATER) {
        return;
    }
    old->active = false;
    new_one->active = true;
    new_one->confirmed = permanent || device->mode == FERRY_MODE_OVERWRITE || device->direct;
    old->confirmed = true;
    if (!device->direct) { /* the images change places */
        struct slot was = device->slots[0];

        device->slots[0] = device->slots[1];
        device->slots[1] = was;
    }
}

static void os_command(struct device *device, const struct ferry_smp_header *header,
                       struct ferry_bytes payload, struct ferry_cbor_writer *w, uint64_t now)
{
    struct ferry_cbor_field fields[] = {{.key = "force", .kind = FERRY_CBOR_BOOL},
                                        {.key = "boot_mode", .kind = FERRY_CBOR_UINT}};

    if (header->id == FERRY_SMP_OS_PARAMS && !device->no_params) {
        ferry_cbor_open_map(w);
        ferry_cbor_pair_uint(w, "buf_size", device->buf_size);
        ferry_cbor_pair_uint(w, "buf_count", device->buf_count);
        ferry_cbor_close(w);
    } else if (header->id == FERRY_SMP_OS_BOOTLOADER_INFO && device->mode >= -1) {
        ferry_cbor_open_map(w);
        ferry_cbor_pair_int(w, "mode", device->mode);
        if (device->recovery && device->says_recovery) {
            ferry_cbor_pair_text(w, "recovery", "boot-mode");
        }
        ferry_cbor_close(w);
    } else if (header->id == FERRY_SMP_OS_RESET) {
        assert_int_equal(ferry_cbor_read_map(payload, fields, 2), FERRY_OK);
        device->forced = fields[0].present && fields[0].item.value != 0;
        device->boot_mode = fields[1].present ? (uint32_t)fields[1].item.value : 0;
        if (device->reset_busy && !device->forced) {
            rc(w, 10);
            return;
        }
        device->resets++;
        device->reboot_at = now + device->reboot_ms;
        empty(w);
    } else {
        rc(w, 8);
    }
}

/* Returns false when nothing is answered. */
static bool image_command(struct device *device, const struct ferry_smp_header *header,
                          struct ferry_bytes payload, struct ferry_cbor_writer *w, uint64_t now)
{
    device->writes += header->op == FERRY_SMP_WRITE;
    if (header->id == FERRY_SMP_IMAGE_STATE && header->op == FERRY_SMP_WRITE) {
        return write_state(device, payload, w, now);
    }
    if (header->id == FERRY_SMP_IMAGE_STATE) {
        list(device, w);
    } else if (header->id == FERRY_SMP_IMAGE_ERASE) {
        device->erases++;
        device->slots[1] = (struct slot){0};
        empty(w);
    } else if (header->id == FERRY_SMP_IMAGE_UPLOAD) {
        if (device->silent_at != 0 && device->off >= device->silent_at) {
            device->silent_at = 0;
            device->up_at = now + device->silent_ms;
            device->off = device->forgets ? 0 : device->off;
            return false;
        }
        upload(device, payload, w);
    } else if (header->id == FERRY_SMP_IMAGE_SLOT_INFO && !device->no_slot_info) {
        slot_info(device, w);
    } else {
        rc(w, 8);
    }
    return true;
}

/* Whether the device hears at all at this time. */
static bool is_up(struct device *device, uint64_t now)
{
    if (device->reboot_at != 0 && now >= device->reboot_at) {
        boot(device);
    }
    if (device->boots > 0 && device->outcome == NEVER_BACK) {
        return false;
    }
    return now >= device->up_at;
}

/* Handle a packet; returns the length of the answer, 0 = none. */
static size_t handle(struct device *device, struct ferry_bytes packet, uint8_t *answer,
                     uint64_t now)
{
    struct ferry_smp_header header;
    struct ferry_bytes payload;
    struct ferry_cbor_writer w;

    assert_int_equal(ferry_smp_packet_read(packet, &header, &payload, NULL), FERRY_OK);
    if (!is_up(device, now)) {
        device->swap_question++;
        return 0;
    }
    if (device->boots > 0 && now < device->up_at + device->window_ms && !device->recovery) {
        device->recovery = true;
        device->slots[0].active = false;
    }
    if (device->no_v2 && header.version != FERRY_SMP_VERSION_1) {
        return 0;
    }
    ferry_cbor_writer_init(&w, answer + FERRY_SMP_HEADER_SIZE, PACKET_SIZE - FERRY_SMP_HEADER_SIZE);
    if (device->too_new && header.version != FERRY_SMP_VERSION_1) {
        rc(&w, 13);
    } else if (header.group == FERRY_SMP_GROUP_OS) {
        if (header.id == FERRY_SMP_OS_RESET && device->resets_lost > 0) {
            device->resets_lost--;
            return 0;
        }
        os_command(device, &header, payload, &w, now);
        if (header.id == FERRY_SMP_OS_RESET && device->reset_silent) {
            return 0;
        }
    } else if (!image_command(device, &header, payload, &w, now)) {
        return 0;
    }
    assert_true(ferry_cbor_writer_result(&w) > 0);
    header.op++;
    header.length = (uint16_t)w.len;
    ferry_smp_header_write(&header, answer);
    return FERRY_SMP_HEADER_SIZE + w.len;
}

/* ---- The caller ---------------------------------------------------------------------------- */

struct bench {
    struct device device;
    struct ferry_client client;
    struct ferry_client_request requests[4];
    uint8_t buffers[4 * PACKET_SIZE];
    struct ferry_update update;
    struct ferry_update_config config;
    struct ferry_update_event last;
    char steps[2048];
    char warnings[2048];
    uint32_t progress;
    uint32_t readies, judged, changes_before;
    enum ferry_update_step first_change;
    bool rejects; /* the caller's own test fails */
    uint32_t reconnects;
    uint32_t reconnect_ms;  /* how long the caller takes to open the port again */
    uint32_t break_at_step; /* 1 + the step whose first request is lost with the connection */
    uint32_t break_each;    /* the connection breaks when so much more was stored; 0 = never */
    uint32_t broke_at;
    uint32_t stop_after;   /* run() ends when this step is under way; 0 = at the end */
    uint32_t stop_at_step; /* ferry_update_stop(IO) when this step begins; 0 = never */
    uint64_t now;
};

static int read_file(void *context, uint32_t off, uint8_t *buf, size_t len)
{
    (void)context;
    assert_true(off + len <= FILE_SIZE);
    for (size_t i = 0; i < len; i++) {
        buf[i] = (uint8_t)(off + i);
    }
    return FERRY_OK;
}

static struct bench g_bench;

/* A device with the old image, running and confirmed, and Zephyr's server over MCUboot. */
static struct bench *set_up(void)
{
    struct bench *bench = &g_bench;
    struct ferry_client_config client = {.requests = bench->requests,
                                         .request_count = 4,
                                         .buffers = bench->buffers,
                                         .buffer_size = PACKET_SIZE,
                                         .timeout_ms = 1000,
                                         .retries = 2};

    memset(bench, 0, sizeof *bench);
    assert_int_equal(ferry_client_init(&bench->client, &client), FERRY_OK);
    bench->device.slots[0] = (struct slot){.present = true, .active = true, .confirmed = true};
    bench->device.swap_ms = 4000;
    bench->device.reboot_ms = REBOOT_MS;
    bench->device.buf_size = 512;
    bench->device.buf_count = 4;
    bench->device.slot_size = SLOT_SIZE;
    bench->device.mode = FERRY_MODE_SWAP_MOVE;
    bench->config = (struct ferry_update_config){.client = &bench->client,
                                                 .link = FERRY_LINK_CONSOLE,
                                                 .read = read_file,
                                                 .size = FILE_SIZE,
                                                 .sha = g_sha,
                                                 .hash = g_new_hash,
                                                 .hash_len = HASH_LEN};
    return bench;
}

static void append(char *text, size_t cap, const char *word)
{
    assert_true(strlen(text) + strlen(word) + 2 < cap);
    strcat(text, word);
    strcat(text, " ");
}

static void on_event(struct bench *bench, const struct ferry_update_event *event)
{
    bench->last = *event;
    assert_non_null(event->text);
    assert_non_null(event->remedy);
    if (event->kind == FERRY_UPDATE_STEP) {
        append(bench->steps, sizeof bench->steps, ferry_update_step_name(event->step));
        assert_true(strlen(event->text) > 5);
        if (bench->stop_at_step != 0 && event->step == bench->stop_at_step) {
            ferry_update_stop(&bench->update, FERRY_E_IO);
        }
    }
    if (event->kind == FERRY_UPDATE_WARNING) {
        append(bench->warnings, sizeof bench->warnings, event->text);
    }
    bench->progress += event->kind == FERRY_UPDATE_PROGRESS;
    if (event->kind == FERRY_UPDATE_READY) {
        bench->readies++;
        bench->first_change = event->step;
        bench->changes_before = bench->device.writes + bench->device.resets;
    }
    if (event->kind == FERRY_UPDATE_JUDGE_IT) {
        bench->judged++;
        assert_non_null(event->proof);
        assert_true(event->proof->active);
        if (bench->rejects) {
            ferry_update_reject(&bench->update);
        }
    }
    if (event->kind == FERRY_UPDATE_RECONNECT) {
        bench->reconnects++;
        assert_true(event->wait_ms > 0);
        bench->now += bench->reconnect_ms;
        ferry_update_reconnected(&bench->update, bench->now);
    }
}

/* Events until there are none. Returns whether it is over. */
static bool report(struct bench *bench)
{
    struct ferry_update_event event;

    for (int i = 0; ferry_update_next(&bench->update, bench->now, &event); i++) {
        assert_true(i < 1000);
        on_event(bench, &event);
        if (event.kind == FERRY_UPDATE_DONE || event.kind == FERRY_UPDATE_FAILED) {
            assert_false(ferry_update_next(&bench->update, bench->now, &event));
            return true;
        }
    }
    return false;
}

/* Send what is due; the answers come at once, a little later. Returns whether any came. */
static bool exchange(struct bench *bench, uint64_t *deadline)
{
    uint8_t packet[PACKET_SIZE];
    struct ferry_client_answer answer;
    struct ferry_bytes out;
    bool any = false;

    while (ferry_client_poll(&bench->client, bench->now, &out, deadline)) {
        size_t len = handle(&bench->device, out, packet, bench->now);

        if (len == 0) {
            continue;
        }
        bench->now += LATENCY_MS;
        any = true;
        if (ferry_client_receive(&bench->client, (struct ferry_bytes){packet, len}, bench->now,
                                 &answer) == FERRY_OK) {
            assert_true(ferry_update_answer(&bench->update, &answer, bench->now));
        }
    }
    return any;
}

static void run(struct bench *bench)
{
    assert_int_equal(ferry_update_start(&bench->update, &bench->config), FERRY_OK);
    for (int i = 0; !report(bench); i++) {
        struct ferry_client_answer answer;
        uint64_t deadline = FERRY_CLIENT_NEVER;
        uint64_t own;

        assert_true(i < 100000);
        if (bench->stop_after != 0 && bench->update.step == bench->stop_after) {
            return;
        }
        if (bench->break_at_step != 0 && bench->update.step + 1 == bench->break_at_step) {
            bench->break_at_step = 0;
            ferry_update_reconnected(&bench->update, bench->now);
            continue;
        }
        if (bench->break_each != 0 && bench->update.step == FERRY_UPDATE_UPLOAD &&
            bench->device.off >= bench->broke_at + bench->break_each) {
            bench->broke_at = bench->device.off;
            bench->reconnects++;
            ferry_update_reconnected(&bench->update, bench->now);
            continue;
        }
        if (exchange(bench, &deadline)) {
            continue;
        }
        own = ferry_update_deadline(&bench->update);
        deadline = own < deadline ? own : deadline;
        assert_true(deadline != FERRY_CLIENT_NEVER); /* nothing would ever happen again */
        bench->now = deadline > bench->now ? deadline : bench->now;
        while (ferry_client_expire(&bench->client, bench->now, &answer)) {
            assert_true(ferry_update_answer(&bench->update, &answer, bench->now));
        }
    }
}

static void expect_done(struct bench *bench, const char *steps)
{
    assert_string_equal(bench->steps, steps);
    if (bench->last.kind != FERRY_UPDATE_DONE) {
        print_message("failed: %s\n", bench->last.text);
    }
    assert_int_equal(bench->last.kind, FERRY_UPDATE_DONE);
    assert_int_equal(bench->last.error, FERRY_OK);
    assert_non_null(bench->last.proof);
    assert_string_equal(bench->last.proof->version, "2.0.0");
    assert_int_equal(bench->last.proof->hash_len, HASH_LEN);
    assert_memory_equal(bench->last.proof->hash, g_new_hash, HASH_LEN);
}

/* DONE after an upload: the file is on the device, runs and is confirmed. */
static void expect_proof(struct bench *bench, const char *steps)
{
    expect_done(bench, steps);
    assert_int_equal(bench->device.off, FILE_SIZE);
    for (size_t i = 0; i < FILE_SIZE; i++) {
        assert_int_equal(bench->device.stored[i], (uint8_t)i);
    }
    assert_true(running(&bench->device)->is_new);
    assert_true(bench->last.proof->active && bench->last.proof->confirmed);
    assert_false(bench->last.already);
}

static void expect_failed(struct bench *bench, int error, const char *steps)
{
    assert_string_equal(bench->steps, steps);
    assert_int_equal(bench->last.kind, FERRY_UPDATE_FAILED);
    assert_int_equal(bench->last.error, error);
    assert_true(strlen(bench->last.text) > 10);
    assert_true(strlen(bench->last.remedy) > 10);
    assert_null(bench->last.proof);
}

#define ASK   "hello mode list "
#define PUT   ASK "space upload check "
#define SWAP  PUT "test reset away return "
#define WHOLE SWAP "confirm prove "

/* ---- The decision table -------------------------------------------------------------------- */

static void test_the_whole_update(void **state)
{
    struct bench *bench = set_up();

    (void)state;
    run(bench);
    expect_proof(bench, WHOLE);
    assert_int_equal(bench->device.tests, 1);
    assert_int_equal(bench->device.confirms, 1);
    assert_int_equal(bench->device.confirms_by_hash, 0);
    assert_int_equal(bench->device.resets, 1);
    assert_int_equal(bench->device.boots, 1);
    assert_int_equal(bench->reconnects, 1);
    assert_true(bench->progress >= 2);
    assert_string_equal(bench->warnings, "");
    /* No fixed sleep: it is noticed soon after it is back. */
    assert_true(bench->now < REBOOT_MS + bench->device.swap_ms + 3000);
}

static void test_running_and_confirmed_is_done_at_once(void **state)
{
    struct bench *bench = set_up();

    (void)state;
    bench->device.slots[0].is_new = true;
    run(bench);
    expect_done(bench, ASK);
    assert_true(bench->last.already);
    assert_int_equal(bench->device.writes + bench->device.resets, 0);
}

/* The same image in both slots: the one that runs counts. */
static void test_running_and_stored_is_running(void **state)
{
    struct bench *bench = set_up();

    (void)state;
    bench->device.slots[0] = (struct slot){.present = true, .is_new = true};
    bench->device.slots[1] =
        (struct slot){.present = true, .is_new = true, .active = true, .confirmed = true};
    run(bench);
    expect_done(bench, ASK);
    assert_int_equal(bench->last.proof->slot, 1);
    assert_int_equal(bench->device.writes + bench->device.resets, 0);
}

static void test_running_unconfirmed_is_confirmed(void **state)
{
    struct bench *bench = set_up();

    (void)state;
    bench->device.slots[0] = (struct slot){.present = true, .is_new = true, .active = true};
    bench->device.slots[1] = (struct slot){.present = true, .confirmed = true};
    run(bench);
    expect_done(bench, ASK "confirm prove ");
    assert_false(bench->last.already);
    assert_true(bench->device.slots[0].confirmed);
    assert_int_equal(bench->device.resets + bench->device.uploads, 0);
}

static void test_running_unconfirmed_may_stay_so(void **state)
{
    struct bench *bench = set_up();

    (void)state;
    bench->device.slots[0] = (struct slot){.present = true, .is_new = true, .active = true};
    bench->device.slots[1] = (struct slot){.present = true, .confirmed = true};
    bench->config.no_confirm = true;
    run(bench);
    expect_done(bench, ASK);
    assert_non_null(strstr(bench->warnings, "takes it back"));
    assert_int_equal(bench->device.writes, 0);
}

static void test_stored_already_is_not_uploaded(void **state)
{
    struct bench *bench = set_up();

    (void)state;
    bench->device.slots[1] = (struct slot){.present = true, .is_new = true};
    run(bench);
    expect_done(bench, ASK "test reset away return confirm prove ");
    assert_int_equal(bench->device.uploads, 0);
    assert_true(bench->device.slots[0].is_new && bench->device.slots[0].confirmed);
}

/* swap-shift and swap-offset keep the old image where nothing can be asked for. */
static void test_an_old_image_kept_elsewhere_is_uploaded(void **state)
{
    struct bench *bench = set_up();

    (void)state;
    bench->device.slots[1] = (struct slot){.present = true, .is_new = true};
    bench->device.kept_elsewhere = true;
    run(bench);
    expect_done(bench, ASK "test space upload check test reset away return confirm prove ");
    assert_int_equal(bench->device.tests, 2);
    assert_true(bench->device.slots[0].is_new && bench->device.slots[0].confirmed);
}

/* Version 1 says rc 3 for it; a server that says it again has another reason. */
static void test_a_test_that_stays_refused(void **state)
{
    struct bench *bench = set_up();

    (void)state;
    bench->device.slots[1] = (struct slot){.present = true, .is_new = true};
    bench->device.test_rc = FERRY_RC_INVALID;
    run(bench);
    expect_failed(bench, FERRY_E_REFUSED, ASK "test space upload check test ");
    assert_int_equal(bench->device.tests, 2);

    bench = set_up();
    bench->device.slots[1] = (struct slot){.present = true, .is_new = true};
    bench->device.test_rc = FERRY_RC_BAD_STATE;
    run(bench);
    expect_failed(bench, FERRY_E_REFUSED, ASK "test ");
}

static void test_pending_already_is_only_reset(void **state)
{
    struct bench *bench = set_up();

    (void)state;
    bench->device.slots[1] = (struct slot){.present = true, .is_new = true, .pending = true};
    run(bench);
    expect_done(bench, ASK "reset away return confirm prove ");
    assert_int_equal(bench->device.uploads + bench->device.tests, 0);
}

static void test_an_unconfirmed_image_keeps_the_other_slot(void **state)
{
    struct bench *bench = set_up();

    (void)state;
    bench->device.slots[0] = (struct slot){.present = true, .active = true};
    bench->device.slots[1] = (struct slot){.present = true, .confirmed = true};
    run(bench);
    expect_failed(bench, FERRY_E_STATE, ASK);
    assert_int_equal(bench->device.writes, 0);

    /* Also when what it keeps is the very image. */
    bench = set_up();
    bench->device.slots[0] = (struct slot){.present = true, .active = true};
    bench->device.slots[1] = (struct slot){.present = true, .is_new = true, .confirmed = true};
    run(bench);
    expect_failed(bench, FERRY_E_STATE, ASK);
    assert_int_equal(bench->device.writes, 0);
}

static void test_another_pending_image_is_replaced(void **state)
{
    struct bench *bench = set_up();

    (void)state;
    bench->device.slots[1] = (struct slot){.present = true, .pending = true};
    run(bench);
    expect_proof(bench, WHOLE);
}

static void test_too_large_is_refused_before_the_first_byte(void **state)
{
    struct bench *bench = set_up();

    (void)state;
    bench->device.slot_size = FILE_SIZE - 1;
    run(bench);
    expect_failed(bench, FERRY_E_TOO_LARGE, ASK "space ");
    assert_int_equal(bench->last.limit, FILE_SIZE - 1);
    assert_int_equal(bench->last.total, FILE_SIZE);
    assert_int_equal(bench->device.writes, 0);

    bench = set_up();
    bench->device.max_image = FILE_SIZE - 1;
    run(bench);
    expect_failed(bench, FERRY_E_TOO_LARGE, ASK "space ");
    assert_int_equal(bench->last.limit, FILE_SIZE - 1);

    bench = set_up();
    bench->device.max_image = FILE_SIZE;
    run(bench);
    expect_proof(bench, WHOLE);
}

static void test_the_server_refuses_the_upload(void **state)
{
    struct bench *bench = set_up();

    (void)state;
    bench->device.slot_taken = true;
    run(bench);
    expect_failed(bench, FERRY_E_REFUSED, ASK "space upload ");
    assert_true(bench->last.status.grouped);
    assert_int_equal(bench->last.status.group, 1);
    assert_int_equal(bench->last.status.rc, 9);
    assert_int_equal(bench->last.step, FERRY_UPDATE_UPLOAD);

    bench = set_up();
    bench->device.is_older = true;
    bench->config.no_downgrade = true;
    run(bench);
    expect_failed(bench, FERRY_E_REFUSED, ASK "space upload ");
    assert_int_equal(bench->last.status.rc, 27);

    bench = set_up();
    bench->device.is_older = true;
    run(bench);
    expect_proof(bench, WHOLE);
}

static void test_an_image_that_is_not_listed(void **state)
{
    struct bench *bench = set_up();

    (void)state;
    bench->device.not_listed = true;
    run(bench);
    expect_failed(bench, FERRY_E_MISMATCH, PUT);
    assert_int_equal(bench->device.resets, 0);
}

static void test_a_test_that_does_not_stick(void **state)
{
    struct bench *bench = set_up();

    (void)state;
    bench->device.test_forgotten = true;
    run(bench);
    expect_failed(bench, FERRY_E_STATE, PUT "test ");
    assert_int_equal(bench->device.resets, 0);
}

static void test_only_testing(void **state)
{
    struct bench *bench = set_up();

    (void)state;
    bench->config.test_only = true;
    run(bench);
    expect_done(bench, PUT "test ");
    assert_true(bench->last.proof->pending);
    assert_int_equal(bench->device.resets, 0);

    /* Asked for again, nothing is left to do. */
    memset(bench->steps, 0, sizeof bench->steps);
    run(bench);
    expect_done(bench, ASK);
    assert_true(bench->last.already);
}

/* One of several: the caller has reset the device with another one. */
static void test_only_a_proof(void **state)
{
    struct bench *bench = set_up();

    (void)state;
    bench->config.only_prove = true;
    bench->config.is_part = true;
    run(bench);
    expect_failed(bench, FERRY_E_NO_IMAGE, ASK);
    assert_int_equal(bench->device.resets, 0);

    bench = set_up();
    bench->config.no_confirm = true;
    bench->config.is_part = true;
    run(bench);
    expect_done(bench, SWAP);
    assert_null(strstr(bench->warnings, "takes it back"));
    memset(bench->steps, 0, sizeof bench->steps);
    bench->config.no_confirm = false;
    bench->config.only_prove = true;
    run(bench);
    expect_done(bench, ASK "confirm prove ");
    assert_true(bench->last.proof->confirmed);
    assert_int_equal(bench->device.confirms, 1);
}

static void test_without_confirm(void **state)
{
    struct bench *bench = set_up();

    (void)state;
    bench->config.no_confirm = true;
    run(bench);
    expect_done(bench, SWAP);
    assert_true(bench->last.proof->active && !bench->last.proof->confirmed);
    assert_non_null(strstr(bench->warnings, "takes it back"));
    assert_int_equal(bench->device.confirms, 0);
}

/* ---- Ways to fail after the reset ----------------------------------------------------------- */

static void test_a_revert_is_seen(void **state)
{
    struct bench *bench = set_up();

    (void)state;
    bench->device.outcome = REVERTS;
    run(bench);
    expect_failed(bench, FERRY_E_REVERTED, SWAP);
    assert_int_equal(bench->device.confirms, 0);
    assert_false(running(&bench->device)->is_new);
}

static void test_a_refusal_by_the_bootloader_is_seen(void **state)
{
    struct bench *bench = set_up();

    (void)state;
    bench->device.outcome = REFUSED_GONE;
    run(bench);
    expect_failed(bench, FERRY_E_NO_IMAGE, SWAP);
    bench = set_up();
    bench->device.outcome = REFUSED_KEPT;
    run(bench);
    expect_failed(bench, FERRY_E_REVERTED, SWAP);
}

/* It answers, then crashes while it is being confirmed: what runs is looked at again, and the old
 * image is not told to install the new one for good. */
static void test_a_crash_during_confirm(void **state)
{
    struct bench *bench = set_up();

    (void)state;
    bench->device.outcome = CRASHES_LATER;
    run(bench);
    expect_failed(bench, FERRY_E_REVERTED, SWAP "confirm return ");
    assert_int_equal(bench->device.confirms, 1);
    assert_int_equal(bench->device.confirms_by_hash, 0);
    assert_false(bench->device.slots[1].pending || bench->device.slots[1].permanent);
    assert_false(running(&bench->device)->is_new);
}

static void test_a_confirm_that_does_not_stick(void **state)
{
    struct bench *bench = set_up();

    (void)state;
    bench->device.confirm_forgotten = true;
    run(bench);
    expect_failed(bench, FERRY_E_STATE, WHOLE);
}

/* A confirm is sent once; before it is sent again the list is read. */
static void test_a_lost_confirm(void **state)
{
    struct bench *bench = set_up();

    (void)state;
    bench->device.confirms_lost = 1;
    run(bench);
    expect_proof(bench, SWAP "confirm return confirm prove ");
    assert_int_equal(bench->device.confirms, 2);
    assert_int_equal(bench->device.resets, 1);

    bench = set_up();
    bench->device.confirms_lost = 1000;
    run(bench);
    expect_failed(bench, FERRY_E_TIMEOUT,
                  SWAP "confirm return confirm return confirm return confirm return confirm ");
}

static void test_gone_after_confirm(void **state)
{
    struct bench *bench = set_up();

    (void)state;
    bench->device.reverts_after_confirm = true;
    run(bench);
    expect_failed(bench, FERRY_E_REVERTED, WHOLE);
}

static void test_a_device_that_does_not_come_back(void **state)
{
    struct bench *bench = set_up();

    (void)state;
    bench->device.outcome = NEVER_BACK;
    run(bench);
    expect_failed(bench, FERRY_E_TIMEOUT, SWAP);
    assert_in_range(bench->now, 60000, 63000);
    bench = set_up();
    bench->device.outcome = NEVER_BACK;
    bench->config.return_ms = 5000;
    run(bench);
    expect_failed(bench, FERRY_E_TIMEOUT, SWAP);
    assert_in_range(bench->now, 5000, 8000);
}

static void test_a_bootloader_that_ignores_the_request(void **state)
{
    struct bench *bench = set_up();

    (void)state;
    bench->device.outcome = IGNORED;
    run(bench);
    expect_failed(bench, FERRY_E_STATE, SWAP "reset away return reset away return ");
}

/* Nobody resets when the request was lost, and the image is still asked for. */
static void test_a_reset_that_is_lost_is_asked_for_again(void **state)
{
    (void)state;
    for (uint32_t lost = 1; lost <= 2; lost++) {
        struct bench *bench = set_up();

        bench->device.resets_lost = lost;
        run(bench);
        expect_proof(bench, lost == 1 ? SWAP "reset away return confirm prove "
                                      : SWAP "reset away return reset away return confirm prove ");
        assert_int_equal(bench->device.resets, 1);
    }
}

/* The old image goes on answering for two seconds after the reset was asked for. */
static void test_the_old_image_answers_for_a_while(void **state)
{
    struct bench *bench = set_up();

    (void)state;
    bench->device.reboot_ms = 2000;
    run(bench);
    expect_proof(bench, WHOLE);
    bench = set_up(); /* nothing pending tells before from after */
    bench->device.reboot_ms = 2000;
    bench->device.no_states = true;
    bench->device.direct = true;
    bench->device.hides_pending = true;
    run(bench);
    expect_proof(bench, SWAP);
}

static void test_a_slow_swap_and_a_slow_port(void **state)
{
    struct bench *bench = set_up();

    (void)state;
    bench->device.swap_ms = 45000;
    run(bench);
    expect_proof(bench, WHOLE);
    assert_true(bench->device.swap_question > 10);
    bench = set_up();
    bench->reconnect_ms = 20000;
    run(bench);
    expect_proof(bench, WHOLE);
}

static void test_the_reset(void **state)
{
    struct bench *bench = set_up();

    (void)state;
    bench->device.reset_silent = true; /* C27 */
    run(bench);
    expect_proof(bench, WHOLE);
    assert_int_equal(bench->device.resets, 1);

    bench = set_up();
    bench->device.reset_busy = true;
    run(bench);
    expect_failed(bench, FERRY_E_REFUSED, PUT "test reset ");
    assert_int_equal(bench->last.status.rc, FERRY_RC_BUSY);
    assert_non_null(strstr(bench->last.remedy, "force"));

    bench = set_up();
    bench->device.reset_busy = true;
    bench->config.force_reset = true;
    run(bench);
    expect_proof(bench, WHOLE);
    assert_true(bench->device.forced);
}

/* ---- Other servers -------------------------------------------------------------------------- */

static void test_version_1_only(void **state)
{
    struct bench *bench = set_up();

    (void)state;
    bench->device.no_v2 = true;
    run(bench);
    expect_proof(bench, WHOLE);
    assert_int_equal(bench->client.version, FERRY_SMP_VERSION_1);
    bench = set_up();
    bench->device.too_new = true;
    run(bench);
    expect_proof(bench, WHOLE);
}

static void test_the_new_firmware_speaks_another_version(void **state)
{
    struct bench *bench = set_up();

    (void)state;
    bench->device.loses_v2_later = true;
    run(bench);
    expect_proof(bench, WHOLE);
    assert_int_equal(bench->client.version, FERRY_SMP_VERSION_1);
}

static void test_without_params_mode_and_slot_info(void **state)
{
    struct bench *bench = set_up();

    (void)state;
    bench->device.no_params = true;
    bench->device.no_slot_info = true;
    bench->device.mode = -2;
    run(bench);
    expect_proof(bench, WHOLE);
    assert_int_equal(bench->client.packet_max, 252);
}

static void test_nobody_there(void **state)
{
    struct bench *bench = set_up();

    (void)state;
    bench->device.up_at = UINT64_MAX;
    run(bench);
    expect_failed(bench, FERRY_E_TIMEOUT, "hello ");
    assert_int_equal(bench->last.step, FERRY_UPDATE_HELLO);
}

/* Overwriting has no way back: it is said, and nothing needs to be confirmed. */
static void test_overwrite_only(void **state)
{
    struct bench *bench = set_up();

    (void)state;
    bench->device.mode = FERRY_MODE_OVERWRITE;
    run(bench);
    expect_proof(bench, SWAP);
    assert_non_null(strstr(bench->warnings, "no way back"));
    assert_int_equal(bench->device.confirms, 0);
}

/* C22 */
static void test_direct_xip_without_states(void **state)
{
    struct bench *bench = set_up();

    (void)state;
    bench->device.mode = FERRY_MODE_DIRECT_XIP;
    bench->device.no_states = true;
    bench->device.direct = true;
    run(bench);
    expect_proof(bench, PUT "reset away return ");
    assert_int_equal(bench->device.tests, 0);
}

/* C22: a server that has states, and refuses to change them. */
static void test_direct_xip_that_refuses_states(void **state)
{
    struct bench *bench = set_up();

    (void)state;
    bench->device.mode = FERRY_MODE_DIRECT_XIP;
    bench->device.test_rc = 1;
    bench->device.direct = true;
    bench->device.hides_direct = true;
    run(bench);
    expect_proof(bench, SWAP);
    assert_int_equal(bench->device.tests, 1);
    /* Elsewhere a refusal is one. */
    bench = set_up();
    bench->device.test_rc = 1;
    run(bench);
    assert_int_equal(bench->last.error, FERRY_E_REFUSED);
}

/* C22: it is tested, confirmed and taken back like one that is swapped. */
static void test_direct_xip_with_revert(void **state)
{
    struct bench *bench = set_up();

    (void)state;
    bench->device.mode = FERRY_MODE_DIRECT_XIP_REVERT;
    run(bench);
    expect_proof(bench, WHOLE);
    bench = set_up();
    bench->device.mode = FERRY_MODE_DIRECT_XIP_REVERT;
    bench->device.outcome = REVERTS;
    run(bench);
    expect_failed(bench, FERRY_E_REVERTED, SWAP);
}

/* C22, mode 7: the loader in slot 1 is entered, writes slot 0, and is left by a reset. */
static void test_a_firmware_loader(void **state)
{
    (void)state;
    for (int from_loader = 0; from_loader < 2; from_loader++) {
        struct bench *bench = set_up();

        bench->device.mode = FERRY_MODE_FIRMWARE_LOADER;
        bench->device.no_states = true;
        bench->device.loader = true;
        bench->device.slots[0].active = from_loader == 0;
        bench->device.slots[1] = (struct slot){
            .present = true, .active = from_loader == 1, .confirmed = from_loader == 1};
        run(bench);
        expect_proof(bench, from_loader == 1 ? SWAP
                                             : ASK
                                "space enter away return hello mode list space upload check "
                                "test reset away return ");
        assert_int_equal(bench->last.proof->slot, 0);
        assert_int_equal(bench->device.resets, 2 - from_loader);
    }
}

/* C21: serial recovery writes to slot 0, has no states, and one buffer. */
static void test_serial_recovery(void **state)
{
    struct bench *bench = set_up();

    (void)state;
    bench->device.recovery = true;
    bench->device.no_states = true;
    bench->device.mode = -2;
    bench->device.buf_count = 1;
    bench->device.slots[0].active = false;
    run(bench);
    expect_proof(bench, PUT "reset away return ");

    /* The image is in slot 0 already: start it. */
    bench = set_up();
    bench->device.recovery = true;
    bench->device.no_states = true;
    bench->device.slots[0] = (struct slot){.present = true, .is_new = true};
    run(bench);
    expect_done(bench, ASK "reset away return ");
    assert_int_equal(bench->device.uploads, 0);

    /* It stays in its bootloader. */
    bench = set_up();
    bench->device.recovery = true;
    bench->device.stays = true;
    bench->device.no_states = true;
    bench->device.slots[0].present = false;
    run(bench);
    expect_failed(bench, FERRY_E_STATE,
                  PUT "reset away return reset away return reset away return ");
    assert_non_null(strstr(bench->last.text, "bootloader"));
}

#define ENTER "enter away return "

static struct bench *set_up_single(void)
{
    struct bench *bench = set_up();

    bench->device.single = true;
    bench->device.knows_boot_mode = true;
    bench->device.says_recovery = true;
    bench->device.mode = 0;
    bench->device.slots[1].present = false;
    return bench;
}

/* One slot: the application cannot take the image, so its bootloader is asked for. */
static void test_a_single_slot_goes_through_recovery(void **state)
{
    struct bench *bench = set_up_single();

    (void)state;
    run(bench);
    expect_proof(bench, ASK "space " ENTER PUT "reset away return ");
    assert_true(bench->last.recovery);
    assert_int_equal(bench->device.tests, 0);
    assert_non_null(strstr(bench->warnings, "for good"));

    run(bench); /* once more: it runs */
    assert_true(bench->last.already && !bench->last.recovery);
}

static void test_an_application_without_a_boot_mode_is_told_so(void **state)
{
    struct bench *bench = set_up_single();

    (void)state;
    bench->device.knows_boot_mode = false;
    run(bench);
    expect_failed(bench, FERRY_E_UNSUPPORTED, ASK "space " ENTER);
    assert_non_null(strstr(bench->last.remedy, "button"));
    assert_int_equal(bench->device.uploads, 0);
}

static void test_a_busy_application_does_not_go_to_recovery(void **state)
{
    struct bench *bench = set_up_single();

    (void)state;
    bench->device.reset_busy = true;
    run(bench);
    expect_failed(bench, FERRY_E_REFUSED, ASK "space enter ");

    bench = set_up_single();
    bench->device.reset_busy = true;
    bench->config.force_reset = true;
    run(bench);
    expect_proof(bench, ASK "space " ENTER PUT "reset away return ");
}

static void test_recovery_may_be_asked_for(void **state)
{
    struct bench *bench = set_up();

    (void)state;
    bench->device.knows_boot_mode = true;
    bench->device.says_recovery = true;
    bench->config.recovery = true;
    run(bench);
    expect_proof(bench, ASK "space " ENTER PUT "reset away return ");
}

/* What recovery would not let run is uploaded again. */
static void test_an_image_that_is_not_bootable_is_none(void **state)
{
    struct bench *bench = set_up_single();

    (void)state;
    bench->device.recovery = true;
    bench->device.not_bootable = true;
    bench->device.slots[0] = (struct slot){.present = true, .is_new = true};
    run(bench);
    assert_string_equal(bench->steps, PUT);
    assert_int_equal(bench->last.error, FERRY_E_MISMATCH);
}

/* A bootloader that listens after each start stays when it is asked. It is reset, and left in
 * peace. */
static void test_a_bootloader_that_listens_is_not_held(void **state)
{
    struct bench *bench = set_up();

    (void)state;
    bench->device.window_ms = 1000;
    bench->device.swap_ms = 100;
    run(bench);
    expect_proof(bench, PUT "test reset away return reset away return ");
}

/* C25: without hashes in the list the update can be done, but never proved. */
static void test_a_list_without_hashes(void **state)
{
    struct bench *bench = set_up();

    (void)state;
    bench->device.hashes_hidden = true;
    run(bench);
    expect_failed(bench, FERRY_E_UNSUPPORTED, SWAP);
}

static void test_another_image_number(void **state)
{
    struct bench *bench = set_up();

    (void)state;
    bench->device.image = 1;
    bench->config.image = 1;
    run(bench);
    expect_proof(bench, WHOLE);
    assert_int_equal(bench->device.upload_image, 1);
    assert_int_equal(bench->last.proof->image, 1);
    assert_int_equal(bench->device.confirms_by_hash, 1); /* no hash would mean image 0 */
}

/* ---- Before the first change, and before the confirm -------------------------------------------
 */

static void test_ready_before_the_first_change(void **state)
{
    struct bench *bench = set_up();

    (void)state;
    run(bench);
    expect_proof(bench, WHOLE);
    assert_int_equal(bench->readies, 1);
    assert_int_equal(bench->changes_before, 0);
    assert_int_equal(bench->first_change, FERRY_UPDATE_UPLOAD);
    assert_int_equal(bench->judged, 1);
    bench = set_up();
    bench->device.slots[0].is_new = true;
    run(bench);
    expect_done(bench, ASK);
    assert_int_equal(bench->readies + bench->judged, 0);
}

static void test_a_dry_run_changes_nothing(void **state)
{
    struct bench *bench = set_up();

    (void)state;
    bench->config.dry_run = true;
    run(bench);
    assert_string_equal(bench->steps, ASK "space ");
    assert_int_equal(bench->last.kind, FERRY_UPDATE_DONE);
    assert_int_equal(bench->last.step, FERRY_UPDATE_UPLOAD);
    assert_null(bench->last.proof);
    assert_false(bench->last.already);
    assert_int_equal(bench->device.writes + bench->device.resets, 0);
    bench = set_up();
    bench->config.dry_run = true;
    bench->device.slots[1] = (struct slot){.present = true, .is_new = true};
    run(bench);
    assert_int_equal(bench->last.step, FERRY_UPDATE_TEST);
    assert_int_equal(bench->device.writes + bench->device.resets, 0);
}

static void test_what_is_rejected_is_taken_back(void **state)
{
    struct bench *bench = set_up();

    (void)state;
    bench->rejects = true;
    run(bench);
    expect_failed(bench, FERRY_E_REVERTED, SWAP "reset away return ");
    assert_true(bench->last.rejected);
    assert_int_equal(bench->judged, 1);
    assert_int_equal(bench->device.confirms, 0);
    assert_int_equal(bench->device.resets, 2);
    assert_false(running(&bench->device)->is_new);
    assert_string_equal(bench->last.running->version, "1.0.0");
}

/* A device may give an image several starts before it takes it back. */
static void test_what_is_rejected_is_reset_until_it_goes(void **state)
{
    struct bench *bench = set_up();

    (void)state;
    bench->rejects = true;
    bench->device.keeps_new = 2;
    run(bench);
    assert_int_equal(bench->last.error, FERRY_E_REVERTED);
    assert_int_equal(bench->device.resets, 4);
    bench = set_up();
    bench->rejects = true;
    bench->device.keeps_new = 1000;
    run(bench);
    assert_int_equal(bench->last.error, FERRY_E_STATE);
    assert_true(bench->last.rejected);
    assert_non_null(strstr(bench->last.text, "was not taken back"));
}

static void test_what_is_rejected_stays_where_there_is_no_way_back(void **state)
{
    struct bench *bench = set_up();

    (void)state;
    bench->rejects = true;
    bench->device.mode = FERRY_MODE_OVERWRITE;
    run(bench);
    expect_failed(bench, FERRY_E_STATE, SWAP);
    assert_true(bench->last.rejected);
    assert_non_null(strstr(bench->last.text, "no way back"));
}

static void test_for_good_at_once(void **state)
{
    struct bench *bench = set_up();

    (void)state;
    bench->config.permanent = true;
    run(bench);
    expect_proof(bench, SWAP);
    assert_int_equal(bench->device.tests, 0);
    assert_int_equal(bench->device.confirms_by_hash, 1);
    /* One that waits for a test is made permanent first. */
    bench = set_up();
    bench->config.permanent = true;
    bench->device.slots[1] = (struct slot){.present = true, .is_new = true, .pending = true};
    run(bench);
    expect_done(bench, ASK "test reset away return ");
    assert_true(bench->last.proof->confirmed);
}

static void test_another_pending_image_is_erased_if_asked(void **state)
{
    struct bench *bench = set_up();

    (void)state;
    bench->config.erase_pending = true;
    bench->device.slots[1] = (struct slot){.present = true, .pending = true};
    run(bench);
    expect_proof(bench, ASK "space erase upload check test reset away return confirm prove ");
    assert_int_equal(bench->device.erases, 1);
    bench = set_up();
    bench->config.erase_pending = true;
    run(bench);
    expect_proof(bench, WHOLE);
    assert_int_equal(bench->device.erases, 0);
}

/* The hash does not cover the signature: what waited in the slot may have had a wrong one. */
static void test_what_was_stored_and_is_refused_is_sent_again(void **state)
{
    struct bench *bench = set_up();

    (void)state;
    bench->device.slots[1] = (struct slot){.present = true, .is_new = true};
    bench->device.refused_first = 1;
    run(bench);
    expect_proof(bench, ASK "test reset away return space upload check test reset away return "
                            "confirm prove ");
    assert_non_null(strstr(bench->warnings, "sent again"));
    bench = set_up();
    bench->device.slots[1] = (struct slot){.present = true, .is_new = true};
    bench->device.refused_first = 2;
    run(bench);
    assert_int_equal(bench->last.error, FERRY_E_NO_IMAGE);
    assert_int_equal(bench->device.boots, 2);
}

static void test_a_device_that_is_reset_in_the_middle_of_the_upload(void **state)
{
    (void)state;
    for (int i = 0; i < 4; i++) {
        struct bench *bench = set_up();

        bench->device.silent_at = FILE_SIZE / 2;
        bench->device.silent_ms = i < 2 ? 300 : 20000;
        bench->device.forgets = i % 2 == 1;
        run(bench);
        assert_int_equal(bench->last.kind, FERRY_UPDATE_DONE);
        assert_int_equal(bench->device.off, FILE_SIZE);
        for (size_t at = 0; at < FILE_SIZE; at++) {
            assert_int_equal(bench->device.stored[at], (uint8_t)at);
        }
        assert_int_equal(strstr(bench->warnings, "fell silent") != NULL, i >= 2);
    }
}

/* A port that goes away, and is opened again by the caller, at any step. */
static void test_a_connection_that_breaks_at_every_step(void **state)
{
    (void)state;
    for (uint32_t step = FERRY_UPDATE_HELLO; step <= FERRY_UPDATE_PROVE; step++) {
        struct bench *bench = step == FERRY_UPDATE_ENTER ? set_up_single() : set_up();

        bench->config.erase_pending = step == FERRY_UPDATE_ERASE;
        bench->device.slots[1].pending = bench->device.slots[1].present =
            step == FERRY_UPDATE_ERASE;
        bench->break_at_step = step + 1;
        run(bench);
        if (bench->last.kind != FERRY_UPDATE_DONE) {
            print_message("step %u, %s: %s\n", step, bench->steps, bench->last.text);
        }
        assert_int_equal(bench->last.kind, FERRY_UPDATE_DONE);
        assert_true(bench->last.proof->active && bench->last.proof->confirmed);
    }
}

/* A radio link at the edge: each time it carries a little. */
static void test_an_upload_that_gets_further_may_break_often(void **state)
{
    struct bench *bench = set_up();

    (void)state;
    bench->device.buf_size = 128;
    bench->device.buf_count = 1;
    bench->break_each = 1;
    run(bench);
    assert_int_equal(bench->last.kind, FERRY_UPDATE_DONE);
    assert_true(bench->reconnects > 20);
}

/* The wire breaks again after each reopen from this step on, a millisecond later.
 * Returns the breaks. */
static uint32_t break_for_ever(struct bench *bench, enum ferry_update_step step, uint32_t *polls)
{
    struct ferry_bytes packet;
    uint64_t deadline;
    uint32_t breaks = 0;

    bench->stop_after = step;
    run(bench);
    bench->stop_after = 0;
    while (!report(bench)) {
        assert_true(breaks++ < 1000000);
        *polls += ferry_client_poll(&bench->client, bench->now, &packet, &deadline);
        bench->now++;
        ferry_update_reconnected(&bench->update, bench->now);
    }
    return breaks;
}

/* ser2net takes a connection, and closes it at once while the device is away. */
static void test_a_wire_that_opens_and_breaks_at_once_has_an_end(void **state)
{
    struct bench *bench = set_up();
    uint32_t polls = 0;

    (void)state;
    bench->config.return_ms = 20000;
    (void)break_for_ever(bench, FERRY_UPDATE_RETURN, &polls);
    assert_int_equal(bench->last.kind, FERRY_UPDATE_FAILED);
    assert_int_equal(bench->last.error, FERRY_E_TIMEOUT);
    assert_int_equal(bench->last.step, FERRY_UPDATE_RETURN);
    assert_in_range(polls, 0, 20000 / 200);
    for (uint32_t step = FERRY_UPDATE_MODE; step <= FERRY_UPDATE_TEST; step++) {
        if (step != FERRY_UPDATE_ENTER && step != FERRY_UPDATE_ERASE) {
            bench = set_up();
            assert_in_range(break_for_ever(bench, step, &polls), 1, 100);
            assert_int_equal(bench->last.error, FERRY_E_IO);
        }
    }
}

/* ---- The rest ----------------------------------------------------------------------------------
 */

static void test_stop_at_every_step(void **state)
{
    uint32_t runs = 0;

    (void)state;
    for (uint32_t step = FERRY_UPDATE_MODE; step <= FERRY_UPDATE_PROVE; step++) {
        struct bench *bench = step == FERRY_UPDATE_ENTER ? set_up_single() : set_up();

        if (step == FERRY_UPDATE_JUDGE) { /* it has an event of its own */
            continue;
        }
        bench->config.erase_pending = step == FERRY_UPDATE_ERASE;
        bench->device.slots[1].pending = bench->device.slots[1].present =
            step == FERRY_UPDATE_ERASE;
        bench->stop_at_step = step;
        run(bench);
        assert_int_equal(bench->last.kind, FERRY_UPDATE_FAILED);
        assert_int_equal(bench->last.error, FERRY_E_IO);
        assert_int_equal(bench->last.step, step);
        ferry_update_stop(&bench->update, FERRY_E_CANCELLED);
        assert_false(ferry_update_next(&bench->update, bench->now, &bench->last));
        runs++;
    }
    assert_int_equal(runs, 13);
}

static void test_the_window_may_be_narrowed(void **state)
{
    struct bench *bench = set_up();

    (void)state;
    run(bench);
    assert_int_equal(bench->update.upload.config.window, 3);
    bench = set_up();
    bench->config.window = 1;
    run(bench);
    assert_int_equal(bench->update.upload.config.window, 1);
}

static void test_configuration_is_checked(void **state)
{
    struct bench *bench = set_up();

    (void)state;
    for (int i = 0; i < 7; i++) {
        struct ferry_update_config bad = bench->config;

        bad.client = i == 0 ? NULL : bad.client;
        bad.read = i == 1 ? NULL : bad.read;
        bad.size = i == 2 ? 0 : bad.size;
        bad.hash = i == 3 ? NULL : bad.hash;
        bad.hash_len = i == 4 ? 0 : i == 5 ? FERRY_STATE_HASH_MAX + 1 : bad.hash_len;
        bad.align = i == 6 ? 3 : 0;
        assert_int_equal(ferry_update_start(&bench->update, &bad), FERRY_E_CONFIG);
    }
}

static void test_steps_have_names(void **state)
{
    (void)state;
    assert_string_equal(ferry_update_step_name(FERRY_UPDATE_HELLO), "hello");
    assert_string_equal(ferry_update_step_name(FERRY_UPDATE_END), "end");
    assert_string_equal(ferry_update_step_name((enum ferry_update_step)99), "?");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_the_whole_update),
        cmocka_unit_test(test_running_and_confirmed_is_done_at_once),
        cmocka_unit_test(test_running_and_stored_is_running),
        cmocka_unit_test(test_running_unconfirmed_is_confirmed),
        cmocka_unit_test(test_running_unconfirmed_may_stay_so),
        cmocka_unit_test(test_stored_already_is_not_uploaded),
        cmocka_unit_test(test_an_old_image_kept_elsewhere_is_uploaded),
        cmocka_unit_test(test_a_test_that_stays_refused),
        cmocka_unit_test(test_pending_already_is_only_reset),
        cmocka_unit_test(test_an_unconfirmed_image_keeps_the_other_slot),
        cmocka_unit_test(test_another_pending_image_is_replaced),
        cmocka_unit_test(test_too_large_is_refused_before_the_first_byte),
        cmocka_unit_test(test_the_server_refuses_the_upload),
        cmocka_unit_test(test_an_image_that_is_not_listed),
        cmocka_unit_test(test_a_test_that_does_not_stick),
        cmocka_unit_test(test_only_testing),
        cmocka_unit_test(test_only_a_proof),
        cmocka_unit_test(test_without_confirm),
        cmocka_unit_test(test_a_revert_is_seen),
        cmocka_unit_test(test_a_refusal_by_the_bootloader_is_seen),
        cmocka_unit_test(test_a_crash_during_confirm),
        cmocka_unit_test(test_a_confirm_that_does_not_stick),
        cmocka_unit_test(test_a_lost_confirm),
        cmocka_unit_test(test_gone_after_confirm),
        cmocka_unit_test(test_a_device_that_does_not_come_back),
        cmocka_unit_test(test_a_bootloader_that_ignores_the_request),
        cmocka_unit_test(test_a_reset_that_is_lost_is_asked_for_again),
        cmocka_unit_test(test_the_old_image_answers_for_a_while),
        cmocka_unit_test(test_a_slow_swap_and_a_slow_port),
        cmocka_unit_test(test_the_reset),
        cmocka_unit_test(test_version_1_only),
        cmocka_unit_test(test_the_new_firmware_speaks_another_version),
        cmocka_unit_test(test_without_params_mode_and_slot_info),
        cmocka_unit_test(test_nobody_there),
        cmocka_unit_test(test_overwrite_only),
        cmocka_unit_test(test_direct_xip_without_states),
        cmocka_unit_test(test_direct_xip_that_refuses_states),
        cmocka_unit_test(test_direct_xip_with_revert),
        cmocka_unit_test(test_a_firmware_loader),
        cmocka_unit_test(test_serial_recovery),
        cmocka_unit_test(test_a_single_slot_goes_through_recovery),
        cmocka_unit_test(test_an_application_without_a_boot_mode_is_told_so),
        cmocka_unit_test(test_a_busy_application_does_not_go_to_recovery),
        cmocka_unit_test(test_recovery_may_be_asked_for),
        cmocka_unit_test(test_an_image_that_is_not_bootable_is_none),
        cmocka_unit_test(test_a_bootloader_that_listens_is_not_held),
        cmocka_unit_test(test_a_list_without_hashes),
        cmocka_unit_test(test_another_image_number),
        cmocka_unit_test(test_ready_before_the_first_change),
        cmocka_unit_test(test_a_dry_run_changes_nothing),
        cmocka_unit_test(test_what_is_rejected_is_taken_back),
        cmocka_unit_test(test_what_is_rejected_is_reset_until_it_goes),
        cmocka_unit_test(test_what_is_rejected_stays_where_there_is_no_way_back),
        cmocka_unit_test(test_for_good_at_once),
        cmocka_unit_test(test_another_pending_image_is_erased_if_asked),
        cmocka_unit_test(test_what_was_stored_and_is_refused_is_sent_again),
        cmocka_unit_test(test_a_device_that_is_reset_in_the_middle_of_the_upload),
        cmocka_unit_test(test_a_connection_that_breaks_at_every_step),
        cmocka_unit_test(test_an_upload_that_gets_further_may_break_often),
        cmocka_unit_test(test_a_wire_that_opens_and_breaks_at_once_has_an_end),
        cmocka_unit_test(test_stop_at_every_step),
        cmocka_unit_test(test_the_window_may_be_narrowed),
        cmocka_unit_test(test_configuration_is_checked),
        cmocka_unit_test(test_steps_have_names),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
