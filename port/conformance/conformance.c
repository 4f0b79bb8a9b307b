/* SPDX-License-Identifier: Apache-2.0 */
/* The count of a run, and its last line. */
#include "conformance_run.h"

#include <string.h>

void conformance_say(struct ferry_conformance *run, const char *rule, const char *why)
{
    if (why == NULL) {
        run->passed++;
    } else {
        run->failed++;
    }
    run->report(run->context, rule, why);
}

static char *add(char *out, const char *text)
{
    size_t len = ferry_text_length(text);

    memcpy(out, text, len);
    return out + len;
}

bool ferry_conformance_summary(const struct ferry_conformance *run,
                               char text[FERRY_CONFORMANCE_SUMMARY_MAX])
{
    char *end = text;

    end += ferry_text_decimal(end, run->passed, 1);
    end = add(end, " passed, ");
    end += ferry_text_decimal(end, run->failed, 1);
    end = add(end, " failed");
    *end = '\0';
    return run->failed == 0;
}
