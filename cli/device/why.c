/* SPDX-License-Identifier: Apache-2.0 */
#include "why.h"

#include <string.h>

/* The question comes behind something else: who has no answer soon has none. */
#define ASK_MS 10000

int why_ask(struct session *session, uint32_t image, struct ferry_why *why,
            struct ferry_client_answer *answer)
{
    uint64_t end = ferry_connection_now() + ASK_MS;
    int32_t ticket = ferry_command_why(session->client, image, NULL);
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
    return answer->error == FERRY_OK ? ferry_answer_why(answer->payload, why) : answer->error;
}

bool why_has_version(const struct ferry_version *version)
{
    static const struct ferry_version none = {0};
    return ferry_version_compare(version, &none, true) != 0;
}

/* "version 1.2.3", or what is left to say of an image nobody could read. */
static void name_image(const struct ferry_version *version, char *out, size_t cap)
{
    char text[FERRY_VERSION_TEXT_MAX];
    ferry_version_text(version, text);
    snprintf(out, cap, "%s%s", why_has_version(version) ? "version " : "an image without a header",
             why_has_version(version) ? text : "");
}

/* What is said around the image. */
static const struct {
    const char *before;
    const char *behind;
} phrases[] = {
    [FERRY_BOOT_UPGRADED] = {"", " was installed for good"},
    [FERRY_BOOT_TESTING] = {"", " was installed for a test"},
    [FERRY_BOOT_REVERTED] = {"the device went back to ", ""},
    [FERRY_BOOT_REFUSED] = {"", " was refused by the bootloader"},
    [FERRY_BOOT_STOPPED] = {"the bootloader stopped, for nothing may run: ", ""},
};

static void say_what(const struct ferry_why *why, struct why_words *words)
{
    char image[64];

    if (why->action == FERRY_BOOT_RAN) {
        snprintf(words->what, sizeof words->what,
                 "nothing to tell: no update, revert or refusal since the device keeps a report");
        return;
    }
    name_image(&why->version, image, sizeof image);
    snprintf(words->what, sizeof words->what, "%s%s%s", phrases[why->action].before, image,
             phrases[why->action].behind);
}

/* Both sides of what was compared, where they are known. */
static void add_sides(const struct ferry_why *why, struct why_words *words)
{
    size_t len = strlen(words->why);
    char image[FERRY_VERSION_TEXT_MAX];
    char running[FERRY_VERSION_TEXT_MAX];

    if (why->counters.known) {
        snprintf(words->why + len, sizeof words->why - len,
                 ": the image has %u, the device demands %u or more", (unsigned)why->counters.image,
                 (unsigned)why->counters.least);
    } else if (why->need.known) {
        ferry_version_text(&why->need.version, image);
        snprintf(words->why + len, sizeof words->why - len, ": image %u in version %s or newer",
                 (unsigned)why->need.image, image);
    } else if (why->reason == FERRY_E_DOWNGRADE && why->action == FERRY_BOOT_REFUSED &&
               why_has_version(&why->running)) {
        ferry_version_text(&why->version, image);
        ferry_version_text(&why->running, running);
        snprintf(words->why + len, sizeof words->why - len, ": it is %s, and %s runs", image,
                 running);
    }
}

/* A failure of the flash is what is at the bottom of whatever else is said. */
static void explain(const struct ferry_why *why, struct why_words *words)
{
    if (why->failure.area != FERRY_AREA_NONE) {
        snprintf(words->why, sizeof words->why, "%s: sector %u of the %s could not be %s",
                 ferry_error_text(why->reason), (unsigned)why->failure.sector,
                 ferry_boot_area_name(why->failure.area), "erased or written");
    } else if (why->reason != FERRY_OK) {
        snprintf(words->why, sizeof words->why, "%s%s",
                 why->action == FERRY_BOOT_UPGRADED ? "the image before it may not run: " : "",
                 ferry_error_text(why->reason));
        add_sides(why, words);
    } else if (why->action == FERRY_BOOT_REVERTED) {
        snprintf(words->why, sizeof words->why, "the new image did not confirm itself in time");
    }
}

static const char *advise(const struct ferry_why *why)
{
    if (why->action == FERRY_BOOT_TESTING) {
        return "see if it is confirmed: ferry image list; keep it: ferry image confirm";
    }
    if (why->action == FERRY_BOOT_REVERTED && why->reason == FERRY_OK) {
        return "find out why it did not confirm itself (a crash, the watchdog), then update again";
    }
    /* What replaced an image that failed is all right. */
    return why->action == FERRY_BOOT_UPGRADED ? "" : ferry_error_remedy(why->reason);
}

void why_in_words(const struct ferry_why *why, struct why_words *words)
{
    *words = (struct why_words){.next = advise(why)};
    say_what(why, words);
    explain(why, words);
}

void why_trial_went(bool confirmed, struct why_words *words)
{
    size_t len = strlen(words->what);
    snprintf(words->what + len, sizeof words->what - len, "%s",
             confirmed ? ", and is confirmed by now: it stays"
                       : ", and runs on trial: the next reset takes it back");
    words->next = confirmed ? "" : "keep it: ferry image confirm";
}

/* ---- As JSON --------------------------------------------------------------------------------- */

static void add_version(cJSON *object, const char *key, const struct ferry_version *version)
{
    char text[FERRY_VERSION_TEXT_MAX];
    if (why_has_version(version)) {
        ferry_version_text(version, text);
        cJSON_AddStringToObject(object, key, text);
    }
}

cJSON *why_json(uint32_t image, const struct ferry_why *why, const struct why_words *words)
{
    bool any = why->action != FERRY_BOOT_RAN;
    cJSON *object = cJSON_CreateObject();
    cJSON_AddNumberToObject(object, "image", image);
    cJSON_AddStringToObject(object, "action", any ? ferry_boot_action_name(why->action) : "none");
    cJSON_AddStringToObject(object, "what", words->what);
    cJSON_AddStringToObject(object, "why", words->why);
    cJSON_AddStringToObject(object, "next", words->next);
    if (any) {
        cJSON_AddNumberToObject(object, "reason", why->reason);
        cJSON_AddStringToObject(object, "reason_name", ferry_error_name(why->reason));
        add_version(object, "version", &why->version);
        add_version(object, "running", &why->running);
        cJSON_AddBoolToObject(object, "resumed", why->resumed);
        if (why->failure.area != FERRY_AREA_NONE) {
            cJSON_AddStringToObject(object, "area", ferry_boot_area_name(why->failure.area));
            cJSON_AddNumberToObject(object, "sector", why->failure.sector);
        }
        if (why->need.known) {
            cJSON_AddNumberToObject(object, "needs", why->need.image);
            add_version(object, "least", &why->need.version);
        }
        if (why->counters.known) {
            cJSON_AddNumberToObject(object, "counter", why->counters.image);
            cJSON_AddNumberToObject(object, "demanded", why->counters.least);
        }
        cJSON_AddNumberToObject(object, "upgrades", why->upgrades);
        cJSON_AddNumberToObject(object, "reverts", why->reverts);
        cJSON_AddNumberToObject(object, "refusals", why->refusals);
        cJSON_AddNumberToObject(object, "resumes", why->resumes);
        cJSON_AddNumberToObject(object, "stops", why->stops);
    }
    return object;
}
