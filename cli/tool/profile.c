/* SPDX-License-Identifier: Apache-2.0 */
#include "profile.h"

#include "cli/device/dtls_keys.h"

#include <errno.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

/* mcumgr's own, in the home directory. */
#define MCUMGR_FILE ".mcumgr.cp.json"
#define MCUMGR_MAX  (1u << 20)

static char *format_text(const char *format, ...) __attribute__((format(printf, 1, 2)));

static char *format_text(const char *format, ...)
{
    va_list args;
    char *text;

    va_start(args, format);
    int len = vasprintf(&text, format, args);
    va_end(args);
    if (len < 0) {
        abort(); /* no memory for a line of text */
    }
    return text;
}

char *profile_path(void)
{
    const char *config = getenv("XDG_CONFIG_HOME");
    const char *home = getenv("HOME");

    if (config != NULL && config[0] == '/') {
        return format_text("%s/ferry/profiles.json", config);
    }
    return home != NULL && home[0] != '\0' ? format_text("%s/.config/ferry/profiles.json", home)
                                           : NULL;
}

/* ---- The words of others -----------------------------------------------------------------------
 */

/* The value of a key of "dev=/dev/ttyACM0,baud=115200", on the heap; NULL without it. A part
 * without
 * '=' is the device. */
static char *conn_value(const char *connstring, const char *key)
{
    while (*connstring != '\0') {
        size_t len = strcspn(connstring, ",");
        size_t name = strcspn(connstring, "=,");
        bool named = name < len;

        if (named ? name == strlen(key) && strncmp(connstring, key, name) == 0
                  : strcmp(key, "dev") == 0) {
            size_t skip = named ? name + 1 : 0;
            return strndup(connstring + skip, len - skip);
        }
        connstring += len + (connstring[len] == ',');
    }
    return NULL;
}

/* peer_id=ADDRESS or peer_name=NAME, and ctlr_name=hci1. mcumgr takes the address first. */
static char *uri_of_ble(const char *connstring)
{
    char *address = conn_value(connstring, "peer_id");
    char *name = conn_value(connstring, "peer_name");
    char *adapter = conn_value(connstring, "ctlr_name");
    const char *peer = address != NULL ? address : name;
    char *uri = NULL;

    if (peer != NULL && peer[0] != '\0') {
        uri = format_text("ble:%s%s%s", peer, adapter != NULL ? "?adapter=" : "",
                          adapter != NULL ? adapter : "");
    }
    free(address);
    free(name);
    free(adapter);
    return uri;
}

char *profile_of_mcumgr(const char *type, const char *connstring, const char **why)
{
    char *uri = NULL;

    *why = "types are serial, udp and ble; ferry speaks no CoAP";
    if (strcmp(type, "ble") == 0) {
        *why = "a ble connstring is peer_name=NAME or peer_id=AA:BB:CC:DD:EE:FF";
        uri = uri_of_ble(connstring);
    } else if (strcmp(type, "udp") == 0) {
        uri = format_text("udp:%s", connstring);
    } else if (strcmp(type, "serial") == 0) {
        char *dev = conn_value(connstring, "dev");
        char *baud = conn_value(connstring, "baud");
        *why = "a serial connstring is dev=/dev/ttyACM0,baud=115200";
        if (dev != NULL && dev[0] != '\0') {
            uri = format_text("serial:%s?baud=%s", dev, baud != NULL ? baud : "115200");
        }
        free(dev);
        free(baud);
    }
    return uri;
}

bool profile_use_mcumgr(struct cli *cli)
{
    const char *why;

    if (cli->conn_type == NULL || cli->conn_string == NULL) {
        return true;
    }
    /* It lives as long as the process. */
    cli->device = profile_of_mcumgr(cli->conn_type, cli->conn_string, &why);
    if (cli->device == NULL) {
        (void)cli_fail(cli, CLI_USAGE, why, "--conntype %s with this --connstring cannot be taken",
                       cli->conn_type);
        return false;
    }
    return true;
}

bool profile_use_smpmgr(struct cli *cli, const char *kind, const char *where)
{
    cli->device = format_text("%s:%s", kind, where);
    return true;
}

