/* SPDX-License-Identifier: Apache-2.0 */
#include "server_device.h"

#include "check.h"
#include "golden_images.h"

#include <string.h>

static const struct ferry_strategy_traits *const strategies[] = {
    &ferry_traits_swap_move,         &ferry_traits_swap_offset, &ferry_traits_swap_scratch,
    &ferry_traits_swap_shift,        &ferry_traits_overwrite,   &ferry_traits_direct_xip,
    &ferry_traits_direct_xip_revert, &ferry_traits_single_slot,
};

#define STRATEGIES (sizeof(strategies) / sizeof(strategies[0]))

/* Devices that are kept as they were made: to make one takes longer than a packet. */
#define MADE 512U

/* Bits of choice.options. */
enum {
    WITH_CHECK = 1,
    WITH_DIRECT = 2,
    WITH_AHEAD = 4,
    VERBOSE = 8,
    WITHOUT_V1 = 16,
    FRUGAL = 32,
    KEEPS_PENDING = 64,
    WITHOUT_STORE = 128
};

/* Ferry's own record, which no group may touch. */
static const uint8_t own_record[] = "confirmed";

/* ---- Hooks ---------------------------------------------------------------------------------- */

static const char *os_info(void *context, char letter)
{
    (void)context;
    return letter == 'x' ? NULL : "Ferry";
}

static int os_reset(void *context, struct ferry_server_call *call,
                    const struct ferry_os_reset *reset)
{
    const struct server_device *device = context;

    (void)call;
    return device->button && !reset->force ? FERRY_RC_BUSY : FERRY_RC_OK;
}

static int os_task(void *context, uint32_t number, struct ferry_os_task *task)
{
    (void)context;
    if (number > 1) {
        return FERRY_E_NOT_FOUND;
    }
    *task = (struct ferry_os_task){.name = number == 0 ? "main" : NULL,
                                   .priority = -1,
                                   .state = FERRY_OS_TASK_QUEUED,
                                   .knows = number == 0 ? 15U : 0U,
                                   .stack_size = 1024};
    return FERRY_OK;
}

static int os_pool(void *context, uint32_t number, struct ferry_os_pool *pool)
{
    (void)context;
    *pool = (struct ferry_os_pool){1, 100, 50, 10};
    return number == 0 ? FERRY_OK : FERRY_E_NOT_FOUND;
}

static int clock_get(void *context, struct ferry_os_datetime *now)
{
    const struct server_device *device = context;

    ferry_os_datetime_from_ms((int64_t)device->now_ms, now);
    return device->now_ms == 0 ? FERRY_E_NOT_FOUND : FERRY_OK;
}

static int clock_set(void *context, const struct ferry_os_datetime *now)
{
    struct ferry_os_datetime again;

    (void)context;
    ferry_os_datetime_from_ms(ferry_os_datetime_to_ms(now), &again);
    CHECK(now->year == again.year && now->month == again.month && now->day == again.day);
    CHECK(now->hour == again.hour && now->minute == again.minute && now->second == again.second);
    CHECK(now->millisecond == again.millisecond);
    return FERRY_OK;
}

static const struct ferry_os_clock os_clock = {
    .get = clock_get, .set = clock_set, .milliseconds = true};

static int permit(void *context, struct ferry_server_call *call)
{
    const struct server_device *device = context;

    (void)call;
    return device->button ? FERRY_RC_OK : FERRY_RC_ACCESS_DENIED;
}

/* The chunks of an upload follow each other without a gap. */
static int take_chunk(void *context, struct ferry_server_call *call,
                      const struct ferry_image_chunk *chunk)
{
    struct server_device *device = context;
    struct server_shadow *shadow = &device->shadow;

    (void)call;
    CHECK(chunk->size <= ferry_slots_max_image(&device->slots));
    CHECK(chunk->offset <= chunk->size && chunk->data.len <= chunk->size - chunk->offset);
    CHECK(chunk->offset <= shadow->len);
    if (chunk->data.len > 0) {
        memcpy(shadow->bytes + chunk->offset, chunk->data.data, chunk->data.len);
    }
    shadow->len = chunk->offset + (uint32_t)chunk->data.len;
    return FERRY_RC_OK;
}

