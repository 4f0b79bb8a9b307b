/* SPDX-License-Identifier: Apache-2.0 */
/* A server with os and image group over slots in memory. */
#include "test_image_rig.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdio.h>
#include <string.h>

/* ---- Hooks ------------------------------------------------------------------- */

static int upload_hook(void *context, struct ferry_server_call *call,
                       const struct ferry_image_chunk *chunk)
{
    struct image_rig *rig = context;

    rig->chunk = *chunk;
    return rig->hook_error != 0 ? ferry_server_error(call, 64, rig->hook_error) : rig->hook_rc;
}

static void feed(void *context)
{
    ((struct image_rig *)context)->fed++;
}

static void observe(void *context, const struct ferry_server_call *call,
                    const struct ferry_server_event *event)
{
    struct image_rig *rig = context;
    (void)call;

    assert_true(rig->event_count < RIG_EVENTS);
    rig->events[rig->event_count++] = *event;
}

const char *image_rig_events(struct image_rig *rig)
{
    static const char *const names[] = {[FERRY_EVENT_UPLOAD_STARTED] = "started",
                                        [FERRY_EVENT_UPLOAD_FINISHED] = "finished",
                                        [FERRY_EVENT_UPLOAD_STOPPED] = "stopped",
                                        [FERRY_EVENT_IMAGE_PENDING] = "pending",
                                        [FERRY_EVENT_IMAGE_CONFIRMED] = "confirmed",
                                        [FERRY_EVENT_SLOT_ERASED] = "erased",
                                        [FERRY_EVENT_RECEIVED] = "received",
                                        [FERRY_EVENT_CHUNK_WRITTEN] = "written",
                                        [FERRY_EVENT_DONE] = "done"};
    static char text[512];
    size_t len = 0;

    text[0] = '\0';
    for (int i = 0; i < rig->event_count; i++) {
        const struct ferry_server_event *event = &rig->events[i];

        len += (size_t)snprintf(text + len, sizeof(text) - len, "%s%s %u %u", i > 0 ? ", " : "",
                                names[event->kind], event->image, event->value);
        assert_true(len < sizeof(text));
    }
    rig->event_count = 0;
    return text;
}

/* ---- Set-up ------------------------------------------------------------------ */

void image_rig_restart(struct image_rig *rig)
{
    assert_int_equal(ferry_image_group_init(&rig->group, &rig->group_config), FERRY_OK);
    ferry_os_group_init(&rig->os, &rig->os_config);
    assert_int_equal(ferry_server_init(&rig->server, &rig->config), FERRY_OK);
}

void image_rig_set_up(struct image_rig *rig, uint8_t write_size, uint8_t images)
{
    memset(rig, 0, sizeof(*rig));
    memset(rig->memory, 0xff, sizeof(rig->memory));
    for (uint32_t i = 0; i < 2 * RIG_IMAGES; i++) {
        rig->ram[i].flash = (struct ferry_flash){.size = RIG_SLOT,
                                                 .write_size = write_size,
                                                 .erased_value = 0xff,
                                                 .run_count = 1,
                                                 .runs = {{RIG_SECTORS, RIG_SECTOR}}};
        assert_int_equal(ferry_flash_ram_init(&rig->ram[i], rig->memory[i]), FERRY_OK);
        ferry_flash_cutter_init(&rig->flash[i], &rig->ram[i].flash, &rig->power);
    }
    for (uint32_t i = 0; i < RIG_IMAGES; i++) {
        rig->slots[i] = (struct ferry_slots){.primary = &rig->flash[2 * i].flash,
                                             .secondary = &rig->flash[2 * i + 1].flash,
                                             .strategy = &ferry_traits_swap_move,
                                             .state = &ferry_slots_by_swap,
                                             .max_align = write_size > 8 ? write_size : 8,
                                             .max_sectors = 16};
    }
    rig->options = ferry_image_options_default;
    rig->group_config = (struct ferry_image_group_config){.images = rig->slots,
                                                          .image_count = images,
                                                          .options = &rig->options,
                                                          .upload = upload_hook,
                                                          .feed = feed,
                                                          .context = rig};
    rig->mounts[0] = (struct ferry_server_mount){&ferry_os_group_table, &rig->os};
    rig->mounts[1] = (struct ferry_server_mount){&ferry_image_group_table, &rig->group};
    rig->config = (struct ferry_server_config){.groups = rig->mounts,
                                               .group_count = 2,
                                               .buf_size = 512,
                                               .buf_count = 4,
                                               .observe = observe,
                                               .observe_context = rig};
    image_rig_restart(rig);
}

size_t image_rig_build(uint8_t major, uint32_t build, uint8_t *out, size_t cap)
{
    const struct test_image_spec spec = {.version = {.major = major, .build = build},
                                         .key = TEST_KEY_NONE,
                                         .payload_size = 1000,
                                         .header_size = 32};
    size_t size = test_image_build(&spec, out, cap);

    assert_true(size > 0);
    return size;
}

void image_rig_install(struct image_rig *rig, uint32_t slot, uint8_t major, uint32_t build)
{
    memset(rig->memory[slot], 0xff, RIG_SLOT);
    (void)image_rig_build(major, build, rig->memory[slot], RIG_SLOT);
}

void image_rig_hash(struct image_rig *rig, uint32_t slot, char hex[65])
{
    struct ferry_image_info info;

    assert_int_equal(ferry_image_inspect(&rig->ram[slot].flash, &info), FERRY_OK);
    assert_int_equal(info.digest_len, 32);
    for (size_t i = 0; i < 32; i++) {
        (void)snprintf(hex + 2 * i, 3, "%02x", info.digest[i]);
    }
}

