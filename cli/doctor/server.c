/* SPDX-License-Identifier: Apache-2.0 */
/* What kind of server answers? [smp.md §6] */
#include "doctor.h"
#include "cli/device/access.h"
#include "cli/device/why.h"
#include "cli/packet/packet_names.h"
#include "ferry/cbor.h"
#include "ferry/commands_access.h"

#include <string.h>

/* Groups that are named. */
#define GROUPS_MAX 32

/* What was asked, and what came. */
struct signs {
    struct session_bootloader bootloader;
    char system[96];    /* os/7: "Zephyr zephyr 4.4.0 …"; "" = not told */
    char boot_name[32]; /* os/8: "MCUboot"; "" = not told */
    bool keeps_reports; /* answers Ferry's own query */
    bool splits;        /* "splitStatus" beside the list of images, as Mynewt has it */
    bool always_rc;     /* successes carry "rc", as Mynewt's and MCUboot's do */
    bool knows_params, knows_info, knows_bootloader;
    bool any_active;
    bool has_access; /* answers Ferry's group of levels */
    struct ferry_access_status access;
};

/* ---- Asking -------------------------------------------------------------------------------------
 */

static void ask_images(struct doctor *doctor, struct signs *signs)
{
    struct ferry_client_answer answer;
    struct ferry_cbor_field split = {.key = "splitStatus", .kind = FERRY_CBOR_ANY};

    if (doctor_read(doctor, FERRY_SMP_GROUP_IMAGE, FERRY_SMP_IMAGE_STATE, NULL, NULL, &answer) !=
        FERRY_OK) {
        return;
    }
    int count = ferry_answer_image_list(answer.payload, doctor->images, DOCTOR_IMAGES_MAX);
    signs->splits = ferry_cbor_read_map(answer.payload, &split, 1) == FERRY_OK && split.present;
    doctor->has_images = count >= 0;
    doctor->image_count = count > 0 ? ferry_min32((uint32_t)count, DOCTOR_IMAGES_MAX) : 0;
    for (size_t i = 0; i < doctor->image_count; i++) {
        signs->any_active = signs->any_active || doctor->images[i].active;
    }
}

/* A text out of an answer; "" without one. Returns whether the command is known. */
static bool ask_text(struct doctor *doctor, uint8_t id, const char *key, const char *value,
                     const char *wanted, char *out, size_t cap)
{
    struct ferry_client_answer answer;
    int error = doctor_read(doctor, FERRY_SMP_GROUP_OS, id, key, value, &answer);

    out[0] = '\0';
    if (error == FERRY_OK && ferry_answer_text(answer.payload, wanted, out, cap) < 0) {
        out[0] = '\0';
    }
    cli_printable(out);
    return error == FERRY_OK ||
           (error == FERRY_E_REFUSED &&
            (answer.status.grouped || answer.status.rc != FERRY_RC_NOT_SUPPORTED));
}

static void ask_echo(struct doctor *doctor, struct signs *signs)
{
    struct ferry_client_answer answer;
    struct ferry_cbor_field rc = {.key = "rc", .kind = FERRY_CBOR_ANY};

    if (doctor_echo(doctor, 1, 2, &answer, NULL) == FERRY_OK) {
        signs->always_rc = ferry_cbor_read_map(answer.payload, &rc, 1) == FERRY_OK && rc.present;
    }
}

static void ask(struct doctor *doctor, struct signs *signs)
{
    struct ferry_client_answer answer;
    struct ferry_connection_facts facts;
    struct ferry_why why;

    *signs = (struct signs){.bootloader = {.mode = -1}};
    ferry_connection_facts(doctor->session.connection, &facts);
    signs->knows_params = facts.has_params;
    ask_images(doctor, signs);
    ask_echo(doctor, signs);
    session_find_bootloader(&doctor->session, &signs->bootloader);
    signs->knows_bootloader = ask_text(doctor, FERRY_SMP_OS_BOOTLOADER_INFO, NULL, NULL,
                                       "bootloader", signs->boot_name, sizeof signs->boot_name);
    signs->knows_info = ask_text(doctor, FERRY_SMP_OS_INFO, "format", "a", "output", signs->system,
                                 sizeof signs->system);
    if (signs->knows_info && signs->system[0] == '\0') {
        ask_text(doctor, FERRY_SMP_OS_INFO, NULL, NULL, "output", signs->system,
                 sizeof signs->system);
    }
    signs->has_access = doctor_read(doctor, FERRY_SMP_GROUP_ACCESS, FERRY_SMP_ACCESS_STATUS, NULL,
                                    NULL, &answer) == FERRY_OK &&
                        ferry_answer_access_status(answer.payload, &signs->access) == FERRY_OK;
    int error =
        signs->knows_bootloader ? why_ask(&doctor->session, 0, &why, &answer) : FERRY_E_NOT_FOUND;
    signs->keeps_reports = error == FERRY_OK;
}

/* ---- Groups
 * -------------------------------------------------------------------------------------- */

