/* SPDX-License-Identifier: Apache-2.0 */
#include "access.h"

#include "ferry/commands_access.h"

#include <string.h>

static const char *const names[FERRY_ACCESS_LEVELS] = {"locked", "update", "service"};

const char *access_level_name(uint32_t level)
{
    return level < FERRY_ACCESS_LEVELS ? names[level] : "unknown";
}

bool access_level_find(const char *name, uint32_t *level)
{
    for (uint32_t i = FERRY_ACCESS_UPDATE; i < FERRY_ACCESS_LEVELS; i++) {
        if (strcmp(names[i], name) == 0) {
            *level = i;
            return true;
        }
    }
    return false;
}

bool access_outlives(const struct session *session)
{
    switch (session_link(session)) {
    case FERRY_LINK_BLE:
    case FERRY_LINK_DTLS4:
    case FERRY_LINK_DTLS6:
        return false;
    default:
        return true;
    }
}

/* After a reset in the middle of it an update needs the key again. */
static const char *remedy(const struct session *session)
{
    if (strcmp(session->cli->command->words, "update") == 0) {
        return "ferry update --unlock KEY, and the rest as it was: it unlocks again after the "
               "reset";
    }
    if (session->cli->unlock_path != NULL) {
        return "the same again, if the link was lost meanwhile; else give --unlock a key that may "
               "more";
    }
    return access_outlives(session)
               ? "ferry unlock -k KEY, then the same again; or give it --unlock KEY"
               : "what is unlocked over this wire ends with its command: give --unlock KEY, and "
                 "the rest as it was";
}

bool access_tell(struct session *session, const char *what, const char *reason)
{
    struct ferry_client_answer answer;
    struct ferry_access_status status;

    ferry_client_cancel_all(session->client);
    if (session_ask(session, ferry_command_access_status(session->client, NULL, NULL), &answer) !=
            FERRY_OK ||
        ferry_answer_access_status(answer.payload, &status) != FERRY_OK ||
        status.level >= status.highest) {
        return false;
    }

    char why[256];

    snprintf(why, sizeof why,
             "this connection has level %s, and the command needs more (rc 11, EACCESSDENIED%s%s)",
             access_level_name(status.level), reason[0] != '\0' ? "; " : "", reason);
    (void)cli_fail_why(session->cli, CLI_REFUSED, why, remedy(session),
                       "cannot %s: the device is locked", what);
    return true;
}

int access_fail(struct session *session, int error, const char *what,
                const struct ferry_client_answer *answer)
{
    const struct cli *cli = session->cli;

    if (error == FERRY_E_REFUSED && !answer->status.grouped &&
        answer->status.rc == FERRY_RC_NOT_SUPPORTED) {
        return cli_fail_why(
            cli, CLI_REFUSED,
            "its server has no group for access: it is an extension of Ferry's that "
            "a product lists beside its gate",
            "use the device as it is; what it refuses, it refuses for another reason",
            "the device has nothing to unlock");
    }
    if (error == FERRY_E_IO) {
        return session_gone(session, what);
    }
    if (error == FERRY_E_REFUSED || error == FERRY_E_TIMEOUT) {
        return session_fail(session, what, answer);
    }
    return cli_fail_error(cli, CLI_NO_ANSWER, error, "cannot %s: the answer cannot be read", what);
}
