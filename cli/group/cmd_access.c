/* SPDX-License-Identifier: Apache-2.0 */
/* ferry unlock, lock, access: the gate of a device. */
#include "cli/device/unlock.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>

/* ---- Unlock --------------------------------------------------------------------------------- */

static void print_unlocked(const struct cli *cli, const struct unlock *unlock,
                           const struct ferry_access_status *status)
{
    char hex[2 * FERRY_ACCESS_ID_MAX + 1];

    unlock_id_in_hex(&unlock->challenge, hex);
    if (cli->json) {
        cJSON *object = cJSON_CreateObject();
        cJSON_AddStringToObject(object, "level", access_level_name(status->level));
        cJSON_AddNumberToObject(object, "left", status->left_s);
        cJSON_AddStringToObject(object, "id", hex);
        cJSON_AddNumberToObject(object, "transport", unlock->challenge.transport);
        cli_print_json(object);
        return;
    }
    printf("unlocked: %s for %u seconds\ndevice: %s\n", access_level_name(status->level),
           (unsigned)status->left_s, hex);
}

/* It is true, and of no use to the next command. */
static void tell_what_ends(const struct session *session)
{
    if (!access_outlives(session)) {
        fprintf(stderr,
                "ferry: over this wire an unlock ends with its link, and so with this command\n"
                "  next: give the command that needs it --unlock KEY: ferry image erase --unlock "
                "KEY\n");
    }
}

/* "90", "90s", "10m", "2h". Returns FERRY_OK or FERRY_E_RANGE. */
static int read_time(const char *text, uint32_t *seconds)
{
    static const struct {
        const char *unit;
        uint32_t seconds;
    } units[] = {{"", 1}, {"s", 1}, {"m", 60}, {"h", 3600}};
    char *end = NULL;
    unsigned long number = strtoul(text, &end, 10);

    for (size_t i = 0; isdigit((unsigned char)text[0]) && i < sizeof units / sizeof units[0]; i++) {
        if (strcmp(end, units[i].unit) == 0 && number > 0 &&
            number <= UINT32_MAX / units[i].seconds) {
            *seconds = (uint32_t)number * units[i].seconds;
            return FERRY_OK;
        }
    }
    return FERRY_E_RANGE;
}

static int read_unlock(struct cli *cli, int argc, char **argv, struct unlock *unlock)
{
    static const struct option own[] = {{"key", required_argument, NULL, 'k'},
                                        {"level", required_argument, NULL, 'l'},
                                        {"for", required_argument, NULL, 'f'},
                                        {"id", required_argument, NULL, 'i'},
                                        {0}};
    int option;

    optind = 0;
    while ((option = cli_getopt(cli, argc, argv, "k:", own)) != -1) {
        if (option == '?') {
            return CLI_USAGE;
        }
        if (option == 'l' && !access_level_find(optarg, &unlock->level)) {
            return cli_usage(cli, "--level takes \"update\" or \"service\"");
        }
        if (option == 'f' && read_time(optarg, &unlock->seconds) != FERRY_OK) {
            return cli_usage(cli, "--for takes a time above 0, as 90s, 10m or 1h");
        }
        unlock->key_path = option == 'k' ? optarg : unlock->key_path;
        unlock->id = option == 'i' ? optarg : unlock->id;
    }
    return unlock->key_path != NULL && optind == argc ? CLI_OK
                                                      : cli_usage(cli, "unlock needs -k KEY");
}

static int run_unlock(struct cli *cli, int argc, char **argv)
{
    struct unlock unlock = {0};
    struct ferry_access_status status;
    struct session session;
    int code = read_unlock(cli, argc, argv, &unlock);

    if (code == CLI_OK) {
        code = unlock_load(cli, &unlock);
    }
    if (code != CLI_OK) {
        return code;
    }
    code = session_open(cli, &session);
    if (code == CLI_OK) {
        code = unlock_device(&session, &unlock, &status);
        if (code == CLI_OK) {
            print_unlocked(cli, &unlock, &status);
            tell_what_ends(&session);
        }
        session_close(&session);
    }
    key_free(&unlock.key);
    return code;
}

/* ---- Lock ----------------------------------------------------------------------------------- */

static int no_arguments(struct cli *cli, int argc, char **argv)
{
    static const struct option own[] = {{0}};

    optind = 0;
    if (cli_getopt(cli, argc, argv, "", own) != -1) {
        return CLI_USAGE;
    }
    return optind == argc ? CLI_OK : cli_usage(cli, "it takes no argument");
}

static int run_lock(struct cli *cli, int argc, char **argv)
{
    struct ferry_access_status status;
    struct ferry_client_answer answer = {0};
    struct session session;
    int code = no_arguments(cli, argc, argv);

    if (code != CLI_OK || (code = session_open(cli, &session)) != CLI_OK) {
        return code;
    }
    int error = session_ask(&session, ferry_command_access_lock(session.client, NULL), &answer);
    if (error == FERRY_OK) {
        error = ferry_answer_access_status(answer.payload, &status);
    }
    if (error != FERRY_OK) {
        code = access_fail(&session, error, "lock the device", &answer);
    } else if (cli->json) {
        cJSON *object = cJSON_CreateObject();
        cJSON_AddStringToObject(object, "level", access_level_name(status.level));
        cli_print_json(object);
    } else {
        printf("level: %s\n", access_level_name(status.level));
    }
    session_close(&session);
    return code;
}

/* ---- Access --------------------------------------------------------------------------------- */

