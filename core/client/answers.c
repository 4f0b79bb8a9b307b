/* SPDX-License-Identifier: Apache-2.0 */
/* The common commands: how answers are read. */
#include "ferry/commands.h"

#include "ferry/cbor.h"

#include <limits.h>
#include <string.h>

/* ---- Single values ------------------------------------------------------- */

/* A number that fits 32 bits, or 0 when it is absent; larger ones are cut to the largest. */
static uint32_t number(const struct ferry_cbor_field *field)
{
    if (!field->present) {
        return 0;
    }
    return field->item.value > UINT32_MAX ? UINT32_MAX : (uint32_t)field->item.value;
}

static int32_t signed_number(const struct ferry_cbor_field *field)
{
    int64_t value;

    if (!field->present || ferry_cbor_to_int(&field->item, &value) != FERRY_OK) {
        return 0;
    }
    return value > INT32_MAX ? INT32_MAX : value < INT32_MIN ? INT32_MIN : (int32_t)value;
}

static bool truth(const struct ferry_cbor_field *field)
{
    return field->present && field->item.value != 0;
}

int ferry_answer_params(struct ferry_bytes payload, struct ferry_params *params)
{
    struct ferry_cbor_field fields[] = {{.key = "buf_size", .kind = FERRY_CBOR_UINT},
                                        {.key = "buf_count", .kind = FERRY_CBOR_UINT},
                                        {.key = "pad", .kind = FERRY_CBOR_UINT}};
    int rc = ferry_cbor_read_map(payload, fields, sizeof fields / sizeof fields[0]);

    if (rc != FERRY_OK) {
        return rc;
    }
    params->buf_size = number(&fields[0]);
    params->buf_count = number(&fields[1]);
    params->pad = number(&fields[2]);
    return FERRY_OK;
}

int ferry_answer_mode(struct ferry_bytes payload, int32_t *mode, bool *no_downgrade)
{
    struct ferry_cbor_field fields[] = {{.key = "mode", .kind = FERRY_CBOR_NEGATIVE},
                                        {.key = "no-downgrade", .kind = FERRY_CBOR_BOOL}};
    int rc = ferry_cbor_read_map(payload, fields, 2);

    if (rc != FERRY_OK) {
        return rc;
    }
    if (!fields[0].present) {
        return FERRY_E_NOT_FOUND;
    }
    *mode = signed_number(&fields[0]);
    *no_downgrade = truth(&fields[1]);
    return FERRY_OK;
}

int ferry_answer_b0_slot(struct ferry_bytes payload, uint32_t *slot)
{
    struct ferry_cbor_field field = {.key = "active", .kind = FERRY_CBOR_UINT};
    int rc = ferry_cbor_read_map(payload, &field, 1);

    if (rc != FERRY_OK) {
        return rc;
    }
    if (!field.present) {
        return FERRY_E_NOT_FOUND;
    }
    *slot = (uint32_t)field.item.value;
    return field.item.value <= 1 ? FERRY_OK : FERRY_E_RANGE;
}

/* Copy the text that fits and end it. Returns its whole length. */
static int copy_text(const struct ferry_cbor_item *item, char *out, size_t cap)
{
    size_t len = item->bytes.len;
    size_t fit = len < cap - 1 ? len : cap - 1;

    if (item->chunked) {
        int copied = ferry_cbor_copy(item, (uint8_t *)out, cap - 1);

        out[copied < 0 ? 0 : copied] = '\0';
        return copied;
    }
    if (fit > 0) {
        memcpy(out, item->bytes.data, fit);
    }
    out[fit] = '\0';
    return len > INT_MAX ? INT_MAX : (int)len;
}

int ferry_answer_text(struct ferry_bytes payload, const char *key, char *out, size_t cap)
{
    struct ferry_cbor_field field = {.key = key, .kind = FERRY_CBOR_TEXT};
    int rc = ferry_cbor_read_map(payload, &field, 1);

    if (rc != FERRY_OK) {
        return rc;
    }
    return field.present ? copy_text(&field.item, out, cap) : FERRY_E_NOT_FOUND;
}

/* A version that is absent is all zero. */
static int version_of(const struct ferry_cbor_field *field, struct ferry_version *version)
{
    char text[FERRY_VERSION_TEXT_MAX];

    if (!field->present) {
        return FERRY_OK;
    }
    if (copy_text(&field->item, text, sizeof text) >= (int)sizeof text) {
        return FERRY_E_FORMAT;
    }
    return ferry_version_parse(text, version);
}

