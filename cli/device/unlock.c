/* SPDX-License-Identifier: Apache-2.0 */
/* Unlocking a device: a challenge, its signature, and what to do when one of them is lost. */
#include "unlock.h"

#include <string.h>
#include <time.h>

#define FOR_DEFAULT_S 600

/* How often a challenge is asked for anew. */
#define ATTEMPTS 5
#define WAIT_MS  5000 /* the longest that is waited as the device says */

static bool is_group_error(const struct ferry_client_answer *answer, int64_t error)
{
    return answer->error == FERRY_E_REFUSED && answer->status.grouped &&
           answer->status.group == FERRY_SMP_GROUP_ACCESS && answer->status.rc == error;
}

/* ---- The key ----------------------------------------------------------------------------------
 */

const uint8_t *unlock_raw_key(const struct unlock *unlock)
{
    return unlock->key.der + unlock->key.der_len - FERRY_ACCESS_KEY_SIZE;
}

int unlock_load_either(const struct cli *cli, struct unlock *unlock)
{
    int code = key_load(cli, unlock->key_path, &unlock->key);

    if (code == CLI_OK && strcmp(unlock->key.type->name, "ed25519") != 0) {
        code = cli_fail(cli, CLI_USAGE,
                        "give the Ed25519 key that the device knows; `ferry keygen -t ed25519` "
                        "makes one",
                        "%s is a key of type %s; devices are unlocked by ed25519", unlock->key_path,
                        unlock->key.type->name);
        key_free(&unlock->key);
    }
    return code;
}

int unlock_load(const struct cli *cli, struct unlock *unlock)
{
    int code = unlock_load_either(cli, unlock);

    if (code == CLI_OK && !unlock->key.is_private) {
        code = cli_fail(cli, CLI_USAGE, "give the private key", "%s is a public key",
                        unlock->key_path);
        key_free(&unlock->key);
    }
    return code;
}

/* Whether a device is the one that was named, by its id as text or in hexadecimal. */
static bool is_meant(const char *name, const struct ferry_access_challenge *challenge)
{
    uint8_t bytes[FERRY_ACCESS_ID_MAX];
    int len = cli_unhex(name, bytes, sizeof bytes);

    if (len == challenge->id_len && memcmp(bytes, challenge->id, challenge->id_len) == 0) {
        return true;
    }
    return strlen(name) == challenge->id_len && memcmp(name, challenge->id, challenge->id_len) == 0;
}

void unlock_id_in_hex(const struct ferry_access_challenge *challenge,
                      char hex[2 * FERRY_ACCESS_ID_MAX + 1])
{
    cli_hex(challenge->id, challenge->id_len, hex);
}

static int too_high(const struct cli *cli, uint32_t most, uint32_t level)
{
    return cli_fail(cli, CLI_REFUSED, "ask for less with --level, or use another key",
                    "this key may unlock %s on this connection, not %s", access_level_name(most),
                    access_level_name(level));
}

/* Hold what is wanted against what the key may. Returns an enum cli_exit. */
static int settle(const struct cli *cli, const struct unlock *unlock, uint32_t *level,
                  uint32_t *seconds)
{
    const struct ferry_access_challenge *challenge = &unlock->challenge;
    char hex[2 * FERRY_ACCESS_ID_MAX + 1];

    unlock_id_in_hex(challenge, hex);
    if (unlock->id != NULL && !is_meant(unlock->id, challenge)) {
        return cli_fail(cli, CLI_REFUSED, "check the connection, then the id",
                        "another device answers: its id is %s", hex);
    }
    *level = unlock->level != 0 ? unlock->level : challenge->max_level;
    if (*level > challenge->max_level) {
        return too_high(cli, challenge->max_level, *level);
    }
    *seconds =
        unlock->seconds != 0 ? unlock->seconds : ferry_min32(FOR_DEFAULT_S, challenge->max_seconds);
    if (*seconds > challenge->max_seconds) {
        return cli_fail(cli, CLI_REFUSED, "ask for less with --for",
                        "this key may unlock for %u seconds, not %u",
                        (unsigned)challenge->max_seconds, (unsigned)*seconds);
    }
    return CLI_OK;
}

static bool sign(const struct unlock *unlock, uint32_t level, uint32_t seconds, uint8_t *signature)
{
    const struct ferry_access_challenge *challenge = &unlock->challenge;
    const struct ferry_access_message message = {.device_id = {challenge->id, challenge->id_len},
                                                 .transport = challenge->transport,
                                                 .level = (uint8_t)level,
                                                 .seconds = seconds,
                                                 .nonce = challenge->nonce};
    uint8_t bytes[FERRY_ACCESS_MESSAGE_MAX];
    size_t len = ferry_access_message_write(&message, bytes);

    return key_sign(&unlock->key, bytes, len, signature) == FERRY_ACCESS_SIGNATURE_SIZE;
}

/* Where the device stands, and with a key what that may. Returns FERRY_OK or the error. */
static int ask_status(struct session *session, const uint8_t *key,
                      struct ferry_client_answer *answer, struct ferry_access_status *status)
{
    int error =
        session_ask(session, ferry_command_access_status(session->client, key, NULL), answer);

