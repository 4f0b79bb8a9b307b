/* SPDX-License-Identifier: Apache-2.0 */
/* Why: what the bootloader last did with an image, as one record of the store. The bytes are
 * described in docs/SERVER.md; a record of another length or format number is not read. Both sides
 * of a security counter, or what a dependency needs, stand behind the rest, in a report that is
 * about one only: others stay as older firmware knows them. */
#include "ferry/why.h"

#include <string.h>

#define FORMAT 1

/* Offsets of the fields; integers are little-endian. */
enum {
    AT_FORMAT = 0,
    AT_ACTION = 1,
    AT_FLAGS = 2,
    AT_AREA = 3,
    AT_SECTOR = 4,
    AT_REASON = 8,
    AT_VERSION = 12,
    AT_RUNNING = 20,
    AT_COUNTERS = 28, /* upgrades, reverts, refusals, resumes, stops */
    SIZE = 48,
    AT_COUNTER = 48, /* of the image, and what the device demands */
    AT_LEAST = 52,
    SIZE_WITH_COUNTER = 56,
    AT_NEED_VERSION = 48, /* or of a dependency: the other image's version, and its number */
    AT_NEED_IMAGE = 56,
    SIZE_WITH_NEED = 57
};

#define FLAG_RESUMED 0x01

_Static_assert(SIZE_WITH_NEED <= FERRY_STORE_MAX, "a report is one record");

/* Images the keys have room for. */
#define IMAGES_MAX (FERRY_STORE_KEY_TRIAL - FERRY_STORE_KEY_WHY)

const char *ferry_boot_action_name(enum ferry_boot_action action)
{
    static const char *const names[] = {
        [FERRY_BOOT_RAN] = "ran",         [FERRY_BOOT_UPGRADED] = "upgraded",
        [FERRY_BOOT_TESTING] = "testing", [FERRY_BOOT_REVERTED] = "reverted",
        [FERRY_BOOT_REFUSED] = "refused", [FERRY_BOOT_STOPPED] = "stopped",
    };

    return (unsigned)action < sizeof(names) / sizeof(names[0]) ? names[action] : "?";
}

const char *ferry_boot_area_name(enum ferry_boot_area area)
{
    static const char *const names[] = {
        [FERRY_AREA_NONE] = "none",
        [FERRY_AREA_PRIMARY] = "primary",
        [FERRY_AREA_SECONDARY] = "secondary",
        [FERRY_AREA_SCRATCH] = "scratch",
    };

    return (unsigned)area < sizeof(names) / sizeof(names[0]) ? names[area] : "none";
}

/* ---- The record ------------------------------------------------------------------------ */

static void put_version(uint8_t *at, const struct ferry_version *version)
{
    at[0] = version->major;
    at[1] = version->minor;
    ferry_store_le16(at + 2, version->revision);
    ferry_store_le32(at + 4, version->build);
}

static struct ferry_version take_version(const uint8_t *at)
{
    return (struct ferry_version){at[0], at[1], ferry_load_le16(at + 2), ferry_load_le32(at + 4)};
}

/* Returns the length of the record. */
static size_t encode(const struct ferry_why *why, uint8_t raw[SIZE_WITH_NEED])
{
    const uint32_t counters[] = {why->upgrades, why->reverts, why->refusals, why->resumes,
                                 why->stops};

    raw[AT_FORMAT] = FORMAT;
    raw[AT_ACTION] = (uint8_t)why->action;
    raw[AT_FLAGS] = why->resumed ? FLAG_RESUMED : 0;
    raw[AT_AREA] = (uint8_t)why->failure.area;
    ferry_store_le32(raw + AT_SECTOR, why->failure.sector);
    ferry_store_le32(raw + AT_REASON, (uint32_t)why->reason);
    put_version(raw + AT_VERSION, &why->version);
    put_version(raw + AT_RUNNING, &why->running);
    for (uint32_t i = 0; i < 5; i++) {
        ferry_store_le32(raw + AT_COUNTERS + 4 * i, counters[i]);
    }
    if (why->need.known) {
        put_version(raw + AT_NEED_VERSION, &why->need.version);
        raw[AT_NEED_IMAGE] = why->need.image;
        return SIZE_WITH_NEED;
    }
    ferry_store_le32(raw + AT_COUNTER, why->counters.image);
    ferry_store_le32(raw + AT_LEAST, why->counters.least);
    return why->counters.known ? SIZE_WITH_COUNTER : SIZE;
}