static int action_of(const struct ferry_cbor_item *item, enum ferry_boot_action *action)
{
    *action = FERRY_BOOT_RAN;
    if (ferry_cbor_is_text(item, "none")) {
        return FERRY_OK;
    }
    for (int i = FERRY_BOOT_UPGRADED; i <= FERRY_BOOT_STOPPED; i++) {
        if (ferry_cbor_is_text(item, ferry_boot_action_name((enum ferry_boot_action)i))) {
            *action = (enum ferry_boot_action)i;
            return FERRY_OK;
        }
    }
    return FERRY_E_FORMAT;
}

/* An area unknown here is left out: the rest is worth reading without it. */
static enum ferry_boot_area area_of(const struct ferry_cbor_field *field)
{
    for (int i = FERRY_AREA_PRIMARY; field->present && i <= FERRY_AREA_SCRATCH; i++) {
        if (ferry_cbor_is_text(&field->item, ferry_boot_area_name((enum ferry_boot_area)i))) {
            return (enum ferry_boot_area)i;
        }
    }
    return FERRY_AREA_NONE;
}

enum why_key {
    W_ACTION,
    W_REASON,
    W_VERSION,
    W_RUNNING,
    W_RESUMED,
    W_AREA,
    W_SECTOR,
    W_UPGRADES,
    W_REVERTS,
    W_REFUSALS,
    W_RESUMES,
    W_STOPS,
    W_COUNTER,
    W_DEMANDED,
    W_NEEDS,
    W_LEAST,
    W_COUNT
};

static int read_why(const struct ferry_cbor_field fields[W_COUNT], struct ferry_why *why)
{
    int rc = action_of(&fields[W_ACTION].item, &why->action);

    if (rc == FERRY_OK) {
        rc = version_of(&fields[W_VERSION], &why->version);
    }
    if (rc == FERRY_OK) {
        rc = version_of(&fields[W_RUNNING], &why->running);
    }
    if (rc == FERRY_OK) {
        rc = version_of(&fields[W_LEAST], &why->need.version);
    }
    why->need.known = fields[W_NEEDS].present && number(&fields[W_NEEDS]) <= UINT8_MAX;
    why->need.image = (uint8_t)number(&fields[W_NEEDS]);
    why->reason = signed_number(&fields[W_REASON]);
    why->resumed = truth(&fields[W_RESUMED]);
    why->failure = (struct ferry_boot_failure){area_of(&fields[W_AREA]), number(&fields[W_SECTOR])};
    why->counters = (struct ferry_policy_counters){.known = fields[W_COUNTER].present &&
                                                            fields[W_DEMANDED].present,
                                                   .image = number(&fields[W_COUNTER]),
                                                   .least = number(&fields[W_DEMANDED])};
    why->upgrades = number(&fields[W_UPGRADES]);
    why->reverts = number(&fields[W_REVERTS]);
    why->refusals = number(&fields[W_REFUSALS]);
    why->resumes = number(&fields[W_RESUMES]);
    why->stops = number(&fields[W_STOPS]);
    return rc;
}

int ferry_answer_why(struct ferry_bytes payload, struct ferry_why *why)
{
    struct ferry_cbor_field fields[W_COUNT] = {
        [W_ACTION] = {.key = "action", .kind = FERRY_CBOR_TEXT},
        [W_REASON] = {.key = "reason", .kind = FERRY_CBOR_NEGATIVE},
        [W_VERSION] = {.key = "version", .kind = FERRY_CBOR_TEXT},
        [W_RUNNING] = {.key = "running", .kind = FERRY_CBOR_TEXT},
        [W_RESUMED] = {.key = "resumed", .kind = FERRY_CBOR_BOOL},
        [W_AREA] = {.key = "area", .kind = FERRY_CBOR_TEXT},
        [W_SECTOR] = {.key = "sector", .kind = FERRY_CBOR_UINT},
        [W_UPGRADES] = {.key = "upgrades", .kind = FERRY_CBOR_UINT},
        [W_REVERTS] = {.key = "reverts", .kind = FERRY_CBOR_UINT},
        [W_REFUSALS] = {.key = "refusals", .kind = FERRY_CBOR_UINT},
        [W_RESUMES] = {.key = "resumes", .kind = FERRY_CBOR_UINT},
        [W_STOPS] = {.key = "stops", .kind = FERRY_CBOR_UINT},
        [W_COUNTER] = {.key = "counter", .kind = FERRY_CBOR_UINT},
        [W_DEMANDED] = {.key = "demanded", .kind = FERRY_CBOR_UINT},
        [W_NEEDS] = {.key = "needs", .kind = FERRY_CBOR_UINT},
        [W_LEAST] = {.key = "least", .kind = FERRY_CBOR_TEXT},
    };
    int rc = ferry_cbor_read_map(payload, fields, W_COUNT);

    if (rc != FERRY_OK) {
        return rc;
    }
    if (!fields[W_ACTION].present) {
        return FERRY_E_NOT_FOUND;
    }
    memset(why, 0, sizeof *why);
    return read_why(fields, why);
}

