/* SPDX-License-Identifier: Apache-2.0 */
/* A boot report in words, before it happened. */
#include "dump_boot.h"

#include <stdio.h>

#include "cli/device/why.h"

/* "2.0.0", or what is left to say. */
static void name_version(const struct ferry_version *version, char text[FERRY_VERSION_TEXT_MAX])
{
    if (why_has_version(version)) {
        (void)ferry_version_text(version, text);
    } else {
        snprintf(text, FERRY_VERSION_TEXT_MAX, "no image");
    }
}

/* "1.0.0 → 2.0.0". */
static void name_change(const struct dump_next *next, char *text, size_t cap)
{
    char from[FERRY_VERSION_TEXT_MAX];
    char to[FERRY_VERSION_TEXT_MAX];
    name_version(&next->before[0], from);
    name_version(&next->report.info.header.version, to);
    snprintf(text, cap, "%s → %s", from, to);
}

/* Where images run in their slots it matters which one. */
static void say_running(const struct ferry_strategy_traits *traits, const struct dump_next *next,
                        char *words)
{
    const struct ferry_boot_image_report *report = &next->report;
    char version[FERRY_VERSION_TEXT_MAX];
    char where[32] = "";
    name_version(&report->info.header.version, version);
    if (traits->in_place && traits->slot_count > 1) {
        snprintf(where, sizeof where, " from slot %u", report->slot);
    }
    switch (report->action) {
    case FERRY_BOOT_TESTING:
        snprintf(words, DUMP_WORDS_MAX, "starts %s%s for a test", version, where);
        break;
    case FERRY_BOOT_UPGRADED:
        snprintf(words, DUMP_WORDS_MAX, "starts %s%s for good", version, where);
        break;
    default:
        snprintf(words, DUMP_WORDS_MAX, "starts %s%s; nothing changes%s", version, where,
                 report->next == FERRY_SWAP_REVERT ? ", it is still on trial" : "");
        break;
    }
}

static void say_install(const struct dump_next *next, char *words)
{
    const struct ferry_boot_image_report *report = &next->report;
    const char *how = report->action == FERRY_BOOT_TESTING ? "for a test" : "for good";
    char change[2 * FERRY_VERSION_TEXT_MAX + 8];
    char version[FERRY_VERSION_TEXT_MAX];
    name_change(next, change, sizeof change);
    name_version(&report->info.header.version, version);
    if (report->resumed) {
        snprintf(words, DUMP_WORDS_MAX,
                 "finishes the swap that was interrupted; then %s runs, installed %s", version,
                 how);
    } else if (report->reason != FERRY_OK) {
        snprintf(words, DUMP_WORDS_MAX, "slot 0 may not run (%s): installs slot 1 %s (%s)",
                 ferry_error_text(report->reason), how, change);
    } else {
        snprintf(words, DUMP_WORDS_MAX, "installs slot 1 %s (%s)", how, change);
    }
}

static void say_revert(const struct ferry_strategy_traits *traits, const struct dump_next *next,
                       char *words)
{
    const struct ferry_boot_image_report *report = &next->report;
    char old[FERRY_VERSION_TEXT_MAX];
    char failed[FERRY_VERSION_TEXT_MAX];
    char why[96];
    uint32_t from = traits->in_place && report->slot == 0 ? 1 : 0;
    name_version(&report->info.header.version, old);
    name_version(&next->before[from], failed);
    snprintf(why, sizeof why, "%s",
             report->reason == FERRY_OK ? "was not confirmed" : ferry_error_text(report->reason));
    if (report->resumed) {
        snprintf(words, DUMP_WORDS_MAX, "finishes the way back that was interrupted; then %s runs",
                 old);
    } else if (report->reason == FERRY_OK) {
        snprintf(words, DUMP_WORDS_MAX, "goes back to %s, for %s %s", old, failed, why);
    } else {
        snprintf(words, DUMP_WORDS_MAX, "goes back to %s, for %s may not run: %s", old, failed,
                 why);
    }
}

static void say_refusal(const struct dump_next *next, char *words)
{
    const struct ferry_boot_image_report *report = &next->report;
    char refused[FERRY_VERSION_TEXT_MAX];
    char runs[FERRY_VERSION_TEXT_MAX];
    name_version(&report->refused, refused);
    name_version(&report->info.header.version, runs);
    snprintf(words, DUMP_WORDS_MAX, "%s is asked for and would be refused: %s; %s runs", refused,
             ferry_error_text(report->reason), runs);
}

static void say_image(const struct ferry_strategy_traits *traits, const struct dump_next *next,
                      char *words)
{
    switch (next->report.action) {
    case FERRY_BOOT_TESTING:
    case FERRY_BOOT_UPGRADED:
        if (!traits->in_place) {
            say_install(next, words);
            return;
        }
        break;
    case FERRY_BOOT_REVERTED:
        say_revert(traits, next, words);
        return;
    case FERRY_BOOT_REFUSED:
        say_refusal(next, words);
        return;
    case FERRY_BOOT_STOPPED:
        snprintf(words, DUMP_WORDS_MAX, "starts nothing: %s",
                 ferry_error_text(next->report.reason));
        return;
    case FERRY_BOOT_RAN:
        break;
    }
    say_running(traits, next, words);
}

void dump_boot_words(const struct dump *dump, uint32_t image, const struct dump_boot *boot,
                     char words[DUMP_WORDS_MAX])
{
    const struct dump_next *next = &boot->images[image];
    if (next->report.restart) {
        snprintf(words, DUMP_WORDS_MAX,
                 "installs another bootloader into S%u and restarts, for the first stage to choose",
                 next->into);
    } else if (boot->selection != FERRY_OK) {
        snprintf(words, DUMP_WORDS_MAX, "the first stage starts no bootloader: %s",
                 ferry_error_text(boot->selection));
    } else if (boot->result != FERRY_OK && boot->result != FERRY_E_NO_IMAGE) {
        snprintf(words, DUMP_WORDS_MAX, "starts nothing: %s", ferry_error_text(boot->result));
    } else {
        say_image(dump->slots[image].slots.strategy, next, words);
    }
}