/* What was uploaded whole is what the slot holds; or it held it before, which the digest told. */
static void check_upload(const struct server_device *device, uint32_t size)
{
    uint32_t target = 1U - device->slots.active;
    uint32_t offset = target == 1 ? ferry_slots_upload_offset(&device->slots) : 0;

    if (size > device->shadow.len) {
        CHECK(device->image_config.check != NULL);
        return;
    }
    CHECK(device->faults.happened ||
          memcmp(device->slot[target].memory + offset, device->shadow.bytes, size) == 0);
}

static void observe(void *context, const struct ferry_server_call *call,
                    const struct ferry_server_event *event)
{
    struct server_device *device = context;

    CHECK(call->server == &device->server);
    switch (event->kind) {
    case FERRY_EVENT_REFUSED:
        CHECK(device->refused);
        break;
    case FERRY_EVENT_UPLOAD_FINISHED:
        check_upload(device, event->value);
        break;
    case FERRY_EVENT_SLOT_ERASED:
        CHECK(event->value <= 1 && event->value != device->slots.active);
        break;
    default:
        break;
    }
}

static int shell_run(void *context, const char *line, size_t len,
                     const struct ferry_shell_output *output)
{
    (void)context;
    CHECK(len > 0 && line[len] == '\0');
    output->write(output, line, len);
    output->write(output, "\n", 1);
    return len > 40 ? FERRY_SHELL_NO_COMMAND : FERRY_SHELL_DONE;
}

/* ---- The gate ---------------------------------------------------------------------------------
 */

/* Transport 0 may do all; 1 is locked, 2 may update, 3 only looks and is never unlocked. */
static const struct ferry_gate_transport wires[] = {
    {.number = 0, .lowest = FERRY_ACCESS_SERVICE, .highest = FERRY_ACCESS_SERVICE},
    {.number = 1, .lowest = FERRY_ACCESS_LOCKED, .highest = FERRY_ACCESS_SERVICE},
    {.number = 2, .lowest = FERRY_ACCESS_UPDATE, .highest = FERRY_ACCESS_SERVICE},
    {.number = FERRY_GATE_ANY, .lowest = FERRY_ACCESS_LOCKED, .highest = FERRY_ACCESS_LOCKED},
};

static const struct ferry_gate_policy policy = {
    .levels = {&ferry_gate_list_locked, &ferry_gate_list_update, &ferry_gate_list_service},
    .transports = wires,
    .transport_count = sizeof(wires) / sizeof(wires[0])};

static uint64_t clock_ms(void *context)
{
    return ((const struct server_device *)context)->now_ms;
}

static int next_random(void *context, uint8_t *bytes, size_t len)
{
    struct server_device *device = context;

    memset(bytes, (int)(device->now_ms + 1), len);
    return FERRY_OK;
}

/* Group errors on odd sequence numbers: a refusal has either form. */
static int ask_gate(void *context, struct ferry_server_call *call)
{
    struct server_device *device = context;
    int rc = ferry_gate_ask(&device->gate, call);

    device->refused = rc != FERRY_RC_OK;
    return device->refused && call->header.seq % 2 == 1
               ? ferry_server_error(call, FERRY_SMP_GROUP_ACCESS, 1 + call->header.id)
               : rc;
}

static void open_gate(struct server_device *device)
{
    static const struct ferry_gate_key key = {
        .bytes = {1, 2, 3}, .level = FERRY_ACCESS_SERVICE, .seconds = 60};

    device->gate_config = (struct ferry_gate_config){.policy = &policy,
                                                     .keys = &key,
                                                     .key_count = 1,
                                                     .device_id = {(const uint8_t *)"id", 2},
                                                     .now_ms = clock_ms,
                                                     .random = next_random,
                                                     .context = device};
    CHECK(ferry_gate_init(&device->gate, &device->gate_config, device->gate_wires,
                          SERVER_TRANSPORTS) == FERRY_OK);
    for (uint8_t wire = 0; wire < SERVER_TRANSPORTS; wire++) {
        memset(device->granted[wire], wires[wire].lowest, SERVER_PEERS);
    }
}

