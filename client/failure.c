/* SPDX-License-Identifier: Apache-2.0 */
#include "failure.h"

#include <stdio.h>

int ferry_failure_set(struct ferry_failure *failure, int error, const char *text,
                      const char *remedy)
{
    if (failure != NULL) {
        *failure = (struct ferry_failure){.error = error};
        snprintf(failure->text, sizeof failure->text, "%s", text != NULL ? text : "");
        snprintf(failure->remedy, sizeof failure->remedy, "%s", remedy != NULL ? remedy : "");
    }
    return error;
}

int ferry_failure_plain(struct ferry_failure *failure, int error)
{
    return ferry_failure_set(failure, error, ferry_error_text(error), ferry_error_remedy(error));
}

int ferry_failure_refused(struct ferry_failure *failure, const struct ferry_smp_status *status)
{
    struct ferry_smp_words words = status->grouped
                                       ? ferry_smp_group_words(status->group, status->rc)
                                       : ferry_smp_rc_words(status->rc);
    char text[sizeof failure->text];

    snprintf(text, sizeof text, "the device refused: %s %lld %s: %s",
             status->grouped ? ferry_smp_group_name(status->group) : "rc", (long long)status->rc,
             words.name, words.cause);
    (void)ferry_failure_set(failure, FERRY_E_REFUSED, text, words.remedy);
    if (failure != NULL) {
        failure->status = *status;
        failure->status.reason = (struct ferry_bytes){NULL, 0};
    }
    return FERRY_E_REFUSED;
}
