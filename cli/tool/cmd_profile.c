/* SPDX-License-Identifier: Apache-2.0 */
/* ferry profile add, list, remove */
#include "profile.h"

#include "cli/device/dtls_keys.h"

#include "port/posix/transport.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* Profiles are of one person. */
#define FOLDER_MODE 0700
#define FILE_MODE   0600

/* ---- The file
 * ------------------------------------------------------------------------------------ */

/* Make the folders of a path. */
static void make_folders(char *path)
{
    for (char *slash = strchr(path + 1, '/'); slash != NULL; slash = strchr(slash + 1, '/')) {
        *slash = '\0';
        (void)mkdir(path, FOLDER_MODE);
        *slash = '/';
    }
}

/* Our own profiles, an object; empty when there is no file. NULL after a message. */
static cJSON *load(const struct cli *cli, const char *path, int *code)
{
    struct stat there;
    struct cli_buffer text;

    *code = CLI_OK;
    if (stat(path, &there) != 0 && errno == ENOENT) {
        return cJSON_CreateObject();
    }
    *code = cli_read_file(cli, path, &text);
    if (*code != CLI_OK) {
        return NULL;
    }
    cJSON *json = cJSON_ParseWithLength((const char *)text.data, text.len);
    cli_buffer_free(&text);
    if (!cJSON_IsObject(json)) {
        cJSON_Delete(json);
        *code = cli_fail(cli, CLI_FAILED, "mend it, or remove it", "%s holds no profiles", path);
        return NULL;
    }
    return json;
}

static int save(const struct cli *cli, char *path, const cJSON *json)
{
    char *text = cJSON_Print(json);

    make_folders(path);
    int code = cli_write_file(cli, path, (const uint8_t *)text, strlen(text), FILE_MODE);
    cJSON_free(text);
    return code;
}

/* Change our profiles by a function, which returns an exit code. */
static int change(struct cli *cli, int (*edit)(struct cli *cli, cJSON *json, void *context),
                  void *context)
{
    char *path = profile_path();
    int code;

    if (path == NULL) {
        return cli_fail(cli, CLI_FAILED, "set HOME", "there is no home folder for profiles");
    }
    cJSON *json = load(cli, path, &code);
    if (json != NULL) {
        code = edit(cli, json, context);
        code = code == CLI_OK ? save(cli, path, json) : code;
    }
    cJSON_Delete(json);
    free(path);
    return code;
}

/* ---- add
 * ------------------------------------------------------------------------------------------ */

struct profile {
    const char *name;
    char *device;
    double timeout;          /* seconds; 0 = computed */
    char *keys[DTLS_FIELDS]; /* names of keys for DTLS; NULL = not given */
    char *passkey_file;      /* for Bluetooth LE; NULL = not given */
};

static void put_keys(cJSON *object, const struct profile *profile)
{
    cJSON *dtls = NULL;

    if (profile->passkey_file != NULL) {
        cJSON_AddStringToObject(object, "passkey-file", profile->passkey_file);
    }
    for (size_t i = 0; i < DTLS_FIELDS; i++) {
        if (profile->keys[i] != NULL) {
            dtls = dtls != NULL ? dtls : cJSON_AddObjectToObject(object, "dtls");
            cJSON_AddStringToObject(dtls, dtls_fields[i].name, profile->keys[i]);
        }
    }
}

static int put(struct cli *cli, cJSON *json, void *context)
{
    const struct profile *profile = context;
    cJSON *one = cJSON_CreateObject();

    (void)cli;
    cJSON_AddStringToObject(one, "device", profile->device);
    if (profile->timeout > 0) {
        cJSON_AddNumberToObject(one, "timeout", profile->timeout);
    }
    put_keys(one, profile);
    cJSON_DeleteItemFromObjectCaseSensitive(json, profile->name);
    cJSON_AddItemToObject(json, profile->name, one);
    return CLI_OK;
}

/* The device: URI, or mcumgr's type=serial connstring=…; on the heap. NULL after a message. */
static char *device_of(struct cli *cli, int count, char **words)
{
    const char *type = NULL;
    const char *connstring = NULL;
    const char *why = "give a URI, or type=serial connstring=dev=/dev/ttyACM0,baud=115200";
    char *device = NULL;

    for (int i = 0; i < count; i++) {
        type = strncmp(words[i], "type=", 5) == 0 ? words[i] + 5 : type;
        connstring = strncmp(words[i], "connstring=", 11) == 0 ? words[i] + 11 : connstring;
    }
    if (type != NULL && connstring != NULL && count == 2) {
        device = profile_of_mcumgr(type, connstring, &why);
    } else if (type == NULL && connstring == NULL && count == 1) {
        device = strdup(words[0]);
    }
    if (device == NULL) {
        (void)cli_usage(cli, why);
    }
    return device;
}

