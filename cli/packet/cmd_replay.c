/* SPDX-License-Identifier: Apache-2.0 */
/* ferry replay: a session that --trace recorded, with what its packets were to each other. */
#include "cbor_json.h"
#include "cli/cli.h"
#include "exchange.h"
#include "plain.h"
#include "trace.h"

#include <stdlib.h>
#include <string.h>

/* Bytes of a byte string that are shown for people, unless all are wanted. */
#define SHOWN 24

/* A silence of so long is pointed out. */
#define GAP_MS 500.0

struct replay {
    const struct cli *cli;
    bool whole;
    bool seen; /* an event with a time */
    double first;
    double last;
    double gap_max;
    size_t damaged_frames;
    size_t damaged_lines;
    size_t text_bytes;
    struct exchange exchange;
};

/* ---- A packet -------------------------------------------------------------------------------- */

static void print_note(const struct exchange_note *note)
{
    if (note->role == EXCHANGE_REQUEST && note->tries > 1) {
        printf("  AGAIN, try %u", note->tries);
    } else if (note->role == EXCHANGE_STALE) {
        printf("  STALE: nothing waits for it");
    } else if (note->role == EXCHANGE_ECHO) {
        printf("  ECHO of a request");
    } else if (note->role == EXCHANGE_ANSWER) {
        printf("  %.1f ms", note->rtt);
        if (note->tries > 1) {
            printf(" after try %u", note->tries);
        }
    }
}

static void print_time(const struct trace_event *event)
{
    printf("%12.4f ", event->t / 1000);
    if (event->number > 1) {
        printf("[%u] ", event->number);
    }
}

static void print_packet(const struct replay *replay, const struct trace_event *event,
                         const struct packet_view *view, const struct exchange_note *note)
{
    char *line = packet_line(view, replay->whole ? 0 : SHOWN);

    print_time(event);
    printf("%s %s", event->dir[0] == 't' ? "->" : "<-", line != NULL ? line : "");
    print_note(note);
    putchar('\n');
    cJSON_free(line);
}

static void print_packet_json(const struct trace_event *event, const struct packet_view *view,
                              const struct exchange_note *note, double gap)
{
    cJSON *object = cJSON_CreateObject();

    cJSON_AddNumberToObject(object, "t", event->t);
    cJSON_AddStringToObject(object, "dir", event->dir);
    if (event->number > 1) {
        cJSON_AddNumberToObject(object, "n", event->number);
    }
    if (gap >= GAP_MS) {
        cJSON_AddNumberToObject(object, "gap_ms", gap);
    }
    packet_add_json(object, view);
    if (note->tries > 1) {
        cJSON_AddNumberToObject(object, "tries", note->tries);
    }
    if (note->role == EXCHANGE_ANSWER) {
        cJSON_AddNumberToObject(object, "rtt_ms", note->rtt);
    } else if (note->role != EXCHANGE_REQUEST) {
        cJSON_AddBoolToObject(object, note->role == EXCHANGE_STALE ? "stale" : "echo", 1);
    }
    cli_print_json_line(object);
}

/* Several requests may stand in one packet. */
static void take_packet(struct replay *replay, const struct trace_event *event, double gap)
{
    struct ferry_bytes rest = event->bytes;

    while (rest.len > 0) {
        struct packet_view view;

        packet_look(rest, &view, &rest);
        struct exchange_note note =
            event->dir[0] == 't'
                ? exchange_sent(&replay->exchange, event->number, event->t, &view)
                : exchange_received(&replay->exchange, event->number, event->t, &view);
        if (replay->cli->json) {
            print_packet_json(event, &view, &note, gap);
        } else {
            print_packet(replay, event, &view, &note);
        }
        packet_view_free(&view);
    }
}

/* ---- Other events ---------------------------------------------------------------------------- */

static const char *text_of(const cJSON *json, const char *key)
{
    const cJSON *item = cJSON_GetObjectItemCaseSensitive(json, key);

    return cJSON_IsString(item) ? item->valuestring : "";
}

static int number_of(const cJSON *json, const char *key)
{
    const cJSON *item = cJSON_GetObjectItemCaseSensitive(json, key);

    return cJSON_IsNumber(item) ? item->valueint : 0;
}

