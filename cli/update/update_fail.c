/* SPDX-License-Identifier: Apache-2.0 */
#include "update_fail.h"

#include "ferry/group_image.h"

const char *update_step_words(enum ferry_update_step step)
{
    switch (step) {
    case FERRY_UPDATE_HELLO:
        return "ask the device for its buffers";
    case FERRY_UPDATE_MODE:
        return "ask what the bootloader does";
    case FERRY_UPDATE_LIST:
        return "list images";
    case FERRY_UPDATE_SPACE:
        return "ask how large an image fits";
    case FERRY_UPDATE_ENTER:
        return "enter the bootloader";
    case FERRY_UPDATE_ERASE:
        return "erase the image that waits for a reset";
    case FERRY_UPDATE_UPLOAD:
        return "upload";
    case FERRY_UPDATE_CHECK:
        return "see whether the device lists the image";
    case FERRY_UPDATE_TEST:
        return "ask for a test of the image";
    case FERRY_UPDATE_RESET:
        return "reset the device";
    case FERRY_UPDATE_AWAY:
    case FERRY_UPDATE_RETURN:
        return "find it again after the reset";
    case FERRY_UPDATE_CONFIRM:
        return "confirm the image";
    case FERRY_UPDATE_PROVE:
        return "list the images again";
    case FERRY_UPDATE_JUDGE:
    case FERRY_UPDATE_END:
        break;
    }
    return "end the update";
}

/* Recovery verifies what it was sent, and keeps the reason. */
static bool is_refused_by_recovery(const struct ferry_update_event *event)
{
    return event->error == FERRY_E_REFUSED && event->recovery &&
           event->step == FERRY_UPDATE_UPLOAD && event->status.group == FERRY_SMP_GROUP_IMAGE;
}

bool update_fail_asks(const struct ferry_update_event *event)
{
    return event->error == FERRY_E_REVERTED || event->error == FERRY_E_NO_IMAGE ||
           is_refused_by_recovery(event);
}

/* Whether a report is about this update. The image gone back to has another version. */
static bool is_about(const struct ferry_why *why, const struct update_failure *failure)
{
    return why->action == FERRY_BOOT_REVERTED ||
           (why->action == FERRY_BOOT_REFUSED &&
            (!why_has_version(&why->version) ||
             ferry_version_compare(&why->version, failure->version, true) == 0));
}

/* The old image runs. */
static int taken_back(const struct update_failure *failure, int code)
{
    const struct ferry_update_event *event = failure->event;
    const struct cli *cli = failure->session->cli;
    const struct ferry_why *why = failure->why;
    struct why_words words;

    if (why == NULL || !is_about(why, failure)) {
        return cli_fail(cli, code, event->remedy, "%s%s", code == CLI_REVERTED ? "REVERTED: " : "",
                        event->text);
    }
    /* In place the bootloader removes what it takes back: an empty slot is no refusal. */
    code = why->action == FERRY_BOOT_REVERTED ? CLI_REVERTED : CLI_VERIFY;
    why_in_words(why, &words);
    return cli_fail_why(cli, code, words.why, words.next, "%s: %s",
                        code == CLI_REVERTED ? "REVERTED" : "the device runs the old image",
                        words.what);
}

static int refused_by_recovery(const struct update_failure *failure)
{
    const struct ferry_update_event *event = failure->event;
    const struct ferry_why *why = failure->why;
    struct why_words words;

    if (why == NULL || why->action != FERRY_BOOT_REFUSED || !is_about(why, failure)) {
        const struct ferry_client_answer answer = {.error = event->error, .status = event->status};
        return session_fail(failure->session, "upload", &answer);
    }
    why_in_words(why, &words);
    return cli_fail_why(failure->session->cli, CLI_VERIFY, words.why, words.next,
                        "the bootloader's recovery refuses the image: %s", words.what);
}