/* ---- Files -------------------------------------------------------------------------------------
 */

/* Whether a file is there. */
static bool exists(const char *path)
{
    FILE *file = fopen(path, "r");

    if (file == NULL) {
        return errno != ENOENT && errno != ENOTDIR;
    }
    fclose(file);
    return true;
}

/* The profiles of mcumgr, an array; anything else where there are none. tell: a file that holds
 * none is told of, and no more: ours go on without it. */
static cJSON *read_mcumgr(const char *path, bool tell)
{
    FILE *file = path != NULL ? fopen(path, "r") : NULL;
    char *text = file != NULL ? calloc(1, MCUMGR_MAX + 1) : NULL;
    size_t len = text != NULL ? fread(text, 1, MCUMGR_MAX, file) : 0;
    cJSON *json = cJSON_ParseWithLength(text != NULL ? text : "", len);

    if (tell && path != NULL && !cJSON_IsArray(json) && exists(path)) {
        fprintf(stderr, "ferry: warning: %s holds no profiles; mend it, or remove it\n", path);
    }
    free(text);
    if (file != NULL) {
        fclose(file);
    }
    return json;
}

static char *mcumgr_path(void)
{
    const char *home = getenv("HOME");
    return home != NULL ? format_text("%s/" MCUMGR_FILE, home) : NULL;
}

/* The JSON in a file; NULL after a message. */
static cJSON *read_json(const struct cli *cli, const char *path, int *exit_code)
{
    struct cli_buffer text;

    *exit_code = cli_read_file(cli, path, &text);
    if (*exit_code != CLI_OK) {
        return NULL;
    }
    cJSON *json = cJSON_ParseWithLength((const char *)text.data, text.len);
    cli_buffer_free(&text);
    if (json == NULL) {
        *exit_code = cli_fail(cli, CLI_FAILED, "mend it, or remove it", "%s is no JSON", path);
    }
    return json;
}

static bool has_name(const cJSON *list, const char *name)
{
    const cJSON *one;

    cJSON_ArrayForEach(one, list)
    {
        if (strcmp(cJSON_GetStringValue(cJSON_GetObjectItem(one, "name")), name) == 0) {
            return true;
        }
    }
    return false;
}

/* With them: patience, the names of keys for DTLS, and where the passkey is. */
static void add_rest(cJSON *one, const cJSON *profile)
{
    const cJSON *timeout = cJSON_GetObjectItem(profile, "timeout");
    const cJSON *dtls = cJSON_GetObjectItem(profile, "dtls");
    const cJSON *passkey = cJSON_GetObjectItem(profile, "passkey-file");

    if (cJSON_IsNumber(timeout)) {
        cJSON_AddNumberToObject(one, "timeout", cJSON_GetNumberValue(timeout));
    }
    if (cJSON_IsObject(dtls)) {
        cJSON_AddItemToObject(one, "dtls", cJSON_Duplicate(dtls, true));
    }
    if (cJSON_IsString(passkey)) {
        cJSON_AddStringToObject(one, "passkey-file", cJSON_GetStringValue(passkey));
    }
}

static void add(cJSON *list, const char *file, const char *name, const char *device,
                const cJSON *profile)
{
    if (has_name(list, name)) {
        return;
    }
    cJSON *one = cJSON_CreateObject();
    cJSON_AddStringToObject(one, "name", name);
    cJSON_AddStringToObject(one, "device", device);
    add_rest(one, profile);
    cJSON_AddStringToObject(one, "file", file);
    cJSON_AddItemToArray(list, one);
}

static void add_ours(cJSON *list, const char *path, const cJSON *json)
{
    const cJSON *one;

    cJSON_ArrayForEach(one, json)
    {
        const char *device = cJSON_GetStringValue(cJSON_GetObjectItem(one, "device"));
        if (device != NULL && one->string != NULL) {
            add(list, path, one->string, device, one);
        }
    }
}