    return error == FERRY_OK ? ferry_answer_access_status(answer->payload, status) : error;
}

/* After FERRY_ACCESS_ERR_NO_CHALLENGE: perhaps it worked, and its answer was lost. */
static bool worked_already(struct session *session, uint32_t level,
                           struct ferry_access_status *status)
{
    struct ferry_client_answer answer;

    return ask_status(session, NULL, &answer, status) == FERRY_OK && status->level == level &&
           status->left_s > 0;
}

/* Whether it was short: until an unlock of somebody else ends nobody waits. */
static bool wait_as_told(const struct ferry_client_answer *answer)
{
    uint32_t ms = ferry_answer_access_wait_ms(answer->payload);
    const struct timespec pause = {.tv_sec = ms / 1000, .tv_nsec = (long)(ms % 1000) * 1000000};

    return ms <= WAIT_MS && nanosleep(&pause, NULL) == 0;
}

/* One challenge and its answer. Returns FERRY_OK, or the error of an exchange, with *what it was;
 * *code is not CLI_OK when that was told already. */
static int attempt(struct session *session, struct unlock *unlock, const char **what, int *code,
                   struct ferry_client_answer *answer, struct ferry_access_status *status)
{
    uint8_t signature[FERRY_IMAGE_SIGNATURE_MAX];
    struct ferry_access_unlock request = {.key = unlock_raw_key(unlock), .signature = signature};

    *what = "get a challenge";
    int error = session_ask(
        session, ferry_command_access_challenge(session->client, request.key, NULL), answer);
    if (error == FERRY_OK) {
        error = ferry_answer_access_challenge(answer->payload, &unlock->challenge);
    }
    if (error != FERRY_OK) {
        return error;
    }
    *code = settle(session->cli, unlock, &request.level, &request.seconds);
    if (*code != CLI_OK) {
        return FERRY_E_CANCELLED;
    }
    if (!sign(unlock, request.level, request.seconds, signature)) {
        *code = cli_fail(session->cli, CLI_FAILED, "take the key from a good copy",
                         "%s does not sign", unlock->key_path);
        return FERRY_E_CANCELLED;
    }
    *what = "unlock the device";
    error =
        session_ask(session, ferry_command_access_unlock(session->client, &request, NULL), answer);
    if (error == FERRY_OK) {
        return ferry_answer_access_status(answer->payload, status);
    }
    if (is_group_error(answer, FERRY_ACCESS_ERR_NO_CHALLENGE) && answer->tries > 1 &&
        worked_already(session, request.level, status)) {
        return FERRY_OK;
    }
    return error;
}

int unlock_device(struct session *session, struct unlock *unlock,
                  struct ferry_access_status *status)
{
    struct ferry_client_answer answer = {0};
    const char *what = "";
    int code = CLI_OK;
    int error = FERRY_OK;

    for (int i = 0; i < ATTEMPTS; i++) {
        error = attempt(session, unlock, &what, &code, &answer, status);
        bool again = is_group_error(&answer, FERRY_ACCESS_ERR_WAIT)
                         ? wait_as_told(&answer)
                         : is_group_error(&answer, FERRY_ACCESS_ERR_NO_CHALLENGE);

        if (code != CLI_OK || !again) {
            break;
        }
    }
    if (code != CLI_OK) {
        return code;
    }
    return error == FERRY_OK ? CLI_OK : access_fail(session, error, what, &answer);
}

int unlock_renew(struct session *session, struct unlock *unlock)
{
    struct ferry_access_status status;
    struct ferry_client_answer answer;

    if (ask_status(session, NULL, &answer, &status) != FERRY_OK || status.level >= unlock->level) {
        return CLI_OK;
    }
    return unlock_device(session, unlock, &status);
}

int unlock_first(struct session *session, struct unlock *unlock)
{
    struct ferry_access_status status;
    struct ferry_client_answer answer;

    if (ask_status(session, NULL, &answer, &status) != FERRY_OK || status.level >= status.highest) {
        return CLI_OK;
    }
    int error = ask_status(session, unlock_raw_key(unlock), &answer, &status);
    if (error != FERRY_OK) {
        return access_fail(session, error, "use the key of --unlock", &answer);
    }
    if (status.has_key && status.max_level <= status.level) {
        return CLI_OK;
    }
    return unlock_device(session, unlock, &status);
}

int unlock_try(struct session *session, const struct unlock *unlock)
{
    struct ferry_access_status status;
    struct ferry_client_answer answer = {0};
    int error = ask_status(session, unlock_raw_key(unlock), &answer, &status);

    if (is_group_error(&answer, FERRY_ACCESS_ERR_NO_KEY)) {
        return access_fail(session, error, "use the key of --unlock", &answer);
    }
    if (error == FERRY_OK && status.has_key && status.max_level < unlock->level) {
        return too_high(session->cli, status.max_level, unlock->level);
    }
    return CLI_OK;
}
