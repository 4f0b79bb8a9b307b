/* SPDX-License-Identifier: Apache-2.0 */
/* "server" in a layout: what the firmware's SMP server has beyond what every device has. */
#include "layout_read.h"

#include "ferry/access.h"

#include <stdio.h>
#include <string.h>

struct feature {
    const char *field;
    uint32_t flag;
};

static const struct feature features[] = {
    {"shell", FERRY_VCHIP_SHELL},
    {"files", FERRY_VCHIP_FILES},
    {"serial_shell", FERRY_VCHIP_SHELL_SERIAL},
    {"erase_ahead", FERRY_VCHIP_ERASE_AHEAD},
    {"resume", FERRY_VCHIP_RESUME},
    {"direct_upload", FERRY_VCHIP_DIRECT_UPLOAD},
};

static void read_lock(struct json_reader *reader, const cJSON *item, struct layout *layout)
{
    static const char *const names[] = {"open", "locked", "update"}; /* enum ferry_vchip_lock */
    char name[16] = "";

    if (!json_has(item, "lock") || !json_text(reader, item, "lock", name, sizeof(name))) {
        return;
    }
    for (uint32_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
        if (strcmp(name, names[i]) == 0) {
            layout->server.lock = i;
            return;
        }
    }
    (void)json_fail(reader, "lock", "is \"%s\"; give \"open\", \"locked\" or \"update\"", name);
}

/* A name alone could be anybody's who has it by another way. */
static bool has_kind(const char *identity)
{
    static const char *const kinds[] = {"psk:", "cert:", "ble:"};

    for (size_t i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++) {
        size_t len = strlen(kinds[i]);

        if (strncmp(identity, kinds[i], len) == 0 && identity[len] != '\0') {
            return true;
        }
    }
    return false;
}

static void read_grant(struct json_reader *reader, const cJSON *item,
                       struct ferry_vchip_grant *grant)
{
    char level[16] = "";

    if (!json_only(reader, item, "identity level") ||
        !json_text(reader, item, "identity", grant->identity, sizeof(grant->identity)) ||
        !json_text(reader, item, "level", level, sizeof(level))) {
        return;
    }
    if (!has_kind(grant->identity)) {
        (void)json_fail(reader, "identity",
                        "is \"%s\"; give what proves it, too: \"psk:NAME\", \"cert:NAME\" (common "
                        "name) or \"ble:AA:BB:CC:DD:EE:FF\"",
                        grant->identity);
        return;
    }
    if (strcmp(level, "update") == 0) {
        grant->level = FERRY_ACCESS_UPDATE;
    } else if (strcmp(level, "service") == 0) {
        grant->level = FERRY_ACCESS_SERVICE;
    } else {
        (void)json_fail(reader, "level", "is \"%s\"; give \"update\" or \"service\"", level);
    }
}

/* Who may do more at once, where something is locked. */
static void read_grants(struct json_reader *reader, const cJSON *item, struct layout *layout)
{
    const cJSON *array = NULL;
    const cJSON *one;
    uint32_t count = 0;
    uint32_t i = 0;

    if (!json_array(reader, item, "peers", 0, FERRY_VCHIP_GRANTS, &array, &count) || count == 0) {
        return;
    }
    if (layout->server.lock == FERRY_VCHIP_OPEN) {
        (void)json_fail(reader, "peers",
                        "of an open device may do no more than others; give \"lock\"");
        return;
    }
    cJSON_ArrayForEach(one, array)
    {
        (void)snprintf(reader->where, sizeof(reader->where), "server.peers[%u]", i);
        read_grant(reader, one, &layout->server.grants[i]);
        i++;
    }
    (void)snprintf(reader->where, sizeof(reader->where), "server");
}

/* Limits on UDP are on where something is locked, unless told otherwise: an open device answers
 * everybody everything. */
static void read_limits(struct json_reader *reader, const cJSON *item, struct layout *layout)
{
    bool on = layout->server.lock != FERRY_VCHIP_OPEN;

    if (json_has(item, "udp_limits")) {
        (void)json_flag(reader, item, "udp_limits", &on);
    }
    layout->flags |= on ? FERRY_VCHIP_UDP_LIMITS : 0;
}

void layout_read_server(struct json_reader *reader, const cJSON *root, struct layout *layout)
{
    const cJSON *item = cJSON_GetObjectItemCaseSensitive(root, "server");

    if (item == NULL) {
        return;
    }
    (void)snprintf(reader->where, sizeof(reader->where), "server");
    (void)json_only(reader, item,
                    "shell files serial_shell erase_ahead resume direct_upload lock unlock_key "
                    "udp_limits peers");
    for (size_t i = 0; i < sizeof(features) / sizeof(features[0]); i++) {
        bool on = false;

        if (json_flag(reader, item, features[i].field, &on) && on) {
            layout->flags |= features[i].flag;
        }
    }
    read_lock(reader, item, layout);
    read_limits(reader, item, layout);
    read_grants(reader, item, layout);
    if (json_has(item, "unlock_key")) {
        (void)json_text(reader, item, "unlock_key", layout->server.unlock_key,
                        sizeof(layout->server.unlock_key));
    }
    reader->where[0] = '\0';
}
