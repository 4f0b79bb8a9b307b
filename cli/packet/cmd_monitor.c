/* SPDX-License-Identifier: Apache-2.0 */
/* ferry monitor: what the device prints on its console, without the frames between. */
#include "cbor_json.h"
#include "cli/device/session.h"
#include "packet_view.h"

#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

/* An unfinished line is shown when nothing came for so long. */
#define QUIET_MS 100

/* A port that went is looked for so often. */
#define RETRY_MS 200

/* Bytes of a byte string that are shown of a packet. */
#define SHOWN 24

#define UNTIL_MAX 200

struct monitor {
    struct cli *cli;
    bool stamps;
    bool packets;
    uint64_t end; /* ferry_connection_now() */
    const char *until;
    bool seen;            /* what until says */
    char tail[UNTIL_MAX]; /* the end of the text, in which until may have begun */
    size_t tail_len;
    struct plain plain;
    bool in_line;       /* a line is begun on standard output */
    uint8_t line[2048]; /* of --json: the line so far */
    size_t line_len;
    uint64_t began;
    struct session session;
};

static volatile sig_atomic_t interrupted;

static void interrupt(int number)
{
    (void)number;
    interrupted = 1;
}

/* What waits is ended by a signal, and not gone on with. */
static void catch_signals(void)
{
    struct sigaction action = {.sa_handler = interrupt};

    sigaction(SIGINT, &action, NULL);
    sigaction(SIGTERM, &action, NULL);
}

/* ---- Text ------------------------------------------------------------------------------------ */

static void local_time(char *out, size_t cap)
{
    struct timespec now;
    struct tm local;
    char text[16];

    clock_gettime(CLOCK_REALTIME, &now);
    localtime_r(&now.tv_sec, &local);
    strftime(text, sizeof text, "%H:%M:%S", &local);
    snprintf(out, cap, "%s.%03u", text, (unsigned)(now.tv_nsec / 1000000) % 1000);
}

/* In front of the first character of a line. */
static void begin_line(struct monitor *monitor)
{
    char time[32];

    if (!monitor->in_line && monitor->stamps) {
        local_time(time, sizeof time);
        printf("%s ", time);
    }
    monitor->in_line = true;
}

static void print_text(struct monitor *monitor, struct ferry_bytes text)
{
    while (text.len > 0) {
        const uint8_t *feed = memchr(text.data, '\n', text.len);
        size_t len = feed != NULL ? (size_t)(feed - text.data) + 1 : text.len;

        begin_line(monitor);
        plain_write(&monitor->plain, (struct ferry_bytes){text.data, len});
        monitor->in_line = feed == NULL;
        text = (struct ferry_bytes){text.data + len, text.len - len};
    }
    fflush(stdout);
}

static cJSON *begin_object(const struct monitor *monitor)
{
    cJSON *object = cJSON_CreateObject();

    cJSON_AddNumberToObject(object, "t", (double)(ferry_connection_now() - monitor->began));
    return object;
}

/* whole: the line has its end */
static void print_json_line(struct monitor *monitor, bool whole)
{
    while (monitor->line_len > 0 && monitor->line[monitor->line_len - 1] == '\r') {
        monitor->line_len--;
    }
    cJSON *object = begin_object(monitor);
    char *text = cbor_json_utf8((struct ferry_bytes){monitor->line, monitor->line_len});
    cJSON_AddStringToObject(object, "text", text != NULL ? text : "");
    if (!whole) {
        cJSON_AddBoolToObject(object, "partial", 1);
    }
    free(text);
    cli_print_json_line(object);
    monitor->line_len = 0;
}

static void take_json_text(struct monitor *monitor, struct ferry_bytes text)
{
    for (size_t i = 0; i < text.len; i++) {
        if (text.data[i] == '\n') {
            print_json_line(monitor, true);
            continue;
        }
        if (monitor->line_len == sizeof monitor->line) {
            print_json_line(monitor, false);
        }
        monitor->line[monitor->line_len++] = text.data[i];
    }
}

/* Whether until has come, which may be spread over what is handed out at once. */
static void look_for(struct monitor *monitor, struct ferry_bytes text)
{
    size_t want = strlen(monitor->until);

    for (size_t i = 0; i < text.len && !monitor->seen; i++) {
        if (monitor->tail_len == want) {
            memmove(monitor->tail, monitor->tail + 1, want - 1);
            monitor->tail_len--;
        }
        monitor->tail[monitor->tail_len++] = (char)text.data[i];
        monitor->seen =
            monitor->tail_len == want && memcmp(monitor->tail, monitor->until, want) == 0;
    }
}

static void hear_text(void *context, struct ferry_bytes text)
{
    struct monitor *monitor = context;

    if (monitor->cli->json) {
        take_json_text(monitor, text);
    } else {
        print_text(monitor, text);
    }
    if (monitor->until != NULL) {
        look_for(monitor, text);
    }
}

/* ---- Packets --------------------------------------------------------------------------------- */