/* Another image waits for a reset in the slot, and the device keeps it. */
static bool tell_slot_taken(const struct update_failure *failure)
{
    const struct ferry_update_event *event = failure->event;
    const struct ferry_image_state *states = failure->flow->states;

    if (event->step != FERRY_UPDATE_UPLOAD || !event->status.grouped ||
        event->status.group != FERRY_SMP_GROUP_IMAGE ||
        event->status.rc != FERRY_IMAGE_ERR_NO_FREE_SLOT) {
        return false;
    }
    for (uint32_t i = 0; i < failure->flow->state_count; i++) {
        if (states[i].pending && !states[i].active) {
            (void)cli_fail_why(failure->session->cli, CLI_REFUSED,
                               "a reset would start it; the device keeps its slot until then",
                               "let it start: ferry reset; or replace it: --erase-pending",
                               "version %s waits in slot %u for the next reset", states[i].version,
                               (unsigned)states[i].slot);
            return true;
        }
    }
    return false;
}

static int refused(const struct update_failure *failure)
{
    const struct ferry_update_event *event = failure->event;
    const struct ferry_client_answer answer = {.error = event->error, .status = event->status};
    bool denied = !event->status.grouped && event->status.rc == FERRY_RC_ACCESS_DENIED;
    const char *what = update_step_words(event->step);

    if (tell_slot_taken(failure)) {
        return CLI_REFUSED;
    }
    if (is_refused_by_recovery(event)) {
        return refused_by_recovery(failure);
    }
    if (denied && event->step == FERRY_UPDATE_ENTER) {
        what = "enter recovery, which needs level service";
    } else if (denied && event->step == FERRY_UPDATE_CONFIRM) {
        what = "confirm the image, which runs on trial until the next reset";
    }
    return session_fail(failure->session, what, &answer);
}

/* --no-downgrade. A loader's own version is not the one that was compared. */
static int not_newer(const struct update_failure *failure)
{
    const struct ferry_update_event *event = failure->event;
    char version[FERRY_VERSION_TEXT_MAX];

    if (event->running == NULL || failure->flow->mode == FERRY_MODE_FIRMWARE_LOADER) {
        return cli_fail(failure->session->cli, CLI_VERIFY, event->remedy, "%s", event->text);
    }
    ferry_version_text(failure->version, version);
    return cli_fail(failure->session->cli, CLI_VERIFY, event->remedy,
                    "version %s is not newer than %s, which runs", version,
                    event->running->version);
}

/* It had come back, and the new image ran. */
static bool fell_silent_again(const struct update_failure *failure)
{
    return failure->event->step == FERRY_UPDATE_RETURN && failure->flow->crashes > 0;
}

int update_fail(const struct update_failure *failure)
{
    const struct ferry_update_event *event = failure->event;
    const struct cli *cli = failure->session->cli;
    const char *step = ferry_update_step_name(event->step);

    switch (event->error) {
    case FERRY_E_REFUSED:
        return refused(failure);
    case FERRY_E_TIMEOUT:
        if (event->step == FERRY_UPDATE_HELLO) {
            return session_silent(failure->session);
        }
        if (fell_silent_again(failure)) {
            return cli_fail(cli, CLI_NO_ANSWER, event->remedy,
                            "the new image ran, then the device fell silent, before the image was "
                            "confirmed");
        }
        break;
    case FERRY_E_IO:
        return session_gone(failure->session, update_step_words(event->step));
    case FERRY_E_REVERTED:
        return taken_back(failure, CLI_REVERTED);
    case FERRY_E_NO_IMAGE:
        return taken_back(failure, CLI_VERIFY);
    case FERRY_E_DOWNGRADE:
        return not_newer(failure);
    case FERRY_E_MISMATCH:
        return cli_fail(cli, CLI_VERIFY, event->remedy, "%s: %s", step, event->text);
    case FERRY_E_TOO_LARGE:
        return cli_fail(cli, CLI_VERIFY, event->remedy,
                        "the image is too large: %u bytes, the slot takes %u",
                        (unsigned)failure->size, (unsigned)event->limit);
    case FERRY_E_STATE:
    case FERRY_E_UNSUPPORTED:
    case FERRY_E_VERSION:
        return cli_fail(cli, CLI_REFUSED, event->remedy, "%s: %s", step, event->text);
    default:
        break;
    }
    return cli_fail(cli, CLI_NO_ANSWER, event->remedy, "%s: %s", step,
                    event->text != NULL && event->text[0] != '\0' ? event->text
                                                                  : ferry_error_text(event->error));
}