/* What is of no type of ours is left out. */
static void add_mcumgr(cJSON *list, const char *path, const cJSON *json)
{
    const cJSON *one;

    cJSON_ArrayForEach(one, json)
    {
        const char *name = cJSON_GetStringValue(cJSON_GetObjectItem(one, "MyName"));
        const char *type = cJSON_GetStringValue(cJSON_GetObjectItem(one, "MyType"));
        const char *text = cJSON_GetStringValue(cJSON_GetObjectItem(one, "MyConnString"));
        const char *why;
        if (name != NULL && type != NULL && text != NULL) {
            char *device = profile_of_mcumgr(type, text, &why);
            if (device != NULL) {
                add(list, path, name, device, NULL);
            }
            free(device);
        }
    }
}

cJSON *profile_list(const struct cli *cli, int *exit_code)
{
    char *ours = profile_path();
    char *mcumgr = mcumgr_path();
    cJSON *list = cJSON_CreateArray();

    *exit_code = CLI_OK;
    if (ours != NULL && exists(ours)) {
        cJSON *json = read_json(cli, ours, exit_code);
        add_ours(list, ours, json);
        cJSON_Delete(json);
    }
    if (*exit_code == CLI_OK) {
        cJSON *json = read_mcumgr(mcumgr, true);
        add_mcumgr(list, mcumgr, json);
        cJSON_Delete(json);
    } else {
        cJSON_Delete(list);
        list = NULL;
    }
    free(ours);
    free(mcumgr);
    return list;
}

/* Tell that no profile of this name can be used: mcumgr's may be of a type that ferry does not
 * speak. */
static void tell_missing(const struct cli *cli, const char *name)
{
    char *path = mcumgr_path();
    cJSON *json = read_mcumgr(path, false);
    const cJSON *one;
    const char *type = NULL;

    cJSON_ArrayForEach(one, json)
    {
        const char *its = cJSON_GetStringValue(cJSON_GetObjectItem(one, "MyName"));
        if (its != NULL && strcmp(its, name) == 0) {
            type = cJSON_GetStringValue(cJSON_GetObjectItem(one, "MyType"));
        }
    }
    if (type != NULL) {
        (void)cli_fail_why(cli, CLI_USAGE, "types are serial, udp and ble; ferry speaks no CoAP",
                           "reach the device by one of these",
                           "the profile '%s' of mcumgr has the type %s", name, type);
    } else {
        (void)cli_fail(cli, CLI_USAGE,
                       "see `ferry profile list`; make one: ferry profile add NAME URI",
                       "there is no profile '%s'", name);
    }
    cJSON_Delete(json);
    free(path);
}

/* The names of keys in a profile, for as long as the process lives; NULL without any. */
static const struct cli_dtls *names_of(const cJSON *dtls)
{
    static struct cli_dtls names; /* the last profile's count */

    for (size_t i = 0; i < DTLS_FIELDS; i++) {
        const char *text = cJSON_GetStringValue(cJSON_GetObjectItem(dtls, dtls_fields[i].name));
        free(names.texts[i]);
        names.texts[i] = text != NULL ? strdup(text) : NULL;
    }
    return cJSON_IsObject(dtls) ? &names : NULL;
}

bool profile_use(struct cli *cli, const char *name)
{
    int code;
    cJSON *list = profile_list(cli, &code);
    const cJSON *one;

    if (list == NULL) {
        cli->profile_code = code;
        return false;
    }
    cJSON_ArrayForEach(one, list)
    {
        if (strcmp(cJSON_GetStringValue(cJSON_GetObjectItem(one, "name")), name) == 0) {
            const cJSON *timeout = cJSON_GetObjectItem(one, "timeout");
            cli->device = strdup(cJSON_GetStringValue(cJSON_GetObjectItem(one, "device")));
            const cJSON *passkey = cJSON_GetObjectItem(one, "passkey-file");
            cli->dtls = names_of(cJSON_GetObjectItem(one, "dtls"));
            cli->passkey_file = passkey != NULL ? strdup(cJSON_GetStringValue(passkey)) : NULL;
            if (timeout != NULL && cli->timeout_ms == 0) {
                cli->timeout_ms = (uint32_t)(timeout->valuedouble * 1000.0);
            }
            cJSON_Delete(list);
            return true;
        }
    }
    cJSON_Delete(list);
    tell_missing(cli, name);
    return false;
}