enum ferry_swap_type image_rig_next(const struct image_rig *rig, uint32_t image)
{
    enum ferry_swap_type type = FERRY_SWAP_NONE;

    assert_int_equal(ferry_slots_swap_type(&rig->slots[image], &type), FERRY_OK);
    return type;
}

void image_rig_make_revert(struct image_rig *rig, uint32_t image)
{
    const struct ferry_slots *slots = &rig->slots[image];

    assert_int_equal(ferry_trailer_write_magic(slots->primary, slots->max_align), FERRY_OK);
    assert_int_equal(ferry_trailer_write_copy_done(slots->primary, slots->max_align), FERRY_OK);
    assert_int_equal(image_rig_next(rig, image), FERRY_SWAP_REVERT);
}

/* ---- Asking ------------------------------------------------------------------ */

void image_rig_expect(struct image_rig *rig, uint8_t op, uint8_t id, const char *request,
                      const char *json)
{
    static struct rig_answer answer;

    rig_ask(&rig->server, op, FERRY_SMP_GROUP_IMAGE, id, request, &answer);
    assert_string_equal(answer.json, json);
}

void image_rig_expect_v1(struct image_rig *rig, uint8_t op, uint8_t id, const char *request,
                         const char *json)
{
    static struct rig_answer answer;

    rig_ask_v1(&rig->server, op, FERRY_SMP_GROUP_IMAGE, id, request, &answer);
    assert_string_equal(answer.json, json);
}

static void put_int(struct ferry_cbor_writer *w, const char *key, int64_t value)
{
    if (value >= 0) {
        ferry_cbor_pair_int(w, key, value);
    }
}

const char *image_rig_upload(struct image_rig *rig, uint8_t version,
                             const struct rig_upload *upload)
{
    static struct rig_answer answer;
    uint8_t request[RIG_MAX];
    struct ferry_bytes packet = {request, 0};
    struct ferry_smp_header header = {.op = FERRY_SMP_WRITE,
                                      .version = version,
                                      .group = FERRY_SMP_GROUP_IMAGE,
                                      .id = FERRY_SMP_IMAGE_UPLOAD};
    struct ferry_cbor_writer w;

    ferry_cbor_writer_init(&w, request + 8, sizeof(request) - 8);
    ferry_cbor_open_map(&w);
    put_int(&w, "image", upload->image);
    put_int(&w, "len", upload->len);
    put_int(&w, "off", upload->off);
    if (upload->sha != NULL) {
        ferry_cbor_pair_bytes(&w, "sha", upload->sha, upload->sha_len);
    }
    if (upload->data != NULL) {
        ferry_cbor_pair_bytes(&w, "data", upload->data, upload->data_len);
    }
    if (upload->upgrade >= 0) {
        ferry_cbor_pair_bool(&w, "upgrade", upload->upgrade != 0);
    }
    ferry_cbor_close(&w);

    int size = ferry_cbor_writer_result(&w);

    assert_true(size > 0);
    header.length = (uint16_t)size;
    ferry_smp_header_write(&header, request);
    packet.len = 8 + (size_t)size;
    assert_int_equal(rig_send(&rig->server, packet, &answer).len, 0);
    return answer.json;
}

void image_rig_upload_all(struct image_rig *rig, uint32_t image, const uint8_t *file, size_t len,
                          size_t first, size_t chunk)
{
    size_t off = 0;

    while (off < len) {
        struct rig_upload upload = RIG_UPLOAD;
        size_t want = off == 0 ? first : chunk;
        char expected[32];

        upload.off = (int64_t)off;
        upload.data = file + off;
        upload.data_len = want < len - off ? want : len - off;
        if (off == 0) {
            upload.len = (int64_t)len;
            upload.image = image;
        }
        off += upload.data_len;
        (void)snprintf(expected, sizeof(expected), "{\"off\":%zu}", off);
        assert_string_equal(image_rig_upload(rig, 1, &upload), expected);
    }
}

/* ---- The usual pair ---------------------------------------------------------- */

void image_rig_set_up_pair(struct image_rig *rig, const struct ferry_strategy_traits *strategy)
{
    image_rig_set_up(rig, 8, 1);
    rig->slots[0].strategy = strategy;
    rig->slots[0].state = ferry_slots_state_of(rig->slots[0].strategy);
    image_rig_restart(rig);
    image_rig_install(rig, 0, 1, 0);
    image_rig_install(rig, 1, 2, 0);
}

const char *image_rig_flags(struct image_rig *rig)
{
    static struct rig_answer answer;
    static char text[64];
    size_t len = 0;

    rig_ask(&rig->server, FERRY_SMP_READ, FERRY_SMP_GROUP_IMAGE, FERRY_SMP_IMAGE_STATE, "{}",
            &answer);
    text[0] = '\0';
    for (const char *at = strstr(answer.json, "\"slot\":"); at != NULL;
         at = strstr(at + 1, "\"slot\":")) {
        const char *pending = strstr(at, "\"pending\":");
        const char *permanent = strstr(at, "\"permanent\":");

        assert_true(pending != NULL && permanent != NULL);
        len += (size_t)snprintf(
            text + len, sizeof(text) - len, "%s%c:%s%s%s%s", len > 0 ? " " : "", at[7],
            strncmp(strstr(at, "\"active\":"), "\"active\":true", 13) == 0 ? "a" : "",
            strncmp(strstr(at, "\"confirmed\":"), "\"confirmed\":true", 16) == 0 ? "c" : "",
            strncmp(pending, "\"pending\":true", 14) == 0 ? "p" : "",
            strncmp(permanent, "\"permanent\":true", 16) == 0 ? "P" : "");
    }
    return text;
}