/* A relative path of a port leads nowhere from another folder. */
static void make_absolute(char **device, const struct ferry_transport_address *address)
{
    bool has_path =
        address->medium == FERRY_TRANSPORT_SERIAL || address->medium == FERRY_TRANSPORT_UNIX;
    char *at = strstr(*device, address->path);
    char *here = has_path && address->path[0] != '/' && at != NULL ? getcwd(NULL, 0) : NULL;
    char *whole;

    if (here != NULL && asprintf(&whole, "%.*s%s/%s", (int)(at - *device), *device, here, at) > 0) {
        free(*device);
        *device = whole;
    }
    free(here);
}

/* The options for keys: each takes a name or a file, whose path is stored whole. */
enum { OPTION_KEYS = 256, OPTION_PASSKEY = OPTION_KEYS + DTLS_FIELDS };

static int take_key(struct cli *cli, const char *text, bool is_file, char **key)
{
    free(*key);
    *key = is_file ? realpath(text, NULL) : strdup(text);
    return *key != NULL ? CLI_OK
                        : cli_fail(cli, CLI_FAILED, "check its path", "cannot find %s: %s", text,
                                   strerror(errno));
}

static int take_keys(struct cli *cli, int argc, char **argv, struct profile *profile)
{
    struct option own[DTLS_FIELDS + 2] = {{0}};
    int code = CLI_OK;
    int option;

    for (int i = 0; i < DTLS_FIELDS; i++) {
        own[i] = (struct option){dtls_fields[i].name, required_argument, NULL, OPTION_KEYS + i};
    }
    own[DTLS_FIELDS] = (struct option){"passkey-file", required_argument, NULL, OPTION_PASSKEY};
    optind = 0;
    while (code == CLI_OK && (option = cli_getopt(cli, argc, argv, "", own)) != -1) {
        int i = option - OPTION_KEYS;
        if (option == OPTION_PASSKEY) {
            code = take_key(cli, optarg, true, &profile->passkey_file);
        } else if (i >= 0 && i < DTLS_FIELDS) {
            code = take_key(cli, optarg, dtls_fields[i].is_file, &profile->keys[i]);
        } else {
            code = CLI_USAGE;
        }
    }
    return code;
}

static bool has_keys(const struct profile *profile)
{
    for (size_t i = 0; i < DTLS_FIELDS; i++) {
        if (profile->keys[i] != NULL) {
            return true;
        }
    }
    return false;
}

static void tell_added(const struct cli *cli, const struct profile *profile)
{
    if (cli->json) {
        cJSON *object = cJSON_CreateObject();
        cJSON_AddStringToObject(object, "name", profile->name);
        cJSON_AddStringToObject(object, "device", profile->device);
        put_keys(object, profile);
        cli_print_json(object);
    } else {
        printf("%s is %s: ferry -c %s image list\n", profile->name, profile->device, profile->name);
    }
}

static int check_and_save(struct cli *cli, struct profile *profile)
{
    struct ferry_transport_address address;
    const char *given, *missing;
    char why[256];

    if (ferry_transport_parse(profile->device, &address, why, sizeof why) != FERRY_OK) {
        return cli_fail(cli, CLI_USAGE, why, "cannot read the URI '%s'", profile->device);
    }
    if (has_keys(profile) && address.medium != FERRY_TRANSPORT_DTLS) {
        return cli_fail(cli, CLI_USAGE, "write dtls:HOST[:PORT], or leave them out",
                        "keys are for devices that speak DTLS, and %s is none", profile->device);
    }
    if (dtls_keys_lack(profile->keys, &given, &missing)) {
        return cli_fail(cli, CLI_USAGE, "give both, or neither",
                        "--%s is given, and --%s, which it needs, is not", given, missing);
    }
    if (profile->passkey_file != NULL && address.medium != FERRY_TRANSPORT_BLE) {
        return cli_fail(cli, CLI_USAGE, "write ble:NAME, or leave it out",
                        "a passkey is for devices of Bluetooth LE, and %s is none",
                        profile->device);
    }
    make_absolute(&profile->device, &address);
    int code = change(cli, put, profile);
    if (code == CLI_OK) {
        tell_added(cli, profile);
    }
    return code;
}

