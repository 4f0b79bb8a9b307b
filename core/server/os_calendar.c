/* SPDX-License-Identifier: Apache-2.0 */
/* Dates and milliseconds since 1970, for clocks that count. Dates are Gregorian throughout. */
#include "ferry/group_os.h"

#define YEAR_MIN 1900
#define YEAR_MAX 11899

#define MS_OF_DAY    86400000
#define DAYS_TO_1970 719162 /* from the first day of year 1 */
#define DAYS_OF_400  146097 /* days of 400 years */

/* Days from the first day of year 1 to that of this one. */
static int32_t days_before_year(int32_t year)
{
    int32_t past = year - 1;

    return 365 * past + past / 4 - past / 100 + past / 400;
}

static bool is_leap(uint32_t year)
{
    return year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);
}

uint8_t ferry_os_days_of_month(uint32_t year, uint32_t month)
{
    static const uint8_t days[] = {31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};

    return (uint8_t)(days[month - 1] + (month == 2 && is_leap(year) ? 1 : 0));
}

int64_t ferry_os_datetime_to_ms(const struct ferry_os_datetime *date)
{
    int32_t days = days_before_year(date->year) - DAYS_TO_1970 + date->day - 1;
    int32_t seconds = (date->hour * 60 + date->minute) * 60 + date->second;

    for (uint32_t month = 1; month < date->month; month++) {
        days += ferry_os_days_of_month(date->year, month);
    }
    return (int64_t)days * MS_OF_DAY + (int64_t)seconds * 1000 + date->millisecond;
}

/* Fill in the day; days count from the first day of year 1. */
static void set_day(int32_t days, struct ferry_os_datetime *date)
{
    /* Years of the mean length: at most one off. */
    int32_t year = (int32_t)((int64_t)days * 400 / DAYS_OF_400) + 1;
    uint32_t month = 1;

    if (days_before_year(year + 1) <= days) {
        year++;
    } else if (days_before_year(year) > days) {
        year--;
    }
    days -= days_before_year(year);
    while (days >= ferry_os_days_of_month((uint32_t)year, month)) {
        days -= ferry_os_days_of_month((uint32_t)year, month);
        month++;
    }
    date->year = (uint16_t)year;
    date->month = (uint8_t)month;
    date->day = (uint8_t)(days + 1);
}

void ferry_os_datetime_from_ms(int64_t ms, struct ferry_os_datetime *date)
{
    const int64_t first = (int64_t)(days_before_year(YEAR_MIN) - DAYS_TO_1970) * MS_OF_DAY;
    const int64_t behind = (int64_t)(days_before_year(YEAR_MAX + 1) - DAYS_TO_1970) * MS_OF_DAY;

    ms = ms < first ? first : ms >= behind ? behind - 1 : ms;

    /* Counted from year 1 nothing is negative, so that division rounds down. */
    uint64_t count = (uint64_t)(ms + (int64_t)DAYS_TO_1970 * MS_OF_DAY);
    uint32_t rest = (uint32_t)(count % MS_OF_DAY);

    set_day((int32_t)(count / MS_OF_DAY), date);
    date->millisecond = (uint16_t)(rest % 1000);
    rest /= 1000;
    date->second = (uint8_t)(rest % 60);
    date->minute = (uint8_t)(rest / 60 % 60);
    date->hour = (uint8_t)(rest / 3600);
}
