/* SPDX-License-Identifier: Apache-2.0 */
/* The query "measured" of the bootloader's information: an extension of Ferry's, described in
 * docs/SERVER.md. A file of its own, so that a device without measured boot carries none of it. */
#include "ferry/group_os.h"
#include "ferry/shared_data.h"

#include <string.h>

/* Entries of BLINFO that are one byte, by their keys. */
static void put_bytes(struct ferry_server_call *call, struct ferry_bytes area)
{
    static const struct {
        uint32_t minor;
        const char *key;
    } rows[] = {
        {FERRY_BLINFO_MODE, "mode"},
        {FERRY_BLINFO_SIGNATURE, "signature"},
        {FERRY_BLINFO_RECOVERY, "recovery"},
        {FERRY_BLINFO_SLOT, "slot"},
    };

    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        uint8_t value;

        if (ferry_shared_data_u8(area.data, area.len, rows[i].minor, &value) == FERRY_OK) {
            ferry_cbor_pair_uint(&call->out, rows[i].key, value);
        }
    }
}

static void put_version(struct ferry_server_call *call, const char *key,
                        const struct ferry_version *version)
{
    char text[FERRY_VERSION_TEXT_MAX];

    ferry_cbor_put_text(&call->out, key);
    ferry_cbor_put_text_n(&call->out, text, ferry_version_text(version, text));
}

static void put_bootloader(struct ferry_server_call *call, struct ferry_bytes area)
{
    struct ferry_bytes raw;

    put_bytes(call, area);
    if (ferry_shared_data_find(area.data, area.len, FERRY_SHARED_BLINFO, FERRY_BLINFO_VERSION,
                               &raw) == FERRY_OK &&
        raw.len == 8) {
        const struct ferry_version version = {
            raw.data[0], raw.data[1], ferry_load_le16(raw.data + 2), ferry_load_le32(raw.data + 4)};

        put_version(call, "version", &version);
    }
}

/* What is told of one image. */
static void put_image(struct ferry_server_call *call, struct ferry_bytes area, uint32_t image)
{
    struct ferry_bytes record;
    uint32_t value;

    if (ferry_shared_data_u32(area.data, area.len, FERRY_BLINFO_MAX_IMAGE + image, &value) ==
        FERRY_OK) {
        ferry_cbor_pair_uint(&call->out, "max", value);
    }
    if (ferry_shared_data_u32(area.data, area.len, FERRY_BLINFO_COUNTER + image, &value) ==
        FERRY_OK) {
        ferry_cbor_pair_uint(&call->out, "counter", value);
    }
    if (ferry_shared_data_find(area.data, area.len, FERRY_SHARED_IAS,
                               image << 6 | FERRY_SHARED_BOOT_RECORD, &record) == FERRY_OK) {
        ferry_cbor_put_text(&call->out, "record");
        ferry_cbor_put_bytes(&call->out, record.data, record.len);
    }
}

/* What the device demands of images, where a policy remembers it. */
static void put_demands(struct ferry_server_call *call, const struct ferry_slots *slots)
{
    const struct ferry_policy_memory *memory = slots->policy != NULL ? slots->policy->memory : NULL;
    struct ferry_policy_least least;

    if (memory != NULL && memory->read(slots, &least) == FERRY_OK) {
        ferry_cbor_pair_uint(&call->out, "demanded", least.counter);
        put_version(call, "least", &least.version);
    }
}

static int answer(struct ferry_server_call *call, const struct ferry_os_group_config *config,
                  const struct ferry_cbor_field *image)
{
    uint64_t number = image->present ? image->item.value : 0;
    struct ferry_bytes found;

    if (image->present && image->item.kind != FERRY_CBOR_UINT) {
        return FERRY_RC_INVALID;
    }
    if (ferry_shared_data_find(config->shared.data, config->shared.len, FERRY_SHARED_BLINFO,
                               FERRY_BLINFO_MODE, &found) != FERRY_OK ||
        number >= config->image_count) {
        return ferry_server_fail(call, FERRY_OS_ERR_QUERY_YIELDS_NO_ANSWER,
                                 "the bootloader left nothing of that");
    }
    put_bootloader(call, config->shared);
    put_image(call, config->shared, (uint32_t)number);
    put_demands(call, &config->images[number]);
    return FERRY_RC_OK;
}

const struct ferry_os_measured ferry_os_measured_in_memory = {.answer = answer};
