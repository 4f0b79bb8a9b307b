/* SPDX-License-Identifier: Apache-2.0 */
/* Ids of lives: JOB:12T+7E, JOB:0Fp1768.3. The operation since the fault before and the model's
 * letter; of a flip and a reset the boots so far, and of a flip the area, the byte and the bit. */
#include "fault_job.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* By enum fault_place. */
static const char places[] = "psxqtk";

static int say_point(const struct fault_point *point, char *text, size_t cap)
{
    if (point->model->kind == FAULT_FLIP) {
        return snprintf(text, cap, "%llu%c%c%u.%u", (unsigned long long)point->at,
                        point->model->letter, places[point->place], point->offset, point->bit);
    }
    return snprintf(text, cap, "%llu%c", (unsigned long long)point->at, point->model->letter);
}

void fault_id(const struct fault_life *life, char *text, size_t cap)
{
    int len = snprintf(text, cap, "%s", life->job->name);

    for (uint32_t i = 0; i < life->fault_count && len > 0 && (size_t)len < cap; i++) {
        len += snprintf(text + len, cap - (size_t)len, "%s", i == 0 ? ":" : "+");
        len += say_point(&life->faults[i], text + len, cap - (size_t)len);
    }
}

static bool parse_flip(const char **text, struct fault_point *point)
{
    const char *place = **text != '\0' ? strchr(places, **text) : NULL;
    char *end = NULL;

    if (place == NULL) {
        return false;
    }
    point->place = (uint8_t)(place - places);
    point->offset = (uint32_t)strtoul(*text + 1, &end, 10);
    if (*end != '.') {
        return false;
    }
    point->bit = (uint8_t)strtoul(end + 1, &end, 10);
    *text = end;
    return true;
}

static bool parse_point(const char **text, struct fault_point *point)
{
    char *end = NULL;

    memset(point, 0, sizeof(*point));
    point->at = strtoull(*text, &end, 10);
    if (end == *text || *end == '\0') {
        return false;
    }
    point->model = fault_model_find(*end);
    *text = end + 1;
    if (point->model == NULL) {
        return false;
    }
    return point->model->kind != FAULT_FLIP || parse_flip(text, point);
}

bool fault_id_read(const char *id, const char *name, struct fault_point points[FAULTS_MAX],
                   uint32_t *count)
{
    size_t len = strlen(name);
    const char *text = id + len;

    *count = 0;
    if (strncmp(id, name, len) != 0 || (*text != ':' && *text != '\0')) {
        return false;
    }
    while (*text != '\0' && *count < FAULTS_MAX) {
        text++;
        if (!parse_point(&text, &points[(*count)++])) {
            return false;
        }
    }
    return *text == '\0';
}
