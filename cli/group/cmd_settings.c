/* SPDX-License-Identifier: Apache-2.0 */
/* ferry config; ferry settings read, write, delete, commit, load, save */
#include "setting_value.h"
#include "ask.h"

#include "ferry/commands_settings.h"

#include <stdlib.h>
#include <string.h>

/* What the command line of read, write and config gives. */
struct setting {
    const char *name;
    const char *type; /* NULL: by what the value looks like */
    bool as_text;     /* sent as a CBOR text */
    uint32_t max_size;
    struct cli_buffer value;
};

/* ---- read ---------------------------------------------------------------------------------- */

static int32_t ask_read(struct ferry_client *client, const void *context)
{
    const struct setting *setting = context;
    return ferry_command_setting_read(client, setting->name, setting->max_size, NULL);
}

/* The value of an answer as heap memory; after a message NULL. */
static char *take_value(const struct cli *cli, struct ferry_bytes payload,
                        struct ferry_setting_value *value, size_t *len)
{
    int error = ferry_answer_setting(payload, value);
    char *bytes = error == FERRY_OK ? ask_copy(&value->value, len) : NULL;
    if (bytes == NULL) {
        (void)ask_unreadable(cli, error != FERRY_OK ? error : FERRY_E_FORMAT);
    }
    return bytes;
}

static int print_value(const struct cli *cli, struct ferry_bytes payload, const void *context)
{
    (void)context;
    struct ferry_setting_value value;
    size_t len;
    char *bytes = take_value(cli, payload, &value, &len);
    if (bytes == NULL) {
        return CLI_NO_ANSWER;
    }
    setting_value_print((struct ferry_bytes){(uint8_t *)bytes, len});
    if (value.limited) {
        fprintf(stderr, "ferry: the device gives %llu bytes of a value at most; it may be longer\n",
                (unsigned long long)value.max_size);
    }
    free(bytes);
    return CLI_OK;
}

static int json_value(const struct cli *cli, struct ferry_bytes payload, const void *context)
{
    const struct setting *setting = context;
    struct ferry_setting_value value;
    size_t len;
    char *bytes = take_value(cli, payload, &value, &len);
    char *hex = bytes != NULL ? malloc(2 * len + 1) : NULL;
    if (hex == NULL) {
        free(bytes);
        return CLI_NO_ANSWER;
    }
    cJSON *object = cJSON_CreateObject();
    cli_hex((uint8_t *)bytes, len, hex);
    cJSON_AddStringToObject(object, "name", setting->name);
    cJSON_AddStringToObject(object, "val", hex);
    if (ask_is_text((struct ferry_bytes){(uint8_t *)bytes, len})) {
        cJSON_AddStringToObject(object, "text", bytes);
    }
    if (value.limited) {
        ask_add_number(object, "max_size", value.max_size);
    }
    cli_print_json(object);
    free(hex);
    free(bytes);
    return CLI_OK;
}

static int read_setting(struct cli *cli, const struct setting *setting)
{
    static const struct ask ask = {
        .what = "read the setting", .request = ask_read, .print = print_value, .json = json_value};
    return ask_device(cli, &ask, setting);
}

static int run_read(struct cli *cli, int argc, char **argv)
{
    static const struct option own[] = {{"max-size", required_argument, NULL, 'm'}, {0}};
    struct setting setting = {0};
    int option;

    optind = 0;
    while ((option = cli_getopt(cli, argc, argv, "", own)) != -1) {
        if (option == '?') {
            return CLI_USAGE;
        }
        if (cli_number(optarg, UINT32_MAX, &setting.max_size) != FERRY_OK ||
            setting.max_size == 0) {
            return cli_usage(cli, "--max-size takes a number of bytes");
        }
    }
    if (argc - optind != 1) {
        return cli_usage(cli, "read needs one KEY");
    }
    setting.name = argv[optind];
    return read_setting(cli, &setting);
}

/* ---- write --------------------------------------------------------------------------------- */

static int32_t ask_write(struct ferry_client *client, const void *context)
{
    const struct setting *setting = context;
    if (setting->as_text) {
        return ferry_command_setting_write_text(client, setting->name,
                                                (const char *)setting->value.data, NULL);
    }
    return ferry_command_setting_write(
        client, setting->name, (struct ferry_bytes){setting->value.data, setting->value.len}, NULL);
}

static int write_setting(struct cli *cli, struct setting *setting, const char *text)
{
    static const struct ask ask = {
        .what = "write the setting", .request = ask_write, .done = "written"};
    int code = setting->as_text ? setting_value_read(cli, "text", text, &setting->value)
                                : setting_value_read(cli, setting->type, text, &setting->value);
    if (code == CLI_OK) {
        if (setting->as_text) {
            setting->value.data[setting->value.len] = '\0';
        }
        code = ask_device(cli, &ask, setting);
    }
    cli_buffer_free(&setting->value);
    return code;
}

/* The options of write and config. Returns an enum cli_exit. */
static int write_options(struct cli *cli, int argc, char **argv, struct setting *setting)
{
    static const struct option own[] = {{"type", required_argument, NULL, 't'},
                                        {"hex", no_argument, NULL, 'x'},
                                        {"int", no_argument, NULL, 'i'},
                                        {"as-text", no_argument, NULL, 'T'},
                                        {0}};
    int option;

    /* mcumgr-client's word takes hexadecimal */
    setting->type = strcmp(cli->called, "settings-write") == 0 ? "hex" : NULL;
    optind = 0;
    while ((option = cli_getopt(cli, argc, argv, "", own)) != -1) {
        if (option == '?') {
            return CLI_USAGE;
        }
        setting->type = option == 't'   ? optarg
                        : option == 'x' ? "hex"
                        : option == 'i' ? "i32"
                                        : setting->type;
        setting->as_text = setting->as_text || option == 'T';
    }
    return CLI_OK;
}