int ferry_answer_upload(struct ferry_bytes payload, struct ferry_upload_answer *upload)
{
    struct ferry_cbor_field fields[] = {{.key = "off", .kind = FERRY_CBOR_UINT},
                                        {.key = "match", .kind = FERRY_CBOR_BOOL}};
    int rc = ferry_cbor_read_map(payload, fields, 2);

    if (rc != FERRY_OK) {
        return rc;
    }
    if (!fields[0].present) {
        return FERRY_E_NOT_FOUND;
    }
    if (fields[0].item.value > UINT32_MAX) {
        return FERRY_E_RANGE;
    }
    upload->off = (uint32_t)fields[0].item.value;
    upload->has_match = fields[1].present;
    upload->match = truth(&fields[1]);
    return FERRY_OK;
}

/* ---- Lists ---------------------------------------------------------------- */

/* The list under a key of a map. Returns FERRY_OK, FERRY_E_NOT_FOUND or the reader's error. */
static int open_list(struct ferry_bytes map, const char *key, struct ferry_cbor_reader *items)
{
    struct ferry_cbor_field field = {.key = key, .kind = FERRY_CBOR_LIST};
    int rc = ferry_cbor_read_map(map, &field, 1);

    if (rc != FERRY_OK) {
        return rc;
    }
    if (!field.present) {
        return FERRY_E_NOT_FOUND;
    }
    *items = ferry_cbor_enter(&field.item);
    return FERRY_OK;
}

/* The bytes of the next item of a list, head included, for ferry_cbor_read_map(). */
static int next_element(struct ferry_cbor_reader *items, struct ferry_bytes *element)
{
    struct ferry_cbor_item item;
    const uint8_t *start = items->next;
    int rc = ferry_cbor_read(items, &item);

    if (rc == FERRY_OK) {
        element->data = start;
        element->len = (size_t)(items->next - start);
    }
    return rc;
}

enum state_key { IMAGE, SLOT, VERSION, HASH, BOOTABLE, PENDING, CONFIRMED, ACTIVE, PERMANENT };

static int read_state(struct ferry_bytes element, struct ferry_image_state *state)
{
    struct ferry_cbor_field fields[] = {
        [IMAGE] = {.key = "image", .kind = FERRY_CBOR_UINT},
        [SLOT] = {.key = "slot", .kind = FERRY_CBOR_UINT},
        [VERSION] = {.key = "version", .kind = FERRY_CBOR_TEXT},
        [HASH] = {.key = "hash", .kind = FERRY_CBOR_BYTES},
        [BOOTABLE] = {.key = "bootable", .kind = FERRY_CBOR_BOOL},
        [PENDING] = {.key = "pending", .kind = FERRY_CBOR_BOOL},
        [CONFIRMED] = {.key = "confirmed", .kind = FERRY_CBOR_BOOL},
        [ACTIVE] = {.key = "active", .kind = FERRY_CBOR_BOOL},
        [PERMANENT] = {.key = "permanent", .kind = FERRY_CBOR_BOOL},
    };
    int rc = ferry_cbor_read_map(element, fields, sizeof fields / sizeof fields[0]);
    int len = 0;

    if (rc != FERRY_OK) {
        return rc;
    }
    memset(state, 0, sizeof *state);
    state->image = number(&fields[IMAGE]);
    state->slot = number(&fields[SLOT]);
    state->bootable = truth(&fields[BOOTABLE]);
    state->pending = truth(&fields[PENDING]);
    state->confirmed = truth(&fields[CONFIRMED]);
    state->active = truth(&fields[ACTIVE]);
    state->permanent = truth(&fields[PERMANENT]);
    if (fields[VERSION].present) {
        len = copy_text(&fields[VERSION].item, state->version, sizeof state->version);
    }
    if (fields[HASH].present) {
        len = ferry_cbor_copy(&fields[HASH].item, state->hash, sizeof state->hash);
        state->hash_len = (uint8_t)(len < 0 ? 0 : len);
    }
    return len < 0 ? len : FERRY_OK;
}

