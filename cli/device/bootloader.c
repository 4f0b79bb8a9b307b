/* SPDX-License-Identifier: Apache-2.0 */
/* Whether a bootloader's recovery answers, and saying so. */
#include "session.h"

#define LISTED 16

/* Whether an answer is MCUboot's to what its recovery does not know: rc 8, and never a group
 * error. [smp.md §4] */
static bool is_unknown(const struct ferry_client_answer *answer)
{
    return answer->error == FERRY_E_REFUSED && !answer->status.grouped &&
           answer->status.rc == FERRY_RC_NOT_SUPPORTED;
}

/* Whether no listed image is active: an application is one itself. */
static bool nothing_runs(struct session *session)
{
    struct ferry_image_state states[LISTED];
    struct ferry_client_answer answer;
    int32_t ticket = ferry_command_image_list(session->client, NULL);

    do {
        if (ticket <= 0 || session_step(session, ferry_connection_now() + 10000, &answer) != 1) {
            return false;
        }
    } while (answer.ticket != ticket);

    int count =
        answer.error == FERRY_OK ? ferry_answer_image_list(answer.payload, states, LISTED) : -1;
    for (int i = 0; i < count && i < LISTED; i++) {
        if (states[i].active) {
            return false;
        }
    }
    return count >= 0;
}

bool session_is_bootloader(struct session *session, struct session_bootloader *bootloader)
{
    *bootloader = (struct session_bootloader){.mode = -1};
    if (nothing_runs(session)) {
        session_find_bootloader(session, bootloader);
    }
    return bootloader->found;
}

void session_find_bootloader(struct session *session, struct session_bootloader *bootloader)
{
    struct ferry_client_answer answer = {0};
    int32_t ticket = ferry_command_bootloader(session->client, "mode", NULL);
    bool no_downgrade;

    *bootloader = (struct session_bootloader){.mode = -1};
    while (ticket > 0 && session_step(session, ferry_connection_now() + 10000, &answer) == 1) {
        if (answer.ticket == ticket) {
            break;
        }
    }
    if (ticket <= 0 || answer.ticket != ticket) {
        return;
    }
    if (answer.error == FERRY_OK) {
        bootloader->is_ferry = ferry_answer_text(answer.payload, "recovery", bootloader->way,
                                                 sizeof bootloader->way) > 0;
        bootloader->found = bootloader->is_ferry;
        if (ferry_answer_mode(answer.payload, &bootloader->mode, &no_downgrade) != FERRY_OK) {
            bootloader->mode = -1;
        }
    }
    bootloader->found = bootloader->found || is_unknown(&answer);
    cli_printable(bootloader->way);
}

void session_tell_bootloader(const struct session_bootloader *bootloader)
{
    if (!bootloader->found) {
        return;
    }
    if (bootloader->is_ferry) {
        fprintf(stderr,
                "you are talking to the BOOTLOADER: Ferry's recovery (entered by: %s); no image "
                "runs\n  next: ferry update FILE, or ferry reset to leave it\n",
                bootloader->way);
    } else {
        fputs("you are talking to a BOOTLOADER: MCUboot's serial recovery, by the looks of it; no "
              "image runs\n  next: ferry update FILE, or ferry reset to leave it\n",
              stderr);
    }
}

int session_fail_bootloader(const struct session *session, const char *what)
{
    return cli_fail_why(session->cli, CLI_REFUSED,
                        "it lists, takes and starts images, and refuses the rest (rc 8 ENOTSUP)",
                        "ferry reset leaves it; then the same again",
                        "cannot %s: the bootloader's recovery answers, no application runs", what);
}

void session_add_bootloader(cJSON *object, const struct session_bootloader *bootloader)
{
    if (bootloader->found) {
        cJSON_AddStringToObject(object, "bootloader", bootloader->is_ferry ? "ferry" : "mcuboot");
        cJSON_AddStringToObject(object, "recovery",
                                bootloader->is_ferry ? bootloader->way : "unknown");
    }
}