static int run_write(struct cli *cli, int argc, char **argv)
{
    struct setting setting = {0};
    int code = write_options(cli, argc, argv, &setting);
    if (code != CLI_OK) {
        return code;
    }
    if (argc - optind != 2) {
        return cli_usage(cli, "write needs a KEY and a VALUE");
    }
    setting.name = argv[optind];
    return write_setting(cli, &setting, argv[optind + 1]);
}

/* mcumgr's word for both. */
static int run_config(struct cli *cli, int argc, char **argv)
{
    struct setting setting = {0};
    int code = write_options(cli, argc, argv, &setting);
    if (code != CLI_OK) {
        return code;
    }
    if (argc - optind < 1 || argc - optind > 2) {
        return cli_usage(cli, "config needs a KEY, and a VALUE to write it");
    }
    setting.name = argv[optind];
    return argc - optind == 1 ? read_setting(cli, &setting)
                              : write_setting(cli, &setting, argv[optind + 1]);
}

/* ---- delete, commit, load, save -------------------------------------------------------------- */

static bool is_not_found(const struct ferry_smp_status *status)
{
    return status->grouped ? status->group == FERRY_SMP_GROUP_SETTINGS && status->rc == 3
                           : status->rc == FERRY_RC_NO_ENTRY;
}

/* A key that is not found by the second try was deleted by the first. */
static int delete_setting(struct session *session, const char *name)
{
    struct ferry_client_answer answer;
    int32_t ticket = ferry_command_setting_delete(session->client, name, NULL);
    int error = session_ask(session, ticket, &answer);

    if (error == FERRY_OK || (ticket > 0 && error == FERRY_E_REFUSED && answer.tries > 1 &&
                              is_not_found(&answer.status))) {
        return ask_done(session->cli, "deleted");
    }
    if (ticket < 0) {
        return cli_fail_error(session->cli, CLI_USAGE, ticket, "cannot delete the setting");
    }
    return error == FERRY_E_IO ? session_gone(session, "delete the setting")
                               : session_fail(session, "delete the setting", &answer);
}

static int run_delete(struct cli *cli, int argc, char **argv)
{
    struct session session;
    int code = ask_words(cli, argc, argv, 1, 1);
    code = code == CLI_OK ? session_open(cli, &session) : code;
    if (code == CLI_OK) {
        code = delete_setting(&session, argv[optind]);
        session_close(&session);
    }
    return code;
}

static int run_commit(struct cli *cli, int argc, char **argv)
{
    static const struct ask ask = {
        .what = "commit the settings", .plain = ferry_command_settings_commit, .done = "committed"};
    int code = ask_words(cli, argc, argv, 0, 0);
    return code == CLI_OK ? ask_device(cli, &ask, NULL) : code;
}

static int run_load(struct cli *cli, int argc, char **argv)
{
    static const struct ask ask = {
        .what = "load the settings", .plain = ferry_command_settings_load, .done = "loaded"};
    int code = ask_words(cli, argc, argv, 0, 0);
    return code == CLI_OK ? ask_device(cli, &ask, NULL) : code;
}

static int run_save(struct cli *cli, int argc, char **argv)
{
    static const struct ask ask = {
        .what = "save the settings", .named = ferry_command_settings_save, .done = "saved"};
    static const struct option own[] = {{"name", required_argument, NULL, 'n'}, {0}};
    const char *name = NULL;
    int option;

    optind = 0;
    while ((option = cli_getopt(cli, argc, argv, "", own)) != -1) {
        if (option == '?') {
            return CLI_USAGE;
        }
        name = optarg;
    }
    if (argc - optind > (name == NULL)) {
        return cli_usage(cli, "save takes at most one KEY");
    }
    return ask_device(cli, &ask, optind < argc ? argv[optind] : name);
}

#define VALUE_OPTIONS                                                                                 \
    "      --type TYPE      text, hex, bool, u8 … u64, i8 … i64 (little-endian); else VALUE is\n" \
    "                       @FILE, 0x… for bytes in hexadecimal, or a text\n"                       \
    "      --hex            the same as --type hex\n"                                                 \
    "      --int            the same as --type i32\n"                                                 \
    "      --as-text        send a text in place of bytes, as Mynewt's servers want\n"

const struct cli_command cli_settings_commands[] = {
    {"settings read", "KEY", "the value of a setting", "      --max-size N     most bytes wanted\n",
     run_read},
    {"settings write", "KEY VALUE", "change a setting; save it to keep it after a reset",
     VALUE_OPTIONS, run_write},
    {"settings delete", "KEY", "back to the default, as the device understands it", "", run_delete},
    {"settings commit", "", "have the device apply what was written", "", run_commit},
    {"settings load", "", "take back what is stored", "", run_load},
    {"settings save", "[KEY]", "store all settings, or KEY and what is below it",
     "      --name KEY       the same as KEY\n", run_save},
    {"config", "KEY [VALUE]", "read or write a setting, in mcumgr's word", VALUE_OPTIONS,
     run_config},
    {0},
};
