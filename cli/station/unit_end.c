/* SPDX-License-Identifier: Apache-2.0 */
/* How a device of a station ends otherwise than by its flow, and its serial number. */
#include "station.h"
#include "cli/update/update_fail.h"

#include "ferry/cbor.h"

#include <string.h>

/* ---- Failures -------------------------------------------------------------------------------- */

static unsigned percent(const struct unit *unit)
{
    uint32_t size = unit_size(unit);

    return size > 0 ? (unsigned)((uint64_t)unit->acked * 100 / size) : 0;
}

/* The lock is told without a question: who asks, waits, and with it all the others. */
static bool is_locked(const struct ferry_update_event *event)
{
    return event->error == FERRY_E_REFUSED && !event->status.grouped &&
           event->status.rc == FERRY_RC_ACCESS_DENIED;
}

void unit_fail(struct unit *unit, const struct ferry_update_event *event, uint64_t now)
{
    if (is_locked(event)) {
        unit_end(unit, UNIT_FAILED,
                 cli_fail_why(&unit->cli, CLI_REFUSED,
                              "this connection may not do it (rc 11, EACCESSDENIED)",
                              "update it alone: ferry update --unlock KEY",
                              "cannot %s: the device is locked", update_step_words(event->step)),
                 now);
        return;
    }
    unit_tell_failure(unit, event, NULL, now);
}

void unit_overdue(struct unit *unit, uint64_t now)
{
    char where[64] = "";

    if (unit->step == FERRY_UPDATE_UPLOAD) {
        snprintf(where, sizeof where, "%u %% were sent", percent(unit));
    }
    int code = cli_fail_why(
        &unit->cli, CLI_NO_ANSWER, where, "look at the device; --limit S gives each more time",
        "cannot %s: not done within the %u s of --limit", update_step_words(unit->step),
        (unsigned)(unit->station->options.limit_ms / 1000));
    unit_end(unit, UNIT_FAILED, code, now);
}

/* What a device is left with when the user stops it at a step. */
static const char *left_with(enum ferry_update_step step)
{
    if (step < FERRY_UPDATE_UPLOAD) {
        return "nothing was sent: it is as it was";
    }
    if (step < FERRY_UPDATE_TEST) {
        return "the image that runs is untouched; run the station again";
    }
    if (step < FERRY_UPDATE_CONFIRM) {
        return "the new image may start: see ferry image list, then run the station again";
    }
    return "the new image runs, perhaps unconfirmed: run the station again";
}

void unit_cancel(struct unit *unit, uint64_t now)
{
    char where[32] = "";
    bool begun = unit->phase != UNIT_QUEUED;

    if (!begun) {
        unit->station->running++; /* it ends with the others */
        unit->began_at = now;
    } else if (unit->step == FERRY_UPDATE_UPLOAD) {
        snprintf(where, sizeof where, " at %u %%", percent(unit));
    }
    int code = cli_fail(&unit->cli, 128 + unit->station->cancelled, left_with(unit->step),
                        "cancelled %s%s%s", begun ? "in step " : "before it was begun",
                        begun ? ferry_update_step_name(unit->step) : "", where);
    unit_end(unit, UNIT_CANCELLED, code, now);
}

/* ---- Serial numbers -------------------------------------------------------------------------- */

bool unit_ask_serial(struct unit *unit)
{
    struct ferry_client *client = unit->work->session.client;
    const char *key = unit->station->options.serial_setting;
    struct ferry_client_command command = {
        .op = FERRY_SMP_READ, .group = FERRY_SMP_GROUP_SETTINGS, .id = 0};
    struct ferry_cbor_writer writer;
    size_t cap;
    uint8_t *room = key != NULL ? ferry_client_room(client, &cap) : NULL;

    if (room == NULL) {
        return false;
    }
    ferry_cbor_writer_init(&writer, room, cap);
    ferry_cbor_put_map(&writer, 1);
    ferry_cbor_pair_text(&writer, "name", key);
    int len = ferry_cbor_writer_result(&writer);
    command.payload = (struct ferry_bytes){room, len > 0 ? (size_t)len : 0};
    unit->work->ticket = len > 0 ? ferry_client_submit(client, &command) : FERRY_E_SPACE;
    return unit->work->ticket > 0;
}

void unit_take_serial(struct unit *unit, const struct ferry_client_answer *answer)
{
    struct ferry_cbor_field field = {.key = "val", .kind = FERRY_CBOR_BYTES};

    if (answer->error != FERRY_OK || ferry_cbor_read_map(answer->payload, &field, 1) != FERRY_OK ||
        !field.present) {
        show_warning(unit->station, unit, "the device does not say its serial number",
                     "see what --serial-setting names: ferry settings read KEY");
        return;
    }
    int len = (int)(field.item.bytes.len < sizeof unit->serial ? field.item.bytes.len
                                                               : sizeof unit->serial - 1);
    snprintf(unit->serial, sizeof unit->serial, "%.*s", len, (const char *)field.item.bytes.data);
    cli_printable(unit->serial);
}
