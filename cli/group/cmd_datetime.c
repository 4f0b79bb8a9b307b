/* SPDX-License-Identifier: Apache-2.0 */
/* ferry datetime */
#include "ferry/commands_os.h"
#include "ask.h"

#include <string.h>
#include <time.h>

/* Servers take yyyy-MM-ddTHH:MM:SS with three digits behind a point, and no zone. */
#define TEXT_MAX 32

/* ---- The time that is set ------------------------------------------------------------------ */

/* "Z", "+05:30", "-0800", or nothing. Returns false for anything else. */
static bool read_zone(const char *text, int *minutes)
{
    int hour, minute, used = 0;
    *minutes = 0;
    if (text[0] == '\0' || strcmp(text, "Z") == 0 || strcmp(text, "z") == 0) {
        return true;
    }
    if ((text[0] != '+' && text[0] != '-') ||
        (sscanf(text + 1, "%2d:%2d%n", &hour, &minute, &used) != 2 &&
         sscanf(text + 1, "%2d%2d%n", &hour, &minute, &used) != 2) ||
        text[1 + used] != '\0' || hour > 23 || minute > 59) {
        return false;
    }
    *minutes = (text[0] == '-' ? -1 : 1) * (60 * hour + minute);
    return true;
}

/* Behind a point; only the first three digits count. Returns what follows them. */
static const char *read_fraction(const char *text, char fraction[5])
{
    size_t digits = text[0] == '.' ? strspn(text + 1, "0123456789") : 0;
    fraction[0] = '\0';
    if (digits == 0) {
        return text;
    }
    snprintf(fraction, 5, ".%.*s", digits < 3 ? (int)digits : 3, text + 1);
    return text + 1 + digits;
}

/* Year, month, day, hour, minute, second. Returns what follows, or NULL. */
static const char *read_fields(const char *text, struct tm *tm)
{
    int used = 0;
    *tm = (struct tm){0};
    if (sscanf(text, "%4d-%2d-%2d%*1[T ]%2d:%2d:%2d%n", &tm->tm_year, &tm->tm_mon, &tm->tm_mday,
               &tm->tm_hour, &tm->tm_min, &tm->tm_sec, &used) != 6 ||
        used != 19) {
        return NULL;
    }
    tm->tm_year -= 1900;
    tm->tm_mon -= 1;
    return text + used;
}

/* A date with an optional zone, as UTC. Returns false for a text that is none, or a day that its
 * month does not have. */
static bool to_utc(const char *text, char out[TEXT_MAX])
{
    struct tm tm;
    char fraction[5];
    int minutes;
    const char *rest = read_fields(text, &tm);
    if (rest == NULL || !read_zone(read_fraction(rest, fraction), &minutes)) {
        return false;
    }
    struct tm given = tm;
    time_t seconds = timegm(&tm);
    if (tm.tm_mon != given.tm_mon || tm.tm_mday != given.tm_mday || tm.tm_hour != given.tm_hour ||
        tm.tm_min != given.tm_min || tm.tm_sec != given.tm_sec) {
        return false;
    }
    seconds -= minutes * 60;
    if (gmtime_r(&seconds, &tm) == NULL) {
        return false;
    }
    size_t len = strftime(out, TEXT_MAX, "%Y-%m-%dT%H:%M:%S", &tm);
    snprintf(out + len, TEXT_MAX - len, "%s", fraction);
    return len == 19;
}

static void now_utc(char out[TEXT_MAX])
{
    time_t now = time(NULL);
    struct tm tm;
    if (gmtime_r(&now, &tm) == NULL || strftime(out, TEXT_MAX, "%Y-%m-%dT%H:%M:%S", &tm) == 0) {
        out[0] = '\0';
    }
}

/* ---- The command ----------------------------------------------------------------------------- */

static int print_datetime(const struct cli *cli, struct ferry_bytes payload, const void *context)
{
    (void)context;
    char text[FERRY_ANSWER_NAME_MAX];
    int len = ferry_answer_text(payload, "datetime", text, sizeof text);
    if (len < 0) {
        return ask_unreadable(cli, len);
    }
    cli_printable(text);
    printf("Datetime(RFC 3339 format): %s\n", text);
    return CLI_OK;
}

/* The answer to a write is empty: what was set is told. */
static int print_set(const struct cli *cli, struct ferry_bytes payload, const void *context)
{
    (void)payload;
    if (cli->json) {
        cJSON *object = cJSON_CreateObject();
        cJSON_AddStringToObject(object, "datetime", context);
        cli_print_json(object);
    } else {
        printf("set to %s\n", (const char *)context);
    }
    return CLI_OK;
}

static int set(struct cli *cli, const char *value)
{
    static const struct ask ask = {.what = "set date and time",
                                   .named = ferry_command_set_datetime,
                                   .print = print_set,
                                   .json = print_set};
    char text[TEXT_MAX];
    if (strcmp(value, "now") == 0) {
        now_utc(text);
    } else if (!to_utc(value, text)) {
        return cli_usage(cli, "VALUE is now, or a date as 2026-11-26T07:35:00, which may end with "
                              ".250 and Z or +01:00");
    }
    return ask_device(cli, &ask, text);
}

static int run_datetime(struct cli *cli, int argc, char **argv)
{
    static const struct ask ask = {
        .what = "read date and time", .plain = ferry_command_datetime, .print = print_datetime};
    int code = ask_words(cli, argc, argv, 0, 1);
    if (code != CLI_OK) {
        return code;
    }
    if (optind < argc) {
        return set(cli, argv[optind]);
    }
    return strcmp(cli->called, "os set-datetime") == 0 ? set(cli, "now")
                                                       : ask_device(cli, &ask, NULL);
}

const struct cli_command cli_datetime_commands[] = {
    {"datetime", "[VALUE|now]", "the device's date and time; set it, now: to this computer's UTC",
     "", run_datetime},
    {0},
};