/* Whether the fields hold what this format knows: the record may be somebody else's. */
static bool is_report(const uint8_t raw[SIZE])
{
    return raw[AT_FORMAT] == FORMAT && raw[AT_ACTION] > FERRY_BOOT_RAN &&
           raw[AT_ACTION] <= FERRY_BOOT_STOPPED && raw[AT_AREA] <= FERRY_AREA_SCRATCH;
}

static void decode(const uint8_t raw[SIZE], struct ferry_why *why)
{
    const uint8_t *counters = raw + AT_COUNTERS;

    *why = (struct ferry_why){
        .action = (enum ferry_boot_action)raw[AT_ACTION],
        .reason = (int)(int32_t)ferry_load_le32(raw + AT_REASON),
        .resumed = (raw[AT_FLAGS] & FLAG_RESUMED) != 0,
        .version = take_version(raw + AT_VERSION),
        .running = take_version(raw + AT_RUNNING),
        .failure = {(enum ferry_boot_area)raw[AT_AREA], ferry_load_le32(raw + AT_SECTOR)},
        .upgrades = ferry_load_le32(counters),
        .reverts = ferry_load_le32(counters + 4),
        .refusals = ferry_load_le32(counters + 8),
        .resumes = ferry_load_le32(counters + 12),
        .stops = ferry_load_le32(counters + 16),
    };
}

/* ---- Read and write -------------------------------------------------------------------- */

int ferry_why_read(const struct ferry_store *store, uint32_t image, struct ferry_why *why)
{
    uint8_t raw[SIZE_WITH_NEED];

    if (image >= IMAGES_MAX) {
        return FERRY_E_NOT_FOUND;
    }

    int len = ferry_store_get(store, (uint16_t)(FERRY_STORE_KEY_WHY + image), raw, sizeof(raw));

    if (len < 0 && len != FERRY_E_SPACE) {
        return len;
    }
    if ((len != SIZE && len != SIZE_WITH_COUNTER && len != SIZE_WITH_NEED) || !is_report(raw)) {
        return FERRY_E_FORMAT;
    }
    decode(raw, why);
    if (len == SIZE_WITH_COUNTER) {
        why->counters = (struct ferry_policy_counters){.known = true,
                                                       .image = ferry_load_le32(raw + AT_COUNTER),
                                                       .least = ferry_load_le32(raw + AT_LEAST)};
    }
    if (len == SIZE_WITH_NEED) {
        why->need = (struct ferry_boot_need){.image = raw[AT_NEED_IMAGE],
                                             .version = take_version(raw + AT_NEED_VERSION),
                                             .known = true};
    }
    return FERRY_OK;
}

/* Count to the end and stay there. */
static void count(uint32_t *counter, bool happened)
{
    *counter += happened && *counter < UINT32_MAX;
}

static void continue_counters(const struct ferry_why *last, struct ferry_why *report)
{
    report->upgrades = last->upgrades;
    report->reverts = last->reverts;
    report->refusals = last->refusals;
    report->resumes = last->resumes;
    report->stops = last->stops;
    count(&report->upgrades,
          report->action == FERRY_BOOT_UPGRADED || report->action == FERRY_BOOT_TESTING);
    count(&report->reverts, report->action == FERRY_BOOT_REVERTED);
    count(&report->refusals, report->action == FERRY_BOOT_REFUSED);
    count(&report->resumes, report->resumed);
    count(&report->stops, report->action == FERRY_BOOT_STOPPED);
}

/* A device that is refused the same image at every boot, or stops at every boot, must not wear
 * its store out with it. */
static bool repeats(const struct ferry_why *last, const struct ferry_why *report)
{
    return (report->action == FERRY_BOOT_REFUSED || report->action == FERRY_BOOT_STOPPED) &&
           last->action == report->action && last->reason == report->reason &&
           ferry_version_compare(&last->version, &report->version, true) == 0;
}

int ferry_why_write(struct ferry_store *store, uint32_t image, const struct ferry_why *why)
{
    struct ferry_why last = {.action = FERRY_BOOT_RAN};
    struct ferry_why report = *why;
    uint8_t raw[SIZE_WITH_NEED];

    if (image >= IMAGES_MAX || report.action <= FERRY_BOOT_RAN ||
        report.action > FERRY_BOOT_STOPPED) {
        return FERRY_E_RANGE;
    }

    int rc = ferry_why_read(store, image, &last);

    if (rc != FERRY_OK && rc != FERRY_E_NOT_FOUND && rc != FERRY_E_FORMAT) {
        return rc;
    }
    if (repeats(&last, &report)) {
        return FERRY_OK;
    }
    continue_counters(&last, &report);
    return ferry_store_put(store, (uint16_t)(FERRY_STORE_KEY_WHY + image), raw,
                           encode(&report, raw));
}
