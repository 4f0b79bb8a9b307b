/* SPDX-License-Identifier: Apache-2.0 */
/* ferry why: what the bootloader last did with an image, and why. */
#include "cli/group/image_list.h"
#include "cli/group/image_option.h"
#include "why.h"

#include <string.h>

static void print_human(const struct ferry_why *why, const struct why_words *words)
{
    char running[FERRY_VERSION_TEXT_MAX];

    puts(words->what);
    if (words->why[0] != '\0') {
        printf("  why:  %s\n", words->why);
    }
    if (words->next[0] != '\0') {
        printf("  next: %s\n", words->next);
    }
    if (why->action == FERRY_BOOT_RAN) {
        return;
    }
    if (why->resumed) {
        puts("  a power cut had interrupted it; the bootloader finished it");
    }
    if (why_has_version(&why->running)) {
        ferry_version_text(&why->running, running);
        printf("  then ran: version %s\n", running);
    }
    printf("  so far: %u installed, %u taken back, %u refused, %u finished after a power cut, "
           "%u with nothing to run\n",
           (unsigned)why->upgrades, (unsigned)why->reverts, (unsigned)why->refusals,
           (unsigned)why->resumes, (unsigned)why->stops);
}

/* Not a fault of the device: MCUboot and Zephyr know no such question. */
static int no_report(const struct cli *cli)
{
    return cli_fail_why(cli, CLI_REFUSED,
                        "only Ferry's bootloader with a store keeps a report, and only Ferry's "
                        "server hands it out",
                        "see the boot log on its console for the reason",
                        "the device keeps no report of updates");
}

/* Whether a refusal means that the server does not know the question. */
static bool is_unknown(const struct ferry_smp_status *status)
{
    if (status->grouped) {
        return status->group == FERRY_SMP_GROUP_OS && status->rc == 3;
    }
    return status->rc == FERRY_RC_NOT_SUPPORTED || status->rc == FERRY_RC_NO_ENTRY;
}

/* What became of an image that was installed for a test: the report is of the boot, and what was
 * confirmed since then only the list of images tells. Silent where it does not. */
static void follow_trial(struct session *session, uint32_t image, const struct ferry_why *report,
                         struct why_words *words)
{
    struct ferry_client_answer answer;
    struct ferry_image_state states[16];
    char version[FERRY_VERSION_TEXT_MAX];
    int32_t ticket = ferry_command_image_list(session->client, NULL);
    int count = session_ask(session, ticket, &answer) == FERRY_OK
                    ? ferry_answer_image_list(answer.payload, states, 16)
                    : 0;

    ferry_version_text(&report->version, version);
    for (int i = 0; i < count && i < 16; i++) {
        if (states[i].image == image && states[i].active &&
            strcmp(states[i].version, version) == 0) {
            why_trial_went(states[i].confirmed, words);
        }
    }
}

static int tell_failure(struct session *session, int error,
                        const struct ferry_client_answer *answer)
{
    const struct cli *cli = session->cli;

    if (error == FERRY_E_NOT_FOUND || (error == FERRY_E_REFUSED && is_unknown(&answer->status))) {
        return no_report(cli);
    }
    if (error == FERRY_E_REFUSED) {
        return session_fail(session, "read the report", answer);
    }
    if (error == FERRY_E_IO) {
        return session_gone(session, "read the report");
    }
    if (error == FERRY_E_TIMEOUT && answer->error == FERRY_E_TIMEOUT) {
        return session_fail(session, "read the report", answer);
    }
    return cli_fail_error(cli, CLI_NO_ANSWER, error, "cannot read the report");
}

static int why(struct cli *cli, uint32_t image)
{
    struct session session;
    struct ferry_client_answer answer = {0};
    struct ferry_why report;
    struct why_words words;

    int code = session_open(cli, &session);
    if (code != CLI_OK) {
        return code;
    }
    code = image_list_has(&session, image);
    int error = code == CLI_OK ? why_ask(&session, image, &report, &answer) : FERRY_OK;
    if (code != CLI_OK) {
        session_close(&session);
        return code;
    }
    if (error != FERRY_OK) {
        code = tell_failure(&session, error, &answer);
    } else {
        why_in_words(&report, &words);
        if (report.action == FERRY_BOOT_TESTING) {
            follow_trial(&session, image, &report, &words);
        }
        if (cli->json) {
            cli_print_json(why_json(image, &report, &words));
        } else {
            print_human(&report, &words);
        }
    }
    session_close(&session);
    return code;
}

static int run_why(struct cli *cli, int argc, char **argv)
{
    uint32_t image;
    int code = image_option_read(cli, argc, argv, &image);

    return code == CLI_OK ? why(cli, image) : code;
}

const struct cli_command cli_why_commands[] = {
    {"why", "", "what the bootloader last did with an image, and why", image_option_help, run_why},
    {0},
};
