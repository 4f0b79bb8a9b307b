/* SPDX-License-Identifier: Apache-2.0 */
/* ferry key list, key revoke, key add: which keys count on a device. */
#include "cli/device/access.h"
#include "cli/key/key.h"

#include "ferry/commands_trust.h"

#include <string.h>
#include <strings.h>
#include <unistd.h>

#define GROUP    102
#define KEYS_MAX 64

/* Of a hash that is not given whole. */
#define DIGITS_MIN 8

/* A device that checks whether images still verify takes its time. */
#define WAIT_MS 20000

/* ---- Asking --------------------------------------------------------------------------------- */

/* Wait for an answer without a message. Returns FERRY_OK; the error that the device's group gave,
 * or another one, with answer as it came. */
static int ask(struct session *session, int32_t ticket, struct ferry_client_answer *answer)
{
    uint64_t end = ferry_connection_now() + WAIT_MS;
    int got;

    if (ticket < 0) {
        return ticket;
    }
    do {
        got = session_step(session, end, answer);
    } while (got == 1 && answer->ticket != ticket);
    if (got < 1) {
        return got < 0 ? got : FERRY_E_TIMEOUT;
    }
    if (answer->error == FERRY_E_REFUSED && answer->status.grouped &&
        answer->status.group == GROUP) {
        return -(int)answer->status.rc;
    }
    return answer->error;
}

static int tell(struct session *session, int error, const char *what,
                const struct ferry_client_answer *answer)
{
    const struct cli *cli = session->cli;

    if (error == FERRY_E_REFUSED && answer->status.rc == FERRY_RC_NOT_SUPPORTED) {
        return cli_fail_why(cli, CLI_REFUSED,
                            "its server has no group for keys: it is an extension of Ferry's that "
                            "a product lists, and it needs a store",
                            "see docs/KEYS.md", "the device does not let keys be seen or changed");
    }
    if (error == FERRY_E_REFUSED && answer->status.rc == FERRY_RC_ACCESS_DENIED) {
        if (access_tell(session, what, "")) {
            return CLI_REFUSED;
        }
        return cli_fail_why(cli, CLI_REFUSED, "keys are changed only when the device permits it",
                            "do what the product asks for; on ferry-device: hold its button down",
                            "the device did not let the client %s", what);
    }
    if (error == FERRY_E_REFUSED) {
        return session_fail(session, what, answer);
    }
    if (error == FERRY_E_IO) {
        return session_gone(session, what);
    }
    return cli_fail_error(cli, error == FERRY_E_TIMEOUT ? CLI_NO_ANSWER : CLI_REFUSED, error,
                          "cannot %s", what);
}

/* ---- List ----------------------------------------------------------------------------------- */

static const char *standing(const struct ferry_key_state *key)
{
    return key->revoked ? "revoked" : key->development ? "development key: refused" : "trusted";
}

static void add_key(const struct cli *cli, cJSON *list, const struct ferry_key_state *key)
{
    char hex[2 * FERRY_KEY_HASH_SIZE + 1];

    cli_hex(key->hash, sizeof key->hash, hex);
    if (!cli->json) {
        printf("%s  %-11s  %s%s\n", hex, key->source, standing(key),
               key->named ? ", named by an image in use" : "");
        return;
    }
    cJSON *row = cJSON_CreateObject();
    cJSON_AddStringToObject(row, "hash", hex);
    cJSON_AddStringToObject(row, "source", key->source);
    cJSON_AddBoolToObject(row, "revoked", key->revoked);
    cJSON_AddBoolToObject(row, "development", key->development);
    cJSON_AddBoolToObject(row, "named", key->named);
    cJSON_AddItemToArray(list, row);
}

/* Key after key, until there is none. Returns an enum cli_exit. */
static int list_keys(struct session *session, cJSON *list)
{
    struct ferry_client_answer answer = {0};

    for (uint32_t i = 0; i < KEYS_MAX; i++) {
        struct ferry_key_state key;
        int error = ask(session, ferry_command_key(session->client, i, NULL), &answer);

        if (error == FERRY_E_NOT_FOUND) {
            if (i == 0 && !session->cli->json) {
                puts("no key: the device trusts nobody");
            }
            return CLI_OK;
        }
        if (error == FERRY_OK) {
            error = ferry_answer_key(answer.payload, &key);
        }
        if (error != FERRY_OK) {
            return tell(session, error, "list keys", &answer);
        }
        cli_printable(key.source);
        add_key(session->cli, list, &key);
    }
    return CLI_OK;
}

static int no_arguments(struct cli *cli, int argc, char **argv, int wanted, const char *usage)
{
    static const struct option own[] = {{0}};

    optind = 0;
    if (cli_getopt(cli, argc, argv, "", own) != -1) {
        return CLI_USAGE;
    }
    return argc - optind == wanted ? CLI_OK : cli_usage(cli, usage);
}

static int run_list(struct cli *cli, int argc, char **argv)
{
    struct session session;
    int code = no_arguments(cli, argc, argv, 0, "key list takes no argument");

    if (code == CLI_OK) {
        code = session_open(cli, &session);
    }
    if (code != CLI_OK) {
        return code;
    }
    cJSON *object = cJSON_CreateObject();
    code = list_keys(&session, cJSON_AddArrayToObject(object, "keys"));
    if (cli->json && code == CLI_OK) {
        cli_print_json(object);
    } else {
        cJSON_Delete(object);
    }
    session_close(&session);
    return code;
}

/* ---- Changes -------------------------------------------------------------------------------- */

