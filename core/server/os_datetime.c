/* SPDX-License-Identifier: Apache-2.0 */
/* Group os: date and time. [smp.md §3.0] */
#include "ferry/group_os.h"

#include <string.h>

/* Characters of a text that is taken. */
#define TEXT_MIN 19
#define TEXT_MAX 31

/* ---- Telling ----------------------------------------------------------------- */

/* "2026-01-31T23:59:58.123"; a year above 9999 has five digits. Returns the length. */
static size_t write_text(const struct ferry_os_datetime *date, bool milliseconds, char *out)
{
    size_t len = ferry_text_decimal(out, date->year, 4);

    out[len++] = '-';
    len += ferry_text_decimal(out + len, date->month, 2);
    out[len++] = '-';
    len += ferry_text_decimal(out + len, date->day, 2);
    out[len++] = 'T';
    len += ferry_text_decimal(out + len, date->hour, 2);
    out[len++] = ':';
    len += ferry_text_decimal(out + len, date->minute, 2);
    out[len++] = ':';
    len += ferry_text_decimal(out + len, date->second, 2);
    if (milliseconds) {
        out[len++] = '.';
        len += ferry_text_decimal(out + len, date->millisecond, 3);
    }
    return len;
}

int ferry_os_handle_datetime(struct ferry_server_call *call)
{
    const struct ferry_os_group_config *config =
        ((const struct ferry_os_group *)call->context)->config;
    struct ferry_os_datetime date = {0};
    char text[40]; /* whatever numbers of its types the clock fills in */

    if (config->clock == NULL || config->clock->get == NULL) {
        return FERRY_RC_NOT_SUPPORTED;
    }

    int result = config->clock->get(config->context, &date);

    if (result == FERRY_E_NOT_FOUND) {
        return ferry_server_fail(call, FERRY_OS_ERR_RTC_NOT_SET, "the clock was never set");
    }
    if (result != FERRY_OK) {
        return ferry_server_fail(call, FERRY_OS_ERR_RTC_COMMAND_FAILED, "the clock failed");
    }
    ferry_cbor_put_text(&call->out, "datetime");
    ferry_cbor_put_text_n(&call->out, text, write_text(&date, config->clock->milliseconds, text));
    return FERRY_RC_OK;
}

/* ---- Setting ----------------------------------------------------------------- */

static bool is_digit(uint8_t character)
{
    return character >= '0' && character <= '9';
}

/* Take a number off the front of text, and the one character behind it. Returns false when there
 * is none or it is above most. */
static bool take_number(struct ferry_bytes *text, uint32_t most, uint32_t *number)
{
    size_t len = 0;

    *number = 0;
    while (len < text->len && is_digit(text->data[len]) && *number <= most) {
        *number = *number * 10 + (text->data[len] - '0');
        len++;
    }
    if (len == 0 || *number > most) {
        return false;
    }
    len += len < text->len ? 1 : 0;
    text->data += len;
    text->len -= len;
    return true;
}

/* Up to three digits behind a point: tenths, hundredths, thousandths. What is anything else, a
 * zone for instance, is not looked at. */
static uint16_t take_milliseconds(struct ferry_bytes text)
{
    uint16_t milliseconds = 0;
    uint16_t unit = 100;

    for (size_t i = 0; i < text.len && is_digit(text.data[i]) && unit > 0; i++) {
        milliseconds = (uint16_t)(milliseconds + unit * (text.data[i] - '0'));
        unit /= 10;
    }
    return milliseconds;
}

/* Read six numbers with any one character behind each. Returns whether that is a date. */
static bool read_text(struct ferry_bytes text, struct ferry_os_datetime *date)
{
    static const struct {
        uint16_t least, most;
    } ranges[] = {{1900, 11899}, {1, 12}, {1, 31}, {0, 23}, {0, 59}, {0, 59}};
    uint32_t numbers[sizeof(ranges) / sizeof(ranges[0])];

    if (text.len < TEXT_MIN || text.len > TEXT_MAX) {
        return false;
    }

    for (size_t i = 0; i < sizeof(ranges) / sizeof(ranges[0]); i++) {
        if (!take_number(&text, ranges[i].most, &numbers[i]) || numbers[i] < ranges[i].least) {
            return false;
        }
    }
    *date = (struct ferry_os_datetime){
        .year = (uint16_t)numbers[0],
        .month = (uint8_t)numbers[1],
        .day = (uint8_t)numbers[2],
        .hour = (uint8_t)numbers[3],
        .minute = (uint8_t)numbers[4],
        .second = (uint8_t)numbers[5],
    };
    if (text.data[-1] == '.') {
        date->millisecond = take_milliseconds(text);
    }
    return date->day <= ferry_os_days_of_month(date->year, date->month);
}

int ferry_os_handle_datetime_set(struct ferry_server_call *call)
{
    const struct ferry_os_group_config *config =
        ((const struct ferry_os_group *)call->context)->config;
    struct ferry_cbor_field text = {.key = "datetime", .kind = FERRY_CBOR_TEXT};
    struct ferry_os_datetime date;

    if (config->clock == NULL || config->clock->set == NULL) {
        return FERRY_RC_NOT_SUPPORTED;
    }
    if (ferry_server_read(call, &text, 1) != FERRY_RC_OK || !text.present ||
        !read_text(text.item.bytes, &date)) {
        call->reason = "datetime must be yyyy-MM-ddTHH:MM:SS";
        return FERRY_RC_INVALID;
    }
    if (config->clock->set(config->context, &date) != FERRY_OK) {
        return ferry_server_fail(call, FERRY_OS_ERR_RTC_COMMAND_FAILED, "the clock failed");
    }
    ferry_server_notify(call, FERRY_EVENT_CLOCK_SET, 0, 0);
    return FERRY_RC_OK;
}