void server_device_unlock(struct server_device *device, uint8_t how)
{
    uint8_t wire = how % SERVER_TRANSPORTS;
    uint8_t level = 1 + (how >> 2) % 2;

    const struct ferry_server_peer peer = server_peer(wire, how / 64);

    if (ferry_gate_grant(&device->gate, &peer, level, 1 + how / 8) == FERRY_OK) {
        CHECK(level > wires[wire].lowest && level <= wires[wire].highest);
        device->granted[wire][peer.id] = level;
    }
}

void server_device_lock(struct server_device *device, uint8_t how)
{
    uint8_t wire = how % SERVER_TRANSPORTS;

    const struct ferry_server_peer peer = server_peer(wire, how / 64);

    ferry_gate_lock(&device->gate, &peer);
    device->granted[wire][peer.id] = wires[wire].lowest;
}

/* ---- The device -------------------------------------------------------------------------------
 */

static void set_up_slots(struct server_device *device)
{
    const struct ferry_strategy_traits *traits = strategies[device->choice.strategy % STRATEGIES];
    uint8_t active =
        traits->in_place && traits->slot_count > 1 ? (device->choice.strategy >> 4) % 2 : 0;

    device->slots = (struct ferry_slots){
        .primary = &device->slot[0].flash,
        .secondary = traits->slot_count > 1 ? &device->slot[1].flash : NULL,
        .scratch = traits->scratch ? &device->scratch.flash : NULL,
        .strategy = traits,
        .state = ferry_slots_state_of(traits),
        .store = (device->choice.options & WITHOUT_STORE) != 0 ? NULL : &device->store,
        .max_align = 8,
        .max_sectors = 16,
        .active = active};
    CHECK(ferry_slots_check(&device->slots) == FERRY_OK);
}

/* Where an image is expected in a slot. */
static uint32_t begin_of(const struct server_device *device, uint32_t slot)
{
    return slot == 1 ? ferry_slots_upload_offset(&device->slots) : 0;
}

/* What runs, and what is beside it: nothing, an image, one that is asked for, rubbish. */
static void fill_slots(struct server_device *device)
{
    static const uint8_t rubbish[] = {0x3d, 0xb8, 0xf3, 0x96, 0xff, 0xff, 0xff, 0xff, 0, 0, 1};
    uint32_t active = device->slots.active;
    uint32_t other = 1 - active;
    const struct golden *second = &goldens[1 + (device->choice.second >> 3) % (GOLDENS - 1)];

    server_flash_load(&device->slot[active], begin_of(device, active), golden_ed25519,
                      sizeof(golden_ed25519));
    switch (device->choice.second % 8) {
    case 0:
        break;
    case 1:
        server_flash_load(&device->slot[other], begin_of(device, other), rubbish, sizeof(rubbish));
        break;
    default:
        server_flash_load(&device->slot[other], begin_of(device, other), second->bytes,
                          second->size);
        break;
    }
    if (device->choice.second % 8 >= 4 && device->slots.strategy->reverts) {
        (void)device->slots.state->set_pending(&device->slots, device->choice.second % 8 == 5);
    }
}

static void mount(struct server_device *device, const struct ferry_group *group, void *context)
{
    CHECK(device->config.group_count < SERVER_GROUPS);
    device->mounts[device->config.group_count++] = (struct ferry_server_mount){group, context};
}