/* What people read of an event that is no packet; free it. */
static char *words_of(const struct trace_event *event)
{
    char words[600];
    const cJSON *json = event->json;

    if (strcmp(event->dir, "begin") == 0) {
        snprintf(words, sizeof words, "ferry %s, %s: %s", text_of(json, "ferry"),
                 text_of(json, "time"), text_of(json, "command"));
    } else if (strcmp(event->dir, "open") == 0) {
        snprintf(words, sizeof words, "opens %s", text_of(json, "uri"));
    } else if (strcmp(event->dir, "text") == 0) {
        snprintf(words, sizeof words, "| %.500s", event->text);
    } else if (strcmp(event->dir, "say") == 0) {
        snprintf(words, sizeof words, "ferry: %.500s", event->text);
    } else if (strcmp(event->dir, "damaged") == 0) {
        snprintf(words, sizeof words, "DAMAGED: %d frame(s) came that were none",
                 number_of(json, "count"));
    } else if (strcmp(event->dir, "end") == 0) {
        snprintf(words, sizeof words, "ends with exit code %d", number_of(json, "exit"));
    } else {
        snprintf(words, sizeof words, "%.100s", event->dir);
    }
    return plain_text((struct ferry_bytes){(const uint8_t *)words, strlen(words)});
}

static void print_event(const struct replay *replay, const struct trace_event *event)
{
    if (replay->cli->json) {
        char *text = cJSON_PrintUnformatted(event->json);

        puts(text != NULL ? text : "{}");
        cJSON_free(text);
        return;
    }
    char *words = words_of(event);
    print_time(event);
    if (words != NULL) {
        words[strcspn(words, "\n")] = '\0';
        puts(words);
    }
    free(words);
}

static void print_problem(const struct replay *replay, const struct trace_event *event)
{
    if (replay->cli->json) {
        cJSON *object = cJSON_CreateObject();

        cJSON_AddNumberToObject(object, "line", (double)event->line);
        cJSON_AddStringToObject(object, "problem", event->problem);
        cli_print_json_line(object);
    } else {
        printf("line %zu: DAMAGED: %s\n", event->line, event->problem);
    }
}

/* ---- All of them ----------------------------------------------------------------------------- */

/* The time since the event before, 0 for the first. */
static double take_time(struct replay *replay, const struct trace_event *event)
{
    double gap = replay->seen ? event->t - replay->last : 0;

    if (!replay->seen) {
        replay->first = event->t;
    }
    replay->seen = true;
    replay->last = event->t;
    replay->gap_max = gap > replay->gap_max ? gap : replay->gap_max;
    if (gap >= GAP_MS && !replay->cli->json) {
        printf("%12s %.3f s of silence\n", "", gap / 1000);
    }
    return gap;
}

static void take_event(struct replay *replay, const struct trace_event *event)
{
    if (event->problem != NULL) {
        replay->damaged_lines++;
        print_problem(replay, event);
        return;
    }
    double gap = strcmp(event->dir, "begin") != 0 ? take_time(replay, event) : 0;
    if (event->bytes.len > 0) {
        take_packet(replay, event, gap);
        return;
    }
    if (strcmp(event->dir, "close") == 0 || strcmp(event->dir, "reopen") == 0) {
        exchange_end(&replay->exchange, event->number);
    }
    replay->damaged_frames +=
        strcmp(event->dir, "damaged") == 0 ? (size_t)number_of(event->json, "count") : 0;
    replay->text_bytes += strcmp(event->dir, "text") == 0 ? strlen(event->text) : 0;
    print_event(replay, event);
}

static void print_summary_json(const struct replay *replay)
{
    const struct exchange *exchange = &replay->exchange;
    cJSON *object = cJSON_CreateObject();
    cJSON *summary = cJSON_AddObjectToObject(object, "summary");
    const struct {
        const char *key;
        size_t value;
    } counts[] = {
        {"requests", exchange->requests},     {"retransmitted", exchange->retransmitted},
        {"answers", exchange->answers},       {"refused", exchange->refused},
        {"stale", exchange->stale},           {"echoed", exchange->echoed},
        {"unanswered", exchange->unanswered}, {"damaged", replay->damaged_frames},
        {"tx_bytes", exchange->tx_bytes},     {"rx_bytes", exchange->rx_bytes},
        {"text_bytes", replay->text_bytes},
    };

    for (size_t i = 0; i < sizeof counts / sizeof counts[0]; i++) {
        cJSON_AddNumberToObject(summary, counts[i].key, (double)counts[i].value);
    }
    cJSON_AddNumberToObject(summary, "ms", replay->last - replay->first);
    cJSON_AddNumberToObject(summary, "gap_max_ms", replay->gap_max);
    if (exchange->measured > 0) {
        cJSON_AddNumberToObject(summary, "rtt_min_ms", exchange->rtt_min);
        cJSON_AddNumberToObject(summary, "rtt_mean_ms",
                                exchange->rtt_sum / (double)exchange->measured);
        cJSON_AddNumberToObject(summary, "rtt_max_ms", exchange->rtt_max);
    }
    cli_print_json_line(object);
}