static void print_status(const struct session *session, const struct ferry_access_status *status)
{
    printf("level:    %s", access_level_name(status->level));
    if (status->left_s > 0) {
        printf(", %u seconds left, then %s", (unsigned)status->left_s,
               access_level_name(status->lowest));
    }
    putchar('\n');
    if (status->highest > status->lowest) {
        printf("unlocks:  up to %s: %s\n", access_level_name(status->highest),
               access_outlives(session) ? "ferry unlock -k KEY" : "a command with --unlock KEY");
    } else {
        puts("unlocks:  never on this connection");
    }
    if (status->has_key) {
        printf("this key: up to %s, for %u seconds\n", access_level_name(status->max_level),
               (unsigned)status->max_seconds);
    }
}

static void print_audit(const struct ferry_access_audit *audit)
{
    printf("granted:  %u, failed %u\nrefused:  %u commands", (unsigned)audit->unlocks,
           (unsigned)audit->failed, (unsigned)audit->refused);
    if (audit->refused > 0) {
        printf(", the last: group %u (%s), command %u, %s", (unsigned)audit->last_group,
               ferry_smp_group_name((uint16_t)audit->last_group), (unsigned)audit->last_command,
               audit->last_op == FERRY_SMP_READ ? "read" : "write");
    }
    putchar('\n');
}

static void print_access_json(const struct ferry_access_status *status,
                              const struct ferry_access_audit *audit)
{
    cJSON *object = cJSON_CreateObject();

    cJSON_AddStringToObject(object, "level", access_level_name(status->level));
    cJSON_AddStringToObject(object, "lowest", access_level_name(status->lowest));
    cJSON_AddStringToObject(object, "highest", access_level_name(status->highest));
    cJSON_AddNumberToObject(object, "left", status->left_s);
    if (status->has_key) {
        cJSON_AddStringToObject(object, "max_level", access_level_name(status->max_level));
        cJSON_AddNumberToObject(object, "max_seconds", status->max_seconds);
    }
    if (audit != NULL) {
        cJSON *counters = cJSON_AddObjectToObject(object, "audit");
        cJSON_AddNumberToObject(counters, "transport", audit->transport);
        cJSON_AddNumberToObject(counters, "refused", audit->refused);
        cJSON_AddNumberToObject(counters, "unlocks", audit->unlocks);
        cJSON_AddNumberToObject(counters, "failed", audit->failed);
        if (audit->refused > 0) {
            cJSON_AddNumberToObject(counters, "last_group", audit->last_group);
            cJSON_AddNumberToObject(counters, "last_command", audit->last_command);
            cJSON_AddNumberToObject(counters, "last_op", audit->last_op);
        }
    }
    cli_print_json(object);
}

/* The counters are for some only: whoever may not see them does not. */
static int show(struct session *session, const struct unlock *unlock)
{
    struct ferry_access_status status;
    struct ferry_access_audit audit;
    struct ferry_client_answer answer = {0};
    const uint8_t *key = unlock->key_path != NULL ? unlock_raw_key(unlock) : NULL;
    int error =
        session_ask(session, ferry_command_access_status(session->client, key, NULL), &answer);

    if (error == FERRY_OK) {
        error = ferry_answer_access_status(answer.payload, &status);
    }
    if (error != FERRY_OK) {
        return access_fail(session, error, "read the device's access", &answer);
    }
    error = session_ask(session, ferry_command_access_audit(session->client, -1, NULL), &answer);
    if (error == FERRY_OK) {
        error = ferry_answer_access_audit(answer.payload, &audit);
    }
    if (session->cli->json) {
        print_access_json(&status, error == FERRY_OK ? &audit : NULL);
        return CLI_OK;
    }
    print_status(session, &status);
    if (error == FERRY_OK) {
        print_audit(&audit);
    }
    return CLI_OK;
}

static int read_access(struct cli *cli, int argc, char **argv, struct unlock *unlock)
{
    static const struct option own[] = {{"key", required_argument, NULL, 'k'}, {0}};
    int option;

    optind = 0;
    while ((option = cli_getopt(cli, argc, argv, "k:", own)) != -1) {
        if (option == '?') {
            return CLI_USAGE;
        }
        unlock->key_path = optarg;
    }
    return optind == argc ? CLI_OK : cli_usage(cli, "access takes no argument");
}

/* Either half of the key will do. */
static int run_access(struct cli *cli, int argc, char **argv)
{
    struct unlock unlock = {0};
    struct session session;
    int code = read_access(cli, argc, argv, &unlock);

    if (code == CLI_OK && unlock.key_path != NULL) {
        code = unlock_load_either(cli, &unlock);
    }
    if (code != CLI_OK) {
        return code;
    }
    code = session_open(cli, &session);
    if (code == CLI_OK) {
        code = show(&session, &unlock);
        session_close(&session);
    }
    if (unlock.key_path != NULL) {
        key_free(&unlock.key);
    }
    return code;
}

const struct cli_command cli_access_commands[] = {
    {"unlock", "-k KEY", "unlock a device for a while, by an Ed25519 key it knows",
     "  -k, --key KEY        the private key\n"
     "      --level LEVEL    update, or service: everything (default: the most the key may)\n"
     "      --for TIME       90s, 10m, 1h (default: 10m, or the longest the key may)\n"
     "      --id ID          only this device: its id, as text or in hexadecimal\n",
     run_unlock},
    {"lock", "", "lock it again", "", run_lock},
    {"access", "[-k KEY]", "what a device lets this connection do, and what it refused",
     "  -k, --key KEY        and what this key may unlock\n", run_access},
    {0},
};