static void hear_packet(void *context, enum ferry_connection_way way, struct ferry_bytes packet)
{
    struct monitor *monitor = context;
    struct packet_view view;

    packet_look(packet, &view, NULL);
    if (monitor->cli->json) {
        cJSON *object = begin_object(monitor);

        cJSON_AddStringToObject(object, "dir", way == FERRY_CONNECTION_SENT ? "tx" : "rx");
        packet_add_json(object, &view);
        cli_print_json_line(object);
    } else {
        char *line = packet_line(&view, SHOWN);

        if (monitor->in_line) {
            putchar('\n');
            monitor->in_line = false;
        }
        begin_line(monitor);
        printf("<- %s\n", line != NULL ? line : "");
        monitor->in_line = false;
        fflush(stdout);
        cJSON_free(line);
    }
    packet_view_free(&view);
}

/* ---- The line -------------------------------------------------------------------------------- */

static bool is_over(const struct monitor *monitor)
{
    return interrupted != 0 || monitor->seen || ferry_connection_now() >= monitor->end;
}

/* Wait for the port that went: a device that resets takes its USB port along. */
static void wait_for_port(struct monitor *monitor)
{
    const struct timespec pause = {.tv_nsec = RETRY_MS * 1000000};

    fprintf(stderr, "ferry: the connection to %s broke; waiting for it to come back\n",
            monitor->cli->device);
    while (!is_over(monitor) && session_reopen(&monitor->session) != FERRY_OK) {
        nanosleep(&pause, NULL);
    }
    if (!is_over(monitor)) {
        fputs("ferry: it is back, going on\n", stderr);
    }
}

static void watch(struct monitor *monitor)
{
    while (!is_over(monitor)) {
        struct ferry_client_answer answer;
        uint64_t until = ferry_connection_now() + QUIET_MS;
        int got =
            session_step(&monitor->session, until < monitor->end ? until : monitor->end, &answer);

        if (got < 0) {
            wait_for_port(monitor);
        } else if (got == 0) {
            (void)ferry_connection_flush_text(monitor->session.connection);
        }
    }
    if (monitor->line_len > 0) {
        print_json_line(monitor, false);
    }
    if (monitor->in_line) {
        putchar('\n');
    }
}

/* Only a console has text. */
static int check_line(const struct monitor *monitor)
{
    enum ferry_client_link link = session_link(&monitor->session);

    if (link == FERRY_LINK_CONSOLE || (link == FERRY_LINK_RAW && monitor->packets)) {
        return CLI_OK;
    }
    return cli_fail(monitor->cli, CLI_USAGE, "give the serial port of its console: -d serial:PORT",
                    "%s carries packets only, no text", monitor->cli->device);
}

static int run(struct monitor *monitor, double seconds)
{
    int code = session_connect(monitor->cli, &monitor->session);

    if (code != CLI_OK) {
        return code;
    }
    code = check_line(monitor);
    if (code == CLI_OK) {
        monitor->session.hear_text = hear_text;
        monitor->session.hear_packet = monitor->packets ? hear_packet : NULL;
        monitor->session.hear_context = monitor;
        monitor->plain = plain_for(stdout);
        monitor->began = ferry_connection_now();
        monitor->end = seconds > 0 ? monitor->began + (uint64_t)(seconds * 1000) : UINT64_MAX;
        watch(monitor);
    }
    session_close(&monitor->session);
    if (code == CLI_OK && monitor->until != NULL && !monitor->seen) {
        return cli_fail(monitor->cli, CLI_NO_ANSWER,
                        "look at what was printed; --for S waits longer", "'%s' did not come",
                        monitor->until);
    }
    return code;
}

/* ---- The command ----------------------------------------------------------------------------- */

static bool take_seconds(const char *text, double *seconds)
{
    char *end;

    *seconds = strtod(text, &end);
    return end != text && *end == '\0' && *seconds > 0 && *seconds <= 1e7;
}

static int run_monitor(struct cli *cli, int argc, char **argv)
{
    static const struct option own[] = {{"timestamps", no_argument, NULL, 't'},
                                        {"packets", no_argument, NULL, 'p'},
                                        {"for", required_argument, NULL, 'f'},
                                        {"until", required_argument, NULL, 'u'},
                                        {0}};
    static struct monitor monitor;
    double seconds = 0;
    int option;

    monitor.cli = cli;
    optind = 0;
    while ((option = cli_getopt(cli, argc, argv, "tp", own)) != -1) {
        if (option == '?') {
            return CLI_USAGE;
        }
        if (option == 'f' && !take_seconds(optarg, &seconds)) {
            return cli_usage(cli, "--for takes seconds above 0");
        }
        if (option == 'u' && (optarg[0] == '\0' || strlen(optarg) > UNTIL_MAX)) {
            return cli_usage(cli, "--until takes a text of 1 to 200 bytes");
        }
        monitor.until = option == 'u' ? optarg : monitor.until;
        monitor.stamps = monitor.stamps || option == 't';
        monitor.packets = monitor.packets || option == 'p';
    }
    if (optind != argc) {
        return cli_usage(cli, "monitor takes no argument");
    }
    cli->lines = true;
    catch_signals();
    return run(&monitor, seconds);
}

const struct cli_command cli_monitor_commands[] = {
    {"monitor", "", "what the device prints on its console, until Ctrl-C",
     "  -t, --timestamps     the time in front of each line\n"
     "  -p, --packets        packets as well, decoded\n"
     "      --for S          end after S seconds\n"
     "      --until TEXT     end when TEXT was printed; exit code 4 when it was not\n",
     run_monitor},
    {0},
};
