/* SPDX-License-Identifier: Apache-2.0 */
/* A device in recovery, for its tests. */
#include "recovery_rig.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdio.h>
#include <string.h>

#define CHUNK 200

static void note_settled(void *context, int result, const struct ferry_boot_report *report)
{
    struct recovery_rig *rig = context;

    assert_non_null(report);
    rig->settled++;
    rig->settled_result = result;
}

void recovery_rig_set_up(struct recovery_rig *rig, const struct ferry_boot_strategy *strategy)
{
    struct fault_device *device = &rig->bench.device;

    memset(rig, 0, sizeof(*rig));
    bench_init(&rig->bench, &bench_geometry, strategy);
    memset(rig->store_memory, 0xff, sizeof(rig->store_memory));
    rig->store_ram.flash = (struct ferry_flash){.size = RECOVERY_STORE,
                                                .write_size = 8,
                                                .erased_value = 0xff,
                                                .run_count = 1,
                                                .runs = {{2, RECOVERY_STORE / 2}}};
    assert_int_equal(ferry_flash_ram_init(&rig->store_ram, rig->store_memory), FERRY_OK);
    assert_int_equal(ferry_store_open(&rig->store, &rig->store_ram.flash), FERRY_OK);
    device->image.slots.store = &rig->store;
    if (strategy->traits->slot_count == 1) {
        device->image.slots.secondary = NULL;
    }
    device->config.trials = 1;
    device->old = bench_image(&rig->bench, 1, 1000);
    device->new = bench_image(&rig->bench, 2, 1900);
    fault_device_power_on(device, 0, FAULT_BEFORE);
    rig->config = (struct ferry_recovery_config){.boot = &device->config,
                                                 .buf_size = 1024,
                                                 .buf_count = 2,
                                                 .window_ms = RECOVERY_WINDOW_MS,
                                                 .idle_ms = RECOVERY_IDLE_MS,
                                                 .settled = note_settled,
                                                 .context = rig};
    rig->now = 5000;
}

void recovery_rig_free(struct recovery_rig *rig)
{
    bench_free(&rig->bench);
}

void recovery_rig_enter(struct recovery_rig *rig, enum ferry_recovery_way way)
{
    struct ferry_boot_report *report = NULL;

    fault_device_power_on(&rig->bench.device, 0, FAULT_BEFORE);
    if (way == FERRY_RECOVERY_NO_IMAGE) {
        report = &rig->bench.report;
        assert_int_not_equal(fault_device_boot(&rig->bench.device, report), FERRY_OK);
    }
    rig->settled = 0;
    assert_int_equal(ferry_recovery_init(&rig->recovery, &rig->config, way, report, rig->now),
                     FERRY_OK);
}

enum ferry_recovery_wish recovery_rig_wait(struct recovery_rig *rig, uint32_t ms)
{
    uint64_t deadline = 0;
    enum ferry_recovery_wish wish;

    rig->now += ms;
    wish = ferry_recovery_next(&rig->recovery, rig->now, &deadline);
    assert_true(wish != FERRY_RECOVERY_STAY || deadline > rig->now);
    return wish;
}

const char *recovery_rig_ask(struct recovery_rig *rig, uint8_t op, uint16_t group, uint8_t id,
                             const char *json)
{
    static struct rig_answer answer;

    rig_ask(&rig->recovery.server, op, group, id, json, &answer);
    return answer.json;
}

const char *recovery_rig_ask_v1(struct recovery_rig *rig, uint8_t op, uint16_t group, uint8_t id,
                                const char *json)
{
    static struct rig_answer answer;

    rig_ask_v1(&rig->recovery.server, op, group, id, json, &answer);
    return answer.json;
}

const char *recovery_rig_chunk(struct recovery_rig *rig, int number,
                               const struct fault_image *image, uint32_t from, uint32_t to)
{
    static struct rig_answer answer;
    uint8_t request[RIG_MAX];
    uint8_t out[RIG_MAX];
    struct ferry_smp_header header;
    size_t size = rig_chunk(number, (struct ferry_bytes){image->bytes, image->size}, from, to,
                            request, sizeof(request));
    struct ferry_bytes packet = {request, size};
    struct ferry_bytes payload;
    struct ferry_bytes rest;
    size_t len = ferry_recovery_handle(&rig->recovery, &packet, 0, out, sizeof(out));

    assert_int_equal(
        ferry_smp_packet_read((struct ferry_bytes){out, len}, &header, &payload, &rest), FERRY_OK);
    rig_json(payload, answer.json, sizeof(answer.json));
    return answer.json;
}

const char *recovery_rig_upload(struct recovery_rig *rig, int number,
                                const struct fault_image *image, uint32_t to)
{
    const char *json = "";

    for (uint32_t from = 0; from < to; from += CHUNK) {
        json = recovery_rig_chunk(rig, number, image, from, ferry_min32(from + CHUNK, to));
    }
    return json;
}

static bool has(const char *at, const char *key)
{
    const char *found = strstr(at, key);

    assert_non_null(found);
    return strncmp(found + strlen(key), "true", 4) == 0;
}

const char *recovery_rig_list(struct recovery_rig *rig)
{
    static char text[128];
    const char *json =
        recovery_rig_ask(rig, FERRY_SMP_READ, FERRY_SMP_GROUP_IMAGE, FERRY_SMP_IMAGE_STATE, "{}");
    size_t len = 0;

    text[0] = '\0';
    for (const char *at = strstr(json, "\"slot\":"); at != NULL; at = strstr(at + 1, "\"slot\":")) {
        const char *version = strstr(at, "\"version\":\"") + 11;

        assert_false(has(at, "\"active\":")); /* nothing runs */
        len += (size_t)snprintf(
            text + len, sizeof(text) - len, "%s%c:%.*s:%s%s%s%s", len > 0 ? " " : "", at[7],
            (int)strcspn(version, "\""), version, has(at, "\"bootable\":") ? "" : "!",
            has(at, "\"confirmed\":") ? "c" : "", has(at, "\"pending\":") ? "p" : "",
            has(at, "\"permanent\":") ? "P" : "");
    }
    return text;
}

const char *recovery_rig_state(struct recovery_rig *rig, const struct fault_image *image,
                               bool confirm)
{
    char json[RIG_STATE_MAX];

    rig_state_json((struct ferry_bytes){image->bytes, image->size}, confirm, json);
    return recovery_rig_ask(rig, FERRY_SMP_WRITE, FERRY_SMP_GROUP_IMAGE, FERRY_SMP_IMAGE_STATE,
                            json);
}

struct ferry_why recovery_rig_why(struct recovery_rig *rig)
{
    struct ferry_why why = {.action = FERRY_BOOT_RAN};

    assert_int_equal(ferry_why_read(&rig->store, 0, &why), FERRY_OK);
    return why;
}
