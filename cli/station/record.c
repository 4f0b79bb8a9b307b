/* SPDX-License-Identifier: Apache-2.0 */
/* The record of a device, and of the whole run: docs/STATION.md. */
#include "station.h"

#include <time.h>

const char *unit_verdict_name(enum unit_verdict verdict)
{
    static const char *const names[] = {"updated", "already", "failed", "cancelled"};

    return names[verdict];
}

static const char *text_of(const char *text)
{
    return text != NULL ? text : "";
}

/* The time of the wall clock, in UTC. */
static void add_time(cJSON *object)
{
    char text[32] = "";
    time_t now = time(NULL);
    struct tm parts;

    if (gmtime_r(&now, &parts) != NULL) {
        (void)strftime(text, sizeof text, "%Y-%m-%dT%H:%M:%SZ", &parts);
    }
    cJSON_AddStringToObject(object, "time", text);
}

/* Seconds, to the thousandth. */
static void add_seconds(cJSON *object, uint64_t ms)
{
    cJSON_AddNumberToObject(object, "seconds", (double)ms / 1000.0);
}

static void add_proof(cJSON *object, const struct unit *unit, size_t item)
{
    const struct ferry_image_state *proof = &unit->proofs[item];
    bool proved = unit->proved[item];
    char hash[2 * FERRY_STATE_HASH_MAX + 1] = "";

    if (proved) {
        cli_hex(proof->hash, proof->hash_len, hash);
    }
    cJSON_AddStringToObject(object, "version", proved ? proof->version : "");
    cJSON_AddStringToObject(object, "hash", hash);
    cJSON_AddBoolToObject(object, "active", proved && proof->active);
    cJSON_AddBoolToObject(object, "confirmed", proved && proof->confirmed);
}

/* Of several images each. */
static void add_images(cJSON *object, const struct unit *unit)
{
    const struct update_run *file = &unit->station->file;
    cJSON *images = file->count > 1 ? cJSON_AddArrayToObject(object, "images") : NULL;

    for (size_t i = 0; i < file->count && images != NULL; i++) {
        cJSON *image = cJSON_CreateObject();
        cJSON_AddNumberToObject(image, "image", file->items[i].image);
        add_proof(image, unit, i);
        cJSON_AddItemToArray(images, image);
    }
}

cJSON *unit_record(const struct unit *unit)
{
    cJSON *object = cJSON_CreateObject();
    bool ok = unit->exit_code == CLI_OK;

    cJSON_AddStringToObject(object, "device", unit->target->uri);
    cJSON_AddStringToObject(object, "name", unit->target->name);
    cJSON_AddStringToObject(object, "serial_number", unit->serial);
    cJSON_AddBoolToObject(object, "ok", ok);
    cJSON_AddStringToObject(object, "verdict", unit_verdict_name(unit->verdict));
    cJSON_AddNumberToObject(object, "exit", unit->exit_code);
    cJSON_AddStringToObject(object, "what", ok ? "" : text_of(unit->what));
    cJSON_AddStringToObject(object, "why", ok ? "" : text_of(unit->why));
    cJSON_AddStringToObject(object, "next", ok ? "" : text_of(unit->remedy));
    cJSON_AddStringToObject(object, "step", ferry_update_step_name(unit->step));
    cJSON_AddStringToObject(object, "old_version", unit->old_version);
    add_proof(object, unit, 0);
    add_images(object, unit);
    add_seconds(object, unit->ended_at - unit->began_at);
    cJSON_AddNumberToObject(object, "bytes", (double)unit->bytes);
    cJSON_AddNumberToObject(object, "retransmitted", unit->retransmitted);
    cJSON_AddNumberToObject(object, "tries", unit->tries);
    add_time(object);
    return object;
}

cJSON *station_record(const struct station *station, int exit_code)
{
    cJSON *object = cJSON_CreateObject();
    cJSON *summary = cJSON_AddObjectToObject(object, "summary");

    cJSON_AddNumberToObject(summary, "devices", (double)station->unit_count);
    for (int verdict = UNIT_UPDATED; verdict <= UNIT_CANCELLED; verdict++) {
        cJSON_AddNumberToObject(summary, unit_verdict_name((enum unit_verdict)verdict),
                                station->ended[verdict]);
    }
    cJSON_AddBoolToObject(summary, "ok", exit_code == CLI_OK);
    cJSON_AddNumberToObject(summary, "exit", exit_code);
    add_seconds(summary, ferry_connection_now() - station->began_at);
    add_time(summary);
    return object;
}
