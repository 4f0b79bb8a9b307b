/* SPDX-License-Identifier: Apache-2.0 */
#include "findings.h"

#include <stdarg.h>

__attribute__((format(printf, 3, 0))) static void add(struct findings *findings, bool is_note,
                                                      const char *format, va_list args)
{
    if (!is_note) {
        findings->problems++;
    }
    if (findings->count < FINDINGS_MAX) {
        struct finding *finding = &findings->list[findings->count++];
        finding->is_note = is_note;
        vsnprintf(finding->text, sizeof finding->text, format, args);
    }
}

void findings_problem(struct findings *findings, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    add(findings, false, format, args);
    va_end(args);
}

void findings_note(struct findings *findings, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    add(findings, true, format, args);
    va_end(args);
}

void findings_tell_notes(const struct findings *findings)
{
    for (size_t i = 0; i < findings->count; i++) {
        if (findings->list[i].is_note) {
            fprintf(stderr, "ferry: note: %s\n", findings->list[i].text);
        }
    }
}

cJSON *findings_json(const struct findings *findings, bool notes)
{
    cJSON *array = cJSON_CreateArray();
    for (size_t i = 0; i < findings->count; i++) {
        if (findings->list[i].is_note == notes) {
            cJSON_AddItemToArray(array, cJSON_CreateString(findings->list[i].text));
        }
    }
    return array;
}

const char *findings_first(const struct findings *findings)
{
    for (size_t i = 0; i < findings->count; i++) {
        if (!findings->list[i].is_note) {
            return findings->list[i].text;
        }
    }
    return "";
}