static void open_os(struct server_device *device)
{
    device->os_config = (struct ferry_os_group_config){.info = os_info,
                                                       .boot_modes = true,
                                                       .why = &ferry_os_why_in_store,
                                                       .measured = &ferry_os_measured_in_memory,
                                                       .store = device->slots.store,
                                                       .images = &device->slots,
                                                       .image_count = 1,
                                                       .reset = os_reset,
                                                       .task = os_task,
                                                       .pool = os_pool,
                                                       .clock = &os_clock,
                                                       .has_b0 = device->choice.second % 2 == 0,
                                                       .context = device};
    ferry_os_group_init(&device->os, &device->os_config);
    mount(device, &ferry_os_group_table, &device->os);
}

static void open_image(struct server_device *device)
{
    uint8_t options = device->choice.options;

    device->image_options = ferry_image_options_default;
    device->image_options.frugal = (options & FRUGAL) != 0;
    device->image_options.erase_pending = (options & KEEPS_PENDING) == 0;
    device->image_options.slot_info_always = true;
    device->image_config = (struct ferry_image_group_config){
        .images = &device->slots,
        .image_count = 1,
        .options = &device->image_options,
        .check = (options & WITH_CHECK) != 0 ? &ferry_image_check_sha256 : NULL,
        .direct = (options & WITH_DIRECT) != 0 ? &ferry_image_direct_upload : NULL,
        .ahead = (options & WITH_AHEAD) != 0 ? &ferry_image_erase_ahead : NULL,
        .resume = (device->choice.second & 0x80) != 0 && device->slots.store != NULL
                      ? &ferry_image_resume_in_store
                      : NULL,
        .upload = take_chunk,
        .context = device};
    CHECK(ferry_image_group_init(&device->image, &device->image_config) == FERRY_OK);
    mount(device, &ferry_image_group_table, &device->image);
}

static void open_trust(struct server_device *device)
{
    static const struct ferry_image_key key = {key_ed25519, sizeof(key_ed25519)};
    static const struct ferry_image_verifier *const verifiers[] = {&ferry_verify_ed25519};
    static const struct ferry_image_digest_kind *const digests[] = {&ferry_digest_sha256};

    if (device->slots.store == NULL) {
        return;
    }
    device->keys_config = (struct ferry_keys_config){.store = &device->store,
                                                     .trust = {.keys = &key,
                                                               .key_count = 1,
                                                               .verifiers = verifiers,
                                                               .verifier_count = 1,
                                                               .digests = digests,
                                                               .digest_count = 1},
                                                     .keys = &device->keys,
                                                     .slots = &device->slots,
                                                     .slot_count = 1,
                                                     .buf = device->keys_buf,
                                                     .buf_size = sizeof(device->keys_buf)};
    device->trust_config = (struct ferry_trust_group_config){
        .keys = &device->keys_config, .permit = permit, .context = device};
    mount(device, &ferry_trust_group_table, &device->trust_config);
}

static void open_shell(struct server_device *device)
{
    device->shell_config = (struct ferry_shell_group_config){
        .run = shell_run, .line = device->shell_line, .line_size = sizeof(device->shell_line)};
    mount(device, &ferry_shell_group_table, &device->shell_config);
}

static void open_server(struct server_device *device)
{
    static const uint16_t sizes[] = {512, 384, 96, 2048};

    device->config =
        (struct ferry_server_config){.groups = device->mounts,
                                     .buf_size = sizes[device->choice.buffers % 4],
                                     .buf_count = 4,
                                     .verbose = (device->choice.options & VERBOSE) != 0,
                                     .refuse_v1 = (device->choice.options & WITHOUT_V1) != 0,
                                     .gate = (device->choice.buffers & 0x80) != 0 ? ask_gate : NULL,
                                     .gate_context = device,
                                     .observe = observe,
                                     .observe_context = device};
    open_gate(device);
    open_os(device);
    open_image(device);
    open_trust(device);
    open_shell(device);
    mount(device, &ferry_access_group_table, &device->gate);
    server_groups_reset(&device->groups, device->slots.store);
    mount(device, &ferry_fs_group_table, &device->groups.fs);
    mount(device, &ferry_settings_group_table, &device->groups.settings_config);
    mount(device, &ferry_log_group_table, &device->groups.log_config);
    mount(device, &ferry_stat_group_table, &device->groups.stat_config);
    mount(device, &ferry_enum_group_table, NULL);
    mount(device, &ferry_basic_group_table, &device->groups.basic_config);
    CHECK(ferry_server_init(&device->server, &device->config) == FERRY_OK);
}