static void print_changed(const struct cli *cli, const char *what, const uint8_t *hash)
{
    char hex[2 * FERRY_KEY_HASH_SIZE + 1];

    cli_hex(hash, FERRY_KEY_HASH_SIZE, hex);
    if (cli->json) {
        cJSON *object = cJSON_CreateObject();
        cJSON_AddStringToObject(object, "hash", hex);
        cJSON_AddBoolToObject(object, what, 1);
        cli_print_json(object);
        return;
    }
    printf("%s: %s, from the next boot on\n", hex, what);
}

/* The hash that an argument is, or that of the key in the file it names.
 * After a message returns an enum cli_exit. */
static int read_hash(const struct cli *cli, const char *argument, uint8_t *hash)
{
    struct key key;

    if (strlen(argument) == 2 * FERRY_KEY_HASH_SIZE &&
        cli_unhex(argument, hash, FERRY_KEY_HASH_SIZE) == FERRY_KEY_HASH_SIZE) {
        return CLI_OK;
    }
    int code = key_load(cli, argument, &key);
    if (code == CLI_OK) {
        key_hash(&key, &ferry_digest_sha256, hash);
        key_free(&key);
    }
    return code;
}

/* Find the key whose hash begins with so many hex digits. After a message (none, or more than one)
 * returns an enum cli_exit. */
static int find_hash(struct session *session, const char *digits, uint8_t *hash)
{
    struct ferry_client_answer answer = {0};
    struct ferry_key_state key;
    char hex[2 * FERRY_KEY_HASH_SIZE + 1];
    uint32_t found = 0;
    int error = FERRY_OK;

    for (uint32_t i = 0; i < KEYS_MAX && error == FERRY_OK; i++) {
        error = ask(session, ferry_command_key(session->client, i, NULL), &answer);
        error = error == FERRY_OK ? ferry_answer_key(answer.payload, &key) : error;
        if (error != FERRY_OK) {
            break;
        }
        cli_hex(key.hash, sizeof key.hash, hex);
        if (strncasecmp(hex, digits, strlen(digits)) == 0) {
            found += found == 0 || memcmp(hash, key.hash, sizeof key.hash) != 0;
            memcpy(hash, key.hash, sizeof key.hash);
        }
    }
    if (error != FERRY_OK && error != FERRY_E_NOT_FOUND) {
        return tell(session, error, "list keys", &answer);
    }
    if (found == 1) {
        return CLI_OK;
    }
    return found == 0 ? cli_fail(session->cli, CLI_USAGE, "see `ferry key list` for what it has",
                                 "the device has no key with hash %s", digits)
                      : cli_fail(session->cli, CLI_USAGE, "give more of its digits",
                                 "the hash %s is not unique", digits);
}

/* Whether an argument is the beginning of a hash and no file. */
static bool is_beginning(const char *argument)
{
    size_t len = strlen(argument);

    return len >= DIGITS_MIN && len < 2 * (size_t)FERRY_KEY_HASH_SIZE &&
           argument[strspn(argument, "0123456789abcdefABCDEF")] == '\0' &&
           access(argument, F_OK) != 0;
}

static int run_revoke(struct cli *cli, int argc, char **argv)
{
    uint8_t hash[FERRY_KEY_HASH_SIZE];
    struct ferry_client_answer answer = {0};
    struct session session;
    int code = no_arguments(cli, argc, argv, 1, "key revoke needs a HASH or a KEY file");

    bool beginning = code == CLI_OK && is_beginning(argv[optind]);
    if (code == CLI_OK && !beginning) {
        code = read_hash(cli, argv[optind], hash);
    }
    if (code == CLI_OK) {
        code = session_open(cli, &session);
    }
    if (code != CLI_OK) {
        return code;
    }
    code = beginning ? find_hash(&session, argv[optind], hash) : code;
    if (code != CLI_OK) {
        session_close(&session);
        return code;
    }
    int error = ask(&session, ferry_command_key_revoke(session.client, hash, NULL), &answer);
    if (error != FERRY_OK) {
        code = tell(&session, error, "revoke the key", &answer);
    } else {
        print_changed(cli, "revoked", hash);
    }
    session_close(&session);
    return code;
}

static int add(struct cli *cli, const struct key *key)
{
    const struct ferry_bytes der = {key->der, key->der_len};
    uint8_t hash[FERRY_KEY_HASH_SIZE];
    struct ferry_client_answer answer = {0};
    struct session session;
    int code = session_open(cli, &session);

    if (code != CLI_OK) {
        return code;
    }
    int error = ask(&session, ferry_command_key_add(session.client, der, NULL), &answer);
    if (error != FERRY_OK) {
        code = tell(&session, error, "add the key", &answer);
    } else {
        key_hash(key, &ferry_digest_sha256, hash);
        print_changed(cli, "trusted", hash);
    }
    session_close(&session);
    return code;
}

static int run_add(struct cli *cli, int argc, char **argv)
{
    struct key key;
    int code = no_arguments(cli, argc, argv, 1, "key add needs a KEY file");

    if (code == CLI_OK) {
        code = key_load(cli, argv[optind], &key);
    }
    if (code != CLI_OK) {
        return code;
    }
    code = add(cli, &key);
    key_free(&key);
    return code;
}

const struct cli_command cli_trust_commands[] = {
    {"key list", "", "which keys the device trusts, and which were revoked", "", run_list},
    {"key revoke", "HASH|KEY", "never trust a key again, for good", "", run_revoke},
    {"key add", "KEY", "trust one more key (its public half is sent)", "", run_add},
    {0},
};