/* "os, image, fs"; "" when the device has no group enum. */
static void ask_groups(struct doctor *doctor, char *out, size_t cap)
{
    struct ferry_client_answer answer;
    struct ferry_cbor_field groups = {.key = "groups", .kind = FERRY_CBOR_LIST};
    struct ferry_cbor_item item;
    int64_t number;
    size_t len = 0;

    out[0] = '\0';
    if (doctor_read(doctor, FERRY_SMP_GROUP_ENUM, FERRY_SMP_ENUM_LIST, NULL, NULL, &answer) !=
            FERRY_OK ||
        ferry_cbor_read_map(answer.payload, &groups, 1) != FERRY_OK || !groups.present) {
        return;
    }
    cJSON *list = cJSON_AddArrayToObject(doctor->facts, "groups");
    struct ferry_cbor_reader reader = ferry_cbor_enter(&groups.item);
    for (size_t i = 0; i < GROUPS_MAX && ferry_cbor_read(&reader, &item) == FERRY_OK; i++) {
        if (ferry_cbor_to_int(&item, &number) == FERRY_OK && len < cap) {
            cJSON_AddItemToArray(list, cJSON_CreateNumber((double)number));
            const char *name = packet_group_name((uint16_t)number);
            len += (size_t)snprintf(out + len, cap - len, "%s%s", i > 0 ? ", " : "",
                                    name != NULL ? name : "");
            if (name == NULL && len < cap) {
                len += (size_t)snprintf(out + len, cap - len, "%u", (unsigned)number);
            }
        }
    }
}

/* ---- Judging
 * ------------------------------------------------------------------------------------- */

static bool begins(const char *text, const char *with)
{
    return strncmp(text, with, strlen(with)) == 0;
}

static bool is_ferry_recovery(const struct signs *signs)
{
    return signs->bootloader.found && signs->bootloader.is_ferry;
}

static bool is_mcuboot(const struct signs *signs)
{
    return signs->bootloader.found && !signs->any_active && !signs->knows_info && !signs->splits;
}

static bool is_ferry(const struct signs *signs)
{
    return signs->keeps_reports || signs->has_access || begins(signs->system, "Ferry");
}

static bool is_zephyr(const struct signs *signs)
{
    return begins(signs->system, "Zephyr");
}

static bool is_mynewt(const struct signs *signs)
{
    return !signs->knows_params && !signs->knows_info && !signs->knows_bootloader &&
           (signs->splits || signs->always_rc);
}

static bool is_old_zephyr(const struct signs *signs)
{
    return !signs->knows_params && !signs->knows_info && !signs->knows_bootloader;
}

static bool is_like_zephyr(const struct signs *signs)
{
    return signs->knows_params;
}

/* The surest sign first. */
static const struct {
    const char *kind;
    const char *words;
    bool (*fits)(const struct signs *signs);
} kinds[] = {
    {"ferry-recovery", "Ferry's recovery: the bootloader, and no application", is_ferry_recovery},
    {"mcuboot-recovery",
     "MCUboot's serial recovery, by the looks of it: the bootloader, and no application",
     is_mcuboot},
    {"ferry", "an application with Ferry's server", is_ferry},
    {"zephyr", "a Zephyr application", is_zephyr},
    {"mynewt", "Mynewt, or another server of newtmgr's time", is_mynewt},
    {"old", "an application with an old server, of Zephyr before 3.3 perhaps", is_old_zephyr},
    {"zephyr-like", "an application with Zephyr's server, or one that speaks like it",
     is_like_zephyr},
};

static size_t kind_of(const struct signs *signs)
{
    size_t i = 0;
    while (i < sizeof kinds / sizeof kinds[0] && !kinds[i].fits(signs)) {
        i++;
    }
    return i;
}

static void add_facts(struct doctor *doctor, const struct signs *signs)
{
    cJSON_AddStringToObject(doctor->facts, "server", doctor->kind);
    if (signs->system[0] != '\0') {
        cJSON_AddStringToObject(doctor->facts, "system", signs->system);
    }
    if (signs->has_access) {
        cJSON_AddStringToObject(doctor->facts, "access", access_level_name(signs->access.level));
    }
    session_add_bootloader(doctor->facts, &signs->bootloader);
}

void doctor_server(struct doctor *doctor, struct doctor_finding *finding)
{
    static const size_t count = sizeof kinds / sizeof kinds[0];
    struct signs signs;
    char groups[160];

    ask(doctor, &signs);
    size_t kind = kind_of(&signs);
    doctor->kind = kind < count ? kinds[kind].kind : "unknown";
    signs.bootloader.found = signs.bootloader.found && kind < 2;
    ask_groups(doctor, groups, sizeof groups);
    add_facts(doctor, &signs);
    const char *words = kind < count ? kinds[kind].words : "a server that does not say what it is";
    if (kind < 2) {
        doctor_warn(finding, "it was asked for, or no image on the device may run",
                    "ferry update FILE; or ferry reset, to start the application", "%s%s%s%s",
                    words, signs.bootloader.way[0] != '\0' ? " (entered by: " : "",
                    signs.bootloader.way, signs.bootloader.way[0] != '\0' ? ")" : "");
        return;
    }
    if (signs.has_access && signs.access.level < FERRY_ACCESS_UPDATE) {
        doctor_warn(finding, "it takes no update of who has not shown a key",
                    "ferry update --unlock KEY FILE; other commands take --unlock KEY, too",
                    "%s, and it is locked%s%s", words, groups[0] != '\0' ? "; groups " : "",
                    groups);
        return;
    }
    doctor_ok(finding, "%s%s%s%s%s", words, signs.system[0] != '\0' ? ": " : "", signs.system,
              groups[0] != '\0' ? "; groups " : "", groups);
}