static void make(struct server_device *device)
{
    struct ferry_trailer_layout layout;

    server_flash_init(&device->slot[0], &device->faults, SERVER_SECTORS);
    server_flash_init(&device->slot[1], &device->faults, SERVER_SECTORS);
    server_flash_init(&device->scratch, &device->faults, 2);
    server_flash_init(&device->area, &device->faults, 4);
    CHECK(ferry_store_open(&device->store, &device->area.flash) == FERRY_OK);
    CHECK(ferry_store_put(&device->store, FERRY_STORE_KEY_COUNTER, own_record,
                          sizeof(own_record)) == FERRY_OK);
    set_up_slots(device);
    fill_slots(device);
    CHECK(ferry_slots_trailer(&device->slots, &layout) == FERRY_OK);
    device->slot[device->slots.active].forbidden = SERVER_AREA - layout.size;
    device->faults.writes = 0;
    server_groups_make(&device->groups);
    open_server(device);
}

/* A device points into itself, and is always the same memory: those that were made are copied. */
void server_device_make(struct server_device *device, const struct server_choice *choice)
{
    static struct server_device made[MADE];
    static bool is_made[MADE];
    uint32_t place =
        (choice->strategy + 7U * choice->second + 31U * choice->options + 61U * choice->buffers) %
        MADE;

    if (!is_made[place] || memcmp(&made[place].choice, choice, sizeof(*choice)) != 0) {
        memset(device, 0, sizeof(*device));
        device->choice = *choice;
        make(device);
        made[place] = *device;
        is_made[place] = true;
    }
    *device = made[place];
}

void server_device_reset(struct server_device *device)
{
    device->faults.off = false;
    device->faults.fail_in = 0;
    CHECK(ferry_store_open(&device->store, &device->area.flash) == FERRY_OK);
    open_server(device);
}

void server_device_idle(struct server_device *device)
{
    if (device->image_config.ahead != NULL) {
        (void)ferry_image_group_erase_next(&device->image);
    }
    (void)ferry_fs_group_poll(&device->groups.fs, device->now_ms);
}

void server_device_check(struct server_device *device)
{
    const struct ferry_image_group *image = &device->image;
    uint32_t active = device->slots.active;
    struct ferry_gate_standing standing;

    CHECK(memcmp(device->slot[active].memory + begin_of(device, active), golden_ed25519,
                 sizeof(golden_ed25519)) == 0);
    if (image->open) {
        CHECK(image->slot != active && image->slot <= 1 && image->image == 0);
        CHECK(image->offset < image->size && image->size <= ferry_slots_max_image(&device->slots));
        CHECK(image->held_len < 8 && image->held_len <= image->offset);
        CHECK(image->sha_len <= FERRY_SHA256_SIZE);
    }
    server_groups_check(&device->groups);
    for (unsigned i = 0; i < SERVER_TRANSPORTS * SERVER_PEERS; i++) {
        const struct ferry_server_peer peer =
            server_peer((uint8_t)(i % SERVER_TRANSPORTS), i / SERVER_TRANSPORTS);

        ferry_gate_look(&device->gate, &peer, &standing);
        CHECK(standing.level <= device->granted[peer.transport][peer.id] &&
              standing.level >= standing.lowest);
    }
}

void server_device_check_store(const struct server_device *device)
{
    uint8_t record[FERRY_STORE_MAX];

    if (!device->faults.happened && device->faults.fail_in == 0) {
        CHECK(ferry_store_get(&device->store, FERRY_STORE_KEY_COUNTER, record, sizeof(record)) ==
              (int)sizeof(own_record));
        CHECK(memcmp(record, own_record, sizeof(own_record)) == 0);
    }
}