int ferry_answer_image_list(struct ferry_bytes payload, struct ferry_image_state *states,
                            size_t cap)
{
    struct ferry_cbor_reader items;
    struct ferry_image_state spare;
    int count = 0;
    int rc = open_list(payload, "images", &items);

    while (rc == FERRY_OK && !ferry_cbor_at_end(&items)) {
        struct ferry_bytes element;

        rc = next_element(&items, &element);
        if (rc == FERRY_OK) {
            rc = read_state(element, (size_t)count < cap ? &states[count] : &spare);
            count++;
        }
    }
    return rc == FERRY_OK ? count : rc;
}

int ferry_answer_image_find(struct ferry_bytes payload, uint32_t image, struct ferry_bytes hash,
                            struct ferry_image_state *state)
{
    struct ferry_cbor_reader items;
    int rc = open_list(payload, "images", &items);

    while (rc == FERRY_OK && !ferry_cbor_at_end(&items)) {
        struct ferry_bytes element;

        rc = next_element(&items, &element);
        rc = rc == FERRY_OK ? read_state(element, state) : rc;
        if (rc == FERRY_OK && state->image == image && state->hash_len == hash.len &&
            memcmp(state->hash, hash.data, hash.len) == 0) {
            return 1;
        }
    }
    return rc;
}

static int read_slot(struct ferry_bytes element, struct ferry_slot_info *slot)
{
    struct ferry_cbor_field fields[] = {
        {.key = "slot", .kind = FERRY_CBOR_UINT},
        {.key = "size", .kind = FERRY_CBOR_UINT},
        {.key = "upload_image_id", .kind = FERRY_CBOR_UINT},
        {.key = "rc", .kind = FERRY_CBOR_NEGATIVE},
    };
    int rc = ferry_cbor_read_map(element, fields, 4);

    if (rc != FERRY_OK) {
        return rc;
    }
    slot->slot = number(&fields[0]);
    slot->size = number(&fields[1]);
    slot->has_upload_id = fields[2].present;
    slot->upload_id = number(&fields[2]);
    slot->error = signed_number(&fields[3]);
    return FERRY_OK;
}

/* Slots looked at for an upload's. */
#define SLOTS_MAX 16

/* Where the slots found go: a full array takes no more but is counted on. */
struct slot_sink {
    struct ferry_slot_info *slots;
    size_t cap;
    int count;
};

static int read_slots(struct ferry_bytes element, struct slot_sink *sink)
{
    struct ferry_cbor_field fields[] = {
        {.key = "image", .kind = FERRY_CBOR_UINT},
        {.key = "max_image_size", .kind = FERRY_CBOR_UINT},
        {.key = "slots", .kind = FERRY_CBOR_LIST},
    };
    int rc = ferry_cbor_read_map(element, fields, 3);

    if (rc != FERRY_OK || !fields[2].present) {
        return rc;
    }
    struct ferry_cbor_reader items = ferry_cbor_enter(&fields[2].item);

    while (rc == FERRY_OK && !ferry_cbor_at_end(&items)) {
        struct ferry_slot_info slot = {.image = number(&fields[0]),
                                       .max_image_size = number(&fields[1])};
        struct ferry_bytes inner;

        rc = next_element(&items, &inner);
        rc = rc == FERRY_OK ? read_slot(inner, &slot) : rc;
        if ((size_t)sink->count < sink->cap) {
            sink->slots[sink->count] = slot;
        }
        sink->count++;
    }
    return rc;
}

int ferry_answer_slot_info(struct ferry_bytes payload, struct ferry_slot_info *slots, size_t cap)
{
    struct slot_sink sink = {slots, cap, 0};
    struct ferry_cbor_reader items;
    int rc = open_list(payload, "images", &items);

    while (rc == FERRY_OK && !ferry_cbor_at_end(&items)) {
        struct ferry_bytes element;

        rc = next_element(&items, &element);
        rc = rc == FERRY_OK ? read_slots(element, &sink) : rc;
    }
    return rc == FERRY_OK ? sink.count : rc;
}

int ferry_answer_slot_target(struct ferry_bytes payload, uint32_t image,
                             struct ferry_slot_info *target)
{
    struct ferry_slot_info slots[SLOTS_MAX];
    int count = ferry_answer_slot_info(payload, slots, SLOTS_MAX);
    int found = count < 0 ? count : 0;

    for (int i = 0; i < count && i < SLOTS_MAX; i++) {
        if (slots[i].image != image || slots[i].error != 0) {
            continue;
        }
        *target = slots[i];
        found = 1;
        if (slots[i].has_upload_id && slots[i].upload_id == image) {
            break;
        }
    }
    return found;
}