static int add_profile(struct cli *cli, int argc, char **argv, struct profile *profile)
{
    int code = take_keys(cli, argc, argv, profile);

    if (code != CLI_OK) {
        return code;
    }
    if (argc - optind < 2) {
        return cli_usage(cli, "profile add needs a NAME and a URI");
    }
    profile->name = argv[optind];
    profile->device = device_of(cli, argc - optind - 1, argv + optind + 1);
    profile->timeout = cli->timeout_ms / 1000.0;
    return profile->device != NULL ? check_and_save(cli, profile) : CLI_USAGE;
}

static int run_add(struct cli *cli, int argc, char **argv)
{
    struct profile profile = {0};
    int code = add_profile(cli, argc, argv, &profile);

    for (size_t i = 0; i < DTLS_FIELDS; i++) {
        free(profile.keys[i]);
    }
    free(profile.passkey_file);
    free(profile.device);
    return code;
}

/* ---- list, remove
 * --------------------------------------------------------------------------------- */

static int run_list(struct cli *cli, int argc, char **argv)
{
    static const struct option own[] = {{0}};
    const cJSON *one;
    int code;

    optind = 0;
    if (cli_getopt(cli, argc, argv, "", own) != -1) {
        return CLI_USAGE;
    }
    if (optind != argc) {
        return cli_usage(cli, "profile list takes no argument");
    }
    cJSON *list = profile_list(cli, &code);
    if (list == NULL) {
        return code;
    }
    if (cli->json) {
        cJSON *object = cJSON_CreateObject();
        cJSON_AddItemToObject(object, "profiles", list);
        cli_print_json(object);
        return CLI_OK;
    }
    cJSON_ArrayForEach(one, list)
    {
        printf("%-16s %s\n", cJSON_GetStringValue(cJSON_GetObjectItem(one, "name")),
               cJSON_GetStringValue(cJSON_GetObjectItem(one, "device")));
    }
    if (cJSON_GetArraySize(list) == 0) {
        puts("no profile yet; make one: ferry profile add NAME URI");
    }
    cJSON_Delete(list);
    return CLI_OK;
}

static int drop(struct cli *cli, cJSON *json, void *context)
{
    const char *name = context;

    if (cJSON_GetObjectItemCaseSensitive(json, name) == NULL) {
        return cli_fail(cli, CLI_USAGE, "see `ferry profile list`; those of mcumgr are not removed",
                        "there is no profile '%s' of ferry's own", name);
    }
    cJSON_DeleteItemFromObjectCaseSensitive(json, name);
    return CLI_OK;
}

static int run_remove(struct cli *cli, int argc, char **argv)
{
    static const struct option own[] = {{0}};

    optind = 0;
    if (cli_getopt(cli, argc, argv, "", own) != -1) {
        return CLI_USAGE;
    }
    if (argc - optind != 1) {
        return cli_usage(cli, "profile remove needs one NAME");
    }
    int code = change(cli, drop, argv[optind]);
    if (code == CLI_OK && cli->json) {
        cJSON *object = cJSON_CreateObject();
        cJSON_AddStringToObject(object, "removed", argv[optind]);
        cli_print_json(object);
    } else if (code == CLI_OK) {
        printf("%s is forgotten\n", argv[optind]);
    }
    return code;
}

const struct cli_command cli_profile_commands[] = {
    {"profile add", "NAME URI",
     "remember a device (and -t S with it): ferry -c NAME …; also type=… connstring=…",
     "  --psk-identity ID    of a dtls: device: who we are to it, and in which file\n"
     "  --psk-file FILE      the key is, in hexadecimal digits; only its owner may read it\n"
     "  --ca FILE            PEM: who signed the device's certificate, or that certificate\n"
     "  --cert FILE          PEM: our own certificate, where the device demands one\n"
     "  --key FILE           PEM: its key; only its owner may read it\n"
     "  --name NAME          the name in the device's certificate (default: the URI's host;\n"
     "                       '*': any)\n"
     "  --passkey-file FILE  of a ble: device: in which file its passkey is, six digits\n",
     run_add},
    {"profile list", "", "the devices that are remembered, mcumgr's own among them", "", run_list},
    {"profile remove", "NAME", "forget one", "", run_remove},
    {0},
};