static const char *plural(size_t count)
{
    return count == 1 ? "" : "s";
}

static void print_summary(const struct replay *replay)
{
    const struct exchange *exchange = &replay->exchange;
    double seconds = (replay->last - replay->first) / 1000;

    printf("\n%zu request%s, %zu sent again, %zu answer%s (%zu refusal%s), %zu without an answer\n",
           exchange->requests, plural(exchange->requests), exchange->retransmitted,
           exchange->answers, plural(exchange->answers), exchange->refused,
           plural(exchange->refused), exchange->unanswered);
    printf("%zu stale answer%s, %zu echo%s, %zu damaged frame%s, %zu byte%s of text\n",
           exchange->stale, plural(exchange->stale), exchange->echoed,
           exchange->echoed == 1 ? "" : "es", replay->damaged_frames,
           plural(replay->damaged_frames), replay->text_bytes, plural(replay->text_bytes));
    if (exchange->measured > 0) {
        printf("round trip %.1f ms at least, %.1f on average, %.1f at most\n", exchange->rtt_min,
               exchange->rtt_sum / (double)exchange->measured, exchange->rtt_max);
    }
    printf("%.3f s, longest silence %.3f s; %zu bytes of packets sent, %zu received", seconds,
           replay->gap_max / 1000, exchange->tx_bytes, exchange->rx_bytes);
    if (seconds > 0) {
        printf(": %.0f and %.0f bytes/s", (double)exchange->tx_bytes / seconds,
               (double)exchange->rx_bytes / seconds);
    }
    putchar('\n');
}

static int replay_all(struct replay *replay, const char *path, struct ferry_bytes bytes)
{
    struct trace_reader reader = {bytes, 0};
    struct trace_event event;

    while (trace_next(&reader, &event)) {
        take_event(replay, &event);
        trace_event_free(&event);
    }
    exchange_end(&replay->exchange, 0);
    if (replay->cli->json) {
        print_summary_json(replay);
    } else {
        print_summary(replay);
    }
    if (replay->damaged_lines > 0) {
        return cli_fail(replay->cli, CLI_VERIFY, "the rest of it was shown",
                        replay->damaged_lines == 1 ? "%zu line of the trace %s is damaged"
                                                   : "%zu lines of the trace %s are damaged",
                        replay->damaged_lines, path);
    }
    return CLI_OK;
}

static int run_replay(struct cli *cli, int argc, char **argv)
{
    static const struct option own[] = {{"whole", no_argument, NULL, 'w'}, {0}};
    static struct replay replay;
    struct cli_buffer buffer;
    int option;

    optind = 0;
    while ((option = cli_getopt(cli, argc, argv, "", own)) != -1) {
        if (option == '?') {
            return CLI_USAGE;
        }
        replay.whole = true;
    }
    if (argc - optind != 1) {
        return cli_usage(cli, "replay needs the FILE that --trace wrote");
    }
    const char *path = argv[optind];
    int code = cli_read_file(cli, path, &buffer);
    if (code != CLI_OK) {
        return code;
    }
    struct ferry_bytes bytes = {buffer.data, buffer.len};
    replay.cli = cli;
    cli->lines = true;
    if (trace_begins(bytes)) {
        code = replay_all(&replay, path, bytes);
    } else {
        code = cli_fail(cli, CLI_VERIFY, "other captures are shown by `ferry decode`",
                        "%s is no trace of ferry's", path);
    }
    cli_buffer_free(&buffer);
    return code;
}

const struct cli_command cli_replay_commands[] = {
    {"replay", "FILE", "a session that --trace recorded, with times and what was sent again",
     "      --whole          do not shorten byte strings and texts\n", run_replay},
    {0},
};
